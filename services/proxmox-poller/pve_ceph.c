/* SPDX-License-Identifier: MIT */
/*
 * Ceph's tree, every part of which may be missing: a part that is not there leaves its fields unknown.
 */
#include "services/proxmox-poller/pve_ceph.h"

#include <errno.h>

#define CHECKS_MAX 64
#define NAME_MAX_BYTES 64

static struct opt_i64 count_of(const cJSON *object, const char *key)
{
	struct {
		struct opt_i64 value;
	} one = { 0 };
	const struct pve_field field = { key, PVE_I64, 0 };

	pve_read(object, &field, 1, NULL, &one);
	return one.value;
}

static struct opt_f64 number_of(const cJSON *object, const char *key)
{
	const cJSON *value = json_get(object, key);
	double number;

	return value && pve_number(value, &number) ? some_f64(number) : (struct opt_f64){ 0 };
}

static struct opt_i64 length_of(const cJSON *list)
{
	return cJSON_IsArray(list) ? some_i64(cJSON_GetArraySize(list)) : (struct opt_i64){ 0 };
}

static const char *text_of(const cJSON *object, const char *key, size_t max, struct arena *arena)
{
	const cJSON *value = json_get(object, key);

	return cJSON_IsString(value) ? pve_text(arena, value->valuestring, max) : NULL;
}

/* ── health ────────────────────────────────────────────────────────────────────────────────────────────────── */

static enum severity severity_of(const char *word)
{
	if (word && str_eq(word, "HEALTH_ERR"))
		return SEVERITY_CRITICAL;
	return word && str_eq(word, "HEALTH_WARN") ? SEVERITY_WARNING : SEVERITY_INFO;
}

/* The worst first; Proxmox lists them in any order. */
static int compare_checks(const void *a, const void *b)
{
	const struct msg_ceph_check *x = a, *y = b;

	if (x->severity != y->severity)
		return x->severity > y->severity ? -1 : 1;
	return strcmp(x->name, y->name);
}

static void read_health(const cJSON *health, struct arena *arena, struct msg_ceph_state *ret)
{
	const cJSON *checks = json_get(health, "checks");
	struct msg_ceph_check *list = arena_alloc(arena, CHECKS_MAX * sizeof(*list));
	const cJSON *check;

	ret->health = text_of(health, "status", 32, arena);
	ret->checks = list;
	if (!cJSON_IsObject(checks))
		return;
	cJSON_ArrayForEach(check, checks) {
		const char *name = pve_text(arena, check->string, NAME_MAX_BYTES);

		if (!name || !cJSON_IsObject(check) || ret->checks_n == CHECKS_MAX)
			continue;
		list[ret->checks_n++] = (struct msg_ceph_check){
			.name = name,
			.severity = severity_of(text_of(check, "severity", 32, arena)),
			.text = text_of(json_get(check, "summary"), "message", 256, arena),
		};
	}
	qsort(list, ret->checks_n, sizeof(*list), compare_checks);
}

/* ── numbers ───────────────────────────────────────────────────────────────────────────────────────────────── */

static void read_osds(const cJSON *map, struct msg_ceph_state *ret)
{
	/* Before Octopus it was one deeper. */
	const cJSON *inner = json_get(map, "osdmap");

	if (cJSON_IsObject(inner))
		map = inner;
	ret->osds = count_of(map, "num_osds");
	ret->osds_up = count_of(map, "num_up_osds");
	ret->osds_in = count_of(map, "num_in_osds");
}

static void read_mons(const cJSON *data, struct msg_ceph_state *ret)
{
	const cJSON *map = json_get(data, "monmap");

	ret->mons = count_of(map, "num_mons");
	if (!ret->mons.has)
		ret->mons = length_of(json_get(map, "mons"));
	ret->mons_in_quorum = length_of(json_get(data, "quorum"));
	if (!ret->mons_in_quorum.has)
		ret->mons_in_quorum = length_of(json_get(data, "quorum_names"));
}

/* "active+clean+scrubbing" is clean, "active+undersized" is not. */
static bool is_clean(const char *state)
{
	return state && str_starts(state, "active+clean");
}

static struct opt_i64 clean_of(const cJSON *states)
{
	int64_t clean = 0;
	const cJSON *item;

	if (!cJSON_IsArray(states))
		return (struct opt_i64){ 0 };
	cJSON_ArrayForEach(item, states) {
		const cJSON *name = json_get(item, "state_name");
		struct opt_i64 count = count_of(item, "count");

		if (cJSON_IsString(name) && is_clean(name->valuestring) && count.has &&
		    count.v <= INT32_MAX)
			clean += count.v;
	}
	return some_i64(clean);
}

static struct opt_f64 degraded_of(const cJSON *map)
{
	struct opt_f64 ratio = number_of(map, "degraded_ratio");

	if (!cJSON_IsObject(map))
		return (struct opt_f64){ 0 };
	/* Left out while nothing is. */
	if (!ratio.has)
		return json_get(map, "degraded_ratio") ? ratio : some_f64(0);
	return ratio.v >= 0 && ratio.v <= 1 ? some_f64(ratio.v * 100) : (struct opt_f64){ 0 };
}

static void read_data(const cJSON *map, struct msg_ceph_state *ret)
{
	ret->pgs = count_of(map, "num_pgs");
	ret->pgs_clean = clean_of(json_get(map, "pgs_by_state"));
	ret->used = count_of(map, "bytes_used");
	ret->total = count_of(map, "bytes_total");
	ret->degraded = degraded_of(map);
}

int pve_parse_ceph(const cJSON *answer, struct arena *arena, struct msg_ceph_state *ret)
{
	const cJSON *data = pve_data_object(answer);

	*ret = (struct msg_ceph_state){ 0 };
	if (!cJSON_IsObject(json_get(data, "health")))
		return -EINVAL;
	read_health(json_get(data, "health"), arena, ret);
	read_osds(json_get(data, "osdmap"), ret);
	read_mons(data, ret);
	read_data(json_get(data, "pgmap"), ret);
	return 0;
}

bool pve_ceph_is_absent(const char *reason)
{
	return strstr(reason, "binary not installed") ||
	       strstr(reason, "pveceph configuration not initialized");
}
