/* SPDX-License-Identifier: MIT */
/*
 * The tables of the vocabulary, and topics as text. The second and last place where the .def files are expanded:
 * everything else reads these tables.
 */
#include "common/topics.h"

#include "common/str.h"

#include <errno.h>
#include <stdio.h>

/* clang-format off */
#define SERVICE(id, name, class, doc) { name, PRINCIPAL_##class, doc },
const struct service_def_row service_table[SERVICE_COUNT] = {
#include "common/services.def"
};

#define ENUMERATION(name, doc) static const char *const words_##name[] = {
#define VALUE(constant, word) [constant] = word,
#define END_ENUMERATION };
#include "common/messages.def"

#define MARK_METRIC true
#define MARK_PLAIN false
#define ANY RESOLUTION_ANY
#define NEVER RESOLUTION_NEVER

/* A message's fields sit in a function, where `self_t` can name its struct. */
#define ENUMERATION(ename, edoc) \
	const struct enumeration_def enumeration_##ename = { \
		#ename, edoc, words_##ename, countof(words_##ename) };
#define MESSAGE(name, doc) \
	static const struct field_def *fields_##name(size_t *n) { \
		typedef struct msg_##name self_t; \
		static const struct field_def fields[] = {
#define END }; *n = countof(fields); return fields; }
#define NUMBER(field, k, opt, u, res, mark, d) \
	{ .name = #field, .kind = k, .optional = opt, .metric = MARK_##mark, \
	  .offset = offsetof(self_t, field), .unit = u, .resolution = res, .doc = d },
#define PLAIN(field, k, opt, m, d, ...) \
	{ .name = #field, .kind = k, .optional = opt, .offset = offsetof(self_t, field), \
	  .max = m, .unit = "", .doc = d, __VA_ARGS__ },
#define STR(field, max, doc) PLAIN(field, FIELD_STR, false, max, doc)
#define OPT_STR(field, max, doc) PLAIN(field, FIELD_STR, true, max, doc)
#define ENUM(field, e, doc) PLAIN(field, FIELD_ENUM, false, 0, doc, .enumeration = &enumeration_##e)
#define OPT_ENUM(field, e, doc) \
	PLAIN(field, FIELD_ENUM, true, 0, doc, .enumeration = &enumeration_##e)
#define BOOL(field, doc) PLAIN(field, FIELD_BOOL, false, 0, doc)
#define OPT_BOOL(field, doc) PLAIN(field, FIELD_BOOL, true, 0, doc)
#define I64(field, unit, res, mark, doc) NUMBER(field, FIELD_I64, false, unit, res, mark, doc)
#define OPT_I64(field, unit, res, mark, doc) NUMBER(field, FIELD_I64, true, unit, res, mark, doc)
#define F64(field, unit, res, mark, doc) NUMBER(field, FIELD_F64, false, unit, res, mark, doc)
#define OPT_F64(field, unit, res, mark, doc) NUMBER(field, FIELD_F64, true, unit, res, mark, doc)
#define OBJ(field, m, doc) PLAIN(field, FIELD_OBJ, false, 0, doc, .message = &message_##m)
#define OPT_OBJ(field, m, doc) PLAIN(field, FIELD_OBJ, true, 0, doc, .message = &message_##m)
#define LIST(field, m, max, doc) PLAIN(field, FIELD_LIST, false, max, doc, .message = &message_##m)
#define STRS(field, max, doc) PLAIN(field, FIELD_STRS, false, max, doc)
#define MAP(field, m, max, doc) PLAIN(field, FIELD_MAP, false, max, doc, .message = &message_##m)
#define NUMS(field, max, doc) PLAIN(field, FIELD_NUMS, false, max, doc)
#define RAW(field, max, doc) PLAIN(field, FIELD_RAW, false, max, doc)
#define OPT_RAW(field, max, doc) PLAIN(field, FIELD_RAW, true, max, doc)
#include "common/messages.def"
#undef NUMBER
#undef PLAIN

#define MESSAGE(mname, mdoc) \
	const struct message_def message_##mname = { \
		.name = #mname, .doc = mdoc, .size = sizeof(struct msg_##mname), \
		.map_size = sizeof(struct map_##mname), \
		.map_offset = offsetof(struct map_##mname, value), .fields = fields_##mname };
#include "common/messages.def"

const struct message_def *const message_table[] = {
#define MESSAGE(name, doc) &message_##name,
#include "common/messages.def"
	NULL,
};

const struct enumeration_def *const enumeration_table[] = {
#define ENUMERATION(name, doc) &enumeration_##name,
#include "common/messages.def"
	NULL,
};

/* The names that topics.def uses in its columns. */
enum {
#define SERVICE(id, name, class, doc) id = 1 << SERVICE_##id,
#include "common/services.def"
	ANY_SERVICE = MASK_ANY_SERVICE,
	REMOTES = MASK_REMOTES,
	VIEWERS = MASK_VIEWERS,
	/* Who may look at everything that is public inside. */
	WATCHERS = MONITOR | SAFETY_GATE | EXECUTOR | LLM_ROUTER | MEMORY | NOTIFIER | GATEWAY,
};
#define SOURCES TOPIC_SOURCES

const struct topic_def topic_table[TOPIC_COUNT] = {
#define TOPIC(tid, tpattern, tclass, tmessage, twriters, treaders, tsource, tdoc) \
	{ .id = #tid, .pattern = tpattern, .class = CLASS_##tclass, \
	  .message = &message_##tmessage, \
	  .writers = twriters, .readers = treaders, .source = tsource, .doc = tdoc },
#include "common/topics.def"
};
/* clang-format on */

/* clang-format off */
const struct class_def class_table[CLASS_COUNT] = {
	[CLASS_STATE]    = { "state",    true,  1, 900 },
	[CLASS_PRESENCE] = { "presence", true,  1, 0 },
	[CLASS_EVENT]    = { "event",    false, 1, 900 },
	[CLASS_STREAM]   = { "stream",   false, 0, 30 },
	[CLASS_COMMAND]  = { "command",  false, 1, 30 },
	[CLASS_REPLY]    = { "reply",    false, 1, 30 },
	[CLASS_INTERNAL] = { "internal", false, 1, 30 },
};
/* clang-format on */

int service_find(const char *name)
{
	for (int i = 0; i < SERVICE_COUNT; i++) {
		if (str_eq(service_table[i].name, name))
			return i;
	}
	return -ENOENT;
}

const char *enumeration_word(const struct enumeration_def *enumeration, int value)
{
	if (value < 0 || (size_t)value >= enumeration->words_n)
		return "";
	return enumeration->words[value];
}

int enumeration_find(const struct enumeration_def *enumeration, const char *word)
{
	for (size_t i = 0; i < enumeration->words_n; i++) {
		if (str_eq(enumeration->words[i], word))
			return (int)i;
	}
	return -ENOENT;
}

static bool is_plain(unsigned char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '.' || c == '-';
}

/* A topic under construction. */
struct topic_text {
	char *out;
	size_t len;
};

static int add_char(struct topic_text *t, char c)
{
	if (t->len + 1 >= TOPIC_MAX_BYTES)
		return -ENAMETOOLONG;
	t->out[t->len++] = c;
	t->out[t->len] = '\0';
	return 0;
}

static int add_encoded(struct topic_text *t, const char *level)
{
	static const char digits[] = "0123456789ABCDEF";
	int r = 0;

	for (const char *c = level; *c && r == 0; c++) {
		unsigned char byte = (unsigned char)*c;

		if ((size_t)(c - level) >= TOPIC_LEVEL_MAX)
			return -ENAMETOOLONG;
		if (is_plain(byte)) {
			r = add_char(t, *c);
			continue;
		}
		r = add_char(t, '=');
		if (r == 0)
			r = add_char(t, digits[byte >> 4]);
		if (r == 0)
			r = add_char(t, digits[byte & 15]);
	}
	return r;
}

static int add_base(struct topic_text *t, const char *base)
{
	int r = 0;

	if (!base)
		return 0;
	for (; *base && r == 0; base++)
		r = add_char(t, *base);
	return r == 0 ? add_char(t, '/') : r;
}

const char topic_wild[] = "+";

int topic_build(const char *base, enum topic_id id, const char *const *args, char *out)
{
	static const char *const none[] = { NULL };
	struct topic_text t = { out, 0 };
	const char *p = topic_table[id].pattern;
	int r = add_base(&t, base);

	args = args ? args : none;
	while (*p && r == 0) {
		if (*p != '{') {
			r = add_char(&t, *p++);
			continue;
		}
		if (!*args || !**args)
			return -EINVAL;
		r = *args == topic_wild ? add_char(&t, '+') : add_encoded(&t, *args);
		args++;
		p = strchr(p, '}') + 1;
	}
	return r == 0 && *args ? -EINVAL : r;
}

int topic_filter(const char *base, enum topic_id id, char *out)
{
	const char *args[TOPIC_ARGS_MAX + 1] = { NULL };

	for (size_t i = 0; i < topic_words(id); i++)
		args[i] = topic_wild;
	return topic_build(base, id, args, out);
}

/* One name has one encoding. */
static int upper_hex_digit(char c)
{
	return c >= 'a' ? -1 : hex_digit(c);
}

/* Decodes one level (LENGTH bytes) into OUT: 0 or -EINVAL. Only what add_encoded() writes is accepted. */
static int decode_level(const char *level, size_t length, char *out)
{
	size_t n = 0;

	for (size_t i = 0; i < length; i++) {
		int value = (unsigned char)level[i];

		if (level[i] == '=') {
			int high = i + 2 < length ? upper_hex_digit(level[i + 1]) : -1;
			int low = i + 2 < length ? upper_hex_digit(level[i + 2]) : -1;

			if (high < 0 || low < 0)
				return -EINVAL;
			value = high * 16 + low;
			i += 2;
			if (is_plain((unsigned char)value) || value == 0)
				return -EINVAL;
		} else if (!is_plain((unsigned char)value)) {
			return -EINVAL;
		}
		if (n >= TOPIC_LEVEL_MAX)
			return -EINVAL;
		out[n++] = (char)value;
	}
	out[n] = '\0';
	return n ? 0 : -EINVAL;
}

/* 1 when TOPIC matches PATTERN, 0 when not, -EINVAL when a level of a match is badly encoded. */
static int match(const char *pattern, const char *topic, struct topic_args *args)
{
	int r = 1;

	args->n = 0;
	for (;;) {
		size_t p = strcspn(pattern, "/");
		size_t t = strcspn(topic, "/");

		if (pattern[0] == '{') {
			if (t == 0)
				return 0;
			if (decode_level(topic, t, args->value[args->n++]) < 0)
				r = -EINVAL;
		} else if (p != t || strncmp(pattern, topic, p) != 0) {
			return 0;
		}
		if (!pattern[p] || !topic[t])
			return pattern[p] == topic[t] ? r : 0;
		pattern += p + 1;
		topic += t + 1;
	}
}

int topic_parse(const char *base, const char *topic, enum topic_id *id, struct topic_args *args)
{
	size_t length = base ? strlen(base) : 0;

	if (base && (strncmp(topic, base, length) != 0 || topic[length] != '/'))
		return -ENOENT;
	topic += base ? length + 1 : 0;
	for (int i = 0; i < TOPIC_COUNT; i++) {
		int r = match(topic_table[i].pattern, topic, args);

		if (r == 0)
			continue;
		*id = (enum topic_id)i;
		return r < 0 ? r : 0;
	}
	return -ENOENT;
}

size_t topic_words(enum topic_id id)
{
	size_t n = 0;

	for (const char *p = topic_table[id].pattern; *p; p++)
		n += *p == '{';
	return n;
}

int topic_word(enum topic_id id, size_t index, char out[32])
{
	const char *p = topic_table[id].pattern;

	for (; (p = strchr(p, '{')); p++) {
		size_t length = strcspn(p + 1, "}");

		if (index-- > 0)
			continue;
		memcpy(out, p + 1, min_of(length, (size_t)31));
		out[min_of(length, (size_t)31)] = '\0';
		return 0;
	}
	return -ENOENT;
}

int topic_word_find(enum topic_id id, const char *name)
{
	char word[32];

	for (size_t i = 0; topic_word(id, i, word) == 0; i++) {
		if (str_eq(word, name))
			return (int)i;
	}
	return -ENOENT;
}
