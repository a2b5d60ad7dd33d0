/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * What an answer, or the lack of one, means, and a sentence for people that says what to do. The trap that it is
 * made for: 595 to 599 say that the node which answers has no path to the node that was meant; they are neither
 * "the node is dead" nor "the credentials are wrong".
 */
#include "common/http.h"

enum pve_class {
	PVE_OK,
	PVE_NO_PATH,	 /* 595–599: the node that answers cannot reach the node that was meant */
	PVE_AUTH,	 /* 401: the token is not accepted, at any node of the cluster */
	PVE_PERMISSION,	 /* 403: a privilege is missing */
	PVE_NOT_THERE,	 /* no such guest or node there */
	PVE_REFUSED,	 /* 400 or 500 with a reason: Proxmox will not */
	PVE_SERVER,	 /* any other status: a proxy, another program, another version */
	PVE_UNREACHABLE, /* no connection to the node that is asked */
	PVE_TIMEOUT,	 /* connected, but no whole answer in time */
	PVE_NOT_TRUSTED, /* not the certificate that it must be */
	PVE_BAD_ANSWER,	 /* 200, but not an answer of Proxmox */
	PVE_CLASS_COUNT
};

#define PVE_ERROR_BYTES 257

struct pve_fault {
	enum pve_class class;
	char text[PVE_ERROR_BYTES]; /* "" with PVE_OK */
};

/* What was asked, and of whom. */
struct pve_question {
	const char *service;  /* who asks: its secrets hold the token */
	const char *role;     /* that its token should have */
	const char *cluster;  /* name in jarvis.yaml */
	const char *token;    /* its id, which is no secret */
	const char *endpoint; /* node that is asked */
	const char *address;  /* "192.168.1.74:8006" */
	const char *node;     /* node that is meant; NULL: the one that is asked */
	const char *path;     /* "/cluster/status" */
	const char *pin;      /* configured fingerprint, or NULL */
};

/* Judges RESPONSE; the body is not looked into. */
void pve_classify(const struct pve_question *question, const struct http_response *response,
		  struct pve_fault *ret);
/* For a body that could not be used: WHAT says why. */
void pve_bad_answer(const struct pve_question *question, const char *what, struct pve_fault *ret);

/* True when another node of the cluster may well answer where this one did not. */
bool pve_is_endpoint_fault(enum pve_class class);
/* Name of a counter: "pve_failed_no_path". */
const char *pve_class_counter(enum pve_class class);
