/* SPDX-License-Identifier: MIT */
#pragma once
/* What search.c, search_words.c and search_amount.c share. */
#include "jarvisctl/search.h"

enum relation { ABOVE, AT_LEAST, BELOW, AT_MOST, EQUAL, OTHER };

/* How a field is compared: the whole word, a part of it, or how it begins. */
enum comparison { WHOLE, PART, BEGINNING };

struct search_amount {
	double value;
	bool is_size; /* bytes, of what is else a share */
};

/* The enum search_field, or search_number, that LENGTH bytes of TEXT name; -ENOENT. */
int search_find_field(const char *text, size_t length);
int search_find_number(const char *text, size_t length);
/* The operator with which TEXT begins: its length; 0: none. */
size_t search_find_relation(const char *text, enum relation *ret);

const char *search_number_name(enum search_number number);
/* Appends all there are. */
void search_list_fields(struct str *out);
void search_list_numbers(struct str *out);
enum comparison search_comparison(enum search_field field);
/* What Proxmox calls what people call WORD. */
const char *search_meaning(enum search_field field, const char *word);

/* "80", "80%", "2G", "1.5d"; false when it is no number of this field. */
bool search_parse_amount(enum search_number number, const char *text, struct search_amount *ret);
