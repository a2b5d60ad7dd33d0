/* SPDX-License-Identifier: MIT */
/*
 * The gate's side of the audit chain: transactions, checkpoints, what it finds at its start, pages for the dashboard.
 */
#include "common/alloc.h"
#include "common/json.h"
#include "tests/unit/audit_fixture.h"
#include "tests/unit/check.h"

#include <errno.h>

#include <sodium.h>

static void test_transactions(void **state)
{
	struct audit_world *w = *state;
	int64_t seq;

	assert_int_equal(db_begin(w->db), 0);
	assert_int_equal(audit_append(w->audit, "action", "{}", 2, &seq), 0);
	assert_int_equal(seq, 1);
	assert_int_equal(audit_append(w->audit, "action", "{}", 2, &seq), 0);
	assert_int_equal(seq, 2);
	db_rollback(w->db);
	assert_int_equal(db_begin(w->db), 0);
	assert_int_equal(audit_append(w->audit, "action", "{\"b\":2}", 7, &seq), 0);
	assert_int_equal(seq, 1);
	assert_int_equal(db_commit(w->db), 0);
	assert_int_equal(world_bad(w, NULL), 0);
	/* Not by mistake either. */
	assert_true(db_exec(w->db, "DELETE FROM record") < 0);
	assert_true(db_exec(w->db, "UPDATE record SET ts = 0") < 0);
	assert_int_equal(world_bad(w, NULL), 0);
}

static void test_too_long(void **state)
{
	struct audit_world *w = *state;
	_cleanup_(freep) char *body = xmalloc(AUDIT_BODY_MAX + 2);

	memset(body, '1', AUDIT_BODY_MAX + 1);
	body[AUDIT_BODY_MAX + 1] = '\0';
	assert_int_equal(world_append(w, "action", body), -EMSGSIZE);
	body[AUDIT_BODY_MAX] = '\0';
	assert_int_equal(world_append(w, "action", body), 0);
	assert_int_equal(world_bad(w, NULL), 0);
}

static void test_when_signed(void **state)
{
	struct audit_world *w = *state;
	struct msg_audit_checkpoint first, message;

	assert_int_equal(audit_last_signed(w->audit, w->arena, &message), 0);
	w->boot_ms += AUDIT_CHECKPOINT_MS;
	assert_int_equal(audit_sign_due(w->audit, w->arena, &message), 0);
	assert_int_equal(world_append(w, "action", "{}"), 0);
	assert_int_equal(audit_sign_due(w->audit, w->arena, &message), 1);
	assert_int_equal(message.size, 1);
	assert_string_equal(message.origin, AUDIT_ORIGIN);
	assert_int_equal(message.ts, w->wall_ms);
	assert_int_equal(strlen(message.head), 64);
	assert_int_equal(world_append(w, "action", "{}"), 0);
	assert_int_equal(audit_sign_due(w->audit, w->arena, &first), 0);
	assert_int_equal(audit_sign_now(w->audit, w->arena, &first), 1);
	assert_int_equal(first.size, 2);
	assert_int_equal(audit_sign_now(w->audit, w->arena, &message), 0);
	w->wall_ms += 5000;
	assert_int_equal(audit_last_signed(w->audit, w->arena, &message), 1);
	assert_string_equal(message.head, first.head);
	assert_string_equal(message.signature, first.signature);
	assert_int_equal(message.ts, first.ts);
}

static void test_reopen(void **state)
{
	struct audit_world *w = *state;

	(void)world_fill(w);
	assert_int_equal(world_open(w), 0);
	/* Before the last checkpoint it is verify's to find; at it and after it the gate sees it by itself. */
	for (int i = 99; i <= AUDIT_RECORDS; i++) {
		assert_int_equal(db_begin(w->db), 0);
		world_run_n(w, "UPDATE record SET hash = zeroblob(32) WHERE seq = ", i, "");
		assert_int_equal(world_open(w), i < 100 ? 0 : -EILSEQ);
		assert_int_equal(w->error.len == 0, i < 100);
		db_rollback(w->db);
	}
	assert_non_null(strstr(w->error.data, "jarvisctl audit verify"));
	assert_int_equal(db_begin(w->db), 0);
	world_run(w, "DELETE FROM record WHERE seq > 99");
	assert_int_equal(world_open(w), -EILSEQ);
	db_rollback(w->db);
	/* Signed by a key that is not known: all is followed, and its checkpoint refused. */
	assert_int_equal(grant_secret_from_hex(AUDIT_OTHER_SEED, w->secret), 0);
	assert_int_equal(world_open(w), -EILSEQ);
	assert_non_null(strstr(w->error.data, "keys"));
}

/* Nothing works any more, and every call says so. */
static void test_no_database(void **state)
{
	static const char *const broken[] = {
		"ALTER TABLE record RENAME TO elsewhere",
		"UPDATE record SET hash = x'00' WHERE seq = 200",
	};
	struct audit_world *w = *state;
	const struct audit_wish wish = { .limit = 10, .max_bytes = 1000 };
	struct msg_audit_checkpoint message;
	_cleanup_(str_done) struct str out = { 0 };

	(void)world_fill(w);
	for (size_t i = 0; i < countof(broken); i++) {
		assert_int_equal(db_begin(w->db), 0);
		world_run(w, broken[i]);
		assert_true(audit_append(w->audit, "action", "{}", 2, NULL) < 0);
		assert_true(audit_page(w->audit, &wish, &out) < 0);
		assert_int_equal(out.len, 0);
		assert_true(world_open(w) < 0);
		assert_true(w->error.len > 0);
		db_rollback(w->db);
		assert_int_equal(world_open(w), 0);
	}
	world_run(w, broken[0]);
	assert_true(audit_sign_due(w->audit, w->arena, &message) < 0);
	world_run(w, "ALTER TABLE checkpoint RENAME TO elsewhere_too");
	assert_true(audit_sign_now(w->audit, w->arena, &message) < 0);
	assert_true(audit_last_signed(w->audit, w->arena, &message) < 0);
	assert_true(world_open(w) < 0);
	assert_non_null(strstr(w->error.data, "checkpoint"));
}

/* A note that is none, and a disk that takes no more. */
static void test_no_checkpoint(void **state)
{
	struct audit_world *w = *state;
	struct msg_audit_checkpoint message;

	(void)world_fill(w);
	world_run(
		w,
		"CREATE TRIGGER full BEFORE INSERT ON checkpoint BEGIN SELECT RAISE(FAIL, 'full'); END");
	assert_true(audit_sign_now(w->audit, w->arena, &message) < 0);
	world_run(w, "DROP TRIGGER full");
	world_run(w, "UPDATE checkpoint SET note = 'rubbish'");
	assert_int_equal(audit_last_signed(w->audit, w->arena, &message), -EILSEQ);
	assert_int_equal(audit_sign_now(w->audit, w->arena, &message), -EILSEQ);
	assert_int_equal(world_open(w), -EILSEQ);
	assert_non_null(strstr(w->error.data, "the checkpoint of 100 records was changed"));
}

/* The key that signs counts, whether it is in the list or not, and however long that is. */
static void test_own_key(void **state)
{
	struct audit_world *w = *state;
	struct audit_options options = { .db = w->db, .clock = &w->clock, .origin = AUDIT_ORIGIN };

	(void)world_fill(w);
	memcpy(options.secret, w->secret, sizeof(options.secret));
	for (size_t n = 0; n <= AUDIT_KEYS_MAX; n++) {
		audit_free(take(w->audit));
		options.keys.n = n;
		assert_int_equal(audit_open(&options, &w->audit, &w->error), 0);
		if (n < AUDIT_KEYS_MAX)
			randombytes_buf(options.keys.key[n], GRANT_PUBLIC_BYTES);
	}
	audit_free(take(w->audit));
	options.keys = w->keys;
	assert_int_equal(audit_open(&options, &w->audit, &w->error), 0);
}

/* ── pages ───────────────────────────────────────────────────────────────────────────────────────────────────── */

static int64_t number(const cJSON *tree, const char *key)
{
	const cJSON *value = json_get(tree, key);

	return cJSON_IsNull(value) ? -1 : (int64_t)cJSON_GetNumberValue(value);
}

static cJSON *page_of(struct audit_world *w, const struct audit_wish *wish)
{
	_cleanup_(str_done) struct str text = { 0 };
	cJSON *tree = NULL;

	assert_int_equal(audit_page(w->audit, wish, &text), 0);
	assert_int_equal(json_parse(text.data, text.len, JSON_STATE, &tree, NULL), 0);
	return tree;
}

static cJSON *page(struct audit_world *w, int64_t before, int limit, size_t max_bytes)
{
	return page_of(w, &(const struct audit_wish){
				  .before = before, .limit = limit, .max_bytes = max_bytes });
}

static void test_pages(void **state)
{
	struct audit_world *w = *state;
	int64_t expected = AUDIT_RECORDS, before = 0;
	unsigned pages = 0;

	(void)world_fill(w);
	do {
		_cleanup_(json_treep) cJSON *tree = page(w, before, 30, 100000);
		const cJSON *record;

		assert_int_equal(number(tree, "size"), AUDIT_RECORDS);
		cJSON_ArrayForEach(record, json_get(tree, "records")) {
			assert_int_equal(number(record, "seq"), expected--);
			assert_true(cJSON_IsObject(json_get(record, "body")));
			assert_int_equal(strlen(json_get(record, "hash")->valuestring), 64);
		}
		before = number(tree, "next");
		pages++;
	} while (before > 0);
	assert_int_equal(expected, 0);
	assert_int_equal(pages, 7);
}

static void test_page_bounds(void **state)
{
	struct audit_world *w = *state;
	_cleanup_(json_treep) cJSON *none = page(w, 0, 10, 1000);
	cJSON *tree;

	assert_int_equal(number(none, "size"), 0);
	assert_int_equal(number(none, "next"), -1);
	(void)world_fill(w);
	tree = page(w, 0, 100000, 1000000);
	assert_int_equal(cJSON_GetArraySize(json_get(tree, "records")), AUDIT_PAGE_MAX);
	cJSON_Delete(tree);
	tree = page(w, 0, 100, 2000);
	assert_in_range(cJSON_GetArraySize(json_get(tree, "records")), 2, 20);
	cJSON_Delete(tree);
	tree = page(w, 1, 10, 1000);
	assert_int_equal(cJSON_GetArraySize(json_get(tree, "records")), 0);
	assert_int_equal(number(tree, "next"), -1);
	cJSON_Delete(tree);
	/* One that is larger than a page, and one that is damaged: the page is still one. */
	world_run(w, "UPDATE record SET body = zeroblob(3) WHERE seq = 200");
	tree = page(w, 0, 1, 10);
	assert_int_equal(number(json_get(tree, "records")->child, "seq"), 200);
	assert_true(cJSON_IsNull(json_get(json_get(tree, "records")->child, "body")));
	assert_int_equal(number(tree, "next"), 200);
	cJSON_Delete(tree);
	tree = page(w, 200, 1, 10);
	assert_true(cJSON_IsNull(json_get(json_get(tree, "records")->child, "body")));
	cJSON_Delete(tree);
}

/* Of one kind alone, page by page; and which kinds there are. */
static void test_page_kinds(void **state)
{
	struct audit_world *w = *state;
	struct audit_wish wish = { .kind = "autonomy.set", .limit = 30, .max_bytes = 100000 };
	int64_t expected = AUDIT_RECORDS & ~1;
	cJSON *tree = page_of(w, &wish);

	assert_int_equal(cJSON_GetArraySize(json_get(tree, "kinds")), 0);
	cJSON_Delete(tree);
	(void)world_fill(w);
	do {
		const cJSON *record;

		tree = page_of(w, &wish);
		assert_int_equal(number(tree, "size"), AUDIT_RECORDS);
		assert_int_equal(cJSON_GetArraySize(json_get(tree, "kinds")), 2);
		assert_string_equal(json_get(tree, "kinds")->child->valuestring, "action");
		cJSON_ArrayForEach(record, json_get(tree, "records")) {
			assert_string_equal(json_get(record, "kind")->valuestring, wish.kind);
			assert_int_equal(number(record, "seq"), expected);
			expected -= 2;
		}
		wish.before = number(tree, "next");
		cJSON_Delete(tree);
	} while (wish.before > 0);
	assert_int_equal(expected, 0);
	wish = (struct audit_wish){ .kind = "nothing", .limit = 30, .max_bytes = 100000 };
	tree = page_of(w, &wish);
	assert_int_equal(cJSON_GetArraySize(json_get(tree, "records")), 0);
	assert_int_equal(number(tree, "next"), -1);
	cJSON_Delete(tree);
}

#define WORLD(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD(test_transactions), WORLD(test_too_long),	   WORLD(test_when_signed),
		WORLD(test_reopen),	  WORLD(test_no_database), WORLD(test_no_checkpoint),
		WORLD(test_own_key),	  WORLD(test_pages),	   WORLD(test_page_bounds),
		WORLD(test_page_kinds),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
