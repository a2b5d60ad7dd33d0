/* SPDX-License-Identifier: MIT */
/*
 * jarvisctl person: what persons approve with, enrolled on the safety gate's host by somebody who may write its
 * secrets, and by nobody else. Nothing is written before all of it is there and the first code was right.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "common/alloc.h"
#include "common/persons.h"
#include "common/seal.h"
#include "common/time.h"
#include "common/utf8.h"
#include "jarvisctl/jarvisctl.h"
#include "jarvisctl/prompt.h"
#include "jarvisctl/qr.h"
#include "jarvisctl/secret_file.h"

#define KEYWORD_MIN_CHARACTERS 8
#define TRIES 3

struct command_line {
	const char *secrets, *keyword_file, *name;
	bool no_totp, no_keyword, yes, replace;
};

static int fail(const char *text)
{
	fprintf(stderr, "jarvisctl: %s\n", text);
	return EXIT_FAILED;
}

/* ── the file ────────────────────────────────────────────────────────────────────────────────────────────────── */

static char *path_of(const char *secrets)
{
	return xasprintf("%s/" PERSONS_SERVICE "/" PERSONS_FILE, secrets);
}

/* Nobody when there is no file. */
static int load(const char *secrets, struct persons **ret, struct str *error)
{
	_cleanup_(freep) char *path = path_of(secrets);
	_cleanup_(str_wipe) struct str text = { 0 };
	const char *wrong;
	int r = secret_file_read(path, &text, error);

	if (r == -ENOENT) {
		*ret = xnew(struct persons);
		return 0;
	}
	if (r == 0) {
		r = persons_parse(text.data, text.len, ret, &wrong);
		if (r < 0)
			str_printf(
				error,
				"%s: %s; put a backup back, or remove it and enrol everybody again",
				path, wrong);
	}
	return r;
}

static int save(const char *secrets, const struct persons *persons, struct str *error)
{
	_cleanup_(freep) char *path = path_of(secrets);
	_cleanup_(str_wipe) struct str text = { 0 };

	persons_build(persons, &text);
	return secret_file_write(path, str_get(&text), error);
}

/* Opens the folder for a change: a lock to be closed, and what is there. */
static int begin_change(const char *secrets, struct persons **ret, struct str *error)
{
	_cleanup_(freep) char *folder = xasprintf("%s/" PERSONS_SERVICE, secrets);
	int lock, r = secret_folder_make(secrets, 0711, error);

	if (r == 0)
		r = secret_folder_make(folder, 0700, error);
	if (r < 0)
		return r;
	lock = secret_folder_lock(folder, error);
	if (lock < 0)
		return lock;
	r = load(secrets, ret, error);
	if (r < 0)
		(void)close(lock);
	return r < 0 ? r : lock;
}

static void print_reload(void)
{
	/* systemd hands secrets over when it starts a service, and at no reload. */
	puts("This counts once the safety gate has read it: systemctl restart jarvis@safety-gate, or without "
	     "systemd kill -HUP.");
}

/* ── the keyword ─────────────────────────────────────────────────────────────────────────────────────────────── */

/* What is wrong with it; NULL: nothing. */
static const char *check_keyword(const char *keyword)
{
	static const unsigned char anybody[SEAL_KEY_BYTES] = { 9 };
	const unsigned char *p = (const unsigned char *)keyword;
	char digest[SEAL_DIGEST_LENGTH + 1], sealed[SEAL_TEXT_SIZE];
	size_t characters = 0, left = strlen(keyword);

	for (; left > 0; characters++) {
		size_t n = utf8_length(p, left);

		if (n == 0 || *p < ' ' || *p == 0x7f)
			return "the keyword must be text, without control characters";
		p += n;
		left -= n;
	}
	if (characters < KEYWORD_MIN_CHARACTERS)
		return "the keyword is too short: 8 characters at least";
	if (strlen(keyword) > PASSWORD_MAX_BYTES)
		return "the keyword is too long: 128 bytes at most";
	/* It must fit in a proof, where quotes and backslashes count twice. */
	memset(digest, '0', SEAL_DIGEST_LENGTH);
	digest[SEAL_DIGEST_LENGTH] = '\0';
	if (seal_proof(anybody, digest, keyword, NULL, sealed) < 0)
		return "the keyword has too many quotes and backslashes";
	return NULL;
}

static const char *no_terminal(int r)
{
	return r == -ENXIO ? "there is no terminal to ask at; give --keyword-file FILE and --yes" :
	       r == -E2BIG ? "that is too long" :
			     "given up; nothing was changed";
}

/* 0 with a keyword that will do, or -errno with *WHY. */
static int ask_keyword(struct str *keyword, const char **why)
{
	_cleanup_(str_wipe) struct str again = { 0 };

	for (int i = 0; i < TRIES; i++) {
		int r = prompt_read("Keyword (8 characters or more): ", true, keyword);

		if (r < 0) {
			*why = no_terminal(r);
			return r;
		}
		*why = check_keyword(str_get(keyword));
		if (!*why) {
			r = prompt_read("The same again: ", true, &again);
			if (r < 0) {
				*why = no_terminal(r);
				return r;
			}
			if (str_eq(str_get(keyword), str_get(&again)))
				return 0;
			*why = "the two are not the same";
		}
		prompt_say(*why);
		prompt_say("\n");
	}
	return -EINVAL;
}

static int read_keyword(const struct command_line *c, struct str *keyword)
{
	_cleanup_(str_done) struct str error = { 0 };
	const char *why = NULL;
	int r;

	if (!c->keyword_file)
		return ask_keyword(keyword, &why) < 0 ? fail(why) : EXIT_OK;
	r = secret_line_read(c->keyword_file, keyword, &error);
	why = r < 0 ? str_get(&error) : check_keyword(str_get(keyword));
	return why ? fail(why) : EXIT_OK;
}

static int add_keyword(const struct command_line *c, struct person_proofs *person)
{
	_cleanup_(str_wipe) struct str keyword = { 0 };
	int code = read_keyword(c, &keyword);

	if (code == EXIT_OK && password_hash_now(str_get(&keyword), person->keyword) < 0)
		return fail("there are not 64 MiB of memory to hash the keyword with");
	return code;
}

/* ── the one-time codes ──────────────────────────────────────────────────────────────────────────────────────── */

static void show_secret(const struct person_proofs *person)
{
	_cleanup_(str_wipe) struct str uri = { 0 };
	_cleanup_(str_wipe) struct str qr = { 0 };
	char base32[TOTP_BASE32_SIZE];

	totp_secret_base32(&person->totp, base32);
	str_reserve(&uri, 512);
	str_printf(&uri, "otpauth://totp/Jarvis:%s?secret=%s&issuer=Jarvis", person->name, base32);
	if (isatty(STDOUT_FILENO) && qr_draw(str_get(&uri), &qr) == 0)
		printf("\n%s\n", str_get(&qr));
	printf("One-time codes for %s: scan this with an authenticator app, or type the secret there.\n",
	       person->name);
	printf("  URI     %s\n  secret  %s\n", str_get(&uri), base32);
	(void)fflush(stdout);
	sodium_memzero(base32, sizeof(base32));
}

/* The app has it right: 0, or an exit code. */
static int confirm_code(const struct person_proofs *person)
{
	_cleanup_(str_wipe) struct str typed = { 0 };
	int64_t step;

	for (int i = 0; i < TRIES; i++) {
		int r = prompt_read("The code that it shows now: ", false, &typed);

		if (r < 0)
			return fail(no_terminal(r));
		if (totp_verify(&person->totp, str_get(&typed), clock_wall_ms(&clock_system), -1,
				&step) == TOTP_RIGHT)
			return EXIT_OK;
		prompt_say("That is not it. Do the clocks of both agree?\n");
	}
	return fail("no code was right; nothing was changed. Remove the entry from the app again");
}

static int add_totp(const struct command_line *c, struct person_proofs *person)
{
	totp_secret_make(&person->totp);
	show_secret(person);
	return c->yes ? EXIT_OK : confirm_code(person);
}

/* ── enrol, remove, list ─────────────────────────────────────────────────────────────────────────────────────── */

static int store(const struct command_line *c, const struct person_proofs *person)
{
	_cleanup_(persons_freep) struct persons *persons = NULL;
	_cleanup_(str_done) struct str error = { 0 };
	int lock = begin_change(c->secrets, &persons, &error);
	int r = lock;

	if (lock >= 0 && !c->replace && persons_find(persons, person->name)) {
		str_add(&error, "somebody else has enrolled this person meanwhile");
		r = -EEXIST;
	} else if (lock >= 0 && !persons_set(persons, person)) {
		str_add(&error,
			"32 persons are enrolled, and there is room for no more: jarvisctl person remove NAME");
		r = -ENOSPC;
	} else if (lock >= 0) {
		r = save(c->secrets, persons, &error);
	}
	if (lock >= 0)
		(void)close(lock);
	return r < 0 ? fail(str_get(&error)) : EXIT_OK;
}

/* Is there room for the name, before anybody types anything? */
static int check_name(const struct command_line *c)
{
	_cleanup_(persons_freep) struct persons *persons = NULL;
	_cleanup_(str_done) struct str error = { 0 };

	if (load(c->secrets, &persons, &error) < 0)
		return fail(str_get(&error));
	if (persons_find(persons, c->name) && !c->replace) {
		str_printf(
			&error,
			"%s is enrolled already; with --replace the old keyword and codes cease to count",
			c->name);
		return fail(str_get(&error));
	}
	return EXIT_OK;
}

static int enrol(const struct command_line *c)
{
	struct person_proofs person = { .enrolled_ms = clock_wall_ms(&clock_system) };
	int code = check_name(c);

	(void)snprintf(person.name, sizeof(person.name), "%s", c->name);
	if (code == EXIT_OK && !c->no_keyword)
		code = add_keyword(c, &person);
	if (code == EXIT_OK && !c->no_totp)
		code = add_totp(c, &person);
	if (code == EXIT_OK)
		code = store(c, &person);
	if (code == EXIT_OK) {
		printf("%s is enrolled.\n", c->name);
		print_reload();
	}
	sodium_memzero(&person, sizeof(person));
	return code;
}

static int remove_person(const struct command_line *c)
{
	_cleanup_(persons_freep) struct persons *persons = NULL;
	_cleanup_(str_done) struct str error = { 0 };
	int lock = begin_change(c->secrets, &persons, &error);
	int r = lock;

	if (lock >= 0 && !persons_remove(persons, c->name)) {
		str_printf(&error, "%s is not enrolled; jarvisctl person list shows who is",
			   c->name);
		r = -ENOENT;
	} else if (lock >= 0) {
		r = save(c->secrets, persons, &error);
	}
	if (lock >= 0)
		(void)close(lock);
	if (r < 0)
		return fail(str_get(&error));
	printf("%s is removed.\n", c->name);
	print_reload();
	return EXIT_OK;
}

static int list(const struct command_line *c)
{
	_cleanup_(persons_freep) struct persons *persons = NULL;
	_cleanup_(str_done) struct str error = { 0 };

	if (load(c->secrets, &persons, &error) < 0)
		return fail(str_get(&error));
	for (size_t i = 0; i < persons->n; i++) {
		const struct person_proofs *p = &persons->item[i];
		time_t enrolled = (time_t)(p->enrolled_ms / 1000);
		char date[32] = "";
		struct tm tm;

		if (localtime_r(&enrolled, &tm))
			(void)strftime(date, sizeof(date), "%Y-%m-%d", &tm);
		printf("%-24s %-10s %-14s enrolled %s\n", p->name, p->keyword[0] ? "keyword" : "-",
		       p->totp.n ? "one-time codes" : "-", date);
	}
	if (persons->n == 0)
		puts("nobody is enrolled: jarvisctl person enrol NAME");
	return EXIT_OK;
}

/* ── the command ─────────────────────────────────────────────────────────────────────────────────────────────── */

static const struct verb {
	const char *name;
	const char *options; /* the letters of those that it takes */
	bool takes_name;
	int (*run)(const struct command_line *c);
} verbs[] = {
	{ "enrol", "skntyr", true, enrol },
	{ "list", "s", false, list },
	{ "remove", "s", true, remove_person },
};

static bool take_option(struct command_line *c, int option)
{
	switch (option) {
	case 's':
		c->secrets = optarg;
		return true;
	case 'k':
		c->keyword_file = optarg;
		return true;
	case 'n':
		c->no_keyword = true;
		return true;
	case 't':
		c->no_totp = true;
		return true;
	case 'y':
		c->yes = true;
		return true;
	case 'r':
		c->replace = true;
		return true;
	default:
		return false;
	}
}

static bool read_arguments(const struct verb *verb, int argc, char **argv, struct command_line *c)
{
	static const struct option options[] = {
		{ "secrets", required_argument, NULL, 's' },
		{ "keyword-file", required_argument, NULL, 'k' },
		{ "no-keyword", no_argument, NULL, 'n' },
		{ "no-totp", no_argument, NULL, 't' },
		{ "yes", no_argument, NULL, 'y' },
		{ "replace", no_argument, NULL, 'r' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (!strchr(verb->options, option) || !take_option(c, option))
			return false;
	}
	if (optind != argc - (verb->takes_name ? 1 : 0) || (c->no_keyword && c->no_totp) ||
	    (c->no_keyword && c->keyword_file))
		return false;
	c->name = verb->takes_name ? argv[optind] : NULL;
	if (!c->name || person_is_name(c->name))
		return true;
	fprintf(stderr, "jarvisctl: %s: bad name; must be 1 to 64 of A-Z a-z 0-9 _ . -\n", c->name);
	return false;
}

int command_person(int argc, char **argv)
{
	struct command_line c = { .secrets = SECRETS_DIR };

	if (argc < 2 || sodium_init() < 0)
		return EXIT_USAGE;
	for (size_t i = 0; i < countof(verbs); i++) {
		if (!str_eq(argv[1], verbs[i].name))
			continue;
		return read_arguments(&verbs[i], argc - 1, argv + 1, &c) ? verbs[i].run(&c) :
									   EXIT_USAGE;
	}
	return EXIT_USAGE;
}
