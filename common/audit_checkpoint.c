/* SPDX-License-Identifier: MIT */
/*
 * Checkpoints are signed as notes; the message is the same in members. Of a note's signatures only the
 * origin's own counts: witnesses may have added theirs.
 */
#include "common/audit_checkpoint.h"

#include <errno.h>
#include <stdio.h>

#include <sodium.h>

#include "common/base64.h"
#include "common/codec.h"

#define DASH "\xe2\x80\x94 " /* an em dash and a blank begin a signature */
#define ALGORITHM_ED25519 1
#define SIGNED_BYTES (4 + crypto_sign_BYTES) /* key id and signature */
#define LINE_MAX_BYTES ((size_t)256)

bool audit_is_origin(const char *origin)
{
	size_t n = 0;

	for (; origin[n] && n <= AUDIT_ORIGIN_MAX; n++) {
		if (origin[n] <= ' ' || origin[n] > '~' || origin[n] == '+')
			return false;
	}
	return n && n <= AUDIT_ORIGIN_MAX;
}

int audit_keys_from_hex(const char *text, struct audit_keys *ret)
{
	static const char blanks[] = " \t\r\n";

	ret->n = 0;
	for (text += strspn(text, blanks); *text; text += strspn(text, blanks)) {
		size_t length = strcspn(text, blanks), n;

		if (ret->n == AUDIT_KEYS_MAX || length != 2 * (size_t)GRANT_PUBLIC_BYTES ||
		    sodium_hex2bin(ret->key[ret->n], GRANT_PUBLIC_BYTES, text, length, NULL, &n,
				   NULL) != 0 ||
		    n != GRANT_PUBLIC_BYTES)
			return -EINVAL;
		ret->n++;
		text += length;
	}
	return ret->n ? 0 : -EINVAL;
}

/* ── signing ─────────────────────────────────────────────────────────────────────────────────────────────────── */

/* What a key is called in a note: the first bytes of SHA-256(name LF algorithm key). */
static void make_key_id(const char *origin, const unsigned char public[GRANT_PUBLIC_BYTES],
			unsigned char ret[4])
{
	unsigned char hash[crypto_hash_sha256_BYTES];
	crypto_hash_sha256_state state;

	(void)crypto_hash_sha256_init(&state);
	(void)crypto_hash_sha256_update(&state, (const unsigned char *)origin, strlen(origin));
	(void)crypto_hash_sha256_update(&state, (const unsigned char[]){ '\n', ALGORITHM_ED25519 },
					2);
	(void)crypto_hash_sha256_update(&state, public, GRANT_PUBLIC_BYTES);
	(void)crypto_hash_sha256_final(&state, hash);
	memcpy(ret, hash, 4);
}

static void add_body(const struct audit_checkpoint *c, struct str *out)
{
	char head[BASE64_SIZE(AUDIT_HASH_BYTES)];

	base64_build(c->head, sizeof(c->head), head);
	str_printf(out, "%s\n%lld\n%s\n", c->origin, (long long)c->size, head);
}

void audit_checkpoint_sign(struct audit_checkpoint *checkpoint,
			   const unsigned char secret[GRANT_SECRET_BYTES])
{
	_cleanup_(str_done) struct str body = { 0 };

	add_body(checkpoint, &body);
	make_key_id(checkpoint->origin, secret + crypto_sign_SEEDBYTES, checkpoint->key_id);
	(void)crypto_sign_detached(checkpoint->signature, NULL, (const unsigned char *)body.data,
				   body.len, secret);
}

bool audit_checkpoint_is_signed(const struct audit_checkpoint *checkpoint,
				const struct audit_keys *keys)
{
	_cleanup_(str_done) struct str body = { 0 };

	add_body(checkpoint, &body);
	for (size_t i = 0; i < keys->n; i++) {
		unsigned char id[4];

		make_key_id(checkpoint->origin, keys->key[i], id);
		if (memcmp(id, checkpoint->key_id, sizeof(id)) == 0 &&
		    crypto_sign_verify_detached(checkpoint->signature,
						(const unsigned char *)body.data, body.len,
						keys->key[i]) == 0)
			return true;
	}
	return false;
}

/* ── writing ─────────────────────────────────────────────────────────────────────────────────────────────────── */

static void signature_text(const struct audit_checkpoint *c, char ret[BASE64_SIZE(SIGNED_BYTES)])
{
	unsigned char bytes[SIGNED_BYTES];

	memcpy(bytes, c->key_id, 4);
	memcpy(bytes + 4, c->signature, sizeof(c->signature));
	base64_build(bytes, sizeof(bytes), ret);
}

void audit_checkpoint_build(const struct audit_checkpoint *checkpoint, struct str *out)
{
	char signature[BASE64_SIZE(SIGNED_BYTES)];

	add_body(checkpoint, out);
	signature_text(checkpoint, signature);
	str_printf(out, "\n" DASH "%s %s\n", checkpoint->origin, signature);
}

void audit_checkpoint_message(const struct audit_checkpoint *checkpoint, int64_t ts,
			      struct arena *arena, struct msg_audit_checkpoint *ret)
{
	char *head = arena_alloc(arena, 2 * AUDIT_HASH_BYTES + 1);
	char *signature = arena_alloc(arena, BASE64_SIZE(SIGNED_BYTES));

	hex_build(checkpoint->head, AUDIT_HASH_BYTES, head);
	signature_text(checkpoint, signature);
	*ret = (struct msg_audit_checkpoint){ .ts = ts,
					      .origin = arena_strdup(arena, checkpoint->origin),
					      .size = checkpoint->size,
					      .head = head,
					      .signature = signature };
}

/* ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────── */

static bool read_base64(const char *text, unsigned char *ret, size_t size)
{
	size_t n;

	return base64_parse(text, ret, size, &n) == 0 && n == size;
}

static bool read_signature(const char *text, struct audit_checkpoint *c)
{
	unsigned char bytes[SIGNED_BYTES];

	if (!read_base64(text, bytes, sizeof(bytes)))
		return false;
	memcpy(c->key_id, bytes, 4);
	memcpy(c->signature, bytes + 4, sizeof(c->signature));
	return true;
}

static bool set_origin(const char *origin, struct audit_checkpoint *c)
{
	if (!audit_is_origin(origin))
		return false;
	memcpy(c->origin, origin, strlen(origin) + 1);
	return true;
}

/* Copies a line without its end, and moves *TEXT behind it; false at the end of the text and for long lines. */
static bool next_line(const char **text, char ret[LINE_MAX_BYTES])
{
	size_t n = strcspn(*text, "\n");

	if (!**text || n >= LINE_MAX_BYTES)
		return false;
	memcpy(ret, *text, n);
	ret[n] = '\0';
	*text += (*text)[n] ? n + 1 : n;
	return true;
}

/* Takes a line, "— NAME BASE64", when it is the origin's own. */
static bool take_signature(char *line, struct audit_checkpoint *c)
{
	char *name = line + strlen(DASH), *blank = strrchr(line, ' ');

	*blank = '\0';
	return blank > name && str_eq(name, c->origin) && read_signature(blank + 1, c);
}

static bool read_signatures(const char **text, struct audit_checkpoint *c)
{
	char line[LINE_MAX_BYTES];
	bool found = false;

	while (str_starts(*text, DASH)) {
		if (!next_line(text, line))
			return false;
		found = found || take_signature(line, c);
	}
	return found;
}

static bool read_note(const char **text, struct audit_checkpoint *c)
{
	char line[LINE_MAX_BYTES];

	return next_line(text, line) && set_origin(line, c) && next_line(text, line) &&
	       str_to_i64(line, 0, INT64_MAX, &c->size) == 0 && next_line(text, line) &&
	       read_base64(line, c->head, sizeof(c->head)) && next_line(text, line) && !*line &&
	       read_signatures(text, c);
}

static bool read_message(const char **text, struct audit_checkpoint *c)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	size_t length = strcspn(*text, "\n"), n;
	struct msg_audit_checkpoint *message;
	void *value;

	if (codec_decode(&message_audit_checkpoint, *text, length, JSON_STATE, CODEC_LENIENT, arena,
			 &value, NULL) < 0)
		return false;
	message = value;
	*text += length;
	c->size = message->size;
	return set_origin(message->origin, c) && c->size >= 0 &&
	       read_signature(message->signature, c) &&
	       sodium_hex2bin(c->head, sizeof(c->head), message->head, strlen(message->head), NULL,
			      &n, NULL) == 0 &&
	       n == sizeof(c->head);
}

int audit_checkpoint_parse(const char **text, struct audit_checkpoint *ret)
{
	struct audit_checkpoint checkpoint = { .size = 0 };

	*text += strspn(*text, " \t\r\n");
	if (!**text)
		return 0;
	if (!(**text == '{' ? read_message(text, &checkpoint) : read_note(text, &checkpoint)))
		return -EINVAL;
	*ret = checkpoint;
	return 1;
}
