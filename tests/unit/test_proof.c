/* SPDX-License-Identifier: MIT */
/*
 * Proofs: what was sealed for this opens, and nothing else; codes and keywords of the right person alone count.
 */
#include "common/alloc.h"
#include "common/json.h"
#include "services/safety-gate/proof.h"
#include "tests/unit/check.h"

#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>

#include <sodium.h>

#define SEED "77076d0a7318a57d3c16c17251b26645df1a3f26d0a7a6d6a6d6a6d6a6d6a6d6"
#define OTHER_SEED "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"
#define DIGEST "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
#define OTHER_DIGEST "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a09"
#define CODE "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

static struct seal_keys keys_of(const char *text)
{
	struct seal_keys keys;

	assert_int_equal(seal_keys_from_hex(text, &keys), 0);
	return keys;
}

static void seal(const char *seed, const char *keyword, const char *code, char ret[SEAL_TEXT_SIZE])
{
	struct seal_keys keys = keys_of(seed);

	assert_int_equal(seal_proof(keys.pk[0], DIGEST, keyword, code, ret), 0);
}

static void test_keys(void **unused)
{
	struct seal_keys one = keys_of(SEED "\n"), two = keys_of(" " OTHER_SEED "\n" SEED "\n");
	unsigned char public[SEAL_KEY_BYTES];
	char hex[65];

	(void)unused;
	assert_int_equal(one.n, 1);
	assert_int_equal(two.n, 2);
	assert_memory_equal(two.pk[1], one.pk[0], SEAL_KEY_BYTES);
	seal_public_hex(&one, hex);
	assert_int_equal(seal_public_from_hex(hex, public), 0);
	assert_memory_equal(public, one.pk[0], SEAL_KEY_BYTES);
	assert_int_equal(seal_public_from_hex("", public), -EINVAL);
	assert_int_equal(seal_public_from_hex(SEED "0", public), -EINVAL);
	assert_int_equal(seal_keys_from_hex("", &one), -EINVAL);
	assert_int_equal(seal_keys_from_hex(SEED "0", &one), -EINVAL);
	assert_int_equal(seal_keys_from_hex(SEED " 12", &one), -EINVAL);
	assert_int_equal(seal_keys_from_hex(SEED " " SEED " " SEED, &one), -EINVAL);
	assert_int_equal(one.n, 0);
}

static void test_round_trip(void **unused)
{
	struct seal_keys keys = keys_of(SEED), both = keys_of(OTHER_SEED " " SEED);
	char text[SEAL_TEXT_SIZE], again[SEAL_TEXT_SIZE];
	struct sealed sealed;

	(void)unused;
	seal(SEED, "p\u00e4ss \"wort\\", NULL, text);
	/* Nobody sees which of the two it is, nor how long. */
	assert_int_equal(strlen(text), SEAL_TEXT_SIZE - 1);
	assert_int_equal(proof_open(&keys, text, DIGEST, &sealed), PROOF_RIGHT);
	assert_string_equal(sealed.keyword, "p\u00e4ss \"wort\\");
	assert_string_equal(sealed.code, "");
	seal(SEED, NULL, "123 456", text);
	assert_int_equal(strlen(text), SEAL_TEXT_SIZE - 1);
	assert_int_equal(proof_open(&both, text, DIGEST, &sealed), PROOF_RIGHT);
	assert_string_equal(sealed.code, "123 456");
	assert_string_equal(sealed.keyword, "");
	seal(SEED, NULL, "123 456", again);
	assert_string_not_equal(text, again);
	seal_wipe(&sealed);
	assert_true(sodium_is_zero((const unsigned char *)&sealed, sizeof(sealed)));
}

static void test_limits(void **unused)
{
	struct seal_keys keys = keys_of(SEED);
	char text[SEAL_TEXT_SIZE], longest[SEAL_KEYWORD_MAX + 2];
	struct sealed sealed;

	(void)unused;
	memset(longest, 'x', sizeof(longest));
	longest[SEAL_KEYWORD_MAX + 1] = '\0';
	assert_int_equal(seal_proof(keys.pk[0], DIGEST, longest, NULL, text), -EINVAL);
	longest[SEAL_KEYWORD_MAX] = '\0';
	seal(SEED, longest, NULL, text);
	assert_int_equal(proof_open(&keys, text, DIGEST, &sealed), PROOF_RIGHT);
	assert_string_equal(sealed.keyword, longest);
	memset(longest, '\\', SEAL_KEYWORD_MAX);
	assert_int_equal(seal_proof(keys.pk[0], DIGEST, longest, NULL, text), -EINVAL);
	longest[SEAL_KEYWORD_MAX - 8] = '\0';
	seal(SEED, longest, NULL, text);
	assert_int_equal(proof_open(&keys, text, DIGEST, &sealed), PROOF_RIGHT);
	assert_string_equal(sealed.keyword, longest);
	assert_int_equal(seal_proof(keys.pk[0], DIGEST, "", NULL, text), -EINVAL);
	assert_int_equal(seal_proof(keys.pk[0], DIGEST, NULL, NULL, text), -EINVAL);
	assert_int_equal(seal_proof(keys.pk[0], DIGEST, "a", "1", text), -EINVAL);
	assert_int_equal(seal_proof(keys.pk[0], "9f86", "a", NULL, text), -EINVAL);
	assert_int_equal(seal_proof(keys.pk[0], DIGEST, NULL, "12345678901234567", text), -EINVAL);
}

static void test_digest(void **unused)
{
	struct seal_keys keys = keys_of(SEED);
	char text[SEAL_TEXT_SIZE];
	struct sealed sealed;

	(void)unused;
	seal(SEED, "keyword", NULL, text);
	assert_int_equal(proof_open(&keys, text, OTHER_DIGEST, &sealed), PROOF_OTHER_DIGEST);
	assert_int_equal(proof_open(&keys, text, "", &sealed), PROOF_OTHER_DIGEST);
	assert_int_equal(proof_open(&keys, text, DIGEST "00", &sealed), PROOF_OTHER_DIGEST);
}

/* Every single bit of a sealed proof: it never opens again. */
static void test_flipped(void **unused)
{
	struct seal_keys keys = keys_of(SEED);
	char text[SEAL_TEXT_SIZE];
	struct sealed sealed;

	(void)unused;
	seal(SEED, "keyword", NULL, text);
	for (size_t i = 0; i < 8 * (SEAL_TEXT_SIZE - 1); i++) {
		text[i / 8] = (char)(text[i / 8] ^ 1 << i % 8);
		assert_int_equal(proof_open(&keys, text, DIGEST, &sealed), PROOF_UNREADABLE);
		text[i / 8] = (char)(text[i / 8] ^ 1 << i % 8);
	}
	for (size_t n = SEAL_TEXT_SIZE - 1; n-- > 0;) {
		text[n] = '\0';
		assert_int_equal(proof_open(&keys, text, DIGEST, &sealed), PROOF_UNREADABLE);
	}
	seal(OTHER_SEED, "keyword", NULL, text);
	assert_int_equal(proof_open(&keys, text, DIGEST, &sealed), PROOF_UNREADABLE);
}

/* Sealed by somebody who does not keep to the rules. */
static void test_rubbish(void **unused)
{
	static const char *const inside[] = {
		"x",
		"{}",
		"[]",
		"{\"digest\":\"" DIGEST "\"}",
		"{\"digest\":\"" DIGEST "\",\"keyword\":null,\"code\":null}",
		"{\"digest\":\"" DIGEST "\",\"keyword\":\"\"}",
		"{\"digest\":\"" DIGEST "\",\"keyword\":\"a\",\"code\":\"1\"}",
		"{\"digest\":\"" DIGEST "\",\"keyword\":\"a\",\"more\":1}",
		"{\"digest\":\"" DIGEST "\",\"keyword\":\"a\",\"keyword\":\"b\"}",
		"{\"digest\":\"" DIGEST "\",\"keyword\":7}",
		"{\"digest\":\"9f86\",\"keyword\":\"a\"}",
		"{\"digest\":\"" DIGEST "\",\"code\":\"12345678901234567\"}",
		"{\"digest\":\"" DIGEST "\",\"keyword\":\"a\"} {}",
		"{\"digest\":\"" DIGEST "\",\"keyword\":\"a\\u0000b\"}",
	};
	static const char *const outside[] = { "", "A", "====", "not base64!", "AAAA" };
	struct seal_keys keys = keys_of(SEED);
	struct sealed sealed;

	(void)unused;
	for (size_t i = 0; i < countof(inside); i++) {
		unsigned char box[512];
		char text[1024];
		size_t n = strlen(inside[i]);

		(void)crypto_box_seal(box, (const unsigned char *)inside[i], n, keys.pk[0]);
		(void)sodium_bin2base64(text, sizeof(text), box, n + crypto_box_SEALBYTES,
					sodium_base64_VARIANT_ORIGINAL);
		assert_int_equal(proof_open(&keys, text, DIGEST, &sealed), PROOF_UNREADABLE);
	}
	for (size_t i = 0; i < countof(outside); i++)
		assert_int_equal(proof_open(&keys, outside[i], DIGEST, &sealed), PROOF_UNREADABLE);
}

static void test_code(void **unused)
{
	struct person_proofs person = { .name = "ada" }, none = { .name = "bob" };
	struct sealed sealed = { .code = "287082" }; /* of step 1 */
	struct sealed wrong = { .code = "287083" }, keyword = { .keyword = "287082" };
	int64_t step = -7;

	(void)unused;
	assert_int_equal(totp_secret_from_base32(CODE, &person.totp), 0);
	assert_int_equal(proof_code(&person, &sealed, 59000, 0, &step), PROOF_RIGHT);
	assert_int_equal(step, 1);
	assert_int_equal(proof_code(&person, &sealed, 59000, step, &step), PROOF_USED);
	assert_int_equal(proof_code(&person, &sealed, 159000, 0, &step), PROOF_WRONG);
	assert_int_equal(proof_code(&person, &wrong, 59000, 0, &step), PROOF_WRONG);
	assert_int_equal(proof_code(&person, &keyword, 59000, 0, &step), PROOF_WRONG);
	assert_int_equal(proof_code(&none, &sealed, 59000, 0, &step), PROOF_NOT_ENROLLED);
	assert_int_equal(proof_code(NULL, &sealed, 59000, 0, &step), PROOF_NOT_ENROLLED);
	for (int i = PROOF_NONE; i < PROOF_RESULT_COUNT; i++)
		assert_int_equal(proof_reason((enum proof_result)i) == NULL, i <= PROOF_CODE);
	assert_true(proof_is_attempt(PROOF_WRONG));
	assert_true(proof_is_attempt(PROOF_USED));
	assert_false(proof_is_attempt(PROOF_BUSY));
	assert_false(proof_is_attempt(PROOF_FAILED));
	assert_false(proof_is_attempt(PROOF_UNREADABLE));
	assert_false(proof_is_attempt(PROOF_KEYWORD));
	assert_string_equal(proof_word(PROOF_BUSY), "busy");
	assert_string_equal(proof_word(PROOF_WRONG), "proof");
}

/* ── keywords ────────────────────────────────────────────────────────────────────────────────────────────────── */

static void note(void *ctx, enum proof_result result)
{
	enum proof_result *ret = ctx;

	*ret = result;
}

static enum proof_result keyword(uv_loop_t *loop, struct password_jobs *jobs,
				 const struct person_proofs *person, const char *typed)
{
	struct sealed sealed = { .code = "" };
	enum proof_result result = PROOF_FAILED;

	(void)snprintf(sealed.keyword, sizeof(sealed.keyword), "%s", typed);
	assert_true(proof_keyword(jobs, person, &sealed, note, &result));
	seal_wipe(&sealed);
	assert_int_equal(uv_run(loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(password_jobs_n(jobs), 0);
	return result;
}

static void test_keyword(void **unused)
{
	struct person_proofs person = { .name = "ada" }, none = { .name = "bob" };
	struct password_jobs *jobs;
	uv_loop_t loop;

	(void)unused;
	assert_int_equal(uv_loop_init(&loop), 0);
	jobs = password_jobs_new(&loop);
	assert_int_equal(password_hash_now("correct horse", person.keyword), 0);
	assert_true(password_is_hash(person.keyword));
	assert_int_equal(keyword(&loop, jobs, &person, "correct horse"), PROOF_RIGHT);
	assert_int_equal(keyword(&loop, jobs, &person, "correct hors"), PROOF_WRONG);
	assert_int_equal(keyword(&loop, jobs, &person, ""), PROOF_WRONG);
	assert_int_equal(keyword(&loop, jobs, &none, "correct horse"), PROOF_NOT_ENROLLED);
	assert_int_equal(keyword(&loop, jobs, NULL, "correct horse"), PROOF_NOT_ENROLLED);
	password_jobs_free(jobs);
	assert_int_equal(uv_loop_close(&loop), 0);
}

/* Without memory nobody knows whether it is right, so it is not called wrong. */
static void test_no_memory(void **unused)
{
	struct person_proofs person = { .name = "ada" };
	struct password_jobs *jobs;
	struct rlimit all, little;
	uv_loop_t loop;

	(void)unused;
#ifdef __SANITIZE_ADDRESS__
	skip(); /* it has reserved more than any limit allows */
#endif
	assert_int_equal(uv_loop_init(&loop), 0);
	jobs = password_jobs_new(&loop);
	assert_int_equal(password_hash_now("correct horse", person.keyword), 0);
	assert_int_equal(keyword(&loop, jobs, &person, "correct horse"), PROOF_RIGHT);
	assert_int_equal(getrlimit(RLIMIT_AS, &all), 0);
	little = (struct rlimit){ 1, all.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_AS, &little), 0);
	assert_int_equal(keyword(&loop, jobs, &person, "correct horse"), PROOF_FAILED);
	assert_int_equal(setrlimit(RLIMIT_AS, &all), 0);
	assert_int_equal(keyword(&loop, jobs, &person, "correct hors"), PROOF_WRONG);
	password_jobs_free(jobs);
	assert_int_equal(uv_loop_close(&loop), 0);
}

static void count(void *ctx, enum proof_result result)
{
	unsigned *n = ctx;

	assert_int_equal(result, PROOF_NOT_ENROLLED);
	++*n;
}

/* Two at once and a few that wait; those beyond are told at once. */
static void test_busy(void **unused)
{
	struct sealed sealed = { .keyword = "guess" };
	struct password_jobs *jobs;
	unsigned taken = 0, done = 0;
	uv_loop_t loop;

	(void)unused;
	assert_int_equal(uv_loop_init(&loop), 0);
	jobs = password_jobs_new(&loop);
	while (taken < 1000 && proof_keyword(jobs, NULL, &sealed, count, &done))
		taken++;
	assert_in_range(taken, 3, 32);
	assert_int_equal(password_jobs_n(jobs), taken);
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(done, taken);
	password_jobs_free(jobs);
	assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),	  cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_limits),	  cmocka_unit_test(test_digest),
		cmocka_unit_test(test_flipped),	  cmocka_unit_test(test_rubbish),
		cmocka_unit_test(test_code),	  cmocka_unit_test(test_keyword),
		cmocka_unit_test(test_no_memory), cmocka_unit_test(test_busy),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
