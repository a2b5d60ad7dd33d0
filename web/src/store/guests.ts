/* SPDX-License-Identifier: MIT */
/* The guest table's rows: found, sorted, and held still while the pointer is over them. */
import { computed, signal } from '@preact/signals';
import type { GuestState } from '../generated/topics.ts';
import { share } from '../lib/format.ts';
import { holdOrder, sameList, sortBy, type Key } from '../lib/order.ts';
import { parseSearch, type Searchable } from '../lib/search.ts';
import { serverOffset } from './clock.ts';
import { doc, topicsOf } from './docs.ts';
import { cluster, query, sort } from './view.ts';

export function uptimeMs(bootMs: number | null, wall: number): number | null {
	return bootMs === null ? null : Math.max(0, wall - bootMs);
}

const wall = () => Date.now() + serverOffset.peek();

const total = (a: number | null, b: number | null) => (a === null && b === null ? null : (a ?? 0) + (b ?? 0));

function searchable(g: GuestState): Searchable {
	const up = uptimeMs(g.boot_ms, wall());
	const kind = g.type === 'qemu' ? 'vm' : 'ct';
	return {
		text: [String(g.vmid), g.name ?? '', g.node, g.type, kind, g.status, ...g.tags],
		fields: {
			name: g.name, node: g.node, type: g.type, tag: g.tags, status: g.status, pool: g.pool, lock: g.lock,
			ha: g.ha_state, vmid: String(g.vmid),
		},
		numbers: {
			cpu: g.cpu, mem: share(g.mem, g.maxmem), disk: share(g.disk, g.maxdisk), cores: g.maxcpu, vmid: g.vmid,
			uptime: up === null ? null : up / 1000, netin: g.net_in, netout: g.net_out, net: total(g.net_in, g.net_out),
			read: g.disk_read, write: g.disk_write,
		},
		sizes: { mem: g.mem, disk: g.disk },
	};
}

const STATUS_RANK: Partial<Record<GuestState['status'], number>> = {
	'io-error': 0, 'internal-error': 0, unknown: 1, running: 3, stopped: 5,
};

export const SORT_KEYS: Record<string, (g: GuestState) => Key> = {
	status: (g) => STATUS_RANK[g.status] ?? 4,
	vmid: (g) => g.vmid,
	name: (g) => g.name,
	node: (g) => g.node,
	cpu: (g) => g.cpu,
	mem: (g) => share(g.mem, g.maxmem),
	net: (g) => total(g.net_in, g.net_out),
	uptime: (g) => (g.boot_ms === null ? null : -g.boot_ms),
};

export const parsed = computed(() => parseSearch(query.value));

/** Guests of the cluster, without templates. */
export const allGuests = computed(() => {
	const out: { topic: string; g: GuestState }[] = [];
	for (const topic of topicsOf('GUEST_STATE', cluster.value).value) {
		const g = doc<GuestState>(topic).value;
		if (g && !g.template) out.push({ topic, g });
	}
	return out;
});

/** While true the order stays as it is, so that no row moves away from under the pointer. */
export const hold = signal(false);

let lastRows: readonly string[] = [];
let lastView = '';

export const rows = computed(() => {
	const q = parsed.value;
	const found = q.terms ? allGuests.value.filter((x) => q.test(searchable(x.g))) : allGuests.value;
	const column = sort.value.replace(/^-/, '');
	const key = SORT_KEYS[column];
	const ordered = key ? sortBy(found, (x) => key(x.g), sort.value.startsWith('-')) : found;
	let next: readonly string[] = ordered.map((x) => x.topic);
	const view = `${cluster.value} ${sort.value} ${query.value}`;
	if (key && hold.value && view === lastView) next = holdOrder(lastRows, next);
	lastView = view;
	if (!sameList(lastRows, next)) lastRows = next;
	return lastRows;
});

/** Natural order, up, down, and round again; numbers begin with the largest. */
export function toggleSort(column: string): void {
	const first = ['cpu', 'mem', 'net', 'uptime'].includes(column) ? `-${column}` : column;
	const second = first.startsWith('-') ? column : `-${column}`;
	sort.value = sort.value === first ? second : sort.value === second ? '' : first;
}
