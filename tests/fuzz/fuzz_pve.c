/* SPDX-License-Identifier: MIT */
/*
 * Answers of Proxmox with any bytes, several in a row: each line is a character that says which answer it is, and the
 * answer. What must hold: whatever is published afterwards is read by everybody who reads it by the vocabulary.
 */
#include "common/codec.h"
#include "services/proxmox-poller/pve_ceph.h"
#include "services/proxmox-poller/pve_cluster.h"
#include "services/proxmox-poller/pve_disks.h"
#include "services/proxmox-poller/pve_error.h"
#include "services/proxmox-poller/pve_rights.h"
#include "services/proxmox-poller/pve_tasks.h"
#include "services/proxmox-poller/pve_updates.h"
#include "services/proxmox-poller/pve_zfs.h"

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

/* ── what is published from one answer alone ───────────────────────────────────────────────────────────────── */

static void feed_disks(struct world *w, const cJSON *answer)
{
	struct msg_disk_state doc = { 0 };
	struct pve_smart smart;
	struct pve_disks disks;

	if (pve_parse_smart(answer, w->arena, &smart) == 0) {
		const struct pve_disk disk = { .devpath = "/dev/sda", .word = "S1" };

		pve_build_disk(&disk, &smart, NULL, w->arena, &doc);
		doc.cluster = doc.node = "lab";
		check(w, &message_disk_state, &doc);
	}
	if (pve_parse_disks(answer, w->arena, &disks) < 0)
		return;
	for (size_t i = 0; i < disks.n; i++) {
		require(disks.rows[i].word && disks.rows[i].word[0]);
		require(strlen(disks.rows[i].word) <= TOPIC_LEVEL_MAX);
		for (size_t k = 0; k < i; k++)
			require(!str_eq(disks.rows[i].word, disks.rows[k].word));
		pve_build_disk(&disks.rows[i], NULL, "asleep", w->arena, &doc);
		doc.cluster = doc.node = "lab";
		check(w, &message_disk_state, &doc);
	}
}

static void feed_pools(struct world *w, const cJSON *answer)
{
	struct pve_pool pool = { .name = "tank" };
	struct msg_zfs_pool doc;
	struct pve_pools pools;

	if (pve_parse_pool_details(answer, w->arena, &pool) == 0) {
		pve_build_pool(&pool, w->arena, &doc);
		doc.cluster = doc.node = "lab";
		check(w, &message_zfs_pool, &doc);
	}
	if (pve_parse_pools(answer, w->arena, &pools) < 0)
		return;
	for (size_t i = 0; i < pools.n; i++) {
		pve_build_pool(&pools.rows[i], w->arena, &doc);
		doc.cluster = doc.node = "lab";
		check(w, &message_zfs_pool, &doc);
	}
}

static void feed_updates(struct world *w, const cJSON *answer)
{
	struct pve_certificate certificate = { 0 };
	struct msg_node_updates doc = { .cluster = "lab", .node = "pve1" };
	struct pve_updates updates;

	(void)pve_parse_certificates(answer, w->arena, &certificate);
	doc.certificate = certificate.file;
	for (int own = 0; own < 2; own++) {
		int r = own ? pve_parse_versions(answer, w->arena, &updates) :
			      pve_parse_updates(answer, w->arena, &updates);

		if (r < 0)
			continue;
		doc.packages = updates.packages;
		doc.packages_n = updates.packages_n;
		doc.pending = some_i64((int64_t)updates.pending);
		check(w, &message_node_updates, &doc);
	}
}

static void feed_ceph(struct world *w, const cJSON *answer)
{
	struct msg_ceph_state doc;

	if (pve_parse_ceph(answer, w->arena, &doc) < 0)
		return;
	doc.cluster = "lab";
	check(w, &message_ceph_state, &doc);
}

/* The answer is both: what the token may do, and the access list. */
static void feed_rights(struct world *w, const cJSON *answer)
{
	struct pve_permissions rights;
	struct pve_findings findings = { 0 };
	_cleanup_(json_treep) cJSON *fixed = cJSON_Parse(
		"{\"data\":{\"/\":{\"Sys.Audit\":1,\"VM.PowerMgmt\":1},\"/access\":{\"Sys.Audit\":1}}}");

	(void)pve_parse_permissions(answer, &rights);
	(void)pve_rights_has(answer, "/nodes/pve1", "Sys.Modify");
	pve_rights_judge(answer, answer, "jarvis@pve!poller", &findings);
	for (size_t i = 0; i < findings.n; i++)
		check(w, &message_finding, &findings.list[i]);
	pve_findings_done(&findings);
	pve_rights_judge(fixed, answer, "jarvis@pve!poller", &findings);
	for (size_t i = 0; i < findings.n; i++)
		check(w, &message_finding, &findings.list[i]);
	pve_findings_done(&findings);
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
	case 'A':
		feed_disks(w, answer);
		break;
	case 'B':
		feed_pools(w, answer);
		break;
	case 'C':
		feed_updates(w, answer);
		break;
	case 'D':
		feed_ceph(w, answer);
		break;
	default:
		feed_rights(w, answer);
		break;
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
	const struct pve_question question = { "lab", "a@pve!b", "pve1", "10.0.0.1:8006",
					       NULL,  "/x",	 NULL };

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
