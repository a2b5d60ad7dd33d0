/* SPDX-License-Identifier: MIT */
/*
 * Rows of packages to those that wait. A package is a security update when its Origin or Section says so, as
 * Debian-Security and many mirrors do; Debian's own archive is "Debian" for both, and then how many of them are
 * security updates is unknown, not 0.
 */
#include "services/proxmox-poller/pve_updates.h"

#include <errno.h>

struct row {
	const char *name, *version, *old_version, *origin, *section, *state;
};

static const struct pve_field row_fields[] = {
	PVE_FIELD(row, "CurrentState", state, PVE_STR),
	PVE_FIELD(row, "OldVersion", old_version, PVE_STR),
	PVE_FIELD(row, "Origin", origin, PVE_STR),
	PVE_FIELD(row, "Package", name, PVE_STR),
	PVE_FIELD(row, "Section", section, PVE_STR),
	PVE_FIELD(row, "Version", version, PVE_STR),
};

static bool says_security(const char *text)
{
	return text && strcasestr(text, "security");
}

static bool is_from_debian(const struct row *row)
{
	return row->origin && strcasestr(row->origin, "debian");
}

static int compare_packages(const void *a, const void *b)
{
	return strcmp(((const struct msg_package *)a)->name, ((const struct msg_package *)b)->name);
}

static void add(struct pve_updates *ret, const struct row *row, struct arena *arena)
{
	bool security = says_security(row->origin) || says_security(row->section);

	ret->pending++;
	ret->security += security;
	ret->undecided = ret->undecided || (!security && is_from_debian(row));
	ret->packages[ret->packages_n++] = (struct msg_package){
		.name = pve_text(arena, row->name, 128),
		.version = pve_text(arena, row->version, 128),
		.old_version = pve_text(arena, row->old_version, 128),
		.security = security,
	};
}

/* Of what is not installed a candidate is no update. */
static bool waits(const struct row *row, bool versions)
{
	if (!versions)
		return true;
	if (row->state && !str_eq(row->state, "Installed"))
		return false;
	return row->old_version && row->version && !str_eq(row->old_version, row->version);
}

static int parse(const cJSON *answer, bool versions, struct arena *arena, struct pve_updates *ret)
{
	const cJSON *data = pve_data_list(answer);
	const cJSON *item;
	size_t rows = 0;

	if (!data)
		return -EINVAL;
	*ret = (struct pve_updates){ 0 };
	ret->packages =
		pve_list_alloc(arena, (size_t)cJSON_GetArraySize(data), sizeof(*ret->packages));
	cJSON_ArrayForEach(item, data) {
		struct row row = { 0 };

		pve_read(item, row_fields, countof(row_fields), arena, &row);
		if (!row.name) {
			ret->bad++;
			continue;
		}
		rows++;
		if (waits(&row, versions))
			add(ret, &row, arena);
	}
	qsort(ret->packages, ret->packages_n, sizeof(*ret->packages), compare_packages);
	ret->packages_n = min_of(ret->packages_n, (size_t)PVE_PACKAGES_MAX);
	return rows || !ret->bad ? 0 : -EINVAL;
}

int pve_parse_updates(const cJSON *answer, struct arena *arena, struct pve_updates *ret)
{
	return parse(answer, false, arena, ret);
}

int pve_parse_versions(const cJSON *answer, struct arena *arena, struct pve_updates *ret)
{
	return parse(answer, true, arena, ret);
}

/* ── certificates ──────────────────────────────────────────────────────────────────────────────────────────── */

struct certificate_row {
	const char *file;
	struct opt_i64 ends_s;
};

static const struct pve_field certificate_fields[] = {
	PVE_FIELD(certificate_row, "filename", file, PVE_STR),
	PVE_FIELD(certificate_row, "notafter", ends_s, PVE_I64),
};

/* What pveproxy takes first. */
static const char *const certificate_files[] = { "pveproxy-ssl.pem", "pve-ssl.pem" };

int pve_parse_certificates(const cJSON *answer, struct arena *arena, struct pve_certificate *ret)
{
	const cJSON *data = pve_data_list(answer);
	size_t best = countof(certificate_files);
	const cJSON *item;

	if (!data)
		return -EINVAL;
	*ret = (struct pve_certificate){ 0 };
	cJSON_ArrayForEach(item, data) {
		struct certificate_row row = { 0 };

		pve_read(item, certificate_fields, countof(certificate_fields), arena, &row);
		for (size_t i = 0; row.file && i < best; i++) {
			if (!str_eq(row.file, certificate_files[i]))
				continue;
			best = i;
			*ret = (struct pve_certificate){ certificate_files[i], row.ends_s };
		}
	}
	return 0;
}
