/* SPDX-License-Identifier: MIT */
#pragma once
/* Everything at a glance, for people or for programs. */
#include "jarvisctl/attention.h"

struct overview_page {
	const char *url;
	bool colour;
	bool is_watched; /* somebody stays: says how to end */
	size_t lines;	 /* that there is room for; what wants a look is cut to it */
};

void overview_text(const struct world *world, const struct attentions *attentions,
		   const struct overview_page *page, struct str *out);
void overview_json(const struct world *world, const struct attentions *attentions, struct str *out);
