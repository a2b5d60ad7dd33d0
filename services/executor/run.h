/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * One granted step on its way: look, journal, ask, follow, verify, refresh, report. Whatever happens in between, there
 * is one result at the end, and never a second request that changes something.
 */
#include "common/service.h"
#include "services/executor/freeze.h"
#include "services/executor/grant_check.h"
#include "services/executor/journal.h"
#include "services/executor/pve_link.h"
#include "services/executor/refresh.h"
#include "services/executor/ssh_link.h"

struct run;

/* What runs share. */
struct run_host {
	struct service_env *env;
	struct journal *journal;
	const struct freeze *freeze;
	struct refresh *refresh;
	struct ssh_links *ssh;
	bool (*has_poller)(void *ctx); /* somebody would answer a refresh */
	/* Why nothing may be begun now; NULL when it may. */
	const char *(*objection)(void *ctx);
	void (*progress)(void *ctx, const struct msg_action_progress *progress);
	/* RUN has ended with RESULT, borrowed; RUN may be freed now. */
	void (*finished)(void *ctx, struct run *run, const struct msg_action_result *result);
	void *ctx;
};

/*
 * ORDER, which lives in ARENA, is what was granted; ARENA becomes the run's. The grant has been journaled already,
 * unless it only reads. LINK is NULL for what does not need Proxmox.
 */
struct run *run_new(const struct run_host *host, struct pve_link *link, struct arena *arena,
		    const struct order *order) _nodiscard_;
/* Takes no effect any more and calls nobody; what is at Proxmox goes on there. */
void run_free(struct run *run);

/* Begins; the result always comes later. */
void run_start(struct run *run);
/* Goes on where a crash cut it off: ENTRY is JOURNAL_GRANTED or JOURNAL_SENT. */
void run_resume(struct run *run, const struct journal_entry *entry);
/* A person wants it to end: stops what can be stopped. */
void run_cancel(struct run *run);
/* Ends with an answer that was made elsewhere; CONTENT is JSON or NULL. */
void run_answer(struct run *run, enum step_status outcome, const char *detail, const char *content);

const struct order *run_order(const struct run *run);
/* Whether TOOL, which only reads, is read at Proxmox. */
bool run_reads(const struct tool *tool);
/* Whether TOOL is done, or read, at the node itself. */
bool run_goes_by_ssh(const struct tool *tool);
/* Whether A, on its way, and what B would do must not happen at once. */
bool run_is_in_way(const struct run *run, const struct order *order);
