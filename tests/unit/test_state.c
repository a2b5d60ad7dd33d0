/* SPDX-License-Identifier: MIT */
/*
 * The state documents of a service, with a clock and a bus of the test's own: the three functions of bus.h that
 * state.c calls are defined here and write down what would have been published.
 */
#include "common/state.h"

#include "tests/unit/check.h"

#include "common/codec.h"
#include "common/log.h"

#include <errno.h>
#include <stdio.h>

#define PUBLISHED_MAX 64
#define START_MS 1000000
#define THIRD_MS 300000 /* of the 15 min after which a document expires */

#define WORDS(...)                                                                                 \
	(const char *const[])                                                                      \
	{                                                                                          \
		__VA_ARGS__, NULL                                                                  \
	}
#define NODE(name) WORDS("home", name)

/* What stands for `struct bus`, and the clock. */
struct fake {
	bool online;
	int result; /* of publishing */
	int64_t now_ms;
	size_t n;
	struct {
		char topic[TOPIC_MAX_BYTES];
		char *payload; /* "" clears */
	} published[PUBLISHED_MAX];
	struct clock clock;
	struct state *state;
};

static void record(struct bus *bus, enum topic_id id, const char *const *args, char *payload)
{
	struct fake *fake = (struct fake *)bus;

	assert_true(fake->online);
	assert_true(fake->n < PUBLISHED_MAX);
	assert_int_equal(topic_build("j", id, args, fake->published[fake->n].topic), 0);
	fake->published[fake->n++].payload = payload;
}

bool bus_is_online(const struct bus *bus)
{
	return ((const struct fake *)bus)->online;
}

int bus_publish(struct bus *bus, enum topic_id id, const char *const *args, const void *value)
{
	struct str text = { 0 };

	codec_encode(topic_table[id].message, value, &text);
	record(bus, id, args, str_take(&text));
	return ((struct fake *)bus)->result;
}

int bus_publish_text(struct bus *bus, enum topic_id id, const char *const *args,
		     const char *payload, size_t length)
{
	record(bus, id, args, xstrndup(payload ? payload : "", length));
	return ((struct fake *)bus)->result;
}

static int64_t now_ms(void *ctx)
{
	return ((struct fake *)ctx)->now_ms;
}

static void forget(struct fake *fake)
{
	while (fake->n)
		free(fake->published[--fake->n].payload);
}

static int setup(void **state)
{
	struct fake *fake = xnew(struct fake);

	fake->online = true;
	fake->now_ms = START_MS;
	fake->clock = (struct clock){ now_ms, now_ms, fake };
	fake->state = state_new(&fake->clock);
	state_set_bus(fake->state, (struct bus *)fake);
	log_init("unit", LOG_LEVEL_ERROR);
	*state = fake;
	return 0;
}

static int teardown(void **state)
{
	struct fake *fake = *state;

	forget(fake);
	state_free(fake->state);
	free(fake);
	return 0;
}

/* A node with this processor load, in percent; the resolution is 0.5. */
static struct msg_node_state node(double cpu)
{
	return (struct msg_node_state){
		.ts = 1, .cluster = "home", .node = "n", .status = NODE_ONLINE, .cpu = some_f64(cpu)
	};
}

static bool set_node(struct fake *fake, const char *name, double cpu)
{
	struct msg_node_state value = node(cpu);

	return state_set(fake->state, TOPIC_NODE_STATE, NODE(name), &value);
}

static double cpu_of(const struct fake *fake, const char *name)
{
	const struct msg_node_state *value = state_get(fake->state, TOPIC_NODE_STATE, NODE(name));

	return value ? value->cpu.v : -1;
}

static bool was_published(const struct fake *fake, const char *topic, const char *part)
{
	for (size_t i = 0; i < fake->n; i++) {
		if (str_eq(fake->published[i].topic, topic) &&
		    (*part ? strstr(fake->published[i].payload, part) != NULL :
			     !*fake->published[i].payload))
			return true;
	}
	return false;
}

/* Exactly one thing was published since the last look: TOPIC, with PART in its payload ("": cleared). */
static void expect_one(struct fake *fake, const char *topic, const char *part)
{
	assert_int_equal(fake->n, 1);
	if (!was_published(fake, topic, part))
		fail_msg("%s %s, not %s %s", fake->published[0].topic, fake->published[0].payload,
			 topic, part);
	forget(fake);
}

static void expect_none(const struct fake *fake)
{
	assert_int_equal(fake->n, 0);
}

#define NODE_A "j/pve/home/node/a/state"

static void test_publishes_on_change(void **state)
{
	struct fake *fake = *state;
	struct msg_node_state value = node(1);

	assert_null(state_get(fake->state, TOPIC_NODE_STATE, NODE("a")));
	assert_true(set_node(fake, "a", 1));
	expect_one(fake, NODE_A, "\"cpu\":1,");
	assert_false(set_node(fake, "a", 1));
	value.ts = 99; /* marked NEVER */
	assert_false(state_set(fake->state, TOPIC_NODE_STATE, NODE("a"), &value));
	expect_none(fake);
	value.cpu.has = false;
	assert_true(state_set(fake->state, TOPIC_NODE_STATE, NODE("a"), &value));
	expect_one(fake, NODE_A, "\"cpu\":null,");
	assert_true(set_node(fake, "a", 0));
	expect_one(fake, NODE_A, "\"cpu\":0,");
	/* Another topic is another document. */
	assert_true(set_node(fake, "b", 0));
	expect_one(fake, "j/pve/home/node/b/state", "\"cpu\":0,");
	assert_int_equal(state_count(fake->state), 2);
}

/* Small steps add up: they are measured against what was published, not against the value before. */
static void test_drift(void **state)
{
	struct fake *fake = *state;

	assert_true(set_node(fake, "a", 10));
	forget(fake);
	assert_false(set_node(fake, "a", 10.2));
	assert_false(set_node(fake, "a", 10.4));
	expect_none(fake);
	assert_true(cpu_of(fake, "a") == 10.4); /* the newest, though nobody was told */
	assert_true(set_node(fake, "a", 10.5));
	expect_one(fake, NODE_A, "\"cpu\":10.5,");
	/* Swinging within the resolution says nothing. */
	for (int i = 0; i < 10; i++)
		assert_false(set_node(fake, "a", i % 2 ? 10.1 : 10.9));
	expect_none(fake);
}

static void test_always(void **state)
{
	struct fake *fake = *state;
	struct msg_cluster_state value = { .ts = 1, .cluster = "home" };

	for (int i = 1; i <= 3; i++) {
		value.ts = i;
		state_set_always(fake->state, TOPIC_CLUSTER_STATE, WORDS("home"), &value);
		assert_int_equal(fake->n, i);
	}
	assert_true(was_published(fake, "j/pve/home/state", "\"ts\":3,"));
}

/* The document is ours once it was set. */
static void test_value_is_copied(void **state)
{
	struct fake *fake = *state;
	char text[] = "pve-manager/9";
	struct msg_node_state value = node(1);
	const struct msg_node_state *kept;

	value.version = text;
	(void)state_set(fake->state, TOPIC_NODE_STATE, NODE("a"), &value);
	memset(text, 'X', strlen(text));
	kept = state_get(fake->state, TOPIC_NODE_STATE, NODE("a"));
	assert_string_equal(kept->version, "pve-manager/9");
}

/* A document may be made from the one before, which it borrows its text from: shown, or newer than shown. */
static void test_set_from_get(void **state)
{
	struct fake *fake = *state;
	struct msg_node_state value = node(10);

	value.version = "pve-manager/9";
	(void)state_set(fake->state, TOPIC_NODE_STATE, NODE("a"), &value);
	for (int i = 0; i < 4; i++) {
		const struct msg_node_state *kept =
			state_get(fake->state, TOPIC_NODE_STATE, NODE("a"));

		value = *kept;
		value.cpu.v += 0.2;
		(void)state_set(fake->state, TOPIC_NODE_STATE, NODE("a"), &value);
		kept = state_get(fake->state, TOPIC_NODE_STATE, NODE("a"));
		assert_string_equal(kept->version, "pve-manager/9");
	}
	assert_int_equal(fake->n, 2); /* at 10 and at 10.6 */
}

/* Off line, and without any link, documents are kept; connecting publishes the newest of each. */
static void test_republish(void **state)
{
	struct fake *fake = *state;

	fake->online = false;
	assert_true(set_node(fake, "a", 1));
	assert_true(set_node(fake, "a", 2));
	assert_false(set_node(fake, "a", 2.2));
	state_set_bus(fake->state, NULL);
	assert_true(set_node(fake, "b", 3));
	assert_true(cpu_of(fake, "b") == 3);
	state_republish(fake->state);
	state_refresh(fake->state);
	expect_none(fake);
	state_set_bus(fake->state, (struct bus *)fake);
	fake->online = true;
	state_republish(fake->state);
	assert_int_equal(fake->n, 2);
	assert_true(was_published(fake, NODE_A, "\"cpu\":2.2,"));
	assert_true(was_published(fake, "j/pve/home/node/b/state", "\"cpu\":3,"));
	forget(fake);
	/* What was published last is what the next change is measured against. */
	assert_false(set_node(fake, "a", 2.6));
	assert_true(set_node(fake, "a", 2.7));
}

static void test_refresh(void **state)
{
	struct fake *fake = *state;

	(void)set_node(fake, "a", 1);
	fake->now_ms += 1000;
	(void)set_node(fake, "b", 1);
	forget(fake);
	(void)set_node(fake, "a", 1.3);
	fake->now_ms = START_MS + THIRD_MS - 1;
	state_refresh(fake->state);
	expect_none(fake);
	fake->now_ms++;
	state_refresh(fake->state);
	expect_one(fake, NODE_A, "\"cpu\":1.3,"); /* with the newest value */
	state_refresh(fake->state);
	expect_none(fake);
	fake->now_ms += 1000;
	state_refresh(fake->state);
	expect_one(fake, "j/pve/home/node/b/state", "\"cpu\":1,");
	/* A change counts as published: the third begins anew. */
	(void)set_node(fake, "b", 9);
	forget(fake);
	fake->now_ms = START_MS + 2 * THIRD_MS;
	state_refresh(fake->state);
	expect_one(fake, NODE_A, "\"cpu\":1.3,");
	assert_false(set_node(fake, "a", 1.5));
	expect_none(fake);
}

static void test_clear(void **state)
{
	struct fake *fake = *state;

	state_clear(fake->state, TOPIC_NODE_STATE, NODE("a"));
	expect_none(fake);
	(void)set_node(fake, "a", 1);
	(void)set_node(fake, "b", 1);
	forget(fake);
	state_clear(fake->state, TOPIC_NODE_STATE, NODE("a"));
	expect_one(fake, NODE_A, "");
	assert_null(state_get(fake->state, TOPIC_NODE_STATE, NODE("a")));
	assert_int_equal(state_count(fake->state), 1);
	state_clear(fake->state, TOPIC_NODE_STATE, NODE("a"));
	expect_none(fake);
	/* Back again, with the value of before: it is a new document. */
	assert_true(set_node(fake, "a", 1));
	expect_one(fake, NODE_A, "\"cpu\":1,");
}

static void test_sweep(void **state)
{
	struct fake *fake = *state;
	struct msg_storage_state storage = { .cluster = "home", .storage = "local" };
	struct msg_node_state value = node(1);
	uint64_t mark;

	(void)set_node(fake, "a", 1);
	(void)set_node(fake, "b", 1);
	(void)set_node(fake, "c", 1);
	(void)state_set(fake->state, TOPIC_NODE_STATE, WORDS("away", "a"), &value);
	(void)state_set(fake->state, TOPIC_STORAGE_STATE, WORDS("home", "a", "local"), &storage);
	mark = state_mark(fake->state);
	(void)set_node(fake, "b", 1); /* the same: seen, though not published */
	forget(fake);
	state_sweep(fake->state, TOPIC_NODE_STATE, WORDS("home"), mark);
	assert_int_equal(fake->n, 2);
	assert_true(was_published(fake, NODE_A, ""));
	assert_true(was_published(fake, "j/pve/home/node/c/state", ""));
	forget(fake);
	assert_true(cpu_of(fake, "b") == 1);
	assert_int_equal(state_count(fake->state), 3);
	/* The rest of the words may be left open. */
	state_sweep(fake->state, TOPIC_NODE_STATE, NULL, mark);
	expect_one(fake, "j/pve/away/node/a/state", "");
	state_sweep(fake->state, TOPIC_STORAGE_STATE, WORDS("home", "b"), mark);
	expect_none(fake);
	state_sweep(fake->state, TOPIC_STORAGE_STATE, WORDS("home", "a"), mark);
	expect_one(fake, "j/pve/home/storage/a/local/state", "");
	state_sweep(fake->state, TOPIC_NODE_STATE, WORDS("home"), state_mark(fake->state));
	expect_one(fake, "j/pve/home/node/b/state", "");
	assert_int_equal(state_count(fake->state), 0);
}

/* The broker's copy of a node's document, as it comes after connecting. */
static void broker_has(struct fake *fake, const char *cluster, const char *name, bool retained,
		       size_t payload_len)
{
	struct topic_args args = { .n = 2 };
	struct msg msg = { .id = TOPIC_NODE_STATE,
			   .args = &args,
			   .retained = retained,
			   .payload = "{}",
			   .payload_len = payload_len };

	(void)snprintf(args.value[0], sizeof(args.value[0]), "%s", cluster);
	(void)snprintf(args.value[1], sizeof(args.value[1]), "%s", name);
	state_on_own_retained(fake->state, &msg);
}

static void test_orphans(void **state)
{
	struct fake *fake = *state;

	(void)set_node(fake, "a", 1);
	forget(fake);
	broker_has(fake, "home", "a", true, 2);	      /* ours */
	broker_has(fake, "home", "gone", true, 2);    /* left behind */
	broker_has(fake, "home", "late", true, 2);    /* will be set */
	broker_has(fake, "away", "gone", true, 2);    /* of another cluster */
	broker_has(fake, "home", "live", false, 2);   /* not a kept copy */
	broker_has(fake, "home", "cleared", true, 0); /* nothing there */
	assert_int_equal(state_count(fake->state), 1);
	assert_null(state_get(fake->state, TOPIC_NODE_STATE, NODE("gone")));
	/* Before everything was seen once, nobody knows whether it is gone. */
	fake->now_ms += THIRD_MS - 1;
	state_sweep(fake->state, TOPIC_STORAGE_STATE, NULL, state_mark(fake->state));
	state_refresh(fake->state);
	expect_none(fake);
	state_republish(fake->state);
	expect_one(fake, NODE_A, "\"cpu\":1,");
	assert_true(set_node(fake, "late", 2));
	expect_one(fake, "j/pve/home/node/late/state", "\"cpu\":2,");
	state_adopt(fake->state, TOPIC_NODE_STATE, WORDS("home"));
	expect_one(fake, "j/pve/home/node/gone/state", "");
	state_adopt(fake->state, TOPIC_NODE_STATE, WORDS("home"));
	state_adopt(fake->state, TOPIC_STORAGE_STATE, NULL);
	expect_none(fake);
	state_adopt(fake->state, TOPIC_NODE_STATE, NULL);
	expect_one(fake, "j/pve/away/node/gone/state", "");
	assert_int_equal(state_count(fake->state), 2);
}

/* A full round without it is proof enough: sweeping takes what an earlier run left as well. */
static void test_sweep_takes_orphans(void **state)
{
	struct fake *fake = *state;
	uint64_t mark;

	broker_has(fake, "home", "gone", true, 2);
	broker_has(fake, "away", "gone", true, 2);
	mark = state_mark(fake->state);
	(void)set_node(fake, "a", 1);
	forget(fake);
	state_sweep(fake->state, TOPIC_NODE_STATE, WORDS("home"), mark);
	expect_one(fake, "j/pve/home/node/gone/state", "");
	state_adopt(fake->state, TOPIC_NODE_STATE, NULL);
	expect_one(fake, "j/pve/away/node/gone/state", "");
	assert_int_equal(state_count(fake->state), 1);
}

/* What was cleared while the link was down comes back as an orphan, and goes then. */
static void test_cleared_offline(void **state)
{
	struct fake *fake = *state;

	(void)set_node(fake, "a", 1);
	forget(fake);
	fake->online = false;
	state_clear(fake->state, TOPIC_NODE_STATE, NODE("a"));
	expect_none(fake);
	assert_null(state_get(fake->state, TOPIC_NODE_STATE, NODE("a")));
	assert_int_equal(state_count(fake->state), 0);
	fake->online = true;
	state_republish(fake->state);
	expect_one(fake, NODE_A, "");
	state_republish(fake->state);
	expect_none(fake);
	/* Set again before the broker could be told: it is as if it had never gone. */
	fake->online = false;
	(void)set_node(fake, "a", 2);
	state_clear(fake->state, TOPIC_NODE_STATE, NODE("a"));
	(void)set_node(fake, "a", 3);
	fake->online = true;
	state_republish(fake->state);
	expect_one(fake, NODE_A, "\"cpu\":3");
}

/* Words that make no topic are our own mistake: nothing is kept, nothing published. */
static void test_bad_words(void **state)
{
	struct fake *fake = *state;
	struct msg_node_state value = node(1);

	assert_false(state_set(fake->state, TOPIC_NODE_STATE, WORDS("home"), &value));
	assert_false(state_set(fake->state, TOPIC_NODE_STATE, WORDS("home", ""), &value));
	assert_false(state_set(fake->state, TOPIC_NODE_STATE, WORDS("home", "a", "b"), &value));
	assert_null(state_get(fake->state, TOPIC_NODE_STATE, WORDS("home")));
	state_clear(fake->state, TOPIC_NODE_STATE, WORDS("home"));
	expect_none(fake);
	assert_int_equal(state_count(fake->state), 0);
}

/* A document that cannot be sent is no reason to lose it, or to stop. */
static void test_publishing_fails(void **state)
{
	struct fake *fake = *state;

	fake->result = -EMSGSIZE;
	assert_true(set_node(fake, "a", 1));
	assert_int_equal(fake->n, 1);
	assert_true(cpu_of(fake, "a") == 1);
	fake->result = BUS_E_OFFLINE;
	assert_true(set_node(fake, "a", 2));
	fake->result = 0;
	forget(fake);
	state_republish(fake->state);
	expect_one(fake, NODE_A, "\"cpu\":2,");
}

/* Names that need encoding, and many of them: found again, each its own. */
static void test_many(void **state)
{
	struct fake *fake = *state;
	char name[32];

	fake->online = false;
	for (int i = 0; i < 2000; i++) {
		(void)snprintf(name, sizeof(name), "n %d/+", i);
		assert_true(set_node(fake, name, i));
	}
	for (int i = 0; i < 2000; i++) {
		(void)snprintf(name, sizeof(name), "n %d/+", i);
		assert_true(cpu_of(fake, name) == i);
	}
	assert_int_equal(state_count(fake->state), 2000);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_publishes_on_change),
		TEST(test_drift),
		TEST(test_always),
		TEST(test_value_is_copied),
		TEST(test_set_from_get),
		TEST(test_republish),
		TEST(test_refresh),
		TEST(test_clear),
		TEST(test_sweep),
		TEST(test_orphans),
		TEST(test_sweep_takes_orphans),
		TEST(test_cleared_offline),
		TEST(test_bad_words),
		TEST(test_publishing_fails),
		TEST(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
