/* SPDX-License-Identifier: MIT */
/*
 * Folders for tests: what goes wrong here fails the test.
 */
#include "tests/unit/folder.h"

#include "common/alloc.h"
#include "common/str.h"
#include "tests/unit/check.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

char *folder_make(const char *path, const char *name)
{
	char *made = xasprintf("%s/%s", path, name);

	assert_int_equal(mkdir(made, 0700), 0);
	return made;
}

void folder_write(const char *path, const char *name, const char *text)
{
	_cleanup_(freep) char *whole = xasprintf("%s/%s", path, name);
	int fd = open(whole, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	(void)close(fd);
}

void folder_remove(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		_cleanup_(freep) char *below = xasprintf("%s/%s", path, entry->d_name);

		if (entry->d_name[0] != '.' && unlink(below) < 0)
			folder_remove(below);
	}
	if (dir)
		(void)closedir(dir);
	(void)rmdir(path);
}
