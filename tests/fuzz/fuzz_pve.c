/* SPDX-License-Identifier: MIT */
/*
 * Answers of Proxmox with any bytes, several in a row: each line is a digit that says which answer it is, and the
 * answer. What must hold: whatever is published afterwards is read by everybody who reads it by the vocabulary.
 */
#include "common/codec.h"
#include "services/proxmox-poller/pve_cluster.h"
#include "common/pve_error.h"
#include "services/proxmox-poller/pve_tasks.h"

#define LINES_MAX 8
#define STEP_MS 20000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
	struct pve_cluster cluster;
	struct pve_task_list tasks;
	struct arena *arena;
	struct pve_now now;
};

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void check(struct world *w, const struct message_def *message, const void *doc)
{
	_cleanup_(str_done) struct str text = { 0 };
	struct codec_error error;
	void *back;

	codec_encode(message, doc, &text);
	require(codec_decode(message, str_get(&text), text.len, JSON_STATE, CODEC_STRICT, w->arena,
			     &back, &error) == 0);
	require(!codec_changed(message, doc, back));
}

static void check_task(void *ctx, enum event_type type, const struct msg_task *before,
		       const struct msg_task *after)
{
	const struct msg_event_task event = {
		.id = "01ARYZ6S410000000000000000",
		.event_type = type,
		.cluster = "lab",
		.before = before,
		.after = after,
	};

	require(after);
	check(ctx, &message_event_task, &event);
}

static void feed(struct world *w, char kind, const char *text, size_t length)
{
	_cleanup_(json_treep) cJSON *answer = NULL;
	size_t bad;

	if (json_parse(text, length, JSON_FOREIGN, &answer, NULL) < 0)
		return;
	switch (kind) {
	case '0':
		(void)pve_cluster_take_resources(&w->cluster, answer, w->now, &bad);
		break;
	case '1':
		(void)pve_cluster_take_status(&w->cluster, answer, w->now);
		break;
	case '2':
		(void)pve_cluster_take_node(&w->cluster, "pve1", answer, w->now);
		break;
	case '3':
		(void)pve_cluster_take_storages(&w->cluster, "pve1", answer, w->now);
		break;
	case '4':
		(void)pve_tasks_take(&w->tasks, answer, w->now, check_task, w, &bad);
		break;
	case '5':
		(void)pve_cluster_take_votes(&w->cluster, answer, w->now);
		break;
	case '6':
		(void)pve_cluster_take_version(&w->cluster, answer, w->now);
		break;
	case '7':
		(void)pve_cluster_take_guest(&w->cluster, 100, answer, w->now);
		break;
	default: {
		struct pve_permissions rights;

		(void)pve_parse_permissions(answer, w->arena, &rights);
		break;
	}
	}
}

static void check_all(struct world *w)
{
	struct msg_cluster_state cluster;
	struct msg_storage_state *storages;
	struct msg_tasks_state tasks;
	size_t n;

	for (size_t i = 0; i < w->cluster.nodes_n; i++) {
		struct msg_node_state doc;

		pve_build_node(&w->cluster, &w->cluster.nodes[i], w->now, w->arena, &doc);
		check(w, &message_node_state, &doc);
	}
	for (size_t i = 0; i < w->cluster.guests_n; i++) {
		struct msg_guest_state doc;

		pve_build_guest(&w->cluster, &w->cluster.guests[i], w->now, w->arena, &doc);
		check(w, &message_guest_state, &doc);
	}
	pve_build_storages(&w->cluster, w->now, w->arena, &storages, &n);
	for (size_t i = 0; i < n; i++)
		check(w, &message_storage_state, &storages[i]);
	pve_build_cluster(&w->cluster, w->now, w->arena, &cluster);
	check(w, &message_cluster_state, &cluster);
	pve_tasks_build(&w->tasks, "lab", w->arena, &tasks);
	check(w, &message_tasks_state, &tasks);
}

/* The status line's reason phrase is any bytes too. */
static void check_reason(struct world *w, const char *text, size_t length)
{
	static const int statuses[] = { 200, 400, 401, 403, 500, 501, 595, 999 };
	_cleanup_(freep) char *reason = xstrndup(length ? text : "", length);
	const struct pve_question question = {
		"poller", "Role", "lab", "a@pve!b", "pve1", "10.0.0.1:8006", NULL, "/x", NULL
	};

	for (size_t i = 0; i < countof(statuses); i++) {
		const struct http_response response = { .outcome = HTTP_ANSWERED,
							.status = statuses[i],
							.reason = reason,
							.body = "",
							.error = "" };
		struct msg_source_state source = { .period_s = 10 };
		struct pve_fault fault;

		pve_classify(&question, &response, &fault);
		source.error = fault.text;
		check(w, &message_source_state, &source);
		require((fault.class == PVE_OK) == !fault.text[0]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *at = (const char *)data, *end = at + size;
	struct world w = { .arena = arena_new(), .now = { 1000, 1787095000000 } };

	pve_cluster_init(&w.cluster, "lab", 30000, 30000);
	for (int i = 0; i < LINES_MAX && at < end; i++) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *stop = newline ? newline : end;

		if (stop > at)
			feed(&w, at[0], at + 1, (size_t)(stop - at - 1));
		check_reason(&w, at, (size_t)(stop - at));
		check_all(&w);
		w.now.boot_ms += STEP_MS;
		w.now.wall_ms += STEP_MS;
		at = stop + 1;
	}
	pve_tasks_done(&w.tasks);
	pve_cluster_done(&w.cluster);
	arena_free(w.arena);
	return 0;
}
