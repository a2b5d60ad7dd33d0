/* SPDX-License-Identifier: MIT */
/*
 * jarvisctl keys: the safety gate's two key pairs as files, and their public halves where they are needed. A file that
 * somebody relies on already is written before the one that makes it wrong, so that a run that was cut short leaves
 * nothing that does not work.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>

#include <sodium.h>

#include "common/alloc.h"
#include "common/audit_checkpoint.h"
#include "common/grant.h"
#include "common/seal.h"
#include "jarvisctl/jarvisctl.h"
#include "jarvisctl/secret_file.h"

#define HEX_SIZE 65

/* A key pair in hexadecimal. */
struct pair {
	char seed[HEX_SIZE], public[HEX_SIZE];
};

struct keys {
	bool rotate;
	char *signing, *signed_by, *gate_pub; /* paths */
	char *box, *box_pub;
	struct str error;
};

/* ── pairs ───────────────────────────────────────────────────────────────────────────────────────────────────── */

static int signing_public(const char *seed, char ret[HEX_SIZE])
{
	unsigned char secret[GRANT_SECRET_BYTES];
	int r = grant_secret_from_hex(seed, secret);

	if (r == 0)
		grant_public_hex(secret, ret);
	sodium_memzero(secret, sizeof(secret));
	return r;
}

static int box_public(const char *seed, char ret[HEX_SIZE])
{
	struct seal_keys keys;
	int r = seal_keys_from_hex(seed, &keys);

	if (r == 0)
		seal_public_hex(&keys, ret);
	seal_keys_wipe(&keys);
	return r;
}

typedef int (*public_fn)(const char *seed, char ret[HEX_SIZE]);

static void make_pair(public_fn public_of, struct pair *ret)
{
	unsigned char seed[32];

	randombytes_buf(seed, sizeof(seed));
	hex_build(seed, sizeof(seed), ret->seed);
	sodium_memzero(seed, sizeof(seed));
	(void)public_of(ret->seed, ret->public);
}

/* The pair whose seed is the first line of PATH: 0, -ENOENT, or -errno with a sentence. */
static int read_pair(const char *path, public_fn public_of, struct pair *ret, struct str *error)
{
	_cleanup_(str_wipe) struct str text = { 0 };
	int r = secret_file_read(path, &text, error);
	size_t length;

	if (r < 0)
		return r;
	length = strcspn(text.data, "\r\n");
	if (length == HEX_SIZE - 1) {
		memcpy(ret->seed, text.data, length);
		ret->seed[length] = '\0';
		if (public_of(ret->seed, ret->public) == 0)
			return 0;
	}
	str_printf(
		error,
		"%s: is no key of 64 hexadecimal digits; put it back from a backup, or make a new one "
		"with --rotate",
		path);
	return -EINVAL;
}

/* ── files ───────────────────────────────────────────────────────────────────────────────────────────────────── */

static int write_lines(const char *path, const char *text, const char *word, struct str *error)
{
	int r = secret_file_write(path, text, error);

	if (r == 0)
		printf("%s: %s\n", path, word);
	return r;
}

/* Appends at most MAX of the keys in the file at PATH, one a line, but not KEY. */
static int add_old(const char *path, const char *key, size_t max, struct str *out,
		   struct str *error)
{
	_cleanup_(str_wipe) struct str text = { 0 };
	int r = secret_file_read(path, &text, error);
	const char *at = str_get(&text);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	for (size_t n = 0; n < max; at += strcspn(at, " \t\r\n")) {
		at += strspn(at, " \t\r\n");
		if (!*at)
			break;
		if (strcspn(at, " \t\r\n") != HEX_SIZE - 1 || str_starts(at, key))
			continue;
		str_add_n(out, at, HEX_SIZE - 1);
		str_add(out, "\n");
		n++;
	}
	return 0;
}

/* KEY in the first line of PATH, and at most OLD of those that were there. */
static int put_first(const char *path, const char *key, size_t old, struct str *error)
{
	_cleanup_(str_wipe) struct str text = { 0 };
	struct str ignored = { 0 };
	bool had = secret_file_read(path, &text, &ignored) == 0;
	int r;

	str_done(&ignored);
	str_wipe(&text);
	str_reserve(&text, SECRET_MAX_BYTES);
	str_printf(&text, "%s\n", key);
	r = add_old(path, key, old, &text, error);
	if (r < 0)
		return r;
	return write_lines(path, str_get(&text),
			   !had ? "made" :
			   old	? "a new key in front; the old one still counts" :
				  "replaced",
			   error);
}

/* A public half that follows from a key that is kept. */
static int check_public(const char *path, const char *key, const char *from, struct str *error)
{
	_cleanup_(str_done) struct str text = { 0 };
	int r = secret_file_read(path, &text, error);

	if (r == -ENOENT) {
		_cleanup_(freep) char *line = xasprintf("%s\n", key);

		return write_lines(path, line, "made", error);
	}
	if (r < 0)
		return r;
	if (strstr(text.data, key)) {
		printf("%s: was there and is kept\n", path);
		return 0;
	}
	str_printf(
		error,
		"%s: does not hold the public half of %s; if the latter is the right one, remove the "
		"former and run this again",
		path, from);
	return -EEXIST;
}

/* A public half without its key: somebody trusts a key that is lost. */
static int refuse_orphan(const char *public, const char *key, struct str *error)
{
	_cleanup_(str_done) struct str text = { 0 };
	int r = secret_file_read(public, &text, error);

	if (r == -ENOENT)
		return 0;
	if (r == 0) {
		str_printf(
			error,
			"%s: is not there, but its public half %s is; put it back from a backup, or make "
			"a new one with --rotate",
			key, public);
		r = -ENOENT;
	}
	return r;
}

/* ── the two keys ────────────────────────────────────────────────────────────────────────────────────────────── */

/* 1 when PAIR is a new one, 0 when it is the old one. */
static int get_pair(struct keys *k, const char *path, const char *public, public_fn public_of,
		    struct pair *ret)
{
	int r = read_pair(path, public_of, ret, &k->error);

	if (r == -ENOENT && !k->rotate) {
		r = refuse_orphan(public, path, &k->error);
		if (r < 0)
			return r;
	} else if (!k->rotate) {
		if (r == 0)
			printf("%s: was there and is kept\n", path);
		return r;
	}
	str_clear(&k->error);
	make_pair(public_of, ret);
	return 1;
}

static int make_signing(struct keys *k)
{
	struct pair pair;
	int r = get_pair(k, k->signing, k->gate_pub, signing_public, &pair);

	if (r > 0) {
		/* Before the key itself: whoever knows both is never wrong. */
		r = put_first(k->gate_pub, pair.public, GRANT_PUBLIC_MAX - 1, &k->error);
		if (r == 0)
			r = put_first(k->signed_by, pair.public, AUDIT_KEYS_MAX - 1, &k->error);
		if (r == 0)
			r = put_first(k->signing, pair.seed, 0, &k->error);
	} else if (r == 0) {
		r = check_public(k->gate_pub, pair.public, k->signing, &k->error);
		if (r == 0)
			r = check_public(k->signed_by, pair.public, k->signing, &k->error);
	}
	sodium_memzero(&pair, sizeof(pair));
	return r;
}

static int make_box(struct keys *k)
{
	struct pair pair;
	int r = get_pair(k, k->box, k->box_pub, box_public, &pair);

	if (r > 0) {
		/* The key first: it opens what is still sealed to the old one. */
		r = put_first(k->box, pair.seed, SEAL_KEYS_MAX - 1, &k->error);
		if (r == 0)
			r = put_first(k->box_pub, pair.public, 0, &k->error);
	} else if (r == 0) {
		r = check_public(k->box_pub, pair.public, k->box, &k->error);
	}
	sodium_memzero(&pair, sizeof(pair));
	return r;
}

/* ── the command ─────────────────────────────────────────────────────────────────────────────────────────────── */

static int make_folders(struct keys *k, const char *dir)
{
	static const char *const services[] = { "safety-gate", "executor", "gateway" };
	int r = secret_folder_make(dir, 0711, &k->error);

	for (size_t i = 0; r == 0 && i < countof(services); i++) {
		_cleanup_(freep) char *path = xasprintf("%s/%s", dir, services[i]);

		r = secret_folder_make(path, 0700, &k->error);
	}
	return r;
}

static int make_keys(struct keys *k, const char *dir)
{
	int r;

	k->signing = xasprintf("%s/safety-gate/signing-key", dir);
	k->signed_by = xasprintf("%s/safety-gate/signing-key.pub", dir);
	k->box = xasprintf("%s/safety-gate/box-key", dir);
	k->gate_pub = xasprintf("%s/executor/gate.pub", dir);
	k->box_pub = xasprintf("%s/gateway/gate-box.pub", dir);
	r = make_folders(k, dir);
	if (r == 0)
		r = make_signing(k);
	if (r == 0)
		r = make_box(k);
	return r;
}

static void done(struct keys *k)
{
	free(k->signing);
	free(k->signed_by);
	free(k->box);
	free(k->gate_pub);
	free(k->box_pub);
	str_done(&k->error);
}

int command_keys(int argc, char **argv)
{
	static const struct option options[] = {
		{ "secrets", required_argument, NULL, 's' },
		{ "rotate", no_argument, NULL, 'r' },
		{ 0 },
	};
	_cleanup_(done) struct keys keys = { .rotate = false };
	const char *dir = SECRETS_DIR;
	int option, r;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 's')
			dir = optarg;
		else if (option == 'r')
			keys.rotate = true;
		else
			return EXIT_USAGE;
	}
	if (optind != argc || sodium_init() < 0)
		return EXIT_USAGE;
	r = make_keys(&keys, dir);
	if (r < 0) {
		fprintf(stderr, "jarvisctl: %s\n", str_get(&keys.error));
		return EXIT_FAILED;
	}
	if (keys.rotate)
		puts("Now restart safety-gate, executor and gateway: each reads its keys at its start.");
	return EXIT_OK;
}
