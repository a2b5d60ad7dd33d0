/* SPDX-License-Identifier: MIT */
/*
 * Privileges: those that only read may be held freely, those that the tools use are listed with what for.
 */
#include "services/executor/rights.h"

#include "common/pve_value.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Of the tools of tools.def. Sys.AccessNetwork is for download_url on PVE 8 and 9. */
static const struct {
	const char *name;
	bool vital; /* most tools fail without it */
} needed[] = {
	{ "VM.Audit", true },
	{ "VM.PowerMgmt", true },
	{ "VM.Snapshot", false },
	{ "VM.Snapshot.Rollback", false },
	{ "VM.Migrate", false },
	{ "VM.Backup", false },
	{ "Sys.Audit", true },
	{ "Sys.PowerMgmt", false },
	{ "Sys.AccessNetwork", false },
	{ "Datastore.AllocateSpace", false },
	{ "Datastore.AllocateTemplate", false },
};

static bool is_needed(const char *privilege)
{
	for (size_t i = 0; i < countof(needed); i++) {
		if (str_eq(needed[i].name, privilege))
			return true;
	}
	return false;
}

static bool is_accepted(const char *privilege, const char *const *accepted, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (str_eq(accepted[i], privilege))
			return true;
	}
	return false;
}

static void note(char *text, size_t room, const char *privilege, const char *path)
{
	size_t used = strlen(text);
	char item[128];

	(void)snprintf(item, sizeof(item), "%s%.60s%s%.40s", used ? ", " : "", privilege,
		       path ? " on " : "", path ? path : "");
	if (used + strlen(item) + sizeof(", …") < room)
		(void)snprintf(text + used, room - used, "%s", item);
	else if (!str_ends(text, "…"))
		(void)snprintf(text + used, room - used, ", …");
}

static bool is_held(const cJSON *data, const char *privilege)
{
	const cJSON *path;

	cJSON_ArrayForEach(path, data) {
		if (json_get(path, privilege))
			return true;
	}
	return false;
}

/* Once each, with the first path that has it: the same right on forty guests is one finding. */
static bool is_seen_before(const cJSON *data, const cJSON *until, const char *privilege)
{
	const cJSON *path;

	cJSON_ArrayForEach(path, data) {
		if (path == until)
			return false;
		if (json_get(path, privilege))
			return true;
	}
	return false;
}

int rights_read(const cJSON *answer, const char *const *accepted, size_t n, struct rights *ret)
{
	const cJSON *data = pve_data_object(answer);
	const cJSON *path, *privilege;

	*ret = (struct rights){ "", "" };
	if (!data)
		return -EINVAL;
	cJSON_ArrayForEach(path, data) {
		cJSON_ArrayForEach(privilege, path) {
			const char *name = privilege->string;

			if (!str_ends(name, ".Audit") && !is_needed(name) &&
			    !is_accepted(name, accepted, n) && !is_seen_before(data, path, name))
				note(ret->excess, sizeof(ret->excess), name, path->string);
		}
	}
	for (size_t i = 0; i < countof(needed); i++) {
		if (needed[i].vital && !is_held(data, needed[i].name))
			note(ret->missing, sizeof(ret->missing), needed[i].name, NULL);
	}
	return 0;
}
