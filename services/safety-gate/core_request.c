/* SPDX-License-Identifier: MIT */
/*
 * A request: who asks, whether it was asked before, what it names, how it is judged, and the action that it becomes.
 */
#include "services/safety-gate/core_parts.h"

#include "common/codec.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define RATE_MS 600000
#define REQUESTS_MAX 100000
/* Of one principal: others are still heard after it has asked for all that it may. */
#define REQUESTS_OF_ONE_MAX (REQUESTS_MAX / 4)

/* One request on its way through. */
struct asking {
	struct core *core;
	const char *principal;
	const struct msg_action_request *request;
	const char *digest;
	struct core_now now;
	struct effects *out;

	enum who who;
	const struct tool *tool;
	struct judge_target targets[JUDGE_TARGETS_MAX];
	size_t targets_n;
	struct verdict verdict;
};

/* ── who ───────────────────────────────────────────────────────────────────────────────────────────────────── */

bool core_who(const struct core *core, const char *principal, const struct msg_actor *actor,
	      enum who *ret, const char **why)
{
	bool is_gateway = str_eq(principal, service_table[SERVICE_GATEWAY].name);
	int service = service_find(principal);

	(void)core;
	*why = NULL;
	if (actor && !is_gateway)
		*why = "only the gateway may name an actor";
	else if (is_gateway && !actor)
		*why = "the gateway must name the actor";
	else if (is_gateway && !str_eq(actor->kind, "user") && !str_eq(actor->kind, "token") &&
		 !str_eq(actor->kind, "mcp"))
		*why = "the actor is neither user, token nor mcp";
	else if (!is_gateway && service >= 0 && service != SERVICE_MONITOR &&
		 service != SERVICE_LLM_ROUTER)
		*why = "this service may not ask for actions";
	if (*why)
		return false;
	*ret = service < 0				 ? WHO_REMOTE :
	       is_gateway && str_eq(actor->kind, "user") ? WHO_PERSON :
							   WHO_AGENT;
	return true;
}

static bool anybody(const struct core *core, bool code)
{
	for (size_t i = 0; i < core->persons_n; i++) {
		if (code ? core->persons[i].has_code : core->persons[i].has_keyword)
			return true;
	}
	return false;
}

static const struct core_person *person_of(const struct core *core, const char *name)
{
	for (size_t i = 0; i < core->persons_n; i++) {
		if (str_eq(core->persons[i].name, name))
			return &core->persons[i];
	}
	return NULL;
}

/* ── what was asked before ─────────────────────────────────────────────────────────────────────────────────── */

static struct seen_request *find_seen(struct asking *a)
{
	const char *id = a->request->request_id ? a->request->request_id : "";

	for (size_t i = a->core->requests_n; i-- > 0;) {
		struct seen_request *seen = &a->core->requests[i];

		if (!str_eq(seen->principal, a->principal) || !str_eq(seen->request_id, id))
			continue;
		/* A press has no id: it is the same when its bytes are, for a moment. */
		if (!id[0] && (!str_eq(seen->digest, a->digest) ||
			       a->now.boot_ms - seen->boot_ms > CORE_PRESS_MS))
			continue;
		return seen;
	}
	return NULL;
}

static void repeat_reply(struct asking *a, const struct seen_request *seen)
{
	struct action *action = seen->action ? core_action(a->core, seen->action) : NULL;
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	void *reply;
	struct codec_error error;

	if (!str_eq(seen->digest, a->digest)) {
		effect_reply(a->out, a->principal, a->request->request_id, REPLY_ERROR, "conflict",
			     "This request_id was used for another request: make a new one.", NULL);
	} else if (action) {
		effect_reply_action(a->out, action);
	} else if (seen->reply &&
		   codec_decode(&message_reply, seen->reply, strlen(seen->reply), JSON_STATE,
				CODEC_LENIENT, arena, &reply, &error) == 0) {
		const struct msg_reply *r = reply;

		effect_reply(a->out, a->principal, r->request_id, r->status,
			     r->code ? arena_strdup(a->out->arena, r->code) : NULL, r->text,
			     r->result);
	} else {
		effect_reply(a->out, a->principal, a->request->request_id, REPLY_ERROR, "gone",
			     "This was asked before, and is over.", NULL);
	}
}

static void remember(struct asking *a, const char *action, const char *reply)
{
	struct arena *arena = a->out->arena;
	struct effect_request *request = arena_alloc(arena, sizeof(*request));

	*request = (struct effect_request){
		.principal = arena_strdup(arena, a->principal),
		.request_id =
			arena_strdup(arena, a->request->request_id ? a->request->request_id : ""),
		.action = action ? arena_strdup(arena, action) : NULL,
		.reply = reply ? arena_strdup(arena, reply) : NULL,
		.wall_ms = a->now.wall_ms,
	};
	(void)snprintf(request->digest, sizeof(request->digest), "%s", a->digest);
	core_load_request(a->core, request, a->now);
	effect_add(a->out, EFFECT_REQUEST)->request = request;
}

/* ── refusing ──────────────────────────────────────────────────────────────────────────────────────────────── */

static void answer_dry(struct asking *a, enum action_decision decision, enum tier tier,
		       const char *rule, const char *reason);

static bool is_dry(const struct asking *a)
{
	return a->request->dry_run.has && a->request->dry_run.v;
}

static void refuse(struct asking *a, enum tier tier, const char *code, const char *rule,
		   const char *reason)
{
	_cleanup_(str_done) struct str result = { 0 }, body = { 0 }, reply = { 0 };
	struct json_writer w = { .out = &result }, b = { .out = &body };
	struct effect *audit;
	size_t before = a->out->n;

	if (is_dry(a)) {
		answer_dry(a, str_eq(code, "state") ? ACTION_STATE : ACTION_REFUSE, tier, rule,
			   reason);
		return;
	}
	json_object_begin(&w, NULL);
	json_add_bool(&w, "blocked", true);
	json_add_str(&w, "tier", enumeration_word(&enumeration_tier, (int)tier));
	json_add_str(&w, "rule", rule);
	json_add_str(&w, "reason", reason);
	json_object_end(&w);
	json_object_begin(&b, NULL);
	json_add_str(&b, "principal", a->principal);
	json_add_str(&b, "rule", rule);
	json_add_str(&b, "reason", reason);
	codec_encode_into(&message_action_request, a->request, &b, "request");
	json_object_end(&b);
	audit = effect_add(a->out, EFFECT_AUDIT);
	audit->name = "refused";
	audit->text = arena_strdup(a->out->arena, str_get(&body));
	effect_reply(a->out, a->principal, a->request->request_id, REPLY_DENIED, code, reason,
		     str_get(&result));
	if (a->out->n > before + 1)
		codec_encode(&message_reply, a->out->list[a->out->n - 1].reply, &reply);
	remember(a, NULL, reply.len ? str_get(&reply) : NULL);
}

/* ── reading what is asked ─────────────────────────────────────────────────────────────────────────────────── */

/* By whatever name. */
static bool was_named_before(const struct asking *a, const struct judge_target *target)
{
	const char *object = judge_object(target, a->out->arena);

	for (size_t i = 0; i < a->targets_n; i++) {
		if (str_eq(judge_object(&a->targets[i], a->out->arena), object))
			return true;
	}
	return false;
}

static bool read_one(struct asking *a, const char *target, struct tool_error *error)
{
	const char *args = a->request->args;
	struct tool_args *parsed = &a->targets[a->targets_n].args;
	struct tool_args copy;
	int r = tool_args_read(a->tool, args, strlen(args), target, a->out->arena, parsed, error);

	if (r == 0 && target)
		r = tool_args_set_target(parsed, target, a->out->arena, error);
	if (r < 0) {
		refuse(a, TIER_BLACK, "black", "arguments", error->text);
		return false;
	}
	copy = *parsed;
	r = judge_resolve(a->core->view, &copy, a->out->arena, &a->targets[a->targets_n], error);
	if (r < 0) {
		refuse(a, TIER_BLACK, "black", r == -EEXIST ? "target.ambiguous" : "target.unknown",
		       error->text);
		return false;
	}
	if (was_named_before(a, &a->targets[a->targets_n])) {
		refuse(a, TIER_BLACK, "black", "targets", "targets names something twice.");
		return false;
	}
	a->targets_n++;
	return true;
}

static bool read_request(struct asking *a)
{
	const struct msg_action_request *request = a->request;
	struct tool_error error;

	a->tool = tool_find(request->tool);
	if (!a->tool) {
		refuse(a, TIER_BLACK, "black", "tool.unknown", "There is no such tool.");
		return false;
	}
	if (request->runbook && !str_eq(a->principal, service_table[SERVICE_MONITOR].name)) {
		refuse(a, TIER_BLACK, "black", "runbook", "Only the monitor runs runbooks.");
		return false;
	}
	if (request->targets_n > JUDGE_TARGETS_MAX) {
		refuse(a, TIER_BLACK, "black", "targets", "targets names more than 20.");
		return false;
	}
	if (!request->targets_n)
		return read_one(a, NULL, &error);
	for (size_t i = 0; i < request->targets_n; i++) {
		if (!read_one(a, request->targets[i], &error))
			return false;
	}
	return true;
}

/* ── judging ───────────────────────────────────────────────────────────────────────────────────────────────── */

static bool is_same_asker(const struct action *action, const char *principal,
			  const struct msg_actor *actor)
{
	const struct msg_actor *other = action->state.actor;

	if (!str_eq(action->state.principal, principal) || !actor != !other)
		return false;
	return !actor || (str_eq(actor->kind, other->kind) && str_eq(actor->name, other->name));
}

static bool was_started(const struct action *action)
{
	switch (action->state.status) {
	case ACTION_WAITING:
	case ACTION_DENIED:
	case ACTION_REFUSED:
		return false;
	case ACTION_CANCELLED:
	case ACTION_EXPIRED:
		return action->rec.gid;
	default:
		return true;
	}
}

bool core_is_red_under_way(const struct core *core)
{
	for (size_t i = 0; i < core->actions_n; i++) {
		const struct action *action = core->actions[i];

		if (action->state.tier == TIER_RED && !action_is_over(action) &&
		    action->state.status != ACTION_WAITING)
			return true;
	}
	return false;
}

static void count_recent(const struct core *core, const char *principal,
			 const struct msg_actor *actor, struct core_now now, struct ask *ask)
{
	ask->red_under_way = core_is_red_under_way(core);
	for (size_t i = 0; i < core->actions_n; i++) {
		const struct action *action = core->actions[i];
		size_t n = action->state.steps_n;
		enum tier tier = action->state.tier;

		if (!was_started(action) || now.boot_ms - action->since_ms > RATE_MS ||
		    !is_same_asker(action, principal, actor))
			continue;
		if (tier == TIER_YELLOW)
			ask->yellow_10min += (unsigned)n;
		else if (tier >= TIER_ORANGE)
			ask->orange_10min += (unsigned)n;
	}
}

static void fill_ask(const struct core *core, enum who who, const char *principal,
		     const struct msg_actor *actor, struct ask *ask)
{
	const struct core_person *person = who == WHO_PERSON ? person_of(core, actor->name) : NULL;

	ask->who = who;
	ask->principal = principal;
	ask->person = who == WHO_PERSON ? actor->name : NULL;
	ask->has_keyword = who == WHO_PERSON ? person && person->has_keyword : anybody(core, false);
	ask->has_code = who == WHO_PERSON ? person && person->has_code : anybody(core, true);
	ask->frozen = core->is_frozen;
	ask->unfit = core->unfit;
	if (!ask->unfit && core->is_policy_bad && who != WHO_PERSON)
		ask->unfit = "jarvis.yaml has an error, and agents wait until it is mended";
}

static void judge_request(struct asking *a)
{
	struct ask ask = {
		.confirmed = a->request->confirmed.has && a->request->confirmed.v,
		.tool = a->tool,
		.targets = a->targets,
		.targets_n = a->targets_n,
		.level = core_level_of(a->core, a->request->runbook),
		.proposes = a->request->proposes.has && a->request->proposes.v,
	};

	fill_ask(a->core, a->who, a->principal, a->request->actor, &ask);
	count_recent(a->core, a->principal, a->request->actor, a->now, &ask);
	judge(a->core->config, a->core->view, &ask, a->now.boot_ms, a->out->arena, &a->verdict);
}

static const char *name_of(const struct judge_target *target)
{
	const struct tool_arg *arg = tool_target(target->args.tool);

	if (!arg)
		return NULL;
	return arg->kind == ARG_GUEST ? target->guest->name :
	       arg->kind == ARG_NODE  ? target->node->node :
					target->storage->storage;
}

void core_judge_again(struct core *core, struct action *action, size_t step, struct core_now now,
		      struct arena *arena, struct judge_target *target, struct verdict *ret)
{
	const char *args = action->steps[step].args;
	const char *name = action->steps[step].name, *now_called;
	struct ask ask = {
		.confirmed = true,
		.tool = tool_find(action->state.tool),
		.targets = target,
		.targets_n = 1,
		.level = core_level_of(core, action->state.runbook),
	};
	struct tool_error error = { "" };
	struct tool_args parsed;
	const char *why;
	enum who who;

	*ret = (struct verdict){ .tier = TIER_BLACK, .decision = DECISION_REFUSE, .rule = "again" };
	if (!ask.tool ||
	    !core_who(core, action->state.principal, action->state.actor, &who, &why) ||
	    tool_args_read(ask.tool, args, strlen(args), false, arena, &parsed, &error) < 0 ||
	    judge_resolve(core->view, &parsed, arena, target, &error) < 0) {
		(void)snprintf(ret->reason, sizeof(ret->reason), "It is not there any more: %s.",
			       error.text[0] ? error.text : "it cannot be read");
		return;
	}
	/* Its number may have been given to another guest since: what was approved had a name. */
	now_called = name_of(target);
	if (ask.tool->tier > TIER_GREEN && (name || now_called) && !str_eq_null(name, now_called)) {
		ret->rule = "renamed";
		(void)snprintf(
			ret->reason, sizeof(ret->reason),
			"It was called %.100s when it was asked for, and is called %.100s now.",
			name ? name : "nothing", now_called ? now_called : "nothing");
		return;
	}
	fill_ask(core, who, action->state.principal, action->state.actor, &ask);
	/* Somebody's proof was taken already. */
	ask.has_code = ask.has_keyword = true;
	judge(core->config, core->view, &ask, now.boot_ms, arena, ret);
}

/* ── the action ────────────────────────────────────────────────────────────────────────────────────────────── */

static void fill_steps(const struct asking *a, struct arena *arena, struct msg_action_step *steps)
{
	for (size_t i = 0; i < a->targets_n; i++) {
		_cleanup_(str_done) struct str args = { 0 };
		const char *object = judge_object(&a->targets[i], arena);
		const char *name = name_of(&a->targets[i]);

		tool_args_write(&a->targets[i].args, &args);
		steps[i] = (struct msg_action_step){
			.object = object[0] ? object : NULL,
			.name = name ? arena_strdup(arena, name) : NULL,
			.args = arena_strdup(arena, str_get(&args)),
			.status = STEP_PENDING,
		};
	}
}

static void fill_facts(struct action *action, const struct verdict *verdict)
{
	const char **facts = arena_alloc(action->arena, JUDGE_FACTS_MAX * sizeof(*facts));

	for (size_t i = 0; i < verdict->facts_n; i++)
		facts[i] = action_text(action, verdict->facts[i]);
	action->state.facts = facts;
	action->state.facts_n = verdict->facts_n;
}

static struct action *make_action(struct asking *a)
{
	struct action *action = action_new(a->core);
	struct msg_action_state *s = &action->state;
	const struct msg_action_request *request = a->request;
	char id[CORE_ID_BYTES];

	core_ulid(a->core, a->now.wall_ms, id);
	s->id = action_text(action, id);
	s->tier = a->verdict.tier;
	s->tool = a->tool->name;
	s->principal = action_text(action, a->principal);
	if (request->actor) {
		action->actor = (struct msg_actor){ action_text(action, request->actor->kind),
						    action_text(action, request->actor->name) };
		s->actor = &action->actor;
	}
	s->runbook = action_text(action, request->runbook);
	s->reason = action_text(action, request->reason);
	s->rule = a->verdict.rule;
	s->verdict = action_text(action, a->verdict.reason);
	s->need = (enum action_need)a->verdict.need;
	s->created_ms = a->now.wall_ms;
	action->rec.request_id = action_text(action, request->request_id);
	action->rec.confirmed = request->confirmed.has && request->confirmed.v;
	action->since_ms = a->now.boot_ms;
	fill_steps(a, action->arena, action->steps);
	s->steps_n = a->targets_n;
	fill_facts(action, &a->verdict);
	return action;
}

static const char *verify_text(const struct tool *tool)
{
	static const char *const texts[] = {
		[VERIFY_NOTHING] = "nothing: it only reads",
		[VERIFY_RUNNING] = "that it runs",
		[VERIFY_STOPPED] = "that it is stopped",
		[VERIFY_PAUSED] = "that it is paused",
		[VERIFY_REBOOTED] = "that it was restarted and runs",
		[VERIFY_MOVED] = "that it is on the other node",
		[VERIFY_SNAPSHOT_THERE] = "that the snapshot is there",
		[VERIFY_SNAPSHOT_GONE] = "that the snapshot is gone",
		[VERIFY_BACKUP_THERE] = "that a new backup is there",
		[VERIFY_FILE_THERE] = "that the file is there",
		[VERIFY_TASK_ENDED] = "that the task has ended",
		[VERIFY_TASK_OK] = "that Proxmox reports success",
		[VERIFY_NODE_ONLINE] = "that the node is online",
		[VERIFY_NODE_OFFLINE] = "that the node is offline",
		[VERIFY_NODE_REBOOTED] = "that the node was restarted and is online",
	};

	return texts[tool->verify];
}

/* All that would be said to it, and nothing else: no action, no record, no memory of it. */
static void answer_dry(struct asking *a, enum action_decision decision, enum tier tier,
		       const char *rule, const char *reason)
{
	struct msg_action_step steps[JUDGE_TARGETS_MAX];
	_cleanup_(str_done) struct str text = { 0 };
	const struct msg_action_verdict verdict = {
		.dry_run = true,
		.decision = decision,
		.tier = tier,
		.rule = rule,
		.reason = reason,
		.need = decision == ACTION_ASK ? (enum action_need)a->verdict.need :
						 ACTION_NEEDS_NOTHING,
		.facts = a->verdict.facts,
		.facts_n = a->verdict.facts_n,
		.steps = steps,
		.steps_n = a->targets_n,
		.verify = a->tool ? verify_text(a->tool) : NULL,
	};

	fill_steps(a, a->out->arena, steps);
	codec_encode(&message_action_verdict, &verdict, &text);
	effect_reply(a->out, a->principal, a->request->request_id, REPLY_OK, NULL, NULL,
		     str_get(&text));
}

/* The bytes that are shown and approved, and their digest. */
static void fill_shown(struct asking *a, struct action *action, int64_t wait_ms)
{
	struct msg_action_state *s = &action->state;
	_cleanup_(str_done) struct str text = { 0 };
	const struct msg_action_shown shown = {
		.id = s->id,
		.tool = s->tool,
		.sentence = a->tool->doc,
		.tier = s->tier,
		.principal = s->principal,
		.actor = s->actor,
		.reason = s->reason,
		.steps = s->steps,
		.steps_n = s->steps_n,
		.facts = s->facts,
		.facts_n = s->facts_n,
		.verify = verify_text(a->tool),
		.policy = a->core->policy,
		.until_ms = a->now.wall_ms + wait_ms,
	};
	char digest[65];

	codec_encode(&message_action_shown, &shown, &text);
	core_sha256(text.data, text.len, digest);
	s->shown = action_text(action, text.data);
	s->digest = action_text(action, digest);
}

static bool too_many_wait(struct asking *a)
{
	const struct core *core = a->core;
	size_t mine = 0;

	for (size_t i = 0; i < core->actions_n; i++)
		mine += core->actions[i]->state.status == ACTION_WAITING &&
			is_same_asker(core->actions[i], a->principal, a->request->actor);
	if (mine >= CORE_WAITING_MAX)
		return true;
	for (size_t t = 0; t < a->targets_n; t++) {
		const char *object = judge_object(&a->targets[t], a->out->arena);
		size_t n = 0;

		for (size_t i = 0; i < core->actions_n && object[0]; i++) {
			const struct action *action = core->actions[i];

			for (size_t k = 0; k < action->state.steps_n; k++)
				n += action->state.status == ACTION_WAITING &&
				     str_eq_null(action->steps[k].object, object);
		}
		if (n >= CORE_WAITING_TARGET_MAX)
			return true;
	}
	return false;
}

static void begin(struct asking *a)
{
	bool asks = a->verdict.decision == DECISION_ASK;
	int64_t wait_ms = a->core->config->safety_gate.approval_ms;
	struct action *action;

	if (asks && too_many_wait(a)) {
		refuse(a, a->verdict.tier, "rate", "waiting",
		       "Too many actions wait for a person already: decide those first.");
		return;
	}
	if (is_dry(a)) {
		answer_dry(a, asks ? ACTION_ASK : ACTION_ALLOW, a->verdict.tier, a->verdict.rule,
			   a->verdict.reason);
		return;
	}
	if (a->verdict.tier == TIER_RED)
		wait_ms = min_of(wait_ms, (int64_t)CORE_RED_APPROVAL_MS);
	action = make_action(a);
	if (asks)
		fill_shown(a, action, wait_ms);
	action_add(a->core, action);
	effect_audit_action(a->out, asks ? "asked" : "allowed", action, NULL, NULL);
	action_set(action, asks ? ACTION_WAITING : ACTION_APPROVED, asks ? wait_ms : CORE_CLAIM_MS,
		   a->now, a->out);
	remember(a, action->state.id, NULL);
	effect_event(a->core, a->out, EVENT_NEW, action, a->now);
	effect_reply_action(a->out, action);
}

static const char *code_of(const struct verdict *verdict)
{
	if (verdict->decision == DECISION_STATE)
		return "state";
	if (verdict->tier == TIER_BLACK)
		return "black";
	if (str_starts(verdict->rule, "rate."))
		return "rate";
	return "policy";
}

static bool too_many_asked(const struct core *core, const char *principal)
{
	bool is_gateway = str_eq(principal, service_table[SERVICE_GATEWAY].name);
	size_t n = 0;

	if (core->requests_n < REQUESTS_OF_ONE_MAX || is_gateway)
		return core->requests_n >= REQUESTS_MAX;
	for (size_t i = 0; i < core->requests_n; i++)
		n += str_eq(core->requests[i].principal, principal);
	return n >= REQUESTS_OF_ONE_MAX || core->requests_n >= REQUESTS_MAX;
}

void core_request(struct core *core, const char *principal,
		  const struct msg_action_request *request, const char *digest, struct core_now now,
		  struct effects *out)
{
	struct asking a = { .core = core,
			    .principal = principal,
			    .request = request,
			    .digest = digest,
			    .now = now,
			    .out = out };
	struct seen_request *seen = is_dry(&a) ? NULL : find_seen(&a);
	const char *why;

	if (seen) {
		repeat_reply(&a, seen);
		return;
	}
	if (too_many_asked(core, principal)) {
		effect_reply(out, principal, request->request_id, REPLY_DENIED, "rate",
			     "Too many requests in a day.", NULL);
		return;
	}
	if (!core->config || !core->view) {
		effect_reply(out, principal, request->request_id, REPLY_DENIED, "policy",
			     "The safety gate has no policy yet.", NULL);
		return;
	}
	if (!core_who(core, principal, request->actor, &a.who, &why)) {
		refuse(&a, TIER_BLACK, "black", "actor", why);
		return;
	}
	if (!read_request(&a))
		return;
	judge_request(&a);
	if (a.verdict.decision == DECISION_REFUSE || a.verdict.decision == DECISION_STATE)
		refuse(&a, a.verdict.tier, code_of(&a.verdict), a.verdict.rule, a.verdict.reason);
	else
		begin(&a);
}
