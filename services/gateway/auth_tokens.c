/* SPDX-License-Identifier: MIT */
/*
 * API tokens over REST. A list is read once and short, so it has one page.
 */
#include <errno.h>

#include "common/log.h"
#include "services/gateway/gateway.h"

#define DAY_MS ((int64_t)24 * 60 * 60 * 1000)
#define DAYS_DEFAULT 90
#define DAYS_MAX 365

/* TOKEN as a message; SCOPES has room for SCOPES_N. */
static struct msg_token describe(const struct token *token, const char **scopes)
{
	struct msg_token row = {
		.id = token->id,
		.name = token->name,
		.scopes = scopes,
		.created_ms = token->created_ms,
		.expires_ms = token->expires_ms,
		.last_used_ms = { token->used_ms != 0, token->used_ms },
	};

	for (unsigned i = 0; i < SCOPES_N; i++) {
		if (token->scopes & 1u << i)
			scopes[row.scopes_n++] = scope_names[i];
	}
	return row;
}

void auth_token_list(struct gateway *g, struct call *call)
{
	size_t n;
	const struct token *tokens = accounts_tokens(g->accounts, &n);
	_cleanup_(freep) struct msg_token *items = xcalloc(n + 1, sizeof(*items));
	_cleanup_(freep) const char **scopes = xcalloc((n + 1) * SCOPES_N, sizeof(*scopes));
	struct msg_token_list list = { .items = items, .items_n = n };

	for (size_t i = 0; i < n; i++)
		items[i] = describe(&tokens[i], scopes + i * SCOPES_N);
	answer_message(g, call->exchange, 200, &message_token_list, &list);
}

/* The scopes as bits; 0 when one of them is unknown. */
static unsigned read_scopes(const struct msg_token_create *create)
{
	unsigned scopes = 0;

	for (size_t i = 0; i < create->scopes_n; i++) {
		unsigned bit = scope_find(create->scopes[i]);

		if (!bit)
			return 0;
		scopes |= bit;
	}
	return scopes;
}

void auth_token_create(struct gateway *g, struct call *call)
{
	const struct msg_token_create *create = call->body;
	int64_t days = create->days.has ? create->days.v : DAYS_DEFAULT;
	unsigned scopes = read_scopes(create);
	const char *names[SCOPES_N];
	char secret[TOKEN_SECRET_SIZE];
	const struct token *token;
	struct msg_token row;
	int r;

	if (!scopes || !create->name[0] || days < 1 || days > DAYS_MAX) {
		answer_problem(
			g, call->exchange, 400,
			"a token has a name, 1 to 365 days, and of the scopes read, read_logs, propose, "
			"operate, metrics at least one");
		return;
	}
	r = accounts_add_token(g->accounts, create->name, scopes,
			       clock_wall_ms(g->clock) + days * DAY_MS, secret, &token);
	if (r < 0) {
		answer_problem(
			g, call->exchange, 503,
			r == -ENOSPC ?
				"there are too many tokens, or the disk is full; revoke some" :
				"the token cannot be written down");
		return;
	}
	log_info("%s made the token %s (%s)", call->caller.name, token->id, token->name);
	row = describe(token, names);
	row.secret = secret;
	answer_message(g, call->exchange, 201, &message_token, &row);
	sodium_memzero(secret, sizeof(secret));
}

void auth_token_delete(struct gateway *g, struct call *call)
{
	const struct msg_token_delete *request = call->body;
	int r = accounts_delete_token(g->accounts, request->id);

	if (r == -ENOENT) {
		answer_problem(g, call->exchange, 404, "no token has this id");
	} else if (r < 0) {
		answer_problem(g, call->exchange, 503,
			       "the token cannot be revoked now; is the disk full?");
	} else {
		log_info("%s revoked the token %s", call->caller.name, request->id);
		answer_done(g, call->exchange);
	}
}
