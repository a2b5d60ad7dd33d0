/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * What a client wants to see of the mirror: a set of topic filters. Equal sets are one view, and clients that have
 * the same view and the same number share one frame, so that 500 browsers cost one piece of JSON.
 */
#include "services/gateway/mirror.h"
#include "services/gateway/ws_frame.h"

#define VIEW_FRAME_MAX (256 * 1024)

struct view_hub;
struct view;

/* MIRROR must outlive the hub. */
struct view_hub *view_hub_new(const struct mirror *mirror) _nodiscard_;
/* When all views are gone. */
void view_hub_free(struct view_hub *hub);
/* Drops the frames that are too old to be shared: up to 4 MiB a view. */
void view_hub_trim(struct view_hub *hub, int64_t boot_ms);

/*
 * The view of FILTERS (MQTT filters below {base}; copied), restricted to the topics in ALLOWED (a bit per topic_id;
 * documents of the gateway's own are always allowed). One reference.
 */
struct view *view_get(struct view_hub *hub, const char *const *filters, size_t filters_n,
		      uint64_t allowed) _nodiscard_;
/* NULL is nothing. */
void view_unref(struct view *view);
bool view_matches(const struct view *view, enum topic_id id, const char *topic);

/*
 * The next `chg` frame for a client that has everything up to *POS; moves *POS on. NULL when nothing in between
 * concerns it. After a full frame *POS may still be behind mirror_seq(). The caller owns a reference.
 */
struct ws_frame *view_changes(struct view *view, uint64_t *pos, int64_t boot_ms) _nodiscard_;
/*
 * Where a snapshot may begin: the newest number, or one of a moment ago at which others began, so that their pages are
 * shared. What changed since comes as changes.
 */
uint64_t view_snapshot_target(struct view *view, int64_t boot_ms);
/*
 * The next page of a `snap` of the documents with numbers in *POS+1 … TARGET; moves *POS on, to TARGET with the last
 * page. ID is JSON. Never NULL.
 */
struct ws_frame *view_snapshot(struct view *view, const char *id, uint64_t *pos, uint64_t target,
			       int64_t boot_ms) _nodiscard_;
