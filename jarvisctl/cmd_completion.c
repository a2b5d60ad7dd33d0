/* SPDX-License-Identifier: MIT */
/*
 * jarvisctl completion. The shells' own part is a few lines that ask us for words; the words come from the table of
 * commands (options and sub-commands as their usage names them) and from the table of tools.
 */
#include <ctype.h>
#include <stdio.h>

#include "common/tools.h"
#include "jarvisctl/client.h"
#include "jarvisctl/commands.h"
#include "jarvisctl/jarvisctl.h"

/* ── words ─────────────────────────────────────────────────────────────────────────────────────────────────── */

static size_t word_length(const char *text)
{
	size_t n = 0;

	while (islower((unsigned char)text[n]) || isdigit((unsigned char)text[n]) || text[n] == '-')
		n++;
	return n;
}

/* One a line; what is there already is not added again. */
static void add(struct str *out, const char *word, size_t length)
{
	_cleanup_(freep) char *line = xasprintf("%.*s\n", (int)length, word);
	const char *found = out->len ? strstr(str_get(out), line) : NULL;

	if (length && !(found && (found == str_get(out) || found[-1] == '\n')))
		str_add(out, line);
}

static void add_options(struct str *out, const char *usage)
{
	for (const char *p = usage; (p = strstr(p, "--")); p += 2) {
		size_t length = word_length(p);

		if (length > 2 && (p == usage || strchr(" [\n|", p[-1])))
			add(out, p, length);
	}
}

/* "jarvisctl person enrol …": enrol. "completion bash|fish|zsh": each of them. */
static void add_subcommands(struct str *out, const struct command *command)
{
	_cleanup_(freep) char *begin = xasprintf("  jarvisctl %s ", command->name);

	for (const char *p = command->usage; (p = strstr(p, begin));) {
		p += strlen(begin);
		for (size_t length; (length = word_length(p)) && *p != '-'; p++) {
			add(out, p, length);
			p += length;
			if (*p != '|')
				break;
		}
	}
}

static void add_commands(struct str *out)
{
	for (const struct command *c = command_table; c->name; c++)
		add(out, c->name, strlen(c->name));
}

static void add_tools(struct str *out)
{
	for (size_t i = 0; i < TOOL_COUNT; i++)
		add(out, tool_table[i].name, strlen(tool_table[i].name));
}

static const struct tool *named_tool(int n, char **words)
{
	for (int i = 1; i < n; i++) {
		for (size_t t = 0; t < TOOL_COUNT; t++) {
			if (str_eq(words[i], tool_table[t].name))
				return &tool_table[t];
		}
	}
	return NULL;
}

static void add_arguments(struct str *out, const struct tool *tool)
{
	for (size_t i = 0; i < tool->args_n; i++) {
		_cleanup_(freep) char *word = xasprintf("%s=", tool->args[i].name);

		add(out, word, strlen(word));
	}
}

/* What may stand behind the N WORDS. */
static void add_words(struct str *out, int n, char **words)
{
	const struct command *command = n ? command_find(words[0]) : NULL;
	const struct tool *tool = named_tool(n, words);
	bool takes_tool = n && (str_eq(words[0], "run") || str_eq(words[0], "tools"));

	if (n == 0)
		add_commands(out);
	if (!command)
		return;
	if (n == 1)
		add_subcommands(out, command);
	if (takes_tool && !tool)
		add_tools(out);
	if (str_eq(words[0], "run") && tool)
		add_arguments(out, tool);
	add_options(out, command->usage);
	if (command->is_client)
		add_options(out, CLIENT_USAGE);
	add(out, "--help", strlen("--help"));
}

/* ── shells ────────────────────────────────────────────────────────────────────────────────────────────────── */

static const struct shell {
	const char *name, *script;
} shells[] = {
	/* A word that ends in "=" goes on: no blank behind it. */
	{ "bash",
	  "_jarvisctl() {\n"
	  "	local cur=\"${COMP_WORDS[COMP_CWORD]}\" IFS=$'\\n'\n"
	  "	local words=\"$(jarvisctl completion words \"${COMP_WORDS[@]:1:COMP_CWORD-1}\")\"\n"
	  "	COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
	  "	if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]]; then compopt -o nospace 2>/dev/null; fi\n"
	  "}\n"
	  "complete -o default -F _jarvisctl jarvisctl\n" },
	{ "fish",
	  "complete -c jarvisctl -f -a '(set -l w (commandline -opc); jarvisctl completion words $w[2..-1])'\n" },
	{ "zsh",
	  "#compdef jarvisctl\n"
	  "_jarvisctl() { compadd -S '' -- ${(f)\"$(jarvisctl completion words ${words[2,CURRENT-1]})\"} }\n"
	  "compdef _jarvisctl jarvisctl\n" },
};

int command_completion(int argc, char **argv)
{
	_cleanup_(str_done) struct str out = { 0 };

	if (argc >= 2 && str_eq(argv[1], "words")) {
		add_words(&out, argc - 2, argv + 2);
		fputs(str_get(&out), stdout);
		return EXIT_OK;
	}
	for (size_t i = 0; argc == 2 && i < countof(shells); i++) {
		if (!str_eq(shells[i].name, argv[1]))
			continue;
		fputs(shells[i].script, stdout);
		return EXIT_OK;
	}
	return EXIT_USAGE;
}
