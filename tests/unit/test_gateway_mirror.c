/* SPDX-License-Identifier: MIT */
/*
 * The mirror and its views: numbers, tombstones, rounds, ages, floors, frames and pages; and the property that matters:
 * a client that follows by snapshot and changes has what the mirror has, whatever happened in between.
 */
#include "services/gateway/filter.h"
#include "services/gateway/mirror.h"
#include "services/gateway/view.h"

#include <stdio.h>

#include "common/alloc.h"
#include "common/json.h"

#include "tests/unit/check.h"

#define ALL_TOPICS (~(uint64_t)0)
#define NODE "pve/home/node/pve/state"
#define CLUSTER "pve/home/state"
#define PRESENCE "service/monitor/main/state"

static bool set(struct mirror *m, enum topic_id id, const char *topic, const char *json, bool live,
		int64_t now_ms)
{
	return mirror_set(m, id, topic, json, strlen(json), live, now_ms);
}

static void test_changes_are_numbered(void **state)
{
	_cleanup_(mirror_freep) struct mirror *m = mirror_new();
	const struct mirror_doc *doc;

	(void)state;
	assert_true(set(m, TOPIC_NODE_STATE, NODE, "{\"a\":1}", true, 0));
	assert_true(set(m, TOPIC_CLUSTER_STATE, CLUSTER, "{}", true, 0));
	assert_int_equal(mirror_seq(m), 2);
	/* The same again is none, but where the age matters. */
	assert_false(set(m, TOPIC_NODE_STATE, NODE, "{\"a\":1}", true, 5));
	assert_true(set(m, TOPIC_CLUSTER_STATE, CLUSTER, "{}", true, 5));
	assert_false(set(m, TOPIC_CLUSTER_STATE, CLUSTER, "{}", false, 6));
	assert_true(set(m, TOPIC_NODE_STATE, NODE, "{\"a\":2}", true, 7));
	assert_int_equal(mirror_seq(m), 4);
	doc = mirror_after(m, 0);
	assert_string_equal(doc->text, "\"pve/home/state\":{}");
	doc = mirror_next(doc);
	assert_string_equal(doc->text, "\"pve/home/node/pve/state\":{\"a\":2}");
	assert_string_equal(doc->text + doc->json_at, "{\"a\":2}");
	assert_null(mirror_next(doc));
	assert_ptr_equal(mirror_after(m, 3), doc);
	assert_null(mirror_after(m, 4));
	assert_ptr_equal(mirror_get(m, NODE), doc);
	assert_null(mirror_get(m, "pve/home/node/other/state"));
	assert_int_equal(mirror_stats(m)->documents, 2);
}

static void test_clearing_leaves_a_tombstone(void **state)
{
	_cleanup_(mirror_freep) struct mirror *m = mirror_new();
	const struct mirror_doc *doc;

	(void)state;
	(void)set(m, TOPIC_NODE_STATE, NODE, "{}", true, 0);
	assert_true(mirror_clear(m, NODE));
	assert_false(mirror_clear(m, NODE));
	assert_false(mirror_clear(m, "unknown"));
	assert_null(mirror_get(m, NODE));
	doc = mirror_after(m, 1);
	assert_true(doc->gone);
	assert_string_equal(doc->text, "\"pve/home/node/pve/state\":null");
	assert_int_equal(mirror_stats(m)->documents, 0);
	assert_true(set(m, TOPIC_NODE_STATE, NODE, "{}", true, 1));
	assert_non_null(mirror_get(m, NODE));
	assert_int_equal(mirror_stats(m)->documents, 1);
}

static void test_too_many_tombstones_raise_the_floor(void **state)
{
	_cleanup_(mirror_freep) struct mirror *m = mirror_new();
	char topic[64];

	(void)state;
	(void)set(m, TOPIC_CLUSTER_STATE, CLUSTER, "{}", true, 0);
	for (int i = 0; i < MIRROR_TOMBSTONES_MAX + 3; i++) {
		(void)snprintf(topic, sizeof(topic), "pve/home/guest/%d/state", i);
		(void)set(m, TOPIC_GUEST_STATE, topic, "{}", true, 0);
		(void)mirror_clear(m, topic);
	}
	/* The first was set with 2 and cleared with 3; three of them are forgotten. */
	assert_int_equal(mirror_floor(m), 3 + 2 * 2);
	assert_int_equal(mirror_stats(m)->documents, 1);
	assert_non_null(mirror_get(m, CLUSTER));
}

static void test_sweep_takes_what_did_not_come_again(void **state)
{
	_cleanup_(mirror_freep) struct mirror *m = mirror_new();

	(void)state;
	(void)set(m, TOPIC_NODE_STATE, NODE, "{}", true, 0);
	(void)set(m, TOPIC_CLUSTER_STATE, CLUSTER, "{}", true, 0);
	(void)set(m, TOPIC_SERVICE_STATE, PRESENCE, "\"online\"", true, 0);
	(void)set(m, TOPIC_COUNT, "link", "{}", true, 0);
	mirror_begin_round(m);
	assert_true(mirror_get(m, CLUSTER)->live_ms == MIRROR_NEVER);
	(void)set(m, TOPIC_CLUSTER_STATE, CLUSTER, "{}", false, 1);
	assert_true(mirror_get(m, CLUSTER)->live_ms == MIRROR_NEVER);
	assert_int_equal(mirror_sweep(m), 2);
	assert_null(mirror_get(m, NODE));
	assert_null(mirror_get(m, PRESENCE));
	assert_non_null(mirror_get(m, CLUSTER));
	assert_non_null(mirror_get(m, "link"));
	assert_int_equal(mirror_sweep(m), 0);
}

static void test_expiry_spares_presence(void **state)
{
	_cleanup_(mirror_freep) struct mirror *m = mirror_new();

	(void)state;
	(void)set(m, TOPIC_NODE_STATE, NODE, "{}", true, 1000);
	(void)set(m, TOPIC_SERVICE_STATE, PRESENCE, "\"online\"", true, 1000);
	assert_int_equal(mirror_expire(m, 1500, 500), 0);
	/* Renewed without a change: lives on. */
	assert_false(set(m, TOPIC_NODE_STATE, NODE, "{}", true, 1400));
	assert_int_equal(mirror_expire(m, 1501, 500), 0);
	assert_int_equal(mirror_expire(m, 1901, 500), 1);
	assert_non_null(mirror_get(m, PRESENCE));
}

static void event(struct mirror *m, enum topic_id id, const char *topic, int n)
{
	char json[32];

	(void)snprintf(json, sizeof(json), "{\"n\":%d}", n);
	mirror_event(m, id, topic, json, strlen(json));
}

static void test_events_keep_their_order_and_overflow(void **state)
{
	_cleanup_(mirror_freep) struct mirror *m = mirror_new();
	struct mirror_cursor cursor = { 0 };

	(void)state;
	event(m, TOPIC_EVENT_TASK, "event/task", 1);
	event(m, TOPIC_SERVICE_LOG, "service/a/b/log", 2);
	event(m, TOPIC_EVENT_TASK, "event/task", 3);
	assert_string_equal(mirror_next_event(m, 0, &cursor)->text, "[\"event/task\",{\"n\":1}]");
	assert_string_equal(mirror_next_event(m, 0, &cursor)->text,
			    "[\"service/a/b/log\",{\"n\":2}]");
	assert_string_equal(mirror_next_event(m, 0, &cursor)->text, "[\"event/task\",{\"n\":3}]");
	assert_null(mirror_next_event(m, 0, &cursor));
	cursor = (struct mirror_cursor){ 0 };
	assert_int_equal(mirror_next_event(m, 2, &cursor)->seq, 3);
	/* A stream may be dropped; an event that is lost must be told of. */
	for (int i = 0; i < MIRROR_STREAM_MAX + 10; i++)
		event(m, TOPIC_SERVICE_LOG, "service/a/b/log", i);
	assert_int_equal(mirror_floor(m), 0);
	assert_int_equal(mirror_stats(m)->stream_dropped, 11);
	for (int i = 0; i < MIRROR_EVENTS_MAX - 1; i++)
		event(m, TOPIC_EVENT_TASK, "event/task", i);
	assert_int_equal(mirror_floor(m), 1);
}

static void test_filters(void **state)
{
	static const struct {
		const char *filter, *topic;
		bool matches;
	} cases[] = {
		{ "#", "pve/home/state", true },
		{ "pve/#", "pve/home/state", true },
		{ "pve/#", "pve", true },
		{ "pve/#", "pvex/home", false },
		{ "pve/+/state", "pve/home/state", true },
		{ "pve/+/state", "pve/home/node/state", false },
		{ "pve/+", "pve/home/state", false },
		{ "pve/home/state", "pve/home", false },
		{ "+/+/state", "pve/home/state", true },
		{ "link", "link", true },
		{ "link", "lin", false },
	};
	static const char *const bad[] = { "",	 "/",  "a//b", "a/",   "/a",	     "#/a",
					   "a#", "a+", "a/+b", "$x y", "a/\xc3\xa4", "a\"b" };

	(void)state;
	for (size_t i = 0; i < countof(cases); i++) {
		assert_true(filter_is_valid(cases[i].filter));
		assert_int_equal(filter_matches(cases[i].filter, cases[i].topic), cases[i].matches);
	}
	for (size_t i = 0; i < countof(bad); i++)
		assert_false(filter_is_valid(bad[i]));
}

/* The payload of a frame, which must be JSON. */
static cJSON *parse_frame(const struct ws_frame *frame)
{
	size_t header = frame->data[1] < 126 ? 2 : frame->data[1] == 126 ? 4 : 10;
	cJSON *tree = NULL;

	assert_int_equal(json_parse((const char *)frame->data + header, frame->len - header,
				    JSON_FOREIGN, &tree, NULL),
			 0);
	return tree;
}

static void test_equal_views_share_frames(void **state)
{
	static const char *const one[] = { "pve/#", "service/#" };
	static const char *const two[] = { "service/#", "pve/#", "pve/#" };
	_cleanup_(mirror_freep) struct mirror *m = mirror_new();
	struct view_hub *hub = view_hub_new(m);
	struct view *a = view_get(hub, one, 2, ALL_TOPICS);
	struct view *b = view_get(hub, two, 3, ALL_TOPICS);
	struct view *c = view_get(hub, one, 2, 1);
	struct ws_frame *first, *second, *later;
	uint64_t pos_a = 0, pos_b = 0, pos_c = 0;

	(void)state;
	assert_ptr_equal(a, b);
	assert_ptr_not_equal(a, c);
	(void)set(m, TOPIC_NODE_STATE, NODE, "{}", true, 0);
	first = view_changes(a, &pos_a, 0);
	second = view_changes(b, &pos_b, 10);
	assert_ptr_equal(first, second);
	assert_int_equal(first->refs, 3);
	assert_int_equal(pos_a, 1);
	/* Ages in a frame are not shared for long. */
	pos_b = 0;
	later = view_changes(b, &pos_b, 500);
	assert_ptr_not_equal(first, later);
	/* Not allowed: nothing to say, but the client has it. */
	assert_null(view_changes(c, &pos_c, 0));
	assert_int_equal(pos_c, 1);
	ws_frame_unref(first);
	ws_frame_unref(second);
	ws_frame_unref(later);
	view_unref(a);
	view_unref(b);
	view_unref(c);
	view_hub_free(hub);
}

static void test_old_frames_are_not_kept(void **state)
{
	static const char *const filters[] = { "#" };
	_cleanup_(mirror_freep) struct mirror *m = mirror_new();
	struct view_hub *hub = view_hub_new(m);
	struct view *view = view_get(hub, filters, 1, ALL_TOPICS);
	uint64_t pos = 0, snap_pos = 0;
	struct ws_frame *changes, *page;

	(void)state;
	(void)mirror_set(m, TOPIC_NODE_STATE, "pve/home/node/a/state", "1", 1, true, 1000);
	changes = view_changes(view, &pos, 1000);
	page = view_snapshot(view, "1", &snap_pos, mirror_seq(m), 1000);
	view_hub_trim(hub, 1050);
	assert_int_equal(changes->refs + page->refs, 4);
	view_hub_trim(hub, 1100);
	assert_int_equal(changes->refs + page->refs, 2);
	ws_frame_unref(changes);
	ws_frame_unref(page);
	view_unref(view);
	view_hub_free(hub);
}

static void test_ages_are_told(void **state)
{
	static const char *const filters[] = { "#" };
	_cleanup_(mirror_freep) struct mirror *m = mirror_new();
	struct view_hub *hub = view_hub_new(m);
	struct view *view = view_get(hub, filters, 1, ALL_TOPICS);
	_cleanup_(json_treep) cJSON *tree = NULL;
	struct ws_frame *frame;
	uint64_t pos = 0;
	const cJSON *seen;

	(void)state;
	(void)set(m, TOPIC_CLUSTER_STATE, CLUSTER, "{}", true, 1000);
	(void)set(m, TOPIC_SERVICE_STATE, PRESENCE, "\"online\"", false, 1000);
	(void)set(m, TOPIC_NODE_STATE, NODE, "{}", true, 1000);
	frame = view_snapshot(view, "7", &pos, mirror_seq(m), 1250);
	tree = parse_frame(frame);
	seen = json_get(tree, "seen");
	assert_int_equal(cJSON_GetArraySize(seen), 2);
	assert_true(json_get(seen, CLUSTER)->valuedouble == 250);
	assert_true(cJSON_IsNull(json_get(seen, PRESENCE)));
	assert_int_equal(cJSON_GetArraySize(json_get(tree, "docs")), 3);
	assert_true(json_get(tree, "id")->valuedouble == 7);
	assert_true(cJSON_IsFalse(json_get(tree, "more")));
	ws_frame_unref(frame);
	view_unref(view);
	view_hub_free(hub);
}

static void test_big_snapshots_come_in_pages(void **state)
{
	static const char *const filters[] = { "pve/#" };
	_cleanup_(mirror_freep) struct mirror *m = mirror_new();
	struct view_hub *hub = view_hub_new(m);
	struct view *view = view_get(hub, filters, 1, ALL_TOPICS);
	_cleanup_(freep) char *json = xcalloc(1, 1001);
	char topic[64];
	uint64_t pos = 0;
	size_t docs = 0, pages = 0;
	bool more = true;

	(void)state;
	memset(json, '7', 1000);
	json[0] = json[999] = '"';
	for (int i = 0; i < 1000; i++) {
		(void)snprintf(topic, sizeof(topic), "pve/home/guest/%d/state", i);
		(void)set(m, TOPIC_GUEST_STATE, topic, json, true, 0);
	}
	for (; more; pages++) {
		struct ws_frame *frame = view_snapshot(view, "\"x\"", &pos, 1000, 0);
		cJSON *tree = parse_frame(frame);

		assert_true(frame->len <= VIEW_FRAME_MAX + 64);
		docs += (size_t)cJSON_GetArraySize(json_get(tree, "docs"));
		more = cJSON_IsTrue(json_get(tree, "more"));
		cJSON_Delete(tree);
		ws_frame_unref(frame);
	}
	assert_int_equal(docs, 1000);
	assert_true(pages >= 4);
	view_unref(view);
	view_hub_free(hub);
}

/* ── the property ──────────────────────────────────────────────────────────────────────────────────────────── */

#define WORLD 40

struct follower {
	struct view *view;
	uint64_t pos, snap_pos, snap_target;
	bool in_snapshot;
	int values[WORLD]; /* -1: has none */
	int events;	   /* the last one seen */
};

static void apply_docs(struct follower *f, const cJSON *docs)
{
	const cJSON *doc;

	cJSON_ArrayForEach(doc, docs) {
		int n = -1;

		assert_int_equal(sscanf(doc->string, "pve/home/guest/%d/state", &n), 1);
		f->values[n] = cJSON_IsNull(doc) ? -1 : (int)doc->valuedouble;
	}
}

static void apply_events(struct follower *f, const cJSON *events)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, events) {
		int n = (int)cJSON_GetArrayItem(item, 1)->valuedouble;

		/* None twice, none left out. */
		assert_int_equal(n, f->events + 1);
		f->events = n;
	}
}

static void apply(struct follower *f, struct ws_frame *frame)
{
	cJSON *tree = parse_frame(frame);

	apply_docs(f, json_get(tree, "docs"));
	apply_events(f, json_get(tree, "events"));
	cJSON_Delete(tree);
	ws_frame_unref(frame);
}

static void follow(struct follower *f, const struct mirror *m)
{
	struct ws_frame *frame;

	if (f->in_snapshot) {
		apply(f, view_snapshot(f->view, "1", &f->snap_pos, f->snap_target, 0));
		f->in_snapshot = f->snap_pos < f->snap_target;
		return;
	}
	frame = f->pos < mirror_seq(m) ? view_changes(f->view, &f->pos, 0) : NULL;
	if (frame)
		apply(f, frame);
}

static void start_follower(struct follower *f, struct view *view, const struct mirror *m,
			   int events)
{
	*f = (struct follower){ .view = view, .in_snapshot = true, .events = events };
	f->pos = mirror_seq(m);
	f->snap_target = f->pos;
	memset(f->values, 0xff, sizeof(f->values));
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

static void change_world(struct mirror *m, uint32_t *seed, int *values, int *events)
{
	int n = (int)(next_random(seed) % WORLD);
	char topic[64], json[24];

	(void)snprintf(topic, sizeof(topic), "pve/home/guest/%d/state", n);
	switch (next_random(seed) % 4) {
	case 0:
		(void)mirror_clear(m, topic);
		values[n] = -1;
		break;
	case 1:
		(void)snprintf(json, sizeof(json), "%d", ++*events);
		mirror_event(m, TOPIC_EVENT_TASK, "event/task", json, strlen(json));
		break;
	default:
		values[n] = (int)(next_random(seed) % 1000);
		(void)snprintf(json, sizeof(json), "%d", values[n]);
		(void)set(m, TOPIC_GUEST_STATE, topic, json, true, 0);
		break;
	}
}

static void run_world(uint32_t seed)
{
	static const char *const filters[] = { "#" };
	_cleanup_(mirror_freep) struct mirror *m = mirror_new();
	struct view_hub *hub = view_hub_new(m);
	struct view *view = view_get(hub, filters, 1, ALL_TOPICS);
	struct follower followers[3];
	int values[WORLD], events = 0;

	memset(values, 0xff, sizeof(values));
	for (size_t i = 0; i < countof(followers); i++)
		start_follower(&followers[i], view, m, 0);
	for (int step = 0; step < 2000; step++) {
		struct follower *f = &followers[next_random(&seed) % countof(followers)];

		change_world(m, &seed, values, &events);
		if (next_random(&seed) % 3 == 0)
			follow(f, m);
		if (next_random(&seed) % 200 == 0)
			start_follower(f, view, m, events);
	}
	for (size_t i = 0; i < countof(followers); i++) {
		while (followers[i].in_snapshot || followers[i].pos < mirror_seq(m))
			follow(&followers[i], m);
		assert_memory_equal(followers[i].values, values, sizeof(values));
		assert_int_equal(followers[i].events, events);
	}
	view_unref(view);
	view_hub_free(hub);
}

static void test_followers_end_up_with_the_same(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 100; seed++)
		run_world(seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changes_are_numbered),
		cmocka_unit_test(test_clearing_leaves_a_tombstone),
		cmocka_unit_test(test_too_many_tombstones_raise_the_floor),
		cmocka_unit_test(test_sweep_takes_what_did_not_come_again),
		cmocka_unit_test(test_expiry_spares_presence),
		cmocka_unit_test(test_events_keep_their_order_and_overflow),
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_equal_views_share_frames),
		cmocka_unit_test(test_old_frames_are_not_kept),
		cmocka_unit_test(test_ages_are_told),
		cmocka_unit_test(test_big_snapshots_come_in_pages),
		cmocka_unit_test(test_followers_end_up_with_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
