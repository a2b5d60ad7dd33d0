/* SPDX-License-Identifier: MIT */
/*
 * Says how Proxmox stands, as the poller does: every ten seconds, and when it is asked to look at once.
 */
#include "common/alloc.h"
#include "tests/reference/whole/pve.h"

#include <inttypes.h>
#include <stdio.h>

#define PERIOD_S 10

static int64_t now_wall(const struct whole *w)
{
	return WHOLE_WALL_MS + w->now_ms;
}

static void say_guest(struct whole *w, struct pve_guest *guest)
{
	char vmid[24], digest[48];
	const char *const args[] = { "home", vmid, NULL };
	const struct msg_guest_state state = {
		.ts = now_wall(w),
		.cluster = "home",
		.vmid = guest->vmid,
		.name = guest->name,
		.type = str_eq(guest->type, "lxc") ? GUEST_LXC : GUEST_QEMU,
		.node = guest->node,
		.status = guest->is_running ? GUEST_RUNNING : GUEST_STOPPED,
		.lock = guest->lock,
	};
	const struct msg_guest_config config = {
		.ts = now_wall(w), .cluster = "home", .vmid = guest->vmid, .digest = digest
	};

	snprintf(vmid, sizeof(vmid), "%" PRId64, guest->vmid);
	snprintf(digest, sizeof(digest), "%040u", guest->digest);
	broker_say(w, TOPIC_GUEST_STATE, args, &state);
	broker_say(w, TOPIC_GUEST_CONFIG, args, &config);
	guest->is_changed = false;
}

static void say_nodes(struct whole *w)
{
	static const char *const names[] = { "a", "b", "c" };

	for (size_t i = 0; i < countof(names); i++) {
		const struct msg_node_state node = { .ts = now_wall(w),
						     .cluster = "home",
						     .node = names[i],
						     .status = NODE_ONLINE };

		broker_say(w, TOPIC_NODE_STATE, (const char *const[]){ "home", names[i], NULL },
			   &node);
	}
}

static void say_cluster(struct whole *w)
{
	const struct map_source_state sources[] = {
		{ "resources", { .last_ok_ms = some_i64(now_wall(w)), .period_s = PERIOD_S } },
		{ "status", { .last_ok_ms = some_i64(now_wall(w)), .period_s = PERIOD_S } },
	};
	const struct msg_cluster_state state = {
		.ts = now_wall(w),
		.cluster = "home",
		.quorate = some_bool(true),
		.votes = some_i64(3),
		.votes_needed = some_i64(2),
		.votes_expected = some_i64(3),
		.sources = sources,
		.sources_n = countof(sources),
	};

	broker_say(w, TOPIC_CLUSTER_STATE, (const char *const[]){ "home", NULL }, &state);
}

static void look(struct whole *w, bool is_all)
{
	for (size_t i = 0; i < PVE_GUESTS; i++) {
		if (is_all || w->pve->guests[i].is_changed)
			say_guest(w, &w->pve->guests[i]);
	}
	say_cluster(w);
}

static void poll_cb(struct whole *w, _unused_ void *ctx)
{
	/* What was lost on its way is said again now and then. */
	bool is_all = !w->pve->is_polled || w->is_calm || dice_once_in(&w->dice, 6);

	if (is_all) {
		broker_publish(w, NULL, TOPIC_SERVICE_STATE,
			       (const char *const[]){ "proxmox-poller", "main", NULL }, "online",
			       strlen("online"));
		say_nodes(w);
	}
	w->pve->is_polled = true;
	look(w, is_all);
	event_add(w, PERIOD_S * 1000, NULL, poll_cb, NULL, NULL);
}

void poller_start(struct whole *w)
{
	event_add(w, 1, NULL, poll_cb, NULL, NULL);
}

struct refresh {
	char principal[64], request_id[65];
};

static void refresh_cb(struct whole *w, void *ctx)
{
	_cleanup_(freep) struct refresh *refresh = ctx;
	const struct msg_reply reply = { .request_id = refresh->request_id, .status = REPLY_OK };

	look(w, false);
	broker_say(w, TOPIC_REPLY,
		   (const char *const[]){ refresh->principal, refresh->request_id, NULL }, &reply);
}

void poller_ask(struct whole *w, const char *principal, const char *text)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct refresh *refresh;
	struct codec_error error;
	void *body;

	if (codec_decode(&message_request, text, strlen(text), JSON_COMMAND, CODEC_STRICT, arena,
			 &body, &error) < 0)
		return;
	refresh = xnew(struct refresh);
	snprintf(refresh->principal, sizeof(refresh->principal), "%s", principal);
	snprintf(refresh->request_id, sizeof(refresh->request_id), "%s",
		 ((const struct msg_request *)body)->request_id);
	event_add(w, whole_between(w, 20, 800), NULL, refresh_cb, free, refresh);
}
