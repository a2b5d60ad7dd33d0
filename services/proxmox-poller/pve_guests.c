/* SPDX-License-Identifier: MIT */
/*
 * Guests: what is remembered from one answer to the next (rates, names, the last status that was known), and the
 * document of one guest. A number that means nothing at the moment is null, never 0.
 */
#include "services/proxmox-poller/pve_cluster.h"

/* pvestatd gathers every 10 s and its values may be 14 s old: so long a guest's own word counts for more. */
#define DIRECT_HOLDS_MS 15000
#define DIRECT_SETTLES_MS 5000
#define TAGS_MAX 64
#define TAG_MAX_BYTES 256

enum guest_status pve_guest_status_of(const char *word)
{
	int value = word ? enumeration_find(&enumeration_guest_status, word) : GUEST_UNKNOWN;

	return value < 0 ? GUEST_OTHER : (enum guest_status)value;
}

bool pve_is_alive(enum guest_status status)
{
	return status != GUEST_STOPPED && status != GUEST_UNKNOWN;
}

static int compare_guests(const void *a, const void *b)
{
	const struct pve_guest *x = a, *y = b;

	return x->vmid < y->vmid ? -1 : x->vmid > y->vmid;
}

struct pve_guest *pve_cluster_find_guest(const struct pve_cluster *cluster, int64_t vmid)
{
	struct pve_guest key = { .vmid = vmid };

	if (!cluster->guests_n)
		return NULL;
	return bsearch(&key, cluster->guests, cluster->guests_n, sizeof(key), compare_guests);
}

static void guest_done(struct pve_guest *guest)
{
	free(guest->node);
	free(guest->name);
}

void pve_guests_done(struct pve_cluster *cluster)
{
	for (size_t i = 0; i < cluster->guests_n; i++)
		guest_done(&cluster->guests[i]);
	free(cluster->guests);
	cluster->guests = NULL;
	cluster->guests_n = 0;
}

/* ── from one answer to the next ───────────────────────────────────────────────────────────────────────────── */

/* How much a row is to be believed, when a guest that moves is there twice. */
static int row_rank(const struct pve_cluster *cluster, const struct pve_resource *row,
		    const struct pve_guest *old)
{
	enum guest_status status = pve_guest_status_of(row->status);

	if (pve_cluster_is_offline(cluster, row->node) || status == GUEST_UNKNOWN)
		return 0;
	if (pve_is_alive(status))
		return 3;
	return old && str_eq(old->node, row->node) ? 2 : 1;
}

/* Of the COUNT rows of one guest the one that is true. */
static const struct pve_resource *best_row(const struct pve_cluster *cluster,
					   const struct pve_resource *rows, size_t count,
					   const struct pve_guest *old)
{
	const struct pve_resource *best = rows;

	for (size_t i = 1; i < count; i++) {
		if (row_rank(cluster, &rows[i], old) > row_rank(cluster, best, old))
			best = &rows[i];
	}
	return best;
}

static void remember_text(char **kept, const char *now)
{
	if (!now || (*kept && str_eq(*kept, now)))
		return;
	free(*kept);
	*kept = xstrdup(now);
}

/* What a row without data does not say stays as it was. */
static void remember_shape(struct pve_guest *guest, const struct pve_resource *row)
{
	remember_text(&guest->name, row->name);
	if (row->template.has)
		guest->template = row->template.v;
	if (row->maxcpu.has)
		guest->maxcpu = row->maxcpu;
	if (row->maxmem.has)
		guest->maxmem = row->maxmem;
	if (row->maxdisk.has)
		guest->maxdisk = row->maxdisk;
}

static void remember_boot(struct pve_guest *guest, struct opt_i64 uptime, struct pve_now now)
{
	int64_t boot;

	if (!uptime.has || uptime.v <= 0 || uptime.v > PVE_UPTIME_MAX_S) {
		guest->boot_ms = (struct opt_i64){ 0 };
		return;
	}
	boot = now.wall_ms - uptime.v * 1000;
	if (!guest->boot_ms.has || llabs(guest->boot_ms.v - boot) >= 30000)
		guest->boot_ms = some_i64(boot);
}

static void remember_load(struct pve_guest *guest, const struct pve_resource *row,
			  struct pve_now now)
{
	const struct opt_i64 counters[COUNTER_COUNT] = {
		[COUNTER_NET_IN] = row->netin,
		[COUNTER_NET_OUT] = row->netout,
		[COUNTER_DISK_READ] = row->diskread,
		[COUNTER_DISK_WRITE] = row->diskwrite,
	};
	bool moved = guest->node && !str_eq(guest->node, row->node);

	if (moved)
		pve_rates_reset(&guest->rates);
	if (!pve_is_alive(pve_guest_status_of(row->status))) {
		pve_rates_reset(&guest->rates);
		guest->boot_ms = (struct opt_i64){ 0 };
		return;
	}
	pve_rates_take(&guest->rates, row->uptime, counters, now.boot_ms);
	remember_boot(guest, row->uptime, now);
}

/* True when the row knows more than what the guest itself said once. */
static bool is_overtaken(struct pve_direct *direct, const struct pve_resource *row,
			 enum guest_status status, struct pve_now now)
{
	int64_t age = now.boot_ms - direct->at.boot_ms;
	bool same = direct->row_status == status && direct->row_uptime.has == row->uptime.has &&
		    direct->row_uptime.v == row->uptime.v;

	if (direct->status == status || age >= DIRECT_HOLDS_MS)
		return true;
	if (age >= DIRECT_SETTLES_MS)
		return !same;
	/* A sample from before may still be on its way. */
	direct->row_status = status;
	direct->row_uptime = row->uptime;
	return false;
}

static void guest_update(const struct pve_cluster *cluster, struct pve_guest *guest,
			 const struct pve_resource *row, struct pve_now now)
{
	enum guest_status status = pve_guest_status_of(row->status);

	remember_load(guest, row, now);
	remember_text(&guest->node, row->node);
	remember_shape(guest, row);
	/* A dead node's guests still say what they were: that is the last known, not the present. */
	if (status != GUEST_UNKNOWN)
		guest->last_status = (struct opt_int){ true, status };
	if (guest->direct.has && is_overtaken(&guest->direct, row, status, now))
		guest->direct.has = false;
	if (pve_cluster_is_offline(cluster, row->node))
		pve_rates_reset(&guest->rates);
	guest->row = row;
}

/* The guest as it was, moved out of the old list; or a new one. */
static struct pve_guest guest_carry(struct pve_cluster *cluster, int64_t vmid)
{
	struct pve_guest *old = pve_cluster_find_guest(cluster, vmid);
	struct pve_guest guest = { .vmid = vmid };

	if (!old)
		return guest;
	guest = *old;
	old->node = NULL;
	old->name = NULL;
	return guest;
}

void pve_guests_update(struct pve_cluster *cluster, struct pve_now now)
{
	const struct pve_resources *resources = &cluster->resources;
	struct pve_guest *list = xcalloc(resources->guests_n, sizeof(*list));
	size_t n = 0;

	for (size_t i = 0, count; i < resources->guests_n; i += count) {
		const struct pve_resource *rows = &resources->guests[i];
		struct pve_guest *guest = &list[n++];

		for (count = 1; i + count < resources->guests_n; count++) {
			if (rows[count].vmid.v != rows[0].vmid.v)
				break;
		}
		*guest = guest_carry(cluster, rows[0].vmid.v);
		guest_update(cluster, guest,
			     best_row(cluster, rows, count, guest->node ? guest : NULL), now);
	}
	pve_guests_done(cluster);
	cluster->guests = list;
	cluster->guests_n = n;
}

/* ── the document ──────────────────────────────────────────────────────────────────────────────────────────── */

static struct opt_f64 percent(struct opt_f64 fraction)
{
	/* A container's share may be a little below nothing just after its start. */
	return fraction.has ? some_f64(max_of(fraction.v, 0.0) * 100) : fraction;
}

static struct opt_i64 not_zero(struct opt_i64 value)
{
	return value.has && value.v > 0 ? value : (struct opt_i64){ 0 };
}

static void build_tags(const char *text, struct arena *arena, struct msg_guest_state *ret)
{
	const char **tags;

	if (!text)
		return;
	tags = arena_alloc(arena, TAGS_MAX * sizeof(*tags));
	for (size_t length; *text && ret->tags_n < TAGS_MAX; text += length) {
		text += strspn(text, ";, ");
		length = strcspn(text, ";, ");
		if (length)
			tags[ret->tags_n++] =
				arena_strndup(arena, text, min_of(length, (size_t)TAG_MAX_BYTES));
	}
	ret->tags = tags;
}

/* What Proxmox says of a guest that runs. */
static void build_load(const struct pve_guest *guest, struct msg_guest_state *ret)
{
	const struct pve_resource *row = guest->row;

	ret->boot_ms = guest->boot_ms;
	ret->cpu = percent(row->cpu);
	ret->mem = row->mem;
	/* Containers have no memory beside their own, and PVE 8 does not say it. */
	if (ret->type == GUEST_QEMU)
		ret->memhost = not_zero(row->memhost);
	else
		ret->disk = row->disk;
	ret->net_in = guest->rates.rates[COUNTER_NET_IN];
	ret->net_out = guest->rates.rates[COUNTER_NET_OUT];
	ret->disk_read = guest->rates.rates[COUNTER_DISK_READ];
	ret->disk_write = guest->rates.rates[COUNTER_DISK_WRITE];
}

static bool direct_holds(const struct pve_guest *guest, struct pve_now now)
{
	return guest->direct.has && now.boot_ms - guest->direct.at.boot_ms < DIRECT_HOLDS_MS;
}

/* Read from the guest itself: newer than the row, whose numbers belong to another state of it. */
static void build_direct(const struct pve_guest *guest, struct msg_guest_state *ret)
{
	const struct pve_direct *direct = &guest->direct;

	ret->ts = direct->at.wall_ms;
	if (pve_is_alive(direct->status) && direct->uptime.has && direct->uptime.v > 0 &&
	    direct->uptime.v <= PVE_UPTIME_MAX_S)
		ret->boot_ms = some_i64(direct->at.wall_ms - direct->uptime.v * 1000);
}

enum guest_status pve_cluster_guest_status(const struct pve_cluster *cluster,
					   const struct pve_guest *guest, struct pve_now now)
{
	if (pve_cluster_is_offline(cluster, guest->row->node))
		return GUEST_UNKNOWN;
	if (direct_holds(guest, now))
		return guest->direct.status;
	return pve_guest_status_of(guest->row->status);
}

static void build_status(const struct pve_cluster *cluster, const struct pve_guest *guest,
			 struct pve_now now, struct arena *arena, struct msg_guest_state *ret)
{
	const struct pve_resource *row = guest->row;

	ret->status = pve_cluster_guest_status(cluster, guest, now);
	if (ret->status == GUEST_UNKNOWN) {
		ret->last_status = guest->last_status;
		ret->reason =
			pve_cluster_is_offline(cluster, row->node) ?
				arena_printf(arena, "node %.64s is offline", row->node) :
				arena_printf(arena,
					     "Proxmox has no data of it: pvestatd on node %.64s "
					     "hangs, is stopped or has just begun",
					     row->node);
	} else if (ret->status != pve_guest_status_of(row->status)) {
		build_direct(guest, ret);
	} else if (pve_is_alive(ret->status)) {
		build_load(guest, ret);
	}
}

void pve_build_guest(const struct pve_cluster *cluster, const struct pve_guest *guest,
		     struct pve_now now, struct arena *arena, struct msg_guest_state *ret)
{
	const struct pve_resource *row = guest->row;

	*ret = (struct msg_guest_state){
		.ts = cluster->resources_answer.at.wall_ms,
		.cluster = cluster->name,
		.vmid = guest->vmid,
		.name = pve_text(arena, guest->name, 128),
		.type = str_eq(row->type, "lxc") ? GUEST_LXC : GUEST_QEMU,
		.node = row->node,
		.template = guest->template,
		.maxcpu = guest->maxcpu,
		.maxmem = guest->maxmem,
		.maxdisk = not_zero(guest->maxdisk),
		.pool = pve_text(arena, row->pool, 64),
		.lock = pve_text(arena, row->lock, 32),
		.ha_state = pve_text(arena, row->hastate, 32),
	};
	build_tags(row->tags, arena, ret);
	build_status(cluster, guest, now, arena, ret);
}
