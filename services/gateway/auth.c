/* SPDX-License-Identifier: MIT */
/*
 * Logging in and out, and one's own password. What is slow (the hash) runs elsewhere; the exchange waits for it, and
 * with it the browser.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "common/log.h"
#include "services/gateway/gateway.h"

#define PASSWORD_MIN_CHARS 10

/* A login, or a change of password, on its way; lies in the exchange's arena. */
struct attempt {
	struct gateway *gateway;
	struct exchange *exchange;
	const char *name;
	char address[64];
	int64_t person_id;
	const char *hash;	  /* what the password is compared with */
	uint64_t owner;		  /* the session that asks; 0: none */
	const char *new_password; /* of a change */
	bool insecure;
};

/* ── the session's answer ──────────────────────────────────────────────────────────────────────────────────── */

static void answer_session(struct gateway *g, struct exchange *x, const struct caller *caller)
{
	const char *scopes[SCOPES_N];
	struct msg_session session = {
		.user = caller->name,
		.role = caller->role,
		.kind = caller->kind == CALLER_TOKEN ? "token" : "session",
		.scopes = scopes,
		.expires_ms = some_i64(caller->expires_ms),
		.must_change_password = caller->must_change,
		.insecure = request_is_insecure(g, &x->request),
		.version = g->env->version,
	};

	for (unsigned i = 0; i < SCOPES_N && caller->kind == CALLER_TOKEN; i++) {
		if (caller->scopes & 1u << i)
			scopes[session.scopes_n++] = scope_names[i];
	}
	answer_message(g, x, 200, &message_session, &session);
}

void auth_session(struct gateway *g, struct call *call)
{
	answer_session(g, call->exchange, &call->caller);
}

static void set_cookie(struct exchange *x, bool insecure, const char *secret, int64_t max_age_s)
{
	str_printf(&x->response.headers,
		   "Set-Cookie: %s=%s; Path=/; %sHttpOnly; SameSite=Strict; Max-Age=%" PRId64
		   "\r\n",
		   session_cookie_name(insecure), secret, insecure ? "" : "Secure; ", max_age_s);
}

/* True when the person's password is still the one that was compared with: hashing takes its time. */
static bool is_current(const struct attempt *attempt)
{
	const struct person *person =
		accounts_get_person(attempt->gateway->accounts, attempt->person_id);

	return person && attempt->hash && str_eq(person->hash, attempt->hash);
}

/* ── logging in ────────────────────────────────────────────────────────────────────────────────────────────── */

static void begin_session(struct attempt *attempt)
{
	struct gateway *g = attempt->gateway;
	struct exchange *x = attempt->exchange;
	char secret[SESSION_SECRET_SIZE];
	struct caller caller;

	if (accounts_begin_session(g->accounts, attempt->person_id, secret) < 0 ||
	    !accounts_check_session(g->accounts, secret, &caller)) {
		answer_problem(g, x, 503, "the session cannot be written down; is the disk full?");
		return;
	}
	/* A login replaces the session that this browser had. */
	accounts_end_session(g->accounts, attempt->owner);
	set_cookie(x, attempt->insecure, secret,
		   g->env->config->gateway.session_lifetime_ms / 1000);
	sodium_memzero(secret, sizeof(secret));
	log_info("%s logged in from %s", attempt->name, attempt->address);
	answer_session(g, x, &caller);
}

static void login_done(void *ctx, enum password_result result, const char *hash)
{
	struct attempt *attempt = ctx;
	struct gateway *g = attempt->gateway;

	(void)hash;
	if (result == PASSWORD_RIGHT && is_current(attempt)) {
		accounts_forget_attempts(g->accounts, attempt->address, attempt->name);
		begin_session(attempt);
	} else if (result == PASSWORD_FAILED) {
		accounts_undo_attempt(g->accounts, attempt->address, attempt->name);
		answer_problem(g, attempt->exchange, 503, "the password cannot be checked now");
	} else {
		log_warn("wrong password for %s from %s",
			 attempt->person_id ? attempt->name : "nobody we know", attempt->address);
		answer_problem(g, attempt->exchange, 401, "user or password is wrong");
	}
	gateway_release(g);
}

static struct attempt *new_attempt(struct gateway *g, struct call *call, const char *name)
{
	struct attempt *attempt = arena_alloc(call->exchange->arena, sizeof(*attempt));

	attempt->gateway = g;
	attempt->exchange = call->exchange;
	attempt->name = arena_strdup(call->exchange->arena, name);
	attempt->owner = call->caller.owner;
	attempt->insecure = request_is_insecure(g, &call->exchange->request);
	request_address(g, &call->exchange->request, attempt->address);
	return attempt;
}

/* Counts the attempt and has the password checked; answers when it cannot be now. */
static void verify(struct attempt *attempt, const struct person *person, const char *password,
		   password_done_fn done)
{
	struct gateway *g = attempt->gateway;
	int64_t wait_ms = accounts_wait_ms(g->accounts, attempt->address, attempt->name);

	if (wait_ms > 0) {
		answer_too_many(g, attempt->exchange, wait_ms, "too many wrong passwords");
		return;
	}
	attempt->person_id = person ? person->id : 0;
	attempt->hash = person ? arena_strdup(attempt->exchange->arena, person->hash) : NULL;
	accounts_count_attempt(g->accounts, attempt->address, attempt->name);
	if (!password_verify(g->passwords, person ? person->hash : NULL, password, done, attempt)) {
		accounts_undo_attempt(g->accounts, attempt->address, attempt->name);
		answer_too_many(g, attempt->exchange, 1000, "too many log in just now");
	}
}

void auth_login(struct gateway *g, struct call *call)
{
	const struct msg_login *login = call->body;
	struct attempt *attempt = new_attempt(g, call, login->user);

	if (attempt->insecure && !g->env->config->gateway.allow_plain_http_lan) {
		answer_problem(
			g, call->exchange, 403,
			"plain HTTP from another machine: the password could be read on the way. Come "
			"through a TLS proxy (gateway.origins), or set gateway.allow_plain_http_lan");
		return;
	}
	if (call->caller.kind != CALLER_SESSION)
		attempt->owner = 0;
	verify(attempt, accounts_find_person(g->accounts, login->user), login->password,
	       login_done);
}

void auth_logout(struct gateway *g, struct call *call)
{
	set_cookie(call->exchange, false, "", 0);
	if (g->env->config->gateway.allow_plain_http_lan)
		set_cookie(call->exchange, true, "", 0);
	accounts_end_session(g->accounts, call->caller.owner);
	answer_done(g, call->exchange);
}

/* ── a new password ────────────────────────────────────────────────────────────────────────────────────────── */

static void new_hash_done(void *ctx, enum password_result result, const char *hash)
{
	struct attempt *attempt = ctx;
	struct gateway *g = attempt->gateway;

	if (result == PASSWORD_RIGHT &&
	    !(is_current(attempt) && accounts_is_alive(g->accounts, attempt->owner))) {
		answer_problem(g, attempt->exchange, 401, "the session has ended meanwhile");
	} else if (result != PASSWORD_RIGHT ||
		   accounts_set_password(g->accounts, attempt->person_id, hash, attempt->owner) <
			   0) {
		answer_problem(g, attempt->exchange, 503, "the password cannot be changed now");
	} else {
		log_info("%s changed the password; all other sessions ended", attempt->name);
		answer_done(g, attempt->exchange);
	}
	gateway_release(g);
}

static void old_done(void *ctx, enum password_result result, const char *hash)
{
	struct attempt *attempt = ctx;
	struct gateway *g = attempt->gateway;

	(void)hash;
	if (result == PASSWORD_WRONG) {
		answer_problem(g, attempt->exchange, 403, "the old password is wrong");
	} else if (result == PASSWORD_FAILED) {
		accounts_undo_attempt(g->accounts, attempt->address, attempt->name);
		answer_problem(g, attempt->exchange, 503, "the password cannot be checked now");
	} else {
		accounts_forget_attempts(g->accounts, attempt->address, attempt->name);
		if (!password_hash(g->passwords, attempt->new_password, new_hash_done, attempt))
			answer_too_many(g, attempt->exchange, 1000, "too many log in just now");
	}
	gateway_release(g);
}

/* Letters, not bytes: continuation bytes of UTF-8 do not count. */
static size_t count_chars(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

void auth_password(struct gateway *g, struct call *call)
{
	const struct msg_password_change *change = call->body;
	struct attempt *attempt = new_attempt(g, call, call->caller.name);

	if (count_chars(change->new_password) < PASSWORD_MIN_CHARS) {
		answer_problem(g, call->exchange, 400,
			       "the new password needs at least 10 characters");
		return;
	}
	if (str_eq(change->new_password, change->old_password)) {
		answer_problem(g, call->exchange, 400, "the new password is the old one");
		return;
	}
	attempt->new_password = change->new_password;
	verify(attempt, accounts_get_person(g->accounts, call->caller.person_id),
	       change->old_password, old_done);
}
