/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * jarvis.yaml as C: one struct per section of config.def (`struct config_cluster`), every key with its default
 * filled in. All services read the one file; nothing in it is secret. Loading reports every error in one pass.
 */
#include "common/base.h"
#include "common/log.h"
#include "common/str.h"
#include "common/topics.h"

#define CONFIG_FILE "/etc/jarvis/jarvis.yaml"
#define CONFIG_DIGEST_LENGTH 16

/* What a parameter of a command may be. */
enum parameter_type {
	PARAMETER_NAME,
	PARAMETER_WORD,
	PARAMETER_INT,
	PARAMETER_PATH,
	PARAMETER_URL,
};

/* An element of LISTS. */
struct config_list {
	const char *name;
	const char *const *items;
	size_t items_n;
};

/* clang-format off */
#define SECTION(section) struct config_##section {
#define ENTRY(section) struct config_##section { const char *name;
/* OWNED and DIGEST belong to config.c. */
#define ROOT struct config { struct arena *owned; char digest[CONFIG_DIGEST_LENGTH + 1];
#define END };
#define STR(key, value, check, doc) const char *key;
#define OPT_STR(key, example, check, doc) const char *key;
#define REQ_STR(key, example, check, doc) const char *key;
#define INT(key, min, max, value, doc) int64_t key;
#define REQ_INT(key, min, max, example, doc) int64_t key;
#define BOOL(key, value, doc) bool key;
#define DURATION(key, min, max, value, doc) int64_t key##_ms;
#define ENUM(key, type, words, value, doc) enum type key;
#define REQ_ENUM(key, type, words, example, doc) enum type key;
#define STRS(key, max, value, check, doc) const char *const *key; size_t key##_n;
#define LISTS(key, max, names, check, example, doc) const struct config_list *key; size_t key##_n;
#define OBJ(key, section, doc) struct config_##section key;
#define OPT_OBJ(key, section, doc) const struct config_##section *key;
#define MAP(key, entry, max, example, doc) const struct config_##entry *key; size_t key##_n;
#define WORD(key, doc) bool key;
#include "common/config.def"
/* clang-format on */

/*
 * Reads PATH. 0 with a configuration that the caller frees; -EINVAL when it is not right: ERRORS gets a line for
 * each error, `file:line:col: key: what is wrong; what is allowed`; -errno (and one line) when it cannot be read.
 */
int config_load(const char *path, struct config **ret, struct str *errors) _nodiscard_;
/* The same from LENGTH bytes at TEXT; NAME stands for the file in the messages. 0 or -EINVAL. */
int config_parse(const char *name, const char *text, size_t length, struct config **ret,
		 struct str *errors) _nodiscard_;
void config_free(struct config *config);
DEFINE_FREEP(struct config, config_free)

/* The first 16 hex digits of the SHA-256 of the bytes it was read from. */
const char *config_digest(const struct config *config);

/* The cluster called NAME, or NULL. */
const struct config_cluster *config_find_cluster(const struct config *config, const char *name);

/* Appends the sample: every key with its default and what it means. It loads, and means the defaults. */
void config_print_sample(struct str *out);

/* Appends CONFIG as one line of JSON: every key, with the value that is in force, as the file would say it. */
void config_print_json(const struct config *config, struct str *out);
