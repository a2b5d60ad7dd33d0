/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * Proxmox's lists of properties: "local-lvm:vm-100-disk-0,discard=on,size=32G". A property without a key is that
 * of the list's default key, which only the reader knows. Pure.
 */
#include "common/alloc.h"
#include "common/str.h"

struct pve_property {
	const char *key; /* "" for the default key */
	const char *value;
};

struct pve_properties {
	struct pve_property *list;
	size_t n;
};

/* TEXT in pieces, in ARENA; empty ones and those beyond 32 are left out. */
struct pve_properties pve_properties_parse(const char *text, struct arena *arena);
/* The value of KEY, or NULL. */
const char *pve_properties_get(const struct pve_properties *properties, const char *key);
/* True, false, or WITHOUT when it is not there or neither. */
bool pve_properties_bool(const struct pve_properties *properties, const char *key, bool without);
/* "32G", "512M", "4K", "1.5T" or bytes; nothing when it is none of them. */
struct opt_i64 pve_parse_size(const char *text);
