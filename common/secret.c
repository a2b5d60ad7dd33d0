/* SPDX-License-Identifier: MIT */
/*
 * Secret files. What is checked is the opened file itself (fstat), so that nobody swaps it in between.
 */
#include "common/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "common/alloc.h"

#define COMPOSE_DIR "/run/secrets"

/* Which rights a file must not give. */
#define OTHERS_ANY 0077
/* systemd hands a credential over by an ACL, whose mask shows as a right to read of the group. */
#define OTHERS_BUT_ACL 0037

static int check_file(int fd, const char *path, mode_t forbidden, struct str *error)
{
	struct stat st;

	if (fstat(fd, &st) < 0) {
		str_printf(error, "%s: cannot be looked at: %s", path, strerror(errno));
		return -EIO;
	}
	if (!S_ISREG(st.st_mode)) {
		str_printf(error, "%s: is not a regular file; put the secret itself there", path);
		return -EINVAL;
	}
	if (st.st_uid != geteuid() && st.st_uid != 0) {
		str_printf(error, "%s: belongs to user %u; mend it with: chown %u %s", path,
			   (unsigned)st.st_uid, (unsigned)geteuid(), path);
		return -EPERM;
	}
	if (st.st_mode & forbidden) {
		str_printf(error,
			   "%s: others than its owner have rights (mode %04o); mend it with: chmod "
			   "600 %s",
			   path, (unsigned)(st.st_mode & 07777), path);
		return -EPERM;
	}
	if (st.st_size > SECRET_MAX_BYTES) {
		str_printf(error, "%s: is larger than %d bytes; is it the right file?", path,
			   SECRET_MAX_BYTES);
		return -EFBIG;
	}
	return 0;
}

/* Fills SECRET's buffer, which has room for SECRET_MAX_BYTES and a NUL. */
static int read_value(int fd, struct secret *secret)
{
	while (secret->len < SECRET_MAX_BYTES) {
		ssize_t n = read(fd, secret->value + secret->len, SECRET_MAX_BYTES - secret->len);

		if (n == 0)
			break;
		if (n > 0)
			secret->len += (size_t)n;
		else if (errno != EINTR)
			return -errno;
	}
	if (secret->len && secret->value[secret->len - 1] == '\n')
		secret->len--;
	if (secret->len && secret->value[secret->len - 1] == '\r')
		secret->len--;
	secret->value[secret->len] = '\0';
	return 0;
}

static int read_text(int fd, const char *path, struct secret *ret, struct str *error)
{
	_cleanup_(secret_done) struct secret secret = { xcalloc(1, SECRET_MAX_BYTES + 1), 0 };
	int r = read_value(fd, &secret);

	if (r < 0) {
		str_printf(error, "%s: cannot be read: %s", path, strerror(-r));
		return r;
	}
	if (!secret.len || strlen(secret.value) != secret.len) {
		str_printf(error, "%s: %s; write the secret into it, as one text", path,
			   secret.len ? "holds a NUL byte" : "is empty");
		return -EINVAL;
	}
	*ret = (struct secret){ xstrndup(secret.value, secret.len), secret.len };
	return 0;
}

/* As secret_read(), for one place; nothing is said of -ENOENT. */
static int read_file(const char *path, mode_t forbidden, struct secret *ret, struct str *error)
{
	/* O_NONBLOCK: a FIFO must not hold us. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	int r = fd < 0 ? -errno : 0;

	if (r == -ENOENT || r == -ENOTDIR)
		return -ENOENT;
	if (r == -ELOOP) {
		str_printf(error, "%s: is a symbolic link; put the file itself there", path);
		return r;
	}
	if (r < 0) {
		str_printf(error,
			   "%s: cannot be opened: %s; it must belong to user %u and have mode 600",
			   path, strerror(-r), (unsigned)geteuid());
		return r;
	}
	r = check_file(fd, path, forbidden, error);
	if (r == 0)
		r = read_text(fd, path, ret, error);
	(void)close(fd);
	return r;
}

int secret_read(const char *secrets_dir, const char *service, const char *name, struct secret *ret,
		struct str *error)
{
	const char *credentials = getenv("CREDENTIALS_DIRECTORY");
	_cleanup_(freep) char *own = xasprintf("%s/%s/%s", secrets_dir, service, name);
	_cleanup_(freep) char *compose = xasprintf("%s/%s_%s", COMPOSE_DIR, service, name);
	_cleanup_(freep) char *systemd = credentials ? xasprintf("%s/%s", credentials, name) : NULL;
	/* What LoadCredential= calls the files of a folder. */
	_cleanup_(freep) char *folder =
		credentials ? xasprintf("%s/%s_%s", credentials, service, name) : NULL;
	int r;

	if (strchr(service, '/') || strchr(name, '/')) {
		str_add(error, "the name of a secret must not hold a '/'");
		return -EINVAL;
	}
	r = read_file(own, OTHERS_ANY, ret, error);
	if (r == -ENOENT)
		r = read_file(compose, OTHERS_ANY, ret, error);
	if (r == -ENOENT && systemd)
		r = read_file(systemd, OTHERS_BUT_ACL, ret, error);
	if (r == -ENOENT && folder)
		r = read_file(folder, OTHERS_BUT_ACL, ret, error);
	if (r == -ENOENT)
		str_printf(error,
			   "%s: there is no such file (nor %s); make it, as user %u, with: "
			   "install -D -m 600 /dev/stdin %s",
			   own, compose, (unsigned)geteuid(), own);
	return r;
}

void secret_done(struct secret *secret)
{
	if (secret->value) {
		sodium_memzero(secret->value, secret->len);
		free(secret->value);
	}
	*secret = (struct secret){ 0 };
}
