/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * Paths that somebody else chose, as far as their text alone tells: absolute, in the one normal form, and measured by
 * whole components. What a path leads to only its own machine knows (deploy/nodes/jarvis-act). Pure.
 */
#include "common/base.h"

#define PATH_TEXT_MAX 512

/*
 * Why TEXT is no path that may be asked for; NULL when it is: absolute, at most PATH_TEXT_MAX bytes of UTF-8, no empty
 * component, no "." and "..", no slash at the end, nothing that cannot be seen, and not "/" itself. Static.
 */
const char *path_objection(const char *text);

/* Whether PATH is FOLDER or lies below it, by whole components. Both in the form above. */
bool path_is_below(const char *path, const char *folder);

/* Whether one of them is the other or lies below it: what is done to PATH may reach OTHER. */
bool path_touches(const char *path, const char *other);

/* The place that no parameter ever names and that PATH touches; NULL when there is none. Static. */
const char *path_forbidden(const char *path);
