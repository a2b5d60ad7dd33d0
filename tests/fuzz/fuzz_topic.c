/* SPDX-License-Identifier: MIT */
/*
 * A topic as any client may send it: what is recognised as ours is built again from its words to the same text.
 * Then the whole input as a word, which must come back as it was.
 */
#include "common/alloc.h"
#include "common/str.h"
#include "common/topics.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void parse_then_build(const char *topic)
{
	const char *words[TOPIC_ARGS_MAX + 1] = { NULL };
	char built[TOPIC_MAX_BYTES];
	struct topic_args args;
	enum topic_id id;

	if (topic_parse("jarvis", topic, &id, &args) < 0)
		return;
	must(args.n == topic_words(id));
	for (size_t i = 0; i < args.n; i++)
		words[i] = args.value[i];
	must(topic_build("jarvis", id, words, built) == 0);
	must(str_eq(topic, built));
}

static void build_then_parse(const char *word)
{
	const char *words[] = { word, word, NULL };
	char built[TOPIC_MAX_BYTES];
	struct topic_args args;
	enum topic_id id;
	int r = topic_build("jarvis", TOPIC_NODE_STATE, words, built);

	must((r == 0) == (*word && strlen(word) <= TOPIC_LEVEL_MAX));
	if (r < 0)
		return;
	must(!strpbrk(built, "+# "));
	r = topic_parse("jarvis", built, &id, &args);
	must(r == 0 && id == TOPIC_NODE_STATE && str_eq(args.value[0], word) &&
	     str_eq(args.value[1], word));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(freep) char *text = xstrndup((const char *)data, size);

	parse_then_build(text);
	build_then_parse(text);
	return 0;
}
