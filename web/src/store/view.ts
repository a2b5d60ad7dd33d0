/* SPDX-License-Identifier: MIT */
/* What the person chose to see. Lives in the address; nothing of it is ever changed by data. */
import { computed, effect, signal } from '@preact/signals';
import { formatHash, parseHash } from '../lib/hash.ts';
import { clusters } from './docs.ts';
import { onLeave } from './session.ts';

/** What the centre shows while nothing is selected; on a phone, the whole page. */
export const VIEWS = ['overview', 'guests', 'storage', 'backups', 'hardware', 'activity', 'health', 'actions', 'audit'] as const;
export type View = (typeof VIEWS)[number];

export const query = signal('');
export const sort = signal('');
export const selected = signal('');
export const view = signal<View>('overview');
const wantedCluster = signal('');

/** The row that the keyboard is on; not in the address. */
export const cursor = signal('');
export const helpOpen = signal(false);
export const accountOpen = signal(false);
export const searchOpen = signal(false);
/** Something that acts lies over the page; store/acting.ts says what. */
export const asking = signal(false);
/** Something lies over the page, and the page behind it is inert. */
export const covered = computed(() => helpOpen.value || accountOpen.value || searchOpen.value || asking.value);
/** What is open was opened by the person, not by the address. */
export const asked = signal(false);

/** The chosen cluster, or the first there is; empty while none is known. */
export const cluster = computed(() =>
	clusters.value.includes(wantedCluster.value) ? wantedCluster.value : clusters.value[0] ?? '');

export function chooseCluster(name: string): void {
	wantedCluster.value = name;
	selected.value = '';
	cursor.value = '';
}

/** Shows a view, and puts away what was selected. */
export function show(v: View): void {
	if (view.value !== v) {
		sort.value = '';
		cursor.value = '';
	}
	view.value = v;
	selected.value = '';
}

/** Opens an object in the centre; of another cluster, that cluster with it. */
export function open(topic: string): void {
	const name = topic.split('/')[1] ?? '';
	if (name !== cluster.value && clusters.value.includes(name)) wantedCluster.value = name;
	asked.value = true;
	selected.value = topic;
}

function read(): void {
	const state = parseHash(location.hash);
	query.value = state.q;
	sort.value = state.sort;
	selected.value = state.sel;
	wantedCluster.value = state.cluster;
	view.value = (VIEWS as readonly string[]).includes(state.view) ? (state.view as View) : 'overview';
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
			view: view.value === 'overview' ? '' : view.value,
			cluster: wantedCluster.value,
		});
		if (hash !== location.hash) history.replaceState(null, '', hash || location.pathname + location.search);
	});
}
