/* SPDX-License-Identifier: MIT */
/*
 * The logger, read back from a pipe that stands in for stderr.
 */
#include "common/log.h"

#include "tests/unit/check.h"

#include "common/alloc.h"
#include "common/str.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

struct fixture {
	int stderr_fd; /* the real one */
	int read_fd;
	char text[8192];
};

static int setup(void **state)
{
	struct fixture *f;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return -1;
	f = xnew(struct fixture);
	f->read_fd = ends[0];
	f->stderr_fd = dup(STDERR_FILENO);
	(void)dup2(ends[1], STDERR_FILENO);
	(void)close(ends[1]);
	log_init("unit", LOG_LEVEL_INFO);
	log_set_sink(NULL, NULL);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	(void)dup2(f->stderr_fd, STDERR_FILENO);
	(void)close(f->stderr_fd);
	(void)close(f->read_fd);
	free(f);
	return 0;
}

/* What was written since the last call. */
static const char *written(struct fixture *f)
{
	ssize_t n = read(f->read_fd, f->text, sizeof(f->text) - 1);

	f->text[n > 0 ? n : 0] = '\0';
	return f->text;
}

static void test_levels(void **state)
{
	struct fixture *f = *state;

	log_error("e %d", 1);
	log_warn("w");
	log_info("i");
	log_debug("d");
	assert_string_equal(written(f), "error unit e 1\nwarn unit w\ninfo unit i\n");
	log_set_level(LOG_LEVEL_ERROR);
	log_warn("w");
	log_error("e");
	assert_string_equal(written(f), "error unit e\n");
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug("d");
	assert_string_equal(written(f), "debug unit d\n");
}

static void test_level_names(void **state)
{
	enum log_level level = LOG_LEVEL_DEBUG;

	(void)state;
	for (int i = LOG_LEVEL_ERROR; i <= LOG_LEVEL_DEBUG; i++) {
		assert_int_equal(log_level_parse(log_level_name((enum log_level)i), &level), 0);
		assert_int_equal(level, i);
	}
	assert_int_equal(log_level_parse("warning", &level), -EINVAL);
	assert_int_equal(log_level_parse("", &level), -EINVAL);
	assert_int_equal(log_level_parse("INFO", &level), -EINVAL);
	assert_int_equal(level, LOG_LEVEL_DEBUG);
}

/* Nobody but us ends a line or moves the cursor. */
static void test_control_characters(void **state)
{
	static const struct {
		const char *text;
		const char *line;
	} cases[] = {
		{ "a\nerror unit forged", "warn unit a error unit forged\n" },
		{ "a\r\t\x1b[2J\x7f\x01z", "warn unit a   [2J  z\n" },
		{ "csi \xc2\x9b"
		  "2J nel \xc2\x85.",
		  "warn unit csi   2J nel   .\n" },
		{ "\xc3\xa4 \xc2\xb0 \xe2\x82\xac", "warn unit \xc3\xa4 \xc2\xb0 \xe2\x82\xac\n" },
		{ "cut \xc2", "warn unit cut \xc2\n" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < countof(cases); i++) {
		log_warn("%s", cases[i].text);
		assert_string_equal(written(f), cases[i].line);
	}
}

static void test_long_line(void **state)
{
	struct fixture *f = *state;
	char long_text[4000];
	const char *line;

	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	log_init(
		"a-name-that-is-much-longer-than-any-that-a-service-of-ours-will-ever-have-in-its-life",
		LOG_LEVEL_INFO);
	log_warn("%s", long_text);
	line = written(f);
	assert_in_range(strlen(line), 1000, 1100);
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
}

static void test_errno(void **state)
{
	struct fixture *f = *state;
	char long_text[4000];
	const char *line;

	assert_int_equal(log_errno(-ENOENT, "open %s", "/x"), -ENOENT);
	assert_string_equal(written(f), "error unit open /x: No such file or directory\n");
	/* The reason is what must not be cut off. */
	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	(void)log_errno(-ENOENT, "%s", long_text);
	line = written(f);
	assert_true(str_ends(line, "x: No such file or directory\n"));
}

struct heard {
	int n;
	enum log_level level;
	char text[64];
};

static void hear(void *ctx, enum log_level level, const char *text)
{
	struct heard *heard = ctx;

	heard->n++;
	heard->level = level;
	(void)snprintf(heard->text, sizeof(heard->text), "%s", text);
	log_warn("from the sink"); /* must be written, but not come back here */
}

static void *warn_elsewhere(void *unused)
{
	(void)unused;
	log_warn("elsewhere");
	return NULL;
}

static void test_sink(void **state)
{
	struct fixture *f = *state;
	struct heard heard = { 0 };
	pthread_t thread;

	log_set_sink(hear, &heard);
	log_info("not for it");
	assert_int_equal(heard.n, 0);
	log_warn("a\nb");
	assert_int_equal(heard.n, 1);
	assert_int_equal(heard.level, LOG_LEVEL_WARN);
	assert_string_equal(heard.text, "a b");
	log_error("e");
	assert_int_equal(heard.n, 2);
	assert_int_equal(heard.level, LOG_LEVEL_ERROR);
	(void)written(f);
	assert_int_equal(pthread_create(&thread, NULL, warn_elsewhere, NULL), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(heard.n, 2);
	assert_string_equal(written(f), "warn unit elsewhere\n");
	/* A level that is not written is not told either. */
	log_set_level(LOG_LEVEL_ERROR);
	log_warn("w");
	assert_int_equal(heard.n, 2);
	log_set_sink(NULL, NULL);
	log_error("e");
	assert_int_equal(heard.n, 2);
}

static void test_fold(void **state)
{
	static const struct {
		int64_t at_ms;
		const char *line; /* "": folded */
	} cases[] = {
		{ 5000, "warn unit again 0\n" },
		{ 5000, "" },
		{ 64999, "" },
		{ 65000, "warn unit again 3 (2 more like it since)\n" },
		{ 65001, "" },
		{ 125000, "warn unit again 5 (1 more like it since)\n" },
		{ 185000, "warn unit again 6\n" },
	};
	struct log_fold fold = { 0 };

	for (size_t i = 0; i < countof(cases); i++) {
		log_folded(&fold, cases[i].at_ms, LOG_LEVEL_WARN, "again %zu", i);
		assert_string_equal(written(*state), cases[i].line);
	}
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_levels),    TEST(test_level_names), TEST(test_control_characters),
		TEST(test_long_line), TEST(test_errno),	      TEST(test_sink),
		TEST(test_fold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
