/* SPDX-License-Identifier: MIT */
/*
 * Topics as text, and the tables of the vocabulary: what every reader of those tables takes for granted.
 */
#include "common/topics.h"

#include "tests/unit/check.h"

#include "common/str.h"

#include <errno.h>
#include <stdio.h>

#define WORDS(...)                                                                                 \
	(const char *const[])                                                                      \
	{                                                                                          \
		__VA_ARGS__, NULL                                                                  \
	}
#define LETTERS_64 "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd"

static const struct {
	const char *name; /* a word as Proxmox may say it */
	const char *level;
} encodings[] = {
	{ "pve", "pve" },
	{ "A-Z_0.9", "A-Z_0.9" },
	{ "two words", "two=20words" },
	{ "+", "=2B" },
	{ "#", "=23" },
	{ "/", "=2F" },
	{ "a/+/#", "a=2F=2B=2F=23" },
	{ "=", "=3D" },
	{ "=41", "=3D41" },
	{ "$SYS", "=24SYS" },
	{ "ä", "=C3=A4" },
	{ "\xff", "=FF" },
	{ "\x01\x7f", "=01=7F" },
	{ ".", "." },
	{ "..", ".." },
	{ "-", "-" },
	{ LETTERS_64, LETTERS_64 },
};

static void test_build_encodes(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < countof(encodings); i++) {
		char topic[TOPIC_MAX_BYTES];
		char expected[TOPIC_MAX_BYTES];

		(void)snprintf(expected, sizeof(expected), "home/jarvis/pve/c/node/%s/state",
			       encodings[i].level);
		assert_int_equal(topic_build("home/jarvis", TOPIC_NODE_STATE,
					     WORDS("c", encodings[i].name), topic),
				 0);
		assert_string_equal(topic, expected);
	}
}

/* Every topic, with every hostile word on every level: parsing gives the words back. */
static void test_round_trip(void **unused)
{
	(void)unused;
	for (int id = 0; id < TOPIC_COUNT; id++) {
		size_t words = topic_words((enum topic_id)id);

		for (size_t k = 0; k < countof(encodings); k++) {
			const char *args[TOPIC_ARGS_MAX + 1] = { NULL };
			char topic[TOPIC_MAX_BYTES];
			struct topic_args parsed;
			enum topic_id found;

			for (size_t i = 0; i < words; i++)
				args[i] = encodings[(k + i) % countof(encodings)].name;
			assert_int_equal(topic_build("jarvis", (enum topic_id)id, args, topic), 0);
			assert_int_equal(topic_parse("jarvis", topic, &found, &parsed), 0);
			assert_int_equal(found, id);
			assert_int_equal(parsed.n, words);
			for (size_t i = 0; i < words; i++)
				assert_string_equal(parsed.value[i], args[i]);
		}
	}
}

static void test_build_refuses(void **unused)
{
	static const struct {
		enum topic_id id;
		const char *args[6];
		int r;
	} cases[] = {
		{ TOPIC_NODE_STATE, { NULL }, -EINVAL },
		{ TOPIC_NODE_STATE, { "c" }, -EINVAL },
		{ TOPIC_NODE_STATE, { "c", "" }, -EINVAL },
		{ TOPIC_NODE_STATE, { "", "n" }, -EINVAL },
		{ TOPIC_NODE_STATE, { "c", "n", "more" }, -EINVAL },
		{ TOPIC_LLM_STATE, { "more" }, -EINVAL },
		{ TOPIC_NODE_STATE, { "c", LETTERS_64 "e" }, -ENAMETOOLONG },
		{ TOPIC_NODE_STATE, { "c", "n" }, 0 },
		{ TOPIC_LLM_STATE, { NULL }, 0 },
	};
	char long_base[TOPIC_MAX_BYTES];
	char topic[TOPIC_MAX_BYTES];

	(void)unused;
	for (size_t i = 0; i < countof(cases); i++)
		assert_int_equal(topic_build("jarvis", cases[i].id, cases[i].args, topic),
				 cases[i].r);
	memset(long_base, 'b', sizeof(long_base) - 1);
	long_base[sizeof(long_base) - 1] = '\0';
	assert_int_equal(topic_build(long_base, TOPIC_LLM_STATE, NULL, topic), -ENAMETOOLONG);
	assert_int_equal(strlen(topic), TOPIC_MAX_BYTES - 1);
	/* "/llm/state" and the NUL just fit behind it. */
	long_base[TOPIC_MAX_BYTES - 1 - strlen("/llm/state")] = '\0';
	assert_int_equal(topic_build(long_base, TOPIC_LLM_STATE, NULL, topic), 0);
}

/* A plus is a wildcard only when it is the pointer topic_wild. */
static void test_wildcards(void **unused)
{
	char plus[] = "+";
	char topic[TOPIC_MAX_BYTES];

	(void)unused;
	assert_int_equal(topic_build("j", TOPIC_NODE_STATE, WORDS("c", topic_wild), topic), 0);
	assert_string_equal(topic, "j/pve/c/node/+/state");
	assert_int_equal(topic_build("j", TOPIC_NODE_STATE, WORDS("c", plus), topic), 0);
	assert_string_equal(topic, "j/pve/c/node/=2B/state");
	assert_int_equal(topic_filter("j", TOPIC_STORAGE_STATE, topic), 0);
	assert_string_equal(topic, "j/pve/+/storage/+/+/state");
	assert_int_equal(topic_filter("j", TOPIC_LLM_STATE, topic), 0);
	assert_string_equal(topic, "j/llm/state");
}

static void test_parse(void **unused)
{
	static const struct {
		const char *topic;
		int r;
	} cases[] = {
		{ "jarvis/pve/c/node/n/state", 0 },
		{ "jarvis/pve/c/node/n=20m/state", 0 },
		{ "jarvis/pve/c/node/" LETTERS_64 "/state", 0 },
		/* not ours */
		{ "", -ENOENT },
		{ "jarvis", -ENOENT },
		{ "jarvis/", -ENOENT },
		{ "jarviss/pve/c/node/n/state", -ENOENT },
		{ "jarvi/pve/c/node/n/state", -ENOENT },
		{ "/jarvis/pve/c/node/n/state", -ENOENT },
		{ "jarvis//pve/c/node/n/state", -ENOENT },
		{ "Jarvis/pve/c/node/n/state", -ENOENT },
		{ "jarvis/PVE/c/node/n/state", -ENOENT },
		{ "jarvis/pve/c/node/n", -ENOENT },
		{ "jarvis/pve/c/node/n/state/", -ENOENT },
		{ "jarvis/pve/c/node/n/state/more", -ENOENT },
		{ "jarvis/pve/c/node//state", -ENOENT },
		{ "jarvis/pve/c/node/n/stat", -ENOENT },
		{ "jarvis/pve/c/node/n/states", -ENOENT },
		{ "homeassistant/device/x/config", -ENOENT },
		{ "$SYS/broker/uptime", -ENOENT },
		/* ours in shape, but a word is badly written; the rest of the shape decides first */
		{ "jarvis/pve/c/node/two words/state", -EINVAL },
		{ "jarvis/pve/c/node/two words/nothing", -ENOENT },
		{ "jarvis/pve/c/node/n=/state", -EINVAL },
		{ "jarvis/pve/c/node/n=2/state", -EINVAL },
		{ "jarvis/pve/c/node/=2/state", -EINVAL },
		{ "jarvis/pve/c/node/=2g/state", -EINVAL },
		{ "jarvis/pve/c/node/=2f/state", -EINVAL }, /* capitals only: one name, one topic */
		{ "jarvis/pve/c/node/=41/state", -EINVAL }, /* an A needs no code */
		{ "jarvis/pve/c/node/=00/state", -EINVAL },
		{ "jarvis/pve/c/node/\xc3\xa4/state", -EINVAL },
		{ "jarvis/pve/+/node/n/state", -EINVAL },
		{ "jarvis/pve/c/node/" LETTERS_64 "e/state", -EINVAL },
	};

	(void)unused;
	for (size_t i = 0; i < countof(cases); i++) {
		struct topic_args args;
		enum topic_id id;
		int r = topic_parse("jarvis", cases[i].topic, &id, &args);

		if (r != cases[i].r)
			fail_msg("%s: %d, not %d", cases[i].topic, r, cases[i].r);
	}
}

static void test_words(void **unused)
{
	char word[32];

	(void)unused;
	assert_int_equal(topic_words(TOPIC_STORAGE_STATE), 3);
	assert_int_equal(topic_words(TOPIC_LLM_STATE), 0);
	assert_int_equal(topic_word(TOPIC_STORAGE_STATE, 2, word), 0);
	assert_string_equal(word, "storage");
	assert_int_equal(topic_word(TOPIC_STORAGE_STATE, 3, word), -ENOENT);
	assert_int_equal(topic_word(TOPIC_LLM_STATE, 0, word), -ENOENT);
	assert_int_equal(topic_word_find(TOPIC_STORAGE_STATE, "node"), 1);
	assert_int_equal(topic_word_find(TOPIC_STORAGE_STATE, "nod"), -ENOENT);
	assert_int_equal(topic_word_find(TOPIC_STORAGE_STATE, "guest"), -ENOENT);
}

static void test_names(void **unused)
{
	(void)unused;
	for (int i = 0; i < SERVICE_COUNT; i++)
		assert_int_equal(service_find(service_table[i].name), i);
	assert_int_equal(service_find("nobody"), -ENOENT);
	assert_int_equal(service_find(""), -ENOENT);
	for (const struct enumeration_def *const *e = enumeration_table; *e; e++) {
		for (int i = 0; (size_t)i < (*e)->words_n; i++) {
			assert_true(*enumeration_word(*e, i));
			assert_int_equal(enumeration_find(*e, enumeration_word(*e, i)), i);
		}
		assert_string_equal(enumeration_word(*e, -1), "");
		assert_string_equal(enumeration_word(*e, (int)(*e)->words_n), "");
		assert_int_equal(enumeration_find(*e, ""), -ENOENT);
	}
}

/* The source of a document is "", "*", or a key whose {words} are words of the topic. */
static void check_source(const struct topic_def *t, enum topic_id id)
{
	const char *p = t->source;

	while ((p = strchr(p, '{'))) {
		char word[32];
		size_t length = strcspn(++p, "}");

		assert_true(p[length] == '}' && length < sizeof(word));
		(void)snprintf(word, sizeof(word), "%.*s", (int)length, p);
		assert_true(topic_word_find(id, word) >= 0);
	}
}

/* What the ACL, the gateway and the browser take for granted of every topic. */
static void test_table(void **unused)
{
	(void)unused;
	for (int i = 0; i < TOPIC_COUNT; i++) {
		const struct topic_def *t = &topic_table[i];
		char first[TOPIC_MAX_BYTES];
		char second[TOPIC_MAX_BYTES];

		assert_true(topic_words((enum topic_id)i) <= TOPIC_ARGS_MAX);
		assert_true(t->writers && t->readers);
		assert_int_equal(class_table[t->class].retained,
				 t->class == CLASS_STATE || t->class == CLASS_PRESENCE);
		if (t->class == CLASS_COMMAND || t->class == CLASS_REPLY)
			assert_true(topic_word_find((enum topic_id)i, "principal") >= 0);
		if (t->class == CLASS_INTERNAL)
			assert_false((t->writers | t->readers) & (MASK_REMOTES | MASK_VIEWERS));
		check_source(t, (enum topic_id)i);
		assert_int_equal(topic_filter("j", (enum topic_id)i, first), 0);
		for (int k = 0; k < i; k++) {
			assert_int_equal(topic_filter("j", (enum topic_id)k, second), 0);
			assert_string_not_equal(first, second);
		}
	}
}

/* Fields of a message have names of their own, and nest no deeper than the codec goes. */
static size_t check_message(const struct message_def *m)
{
	size_t depth = 0;
	size_t n;
	const struct field_def *fields = m->fields(&n);

	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(fields[i].name, fields[k].name);
		assert_true(fields[i].offset < m->size);
		assert_int_equal(fields[i].kind == FIELD_ENUM, fields[i].enumeration != NULL);
		if (fields[i].message)
			depth = max_of(depth, check_message(fields[i].message));
	}
	return depth + 1;
}

static void test_messages(void **unused)
{
	(void)unused;
	for (const struct message_def *const *m = message_table; *m; m++) {
		assert_true(check_message(*m) <= 8);
		for (const struct message_def *const *k = message_table; k < m; k++)
			assert_string_not_equal((*m)->name, (*k)->name);
	}
}

/* Where each document's age is written, and that there is such a place. */
static void test_sources(void **unused)
{
	static const struct {
		const char *topic, *source, *key;
	} cases[] = {
		{ "pve/home/guest/101/state", "pve/home/state", "resources" },
		{ "pve/home/node/a=20b/thermal", "pve/home/thermal", "node.a b" },
		{ "pve/home/storage/-/nas/state", "pve/home/state", "storage.-" },
		{ "docker/h=2F1/container/web/state", "docker/h=2F1/state", "containers" },
		{ "pve/home/state", NULL, NULL },
		{ "autonomy/state", NULL, NULL },
	};

	(void)unused;
	for (size_t i = 0; i < countof(cases); i++) {
		struct topic_source where;
		struct topic_args args;
		enum topic_id id;

		assert_int_equal(topic_parse(NULL, cases[i].topic, &id, &args), 0);
		assert_int_equal(topic_source(id, &args, &where), cases[i].source ? 0 : -ENOENT);
		if (!cases[i].source)
			continue;
		assert_string_equal(where.topic, cases[i].source);
		assert_string_equal(where.key, cases[i].key);
	}
	for (int id = 0; id < TOPIC_COUNT; id++) {
		struct topic_args args = { .value = { "a", "b", "c", "d" } };
		const char *source = topic_table[id].source;
		struct topic_source where;

		assert_int_equal(topic_source((enum topic_id)id, &args, &where),
				 !*source || str_eq(source, TOPIC_SOURCES) ? -ENOENT : 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_build_encodes), cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_build_refuses), cmocka_unit_test(test_wildcards),
		cmocka_unit_test(test_parse),	      cmocka_unit_test(test_words),
		cmocka_unit_test(test_names),	      cmocka_unit_test(test_table),
		cmocka_unit_test(test_messages),      cmocka_unit_test(test_sources),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
