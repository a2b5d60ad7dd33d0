/* SPDX-License-Identifier: MIT */
/*
 * Secret files: where they are looked for, what makes one unfit, and that no error text tells the secret.
 */
#include "common/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "tests/unit/check.h"

#define VALUE "S3CRET-value"

struct fixture {
	char *dir;
	char *path; /* of the secret "token" of "svc" */
};

static void write_file(const char *path, const char *text, size_t length, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, length), (ssize_t)length);
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(close(fd), 0);
}

static void put(const struct fixture *f, const char *text)
{
	write_file(f->path, text, strlen(text), 0600);
}

static int set_up(void **state)
{
	const char *tmp = getenv("TMPDIR");
	struct fixture *f = xnew(struct fixture);
	_cleanup_(freep) char *service = NULL;

	f->dir = xasprintf("%s/secret-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(f->dir))
		return -1;
	service = xasprintf("%s/svc", f->dir);
	f->path = xasprintf("%s/token", service);
	(void)unsetenv("CREDENTIALS_DIRECTORY");
	*state = f;
	return mkdir(service, 0700);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	_cleanup_(freep) char *service = xasprintf("%s/svc", f->dir);
	_cleanup_(freep) char *other = xasprintf("%s/other", f->dir);
	_cleanup_(freep) char *credential = xasprintf("%s/token", f->dir);

	(void)unlink(other);
	(void)unlink(credential);
	(void)unlink(f->path);
	(void)rmdir(f->path);
	(void)rmdir(service);
	(void)rmdir(f->dir);
	free(f->dir);
	free(f->path);
	free(f);
	return 0;
}

static void check_value(const struct fixture *f, const char *value)
{
	_cleanup_(secret_done) struct secret secret = { 0 };
	_cleanup_(str_done) struct str error = { 0 };

	assert_int_equal(secret_read(f->dir, "svc", "token", &secret, &error), 0);
	assert_string_equal(str_get(&error), "");
	assert_string_equal(secret.value, value);
	assert_int_equal(secret.len, strlen(value));
}

/* Refused with R; the text names the path, holds WHAT, and never the secret. */
static void check_error(const struct fixture *f, int r, const char *what)
{
	struct secret secret = { 0 };
	_cleanup_(str_done) struct str error = { 0 };

	assert_int_equal(secret_read(f->dir, "svc", "token", &secret, &error), r);
	assert_null(secret.value);
	assert_non_null(strstr(str_get(&error), f->path));
	if (!strstr(str_get(&error), what))
		fail_msg("%s", str_get(&error));
	assert_null(strstr(str_get(&error), "S3CRET"));
}

static void test_read(void **state)
{
	static const struct {
		const char *text, *value;
	} cases[] = {
		{ VALUE, VALUE },
		{ VALUE "\n", VALUE },
		{ VALUE "\r\n", VALUE },
		{ VALUE "\n\n", VALUE "\n" },
		{ " " VALUE " \n", " " VALUE " " },
		{ "a\nb\n", "a\nb" },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		put(*state, cases[i].text);
		check_value(*state, cases[i].value);
	}
}

static void test_missing(void **state)
{
	const struct fixture *f = *state;
	_cleanup_(freep) char *command = xasprintf("install -D -m 600 /dev/stdin %s", f->path);

	check_error(f, -ENOENT, command);
}

static void test_rights(void **state)
{
	static const mode_t good[] = { 0400, 0600, 0700 };
	static const mode_t bad[] = { 0640, 0604, 0620, 0602, 0610, 0601, 0644, 0666 };
	const struct fixture *f = *state;
	_cleanup_(freep) char *command = xasprintf("chmod 600 %s", f->path);

	put(f, VALUE);
	for (size_t i = 0; i < countof(good); i++) {
		assert_int_equal(chmod(f->path, good[i]), 0);
		check_value(f, VALUE);
	}
	for (size_t i = 0; i < countof(bad); i++) {
		assert_int_equal(chmod(f->path, bad[i]), 0);
		check_error(f, -EPERM, command);
	}
}

static void test_owner(void **state)
{
	const struct fixture *f = *state;

	put(f, VALUE);
	/* Only root can give a file away. */
	if (chown(f->path, 12345, (gid_t)-1) < 0)
		skip();
	check_error(f, -EPERM, "belongs to user 12345; mend it with: chown ");
}

static void test_no_file(void **state)
{
	const struct fixture *f = *state;
	_cleanup_(freep) char *other = xasprintf("%s/other", f->dir);

	write_file(other, VALUE, strlen(VALUE), 0600);
	assert_int_equal(symlink(other, f->path), 0);
	check_error(f, -ELOOP, "is a symbolic link");
	assert_int_equal(unlink(f->path), 0);

	assert_int_equal(mkdir(f->path, 0700), 0);
	check_error(f, -EINVAL, "is not a regular file");
	assert_int_equal(rmdir(f->path), 0);

	/* A FIFO that nobody writes to must not hold the reader. */
	assert_int_equal(mkfifo(f->path, 0600), 0);
	check_error(f, -EINVAL, "is not a regular file");
}

static void test_content(void **state)
{
	const struct fixture *f = *state;

	put(f, "");
	check_error(f, -EINVAL, "is empty");
	put(f, "\n");
	check_error(f, -EINVAL, "is empty");
	write_file(f->path, "S3CRET\0x", 8, 0600);
	check_error(f, -EINVAL, "holds a NUL byte");
}

static void test_size(void **state)
{
	const struct fixture *f = *state;
	char *text = xmalloc(SECRET_MAX_BYTES + 2);

	memset(text, 'x', SECRET_MAX_BYTES + 1);
	text[SECRET_MAX_BYTES] = '\0';
	text[SECRET_MAX_BYTES + 1] = '\0';
	put(f, text);
	check_value(f, text);
	text[SECRET_MAX_BYTES] = 'x';
	put(f, text);
	check_error(f, -EFBIG, "is larger than 16384 bytes");
	free(text);
}

static void test_credentials_directory(void **state)
{
	const struct fixture *f = *state;
	_cleanup_(freep) char *path = xasprintf("%s/token", f->dir);
	struct secret secret = { 0 };
	_cleanup_(str_done) struct str error = { 0 };

	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", f->dir, 1), 0);
	write_file(path, "credential", 10, 0400);
	check_value(f, "credential");
	/* As systemd leaves it: the mask of its ACL. */
	assert_int_equal(chmod(path, 0440), 0);
	check_value(f, "credential");
	assert_int_equal(chmod(path, 0444), 0);
	assert_int_equal(secret_read(f->dir, "svc", "token", &secret, &error), -EPERM);
	assert_int_equal(chmod(path, 0460), 0);
	assert_int_equal(secret_read(f->dir, "svc", "token", &secret, &error), -EPERM);
	/* Our own place comes first, also when what lies there is no good. */
	put(f, VALUE);
	check_value(f, VALUE);
	assert_int_equal(chmod(f->path, 0644), 0);
	check_error(f, -EPERM, "chmod 600");
}

/* LoadCredential=svc:FOLDER hands the folder's files over as svc_NAME. */
static void test_credentials_of_folder(void **state)
{
	const struct fixture *f = *state;
	_cleanup_(freep) char *path = xasprintf("%s/svc_token", f->dir);
	struct secret secret = { 0 };
	_cleanup_(str_done) struct str error = { 0 };

	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", f->dir, 1), 0);
	write_file(path, "credential", 10, 0440);
	check_value(f, "credential");
	assert_int_equal(chmod(path, 0444), 0);
	assert_int_equal(secret_read(f->dir, "svc", "token", &secret, &error), -EPERM);
}

static void test_names_do_not_climb(void **state)
{
	const struct fixture *f = *state;
	struct secret secret = { 0 };
	_cleanup_(str_done) struct str error = { 0 };

	put(f, VALUE);
	assert_int_equal(secret_read(f->dir, "other", "../svc/token", &secret, &error), -EINVAL);
	assert_int_equal(secret_read(f->dir, "../svc", "token", &secret, &error), -EINVAL);
	assert_null(secret.value);
}

static void test_done(void **state)
{
	struct secret secret = { 0 };

	(void)state;
	secret_done(&secret);
	secret = (struct secret){ xstrdup(VALUE), strlen(VALUE) };
	secret_done(&secret);
	assert_null(secret.value);
	assert_int_equal(secret.len, 0);
	secret_done(&secret);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_read),
		TEST(test_missing),
		TEST(test_rights),
		TEST(test_owner),
		TEST(test_no_file),
		TEST(test_content),
		TEST(test_size),
		TEST(test_credentials_directory),
		TEST(test_credentials_of_folder),
		TEST(test_names_do_not_climb),
		TEST(test_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
