/* SPDX-License-Identifier: MIT */
/*
 * manifest.json, and whether a backup is still what was saved. What is read may come from anywhere: a path in it must
 * be below one of its roots, and plain.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/db.h"
#include "common/json.h"
#include "jarvisctl/backup.h"

#define MANIFEST_MAX_BYTES ((size_t)8 << 20)

static const char *const kinds[] = {
	[BACKUP_FOLDER] = "folder",
	[BACKUP_FILE] = "file",
	[BACKUP_DATABASE] = "database",
	[BACKUP_LINK] = "link",
};

void backup_done(struct backup *backup)
{
	for (size_t i = 0; i < backup->entries_n; i++) {
		free(backup->entries[i].path);
		free(backup->entries[i].owner);
		free(backup->entries[i].group);
		free(backup->entries[i].target);
	}
	for (size_t i = 0; i < backup->roots_n; i++)
		free(backup->roots[i]);
	free(backup->entries);
	free(backup->roots);
	free(backup->version);
	*backup = (struct backup){ 0 };
}

struct backup_entry *backup_add(struct backup *backup, const char *path)
{
	struct backup_entry *entry;

	backup->entries =
		xreallocarray(backup->entries, backup->entries_n + 1, sizeof(*backup->entries));
	entry = &backup->entries[backup->entries_n++];
	*entry = (struct backup_entry){ .path = xstrdup(path) };
	return entry;
}

/* ── writing ───────────────────────────────────────────────────────────────────────────────────────────────── */

static void add_entry(struct json_writer *w, const struct backup_entry *entry)
{
	json_object_begin(w, NULL);
	json_add_str(w, "path", entry->path);
	json_add_str(w, "kind", kinds[entry->kind]);
	json_add_i64(w, "mode", entry->mode);
	json_add_i64(w, "uid", entry->uid);
	json_add_i64(w, "gid", entry->gid);
	json_add_str(w, "owner", entry->owner);
	json_add_str(w, "group", entry->group);
	if (entry->kind == BACKUP_LINK) {
		json_add_str(w, "target", entry->target);
	} else if (entry->kind != BACKUP_FOLDER) {
		json_add_i64(w, "size", entry->size);
		json_add_str(w, "sha256", entry->sha256);
	}
	json_object_end(w);
}

int backup_write_manifest(const struct backup *backup, const char *target, struct str *error)
{
	_cleanup_(freep) char *path = xasprintf("%s/manifest.json", target);
	_cleanup_(str_done) struct str text = { 0 };
	struct json_writer w = { .out = &text };
	int fd, r = 0;

	json_object_begin(&w, NULL);
	json_add_i64(&w, "format", BACKUP_FORMAT);
	json_add_str(&w, "version", JARVIS_VERSION);
	json_add_i64(&w, "created_ms", backup->created_ms);
	json_list_begin(&w, "roots");
	for (size_t i = 0; i < backup->roots_n; i++)
		json_add_str(&w, NULL, backup->roots[i]);
	json_list_end(&w);
	json_list_begin(&w, "entries");
	for (size_t i = 0; i < backup->entries_n; i++)
		add_entry(&w, &backup->entries[i]);
	json_list_end(&w);
	json_object_end(&w);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, str_get(&text), text.len) != (ssize_t)text.len || fsync(fd) < 0)
		r = errno ? -errno : -EIO;
	if (fd >= 0)
		(void)close(fd);
	if (r < 0)
		str_printf(error, "%s: cannot be written: %s", path, strerror(-r));
	return r;
}

/* ── reading ───────────────────────────────────────────────────────────────────────────────────────────────── */

/* Absolute, without `.`, `..` and empty levels. */
static bool is_plain_path(const char *path)
{
	if (*path != '/' || !path[1])
		return false;
	for (const char *level = path; level; level = strchr(level + 1, '/')) {
		size_t length = strcspn(level + 1, "/");

		if (length == 0 || strncmp(level + 1, "./", 2) == 0 ||
		    strncmp(level + 1, "../", 3) == 0 || str_eq(level + 1, ".") ||
		    str_eq(level + 1, ".."))
			return false;
	}
	return true;
}

static bool is_below(const char *path, const char *root)
{
	size_t length = strlen(root);

	return strncmp(path, root, length) == 0 && (!path[length] || path[length] == '/');
}

static int find_kind(const char *word)
{
	for (size_t i = 0; word && i < countof(kinds); i++) {
		if (str_eq(kinds[i], word))
			return (int)i;
	}
	return -EINVAL;
}

static bool take_number(const cJSON *object, const char *key, double max, double *ret)
{
	const cJSON *number = json_get(object, key);

	if (!cJSON_IsNumber(number) || number->valuedouble < 0 || number->valuedouble > max)
		return false;
	*ret = number->valuedouble;
	return true;
}

/*
 * A root stands by itself; everything else is in a folder that was named before, so that nothing is ever made through a
 * link.
 */
static bool has_place(const struct backup *backup, const char *path, enum backup_kind kind)
{
	size_t length = (size_t)(strrchr(path, '/') - path);
	bool has_folder = false;

	for (size_t i = 0; i < backup->entries_n; i++) {
		const struct backup_entry *e = &backup->entries[i];

		if (str_eq(e->path, path))
			return false;
		has_folder = has_folder || (e->kind == BACKUP_FOLDER && strlen(e->path) == length &&
					    strncmp(e->path, path, length) == 0);
	}
	for (size_t i = 0; i < backup->roots_n; i++) {
		if (str_eq(backup->roots[i], path))
			return kind == BACKUP_FOLDER;
	}
	return has_folder;
}

static bool take_text(const cJSON *tree, const char *key, char **ret)
{
	const char *text = cJSON_GetStringValue(json_get(tree, key));

	free(*ret);
	*ret = xstrdup_null(text);
	return text;
}

static bool take_content(const cJSON *tree, struct backup_entry *entry)
{
	const char *sha256 = cJSON_GetStringValue(json_get(tree, "sha256"));
	double size;

	if (entry->kind == BACKUP_FOLDER)
		return true;
	if (entry->kind == BACKUP_LINK)
		return take_text(tree, "target", &entry->target) && *entry->target;
	if (!take_number(tree, "size", 9e15, &size) || !sha256 || strlen(sha256) != 64)
		return false;
	entry->size = (int64_t)size;
	memcpy(entry->sha256, sha256, 64);
	return true;
}

static bool take_entry(struct backup *backup, const cJSON *tree)
{
	const char *path = cJSON_GetStringValue(json_get(tree, "path"));
	int kind = find_kind(cJSON_GetStringValue(json_get(tree, "kind")));
	double mode, uid, gid;
	struct backup_entry *entry;

	if (!path || !is_plain_path(path) || kind < 0 ||
	    !has_place(backup, path, (enum backup_kind)kind) ||
	    !take_number(tree, "mode", 07777, &mode) || !take_number(tree, "uid", 1e9, &uid) ||
	    !take_number(tree, "gid", 1e9, &gid))
		return false;
	entry = backup_add(backup, path);
	entry->kind = (enum backup_kind)kind;
	/* Nothing of ours runs as somebody else by its mode. */
	entry->mode = (mode_t)mode & 0777;
	entry->uid = (uid_t)uid;
	entry->gid = (gid_t)gid;
	return take_text(tree, "owner", &entry->owner) && take_text(tree, "group", &entry->group) &&
	       take_content(tree, entry);
}

/* Each has its own entry, and none is in another. */
static bool has_all_roots(const struct backup *backup)
{
	size_t found = 0;

	for (size_t i = 0; i < backup->roots_n; i++) {
		for (size_t k = 0; k < backup->entries_n; k++)
			found += str_eq(backup->entries[k].path, backup->roots[i]);
		for (size_t k = 0; k < backup->roots_n; k++) {
			if (k != i && is_below(backup->roots[i], backup->roots[k]))
				return false;
		}
	}
	return found == backup->roots_n;
}

static bool take_manifest(struct backup *backup, const cJSON *tree)
{
	const char *version = cJSON_GetStringValue(json_get(tree, "version"));
	double created;
	const cJSON *item;

	if (!version || !take_number(tree, "created_ms", 9e15, &created) ||
	    !cJSON_IsArray(json_get(tree, "roots")) || !cJSON_IsArray(json_get(tree, "entries")))
		return false;
	backup->version = xstrdup(version);
	backup->created_ms = (int64_t)created;
	cJSON_ArrayForEach(item, json_get(tree, "roots")) {
		if (!cJSON_IsString(item) || !is_plain_path(item->valuestring))
			return false;
		backup->roots =
			xreallocarray(backup->roots, backup->roots_n + 1, sizeof(*backup->roots));
		backup->roots[backup->roots_n++] = xstrdup(item->valuestring);
	}
	cJSON_ArrayForEach(item, json_get(tree, "entries")) {
		if (!take_entry(backup, item))
			return false;
	}
	return backup->roots_n && has_all_roots(backup);
}

static int read_text(const char *path, struct str *ret)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), r = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	do {
		str_reserve(ret, 65536 + 1);
		n = read(fd, ret->data + ret->len, 65536);
		r = n < 0 ? -errno : 0;
		ret->len += (size_t)max_of(n, (ssize_t)0);
		ret->data[ret->len] = '\0';
	} while (n > 0 && ret->len <= MANIFEST_MAX_BYTES);
	(void)close(fd);
	return ret->len > MANIFEST_MAX_BYTES ? -EFBIG : r;
}

int backup_read_manifest(const char *folder, struct backup *ret, struct str *error)
{
	_cleanup_(freep) char *path = xasprintf("%s/manifest.json", folder);
	_cleanup_(str_done) struct str text = { 0 };
	_cleanup_(json_treep) cJSON *tree = NULL;
	struct json_error at = { 0, "" };
	double format;
	int r = read_text(path, &text);

	if (r < 0) {
		str_printf(error, "%s: cannot be read: %s; is this a backup?\n", path,
			   strerror(-r));
		return r;
	}
	if (json_parse(str_get(&text), text.len, JSON_FOREIGN, &tree, &at) < 0) {
		str_printf(error, "%s: byte %zu: %s\n", path, at.offset, at.text);
		return -EINVAL;
	}
	if (!take_number(tree, "format", 1e6, &format) || (int)format != BACKUP_FORMAT) {
		str_printf(error, "%s: not of a format that this jarvisctl knows\n", path);
		return -ENOTSUP;
	}
	if (take_manifest(ret, tree))
		return 0;
	str_printf(error, "%s: a member is missing, or not what it must be\n", path);
	return -EINVAL;
}

/* ── checking ──────────────────────────────────────────────────────────────────────────────────────────────── */

static bool is_sound(struct db *db)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = db_query(db, "PRAGMA integrity_check(1)");

	return db_next(rows) > 0 && str_eq_null(db_text(rows, 0), "ok");
}

static void check_database(const char *place, struct str *error)
{
	_cleanup_(db_freep) struct db *db = NULL;
	_cleanup_(str_done) struct str why = { 0 };

	if (db_open_to_read(place, &db, &why) < 0)
		str_printf(error, "%s\n", str_get(&why));
	else if (!is_sound(db))
		str_printf(error, "%s: is damaged\n", place);
}

static void check_entry(const char *folder, const struct backup_entry *entry, struct str *error)
{
	_cleanup_(freep) char *place = backup_place(folder, entry->path);
	int fd = open(place, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct backup_entry is = { 0 };
	int r = fd < 0 ? -errno : 0;
	bool is_file = entry->kind == BACKUP_FILE || entry->kind == BACKUP_DATABASE;

	if (r == 0 && is_file)
		r = backup_copy(fd, -1, &is);
	if (fd >= 0)
		(void)close(fd);
	if (r < 0)
		str_printf(error, "%s: %s\n", place, strerror(-r));
	else if (is_file && !str_eq(is.sha256, entry->sha256))
		str_printf(error, "%s: is not what was saved\n", place);
	else if (entry->kind == BACKUP_DATABASE)
		check_database(place, error);
}

int backup_check(const char *folder, struct backup *ret, struct str *error)
{
	size_t before;
	int r = backup_read_manifest(folder, ret, error);

	if (r < 0)
		return r;
	before = error->len;
	for (size_t i = 0; i < ret->entries_n; i++) {
		/* A link is in the manifest alone. */
		if (ret->entries[i].kind != BACKUP_LINK)
			check_entry(folder, &ret->entries[i], error);
	}
	return error->len > before ? -EUCLEAN : 0;
}
