/* SPDX-License-Identifier: MIT */
/*
 * Grants: what is acted on, and every way in which one is not what it should be.
 */
#include "common/alloc.h"
#include "services/executor/grant_check.h"
#include "tests/unit/check.h"

#include <string.h>

#define SEED "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
#define OTHER "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"
#define GID "0123456789abcdef0123456789abcdef"
#define ID "01ARZ3NDEKTSV4RRFFQ69G5FAV"
#define NONCE "aa00000000000000000000000000000000000000000000000000000000000000"
#define HEAD                                                                                       \
	"{\"v\":1,\"gid\":\"" GID "\",\"id\":\"" ID "\",\"step\":0,\"epoch\":7,\"nonce\":\"" NONCE \
	"\",\"valid_ms\":5000,\"principal\":\"gateway\",\"policy\":\"p\","
#define START HEAD "\"tier\":\"yellow\",\"tool\":\"guest_start\","
#define TARGET                                                                                     \
	"\"target\":{\"object\":\"home/guest/101\",\"name\":\"web\",\"type\":\"qemu\","            \
	"\"node\":\"pve\",\"status\":\"stopped\",\"lock\":null}}"
#define GOOD START "\"args\":{\"cluster\":\"home\",\"guest\":101}," TARGET

static const struct claim claim = { .id = ID, .nonce = NONCE, .epoch = 7, .age_ms = 100 };

struct world {
	struct grant_keys keys;
	struct arena *arena;
	struct order order;
	struct grant_error error;
};

static enum grant_fault check_as(struct world *w, const char *payload, const char *seed,
				 const struct claim *c)
{
	_cleanup_(str_done) struct str envelope = { 0 };
	unsigned char secret[GRANT_SECRET_BYTES];
	char hex[65];

	assert_int_equal(grant_secret_from_hex(SEED, secret), 0);
	grant_public_hex(secret, hex);
	assert_int_equal(grant_keys_from_hex(hex, &w->keys), 0);
	assert_int_equal(grant_secret_from_hex(seed, secret), 0);
	grant_seal(secret, payload, strlen(payload), &envelope);
	arena_free(w->arena);
	w->arena = arena_new();
	return grant_check(&w->keys, str_get(&envelope), c, w->arena, &w->order, &w->error);
}

static enum grant_fault check(struct world *w, const char *payload)
{
	return check_as(w, payload, SEED, &claim);
}

static void test_good(void **unused)
{
	struct world w = { 0 };

	(void)unused;
	assert_int_equal(check(&w, GOOD), GRANT_GOOD);
	assert_ptr_equal(w.order.tool, &tool_table[TOOL_guest_start]);
	assert_string_equal(w.order.object, "home/guest/101");
	assert_string_equal(w.order.target.cluster, "home");
	assert_string_equal(w.order.target.node, "pve");
	assert_string_equal(w.order.target.type, "qemu");
	assert_int_equal(w.order.target.vmid, 101);
	assert_string_equal(w.order.text, GOOD);
	arena_free(w.arena);
}

static void test_unsigned(void **unused)
{
	struct world w = { 0 };

	(void)unused;
	assert_int_equal(check_as(&w, GOOD, OTHER, &claim), GRANT_UNSIGNED);
	assert_null(w.order.payload);
	assert_int_equal(grant_check(&w.keys, "{}", &claim, w.arena, &w.order, &w.error),
			 GRANT_UNSIGNED);
	assert_int_equal(grant_check(&w.keys, "", &claim, w.arena, &w.order, &w.error),
			 GRANT_UNSIGNED);
	arena_free(w.arena);
}

static void test_outdated(void **unused)
{
	static const struct claim others[] = {
		{ .id = "01ARZ3NDEKTSV4RRFFQ69G5FAW", .nonce = NONCE, .epoch = 7, .age_ms = 100 },
		{ .id = ID, .nonce = "bb", .epoch = 7, .age_ms = 100 },
		{ .id = ID, .nonce = NONCE, .epoch = 8, .age_ms = 100 },
		{ .id = ID, .nonce = NONCE, .epoch = 6, .age_ms = 100 },
		{ .id = ID, .nonce = NONCE, .epoch = 7, .age_ms = 5001 },
		{ .id = ID, .nonce = NONCE, .epoch = 7, .age_ms = -1 },
	};
	const struct claim edge = { .id = ID, .nonce = NONCE, .epoch = 7, .age_ms = 5000 };
	const struct claim old = { .id = ID, .nonce = NONCE, .epoch = 7, .age_ms = 60001 };
	static const char valid[] = "\"valid_ms\":5000";
	const char *at = strstr(GOOD, valid);
	_cleanup_(freep) char *eternal =
		xasprintf("%.*s\"valid_ms\":3600000%s", (int)(at - GOOD), GOOD, at + strlen(valid));
	struct world w = { 0 };

	(void)unused;
	for (size_t i = 0; i < countof(others); i++) {
		assert_int_equal(check_as(&w, GOOD, SEED, &others[i]), GRANT_OUTDATED);
		assert_non_null(w.order.payload);
		assert_string_not_equal(w.error.text, "");
	}
	assert_int_equal(check_as(&w, GOOD, SEED, &edge), GRANT_GOOD);
	/* A gate that grants for hours is none. */
	assert_int_equal(check_as(&w, eternal, SEED, &edge), GRANT_GOOD);
	assert_int_equal(check_as(&w, eternal, SEED, &old), GRANT_OUTDATED);
	arena_free(w.arena);
}

static void test_senseless(void **unused)
{
	static const char *const payloads[] = {
		"[]",
		"not JSON",
		/* no target, an unknown member, a member twice */
		START "\"args\":{\"cluster\":\"home\",\"guest\":101}}",
		START "\"more\":1,\"args\":{\"cluster\":\"home\",\"guest\":101}," TARGET,
		START
		"\"tool\":\"guest_stop\",\"args\":{\"cluster\":\"home\",\"guest\":101}," TARGET,
		/* arguments: missing, unknown, by name, of another form, of another guest or cluster */
		START "\"args\":{\"cluster\":\"home\"}," TARGET,
		START "\"args\":{\"cluster\":\"home\",\"guest\":101,\"force\":true}," TARGET,
		START "\"args\":{\"cluster\":\"home\",\"guest\":\"web\"}," TARGET,
		START "\"args\":{\"guest\":101,\"cluster\":\"home\"}," TARGET,
		START "\"args\":{\"cluster\":\"home\",\"guest\":\"101\"}," TARGET,
		START "\"args\":{\"cluster\":\"home\",\"guest\":102}," TARGET,
		START "\"args\":{\"cluster\":\"lab\",\"guest\":101}," TARGET,
		START "\"args\":{\"guest\":101}," TARGET,
		/* tools and tiers */
		HEAD "\"tier\":\"red\",\"tool\":\"guest_destroy\",\"args\":{}," TARGET,
		HEAD "\"tier\":\"orange\",\"tool\":\"guest_stop\",\"args\":{\"cluster\":\"home\","
		     "\"guest\":101}," TARGET,
		HEAD "\"tier\":\"black\",\"tool\":\"guest_stop\",\"args\":{\"cluster\":\"home\","
		     "\"guest\":101}," TARGET,
		/* a target that says too little, of a tool that has none, another node */
		START "\"args\":{\"cluster\":\"home\",\"guest\":101},\"target\":{\"object\":"
		      "\"home/guest/101\",\"type\":\"qemu\"}}",
		START "\"args\":{\"cluster\":\"home\",\"guest\":101},\"target\":{\"object\":"
		      "\"home/guest/101\",\"node\":\"pve\"}}",
		HEAD
		"\"tier\":\"red\",\"tool\":\"node_reboot\",\"args\":{\"cluster\":\"home\","
		"\"node\":\"pve\"},\"target\":{\"object\":\"home/node/pve\",\"node\":\"agent\"}}",
		HEAD
		"\"tier\":\"orange\",\"tool\":\"task_stop\",\"args\":{\"cluster\":\"home\",\"upid\":"
		"\"UPID:pve:0008380E:0131F1BF:6A84EA54:vzdump::root@pam:\"}," TARGET,
	};
	struct world w = { 0 };

	(void)unused;
	for (size_t i = 0; i < countof(payloads); i++) {
		if (check(&w, payloads[i]) != GRANT_SENSELESS)
			fail_msg("taken for good: %s", payloads[i]);
		assert_string_not_equal(w.error.text, "");
	}
	arena_free(w.arena);
}

static void test_other_tools(void **unused)
{
	static const struct {
		const char *payload, *object;
	} rows[] = {
		{ HEAD
		  "\"tier\":\"red\",\"tool\":\"node_reboot\",\"args\":{\"cluster\":\"home\",\"node\":"
		  "\"pve\"},\"target\":{\"object\":\"home/node/pve\",\"node\":\"pve\",\"status\":"
		  "\"online\"}}",
		  "home/node/pve" },
		{ HEAD
		  "\"tier\":\"red\",\"tool\":\"guest_start\",\"args\":{\"cluster\":\"home\",\"guest\":"
		  "101}," TARGET,
		  "home/guest/101" },
		{ HEAD "\"tier\":\"green\",\"tool\":\"guest_list\",\"args\":{}}", "" },
		{ HEAD
		  "\"tier\":\"green\",\"tool\":\"storage_content\",\"args\":{\"cluster\":\"home\","
		  "\"storage\":\"nas\"},\"target\":{\"object\":\"home/storage/nas\"}}",
		  "home/storage/nas" },
	};
	struct world w = { 0 };

	(void)unused;
	for (size_t i = 0; i < countof(rows); i++) {
		if (check(&w, rows[i].payload) != GRANT_GOOD)
			fail_msg("%s: %s", w.error.text, rows[i].payload);
		assert_string_equal(w.order.object, rows[i].object);
	}
	/* Every task is its own lock. */
	assert_int_equal(
		check(&w,
		      HEAD "\"tier\":\"orange\",\"tool\":\"task_stop\",\"args\":{"
			   "\"cluster\":\"home\",\"upid\":\"UPID:pve:0008380E:0131F1BF:6A84EA54:"
			   "vzdump::root@pam:\"}}"),
		GRANT_GOOD);
	assert_non_null(strstr(w.order.object, "UPID:pve"));
	arena_free(w.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),	    cmocka_unit_test(test_unsigned),
		cmocka_unit_test(test_outdated),    cmocka_unit_test(test_senseless),
		cmocka_unit_test(test_other_tools),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
