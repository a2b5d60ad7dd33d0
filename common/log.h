/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * One line to stderr: `level service text`. Levels by doctrine:
 *   error  somebody should act, and something is lost or not done until then
 *   warn   somebody should know; it mends itself
 *   info   a state changed: once a change, never once a message
 *   debug  everything else
 * Control characters in the text are replaced, so that no peer writes lines of its own. Secrets never come here.
 */
#include "common/base.h"

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

/* Told of every line at warn or error, for the service's log topic. */
typedef void (*log_sink_fn)(void *ctx, enum log_level level, const char *text);

/* NAME is kept, not copied. The logger is the one static of the house. */
void log_init(const char *name, enum log_level level);
void log_set_level(enum log_level level);
/* The sink is called on the thread that set it, and only for lines that this thread writes. */
void log_set_sink(log_sink_fn sink, void *ctx);
/* "error", "warn", "info", "debug". */
const char *log_level_name(enum log_level level);
/* 0, or -EINVAL for a name that is none of the four. */
int log_level_parse(const char *name, enum log_level *ret);

void log_write(enum log_level level, const char *format, ...) _printf_(2, 3);
/* Writes `text: strerror(-r)` at error level and returns R, which is negative. */
int log_errno(int r, const char *format, ...) _printf_(2, 3);

#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...) log_write(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...) log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)

/*
 * Folds repeats: a message that comes often is written the first time and then once a minute, with how many were
 * not. Keep one fold per place that may repeat; zeroed is ready.
 */
struct log_fold {
	int64_t next_ms;
	unsigned skipped;
};
void log_folded(struct log_fold *fold, int64_t boot_ms, enum log_level level, const char *format,
		...) _printf_(4, 5);
