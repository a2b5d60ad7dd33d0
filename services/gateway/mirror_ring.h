/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * A ring of the last events, limited by number and by bytes. A part of mirror.c.
 */
#include "services/gateway/mirror.h"

struct mirror_ring {
	struct mirror_event *slots;
	size_t cap;
	size_t start, n;
	size_t bytes, bytes_max;
	uint64_t lost_seq; /* of the newest event that was dropped */
};

void mirror_ring_init(struct mirror_ring *ring, size_t cap, size_t bytes_max);
void mirror_ring_done(struct mirror_ring *ring);
/* The Nth oldest. */
const struct mirror_event *mirror_ring_at(const struct mirror_ring *ring, size_t n);
/* Index of the first event after SEQ. */
size_t mirror_ring_after(const struct mirror_ring *ring, uint64_t seq);
/* Adds an event, whose text it takes over; returns how many old ones had to go. */
size_t mirror_ring_push(struct mirror_ring *ring, struct mirror_event event);
