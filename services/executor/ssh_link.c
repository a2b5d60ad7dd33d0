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

#define IDLE_MS 300000
/* How often one that was never sent may find its connection gone. */
#define TRIES_MAX 2
/* At once; sshd's MaxSessions is 10, of which the connection itself needs one. */
#define CALLS_MAX 8
/* A living sshd opens a channel at once. */
#define HUNG_MS 3000

struct ssh_link {
	struct ssh_link *next;
	struct ssh_links *links;
	struct arena *arena;
	struct ssh_target to; /* in it */
	struct ssh *ssh;      /* NULL: none now */
	bool was_up;	      /* this one */
	bool is_left; /* another one leads there: what is on its way still comes back here */
	struct timer *timer;
	struct ssh_ask *asks; /* in the order in which they came */
};

struct ssh_links {
	struct service_env *env;
	struct ssh_link *list;
};

struct ssh_ask {
	struct ssh_ask *next;
	struct ssh_link *link;
	struct ssh_command command; /* its texts are ours */
	bool (*may_send)(void *ctx);
	bool is_read, is_doomed;
	bool is_sent, is_held; /* what MAY_SEND said; neither: it was not asked yet */
	unsigned tries;
	int64_t begun_ms;      /* CALL */
	struct ssh_call *call; /* NULL: it waits */
	ssh_link_fn fn;
	void *ctx;
};

static int64_t now_of(const struct ssh_link *link)
{
	return clock_boot_ms(link->links->env->clock);
}

/* ── asks ──────────────────────────────────────────────────────────────────────────────────────────────────── */

static void attach(struct ssh_link *link, struct ssh_ask *ask)
{
	struct ssh_ask **at = &link->asks;

	while (*at)
		at = &(*at)->next;
	*at = ask;
	ask->next = NULL;
	ask->link = link;
	timer_once(link->timer, 0);
}

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
	free((char *)ask->command.command);
	free((char *)ask->command.input);
	free(ask);
}

/* One has ended: perhaps another one waits for its place, or nobody needs it any more. */
static void rest(struct ssh_link *link)
{
	timer_once(link->timer, link->asks || link->is_left ? 0 : IDLE_MS);
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

/* There is no connection: whoever has waited for MIN_TRIES of them before waits no more. */
static void fail_waiting(struct ssh_link *link, unsigned min_tries, const char *error)
{
	const struct ssh_reply reply = { .error = error };
	struct ssh_ask *ask;

	for (ask = link->asks; ask; ask = ask->next)
		ask->is_doomed = ask->tries >= min_tries;
	while ((ask = find_doomed(link)))
		tell(ask, &reply);
}

/* What changes something only when it certainly never left. */
static bool may_go_again(const struct ssh_ask *ask, enum ssh_outcome outcome)
{
	bool is_lost = !ssh_is_up(ask->link->ssh);

	return ask->tries < TRIES_MAX && !ask->is_held &&
	       ((outcome == SSH_CUT && ask->is_read) || (outcome == SSH_NOT_SENT && is_lost));
}

static void on_done(void *ctx, const struct ssh_result *result)
{
	struct ssh_ask *ask = ctx;
	bool is_sent = result->outcome != SSH_NOT_RUN && result->outcome != SSH_NOT_SENT;
	struct ssh_reply reply = {
		.is_sent = is_sent,
		.result = is_sent ? result : NULL,
		.error = result->error,
	};

	ask->call = NULL;
	if (!may_go_again(ask, result->outcome)) {
		tell(ask, &reply);
		return;
	}
	/* The end of the connection is told next, and it goes over a new one. */
	ask->is_sent = false;
	timer_once(ask->link->timer, 0);
}

static bool may_send(void *ctx)
{
	struct ssh_ask *ask = ctx;

	ask->is_sent = !ask->may_send || ask->may_send(ask->ctx);
	ask->is_held = !ask->is_sent;
	return ask->is_sent;
}

static void run_ask(struct ssh_ask *ask)
{
	ask->call = ssh_exec(ask->link->ssh, &ask->command, on_done, ask);
	ask->begun_ms = now_of(ask->link);
	ask->tries++;
}

static void run_waiting(struct ssh_link *link)
{
	size_t calls = 0;
	bool is_opening = false;

	for (const struct ssh_ask *ask = link->asks; ask; ask = ask->next)
		calls += ask->call != NULL;
	for (struct ssh_ask *ask = link->asks; ask; ask = ask->next) {
		if (!ask->call && calls < CALLS_MAX) {
			run_ask(ask);
			calls++;
		}
		is_opening |= ask->call && !ask->is_sent;
	}
	if (is_opening)
		timer_once(link->timer, HUNG_MS);
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
		log_warn("%s/%s: %s", link->to.cluster, link->to.node, error);
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
		.host = link->to.host,
		.port = link->to.port,
		.user = link->to.user,
		.known_hosts = link->to.known_hosts,
		.connect_timeout_ms = link->to.connect_timeout_ms,
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

/* ── links ─────────────────────────────────────────────────────────────────────────────────────────────────── */

static void on_timer(void *ctx);

static struct ssh_link *link_new(struct ssh_links *links, const struct ssh_target *target)
{
	struct ssh_link *link = xnew(struct ssh_link);

	link->links = links;
	link->arena = arena_new();
	link->to = *target;
	link->to.cluster = arena_strdup(link->arena, target->cluster);
	link->to.node = arena_strdup(link->arena, target->node);
	link->to.host = arena_strdup(link->arena, target->host);
	link->to.user = arena_strdup(link->arena, target->user);
	link->to.known_hosts = arena_strdup(link->arena, target->known_hosts);
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
	arena_free(link->arena);
	free(link);
}

static bool is_same(const struct ssh_target *a, const struct ssh_target *b)
{
	return str_eq(a->cluster, b->cluster) && str_eq(a->node, b->node) &&
	       str_eq(a->host, b->host) && a->port == b->port && str_eq(a->user, b->user) &&
	       str_eq(a->known_hosts, b->known_hosts) &&
	       a->connect_timeout_ms == b->connect_timeout_ms;
}

/* The one that leads there now, made if there is none. */
static struct ssh_link *link_to(struct ssh_links *links, const struct ssh_target *target)
{
	for (struct ssh_link *link = links->list; link; link = link->next) {
		if (!link->is_left && is_same(&link->to, target))
			return link;
	}
	return link_new(links, target);
}

static void forget(struct ssh_link *link)
{
	struct ssh_link **at = &link->links->list;

	while (*at != link)
		at = &(*at)->next;
	*at = link->next;
	link_free(link);
}

/* Nothing is sent over LINK any more: what has not left goes another way. */
static void leave(struct ssh_link *link)
{
	link->is_left = true;
	for (struct ssh_ask *ask = link->asks, *next; ask; ask = next) {
		next = ask->next;
		if (ask->is_sent)
			continue;
		if (ask->call)
			ssh_cancel(take(ask->call));
		detach(ask);
		attach(link_to(link->links, &link->to), ask);
	}
	rest(link);
}

/* Something waits for a channel, and could be asked for over another connection. */
static bool is_hung(const struct ssh_link *link)
{
	for (const struct ssh_ask *ask = link->asks; ask; ask = ask->next) {
		if (ask->call && !ask->is_sent && ask->tries < TRIES_MAX &&
		    now_of(link) - ask->begun_ms >= HUNG_MS)
			return true;
	}
	return false;
}

static void on_timer(void *ctx)
{
	struct ssh_link *link = ctx;

	if (!link->asks && link->is_left)
		forget(link);
	else if (!link->asks)
		dispose(link);
	else if (!link->ssh)
		connect_link(link);
	else if (is_hung(link))
		leave(link);
	else if (ssh_is_up(link->ssh))
		run_waiting(link);
}

struct ssh_links *ssh_links_new(struct service_env *env)
{
	struct ssh_links *links = xnew(struct ssh_links);

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
	for (struct ssh_link *link = links->list, *next; link; link = next) {
		next = link->next;
		if (link->asks)
			leave(link);
		else
			forget(link);
	}
}

struct ssh_ask *ssh_links_ask(struct ssh_links *links, const struct ssh_target *target,
			      const struct ssh_command *command, bool is_read, ssh_link_fn fn,
			      void *ctx)
{
	struct ssh_ask *ask = xnew(struct ssh_ask);

	ask->command = *command;
	ask->command.command = xstrdup(command->command);
	ask->command.input = command->input ? xmemdup(command->input, command->input_len) : NULL;
	ask->command.may_send = may_send;
	ask->may_send = command->may_send;
	ask->is_read = is_read;
	ask->fn = fn;
	ask->ctx = ctx;
	attach(link_to(links, target), ask);
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
