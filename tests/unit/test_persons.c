/* SPDX-License-Identifier: MIT */
/*
 * The file of persons: what is written is read, and whatever is not exactly that is refused as a whole.
 */
#include "common/alloc.h"
#include "common/persons.h"
#include "tests/unit/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#define HASH                                                                                       \
	"$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$"                                   \
	"RdescudvJCsgt3ub+b2dWRWJTmaaJObGRdescudvJCs"
#define CODE "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
#define ADA "{\"name\":\"ada\",\"keyword\":\"" HASH "\",\"totp\":\"" CODE "\",\"enrolled_ms\":17}"
#define BOB "{\"name\":\"bob\",\"keyword\":null,\"totp\":\"" CODE "\",\"enrolled_ms\":18}"
#define FILE_OF(persons) "{\"persons\":[" persons "]}"

static struct persons *parse(const char *text)
{
	struct persons *persons = NULL;
	const char *error = NULL;

	assert_int_equal(persons_parse(text, strlen(text), &persons, &error), 0);
	assert_null(error);
	return persons;
}

static void test_right(void **unused)
{
	_cleanup_(persons_freep) struct persons *persons = parse(FILE_OF(ADA "," BOB));
	_cleanup_(persons_freep) struct persons *none = parse(FILE_OF(""));
	_cleanup_(persons_freep) struct persons *keyword_only = parse(FILE_OF(
		"{\"name\":\"c\",\"keyword\":\"" HASH "\",\"totp\":null,\"enrolled_ms\":0}"));
	const struct person_proofs *ada = persons_find(persons, "ada");

	(void)unused;
	assert_int_equal(persons->n, 2);
	assert_string_equal(ada->keyword, HASH);
	assert_int_equal(ada->totp.n, 20);
	assert_int_equal(ada->enrolled_ms, 17);
	assert_string_equal(persons_find(persons, "bob")->keyword, "");
	assert_null(persons_find(persons, "Ada"));
	assert_null(persons_find(persons, ""));
	assert_int_equal(none->n, 0);
	assert_int_equal(keyword_only->item[0].totp.n, 0);
}

static void test_wrong(void **unused)
{
	static const char *const cases[] = {
		"",
		"[]",
		"{}",
		"{\"persons\":{}}",
		"{\"persons\":[],\"more\":1}",
		FILE_OF("1"),
		FILE_OF(ADA "," ADA),
		FILE_OF(ADA) "x",
		FILE_OF("{\"name\":\"ada\",\"keyword\":null,\"totp\":null,\"enrolled_ms\":17}"),
		FILE_OF("{\"name\":\"ada\",\"keyword\":\"" HASH "\",\"totp\":null}"),
		FILE_OF("{\"name\":\"ada\",\"keyword\":\"" HASH
			"\",\"totp\":null,\"enrolled_ms\":1,\"x\":1}"),
		FILE_OF("{\"name\":\"a da\",\"keyword\":\"" HASH
			"\",\"totp\":null,\"enrolled_ms\":1}"),
		FILE_OF("{\"name\":\"\",\"keyword\":\"" HASH "\",\"totp\":null,\"enrolled_ms\":1}"),
		FILE_OF("{\"name\":7,\"keyword\":\"" HASH "\",\"totp\":null,\"enrolled_ms\":1}"),
		FILE_OF("{\"name\":\"ada\",\"keyword\":\"secret\",\"totp\":null,\"enrolled_ms\":1}"),
		FILE_OF("{\"name\":\"ada\",\"keyword\":7,\"totp\":\"" CODE "\",\"enrolled_ms\":1}"),
		FILE_OF("{\"name\":\"ada\",\"keyword\":null,\"totp\":\"0000000000000000\","
			"\"enrolled_ms\":1}"),
		FILE_OF("{\"name\":\"ada\",\"keyword\":null,\"totp\":\"" CODE
			"\",\"enrolled_ms\":-1}"),
		FILE_OF("{\"name\":\"ada\",\"keyword\":null,\"totp\":\"" CODE
			"\",\"enrolled_ms\":\"1\"}"),
		/* A hash that would cost a gigabyte to compare with, and one of another kind. */
		FILE_OF("{\"name\":\"ada\",\"keyword\":\"$argon2id$v=19$m=1048576,t=2,p=1$"
			"c29tZXNhbHRzb21lc2FsdA$RdescudvJCsgt3ub+b2dWRWJTmaaJObGRdescudvJCs\","
			"\"totp\":null,\"enrolled_ms\":1}"),
		FILE_OF("{\"name\":\"ada\",\"keyword\":\"$argon2i$v=19$m=65536,t=2,p=1$"
			"c29tZXNhbHRzb21lc2FsdA$RdescudvJCsgt3ub+b2dWRWJTmaaJObGRdescudvJCs\","
			"\"totp\":null,\"enrolled_ms\":1}"),
	};

	(void)unused;
	for (size_t i = 0; i < countof(cases); i++) {
		struct persons *persons = NULL;
		const char *error = NULL;

		assert_int_equal(persons_parse(cases[i], strlen(cases[i]), &persons, &error),
				 -EINVAL);
		assert_null(persons);
		assert_non_null(error);
		/* Nothing of what stands there is repeated. */
		assert_null(strstr(error, "secret"));
	}
}

/* As many as there can be, each as long as can be, fit in the file, and come back. */
static void test_full(void **unused)
{
	_cleanup_(persons_freep) struct persons *persons = xnew(struct persons);
	_cleanup_(persons_freep) struct persons *again = NULL;
	_cleanup_(str_wipe) struct str text = { 0 };
	struct person_proofs person = { .keyword = HASH,
					.totp = { .n = TOTP_SECRET_MAX },
					.enrolled_ms = 1700000000000 };

	(void)unused;
	for (int i = 0; i < PERSONS_MAX; i++) {
		(void)snprintf(person.name, sizeof(person.name), "%064d", i);
		randombytes_buf(person.totp.bytes, person.totp.n);
		assert_true(persons_set(persons, &person));
	}
	(void)snprintf(person.name, sizeof(person.name), "more");
	assert_false(persons_set(persons, &person));
	persons_build(persons, &text);
	assert_true(text.len <= PERSONS_TEXT_MAX);
	again = parse(text.data);
	assert_memory_equal(again, persons, sizeof(*persons));
}

static void test_set_and_remove(void **unused)
{
	_cleanup_(persons_freep) struct persons *persons = parse(FILE_OF(ADA "," BOB));
	struct person_proofs person = { .name = "ada", .totp = { .n = 16 }, .enrolled_ms = 99 };

	(void)unused;
	assert_true(persons_set(persons, &person));
	assert_int_equal(persons->n, 2);
	assert_int_equal(persons_find(persons, "ada")->enrolled_ms, 99);
	assert_false(persons_remove(persons, "eve"));
	assert_true(persons_remove(persons, "ada"));
	assert_int_equal(persons->n, 1);
	assert_string_equal(persons->item[0].name, "bob");
	assert_string_equal(persons->item[1].name, "");
	assert_true(persons_remove(persons, "bob"));
	assert_int_equal(persons->n, 0);
}

static void test_names(void **unused)
{
	(void)unused;
	assert_true(person_is_name("Ada_L.1-x"));
	assert_false(person_is_name(""));
	assert_false(person_is_name("a/b"));
	assert_false(person_is_name("\u00e4"));
	assert_false(person_is_name("a\"b"));
	assert_false(person_is_name(
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
}

static void write_file(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	(void)close(fd);
}

static void test_load(void **unused)
{
	char dir[] = "/tmp/test_persons.XXXXXX";
	_cleanup_(str_done) struct str error = { 0 };
	_cleanup_(persons_freep) struct persons *persons = NULL;
	_cleanup_(freep) char *folder = NULL;
	_cleanup_(freep) char *path = NULL;

	(void)unused;
	assert_non_null(mkdtemp(dir));
	folder = xasprintf("%s/safety-gate", dir);
	path = xasprintf("%s/persons.json", folder);
	assert_int_equal(mkdir(folder, 0700), 0);
	assert_int_equal(persons_load(dir, &persons, &error), 0);
	assert_int_equal(persons->n, 0);
	persons_free(take(persons));

	write_file(path, FILE_OF(ADA "," BOB) "\n", 0400);
	assert_int_equal(persons_load(dir, &persons, &error), 0);
	assert_int_equal(persons->n, 2);
	persons_free(take(persons));
	assert_int_equal(error.len, 0);

	write_file(path, FILE_OF(ADA), 0644);
	assert_int_equal(persons_load(dir, &persons, &error), -EPERM);
	assert_non_null(strstr(error.data, "chmod"));
	str_clear(&error);
	write_file(path, FILE_OF(ADA ","), 0600);
	assert_int_equal(persons_load(dir, &persons, &error), -EINVAL);
	assert_non_null(strstr(error.data, path));
	assert_non_null(strstr(error.data, "jarvisctl person enrol"));
	assert_null(strstr(error.data, "argon2id"));
	assert_null(persons);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_right), cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_full),  cmocka_unit_test(test_set_and_remove),
		cmocka_unit_test(test_names), cmocka_unit_test(test_load),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
