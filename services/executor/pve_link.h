/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * The way to one cluster: its token, its endpoints, one request at a time and what became of it. Reads try another
 * node when one does not answer; what changes something is sent once, on a connection of its own. Also here: whether
 * the token's rights are such that it may be used at all.
 */
#include "common/json.h"
#include "common/pve_error.h"
#include "common/service.h"

struct pve_link;
struct pve_call;

struct pve_request {
	const char *method;
	const char *path;    /* below /api2/json, encoded */
	const char *form;    /* NULL or "": none */
	const char *node;    /* that must answer; NULL: any */
	const char *avoid;   /* a node that must not be asked; NULL: none */
	unsigned timeout_ms; /* 0: as configured */
	/* Of a change: asked with FN's context right before it leaves. False: it does not, which is not ambiguous. */
	bool (*may_send)(void *ctx);
};

struct pve_answer {
	struct pve_fault fault;
	int status;	    /* of HTTP; 0 without an answer */
	const char *reason; /* Proxmox's own words; "" when there are none */
	const cJSON *tree;  /* with PVE_OK alone */
	/*
	 * With a fault, of a change: it may have been made all the same. False is certain: it was refused, or never
	 * left.
	 */
	bool is_ambiguous;
};

typedef void (*pve_link_fn)(void *ctx, const struct pve_answer *answer);

/*
 * A link that begins to look at its token's rights at once, and calls ON_CHANGE whenever pve_link_is_fit() may say
 * something else than before. One reference is the caller's.
 */
struct pve_link *pve_link_new(struct service_env *env, const struct config_cluster *cluster,
			      void (*on_change)(void *ctx), void *ctx) _nodiscard_;
struct pve_link *pve_link_ref(struct pve_link *link);
void pve_link_unref(struct pve_link *link);
/* No more requests of its own, and ON_CHANGE is not called any more; calls of others go on. */
void pve_link_close(struct pve_link *link);

/* The section of jarvis.yaml that it was made from; it lives as long as the link. */
const struct config_cluster *pve_link_config(const struct pve_link *link);
const char *pve_link_cluster(const struct pve_link *link);
const char *pve_link_token(const struct pve_link *link);
/* The hardware address of NODE from the configuration, or NULL. */
const char *pve_link_mac(const struct pve_link *link, const char *node);
/* The name of a node whose API is known, for what any can answer; NULL when none has an address. */
const char *pve_link_any_node(const struct pve_link *link);
/* True when nothing that concerns acting differs, so that it can be kept over a reload. */
bool pve_link_is_for(const struct pve_link *link, const struct config_cluster *cluster);
/* Reads the token again and looks at its rights anew. */
void pve_link_reread(struct pve_link *link);

/* Whether changes may be made with this token; *why says why not, borrowed. */
bool pve_link_is_fit(const struct pve_link *link, const char **why);
/* What its owner should mend: borrowed; NULL when there is nothing, or it is not known yet. */
const char *pve_link_trouble(const struct pve_link *link);
/* Whether it can be asked at all. */
bool pve_link_is_up(const struct pve_link *link, const char **why);

/* FN is called once, later; never from within. LINK must be up. Ownership of the call is the link's. */
struct pve_call *pve_link_ask(struct pve_link *link, const struct pve_request *request,
			      pve_link_fn fn, void *ctx);
/* FN will not be called. NULL is nothing. */
void pve_link_cancel(struct pve_call *call);
