/* SPDX-License-Identifier: MIT */
/*
 * jarvisctl tools: what there is to ask for. It needs no gateway: the table is the one that gate and executor have.
 */
#include <stdio.h>
#include <unistd.h>

#include "common/tools.h"
#include "jarvisctl/client.h"
#include "jarvisctl/jarvisctl.h"
#include "jarvisctl/show.h"
#include "jarvisctl/tool_line.h"

static const char *tier_of(const struct tool *tool)
{
	return enumeration_word(&enumeration_tier, (int)tool->tier);
}

static void add_json(struct json_writer *w, const struct tool *tool)
{
	const struct tool_arg *target = tool_target(tool);

	json_object_begin(w, NULL);
	json_add_str(w, "name", tool->name);
	json_add_str(w, "tier", tier_of(tool));
	json_add_str(w, "impact", tool_impact_word(tool->impact));
	json_add_str(w, "description", tool->doc);
	json_add_str(w, "target", target ? target->name : NULL);
	tool_write_schema(tool, w, "schema");
	json_object_end(w);
}

static int list(bool json)
{
	struct show_table table = { .columns = 3, .colour = show_has_colour(STDOUT_FILENO) };
	_cleanup_(str_done) struct str out = { 0 };
	struct json_writer w = { .out = &out };

	if (json) {
		json_object_begin(&w, NULL);
		json_list_begin(&w, "items");
	}
	for (size_t i = 0; i < TOOL_COUNT; i++) {
		const struct tool *tool = &tool_table[i];

		if (json) {
			add_json(&w, tool);
			continue;
		}
		show_cell(&table, tool->name, SHADE_STRONG);
		show_cell(&table, tier_of(tool), show_shade_of(tier_of(tool)));
		show_cell(&table, tool->doc, SHADE_PLAIN);
	}
	if (json) {
		json_list_end(&w);
		json_object_end(&w);
		str_add_char(&out, '\n');
	} else {
		show_table(&table, &out);
	}
	return show_print(&out);
}

static const char *what_it_asks(const struct tool *tool)
{
	static const char *const texts[] = {
		[TIER_GREEN] = "a login",
		[TIER_YELLOW] = "a login as operator",
		[TIER_ORANGE] = "the keyword",
		[TIER_RED] =
			"--confirmed and a one-time code; it begins 10 s later, unless it is cancelled",
	};

	return (size_t)tool->tier < countof(texts) ? texts[tool->tier] : "nothing that would help";
}

static int show_one(const struct tool *tool, bool json)
{
	bool colour = show_has_colour(STDOUT_FILENO);
	struct show_table table = { .columns = 3, .colour = colour };
	_cleanup_(str_done) struct str out = { 0 };
	struct json_writer w = { .out = &out };

	if (json) {
		add_json(&w, tool);
		str_add_char(&out, '\n');
		return show_print(&out);
	}
	show_shaded(&out, tool->name, SHADE_STRONG, colour);
	str_add(&out, "  ");
	show_shaded(&out, tier_of(tool), show_shade_of(tier_of(tool)), colour);
	str_printf(&out, "\n%s\n\njarvisctl run %s ", tool->doc, tool->name);
	tool_line_usage(tool, &out);
	str_add(&out, "\n\n");
	for (size_t i = 0; i < tool->args_n; i++) {
		const struct tool_arg *arg = &tool->args[i];

		show_cell(&table, arg->name, SHADE_STRONG);
		show_cell(&table, arg->needed ? "needed" : "may be left out", SHADE_DIM);
		show_cell(&table, arg->doc, SHADE_PLAIN);
	}
	show_table(&table, &out);
	str_printf(&out,
		   "\nA person who asks needs: %s. Where it is, or what it is, may raise that.\n",
		   what_it_asks(tool));
	return show_print(&out);
}

int command_tools(int argc, char **argv)
{
	static const struct option options[] = { { "json", no_argument, NULL, OPTION_JSON },
						 { 0 } };
	bool json = false;
	const struct tool *tool;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option != OPTION_JSON)
			return EXIT_USAGE;
		json = true;
	}
	if (optind == argc)
		return list(json);
	if (optind != argc - 1)
		return EXIT_USAGE;
	tool = tool_find(argv[optind]);
	if (tool)
		return show_one(tool, json);
	fprintf(stderr, "jarvisctl: there is no tool of this name; jarvisctl tools lists them\n");
	return EXIT_FAILED;
}
