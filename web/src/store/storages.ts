/* SPDX-License-Identifier: MIT */
/* What a total of the storages leaves out: a sum of what is known must not pass for the sum of all. */
import type { StorageState } from '../generated/topics.ts';
import { doc, topicsOf } from './docs.ts';
import { freshness } from './fresh.ts';

export interface Known {
	all: number;
	known: number;
}

/** Storages that count, and those of them whose size is known now. A disabled one does not count. */
export function knownStorages(cluster: string): Known {
	const out = { all: 0, known: 0 };
	for (const topic of topicsOf('STORAGE_STATE', cluster).value) {
		const s = doc<StorageState>(topic).value;
		if (!s || s.status === 'disabled') continue;
		out.all++;
		if (freshness(topic).value === 'live' && s.status === 'available' && s.total !== null) out.known++;
	}
	return out;
}

/** "partial: 7 of 10 storages", or that nothing is known; empty when nothing is left out. */
export function partial({ all, known }: Known): string {
	if (known === 0 && all > 0) return `none of ${all} storages is known`;
	return known < all ? `partial: ${known} of ${all} storages` : '';
}
