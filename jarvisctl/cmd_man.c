/* SPDX-License-Identifier: MIT */
/*
 * jarvisctl man: the help of all commands as a page of the manual (man-pages(7)), printed by `make generate`.
 */
#include <stdio.h>

#include "common/str.h"
#include "jarvisctl/client.h"
#include "jarvisctl/commands.h"
#include "jarvisctl/jarvisctl.h"

/* Appends one line so that troff takes it as it is. */
static void add_line(struct str *out, const char *text, size_t length)
{
	if (length && (*text == '.' || *text == '\''))
		str_add(out, "\\&");
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '\\')
			str_add(out, "\\e");
		else if (text[i] == '-')
			str_add(out, "\\-");
		else
			str_add_char(out, text[i]);
	}
	str_add_char(out, '\n');
}

/* Ways to call it stand out, what they mean is indented; a line of one is a line of the other's paragraph. */
static void add_usage(struct str *out, const char *usage)
{
	bool was_call = false;

	for (const char *line = usage; *line;) {
		size_t length = strcspn(line, "\n"), indent = strspn(line, " ");
		bool is_call = strncmp(line + indent, "jarvisctl ", strlen("jarvisctl ")) == 0 &&
			       indent == 2;

		if (is_call)
			str_add(out, was_call ? ".TQ\n.B " : ".TP\n.B ");
		add_line(out, line + indent, length - indent);
		was_call = is_call;
		line += length + (line[length] ? 1 : 0);
	}
}

/* In quotes of its own, lines as they are. */
static void add_plain(struct str *out, const char *text)
{
	str_add(out, ".nf\n");
	for (const char *line = text; *line;) {
		size_t length = strcspn(line, "\n");

		add_line(out, line, length);
		line += length + (line[length] ? 1 : 0);
	}
	str_add(out, ".fi\n");
}

int command_man(int argc, char **argv)
{
	_cleanup_(str_done) struct str out = { 0 };

	(void)argv;
	if (argc != 1)
		return EXIT_USAGE;
	str_add(&out,
		".\\\" Printed by jarvisctl man.\n"
		".TH JARVISCTL 1 \"\" \"Jarvis " JARVIS_VERSION "\" \"Jarvis\"\n"
		".ad l\n.nh\n.SH NAME\njarvisctl \\- watch and work a Proxmox cluster from a terminal\n"
		".SH SYNOPSIS\n.B jarvisctl\n.I COMMAND\n\\&…\n"
		".SH COMMANDS\n");
	for (const struct command *c = command_table; c->name; c++) {
		str_printf(&out, ".SS %s\n", c->name);
		add_line(&out, c->doc, strlen(c->doc));
		add_usage(&out, c->usage);
	}
	str_add(&out, ".SH OPTIONS\n");
	add_plain(&out, CLIENT_USAGE);
	str_add(&out, ".SH EXIT STATUS\n");
	add_plain(&out, command_codes);
	str_add(&out,
		".SH SEE ALSO\nThe tools that it can use: docs/tools.md; how it is installed and kept: "
		"docs/operations.md.\n");
	fputs(str_get(&out), stdout);
	return EXIT_OK;
}
