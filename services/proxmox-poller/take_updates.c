/* SPDX-License-Identifier: MIT */
/*
 * Updates and certificates of a node: three questions, of which the first is left out where the token's rights are
 * known not to reach, and the second where the first was answered. What one of them does not tell is null, with a
 * reason, and costs the others nothing.
 */
#include "services/proxmox-poller/cluster_taker.h"
#include "services/proxmox-poller/pve_updates.h"

#include <errno.h>

struct updates_round {
	bool has, partial;
	struct pve_updates updates;
	const char *reason;
};

void cluster_begin_updates(struct cluster_poller *c, struct source *source)
{
	_cleanup_(freep) char *path = xasprintf("/nodes/%s", source->node);
	bool known = pve_data_object(c->permissions);

	if (known && !pve_rights_has(c->permissions, path, "Sys.Modify"))
		source->step = UPDATES_OWN;
}

bool cluster_bears_updates(struct cluster_poller *c, const struct source *source,
			   const char *reason, const struct pve_fault *fault)
{
	(void)c;
	(void)source;
	(void)reason;
	return cluster_is_refusal(fault->class);
}

static struct updates_round *round_of(struct source *source)
{
	if (!source->round) {
		source->round_arena = arena_new();
		source->round = arena_alloc(source->round_arena, sizeof(struct updates_round));
	}
	return source->round;
}

static const char *why_partial(const struct cluster_poller *c, struct arena *arena)
{
	const char *token = c->config->token;

	/* Of the user's rights the token has only those that it was given itself, so both need it. */
	return arena_printf(
		arena,
		"all packages need Sys.Modify: pveum role add JarvisUpdates --privs Sys.Modify; pveum "
		"acl modify /nodes --users '%.*s' --tokens '%.64s' --roles PVEAuditor,JarvisUpdates",
		(int)strcspn(token, "!"), token, token);
}

static void publish(struct cluster_poller *c, struct source *source,
		    const struct updates_round *round, const struct pve_certificate *certificate)
{
	const char *const args[] = { c->config->name, source->node, NULL };
	struct msg_node_updates doc = {
		.ts = cluster_poller_now(c).wall_ms,
		.cluster = c->config->name,
		.node = source->node,
		.certificate = certificate->file,
		.reason = pve_text(source->round_arena, round->reason, 256),
	};

	if (certificate->ends_s.has && certificate->ends_s.v < INT64_MAX / 1000)
		doc.certificate_ends_ms = some_i64(certificate->ends_s.v * 1000);
	if (round->has) {
		const struct pve_updates *u = &round->updates;

		doc.pending = some_i64((int64_t)u->pending);
		doc.packages = u->packages;
		doc.packages_n = u->packages_n;
		doc.partial = some_bool(round->partial);
		if (!round->partial && (u->security || !u->undecided))
			doc.security = some_i64((int64_t)u->security);
	}
	(void)state_set(c->env->state, TOPIC_NODE_UPDATES, args, &doc);
}

/* What is to be asked next; the round knows what there is. */
static int take_packages(struct cluster_poller *c, struct source *source,
			 struct updates_round *round, const cJSON *answer)
{
	bool own = source->step == UPDATES_OWN;
	int r = -EINVAL;

	if (!source->refusal)
		r = own ? pve_parse_versions(answer, source->round_arena, &round->updates) :
			  pve_parse_updates(answer, source->round_arena, &round->updates);
	if (r == 0) {
		round->has = true;
		round->partial = own;
		round->reason = own ? why_partial(c, source->round_arena) : NULL;
		if (round->updates.bad)
			counter_add(c->env->counters, "pve_bad_rows", (int64_t)round->updates.bad);
	} else {
		cluster_count_borne(c, source);
		round->reason = source->refusal ?
					arena_strdup(source->round_arena, source->refusal->text) :
					"the list of packages makes no sense";
	}
	source->step = r < 0 && !own ? UPDATES_OWN : UPDATES_CERTIFICATES;
	return CLUSTER_MORE;
}

int cluster_take_updates(struct cluster_poller *c, struct source *source, cJSON **answer)
{
	struct updates_round *round = round_of(source);
	struct pve_certificate certificate = { 0 };

	if (source->step != UPDATES_CERTIFICATES)
		return take_packages(c, source, round, *answer);
	if (source->refusal ||
	    pve_parse_certificates(*answer, source->round_arena, &certificate) < 0) {
		cluster_count_borne(c, source);
		if (!round->reason)
			round->reason = source->refusal ? arena_strdup(source->round_arena,
								       source->refusal->text) :
							  "the list of certificates makes no sense";
	}
	publish(c, source, round, &certificate);
	cluster_adopt(c, SOURCE_UPDATES, TOPIC_NODE_UPDATES);
	c->is_dirty = true;
	return 0;
}
