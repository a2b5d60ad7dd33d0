/* SPDX-License-Identifier: MIT */
/*
 * Where the age of a document is written, by the vocabulary's own table: `node.{node}` of a topic with the word node
 * is a key in the source document of the same owner, which has the same cluster.
 */
#include "common/topics.h"

#include <errno.h>

#include "common/str.h"

/* The words of ID's pattern, taken from ARGS of a topic of FROM; false when it has others. */
static bool take_words(enum topic_id id, enum topic_id from, const struct topic_args *args,
		       const char *words[TOPIC_ARGS_MAX + 1])
{
	char name[32];
	size_t n = 0;

	for (; topic_word(id, n, name) == 0; n++) {
		int at = topic_word_find(from, name);

		if (at < 0)
			return false;
		words[n] = args->value[at];
	}
	words[n] = NULL;
	return true;
}

static int build_document(enum topic_id from, const struct topic_args *args,
			  struct topic_source *ret)
{
	const char *words[TOPIC_ARGS_MAX + 1];

	for (int id = 0; id < TOPIC_COUNT; id++) {
		if (!str_eq(topic_table[id].source, TOPIC_SOURCES) ||
		    topic_table[id].writers != topic_table[from].writers ||
		    !take_words((enum topic_id)id, from, args, words))
			continue;
		return topic_build(NULL, (enum topic_id)id, words, ret->topic);
	}
	return -ENOENT;
}

/* "disks.{node}" with its word put in. */
static int build_key(enum topic_id from, const struct topic_args *args, char *out, size_t size)
{
	const char *p = topic_table[from].source;
	size_t n = 0;

	while (*p) {
		const char *piece = p;
		size_t length = strcspn(p, "{");

		p += length;
		if (length == 0) {
			char name[32] = { 0 };
			int at;

			length = strcspn(++p, "}");
			if (length >= sizeof(name))
				return -EINVAL;
			memcpy(name, p, length);
			at = topic_word_find(from, name);
			if (at < 0)
				return -EINVAL;
			p += length + 1;
			piece = args->value[at];
			length = strlen(piece);
		}
		if (n + length >= size)
			return -ENAMETOOLONG;
		memcpy(out + n, piece, length);
		n += length;
	}
	out[n] = '\0';
	return 0;
}

int topic_source(enum topic_id id, const struct topic_args *args, struct topic_source *ret)
{
	const char *source = topic_table[id].source;
	int r;

	if (!*source || str_eq(source, TOPIC_SOURCES))
		return -ENOENT;
	r = build_document(id, args, ret);
	return r < 0 ? r : build_key(id, args, ret->key, sizeof(ret->key));
}
