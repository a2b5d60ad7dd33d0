/* SPDX-License-Identifier: MIT */
/*
 * A list of all blocks, each behind a header of its own. Sizes are partly the server's choice: no memory is an answer
 * here, which libssh2 knows how to take, and not the end of the process.
 */
#include "common/ssh_memory.h"

struct ssh_block {
	struct ssh_block *next;
	struct ssh_block **at; /* what points to this one */
	max_align_t data[];
};

static struct ssh_block *block_of(void *data)
{
	return (struct ssh_block *)((char *)data - offsetof(struct ssh_block, data));
}

static void *link_block(struct ssh_memory *memory, struct ssh_block *block)
{
	block->next = memory->blocks;
	block->at = &memory->blocks;
	if (block->next)
		block->next->at = &block->next;
	memory->blocks = block;
	memory->count++;
	return block->data;
}

static void unlink_block(struct ssh_memory *memory, struct ssh_block *block)
{
	*block->at = block->next;
	if (block->next)
		block->next->at = block->at;
	memory->count--;
}

void *ssh_memory_realloc_cb(void *old, size_t size, void **abstract)
{
	struct ssh_memory *memory = *abstract;
	struct ssh_block *block = old ? block_of(old) : NULL, *moved;

	if (size > PTRDIFF_MAX - sizeof(*block))
		return NULL;
	if (block)
		unlink_block(memory, block);
	moved = realloc(block, sizeof(*block) + size);
	if (moved)
		return link_block(memory, moved);
	/* The old one is still there, and still the caller's. */
	if (block)
		(void)link_block(memory, block);
	return NULL;
}

void *ssh_memory_alloc_cb(size_t size, void **abstract)
{
	return ssh_memory_realloc_cb(NULL, size, abstract);
}

void ssh_memory_free_cb(void *data, void **abstract)
{
	/* The last block is the session, and ABSTRACT lies in it: not to be looked at afterwards. */
	if (!data)
		return;
	unlink_block(*abstract, block_of(data));
	free(block_of(data));
}

LIBSSH2_SESSION *ssh_memory_session(struct ssh_memory *memory)
{
	return libssh2_session_init_ex(ssh_memory_alloc_cb, ssh_memory_free_cb,
				       ssh_memory_realloc_cb, memory);
}

void ssh_memory_receive(LIBSSH2_SESSION *session, struct ssh_memory *memory, void *owner,
			ssh_receive_fn fn)
{
	memory->owner = owner;
#if LIBSSH2_VERSION_NUM >= 0x010b01
	(void)libssh2_session_callback_set2(session, LIBSSH2_CALLBACK_RECV,
					    (libssh2_cb_generic *)fn);
#else
	(void)libssh2_session_callback_set(session, LIBSSH2_CALLBACK_RECV, (void *)fn);
#endif
}

size_t ssh_memory_done(struct ssh_memory *memory)
{
	size_t left = memory->count;

	while (memory->blocks) {
		struct ssh_block *block = memory->blocks;

		unlink_block(memory, block);
		free(block);
	}
	return left;
}
