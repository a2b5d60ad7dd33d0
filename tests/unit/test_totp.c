/* SPDX-License-Identifier: MIT */
/*
 * One-time codes: the vectors of RFC 4226 and RFC 6238, base32, the window, and every code once.
 */
#include "common/totp.h"
#include "tests/unit/check.h"

#include <errno.h>
#include <string.h>

#define SECRET "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ" /* "12345678901234567890" */

static struct totp_secret secret_of(const char *base32)
{
	struct totp_secret secret;

	assert_int_equal(totp_secret_from_base32(base32, &secret), 0);
	return secret;
}

/* RFC 4226, appendix D, and the last six digits of RFC 6238, appendix B (SHA-1). */
static void test_vectors(void **unused)
{
	static const struct {
		int64_t step;
		const char *code;
	} cases[] = {
		{ 0, "755224" },
		{ 1, "287082" },
		{ 2, "359152" },
		{ 3, "969429" },
		{ 4, "338314" },
		{ 5, "254676" },
		{ 6, "287922" },
		{ 7, "162583" },
		{ 8, "399871" },
		{ 9, "520489" },
		{ 59 / 30, "287082" },
		{ 1111111109 / 30, "081804" },
		{ 1111111111 / 30, "050471" },
		{ 1234567890 / 30, "005924" },
		{ 2000000000 / 30, "279037" },
		{ 20000000000 / 30, "353130" },
	};
	struct totp_secret secret = secret_of(SECRET);
	char code[TOTP_DIGITS + 1];

	(void)unused;
	assert_int_equal(secret.n, 20);
	assert_memory_equal(secret.bytes, "12345678901234567890", 20);
	for (size_t i = 0; i < countof(cases); i++) {
		assert_int_equal(totp_code(&secret, cases[i].step, code), 0);
		assert_string_equal(code, cases[i].code);
	}
	assert_int_equal(totp_step(1111111109999), 1111111109 / 30);
	assert_int_equal(totp_step(59999), 1);
	assert_int_equal(totp_step(60000), 2);
}

static void test_base32(void **unused)
{
	static const char *const right[] = { SECRET, "gezdgnbvgy3tqojqgezdgnbvgy3tqojq",
					     "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ",
					     "gezd-gnbv-gy3t-qojq-gezd-gnbv-gy3t-qojq===" };
	static const char *const wrong[] = {
		"",
		"MZXW6YTBOI======",		     /* too short */
		"GEZDGNBVGY3TQOJ0",		     /* 0 is no digit */
		"GEZDGNBVGY3TQOJQ=A",		     /* after the padding */
		"GEZDGNBVGY3TQOJQA",		     /* a digit too many */
		"GEZDGNBVGY3TQOJQGB",		     /* bits left over */
		"GEZDGNBVGY3TQOJQ\xc3\xa4",	     /* not ASCII */
		SECRET SECRET SECRET SECRET "GEZDG", /* too long */
	};
	struct totp_secret secret, same;
	char text[TOTP_BASE32_SIZE];

	(void)unused;
	for (size_t i = 0; i < countof(right); i++) {
		secret = secret_of(right[i]);
		totp_secret_base32(&secret, text);
		assert_string_equal(text, SECRET);
	}
	for (size_t i = 0; i < countof(wrong); i++)
		assert_int_equal(totp_secret_from_base32(wrong[i], &secret), -EINVAL);
	for (secret.n = TOTP_SECRET_MIN; secret.n <= TOTP_SECRET_MAX; secret.n++) {
		memset(secret.bytes, (int)(secret.n * 37), secret.n);
		totp_secret_base32(&secret, text);
		same = secret_of(text);
		assert_int_equal(same.n, secret.n);
		assert_memory_equal(same.bytes, secret.bytes, secret.n);
	}
}

static void test_make(void **unused)
{
	struct totp_secret first, second;
	char text[TOTP_BASE32_SIZE];

	(void)unused;
	totp_secret_make(&first);
	totp_secret_make(&second);
	assert_int_equal(first.n, TOTP_SECRET_NEW);
	assert_memory_not_equal(first.bytes, second.bytes, TOTP_SECRET_NEW);
	totp_secret_base32(&first, text);
	assert_int_equal(strlen(text), 32);
	totp_secret_wipe(&first);
	assert_int_equal(first.n, 0);
	assert_int_equal(first.bytes[0], 0);
}

static void test_window(void **unused)
{
	struct totp_secret secret = secret_of(SECRET);
	const int64_t now = 40;
	int64_t used;
	char code[TOTP_DIGITS + 1];

	(void)unused;
	for (int64_t step = now - 3; step <= now + 3; step++) {
		bool near = step >= now - 1 && step <= now + 1;

		used = -7;
		assert_int_equal(totp_code(&secret, step, code), 0);
		assert_int_equal(totp_verify(&secret, code, now * TOTP_STEP_MS + 29999, 0, &used),
				 near ? TOTP_RIGHT : TOTP_WRONG);
		assert_int_equal(used, near ? step : -7);
	}
	/* At the very beginning of time. */
	assert_int_equal(totp_verify(&secret, "755224", 0, -1, &used), TOTP_RIGHT);
	assert_int_equal(used, 0);
}

static void test_once(void **unused)
{
	struct totp_secret secret = secret_of(SECRET);
	int64_t used, later;
	char code[TOTP_DIGITS + 1];

	(void)unused;
	assert_int_equal(totp_code(&secret, 41, code), 0);
	assert_int_equal(totp_verify(&secret, code, 40 * TOTP_STEP_MS, 0, &used), TOTP_RIGHT);
	assert_int_equal(used, 41);
	/* Again, also when the clock was set back, and that of a step before it. */
	assert_int_equal(totp_verify(&secret, code, 41 * TOTP_STEP_MS, used, &later), TOTP_USED);
	assert_int_equal(totp_verify(&secret, code, 42 * TOTP_STEP_MS, used, &later), TOTP_USED);
	assert_int_equal(totp_code(&secret, 40, code), 0);
	assert_int_equal(totp_verify(&secret, code, 40 * TOTP_STEP_MS, used, &later), TOTP_USED);
	assert_int_equal(totp_code(&secret, 42, code), 0);
	assert_int_equal(totp_verify(&secret, code, 41 * TOTP_STEP_MS, used, &later), TOTP_RIGHT);
	assert_int_equal(later, 42);
}

static void test_typed(void **unused)
{
	static const char *const wrong[] = {
		"",	  "28708",    "2870820", "28708a",
		"-28708", "287,082",  "287083",	 "187082",
		" ",	  "287082\n", "+28708",	 "\u0662\u0668\u0667\u0660\u0668\u0662"
	};
	struct totp_secret secret = secret_of(SECRET), none = { .n = 0 };
	int64_t used;

	(void)unused;
	assert_int_equal(totp_verify(&secret, "287082", 59000, 0, &used), TOTP_RIGHT);
	assert_int_equal(totp_verify(&secret, " 287 082 ", 59000, 0, &used), TOTP_RIGHT);
	for (size_t i = 0; i < countof(wrong); i++)
		assert_int_equal(totp_verify(&secret, wrong[i], 59000, 0, &used), TOTP_WRONG);
	assert_int_equal(totp_verify(&none, "287082", 59000, 0, &used), TOTP_WRONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors), cmocka_unit_test(test_base32),
		cmocka_unit_test(test_make),	cmocka_unit_test(test_window),
		cmocka_unit_test(test_once),	cmocka_unit_test(test_typed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
