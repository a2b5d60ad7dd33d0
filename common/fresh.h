/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * The one rule of freshness (topics.md, Freshness): a document is live while its owner is online and its source,
 * in the owner's source document, is younger than three periods. Ages run on the boot clock from the moment a
 * *live* source document arrived; a retained copy is data, not evidence of life. Pure: no clock, no bus.
 */
#include "common/topics.h"

enum fresh_verdict {
	FRESH_LIVE,
	FRESH_OWNER_OFFLINE, /* the service that owns the document is offline or was never seen */
	FRESH_SOURCE_OLD,    /* the source did not answer for three periods */
	FRESH_NO_EVIDENCE,   /* nothing but retained copies so far */
};

/* What one source has shown. */
struct fresh_source {
	bool seen;	    /* a live source document named it */
	int64_t age_ms;	    /* its age when that document was written: ts − last_ok_ms */
	int64_t at_boot_ms; /* when that document arrived */
	double period_s;
	bool never_ok; /* the source never answered */
};

/* Takes in a source's entry of a source document that arrived at BOOT_MS; RETAINED ones change nothing. */
void fresh_observe(struct fresh_source *source, const struct msg_source_state *entry, int64_t ts,
		   bool retained, int64_t boot_ms);
/* SOURCE is NULL for documents without one. */
enum fresh_verdict fresh_judge(bool owner_online, const struct fresh_source *source,
			       int64_t boot_ms);
/* "live", "owner offline", … for people. */
const char *fresh_text(enum fresh_verdict verdict);
