/* SPDX-License-Identifier: MIT */
/*
 * Saving. We are mostly root, and the folders belong to services that are trusted with less: nothing is opened through
 * a link, and each folder is entered by its descriptor.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "common/alloc.h"
#include "common/db.h"
#include "common/time.h"
#include "jarvisctl/backup.h"

#define DEPTH_MAX 16
#define PIECE 65536

struct maker {
	struct backup *backup;
	const char *target; /* TARGET.partial */
	struct str *error;
	unsigned depth;
};

static int say(struct maker *m, int r, const char *path, const char *what)
{
	str_printf(m->error, "%s: cannot be %s: %s", path, what, strerror(-r));
	return r;
}

char *backup_place(const char *folder, const char *path)
{
	return xasprintf("%s/files%s", folder, path);
}

/* ── files ─────────────────────────────────────────────────────────────────────────────────────────────────── */

static int write_all(int fd, const unsigned char *data, size_t n)
{
	while (n > 0) {
		ssize_t written = write(fd, data, n);

		if (written < 0 && errno != EINTR)
			return -errno;
		data += max_of(written, (ssize_t)0);
		n -= (size_t)max_of(written, (ssize_t)0);
	}
	return 0;
}

int backup_copy(int from, int to, struct backup_entry *ret)
{
	_cleanup_(freep) unsigned char *piece = xmalloc(PIECE);
	unsigned char digest[crypto_hash_sha256_BYTES];
	crypto_hash_sha256_state state;
	int r = 0;

	(void)crypto_hash_sha256_init(&state);
	ret->size = 0;
	while (r == 0) {
		ssize_t n = read(from, piece, PIECE);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			r = n < 0 ? -errno : 1;
			break;
		}
		(void)crypto_hash_sha256_update(&state, piece, (unsigned long long)n);
		ret->size += n;
		r = to < 0 ? 0 : write_all(to, piece, (size_t)n);
	}
	sodium_memzero(piece, PIECE);
	(void)crypto_hash_sha256_final(&state, digest);
	hex_build(digest, sizeof(digest), ret->sha256);
	if (r == 1 && to >= 0 && fsync(to) < 0)
		return -errno;
	return r < 0 ? r : 0;
}

static int save_file(struct maker *m, int from, struct backup_entry *entry)
{
	_cleanup_(freep) char *place = backup_place(m->target, entry->path);
	int to = open(place, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r = to < 0 ? -errno : backup_copy(from, to, entry);

	if (to >= 0)
		(void)close(to);
	return r < 0 ? say(m, r, entry->path, "saved") : 0;
}

/* The first bytes of a database, as sqlite.org/fileformat2 has them; the broker's .db is none. */
static bool is_database(int fd)
{
	static const char magic[] = "SQLite format 3";
	char head[sizeof(magic)];

	return pread(fd, head, sizeof(head), 0) == (ssize_t)sizeof(head) &&
	       memcmp(head, magic, sizeof(magic)) == 0;
}

/*
 * Whether somebody in this process has the very file open a second time: SQLite opens it by its name, which may be a
 * link by then.
 */
static bool is_open_twice(int fd)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;
	struct stat wanted, st;
	int n = 0;

	if (fstat(fd, &wanted) < 0)
		wanted.st_ino = 0;
	while (dir && (entry = readdir(dir))) {
		if (fstatat(dirfd(dir), entry->d_name, &st, 0) == 0 && st.st_dev == wanted.st_dev &&
		    st.st_ino == wanted.st_ino)
			n++;
	}
	if (dir)
		(void)closedir(dir);
	return n >= 2;
}

/* As it is at one moment, whoever writes to it meanwhile. */
static int save_database(struct maker *m, int from, struct backup_entry *entry)
{
	_cleanup_(freep) char *place = backup_place(m->target, entry->path);
	_cleanup_(db_freep) struct db *db = NULL;
	int r = db_open_to_read(entry->path, &db, m->error), fd;

	if (r < 0)
		return r;
	if (!is_open_twice(from))
		return say(m, -ESTALE, entry->path, "saved");
	r = db_backup_to(db, place);
	if (r < 0) {
		str_add(m->error, db_error(db));
		return r;
	}
	fd = open(place, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	r = fd < 0 ? -errno : backup_copy(fd, -1, entry);
	if (fd >= 0)
		(void)close(fd);
	return r < 0 ? say(m, r, entry->path, "saved") : 0;
}

/* ── folders ───────────────────────────────────────────────────────────────────────────────────────────────── */

static struct backup_entry *note(struct backup *backup, const char *path, enum backup_kind kind,
				 const struct stat *st)
{
	struct backup_entry *entry = backup_add(backup, path);
	const struct passwd *user = getpwuid(st->st_uid);
	const struct group *group;

	entry->owner = xstrdup(user ? user->pw_name : "");
	group = getgrgid(st->st_gid);
	entry->group = xstrdup(group ? group->gr_name : "");
	entry->kind = kind;
	entry->mode = st->st_mode & 07777;
	entry->uid = st->st_uid;
	entry->gid = st->st_gid;
	return entry;
}

/* Parts of a database that its copy does not need, and what a service set aside because it was damaged. */
static bool is_left_out(const char *name)
{
	return str_ends(name, ".db-wal") || str_ends(name, ".db-shm") ||
	       str_ends(name, ".db-journal") || str_ends(name, ".db.partial") ||
	       strstr(name, ".db.corrupt-");
}

static int save_link(struct maker *m, int folder, const char *path, const char *name)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(folder, name, target, sizeof(target) - 1);
	struct stat st;

	if (n < 0 || fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return say(m, -errno, path, "read");
	note(m->backup, path, BACKUP_LINK, &st)->target = xstrndup(target, (size_t)n);
	return 0;
}

static int save_folder(struct maker *m, int fd, const char *path);

/* Takes over FD, which is what is called PATH. */
static int save_opened(struct maker *m, int fd, const char *path)
{
	struct stat st;
	int r = fstat(fd, &st) < 0 ? say(m, -errno, path, "looked at") : 0;

	if (r == 0 && S_ISDIR(st.st_mode)) {
		(void)note(m->backup, path, BACKUP_FOLDER, &st);
		return save_folder(m, fd, path);
	}
	if (r == 0 && S_ISREG(st.st_mode) && is_database(fd))
		r = save_database(m, fd, note(m->backup, path, BACKUP_DATABASE, &st));
	else if (r == 0 && S_ISREG(st.st_mode))
		r = save_file(m, fd, note(m->backup, path, BACKUP_FILE, &st));
	else
		m->backup->skipped++;
	(void)close(fd);
	return r;
}

static int save_entry(struct maker *m, int folder, const char *path, const char *name)
{
	_cleanup_(freep) char *whole = xasprintf("%s/%s", path, name);
	int fd;

	if (str_eq(name, ".") || str_eq(name, ".."))
		return 0;
	if (is_left_out(name)) {
		m->backup->skipped++;
		return 0;
	}
	fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 && errno == ELOOP)
		return save_link(m, folder, whole, name);
	/* A socket. */
	if (fd < 0 && errno == ENXIO) {
		m->backup->skipped++;
		return 0;
	}
	/* It went away meanwhile. */
	if (fd < 0 && errno == ENOENT)
		return 0;
	return fd < 0 ? say(m, -errno, whole, "read") : save_opened(m, fd, whole);
}

/* Takes over FD. */
static int save_folder(struct maker *m, int fd, const char *path)
{
	_cleanup_(freep) char *place = backup_place(m->target, path);
	struct dirent **names = NULL;
	int n = -1, r = 0;

	if (m->depth == DEPTH_MAX)
		r = say(m, -ELOOP, path, "entered");
	else if (mkdir(place, 0700) < 0)
		r = say(m, -errno, place, "made");
	else
		n = scandirat(fd, ".", &names, NULL, alphasort);
	if (r == 0 && n < 0)
		r = say(m, -errno, path, "listed");
	m->depth++;
	for (int i = 0; i < n; i++) {
		if (r == 0)
			r = save_entry(m, fd, path, names[i]->d_name);
		free(names[i]);
	}
	m->depth--;
	free(names);
	(void)close(fd);
	return r;
}

/* The folders above a root; they are not part of the backup. */
static int make_parents(struct maker *m, const char *root)
{
	for (const char *slash = root; slash; slash = strchr(slash + 1, '/')) {
		_cleanup_(freep) char *parent = xstrndup(root, (size_t)(slash - root));
		_cleanup_(freep) char *place = backup_place(m->target, parent);

		if (mkdir(place, 0700) < 0 && errno != EEXIST)
			return say(m, -errno, place, "made");
	}
	return 0;
}

static int save_root(struct maker *m, const char *root)
{
	int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return say(m, -errno, root, "read");
	r = make_parents(m, root);
	if (r == 0)
		return save_opened(m, fd, root);
	(void)close(fd);
	return r;
}

int backup_make(struct backup *backup, const char *target, struct str *error)
{
	_cleanup_(freep) char *partial = xasprintf("%s.partial", target);
	struct maker m = { .backup = backup, .target = partial, .error = error };
	int r = 0;

	if (access(target, F_OK) == 0)
		return say(&m, -EEXIST, target, "made");
	if (mkdir(partial, 0700) < 0)
		return say(&m, -errno, partial, "made");
	backup->created_ms = clock_wall_ms(&clock_system);
	for (size_t i = 0; r == 0 && i < backup->roots_n; i++)
		r = save_root(&m, backup->roots[i]);
	if (r == 0)
		r = backup_write_manifest(backup, partial, error);
	if (r == 0 && rename(partial, target) < 0)
		r = say(&m, -errno, target, "made");
	if (r < 0)
		str_printf(error, "; what there is so far is in %s", partial);
	return r;
}
