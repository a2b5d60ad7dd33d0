/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * A Proxmox of three nodes and four guests: what is there, what its tasks do to it, and the poller that watches it.
 */
#include "common/http.h"
#include "tests/reference/whole/whole.h"

#define PVE_GUESTS 4
#define PVE_SNAPSHOTS 32
#define PVE_TASKS 96
#define PVE_NODES 3
#define PVE_UNIT "smbd.service"
#define PVE_NEVER (-1)

enum pve_op {
	OP_START,
	OP_SHUTDOWN,
	OP_STOP,
	OP_REBOOT,
	OP_SNAPSHOT,
	OP_DELETE_SNAPSHOT,
	OP_RESTART, /* of a node's unit, over SSH; */
	OP_HALT,    /* stopping it */
	OP_READ,    /* only looks, and is not asked of Proxmox */
	OP_COUNT,
};

struct pve_snapshot {
	char name[24];
	int64_t made_ms, gone_ms; /* gone: PVE_NEVER while it is there */
};

struct pve_guest {
	int64_t vmid;
	const char *name, *type, *node;
	const char *lock; /* NULL: none */
	bool is_running;
	int64_t started_ms;	   /* of the run, or of the last one */
	int64_t ran_ms, rested_ms; /* until when it was last so; now, while it is */
	unsigned digest;
	struct pve_snapshot snapshots[PVE_SNAPSHOTS];
	size_t snapshots_n;
	bool is_changed; /* since the poller has last said how it is */
};

/* The one of a node. */
struct pve_unit {
	const char *node;
	bool is_active;
	int64_t pid, entered_ms, rested_ms; /* until when it was last inactive */
};

enum pve_task_state { PVE_RUNS, PVE_DONE, PVE_FAILED, PVE_STOPPED };

struct pve_task {
	struct whole *w;
	char upid[128];
	struct pve_guest *guest;
	const char *node;
	enum pve_op op;
	char snapshot[24];
	char gid[40]; /* whose effect it is; "": a stranger's */
	enum pve_task_state state;
	bool is_forgotten; /* by Proxmox */
};

struct pve {
	struct pve_guest guests[PVE_GUESTS];
	struct pve_unit units[PVE_NODES];
	struct pve_task tasks[PVE_TASKS];
	size_t tasks_n;
	unsigned serial;
	struct http_call *calls; /* under way */
	bool is_polled;
};

/* A change that was asked for, read from its request. */
struct pve_change {
	enum pve_op op;
	struct pve_guest *guest; /* or */
	struct pve_unit *unit;
	char snapshot[24];
};

/* pve.c */
void pve_init(struct whole *w);
void pve_done(struct whole *w);
struct pve_guest *pve_guest(struct whole *w, int64_t vmid);
struct pve_unit *pve_unit(struct whole *w, const char *node);
void pve_unit_set(struct whole *w, struct pve_unit *unit, bool is_active);
/* "POST /nodes/…" with its form; false: it is no change of a guest. */
bool pve_read_change(struct whole *w, const char *request, const char *form,
		     struct pve_change *ret);
/* Begins its task; NULL: there is no room. */
struct pve_task *pve_begin(struct whole *w, const struct pve_change *change, const char *user,
			   const char *gid);
struct pve_task *pve_task(struct whole *w, const char *upid);
void pve_task_end(struct pve_task *task, enum pve_task_state state);
/* What the condition of CHANGE's tool asks for has been so at some time from SINCE_MS on. */
bool pve_was_so(const struct pve_change *change, int64_t since_ms);
/* Somebody at Proxmox's own page does something. */
void pve_stranger(struct whole *w);

/* pve_http.c: the answer to what was asked, as JSON; a status other than 200 has a reason instead. */
int pve_answer(struct whole *w, const char *request, const char *form, const char *gid,
	       struct str *body, const char **reason);

/* poller.c */
void poller_start(struct whole *w);
/* TEXT: msg_request; it asks for a look at once. */
void poller_ask(struct whole *w, const char *principal, const char *text);
