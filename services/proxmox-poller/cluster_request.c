/* SPDX-License-Identifier: MIT */
/*
 * Token, connection and single requests. A failure is held against the endpoint, or against what lies behind it: a
 * storage that hangs is not its node's fault, and a node that is down is not the fault of the one that says so.
 */
#include "services/proxmox-poller/cluster_request.h"

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
#define NO_RETRY_MS 300000
#define SLOW_GROWTH 4

/* ── token and connection ──────────────────────────────────────────────────────────────────────────────────── */

static bool is_token_secret(const char *text)
{
	return text[0] && strspn(text, "0123456789abcdefABCDEF-") == strlen(text);
}

void cluster_forget_token(struct cluster_poller *c)
{
	if (c->authorization)
		sodium_memzero(c->authorization, strlen(c->authorization));
	free(c->authorization);
	c->authorization = NULL;
}

int cluster_read_token(struct cluster_poller *c)
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
		(void)snprintf(
			c->setup_error, sizeof(c->setup_error),
			"secrets/proxmox-poller/%s does not hold the secret of an API token (a UUID), "
			"as pveum user token add prints it",
			name);
		return -EINVAL;
	}
	cluster_forget_token(c);
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
			       "HTTPS cannot be set up with %s as certificate authority: %s",
			       c->config->ca ? c->config->ca : "none", strerror(-r));
	return r;
}

bool cluster_set_up(struct cluster_poller *c, int64_t now)
{
	bool had_error = c->setup_error[0];

	if (c->http)
		return true;
	if (now < c->setup_retry_ms)
		return false;
	c->setup_retry_ms = now + SETUP_RETRY_MS;
	if (!c->endpoints.n)
		(void)snprintf(
			c->setup_error, sizeof(c->setup_error),
			"no node of cluster %s has an address: set clusters.%s.nodes.NODE.address",
			c->config->name, c->config->name);
	else if (cluster_read_token(c) == 0 && make_http(c) == 0)
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
		.service = "proxmox-poller",
		.role = "PVEAuditor",
		.cluster = c->config->name,
		.token = c->config->token,
		.endpoint = endpoint->name,
		.address = address,
		.node = source->node[0] ? source->node : NULL,
		.path = path,
		.pin = endpoint->fingerprint,
	};
}

bool cluster_is_direct(const struct cluster_poller *c, const struct source *source)
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
		return !def->slow && cluster_is_direct(c, source);
	return def->vital && pve_is_endpoint_fault(class);
}

static void note_endpoint(struct cluster_poller *c, const struct source *source,
			  const struct pve_fault *fault, int64_t now)
{
	bool untrusted = fault->class == PVE_NOT_TRUSTED;
	bool is_first = !c->endpoints.list[source->endpoint].failures;
	int64_t rest_ms = untrusted ? TRUST_RETRY_MS : fault->class == PVE_AUTH ? AUTH_RETRY_MS : 0;

	if (is_first && !untrusted)
		log_info("%s: %s", c->config->name, fault->text);
	endpoint_failed(&c->endpoints, source->endpoint, now, rest_ms);
	if (!untrusted)
		return;
	if (!str_eq(c->trust_errors[source->endpoint], fault->text))
		log_error("%s: %s", c->config->name, fault->text);
	(void)snprintf(c->trust_errors[source->endpoint], PVE_ERROR_BYTES, "%s", fault->text);
}

/* A node whose copy of the users is broken refuses a token that is good: only when nobody takes it, it is not. */
static bool is_refused_by_one(struct cluster_poller *c, const struct source *source, int64_t now)
{
	c->endpoints.list[source->endpoint].refuses = true;
	return !c->auth_failed && endpoint_has_willing(&c->endpoints, source->endpoint, now);
}

static void note_auth(struct cluster_poller *c, const struct pve_fault *fault, int64_t now)
{
	if (!c->auth_failed)
		log_error("%s: %s", c->config->name, fault->text);
	c->auth_failed = true;
	c->auth_retry_ms = now + AUTH_RETRY_MS;
	(void)snprintf(c->auth_error, sizeof(c->auth_error), "%s", fault->text);
}

/* Proxmox was asked and said no: asking again soon would not change its mind. */
static bool is_answered_no(const struct source *source, enum pve_class class)
{
	if (class == PVE_PERMISSION || class == PVE_AUTH)
		return true;
	return !source_table[source->kind].vital &&
	       (class == PVE_REFUSED || class == PVE_SERVER || class == PVE_NOT_THERE);
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
	} else if (is_answered_no(source, class)) {
		int64_t patience = min_of(period, (int64_t)NO_RETRY_MS);

		slot_failed(&source->slot, now, patience, patience, dice);
	} else if (source_table[source->kind].slow && !blamed) {
		/* Each attempt may cost the node a worker, of which it has three. */
		int64_t rest = min_of(period, (int64_t)NO_RETRY_MS);

		slot_failed(&source->slot, now, rest, rest * SLOW_GROWTH, dice);
	} else {
		slot_failed(&source->slot, now, RETRY_MIN_MS, min_of(period, (int64_t)RETRY_MAX_MS),
			    dice);
	}
}

static void on_failure(struct cluster_poller *c, struct source *source,
		       const struct pve_fault *fault)
{
	int64_t now = cluster_poller_now(c).boot_ms;
	bool by_one = fault->class == PVE_AUTH && is_refused_by_one(c, source, now);
	bool blamed = by_one || blames_endpoint(c, source, fault->class);
	bool is_first = !source->slot.failures;
	bool again = source->slot.again;

	counter_add(c->env->counters, pve_class_counter(fault->class), 1);
	if (blamed)
		note_endpoint(c, source, fault, now);
	if (fault->class == PVE_AUTH && !by_one)
		note_auth(c, fault, now);
	(void)snprintf(source->error, sizeof(source->error), "%s", fault->text);
	source->ok = false;
	retry_later(c, source, fault->class, blamed, now);
	/* Whoever waits is told only when no other endpoint is tried at once. */
	if (source->slot.due_ms > now) {
		/* Those who wait for the next one, too: it will not come soon. */
		source->starts += again;
		source->finished = source->starts;
	}
	if (is_first && !blamed && fault->class != PVE_AUTH && !source_table[source->kind].quiet)
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
	c->trust_errors[source->endpoint][0] = '\0';
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

/* The round is not over: whether the source is well is not known before its last answer. */
static void go_on(struct cluster_poller *c, struct source *source, const struct source *before)
{
	source->slot = before->slot;
	source->ok = before->ok;
	source->last_ok_ms = before->last_ok_ms;
	source->finished = before->finished;
	memcpy(source->error, before->error, sizeof(source->error));
	slot_goes_on(&source->slot, cluster_poller_now(c).boot_ms);
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
	struct source before = *source;
	struct pve_fault fault;
	int r;

	pve_classify(&question, response, &fault);
	if (fault.class == PVE_OK)
		(void)parse(c, &question, response, &tree, &fault);
	if (fault.class != PVE_OK && !cluster_bears(c, source, response->reason, &fault)) {
		on_failure(c, source, &fault);
		return;
	}
	source->latency_ms = some_f64(response->duration_ms);
	/* First, so that the documents that follow say that the source is well. */
	on_success(c, source);
	source->refusal = fault.class == PVE_OK ? NULL : &fault;
	r = cluster_take(c, source, &tree);
	source->refusal = NULL;
	if (r > 0) {
		go_on(c, source, &before);
	} else if (r < 0) {
		source->slot = before.slot;
		source->last_ok_ms = before.last_ok_ms;
		pve_bad_answer(&question, "it has not the shape of such an answer", &fault);
		on_failure(c, source, &fault);
	} else {
		source_end_round(source);
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

/* What each node had to do for us: it answers, or another one hands the question on to it. */
static void note_load(struct cluster_poller *c, const struct source *source, const char *endpoint,
		      int64_t now)
{
	counter_add(c->env->counters, "pve_requests", 1);
	counter_add(c->env->counters, source_table[source->kind].counter, 1);
	pve_load_note(&c->load_by_node, endpoint, now);
	if (source->node[0] && !str_eq(source->node, endpoint))
		pve_load_note(&c->load_by_node, source->node, now);
	pve_load_note(&c->load_by_path, source_table[source->kind].counter + strlen("pve_calls_"),
		      now);
}

static const struct config_node *begin_request(struct cluster_poller *c, struct source *source,
					       size_t endpoint, int64_t now)
{
	const struct config_node *node = c->endpoint_nodes[endpoint];

	if (!source->slot.midway) {
		source->starts++;
		source_end_round(source);
		cluster_begin(c, source);
	}
	note_load(c, source, node->name, now);
	return node;
}

void cluster_start_request(struct cluster_poller *c, struct source *source, size_t endpoint,
			   int64_t now)
{
	const struct config_node *node = begin_request(c, source, endpoint, now);
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
	slot_started(&source->slot);
	source->call = http_start(c->http, &request, request_done, source);
	/* While it fails the resources are asked beside it: else they would never have their turn. */
	if (source->kind == SOURCE_STATUS && !source->slot.failures) {
		struct source *resources = cluster_poller_get(c, SOURCE_RESOURCES, "", 0);

		resources->slot.due_ms = max_of(resources->slot.due_ms, now + GRACE_MS);
	}
}
