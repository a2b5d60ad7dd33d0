/* SPDX-License-Identifier: MIT */
/*
 * The executor of executor_lab.h: its life, its messages, and what is said to it. What it meets instead of broker,
 * network and time is in executor_lab_world.c.
 */
#include "tests/unit/executor_lab.h"

#include "common/alloc.h"
#include "common/codec.h"
#include "common/grant.h"
#include "tests/unit/check.h"
#include "tests/unit/folder.h"

#include <sodium.h>
#include <stdio.h>
#include <unistd.h>

#define SEED "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
#define CLUSTER "clusters: {home: {" LAB_ACTS ", nodes: {" LAB_NODES "}}}\nself: external\n"

const struct lab_order lab_start_101 = { "guest_start", "yellow",
					 "{\"cluster\":\"home\",\"guest\":101}", "home/guest/101",
					 LAB_GUEST_TARGET };

/* ── files ─────────────────────────────────────────────────────────────────────────────────────────────────── */

void lab_write(const struct lab *l, const char *path, const char *text)
{
	folder_write(l->folder, path, text);
}

void lab_remove(const struct lab *l, const char *path)
{
	_cleanup_(freep) char *whole = xasprintf("%s/%s", l->folder, path);

	assert_int_equal(unlink(whole), 0);
}

/* ── its life ──────────────────────────────────────────────────────────────────────────────────────────────── */

struct config *lab_configure(struct lab *l, const char *text)
{
	_cleanup_(str_done) struct str errors = { 0 };
	struct config *old = l->config;

	if (config_parse("test", text, strlen(text), &l->config, &errors) < 0)
		fail_msg("%s", str_get(&errors));
	l->env.config = l->config;
	return old;
}

static int64_t boot(void *ctx)
{
	return ((struct lab *)ctx)->boot;
}

static int64_t wall(void *ctx)
{
	return ((struct lab *)ctx)->wall;
}

void lab_init(struct lab *l, const char *more)
{
	_cleanup_(freep) char *config = xasprintf("%s%s", CLUSTER, more);
	unsigned char secret[GRANT_SECRET_BYTES];
	char hex[65];

	*l = (struct lab){ .clock = { boot, wall, l }, .boot = 1000000, .wall = 1700000000000 };
	assert_true(sodium_init() >= 0);
	lab_world_enter(l);
	(void)snprintf(l->folder, sizeof(l->folder), "/tmp/lab.XXXXXX");
	assert_non_null(mkdtemp(l->folder));
	l->data = folder_make(l->folder, "data");
	l->runtime = folder_make(l->folder, "run");
	l->secrets = folder_make(l->folder, "secrets");
	free(folder_make(l->folder, "secrets/executor"));
	assert_int_equal(grant_secret_from_hex(SEED, secret), 0);
	grant_public_hex(secret, hex);
	lab_write(l, "secrets/executor/gate.pub", hex);
	lab_write(l, "secrets/executor/home.token", "11111111-2222-3333-4444-555555555555\n");
	assert_null(lab_configure(l, config));
	l->env = (struct service_env){ .loop = &l->loop,
				       .clock = &l->clock,
				       .config = l->config,
				       .instance = "main",
				       .data_dir = l->data,
				       .runtime_dir = l->runtime,
				       .secrets_dir = l->secrets,
				       .version = "0",
				       .counters = counters_new() };
}

void lab_done(struct lab *l)
{
	lab_stop(l);
	lab_world_leave(l);
	counters_free(l->env.counters);
	free(l->env.trouble);
	config_free(l->config);
	folder_remove(l->folder);
	free(l->data);
	free(l->runtime);
	free(l->secrets);
}

int lab_boot(struct lab *l)
{
	return executor_start(&l->env, &l->x);
}

void lab_stop(struct lab *l)
{
	if (!l->x)
		return;
	executor_stop(l->x);
	executor_free(take(l->x));
	l->is_online = false;
}

void lab_start(struct lab *l)
{
	assert_int_equal(lab_boot(l), 0);
	lab_pass(l, 0);
	lab_answer(l, "GET /access/permissions", LAB_RIGHTS);
	lab_connect(l);
}

void lab_connect(struct lab *l)
{
	_cleanup_(freep) char *nonce = NULL, *epoch = NULL;

	l->is_online = true;
	executor_on_online(l->x);
	lab_presence(l, "safety-gate", "main", "online");
	lab_beat(l);
	nonce = lab_value(l, TOPIC_X_HELLO, "nonce");
	assert_non_null(nonce);
	epoch = xasprintf("{\"nonce\":\"%s\",\"epoch\":%lld}", nonce, (long long)++l->epoch);
	lab_hand(l, executor_on_epoch, TOPIC_X_EPOCH, (const char *const[]){ NULL }, epoch);
}

void lab_beat(struct lab *l)
{
	_cleanup_(freep) char *json = xasprintf(
		"{\"ts\":%lld,\"level\":2,\"runbooks\":{},\"frozen\":false,\"keywords\":[],"
		"\"codes\":[],\"policy\":\"p\"}",
		(long long)l->wall);

	lab_hand(l, executor_on_autonomy, TOPIC_AUTONOMY_STATE, (const char *const[]){ NULL },
		 json);
}

/* ── what is said to it ────────────────────────────────────────────────────────────────────────────────────── */

static void fill_args(struct topic_args *args, const char *const *words)
{
	for (; words[args->n]; args->n++)
		(void)snprintf(args->value[args->n], sizeof(args->value[0]), "%s", words[args->n]);
}

void lab_hand(struct lab *l, bus_handler_fn fn, enum topic_id id, const char *const *words,
	      const char *json)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct topic_args args = { .n = 0 };
	struct codec_error error;
	void *body = NULL;

	fill_args(&args, words);
	if (json[0] && codec_decode(topic_table[id].message, json, strlen(json), JSON_STATE,
				    CODEC_LENIENT, arena, &body, &error) < 0)
		fail_msg("%s", error.text);
	fn(l->x, &(struct msg){ .id = id,
				.args = &args,
				.topic = "",
				.retained = l->is_retained,
				.payload = json,
				.payload_len = strlen(json),
				.body = body });
}

void lab_presence(struct lab *l, const char *service, const char *instance, const char *word)
{
	const struct msg_bare bare = { word };
	struct topic_args args = { .n = 0 };

	fill_args(&args, (const char *const[]){ service, instance, NULL });
	executor_on_presence(l->x, &(struct msg){ .id = TOPIC_SERVICE_STATE,
						  .args = &args,
						  .topic = "",
						  .retained = l->is_retained,
						  .payload = word,
						  .payload_len = strlen(word),
						  .body = word[0] ? &bare : NULL });
}

static void hand_action(struct lab *l, const struct lab_order *order, const char *status,
			const char *step)
{
	_cleanup_(freep) char *object =
		order->object ? xasprintf("\"%s\"", order->object) : xstrdup("null");
	_cleanup_(freep) char *json = xasprintf(
		"{\"ts\":1,\"id\":\"%s\",\"status\":\"%s\",\"tier\":\"%s\",\"tool\":\"%s\","
		"\"principal\":\"gateway\",\"need\":\"nothing\",\"facts\":[],\"steps\":[{\"object\":%s,"
		"\"args\":%s,\"status\":\"%s\"}],\"created_ms\":1}",
		l->id, status, order->tier, order->tool, object, order->args, step);

	lab_hand(l, executor_on_action, TOPIC_ACTION_STATE, (const char *const[]){ l->id, NULL },
		 json);
}

void lab_settle(struct lab *l)
{
	hand_action(l, &lab_start_101, "unknown", "unknown");
}

bool lab_approve(struct lab *l, const struct lab_order *order)
{
	size_t claims = lab_count(l, TOPIC_X_CLAIM);

	lab_beat(l);
	(void)snprintf(l->id, sizeof(l->id), "01TEST%020u", ++l->serial);
	(void)snprintf(l->gid, sizeof(l->gid), "%032x", l->serial);
	hand_action(l, order, "approved", "pending");
	return lab_count(l, TOPIC_X_CLAIM) > claims;
}

void lab_grant_for(struct lab *l, const struct lab_order *order, const char *nonce)
{
	_cleanup_(str_done) struct str envelope = { 0 };
	_cleanup_(freep) char *payload = NULL, *json = NULL;
	unsigned char secret[GRANT_SECRET_BYTES];

	payload =
		xasprintf("{\"v\":1,\"gid\":\"%s\",\"id\":\"%s\",\"step\":0,\"epoch\":%lld,"
			  "\"nonce\":\"%s\",\"valid_ms\":5000,\"tier\":\"%s\",\"principal\":"
			  "\"gateway\",\"policy\":\"p\",\"tool\":\"%s\",\"args\":%s,\"target\":%s}",
			  l->gid, l->id, (long long)l->epoch, nonce, order->tier, order->tool,
			  order->args, order->target ? order->target : "null");
	assert_int_equal(grant_secret_from_hex(SEED, secret), 0);
	grant_seal(secret, payload, strlen(payload), &envelope);
	json = xasprintf("{\"id\":\"%s\",\"nonce\":\"%s\",\"envelope\":%s}", l->id, nonce,
			 str_get(&envelope));
	lab_hand(l, executor_on_grant, TOPIC_X_GRANT, (const char *const[]){ NULL }, json);
}

void lab_grant(struct lab *l, const struct lab_order *order)
{
	_cleanup_(freep) char *nonce = lab_value(l, TOPIC_X_CLAIM, "nonce");

	assert_non_null(nonce);
	lab_grant_for(l, order, nonce);
}

void lab_order(struct lab *l, const struct lab_order *order)
{
	if (!lab_approve(l, order))
		fail_msg("%s was not claimed", order->tool);
	lab_grant(l, order);
}

void lab_send_101(struct lab *l)
{
	lab_order(l, &lab_start_101);
	lab_answer(l, LAB_TASKS, LAB_NONE);
	lab_answer(l, LAB_CURRENT, LAB_STOPPED);
	assert_true(lab_is_asked(l, "POST /nodes/pve/qemu/101/status/start"));
}

void lab_follow_101(struct lab *l)
{
	lab_send_101(l);
	lab_answer(l, "POST /nodes/pve/qemu/101/status/start", "{\"data\":\"" LAB_UPID "\"}");
	assert_true(lab_count(l, TOPIC_X_PROGRESS) > 0);
}

void lab_cancel(struct lab *l)
{
	_cleanup_(freep) char *json = xasprintf("{\"id\":\"%s\",\"gid\":\"%s\"}", l->id, l->gid);

	lab_hand(l, executor_on_cancel, TOPIC_X_CANCEL, (const char *const[]){ NULL }, json);
}

/* ── what came of it ───────────────────────────────────────────────────────────────────────────────────────── */

const char *lab_last(const struct lab *l, enum topic_id id)
{
	for (size_t i = l->told_n; i-- > 0;) {
		if (l->told[i].id == id)
			return l->told[i].text;
	}
	return NULL;
}

size_t lab_count(const struct lab *l, enum topic_id id)
{
	size_t n = 0;

	for (size_t i = 0; i < l->told_n; i++)
		n += l->told[i].id == id;
	return n;
}

char *lab_value(const struct lab *l, enum topic_id id, const char *key)
{
	_cleanup_(freep) char *before = xasprintf("\"%s\":\"", key);
	const char *last = lab_last(l, id);
	const char *at = last ? strstr(last, before) : NULL;

	if (!at)
		return NULL;
	at += strlen(before);
	return xstrndup(at, strcspn(at, "\""));
}

static const char *result(const struct lab *l)
{
	for (size_t i = l->told_n; i-- > 0;) {
		if (l->told[i].id == TOPIC_X_RESULT && strstr(l->told[i].text, l->gid))
			return l->told[i].text;
	}
	return NULL;
}

void lab_expect(const struct lab *l, const char *outcome, const char *words)
{
	_cleanup_(freep) char *is =
		xasprintf("\"outcome\":\"%s%s", outcome, outcome[0] ? "\"" : "");
	const char *text = result(l);

	if (!text || !strstr(text, is) || !strstr(text, words))
		fail_msg("not %s, %s: %s", outcome, words, text ? text : "no result");
}

void lab_expect_none(const struct lab *l)
{
	if (result(l))
		fail_msg("%s", result(l));
}

int64_t lab_counter(const struct lab *l, const char *name)
{
	size_t n;
	const struct num_entry *list = counters_get(l->env.counters, &n);

	for (size_t i = 0; i < n; i++) {
		if (strcmp(list[i].key, name) == 0)
			return (int64_t)list[i].value;
	}
	return 0;
}
