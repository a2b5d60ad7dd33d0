/* SPDX-License-Identifier: MIT */
/*
 * Proxmox tells the privileges on the top paths and on those that stand in its access list, unless there are none;
 * below them the deepest one counts, where its privilege is passed on. Which roles they come from only the access
 * list says, and only to a token that may audit /access. Both come in any order, another each time.
 */
#include "services/proxmox-poller/pve_rights.h"

#define FINDINGS_MAX 8
#define CURE_MAX_BYTES 1000
#define DETAIL_MAX_BYTES 960

/* ── privileges on paths ───────────────────────────────────────────────────────────────────────────────────── */

/* True when PARENT is PATH, or above it. */
static bool is_above(const char *parent, const char *path)
{
	size_t length = strlen(parent);

	if (str_eq(parent, "/"))
		return path[0] == '/';
	return strncmp(path, parent, length) == 0 && (!path[length] || path[length] == '/');
}

/* These are told of whenever anything is granted on them. */
static bool is_top(const char *path)
{
	static const char *const tops[] = { "/",     "/access", "/access/groups", "/nodes",
					    "/pool", "/sdn",	"/storage",	  "/vms" };

	for (size_t i = 0; i < countof(tops); i++) {
		if (str_eq(path, tops[i]))
			return true;
	}
	return false;
}

/* The deepest path that Proxmox tells of and that is PATH or above it, no higher than a top path. */
static const cJSON *entry_for(const cJSON *data, const char *path)
{
	_cleanup_(freep) char *at = xstrdup(path);

	while (at[0]) {
		const cJSON *entry = json_get(data, at);
		char *slash = strrchr(at, '/');

		if (cJSON_IsObject(entry))
			return entry;
		if (is_top(at) || !slash)
			return NULL;
		slash[slash == at] = '\0';
	}
	return NULL;
}

static bool is_passed_on(const cJSON *privilege)
{
	double number;

	return pve_number(privilege, &number) && number != 0;
}

static bool has(const cJSON *data, const char *path, const char *privilege)
{
	const cJSON *entry = entry_for(data, path);
	const cJSON *found = json_get(entry, privilege);

	return found && (str_eq(entry->string, path) || is_passed_on(found));
}

bool pve_rights_has(const cJSON *permissions, const char *path, const char *privilege)
{
	return has(pve_data_object(permissions), path, privilege);
}

static bool has_anywhere(const cJSON *data, const char *privilege)
{
	const cJSON *entry;

	cJSON_ArrayForEach(entry, data) {
		if (json_get(entry, privilege))
			return true;
	}
	return false;
}

static bool has_nothing(const cJSON *data)
{
	const cJSON *entry;

	cJSON_ArrayForEach(entry, data) {
		if (cJSON_IsObject(entry) && entry->child)
			return false;
	}
	return true;
}

/* ── findings ──────────────────────────────────────────────────────────────────────────────────────────────── */

struct acl_row {
	const char *path, *type, *ugid, *role;
};

static const struct pve_field acl_fields[] = {
	PVE_FIELD(acl_row, "path", path, PVE_STR),
	PVE_FIELD(acl_row, "roleid", role, PVE_STR),
	PVE_FIELD(acl_row, "type", type, PVE_STR),
	PVE_FIELD(acl_row, "ugid", ugid, PVE_STR),
};

struct judge {
	const cJSON *data; /* path → privileges */
	bool acl_known;
	struct acl_row *rows; /* of the access list, the token's own */
	size_t rows_n;
	const char *token;
	const char *user;
	struct arena *arena;
	struct msg_finding *list;
	size_t n;
};

static void add_finding(struct judge *j, struct msg_finding finding)
{
	if (j->n < FINDINGS_MAX)
		j->list[j->n++] = finding;
}

struct needed {
	const char *id, *path, *privilege, *without;
};

static const struct needed needed[] = {
	{ "token-lacks-sys-audit", "/", "Sys.Audit",
	  "the cluster's quorum, details of nodes, disks, SMART, ZFS, Ceph, backup jobs and high "
	  "availability cannot be read" },
	{ "token-lacks-vm-audit", "/vms", "VM.Audit",
	  "virtual machines and containers do not appear, and neither do their backups, snapshots "
	  "and replication" },
	{ "token-lacks-datastore-audit", "/storage", "Datastore.Audit",
	  "storages and the backups on them do not appear" },
};

/* What is granted at the top and yet not on PATH was taken away there. */
static const char *cure_path(const struct judge *j, const struct needed *need)
{
	return has(j->data, "/", need->privilege) ? need->path : "/";
}

static void judge_missing(struct judge *j, const struct needed *need)
{
	bool partly = has_anywhere(j->data, need->privilege);
	const char *path = cure_path(j, need);

	if (has(j->data, need->path, need->privilege))
		return;
	add_finding(
		j,
		(struct msg_finding){
			.id = need->id,
			.severity = partly ? SEVERITY_INFO : SEVERITY_WARNING,
			.title = arena_printf(j->arena, "The token lacks %s on %s", need->privilege,
					      need->path),
			.detail = arena_printf(
				j->arena,
				"%.64s %s: without it %s. Proxmox leaves out what a token may not see and "
				"does not say so. A token never has more rights than its user, who needs "
				"the role too.",
				j->token,
				partly ? "has it on some paths only" : "does not have it anywhere",
				need->without),
			.cure = arena_printf(j->arena,
					     "pveum acl modify %s --users '%.64s' --tokens '%.64s' "
					     "--roles PVEAuditor",
					     path, j->user, j->token),
		});
}

/* ── an order ──────────────────────────────────────────────────────────────────────────────────────────────── */

static int compare_members(const void *a, const void *b)
{
	return strcmp((*(const cJSON *const *)a)->string, (*(const cJSON *const *)b)->string);
}

/* The members of OBJECT by name. */
static const cJSON **sorted(const cJSON *object, struct arena *arena, size_t *ret)
{
	int count = cJSON_IsObject(object) ? cJSON_GetArraySize(object) : 0;
	const cJSON **list = arena_alloc(arena, max_of((size_t)count, (size_t)1) * sizeof(*list));
	const cJSON *member = count ? object->child : NULL;

	*ret = 0;
	for (; member; member = member->next)
		list[(*ret)++] = member;
	qsort(list, *ret, sizeof(*list), compare_members);
	return list;
}

/* ── too much ──────────────────────────────────────────────────────────────────────────────────────────────── */

/* What role PVEAuditor holds on PVE 8 and 9. */
static const char *const auditor[] = {
	"Datastore.Audit", "Mapping.Audit", "Pool.Audit",	   "SDN.Audit",
	"Sys.Audit",	   "VM.Audit",	    "VM.GuestAgent.Audit",
};

static bool is_fine(const char *path, const char *privilege)
{
	for (size_t i = 0; i < countof(auditor); i++) {
		if (str_eq(privilege, auditor[i]))
			return true;
	}
	/* The list of all updates is behind it. */
	return str_eq(privilege, "Sys.Modify") && is_above("/nodes", path);
}

/* Granted further up, and told of there. */
static bool is_inherited(const cJSON *data, const char *path, const char *privilege)
{
	const cJSON *entry;

	cJSON_ArrayForEach(entry, data) {
		if (!str_eq(entry->string, path) && is_above(entry->string, path) &&
		    json_get(entry, privilege) && !is_fine(entry->string, privilege))
			return true;
	}
	return false;
}

/* True when PATH grants something that reading does not need; OUT, unless NULL, gets what. */
static bool list_excess(const struct judge *j, const cJSON *entry, struct str *out)
{
	size_t n;
	const cJSON **privileges = sorted(entry, j->arena, &n);
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		const char *name = privileges[i]->string;

		if (is_fine(entry->string, name) || is_inherited(j->data, entry->string, name))
			continue;
		if (out && out->len + strlen(name) + strlen(entry->string) < DETAIL_MAX_BYTES) {
			if (!any)
				str_printf(out, "%son %s: ", out->len ? "; " : "", entry->string);
			str_printf(out, "%s%s", any ? ", " : "", name);
		}
		any = true;
	}
	return any;
}

static bool is_own(const struct judge *j, const struct acl_row *row)
{
	return row->path && row->type && row->ugid && row->role && str_eq(row->type, "token") &&
	       str_eq(row->ugid, j->token);
}

static int compare_rows(const void *a, const void *b)
{
	const struct acl_row *x = a, *y = b;
	int order = strcmp(x->path, y->path);

	return order ? order : strcmp(x->role, y->role);
}

/* The rows of the access list that name the token. */
static void read_own(struct judge *j, const cJSON *acl)
{
	const cJSON *item;

	j->rows = pve_list_alloc(j->arena, (size_t)cJSON_GetArraySize(acl), sizeof(*j->rows));
	cJSON_ArrayForEach(item, acl) {
		struct acl_row row = { 0 };

		pve_read(item, acl_fields, countof(acl_fields), j->arena, &row);
		if (is_own(j, &row))
			j->rows[j->rows_n++] = row;
	}
	qsort(j->rows, j->rows_n, sizeof(*j->rows), compare_rows);
}

/* Such a token is not named in the access list: its user's rights are its own. Unknown counts as separated. */
static bool is_separated(const struct judge *j)
{
	return !j->acl_known || !has(j->data, "/access", "Sys.Audit") || j->rows_n;
}

/* What comes from an unknown place is not pasted into a shell. */
static bool is_plain(const char *text)
{
	for (; *text; text++) {
		if (*text <= ' ' || *text > '~' || strchr("'\"\\`$;&|<>(){}[]*?!#~", *text))
			return false;
	}
	return true;
}

static bool is_to_blame(const struct judge *j, const struct acl_row *row)
{
	if (str_eq(row->role, "PVEAuditor") || str_eq(row->role, "NoAccess"))
		return false;
	return is_above("/pool", row->path) || list_excess(j, json_get(j->data, row->path), NULL);
}

static const char *excess_cure(const struct judge *j)
{
	_cleanup_(str_done) struct str text = { 0 };

	for (size_t i = 0; i < j->rows_n; i++) {
		const struct acl_row *row = &j->rows[i];

		if (!is_to_blame(j, row) || !is_plain(row->path) || !is_plain(row->role) ||
		    text.len + strlen(row->path) > CURE_MAX_BYTES - 400)
			continue;
		str_printf(&text, "pveum acl delete %s --tokens '%.64s' --roles %.64s && ",
			   row->path, j->token, row->role);
	}
	str_printf(&text, "pveum acl modify / --tokens '%.64s' --roles PVEAuditor", j->token);
	return arena_strdup(j->arena, str_get(&text));
}

static const char *separation_cure(const struct judge *j)
{
	const char *name = strchr(j->token, '!');

	return arena_printf(j->arena,
			    "pveum user token modify '%.64s' '%.64s' --privsep 1 && pveum acl "
			    "modify / --tokens '%.64s' --roles PVEAuditor",
			    j->user, name ? name + 1 : "", j->token);
}

static void judge_excess(struct judge *j)
{
	_cleanup_(str_done) struct str what = { 0 };
	bool separated = is_separated(j);
	size_t n;
	const cJSON **entries = sorted(j->data, j->arena, &n);

	for (size_t i = 0; i < n; i++)
		(void)list_excess(j, entries[i], &what);
	if (what.len)
		add_finding(j, (struct msg_finding){
				       .id = "token-excess",
				       .severity = SEVERITY_WARNING,
				       .title = "The token may do more than read",
				       .detail = pve_text(j->arena, str_get(&what), 1024),
				       .cure = separated ? excess_cure(j) : separation_cure(j),
			       });
	if (!separated)
		add_finding(j, (struct msg_finding){
				       .id = "token-not-separated",
				       .severity = what.len ? SEVERITY_WARNING : SEVERITY_INFO,
				       .title = "The token has all rights of its user",
				       .detail = arena_printf(
					       j->arena,
					       "%.64s was made without privilege separation: what "
					       "%.64s is granted later, it may do too.",
					       j->token, j->user),
				       .cure = separation_cure(j),
			       });
}

/* ── the whole ─────────────────────────────────────────────────────────────────────────────────────────────── */

void pve_rights_judge(const cJSON *permissions, const cJSON *acl, const char *token,
		      struct pve_findings *ret)
{
	struct arena *arena = arena_new();
	struct judge j = {
		.data = pve_data_object(permissions),
		.acl_known = pve_data_list(acl),
		.token = arena_strdup(arena, token),
		.user = arena_strndup(arena, token, strcspn(token, "!")),
		.arena = arena,
		.list = arena_alloc(arena, FINDINGS_MAX * sizeof(struct msg_finding)),
	};

	read_own(&j, pve_data_list(acl));
	if (!has_nothing(j.data)) {
		for (size_t i = 0; i < countof(needed); i++)
			judge_missing(&j, &needed[i]);
		judge_excess(&j);
	}
	pve_findings_done(ret);
	*ret = (struct pve_findings){ arena, j.list, j.n };
}

const struct msg_finding *pve_findings_find(const struct pve_findings *findings, const char *id)
{
	for (size_t i = 0; i < findings->n; i++) {
		if (str_eq(findings->list[i].id, id))
			return &findings->list[i];
	}
	return NULL;
}

void pve_findings_done(struct pve_findings *findings)
{
	arena_free(findings->arena);
	*findings = (struct pve_findings){ 0 };
}
