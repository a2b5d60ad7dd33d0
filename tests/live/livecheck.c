/* SPDX-License-Identifier: MIT */
/*
 * What `make check-live` asks of the code itself, so that it need not say it a second time:
 *   livecheck paths           every path that proxmox-poller asks for, one a line
 *   livecheck decode BASE     reads lines "TOPIC<tab>PAYLOAD", and prints "TOPIC<tab>why" for each that is not right
 *   livecheck rights [ACCEPTED …]   reads what /access/permissions answered, and prints, a line each, which privileges
 *                             the executor finds missing, and for which it would do nothing
 */
#include "common/codec.h"
#include "common/topics.h"
#include "services/executor/rights.h"
#include "services/proxmox-poller/source.h"

#include <errno.h>
#include <stdio.h>

static int print_paths(void)
{
	for (size_t i = 0; i < SOURCE_KIND_COUNT; i++) {
		const struct source_def *def = &source_table[i];

		puts(def->path);
		for (size_t k = 0; k < countof(def->more) && def->more[k]; k++)
			puts(def->more[k]);
	}
	return 0;
}

/* NULL when it is right, else why not. */
static const char *judge(const char *base, const char *topic, const char *payload,
			 struct arena *arena, struct codec_error *error)
{
	struct topic_args args;
	enum topic_id id;
	void *body;

	if (topic_parse(base, topic, &id, &args) < 0)
		return "is no topic of the vocabulary";
	if (!payload[0])
		return NULL; /* cleared */
	if (topic_table[id].message == &message_bare)
		return strpbrk(payload, "{[\"") ? "is no bare word" : NULL;
	if (codec_decode(topic_table[id].message, payload, strlen(payload), JSON_STATE,
			 CODEC_STRICT, arena, &body, error) < 0)
		return error->text;
	return NULL;
}

static int decode_lines(const char *base)
{
	_cleanup_(freep) char *line = NULL;
	size_t size = 0;
	ssize_t length;

	while ((length = getline(&line, &size, stdin)) > 0) {
		_cleanup_(arena_freep) struct arena *arena = arena_new();
		struct codec_error error = { "" };
		char *tab = strchr(line, '\t');
		const char *why;

		if (line[length - 1] == '\n')
			line[length - 1] = '\0';
		if (!tab)
			return 2;
		*tab = '\0';
		why = judge(base, line, tab + 1, arena, &error);
		if (why)
			printf("%s\t%s\n", line, why);
	}
	return 0;
}

static int print_rights(const char *const *accepted, size_t n)
{
	_cleanup_(freep) char *line = NULL;
	_cleanup_(json_treep) cJSON *answer = NULL;
	struct json_error error;
	struct rights rights;
	size_t size = 0;
	ssize_t length = getline(&line, &size, stdin);

	if (length < 0 || json_parse(line, (size_t)length, JSON_FOREIGN, &answer, &error) < 0 ||
	    rights_read(answer, accepted, n, &rights) < 0)
		return 2;
	printf("%s\n%s\n", rights.missing, rights.excess);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && str_eq(argv[1], "paths"))
		return print_paths();
	if (argc == 3 && str_eq(argv[1], "decode"))
		return decode_lines(argv[2]);
	if (argc >= 2 && str_eq(argv[1], "rights"))
		return print_rights((const char *const *)argv + 2, (size_t)argc - 2);
	fputs("usage: livecheck paths | livecheck decode BASE | livecheck rights [ACCEPTED …]\n",
	      stderr);
	return 2;
}
