/* SPDX-License-Identifier: MIT */
/*
 * How many judgements a second the safety gate's own code makes, without bus and processes:
 *
 *	benchgate EXAMPLE.yaml DATABASE SECONDS BATCH
 *
 * judge   judge() with its rules of context, on arguments that were read and resolved
 * audit   the same from the arguments' text on, with a record of each in the audit chain
 * whole   core_request(): identity, limits, judgement, action, reply; records, actions and requests stored
 *
 * The database is opened as the service opens it. A transaction takes BATCH of them, as one takes what the service
 * reads from the broker at once (up to 256 packets). Each mode runs for SECONDS; one line of JSON for all.
 */
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <time.h>

#include "common/codec.h"
#include "common/db.h"
#include "services/safety-gate/audit.h"
#include "services/safety-gate/store.h"
#include "tests/bench/gate/cluster.h"

#define CORE_REQUESTS 16 /* of one core: more would wait for a person than may */

static const struct {
	enum tool_id tool;
	bool is_stopped; /* acts on one that is */
	const char *more;
} wishes[] = {
	{ TOOL_guest_status, false, "" },
	{ TOOL_guest_start, true, "" },
	{ TOOL_guest_config, false, "" },
	{ TOOL_guest_shutdown, false, "" },
	{ TOOL_guest_snapshot, false, ",\"snapshot\":\"before\"" },
	{ TOOL_guest_snapshots, false, "" },
	{ TOOL_guest_stop, false, "" },
	{ TOOL_guest_migrate, false, ",\"target_node\":\"pve\"" },
};

static const struct msg_actor asker = { "user", "op" };
static const struct core_person persons[] = { { "op", true, true } };

struct bench {
	struct cluster cluster;
	const struct clock *clock;
	struct db *db;
	struct audit *audit;
	struct arena *arena; /* of what was prepared */
	int64_t batch, n;
};

/* Of the Nth wish: its tool in *RET, its arguments as text. */
static const char *args_of(int64_t n, struct arena *arena, const struct tool **ret)
{
	size_t which = (size_t)n % countof(wishes);
	int64_t guest = (n * 7) % CLUSTER_GUESTS;

	/* Every fourth is stopped. */
	guest = wishes[which].is_stopped ? guest / 4 * 4 : guest / 4 * 4 + 1;
	*ret = &tool_table[wishes[which].tool];
	return arena_printf(arena, "{\"guest\":%lld%s}", (long long)(CLUSTER_GUEST_FIRST + guest),
			    wishes[which].more);
}

static int resolve(const struct bench *b, int64_t n, struct arena *arena, struct judge_target *ret)
{
	const struct tool *tool;
	struct tool_error error;
	struct tool_args args;
	const char *text = args_of(n, arena, &tool);
	int r = tool_args_read(tool, text, strlen(text), false, arena, &args, &error);

	if (r == 0)
		r = judge_resolve(b->cluster.view, &args, arena, ret, &error);
	return r;
}

static void judge_target(const struct bench *b, const struct judge_target *target,
			 struct arena *arena, struct verdict *ret)
{
	const struct ask ask = {
		.who = WHO_PERSON,
		.principal = "gateway",
		.person = asker.name,
		.has_keyword = true,
		.has_code = true,
		.confirmed = true,
		.tool = target->args.tool,
		.targets = target,
		.targets_n = 1,
		.level = 2,
	};

	judge(b->cluster.config, b->cluster.view, &ask, b->cluster.now.boot_ms, arena, ret);
}

/* ── storing, as gate_effects.c does it ────────────────────────────────────────────────────────────────────── */

static int commit(struct bench *b)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct msg_audit_checkpoint checkpoint;
	int r = db_commit(b->db);

	return r < 0 ? r : audit_sign_due(b->audit, arena, &checkpoint);
}

static int store_effect(struct bench *b, const struct effect *effect)
{
	switch (effect->kind) {
	case EFFECT_AUDIT:
		return audit_append(b->audit, effect->name, effect->text, strlen(effect->text),
				    NULL);
	case EFFECT_STORE:
		return store_action(b->db, effect->record);
	case EFFECT_REQUEST:
		return store_request(b->db, effect->request);
	default:
		return 0;
	}
}

/* ── the modes: each makes at least one judgement, and says how many ───────────────────────────────────────── */

static int64_t only_judge(struct bench *b)
{
	struct judge_target targets[countof(wishes)];

	for (size_t i = 0; i < countof(targets); i++) {
		if (resolve(b, b->n++, b->arena, &targets[i]) < 0)
			return -EINVAL;
	}
	for (int k = 0; k < 100; k++) {
		for (size_t i = 0; i < countof(targets); i++) {
			_cleanup_(arena_freep) struct arena *arena = arena_new();
			struct verdict verdict;

			judge_target(b, &targets[i], arena, &verdict);
			if (verdict.decision == DECISION_REFUSE)
				return -EPERM;
		}
	}
	return 100 * (int64_t)countof(targets);
}

static int record(struct bench *b, const struct judge_target *target, const struct verdict *v)
{
	_cleanup_(str_done) struct str body = { 0 };
	struct json_writer w = { .out = &body };

	json_object_begin(&w, NULL);
	json_add_str(&w, "by", asker.name);
	json_add_str(&w, "tool", target->args.tool->name);
	json_add_i64(&w, "vmid", target->guest->vmid);
	json_add_str(&w, "tier", enumeration_word(&enumeration_tier, (int)v->tier));
	json_add_str(&w, "rule", v->rule);
	json_add_str(&w, "text", v->reason);
	json_list_begin(&w, "facts");
	for (size_t i = 0; i < v->facts_n; i++)
		json_add_str(&w, NULL, v->facts[i]);
	json_list_end(&w);
	json_object_end(&w);
	return audit_append(b->audit, "asked", body.data, body.len, NULL);
}

static int64_t judge_and_audit(struct bench *b)
{
	int r = db_begin(b->db);

	for (int64_t i = 0; i < b->batch && r >= 0; i++) {
		_cleanup_(arena_freep) struct arena *arena = arena_new();
		struct judge_target target;
		struct verdict verdict;

		r = resolve(b, b->n++, arena, &target);
		if (r < 0)
			break;
		judge_target(b, &target, arena, &verdict);
		r = record(b, &target, &verdict);
	}
	r = r < 0 ? r : commit(b);
	return r < 0 ? r : b->batch;
}

static void random_bytes(void *ctx, void *out, size_t n)
{
	(void)ctx;
	randombytes_buf(out, n);
}

static struct core *make_core(const struct bench *b)
{
	struct core *core = core_new(&(struct core_random){ random_bytes, NULL });

	core_set_policy(core, b->cluster.config, "policy");
	core_set_view(core, b->cluster.view);
	core_set_persons(core, persons, countof(persons));
	return core;
}

static int ask_core(struct bench *b, struct core *core)
{
	_cleanup_(effects_freep) struct effects *effects = effects_new();
	const struct tool *tool;
	char id[24], digest[65];
	struct msg_action_request request = { .request_id = id,
					      .args = args_of(b->n, effects->arena, &tool),
					      .confirmed = some_bool(true),
					      .actor = &asker };
	unsigned char hash[crypto_hash_sha256_BYTES];
	int r = 0;

	request.tool = tool->name;
	(void)snprintf(id, sizeof(id), "r%lld", (long long)b->n++);
	(void)crypto_hash_sha256(hash, (const unsigned char *)request.args, strlen(request.args));
	(void)sodium_bin2hex(digest, sizeof(digest), hash, sizeof(hash));
	core_request(core, "gateway", &request, digest, b->cluster.now, effects);
	for (size_t i = 0; i < effects->n && r >= 0; i++)
		r = store_effect(b, &effects->list[i]);
	return r;
}

static int64_t whole(struct bench *b)
{
	struct core *core = make_core(b);
	int r = db_begin(b->db);

	for (int64_t i = 0; i < b->batch && r >= 0; i++) {
		if (i && i % CORE_REQUESTS == 0) {
			core_free(core);
			core = make_core(b);
		}
		r = ask_core(b, core);
	}
	core_free(core);
	r = r < 0 ? r : commit(b);
	return r < 0 ? r : b->batch;
}

/* ── running ───────────────────────────────────────────────────────────────────────────────────────────────── */

static double seconds_since(const struct timespec *began)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - began->tv_sec) + (double)(now.tv_nsec - began->tv_nsec) / 1e9;
}

static int measure(struct bench *b, const char *name, int64_t (*mode)(struct bench *), int seconds,
		   const char *before)
{
	struct timespec began;
	int64_t n = 0;
	double took;

	(void)clock_gettime(CLOCK_MONOTONIC, &began);
	do {
		int64_t made = mode(b);

		if (made < 0) {
			(void)fprintf(stderr, "%s: %s: %s\n", name, strerror((int)-made),
				      db_error(b->db));
			return -1;
		}
		n += made;
		took = seconds_since(&began);
	} while (took < seconds);
	(void)printf("%s\"%s\":%.0f", before, name, (double)n / took);
	return 0;
}

static int open_database(struct bench *b, const char *path)
{
	static const struct db_migration migrations[] = { { AUDIT_SQL }, { store_schema } };
	const struct db_options options = { path, migrations, countof(migrations),
					    .is_durable = true };
	struct audit_options audit = { .origin = "bench" };
	_cleanup_(str_done) struct str error = { 0 };
	unsigned char public[GRANT_PUBLIC_BYTES];
	int r = db_open(&options, &b->db, &error);

	audit.db = b->db;
	audit.clock = b->clock;
	(void)crypto_sign_keypair(public, audit.secret);
	if (r == 0)
		r = audit_open(&audit, &b->audit, &error);
	if (r < 0)
		(void)fprintf(stderr, "%s\n", str_get(&error));
	return r;
}

static int run(struct bench *b, int seconds)
{
	int r = measure(b, "judge", only_judge, seconds, "{");

	if (r == 0)
		r = measure(b, "audit", judge_and_audit, seconds, ",");
	if (r == 0)
		r = measure(b, "whole", whole, seconds, ",");
	(void)printf("}\n");
	return r;
}

int main(int argc, char **argv)
{
	struct bench b = { .clock = &clock_system };
	int64_t seconds;
	int r;

	if (argc != 5 || str_to_i64(argv[3], 1, 60, &seconds) < 0 ||
	    str_to_i64(argv[4], 1, 4096, &b.batch) < 0 || sodium_init() < 0) {
		(void)fprintf(stderr, "usage: benchgate EXAMPLE.yaml DATABASE SECONDS BATCH\n");
		return 2;
	}
	if (cluster_init(&b.cluster, argv[1]) < 0)
		return 1;
	b.arena = arena_new();
	r = open_database(&b, argv[2]);
	if (r == 0)
		r = run(&b, (int)seconds);
	audit_free(b.audit);
	db_free(b.db);
	arena_free(b.arena);
	cluster_done(&b.cluster);
	return r < 0;
}
