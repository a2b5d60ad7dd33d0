/* SPDX-License-Identifier: MIT */
/*
 * Guests' configurations. A container's mount point is backed up when it says so, a virtual machine's disk unless it
 * says no.
 */
#include "services/proxmox-poller/pve_guest_config.h"

#include "services/proxmox-poller/pve_properties.h"

#include <ctype.h>
#include <errno.h>

#define VOLUMES_MAX 64
#define NICS_MAX 32
#define MIB 1048576
#define MIB_MAX 1000000000 /* a petabyte; more is nonsense */
#define DEFAULT_MIB 512
#define VLAN_MAX 4094

struct config_row {
	const char *digest, *ostype, *memory, *agent, *startup, *hostname, *description;
	struct opt_i64 sockets, cores, swap;
	struct opt_bool onboot, protection, unprivileged;
};

static const struct pve_field fields[] = {
	PVE_FIELD(config_row, "agent", agent, PVE_STR),
	PVE_FIELD(config_row, "cores", cores, PVE_I64),
	PVE_FIELD(config_row, "description", description, PVE_STR),
	PVE_FIELD(config_row, "digest", digest, PVE_STR),
	PVE_FIELD(config_row, "hostname", hostname, PVE_STR),
	PVE_FIELD(config_row, "memory", memory, PVE_STR),
	PVE_FIELD(config_row, "onboot", onboot, PVE_BOOL),
	PVE_FIELD(config_row, "ostype", ostype, PVE_STR),
	PVE_FIELD(config_row, "protection", protection, PVE_BOOL),
	PVE_FIELD(config_row, "sockets", sockets, PVE_I64),
	PVE_FIELD(config_row, "startup", startup, PVE_STR),
	PVE_FIELD(config_row, "swap", swap, PVE_I64),
	PVE_FIELD(config_row, "unprivileged", unprivileged, PVE_BOOL),
};

struct config_reader {
	const cJSON *data;
	struct arena *arena;
	bool is_container;
	size_t bad;
	struct msg_guest_volume *volumes;
	struct msg_guest_nic *nics;
	size_t volumes_n, nics_n;
};

/* True when KEY is PREFIX and a number. */
static bool is_numbered(const char *key, const char *prefix)
{
	size_t length = strlen(prefix), digits;

	if (strncmp(key, prefix, length) != 0)
		return false;
	digits = strspn(key + length, "0123456789");
	return digits && digits <= 3 && !key[length + digits];
}

static bool is_numbered_any(const char *key, const char *const *prefixes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (is_numbered(key, prefixes[i]))
			return true;
	}
	return false;
}

/* ── disks and mount points ────────────────────────────────────────────────────────────────────────────────── */

static bool is_volume(const struct config_reader *r, const char *key)
{
	static const char *const machine[] = { "ide",	  "sata",     "scsi",  "virtio",
					       "efidisk", "tpmstate", "unused" };
	static const char *const container[] = { "mp", "unused" };

	if (!r->is_container)
		return is_numbered_any(key, machine, countof(machine));
	return str_eq(key, "rootfs") || is_numbered_any(key, container, countof(container));
}

static bool is_backed_up(const struct config_reader *r, const struct pve_properties *properties,
			 const char *key, bool is_storage)
{
	if (is_numbered(key, "unused"))
		return false;
	if (!r->is_container)
		return pve_properties_bool(properties, "backup", true);
	if (str_eq(key, "rootfs"))
		return true;
	/* What is mounted from the node itself is never backed up with the container. */
	return is_storage && pve_properties_bool(properties, "backup", false);
}

/* "local-lvm:vm-100-disk-0" → storage and volume; a path is only a volume. True when there is a storage. */
static bool split_volume(const char *name, struct arena *arena, struct msg_guest_volume *volume)
{
	const char *colon = name[0] == '/' ? NULL : strchr(name, ':');

	volume->volume = pve_text(arena, colon ? colon + 1 : name, 256);
	if (colon)
		volume->storage =
			pve_text(arena, arena_strndup(arena, name, (size_t)(colon - name)), 64);
	return volume->storage;
}

static void add_volume(struct config_reader *r, const char *key, const char *text)
{
	struct pve_properties properties = pve_properties_parse(text, r->arena);
	const char *media = pve_properties_get(&properties, "media");
	const char *name = pve_properties_get(&properties, r->is_container ? "volume" : "file");
	struct msg_guest_volume volume = { .key = key };
	bool is_storage;

	if (media && str_eq(media, "cdrom"))
		return;
	if (!name)
		name = pve_properties_get(&properties, "");
	if (!name || !name[0]) {
		r->bad++;
		return;
	}
	if (r->volumes_n >= VOLUMES_MAX)
		return;
	is_storage = split_volume(name, r->arena, &volume);
	volume.size = pve_parse_size(pve_properties_get(&properties, "size"));
	volume.backed_up = is_backed_up(r, &properties, key, is_storage);
	if (r->is_container)
		volume.mount =
			str_eq(key, "rootfs") ?
				"/" :
				pve_text(r->arena, pve_properties_get(&properties, "mp"), 256);
	r->volumes[r->volumes_n++] = volume;
}

/* ── network cards ─────────────────────────────────────────────────────────────────────────────────────────── */

static bool is_mac(const char *text)
{
	if (strlen(text) != 17)
		return false;
	for (size_t i = 0; i < 17; i++) {
		if (i % 3 == 2 ? text[i] != ':' : !isxdigit((unsigned char)text[i]))
			return false;
	}
	return true;
}

/* "virtio=BC:24:11:…", "model=virtio,macaddr=…", or "virtio" alone. */
static void read_machine_model(const struct pve_properties *properties, struct msg_guest_nic *nic)
{
	nic->model = pve_properties_get(properties, "model");
	nic->mac = pve_properties_get(properties, "macaddr");
	if (!nic->model)
		nic->model = pve_properties_get(properties, "");
	for (size_t i = 0; i < properties->n && !nic->mac; i++) {
		if (!is_mac(properties->list[i].value))
			continue;
		nic->mac = properties->list[i].value;
		if (!nic->model)
			nic->model = properties->list[i].key;
	}
}

static bool is_address(const char *text)
{
	return text && strpbrk(text, ".:") &&
	       strspn(text, "0123456789abcdefABCDEF.:/") == strlen(text);
}

/* "dhcp", "auto" and "manual" name no address. */
static const char *address_of(const struct pve_properties *properties, struct arena *arena)
{
	const char *v4 = pve_properties_get(properties, "ip");
	const char *v6 = pve_properties_get(properties, "ip6");

	if (is_address(v4) && is_address(v6))
		return pve_text(arena, arena_printf(arena, "%s %s", v4, v6), 128);
	if (is_address(v4))
		return pve_text(arena, v4, 128);
	return is_address(v6) ? pve_text(arena, v6, 128) : NULL;
}

/* The address that cloud-init gives to card NUMBER of a virtual machine. */
static const char *cloud_address(const struct config_reader *r, const char *number)
{
	const cJSON *value = json_get(r->data, arena_printf(r->arena, "ipconfig%s", number));
	struct pve_properties properties;

	if (!cJSON_IsString(value))
		return NULL;
	properties = pve_properties_parse(value->valuestring, r->arena);
	return address_of(&properties, r->arena);
}

static struct opt_i64 vlan_of(const char *text)
{
	int64_t vlan;

	if (text && str_to_i64(text, 1, VLAN_MAX, &vlan) == 0)
		return some_i64(vlan);
	return (struct opt_i64){ 0 };
}

static void add_nic(struct config_reader *r, const char *key, const char *text)
{
	struct pve_properties properties = pve_properties_parse(text, r->arena);
	struct msg_guest_nic nic = { .key = key };

	if (!properties.n) {
		r->bad++;
		return;
	}
	if (r->nics_n >= NICS_MAX)
		return;
	if (r->is_container) {
		nic.model = pve_properties_get(&properties, "type");
		nic.model = nic.model ? nic.model : "veth";
		nic.mac = pve_properties_get(&properties, "hwaddr");
		nic.address = address_of(&properties, r->arena);
	} else {
		read_machine_model(&properties, &nic);
		nic.address = cloud_address(r, key + strlen("net"));
	}
	nic.model = pve_text(r->arena, nic.model, 32);
	nic.mac = pve_text(r->arena, nic.mac, 32);
	nic.bridge = pve_text(r->arena, pve_properties_get(&properties, "bridge"), 32);
	nic.vlan = vlan_of(pve_properties_get(&properties, "tag"));
	nic.firewall = pve_properties_bool(&properties, "firewall", false);
	r->nics[r->nics_n++] = nic;
}

/* ── all of it ─────────────────────────────────────────────────────────────────────────────────────────────── */

static void read_device(struct config_reader *r, const cJSON *item)
{
	const char *key = item->string;
	bool volume = is_volume(r, key), nic = is_numbered(key, "net");

	if (!volume && !nic)
		return;
	if (!cJSON_IsString(item)) {
		r->bad++;
		return;
	}
	key = arena_strdup(r->arena, key);
	if (volume)
		add_volume(r, key, item->valuestring);
	else
		add_nic(r, key, item->valuestring);
}

/* "scsi2" before "scsi10". */
static int compare_keys(const char *a, const char *b)
{
	size_t x = strcspn(a, "0123456789"), y = strcspn(b, "0123456789");

	if (x == y && strncmp(a, b, x) == 0 && strlen(a) != strlen(b))
		return strlen(a) < strlen(b) ? -1 : 1;
	return strcmp(a, b);
}

static int compare_volumes(const void *a, const void *b)
{
	return compare_keys(((const struct msg_guest_volume *)a)->key,
			    ((const struct msg_guest_volume *)b)->key);
}

static int compare_nics(const void *a, const void *b)
{
	return compare_keys(((const struct msg_guest_nic *)a)->key,
			    ((const struct msg_guest_nic *)b)->key);
}

static struct opt_i64 mib(struct opt_i64 value)
{
	if (!value.has || value.v > MIB_MAX)
		return (struct opt_i64){ 0 };
	return some_i64(value.v * MIB);
}

/* A number of PVE 8, text of PVE 9, or "current=2048". */
static struct opt_i64 memory_of(const char *text, struct arena *arena)
{
	struct pve_properties properties;
	const char *number;
	int64_t value;

	if (!text)
		return some_i64((int64_t)DEFAULT_MIB * MIB);
	properties = pve_properties_parse(text, arena);
	number = pve_properties_get(&properties, "current");
	if (!number)
		number = pve_properties_get(&properties, "");
	if (!number || str_to_i64(number, 0, MIB_MAX, &value) < 0)
		return (struct opt_i64){ 0 };
	return mib(some_i64(value));
}

static struct opt_bool agent_of(const char *text, struct arena *arena)
{
	struct pve_properties properties;
	const char *value;

	if (!text)
		return some_bool(false);
	properties = pve_properties_parse(text, arena);
	value = pve_properties_get(&properties, "");
	if (value)
		return some_bool(str_eq(value, "1"));
	return some_bool(pve_properties_bool(&properties, "enabled", false));
}

static void fill(const struct config_row *row, bool is_container, struct arena *arena,
		 struct msg_guest_config *ret)
{
	ret->digest = pve_text(arena, row->digest, 64);
	ret->os = pve_text(arena, row->ostype, 32);
	ret->cores = row->cores;
	ret->memory = memory_of(row->memory, arena);
	ret->onboot = some_bool(row->onboot.has && row->onboot.v);
	ret->startup = pve_text(arena, row->startup, 64);
	ret->protection = some_bool(row->protection.has && row->protection.v);
	ret->description = pve_text(arena, row->description, 4096);
	if (is_container) {
		ret->swap = mib(row->swap.has ? row->swap : some_i64(DEFAULT_MIB));
		ret->unprivileged = some_bool(row->unprivileged.has && row->unprivileged.v);
		ret->hostname = pve_text(arena, row->hostname, 128);
		return;
	}
	/* A container without a number of cores has all of its node's; a machine has one. */
	if (!row->cores.has)
		ret->cores = some_i64(1);
	ret->sockets = row->sockets.has ? row->sockets : some_i64(1);
	ret->agent = agent_of(row->agent, arena);
}

int pve_parse_guest_config(const cJSON *answer, bool is_container, struct arena *arena, size_t *bad,
			   struct msg_guest_config *ret)
{
	struct config_reader r = {
		.data = pve_data_object(answer),
		.arena = arena,
		.is_container = is_container,
	};
	struct config_row row = { 0 };
	const cJSON *item;

	pve_read(r.data, fields, countof(fields), arena, &row);
	if (!row.digest)
		return -EINVAL;
	r.volumes = arena_alloc(arena, VOLUMES_MAX * sizeof(*r.volumes));
	r.nics = arena_alloc(arena, NICS_MAX * sizeof(*r.nics));
	cJSON_ArrayForEach(item, r.data)
		read_device(&r, item);
	qsort(r.volumes, r.volumes_n, sizeof(*r.volumes), compare_volumes);
	qsort(r.nics, r.nics_n, sizeof(*r.nics), compare_nics);
	*ret = (struct msg_guest_config){
		.volumes = r.volumes,
		.volumes_n = r.volumes_n,
		.nics = r.nics,
		.nics_n = r.nics_n,
	};
	fill(&row, is_container, arena, ret);
	*bad = r.bad;
	return 0;
}
