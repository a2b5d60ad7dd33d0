/* SPDX-License-Identifier: MIT */
/*
 * benchload ws | mqtt | publish --option value …  See tests/bench/main.mjs for how it is used.
 */
#include "tests/bench/load/load.h"

#include <stdio.h>
#include <sysexits.h>

#include "common/str.h"

struct row {
	const char *name;
	size_t offset;
	bool number;
};

static const struct row rows[] = {
	{ "--host", offsetof(struct options, host), false },
	{ "--port", offsetof(struct options, port), true },
	{ "--socket", offsetof(struct options, socket), false },
	{ "--user", offsetof(struct options, user), false },
	{ "--password-file", offsetof(struct options, password_file), false },
	{ "--filter", offsetof(struct options, filter), false },
	{ "--topic", offsetof(struct options, topic), false },
	{ "--clients", offsetof(struct options, clients), true },
	{ "--stalled", offsetof(struct options, stalled), true },
	{ "--rate", offsetof(struct options, rate), true },
	{ "--keys", offsetof(struct options, keys), true },
	{ "--size", offsetof(struct options, size), true },
	{ "--seconds", offsetof(struct options, seconds), true },
};

static int parse(int argc, char **argv, struct options *o)
{
	for (int i = 2; i < argc; i++) {
		int64_t number;
		bool found = str_eq(argv[i], "--socketio");

		o->socketio |= found;
		for (size_t k = 0; k < countof(rows) && !found && i + 1 < argc; k++) {
			if (!str_eq(rows[k].name, argv[i]))
				continue;
			found = true;
			i++;
			if (!rows[k].number)
				*(const char **)((char *)o + rows[k].offset) = argv[i];
			else if (str_to_i64(argv[i], 0, 1000000000, &number) == 0)
				*(int *)((char *)o + rows[k].offset) = (int)number;
			else
				found = false;
		}
		if (!found) {
			fprintf(stderr, "benchload: cannot read %s\n", argv[i]);
			return -1;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct options o = {
		.host = "127.0.0.1", .clients = 1, .rate = 10, .keys = 1, .size = 200, .seconds = 5
	};

	/* The sessions' cookies, one a line; they are secrets, which arguments are not. */
	o.cookie = getenv("BENCH_COOKIE");
	if (argc < 2 || parse(argc, argv, &o) < 0)
		return EX_USAGE;
	if (str_eq(argv[1], "ws"))
		return run_ws(&o);
	if (str_eq(argv[1], "mqtt"))
		return run_mqtt(&o);
	if (str_eq(argv[1], "publish"))
		return run_publish(&o);
	return EX_USAGE;
}
