/* SPDX-License-Identifier: MIT */
/*
 * From REST to the safety gate and back. What a person typed is sealed over the digest that the gate answered, so that
 * it counts for exactly what was shown, and leaves this process only sealed.
 */
#include "services/gateway/actions_ask.h"

#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>

#include "common/codec.h"
#include "common/log.h"
#include "common/seal.h"
#include "common/secret.h"
#include "common/timer.h"
#include "common/tools.h"

#define WAIT_DEFAULT_S 10
#define WAIT_MAX_S 60
#define ID_LENGTH 40

enum ask_kind {
	ASK_EXECUTE,
	ASK_SIMPLE, /* ok or not */
	ASK_PAGE,   /* the result is the answer */
};

struct ask {
	struct asks *asks;
	struct exchange *exchange;
	enum ask_kind kind;
	char id[ID_LENGTH + 3]; /* request_id on the bus */
	char *keyword, *code;	/* typed, until they are sealed */
	struct msg_actor actor; /* in the exchange's arena */
	int64_t wait_ms, began_ms;
	bool is_heard;	 /* the gate has said something */
	bool is_proving; /* what was typed, here or in the same request once more, is on its way */
	const char *action; /* that it is for; in the exchange's arena */
	struct str last;    /* its last reply while the action goes on: the body of a 202 */
	struct timer *timer;
	struct ask *next;
};

struct asks {
	struct gateway *gateway;
	struct ask *first;
};

/* ── life ──────────────────────────────────────────────────────────────────────────────────────────────────── */

struct asks *asks_new(struct gateway *gateway)
{
	struct asks *asks = xnew(struct asks);

	asks->gateway = gateway;
	return asks;
}

static void wipe(char **text)
{
	if (*text)
		sodium_memzero(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

static void drop(struct ask *ask)
{
	struct ask **at = &ask->asks->first;

	while (*at != ask)
		at = &(*at)->next;
	*at = ask->next;
	timer_free(ask->timer);
	wipe(&ask->keyword);
	wipe(&ask->code);
	str_done(&ask->last);
	free(ask);
}

void asks_free(struct asks *asks)
{
	if (!asks)
		return;
	while (asks->first) {
		answer_problem(asks->gateway, asks->first->exchange, 503, "the gateway is ending");
		drop(asks->first);
	}
	free(asks);
}

static size_t count_waiting(const struct asks *asks)
{
	size_t n = 0;

	for (const struct ask *ask = asks->first; ask; ask = ask->next)
		n += ask->kind == ASK_EXECUTE && ask->is_heard;
	return n;
}

static void answer_accepted(struct ask *ask)
{
	str_add_n(&ask->exchange->response.body, ask->last.data, ask->last.len);
	answer(ask->asks->gateway, ask->exchange, 202);
	drop(ask);
}

static void time_over(void *ctx)
{
	struct ask *ask = ctx;

	if (ask->is_heard && ask->kind == ASK_EXECUTE) {
		answer_accepted(ask);
		return;
	}
	answer_problem(
		ask->asks->gateway, ask->exchange, 503,
		"the safety gate does not answer: is it running? Nothing was done that it did not allow");
	drop(ask);
}

/*
 * The same request of the same caller has the same id on the bus, also after a restart, so that the gate knows it
 * again. Another caller's is another one, and one to another address too: an answer must find its question.
 */
static void make_id(const struct call *call, const char *request_id, char ret[ID_LENGTH + 3])
{
	const struct caller *caller = &call->caller;
	unsigned char hash[crypto_hash_sha256_BYTES];
	char hex[2 * crypto_hash_sha256_BYTES + 1];
	_cleanup_(freep) char *text = NULL;

	if (request_id) {
		text = xasprintf("%d\n%s\n%s\n%s", (int)caller->kind, caller->name,
				 call->exchange->request.path, request_id);
		(void)crypto_hash_sha256(hash, (const unsigned char *)text, strlen(text));
	} else {
		randombytes_buf(hash, sizeof(hash));
	}
	(void)sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
	(void)snprintf(ret, ID_LENGTH + 3, "%.*s", ID_LENGTH, hex);
}

static struct ask *begin(struct gateway *g, struct call *call, enum ask_kind kind,
			 const char *request_id)
{
	struct ask *ask = xnew(struct ask);
	struct exchange *x = call->exchange;

	ask->asks = g->asks;
	ask->exchange = x;
	ask->kind = kind;
	ask->actor = (struct msg_actor){
		.kind = call->caller.kind == CALLER_TOKEN ? "token" : "user",
		.name = arena_strdup(x->arena, call->caller.name),
	};
	make_id(call, request_id, ask->id);
	ask->began_ms = clock_boot_ms(g->clock);
	ask->timer = timer_new(g->env->loop, time_over, ask);
	timer_once(ask->timer, ASK_REPLY_MS);
	ask->next = g->asks->first;
	g->asks->first = ask;
	return ask;
}

/* Publishes the question; answers when that is not possible. */
static void put(struct ask *ask, enum topic_id topic, const char *const *args, const void *value)
{
	struct gateway *g = ask->asks->gateway;
	int r = bus_publish(g->env->bus, topic, args, value);

	if (r == 0)
		return;
	answer_problem(g, ask->exchange, r == BUS_E_OFFLINE ? 503 : 400,
		       r == BUS_E_OFFLINE ? "the broker cannot be reached" : "this cannot be sent");
	drop(ask);
}

static const char own[] = "gateway";

/* ── sealing ───────────────────────────────────────────────────────────────────────────────────────────────── */

/* The gate's public key is a file on this host, read when it is needed: it may be exchanged. */
static int seal(struct gateway *g, const char *digest, const char *keyword, const char *code,
		char ret[SEAL_TEXT_SIZE])
{
	_cleanup_(str_done) struct str error = { 0 };
	_cleanup_(secret_done) struct secret secret = { 0 };
	unsigned char public[SEAL_KEY_BYTES];
	int r = secret_read(g->env->secrets_dir, own, "gate-box.pub", &secret, &error);

	if (r < 0) {
		log_error("%s (jarvisctl keys makes it)", str_get(&error));
		return r;
	}
	if (seal_public_from_hex(secret.value, public) < 0) {
		log_error("secrets/gateway/gate-box.pub is no key as jarvisctl keys makes it");
		return -EBADMSG;
	}
	return seal_proof(public, digest, code ? NULL : keyword, code, ret);
}

/* Answers when it cannot. */
static bool seal_for(struct ask *ask, const char *digest, char ret[SEAL_TEXT_SIZE])
{
	int r = seal(ask->asks->gateway, digest, ask->keyword, ask->code, ret);

	wipe(&ask->keyword);
	wipe(&ask->code);
	if (r == 0)
		return true;
	answer_problem(
		ask->asks->gateway, ask->exchange, r == -EINVAL ? 400 : 503,
		r == -EINVAL ?
			"the keyword or code has not the form of one" :
			"the safety gate's public key cannot be read: see the gateway's log");
	drop(ask);
	return false;
}

static void keep_typed(struct ask *ask, const char *keyword, const char *code)
{
	ask->keyword = xstrdup_null(keyword);
	ask->code = xstrdup_null(code);
}

/* ── replies ───────────────────────────────────────────────────────────────────────────────────────────────── */

static int status_of(const struct msg_reply *reply)
{
	static const struct {
		const char *code;
		int status;
	} table[] = {
		{ "conflict", 409 }, { "state", 409 },	 { "rate", 429 },     { "gone", 404 },
		{ "busy", 429 },     { "invalid", 400 }, { "database", 503 }, { "late", 503 },
	};

	for (size_t i = 0; reply->code && i < countof(table); i++) {
		if (str_eq(table[i].code, reply->code))
			return table[i].status;
	}
	return reply->status == REPLY_DENIED ? 403 : 400;
}

/* What the gate judged comes with tier and rule, whatever the status. */
static void answer_refusal(struct ask *ask, const struct msg_reply *reply)
{
	struct gateway *g = ask->asks->gateway;
	_cleanup_(json_treep) cJSON *tree = NULL;
	int status = status_of(reply);
	const char *reason = reply->text ? reply->text : "refused";
	const char *rule = NULL;

	if (reply->result &&
	    json_parse(reply->result, strlen(reply->result), JSON_STATE, &tree, NULL) == 0)
		rule = cJSON_GetStringValue(json_get(tree, "rule"));
	if (rule) {
		const struct msg_action_refusal refusal = {
			.blocked = true,
			.tier = cJSON_GetStringValue(json_get(tree, "tier")),
			.rule = rule,
			.reason = reason,
		};

		answer_message(g, ask->exchange, status, &message_action_refusal, &refusal);
	} else {
		answer_problem(g, ask->exchange, status, reason);
	}
	drop(ask);
}

/* The reply's result with its sentence, as the body of an answer. */
static int build_answer(const struct msg_reply *reply, struct str *out)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct codec_error error;
	void *value;
	struct msg_action_answer *message;

	if (!reply->result ||
	    codec_decode(&message_action_answer, reply->result, strlen(reply->result), JSON_STATE,
			 CODEC_LENIENT, arena, &value, &error) < 0)
		return -EINVAL;
	message = value;
	message->text = reply->text;
	out->len = 0;
	codec_encode(&message_action_answer, message, out);
	return 0;
}

/* Of the time that the asker wants to wait. */
static int64_t left_ms(const struct ask *ask)
{
	return ask->wait_ms - (clock_boot_ms(ask->asks->gateway->clock) - ask->began_ms);
}

/* The same request at the same time, as by a double click: one proof is enough, and a code counts once. */
static bool is_proved_already(const struct ask *ask)
{
	for (const struct ask *other = ask->asks->first; other; other = other->next) {
		if (other != ask && other->is_proving && str_eq(other->id, ask->id))
			return true;
	}
	return false;
}

/* It waits for what was typed: sealed over the digest of what waits. False when there was nothing typed. */
static bool approve_typed(struct ask *ask, const struct msg_reply *reply)
{
	_cleanup_(json_treep) cJSON *tree = NULL;
	_cleanup_(freep) char *request_id = NULL;
	char proof[SEAL_TEXT_SIZE];
	const char *id, *digest;

	if (ask->is_proving)
		return true;
	if ((!ask->keyword && !ask->code) ||
	    json_parse(reply->result, strlen(reply->result), JSON_STATE, &tree, NULL) < 0)
		return false;
	id = cJSON_GetStringValue(json_get(tree, "id"));
	digest = cJSON_GetStringValue(json_get(tree, "digest"));
	if (!id || !digest)
		return false;
	timer_once(ask->timer, (uint64_t)max_of(left_ms(ask), (int64_t)ASK_REPLY_MS));
	ask->is_proving = true;
	ask->action = arena_strdup(ask->exchange->arena, id);
	if (is_proved_already(ask)) {
		wipe(&ask->keyword);
		wipe(&ask->code);
		return true;
	}
	if (!seal_for(ask, digest, proof))
		return true;
	/* Its answer comes under an id of its own, and counts only when it is a no. */
	request_id = xasprintf("%s-p", ask->id);
	put(ask, TOPIC_ACTION_APPROVAL, (const char *const[]){ id, own, NULL },
	    &(struct msg_action_approval){
		    .request_id = request_id,
		    .decision = "approve",
		    .digest = digest,
		    .person = ask->actor.name,
		    .proof = proof,
		    .actor = &ask->actor,
	    });
	return true;
}

static void go_on_waiting(struct ask *ask, const struct msg_reply *reply)
{
	struct gateway *g = ask->asks->gateway;
	int64_t left = left_ms(ask);
	bool waits_for_person = reply->code && str_eq(reply->code, "waiting");
	bool is_full = !ask->is_heard && count_waiting(ask->asks) >= ASK_WAITING_MAX;

	if (build_answer(reply, &ask->last) < 0) {
		answer_problem(g, ask->exchange, 503, "the safety gate's answer cannot be read");
		drop(ask);
		return;
	}
	ask->is_heard = true;
	if (waits_for_person && approve_typed(ask, reply))
		return;
	/* A proof was typed and counted: the answer waits for the end as any other. */
	if (waits_for_person || is_full || left <= 0)
		answer_accepted(ask);
	else
		timer_once(ask->timer, (uint64_t)left);
}

static void execute_reply(struct ask *ask, const struct msg_reply *reply)
{
	struct gateway *g = ask->asks->gateway;

	if (reply->status == REPLY_WAITING) {
		go_on_waiting(ask, reply);
		return;
	}
	/* Whatever was begun and is over has a result, good or bad; all else was never begun. */
	if (build_answer(reply, &ask->exchange->response.body) == 0) {
		answer(g, ask->exchange, 200);
		drop(ask);
		return;
	}
	ask->exchange->response.body.len = 0;
	answer_refusal(ask, reply);
}

static void simple_reply(struct ask *ask, const struct msg_reply *reply)
{
	struct gateway *g = ask->asks->gateway;

	if (reply->status != REPLY_OK) {
		answer_refusal(ask, reply);
		return;
	}
	if (ask->kind == ASK_PAGE) {
		str_add(&ask->exchange->response.body, reply->result ? reply->result : "null");
		answer(g, ask->exchange, 200);
	} else {
		answer_done(g, ask->exchange);
	}
	drop(ask);
}

/* The proof that came with a request was not good: nobody waits any longer, but what was asked for does. */
static void proof_refused(struct ask *ask, const struct msg_reply *reply)
{
	struct msg_reply told = *reply;

	if (ask->action && str_eq_null(reply->code, "proof"))
		told.text = arena_printf(ask->exchange->arena, "%s Action %s still waits.",
					 reply->text ? reply->text : "", ask->action);
	answer_refusal(ask, &told);
}

static void take_reply(struct ask *ask, const struct msg_reply *reply)
{
	size_t length = strlen(ask->id);

	if (str_eq(reply->request_id, ask->id)) {
		if (ask->kind == ASK_EXECUTE)
			execute_reply(ask, reply);
		else
			simple_reply(ask, reply);
		return;
	}
	if (strncmp(reply->request_id, ask->id, length) == 0 &&
	    str_eq(reply->request_id + length, "-p") && reply->status != REPLY_OK)
		proof_refused(ask, reply);
}

void asks_on_reply(void *self, const struct msg *msg)
{
	struct gateway *g = self;
	struct ask *next;

	for (struct ask *ask = g->asks->first; ask; ask = next) {
		next = ask->next;
		take_reply(ask, msg->reply);
	}
}

/* ── questions ─────────────────────────────────────────────────────────────────────────────────────────────── */

static bool may_use(const struct caller *caller, const struct tool *tool)
{
	bool acts = caller->scopes & (SCOPE_PROPOSE | SCOPE_OPERATE);
	bool operates = caller->kind == CALLER_SESSION ? caller->role == ROLE_OPERATOR : acts;

	if (!tool || tool->tier > TIER_GREEN)
		return operates;
	if (tool->egress == EGRESS_LOCAL)
		return caller->kind == CALLER_SESSION || (caller->scopes & SCOPE_READ_LOGS);
	return (caller->scopes & SCOPE_READ) || operates;
}

void actions_execute(struct gateway *g, struct call *call)
{
	const struct msg_tool_execute *body = call->body;
	const struct caller *caller = &call->caller;
	int64_t wait_s = body->wait_s.has ? body->wait_s.v : WAIT_DEFAULT_S;
	struct ask *ask;

	if (!may_use(caller, tool_find(body->tool))) {
		answer_problem(g, call->exchange, 403,
			       "your role or the token's scopes do not allow this tool");
		return;
	}
	if (wait_s < 0 || wait_s > WAIT_MAX_S) {
		answer_problem(g, call->exchange, 400, "wait_s: 0 to 60");
		return;
	}
	if (!body->request_id[0]) {
		answer_problem(g, call->exchange, 400,
			       "request_id: of one letter at least, another for every request");
		return;
	}
	ask = begin(g, call, ASK_EXECUTE, body->request_id);
	ask->wait_ms = wait_s * 1000;
	if (caller->kind == CALLER_SESSION)
		keep_typed(ask, body->keyword, body->code);
	put(ask, TOPIC_ACTION_REQUEST, (const char *const[]){ own, NULL },
	    &(struct msg_action_request){
		    .request_id = ask->id,
		    .tool = body->tool,
		    .args = body->args,
		    .targets = body->targets,
		    .targets_n = body->targets_n,
		    .reason = body->reason,
		    .confirmed = body->confirmed,
		    .actor = &ask->actor,
		    .proposes = { caller->kind == CALLER_TOKEN && !(caller->scopes & SCOPE_OPERATE),
				  true },
	    });
}

/* "01J…/approve" → the action and the decision; false when it is not of that form. */
static bool split_decision(const char *rest, char id[32], const char **decision)
{
	size_t length = strcspn(rest, "/");

	if (!length || length > 26 || !rest[length])
		return false;
	(void)snprintf(id, 32, "%.*s", (int)length, rest);
	*decision = rest + length + 1;
	return str_eq(*decision, "approve") || str_eq(*decision, "deny") ||
	       str_eq(*decision, "cancel");
}

void actions_decide(struct gateway *g, struct call *call)
{
	const struct msg_action_decide *body = call->body;
	char id[32], proof[SEAL_TEXT_SIZE] = "";
	const char *decision;
	struct ask *ask;

	if (!split_decision(call->rest, id, &decision)) {
		answer_problem(g, call->exchange, 404, NULL);
		return;
	}
	if (str_eq(decision, "approve") &&
	    (!body->digest || strlen(body->digest) != SEAL_DIGEST_LENGTH)) {
		answer_problem(
			g, call->exchange, 400,
			"digest: that of the action as it was shown, so that nothing else is approved");
		return;
	}
	ask = begin(g, call, ASK_SIMPLE, body->request_id);
	/* A no needs no proof, and must not fail by one that was typed for a yes. */
	if (str_eq(decision, "approve"))
		keep_typed(ask, body->keyword, body->code);
	if ((ask->keyword || ask->code) && !seal_for(ask, body->digest, proof))
		return;
	put(ask, TOPIC_ACTION_APPROVAL, (const char *const[]){ id, own, NULL },
	    &(struct msg_action_approval){
		    .request_id = ask->id,
		    .decision = decision,
		    .digest = body->digest ? body->digest : "",
		    .person = ask->actor.name,
		    .proof = proof[0] ? proof : NULL,
		    .actor = &ask->actor,
	    });
}

/* What a proof for SET is bound to; the gate counts the same (core_autonomy_digest()). */
static void autonomy_digest(const struct msg_autonomy_set *set, char ret[65])
{
	unsigned char hash[crypto_hash_sha256_BYTES];
	_cleanup_(freep) char *text = xasprintf("autonomy\n%s\n%" PRId64 "\n%s\n%s", set->op,
						set->level.has ? set->level.v : -1,
						set->runbook ? set->runbook : "", set->request_id);

	(void)crypto_hash_sha256(hash, (const unsigned char *)text, strlen(text));
	(void)sodium_bin2hex(ret, 65, hash, sizeof(hash));
}

static void set_autonomy(struct gateway *g, struct call *call, struct msg_autonomy_set *set,
			 const char *request_id, const char *code)
{
	struct ask *ask = begin(g, call, ASK_SIMPLE, request_id);
	char proof[SEAL_TEXT_SIZE], digest[65];

	set->request_id = ask->id;
	set->actor = &ask->actor;
	set->person = ask->actor.name;
	if (code) {
		keep_typed(ask, NULL, code);
		autonomy_digest(set, digest);
		if (!seal_for(ask, digest, proof))
			return;
		set->proof = proof;
	}
	put(ask, TOPIC_AUTONOMY_SET, (const char *const[]){ own, NULL }, set);
}

void actions_set_level(struct gateway *g, struct call *call)
{
	const struct msg_autonomy_change *body = call->body;
	struct msg_autonomy_set set = { .op = "level",
					.level = some_i64(body->level),
					.runbook = body->runbook };

	set_autonomy(g, call, &set, body->request_id, body->code);
}

void actions_freeze(struct gateway *g, struct call *call)
{
	const struct msg_freeze_change *body = call->body;
	struct msg_autonomy_set set = { .op = "freeze" };

	set_autonomy(g, call, &set, body->request_id, NULL);
}

void actions_unfreeze(struct gateway *g, struct call *call)
{
	const struct msg_freeze_change *body = call->body;
	struct msg_autonomy_set set = { .op = "unfreeze" };

	set_autonomy(g, call, &set, body->request_id, body->code);
}

void actions_audit(struct gateway *g, struct call *call)
{
	const char *query = call->exchange->request.query;
	struct ask *ask = begin(g, call, ASK_PAGE, NULL);
	struct msg_request request = { .request_id = ask->id, .op = "audit" };

	if (query_number(query, "before", &request.before) < 0 ||
	    query_number(query, "limit", &request.limit) < 0) {
		answer_problem(g, call->exchange, 400, "before and limit are whole numbers");
		drop(ask);
		return;
	}
	put(ask, TOPIC_REQUEST, (const char *const[]){ "safety-gate", own, NULL }, &request);
}
