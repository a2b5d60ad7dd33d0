/* SPDX-License-Identifier: MIT */
/*
 * The guests of a cluster, without templates. Whoever looks at all of them reads this one signal: with hundreds of
 * guests that all move, following each document a second time costs more than drawing what changed.
 */
import { computed, type ReadonlySignal } from '@preact/signals';
import type { GuestState } from '../generated/topics.ts';
import { sameList } from '../lib/order.ts';
import { kindVersion, peekDoc, topicsOf } from './docs.ts';

export interface Guest {
	topic: string;
	g: GuestState;
}

const lists = new Map<string, ReadonlySignal<readonly Guest[]>>();
const names = new Map<string, ReadonlySignal<readonly string[]>>();

export function guestsOf(cluster: string): ReadonlySignal<readonly Guest[]> {
	let found = lists.get(cluster);
	if (!found) {
		found = computed(() => {
			const out: Guest[] = [];
			void kindVersion('GUEST_STATE').value;
			for (const topic of topicsOf('GUEST_STATE', cluster).value) {
				const g = peekDoc<GuestState>(topic);
				if (g && !g.template) out.push({ topic, g });
			}
			return out;
		});
		lists.set(cluster, found);
	}
	return found;
}

/** Their topics alone: moves when guests come and go, not when they work. */
export function guestTopics(cluster: string): ReadonlySignal<readonly string[]> {
	let found = names.get(cluster);
	if (!found) {
		let last: readonly string[] = [];
		found = computed(() => {
			const next = guestsOf(cluster).value.map((x) => x.topic);
			if (!sameList(last, next)) last = next;
			return last;
		});
		names.set(cluster, found);
	}
	return found;
}
