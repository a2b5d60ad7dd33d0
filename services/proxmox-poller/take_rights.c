/* SPDX-License-Identifier: MIT */
/*
 * The token's rights: what it may do, then the access list, which says where that comes from. The findings are told
 * in the log when they come and when they go.
 */
#include "services/proxmox-poller/cluster_taker.h"

#include <stdio.h>

#define RIGHTS_RETRY_MS 30000
#define FINDINGS_RETRY_MS 300000

static void judge_rights(struct cluster_poller *c, const struct pve_permissions *rights)
{
	const char *token = c->config->token;
	const char *missing = !rights->sys	 ? "Sys.Audit" :
			      !rights->vm	 ? "VM.Audit" :
			      !rights->datastore ? "Datastore.Audit" :
						   NULL;

	c->rights_known = true;
	c->sees_all_guests = rights->all_guests;
	c->rights_error[0] = '\0';
	if (rights->none || missing)
		(void)snprintf(
			c->rights_error, sizeof(c->rights_error),
			"token %.64s %s%s: pveum acl modify / --tokens '%.64s' --roles PVEAuditor",
			token, rights->none ? "may see nothing" : "lacks ",
			rights->none ? "" : missing, token);
}

static void log_findings(const struct cluster_poller *c, const struct pve_findings *before)
{
	for (size_t i = 0; i < c->findings.n; i++) {
		const struct msg_finding *f = &c->findings.list[i];

		if (!pve_findings_find(before, f->id))
			log_warn("%s: %s: %s; %s", c->config->name, f->title,
				 f->detail ? f->detail : "", f->cure ? f->cure : "");
	}
	for (size_t i = 0; i < before->n; i++) {
		if (!pve_findings_find(&c->findings, before->list[i].id))
			log_info("%s: mended: %s", c->config->name, before->list[i].title);
	}
}

/* What was given or taken away may open or close lists of packages. */
static void call_updates(struct cluster_poller *c, const cJSON *before)
{
	for (size_t i = 0; i < c->sources_n; i++) {
		struct source *s = c->sources[i];
		_cleanup_(freep) char *path = xasprintf("/nodes/%s", s->node);

		if (s->kind == SOURCE_UPDATES && !s->slot.off &&
		    pve_rights_has(before, path, "Sys.Modify") !=
			    pve_rights_has(c->permissions, path, "Sys.Modify"))
			slot_call(&s->slot, cluster_poller_now(c).boot_ms);
	}
}

static int take_token(struct cluster_poller *c, struct source *source, cJSON **answer)
{
	_cleanup_(json_treep) cJSON *old = NULL;
	bool was_bad = c->rights_error[0];
	struct pve_permissions rights;
	int r;

	r = pve_parse_permissions(*answer, &rights);
	if (r < 0)
		return r;
	judge_rights(c, &rights);
	if (c->rights_error[0] && !was_bad)
		log_warn("%s: %s", c->config->name, c->rights_error);
	old = take(c->permissions);
	c->permissions = take(*answer);
	if (old)
		call_updates(c, old);
	source->step = PERMISSIONS_ACL;
	return CLUSTER_MORE;
}

bool cluster_bears_permissions(struct cluster_poller *c, const struct source *source,
			       const char *reason, const struct pve_fault *fault)
{
	(void)c;
	(void)reason;
	return source->step == PERMISSIONS_ACL && cluster_is_refusal(fault->class);
}

int cluster_take_permissions(struct cluster_poller *c, struct source *source, cJSON **answer)
{
	struct pve_findings before;

	if (source->step == PERMISSIONS_TOKEN)
		return take_token(c, source, answer);
	before = c->findings;
	c->findings = (struct pve_findings){ 0 };
	if (source->refusal)
		cluster_count_borne(c, source);
	pve_rights_judge(c->permissions, *answer, c->config->token, &c->findings);
	log_findings(c, &before);
	pve_findings_done(&before);
	/* Whoever mends it wants to see it mended. */
	if (c->rights_error[0] || c->findings.n)
		source->slot.due_ms =
			min_of(source->slot.due_ms,
			       cluster_poller_now(c).boot_ms +
				       (c->rights_error[0] ? RIGHTS_RETRY_MS : FINDINGS_RETRY_MS));
	c->is_dirty = true;
	return 0;
}
