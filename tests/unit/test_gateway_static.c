/* SPDX-License-Identifier: MIT */
/*
 * The table of static files: what is found, what is not, compressed copies, names with hashes; and that nothing
 * outside the folder is ever read.
 */
#include "services/gateway/static.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"

#include "tests/unit/check.h"

static const char *const made[] = { "index.html", "app-0a1b2c3d4e.js", "app-0a1b2c3d4e.js.gz",
				    "sub/x.svg",  ".hidden.js",	       "README",
				    "orphan.gz",  "secret.txt" };

struct world {
	char dir[64];
};

static void write_file(const char *dir, const char *name)
{
	_cleanup_(freep) char *path = xasprintf("%s/%s", dir, name);
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	(void)fprintf(file, "content of %s", name);
	(void)fclose(file);
}

static int setup(void **state)
{
	struct world *w = xnew(struct world);
	const char *scratch = getenv("SCRATCH");
	_cleanup_(freep) char *sub = NULL;
	_cleanup_(freep) char *link = NULL;

	(void)snprintf(w->dir, sizeof(w->dir), "%s/web-XXXXXX",
		       scratch && strlen(scratch) < 40 ? scratch : "/tmp");
	assert_non_null(mkdtemp(w->dir));
	sub = xasprintf("%s/sub", w->dir);
	assert_int_equal(mkdir(sub, 0700), 0);
	for (size_t i = 0; i < countof(made); i++)
		write_file(w->dir, made[i]);
	link = xasprintf("%s/link.txt", w->dir);
	assert_int_equal(symlink("/etc/passwd", link), 0);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	_cleanup_(freep) char *sub = xasprintf("%s/sub", w->dir);
	_cleanup_(freep) char *link = xasprintf("%s/link.txt", w->dir);

	for (size_t i = 0; i < countof(made); i++) {
		_cleanup_(freep) char *path = xasprintf("%s/%s", w->dir, made[i]);

		(void)unlink(path);
	}
	(void)unlink(link);
	(void)rmdir(sub);
	assert_int_equal(rmdir(w->dir), 0);
	free(w);
	return 0;
}

static void test_files(void **state)
{
	struct world *w = *state;
	struct static_files files = { 0 };
	struct str error = { 0 };
	const struct static_file *app;

	assert_int_equal(static_load(w->dir, &files, &error), 0);
	assert_string_equal(static_find(&files, "/")->path, "/index.html");
	assert_false(static_find(&files, "/")->immutable);
	assert_string_equal(static_find(&files, "/sub/x.svg")->type, "image/svg+xml");
	app = static_find(&files, "/app-0a1b2c3d4e.js");
	assert_true(app->immutable);
	assert_string_equal((const char *)app->type, "text/javascript; charset=utf-8");
	assert_memory_equal(app->gzip, "content of app-0a1b2c3d4e.js.gz", app->gzip_len);
	assert_null(static_find(&files, "/")->gzip);
	assert_null(static_find(&files, "/app-0a1b2c3d4e.js.gz"));
	assert_non_null(static_find(&files, "/orphan.gz"));
	assert_null(static_find(&files, "/.hidden.js"));
	assert_null(static_find(&files, "/README"));
	assert_null(static_find(&files, "/link.txt"));
	assert_null(static_find(&files, "/sub"));
	assert_null(static_find(&files, "/sub/"));
	assert_null(static_find(&files, "/etc/passwd"));
	assert_null(static_find(&files, ""));
	assert_true(static_is_known(app, app->etag));
	assert_true(static_is_known(app, "*"));
	assert_false(static_is_known(app, NULL));
	assert_false(static_is_known(app, static_find(&files, "/")->etag));
	static_done(&files);
	str_done(&error);
}

static void test_a_folder_that_is_not_there(void **state)
{
	struct static_files files = { 0 };
	struct str error = { 0 };

	(void)state;
	assert_int_equal(static_load("/nonexistent/web", &files, &error), -ENOENT);
	assert_string_equal(error.data, "/nonexistent/web: No such file or directory");
	assert_null(static_find(&files, "/"));
	str_done(&error);
}

static void test_hashed_names(void **state)
{
	(void)state;
	assert_true(static_name_is_hashed("app-3F9A2C7B.js"));
	assert_true(static_name_is_hashed("jetbrains-mono-0a1b2c3d4e.woff2"));
	assert_false(static_name_is_hashed("app.js"));
	assert_false(static_name_is_hashed("app-12.js"));
	assert_false(static_name_is_hashed("some-component.js"));
	assert_false(static_name_is_hashed("app-3F9A2C7B"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_files, setup, teardown),
		cmocka_unit_test(test_a_folder_that_is_not_there),
		cmocka_unit_test(test_hashed_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
