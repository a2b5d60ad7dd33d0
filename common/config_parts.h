/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * What the parts of the configuration share among themselves; everybody else includes common/config.h. The tables
 * that config_table.c makes from config.def, and the list of errors.
 */
#include "common/config.h"
#include "common/yaml_tree.h"

/* ── the tables ────────────────────────────────────────────────────────────────────────────────────────────── */

enum key_kind {
	KEY_STR,
	KEY_INT,
	KEY_BOOL,
	KEY_DURATION,
	KEY_ENUM,
	KEY_STRS,
	KEY_LISTS,
	KEY_OBJ,
	KEY_OPT_OBJ,
	KEY_MAP,
	KEY_WORD,
};

/* What a text must look like: the rows of the table in config_value.c. */
enum config_check {
	CHECK_host,
	CHECK_address,
	CHECK_network,
	CHECK_path,
	CHECK_folder,
	CHECK_url_host,
	CHECK_scheme,
	CHECK_port,
	CHECK_socket,
	CHECK_name,
	CHECK_base,
	CHECK_service,
	CHECK_token,
	CHECK_fingerprint,
	CHECK_mac,
	CHECK_origin,
	CHECK_guest,
	CHECK_member,
	CHECK_object,
	CHECK_target,
	CHECK_unit,
	CHECK_word,
	CHECK_sentence,
};

struct section_def;

struct key_def {
	const char *name;
	enum key_kind kind;
	bool is_required;
	size_t offset;	     /* in the section's struct; the count of a list follows its pointer */
	const char *value;   /* the default as it would stand in the file; NULL: none */
	const char *example; /* for the sample, where there is no default */
	const char *doc;
	int64_t min, max;		/* KEY_INT, KEY_DURATION; max: elements of lists and maps */
	const char *shortest, *longest; /* KEY_DURATION: min and max as text */
	const char *const *words;	/* KEY_ENUM: by value, ended by NULL; "" for none */
	enum config_check check;	/* KEY_STR; elements of KEY_STRS and KEY_LISTS */
	enum config_check names;	/* KEY_LISTS */
	const struct section_def *section; /* KEY_OBJ, KEY_OPT_OBJ, KEY_MAP */
};

struct section_def {
	size_t size;
	const struct key_def *(*keys)(size_t *n);
};

extern const struct section_def config_root_section;

/* ── errors ────────────────────────────────────────────────────────────────────────────────────────────────── */

struct config_errors {
	const char *file;
	struct config_error *items;
	size_t n, cap;
	size_t suppressed; /* more than are kept */
};

/* KEY may be NULL or "" when the error is not about one. Bytes that are no printable ASCII are replaced. */
void config_error_add(struct config_errors *errors, size_t line, size_t column, const char *key,
		      const char *format, ...) _printf_(5, 6);
/* An unknown key at NODE, in a section that has the N KEYS: says which one may have been meant. */
void config_error_add_unknown(struct config_errors *errors, const struct ynode *node,
			      const char *key, const struct key_def *keys, size_t n);
/* Appends all, by line, and forgets them. */
void config_errors_take(struct config_errors *errors, struct str *out);

/* ── values ────────────────────────────────────────────────────────────────────────────────────────────────── */

/* 0 with the text, normalised where there are several ways to write it (in ARENA, or TEXT itself); or -EINVAL. */
int config_check_text(enum config_check check, struct arena *arena, const char *text,
		      const char **ret);
/* What CHECK allows, for people. */
const char *config_check_allowed(enum config_check check);
/* "10s" → ms; 0 or -EINVAL. */
int config_duration_parse(const char *text, int64_t *ret);
/* A whole number without leading zeros: 0, -EINVAL or -ERANGE. */
int config_int_parse(const char *text, int64_t min, int64_t max, int64_t *ret);

/* ── sections ──────────────────────────────────────────────────────────────────────────────────────────────── */

/* Fills CONFIG from ROOT (NULL: all defaults); its memory comes from config->owned. */
void config_walk(struct config *config, const struct ynode *root, struct config_errors *errors);

/* ── what one key alone cannot tell ────────────────────────────────────────────────────────────────────────── */

/* ROOT may be NULL. */
void config_check_whole(const struct config *config, const struct ynode *root,
			struct config_errors *errors);
