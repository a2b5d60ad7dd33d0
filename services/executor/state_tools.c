/* SPDX-License-Identifier: MIT */
/*
 * A row a tool: which documents it shows, and which of its arguments narrow them.
 */
#include "services/executor/state_tools.h"

#include "services/executor/answer.h"

#include <errno.h>
#include <stdio.h>
#include <strings.h>

#define TOPICS_MAX 6

/* What a document must be like to be shown: a member that equals an argument. */
struct filter {
	const char *arg;
	const char *member;
};

struct state_tool {
	enum tool_id tool;
	enum topic_id topics[TOPICS_MAX];
	size_t topics_n;
	enum { ONE_GUEST, ONE_NODE, MANY } of;
	struct filter filters[2];
	/* A list within the document that is what is asked for; NULL: the document. */
	const char *list;
};

#define TOPICS(...)                                                                                \
	{ __VA_ARGS__ }, sizeof((enum topic_id[]){ __VA_ARGS__ }) / sizeof(enum topic_id)

static const struct state_tool table[] = {
	{ TOOL_cluster_status,
	  TOPICS(TOPIC_CLUSTER_STATE, TOPIC_HA_STATE, TOPIC_CEPH_STATE),
	  MANY,
	  { { NULL, NULL } },
	  NULL },
	{ TOOL_node_list, TOPICS(TOPIC_NODE_STATE), MANY, { { NULL, NULL } }, NULL },
	{ TOOL_node_status,
	  TOPICS(TOPIC_NODE_STATE, TOPIC_NODE_THERMAL, TOPIC_NODE_UPDATES, TOPIC_DISK_STATE,
		 TOPIC_POOL_STATE),
	  ONE_NODE,
	  { { NULL, NULL } },
	  NULL },
	{ TOOL_guest_list,
	  TOPICS(TOPIC_GUEST_STATE),
	  MANY,
	  { { "node", "node" }, { "status", "status" } },
	  NULL },
	{ TOOL_guest_status,
	  TOPICS(TOPIC_GUEST_STATE, TOPIC_GUEST_BACKUP, TOPIC_GUEST_SNAPSHOTS,
		 TOPIC_GUEST_REPLICATION),
	  ONE_GUEST,
	  { { NULL, NULL } },
	  NULL },
	{ TOOL_guest_config, TOPICS(TOPIC_GUEST_CONFIG), ONE_GUEST, { { NULL, NULL } }, NULL },
	{ TOOL_guest_snapshots,
	  TOPICS(TOPIC_GUEST_SNAPSHOTS),
	  ONE_GUEST,
	  { { NULL, NULL } },
	  NULL },
	{ TOOL_storage_list, TOPICS(TOPIC_STORAGE_STATE), MANY, { { NULL, NULL } }, NULL },
	{ TOOL_task_list,
	  TOPICS(TOPIC_TASKS_STATE),
	  MANY,
	  { { "node", "node" }, { "guest", "id" } },
	  "tasks" },
	{ TOOL_temperatures, TOPICS(TOPIC_NODE_THERMAL), MANY, { { "node", "node" } }, NULL },
	{ TOOL_disk_health,
	  TOPICS(TOPIC_DISK_STATE, TOPIC_POOL_STATE),
	  MANY,
	  { { "node", "node" } },
	  NULL },
	{ TOOL_backup_posture,
	  TOPICS(TOPIC_BACKUPS_STATE, TOPIC_GUEST_BACKUP),
	  MANY,
	  { { NULL, NULL } },
	  NULL },
	{ TOOL_updates_available, TOPICS(TOPIC_NODE_UPDATES), MANY, { { "node", "node" } }, NULL },
};

static const struct state_tool *find_tool(const struct tool *tool)
{
	for (size_t i = 0; i < countof(table); i++) {
		if (tool == &tool_table[table[i].tool])
			return &table[i];
	}
	return NULL;
}

/* ── filters ───────────────────────────────────────────────────────────────────────────────────────────────── */

static bool is_equal(const cJSON *member, const struct tool_value *wanted)
{
	char number[24];

	if (wanted->s)
		return cJSON_IsString(member) && strcasecmp(member->valuestring, wanted->s) == 0;
	(void)snprintf(number, sizeof(number), "%lld", (long long)wanted->i);
	if (cJSON_IsString(member))
		return str_eq(member->valuestring, number);
	return cJSON_IsNumber(member) && member->valuedouble == (double)wanted->i;
}

static bool passes(const struct state_question *q, const struct state_tool *t, const cJSON *tree)
{
	struct tool_value failed = tool_args_get(q->args, "failed");

	for (size_t i = 0; i < countof(t->filters) && t->filters[i].arg; i++) {
		struct tool_value wanted = tool_args_get(q->args, t->filters[i].arg);

		if (wanted.has && !is_equal(json_get(tree, t->filters[i].member), &wanted))
			return false;
	}
	if (failed.has && failed.i) {
		const cJSON *status = json_get(tree, "status");

		return cJSON_IsString(status) && str_eq(status->valuestring, "failed");
	}
	return true;
}

static bool has_filter(const struct state_question *q, const struct state_tool *t)
{
	for (size_t i = 0; i < countof(t->filters) && t->filters[i].arg; i++) {
		if (tool_args_get(q->args, t->filters[i].arg).has)
			return true;
	}
	return false;
}

/* ── writing ───────────────────────────────────────────────────────────────────────────────────────────────── */

/* How old what a document says is: by its own ts, so as wrong as the clocks are. */
static void add_age(const struct state_question *q, const cJSON *tree, struct json_writer *w)
{
	const cJSON *ts = json_get(tree, "ts");
	double age_ms;

	if (!cJSON_IsNumber(ts)) {
		json_add_null(w, "age_s");
		return;
	}
	age_ms = (double)q->wall_ms - ts->valuedouble;
	json_add_i64(w, "age_s", age_ms > 0 ? (int64_t)(age_ms / 1000) : 0);
}

static void add_document(const struct state_question *q, const struct doc *doc, const cJSON *tree,
			 const cJSON *part, struct answer *a)
{
	_cleanup_(str_done) struct str text = { 0 };
	struct json_writer w = { .out = &text };

	json_object_begin(&w, NULL);
	json_add_str(&w, "topic", doc->topic);
	json_add_str(&w, "fresh", fresh_text(docs_judge(q->docs, doc, q->boot_ms)));
	add_age(q, tree, &w);
	if (part)
		answer_write_tree(&w, "doc", part);
	else
		json_add_raw(&w, "doc", doc->json);
	json_object_end(&w);
	answer_add(a, str_get(&text));
}

static void add_one(const struct state_question *q, const struct state_tool *t,
		    const struct doc *doc, struct answer *a)
{
	_cleanup_(json_treep) cJSON *tree = NULL;
	const cJSON *part;

	if (json_parse(doc->json, strlen(doc->json), JSON_STATE, &tree, NULL) < 0)
		return;
	if (!t->list) {
		if (!has_filter(q, t) || passes(q, t, tree))
			add_document(q, doc, tree, NULL, a);
		return;
	}
	cJSON_ArrayForEach(part, json_get(tree, t->list)) {
		if (passes(q, t, part))
			add_document(q, doc, tree, part, a);
	}
}

/* ── what is asked for ─────────────────────────────────────────────────────────────────────────────────────── */

static int not_there(struct tool_error *error, const char *what, const char *name,
		     const char *cluster)
{
	(void)snprintf(error->text, sizeof(error->text), "there is no %s %.100s%s%.64s", what, name,
		       cluster ? " in " : "", cluster ? cluster : "");
	return -ENOENT;
}

static int check_cluster(const struct state_question *q, const char *cluster,
			 struct tool_error *error)
{
	const char *const words[] = { cluster, NULL };

	if (!cluster || docs_find(q->docs, TOPIC_CLUSTER_STATE, words))
		return 0;
	return not_there(error, "cluster", cluster, NULL);
}

/* The words of the topics: cluster, and the node or guest. 0 or -ENOENT. */
static int find_words(const struct state_question *q, const struct state_tool *t,
		      const char *words[3], char number[24], struct tool_error *error)
{
	const char *cluster = tool_args_get(q->args, "cluster").s;
	struct tool_value node = tool_args_get(q->args, "node");
	struct tool_value guest = tool_args_get(q->args, "guest");
	enum topic_id id = t->of == ONE_GUEST ? TOPIC_GUEST_STATE : TOPIC_NODE_STATE;
	_cleanup_(freep) const struct doc **found = NULL;
	size_t n;

	words[0] = cluster ? cluster : topic_wild;
	words[1] = words[2] = NULL;
	if (check_cluster(q, cluster, error) < 0)
		return -ENOENT;
	if (t->of == MANY)
		return 0;
	if (t->of == ONE_GUEST)
		(void)snprintf(number, 24, "%lld", (long long)guest.i);
	words[1] = t->of == ONE_GUEST ? number : node.s;
	found = docs_list(q->docs, id, words, &n);
	if (n == 1) {
		words[0] = found[0]->word[0];
		return 0;
	}
	if (n)
		return not_there(error, "single", words[1], NULL);
	return not_there(error, t->of == ONE_GUEST ? "guest" : "node", words[1], cluster);
}

int state_tool_answer(const struct state_question *q, struct str *out, struct tool_error *error)
{
	const struct state_tool *t = find_tool(q->tool);
	const char *words[3];
	char number[24];
	struct answer a;

	if (!t) {
		(void)snprintf(error->text, sizeof(error->text), "%s is not answered from the bus",
			       q->tool->name);
		return -ENOENT;
	}
	if (find_words(q, t, words, number, error) < 0)
		return -ENOENT;
	answer_begin(&a, out, "items");
	for (size_t i = 0; i < t->topics_n; i++) {
		size_t n;
		_cleanup_(freep) const struct doc **list =
			docs_list(q->docs, t->topics[i], words, &n);

		for (size_t k = 0; k < n; k++)
			add_one(q, t, list[k], &a);
	}
	answer_end(&a);
	return 0;
}
