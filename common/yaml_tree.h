/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * A YAML file as a tree whose nodes know their line and column. The plain part of YAML alone: one document, maps,
 * lists and text; anchors, aliases and tags are errors, since a configuration should be what it looks like.
 */
#include "common/alloc.h"

enum ynode_kind {
	YNODE_TEXT,
	YNODE_LIST,
	YNODE_MAP,
	YNODE_BAD, /* an error was reported here; expect nothing of it */
};

struct ynode {
	enum ynode_kind kind;
	size_t line, column;	    /* from 1 */
	const char *text;	    /* YNODE_TEXT */
	bool null;		    /* YNODE_TEXT: nothing, ~ or null, without quotes */
	const struct ynode *key;    /* of a value in a map; its kind may be other than text */
	struct ynode *first, *last; /* elements, or values */
	struct ynode *next;
	size_t n;
};

/* Told of every error. */
typedef void (*yaml_error_fn)(void *ctx, size_t line, size_t column, const char *text);

/*
 * Reads LENGTH bytes. The tree lives in ARENA; NULL when the document is empty or cannot be read at all (then
 * ON_ERROR was called). What is wrong in one place does not keep the rest from being read, where that is possible.
 */
struct ynode *yaml_tree_parse(struct arena *arena, const char *text, size_t length,
			      yaml_error_fn on_error, void *ctx);

/* The value of KEY in MAP; NULL when MAP is NULL or no map, or has no such key, or only a null. */
const struct ynode *ynode_get(const struct ynode *map, const char *key);
/* Element INDEX of a list or map, or NULL. */
const struct ynode *ynode_at(const struct ynode *node, size_t index);
