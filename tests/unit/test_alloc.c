/* SPDX-License-Identifier: MIT */
/*
 * Memory that cannot fail, and arenas: aligned, zeroed, apart from each other, and gone at once.
 */
#include "common/alloc.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/check.h"

/* Not a constant, or the compiler would refuse it. */
static volatile size_t huge = SIZE_MAX / 2 + 10;

static void alloc_huge(void)
{
	free(xmalloc(huge));
}

static void calloc_huge(void)
{
	free(xcalloc(huge, 4));
}

static void realloc_huge(void)
{
	free(xreallocarray(NULL, huge, 2));
}

static void arena_huge(void)
{
	struct arena *arena = arena_new();

	(void)!arena_alloc(arena, (huge | SIZE_MAX) - 3);
	arena_free(arena);
}

static int exit_status_of(void (*fn)(void))
{
	int status = 0;
	pid_t child;

	(void)fflush(NULL);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		(void)!freopen("/dev/null", "w", stderr);
		fn();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_out_of_memory_ends_the_process(void **state)
{
	(void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	/* A sanitizer reports a size that cannot be had before our own check sees it. */
	skip();
#endif
	assert_int_equal(exit_status_of(alloc_huge), 70);
	assert_int_equal(exit_status_of(calloc_huge), 70);
	assert_int_equal(exit_status_of(realloc_huge), 70);
}

static void test_arena_overflow_ends_the_process(void **state)
{
	(void)state;
	assert_int_equal(exit_status_of(arena_huge), 70);
}

static void test_zero_sizes(void **state)
{
	void *memory[] = { xmalloc(0), xcalloc(0, 0), xcalloc(0, 8), xreallocarray(NULL, 0, 8),
			   xmemdup("", 0) };

	(void)state;
	for (size_t i = 0; i < countof(memory); i++) {
		assert_non_null(memory[i]);
		free(memory[i]);
	}
}

static void test_copies(void **state)
{
	char *text = xstrdup("text"), *cut = xstrndup("text", 2), *whole = xstrndup("text", 99);
	char unterminated[3] = { 'a', 'b', 'c' };
	char *exact = xstrndup(unterminated, sizeof(unterminated));

	(void)state;
	assert_string_equal(text, "text");
	assert_string_equal(cut, "te");
	assert_string_equal(whole, "text");
	assert_string_equal(exact, "abc");
	assert_null(xstrdup_null(NULL));
	free(text);
	free(cut);
	free(whole);
	free(exact);
}

static void test_cleanup_and_take(void **state)
{
	char *kept = NULL;

	(void)state;
	{
		_cleanup_(freep) char *text = xstrdup("kept");
		_cleanup_(freep) char *gone = xstrdup("gone");

		assert_string_equal(gone, "gone");
		kept = take(text);
		assert_null(text);
	}
	assert_string_equal(kept, "kept");
	free(kept);
}

static void test_arena_pieces(void **state)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	unsigned char *pieces[500];

	(void)state;
	for (size_t i = 0; i < countof(pieces); i++) {
		size_t size = i * 37 % 1000;

		pieces[i] = arena_alloc(arena, size);
		assert_int_equal((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
		for (size_t j = 0; j < size; j++)
			assert_int_equal(pieces[i][j], 0);
		memset(pieces[i], (int)(i % 256), size);
	}
	for (size_t i = 0; i < countof(pieces); i++) {
		for (size_t j = 0; j < i * 37 % 1000; j++)
			assert_int_equal(pieces[i][j], i % 256);
	}
}

static void test_arena_large(void **state)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	unsigned char *large = arena_alloc(arena, 1000000);
	unsigned char *small = arena_alloc(arena, 1);

	(void)state;
	memset(large, 1, 1000000);
	assert_int_equal(*small, 0);
	assert_int_equal(large[999999], 1);
}

static void test_arena_reset(void **state)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();

	(void)state;
	arena_reset(arena);
	for (size_t round = 0; round < 100; round++) {
		for (size_t i = 0; i < 50; i++) {
			unsigned char *piece = arena_alloc(arena, 400);

			assert_int_equal(piece[0], 0);
			assert_int_equal(piece[399], 0);
			memset(piece, 0xff, 400);
		}
		arena_reset(arena);
	}
}

static void test_arena_text(void **state)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	_cleanup_(freep) char *text = xcalloc(20001, 1);
	char *copy;

	(void)state;
	assert_string_equal(arena_strdup(arena, "abc"), "abc");
	assert_string_equal(arena_strdup(arena, ""), "");
	assert_string_equal(arena_strndup(arena, "abcdef", 3), "abc");
	/* At most so many: what is shorter ends where it ends. */
	assert_string_equal(arena_strndup(arena, "abc", 512), "abc");
	assert_string_equal(arena_printf(arena, "%s/%d", "x", 5), "x/5");
	assert_string_equal(arena_printf(arena, "%s", ""), "");
	memset(text, 'y', 20000);
	copy = arena_printf(arena, "%s", text);
	assert_int_equal(strlen(copy), 20000);
}

static void test_free_nothing(void **state)
{
	struct arena *arena = NULL;

	(void)state;
	arena_free(NULL);
	arena_freep(&arena);
	arena = arena_new();
	arena_freep(&arena);
	assert_null(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_out_of_memory_ends_the_process),
		cmocka_unit_test(test_arena_overflow_ends_the_process),
		cmocka_unit_test(test_zero_sizes),
		cmocka_unit_test(test_copies),
		cmocka_unit_test(test_cleanup_and_take),
		cmocka_unit_test(test_arena_pieces),
		cmocka_unit_test(test_arena_large),
		cmocka_unit_test(test_arena_reset),
		cmocka_unit_test(test_arena_text),
		cmocka_unit_test(test_free_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
