/* SPDX-License-Identifier: MIT */
/*
 * Static files. Limits keep a wrongly configured folder (a home directory) from being read into memory.
 */
#include "services/gateway/static.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"

#define DEPTH_MAX 6
#define FILES_MAX 2000
#define FILE_BYTES_MAX (16 * 1024 * 1024)
#define TOTAL_BYTES_MAX (64 * 1024 * 1024)

static const struct {
	const char *ending;
	const char *type;
} types[] = {
	{ ".html", "text/html; charset=utf-8" },
	{ ".js", "text/javascript; charset=utf-8" },
	{ ".css", "text/css; charset=utf-8" },
	{ ".json", "application/json" },
	{ ".webmanifest", "application/manifest+json" },
	{ ".svg", "image/svg+xml" },
	{ ".png", "image/png" },
	{ ".ico", "image/x-icon" },
	{ ".webp", "image/webp" },
	{ ".woff2", "font/woff2" },
	{ ".txt", "text/plain; charset=utf-8" },
	{ ".map", "application/json" },
	{ ".gz", "application/gzip" },
};

struct loading {
	struct static_files files;
	size_t cap;
	size_t bytes;
	struct str *error;
};

static const char *type_of(const char *name)
{
	for (size_t i = 0; i < countof(types); i++) {
		if (str_ends(name, types[i].ending))
			return types[i].type;
	}
	return NULL;
}

bool static_name_is_hashed(const char *name)
{
	const char *dash = strrchr(name, '-');
	size_t length;

	if (!dash)
		return false;
	length = strspn(dash + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");
	return length >= 8 && dash[1 + length] == '.' &&
	       strpbrk(dash, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ");
}

static int fail(struct loading *l, int r, const char *path)
{
	str_printf(l->error, "%s: %s", path, strerror(-r));
	return r;
}

static int read_all(int fd, size_t size, unsigned char **ret)
{
	_cleanup_(freep) unsigned char *data = xmalloc(size + 1);
	size_t have = 0;

	while (have < size) {
		ssize_t n = read(fd, data + have, size - have);

		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO;
		have += (size_t)n;
	}
	*ret = take(data);
	return 0;
}

static void add_file(struct loading *l, const char *path, unsigned char *data, size_t len)
{
	struct static_file *file;
	unsigned char hash[crypto_generichash_BYTES_MIN];
	char hex[2 * sizeof(hash) + 1];

	if (l->files.n == l->cap) {
		l->cap = l->cap ? 2 * l->cap : 32;
		l->files.items = xreallocarray(l->files.items, l->cap, sizeof(*l->files.items));
	}
	file = &l->files.items[l->files.n++];
	*file = (struct static_file){
		.path = xstrdup(path),
		.type = type_of(path),
		.data = data,
		.len = len,
		.immutable = static_name_is_hashed(strrchr(path, '/') + 1),
	};
	(void)crypto_generichash(hash, sizeof(hash), data, len, NULL, 0);
	hex_build(hash, sizeof(hash), hex);
	(void)snprintf(file->etag, sizeof(file->etag), "\"%s\"", hex);
	l->bytes += len;
}

static int load_file(struct loading *l, int fd, const char *path, size_t size)
{
	unsigned char *data = NULL;
	int r;

	if (size > FILE_BYTES_MAX || l->bytes + size > TOTAL_BYTES_MAX || l->files.n >= FILES_MAX)
		return fail(l, -EFBIG, path);
	r = read_all(fd, size, &data);
	if (r < 0)
		return fail(l, r, path);
	add_file(l, path, data, size);
	return 0;
}

static int load_dir(struct loading *l, int fd, const char *path, int depth);

static int load_entry(struct loading *l, int dir, const char *name, const char *parent, int depth)
{
	_cleanup_(freep) char *path = xasprintf("%s/%s", parent, name);
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	int r = 0;

	if (fd < 0)
		return errno == ELOOP ? 0 : fail(l, -errno, path);
	if (fstat(fd, &st) < 0)
		r = fail(l, -errno, path);
	else if (S_ISDIR(st.st_mode))
		return load_dir(l, fd, path, depth + 1);
	else if (S_ISREG(st.st_mode) && type_of(name))
		r = load_file(l, fd, path, (size_t)st.st_size);
	(void)close(fd);
	return r;
}

/* Closes FD. */
static int load_dir(struct loading *l, int fd, const char *path, int depth)
{
	DIR *dir = fdopendir(fd);
	const struct dirent *entry;
	int r = 0;

	if (!dir || depth > DEPTH_MAX) {
		r = fail(l, dir ? -EMLINK : -errno, path);
		if (dir)
			(void)closedir(dir);
		else
			(void)close(fd);
		return r;
	}
	while (r == 0 && (entry = readdir(dir))) {
		if (entry->d_name[0] != '.')
			r = load_entry(l, dirfd(dir), entry->d_name, path, depth);
	}
	(void)closedir(dir);
	return r;
}

static int compare_files(const void *a, const void *b)
{
	return strcmp(((const struct static_file *)a)->path, ((const struct static_file *)b)->path);
}

static void free_file(struct static_file *file)
{
	free(file->path);
	free(file->data);
	free(file->gzip);
}

/* Hangs each "x.gz" on its "x"; those without one stay files of their own. */
static void pair_up(struct static_files *files)
{
	size_t kept = 0;

	for (size_t i = 0; i < files->n; i++) {
		struct static_file *file = &files->items[i];
		_cleanup_(freep) char *path = xstrndup(file->path, strlen(file->path) - 3);
		struct static_files before = { files->items, kept };
		struct static_file *plain = NULL;

		/* "x" sorts before "x.gz", so it is among those that are kept. */
		if (str_ends(file->path, ".gz"))
			plain = (struct static_file *)static_find(&before, path);
		if (!plain) {
			files->items[kept++] = *file;
			continue;
		}
		plain->gzip = take(file->data);
		plain->gzip_len = file->len;
		free_file(file);
	}
	files->n = kept;
}

int static_load(const char *dir, struct static_files *ret, struct str *error)
{
	struct loading l = { .error = error };
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return fail(&l, -errno, dir);
	r = load_dir(&l, fd, "", 0);
	if (r < 0) {
		static_done(&l.files);
		return r;
	}
	if (l.files.n)
		qsort(l.files.items, l.files.n, sizeof(*l.files.items), compare_files);
	pair_up(&l.files);
	*ret = l.files;
	return 0;
}

void static_done(struct static_files *files)
{
	for (size_t i = 0; i < files->n; i++)
		free_file(&files->items[i]);
	free(files->items);
	*files = (struct static_files){ 0 };
}

const struct static_file *static_find(const struct static_files *files, const char *path)
{
	struct static_file key = { .path = (char *)(str_eq(path, "/") ? "/index.html" : path) };

	if (!files->n)
		return NULL;
	return bsearch(&key, files->items, files->n, sizeof(key), compare_files);
}

bool static_is_known(const struct static_file *file, const char *if_none_match)
{
	return if_none_match && (str_eq(if_none_match, "*") || strstr(if_none_match, file->etag));
}
