/* SPDX-License-Identifier: MIT */
/*
 * Lines, one by one, into lists that know when to stop.
 */
#include "services/executor/ssh_answers.h"

#include "common/alloc.h"
#include "services/executor/answer.h"
#include "services/executor/ssh_unit.h"

#include <string.h>

/* What journalctl writes for a message that is too long for it is shorter. */
#define LINE_MAX_BYTES 65536
#define US_PER_MS 1000
#define INODES_AT 3 /* columns */

/* The next line of what is left, up to the first NUL in it; NULL when there is none. The caller frees it. */
static char *next_line(const char **at, const char *end)
{
	const char *line;
	size_t n;

	return str_take_line(at, end, &line, &n) ?
		       xstrndup(line, min_of(n, (size_t)LINE_MAX_BYTES)) :
		       NULL;
}

bool ssh_answer_fields(const struct ssh_answer *answer, struct str *out)
{
	ssh_unit_add_json(answer->out, answer->out_len, out);
	return answer->out_len;
}

bool ssh_answer_lines(const struct ssh_answer *answer, struct str *out)
{
	const char *at = answer->out, *end = at + answer->out_len;
	struct answer a;

	answer_begin(&a, out, "lines");
	for (char *line; (line = next_line(&at, end)); free(line)) {
		_cleanup_(str_done) struct str text = { 0 };
		struct json_writer w = { .out = &text };

		json_add_str(&w, NULL, line);
		answer_add(&a, str_get(&text));
	}
	answer_end(&a);
	return true;
}

/* ── the journal ───────────────────────────────────────────────────────────────────────────────────────────── */

/* Bytes that are no UTF-8 come as a list of numbers. */
static void add_message(struct json_writer *w, const cJSON *message)
{
	_cleanup_(str_done) struct str text = { 0 };
	const cJSON *byte;

	if (cJSON_IsString(message)) {
		json_add_str(w, "message", message->valuestring);
		return;
	}
	if (!cJSON_IsArray(message)) {
		json_add_null(w, "message");
		return;
	}
	cJSON_ArrayForEach(byte, message) {
		bool is_byte =
			cJSON_IsNumber(byte) && byte->valuedouble >= 1 && byte->valuedouble <= 255;

		str_add_char(&text, is_byte ? (char)byte->valueint : ' ');
	}
	json_add_str(w, "message", str_get(&text));
}

static void add_number(struct json_writer *w, const char *key, const cJSON *text, int64_t unit)
{
	int64_t number;

	if (cJSON_IsString(text) && str_to_i64(text->valuestring, 0, INT64_MAX, &number) == 0)
		json_add_i64(w, key, number / unit);
	else
		json_add_null(w, key);
}

static void add_entry(struct answer *a, const cJSON *entry)
{
	_cleanup_(str_done) struct str text = { 0 };
	struct json_writer w = { .out = &text };
	const cJSON *who = json_get(entry, "SYSLOG_IDENTIFIER");

	json_object_begin(&w, NULL);
	add_number(&w, "ts", json_get(entry, "__REALTIME_TIMESTAMP"), US_PER_MS);
	add_number(&w, "priority", json_get(entry, "PRIORITY"), 1);
	json_add_str(&w, "identifier", cJSON_IsString(who) ? who->valuestring : NULL);
	add_number(&w, "pid", json_get(entry, "_PID"), 1);
	add_message(&w, json_get(entry, "MESSAGE"));
	json_object_end(&w);
	answer_add(a, str_get(&text));
}

bool ssh_answer_journal(const struct ssh_answer *answer, struct str *out)
{
	const char *at = answer->out, *end = at + answer->out_len;
	struct answer a;

	/* A hint and nothing else: whoever asked may not read it, and that is no empty journal. */
	if (!answer->out_len && answer->err_len)
		return false;
	answer_begin(&a, out, "lines");
	for (char *line; (line = next_line(&at, end)); free(line)) {
		_cleanup_(json_treep) cJSON *entry = NULL;
		struct json_error bad;

		if (json_parse(line, strlen(line), JSON_FOREIGN, &entry, &bad) == 0 &&
		    cJSON_IsObject(entry))
			add_entry(&a, entry);
	}
	answer_end(&a);
	return true;
}

/* ── disks ─────────────────────────────────────────────────────────────────────────────────────────────────── */

/* The next word; NULL when there is none. */
static char *next_word(char **at)
{
	char *word = *at + strspn(*at, " ");
	size_t n = strcspn(word, " ");

	if (!n)
		return NULL;
	*at = word + n + (word[n] == ' ');
	word[n] = '\0';
	return word;
}

/* size used avail inodes iused type mount point, the last with blanks in it or not. */
static bool add_disk(struct json_writer *w, char *line)
{
	static const char *const names[] = { "total", "used", "available", "inodes",
					     "inodes_used" };
	const char *type;
	int64_t number;

	for (size_t i = 0; i < countof(names); i++) {
		const char *word = next_word(&line);
		/* "0" or "-" says that there are none. */
		bool is_inode = i >= INODES_AT;
		bool has = word && str_to_i64(word, is_inode, INT64_MAX, &number) == 0;

		if (!word || (!has && !is_inode))
			return false;
		if (has)
			json_add_i64(w, names[i], number);
		else
			json_add_null(w, names[i]);
	}
	type = next_word(&line);
	line += strspn(line, " ");
	if (!type || !*line)
		return false;
	json_add_str(w, "type", type);
	json_add_str(w, "mount", line);
	return true;
}

bool ssh_answer_disks(const struct ssh_answer *answer, struct str *out)
{
	const char *at = answer->out, *end = at + answer->out_len;
	struct answer a;
	bool has_rows = false;

	answer_begin(&a, out, "items");
	for (char *line; (line = next_line(&at, end)); free(line)) {
		_cleanup_(str_done) struct str text = { 0 };
		struct json_writer w = { .out = &text };

		json_object_begin(&w, NULL);
		if (!add_disk(&w, line))
			continue;
		json_object_end(&w);
		answer_add(&a, str_get(&text));
		has_rows = true;
	}
	answer_end(&a);
	return has_rows;
}
