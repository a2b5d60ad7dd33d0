/* SPDX-License-Identifier: MIT */
/*
 * Answers of Proxmox with any bytes, several in a row: each line is a digit or letter that says which answer it is,
 * and the answer. What must hold: whatever is published afterwards is read by everybody who reads it by the vocabulary.
 */
#include "common/codec.h"
#include "common/pve_error.h"
#include "services/proxmox-poller/pve_ceph.h"
#include "services/proxmox-poller/pve_cluster.h"
#include "services/proxmox-poller/pve_disks.h"
#include "services/proxmox-poller/pve_guest_config.h"
#include "services/proxmox-poller/pve_ha.h"
#include "services/proxmox-poller/pve_posture.h"
#include "services/proxmox-poller/pve_replication.h"
#include "services/proxmox-poller/pve_rights.h"
#include "services/proxmox-poller/pve_snapshots.h"
#include "services/proxmox-poller/pve_tasks.h"
#include "services/proxmox-poller/pve_updates.h"
#include "services/proxmox-poller/pve_zfs.h"

#define LINES_MAX 8
#define STEP_MS 20000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
	struct pve_cluster cluster;
	struct pve_task_list tasks;
	struct pve_posture posture;
	struct pve_replication replication;
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

/* ── one answer ────────────────────────────────────────────────────────────────────────────────────────────── */

static void feed_resources(struct world *w, const cJSON *answer)
{
	size_t bad;

	(void)pve_cluster_take_resources(&w->cluster, answer, w->now, &bad);
	pve_listings_sync(&w->posture.listings, &w->cluster, w->now);
	pve_posture_forget_gone(&w->posture, &w->cluster);
	pve_replication_forget_gone(&w->replication, &w->cluster);
}

static void feed_status(struct world *w, const cJSON *answer)
{
	(void)pve_cluster_take_status(&w->cluster, answer, w->now);
}

static void feed_node(struct world *w, const cJSON *answer)
{
	(void)pve_cluster_take_node(&w->cluster, "pve1", answer, w->now);
}

static void feed_storages(struct world *w, const cJSON *answer)
{
	(void)pve_cluster_take_storages(&w->cluster, "pve1", answer, w->now);
	pve_listings_sync(&w->posture.listings, &w->cluster, w->now);
}

static void feed_tasks(struct world *w, const cJSON *answer)
{
	size_t bad;

	(void)pve_tasks_take(&w->tasks, answer, w->now, check_task, w, &bad);
}

static void feed_votes(struct world *w, const cJSON *answer)
{
	(void)pve_cluster_take_votes(&w->cluster, answer, w->now);
}

static void feed_version(struct world *w, const cJSON *answer)
{
	(void)pve_cluster_take_version(&w->cluster, answer, w->now);
}

static void feed_guest(struct world *w, const cJSON *answer)
{
	(void)pve_cluster_take_guest(&w->cluster, 100, answer, w->now);
}

static void feed_jobs(struct world *w, const cJSON *answer)
{
	size_t bad;

	(void)pve_posture_take_jobs(&w->posture, answer, w->now, &bad);
}

/* The first storage that can be asked. */
static void feed_kept(struct world *w, const cJSON *answer)
{
	size_t bad;

	if (w->posture.listings.n)
		(void)pve_listing_take(&w->posture.listings.list[0], answer, w->now, &bad);
}

static void feed_log(struct world *w, const cJSON *answer)
{
	struct pve_backup_log log;

	if (pve_parse_backup_log(answer, w->arena, &log) < 0)
		return;
	for (size_t i = 0; i < log.failures_n; i++)
		pve_posture_note_failure(&w->posture, log.failures[i].vmid, w->now.wall_ms,
					 w->now.wall_ms, log.failures[i].text);
	(void)pve_backup_log_meant(&log, 100);
}

static void feed_replication(struct world *w, const cJSON *answer)
{
	size_t bad;

	(void)pve_replication_take(&w->replication, answer, w->now, &bad);
}

static void feed_node_replication(struct world *w, const cJSON *answer)
{
	size_t bad;

	(void)pve_replication_take_node(&w->replication, "pve1", answer, w->now, &bad);
}

static void feed_ha(struct world *w, const cJSON *answer)
{
	struct msg_ha_state doc;
	size_t bad;

	if (pve_parse_ha(answer, w->arena, &bad, &doc) < 0)
		return;
	doc.cluster = "lab";
	check(w, &message_ha_state, &doc);
}

static void check_config(struct world *w, const cJSON *answer, bool is_container)
{
	struct msg_guest_config doc;
	size_t bad;

	if (pve_parse_guest_config(answer, is_container, w->arena, &bad, &doc) < 0)
		return;
	doc.cluster = "lab";
	check(w, &message_guest_config, &doc);
}

static void feed_machine(struct world *w, const cJSON *answer)
{
	check_config(w, answer, false);
}

static void feed_container(struct world *w, const cJSON *answer)
{
	check_config(w, answer, true);
}

static void feed_snapshots(struct world *w, const cJSON *answer)
{
	struct msg_guest_snapshots doc = { .cluster = "lab" };
	const char *digest;
	size_t bad;

	if (pve_parse_snapshots(answer, w->arena, &bad, &digest, &doc) == 0)
		check(w, &message_guest_snapshots, &doc);
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

static const struct {
	char kind;
	void (*feed)(struct world *w, const cJSON *answer);
} feeders[] = {
	{ '0', feed_resources },   { '1', feed_status },
	{ '2', feed_node },	   { '3', feed_storages },
	{ '4', feed_tasks },	   { '5', feed_votes },
	{ '6', feed_version },	   { '7', feed_guest },
	{ '8', feed_rights },	   { 'a', feed_jobs },
	{ 'b', feed_kept },	   { 'c', feed_log },
	{ 'd', feed_replication }, { 'e', feed_node_replication },
	{ 'f', feed_ha },	   { 'g', feed_machine },
	{ 'h', feed_container },   { 'i', feed_snapshots },
	{ 'A', feed_disks },	   { 'B', feed_pools },
	{ 'C', feed_updates },	   { 'D', feed_ceph },
	{ 'E', feed_rights },
};

static void feed(struct world *w, char kind, const char *text, size_t length)
{
	_cleanup_(json_treep) cJSON *answer = NULL;

	if (json_parse(text, length, JSON_FOREIGN, &answer, NULL) < 0)
		return;
	for (size_t i = 0; i < countof(feeders); i++) {
		if (feeders[i].kind == kind)
			feeders[i].feed(w, answer);
	}
}

/* ── what follows ──────────────────────────────────────────────────────────────────────────────────────────── */

static void check_posture(struct world *w)
{
	struct pve_posture_round *round =
		pve_posture_round_new(&w->posture, &w->cluster, true, w->now, w->arena);
	struct msg_backup_posture posture;

	for (size_t i = 0; i < w->cluster.guests_n; i++) {
		struct msg_guest_backup doc;

		pve_build_guest_backup(round, &w->cluster.guests[i], w->arena, &doc);
		check(w, &message_guest_backup, &doc);
	}
	pve_build_posture(round, &posture);
	check(w, &message_backup_posture, &posture);
}

static void check_replication(struct world *w)
{
	for (size_t at = 0; at < w->replication.jobs.n;) {
		struct msg_guest_replication doc;
		bool exists;

		at = pve_build_replication(&w->replication, &w->cluster, at, w->now, w->arena,
					   &exists, &doc);
		check(w, &message_guest_replication, &doc);
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
	check_posture(w);
	check_replication(w);
}

/* The status line's reason phrase is any bytes too. */
static void check_reason(struct world *w, const char *text, size_t length)
{
	static const int statuses[] = { 200, 400, 401, 403, 500, 501, 595, 999 };
	_cleanup_(freep) char *reason = xstrndup(length ? text : "", length);
	const struct pve_question question = { "poller",	"Role", "lab", "a@pve!b", "pve1",
					       "10.0.0.1:8006", NULL,	"/x",  NULL };

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
	pve_posture_init(&w.posture, 30000);
	w.replication.period_ms = 30000;
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
	pve_posture_done(&w.posture);
	pve_replication_done(&w.replication);
	pve_cluster_done(&w.cluster);
	arena_free(w.arena);
	return 0;
}
