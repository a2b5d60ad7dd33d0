/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * Memory. The x-functions never return NULL: out of memory ends the process with a line on stderr and status
 * 70, and the supervisor restarts it. Sizes that a peer chooses are limited before they come here.
 */
#include "common/base.h"

void *xmalloc(size_t size) _nodiscard_;
void *xcalloc(size_t count, size_t size) _nodiscard_;
/* Resizes to COUNT elements of SIZE bytes; an overflowing product ends the process too. */
void *xreallocarray(void *old, size_t count, size_t size) _nodiscard_;
char *xstrdup(const char *text) _nodiscard_;
/* Copies at most LENGTH bytes and adds the NUL. */
char *xstrndup(const char *text, size_t length) _nodiscard_;
void *xmemdup(const void *data, size_t size) _nodiscard_;
/* NULL stays NULL. */
char *xstrdup_null(const char *text) _nodiscard_;

#define xnew(type) ((type *)xcalloc(1, sizeof(type)))

/* For `_cleanup_(freep) char *text`. */
static inline void freep(void *pointer)
{
	free(*(void **)pointer);
	*(void **)pointer = NULL;
}

/*
 * An arena: many small pieces, freed at once. For what lives as long as one message, one request or one poll.
 */
struct arena;

struct arena *arena_new(void) _nodiscard_;
void arena_free(struct arena *arena);
/* Zeroed memory, aligned for any type. */
void *arena_alloc(struct arena *arena, size_t size) _nodiscard_;
char *arena_strdup(struct arena *arena, const char *text) _nodiscard_;
/* As xstrndup(). */
char *arena_strndup(struct arena *arena, const char *text, size_t length) _nodiscard_;
char *arena_printf(struct arena *arena, const char *format, ...) _printf_(2, 3) _nodiscard_;
/* Forgets all pieces but keeps the memory for the next round. */
void arena_reset(struct arena *arena);
DEFINE_FREEP(struct arena, arena_free)
