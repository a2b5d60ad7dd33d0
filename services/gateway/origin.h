/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * Who is asking, as far as headers tell: origins, hosts, proxies. Pure text and addresses.
 */
#include "common/base.h"

/* "localhost", 127.0.0.0/8 or ::1, with or without a port. */
bool host_is_loopback(const char *host);
/*
 * True when ORIGIN may use us: it is word for word in the list, or it is a loopback origin that is our own, that
 * is, the same host and port as in the request's Host. Only a loopback Host is believed in that comparison: any
 * other name can be made to point here by whoever owns it (DNS rebinding).
 */
bool origin_is_allowed(const char *origin, const char *host, const char *const *list,
		       size_t list_n);

/* ADDRESS (text) lies in one of the networks ("10.0.0.0/8", "::1"). */
bool address_in(const char *address, const char *const *networks, size_t networks_n);
/*
 * The client's address: PEER, unless that is a trusted proxy; then the last one in FORWARDED (X-Forwarded-For, may be
 * NULL) that is not itself a trusted proxy. RET has room for 64 bytes.
 */
void client_address(const char *peer, const char *forwarded, const char *const *proxies,
		    size_t proxies_n, char ret[64]);
