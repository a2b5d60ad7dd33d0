/* SPDX-License-Identifier: MIT */
/*
 * The engine: which source is due and may start, at which endpoint, and what a failure means for source and
 * endpoint. It is woken by its timer and by every answer, and is the only place where a request starts.
 */
#include "services/proxmox-poller/cluster_poller.h"

#include "common/secret.h"
#include "services/proxmox-poller/publish.h"
#include "services/proxmox-poller/refresh.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>

#define ANSWER_MAX_BYTES ((size_t)8 << 20)
/* What the membership may take before the resources are asked for without it. */
#define GRACE_MS 1000
#define SETUP_RETRY_MS 10000
#define AUTH_RETRY_MS 60000
#define TRUST_RETRY_MS 30000
#define RETRY_MIN_MS 1000
#define RETRY_MAX_MS 60000
#define SLOW_GROWTH 4
/* Details that trickle in are told together. */
#define DIRTY_MS 1000

struct pve_now cluster_poller_now(const struct cluster_poller *c)
{
	return (struct pve_now){ clock_boot_ms(c->env->clock), clock_wall_ms(c->env->clock) };
}

/* ── sources ───────────────────────────────────────────────────────────────────────────────────────────────── */

/* Where the source stands, or would: the first that does not come before it. */
static size_t source_place(const struct cluster_poller *c, const struct source *key)
{
	size_t low = 0, high = c->sources_n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (source_compare(c->sources[middle], key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct source source_key(enum source_kind kind, const char *node, int64_t vmid)
{
	struct source key = { .kind = kind, .vmid = vmid };

	(void)snprintf(key.node, sizeof(key.node), "%s", node);
	return key;
}

struct source *cluster_poller_find(const struct cluster_poller *c, enum source_kind kind,
				   const char *node, int64_t vmid)
{
	struct source key = source_key(kind, node, vmid);
	size_t place = source_place(c, &key);

	if (place < c->sources_n && source_compare(c->sources[place], &key) == 0)
		return c->sources[place];
	return NULL;
}

struct source *cluster_poller_get(struct cluster_poller *c, enum source_kind kind, const char *node,
				  int64_t vmid)
{
	struct source key = source_key(kind, node, vmid);
	size_t place = source_place(c, &key);
	struct source *source;

	if (place < c->sources_n && source_compare(c->sources[place], &key) == 0)
		return c->sources[place];
	source = xmemdup(&key, sizeof(key));
	source->owner = c;
	slot_init(&source->slot, source_period_ms(kind, c->config), source_table[kind].of_node,
		  cluster_poller_now(c).boot_ms);
	if (source_table[kind].single)
		source->slot.due_ms = INT64_MAX;
	c->sources = xreallocarray(c->sources, c->sources_n + 1, sizeof(struct source *));
	memmove(&c->sources[place + 1], &c->sources[place],
		(c->sources_n - place) * sizeof(struct source *));
	c->sources[place] = source;
	c->sources_n++;
	return source;
}

static void source_free(struct source *source)
{
	if (source->call)
		http_cancel(source->call);
	free(source);
}

static void sync_node(struct cluster_poller *c, const struct pve_node *node)
{
	static const enum source_kind kinds[] = { SOURCE_NODE, SOURCE_STORAGE };
	bool offline = pve_cluster_node_status(&c->model, node, NULL) == NODE_OFFLINE;

	for (size_t i = 0; i < countof(kinds); i++) {
		struct source *source = cluster_poller_get(c, kinds[i], node->name, 0);

		source->gone = false;
		if (source->slot.off && !offline) {
			source->slot.failures = 0;
			slot_call(&source->slot, cluster_poller_now(c).boot_ms);
		}
		source->slot.off = offline;
		if (offline)
			(void)snprintf(source->error, sizeof(source->error),
				       "the node is offline and is not asked");
	}
}

void cluster_poller_sync_nodes(struct cluster_poller *c)
{
	size_t kept = 0;

	for (size_t i = 0; i < c->sources_n; i++)
		c->sources[i]->gone = c->sources[i]->kind == SOURCE_NODE ||
				      c->sources[i]->kind == SOURCE_STORAGE;
	for (size_t i = 0; i < c->model.nodes_n; i++)
		sync_node(c, &c->model.nodes[i]);
	for (size_t i = 0; i < c->sources_n; i++) {
		if (c->sources[i]->gone)
			source_free(c->sources[i]);
		else
			c->sources[kept++] = c->sources[i];
	}
	c->sources_n = kept;
}

/* Guests that were asked for and whom nobody waits for any more. */
static void drop_guests(struct cluster_poller *c)
{
	size_t kept = 0;

	for (size_t i = 0; i < c->sources_n; i++) {
		struct source *s = c->sources[i];

		if (s->kind == SOURCE_GUEST && !s->slot.busy && s->slot.due_ms == INT64_MAX)
			source_free(s);
		else
			c->sources[kept++] = s;
	}
	c->sources_n = kept;
}

/* ── token and connection ──────────────────────────────────────────────────────────────────────────────────── */

static bool is_token_secret(const char *text)
{
	return text[0] && strspn(text, "0123456789abcdefABCDEF-") == strlen(text);
}

static void forget_authorization(struct cluster_poller *c)
{
	if (c->authorization)
		sodium_memzero(c->authorization, strlen(c->authorization));
	free(c->authorization);
	c->authorization = NULL;
}

static int read_token(struct cluster_poller *c)
{
	_cleanup_(str_done) struct str error = { 0 };
	_cleanup_(freep) char *name = xasprintf("%s.token", c->config->name);
	_cleanup_(secret_done) struct secret secret = { 0 };
	int r = secret_read(c->env->secrets_dir, "proxmox-poller", name, &secret, &error);

	if (r < 0) {
		(void)snprintf(c->setup_error, sizeof(c->setup_error), "%s", str_get(&error));
		return r;
	}
	if (!is_token_secret(secret.value)) {
		(void)snprintf(c->setup_error, sizeof(c->setup_error),
			       "secrets/proxmox-poller/%s does not hold the secret of an API token (a UUID), "
			       "as pveum user token add prints it",
			       name);
		return -EINVAL;
	}
	forget_authorization(c);
	c->authorization =
		xasprintf("Authorization: PVEAPIToken=%s=%s", c->config->token, secret.value);
	return 0;
}

static int make_http(struct cluster_poller *c)
{
	const struct http_options options = {
		.loop = c->env->loop,
		.ca_file = c->config->ca,
		.connect_timeout_ms = (unsigned)c->config->connect_timeout_ms,
		.timeout_ms = (unsigned)c->config->request_timeout_ms,
		.max_bytes = ANSWER_MAX_BYTES,
	};
	int r = http_new(&options, &c->http);

	if (r < 0)
		(void)snprintf(c->setup_error, sizeof(c->setup_error),
			       "%s cannot be used as certificate authority: %s", c->config->ca,
			       strerror(-r));
	return r;
}

/* Reads what is needed to ask at all; tried again until it is there, so that nobody needs to restart us. */
static bool set_up(struct cluster_poller *c, int64_t now)
{
	bool had_error = c->setup_error[0];

	if (c->http)
		return true;
	if (now < c->setup_retry_ms)
		return false;
	c->setup_retry_ms = now + SETUP_RETRY_MS;
	if (!c->endpoints.n)
		(void)snprintf(c->setup_error, sizeof(c->setup_error),
			       "no node of cluster %s has an address: set clusters.%s.nodes.NODE.address",
			       c->config->name, c->config->name);
	else if (read_token(c) == 0 && make_http(c) == 0)
		c->setup_error[0] = '\0';
	if (c->setup_error[0] && !had_error)
		log_error("%s: %s", c->config->name, c->setup_error);
	if (c->setup_error[0])
		c->is_dirty = true;
	return c->http;
}

/* ── one request ───────────────────────────────────────────────────────────────────────────────────────────── */

static struct pve_question question_of(const struct cluster_poller *c, const struct source *source,
				       const char *address, const char *path)
{
	const struct config_node *endpoint = c->endpoint_nodes[source->endpoint];

	return (struct pve_question){
		.cluster = c->config->name,
		.token = c->config->token,
		.endpoint = endpoint->name,
		.address = address,
		.node = source->node[0] ? source->node : NULL,
		.path = path,
		.pin = endpoint->fingerprint,
	};
}

/* The endpoint is the node that does the work, not one that hands it on. */
static bool is_direct(const struct cluster_poller *c, const struct source *source)
{
	return !source->node[0] || str_eq(source->node, c->endpoint_nodes[source->endpoint]->name);
}

/* True when the failure speaks against the endpoint, and not against what lies behind it. */
static bool blames_endpoint(const struct cluster_poller *c, const struct source *source,
			    enum pve_class class)
{
	const struct source_def *def = &source_table[source->kind];

	if (class == PVE_UNREACHABLE || class == PVE_NOT_TRUSTED)
		return true;
	if (class == PVE_TIMEOUT)
		return !def->slow && is_direct(c, source);
	return def->vital && pve_is_endpoint_fault(class);
}

static void note_endpoint(struct cluster_poller *c, const struct source *source,
			  const struct pve_fault *fault, int64_t now)
{
	bool untrusted = fault->class == PVE_NOT_TRUSTED;
	bool is_first = !c->endpoints.list[source->endpoint].failures;

	if (is_first && !untrusted)
		log_info("%s: %s", c->config->name, fault->text);
	endpoint_failed(&c->endpoints, source->endpoint, now, untrusted ? TRUST_RETRY_MS : 0);
	if (!untrusted)
		return;
	if (!str_eq(c->trust_error, fault->text))
		log_error("%s: %s", c->config->name, fault->text);
	(void)snprintf(c->trust_error, sizeof(c->trust_error), "%s", fault->text);
}

static void note_auth(struct cluster_poller *c, const struct pve_fault *fault, int64_t now)
{
	if (!c->auth_failed)
		log_error("%s: %s", c->config->name, fault->text);
	c->auth_failed = true;
	c->auth_retry_ms = now + AUTH_RETRY_MS;
	(void)snprintf(c->auth_error, sizeof(c->auth_error), "%s", fault->text);
}

/* When SOURCE is asked again after a failure. */
static void retry_later(struct cluster_poller *c, struct source *source, enum pve_class class,
			bool blamed, int64_t now)
{
	int64_t period = source->slot.period_ms;
	const struct dice *dice = &c->endpoints.dice;

	if (source_table[source->kind].single) {
		slot_failed(&source->slot, now, 0, 0, dice);
		source->slot.due_ms = INT64_MAX;
	} else if (blamed && !source->slot.failures) {
		slot_failed(&source->slot, now, 0, 0, dice); /* another endpoint, at once */
	} else if (class == PVE_PERMISSION || class == PVE_AUTH) {
		slot_failed(&source->slot, now, min_of(period, (int64_t)RETRY_MAX_MS),
			    min_of(period, (int64_t)RETRY_MAX_MS), dice);
	} else if (source_table[source->kind].slow) {
		/* Each attempt may cost the node a worker, of which it has three. */
		slot_failed(&source->slot, now, period, period * SLOW_GROWTH, dice);
	} else {
		slot_failed(&source->slot, now, RETRY_MIN_MS, min_of(period, (int64_t)RETRY_MAX_MS),
			    dice);
	}
}

static void on_failure(struct cluster_poller *c, struct source *source, const struct pve_fault *fault)
{
	int64_t now = cluster_poller_now(c).boot_ms;
	bool blamed = blames_endpoint(c, source, fault->class);
	bool is_first = !source->slot.failures;

	counter_add(c->env->counters, pve_class_counter(fault->class), 1);
	if (blamed)
		note_endpoint(c, source, fault, now);
	if (fault->class == PVE_AUTH)
		note_auth(c, fault, now);
	(void)snprintf(source->error, sizeof(source->error), "%s", fault->text);
	source->ok = false;
	retry_later(c, source, fault->class, blamed, now);
	/* Whoever waits is told only when no other endpoint is tried at once. */
	if (source->slot.due_ms > now)
		source->finished = source->starts;
	if (is_first && !blamed && fault->class != PVE_AUTH)
		log_info("%s: %s", c->config->name, fault->text);
	cluster_take_failure(c, source, fault);
}

static void on_success(struct cluster_poller *c, struct source *source)
{
	int64_t now = cluster_poller_now(c).boot_ms;

	if (c->endpoints.list[source->endpoint].failures)
		log_info("%s: %s answers again", c->config->name,
			 c->endpoint_nodes[source->endpoint]->name);
	slot_succeeded(&source->slot, now, &c->endpoints.dice);
	source->ok = true;
	source->error[0] = '\0';
	source->last_ok_ms = some_i64(now);
	source->finished = source->starts;
	endpoint_answered(&c->endpoints, source->endpoint);
	c->auth_failed = false;
	c->trust_error[0] = '\0';
}

/* The answer's tree, or a fault. */
static int parse(struct cluster_poller *c, const struct pve_question *question,
		 const struct http_response *response, cJSON **ret, struct pve_fault *fault)
{
	struct json_error error;

	counter_add(c->env->counters, "pve_bytes", (int64_t)response->body_len);
	if (json_parse(response->body, response->body_len, JSON_FOREIGN, ret, &error) == 0)
		return 0;
	pve_bad_answer(question, error.text, fault);
	return -EINVAL;
}

static void on_answer(struct cluster_poller *c, struct source *source,
		      const struct http_response *response)
{
	const struct config_node *endpoint = c->endpoint_nodes[source->endpoint];
	_cleanup_(freep) char *address =
		xasprintf("%s:%lld", endpoint->address, (long long)endpoint->port);
	_cleanup_(freep) char *path = source_path(source);
	struct pve_question question = question_of(c, source, address, path);
	_cleanup_(json_treep) cJSON *tree = NULL;
	struct slot before = source->slot;
	struct pve_fault fault;

	pve_classify(&question, response, &fault);
	if (fault.class == PVE_OK)
		(void)parse(c, &question, response, &tree, &fault);
	if (fault.class != PVE_OK) {
		on_failure(c, source, &fault);
		return;
	}
	source->latency_ms = some_f64(response->duration_ms);
	/* First, so that the documents that follow say that the source is well. */
	on_success(c, source);
	if (cluster_take(c, source, &tree) < 0) {
		source->slot = before;
		pve_bad_answer(&question, "it has not the shape of such an answer", &fault);
		on_failure(c, source, &fault);
	}
}

static void request_done(void *ctx, const struct http_response *response)
{
	struct source *source = ctx;
	struct cluster_poller *c = source->owner;

	source->call = NULL;
	on_answer(c, source, response);
	if (source_table[source->kind].vital && !source->ok)
		publish_cluster(c);
	refresh_check(c);
	cluster_poller_pump(c);
}

static void start_request(struct cluster_poller *c, struct source *source, size_t endpoint, int64_t now)
{
	const struct config_node *node = c->endpoint_nodes[endpoint];
	_cleanup_(freep) char *url = source_url(source, node);
	_cleanup_(freep) char *key =
		xasprintf("clusters.%s.nodes.%s.fingerprint", c->config->name, node->name);
	const char *const headers[] = { c->authorization, NULL };
	const struct http_request request = {
		.method = "GET",
		.url = url,
		.fingerprint = node->fingerprint,
		.fingerprint_key = key,
		.server_name = node->server_name,
		.headers = headers,
		.timeout_ms = (unsigned)source_timeout_ms(source->kind, c->config),
	};

	source->endpoint = endpoint;
	source->starts++;
	slot_started(&source->slot);
	counter_add(c->env->counters, "pve_requests", 1);
	counter_add(c->env->counters, source_table[source->kind].counter, 1);
	source->call = http_start(c->http, &request, request_done, source);
	if (source->kind == SOURCE_STATUS) {
		struct source *resources = cluster_poller_get(c, SOURCE_RESOURCES, "", 0);

		resources->slot.due_ms = max_of(resources->slot.due_ms, now + GRACE_MS);
	}
}

/* ── what may start ────────────────────────────────────────────────────────────────────────────────────────── */

static struct load load_around(const struct cluster_poller *c, const struct source *source,
			       size_t endpoint)
{
	const char *worker = source->node[0] ? source->node : c->endpoint_nodes[endpoint]->name;
	struct load load = { 0 };

	for (size_t i = 0; i < c->sources_n; i++) {
		const struct source *s = c->sources[i];
		const char *name;

		if (!s->slot.busy)
			continue;
		name = s->node[0] ? s->node : c->endpoint_nodes[s->endpoint]->name;
		if (str_eq(name, worker)) {
			load.on_node++;
			load.slow_on_node = load.slow_on_node || source_table[s->kind].slow;
		}
		if (s->endpoint == endpoint && !is_direct(c, s))
			load.handed_on++;
	}
	return load;
}

static int choose_endpoint(struct cluster_poller *c, const struct source *source, int64_t now)
{
	if (source->kind == SOURCE_OPINION)
		return (int)c->opinion_from;
	if (source->node[0])
		return endpoint_for_node(&c->endpoints, source->node, now);
	return endpoint_entry(&c->endpoints, now);
}

static void start_if_possible(struct cluster_poller *c, struct source *source, int64_t now)
{
	int endpoint = choose_endpoint(c, source, now);
	struct load load;
	bool foreign;

	if (endpoint < 0)
		return;
	foreign = source->node[0] && !str_eq(source->node, c->endpoint_nodes[endpoint]->name);
	load = load_around(c, source, (size_t)endpoint);
	if (schedule_may_start(&load, source_table[source->kind].slow, foreign))
		start_request(c, source, (size_t)endpoint, now);
}

static bool is_probe_under_way(const struct cluster_poller *c)
{
	for (size_t i = 0; i < c->sources_n; i++) {
		if (c->sources[i]->slot.busy)
			return true;
	}
	return false;
}

static void start_due(struct cluster_poller *c, int64_t now)
{
	if (c->auth_failed) {
		if (now < c->auth_retry_ms || is_probe_under_way(c))
			return;
		/* It may have been replaced meanwhile. */
		if (read_token(c) < 0)
			c->setup_error[0] = '\0';
	}
	for (size_t i = 0; i < c->sources_n; i++) {
		/* After a refusal of the token one request tries, and the others wait for what it says. */
		if (c->auth_failed && is_probe_under_way(c))
			return;
		if (slot_is_due(&c->sources[i]->slot, now))
			start_if_possible(c, c->sources[i], now);
	}
}

/* ── time ──────────────────────────────────────────────────────────────────────────────────────────────────── */

static int64_t publish_due(const struct cluster_poller *c)
{
	int64_t period = c->config->poll.nodes_ms;

	return c->published_ms + (c->is_dirty ? min_of((int64_t)DIRTY_MS, period) : period);
}

/* When there is something to do again. What waits for an answer is woken by the answer. */
static int64_t next_wake(const struct cluster_poller *c, int64_t now)
{
	int64_t next = min_of(publish_due(c), refresh_deadline(c));

	if (!c->http)
		return min_of(next, c->setup_retry_ms);
	if (c->auth_failed)
		return min_of(next, max_of(c->auth_retry_ms, now + RETRY_MIN_MS));
	for (size_t i = 0; i < c->sources_n; i++) {
		int64_t due = slot_next(&c->sources[i]->slot);

		if (due > now)
			next = min_of(next, due);
	}
	return min_of(next, endpoint_next_retry(&c->endpoints, now));
}

void cluster_poller_pump(struct cluster_poller *c)
{
	int64_t now = cluster_poller_now(c).boot_ms;

	if (c->stopped)
		return;
	if (set_up(c, now))
		start_due(c, now);
	refresh_expire(c, now);
	drop_guests(c);
	if (publish_due(c) <= now)
		publish_cluster(c);
	timer_once(c->timer, (uint64_t)max_of(next_wake(c, now) - now, (int64_t)1));
}

static void wake_cb(void *ctx)
{
	cluster_poller_pump(ctx);
}

/* ── life ──────────────────────────────────────────────────────────────────────────────────────────────────── */

static double roll(void *ctx)
{
	(void)ctx;
	return (double)randombytes_random() / 4294967296.0;
}

static void make_endpoints(struct cluster_poller *c)
{
	_cleanup_(freep) const char **names = xcalloc(c->config->nodes_n, sizeof(*names));
	size_t n = 0;

	c->endpoint_nodes = xcalloc(c->config->nodes_n, sizeof(*c->endpoint_nodes));
	for (size_t i = 0; i < c->config->nodes_n; i++) {
		const struct config_node *node = &c->config->nodes[i];

		if (!node->address)
			continue;
		c->endpoint_nodes[n] = node;
		names[n++] = node->name;
	}
	endpoint_init(&c->endpoints, names, n, (struct dice){ roll, NULL });
}

struct cluster_poller *cluster_poller_new(struct service_env *env, const struct config_cluster *cluster)
{
	struct cluster_poller *c = xnew(struct cluster_poller);

	c->env = env;
	c->settings = settings_copy(cluster);
	c->config = &c->settings->cluster;
	pve_cluster_init(&c->model, c->config->name, c->config->poll.node_ms,
			 c->config->poll.storage_ms);
	make_endpoints(c);
	c->timer = timer_new(env->loop, wake_cb, c);
	return c;
}

void cluster_poller_start(struct cluster_poller *c)
{
	static const enum source_kind kinds[] = { SOURCE_STATUS,      SOURCE_RESOURCES, SOURCE_TASKS,
						  SOURCE_PERMISSIONS, SOURCE_VOTES,	SOURCE_VERSION };

	for (size_t i = 0; i < countof(kinds); i++)
		(void)cluster_poller_get(c, kinds[i], "", 0);
	c->published_ms = cluster_poller_now(c).boot_ms;
	cluster_poller_pump(c);
}

void cluster_poller_stop(struct cluster_poller *c)
{
	if (c->stopped)
		return;
	c->stopped = true;
	refresh_abandon(c);
	timer_free(c->timer);
	c->timer = NULL;
	http_free(take(c->http));
	for (size_t i = 0; i < c->sources_n; i++)
		c->sources[i]->call = NULL;
}

void cluster_poller_free(struct cluster_poller *c)
{
	if (!c)
		return;
	cluster_poller_stop(c);
	for (size_t i = 0; i < c->sources_n; i++)
		source_free(c->sources[i]);
	free(c->sources);
	cJSON_Delete(c->held_status);
	forget_authorization(c);
	endpoint_done(&c->endpoints);
	free(c->endpoint_nodes);
	pve_tasks_done(&c->tasks);
	pve_cluster_done(&c->model);
	settings_free(c->settings);
	free(c);
}

void cluster_poller_reread(struct cluster_poller *c)
{
	/* A file that cannot be read now is no reason to give up the token that works. */
	if (c->http && read_token(c) < 0) {
		log_warn("%s: going on with the old token: %s", c->config->name, c->setup_error);
		c->setup_error[0] = '\0';
	}
	c->setup_retry_ms = 0;
	c->auth_retry_ms = 0;
	cluster_poller_pump(c);
}

void cluster_poller_forget(struct cluster_poller *c)
{
	static const enum topic_id ids[] = { TOPIC_CLUSTER_STATE, TOPIC_TASKS_STATE, TOPIC_NODE_STATE,
					     TOPIC_GUEST_STATE, TOPIC_STORAGE_STATE };
	const char *const args[] = { c->config->name, NULL };
	uint64_t mark = state_mark(c->env->state);

	for (size_t i = 0; i < countof(ids); i++)
		state_sweep(c->env->state, ids[i], args, mark);
}
