/* SPDX-License-Identifier: MIT */
/*
 * A command has a part for each cluster that it names; a part waits for requests that started after it came. A guest
 * takes two steps: the resources say where it is, then that node is asked how it is, because what pvestatd gathers
 * is up to 14 s old.
 */
#include "services/proxmox-poller/refresh_parts.h"

#include <stdio.h>

/* What a topic below any base is parsed with. */
#define BASE "-"
/* Commands expire after 30 s; nobody waits for the answer longer. */
#define WAIT_MAX_MS 20000
#define TEXT_BYTES 320
/* Commands that wait for one cluster. While it does not answer they would pile up. */
#define PARTS_MAX 256

struct refresh {
	struct service_env *env;
	struct msg command; /* only id and args */
	struct topic_args args;
	char *request_id;
	unsigned pending; /* parts */
	const char *code; /* NULL: all is well so far */
	char text[TEXT_BYTES];
};

/* ── the command ───────────────────────────────────────────────────────────────────────────────────────────── */

void refresh_fail(struct refresh *refresh, const char *code, const char *text)
{
	if (refresh->code)
		return; /* the first says it */
	refresh->code = code;
	(void)snprintf(refresh->text, sizeof(refresh->text), "%s", text);
}

static void refresh_unref(struct refresh *refresh)
{
	struct msg_reply reply = {
		.request_id = refresh->request_id ? refresh->request_id : "",
		.status = refresh->code ? REPLY_ERROR : REPLY_OK,
		.code = refresh->code,
		.text = refresh->code ? refresh->text : NULL,
	};

	if (--refresh->pending)
		return;
	bus_reply(refresh->env->bus, &refresh->command, refresh->request_id, &reply);
	free(refresh->request_id);
	free(refresh);
}

/* ── parts ─────────────────────────────────────────────────────────────────────────────────────────────────── */

static bool is_busy(const struct cluster_poller *c)
{
	size_t n = 0;

	for (const struct refresh_part *part = c->parts; part; part = part->next)
		n++;
	return n >= PARTS_MAX;
}

/* NULL when too many wait already. */
static struct refresh_part *part_of(struct cluster_poller *c, struct refresh *refresh)
{
	struct refresh_part *part;

	if (c->parts && c->parts->refresh == refresh)
		return c->parts;
	if (is_busy(c)) {
		refresh_fail(refresh, "busy", "too many wait for this cluster already");
		return NULL;
	}
	part = xnew(struct refresh_part);
	part->refresh = refresh;
	part->deadline_ms = cluster_poller_now(c).boot_ms + WAIT_MAX_MS;
	part->next = c->parts;
	c->parts = part;
	refresh->pending++;
	return part;
}

static void part_free(struct refresh_part *part)
{
	free(part->waits);
	free(part->guests);
	free(part);
}

static void call_object(struct cluster_poller *c, struct refresh *refresh, enum topic_id id,
			const struct topic_args *args)
{
	struct refresh_part *part = part_of(c, refresh);

	if (!part)
		return;
	if (!refresh_call_object(c, part, id, args))
		refresh_fail(refresh, "unknown_object",
			     "this is not read from Proxmox by the poller");
}

/* ── waiting ───────────────────────────────────────────────────────────────────────────────────────────────── */

static bool is_over(const struct cluster_poller *c, const struct refresh_part *part,
		    const struct wait *wait)
{
	const struct source *source =
		wait->item[0] ? cluster_poller_find_item(c, wait->kind, wait->node, wait->item) :
				cluster_poller_find(c, wait->kind, wait->node, wait->vmid);

	if (!source || source->slot.off)
		return true; /* gone or offline meanwhile: that was published */
	if (source->finished < wait->want)
		return false;
	if (!source->ok)
		refresh_fail(part->refresh, "failed", source->error);
	return true;
}

/* Second step: the guests themselves, where they are now. True when there is something more to wait for. */
static bool call_guests(struct cluster_poller *c, struct refresh_part *part)
{
	size_t before = part->waits_n;

	for (size_t i = 0; i < part->guests_n; i++) {
		const struct pve_guest *guest =
			pve_cluster_find_guest(&c->model, part->guests[i].vmid);
		struct source *source;

		/* What does not exist or cannot be asked has been published as such. */
		if (!guest || pve_cluster_is_offline(&c->model, guest->row->node))
			continue;
		source = cluster_poller_get(c, part->guests[i].kind, guest->row->node, guest->vmid);
		source->is_container = str_eq(guest->row->type, "lxc");
		refresh_call(c, part, source);
	}
	part->guests_n = 0;
	return part->waits_n > before;
}

static bool is_complete(struct cluster_poller *c, struct refresh_part *part)
{
	for (size_t i = 0; i < part->waits_n; i++) {
		if (!is_over(c, part, &part->waits[i]))
			return false;
	}
	return part->refresh->code || !call_guests(c, part);
}

void refresh_check(struct cluster_poller *c)
{
	for (struct refresh_part **at = &c->parts; *at;) {
		struct refresh_part *part = *at;

		if (!is_complete(c, part)) {
			at = &part->next;
			continue;
		}
		*at = part->next;
		refresh_unref(part->refresh);
		part_free(part);
	}
}

static const char *why_late(const struct cluster_poller *c)
{
	if (c->setup_error[0])
		return c->setup_error;
	return c->auth_failed ? c->auth_error : "Proxmox did not answer in time";
}

void refresh_expire(struct cluster_poller *c, int64_t now)
{
	bool hopeless = !c->http || c->auth_failed;

	for (struct refresh_part **at = &c->parts; *at;) {
		struct refresh_part *part = *at;

		if (part->deadline_ms > now && !hopeless) {
			at = &part->next;
			continue;
		}
		*at = part->next;
		refresh_fail(part->refresh, "timeout", why_late(c));
		refresh_unref(part->refresh);
		part_free(part);
	}
}

int64_t refresh_deadline(const struct cluster_poller *c)
{
	int64_t first = INT64_MAX;

	for (const struct refresh_part *part = c->parts; part; part = part->next)
		first = min_of(first, part->deadline_ms);
	return first;
}

void refresh_abandon(struct cluster_poller *c)
{
	while (c->parts) {
		struct refresh_part *part = c->parts;

		c->parts = part->next;
		refresh_fail(part->refresh, "stopping",
			     "the poller is stopping, or the cluster is not configured any more");
		refresh_unref(part->refresh);
		part_free(part);
	}
}

/* ── the command arrives ───────────────────────────────────────────────────────────────────────────────────── */

static struct cluster_poller *find_cluster(struct cluster_poller *const *clusters, size_t n,
					   const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (str_eq(clusters[i]->config->name, name))
			return clusters[i];
	}
	return NULL;
}

static void call_topic(struct refresh *refresh, struct cluster_poller *const *clusters, size_t n,
		       const char *object)
{
	_cleanup_(freep) char *topic = xasprintf(BASE "/%s", object);
	struct cluster_poller *c = NULL;
	struct topic_args args;
	enum topic_id id;

	if (topic_parse(BASE, topic, &id, &args) == 0 && args.n && str_starts(object, "pve/"))
		c = find_cluster(clusters, n, args.value[0]);
	if (c)
		call_object(c, refresh, id, &args);
	else
		refresh_fail(refresh, "unknown_object",
			     "no such object; it is named by its topic below the base, such as "
			     "pve/home/guest/101/state");
}

static struct refresh *refresh_new(struct service_env *env, const struct msg *msg)
{
	struct refresh *refresh = xnew(struct refresh);

	refresh->env = env;
	refresh->command.id = msg->id;
	refresh->args = *msg->args;
	refresh->command.args = &refresh->args;
	refresh->request_id = xstrdup_null(msg->request->request_id);
	/* Our own, until all parts are made. */
	refresh->pending = 1;
	return refresh;
}

void refresh_start(struct service_env *env, struct cluster_poller *const *clusters, size_t n,
		   const struct msg *msg)
{
	const struct msg_request *request = msg->request;
	struct refresh *refresh = refresh_new(env, msg);
	const struct topic_args none = { 0 };

	if (!str_eq(request->op, "refresh"))
		refresh_fail(refresh, "unknown_op", "the poller knows one operation: refresh");
	for (size_t i = 0; !refresh->code && i < request->objects_n; i++)
		call_topic(refresh, clusters, n, request->objects[i]);
	for (size_t i = 0; !refresh->code && !request->objects_n && i < n; i++)
		call_object(clusters[i], refresh, TOPIC_CLUSTER_STATE, &none);
	counter_add(env->counters, "pve_refreshes", 1);
	for (size_t i = 0; i < n; i++) {
		refresh_check(clusters[i]);
		cluster_poller_pump(clusters[i]);
	}
	refresh_unref(refresh);
}
