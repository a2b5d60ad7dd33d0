/* SPDX-License-Identifier: MIT */
/*
 * Proxmox has two words for the status of a machine: its own and QEMU's, of which the second is what the poller shows.
 */
#include "services/executor/precheck.h"

#include "common/pve_value.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

struct guest_row {
	const char *lock, *name, *qmpstatus, *status;
	struct opt_i64 uptime;
};

static const struct pve_field guest_fields[] = {
	PVE_FIELD(guest_row, "lock", lock, PVE_STR),
	PVE_FIELD(guest_row, "name", name, PVE_STR),
	PVE_FIELD(guest_row, "qmpstatus", qmpstatus, PVE_STR),
	PVE_FIELD(guest_row, "status", status, PVE_STR),
	PVE_FIELD(guest_row, "uptime", uptime, PVE_I64),
};

struct member_row {
	const char *name, *type;
	struct opt_bool online, quorate;
};

static const struct pve_field member_fields[] = {
	PVE_FIELD(member_row, "name", name, PVE_STR),
	PVE_FIELD(member_row, "online", online, PVE_BOOL),
	PVE_FIELD(member_row, "quorate", quorate, PVE_BOOL),
	PVE_FIELD(member_row, "type", type, PVE_STR),
};

static int differs(char *why, const char *format, ...) _printf_(2, 3);

static int differs(char *why, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(why, PRECHECK_TEXT, format, args);
	va_end(args);
	return -EBUSY;
}

/* ── guests ────────────────────────────────────────────────────────────────────────────────────────────────── */

static enum guest_status status_of(const char *word)
{
	int value = enumeration_find(&enumeration_guest_status, word);

	return value < 0 ? GUEST_OTHER : (enum guest_status)value;
}

static bool is_managed(const cJSON *data)
{
	double managed;

	return pve_number(json_get(json_get(data, "ha"), "managed"), &managed) && managed != 0;
}

int precheck_read_guest(const cJSON *answer, struct arena *arena, struct guest_now *ret)
{
	const cJSON *data = pve_data_object(answer);
	struct guest_row row = { 0 };

	pve_read(data, guest_fields, countof(guest_fields), arena, &row);
	if (!row.status)
		return -EINVAL;
	*ret = (struct guest_now){
		.name = row.name,
		.lock = row.lock,
		.status = status_of(row.qmpstatus ? row.qmpstatus : row.status),
		.uptime_s = row.uptime,
		.is_managed = is_managed(data),
	};
	return 0;
}

bool precheck_is_running(enum guest_status status)
{
	return status != GUEST_STOPPED && status != GUEST_UNKNOWN;
}

/* A frozen container is running, as its own node puts it. */
static bool is_same_status(const struct msg_grant_target *target, enum guest_status now)
{
	enum guest_status was = target->status ? status_of(target->status) : GUEST_UNKNOWN;

	if (target->type && str_eq(target->type, "lxc"))
		return precheck_is_running(was) == precheck_is_running(now) && was != GUEST_UNKNOWN;
	return was == now;
}

int precheck_guest(const struct msg_grant_target *target, const struct guest_now *now, char *why)
{
	if (!str_eq_null(target->name, now->name))
		return differs(why, "It is called %.60s now, and was %.60s when it was judged.",
			       now->name ? now->name : "nothing",
			       target->name ? target->name : "nothing");
	if (!is_same_status(target, now->status))
		return differs(why, "It is %s now, and was %.32s when it was judged.",
			       enumeration_word(&enumeration_guest_status, (int)now->status),
			       target->status ? target->status : "unknown");
	if (!str_eq_null(target->lock, now->lock))
		return differs(why, "Its lock is %.32s now, and was %.32s when it was judged.",
			       now->lock ? now->lock : "none",
			       target->lock ? target->lock : "none");
	return 0;
}

int precheck_config(const struct msg_grant_target *target, const cJSON *answer, char *why)
{
	const cJSON *digest = json_get(pve_data_object(answer), "digest");

	if (!cJSON_IsString(digest))
		return -EINVAL;
	if (str_eq_null(target->config_digest, digest->valuestring))
		return 0;
	return differs(why, "Its configuration was changed since it was approved; look at it again "
			    "and ask again.");
}

/* ── nodes ─────────────────────────────────────────────────────────────────────────────────────────────────── */

int precheck_read_node(const cJSON *answer, const char *node, struct node_now *ret)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	const cJSON *data = pve_data_list(answer);
	bool has_cluster = false;
	const cJSON *item;

	*ret = (struct node_now){ 0 };
	if (!data || !cJSON_GetArraySize(data))
		return -EINVAL;
	cJSON_ArrayForEach(item, data) {
		struct member_row row = { 0 };

		pve_read(item, member_fields, countof(member_fields), arena, &row);
		if (row.type && str_eq(row.type, "cluster")) {
			has_cluster = true;
			ret->is_quorate = row.quorate.v;
		} else if (str_eq_null(row.name, node)) {
			ret->is_there = true;
			ret->is_online = row.online.v;
		}
	}
	if (!has_cluster)
		ret->is_quorate = true;
	return 0;
}

int precheck_node(const struct msg_grant_target *target, const struct node_now *now,
		  bool must_be_off, char *why)
{
	if (!now->is_there)
		return differs(why, "The cluster has no node %.64s any more.", target->node);
	if (must_be_off)
		return now->is_online ? differs(why, "It is online already.") : 0;
	if (!now->is_online)
		return differs(why, "It is offline now.");
	if (!now->is_quorate)
		return differs(why, "The cluster has no quorum now.");
	return 0;
}
