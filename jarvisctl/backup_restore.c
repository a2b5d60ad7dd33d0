/* SPDX-License-Identifier: MIT */
/*
 * Putting back. Each root is built beside its place and moved there in one step; what was there is moved aside, never
 * removed.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/time.h"
#include "jarvisctl/backup.h"

static int say(struct str *error, int r, const char *path, const char *what)
{
	str_printf(error, "%s: cannot be %s: %s", path, what, strerror(-r));
	return r;
}

/* ── building ──────────────────────────────────────────────────────────────────────────────────────────────── */

/* By name where this machine knows it: numbers differ between machines. Only root gives files away. */
static int give(int fd, const struct backup_entry *entry)
{
	const struct passwd *user = *entry->owner ? getpwnam(entry->owner) : NULL;
	const struct group *group;
	uid_t uid = user ? user->pw_uid : entry->uid;

	group = *entry->group ? getgrnam(entry->group) : NULL;
	if (geteuid() == 0 && fchown(fd, uid, group ? group->gr_gid : entry->gid) < 0)
		return -errno;
	return fchmod(fd, entry->mode) < 0 ? -errno : 0;
}

static int build_file(const char *from, const char *to, const struct backup_entry *entry)
{
	int source = open(from, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), fd;
	struct backup_entry is = { 0 };
	int r;

	if (source < 0)
		return -errno;
	fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	r = fd < 0 ? -errno : backup_copy(source, fd, &is);
	if (r == 0)
		r = give(fd, entry);
	/* It was right when it was checked. */
	if (r == 0 && !str_eq(is.sha256, entry->sha256))
		r = -EIO;
	(void)close(source);
	if (fd >= 0)
		(void)close(fd);
	return r;
}

static int build_folder(const char *to)
{
	return mkdir(to, 0700) < 0 ? -errno : 0;
}

static int finish_folder(const char *to, const struct backup_entry *entry)
{
	int fd = open(to, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r = fd < 0 ? -errno : give(fd, entry);

	if (fd >= 0)
		(void)close(fd);
	return r;
}

static bool is_of(const struct backup_entry *entry, const char *root)
{
	size_t length = strlen(root);

	return strncmp(entry->path, root, length) == 0 &&
	       (!entry->path[length] || entry->path[length] == '/');
}

/* ROOT as it was, at PLACE. Folders get their owners last: until then nobody else is in them. */
static int build(const struct backup *backup, const char *folder, const char *root,
		 const char *place, struct str *error)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < backup->entries_n; i++) {
		const struct backup_entry *entry = &backup->entries[i];
		_cleanup_(freep) char *from = backup_place(folder, entry->path);
		_cleanup_(freep) char *to = NULL;

		if (!is_of(entry, root))
			continue;
		to = xasprintf("%s%s", place, entry->path + strlen(root));
		r = entry->kind == BACKUP_FOLDER ? build_folder(to) : build_file(from, to, entry);
		if (r < 0)
			return say(error, r, to, "made");
	}
	for (size_t i = backup->entries_n; r == 0 && i > 0; i--) {
		const struct backup_entry *entry = &backup->entries[i - 1];
		_cleanup_(freep) char *to = NULL;

		if (entry->kind != BACKUP_FOLDER || !is_of(entry, root))
			continue;
		to = xasprintf("%s%s", place, entry->path + strlen(root));
		r = finish_folder(to, entry);
		if (r < 0)
			return say(error, r, to, "given to its owner");
	}
	return r;
}

/* ── moving ────────────────────────────────────────────────────────────────────────────────────────────────── */

static bool is_empty(const char *path)
{
	DIR *dir = opendir(path);
	int n = 0;

	while (dir && readdir(dir))
		n++;
	if (dir)
		(void)closedir(dir);
	return dir && n <= 2;
}

static int move_aside(const char *path, struct str *error)
{
	time_t now = (time_t)(clock_wall_ms(&clock_system) / 1000);
	_cleanup_(freep) char *aside = NULL;
	char stamp[32] = "";
	struct tm utc;

	if (gmtime_r(&now, &utc))
		(void)strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &utc);
	aside = xasprintf("%s.before-%s", path, stamp);
	if (access(aside, F_OK) == 0)
		return say(error, -EEXIST, aside, "made");
	return rename(path, aside) < 0 ? say(error, -errno, path, "moved aside") : 0;
}

static int put(const char *ready, const char *place, struct str *error)
{
	int r = 0;

	if (access(place, F_OK) == 0)
		r = is_empty(place) ?
			    (rmdir(place) < 0 ? say(error, -errno, place, "replaced") : 0) :
			    move_aside(place, error);
	if (r == 0 && rename(ready, place) < 0)
		r = say(error, -errno, place, "put in its place");
	return r;
}

static int make_parents(const char *place, struct str *error)
{
	for (const char *slash = strchr(place + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		_cleanup_(freep) char *parent = xstrndup(place, (size_t)(slash - place));

		if (mkdir(parent, 0755) < 0 && errno != EEXIST)
			return say(error, -errno, parent, "made");
	}
	return 0;
}

static int prepare(const struct backup *backup, const char *folder, const char *root,
		   const char *place, bool is_replacing, struct str *error)
{
	_cleanup_(freep) char *ready = xasprintf("%s.restore", place);

	if (access(place, F_OK) == 0 && !is_empty(place) && !is_replacing) {
		str_printf(error, "%s: there is something already; --replace moves it aside",
			   place);
		return -EEXIST;
	}
	if (access(ready, F_OK) == 0) {
		str_printf(error,
			   "%s: is left of a restore that failed; look at it, then remove it",
			   ready);
		return -EEXIST;
	}
	if (make_parents(place, error) < 0)
		return -EIO;
	return build(backup, folder, root, ready, error);
}

int backup_restore(const struct backup *backup, const char *folder, const char *below,
		   bool is_replacing, struct str *error)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < backup->roots_n; i++) {
		_cleanup_(freep) char *place = xasprintf("%s%s", below, backup->roots[i]);

		r = prepare(backup, folder, backup->roots[i], place, is_replacing, error);
	}
	for (size_t i = 0; r == 0 && i < backup->roots_n; i++) {
		_cleanup_(freep) char *place = xasprintf("%s%s", below, backup->roots[i]);
		_cleanup_(freep) char *ready = xasprintf("%s.restore", place);

		r = put(ready, place, error);
	}
	return r;
}

/* ── who uses it ───────────────────────────────────────────────────────────────────────────────────────────── */

struct opened {
	dev_t dev;
	ino_t ino;
};

/* The databases that are at their places now. */
static size_t find_opened(const struct backup *backup, const char *below, struct opened *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < backup->entries_n; i++) {
		_cleanup_(freep) char *place = xasprintf("%s%s", below, backup->entries[i].path);
		struct stat st;

		if (backup->entries[i].kind == BACKUP_DATABASE && lstat(place, &st) == 0)
			ret[n++] = (struct opened){ st.st_dev, st.st_ino };
	}
	return n;
}

static bool has_open(const char *pid, const struct opened *files, size_t n)
{
	_cleanup_(freep) char *path = xasprintf("/proc/%s/fd", pid);
	DIR *dir = opendir(path);
	const struct dirent *entry;
	bool found = false;

	while (dir && !found && (entry = readdir(dir))) {
		struct stat st;

		if (fstatat(dirfd(dir), entry->d_name, &st, 0) < 0)
			continue;
		for (size_t i = 0; i < n; i++)
			found = found || (files[i].dev == st.st_dev && files[i].ino == st.st_ino);
	}
	if (dir)
		(void)closedir(dir);
	return found;
}

static void add_user(const char *pid, struct str *ret)
{
	_cleanup_(freep) char *path = xasprintf("/proc/%s/comm", pid);
	char name[32] = "?";
	FILE *file = fopen(path, "re");

	if (file && fgets(name, sizeof(name), file))
		name[strcspn(name, "\n")] = '\0';
	if (file)
		(void)fclose(file);
	str_printf(ret, "%s%s (%s)", ret->len ? ", " : "", name, pid);
}

void backup_users(const struct backup *backup, const char *below, struct str *ret)
{
	_cleanup_(freep) struct opened *files = xcalloc(backup->entries_n + 1, sizeof(*files));
	size_t n = find_opened(backup, below, files);
	DIR *dir = opendir("/proc");
	const struct dirent *entry;

	while (dir && n && (entry = readdir(dir))) {
		if (strspn(entry->d_name, "0123456789") == strlen(entry->d_name) &&
		    has_open(entry->d_name, files, n))
			add_user(entry->d_name, ret);
	}
	if (dir)
		(void)closedir(dir);
}
