/* SPDX-License-Identifier: MIT */
/*
 * A dictionary for libFuzzer: what a payload is made of.
 */
#include "tools/topicgen/topicgen.h"

static void print_entry(struct str *out, const char *text)
{
	str_printf(out, "\"\\\"%s\\\"\"\n", text);
}

void print_dictionary(struct str *out)
{
	str_add(out, "# Printed by topicgen from common/*.def; do not edit.\n");
	for (const struct message_def *const *m = message_table; *m; m++) {
		size_t n;
		const struct field_def *fields = (*m)->fields(&n);

		for (size_t i = 0; i < n; i++)
			print_entry(out, fields[i].name);
	}
	for (const struct enumeration_def *const *e = enumeration_table; *e; e++) {
		for (size_t i = 0; i < (*e)->words_n; i++)
			print_entry(out, (*e)->words[i]);
	}
}
