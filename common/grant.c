/* SPDX-License-Identifier: MIT */
/*
 * DSSE 1.0.2: what is signed is PAE(type, body) = "DSSEv1" SP len SP type SP len SP body. The key's id is a hint
 * that nothing depends on: every signature is held against every key that we have.
 */
#include "common/grant.h"

#include "common/alloc.h"
#include "common/base64.h"
#include "common/json.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#define ENVELOPE_MAX ((size_t)48 << 10)
#define SIGNATURES_MAX 4
#define KEY_ID_BYTES 8

int grant_secret_from_hex(const char *seed, unsigned char ret[GRANT_SECRET_BYTES])
{
	unsigned char bytes[crypto_sign_SEEDBYTES], public[GRANT_PUBLIC_BYTES];
	int r = -EINVAL;

	if (strlen(seed) == 2 * sizeof(bytes) &&
	    sodium_hex2bin(bytes, sizeof(bytes), seed, strlen(seed), NULL, NULL, NULL) == 0) {
		(void)crypto_sign_seed_keypair(public, ret, bytes);
		r = 0;
	}
	sodium_memzero(bytes, sizeof(bytes));
	return r;
}

void grant_public_hex(const unsigned char secret[GRANT_SECRET_BYTES], char ret[65])
{
	(void)sodium_bin2hex(ret, 65, secret + crypto_sign_SEEDBYTES, GRANT_PUBLIC_BYTES);
}

int grant_keys_from_hex(const char *text, struct grant_keys *ret)
{
	static const char blanks[] = " \t\r\n";

	ret->n = 0;
	for (text += strspn(text, blanks); *text; text += strspn(text, blanks)) {
		size_t length = strcspn(text, blanks);

		if (ret->n == GRANT_PUBLIC_MAX || length != 2 * (size_t)GRANT_PUBLIC_BYTES ||
		    sodium_hex2bin(ret->key[ret->n], GRANT_PUBLIC_BYTES, text, length, NULL, NULL,
				   NULL) != 0)
			return -EINVAL;
		ret->n++;
		text += length;
	}
	return ret->n ? 0 : -EINVAL;
}

static void add_pae(struct str *out, const char *payload, size_t length)
{
	str_printf(out, "DSSEv1 %zu %s %zu ", strlen(GRANT_TYPE), GRANT_TYPE, length);
	str_add_n(out, payload, length);
}

static char *base64(const void *bytes, size_t length)
{
	char *text = xmalloc(BASE64_SIZE(length));

	base64_build(bytes, length, text);
	return text;
}

void grant_seal(const unsigned char secret[GRANT_SECRET_BYTES], const char *payload, size_t length,
		struct str *out)
{
	unsigned char signature[crypto_sign_BYTES];
	_cleanup_(str_done) struct str signed_bytes = { 0 };
	_cleanup_(freep) char *body = base64(payload, length);
	_cleanup_(freep) char *sig = NULL;
	struct json_writer w = { .out = out };
	char id[2 * KEY_ID_BYTES + 1];

	add_pae(&signed_bytes, payload, length);
	(void)crypto_sign_detached(signature, NULL, (const unsigned char *)signed_bytes.data,
				   signed_bytes.len, secret);
	sig = base64(signature, sizeof(signature));
	(void)sodium_bin2hex(id, sizeof(id), secret + crypto_sign_SEEDBYTES, KEY_ID_BYTES);
	json_object_begin(&w, NULL);
	json_add_str(&w, "payloadType", GRANT_TYPE);
	json_add_str(&w, "payload", body);
	json_list_begin(&w, "signatures");
	json_object_begin(&w, NULL);
	json_add_str(&w, "keyid", id);
	json_add_str(&w, "sig", sig);
	json_object_end(&w);
	json_list_end(&w);
	json_object_end(&w);
}

/* ── opening ───────────────────────────────────────────────────────────────────────────────────────────────── */

static const char *text_of(const cJSON *object, const char *key)
{
	return cJSON_GetStringValue(json_get(object, key));
}

static int unbase64(const char *text, struct str *ret)
{
	size_t size = strlen(text), n;
	_cleanup_(freep) unsigned char *bytes = xmalloc(size + 1);

	if (base64_parse(text, bytes, size + 1, &n) < 0)
		return -EINVAL;
	str_add_n(ret, (const char *)bytes, n);
	return 0;
}

static bool is_signed(const struct grant_keys *keys, const struct str *bytes, const cJSON *entry)
{
	_cleanup_(str_done) struct str sig = { 0 };
	const char *text = text_of(entry, "sig");

	if (!text || unbase64(text, &sig) < 0 || sig.len != crypto_sign_BYTES)
		return false;
	for (size_t i = 0; i < keys->n; i++) {
		if (crypto_sign_verify_detached((const unsigned char *)sig.data,
						(const unsigned char *)bytes->data, bytes->len,
						keys->key[i]) == 0)
			return true;
	}
	return false;
}

static int check_signatures(const struct grant_keys *keys, const cJSON *list,
			    const struct str *body, const char **why)
{
	_cleanup_(str_done) struct str bytes = { 0 };
	const cJSON *entry;

	add_pae(&bytes, body->data, body->len);
	for (entry = list->child; entry; entry = entry->next) {
		if (is_signed(keys, &bytes, entry))
			return 0;
	}
	*why = "no key of the safety gate has signed it";
	return -EPERM;
}

/* Exactly these members: nothing that somebody else might read differently. */
static int read_envelope(const cJSON *tree, struct str *body, const cJSON **ret_list,
			 const char **why)
{
	const char *type = text_of(tree, "payloadType"), *payload = text_of(tree, "payload");
	const cJSON *list = json_get(tree, "signatures");

	if (!type || !payload || !cJSON_IsArray(list) || cJSON_GetArraySize(tree) != 3 ||
	    cJSON_GetArraySize(list) > SIGNATURES_MAX) {
		*why = "it has not the members of an envelope";
		return -EINVAL;
	}
	if (!str_eq(type, GRANT_TYPE)) {
		*why = "it holds something else than a grant";
		return -EINVAL;
	}
	if (unbase64(payload, body) < 0 || !body->len || body->len > GRANT_PAYLOAD_MAX) {
		*why = "its payload cannot be read";
		return -EINVAL;
	}
	*ret_list = list;
	return 0;
}

int grant_open(const struct grant_keys *keys, const char *envelope, size_t length, struct str *ret,
	       const char **why)
{
	_cleanup_(json_treep) cJSON *tree = NULL;
	_cleanup_(str_done) struct str body = { 0 };
	const cJSON *list;
	int r;

	*why = "it is not JSON as we write it";
	if (length > ENVELOPE_MAX || json_parse(envelope, length, JSON_COMMAND, &tree, NULL) < 0)
		return -EINVAL;
	r = read_envelope(tree, &body, &list, why);
	if (r == 0)
		r = check_signatures(keys, list, &body, why);
	if (r < 0)
		return r;
	*why = NULL;
	str_add_n(ret, body.data, body.len);
	return 0;
}
