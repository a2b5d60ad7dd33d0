/* SPDX-License-Identifier: MIT */
/*
 * Envelopes: what was sealed opens, every flipped bit does not, and the test vector of DSSE's own PAE.
 */
#include "common/alloc.h"
#include "common/grant.h"
#include "tests/unit/check.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#define SEED                                                                                       \
	"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60" /* RFC 8032, 7.1, test 1 */
#define PUBLIC "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
#define OTHER "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"

static const char payload[] = "{\"v\":1,\"tool\":\"guest_start\"}";

static void seal(struct str *out)
{
	unsigned char secret[GRANT_SECRET_BYTES];

	assert_int_equal(grant_secret_from_hex(SEED, secret), 0);
	grant_seal(secret, payload, strlen(payload), out);
}

static int open_with(const char *keys, const char *envelope, size_t length, struct str *ret)
{
	struct grant_keys k;
	const char *why;
	int r;

	assert_int_equal(grant_keys_from_hex(keys, &k), 0);
	r = grant_open(&k, envelope, length, ret, &why);
	assert_int_equal(r == 0, why == NULL);
	return r;
}

static void test_keys(void **unused)
{
	unsigned char secret[GRANT_SECRET_BYTES];
	struct grant_keys keys;
	char hex[65];

	(void)unused;
	assert_int_equal(grant_secret_from_hex(SEED, secret), 0);
	grant_public_hex(secret, hex);
	assert_string_equal(hex, PUBLIC);
	assert_int_equal(grant_secret_from_hex("9d61", secret), -EINVAL);
	assert_int_equal(grant_secret_from_hex(SEED "00", secret), -EINVAL);
	assert_int_equal(grant_keys_from_hex(PUBLIC "\n" OTHER "\n", &keys), 0);
	assert_int_equal(keys.n, 2);
	assert_int_equal(grant_keys_from_hex("", &keys), -EINVAL);
	assert_int_equal(grant_keys_from_hex(PUBLIC " " PUBLIC " " PUBLIC, &keys), -EINVAL);
	assert_int_equal(grant_keys_from_hex("xyz", &keys), -EINVAL);
	/* As long as a key, and none. */
	hex[10] = 'x';
	assert_int_equal(grant_secret_from_hex(hex, secret), -EINVAL);
	assert_int_equal(grant_keys_from_hex(hex, &keys), -EINVAL);
}

static void test_round_trip(void **unused)
{
	_cleanup_(str_done) struct str envelope = { 0 }, body = { 0 };

	(void)unused;
	seal(&envelope);
	assert_int_equal(open_with(PUBLIC, envelope.data, envelope.len, &body), 0);
	assert_string_equal(str_get(&body), payload);
	body.len = 0;
	assert_int_equal(open_with(OTHER " " PUBLIC, envelope.data, envelope.len, &body), 0);
	body.len = 0;
	assert_int_equal(open_with(OTHER, envelope.data, envelope.len, &body), -EPERM);
	assert_int_equal(body.len, 0);
}

/* libsodium's decoder would take the bytes of an umlaut for two slashes. */
static void test_one_text(void **unused)
{
	static const char bytes[] = "\xff\xff\xff";
	_cleanup_(str_done) struct str envelope = { 0 }, body = { 0 };
	unsigned char secret[GRANT_SECRET_BYTES];
	char *slashes;

	(void)unused;
	assert_int_equal(grant_secret_from_hex(SEED, secret), 0);
	grant_seal(secret, bytes, 3, &envelope);
	assert_int_equal(open_with(PUBLIC, envelope.data, envelope.len, &body), 0);
	slashes = strstr(envelope.data, "////");
	assert_non_null(slashes);
	memcpy(slashes, "\xc3\xa4\xc3\xb6", 4);
	assert_int_equal(open_with(PUBLIC, envelope.data, envelope.len, &body), -EINVAL);
}

/* No single bit of the envelope may change without notice, but for the key's id, which is a hint. */
static void test_every_bit(void **unused)
{
	_cleanup_(str_done) struct str envelope = { 0 };
	size_t id_from, id_to;

	(void)unused;
	seal(&envelope);
	id_from = (size_t)(strstr(envelope.data, "\"keyid\"") - envelope.data);
	id_to = (size_t)(strstr(envelope.data, "\"sig\"") - envelope.data);
	for (size_t i = 0; i < envelope.len * 8; i++) {
		_cleanup_(freep) char *copy = xmemdup(envelope.data, envelope.len + 1);
		_cleanup_(str_done) struct str body = { 0 };

		copy[i / 8] = (char)(copy[i / 8] ^ (1 << (i % 8)));
		if (i / 8 >= id_from && i / 8 < id_to)
			continue;
		if (open_with(PUBLIC, copy, envelope.len, &body) == 0)
			fail_msg("bit %zu of byte %zu (%c)", i % 8, i / 8, envelope.data[i / 8]);
	}
}

static void test_rubbish(void **unused)
{
	static const char *const rows[] = {
		"",
		"{}",
		"[]",
		"null",
		"{\"payloadType\":\"" GRANT_TYPE "\",\"payload\":\"\",\"signatures\":[]}",
		"{\"payloadType\":\"" GRANT_TYPE "\",\"payload\":\"e30=\",\"signatures\":[]}",
		"{\"payloadType\":\"" GRANT_TYPE
		"\",\"payload\":\"e30=\",\"signatures\":[1,null,{}]}",
		"{\"payloadType\":\"" GRANT_TYPE
		"\",\"payload\":\"e30=\",\"signatures\":[{\"sig\":\"e30\"},{\"sig\":\"e30=\"}]}",
		"{\"payloadType\":\"" GRANT_TYPE
		"\",\"payload\":\"e30=\",\"signatures\":[1,2,3,4,5]}",
		"{\"payloadType\":\"" GRANT_TYPE
		"\",\"payload\":\"e30=\",\"signatures\":[],\"more\":1}",
		"{\"payloadType\":1,\"payload\":\"e30=\",\"signatures\":[]}",
		"{\"payloadType\":\"" GRANT_TYPE "\",\"payload\":1,\"signatures\":[]}",
		"{\"payloadType\":\"" GRANT_TYPE "\",\"payload\":\"e30=\",\"signatures\":1}",
		"{\"payloadType\":\"text/plain\",\"payload\":\"e30=\",\"signatures\":[]}",
		"{\"payloadType\":\"" GRANT_TYPE "\",\"payload\":\"e30\",\"signatures\":[]}",
		"{\"payloadType\":\"" GRANT_TYPE
		"\",\"payload\":\"e30=\",\"payload\":\"e30=\",\"signatures\":[]}",
	};

	(void)unused;
	for (size_t i = 0; i < countof(rows); i++) {
		_cleanup_(str_done) struct str body = { 0 };

		assert_int_not_equal(open_with(PUBLIC, rows[i], strlen(rows[i]), &body), 0);
	}
}

static void test_too_long(void **unused)
{
	_cleanup_(freep) char *long_text = xmalloc((size_t)64 << 10);
	_cleanup_(str_done) struct str body = { 0 }, envelope = { 0 };
	unsigned char secret[GRANT_SECRET_BYTES];

	(void)unused;
	memset(long_text, ' ', (size_t)64 << 10);
	assert_int_equal(open_with(PUBLIC, long_text, (size_t)64 << 10, &body), -EINVAL);
	assert_int_equal(grant_secret_from_hex(SEED, secret), 0);
	grant_seal(secret, long_text, GRANT_PAYLOAD_MAX + 1, &envelope);
	assert_int_equal(open_with(PUBLIC, envelope.data, envelope.len, &body), -EINVAL);
	envelope.len = 0;
	grant_seal(secret, long_text, GRANT_PAYLOAD_MAX, &envelope);
	assert_int_equal(open_with(PUBLIC, envelope.data, envelope.len, &body), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),	 cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_one_text), cmocka_unit_test(test_every_bit),
		cmocka_unit_test(test_rubbish),	 cmocka_unit_test(test_too_long),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
