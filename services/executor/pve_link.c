/* SPDX-License-Identifier: MIT */
/*
 * Asking Proxmox. Endpoints are chosen as the poller does, but one that rests is asked rather than none: here somebody
 * waits for the answer.
 */
#include "services/executor/pve_link.h"

#include "common/endpoint.h"
#include "common/log.h"
#include "common/pve_settings.h"
#include "common/secret.h"
#include "common/timer.h"
#include "services/executor/rights.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>

#define SETUP_RETRY_MS 5000
#define RIGHTS_RETRY_MS 5000
#define RIGHTS_PERIOD_MS 600000
#define TRIES_MAX 3

struct pve_link {
	struct service_env *env;
	struct pve_settings *settings;
	const struct config_cluster *config; /* in settings */
	unsigned refs;
	bool is_closed;
	struct http *http;
	char *authorization; /* a secret */
	struct endpoint_set endpoints;
	const struct config_node **nodes; /* of the endpoints */
	struct timer *timer;
	struct pve_call *rights_call;
	bool is_known;			 /* the rights are */
	char why[PVE_ERROR_BYTES + 256]; /* why no change may be made; "" when it may */
	char down[PVE_ERROR_BYTES];	 /* why nothing can be asked */
	void (*on_change)(void *ctx);
	bool is_judged; /* they were asked for, whatever came of it */
	char lacks[PVE_ERROR_BYTES +
		   256]; /* rights that are missing, and what to do; "" for none */
	void *ctx;
};

struct pve_call {
	struct pve_link *link;
	struct http_call *call;
	char *method, *path, *form, *node, *avoid;
	unsigned timeout_ms;
	size_t endpoint;
	unsigned tries;
	bool (*may_send)(void *ctx);
	pve_link_fn fn;
	void *ctx;
};

static int64_t now_ms(const struct pve_link *link)
{
	return clock_boot_ms(link->env->clock);
}

/* ── which node ────────────────────────────────────────────────────────────────────────────────────────────── */

static bool is_avoided(const struct pve_link *link, size_t index, const char *avoid)
{
	return avoid && str_eq(link->nodes[index]->name, avoid);
}

/* The one that was well last, or has rested longest; -1 when there is none but AVOID. */
static int best_endpoint(const struct pve_link *link, const char *avoid)
{
	int best = -1;

	for (size_t i = 0; i < link->endpoints.n; i++) {
		if (is_avoided(link, i, avoid))
			continue;
		if (best < 0 ||
		    link->endpoints.list[i].retry_ms < link->endpoints.list[best].retry_ms)
			best = (int)i;
	}
	return best;
}

static int choose_endpoint(struct pve_link *link, const struct pve_call *call)
{
	int64_t now = now_ms(link);
	int index = call->node ? endpoint_for_node(&link->endpoints, call->node, now) :
				 endpoint_entry(&link->endpoints, now);

	if (index < 0 || is_avoided(link, (size_t)index, call->avoid))
		index = best_endpoint(link, call->avoid);
	return index;
}

/* ── one request ───────────────────────────────────────────────────────────────────────────────────────────── */

static void call_free(struct pve_call *call)
{
	free(call->method);
	free(call->path);
	free(call->form);
	free(call->node);
	free(call->avoid);
	pve_link_unref(call->link);
	free(call);
}

static bool is_read(const struct pve_call *call)
{
	return str_eq(call->method, "GET");
}

/* Said no, in so many words: nothing was changed. Everything else may have come too late to be told. */
static bool is_refusal(enum pve_class class, int status)
{
	return class == PVE_AUTH || class == PVE_PERMISSION || class == PVE_NOT_THERE ||
	       class == PVE_REFUSED || status == 501;
}

static bool is_ambiguous(const struct pve_call *call, const struct pve_fault *fault,
			 const struct http_response *response)
{
	if (is_read(call) || fault->class == PVE_OK)
		return false;
	if (response->outcome != HTTP_ANSWERED)
		return response->sent;
	return !is_refusal(fault->class, response->status);
}

static void judge(const struct pve_call *call, const struct http_response *response, cJSON **tree,
		  struct pve_fault *fault)
{
	const struct pve_link *link = call->link;
	const struct config_node *endpoint = link->nodes[call->endpoint];
	_cleanup_(freep) char *address =
		xasprintf("%s:%lld", endpoint->address, (long long)endpoint->port);
	const struct pve_question question = {
		.service = "executor",
		.role = "JarvisActs",
		.cluster = link->config->name,
		.token = link->config->executor->token,
		.endpoint = endpoint->name,
		.address = address,
		.node = call->node,
		.path = call->path,
		.pin = endpoint->fingerprint,
	};
	struct json_error error;

	pve_classify(&question, response, fault);
	if (fault->class == PVE_OK &&
	    json_parse(response->body, response->body_len, JSON_FOREIGN, tree, &error) < 0)
		pve_bad_answer(&question, error.text, fault);
}

static void send_call(struct pve_call *call);

/* A read goes to another node when it was this one that failed. */
static bool is_tried_again(struct pve_call *call, const struct pve_fault *fault)
{
	struct pve_link *link = call->link;

	/* That there is no path to the node that was meant is not the fault of the one that says so. */
	if (fault->class != PVE_UNREACHABLE && fault->class != PVE_NOT_TRUSTED &&
	    fault->class != PVE_TIMEOUT)
		return false;
	endpoint_failed(&link->endpoints, call->endpoint, now_ms(link), 0);
	return is_read(call) && ++call->tries < TRIES_MAX && call->tries < link->endpoints.n;
}

static void on_response(void *ctx, const struct http_response *response)
{
	struct pve_call *call = ctx;
	_cleanup_(json_treep) cJSON *tree = NULL;
	struct pve_answer answer = { .status = response->status, .reason = response->reason };

	call->call = NULL;
	judge(call, response, &tree, &answer.fault);
	counter_add(call->link->env->counters, pve_class_counter(answer.fault.class), 1);
	if (answer.fault.class == PVE_OK)
		endpoint_answered(&call->link->endpoints, call->endpoint);
	else if (is_tried_again(call, &answer.fault)) {
		send_call(call);
		return;
	}
	answer.is_ambiguous = is_ambiguous(call, &answer.fault, response);
	answer.tree = tree;
	call->fn(call->ctx, &answer);
	call_free(call);
}

static bool may_leave(void *ctx)
{
	struct pve_call *call = ctx;

	return call->may_send(call->ctx);
}

static void send_call(struct pve_call *call)
{
	struct pve_link *link = call->link;
	int index = choose_endpoint(link, call);
	const char *const headers[] = { link->authorization, NULL };
	struct http_request request = {
		.method = call->method,
		.headers = headers,
		.body = call->form && call->form[0] ? call->form : NULL,
		.body_len = call->form ? strlen(call->form) : 0,
		.timeout_ms = call->timeout_ms,
		.may_send = call->may_send ? may_leave : NULL,
	};
	const struct config_node *node;
	_cleanup_(str_done) struct str url = { 0 };
	_cleanup_(freep) char *key = NULL;

	call->endpoint = index < 0 ? 0 : (size_t)index;
	node = link->nodes[call->endpoint];
	key = xasprintf("clusters.%s.nodes.%s.fingerprint", link->config->name, node->name);
	pve_add_url(&url, node);
	str_add(&url, call->path);
	request.url = str_get(&url);
	request.fingerprint = node->fingerprint;
	request.fingerprint_key = key;
	request.server_name = node->server_name;
	call->call = http_start(link->http, &request, on_response, call);
	counter_add(link->env->counters, is_read(call) ? "pve_reads" : "pve_changes", 1);
}

struct pve_call *pve_link_ask(struct pve_link *link, const struct pve_request *request,
			      pve_link_fn fn, void *ctx)
{
	struct pve_call *call = xnew(struct pve_call);

	call->link = pve_link_ref(link);
	call->method = xstrdup(request->method);
	call->path = xstrdup(request->path);
	call->form = xstrdup_null(request->form);
	call->node = xstrdup_null(request->node);
	call->avoid = xstrdup_null(request->avoid);
	call->timeout_ms = request->timeout_ms;
	call->may_send = request->may_send;
	call->fn = fn;
	call->ctx = ctx;
	send_call(call);
	return call;
}

void pve_link_cancel(struct pve_call *call)
{
	if (!call)
		return;
	http_cancel(call->call);
	call_free(call);
}

/* ── token and rights ──────────────────────────────────────────────────────────────────────────────────────── */

static void look_at_rights(struct pve_link *link);

static bool is_token_secret(const char *text)
{
	return text[0] && strspn(text, "0123456789abcdefABCDEF-") == strlen(text);
}

static void forget_token(struct pve_link *link)
{
	if (link->authorization)
		sodium_memzero(link->authorization, strlen(link->authorization));
	free(link->authorization);
	link->authorization = NULL;
}

static int read_token(struct pve_link *link)
{
	_cleanup_(str_done) struct str error = { 0 };
	_cleanup_(freep) char *name = xasprintf("%s.token", link->config->name);
	_cleanup_(secret_done) struct secret secret = { 0 };
	int r = secret_read(link->env->secrets_dir, "executor", name, &secret, &error);

	if (r < 0) {
		(void)snprintf(link->down, sizeof(link->down), "%s", str_get(&error));
		return r;
	}
	if (!is_token_secret(secret.value)) {
		(void)snprintf(link->down, sizeof(link->down),
			       "secrets/executor/%s does not hold the secret of an API token (a "
			       "UUID), as pveum user token add prints it",
			       name);
		return -EINVAL;
	}
	forget_token(link);
	link->authorization = xasprintf("Authorization: PVEAPIToken=%s=%s",
					link->config->executor->token, secret.value);
	return 0;
}

static int make_http(struct pve_link *link)
{
	const struct http_options options = {
		.loop = link->env->loop,
		.ca_file = link->config->ca,
		.connect_timeout_ms = (unsigned)link->config->connect_timeout_ms,
		.timeout_ms = (unsigned)link->config->request_timeout_ms,
	};
	int r = http_new(&options, &link->http);

	if (r < 0)
		(void)snprintf(link->down, sizeof(link->down),
			       "HTTPS cannot be set up with %s as certificate authority: %s",
			       link->config->ca ? link->config->ca : "none", strerror(-r));
	return r;
}

static bool set_up(struct pve_link *link)
{
	char before[sizeof(link->down)];

	if (link->http)
		return true;
	(void)snprintf(before, sizeof(before), "%s", link->down);
	if (!link->endpoints.n)
		(void)snprintf(
			link->down, sizeof(link->down),
			"no node of cluster %s has an address: set clusters.%s.nodes.NODE.address",
			link->config->name, link->config->name);
	else if (read_token(link) == 0 && make_http(link) == 0)
		link->down[0] = '\0';
	if (link->down[0] && !str_eq(before, link->down)) {
		log_error("%s: nothing can be done: %s", link->config->name, link->down);
		link->on_change(link->ctx);
	}
	return link->http;
}

static void wake_cb(void *ctx)
{
	struct pve_link *link = ctx;

	if (!set_up(link))
		timer_once(link->timer, SETUP_RETRY_MS);
	else if (!link->rights_call)
		look_at_rights(link);
}

/* Says it once, when it changes. */
static void judge_rights(struct pve_link *link, const struct rights *rights)
{
	bool was_fit = link->is_known && !link->why[0];
	char before[sizeof(link->why)];

	(void)snprintf(before, sizeof(before), "%s", link->why);
	link->why[0] = '\0';
	if (rights->excess[0])
		(void)snprintf(
			link->why, sizeof(link->why),
			"nothing is done while token %.64s may do what no tool needs: %.256s. "
			"Take it away at Proxmox (pveum acl delete, or another role), or "
			"name it in executor.accept_rights of jarvis.yaml",
			link->config->executor->token, rights->excess);
	if (rights->excess[0] && !str_eq(before, link->why))
		log_error("%s: %s", link->config->name, link->why);
	link->lacks[0] = '\0';
	if (rights->missing[0])
		(void)snprintf(link->lacks, sizeof(link->lacks),
			       "tools will fail while token %.64s lacks %.256s: add it to its "
			       "role, and give that to user and token",
			       link->config->executor->token, rights->missing);
	if (rights->missing[0] && !link->is_known)
		log_warn("%s: %s", link->config->name, link->lacks);
	link->is_known = true;
	counter_set(link->env->counters, "rights_refused", link->why[0] != '\0');
	if (!link->why[0] && !was_fit) {
		log_info("%s: ready to act as %s", link->config->name,
			 link->config->executor->token);
	}
	link->on_change(link->ctx);
}

static void on_rights(void *ctx, const struct pve_answer *answer)
{
	struct pve_link *link = ctx;
	const struct config_executor *config = &link->env->config->executor;
	struct rights rights;

	link->rights_call = NULL;
	link->is_judged = true;
	if (answer->fault.class == PVE_OK && rights_read(answer->tree, config->accept_rights,
							 config->accept_rights_n, &rights) == 0) {
		judge_rights(link, &rights);
		timer_once(link->timer, RIGHTS_PERIOD_MS);
		return;
	}
	/* What was known stays: that a node does not answer is no reason to believe anything else of the token. */
	if (!link->is_known) {
		bool is_new = !str_eq(link->why, answer->fault.text);

		(void)snprintf(link->why, sizeof(link->why), "%s",
			       answer->fault.text[0] ? answer->fault.text :
						       "its rights cannot be read");
		if (is_new)
			log_warn("%s: it is not known yet what the token may do: %s",
				 link->config->name, link->why);
	} else {
		(void)snprintf(link->lacks, sizeof(link->lacks), "%s", answer->fault.text);
	}
	link->on_change(link->ctx);
	timer_once(link->timer, RIGHTS_RETRY_MS);
}

static void look_at_rights(struct pve_link *link)
{
	const struct pve_request request = { .method = "GET", .path = "/access/permissions" };

	link->rights_call = pve_link_ask(link, &request, on_rights, link);
}

/* ── life ──────────────────────────────────────────────────────────────────────────────────────────────────── */

static double roll(void *ctx)
{
	(void)ctx;
	return (double)randombytes_random() / 4294967296.0;
}

static void make_endpoints(struct pve_link *link)
{
	_cleanup_(freep) const char **names =
		xcalloc(max_of(link->config->nodes_n, (size_t)1), sizeof(*names));
	size_t n = 0;

	link->nodes = xcalloc(max_of(link->config->nodes_n, (size_t)1), sizeof(*link->nodes));
	for (size_t i = 0; i < link->config->nodes_n; i++) {
		const struct config_node *node = &link->config->nodes[i];

		if (!node->address)
			continue;
		link->nodes[n] = node;
		names[n++] = node->name;
	}
	endpoint_init(&link->endpoints, names, n, (struct dice){ roll, NULL });
}

struct pve_link *pve_link_new(struct service_env *env, const struct config_cluster *cluster,
			      void (*on_change)(void *ctx), void *ctx)
{
	struct pve_link *link = xnew(struct pve_link);

	link->env = env;
	link->refs = 1;
	link->settings = pve_settings_copy(cluster);
	link->config = &link->settings->cluster;
	link->on_change = on_change;
	link->ctx = ctx;
	(void)snprintf(link->why, sizeof(link->why), "the rights of its token are not known yet");
	make_endpoints(link);
	link->timer = timer_new(env->loop, wake_cb, link);
	timer_once(link->timer, 0);
	return link;
}

struct pve_link *pve_link_ref(struct pve_link *link)
{
	link->refs++;
	return link;
}

void pve_link_close(struct pve_link *link)
{
	if (link->is_closed)
		return;
	link->is_closed = true;
	timer_free(link->timer);
	link->timer = NULL;
	pve_link_cancel(take(link->rights_call));
}

void pve_link_unref(struct pve_link *link)
{
	if (!link || --link->refs)
		return;
	pve_link_close(link);
	http_free(link->http);
	forget_token(link);
	endpoint_done(&link->endpoints);
	free(link->nodes);
	pve_settings_free(link->settings);
	free(link);
}

void pve_link_reread(struct pve_link *link)
{
	if (link->http && read_token(link) < 0) {
		log_warn("%s: going on with the old token: %s", link->config->name, link->down);
		link->down[0] = '\0';
	}
	endpoint_forgive(&link->endpoints);
	timer_once(link->timer, 0);
}

/* ── what there is to say of it ────────────────────────────────────────────────────────────────────────────── */

const struct config_cluster *pve_link_config(const struct pve_link *link)
{
	return link->config;
}

const char *pve_link_cluster(const struct pve_link *link)
{
	return link->config->name;
}

const char *pve_link_token(const struct pve_link *link)
{
	return link->config->executor->token;
}

const char *pve_link_mac(const struct pve_link *link, const char *node)
{
	for (size_t i = 0; i < link->config->nodes_n; i++) {
		if (str_eq(link->config->nodes[i].name, node))
			return link->config->nodes[i].mac;
	}
	return NULL;
}

const char *pve_link_any_node(const struct pve_link *link)
{
	return link->endpoints.n ? link->nodes[best_endpoint(link, NULL)]->name : NULL;
}

bool pve_link_is_for(const struct pve_link *link, const struct config_cluster *cluster)
{
	return pve_settings_equal_to_act(link->settings, cluster);
}

bool pve_link_is_up(const struct pve_link *link, const char **why)
{
	*why = link->http ? NULL : link->down[0] ? link->down : "it has not been set up yet";
	return link->http;
}

const char *pve_link_trouble(const struct pve_link *link)
{
	if (link->down[0])
		return link->down;
	if (link->is_judged && link->why[0])
		return link->why;
	return link->lacks[0] ? link->lacks : NULL;
}

bool pve_link_is_fit(const struct pve_link *link, const char **why)
{
	if (!pve_link_is_up(link, why))
		return false;
	*why = link->why[0] ? link->why : NULL;
	return !link->why[0];
}
