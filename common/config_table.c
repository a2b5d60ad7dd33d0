/* SPDX-License-Identifier: MIT */
/*
 * The tables of jarvis.yaml, made from config.def: its second and last expansion.
 */
#include "common/config_parts.h"

static const char *const words_log_level[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARN] = "warn",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
	NULL,
};

/* The other two classes are for our own services. */
static const char *const words_principal_class[] = {
	[PRINCIPAL_NONE] = "",
	[PRINCIPAL_AGENT] = "",
	[PRINCIPAL_REMOTE] = "remote",
	[PRINCIPAL_VIEWER] = "viewer",
	NULL,
};

static const char *const words_parameter_type[] = {
	[PARAMETER_NAME] = "name", [PARAMETER_WORD] = "word", [PARAMETER_INT] = "int",
	[PARAMETER_PATH] = "path", [PARAMETER_URL] = "url",   NULL,
};

/* clang-format off */
/* A section's keys sit in a function, where `self_t` can name its struct. */
#define SECTION_OF(section, type) \
	static const struct key_def *keys_##section(size_t *n); \
	static const struct section_def section_##section = { sizeof(struct type), \
							      keys_##section }; \
	static const struct key_def *keys_##section(size_t *n) { \
		typedef struct type self_t; \
		static const struct key_def keys[] = {
#define SECTION(section) SECTION_OF(section, config_##section)
#define ROOT SECTION_OF(root, config)
#define END }; *n = countof(keys); return keys; }
#define KEY(key, k, d, ...) \
	{ .name = #key, .kind = k, .offset = offsetof(self_t, key), .doc = d, __VA_ARGS__ },
#define STR(key, v, c, doc) KEY(key, KEY_STR, doc, .value = v, .check = CHECK_##c)
#define OPT_STR(key, e, c, doc) KEY(key, KEY_STR, doc, .example = e, .check = CHECK_##c)
#define REQ_STR(key, e, c, doc) \
	KEY(key, KEY_STR, doc, .is_required = true, .example = e, .check = CHECK_##c)
#define INT(key, lo, hi, v, doc) KEY(key, KEY_INT, doc, .min = lo, .max = hi, .value = #v)
#define REQ_INT(key, lo, hi, e, doc) \
	KEY(key, KEY_INT, doc, .is_required = true, .min = lo, .max = hi, .example = #e)
#define BOOL(key, v, doc) KEY(key, KEY_BOOL, doc, .value = v ? "true" : "false")
#define DURATION(key, lo, hi, v, d) \
	{ .name = #key, .kind = KEY_DURATION, .offset = offsetof(self_t, key##_ms), .doc = d, \
	  .shortest = lo, .longest = hi, .value = v },
#define ENUM(key, type, w, v, doc) KEY(key, KEY_ENUM, doc, .words = w, .value = v)
#define REQ_ENUM(key, type, w, e, doc) \
	KEY(key, KEY_ENUM, doc, .is_required = true, .words = w, .example = e)
#define STRS(key, m, v, c, doc) KEY(key, KEY_STRS, doc, .max = m, .value = v, .check = CHECK_##c)
#define LISTS(key, m, nc, c, e, doc) \
	KEY(key, KEY_LISTS, doc, .max = m, .names = CHECK_##nc, .check = CHECK_##c, .example = e)
#define OBJ(key, s, doc) KEY(key, KEY_OBJ, doc, .section = &section_##s)
#define OPT_OBJ(key, s, doc) KEY(key, KEY_OPT_OBJ, doc, .section = &section_##s)
#define MAP(key, s, m, e, doc) \
	KEY(key, KEY_MAP, doc, .section = &section_##s, .max = m, .example = e)
#define WORD(key, doc) KEY(key, KEY_WORD, doc, )
#include "common/config.def"
/* clang-format on */

const struct section_def config_root_section = { sizeof(struct config), keys_root };
