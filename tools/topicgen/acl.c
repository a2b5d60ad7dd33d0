/* SPDX-License-Identifier: MIT */
/*
 * The broker's ACL. Explicit lines for each user and no patterns, for a pattern would grant to everybody. No deny
 * lines either: what is not granted is denied.
 */
#include "tools/topicgen/topicgen.h"

#include "common/alloc.h"

#define DISCOVERY_FILTER "homeassistant/#"

/* One user, for whom rules are printed. */
struct acl_user {
	const char *base;
	const char *name;
	service_mask mask; /* the bits that this user has */
};

static bool is_word(const char *word, const char *name)
{
	return strcmp(word, name) == 0;
}

/*
 * The filter of topic ID for this user. Who writes is pinned: {service} of what a service says about itself, and
 * {principal} of a command. Who reads is pinned where a message is addressed: commands to a service, replies.
 */
static void build_filter(const struct acl_user *user, enum topic_id id, bool write, char *out)
{
	enum topic_class class = topic_table[id].class;
	bool addressed = class == CLASS_COMMAND || class == CLASS_REPLY;
	const char *args[TOPIC_ARGS_MAX + 1] = { NULL };
	char word[32];

	for (size_t i = 0; topic_word(id, i, word) == 0; i++) {
		bool pinned;

		if (is_word(word, "service"))
			pinned = addressed ? !write : write;
		else if (is_word(word, "principal"))
			pinned = class == CLASS_REPLY ? !write : write;
		else
			pinned = false;
		args[i] = pinned ? user->name : topic_wild;
	}
	(void)topic_build(user->base, id, args, out);
}

static void print_rule(const struct acl_user *user, enum topic_id id, struct str *out)
{
	const struct topic_def *t = &topic_table[id];
	bool write = t->writers & user->mask;
	bool read = t->readers & user->mask;
	/* An owner reads its own documents back, to clear what an earlier run left. */
	bool own = t->writers == user->mask && t->class == CLASS_STATE;
	char write_filter[TOPIC_MAX_BYTES];
	char read_filter[TOPIC_MAX_BYTES];

	build_filter(user, id, true, write_filter);
	build_filter(user, id, own && !read, read_filter);
	if (write && (read || own) && strcmp(write_filter, read_filter) == 0) {
		str_printf(out, "topic readwrite %s\n", write_filter);
		return;
	}
	if (write)
		str_printf(out, "topic write %s\n", write_filter);
	if (read || own)
		str_printf(out, "topic read %s\n", read_filter);
}

static void print_user(const struct acl_user *user, const char *doc, const char *discovery,
		       struct str *out)
{
	str_printf(out, "\n# %s\nuser %s\n", doc, user->name);
	for (int id = 0; id < TOPIC_COUNT; id++)
		print_rule(user, (enum topic_id)id, out);
	if (discovery)
		str_printf(out, "topic %s %s\n", discovery, DISCOVERY_FILTER);
}

void print_acl(const struct config *config, struct str *out)
{
	const char *base = config ? config->base : "jarvis";

	str_add(out,
		"# Printed by topicgen from common/topics.def and the principals of jarvis.yaml; do not edit.\n");
	for (int i = 0; i < SERVICE_COUNT; i++) {
		struct acl_user user = { base, service_table[i].name, SERVICE_BIT(i) };

		print_user(&user, service_table[i].doc, i == SERVICE_GATEWAY ? "readwrite" : NULL,
			   out);
	}
	for (size_t i = 0; config && i < config->principals_n; i++) {
		const struct config_principal *p = &config->principals[i];
		bool remote = p->class == PRINCIPAL_REMOTE;
		struct acl_user user = { base, p->name,
					 remote ? MASK_REMOTES | MASK_VIEWERS : MASK_VIEWERS };

		print_user(&user,
			   remote ? "remote: may ask, within its list" : "viewer: only reads",
			   "read", out);
	}
}
