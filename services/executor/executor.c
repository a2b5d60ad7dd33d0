/* SPDX-License-Identifier: MIT */
/*
 * The service's life, and what it hears that needs no decision.
 */
#include "services/executor/executor_parts.h"

#include "common/secret.h"

#include <errno.h>
#include <stdio.h>

#define KEYS_RETRY_MS 10000
/* Nothing that old would be taken for fresh by anybody. */
#define KEEP_MS (32LL * 86400 * 1000)
#define PRUNE_EVERY_MS (86400LL * 1000)

/* ── keys and clusters ─────────────────────────────────────────────────────────────────────────────────────── */

static int read_keys(struct executor *x, struct str *error)
{
	_cleanup_(secret_done) struct secret secret = { 0 };
	struct grant_keys keys;
	int r = secret_read(x->env->secrets_dir, "executor", "gate.pub", &secret, error);

	if (r < 0)
		return r;
	if (grant_keys_from_hex(secret.value, &keys) < 0) {
		str_add(error,
			"secrets/executor/gate.pub does not hold the safety gate's public key "
			"(64 hexadecimal digits; two while it is exchanged): jarvisctl keys");
		return -EINVAL;
	}
	x->keys = keys;
	return 0;
}

bool executor_has_keys(struct executor *x)
{
	int64_t now = executor_now(x);

	if (x->keys.n || (x->keys_retry_ms && now < x->keys_retry_ms))
		return x->keys.n;
	str_clear(&x->keys_error);
	if (read_keys(x, &x->keys_error) < 0 && !x->keys_retry_ms)
		log_error("no grant can be checked, so nothing is done: %s",
			  str_get(&x->keys_error));
	x->keys_retry_ms = now + KEYS_RETRY_MS;
	return x->keys.n;
}

struct pve_link *executor_link(const struct executor *x, const char *cluster)
{
	for (size_t i = 0; cluster && i < x->links_n; i++) {
		if (str_eq(pve_link_cluster(x->links[i]), cluster))
			return x->links[i];
	}
	return NULL;
}

static void on_change(void *ctx)
{
	executor_pump(ctx);
}

/* The link for CLUSTER: the old one when nothing about it differs. */
static struct pve_link *renew_link(struct executor *x, const struct config_cluster *cluster)
{
	struct pve_link *old = executor_link(x, cluster->name);

	if (!old || !pve_link_is_for(old, cluster))
		return pve_link_new(x->env, cluster, on_change, x);
	pve_link_reread(old);
	return pve_link_ref(old);
}

static void drop_links(struct pve_link **links, size_t n, const struct executor *x)
{
	for (size_t i = 0; i < n; i++) {
		if (executor_link(x, pve_link_cluster(links[i])) != links[i])
			pve_link_close(links[i]);
		pve_link_unref(links[i]);
	}
	free(links);
}

static void make_links(struct executor *x, const struct config *config)
{
	struct pve_link **made = xcalloc(max_of(config->clusters_n, (size_t)1), sizeof(*made));
	struct pve_link **old = x->links;
	size_t old_n = x->links_n, n = 0;

	for (size_t i = 0; i < config->clusters_n; i++) {
		if (config->clusters[i].executor)
			made[n++] = renew_link(x, &config->clusters[i]);
	}
	x->links = made;
	x->links_n = n;
	drop_links(old, old_n, x);
	if (!n)
		log_info("no cluster has an executor section: there is nothing to act on");
}

/* ── hooks ─────────────────────────────────────────────────────────────────────────────────────────────────── */

static bool has_poller(void *ctx)
{
	const struct executor *x = ctx;

	return docs_is_online(x->docs, SERVICE_PROXMOX_POLLER);
}

static void progress(void *ctx, const struct msg_action_progress *message)
{
	const struct executor *x = ctx;

	(void)bus_publish(x->env->bus, TOPIC_X_PROGRESS, NULL, message);
}

static void tick_cb(void *ctx)
{
	executor_pump(ctx);
}

static int open_journal(struct executor *x)
{
	_cleanup_(str_done) struct str error = { 0 };
	int r = journal_open(x->env->data_dir, &x->journal, &error);

	if (error.len)
		log_error("%s", str_get(&error));
	return r;
}

void executor_prune(struct executor *x)
{
	int64_t now = executor_now(x);

	if (x->pruned_ms && now - x->pruned_ms < PRUNE_EVERY_MS)
		return;
	x->pruned_ms = now;
	if (journal_prune(x->journal, clock_wall_ms(x->env->clock) - KEEP_MS) < 0)
		log_error("the journal: %s", journal_error(x->journal));
}

int executor_start(struct service_env *env, void **ret)
{
	struct executor *x = xnew(struct executor);
	int r;

	x->env = env;
	freeze_init(&x->freeze, env->runtime_dir);
	x->docs = docs_new();
	x->refresh = refresh_new(env);
	x->ssh = ssh_links_new(env);
	x->timer = timer_new(env->loop, tick_cb, x);
	x->host = (struct run_host){
		.env = env,
		.freeze = &x->freeze,
		.refresh = x->refresh,
		.ssh = x->ssh,
		.has_poller = has_poller,
		.objection = executor_objection,
		.progress = progress,
		.finished = executor_finished,
		.ctx = x,
	};
	r = open_journal(x);
	if (r < 0) {
		executor_free(x);
		return r;
	}
	x->host.journal = x->journal;
	executor_prune(x);
	(void)executor_has_keys(x);
	make_links(x, env->config);
	r = executor_take_up(x);
	if (r < 0) {
		executor_free(x);
		return r;
	}
	*ret = x;
	return 0;
}

void executor_stop(void *self)
{
	struct executor *x = self;

	if (x->is_stopping)
		return;
	x->is_stopping = true;
	/* What is under way at Proxmox goes on there; the journal knows of it. */
	executor_end_jobs(x);
	timer_free(take(x->timer));
	ssh_links_free(take(x->ssh));
	for (size_t i = 0; i < x->links_n; i++) {
		pve_link_close(x->links[i]);
		pve_link_unref(x->links[i]);
	}
	x->links_n = 0;
	refresh_free(take(x->refresh));
}

void executor_free(void *self)
{
	struct executor *x = self;

	if (!x)
		return;
	executor_stop(x);
	free(x->links);
	wishes_done(&x->wishes);
	outbox_done(&x->outbox);
	str_done(&x->keys_error);
	docs_free(x->docs);
	freeze_done(&x->freeze);
	journal_free(x->journal);
	free(x);
}

void executor_reload(void *self, const struct config *config)
{
	struct executor *x = self;
	_cleanup_(str_done) struct str error = { 0 };

	if (read_keys(x, &error) < 0)
		log_error("%s%s", x->keys.n ? "going on with the old key: " : "", str_get(&error));
	make_links(x, config);
	ssh_links_reread(x->ssh);
	executor_pump(x);
}

void executor_on_online(void *self)
{
	struct executor *x = self;

	outbox_hurry(&x->outbox);
	executor_say_hello(x);
	executor_pump(x);
}

void executor_on_offline(void *self)
{
	struct executor *x = self;

	docs_offline(x->docs);
	/* What the gate has meanwhile decided will be said again. */
	wishes_done(&x->wishes);
	x->epoch = 0;
	x->is_fenced = false;
}

/* ── what is heard ─────────────────────────────────────────────────────────────────────────────────────────── */

void executor_on_document(void *self, const struct msg *msg)
{
	struct executor *x = self;

	docs_take(x->docs, msg, executor_now(x));
}

void executor_on_presence(void *self, const struct msg *msg)
{
	struct executor *x = self;
	bool was_there = docs_is_online(x->docs, SERVICE_SAFETY_GATE);

	docs_take(x->docs, msg, executor_now(x));
	executor_watch(x, msg);
	/* Who is fenced leaves it to the other one to be heard. */
	if (was_there || !docs_is_online(x->docs, SERVICE_SAFETY_GATE) || x->is_fenced)
		return;
	/* A gate that has just come may not have heard what was said before. */
	outbox_hurry(&x->outbox);
	executor_say_hello(x);
	executor_pump(x);
}

void executor_on_autonomy(void *self, const struct msg *msg)
{
	struct executor *x = self;
	bool was_stopped = freeze_stops(&x->freeze, TIER_YELLOW, executor_now(x));

	freeze_take(&x->freeze, msg->body, msg->retained, executor_now(x));
	if (was_stopped && x->wishes.n)
		executor_pump(x);
}

void executor_on_reply(void *self, const struct msg *msg)
{
	struct executor *x = self;

	if (msg->reply && x->refresh)
		refresh_on_reply(x->refresh, msg->reply);
}
