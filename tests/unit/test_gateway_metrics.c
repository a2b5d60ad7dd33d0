/* SPDX-License-Identifier: MIT */
/*
 * Documents as Prometheus text: marked fields alone, unknown values left out, labels escaped, families together.
 */
#include "services/gateway/metrics_text.h"

#include "common/alloc.h"

#include "tests/unit/check.h"

static struct metrics_doc doc(enum topic_id id, const char *topic, const char *json)
{
	return (struct metrics_doc){ id, (char *)topic, (char *)json, strlen(json) };
}

static size_t count(const char *text, const char *what)
{
	size_t n = 0;

	for (; (text = strstr(text, what)); text += strlen(what))
		n++;
	return n;
}

static void test_fields_become_gauges(void **state)
{
	const struct metrics_doc docs[] = {
		doc(TOPIC_NODE_STATE, "pve/home/node/pve/state",
		    "{\"ts\":1,\"cluster\":\"home\",\"node\":\"pve\",\"status\":\"online\",\"cpu\":12.5,\"maxcpu\":6}"),
		doc(TOPIC_GUEST_STATE, "pve/home/guest/100/state", "not JSON"),
		doc(TOPIC_NODE_STATE, "pve/home/node/a=20b/state",
		    "{\"ts\":1,\"cluster\":\"home\",\"node\":\"a b\",\"status\":\"offline\",\"cpu\":null,"
		    "\"mem\":1048576}"),
	};
	struct str text = { 0 };

	(void)state;
	metrics_add_docs(&text, docs, countof(docs));
	assert_non_null(strstr(text.data,
			       "# TYPE jarvis_node_state_cpu gauge\n"
			       "jarvis_node_state_cpu{cluster=\"home\",node=\"pve\"} 12.5\n"));
	assert_non_null(strstr(text.data,
			       "jarvis_node_state_mem{cluster=\"home\",node=\"a b\"} 1048576\n"));
	/* Unknown is left out and not 0; what is not marked, or has no value, is no family. */
	assert_int_equal(count(text.data, "jarvis_node_state_cpu{"), 1);
	assert_int_equal(count(text.data, "maxcpu"), 0);
	assert_int_equal(count(text.data, "jarvis_node_state_swap"), 0);
	assert_int_equal(count(text.data, "jarvis_guest_state"), 0);
	assert_int_equal(count(text.data, "# TYPE jarvis_node_state_cpu "), 1);
	str_done(&text);
}

static void test_lists_and_maps_get_a_label(void **state)
{
	const struct metrics_doc docs[] = {
		doc(TOPIC_CLUSTER_STATE, "pve/home/state",
		    "{\"ts\":1,\"cluster\":\"home\",\"sources\":{\"resources\":{\"last_ok_ms\":1,\"period_s\":10,"
		    "\"latency_ms\":3.5,\"failures\":0},\"tasks\":{\"last_ok_ms\":null,\"period_s\":5,"
		    "\"latency_ms\":null,\"failures\":2}}}"),
		doc(TOPIC_NODE_THERMAL, "pve/home/node/pve/thermal",
		    "{\"ts\":1,\"cluster\":\"home\",\"node\":\"pve\",\"temperatures\":[{\"sensor\":\"a\\\"b\\\\c\\n\","
		    "\"celsius\":41.5}],\"fans\":[]}"),
	};
	struct str text = { 0 };

	(void)state;
	metrics_add_docs(&text, docs, countof(docs));
	assert_non_null(strstr(
		text.data,
		"jarvis_cluster_state_sources_latency_ms{cluster=\"home\",key=\"resources\"} 3.5\n"));
	assert_int_equal(count(text.data, "key=\"tasks\""), 0);
	assert_non_null(strstr(
		text.data, "jarvis_node_thermal_temperatures_celsius{cluster=\"home\",node=\"pve\","
			   "sensor=\"a\\\"b\\\\c\\n\"} 41.5\n"));
	str_done(&text);
}

static void test_which_topics_have_metrics(void **state)
{
	(void)state;
	assert_true(metrics_has(TOPIC_NODE_STATE));
	assert_true(metrics_has(TOPIC_THERMAL_SOURCES));
	assert_false(metrics_has(TOPIC_SERVICE_INFO));
	assert_false(metrics_has(TOPIC_SERVICE_HEALTH));
	assert_false(metrics_has(TOPIC_EVENT_TASK));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields_become_gauges),
		cmocka_unit_test(test_lists_and_maps_get_a_label),
		cmocka_unit_test(test_which_topics_have_metrics),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
