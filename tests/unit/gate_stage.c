/* SPDX-License-Identifier: MIT */
/*
 * The stage of gate_stage.h.
 */
#include "tests/unit/gate_stage.h"

#include "tests/unit/check.h"

#include <stdio.h>
#include <string.h>

const struct msg_actor stage_operator = { "user", "op" };
static const struct core_person persons[] = { { "op", true, true } };

static void counting_bytes(void *ctx, void *out, size_t n)
{
	struct stage *s = ctx;

	memset(out, 0, n);
	/* An id is made of the low five bits of each byte. */
	for (size_t i = 0; i < min_of(n, (size_t)6); i++)
		((unsigned char *)out)[i] = (unsigned char)(s->next >> (5 * i) & 31);
	s->next++;
}

void stage_init(struct stage *s, const char *config)
{
	*s = (struct stage){ .next = 1 };
	gate_world_init(&s->w, config);
	s->core = core_new(&(struct core_random){ counting_bytes, s });
	core_set_policy(s->core, s->w.config, "policy");
	core_set_view(s->core, s->w.view);
	core_set_persons(s->core, persons, countof(persons));
	s->out = effects_new();
}

void stage_done(struct stage *s)
{
	effects_free(s->out);
	core_free(s->core);
	gate_world_done(&s->w);
}

void stage_again(struct stage *s)
{
	effects_free(s->out);
	s->out = effects_new();
}

const struct effect *stage_last(const struct stage *s, enum effect_kind kind)
{
	for (size_t i = s->out->n; i-- > 0;) {
		if (s->out->list[i].kind == kind)
			return &s->out->list[i];
	}
	return NULL;
}

const struct msg_reply *stage_reply(const struct stage *s)
{
	const struct effect *effect = stage_last(s, EFFECT_REPLY);

	assert_non_null(effect);
	return effect->reply;
}

const struct msg_action_state *stage_state(const struct stage *s)
{
	const struct effect *effect = stage_last(s, EFFECT_STORE);

	assert_non_null(effect);
	return effect->record->state;
}

/* No effect before its audit: a record of what happens always stands first. */
static void check_audited(const struct stage *s)
{
	bool audited = false;

	for (size_t i = 0; i < s->out->n; i++) {
		if (s->out->list[i].kind == EFFECT_AUDIT)
			audited = true;
		else if (s->out->list[i].kind == EFFECT_GRANT && s->out->list[i].grant)
			assert_true(audited);
	}
}

struct msg_action_request stage_request_of(const char *id, const char *tool, const char *args)
{
	return (struct msg_action_request){ .request_id = id,
					    .tool = tool,
					    .args = args,
					    .confirmed = some_bool(true),
					    .actor = &stage_operator };
}

void stage_ask_as(struct stage *s, const char *principal, const struct msg_actor *actor,
		  const struct msg_action_request *request)
{
	struct msg_action_request asked = *request;
	char digest[65];

	asked.actor = actor;
	stage_again(s);
	(void)snprintf(digest, sizeof(digest), "%s %s", asked.tool, asked.args);
	core_request(s->core, principal, &asked, digest, s->w.now, s->out);
}

void stage_ask(struct stage *s, const char *id, const char *tool, const char *args)
{
	const struct msg_action_request request = stage_request_of(id, tool, args);

	stage_ask_as(s, "gateway", &stage_operator, &request);
}

void stage_hello(struct stage *s)
{
	char nonce[65];
	const struct msg_executor_hello said = { .nonce = nonce };

	/* Another one each time: the same would be the same hello. */
	(void)snprintf(nonce, sizeof(nonce), "%064u", ++s->hellos);
	stage_again(s);
	core_hello(s->core, &said, s->w.now, s->out);
	s->epoch = core_epoch(s->core);
}

const struct effect *stage_claim(struct stage *s, const char *id)
{
	const struct msg_grant_claim said = { id, STAGE_NONCE, s->epoch };

	stage_again(s);
	core_claim(s->core, &said, s->w.now, s->out);
	check_audited(s);
	return stage_last(s, EFFECT_GRANT);
}

void stage_report(struct stage *s, const struct msg_grant_payload *grant, enum step_status outcome)
{
	const struct msg_action_result result = { .id = grant->id,
						  .step = grant->step,
						  .gid = grant->gid,
						  .outcome = outcome,
						  .detail = "detail",
						  .content = "{\"x\":1}" };

	stage_again(s);
	core_result(s->core, &result, s->w.now, s->out);
}

void stage_decide(struct stage *s, const char *id, const char *decision, const char *digest,
		  enum proof_result proof)
{
	const struct msg_action_approval approval = { .request_id = "d",
						      .decision = decision,
						      .digest = digest,
						      .person = "op",
						      .actor = &stage_operator };

	stage_again(s);
	core_approval(s->core, "gateway", id, &approval, proof, s->w.now, s->out);
}

char *stage_id_of(const struct stage *s)
{
	return xstrdup(stage_state(s)->id);
}
