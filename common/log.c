/* SPDX-License-Identifier: MIT */
/*
 * The logger: one write(2) a line, so that lines of several threads never mix.
 */
#include "common/log.h"

#include "common/str.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#define LINE_MAX_BYTES 1024
#define FOLD_PERIOD_MS 60000

static const char *const level_names[] = { "error", "warn", "info", "debug" };

static struct {
	const char *name;
	_Atomic int level; /* of threads that are not ours too */
	log_sink_fn sink;
	void *sink_ctx;
	pthread_t sink_thread; /* the sink belongs to one thread; lines of others pass it by */
	bool in_sink;	       /* a sink that logs must not call itself */
} logger = { .name = "jarvis", .level = LOG_LEVEL_INFO };

void log_init(const char *name, enum log_level level)
{
	logger.name = name;
	logger.level = level;
}

void log_set_level(enum log_level level)
{
	logger.level = level;
}

void log_set_sink(log_sink_fn sink, void *ctx)
{
	logger.sink = sink;
	logger.sink_ctx = ctx;
	logger.sink_thread = pthread_self();
}

const char *log_level_name(enum log_level level)
{
	return level_names[level];
}

int log_level_parse(const char *name, enum log_level *ret)
{
	for (size_t i = 0; i < countof(level_names); i++) {
		if (str_eq(level_names[i], name)) {
			*ret = (enum log_level)i;
			return 0;
		}
	}
	return -EINVAL;
}

/* Also the second control set of Unicode, C2 80 to C2 9F: a terminal may obey it as well. */
static void make_printable(char *text)
{
	for (unsigned char *c = (unsigned char *)text; *c; c++) {
		if (*c < 0x20 || *c == 0x7f)
			*c = ' ';
		else if (*c == 0xc2 && c[1] >= 0x80 && c[1] <= 0x9f)
			c[0] = c[1] = ' ';
	}
}

static void emit(enum log_level level, char *text)
{
	char line[LINE_MAX_BYTES + 64];
	int length;

	make_printable(text);
	length = snprintf(line, sizeof(line) - 1, "%s %s %s\n", level_names[level], logger.name,
			  text);
	if (length < 0)
		return;
	if ((size_t)length >= sizeof(line) - 1) {
		length = (int)sizeof(line) - 1;
		line[length - 1] = '\n';
	}
	if (write(STDERR_FILENO, line, (size_t)length) < 0)
		return; /* nobody is left to be told */
	if (level > LOG_LEVEL_WARN || !logger.sink ||
	    !pthread_equal(logger.sink_thread, pthread_self()))
		return;
	if (!logger.in_sink) {
		logger.in_sink = true;
		logger.sink(logger.sink_ctx, level, text);
		logger.in_sink = false;
	}
}

void log_write(enum log_level level, const char *format, ...)
{
	char text[LINE_MAX_BYTES];
	va_list args;

	if ((int)level > logger.level)
		return;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	emit(level, text);
}

int log_errno(int r, const char *format, ...)
{
	char what[LINE_MAX_BYTES];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	log_write(LOG_LEVEL_ERROR, "%.900s: %s", what, strerror(-r));
	return r;
}

void log_folded(struct log_fold *fold, int64_t boot_ms, enum log_level level, const char *format,
		...)
{
	char text[LINE_MAX_BYTES];
	va_list args;

	if (boot_ms < fold->next_ms) {
		fold->skipped++;
		return;
	}
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (fold->skipped)
		log_write(level, "%.900s (%u more like it since)", text, fold->skipped);
	else
		log_write(level, "%s", text);
	fold->skipped = 0;
	fold->next_ms = boot_ms + FOLD_PERIOD_MS;
}
