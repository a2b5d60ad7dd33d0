/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * Watches over civetweb's workers: each has a slot that says since when it is busy with which connection. Nobody keeps
 * one for longer than WATCH_LIMIT_MS, and when few are free, those who have not sent their request within
 * WATCH_HURRY_MS are cut off: a thousand silent or dripping connections cost others half a second. Slots are written
 * by the workers and read by the loop, through atomics.
 */
#include "common/time.h"

#include <uv.h>

#define WATCH_LIMIT_MS 15000
#define WATCH_HURRY_MS 500
/* Hurry when fewer workers than one in this many are free. */
#define WATCH_FREE_PART 4

struct watch;
struct watch_slot;

/* For connections to LOCAL_PORT. */
struct watch *watch_new(uv_loop_t *loop, const struct clock *clock, size_t workers,
			uint16_t local_port) _nodiscard_;
/* When no worker is left; the loop must run once more for the memory to go. */
void watch_free(struct watch *watch);
/* Connections that were cut off. */
int64_t watch_cut(const struct watch *watch);

/* ── for workers ───────────────────────────────────────────────────────────────────────────────────────────── */

/* The slot of a new worker; NULL when there are more workers than slots. */
struct watch_slot *watch_slot_take(struct watch *watch);
/* A connection from ADDRESS begins. SLOT may be NULL in all four. */
void watch_begin(struct watch_slot *slot, const char *address, int port);
/* Its request is there: it is served now. */
void watch_serve(struct watch_slot *slot);
/* It waits for us, up to WAIT_MS, which is no fault of the client: its limit counts from the end of that. */
void watch_wait(struct watch_slot *slot, int64_t wait_ms);
void watch_end(struct watch_slot *slot);
