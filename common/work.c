/* SPDX-License-Identifier: MIT */
/*
 * Jobs for the thread pool; each owns its request.
 */
#include "common/work.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/alloc.h"

#define JOBS_MIN 8
#define JOBS_MAX 256

struct job {
	uv_work_t request;
	work_fn fn;
	work_done_fn done;
	void *ctx;
};

static void run_cb(uv_work_t *request)
{
	struct job *job = request->data;

	job->fn(job->ctx);
}

static void after_cb(uv_work_t *request, int status)
{
	struct job *job = request->data;
	work_done_fn done = job->done;
	void *ctx = job->ctx;

	free(job);
	done(ctx, status == UV_ECANCELED);
}

int work_run(uv_loop_t *loop, work_fn fn, work_done_fn done, void *ctx)
{
	struct job *job = xnew(struct job);
	int r;

	job->request.data = job;
	job->fn = fn;
	job->done = done;
	job->ctx = ctx;
	r = uv_queue_work(loop, &job->request, run_cb, after_cb);
	if (r < 0)
		free(job);
	return r;
}

void work_reserve(size_t jobs)
{
	char text[8];

	/* libuv looks when the first job comes. */
	(void)snprintf(text, sizeof(text), "%zu",
		       min_of(max_of(jobs, (size_t)JOBS_MIN), (size_t)JOBS_MAX));
	(void)setenv("UV_THREADPOOL_SIZE", text, 0);
}
