/* SPDX-License-Identifier: MIT */
/*
 * Memory that cannot fail, and arenas. An arena is a list of blocks; a piece that is larger than a block gets
 * one of its own.
 */
#include "common/alloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Blocks double from small to large, so that thousands of small arenas cost little. */
#define ARENA_BLOCK_MIN_BYTES 512
#define ARENA_BLOCK_MAX_BYTES 32768
#define EXIT_OUT_OF_MEMORY 70

static _noreturn_ void out_of_memory(size_t size)
{
	fprintf(stderr, "error out of memory: %zu bytes\n", size);
	_exit(EXIT_OUT_OF_MEMORY);
}

void *xmalloc(size_t size)
{
	void *memory = malloc(size ? size : 1);

	if (!memory)
		out_of_memory(size);
	return memory;
}

void *xcalloc(size_t count, size_t size)
{
	void *memory = calloc(count ? count : 1, size ? size : 1);

	if (!memory)
		out_of_memory(size);
	return memory;
}

void *xreallocarray(void *old, size_t count, size_t size)
{
	void *memory = reallocarray(old, count ? count : 1, size ? size : 1);

	if (!memory)
		out_of_memory(size);
	return memory;
}

char *xstrdup(const char *text)
{
	return xmemdup(text, strlen(text) + 1);
}

char *xstrndup(const char *text, size_t length)
{
	size_t used = strnlen(text, length);
	char *copy = xmalloc(used + 1);

	memcpy(copy, text, used);
	copy[used] = '\0';
	return copy;
}

void *xmemdup(const void *data, size_t size)
{
	void *copy = xmalloc(size);

	if (size)
		memcpy(copy, data, size);
	return copy;
}

char *xstrdup_null(const char *text)
{
	return text ? xstrdup(text) : NULL;
}

struct block {
	struct block *next;
	size_t size;
	size_t used;
	_Alignas(max_align_t) unsigned char data[];
};

struct arena {
	struct block *blocks; /* the first has room */
};

static struct block *block_new(size_t size, struct block *next)
{
	struct block *block = xmalloc(sizeof(*block) + size);

	block->next = next;
	block->size = size;
	block->used = 0;
	return block;
}

static void blocks_free(struct block *block)
{
	while (block) {
		struct block *next = block->next;

		free(block);
		block = next;
	}
}

struct arena *arena_new(void)
{
	return xnew(struct arena);
}

void arena_free(struct arena *arena)
{
	if (!arena)
		return;
	blocks_free(arena->blocks);
	free(arena);
}

void *arena_alloc(struct arena *arena, size_t size)
{
	size_t align = _Alignof(max_align_t);
	size_t need = (size + align - 1) & ~(align - 1);
	struct block *block = arena->blocks;
	void *piece;

	if (need < size)
		out_of_memory(size);
	if (!block || block->size - block->used < need) {
		size_t next = block ? min_of(block->size * 2, (size_t)ARENA_BLOCK_MAX_BYTES) :
				      (size_t)ARENA_BLOCK_MIN_BYTES;

		block = block_new(max_of(need, next), arena->blocks);
		arena->blocks = block;
	}
	piece = block->data + block->used;
	block->used += need;
	memset(piece, 0, need);
	return piece;
}

char *arena_strdup(struct arena *arena, const char *text)
{
	return arena_strndup(arena, text, strlen(text));
}

char *arena_strndup(struct arena *arena, const char *text, size_t length)
{
	size_t used = strnlen(text, length);
	char *copy = arena_alloc(arena, used + 1);

	memcpy(copy, text, used);
	return copy;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	va_list args;
	char *text;
	int length;

	va_start(args, format);
	length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (length < 0)
		return arena_strdup(arena, "");
	text = arena_alloc(arena, (size_t)length + 1);
	va_start(args, format);
	(void)vsnprintf(text, (size_t)length + 1, format, args);
	va_end(args);
	return text;
}

void arena_reset(struct arena *arena)
{
	struct block *block = arena->blocks;

	if (!block)
		return;
	blocks_free(block->next);
	block->next = NULL;
	block->used = 0;
}
