/* SPDX-License-Identifier: MIT */
/*
 * Connections and those who wait for them. Everything happens on the loop: a link's timer starts what is to be done,
 * so that nobody is ever called from within.
 */
#include "services/executor/ssh_link.h"

#include "common/alloc.h"
#include "common/log.h"
#include "common/secret.h"
#include "common/timer.h"
#include "common/work.h"

#define IDLE_MS 300000
/* How often one that was never sent may find its connection gone. */
#define TRIES_MAX 2

struct ssh_link {
	struct ssh_link *next;
	struct ssh_links *links;
	char *cluster, *node, *host, *user, *known_hosts;
	unsigned port;
	struct ssh *ssh; /* NULL: none now */
	bool was_up;	 /* this one */
	struct timer *timer;
	struct ssh_ask *asks;
};

struct ssh_links {
	struct service_env *env;
	struct ssh_link *list;
};

struct ssh_ask {
	struct ssh_ask *next;
	struct ssh_link *link;
	char *command, *input;
	size_t input_len, max_bytes;
	unsigned timeout_ms;
	bool is_read, is_doomed;
	unsigned tries;
	struct ssh_call *call; /* NULL: it waits */
	ssh_link_fn fn;
	void *ctx;
};

/* ── asks ──────────────────────────────────────────────────────────────────────────────────────────────────── */

static void detach(struct ssh_ask *ask)
{
	struct ssh_ask **at = &ask->link->asks;

	while (*at != ask)
		at = &(*at)->next;
	*at = ask->next;
}

static void ask_free(struct ssh_ask *ask)
{
	detach(ask);
	free(ask->command);
	free(ask->input);
	free(ask);
}

static void rest(struct ssh_link *link)
{
	if (!link->asks)
		timer_once(link->timer, IDLE_MS);
}

static void tell(struct ssh_ask *ask, const struct ssh_reply *reply)
{
	struct ssh_link *link = ask->link;
	ssh_link_fn fn = ask->fn;
	void *ctx = ask->ctx;

	ask_free(ask);
	rest(link);
	fn(ctx, reply);
}

static struct ssh_ask *find_doomed(const struct ssh_link *link)
{
	for (struct ssh_ask *ask = link->asks; ask; ask = ask->next) {
		if (ask->is_doomed)
			return ask;
	}
	return NULL;
}

/* Whoever waits, and has waited for MIN_TRIES connections before, waits no more. */
static void fail_waiting(struct ssh_link *link, unsigned min_tries, const char *error)
{
	const struct ssh_reply reply = { .error = error };
	struct ssh_ask *ask;

	for (ask = link->asks; ask; ask = ask->next)
		ask->is_doomed = !ask->call && ask->tries >= min_tries;
	while ((ask = find_doomed(link)))
		tell(ask, &reply);
}

static void on_done(void *ctx, const struct ssh_result *result)
{
	struct ssh_ask *ask = ctx;
	struct ssh_reply reply = {
		.is_sent = result->outcome != SSH_NOT_RUN,
		.result = result->outcome != SSH_NOT_RUN ? result : NULL,
		.error = result->error,
	};

	ask->call = NULL;
	/* The end of the connection is told next, and it goes over a new one. */
	if (result->outcome == SSH_CUT && ask->is_read && ask->tries < TRIES_MAX) {
		timer_once(ask->link->timer, 0);
		return;
	}
	tell(ask, &reply);
}

static void run_waiting(struct ssh_link *link)
{
	for (struct ssh_ask *ask = link->asks; ask; ask = ask->next) {
		const struct ssh_command command = {
			.command = ask->command,
			.input = ask->input,
			.input_len = ask->input_len,
			.timeout_ms = ask->timeout_ms,
			.max_bytes = ask->max_bytes,
		};

		if (ask->call || ask->is_doomed)
			continue;
		ask->call = ssh_exec(link->ssh, &command, on_done, ask);
		ask->tries += ask->call != NULL;
	}
}

/* ── the connection ────────────────────────────────────────────────────────────────────────────────────────── */

static void on_up(void *ctx)
{
	struct ssh_link *link = ctx;

	link->was_up = true;
	counter_add(link->links->env->counters, "ssh_connects", 1);
	run_waiting(link);
}

static void on_down(void *ctx, enum ssh_end end, const char *error)
{
	struct ssh_link *link = ctx;
	bool was_up = link->was_up;

	(void)end;
	ssh_free(take(link->ssh));
	counter_add(link->links->env->counters, "ssh_lost", 1);
	if (link->asks)
		log_warn("%s/%s: %s", link->cluster, link->node, error);
	if (was_up)
		timer_once(link->timer, 0);
	fail_waiting(link, was_up ? TRIES_MAX : 0, error);
}

static void dispose(struct ssh_link *link)
{
	ssh_free(take(link->ssh));
	timer_stop(link->timer);
}

static void connect_link(struct ssh_link *link)
{
	static const struct ssh_hooks hooks = { on_up, on_down };
	struct service_env *env = link->links->env;
	_cleanup_(secret_done) struct secret key = { 0 };
	_cleanup_(str_done) struct str error = { 0 };
	struct ssh_options options = {
		.loop = env->loop,
		.host = link->host,
		.port = link->port,
		.user = link->user,
		.known_hosts = link->known_hosts,
	};

	if (secret_read(env->secrets_dir, "executor", "ssh-key", &key, &error) < 0) {
		fail_waiting(link, 0, str_get(&error));
		return;
	}
	options.key = key.value;
	options.key_len = key.len;
	link->was_up = false;
	link->ssh = ssh_open(&options, &hooks, link);
}

static void on_timer(void *ctx)
{
	struct ssh_link *link = ctx;

	if (!link->asks)
		dispose(link);
	else if (!link->ssh)
		connect_link(link);
	else if (ssh_is_up(link->ssh))
		run_waiting(link);
}

/* ── links ─────────────────────────────────────────────────────────────────────────────────────────────────── */

static struct ssh_link *link_new(struct ssh_links *links, const struct ssh_target *target)
{
	struct ssh_link *link = xnew(struct ssh_link);

	link->links = links;
	link->cluster = xstrdup(target->cluster);
	link->node = xstrdup(target->node);
	link->host = xstrdup(target->host);
	link->user = xstrdup(target->user);
	link->known_hosts = xstrdup(target->known_hosts);
	link->port = target->port;
	link->timer = timer_new(links->env->loop, on_timer, link);
	link->next = links->list;
	links->list = link;
	return link;
}

static void link_free(struct ssh_link *link)
{
	while (link->asks)
		ssh_links_cancel(link->asks);
	dispose(link);
	timer_free(link->timer);
	free(link->cluster);
	free(link->node);
	free(link->host);
	free(link->user);
	free(link->known_hosts);
	free(link);
}

static struct ssh_link *find_link(const struct ssh_links *links, const struct ssh_target *target)
{
	for (struct ssh_link *link = links->list; link; link = link->next) {
		if (str_eq(link->cluster, target->cluster) && str_eq(link->node, target->node) &&
		    str_eq(link->host, target->host) && link->port == target->port &&
		    str_eq(link->user, target->user) &&
		    str_eq(link->known_hosts, target->known_hosts))
			return link;
	}
	return NULL;
}

struct ssh_links *ssh_links_new(struct service_env *env)
{
	struct ssh_links *links = xnew(struct ssh_links);
	/* Logging in blocks a dead node's job for its whole deadline; one more is the link to the broker. */
	size_t jobs = 1;

	for (size_t i = 0; i < env->config->clusters_n; i++) {
		const struct config_cluster *cluster = &env->config->clusters[i];

		if (cluster->executor && cluster->executor->ssh)
			jobs += cluster->nodes_n;
	}
	work_reserve(jobs);
	links->env = env;
	return links;
}

void ssh_links_free(struct ssh_links *links)
{
	if (!links)
		return;
	while (links->list) {
		struct ssh_link *link = links->list;

		links->list = link->next;
		link_free(link);
	}
	free(links);
}

void ssh_links_reread(struct ssh_links *links)
{
	for (struct ssh_link **at = &links->list; *at;) {
		struct ssh_link *link = *at;

		if (link->asks) {
			at = &link->next;
			continue;
		}
		*at = link->next;
		link_free(link);
	}
}

struct ssh_ask *ssh_links_ask(struct ssh_links *links, const struct ssh_target *target,
			      const struct ssh_command *command, bool is_read, ssh_link_fn fn,
			      void *ctx)
{
	struct ssh_ask *ask = xnew(struct ssh_ask);
	struct ssh_link *link = find_link(links, target);

	ask->link = link ? link : link_new(links, target);
	ask->command = xstrdup(command->command);
	ask->input = xmalloc(max_of(command->input_len, (size_t)1));
	if (command->input_len)
		memcpy(ask->input, command->input, command->input_len);
	ask->input_len = command->input_len;
	ask->timeout_ms = command->timeout_ms;
	ask->max_bytes = command->max_bytes;
	ask->is_read = is_read;
	ask->fn = fn;
	ask->ctx = ctx;
	ask->next = ask->link->asks;
	ask->link->asks = ask;
	timer_once(ask->link->timer, 0);
	return ask;
}

void ssh_links_cancel(struct ssh_ask *ask)
{
	struct ssh_link *link;

	if (!ask)
		return;
	link = ask->link;
	if (ask->call)
		ssh_cancel(ask->call);
	ask_free(ask);
	rest(link);
}
