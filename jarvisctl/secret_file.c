/* SPDX-License-Identifier: MIT */
/*
 * What is written belongs to the owner of the folder it is written into, so that jarvisctl as root needs to know no
 * users. Nothing is opened through a link: the folder may belong to somebody less trusted than we are.
 */
#include "jarvisctl/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"

static int say(int r, const char *path, const char *what, struct str *error)
{
	str_printf(error, "%s: cannot be %s: %s", path, what, strerror(-r));
	return r;
}

int secret_folder_make(const char *path, mode_t mode, struct str *error)
{
	return mkdir(path, mode) < 0 && errno != EEXIST ? say(-errno, path, "made", error) : 0;
}

static char *folder_of(const char *path)
{
	_cleanup_(freep) char *copy = xstrdup(path);

	return xstrdup(dirname(copy));
}

static int open_folder(const char *path, struct str *error)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? say(-errno, path, "opened", error) : fd;
}

int secret_folder_lock(const char *folder, struct str *error)
{
	int fd = open_folder(folder, error);

	if (fd >= 0 && flock(fd, LOCK_EX) < 0) {
		int r = say(-errno, folder, "locked", error);

		(void)close(fd);
		return r;
	}
	return fd;
}

/* ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────── */

static int read_all(int fd, struct str *ret)
{
	str_reserve(ret, SECRET_MAX_BYTES + 1);
	for (;;) {
		ssize_t n = read(fd, ret->data + ret->len, SECRET_MAX_BYTES + 1 - ret->len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			ret->data[ret->len] = '\0';
			return n < 0 ? -errno : 0;
		}
		ret->len += (size_t)n;
		if (ret->len > SECRET_MAX_BYTES)
			return -EFBIG;
	}
}

/* Whose it is, and who else reads it. */
static int check_private(const char *path, const struct stat *st, struct str *error)
{
	if (st->st_uid != geteuid() && st->st_uid != 0) {
		str_printf(error, "%s: belongs to somebody else; chown it, or use a file of yours",
			   path);
		return -EPERM;
	}
	if (st->st_mode & 077) {
		str_printf(error, "%s: others may read or change it; mend it: chmod 600 %s", path,
			   path);
		return -EPERM;
	}
	return 0;
}

static int read_file(const char *path, bool is_private, struct str *ret, struct str *error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	int r;

	if (fd < 0)
		return errno == ENOENT ? -ENOENT : say(-errno, path, "opened", error);
	r = fstat(fd, &st) < 0 ? -errno : S_ISREG(st.st_mode) ? 0 : -EINVAL;
	if (r == 0 && is_private && check_private(path, &st, error) < 0) {
		(void)close(fd);
		return -EPERM;
	}
	if (r == 0)
		r = read_all(fd, ret);
	(void)close(fd);
	if (r == 0 && strlen(str_get(ret)) != ret->len)
		r = -EINVAL;
	return r < 0 ? say(r, path, "read", error) : 0;
}

int secret_file_read(const char *path, struct str *ret, struct str *error)
{
	return read_file(path, false, ret, error);
}

int private_file_read(const char *path, struct str *ret, struct str *error)
{
	return read_file(path, true, ret, error);
}

int secret_line_read(const char *path, struct str *ret, struct str *error)
{
	int fd = str_eq(path, "-") ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int r = fd < 0 ? -errno : read_all(fd, ret);

	if (fd > STDERR_FILENO)
		(void)close(fd);
	if (r < 0)
		return say(r, fd == STDIN_FILENO ? "standard input" : path, "read", error);
	ret->len = strcspn(str_get(ret), "\r\n");
	ret->data[ret->len] = '\0';
	return 0;
}

/* ── writing ─────────────────────────────────────────────────────────────────────────────────────────────────── */

static int fill(int fd, int folder, const char *text, mode_t mode)
{
	size_t length = strlen(text);
	struct stat st;

	if (fstat(folder, &st) < 0)
		return -errno;
	if (geteuid() == 0 && fchown(fd, st.st_uid, st.st_gid) < 0)
		return -errno;
	while (length > 0) {
		ssize_t n = write(fd, text, length);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			text += n;
			length -= (size_t)n;
		}
	}
	return fchmod(fd, mode) < 0 || fsync(fd) < 0 ? -errno : 0;
}

static int replace(int folder, const char *name, const char *text, mode_t mode)
{
	_cleanup_(freep) char *fresh = xasprintf(".%s.new", name);
	int fd, r;

	/* What an interrupted run left behind. */
	(void)unlinkat(folder, fresh, 0);
	fd = openat(folder, fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	r = fill(fd, folder, text, mode);
	if (close(fd) < 0 && r == 0)
		r = -errno;
	if (r == 0 && renameat(folder, fresh, folder, name) < 0)
		r = -errno;
	if (r < 0)
		(void)unlinkat(folder, fresh, 0);
	else if (fsync(folder) < 0)
		r = -errno;
	return r;
}

static int write_file(const char *path, const char *text, mode_t mode, struct str *error)
{
	_cleanup_(freep) char *folder = folder_of(path);
	_cleanup_(freep) char *copy = xstrdup(path);
	int fd = open_folder(folder, error);
	int r;

	if (fd < 0)
		return fd;
	r = replace(fd, basename(copy), text, mode);
	(void)close(fd);
	return r < 0 ? say(r, path, "written", error) : 0;
}

int secret_file_write(const char *path, const char *text, struct str *error)
{
	return write_file(path, text, 0400, error);
}

int private_file_write(const char *path, const char *text, struct str *error)
{
	return write_file(path, text, 0600, error);
}
