/* SPDX-License-Identifier: MIT */
/*
 * The log of vzdump. "ERROR: Backup of VM 101 failed - …" names a guest; a job that fell over before its guests names
 * them in its first line alone: "INFO: starting new backup job: vzdump 101 102 --storage nas --mode snapshot".
 */
#include "services/proxmox-poller/pve_backups.h"

#include <errno.h>

#define FIRST "INFO: starting new backup job: vzdump"
#define FAILED "ERROR: Backup of VM "
#define FINISHED "INFO: Finished Backup of VM "
#define TEXT_MAX_BYTES 256

/* "101 failed - …": the number, and where it ends. */
static bool read_vmid(const char *text, int64_t *vmid, const char **rest)
{
	size_t length = strspn(text, "0123456789");
	char digits[16];

	if (!length || length >= sizeof(digits))
		return false;
	memcpy(digits, text, length);
	digits[length] = '\0';
	*rest = text + length;
	return str_to_i64(digits, 1, INT32_MAX, vmid) == 0;
}

static void read_failure(const char *text, struct arena *arena, struct pve_backup_log *log)
{
	struct pve_backup_failure failure = { .text = "" };
	const char *rest;

	if (!read_vmid(text, &failure.vmid, &rest))
		return;
	if (str_starts(rest, " failed"))
		rest += strlen(" failed");
	rest += strspn(rest, " -");
	if (rest[0])
		failure.text = pve_text(arena, rest, TEXT_MAX_BYTES);
	log->failures[log->failures_n++] = failure;
}

/* The word after OPTION, or NULL. */
static const char *option_of(const char *line, const char *option, struct arena *arena)
{
	const char *at = strstr(line, option);

	if (!at)
		return NULL;
	at += strlen(option);
	at += strspn(at, " =");
	return arena_strndup(arena, at, strcspn(at, " "));
}

static void read_first(const char *text, struct arena *arena, struct pve_backup_log *log)
{
	const char *options = strstr(text, " --");
	const char *all = option_of(text, " --all", arena);

	log->whole = true;
	log->vmids = options ? arena_strndup(arena, text, (size_t)(options - text)) :
			       arena_strdup(arena, text);
	log->all = all && str_eq(all, "1");
	log->exclude = option_of(text, " --exclude ", arena);
}

static void read_line(const char *text, struct arena *arena, struct pve_backup_log *log)
{
	const char *rest;
	int64_t vmid;

	if (str_starts(text, FAILED))
		read_failure(text + strlen(FAILED), arena, log);
	else if (str_starts(text, FINISHED) && read_vmid(text + strlen(FINISHED), &vmid, &rest))
		log->finished[log->finished_n++] = vmid;
	else if (str_starts(text, FIRST) && !log->whole)
		read_first(text + strlen(FIRST), arena, log);
}

int pve_parse_backup_log(const cJSON *answer, struct arena *arena, struct pve_backup_log *ret)
{
	const cJSON *data = pve_data_list(answer);
	struct pve_backup_log log = { 0 };
	const cJSON *item;
	size_t n;

	if (!data)
		return -EINVAL;
	n = (size_t)cJSON_GetArraySize(data);
	log.failures = pve_list_alloc(arena, n, sizeof(*log.failures));
	log.finished = pve_list_alloc(arena, n, sizeof(*log.finished));
	cJSON_ArrayForEach(item, data) {
		const cJSON *text = json_get(item, "t");

		if (cJSON_IsString(text))
			read_line(text->valuestring, arena, &log);
	}
	*ret = log;
	return 0;
}

static bool is_among(const int64_t *list, size_t n, int64_t vmid)
{
	for (size_t i = 0; i < n; i++) {
		if (list[i] == vmid)
			return true;
	}
	return false;
}

bool pve_backup_log_meant(const struct pve_backup_log *log, int64_t vmid)
{
	if (!log->whole || is_among(log->finished, log->finished_n, vmid))
		return false;
	if (log->all)
		return !pve_list_has_vmid(log->exclude, vmid);
	return pve_list_has_vmid(log->vmids, vmid);
}
