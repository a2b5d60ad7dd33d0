/* SPDX-License-Identifier: MIT */
/*
 * jarvisctl totp: the present code of a secret, as an authenticator app shows it. For tests and scripts.
 */
#include <getopt.h>
#include <stdio.h>

#include <sodium.h>

#include "common/time.h"
#include "common/totp.h"
#include "jarvisctl/jarvisctl.h"
#include "jarvisctl/secret_file.h"

static int print_code(const char *file)
{
	_cleanup_(str_wipe) struct str line = { 0 };
	_cleanup_(str_done) struct str error = { 0 };
	_cleanup_(totp_secret_wipe) struct totp_secret secret = { .n = 0 };
	char code[TOTP_DIGITS + 1];

	if (secret_line_read(file, &line, &error) < 0) {
		fprintf(stderr, "jarvisctl: %s\n", str_get(&error));
		return EXIT_UNREADABLE;
	}
	if (totp_secret_from_base32(str_get(&line), &secret) < 0) {
		fprintf(stderr,
			"jarvisctl: %s: the first line is not a secret of 10 to 64 bytes in base32 (A-Z "
			"2-7)\n",
			str_eq(file, "-") ? "standard input" : file);
		return EXIT_FAILED;
	}
	if (totp_code(&secret, totp_step(clock_wall_ms(&clock_system)), code) < 0) {
		fputs("jarvisctl: this machine's libcrypto does not do HMAC-SHA-1\n", stderr);
		return EXIT_FAILED;
	}
	puts(code);
	return EXIT_OK;
}

int command_totp(int argc, char **argv)
{
	static const struct option options[] = { { "file", required_argument, NULL, 'f' }, { 0 } };
	const char *file = NULL;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option != 'f')
			return EXIT_USAGE;
		file = optarg;
	}
	if (!file || optind != argc || sodium_init() < 0)
		return EXIT_USAGE;
	return print_code(file);
}
