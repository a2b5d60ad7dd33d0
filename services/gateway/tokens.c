/* SPDX-License-Identifier: MIT */
/*
 * API tokens: jrv_<id>_<secret>. The id finds the row and may be shown; of the secret there is the SHA-256 alone,
 * compared in constant time.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "services/gateway/accounts_internal.h"

#define PREFIX "jrv_"
#define SECRET_BYTES 32
#define SECRET_TEXT_SIZE 44

const char *const scope_names[SCOPES_N] = { "read", "read_logs", "propose", "operate", "metrics" };

unsigned scope_find(const char *name)
{
	for (unsigned i = 0; i < SCOPES_N; i++) {
		if (str_eq(scope_names[i], name))
			return 1u << i;
	}
	return 0;
}

/* Makes room at the front, where the newest stands. */
static struct token *add_token(struct accounts *a)
{
	a->tokens = xreallocarray(a->tokens, a->tokens_n + 1, sizeof(*a->tokens));
	memmove(a->tokens + 1, a->tokens, a->tokens_n * sizeof(*a->tokens));
	a->tokens_n++;
	a->tokens[0] = (struct token){ .owner = ++a->last_owner };
	return &a->tokens[0];
}

static void remove_token(struct accounts *a, size_t i)
{
	free(a->tokens[i].name);
	a->tokens_n--;
	memmove(a->tokens + i, a->tokens + i + 1, (a->tokens_n - i) * sizeof(*a->tokens));
}

int tokens_load(struct accounts *a)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = db_query_values(
		a->db,
		"SELECT id, name, scopes, hash, created_ms, expires_ms, used_ms FROM token ORDER BY created_ms, id",
		NULL, 0);
	int r;

	while ((r = db_next(rows)) > 0) {
		size_t size;
		const void *hash = db_blob(rows, 3, &size);
		struct token *token;

		if (size != sizeof(token->hash))
			continue;
		token = add_token(a);
		(void)snprintf(token->id, sizeof(token->id), "%s", db_text(rows, 0));
		token->name = xstrdup(db_text(rows, 1));
		token->scopes = (unsigned)db_i64(rows, 2);
		memcpy(token->hash, hash, size);
		token->created_ms = db_i64(rows, 4);
		token->expires_ms = db_i64(rows, 5);
		token->used_ms = db_i64(rows, 6);
		token->saved_ms = token->used_ms;
	}
	return r;
}

void tokens_done(struct accounts *a)
{
	while (a->tokens_n)
		remove_token(a, a->tokens_n - 1);
	free(a->tokens);
	a->tokens = NULL;
}

static void make_secret(char id[TOKEN_ID_SIZE], char secret[TOKEN_SECRET_SIZE])
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	unsigned char random[SECRET_BYTES];
	char text[SECRET_TEXT_SIZE];

	for (size_t i = 0; i < TOKEN_ID_SIZE - 1; i++)
		id[i] = letters[randombytes_uniform(sizeof(letters) - 1)];
	id[TOKEN_ID_SIZE - 1] = '\0';
	randombytes_buf(random, sizeof(random));
	(void)sodium_bin2base64(text, sizeof(text), random, sizeof(random),
				sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	(void)snprintf(secret, TOKEN_SECRET_SIZE, PREFIX "%s_%s", id, text);
	sodium_memzero(random, sizeof(random));
	sodium_memzero(text, sizeof(text));
}

int accounts_add_token(struct accounts *a, const char *name, unsigned scopes, int64_t expires_ms,
		       char secret[TOKEN_SECRET_SIZE], const struct token **ret)
{
	struct token *token;
	int r;

	if (a->tokens_n >= ACCOUNTS_TOKENS_MAX)
		return -ENOSPC;
	token = add_token(a);
	make_secret(token->id, secret);
	(void)crypto_hash_sha256(token->hash, (const unsigned char *)secret, strlen(secret));
	token->name = xstrdup(name);
	token->scopes = scopes;
	token->created_ms = accounts_wall_ms(a);
	token->expires_ms = expires_ms;
	r = db_exec(
		a->db,
		"INSERT INTO token (id, name, scopes, hash, created_ms, expires_ms) VALUES (?, ?, ?, ?, ?, ?)",
		DB_TEXT(token->id), DB_TEXT(name), DB_I64(scopes),
		DB_BLOB(token->hash, sizeof(token->hash)), DB_I64(token->created_ms),
		DB_I64(expires_ms));
	if (r < 0) {
		remove_token(a, 0);
		return accounts_failed(a, r, "make a token");
	}
	*ret = token;
	return 0;
}

static struct token *find_id(const struct accounts *a, const char *id, size_t length)
{
	for (size_t i = 0; i < a->tokens_n; i++) {
		if (strlen(a->tokens[i].id) == length && strncmp(a->tokens[i].id, id, length) == 0)
			return &a->tokens[i];
	}
	return NULL;
}

int accounts_delete_token(struct accounts *a, const char *id)
{
	struct token *token = find_id(a, id, strlen(id));
	uint64_t owner = token ? token->owner : 0;
	int r;

	if (!token)
		return -ENOENT;
	r = db_exec(a->db, "DELETE FROM token WHERE id = ?", DB_TEXT(id));
	if (r < 0)
		return accounts_failed(a, r, "revoke a token");
	remove_token(a, (size_t)(token - a->tokens));
	if (a->options.on_ended)
		a->options.on_ended(a->options.ctx, owner);
	return 0;
}

const struct token *accounts_tokens(const struct accounts *a, size_t *n)
{
	*n = a->tokens_n;
	return a->tokens;
}

static void use(struct accounts *a, struct token *token)
{
	token->used_ms = accounts_wall_ms(a);
	if (token->used_ms - token->saved_ms < SAVE_USE_MS && token->used_ms >= token->saved_ms)
		return;
	token->saved_ms = token->used_ms;
	if (db_exec(a->db, "UPDATE token SET used_ms = ? WHERE id = ?", DB_I64(token->used_ms),
		    DB_TEXT(token->id)) < 0)
		(void)accounts_failed(a, 0, "note the use of a token");
}

bool accounts_check_token(struct accounts *a, const char *secret, struct caller *ret)
{
	unsigned char hash[crypto_hash_sha256_BYTES];
	const char *id = secret + strlen(PREFIX);
	struct token *token;

	*ret = (struct caller){ 0 };
	if (!str_starts(secret, PREFIX))
		return false;
	(void)crypto_hash_sha256(hash, (const unsigned char *)secret, strlen(secret));
	token = find_id(a, id, strcspn(id, "_"));
	if (!token || sodium_memcmp(token->hash, hash, sizeof(hash)) != 0 ||
	    accounts_wall_ms(a) >= token->expires_ms)
		return false;
	use(a, token);
	*ret = (struct caller){
		.kind = CALLER_TOKEN,
		.owner = token->owner,
		.name = token->name,
		.role = token->scopes & SCOPE_OPERATE ? ROLE_OPERATOR : ROLE_VIEWER,
		.scopes = token->scopes,
		.expires_ms = token->expires_ms,
	};
	return true;
}
