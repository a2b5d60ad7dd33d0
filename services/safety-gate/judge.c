/* SPDX-License-Identifier: MIT */
/*
 * The order of a judgement: what the asker may at all; the tier, raised by context; what is unfit or frozen; what
 * the tier asks of such an asker; and only then whether the target is seen, and its state. So a refusal by policy
 * never tells anything about the target, and the state of a target never makes policy.
 */
#include "services/safety-gate/judge.h"

#include "services/safety-gate/context.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct judgement {
	const struct config *config;
	const struct view *view;
	const struct ask *ask;
	struct arena *arena;
	int64_t boot_ms;
	struct verdict *v;
};

_printf_(4, 5) static bool settle(struct judgement *j, enum decision decision, const char *rule,
				  const char *format, ...)
{
	va_list args;

	j->v->decision = decision;
	j->v->rule = rule;
	va_start(args, format);
	(void)vsnprintf(j->v->reason, sizeof(j->v->reason), format, args);
	va_end(args);
	return true;
}

static void add_fact(struct judgement *j, const char *text)
{
	if (text[0] && j->v->facts_n < JUDGE_FACTS_MAX)
		j->v->facts[j->v->facts_n++] = arena_strdup(j->arena, text);
}

static const char *tier_word(enum tier tier)
{
	static const char *const words[] = { "GREEN", "YELLOW", "ORANGE", "RED", "BLACK" };

	return words[tier];
}

/* ── what the asker may at all ─────────────────────────────────────────────────────────────────────────────── */

static const struct config_principal *principal_of(const struct judgement *j)
{
	for (size_t i = 0; i < j->config->principals_n; i++) {
		if (str_eq(j->config->principals[i].name, j->ask->principal))
			return &j->config->principals[i];
	}
	return NULL;
}

/* "home/guest/101" fits itself and "home/guest/STAR". */
static bool target_fits(const char *pattern, const char *object)
{
	if (str_ends(pattern, "/*"))
		return strncmp(pattern, object, strlen(pattern) - 1) == 0;
	return str_eq(pattern, object);
}

static bool is_listed(const char *const *list, size_t n, const char *word,
		      bool (*fits)(const char *, const char *))
{
	for (size_t i = 0; i < n; i++) {
		if (fits(list[i], word))
			return true;
	}
	return false;
}

static bool same(const char *a, const char *b)
{
	return str_eq(a, b);
}

static bool refuse_remote(struct judgement *j)
{
	const struct config_principal *p = principal_of(j);
	const struct ask *ask = j->ask;

	if (ask->who != WHO_REMOTE)
		return false;
	if (!p || p->class != PRINCIPAL_REMOTE)
		return settle(j, DECISION_REFUSE, "principal.unknown",
			      "%s is no principal of class remote in jarvis.yaml.", ask->principal);
	if (!is_listed(p->tools, p->tools_n, ask->tool->name, same))
		return settle(j, DECISION_REFUSE, "principal.tools",
			      "%s may not use %s: principals.%s.tools does not name it.",
			      ask->principal, ask->tool->name, ask->principal);
	for (size_t i = 0; i < ask->targets_n; i++) {
		const char *object = judge_object(&ask->targets[i], j->arena);

		if (object[0] && !is_listed(p->targets, p->targets_n, object, target_fits))
			return settle(
				j, DECISION_REFUSE, "principal.targets",
				"%s may not name %s: principals.%s.targets does not allow it.",
				ask->principal, object, ask->principal);
	}
	return false;
}

/* ── the tier ──────────────────────────────────────────────────────────────────────────────────────────────── */

/* What the rules have made of the targets so far. */
struct weighing {
	enum tier tiers[JUDGE_TARGETS_MAX];
	char black[300];     /* why the tier is what it is */
	const char *refused; /* the rule that refuses; NULL: none */
	char obstacle[300];  /* in its words */
};

static void raise_tier(struct judgement *j, struct weighing *w, enum tier tier, const char *rule,
		       const char *fact)
{
	if (tier <= j->v->tier)
		return;
	j->v->tier = tier;
	j->v->rule = rule;
	(void)snprintf(w->black, sizeof(w->black), "%s", fact);
}

/* Each target has a tier of its own, the request that of the worst. */
static void apply_rule(struct judgement *j, struct weighing *w, const struct context_rule *rule)
{
	const struct context c = { j->config, j->view, j->ask, j->arena };

	for (size_t k = 0; k < j->ask->targets_n; k++) {
		struct raise raise = { .tier = w->tiers[k] };

		rule->apply(&c, &j->ask->targets[k], &raise);
		add_fact(j, raise.fact);
		w->tiers[k] = raise.tier;
		raise_tier(j, w, raise.tier, rule->name, raise.fact);
		if (raise.refuses) {
			w->refused = rule->name;
			(void)snprintf(w->obstacle, sizeof(w->obstacle), "%s", raise.fact);
		}
	}
}

static void weigh_number(struct judgement *j, struct weighing *w)
{
	char fact[100];

	if (j->ask->targets_n <= JUDGE_BATCH_FREE)
		return;
	(void)snprintf(fact, sizeof(fact), "%zu targets at once: this is a tier higher.",
		       j->ask->targets_n);
	add_fact(j, fact);
	raise_tier(j, w, context_one_higher(j->v->tier), "blast", fact);
}

/* True when it is black, or a rule refuses. The tier is what all rules together make it, also of what is refused. */
static bool weigh(struct judgement *j)
{
	struct weighing w = { .refused = NULL };

	for (size_t k = 0; k < JUDGE_TARGETS_MAX; k++)
		w.tiers[k] = j->v->tier;
	for (size_t i = 0; i < context_rules_n; i++)
		apply_rule(j, &w, &context_rules[i]);
	weigh_number(j, &w);
	if (j->v->tier == TIER_BLACK)
		return settle(j, DECISION_REFUSE, j->v->rule,
			      "%s Nobody may do this through Jarvis.", w.black);
	if (!j->config->self && j->v->tier > TIER_YELLOW)
		return settle(
			j, DECISION_REFUSE, "self",
			"It is not known where Jarvis itself runs, so nothing that interrupts is done: "
			"set self in jarvis.yaml (cluster, node and vmid, or the word external).");
	if (w.refused)
		return settle(j, DECISION_REFUSE, w.refused, "%s", w.obstacle);
	return false;
}

/* ── above reading ─────────────────────────────────────────────────────────────────────────────────────────── */

/* What stands in the way of everything but reads. */
static bool refuse_unfit(struct judgement *j)
{
	if (j->ask->unfit)
		return settle(j, DECISION_REFUSE, "gate.unfit",
			      "Nothing but reads is done now: %s.", j->ask->unfit);
	if (j->ask->frozen)
		return settle(
			j, DECISION_REFUSE, "frozen",
			"Jarvis is frozen: nothing but reads is done until a person unfreezes it.");
	return false;
}

bool judge_rates(const struct config *config, const struct ask *ask, enum tier tier,
		 struct verdict *ret)
{
	struct judgement judgement = { .config = config, .ask = ask, .v = ret };
	struct judgement *j = &judgement;
	const struct config_safety_gate *g = &config->safety_gate;
	int64_t factor = ask->who == WHO_PERSON ? 6 : 1;
	size_t n = max_of(ask->targets_n, (size_t)1);

	if (tier == TIER_YELLOW && ask->yellow_10min + n > (size_t)(g->yellow_rate * factor))
		return settle(j, DECISION_REFUSE, "rate.yellow",
			      "Too many in ten minutes: %lld reversible actions are allowed "
			      "(safety_gate.yellow_rate).",
			      (long long)(g->yellow_rate * factor));
	if (tier >= TIER_ORANGE && ask->orange_10min + n > (size_t)(g->orange_rate * factor))
		return settle(j, DECISION_REFUSE, "rate.orange",
			      "Too many in ten minutes: %lld actions that interrupt are allowed "
			      "(safety_gate.orange_rate).",
			      (long long)(g->orange_rate * factor));
	if (tier == TIER_RED && ask->red_under_way)
		return settle(j, DECISION_REFUSE, "rate.red",
			      "Another action that can lose data is under way; one at a time.");
	return false;
}

/* ── what the tier asks ────────────────────────────────────────────────────────────────────────────────────── */

static enum need need_of(enum tier tier)
{
	return tier == TIER_RED ? NEED_CODE : tier == TIER_ORANGE ? NEED_KEYWORD : NEED_NOTHING;
}

static bool refuse_unenrolled(struct judgement *j)
{
	const struct ask *ask = j->ask;
	const char *whose = ask->who == WHO_PERSON ? ask->person : "a person";

	if (j->v->need == NEED_CODE && !ask->has_code)
		return settle(j, DECISION_REFUSE, "code.none",
			      "This needs a one-time code, and none is enrolled for %s: run "
			      "jarvisctl person enrol NAME on Jarvis's host.",
			      whose);
	if (j->v->need == NEED_KEYWORD && !ask->has_keyword && !ask->has_code)
		return settle(j, DECISION_REFUSE, "keyword.none",
			      "This needs a keyword, and none is enrolled for %s: run "
			      "jarvisctl person enrol NAME on Jarvis's host.",
			      whose);
	return false;
}

static void decide_person(struct judgement *j)
{
	const char *word = tier_word(j->v->tier);

	if (j->v->tier == TIER_RED && !j->ask->confirmed)
		(void)settle(j, DECISION_REFUSE, "unconfirmed",
			     "This can lose data and must be confirmed: send confirmed: true.");
	else if (j->v->need == NEED_NOTHING)
		(void)settle(j, DECISION_ALLOW, "tier.person", "%s: done at once for a person.",
			     word);
	else
		(void)settle(j, DECISION_ASK, "tier.proof", "%s: waits for the %s.", word,
			     j->v->need == NEED_CODE ? "one-time code" : "keyword");
}

static void decide_agent(struct judgement *j)
{
	const char *word = tier_word(j->v->tier);
	int level = j->ask->level;

	if (level <= 1)
		(void)settle(
			j, DECISION_REFUSE, "level",
			"At autonomy level %d agents only %s; a person may do it, or raise the level.",
			level, level == 0 ? "observe" : "advise");
	else if (j->v->tier == TIER_YELLOW && level >= 3 && !j->ask->proposes)
		(void)settle(j, DECISION_ALLOW, "level",
			     "YELLOW: done and reported at autonomy level %d.", level);
	else
		(void)settle(j, DECISION_ASK, "level", "%s: asks a person at autonomy level %d.",
			     word, level);
}

static void decide(struct judgement *j)
{
	j->v->need = need_of(j->v->tier);
	if (refuse_unenrolled(j))
		return;
	if (j->ask->who == WHO_PERSON)
		decide_person(j);
	else if (j->ask->who == WHO_AGENT)
		decide_agent(j);
	else
		(void)settle(j, DECISION_ASK, "principal.asks", "%s: %s asks, a person decides.",
			     tier_word(j->v->tier), j->ask->principal);
}

/* ── the state of the target ───────────────────────────────────────────────────────────────────────────────── */

static const char *status_word(const struct msg_guest_state *guest)
{
	return enumeration_word(&enumeration_guest_status, (int)guest->status);
}

/* Whether a guest in STATUS can be made to what the tool verifies. */
static bool can_become(const struct tool *tool, enum guest_status status)
{
	switch (tool->verify) {
	case VERIFY_RUNNING:
		if (tool == &tool_table[TOOL_guest_resume])
			return status == GUEST_PAUSED || status == GUEST_SUSPENDED;
		if (tool == &tool_table[TOOL_guest_reset])
			return status == GUEST_RUNNING || status == GUEST_IO_ERROR ||
			       status == GUEST_INTERNAL_ERROR || status == GUEST_PAUSED;
		return status == GUEST_STOPPED || status == GUEST_SUSPENDED;
	case VERIFY_STOPPED:
		if (tool == &tool_table[TOOL_guest_shutdown])
			return status == GUEST_RUNNING;
		return status != GUEST_STOPPED && status != GUEST_UNKNOWN;
	case VERIFY_PAUSED:
	case VERIFY_REBOOTED:
		return status == GUEST_RUNNING;
	default:
		return status != GUEST_UNKNOWN;
	}
}

static bool check_guest(struct judgement *j, const struct judge_target *t)
{
	const struct msg_guest_state *guest = t->guest;
	const struct tool *tool = t->args.tool;
	const char *name = guest->name ? guest->name : "unnamed";
	struct tool_value to = tool_args_get(&t->args, "target_node");

	if (guest->template && tool->verify != VERIFY_BACKUP_THERE)
		return settle(j, DECISION_STATE, "state.template",
			      "%s (%lld) is a template, which never runs.", name,
			      (long long)guest->vmid);
	if (guest->type == GUEST_LXC && tool == &tool_table[TOOL_guest_reset])
		return settle(
			j, DECISION_STATE, "state.container",
			"%s (%lld) is a container, which has no reset button: use guest_reboot or guest_stop.",
			name, (long long)guest->vmid);
	if (!can_become(tool, guest->status))
		return settle(j, DECISION_STATE, "state.status", "%s (%lld) is %s.", name,
			      (long long)guest->vmid, status_word(guest));
	if (!t->node || t->node->status != NODE_ONLINE)
		return settle(j, DECISION_STATE, "state.node",
			      "%s (%lld) is on %s, which is not online.", name,
			      (long long)guest->vmid, guest->node);
	if (to.has && str_eq(to.s, guest->node))
		return settle(j, DECISION_STATE, "state.node", "%s (%lld) is on %s already.", name,
			      (long long)guest->vmid, to.s);
	return false;
}

static bool check_node(struct judgement *j, const struct judge_target *t)
{
	const struct tool *tool = t->args.tool;
	bool online = t->node->status == NODE_ONLINE;

	if (tool->verify == VERIFY_NODE_ONLINE ? online : !online)
		return settle(j, DECISION_STATE, "state.node", "%s is %s.", t->node->node,
			      enumeration_word(&enumeration_node_status, (int)t->node->status));
	return false;
}

/* A node that the tool names beside its target: where to, or which fetches. */
static bool check_other_node(struct judgement *j, const struct judge_target *t, const char *name)
{
	struct tool_value other = tool_args_get(&t->args, name);
	const struct msg_node_state *node =
		other.has ? view_node(j->view, t->cluster, other.s) : NULL;

	if (other.has && (!node || node->status != NODE_ONLINE))
		return settle(j, DECISION_STATE, "state.node", "%s is not online.", other.s);
	return false;
}

static bool check_view(struct judgement *j)
{
	const char *why;

	for (size_t i = 0; i < j->ask->targets_n; i++) {
		const char *cluster = j->ask->targets[i].cluster;

		if (!cluster)
			return settle(j, DECISION_STATE, "view.cluster",
				      "It is not clear which cluster is meant.");
		if (!view_is_live(j->view, cluster, j->boot_ms, &why))
			return settle(j, DECISION_STATE, "view.stale",
				      "%s is not seen live now (%s), so nothing is done there. "
				      "It passes by itself once it is seen again.",
				      cluster, why);
	}
	return false;
}

static bool check_state(struct judgement *j)
{
	if (check_view(j))
		return true;
	for (size_t i = 0; i < j->ask->targets_n; i++) {
		const struct judge_target *t = &j->ask->targets[i];
		const struct tool_arg *arg = tool_target(t->args.tool);

		if (!arg)
			continue;
		if (arg->kind == ARG_GUEST &&
		    (check_guest(j, t) || check_other_node(j, t, "target_node")))
			return true;
		if (arg->kind == ARG_NODE && check_node(j, t))
			return true;
		if (arg->kind == ARG_STORAGE && check_other_node(j, t, "node"))
			return true;
	}
	return false;
}

void judge(const struct config *config, const struct view *view, const struct ask *ask,
	   int64_t boot_ms, struct arena *arena, struct verdict *ret)
{
	struct judgement j = { config, view, ask, arena, boot_ms, ret };

	*ret = (struct verdict){ .floor = ask->tool->tier,
				 .tier = ask->tool->tier,
				 .rule = "tier" };
	if (refuse_remote(&j))
		return;
	if (ask->tool->tier == TIER_GREEN) {
		(void)settle(&j, DECISION_ALLOW, "tier.green", "GREEN: it only reads.");
		return;
	}
	if (weigh(&j) || refuse_unfit(&j) || judge_rates(config, ask, ret->tier, ret))
		return;
	decide(&j);
	if (ret->decision != DECISION_REFUSE)
		(void)check_state(&j);
}
