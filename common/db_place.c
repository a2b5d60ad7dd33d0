/* SPDX-License-Identifier: MIT */
/*
 * Whether the files of an open database are still under their names. The index counts as well: another process that
 * opens the file would make one of its own, and the two would not see each other's locks.
 */
#include "common/db_internal.h"

#include "common/alloc.h"

#include <errno.h>

static int check_one(struct db *db, struct db_place *place, const char *suffix)
{
	_cleanup_(freep) char *path = xasprintf("%s%s", db->path, suffix);
	struct stat st;
	int r = stat(path, &st) < 0 ? -errno : 0;

	if (r == 0 && !place->ino)
		*place = (struct db_place){ st.st_dev, st.st_ino };
	/* Not made yet. */
	if (!place->ino)
		return 0;
	if (r == 0 && st.st_dev == place->dev && st.st_ino == place->ino)
		return 0;
	str_clear(&db->error);
	str_printf(&db->error,
		   "%s was %s while it was in use: what is written now would not be found again",
		   path, r < 0 ? "deleted or moved" : "replaced");
	return -ESTALE;
}

int db_check_place(struct db *db)
{
	static const char *const suffixes[DB_FILES] = { "", "-wal", "-shm" };
	int r = 0;

	for (size_t i = 0; i < DB_FILES && r == 0; i++)
		r = check_one(db, &db->places[i], suffixes[i]);
	return r;
}
