/* SPDX-License-Identifier: MIT */
/*
 * What comes over the bus, as calls of the core. Proofs are opened here; a keyword is hashed away from the loop, and
 * what it was typed for goes on when that is done.
 */
#include "services/safety-gate/gate.h"

#include "common/codec.h"
#include "common/log.h"
#include "common/sha256.h"

#include <assert.h>
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

	int64_t boot_ms = gate_now(gate).boot_ms;

	if (view_take(gate->view, msg->id, msg->args, msg->body, msg->retained, boot_ms))
		return;
	counter_add(gate->env->counters, "strange_documents", 1);
	log_folded(&gate->document_fold, boot_ms, LOG_LEVEL_WARN,
		   "%s: what was published there is about something else, and is not believed",
		   msg->topic);
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
	char digest[SHA256_HEX_SIZE];

	if (has_bad_id(gate, msg, msg->action_request->request_id) ||
	    is_too_late(gate, msg, msg->action_request->request_id)) {
		effects_free(effects);
		return;
	}
	sha256_hex(msg->payload, msg->payload_len, digest);
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

/* Goes on with what was asked, and frees P. */
static void proved(struct proving *p, enum proof_result proof)
{
	struct gate *gate = p->gate;
	struct effects *effects = effects_new();

	if (p->approval)
		core_approval(gate->core, p->principal, p->id, p->approval, proof, gate_now(gate),
			      effects);
	else
		core_autonomy(gate->core, p->principal, p->set, proof, gate_now(gate), effects);
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
	proved(p, result == PROOF_RIGHT ? PROOF_KEYWORD : result);
	gate_flush(gate);
}

static enum proof_result look_at_code(struct gate *gate, const struct person_proofs *person,
				      const struct sealed *sealed)
{
	enum proof_result result;
	int64_t last = -1, step;

	if (person && store_code_last(gate->db, person->name, &last) < 0)
		return PROOF_FAILED;
	result = proof_code(person, sealed, gate_now(gate).wall_ms, last, &step);
	if (result != PROOF_RIGHT)
		return result;
	/* Used up before it does anything, in the same transaction as what it does. */
	if (!db_is_in_transaction(gate->db) && db_begin(gate->db) < 0)
		return PROOF_FAILED;
	return store_code_used(gate->db, person->name, step) < 0 ? PROOF_FAILED : PROOF_CODE;
}

/* PROOF must be for DIGEST. Only what the core wants gets here: so there is an actor. */
static void prove(struct proving *p, const char *proof, const char *digest)
{
	struct gate *gate = p->gate;
	const struct person_proofs *person = persons_find(gate->persons, actor_of(p)->name);
	struct sealed sealed;
	enum proof_result result = proof_open(&gate->seal, proof, digest, &sealed);

	if (result != PROOF_RIGHT) {
		proved(p, result);
		return;
	}
	if (sealed.code[0])
		proved(p, look_at_code(gate, person, &sealed));
	else if (!proof_keyword(gate->passwords, person, &sealed, keyword_done, p))
		proved(p, PROOF_BUSY);
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

	if (has_bad_id(gate, msg, msg->action_approval->request_id))
		return;
	/* A no is never too late. */
	if (str_eq(msg->action_approval->decision, "approve") &&
	    is_too_late(gate, msg, msg->action_approval->request_id))
		return;
	p = proving_new(gate, msg);
	p->id = arena_strdup(p->arena, msg->args->value[word]);
	p->approval = codec_copy(&message_action_approval, msg->action_approval, p->arena);
	if (!p->approval->proof)
		proved(p, PROOF_NONE);
	else if (!core_approval_wants_proof(gate->core, p->principal, p->id, p->approval,
					    gate_now(gate)))
		proved(p, PROOF_FAILED);
	else
		prove(p, p->approval->proof, core_find(gate->core, p->id)->state->digest);
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
	seal_autonomy_digest(p->set, digest);
	if (!p->set->proof)
		proved(p, PROOF_NONE);
	else if (!core_autonomy_wants_proof(gate->core, p->principal, p->set, gate_now(gate)))
		proved(p, PROOF_FAILED);
	else
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
	const struct audit_wish wish = {
		.before = request->before.has ? request->before.v : 0,
		.kind = request->kind,
		.limit = (int)max_of((int64_t)1, min_of(limit, (int64_t)AUDIT_PAGE_MAX)),
		.max_bytes = AUDIT_PAGE_BYTES,
	};

	if (!str_eq(principal_of(msg), "gateway")) {
		reply.status = REPLY_DENIED;
		reply.code = "policy";
		reply.text = "the audit is read through the gateway";
	} else if (!str_eq(request->op, "audit")) {
		reply.status = REPLY_ERROR;
		reply.code = "invalid";
		reply.text = "op: audit";
	} else if (audit_page(gate->audit, &wish, &page) < 0) {
		reply.status = REPLY_ERROR;
		reply.code = "database";
		reply.text = "the audit chain cannot be read now";
	} else {
		reply.result = str_get(&page);
	}
	bus_reply(gate->env->bus, msg, request->request_id, &reply);
}
