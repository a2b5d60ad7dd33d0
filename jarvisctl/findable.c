/* SPDX-License-Identifier: MIT */
/*
 * One function a kind. What is not known has no value, and no comparison finds it.
 */
#include "jarvisctl/findable.h"

#include "common/alloc.h"

struct opt_f64 findable_share(struct opt_i64 part, struct opt_i64 whole)
{
	if (!part.has || !whole.has || whole.v <= 0)
		return (struct opt_f64){ 0 };
	return some_f64((double)part.v * 100 / (double)whole.v);
}

static struct opt_f64 as_f64(struct opt_i64 number)
{
	return number.has ? some_f64((double)number.v) : (struct opt_f64){ 0 };
}

static struct opt_f64 age_s(const struct world *world, struct opt_i64 ms)
{
	if (!ms.has)
		return (struct opt_f64){ 0 };
	return some_f64((double)max_of(world->wall_ms - ms.v, (int64_t)0) / 1000);
}

static struct opt_f64 sum(struct opt_f64 a, struct opt_f64 b)
{
	if (!a.has && !b.has)
		return a;
	return some_f64((a.has ? a.v : 0) + (b.has ? b.v : 0));
}

/* Of the same guest: its cluster and number are the words of each of its topics. */
static const void *sibling(const struct world *world, const struct world_doc *doc, enum topic_id id)
{
	const char *words[] = { doc->args.value[0], doc->args.value[1], NULL };
	const struct world_doc *found = world_find(world, id, words);

	return found ? found->body : NULL;
}

struct opt_f64 findable_celsius(const struct world *world, const char *cluster, const char *node)
{
	const char *words[] = { cluster, node, NULL };
	const struct msg_node_thermal *thermal = world_live(world, TOPIC_NODE_THERMAL, words);

	return thermal ? thermal->cpu : (struct opt_f64){ 0 };
}

/* ── guests ────────────────────────────────────────────────────────────────────────────────────────────────── */

static const struct msg_backup_posture *posture_of(const struct world *world,
						   const struct world_doc *doc)
{
	const char *words[] = { doc->args.value[0], NULL };
	const struct world_doc *found = world_find(world, TOPIC_BACKUPS_STATE, words);

	return found ? found->body : NULL;
}

enum backup_word findable_backup(const struct world *world, const struct world_doc *doc)
{
	const struct msg_backup_posture *posture = posture_of(world, doc);

	return backup_judge(sibling(world, doc, TOPIC_GUEST_BACKUP), posture ? posture->jobs : NULL,
			    posture ? posture->jobs_n : 0, world->wall_ms);
}

struct opt_i64 findable_backup_ms(const struct world *world, const struct world_doc *doc)
{
	const struct msg_guest_backup *backup = sibling(world, doc, TOPIC_GUEST_BACKUP);

	return backup ? backup->last_ok_ms : (struct opt_i64){ 0 };
}

static const char *job_name(const struct msg_backup_posture *posture, const char *id)
{
	for (size_t i = 0; posture && i < posture->jobs_n; i++) {
		if (str_eq(posture->jobs[i].id, id) && posture->jobs[i].comment)
			return posture->jobs[i].comment;
	}
	return id;
}

static void fill_backup(const struct world *world, const struct world_doc *doc,
			struct search_item *ret)
{
	const struct msg_guest_backup *backup = sibling(world, doc, TOPIC_GUEST_BACKUP);

	search_item_word(ret, SEARCH_BACKUP, backup_word_text(findable_backup(world, doc)));
	if (!backup)
		return;
	if (backup->backups.has && !backup->last_ok_ms.has)
		search_item_word(ret, SEARCH_BACKUP, "none");
	for (size_t i = 0; i < backup->jobs_n; i++) {
		search_item_word(ret, SEARCH_JOB, backup->jobs[i]);
		search_item_word(ret, SEARCH_JOB,
				 job_name(posture_of(world, doc), backup->jobs[i]));
	}
	ret->numbers[NUMBER_BACKUP] = age_s(world, backup->last_ok_ms);
}

static void fill_snapshots(const struct world *world, const struct world_doc *doc,
			   struct search_item *ret)
{
	const struct msg_guest_snapshots *list = sibling(world, doc, TOPIC_GUEST_SNAPSHOTS);
	struct opt_i64 oldest = { 0 };

	if (!list)
		return;
	ret->numbers[NUMBER_SNAPSHOTS] = some_f64((double)list->snapshots_n);
	if (!list->reason)
		search_item_word(ret, SEARCH_SNAPSHOT, list->snapshots_n ? "some" : "none");
	for (size_t i = 0; i < list->snapshots_n; i++) {
		struct opt_i64 ms = list->snapshots[i].time_ms;

		if (!list->reason)
			search_item_word(ret, SEARCH_SNAPSHOT, list->snapshots[i].name);
		if (ms.has && (!oldest.has || ms.v < oldest.v))
			oldest = ms;
	}
	ret->numbers[NUMBER_SNAPSHOT] = age_s(world, oldest);
}

static void fill_config(const struct world *world, const struct world_doc *doc,
			struct search_item *ret)
{
	const struct msg_guest_config *config = sibling(world, doc, TOPIC_GUEST_CONFIG);

	if (!config)
		return;
	for (size_t i = 0; i < config->volumes_n; i++)
		search_item_word(ret, SEARCH_STORAGE, config->volumes[i].storage);
	if (config->onboot.has)
		search_item_word(ret, SEARCH_ONBOOT, config->onboot.v ? "yes" : "no");
	search_item_word(ret, SEARCH_OS, config->os);
}

static void fill_guest(const struct world *world, const struct world_doc *doc,
		       struct search_item *ret)
{
	const struct msg_guest_state *g = doc->body;
	const char *type = enumeration_word(&enumeration_guest_type, (int)g->type);
	const char *status = enumeration_word(&enumeration_guest_status, (int)g->status);
	const char *names[] = {
		doc->args.value[1],
		g->name,
		g->node,
		type,
		str_eq(type, "qemu") ? "vm" : "ct",
		status,
	};

	for (size_t i = 0; i < countof(names); i++)
		search_item_text(ret, names[i]);
	for (size_t i = 0; i < g->tags_n; i++) {
		search_item_text(ret, g->tags[i]);
		search_item_word(ret, SEARCH_TAG, g->tags[i]);
	}
	search_item_word(ret, SEARCH_NAME, g->name);
	search_item_word(ret, SEARCH_NODE, g->node);
	search_item_word(ret, SEARCH_TYPE, type);
	search_item_word(ret, SEARCH_STATUS, status);
	search_item_word(ret, SEARCH_POOL, g->pool);
	search_item_word(ret, SEARCH_LOCK, g->lock);
	search_item_word(ret, SEARCH_HA, g->ha_state);
	search_item_word(ret, SEARCH_VMID, doc->args.value[1]);
	search_item_word(ret, SEARCH_KIND, "guest");
	ret->numbers[NUMBER_CPU] = g->cpu;
	ret->numbers[NUMBER_MEM] = findable_share(g->mem, g->maxmem);
	ret->numbers[NUMBER_DISK] = findable_share(g->disk, g->maxdisk);
	ret->numbers[NUMBER_CORES] = g->maxcpu;
	ret->numbers[NUMBER_VMID] = some_f64((double)g->vmid);
	ret->numbers[NUMBER_UPTIME] = age_s(world, g->boot_ms);
	ret->numbers[NUMBER_NETIN] = g->net_in;
	ret->numbers[NUMBER_NETOUT] = g->net_out;
	ret->numbers[NUMBER_NET] = sum(g->net_in, g->net_out);
	ret->numbers[NUMBER_READ] = g->disk_read;
	ret->numbers[NUMBER_WRITE] = g->disk_write;
	ret->numbers[NUMBER_TEMP] = findable_celsius(world, g->cluster, g->node);
	ret->sizes[NUMBER_MEM] = as_f64(g->mem);
	ret->sizes[NUMBER_DISK] = as_f64(g->disk);
	fill_backup(world, doc, ret);
	fill_snapshots(world, doc, ret);
	fill_config(world, doc, ret);
}

/* ── nodes and storages ────────────────────────────────────────────────────────────────────────────────────── */

static void fill_node(const struct world *world, const struct world_doc *doc,
		      struct search_item *ret)
{
	const struct msg_node_state *n = doc->body;
	const struct msg_node_updates *updates = sibling(world, doc, TOPIC_NODE_UPDATES);

	search_item_text(ret, n->node);
	search_item_text(ret, n->ip);
	search_item_text(ret, n->cpu_model);
	search_item_word(ret, SEARCH_KIND, "node");
	search_item_word(ret, SEARCH_NODE, n->node);
	search_item_word(ret, SEARCH_NAME, n->node);
	search_item_word(ret, SEARCH_STATUS,
			 enumeration_word(&enumeration_node_status, (int)n->status));
	ret->numbers[NUMBER_CPU] = n->cpu;
	ret->numbers[NUMBER_MEM] = findable_share(n->mem, n->maxmem);
	ret->numbers[NUMBER_DISK] = findable_share(n->disk, n->maxdisk);
	ret->numbers[NUMBER_CORES] = as_f64(n->maxcpu);
	ret->numbers[NUMBER_TEMP] = findable_celsius(world, n->cluster, n->node);
	ret->numbers[NUMBER_UPDATES] = updates ? as_f64(updates->pending) : (struct opt_f64){ 0 };
	ret->sizes[NUMBER_MEM] = as_f64(n->mem);
	ret->sizes[NUMBER_DISK] = as_f64(n->disk);
}

static void fill_storage(const struct world *world, const struct world_doc *doc,
			 struct search_item *ret)
{
	const struct msg_storage_state *s = doc->body;

	(void)world;
	search_item_text(ret, s->storage);
	search_item_text(ret, s->type);
	search_item_text(ret, s->shared ? "shared" : s->node);
	for (size_t i = 0; i < s->content_n; i++)
		search_item_text(ret, s->content[i]);
	search_item_word(ret, SEARCH_KIND, "storage");
	search_item_word(ret, SEARCH_NAME, s->storage);
	search_item_word(ret, SEARCH_STORAGE, s->storage);
	search_item_word(ret, SEARCH_NODE, s->node);
	search_item_word(ret, SEARCH_TYPE, s->type);
	search_item_word(ret, SEARCH_STATUS,
			 enumeration_word(&enumeration_storage_status, (int)s->status));
	ret->numbers[NUMBER_DISK] = findable_share(s->used, s->total);
	ret->sizes[NUMBER_DISK] = as_f64(s->used);
}

void findable_fill(const struct world *world, const struct world_doc *doc, struct search_item *ret)
{
	static const struct {
		enum topic_id id;
		void (*fill)(const struct world *world, const struct world_doc *doc,
			     struct search_item *ret);
	} kinds[] = {
		{ TOPIC_GUEST_STATE, fill_guest },
		{ TOPIC_NODE_STATE, fill_node },
		{ TOPIC_STORAGE_STATE, fill_storage },
	};

	*ret = (struct search_item){ 0 };
	for (size_t i = 0; i < countof(kinds); i++) {
		if (kinds[i].id == doc->id)
			kinds[i].fill(world, doc, ret);
	}
}
