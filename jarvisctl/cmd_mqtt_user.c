/* SPDX-License-Identifier: MIT */
/*
 * jarvisctl mqtt-user: random passwords as secret files. The password goes into the file and nowhere else.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "common/alloc.h"
#include "common/secret.h"
#include "jarvisctl/jarvisctl.h"

#define PASSWORD_BYTES 16
#define NAME_MAX_BYTES 64

static bool is_name(const char *text)
{
	static const char allowed[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
	size_t n = strlen(text);

	return n && n <= NAME_MAX_BYTES && strspn(text, allowed) == n && !str_eq(text, ".") &&
	       !str_eq(text, "..");
}

static int write_password(int fd)
{
	unsigned char bytes[PASSWORD_BYTES];
	char text[2 * PASSWORD_BYTES + 1];
	ssize_t n;

	randombytes_buf(bytes, sizeof(bytes));
	hex_build(bytes, sizeof(bytes), text);
	text[2 * PASSWORD_BYTES] = '\n';
	n = write(fd, text, sizeof(text));
	sodium_memzero(bytes, sizeof(bytes));
	sodium_memzero(text, sizeof(text));
	if (n != (ssize_t)sizeof(text))
		return n < 0 ? -errno : -EIO;
	return fsync(fd) < 0 ? -errno : 0;
}

/* Others may pass through the folder of all secrets, but look into none of those below. */
static int make_folder(const char *path, mode_t mode)
{
	return mkdir(path, mode) < 0 && errno != EEXIST ? -errno : 0;
}

/* 0 when it was made, -EEXIST when it was there. */
static int make_password(const char *dir, const char *path)
{
	int fd, r = make_folder(dir, 0700);

	if (r < 0)
		return r;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	r = write_password(fd);
	if (close(fd) < 0 && r == 0)
		r = -errno;
	if (r < 0)
		(void)unlink(path);
	return r;
}

static int make_user(const char *secrets_dir, const char *name)
{
	_cleanup_(freep) char *dir = xasprintf("%s/%s", secrets_dir, name);
	_cleanup_(freep) char *path = xasprintf("%s/mqtt-password", dir);
	int r = make_password(dir, path);

	if (r < 0 && r != -EEXIST) {
		fprintf(stderr, "jarvisctl: %s: cannot be made: %s\n", path, strerror(-r));
		return EXIT_FAILED;
	}
	printf("%s: %s\n", path, r == 0 ? "made" : "was there and is kept");
	return EXIT_OK;
}

int command_mqtt_user(int argc, char **argv)
{
	const char *secrets_dir = SECRETS_DIR;
	int first = 1, code = EXIT_OK;

	if (argc > 2 && str_eq(argv[1], "--secrets")) {
		secrets_dir = argv[2];
		first = 3;
	}
	if (first >= argc)
		return EXIT_USAGE;
	for (int i = first; i < argc; i++) {
		if (!is_name(argv[i])) {
			fprintf(stderr,
				"jarvisctl: %s: bad name; must be 1 to 64 of A-Z a-z 0-9 _ . -\n",
				argv[i]);
			return EXIT_USAGE;
		}
	}
	if (sodium_init() < 0)
		return EXIT_FAILED;
	if (make_folder(secrets_dir, 0711) < 0) {
		fprintf(stderr, "jarvisctl: %s: cannot be made: %s\n", secrets_dir,
			strerror(errno));
		return EXIT_FAILED;
	}
	for (int i = first; i < argc; i++) {
		int r = make_user(secrets_dir, argv[i]);

		code = r == EXIT_OK ? code : r;
	}
	return code;
}
