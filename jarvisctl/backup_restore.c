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

struct restorer {
	const struct backup *backup;
	const char *folder;
	struct str *notes, *error;
};

struct owner {
	uid_t uid;
	gid_t gid;
};

/*
 * By name: the same number may be somebody else's here. Who is not known here gets nothing, until somebody decides; a
 * number that had no name (of a container) is kept.
 */
static struct owner owner_of(struct restorer *r, const struct backup_entry *entry)
{
	const struct passwd *user = *entry->owner ? getpwnam(entry->owner) : NULL;
	const struct group *group;
	struct owner owner = { entry->uid, entry->gid };

	if (user)
		owner.uid = user->pw_uid;
	else if (*entry->owner)
		owner.uid = 0;
	if (!user && *entry->owner && geteuid() == 0)
		str_printf(r->notes, "%s: its owner %s is not known here, so it is root's\n",
			   entry->path, entry->owner);
	group = *entry->group ? getgrnam(entry->group) : NULL;
	if (group)
		owner.gid = group->gr_gid;
	else if (*entry->group)
		owner.gid = 0;
	return owner;
}

/* Only root gives files away. */
static int give(struct restorer *r, int fd, const struct backup_entry *entry)
{
	struct owner owner = owner_of(r, entry);

	if (geteuid() == 0 && fchown(fd, owner.uid, owner.gid) < 0)
		return -errno;
	return fchmod(fd, entry->mode) < 0 ? -errno : 0;
}

static int build_file(struct restorer *r, const char *to, const struct backup_entry *entry)
{
	_cleanup_(freep) char *from = backup_place(r->folder, entry->path);
	int source = open(from, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), fd;
	struct backup_entry is = { 0 };
	int code;

	if (source < 0)
		return -errno;
	fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	code = fd < 0 ? -errno : backup_copy(source, fd, &is);
	if (code == 0)
		code = give(r, fd, entry);
	/* It was right when it was checked. */
	if (code == 0 && !str_eq(is.sha256, entry->sha256))
		code = -EIO;
	(void)close(source);
	if (fd >= 0)
		(void)close(fd);
	return code;
}

static int build_link(struct restorer *r, const char *to, const struct backup_entry *entry)
{
	struct owner owner = owner_of(r, entry);

	if (symlink(entry->target, to) < 0)
		return -errno;
	return geteuid() == 0 && lchown(to, owner.uid, owner.gid) < 0 ? -errno : 0;
}

static int build_entry(struct restorer *r, const char *to, const struct backup_entry *entry)
{
	if (entry->kind == BACKUP_LINK)
		return build_link(r, to, entry);
	if (entry->kind != BACKUP_FOLDER)
		return build_file(r, to, entry);
	return mkdir(to, 0700) < 0 ? -errno : 0;
}

static int finish_folder(struct restorer *r, const char *to, const struct backup_entry *entry)
{
	int fd = open(to, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int code = fd < 0 ? -errno : give(r, fd, entry);

	if (fd >= 0)
		(void)close(fd);
	return code;
}

static bool is_of(const struct backup_entry *entry, const char *root)
{
	size_t length = strlen(root);

	return strncmp(entry->path, root, length) == 0 &&
	       (!entry->path[length] || entry->path[length] == '/');
}

/* ROOT as it was, at PLACE. Folders get their owners last: until then nobody else is in them. */
static int build(struct restorer *r, const char *root, const char *place)
{
	const struct backup *backup = r->backup;
	int code = 0;

	for (size_t i = 0; i < backup->entries_n; i++) {
		const struct backup_entry *entry = &backup->entries[i];
		_cleanup_(freep) char *to = NULL;

		if (!is_of(entry, root))
			continue;
		to = xasprintf("%s%s", place, entry->path + strlen(root));
		code = build_entry(r, to, entry);
		if (code < 0)
			return say(r->error, code, to, "made");
	}
	for (size_t i = backup->entries_n; i > 0; i--) {
		const struct backup_entry *entry = &backup->entries[i - 1];
		_cleanup_(freep) char *to = NULL;

		if (entry->kind != BACKUP_FOLDER || !is_of(entry, root))
			continue;
		to = xasprintf("%s%s", place, entry->path + strlen(root));
		code = finish_folder(r, to, entry);
		if (code < 0)
			return say(r->error, code, to, "given to its owner");
	}
	return 0;
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

/* What is mounted there cannot be moved. */
static bool is_mounted(const char *path)
{
	struct statx st;

	return statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &st) == 0 &&
	       (st.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) &&
	       (st.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

static char *name_aside(const char *path)
{
	time_t now = (time_t)(clock_wall_ms(&clock_system) / 1000);
	char stamp[32] = "";
	struct tm utc;

	if (gmtime_r(&now, &utc))
		(void)strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &utc);
	return xasprintf("%s.before-%s", path, stamp);
}

/* A root on its way: what is ready, where it belongs, and where that went which was there. */
struct move {
	char *place, *ready, *aside;
	bool is_aside, is_done;
};

static int put(struct move *m, struct str *error)
{
	if (access(m->place, F_OK) == 0) {
		if (access(m->aside, F_OK) == 0)
			return say(error, -EEXIST, m->aside, "made");
		if (rename(m->place, m->aside) < 0)
			return say(error, -errno, m->place, "moved aside");
		m->is_aside = true;
	}
	if (rename(m->ready, m->place) < 0)
		return say(error, -errno, m->place, "put in its place");
	m->is_done = true;
	return 0;
}

/* As it was: what is ready stays beside it. */
static void take_back(struct move *m, struct str *error)
{
	if (m->is_done && rename(m->place, m->ready) < 0)
		str_printf(error, "; %s is the restored one", m->place);
	else if (m->is_aside && rename(m->aside, m->place) < 0)
		str_printf(error, "; what was %s is %s", m->place, m->aside);
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

static int prepare(struct restorer *r, const char *root, const struct move *m, bool is_replacing)
{
	bool is_there = access(m->place, F_OK) == 0;

	if (is_there && is_mounted(m->place)) {
		str_printf(r->error,
			   "%s: is mounted, so it cannot be replaced as a whole; unmount it, or "
			   "restore with --below into a folder on it and move what is in that",
			   m->place);
		return -EBUSY;
	}
	if (is_there && !is_empty(m->place) && !is_replacing) {
		str_printf(r->error, "%s: there is something already; --replace moves it aside",
			   m->place);
		return -EEXIST;
	}
	if (access(m->ready, F_OK) == 0) {
		str_printf(r->error,
			   "%s: is left of a restore that failed; look at it, then remove it",
			   m->ready);
		return -EEXIST;
	}
	return make_parents(m->place, r->error) < 0 ? -EIO : build(r, root, m->ready);
}

static int move_all(struct move *moves, size_t n, struct str *error)
{
	int code = 0;

	for (size_t i = 0; code == 0 && i < n; i++)
		code = put(&moves[i], error);
	for (size_t i = n; code < 0 && i > 0; i--)
		take_back(&moves[i - 1], error);
	/* An empty folder is nothing to keep. */
	for (size_t i = 0; code == 0 && i < n; i++) {
		if (moves[i].is_aside && is_empty(moves[i].aside))
			(void)rmdir(moves[i].aside);
	}
	return code;
}

int backup_restore(const struct backup *backup, const char *folder, const char *below,
		   bool is_replacing, struct str *notes, struct str *error)
{
	struct restorer r = { backup, folder, notes, error };
	struct move *moves = xcalloc(backup->roots_n, sizeof(*moves));
	int code = 0;

	for (size_t i = 0; i < backup->roots_n; i++) {
		moves[i].place = xasprintf("%s%s", below, backup->roots[i]);
		moves[i].ready = xasprintf("%s.restore", moves[i].place);
		moves[i].aside = name_aside(moves[i].place);
		if (code == 0)
			code = prepare(&r, backup->roots[i], &moves[i], is_replacing);
	}
	if (code == 0)
		code = move_all(moves, backup->roots_n, error);
	for (size_t i = 0; i < backup->roots_n; i++) {
		free(moves[i].place);
		free(moves[i].ready);
		free(moves[i].aside);
	}
	free(moves);
	return code;
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
