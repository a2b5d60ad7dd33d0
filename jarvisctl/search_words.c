/* SPDX-License-Identifier: MIT */
/*
 * The words of the search language, as tables.
 */
#include <errno.h>

#include "jarvisctl/search_parts.h"

static const struct name {
	const char *name;
	int value;
} fields[] = {
	{ "name", SEARCH_NAME },
	{ "node", SEARCH_NODE },
	{ "host", SEARCH_NODE },
	{ "type", SEARCH_TYPE },
	{ "tag", SEARCH_TAG },
	{ "tags", SEARCH_TAG },
	{ "status", SEARCH_STATUS },
	{ "is", SEARCH_STATUS },
	{ "pool", SEARCH_POOL },
	{ "lock", SEARCH_LOCK },
	{ "ha", SEARCH_HA },
	{ "id", SEARCH_VMID },
	{ "vmid", SEARCH_VMID },
	{ "backup", SEARCH_BACKUP },
	{ "snapshot", SEARCH_SNAPSHOT },
	{ "storage", SEARCH_STORAGE },
	{ "job", SEARCH_JOB },
	{ "onboot", SEARCH_ONBOOT },
	{ "kind", SEARCH_KIND },
	{ "health", SEARCH_HEALTH },
	{ "os", SEARCH_OS },
}, numbers[] = {
	{ "cpu", NUMBER_CPU },
	{ "mem", NUMBER_MEM },
	{ "memory", NUMBER_MEM },
	{ "disk", NUMBER_DISK },
	{ "cores", NUMBER_CORES },
	{ "uptime", NUMBER_UPTIME },
	{ "netin", NUMBER_NETIN },
	{ "netout", NUMBER_NETOUT },
	{ "net", NUMBER_NET },
	{ "read", NUMBER_READ },
	{ "write", NUMBER_WRITE },
	{ "vmid", NUMBER_VMID },
	{ "id", NUMBER_VMID },
	{ "backup", NUMBER_BACKUP },
	{ "snapshot", NUMBER_SNAPSHOT },
	{ "snapshots", NUMBER_SNAPSHOTS },
	{ "temp", NUMBER_TEMP },
	{ "life", NUMBER_LIFE },
	{ "used", NUMBER_DISK },
	{ "updates", NUMBER_UPDATES },
}, operators[] = {
	/* The longer ones first. */
	{ ">=", AT_LEAST }, { "<=", AT_MOST }, { "!=", OTHER },
	{ ">", ABOVE },	    { "<", BELOW },    { "=", EQUAL },
};

/* Words that people use for what Proxmox calls otherwise. */
static const struct alias {
	enum search_field field;
	const char *said, *meant;
} aliases[] = {
	{ SEARCH_TYPE, "vm", "qemu" },		{ SEARCH_TYPE, "ct", "lxc" },
	{ SEARCH_TYPE, "container", "lxc" },	{ SEARCH_STATUS, "on", "running" },
	{ SEARCH_STATUS, "up", "running" },	{ SEARCH_STATUS, "off", "stopped" },
	{ SEARCH_STATUS, "down", "stopped" },	{ SEARCH_BACKUP, "ok", "fine" },
	{ SEARCH_BACKUP, "good", "fine" },	{ SEARCH_BACKUP, "old", "stale" },
	{ SEARCH_BACKUP, "bad", "failed" },	{ SEARCH_KIND, "vm", "guest" },
	{ SEARCH_KIND, "ct", "guest" },		{ SEARCH_KIND, "guests", "guest" },
	{ SEARCH_KIND, "nodes", "node" },	{ SEARCH_KIND, "disks", "disk" },
	{ SEARCH_KIND, "storages", "storage" }, { SEARCH_KIND, "jobs", "job" },
	{ SEARCH_ONBOOT, "true", "yes" },	{ SEARCH_ONBOOT, "1", "yes" },
	{ SEARCH_ONBOOT, "false", "no" },	{ SEARCH_ONBOOT, "0", "no" },
};

static const enum comparison comparisons[SEARCH_FIELDS] = {
	[SEARCH_NAME] = PART,	 [SEARCH_JOB] = PART,	    [SEARCH_LOCK] = BEGINNING,
	[SEARCH_HA] = BEGINNING, [SEARCH_VMID] = BEGINNING, [SEARCH_OS] = BEGINNING,
};

static int find_name(const struct name *names, size_t n, const char *text, size_t length)
{
	for (size_t i = 0; i < n; i++) {
		if (strlen(names[i].name) == length &&
		    strncasecmp(names[i].name, text, length) == 0)
			return names[i].value;
	}
	return -ENOENT;
}

static void list_names(struct str *out, const struct name *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool is_known = false;

		for (size_t k = 0; k < i; k++)
			is_known = is_known || names[k].value == names[i].value;
		if (!is_known)
			str_printf(out, "%s%s", i ? ", " : "", names[i].name);
	}
}

const char *search_number_name(enum search_number number)
{
	for (size_t i = 0; i < countof(numbers); i++) {
		if (numbers[i].value == (int)number)
			return numbers[i].name;
	}
	return "";
}

int search_find_field(const char *text, size_t length)
{
	return find_name(fields, countof(fields), text, length);
}

int search_find_number(const char *text, size_t length)
{
	return find_name(numbers, countof(numbers), text, length);
}

size_t search_find_relation(const char *text, enum relation *ret)
{
	for (size_t i = 0; i < countof(operators); i++) {
		size_t length = strlen(operators[i].name);

		if (strncmp(text, operators[i].name, length) != 0)
			continue;
		*ret = (enum relation)operators[i].value;
		return length;
	}
	return 0;
}

void search_list_fields(struct str *out)
{
	list_names(out, fields, countof(fields));
}

void search_list_numbers(struct str *out)
{
	list_names(out, numbers, countof(numbers));
}

enum comparison search_comparison(enum search_field field)
{
	return comparisons[field];
}

const char *search_meaning(enum search_field field, const char *word)
{
	for (size_t i = 0; i < countof(aliases); i++) {
		if (aliases[i].field == field && str_eq(aliases[i].said, word))
			return aliases[i].meant;
	}
	return word;
}
