/* SPDX-License-Identifier: MIT */
/*
 * What comes over the bus, as calls of the core. Proofs are opened here; a keyword is hashed away from the loop, and
 * what it was typed for goes on when that is done.
 */
#include "services/safety-gate/gate.h"

#include "common/codec.h"
#include "common/log.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#define AUDIT_PAGE_BYTES ((size_t)192 << 10)
#define REQUEST_ID_MAX 64

static const char request_id_bytes[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

static const char *principal_of(const struct msg *msg)
{
	int word = topic_word_find(msg->id, "principal");

	assert(word >= 0);
	return msg->args->value[word];
}

void gate_on_document(void *self, const struct msg *msg)
{
	struct gate *gate = self;

	view_take(gate->view, msg->id, msg->args, msg->body, msg->retained, gate_now(gate).boot_ms);
}

/* An id that would be no level of a topic is none: nothing is done, and nobody could be answered. */
static bool has_bad_id(struct gate *gate, const struct msg *msg, const char *request_id)
{
	size_t length = request_id ? strlen(request_id) : 1;
	bool is_bad = !length || length > REQUEST_ID_MAX ||
		      (request_id && strspn(request_id, request_id_bytes) != length);

	if (!is_bad)
		return false;
	counter_add(gate->env->counters, "bad_ids", 1);
	log_folded(&gate->id_fold, gate_now(gate).boot_ms, LOG_LEVEL_WARN,
		   "a command of %s was refused: its request_id is not of letters, digits, _ and -",
		   principal_of(msg));
	return true;
}

/* What was asked while we were away was answered by our silence. Freezing alone is never too late. */
static bool is_too_late(struct gate *gate, const struct msg *msg, const char *request_id)
{
	const struct msg_reply reply = {
		.request_id = request_id,
		.status = REPLY_ERROR,
		.code = "late",
		.text = "The safety gate was away when this was asked: nothing was done; ask again.",
	};

	if (!gate_is_late(gate))
		return false;
	counter_add(gate->env->counters, "late", 1);
	if (request_id)
		bus_reply(gate->env->bus, msg, request_id, &reply);
	return true;
}

void gate_on_action_request(void *self, const struct msg *msg)
{
	struct gate *gate = self;
	struct effects *effects = effects_new();
	unsigned char hash[crypto_hash_sha256_BYTES];
	char digest[2 * crypto_hash_sha256_BYTES + 1];

	if (has_bad_id(gate, msg, msg->action_request->request_id) ||
	    is_too_late(gate, msg, msg->action_request->request_id)) {
		effects_free(effects);
		return;
	}
	(void)crypto_hash_sha256(hash, (const unsigned char *)msg->payload, msg->payload_len);
	(void)sodium_bin2hex(digest, sizeof(digest), hash, sizeof(hash));
	counter_add(gate->env->counters, "requests", 1);
	core_request(gate->core, principal_of(msg), msg->action_request, digest, gate_now(gate),
		     effects);
	gate_apply(gate, effects);
}

/* ── proofs ────────────────────────────────────────────────────────────────────────────────────────────────── */

/* What waits for its keyword to be looked at. */
struct proving {
	struct gate *gate;
	struct arena *arena;
	const char *principal, *id;
	const struct msg_action_approval *approval; /* or */
	const struct msg_autonomy_set *set;
};

static const struct msg_actor *actor_of(const struct proving *p)
{
	return p->approval ? p->approval->actor : p->set->actor;
}

static void proving_free(struct proving *p)
{
	arena_free(p->arena);
	free(p);
}

static void answer_busy(const struct proving *p)
{
	const char *request_id = p->approval ? p->approval->request_id : p->set->request_id;
	const struct msg_reply reply = {
		.request_id = request_id,
		.status = REPLY_DENIED,
		.code = "busy",
		.text = proof_reason(PROOF_BUSY),
	};

	if (request_id)
		(void)bus_publish(p->gate->env->bus, TOPIC_REPLY,
				  (const char *const[]){ p->principal, request_id, NULL }, &reply);
}

/* Goes on with what was asked, and frees P. */
static void proved(struct proving *p, enum proof_grade grade)
{
	struct gate *gate = p->gate;
	struct effects *effects = effects_new();

	if (p->approval)
		core_approval(gate->core, p->principal, p->id, p->approval, grade, gate_now(gate),
			      effects);
	else
		core_autonomy(gate->core, p->principal, p->set, grade, gate_now(gate), effects);
	gate_apply(gate, effects);
	proving_free(p);
}

static void keyword_done(void *ctx, enum proof_result result)
{
	struct proving *p = ctx;
	struct gate *gate = p->gate;

	if (gate->is_stopping) {
		proving_free(p);
		return;
	}
	proved(p, result == PROOF_RIGHT ? GRADE_KEYWORD : GRADE_BAD);
	gate_flush(gate);
}

static enum proof_grade grade_code(struct gate *gate, const struct person_proofs *person,
				   const struct sealed *sealed)
{
	int64_t last, step;
	int r = person ? store_code_last(gate->db, person->name, &last) : -ENOENT;

	if (r < 0 || proof_code(person, sealed, gate_now(gate).wall_ms, last, &step) != PROOF_RIGHT)
		return GRADE_BAD;
	/* Used up before it does anything, in the same transaction as what it does. */
	if (!db_is_in_transaction(gate->db) && db_begin(gate->db) < 0)
		return GRADE_BAD;
	return store_code_used(gate->db, person->name, step) < 0 ? GRADE_BAD : GRADE_CODE;
}

static void prove(struct proving *p, const char *proof, const char *digest)
{
	struct gate *gate = p->gate;
	const struct msg_actor *actor = actor_of(p);
	const struct person_proofs *person =
		actor ? persons_find(gate->persons, actor->name) : NULL;
	struct sealed sealed;

	if (!proof) {
		proved(p, GRADE_NONE);
		return;
	}
	if (!actor || !digest || proof_open(&gate->seal, proof, digest, &sealed) != PROOF_RIGHT) {
		proved(p, GRADE_BAD);
		return;
	}
	if (sealed.code[0]) {
		proved(p, grade_code(gate, person, &sealed));
	} else if (!proof_keyword(gate->passwords, person, &sealed, keyword_done, p)) {
		answer_busy(p);
		proving_free(p);
	}
	seal_wipe(&sealed);
}

static struct proving *proving_new(struct gate *gate, const struct msg *msg)
{
	struct proving *p = xnew(struct proving);

	p->gate = gate;
	p->arena = arena_new();
	p->principal = arena_strdup(p->arena, principal_of(msg));
	return p;
}

void gate_on_approval(void *self, const struct msg *msg)
{
	struct gate *gate = self;
	struct proving *p;
	int word = topic_word_find(msg->id, "id");
	const struct msg_action_record *record;

	if (has_bad_id(gate, msg, msg->action_approval->request_id))
		return;
	/* A no is never too late. */
	if (str_eq(msg->action_approval->decision, "approve") &&
	    is_too_late(gate, msg, msg->action_approval->request_id))
		return;
	p = proving_new(gate, msg);
	p->id = arena_strdup(p->arena, msg->args->value[word]);
	p->approval = codec_copy(&message_action_approval, msg->action_approval, p->arena);
	record = core_find(gate->core, p->id);
	prove(p, p->approval->proof, record ? record->state->digest : NULL);
}

void gate_on_autonomy(void *self, const struct msg *msg)
{
	struct gate *gate = self;
	struct proving *p;
	char digest[65];

	if (!str_eq(msg->autonomy_set->op, "freeze") &&
	    (has_bad_id(gate, msg, msg->autonomy_set->request_id) ||
	     is_too_late(gate, msg, msg->autonomy_set->request_id)))
		return;
	p = proving_new(gate, msg);
	p->set = codec_copy(&message_autonomy_set, msg->autonomy_set, p->arena);
	core_autonomy_digest(p->set, digest);
	prove(p, p->set->proof, digest);
}

/* ── the executor ──────────────────────────────────────────────────────────────────────────────────────────── */

void gate_on_hello(void *self, const struct msg *msg)
{
	struct gate *gate = self;
	struct effects *effects = effects_new();

	core_hello(gate->core, msg->executor_hello, gate_now(gate), effects);
	gate_apply(gate, effects);
}

void gate_on_claim(void *self, const struct msg *msg)
{
	struct gate *gate = self;
	struct effects *effects = effects_new();

	core_claim(gate->core, msg->grant_claim, gate_now(gate), effects);
	gate_apply(gate, effects);
}

void gate_on_progress(void *self, const struct msg *msg)
{
	struct gate *gate = self;
	struct effects *effects = effects_new();

	core_progress(gate->core, msg->action_progress, gate_now(gate), effects);
	gate_apply(gate, effects);
}

void gate_on_result(void *self, const struct msg *msg)
{
	struct gate *gate = self;
	struct effects *effects = effects_new();

	core_result(gate->core, msg->action_result, gate_now(gate), effects);
	gate_apply(gate, effects);
}

/* ── reading the audit ─────────────────────────────────────────────────────────────────────────────────────── */

void gate_on_request(void *self, const struct msg *msg)
{
	struct gate *gate = self;
	const struct msg_request *request = msg->request;
	_cleanup_(str_done) struct str page = { 0 };
	struct msg_reply reply = { .request_id = request->request_id, .status = REPLY_OK };
	int64_t limit = request->limit.has ? request->limit.v : 50;

	if (!str_eq(principal_of(msg), "gateway")) {
		reply.status = REPLY_DENIED;
		reply.code = "policy";
		reply.text = "the audit is read through the gateway";
	} else if (!str_eq(request->op, "audit")) {
		reply.status = REPLY_ERROR;
		reply.code = "invalid";
		reply.text = "op: audit";
	} else if (audit_page(gate->audit, request->before.has ? request->before.v : 0,
			      (int)max_of((int64_t)1, min_of(limit, (int64_t)AUDIT_PAGE_MAX)),
			      AUDIT_PAGE_BYTES, &page) < 0) {
		reply.status = REPLY_ERROR;
		reply.code = "database";
		reply.text = "the audit chain cannot be read now";
	} else {
		reply.result = str_get(&page);
	}
	bus_reply(gate->env->bus, msg, request->request_id, &reply);
}
