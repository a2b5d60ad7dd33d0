/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * The search language of the dashboard's tables (web/src/lib/search.ts), for the terminal: `cpu>80 node:pve -stopped`.
 * tests/data/search.json says what both must find. Letters are compared without regard to case in ASCII alone.
 */
#include "common/str.h"

/* What words can be asked of a thing: `node:pve`. */
enum search_field {
	SEARCH_NAME,
	SEARCH_NODE,
	SEARCH_TYPE,
	SEARCH_TAG,
	SEARCH_STATUS,
	SEARCH_POOL,
	SEARCH_LOCK,
	SEARCH_HA,
	SEARCH_VMID,
	SEARCH_BACKUP,
	SEARCH_SNAPSHOT,
	SEARCH_STORAGE,
	SEARCH_JOB,
	SEARCH_ONBOOT,
	SEARCH_KIND,
	SEARCH_HEALTH,
	SEARCH_OS,
	SEARCH_FIELDS
};

/* What numbers: `cpu>80`. */
enum search_number {
	NUMBER_CPU,
	NUMBER_MEM,
	NUMBER_DISK,
	NUMBER_CORES,
	NUMBER_UPTIME,
	NUMBER_NETIN,
	NUMBER_NETOUT,
	NUMBER_NET,
	NUMBER_READ,
	NUMBER_WRITE,
	NUMBER_VMID,
	NUMBER_BACKUP,
	NUMBER_SNAPSHOT,
	NUMBER_SNAPSHOTS,
	NUMBER_TEMP,
	NUMBER_LIFE,
	NUMBER_UPDATES,
	SEARCH_NUMBERS
};

#define SEARCH_WORDS_MAX 256

/* A thing that may be found. Everything is borrowed. */
struct search_item {
	const char *text[SEARCH_WORDS_MAX]; /* what names it */
	size_t text_n;
	struct search_word {
		enum search_field field;
		const char *text;
	} words[SEARCH_WORDS_MAX];
	size_t words_n;
	struct opt_f64 numbers[SEARCH_NUMBERS]; /* shares in percent, ages in seconds */
	struct opt_f64 sizes[SEARCH_NUMBERS];	/* the same in bytes, for `mem>2G` */
};

/* Adds to ITEM, as long as there is room; NULL is nothing. */
void search_item_text(struct search_item *item, const char *text);
void search_item_word(struct search_item *item, enum search_field field, const char *text);

struct search;

/* Reads INPUT: 0, or -EINVAL with a line for each term that cannot be read in ERRORS. */
int search_parse(const char *input, struct search **ret, struct str *errors) _nodiscard_;
void search_free(struct search *search);
DEFINE_FREEP(struct search, search_free)

/* Whether ITEM is what all terms ask for; without a term everything is. An unknown number satisfies no comparison. */
bool search_test(const struct search *search, const struct search_item *item);
