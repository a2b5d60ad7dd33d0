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
	size_t counts[BACKUP_LINK + 1] = { 0 };
	int64_t size = 0;
	_cleanup_(str_done) struct str text = { 0 };

	for (size_t i = 0; i < backup->entries_n; i++) {
		counts[backup->entries[i].kind]++;
		size += backup->entries[i].size;
	}
	str_printf(&text, "%s: %s: %zu files, %zu databases, %zu links, ", folder, what,
		   counts[BACKUP_FILE], counts[BACKUP_DATABASE], counts[BACKUP_LINK]);
	amount_bytes(&text, (double)size, "B");
	str_add(&text, ", of ");
	show_time(&text, backup->created_ms);
	if (backup->skipped)
		str_printf(&text, "; %zu sockets and temporary files left out", backup->skipped);
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

/* Where systemd keeps what belongs to a service with DynamicUser, and where it is a link to then. */
static const char *const usual[] = { "/etc/jarvis", "/var/lib/jarvis", "/var/lib/private/jarvis" };

static bool is_usual(const char *root)
{
	for (size_t i = 0; i < countof(usual); i++) {
		if (str_eq(usual[i], root))
			return true;
	}
	return false;
}

static int add_usual(struct backup *backup, struct str *error)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < countof(usual); i++) {
		/* The last is not on every machine. */
		if (i + 1 < countof(usual) || access(usual[i], F_OK) == 0)
			r = add_root(backup, usual[i], error);
	}
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

static bool has_database(const struct backup *backup)
{
	for (size_t i = 0; i < backup->entries_n; i++) {
		if (backup->entries[i].kind == BACKUP_DATABASE)
			return true;
	}
	return false;
}

static int save(struct backup *backup, const char *target)
{
	_cleanup_(str_done) struct str error = { 0 };

	if (backup_make(backup, target, &error) < 0)
		return fail(&error);
	print_summary(backup, target, "saved");
	if (!has_database(backup))
		fprintf(stderr,
			"jarvisctl: there is no database in it: is Jarvis's data elsewhere? see --from\n");
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

#define ROOTS_MAX 16

struct restore_options {
	const char *below;
	bool is_replacing;
	const char *roots[ROOTS_MAX]; /* that may be replaced, beside the usual ones */
	size_t roots_n;
};

/* ── restore ───────────────────────────────────────────────────────────────────────────────────────────────── */

/* A backup says itself where it goes: that is heeded for Jarvis's own places, and for those that are named. */
static bool is_meant(const struct backup *backup, const struct restore_options *o)
{
	for (size_t i = 0; !*o->below && i < backup->roots_n; i++) {
		bool is_named = is_usual(backup->roots[i]);

		for (size_t k = 0; k < o->roots_n; k++)
			is_named = is_named || str_eq(o->roots[k], backup->roots[i]);
		if (is_named)
			continue;
		fprintf(stderr, "jarvisctl: it would replace %s: if that is meant, add --root %s\n",
			backup->roots[i], backup->roots[i]);
		return false;
	}
	return true;
}

static int restore(const char *folder, const struct restore_options *o)
{
	_cleanup_(backup_done) struct backup backup = { 0 };
	_cleanup_(str_done) struct str error = { 0 }, users = { 0 }, notes = { 0 };

	if (backup_check(folder, &backup, &error) < 0)
		return fail(&error);
	if (!is_meant(&backup, o))
		return EXIT_FAILED;
	backup_users(&backup, o->below, &users);
	if (users.len) {
		fprintf(stderr, "jarvisctl: in use by %s; stop the services first\n",
			str_get(&users));
		return EXIT_FAILED;
	}
	if (backup_restore(&backup, folder, o->below, o->is_replacing, &notes, &error) < 0)
		return fail(&error);
	fputs(str_get(&notes), stderr);
	print_summary(&backup, folder, "restored");
	return EXIT_OK;
}

int command_restore(int argc, char **argv)
{
	enum { OPTION_BELOW = 'b', OPTION_REPLACE = 'r', OPTION_ROOT = 'o' };
	static const struct option options[] = {
		{ "below", required_argument, NULL, OPTION_BELOW },
		{ "replace", no_argument, NULL, OPTION_REPLACE },
		{ "root", required_argument, NULL, OPTION_ROOT },
		{ 0 },
	};
	_cleanup_(freep) char *below = NULL;
	struct restore_options o = { .below = "" };
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == OPTION_REPLACE)
			o.is_replacing = true;
		else if (option == OPTION_ROOT && o.roots_n < countof(o.roots))
			o.roots[o.roots_n++] = optarg;
		else if (option == OPTION_BELOW && !below)
			below = realpath(optarg, NULL);
		else
			return EXIT_USAGE;
		if (option == OPTION_BELOW && !below) {
			fprintf(stderr, "jarvisctl: %s: %s\n", optarg, strerror(errno));
			return EXIT_FAILED;
		}
	}
	if (optind + 1 != argc || sodium_init() < 0)
		return EXIT_USAGE;
	if (below && !str_eq(below, "/"))
		o.below = below;
	return restore(argv[optind], &o);
}
