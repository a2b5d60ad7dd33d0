/* SPDX-License-Identifier: MIT */
/*
 * jarvisctl backup, restore: configuration, keys and databases of the host that they are called on.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

#include <sodium.h>

#include "common/alloc.h"
#include "jarvisctl/amount.h"
#include "jarvisctl/backup.h"
#include "jarvisctl/jarvisctl.h"
#include "jarvisctl/show.h"

static int fail(struct str *error)
{
	if (error->len && error->data[error->len - 1] == '\n')
		error->data[--error->len] = '\0';
	fprintf(stderr, "jarvisctl: %s\n", str_get(error));
	return EXIT_FAILED;
}

static void print_summary(const struct backup *backup, const char *folder, const char *what)
{
	size_t counts[3] = { 0 };
	int64_t size = 0;
	_cleanup_(str_done) struct str text = { 0 };

	for (size_t i = 0; i < backup->entries_n; i++) {
		counts[backup->entries[i].kind]++;
		size += backup->entries[i].size;
	}
	str_printf(&text, "%s: %s: %zu files, %zu databases, ", folder, what, counts[BACKUP_FILE],
		   counts[BACKUP_DATABASE]);
	amount_bytes(&text, (double)size, "B");
	str_add(&text, ", of ");
	show_time(&text, backup->created_ms);
	if (backup->skipped)
		str_printf(&text, "; %zu links, sockets and temporary files left out",
			   backup->skipped);
	puts(str_get(&text));
}

/* ── backup ────────────────────────────────────────────────────────────────────────────────────────────────── */

/* Absolute and without links, so that it is known where it goes back to. */
static int add_root(struct backup *backup, const char *path, struct str *error)
{
	_cleanup_(freep) char *real = realpath(path, NULL);

	if (!real) {
		str_printf(error, "%s: cannot be saved: %s", path, strerror(errno));
		return -errno;
	}
	backup->roots = xreallocarray(backup->roots, backup->roots_n + 1, sizeof(*backup->roots));
	backup->roots[backup->roots_n++] = take(real);
	return 0;
}

static int add_usual(struct backup *backup, struct str *error)
{
	static const char *const usual[] = { "/etc/jarvis", "/var/lib/jarvis" };
	int r = 0;

	for (size_t i = 0; r == 0 && i < countof(usual); i++)
		r = add_root(backup, usual[i], error);
	return r;
}

static int check(const char *folder)
{
	_cleanup_(backup_done) struct backup backup = { 0 };
	_cleanup_(str_done) struct str error = { 0 };

	if (backup_check(folder, &backup, &error) < 0)
		return fail(&error);
	print_summary(&backup, folder, "whole");
	return EXIT_OK;
}

static int save(struct backup *backup, const char *target)
{
	_cleanup_(str_done) struct str error = { 0 };

	if (backup_make(backup, target, &error) < 0)
		return fail(&error);
	print_summary(backup, target, "saved");
	/* What was never read again is no backup. */
	return check(target);
}

int command_backup(int argc, char **argv)
{
	enum { OPTION_FROM = 'f', OPTION_CHECK = 'c' };
	static const struct option options[] = {
		{ "from", required_argument, NULL, OPTION_FROM },
		{ "check", no_argument, NULL, OPTION_CHECK },
		{ 0 },
	};
	_cleanup_(backup_done) struct backup backup = { 0 };
	_cleanup_(str_done) struct str error = { 0 };
	bool is_check = false;
	int option, r = 0;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == OPTION_FROM)
			r = r < 0 ? r : add_root(&backup, optarg, &error);
		else if (option == OPTION_CHECK)
			is_check = true;
		else
			return EXIT_USAGE;
	}
	if (optind + 1 != argc || (is_check && backup.roots_n) || sodium_init() < 0)
		return EXIT_USAGE;
	if (is_check)
		return check(argv[optind]);
	if (r == 0 && !backup.roots_n)
		r = add_usual(&backup, &error);
	return r < 0 ? fail(&error) : save(&backup, argv[optind]);
}

/* ── restore ───────────────────────────────────────────────────────────────────────────────────────────────── */

static int restore(const char *folder, const char *below, bool is_replacing)
{
	_cleanup_(backup_done) struct backup backup = { 0 };
	_cleanup_(str_done) struct str error = { 0 }, users = { 0 };

	if (backup_check(folder, &backup, &error) < 0)
		return fail(&error);
	backup_users(&backup, below, &users);
	if (users.len) {
		fprintf(stderr, "jarvisctl: in use by %s; stop the services first\n",
			str_get(&users));
		return EXIT_FAILED;
	}
	if (backup_restore(&backup, folder, below, is_replacing, &error) < 0)
		return fail(&error);
	print_summary(&backup, folder, "restored");
	return EXIT_OK;
}

int command_restore(int argc, char **argv)
{
	enum { OPTION_BELOW = 'b', OPTION_REPLACE = 'r' };
	static const struct option options[] = {
		{ "below", required_argument, NULL, OPTION_BELOW },
		{ "replace", no_argument, NULL, OPTION_REPLACE },
		{ 0 },
	};
	_cleanup_(freep) char *below = NULL;
	bool is_replacing = false;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == OPTION_REPLACE) {
			is_replacing = true;
			continue;
		}
		if (option != OPTION_BELOW)
			return EXIT_USAGE;
		free(below);
		below = realpath(optarg, NULL);
		if (!below) {
			fprintf(stderr, "jarvisctl: %s: %s\n", optarg, strerror(errno));
			return EXIT_FAILED;
		}
	}
	if (optind + 1 != argc || sodium_init() < 0)
		return EXIT_USAGE;
	return restore(argv[optind], below && !str_eq(below, "/") ? below : "", is_replacing);
}
