/* SPDX-License-Identifier: MIT */
/*
 * The memory of an SSH session: blocks behave like malloc's, and what is left goes with the session (the address
 * sanitizer looks).
 */
#include "common/ssh_memory.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/check.h"

#define BLOCKS 64

static void test_blocks(void **state)
{
	struct ssh_memory memory = { 0 };
	void *abstract = &memory, *blocks[BLOCKS];

	(void)state;
	for (size_t i = 0; i < BLOCKS; i++) {
		blocks[i] = ssh_memory_alloc_cb(i * 7, &abstract);
		assert_non_null(blocks[i]);
		assert_int_equal((uintptr_t)blocks[i] % _Alignof(max_align_t), 0);
		memset(blocks[i], (int)i, i * 7);
	}
	assert_int_equal(memory.count, BLOCKS);
	/* First, last and in between, in an order that is nobody's. */
	for (size_t i = 0; i < BLOCKS; i += 2)
		ssh_memory_free_cb(blocks[i * 5 % BLOCKS & ~(size_t)1], &abstract);
	assert_int_equal(memory.count, BLOCKS / 2);
	for (size_t i = 1; i < BLOCKS; i += 2) {
		for (size_t k = 0; k < i * 7; k++)
			assert_int_equal(((unsigned char *)blocks[i])[k], i);
	}
	ssh_memory_free_cb(NULL, &abstract);
	assert_int_equal(ssh_memory_done(&memory), BLOCKS / 2);
	assert_int_equal(memory.count, 0);
	assert_int_equal(ssh_memory_done(&memory), 0);
}

static void test_resize(void **state)
{
	struct ssh_memory memory = { 0 };
	void *abstract = &memory;
	char *first = ssh_memory_realloc_cb(NULL, 4, &abstract);
	char *second = ssh_memory_alloc_cb(4, &abstract);
	char *third = ssh_memory_alloc_cb(4, &abstract);

	(void)state;
	memcpy(first, "abc", 4);
	memcpy(second, "def", 4);
	memcpy(third, "ghi", 4);
	/* Grown beyond where it can stay, then cut; its neighbours are still found. */
	second = ssh_memory_realloc_cb(second, 1 << 20, &abstract);
	assert_string_equal(second, "def");
	memset(second + 4, 'x', (1 << 20) - 4);
	second = ssh_memory_realloc_cb(second, 4, &abstract);
	assert_string_equal(second, "def");
	assert_int_equal(memory.count, 3);
	ssh_memory_free_cb(first, &abstract);
	ssh_memory_free_cb(third, &abstract);
	assert_string_equal(second, "def");
	assert_int_equal(ssh_memory_done(&memory), 1);
}

static void test_too_large(void **state)
{
	struct ssh_memory memory = { 0 };
	void *abstract = &memory;
	char *kept = ssh_memory_alloc_cb(4, &abstract);
	volatile size_t huge[] = { SIZE_MAX, SIZE_MAX - 8, PTRDIFF_MAX };

	(void)state;
	memcpy(kept, "abc", 4);
	for (size_t i = 0; i < countof(huge); i++) {
		assert_null(ssh_memory_alloc_cb(huge[i], &abstract));
		assert_null(ssh_memory_realloc_cb(kept, huge[i], &abstract));
	}
	assert_string_equal(kept, "abc");
	assert_int_equal(memory.count, 1);
	ssh_memory_free_cb(kept, &abstract);
	assert_int_equal(ssh_memory_done(&memory), 0);
}

/* A session in the middle of its handshake, with a peer that says nothing. */
static LIBSSH2_SESSION *begin_session(struct ssh_memory *memory, int fds[2])
{
	LIBSSH2_SESSION *session = ssh_memory_session(memory);
	static const char banner[] = "SSH-2.0-test\r\n";

	assert_non_null(session);
	assert_ptr_equal(*libssh2_session_abstract(session), memory);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds),
			 0);
	assert_int_equal(write(fds[1], banner, sizeof(banner) - 1), sizeof(banner) - 1);
	libssh2_session_set_blocking(session, 0);
	assert_int_equal(libssh2_session_handshake(session, fds[0]), LIBSSH2_ERROR_EAGAIN);
	return session;
}

static void test_session(void **state)
{
	struct ssh_memory memory = { 0 }, other = { 0 };
	LIBSSH2_SESSION *ended, *left;
	int fds[2], other_fds[2];

	(void)state;
	ended = begin_session(&memory, fds);
	left = begin_session(&other, other_fds);
	assert_true(memory.count > 1);
	assert_int_equal(memory.count, other.count);
	assert_int_equal(libssh2_session_free(ended), 0);
	(void)ssh_memory_done(&memory);
	assert_int_equal(memory.count, 0);
	/* One that cannot be ended goes as well, with all it has. */
	(void)left;
	assert_true(ssh_memory_done(&other) > 1);
	for (size_t i = 0; i < 2; i++) {
		(void)close(fds[i]);
		(void)close(other_fds[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_resize),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_session),
	};
	int r = libssh2_init(0);

	return r ? 1 : cmocka_run_group_tests_name("ssh_memory", tests, NULL, NULL);
}
