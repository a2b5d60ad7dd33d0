/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * URLs that somebody else chose, read so strictly that no two readers can mean different hosts, and addresses by what
 * they stand for. Nothing is looked up: whoever fetches does that (deploy/nodes/jarvis-act). Pure.
 */
#include "common/base.h"

#define URL_TEXT_MAX 512
#define URL_HOST_MAX 253

enum address_kind {
	ADDRESS_NONE, /* the text is no address */
	ADDRESS_PUBLIC,
	ADDRESS_PRIVATE, /* inner networks, and what the internet does not route */
	ADDRESS_NEVER,	 /* this machine, this link, its provider's metadata, many at once */
};

/* Of TEXT, an IPv4 or IPv6 address without brackets. One that stands for an IPv4 address is what that is. */
enum address_kind url_address_kind(const char *text);

/*
 * Whether TEXT is a host as a URL's must be: a name of lower-case labels that no reader takes for an address and that
 * is not localhost, or an address in its one usual form (IPv6 without brackets and zone) which is not ADDRESS_NEVER.
 */
bool url_host_is_good(const char *text);

struct url_parts {
	bool is_https;		     /* else http */
	char host[URL_HOST_MAX + 1]; /* IPv6 without brackets */
	unsigned port;
	const char *path; /* in the text, with the query */
};

/*
 * Reads http[s]://HOST[:PORT]/PATH[?QUERY]: NULL and the parts, or why it is none that may be asked for. No user, no
 * fragment, no backslash, no ".." and no way to write one. Static.
 */
const char *url_objection(const char *text, struct url_parts *ret);
