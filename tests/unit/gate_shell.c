/* SPDX-License-Identifier: MIT */
/*
 * The gate of gate_shell.h.
 */
#include "tests/unit/gate_shell.h"

#include "common/codec.h"
#include "tests/unit/check.h"
#include "tests/unit/folder.h"

#include <sodium.h>
#include <stdio.h>
#include <unistd.h>

#define SEED "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
#define BOX_SEED "77076d0a7318a57d3c16c17251b26645df1a3f26d0a7a6d6a6d6a6d6a6d6a6d6"
#define CODE "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

const struct msg_actor shell_operator = { "user", "op" };

/* Whose gate it is that publishes: there is one at a time. */
static struct shell *current;

/* ── instead of bus and timer ──────────────────────────────────────────────────────────────────────────────── */

int __wrap_bus_publish(struct bus *bus, enum topic_id id, const char *const *args,
		       const void *value);
void __wrap_bus_reply(struct bus *bus, const struct msg *command, const char *request_id,
		      const struct msg_reply *reply);
struct timer *__wrap_timer_new(uv_loop_t *loop, timer_fn fn, void *ctx);
void __wrap_timer_free(struct timer *timer);
void __wrap_timer_every(struct timer *timer, uint64_t delay_ms, uint64_t period_ms);
void __wrap_timer_stop(struct timer *timer);

static void note(enum topic_id id, const char *word, const void *value)
{
	struct shell_told *told = &current->told[current->told_n++];
	struct str text = { 0 };

	assert_true(current->told_n < SHELL_TOLD_MAX);
	codec_encode(topic_table[id].message, value, &text);
	*told = (struct shell_told){ id, xstrdup_null(word), str_take(&text) };
}

int __wrap_bus_publish(struct bus *bus, enum topic_id id, const char *const *args,
		       const void *value)
{
	(void)bus;
	note(id, args[0], value);
	return 0;
}

void __wrap_bus_reply(struct bus *bus, const struct msg *command, const char *request_id,
		      const struct msg_reply *reply)
{
	(void)bus;
	(void)command;
	if (request_id)
		note(TOPIC_REPLY, request_id, reply);
}

struct timer *__wrap_timer_new(uv_loop_t *loop, timer_fn fn, void *ctx)
{
	(void)loop;
	current->tick = fn;
	current->tick_ctx = ctx;
	return (struct timer *)current;
}

void __wrap_timer_free(struct timer *timer)
{
	(void)timer;
	current->tick = NULL;
}

void __wrap_timer_every(struct timer *timer, uint64_t delay_ms, uint64_t period_ms)
{
	(void)timer;
	assert_true(delay_ms > 0 && period_ms > 0);
}

void __wrap_timer_stop(struct timer *timer)
{
	(void)timer;
	current->tick = NULL;
}

static int64_t boot(void *ctx)
{
	return ((struct shell *)ctx)->w.now.boot_ms;
}

static int64_t wall(void *ctx)
{
	return ((struct shell *)ctx)->w.now.wall_ms;
}

/* ── files ─────────────────────────────────────────────────────────────────────────────────────────────────── */

char *shell_path(const struct shell *s, const char *suffix)
{
	return xasprintf("%s/%s", s->folder, suffix);
}

void shell_write(struct shell *s, const char *path, const char *text)
{
	folder_write(s->folder, path, text);
}

static void enrol(struct shell *s)
{
	static char hash[PASSWORD_HASH_SIZE];
	_cleanup_(freep) char *text = NULL;

	if (!hash[0])
		assert_int_equal(password_hash_now(SHELL_KEYWORD, hash), 0);
	text = xasprintf("{\"persons\":[{\"name\":\"op\",\"keyword\":\"%s\",\"totp\":\"" CODE
			 "\",\"enrolled_ms\":1}]}\n",
			 hash);
	shell_write(s, "secrets/safety-gate/persons.json", text);
}

void shell_init(struct shell *s)
{
	*s = (struct shell){ .clock = { boot, wall, s } };
	current = s;
	assert_true(sodium_init() >= 0);
	gate_world_init(&s->w, "");
	assert_int_equal(uv_loop_init(&s->loop), 0);
	(void)snprintf(s->folder, sizeof(s->folder), "/tmp/shell.XXXXXX");
	assert_non_null(mkdtemp(s->folder));
	s->data = folder_make(s->folder, "data");
	s->runtime = folder_make(s->folder, "run");
	s->secrets = folder_make(s->folder, "secrets");
	free(folder_make(s->folder, "secrets/safety-gate"));
	s->db = shell_path(s, "data/safety-gate.db");
	shell_write(s, "secrets/safety-gate/signing-key", SEED "\n");
	shell_write(s, "secrets/safety-gate/box-key", BOX_SEED "\n");
	enrol(s);
}

void shell_done(struct shell *s)
{
	if (s->gate)
		shell_stop(s);
	shell_again(s);
	gate_world_done(&s->w);
	(void)uv_run(&s->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&s->loop), 0);
	folder_remove(s->folder);
	free(s->data);
	free(s->runtime);
	free(s->secrets);
	free(s->db);
}

/* ── its life ──────────────────────────────────────────────────────────────────────────────────────────────── */

void shell_again(struct shell *s)
{
	while (s->told_n) {
		free(s->told[--s->told_n].word);
		free(s->told[s->told_n].text);
	}
}

void shell_poll(struct shell *s)
{
	gate_world_poll(&s->w, 3);
}

int shell_start(struct shell *s)
{
	const struct msg_executor_hello hello = { .nonce = SHELL_NONCE };
	void *self;
	int r;

	current = s;
	s->env = (struct service_env){ .loop = &s->loop,
				       .clock = &s->clock,
				       .config = s->w.config,
				       .state = state_new(&s->clock),
				       .instance = "main",
				       .data_dir = s->data,
				       .runtime_dir = s->runtime,
				       .secrets_dir = s->secrets,
				       .version = "0",
				       .counters = counters_new() };
	r = gate_start(&s->env, &self);
	if (r < 0) {
		state_free(s->env.state);
		counters_free(s->env.counters);
		return r;
	}
	s->gate = self;
	/* It sees what the world's poller says. */
	view_free(s->gate->view);
	s->gate->view = s->w.view;
	core_set_view(s->gate->core, s->w.view);
	gate_online(s->gate);
	shell_poll(s);
	shell_hand(s, gate_on_hello, TOPIC_X_HELLO, (const char *const[]){ NULL }, &hello);
	s->epoch = core_epoch(s->gate->core);
	return 0;
}

void shell_drop(struct shell *s)
{
	s->gate->is_stopping = true;
	shell_settle(s);
	s->gate->view = NULL;
	gate_free(take(s->gate));
	state_free(s->env.state);
	counters_free(s->env.counters);
}

void shell_stop(struct shell *s)
{
	gate_stop(s->gate);
	shell_drop(s);
}

void shell_tick(struct shell *s, int64_t ms)
{
	s->w.now.boot_ms += ms;
	s->w.now.wall_ms += ms;
	shell_poll(s);
	s->tick(s->tick_ctx);
}

void shell_settle(struct shell *s)
{
	(void)uv_run(&s->loop, UV_RUN_DEFAULT);
}

/* ── what is said to it ────────────────────────────────────────────────────────────────────────────────────── */

void shell_hand(struct shell *s, bus_handler_fn fn, enum topic_id id, const char *const *words,
		const void *body)
{
	_cleanup_(str_done) struct str text = { 0 };
	struct topic_args args = { .n = 0 };
	struct msg msg = { .id = id, .args = &args, .topic = "", .body = body };

	for (; words[args.n]; args.n++)
		(void)snprintf(args.value[args.n], sizeof(args.value[0]), "%s", words[args.n]);
	codec_encode(topic_table[id].message, body, &text);
	msg.payload = str_get(&text);
	msg.payload_len = text.len;
	fn(s->gate, &msg);
	gate_batch_end(s->gate);
}

void shell_ask(struct shell *s, const char *request_id, const char *tool, const char *args)
{
	const struct msg_action_request request = { .request_id = request_id,
						    .tool = tool,
						    .args = args,
						    .confirmed = some_bool(true),
						    .actor = &shell_operator };

	shell_hand(s, gate_on_action_request, TOPIC_ACTION_REQUEST,
		   (const char *const[]){ "gateway", NULL }, &request);
	/* Ids are in the order of their milliseconds. */
	s->w.now.boot_ms++;
	s->w.now.wall_ms++;
}

static const char *seal(const struct shell *s, const char *digest, const char *keyword,
			const char *code, char ret[SEAL_TEXT_SIZE])
{
	if (!keyword && !code)
		return NULL;
	assert_int_equal(seal_proof(s->gate->seal.pk[0], digest, keyword, code, ret), 0);
	return ret;
}

void shell_decide(struct shell *s, const char *id, const char *decision, const char *keyword,
		  const char *code)
{
	const struct msg_action_record *record = core_find(s->gate->core, id);
	const char *digest = record ? record->state->digest : "";
	char proof[SEAL_TEXT_SIZE];
	const struct msg_action_approval approval = { .request_id = "d",
						      .decision = decision,
						      .digest = digest,
						      .person = "op",
						      .proof =
							      seal(s, digest, keyword, code, proof),
						      .actor = &shell_operator };

	shell_hand(s, gate_on_approval, TOPIC_ACTION_APPROVAL,
		   (const char *const[]){ id, "gateway", NULL }, &approval);
	shell_settle(s);
}

void shell_set(struct shell *s, const char *request_id, const char *op, const char *code)
{
	struct msg_autonomy_set set = {
		.request_id = request_id, .op = op, .person = "op", .actor = &shell_operator
	};
	char digest[65], proof[SEAL_TEXT_SIZE];

	seal_autonomy_digest(&set, digest);
	set.proof = seal(s, digest, NULL, code, proof);
	shell_hand(s, gate_on_autonomy, TOPIC_AUTONOMY_SET,
		   (const char *const[]){ "gateway", NULL }, &set);
}

void shell_code(struct shell *s, char ret[TOTP_DIGITS + 1])
{
	struct totp_secret secret;

	assert_int_equal(totp_secret_from_base32(CODE, &secret), 0);
	assert_int_equal(totp_code(&secret, totp_step(s->w.now.wall_ms), ret), 0);
}

void shell_claim(struct shell *s, const char *id)
{
	const struct msg_grant_claim claim = { id, SHELL_NONCE, s->epoch };

	shell_hand(s, gate_on_claim, TOPIC_X_CLAIM, (const char *const[]){ NULL }, &claim);
}

void shell_result(struct shell *s, const char *id, const char *gid)
{
	const struct msg_action_result result = {
		.id = id, .gid = gid, .outcome = STEP_VERIFIED, .detail = "done"
	};

	shell_hand(s, gate_on_result, TOPIC_X_RESULT, (const char *const[]){ NULL }, &result);
}

/* ── what came of it ───────────────────────────────────────────────────────────────────────────────────────── */

const char *shell_last(const struct shell *s, enum topic_id id)
{
	for (size_t i = s->told_n; i-- > 0;) {
		if (s->told[i].id == id)
			return s->told[i].text;
	}
	return NULL;
}

bool shell_says(const struct shell *s, enum topic_id id, const char *text)
{
	const char *last = shell_last(s, id);

	return last && strstr(last, text);
}

char *shell_value(const struct shell *s, enum topic_id id, const char *key)
{
	_cleanup_(freep) char *before = xasprintf("\"%s\":\"", key);
	const char *last = shell_last(s, id);
	const char *at = last ? strstr(last, before) : NULL;

	if (!at)
		return NULL;
	at += strlen(before);
	return xstrndup(at, strcspn(at, "\""));
}

char *shell_grant(const struct shell *s)
{
	_cleanup_(str_done) struct str payload = { 0 };
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	const char *last = shell_last(s, TOPIC_X_GRANT), *why;
	struct grant_keys keys = { .n = 1 };
	struct codec_error error;
	const struct msg_grant *grant;
	void *body;

	if (!last)
		return NULL;
	assert_int_equal(codec_decode(&message_grant, last, strlen(last), JSON_FOREIGN,
				      CODEC_LENIENT, arena, &body, &error),
			 0);
	grant = body;
	if (!grant->envelope)
		return NULL;
	memcpy(keys.key[0], s->gate->secret + crypto_sign_SEEDBYTES, sizeof(keys.key[0]));
	assert_int_equal(
		grant_open(&keys, grant->envelope, strlen(grant->envelope), &payload, &why), 0);
	return str_take(&payload);
}

const struct msg_autonomy_state *shell_autonomy(struct shell *s)
{
	return state_get(s->env.state, TOPIC_AUTONOMY_STATE, (const char *const[]){ NULL });
}

int64_t shell_records(struct shell *s, const char *kind, const char *text)
{
	int64_t n;

	return db_find_i64(s->gate->db, &n,
			   "SELECT count(*) FROM record WHERE kind = ? AND instr(body, ?) > 0",
			   DB_TEXT(kind), DB_TEXT(text)) == 0 ?
		       n :
		       -1;
}

void shell_verify(struct shell *s)
{
	struct audit_report report = { 0 };
	struct audit_keys keys = { 0 };
	const struct audit_check how = { .keys = &keys };
	char hex[65];
	int r;

	grant_public_hex(s->gate->secret, hex);
	assert_int_equal(audit_keys_from_hex(hex, &keys), 0);
	r = audit_verify(s->gate->db, &how, &report);
	if (r < 0)
		fail_msg("%s", str_get(&report.text));
	str_done(&report.text);
}
