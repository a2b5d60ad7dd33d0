/* SPDX-License-Identifier: MIT */
/* What the person chose to see. Lives in the address; nothing of it is ever changed by data. */
import { computed, effect, signal } from '@preact/signals';
import { formatHash, parseHash } from '../lib/hash.ts';
import { clusters } from './docs.ts';
import { onLeave } from './session.ts';

export const TABS = ['cluster', 'guests', 'storage', 'activity', 'system'] as const;
export type Tab = (typeof TABS)[number];

export const query = signal('');
export const sort = signal('');
export const selected = signal('');
export const tab = signal<Tab>('cluster');
const wantedCluster = signal('');

/** The row that the keyboard is on; not in the address. */
export const cursor = signal('');
export const helpOpen = signal(false);
export const accountOpen = signal(false);

/** The chosen cluster, or the first there is; empty while none is known. */
export const cluster = computed(() =>
	clusters.value.includes(wantedCluster.value) ? wantedCluster.value : clusters.value[0] ?? '');

export function chooseCluster(name: string): void {
	wantedCluster.value = name;
	selected.value = '';
	cursor.value = '';
}

function read(): void {
	const state = parseHash(location.hash);
	query.value = state.q;
	sort.value = state.sort;
	selected.value = state.sel;
	wantedCluster.value = state.cluster;
	tab.value = (TABS as readonly string[]).includes(state.tab) ? (state.tab as Tab) : 'cluster';
}

export function startView(): void {
	read();
	onLeave(() => {
		chooseCluster('');
		query.value = '';
	});
	addEventListener('hashchange', read);
	effect(() => {
		const hash = formatHash({
			q: query.value,
			sort: sort.value,
			sel: selected.value,
			tab: tab.value === 'cluster' ? '' : tab.value,
			cluster: wantedCluster.value,
		});
		if (hash !== location.hash) history.replaceState(null, '', hash || location.pathname + location.search);
	});
}
