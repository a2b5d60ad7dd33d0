/* SPDX-License-Identifier: MIT */
/*
 * Views and their frames. Documents and events go into a frame in the order of their numbers, so that a frame that
 * is full simply ends at a number.
 */
#include "services/gateway/view.h"

#include <inttypes.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "services/gateway/filter.h"

#define CACHE_SIZE 8
/* A frame holds ages, so it is not shared for longer. */
#define CACHE_MS 100

struct cached {
	uint64_t from, to; /* mirror_seq() when it was built */
	uint64_t pos;	   /* where it ends */
	int64_t at_ms;
	bool used;
	struct ws_frame *frame; /* NULL: nothing to say */
};

/* A page of a snapshot. */
struct page {
	char *id;
	uint64_t from, target, pos;
	int64_t at_ms;
	struct ws_frame *frame;
};

struct view {
	struct view_hub *hub;
	struct view *next;
	unsigned refs;
	char *key;
	char **filters;
	size_t filters_n;
	uint64_t allowed;
	struct cached cache[CACHE_SIZE];
	size_t cache_next;
	struct page pages[CACHE_SIZE];
	size_t pages_next;
	uint64_t target; /* of the newest snapshot, begun at target_ms */
	int64_t target_ms;
};

struct view_hub {
	const struct mirror *mirror;
	struct view *views;
};

_Static_assert(TOPIC_COUNT <= 64, "a bit per topic");

struct view_hub *view_hub_new(const struct mirror *mirror)
{
	struct view_hub *hub = xnew(struct view_hub);

	hub->mirror = mirror;
	return hub;
}

void view_hub_free(struct view_hub *hub)
{
	free(hub);
}

/* ── views ─────────────────────────────────────────────────────────────────────────────────────────────────────── */

bool view_matches(const struct view *view, enum topic_id id, const char *topic)
{
	if (id < TOPIC_COUNT && !(view->allowed & (uint64_t)1 << id))
		return false;
	for (size_t i = 0; i < view->filters_n; i++) {
		if (filter_matches(view->filters[i], topic))
			return true;
	}
	return false;
}

static int compare_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted, each once; the texts are borrowed. */
static size_t normalise(const char *const *filters, size_t n, const char **ret)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		ret[i] = filters[i];
	if (n > 1)
		qsort(ret, n, sizeof(*ret), compare_text);
	for (size_t i = 0; i < n; i++) {
		if (kept == 0 || !str_eq(ret[kept - 1], ret[i]))
			ret[kept++] = ret[i];
	}
	return kept;
}

static char *make_key(const char *const *filters, size_t n, uint64_t allowed)
{
	struct str key = { 0 };

	str_printf(&key, "%" PRIx64, allowed);
	for (size_t i = 0; i < n; i++)
		str_printf(&key, "\n%s", filters[i]);
	return str_take(&key);
}

struct view *view_get(struct view_hub *hub, const char *const *filters, size_t filters_n,
		      uint64_t allowed)
{
	_cleanup_(freep) const char **sorted = xcalloc(filters_n + 1, sizeof(*sorted));
	size_t n = normalise(filters, filters_n, sorted);
	_cleanup_(freep) char *key = make_key(sorted, n, allowed);
	struct view *view = hub->views;

	while (view && !str_eq(view->key, key))
		view = view->next;
	if (view) {
		view->refs++;
		return view;
	}
	view = xnew(struct view);
	view->hub = hub;
	view->refs = 1;
	view->key = take(key);
	view->allowed = allowed;
	view->filters_n = n;
	view->filters = xcalloc(n + 1, sizeof(*view->filters));
	for (size_t i = 0; i < n; i++)
		view->filters[i] = xstrdup(sorted[i]);
	view->next = hub->views;
	hub->views = view;
	return view;
}

void view_unref(struct view *view)
{
	struct view **at;

	if (!view || --view->refs > 0)
		return;
	at = &view->hub->views;
	while (*at != view)
		at = &(*at)->next;
	*at = view->next;
	for (size_t i = 0; i < CACHE_SIZE; i++) {
		ws_frame_unref(view->cache[i].frame);
		ws_frame_unref(view->pages[i].frame);
		free(view->pages[i].id);
	}
	for (size_t i = 0; i < view->filters_n; i++)
		free(view->filters[i]);
	free(view->filters);
	free(view->key);
	free(view);
}

static void trim(struct view *view, int64_t boot_ms)
{
	for (size_t i = 0; i < CACHE_SIZE; i++) {
		struct cached *cached = &view->cache[i];
		struct page *page = &view->pages[i];

		if (cached->used && boot_ms - cached->at_ms >= CACHE_MS) {
			ws_frame_unref(cached->frame);
			*cached = (struct cached){ 0 };
		}
		if (page->frame && boot_ms - page->at_ms >= CACHE_MS) {
			ws_frame_unref(page->frame);
			free(page->id);
			*page = (struct page){ 0 };
		}
	}
}

void view_hub_trim(struct view_hub *hub, int64_t boot_ms)
{
	for (struct view *view = hub->views; view; view = view->next)
		trim(view, boot_ms);
}

/* ── frames ────────────────────────────────────────────────────────────────────────────────────────────────── */

/* A frame being written: three lists that grow side by side. */
struct writing {
	struct str docs, events, seen;
};

static void writing_done(struct writing *w)
{
	str_done(&w->docs);
	str_done(&w->events);
	str_done(&w->seen);
}

static void add_item(struct str *list, const char *text, size_t length)
{
	if (list->len)
		str_add_char(list, ',');
	str_add_n(list, text, length);
}

static bool has_room(const struct writing *w, size_t more)
{
	size_t used = w->docs.len + w->events.len + w->seen.len;

	return used == 0 || used + more + 256 <= VIEW_FRAME_MAX;
}

static void add_seen(struct writing *w, const struct mirror_doc *doc, int64_t boot_ms)
{
	if (doc->gone || !mirror_has_age(doc->id))
		return;
	if (w->seen.len)
		str_add_char(&w->seen, ',');
	/* The text begins with the quoted topic and a colon. */
	str_add_n(&w->seen, doc->text, doc->json_at);
	if (doc->live_ms == MIRROR_NEVER)
		str_add(&w->seen, "null");
	else
		str_printf(&w->seen, "%" PRId64, max_of(boot_ms - doc->live_ms, (int64_t)0));
}

/* Adds the document when it belongs there; false when the frame is full. */
static bool add_doc(struct writing *w, const struct view *view, const struct mirror_doc *doc,
		    bool gone_too, int64_t boot_ms)
{
	if ((doc->gone && !gone_too) || !view_matches(view, doc->id, doc->topic))
		return true;
	if (!has_room(w, doc->text_len))
		return false;
	add_item(&w->docs, doc->text, doc->text_len);
	add_seen(w, doc, boot_ms);
	return true;
}

static bool add_event(struct writing *w, const struct view *view, const struct mirror_event *event)
{
	if (!view_matches(view, event->id, event->topic))
		return true;
	if (!has_room(w, event->text_len))
		return false;
	add_item(&w->events, event->text, event->text_len);
	return true;
}

/* Fills W with what came after *POS, until it is full; moves *POS on. */
static void write_changes(struct writing *w, const struct view *view, uint64_t *pos,
			  int64_t boot_ms)
{
	const struct mirror *mirror = view->hub->mirror;
	struct mirror_cursor cursor = { 0 };
	const struct mirror_doc *doc = mirror_after(mirror, *pos);
	const struct mirror_event *event = mirror_next_event(mirror, *pos, &cursor);

	while (doc || event) {
		bool document = doc && (!event || doc->seq < event->seq);

		if (document ? !add_doc(w, view, doc, true, boot_ms) : !add_event(w, view, event))
			return;
		*pos = document ? doc->seq : event->seq;
		if (document)
			doc = mirror_next(doc);
		else
			event = mirror_next_event(mirror, *pos, &cursor);
	}
	*pos = mirror_seq(mirror);
}

static struct ws_frame *build_changes(const struct view *view, uint64_t *pos, int64_t boot_ms)
{
	_cleanup_(writing_done) struct writing w = { 0 };
	_cleanup_(str_done) struct str text = { 0 };

	write_changes(&w, view, pos, boot_ms);
	if (!w.docs.len && !w.events.len)
		return NULL;
	str_printf(&text, "{\"op\":\"chg\",\"seq\":%" PRIu64 ",\"docs\":{", *pos);
	str_add_n(&text, str_get(&w.docs), w.docs.len);
	str_add(&text, "},\"events\":[");
	str_add_n(&text, str_get(&w.events), w.events.len);
	str_add(&text, "],\"seen\":{");
	str_add_n(&text, str_get(&w.seen), w.seen.len);
	str_add(&text, "}}");
	return ws_frame_new(WS_TEXT, text.data, text.len);
}

static const struct cached *find_cached(const struct view *view, uint64_t from, int64_t boot_ms)
{
	for (size_t i = 0; i < CACHE_SIZE; i++) {
		const struct cached *c = &view->cache[i];

		if (c->used && c->from == from && c->to == mirror_seq(view->hub->mirror) &&
		    boot_ms - c->at_ms < CACHE_MS)
			return c;
	}
	return NULL;
}

struct ws_frame *view_changes(struct view *view, uint64_t *pos, int64_t boot_ms)
{
	const struct cached *known = find_cached(view, *pos, boot_ms);
	struct cached fresh = { .from = *pos, .at_ms = boot_ms, .used = true };

	if (!known) {
		struct cached *slot = &view->cache[view->cache_next++ % CACHE_SIZE];

		fresh.to = mirror_seq(view->hub->mirror);
		fresh.pos = *pos;
		fresh.frame = build_changes(view, &fresh.pos, boot_ms);
		ws_frame_unref(slot->frame);
		*slot = fresh;
		known = slot;
	}
	*pos = known->pos;
	return known->frame ? ws_frame_ref(known->frame) : NULL;
}

static struct ws_frame *build_page(const struct view *view, const char *id, uint64_t *pos,
				   uint64_t target, int64_t boot_ms)
{
	_cleanup_(writing_done) struct writing w = { 0 };
	_cleanup_(str_done) struct str text = { 0 };
	const struct mirror_doc *doc = mirror_after(view->hub->mirror, *pos);
	bool more = false;

	for (; doc && doc->seq <= target && !more; doc = mirror_next(doc)) {
		more = !add_doc(&w, view, doc, false, boot_ms);
		if (!more)
			*pos = doc->seq;
	}
	if (!more)
		*pos = target;
	str_printf(&text, "{\"op\":\"snap\",\"id\":%s,\"seq\":%" PRIu64 ",\"docs\":{", id, target);
	str_add_n(&text, str_get(&w.docs), w.docs.len);
	str_add(&text, "},\"seen\":{");
	str_add_n(&text, str_get(&w.seen), w.seen.len);
	str_printf(&text, "},\"more\":%s}", more ? "true" : "false");
	return ws_frame_new(WS_TEXT, text.data, text.len);
}

uint64_t view_snapshot_target(struct view *view, int64_t boot_ms)
{
	if (!view->target || boot_ms - view->target_ms >= CACHE_MS ||
	    view->target < mirror_floor(view->hub->mirror)) {
		view->target = mirror_seq(view->hub->mirror);
		view->target_ms = boot_ms;
	}
	return view->target;
}

static const struct page *find_page(const struct view *view, const char *id, uint64_t from,
				    uint64_t target, int64_t boot_ms)
{
	for (size_t i = 0; i < CACHE_SIZE; i++) {
		const struct page *page = &view->pages[i];

		if (page->frame && page->from == from && page->target == target &&
		    str_eq(page->id, id) && boot_ms - page->at_ms < CACHE_MS)
			return page;
	}
	return NULL;
}

struct ws_frame *view_snapshot(struct view *view, const char *id, uint64_t *pos, uint64_t target,
			       int64_t boot_ms)
{
	const struct page *known = find_page(view, id, *pos, target, boot_ms);
	struct page *slot = &view->pages[view->pages_next % CACHE_SIZE];

	if (!known) {
		view->pages_next++;
		ws_frame_unref(slot->frame);
		free(slot->id);
		*slot = (struct page){ .id = xstrdup(id),
				       .from = *pos,
				       .target = target,
				       .pos = *pos,
				       .at_ms = boot_ms };
		slot->frame = build_page(view, id, &slot->pos, target, boot_ms);
		known = slot;
	}
	*pos = known->pos;
	return ws_frame_ref(known->frame);
}
