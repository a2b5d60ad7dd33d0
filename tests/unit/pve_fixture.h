/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * Recorded-style answers of the Proxmox API, from tests/data/pve (found from the root of the repository).
 */
#include "services/proxmox-poller/pve_cluster.h"

/* The answer in tests/data/pve/NAME.json; the test fails when there is none. The caller frees it. */
cJSON *pve_fixture(const char *name) _nodiscard_;

/* Takes the fixture NAME in at BOOT_MS; wall time is that plus FIXTURE_WALL_MS. */
#define FIXTURE_WALL_MS 1787095000000
struct pve_now fixture_now(int64_t boot_ms);
void take_resources(struct pve_cluster *cluster, const char *name, int64_t boot_ms);
void take_status(struct pve_cluster *cluster, const char *name, int64_t boot_ms);
void take_storages(struct pve_cluster *cluster, const char *node, const char *name,
		   int64_t boot_ms);
