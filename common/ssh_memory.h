/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * The memory of one libssh2 session, counted block by block: libssh2 1.10 (Debian 12) loses its half of the key
 * exchange when a handshake is broken off, and a node that is down for a week breaks off thousands. Whatever a session
 * still holds when it has ended goes with this. One thread at a time, as for the session itself.
 */
#include "common/base.h"

#include <libssh2.h>
#include <sys/types.h>

struct ssh_block;

struct ssh_memory {
	struct ssh_block *blocks;
	size_t count;
	void *owner; /* for the session's other hooks, which are given the same abstract */
};

/*
 * A session whose abstract is MEMORY, and stays it. MEMORY must outlive it, and must not move. NULL when there is no
 * memory.
 */
LIBSSH2_SESSION *ssh_memory_session(struct ssh_memory *memory) _nodiscard_;
typedef ssize_t (*ssh_receive_fn)(libssh2_socket_t fd, void *buffer, size_t length, int flags,
				  void **abstract);
/* From now on FN reads SESSION's socket, instead of recv(); it finds OWNER in MEMORY, the session's abstract. */
void ssh_memory_receive(LIBSSH2_SESSION *session, struct ssh_memory *memory, void *owner,
			ssh_receive_fn fn);
/* After the end of the session: frees what it left. Returns how many blocks that were. */
size_t ssh_memory_done(struct ssh_memory *memory);

/* libssh2's allocator; ABSTRACT points to a struct ssh_memory *. NULL when there is no memory. */
void *ssh_memory_alloc_cb(size_t size, void **abstract) _nodiscard_;
void *ssh_memory_realloc_cb(void *old, size_t size, void **abstract) _nodiscard_;
void ssh_memory_free_cb(void *data, void **abstract);
