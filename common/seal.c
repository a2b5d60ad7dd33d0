/* SPDX-License-Identifier: MIT */
/*
 * The text is padded with blanks, which JSON allows at its end. Nothing of it stays in memory that was freed: the
 * tree and its arena copies are overwritten.
 */
#include "common/seal.h"

#include <errno.h>
#include <stdio.h>

#include <sodium.h>

#include "common/base64.h"
#include "common/codec.h"
#include "common/sha256.h"
#include "common/topics.h"

#define SEALED_BYTES (SEAL_PLAIN_BYTES + crypto_box_SEALBYTES)

/* ── keys ────────────────────────────────────────────────────────────────────────────────────────────────────── */

static bool read_hex(const char *text, size_t length, unsigned char ret[SEAL_KEY_BYTES])
{
	size_t n;

	return length == 2 * (size_t)SEAL_KEY_BYTES &&
	       sodium_hex2bin(ret, SEAL_KEY_BYTES, text, length, NULL, &n, NULL) == 0 &&
	       n == SEAL_KEY_BYTES;
}

static int read_keys(const char *text, struct seal_keys *keys)
{
	static const char blanks[] = " \t\r\n";
	unsigned char seed[SEAL_KEY_BYTES];

	for (text += strspn(text, blanks); *text; text += strspn(text, blanks)) {
		size_t length = strcspn(text, blanks);

		if (keys->n == SEAL_KEYS_MAX || !read_hex(text, length, seed))
			return -EINVAL;
		(void)crypto_box_seed_keypair(keys->pk[keys->n], keys->sk[keys->n], seed);
		sodium_memzero(seed, sizeof(seed));
		keys->n++;
		text += length;
	}
	return keys->n ? 0 : -EINVAL;
}

int seal_keys_from_hex(const char *text, struct seal_keys *ret)
{
	int r;

	ret->n = 0;
	r = read_keys(text, ret);
	if (r < 0)
		seal_keys_wipe(ret);
	return r;
}

void seal_keys_wipe(struct seal_keys *keys)
{
	sodium_memzero(keys, sizeof(*keys));
}

void seal_public_hex(const struct seal_keys *keys, char ret[2 * SEAL_KEY_BYTES + 1])
{
	hex_build(keys->pk[0], SEAL_KEY_BYTES, ret);
}

int seal_public_from_hex(const char *text, unsigned char ret[SEAL_KEY_BYTES])
{
	return read_hex(text, strcspn(text, " \t\r\n"), ret) ? 0 : -EINVAL;
}

/* ── sealing ─────────────────────────────────────────────────────────────────────────────────────────────────── */

int seal_proof(const unsigned char public[SEAL_KEY_BYTES], const char *digest, const char *keyword,
	       const char *code, char ret[SEAL_TEXT_SIZE])
{
	const char *typed = keyword ? keyword : code;
	size_t max = keyword ? SEAL_KEYWORD_MAX : SEAL_CODE_MAX;
	_cleanup_(str_wipe) struct str plain = { 0 };
	unsigned char box[SEALED_BYTES];
	struct json_writer w = { .out = &plain };

	if (!keyword == !code || !*typed || strlen(typed) > max ||
	    strlen(digest) != SEAL_DIGEST_LENGTH)
		return -EINVAL;
	str_reserve(&plain, 1024 + SEAL_PLAIN_BYTES);
	json_object_begin(&w, NULL);
	json_add_str(&w, "digest", digest);
	json_add_str(&w, keyword ? "keyword" : "code", typed);
	json_object_end(&w);
	if (plain.len > SEAL_PLAIN_BYTES)
		return -EINVAL;
	while (plain.len < SEAL_PLAIN_BYTES)
		str_add_char(&plain, ' ');
	(void)crypto_box_seal(box, (const unsigned char *)plain.data, plain.len, public);
	base64_build(box, sizeof(box), ret);
	return 0;
}

/* ── opening ─────────────────────────────────────────────────────────────────────────────────────────────────── */

void seal_wipe(struct sealed *sealed)
{
	sodium_memzero(sealed, sizeof(*sealed));
}

/* Moves a text out of the arena. */
static void move(const char *from, char *ret, size_t size)
{
	if (!from)
		return;
	(void)snprintf(ret, size, "%s", from);
	sodium_memzero((char *)from, strlen(from));
}

static int read_proof(const char *text, size_t length, struct sealed *ret)
{
	_cleanup_(json_secret_treep) cJSON *tree = NULL;
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct codec_error error;
	struct msg_proof *proof;
	void *value;

	if (json_parse(text, length, JSON_COMMAND, &tree, NULL) < 0 ||
	    codec_decode_tree(&message_proof, tree, CODEC_STRICT, arena, &value, &error) < 0)
		return -EINVAL;
	proof = value;
	*ret = (struct sealed){ 0 };
	move(proof->digest, ret->digest, sizeof(ret->digest));
	move(proof->keyword, ret->keyword, sizeof(ret->keyword));
	move(proof->code, ret->code, sizeof(ret->code));
	if (strlen(ret->digest) == SEAL_DIGEST_LENGTH && !ret->keyword[0] != !ret->code[0])
		return 0;
	seal_wipe(ret);
	return -EINVAL;
}

int seal_open(const struct seal_keys *keys, const char *text, struct sealed *ret)
{
	unsigned char box[SEALED_BYTES], plain[SEALED_BYTES];
	size_t n;
	int r = -EINVAL;

	if (base64_parse(text, box, sizeof(box), &n) < 0 || n <= crypto_box_SEALBYTES)
		return -EINVAL;
	for (size_t i = 0; r < 0 && i < keys->n; i++) {
		if (crypto_box_seal_open(plain, box, n, keys->pk[i], keys->sk[i]) == 0)
			r = read_proof((const char *)plain, n - crypto_box_SEALBYTES, ret);
	}
	sodium_memzero(plain, sizeof(plain));
	return r;
}

void seal_autonomy_digest(const struct msg_autonomy_set *set, char ret[SEAL_DIGEST_LENGTH + 1])
{
	_cleanup_(freep) char *text =
		xasprintf("autonomy\n%s\n%lld\n%s\n%s", set->op,
			  (long long)(set->level.has ? set->level.v : -1),
			  set->runbook ? set->runbook : "", set->request_id ? set->request_id : "");

	sha256_hex(text, strlen(text), ret);
}
