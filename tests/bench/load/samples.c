/* SPDX-License-Identifier: MIT */
/*
 * Latencies: all of them are kept and sorted at the end, which is exact and cheap enough.
 */
#include "tests/bench/load/load.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/alloc.h"

int64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void samples_init(struct samples *s)
{
	*s = (struct samples){ .us = xcalloc(RESULT_SAMPLES_MAX, sizeof(*s->us)) };
}

void samples_done(struct samples *s)
{
	free(s->us);
}

void samples_scan(struct samples *s, const char *text, size_t length)
{
	static const char mark[] = "\"t\":";
	const char *end = text + length;
	int64_t now = now_ns();

	s->messages++;
	s->bytes += length;
	/* Socket.IO has the quotes escaped when the document is text in a text. */
	while (text < end && (text = memmem(text, (size_t)(end - text), mark, sizeof(mark) - 1))) {
		int64_t sent = strtoll(text + sizeof(mark) - 1, NULL, 10);

		if (s->n < RESULT_SAMPLES_MAX && sent > s->since_ns)
			s->us[s->n++] = (uint32_t)((now - sent) / 1000);
		text += sizeof(mark) - 1;
	}
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static double at(const struct samples *s, double share)
{
	return s->n ? s->us[(size_t)((double)(s->n - 1) * share)] / 1000.0 : -1;
}

void samples_print(struct samples *s, const char *extra)
{
	qsort(s->us, s->n, sizeof(*s->us), compare);
	printf("{\"n\":%zu,\"messages\":%zu,\"bytes\":%zu,\"p50\":%.3f,\"p90\":%.3f,\"p99\":%.3f,\"max\":%.3f%s}\n",
	       s->n, s->messages, s->bytes, at(s, .5), at(s, .9), at(s, .99), at(s, 1), extra);
}
