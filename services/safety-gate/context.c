/* SPDX-License-Identifier: MIT */
/*
 * The rules of context. Numbers that are not known count as the worst that they could be.
 */
#include "services/safety-gate/context.h"

#include <stdio.h>
#include <string.h>

static bool is_guest_tool(const struct judge_target *target)
{
	const struct tool_arg *arg = tool_target(target->args.tool);

	return arg && arg->kind == ARG_GUEST;
}

static bool is_node_tool(const struct judge_target *target)
{
	const struct tool_arg *arg = tool_target(target->args.tool);

	return arg && arg->kind == ARG_NODE;
}

enum tier context_one_higher(enum tier tier)
{
	return tier < TIER_BLACK ? tier + 1 : TIER_BLACK;
}

static const char *guest_name(const struct msg_guest_state *guest)
{
	return guest->name ? guest->name : "unnamed";
}

/* ── Jarvis itself ─────────────────────────────────────────────────────────────────────────────────────────── */

/* Its host is where the configuration says, and where it is seen: it may have been moved. */
static bool is_own_node(const struct context *c, const char *node)
{
	const struct config_self *self = c->config->self;
	const struct msg_guest_state *guest = view_guest(c->view, self->cluster, self->vmid);

	return str_eq(node, self->node) || (guest && str_eq(node, guest->node));
}

/* Cutting a task short leaves what it is at half done, locked or frozen. */
static void judge_own_task(const struct context *c, const struct context_task *task,
			   struct raise *ret)
{
	const struct config_self *self = c->config->self;

	if (task->vmid == self->vmid) {
		ret->tier = TIER_BLACK;
		(void)snprintf(ret->fact, sizeof(ret->fact),
			       "Jarvis itself runs in guest %lld: its tasks are not cut short.",
			       (long long)self->vmid);
	} else if (!task->vmid && is_own_node(c, task->node)) {
		ret->tier = max_of(ret->tier, (enum tier)TIER_RED);
		(void)snprintf(
			ret->fact, sizeof(ret->fact),
			"WARNING: Jarvis itself runs on node %.64s, and this task may be at its guest.",
			task->node);
	}
}

static void rule_self(const struct context *c, const struct judge_target *t, struct raise *ret)
{
	const struct config_self *self = c->config->self;
	const struct tool *tool = t->args.tool;
	bool alters = tool->impact != IMPACT_KEEPS || tool->tier >= TIER_RED;
	struct context_task task;

	if (!self || self->external || !str_eq_null(t->cluster, self->cluster))
		return;
	if (context_task(t, c->arena, &task))
		judge_own_task(c, &task, ret);
	if (!alters)
		return;
	if (is_guest_tool(t) && t->guest->vmid == self->vmid) {
		ret->tier = TIER_BLACK;
		(void)snprintf(ret->fact, sizeof(ret->fact),
			       "Jarvis itself runs in guest %lld: it does not take itself away.",
			       (long long)self->vmid);
	} else if (is_node_tool(t) && is_own_node(c, t->node->node)) {
		ret->tier = TIER_BLACK;
		(void)snprintf(ret->fact, sizeof(ret->fact),
			       "Jarvis itself runs on node %s: it does not %s.", t->node->node,
			       tool->impact == IMPACT_TAKES_NODE ? "take its host away" :
								   "stop anything there");
	}
}

/* ── what the owner protects ───────────────────────────────────────────────────────────────────────────────── */

static bool is_in(const char *const *list, size_t n, const char *member)
{
	for (size_t i = 0; i < n; i++) {
		if (str_eq(list[i], member))
			return true;
	}
	return false;
}

static bool is_protected(const struct config_protected *p, const struct context_named *named)
{
	if (named->kind == ARG_GUEST)
		return is_in(p->guests, p->guests_n, named->name);
	if (named->kind == ARG_NODE)
		return is_in(p->nodes, p->nodes_n, named->name);
	return is_in(p->storages, p->storages_n, named->name);
}

/* Whatever is named, and in whichever argument; all of it together makes one tier. */
static void rule_protected(const struct context *c, const struct judge_target *t, struct raise *ret)
{
	static const char *const words[] = {
		[ARG_GUEST] = "guest", [ARG_NODE] = "node", [ARG_STORAGE] = "storage"
	};
	struct context_named named[CONTEXT_NAMED_MAX];
	size_t named_n = context_named(t, c->arena, named), n = 0;
	const char *names = "", *path = context_protected_path(c, t);

	for (size_t i = 0; i < named_n; i++) {
		if (is_protected(&c->config->protected, &named[i]))
			names = arena_printf(c->arena, "%s%s the %s %s", names, n++ ? " and" : "",
					     words[named[i].kind], named[i].name);
	}
	if (path)
		names = arena_printf(c->arena, "%s%s the path %.100s", names, n++ ? " and" : "",
				     path);
	if (!n)
		return;
	ret->tier = context_one_higher(ret->tier);
	(void)snprintf(ret->fact, sizeof(ret->fact), "Protected, so this is a tier higher:%.200s.",
		       names);
}

/* ── quorum ────────────────────────────────────────────────────────────────────────────────────────────────── */

/* Nodes that are shut down stay away; of those that are restarted, each comes back before the next one goes. */
static int64_t votes_gone(const struct context *c, const struct judge_target *t)
{
	int64_t n = 0;

	for (size_t i = 0; i < c->ask->targets_n; i++) {
		const struct judge_target *other = &c->ask->targets[i];

		if (other != t && t->args.tool->verify != VERIFY_NODE_OFFLINE)
			continue;
		/* Nobody says how many votes a node has; each has one unless its owner changed that. */
		n += str_eq(other->cluster, t->cluster) && other->node->status != NODE_OFFLINE;
	}
	return n;
}

static void rule_quorum(const struct context *c, const struct judge_target *t, struct raise *ret)
{
	const struct msg_cluster_state *state;
	int64_t left;

	if (!is_node_tool(t) || t->args.tool->impact != IMPACT_TAKES_NODE)
		return;
	state = view_cluster(c->view, t->cluster);
	if (state && state->standalone.has && state->standalone.v)
		return;
	if (state && state->votes.has && state->votes_needed.has) {
		left = state->votes.v - votes_gone(c, t);
		if (left >= state->votes_needed.v) {
			(void)snprintf(ret->fact, sizeof(ret->fact),
				       "Of %lld votes %lld remain; quorum needs %lld.",
				       (long long)state->votes.v, (long long)left,
				       (long long)state->votes_needed.v);
			return;
		}
		(void)snprintf(
			ret->fact, sizeof(ret->fact),
			"WARNING: without it %lld votes remain and quorum needs %lld: the whole cluster "
			"would stop working.",
			(long long)left, (long long)state->votes_needed.v);
	} else {
		(void)snprintf(
			ret->fact, sizeof(ret->fact),
			"WARNING: the votes of the cluster are not known; it may lose its quorum.");
	}
	ret->tier = c->ask->who == WHO_PERSON ? max_of(ret->tier, (enum tier)TIER_RED) : TIER_BLACK;
}

/* ── what goes on with it ──────────────────────────────────────────────────────────────────────────────────── */

static void rule_lock(const struct context *c, const struct judge_target *t, struct raise *ret)
{
	(void)c;
	if (!is_guest_tool(t) || !t->guest->lock)
		return;
	/* Resuming and starting is what ends this one. */
	if (str_eq(t->guest->lock, "suspended") && (t->args.tool == &tool_table[TOOL_guest_start] ||
						    t->args.tool == &tool_table[TOOL_guest_resume]))
		return;
	ret->tier = context_one_higher(ret->tier);
	(void)snprintf(ret->fact, sizeof(ret->fact), "The guest is locked (%s).", t->guest->lock);
}

static void rule_ha(const struct context *c, const struct judge_target *t, struct raise *ret)
{
	(void)c;
	if (!is_guest_tool(t) || t->args.tool->impact == IMPACT_KEEPS || !t->guest->ha_state)
		return;
	ret->tier = context_one_higher(ret->tier);
	(void)snprintf(
		ret->fact, sizeof(ret->fact),
		"High availability manages the guest (%s): Proxmox hands this on to its manager.",
		t->guest->ha_state);
}

/* ── what needs it ─────────────────────────────────────────────────────────────────────────────────────────── */

struct needed {
	const struct context *c;
	const char **gone;    /* objects that the action takes away, or that need one of them */
	size_t gone_n, own_n; /* the first OWN_N are what the action itself takes away */
	char names[200];      /* of running guests that need one of them */
	size_t n;
};

static bool is_in_first(const struct needed *n, size_t first, const char *object)
{
	for (size_t i = 0; i < first; i++) {
		if (str_eq(n->gone[i], object))
			return true;
	}
	return false;
}

static void add_gone(struct needed *n, const char *object)
{
	/* Room for the next power of two. */
	if (!(n->gone_n & (n->gone_n - 1)))
		n->gone =
			xreallocarray(n->gone, max_of(2 * n->gone_n, (size_t)1), sizeof(*n->gone));
	n->gone[n->gone_n++] = object;
}

/* Whether one more object was found that needs something that goes. */
static bool add_one_that_needs(struct needed *n)
{
	const struct config *config = n->c->config;

	for (size_t i = 0; i < config->depends_on_n; i++) {
		const struct config_list *row = &config->depends_on[i];

		if (is_in_first(n, n->gone_n, row->name))
			continue;
		for (size_t k = 0; k < row->items_n; k++) {
			if (!is_in_first(n, n->gone_n, row->items[k]))
				continue;
			add_gone(n, row->name);
			return true;
		}
	}
	return false;
}

static void look_at_guests(struct needed *n)
{
	const struct msg_guest_state *guest;
	size_t at = 0, used = 0;

	while ((guest = view_next_guest(n->c->view, NULL, &at))) {
		char object[TOPIC_LEVEL_MAX + 32];
		int length;

		if (guest->status == GUEST_STOPPED || guest->template)
			continue;
		(void)snprintf(object, sizeof(object), "%s/guest/%lld", guest->cluster,
			       (long long)guest->vmid);
		if (is_in_first(n, n->own_n, object) || !is_in_first(n, n->gone_n, object))
			continue;
		n->n++;
		length = snprintf(n->names + used, sizeof(n->names) - used, "%s%s (%lld)",
				  used ? ", " : "", guest_name(guest), (long long)guest->vmid);
		if ((size_t)length < sizeof(n->names) - used)
			used += (size_t)length;
	}
}

/* All targets of a request go together: who needs another of them is no obstacle. */
static void add_own(struct needed *n)
{
	const struct context *c = n->c;

	for (size_t i = 0; i < c->ask->targets_n; i++) {
		const struct judge_target *t = &c->ask->targets[i];
		const struct msg_guest_state *guest;
		size_t at = 0;

		add_gone(n, judge_object(t, c->arena));
		/* A unit of a node takes no guest with it. */
		if (!is_node_tool(t) || t->args.tool->impact != IMPACT_TAKES_NODE)
			continue;
		while ((guest = view_next_guest(c->view, t->cluster, &at))) {
			if (str_eq(guest->node, t->node->node))
				add_gone(n, arena_printf(c->arena, "%s/guest/%lld", guest->cluster,
							 (long long)guest->vmid));
		}
	}
	n->own_n = n->gone_n;
}

static void rule_dependents(const struct context *c, const struct judge_target *t,
			    struct raise *ret)
{
	struct needed n = { .c = c };

	/* Said once, for all targets together. */
	if (t != c->ask->targets || !c->config->depends_on_n ||
	    t->args.tool->impact < IMPACT_INTERRUPTS)
		return;
	add_own(&n);
	while (add_one_that_needs(&n))
		;
	look_at_guests(&n);
	free(n.gone);
	if (!n.n)
		return;
	ret->refuses = true;
	(void)snprintf(ret->fact, sizeof(ret->fact),
		       "It is needed by what still runs: %s. Stop that first.", n.names);
}

/* ── how much it hits ──────────────────────────────────────────────────────────────────────────────────────── */

static void rule_blast(const struct context *c, const struct judge_target *t, struct raise *ret)
{
	const struct msg_guest_state *guest;
	size_t at = 0, n = 0;

	if (!is_node_tool(t) || t->args.tool->impact != IMPACT_TAKES_NODE)
		return;
	while ((guest = view_next_guest(c->view, t->cluster, &at)))
		n += str_eq(guest->node, t->node->node) && guest->status == GUEST_RUNNING;
	(void)snprintf(ret->fact, sizeof(ret->fact), "%zu guests run on %s.", n, t->node->node);
}

/* ── where from ────────────────────────────────────────────────────────────────────────────────────────────── */

static void rule_download(const struct context *c, const struct judge_target *t, struct raise *ret)
{
	const struct config_safety_gate *gate = &c->config->safety_gate;
	const char *url = tool_args_get(&t->args, "url").s;
	const char *host = url ? url + strlen("https://") : NULL;
	size_t length = host ? strcspn(host, "/:") : 0;

	if (!host)
		return;
	for (size_t i = 0; i < gate->download_hosts_n; i++) {
		if (strlen(gate->download_hosts[i]) == length &&
		    memcmp(gate->download_hosts[i], host, length) == 0 && host[length] == '/')
			return;
	}
	ret->tier = TIER_BLACK;
	(void)snprintf(
		ret->fact, sizeof(ret->fact),
		"Downloads from %.*s are not allowed: safety_gate.download_hosts names the hosts.",
		(int)min_of(length, (size_t)100), host);
}

const struct context_rule context_rules[] = {
	{ "self", rule_self },
	{ "protected", rule_protected },
	{ "quorum", rule_quorum },
	{ "locked", rule_lock },
	{ "ha", rule_ha },
	{ "dependents", rule_dependents },
	{ "blast", rule_blast },
	{ "download", rule_download },
	{ "service", context_rule_unit },
	{ "command", context_rule_command },
};
const size_t context_rules_n = countof(context_rules);
