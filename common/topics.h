/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * The vocabulary as C: services, messages and topics, made from the .def files beside this one. One struct per
 * message (`struct msg_node_state`), one enum per enumeration, and const tables that describe them, which the
 * codec, the broker's ACL, the documents and the fuzzers read.
 *
 * Text in a message is borrowed: from the arena it was decoded into, or from whoever fills it to publish.
 */
#include "common/base.h"

/* ── services and groups ───────────────────────────────────────────────────────────────────────────────────── */

enum service_id {
#define SERVICE(id, name, class, doc) SERVICE_##id,
#include "common/services.def"
	SERVICE_COUNT
};

/* One bit a service; the groups stand above. */
typedef uint32_t service_mask;
#define SERVICE_BIT(id) ((service_mask)1 << (id))
#define MASK_REMOTES ((service_mask)1 << 28)
#define MASK_VIEWERS ((service_mask)1 << 29)
#define MASK_ANY_SERVICE (SERVICE_BIT(SERVICE_COUNT) - 1)
_Static_assert(SERVICE_COUNT < 28, "service_mask has room for 28 services");

enum principal_class {
	PRINCIPAL_NONE,	  /* a service that never asks for actions */
	PRINCIPAL_AGENT,  /* a service that may propose actions */
	PRINCIPAL_REMOTE, /* another MQTT client that may ask for actions within its list */
	PRINCIPAL_VIEWER, /* another MQTT client that only reads */
};

struct service_def_row {
	const char *name;
	enum principal_class class;
	const char *doc;
};
extern const struct service_def_row service_table[SERVICE_COUNT];

/* The service called NAME, or -ENOENT. */
int service_find(const char *name);

/* ── messages ──────────────────────────────────────────────────────────────────────────────────────────────── */

/* clang-format off */
#define ENUMERATION(name, doc) enum name {
#define VALUE(constant, word) constant,
#define END_ENUMERATION };
#include "common/messages.def"

struct num_entry {
	const char *key;
	int64_t value;
};

/* An element of a MAP(field, message, …) is a `struct map_<message>`. */
#define MESSAGE(name, doc) struct map_##name; struct msg_##name {
#define END };
#define STR(field, max, doc) const char *field;
#define OPT_STR(field, max, doc) const char *field;
#define ENUM(field, enumeration, doc) enum enumeration field;
#define OPT_ENUM(field, enumeration, doc) struct opt_int field;
#define BOOL(field, doc) bool field;
#define OPT_BOOL(field, doc) struct opt_bool field;
#define I64(field, unit, resolution, mark, doc) int64_t field;
#define OPT_I64(field, unit, resolution, mark, doc) struct opt_i64 field;
#define F64(field, unit, resolution, mark, doc) double field;
#define OPT_F64(field, unit, resolution, mark, doc) struct opt_f64 field;
#define OBJ(field, message, doc) const struct msg_##message *field;
#define OPT_OBJ(field, message, doc) const struct msg_##message *field;
#define LIST(field, message, max, doc) const struct msg_##message *field; size_t field##_n;
#define STRS(field, max, doc) const char *const *field; size_t field##_n;
#define MAP(field, message, max, doc) const struct map_##message *field; size_t field##_n;
#define NUMS(field, max, doc) const struct num_entry *field; size_t field##_n;
#define RAW(field, max, doc) const char *field;
#define OPT_RAW(field, max, doc) const char *field;
#include "common/messages.def"

#define MESSAGE(name, doc) struct map_##name { const char *key; struct msg_##name value; };
#include "common/messages.def"
/* clang-format on */

enum field_kind {
	FIELD_STR,
	FIELD_ENUM,
	FIELD_BOOL,
	FIELD_I64,
	FIELD_F64,
	FIELD_OBJ,
	FIELD_LIST,
	FIELD_STRS,
	FIELD_MAP,
	FIELD_NUMS,
	FIELD_RAW,
};

/* Values of `resolution` with a meaning of their own. */
#define RESOLUTION_ANY 0.0
#define RESOLUTION_NEVER (-1.0)

struct message_def;

struct enumeration_def {
	const char *name;
	const char *doc;
	const char *const *words; /* in the order of the constants */
	size_t words_n;
};

struct field_def {
	const char *name;
	enum field_kind kind;
	bool optional;	   /* may be null */
	bool metric;	   /* kept as history */
	size_t offset;	   /* in the message's struct; of the pointer for lists */
	size_t max;	   /* bytes of text, or elements of a list */
	const char *unit;  /* "" when it has none */
	double resolution; /* see RESOLUTION_* */
	const char *doc;
	const struct enumeration_def *enumeration; /* FIELD_ENUM */
	const struct message_def *message;	   /* FIELD_OBJ, FIELD_LIST, FIELD_MAP */
};

struct message_def {
	const char *name;
	const char *doc;
	size_t size;	   /* of its struct */
	size_t map_size;   /* of its struct map_… */
	size_t map_offset; /* of `value` in that */
	const struct field_def *(*fields)(size_t *n);
};

/* Every message and enumeration, in the order of messages.def; ended by NULL. */
extern const struct message_def *const message_table[];
extern const struct enumeration_def *const enumeration_table[];

/* clang-format off */
#define ENUMERATION(name, doc) extern const struct enumeration_def enumeration_##name;
#define MESSAGE(name, doc) extern const struct message_def message_##name;
#include "common/messages.def"
/* clang-format on */

/* The word of VALUE; "" when it is out of range. */
const char *enumeration_word(const struct enumeration_def *enumeration, int value);
/* The value of WORD, or -ENOENT. */
int enumeration_find(const struct enumeration_def *enumeration, const char *word);

/* ── topics ────────────────────────────────────────────────────────────────────────────────────────────────── */

enum topic_id {
#define TOPIC(id, pattern, class, message, writers, readers, source, doc) TOPIC_##id,
#include "common/topics.def"
	TOPIC_COUNT
};

enum topic_class {
	CLASS_STATE,
	CLASS_PRESENCE,
	CLASS_EVENT,
	CLASS_STREAM,
	CLASS_COMMAND,
	CLASS_REPLY,
	CLASS_INTERNAL,
	CLASS_COUNT
};

/* What a class means on the wire. */
struct class_def {
	const char *name;
	bool retained;
	int qos;
	unsigned expiry_s; /* 0: never */
};
extern const struct class_def class_table[CLASS_COUNT];

#define TOPIC_ARGS_MAX 4
#define TOPIC_LEVEL_MAX 64   /* bytes of a Proxmox name */
#define TOPIC_MAX_BYTES 1024 /* of a whole topic */

struct topic_def {
	const char *id;	     /* "NODE_STATE" */
	const char *pattern; /* below {base}: "pve/{cluster}/node/{node}/state" */
	enum topic_class class;
	const struct message_def *message;
	service_mask writers;
	service_mask readers;
	const char *source; /* see topics.def */
	const char *doc;
};
extern const struct topic_def topic_table[TOPIC_COUNT];

/* The `source` of a document that is itself a source document. */
#define TOPIC_SOURCES "*"

/* The words of a topic's {…} levels, decoded. */
struct topic_args {
	size_t n;
	char value[TOPIC_ARGS_MAX][TOPIC_LEVEL_MAX * 3 + 1];
};

/* As a word for topic_build(): any one level. */
extern const char topic_wild[];

/*
 * Builds `{base}/…` into OUT (TOPIC_MAX_BYTES); BASE NULL: what is below the base, as in all of these. ARGS are the
 * pattern's words in order, ended by NULL; each is encoded: bytes outside [A-Za-z0-9_.-] become =XX; the pointer
 * topic_wild becomes +. NULL for a pattern without words. 0, -EINVAL (wrong number of words, an empty one), or
 * -ENAMETOOLONG.
 */
int topic_build(const char *base, enum topic_id id, const char *const *args, char *out);
/* The filter that matches every topic of ID: each word becomes +. As topic_build(). */
int topic_filter(const char *base, enum topic_id id, char *out);
/* Recognises a topic: 0 with *id and *args, or -ENOENT (not ours) or -EINVAL (a level is not well encoded). */
int topic_parse(const char *base, const char *topic, enum topic_id *id, struct topic_args *args);
/* Number of {words} in a pattern. */
size_t topic_words(enum topic_id id);
/* Name of word INDEX ("node"), copied into OUT (32 bytes); -ENOENT past the end. */
int topic_word(enum topic_id id, size_t index, char out[32]);
/* Which of the words is called NAME; -ENOENT when none is. */
int topic_word_find(enum topic_id id, const char *name);

/* Where the age of a document is written. */
struct topic_source {
	char topic[TOPIC_MAX_BYTES]; /* the source document, below the base */
	char key[TOPIC_LEVEL_MAX * 3 + 32];
};

/* Of a topic of ID with these words: 0, or -ENOENT: it is live as long as its owner is online. */
int topic_source(enum topic_id id, const struct topic_args *args, struct topic_source *ret);
