/* SPDX-License-Identifier: MIT */
/*
 * docs/tools.md: every tool, by tier.
 */
#include "common/tools.h"
#include "tools/topicgen/topicgen.h"

static const struct {
	const char *title, *text;
} tiers[] = {
	[TIER_GREEN] = { "Green", "Reads." },
	[TIER_YELLOW] = { "Yellow", "Reversible, one target." },
	[TIER_ORANGE] = { "Orange", "Interrupts service." },
	[TIER_RED] = { "Red", "Can lose data, or the cluster." },
};

static void print_kind(const struct tool_arg *arg, struct str *out)
{
	switch (arg->kind) {
	case ARG_GUEST:
		str_add(out, "vmid or name");
		break;
	case ARG_INT:
		str_printf(out, "%lld to %lld", (long long)arg->min, (long long)arg->max);
		break;
	case ARG_TEXT:
		str_printf(out, "text, %lld bytes", (long long)arg->max);
		break;
	case ARG_WORD:
		str_printf(out, "one of `%s`", arg->words);
		break;
	case ARG_FLAG:
		str_add(out, "true or false");
		break;
	case ARG_PAIRS:
		str_add(out, "object of whole numbers and lines of text");
		break;
	default:
		str_add(out, "name");
	}
}

static void print_tool(const struct tool *tool, struct str *out)
{
	const struct tool_arg *target = tool_target(tool);

	str_printf(out, "\n### %s\n\n%s", tool->name, tool->doc);
	if (tool->verify != VERIFY_NOTHING)
		str_printf(out, " Afterwards it is checked %s; it has %d s.",
			   tool_verify_text(tool->verify), tool->deadline_s);
	if (tool->egress == EGRESS_LOCAL)
		str_add(out,
			" Its answer holds logs or configuration: tokens need the scope `read_logs`.");
	str_add(out, "\n\n| argument | | |\n| --- | --- | --- |\n");
	for (size_t i = 0; i < tool->args_n; i++) {
		const struct tool_arg *arg = &tool->args[i];

		str_printf(out, "| `%s`%s | ", arg->name,
			   arg == target ? " (the target)" :
			   arg->needed	 ? "" :
					   ", may be left out");
		print_kind(arg, out);
		str_printf(out, " | %s |\n", arg->doc);
	}
}

void print_tools(struct str *out)
{
	str_add(out,
		"# Tools\n\nEverything that Jarvis can do, printed from `common/tools.def`. What each tier asks of "
		"whom is in\n[operations.md](operations.md#what-each-tier-asks); circumstances may raise a tier and "
		"never lower it.\n");
	for (size_t tier = 0; tier < countof(tiers); tier++) {
		str_printf(out, "\n## %s\n\n%s\n", tiers[tier].title, tiers[tier].text);
		for (size_t i = 0; i < TOOL_COUNT; i++) {
			if (tool_table[i].tier == (enum tier)tier)
				print_tool(&tool_table[i], out);
		}
	}
}
