/* SPDX-License-Identifier: MIT */
/*
 * jarvisctl audit verify: follows the audit chain in a file, which may be in use or a copy, and writes nothing.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>

#include <sodium.h>

#include "common/alloc.h"
#include "common/audit_chain.h"
#include "jarvisctl/jarvisctl.h"
#include "jarvisctl/secret_file.h"

#define AUDIT_DB "/var/lib/jarvis/safety-gate/safety-gate.db"
#define PUBLIC_FILE SECRETS_DIR "/safety-gate/signing-key.pub"
#define TEXT_MAX_BYTES ((size_t)64 << 20)

struct verify {
	const char *db, *public;
	const char **files; /* with checkpoints */
	size_t files_n;
	struct audit_keys keys;
	struct audit_checkpoint *outside;
	size_t outside_n;
	struct str error;
};

static void done(struct verify *v)
{
	free((void *)v->files);
	free(v->outside);
	str_done(&v->error);
}

/* ── what is compared with ───────────────────────────────────────────────────────────────────────────────────── */

static int read_keys(struct verify *v)
{
	_cleanup_(str_done) struct str text = { 0 };
	int r = secret_file_read(v->public, &text, &v->error);

	if (r == -ENOENT)
		str_printf(&v->error, "%s: is not there", v->public);
	else if (r == 0 && audit_keys_from_hex(str_get(&text), &v->keys) < 0)
		str_printf(&v->error,
			   "%s: is not a list of public keys, each 64 hexadecimal digits",
			   v->public);
	if (v->error.len == 0)
		return EXIT_OK;
	str_add(&v->error,
		"; name the file with the safety gate's public keys with --public: jarvisctl keys makes it as "
		"secrets/safety-gate/signing-key.pub");
	return EXIT_UNREADABLE;
}

static int read_text(const char *path, struct str *ret)
{
	FILE *file = str_eq(path, "-") ? stdin : fopen(path, "re");
	char part[4096];
	size_t n;
	int r = 0;

	if (!file)
		return -errno;
	while (r == 0 && (n = fread(part, 1, sizeof(part), file)) > 0) {
		str_add_n(ret, part, n);
		r = ret->len > TEXT_MAX_BYTES ? -EFBIG : 0;
	}
	if (r == 0 && ferror(file))
		r = -EIO;
	if (file != stdin)
		(void)fclose(file);
	return r;
}

static int read_checkpoints(struct verify *v, const char *path)
{
	_cleanup_(str_done) struct str text = { 0 };
	const char *at, *name = str_eq(path, "-") ? "standard input" : path;
	struct audit_checkpoint checkpoint;
	size_t before = v->outside_n;
	int r = read_text(path, &text);

	if (r < 0) {
		str_printf(&v->error, "%s: cannot be read: %s", name, strerror(-r));
		return EXIT_UNREADABLE;
	}
	at = str_get(&text);
	while ((r = audit_checkpoint_parse(&at, &checkpoint)) > 0) {
		v->outside = xreallocarray(v->outside, v->outside_n + 1, sizeof(*v->outside));
		v->outside[v->outside_n++] = checkpoint;
	}
	if (r == 0 && v->outside_n > before)
		return EXIT_OK;
	str_printf(
		&v->error,
		"%s: checkpoint %zu in it is not one; what counts are signed notes and the JSON of the topic "
		"audit/checkpoint, one after the other",
		name, v->outside_n - before + 1);
	return EXIT_FAILED;
}

/* ── the chain ───────────────────────────────────────────────────────────────────────────────────────────────── */

static void print_sound(const struct verify *v, const struct audit_report *report)
{
	char head[2 * AUDIT_HASH_BYTES + 1];

	hex_build(report->chain.head, AUDIT_HASH_BYTES, head);
	printf("%s: sound: %lld records, %lld checkpoints agree, last hash %s\n", v->db,
	       (long long)report->chain.size, (long long)report->checkpoints, head);
	if (!v->outside_n)
		puts("Whether its end was cut shows only a checkpoint that was kept elsewhere: --checkpoint FILE");
}

static int verify_chain(struct verify *v)
{
	_cleanup_(db_freep) struct db *db = NULL;
	struct audit_check check = { .keys = &v->keys,
				     .outside = v->outside,
				     .outside_n = v->outside_n };
	struct audit_report report;
	int r = db_open_to_read(v->db, &db, &v->error);

	if (r < 0)
		return r == -EUCLEAN ? EXIT_FAILED : EXIT_UNREADABLE;
	r = audit_verify(db, &check, &report);
	if (r == 0)
		print_sound(v, &report);
	else if (r == -EILSEQ)
		str_printf(&v->error, "%s: %s", v->db, str_get(&report.text));
	else
		str_add(&v->error, str_get(&report.text));
	str_done(&report.text);
	return r == 0 ? EXIT_OK : EXIT_FAILED;
}

static int verify(struct verify *v)
{
	int code = read_keys(v);

	for (size_t i = 0; code == EXIT_OK && i < v->files_n; i++)
		code = read_checkpoints(v, v->files[i]);
	if (code == EXIT_OK)
		code = verify_chain(v);
	if (v->error.len)
		fprintf(stderr, "jarvisctl: %s\n", v->error.data);
	return code;
}

int command_audit(int argc, char **argv)
{
	static const struct option options[] = {
		{ "db", required_argument, NULL, 'd' },
		{ "checkpoint", required_argument, NULL, 'c' },
		{ "public", required_argument, NULL, 'p' },
		{ 0 },
	};
	_cleanup_(done) struct verify v = { .db = AUDIT_DB, .public = PUBLIC_FILE };
	int option;

	if (sodium_init() < 0)
		return EXIT_FAILED;
	if (argc < 2 || str_starts(argv[1], "--"))
		return command_audit_list(argc, argv);
	if (!str_eq(argv[1], "verify"))
		return EXIT_USAGE;
	v.files = xcalloc((size_t)argc, sizeof(*v.files));
	while ((option = getopt_long(argc - 1, argv + 1, "", options, NULL)) != -1) {
		if (option == 'd')
			v.db = optarg;
		else if (option == 'c')
			v.files[v.files_n++] = optarg;
		else if (option == 'p')
			v.public = optarg;
		else
			return EXIT_USAGE;
	}
	return optind == argc - 1 ? verify(&v) : EXIT_USAGE;
}
