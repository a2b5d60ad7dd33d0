/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * Jobs for libuv's thread pool: what blocks (DNS, a password hash, an SSH login).
 */
#include "common/base.h"

#include <uv.h>

/* Runs on a pool thread; touches nothing but what CTX owns. */
typedef void (*work_fn)(void *ctx);
/* Runs on the loop afterwards, always exactly once; CANCELLED when the job was taken back before it began. */
typedef void (*work_done_fn)(void *ctx, bool cancelled);

/* 0 or -errno, in which case neither function is called. CTX must live until DONE. */
int work_run(uv_loop_t *loop, work_fn fn, work_done_fn done, void *ctx) _nodiscard_;
/*
 * So many jobs may run at once (8 to 256): where some wait for machines that do not answer, the others go on. To be
 * called before the first job; what UV_THREADPOOL_SIZE in the environment says stays.
 */
void work_reserve(size_t jobs);
