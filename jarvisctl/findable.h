/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * What the search can ask of a node, a guest or a storage: the same as in the dashboard.
 */
#include "common/pve_backup.h"
#include "jarvisctl/search.h"
#include "jarvisctl/world.h"

/* DOC is of NODE_STATE, GUEST_STATE or STORAGE_STATE. Text is borrowed from WORLD. */
void findable_fill(const struct world *world, const struct world_doc *doc, struct search_item *ret);

/* How well the guest of DOC is backed up. */
enum backup_word findable_backup(const struct world *world, const struct world_doc *doc);
/* When its last good backup was begun. */
struct opt_i64 findable_backup_ms(const struct world *world, const struct world_doc *doc);
/* Temperature of the processor of a node, when it is live. */
struct opt_f64 findable_celsius(const struct world *world, const char *cluster, const char *node);
/* PART of WHOLE in percent. */
struct opt_f64 findable_share(struct opt_i64 part, struct opt_i64 whole);
