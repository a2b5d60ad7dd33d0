/* SPDX-License-Identifier: MIT */
/*
 * The slots are made with the first event: an installation without events pays nothing.
 */
#include "services/gateway/mirror_ring.h"

#include "common/alloc.h"

void mirror_ring_init(struct mirror_ring *ring, size_t cap, size_t bytes_max)
{
	*ring = (struct mirror_ring){ .cap = cap, .bytes_max = bytes_max };
}

static struct mirror_event *slot(const struct mirror_ring *ring, size_t n)
{
	return &ring->slots[(ring->start + n) % ring->cap];
}

static size_t event_bytes(const struct mirror_event *event)
{
	return sizeof(*event) + event->text_len;
}

static void drop_oldest(struct mirror_ring *ring)
{
	struct mirror_event *event = slot(ring, 0);

	ring->lost_seq = event->seq;
	ring->bytes -= event_bytes(event);
	free(event->topic);
	free(event->text);
	ring->start = (ring->start + 1) % ring->cap;
	ring->n--;
}

void mirror_ring_done(struct mirror_ring *ring)
{
	while (ring->n)
		drop_oldest(ring);
	free(ring->slots);
	*ring = (struct mirror_ring){ 0 };
}

const struct mirror_event *mirror_ring_at(const struct mirror_ring *ring, size_t n)
{
	return n < ring->n ? slot(ring, n) : NULL;
}

size_t mirror_ring_after(const struct mirror_ring *ring, uint64_t seq)
{
	size_t low = 0, high = ring->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (slot(ring, middle)->seq > seq)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

size_t mirror_ring_push(struct mirror_ring *ring, struct mirror_event event)
{
	size_t dropped = 0;

	if (!ring->slots)
		ring->slots = xreallocarray(NULL, ring->cap, sizeof(*ring->slots));
	ring->bytes += event_bytes(&event);
	while (ring->n && (ring->n == ring->cap || ring->bytes > ring->bytes_max)) {
		drop_oldest(ring);
		dropped++;
	}
	ring->n++;
	*slot(ring, ring->n - 1) = event;
	return dropped;
}
