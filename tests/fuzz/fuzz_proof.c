/* SPDX-License-Identifier: MIT */
/*
 * What the safety gate reads of proofs, by the first byte: the file of persons, a sealed proof from outside, the inside
 * of one (sealed here), a checkpoint, a base32 secret. What is taken is written and read again.
 */
#include "common/alloc.h"
#include "common/audit_checkpoint.h"
#include "common/base64.h"
#include "services/safety-gate/proof.h"

#include <sodium.h>

#define SEED "77076d0a7318a57d3c16c17251b26645df1a3f26d0a7a6d6a6d6a6d6a6d6a6d6"
#define DIGEST "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void persons(const char *text, size_t length)
{
	_cleanup_(persons_freep) struct persons *first = NULL;
	_cleanup_(persons_freep) struct persons *second = NULL;
	_cleanup_(str_wipe) struct str built = { 0 };
	const char *error = NULL;

	if (persons_parse(text, length, &first, &error) < 0) {
		must(error && !first);
		return;
	}
	persons_build(first, &built);
	must(built.len <= PERSONS_TEXT_MAX);
	must(persons_parse(built.data, built.len, &second, &error) == 0);
	must(memcmp(first, second, sizeof(*first)) == 0);
}

static void check_open(const struct seal_keys *keys, const char *text)
{
	struct sealed sealed;
	char again[SEAL_TEXT_SIZE];

	if (proof_open(keys, text, DIGEST, &sealed) != PROOF_RIGHT)
		return;
	must(str_eq(sealed.digest, DIGEST) && !sealed.keyword[0] != !sealed.code[0]);
	(void)seal_proof(keys->pk[0], DIGEST, sealed.keyword[0] ? sealed.keyword : NULL,
			 sealed.code[0] ? sealed.code : NULL, again);
}

static void outside(const char *text, size_t length)
{
	struct seal_keys keys;

	(void)length;
	must(seal_keys_from_hex(SEED, &keys) == 0);
	check_open(&keys, text);
}

static void inside(const char *text, size_t length)
{
	unsigned char box[SEAL_PLAIN_BYTES + crypto_box_SEALBYTES];
	char sealed[BASE64_SIZE(sizeof(box))];
	struct seal_keys keys;

	if (length > SEAL_PLAIN_BYTES)
		return;
	must(seal_keys_from_hex(SEED, &keys) == 0);
	must(crypto_box_seal(box, (const unsigned char *)text, length, keys.pk[0]) == 0);
	base64_build(box, length + crypto_box_SEALBYTES, sealed);
	check_open(&keys, sealed);
}

static void checkpoint(const char *text, size_t length)
{
	_cleanup_(str_done) struct str built = { 0 };
	struct audit_checkpoint first, second;

	(void)length;
	while (audit_checkpoint_parse(&text, &first) == 1) {
		const char *at;

		str_clear(&built);
		audit_checkpoint_build(&first, &built);
		at = str_get(&built);
		must(audit_checkpoint_parse(&at, &second) == 1 && !*at);
		must(memcmp(&first, &second, sizeof(first)) == 0);
	}
}

static void base32(const char *text, size_t length)
{
	struct totp_secret first, second;
	char built[TOTP_BASE32_SIZE];
	int64_t step;

	(void)length;
	if (totp_secret_from_base32(text, &first) < 0)
		return;
	totp_secret_base32(&first, built);
	must(totp_secret_from_base32(built, &second) == 0);
	must(memcmp(&first, &second, sizeof(first)) == 0);
	(void)totp_verify(&first, text, 59000, 0, &step);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const targets[])(const char *text, size_t length) = {
		persons, outside, inside, checkpoint, base32,
	};
	_cleanup_(freep) char *text = NULL;

	if (!size)
		return 0;
	text = xstrndup((const char *)data + 1, size - 1);
	targets[data[0] % countof(targets)](text, strlen(text));
	return 0;
}
