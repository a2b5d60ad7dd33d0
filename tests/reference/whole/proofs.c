/* SPDX-License-Identifier: MIT */
/*
 * Keywords, in place of their costly hashes.
 */
#include "common/alloc.h"
#include "common/password.h"
#include "tests/reference/whole/check.h"

#include <stdlib.h>

struct typed {
	password_done_fn done;
	void *ctx;
	bool is_right;
};

static void drop_typed(void *ctx)
{
	_cleanup_(freep) struct typed *typed = ctx;

	typed->done(typed->ctx, PASSWORD_FAILED, NULL);
}

static void typed_cb(struct whole *w, void *ctx)
{
	_cleanup_(freep) struct typed *typed = ctx;

	typed->done(typed->ctx, typed->is_right ? PASSWORD_RIGHT : PASSWORD_WRONG, NULL);
	side_settle(&w->gate);
}

static bool is_any(void *ctx, void *of)
{
	return ctx || of;
}

void proofs_forget(struct whole *w)
{
	event_cancel_all(w, typed_cb, is_any, w);
}

bool __wrap_password_verify(struct password_jobs *jobs, const char *hash, const char *password,
			    password_done_fn done, void *ctx);

/* The hash takes its time, as the real one, and none of ours. */
bool __wrap_password_verify(struct password_jobs *jobs, const char *hash, const char *password,
			    password_done_fn done, void *ctx)
{
	struct whole *w = whole_current;
	struct typed *typed = xnew(struct typed);

	(void)jobs;
	*typed = (struct typed){ done, ctx, hash && str_eq(password, WHOLE_KEYWORD) };
	event_add(w, whole_between(w, 60, 600), &w->gate, typed_cb, drop_typed, typed);
	return true;
}
