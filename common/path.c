/* SPDX-License-Identifier: MIT */
/*
 * Nothing is ever made normal here: a path that needs it is refused, so that what a person approves, what is judged
 * and what is sent are the same bytes.
 */
#include "common/path.h"

#include <string.h>

#include "common/str.h"
#include "common/utf8.h"

/*
 * What runs the machine, what lets people in, guests' disks, and Jarvis itself. deploy/nodes/jarvis-act has the same;
 * docs/decisions.md says why.
 */
static const char *const forbidden[] = {
	"/bin",
	"/boot",
	"/dev",
	"/etc",
	"/lib",
	"/lib64",
	"/proc",
	"/root",
	"/run",
	"/sbin",
	"/srv/jarvis",
	"/sys",
	"/usr",
	"/var/lib/jarvis",
	"/var/lib/jarvis-act",
	"/var/lib/jarvis-thermal",
	"/var/lib/pve-cluster",
	"/var/lib/vz/images",
	"/var/lib/vz/private",
	"/var/run",
	"/var/spool/cron",
};

/* Looks like a blank, or like nothing at all, and is none that a keyboard makes. */
static bool is_odd_blank(uint32_t c)
{
	static const uint32_t odd[] = { 0xa0, 0x1680, 0x202f, 0x205f, 0x2800, 0x3000, 0xffa0 };

	for (size_t i = 0; i < countof(odd); i++) {
		if (c == odd[i])
			return true;
	}
	return c >= 0x2000 && c <= 0x200a;
}

static bool is_seen(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;

	for (size_t left = strlen(text), n; left > 0; p += n, left -= n) {
		uint32_t c;

		n = utf8_length(p, left);
		if (!n)
			return false;
		c = utf8_code_point(p, n);
		if (utf8_is_hidden(c) || is_odd_blank(c))
			return false;
	}
	return true;
}

/* A blank at an edge, or two in a row, is seen by nobody. */
static const char *component_objection(const char *at, size_t n)
{
	if (!n)
		return "has an empty component (// or / at the end)";
	if (n <= 2 && at[0] == '.' && at[n - 1] == '.')
		return "has a component . or ..";
	if (at[0] == ' ' || at[n - 1] == ' ' || memmem(at, n, "  ", 2))
		return "has blanks that cannot be seen";
	return NULL;
}

const char *path_objection(const char *text)
{
	const char *why;

	if (text[0] != '/')
		return "is not an absolute path";
	if (strlen(text) > PATH_TEXT_MAX)
		return "is longer than 512 bytes";
	if (!is_seen(text))
		return "has characters that cannot be seen, or is not UTF-8";
	if (!text[1])
		return "is the root of everything";
	for (const char *at = text; *at;) {
		size_t n = strcspn(at + 1, "/");

		why = component_objection(at + 1, n);
		if (why)
			return why;
		at += n + 1;
	}
	return NULL;
}

bool path_is_below(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	return strncmp(path, folder, n) == 0 && (!path[n] || path[n] == '/');
}

bool path_touches(const char *path, const char *other)
{
	return path_is_below(path, other) || path_is_below(other, path);
}

const char *path_forbidden(const char *path)
{
	for (size_t i = 0; i < countof(forbidden); i++) {
		if (path_touches(path, forbidden[i]))
			return forbidden[i];
	}
	return NULL;
}
