/* SPDX-License-Identifier: MIT */
/* The rows of the guest tables: found and sorted. */
import { computed } from '@preact/signals';
import type { GuestConfig, GuestSnapshots, GuestState } from '../generated/topics.ts';
import { share } from '../lib/format.ts';
import { sameList, sortBy, type Key } from '../lib/order.ts';
import { parseSearch, type Searchable } from '../lib/search.ts';
import { serverOffset } from './clock.ts';
import { guestsOf } from './census.ts';
import { doc } from './docs.ts';
import { BACKUP_WORDS } from '../lib/backup.ts';
import { backupOf, heatOf, jobName, nodeTopic, oldestSnapshot, sibling } from './objects.ts';
import { cluster, query, sort, view } from './view.ts';

export function uptimeMs(bootMs: number | null, wall: number): number | null {
	return bootMs === null ? null : Math.max(0, wall - bootMs);
}

const wall = () => Date.now() + serverOffset.peek();

const total = (a: number | null, b: number | null) => (a === null && b === null ? null : (a ?? 0) + (b ?? 0));

/** What of a guest is not in its own state: read only where a term asks for it. */
function lazily(topic: string, g: GuestState) {
	const age = (ms: number | null) => (ms === null ? null : Math.max(0, wall() - ms) / 1000);
	const backup = () => backupOf(topic);
	const config = () => doc<GuestConfig>(sibling(topic, 'config')).value;
	const snapshots = () => doc<GuestSnapshots>(sibling(topic, 'snapshots')).value;
	return {
		fields: {
			get backup() {
				const { b, word } = backup();
				return b && b.last_ok_ms === null && b.backups !== null ? [word, 'none'] : [word];
			},
			get storage() {
				return config()?.volumes.flatMap((v) => v.storage ?? []) ?? null;
			},
			get job() {
				return backup().b?.jobs.flatMap((j) => [j, jobName(g.cluster, j)]) ?? null;
			},
			get snapshot() {
				const s = snapshots();
				return s && !s.reason ? [s.snapshots.length ? 'some' : 'none',
					...s.snapshots.map((x) => x.name)] : null;
			},
			get onboot() {
				const on = config()?.onboot;
				return on === null || on === undefined ? null : on ? 'yes' : 'no';
			},
			get os() {
				return config()?.os ?? null;
			},
		},
		numbers: {
			get backup() {
				return age(backup().b?.last_ok_ms ?? null);
			},
			get snapshot() {
				return age(oldestSnapshot(topic));
			},
			get snapshots() {
				return snapshots()?.snapshots.length ?? null;
			},
			get temp() {
				const heat = heatOf(nodeTopic(g.cluster, g.node));
				return heat.live ? heat.celsius : null;
			},
		},
	};
}

/** Own properties of both, without running the getters. */
function joined<A extends object, B extends object>(a: A, b: B): A & B {
	return Object.defineProperties(a, Object.getOwnPropertyDescriptors(b)) as A & B;
}

export function searchable(topic: string, g: GuestState): Searchable {
	const up = uptimeMs(g.boot_ms, wall());
	const kind = g.type === 'qemu' ? 'vm' : 'ct';
	const more = lazily(topic, g);
	return {
		text: [String(g.vmid), g.name ?? '', g.node, g.type, kind, g.status, ...g.tags],
		fields: joined({
			name: g.name, node: g.node, type: g.type, tag: g.tags, status: g.status, pool: g.pool, lock: g.lock,
			ha: g.ha_state, vmid: String(g.vmid), kind: 'guest',
		}, more.fields),
		numbers: joined({
			cpu: g.cpu, mem: share(g.mem, g.maxmem), disk: share(g.disk, g.maxdisk), cores: g.maxcpu, vmid: g.vmid,
			uptime: up === null ? null : up / 1000, netin: g.net_in, netout: g.net_out, net: total(g.net_in, g.net_out),
			read: g.disk_read, write: g.disk_write,
		}, more.numbers),
		sizes: { mem: g.mem, disk: g.disk },
	};
}

const STATUS_RANK: Partial<Record<GuestState['status'], number>> = {
	'io-error': 0, 'internal-error': 0, unknown: 1, running: 3, stopped: 5,
};

const never = (topic: string) => backupOf(topic).b;

/** How the tables of guests are sorted, by column. */
export const SORT_KEYS: Record<string, (g: GuestState, topic: string) => Key> = {
	status: (g) => STATUS_RANK[g.status] ?? 4,
	vmid: (g) => g.vmid,
	name: (g) => g.name,
	node: (g) => g.node,
	cpu: (g) => g.cpu,
	mem: (g) => share(g.mem, g.maxmem),
	net: (g) => total(g.net_in, g.net_out),
	uptime: (g) => (g.boot_ms === null ? null : -g.boot_ms),
	backup: (_g, topic) => BACKUP_WORDS.indexOf(backupOf(topic).word),
	last: (_g, topic) => never(topic)?.last_ok_ms ?? null,
	size: (_g, topic) => never(topic)?.size ?? null,
	kept: (_g, topic) => never(topic)?.backups ?? null,
	next: (_g, topic) => never(topic)?.next_run_ms ?? null,
	snapshot: (_g, topic) => oldestSnapshot(topic),
};

export const parsed = computed(() => parseSearch(query.value));

/** Guests of the cluster, without templates. */
export const allGuests = computed(() => guestsOf(cluster.value).value);

const found = computed(() => {
	const q = parsed.value;
	return q.terms ? allGuests.value.filter((x) => q.test(searchable(x.topic, x.g))) : allGuests.value;
});

let lastSide: readonly string[] = [];

/** What the list at the side shows: always in the natural order, so that everything stays where it was. */
export const sideRows = computed(() => {
	const next = found.value.map((x) => x.topic);
	if (!sameList(lastSide, next)) lastSide = next;
	return lastSide;
});

let lastRows: readonly string[] = [];

/** What the tables of guests show, in their order. */
export const rows = computed(() => {
	/* In the posture the worst come first, until another order is asked for. */
	const wanted = sort.value || (view.value === 'backups' ? 'backup' : '');
	const key = SORT_KEYS[wanted.replace(/^-/, '')];
	const ordered = key ? sortBy(found.value, (x) => key(x.g, x.topic), wanted.startsWith('-')) : found.value;
	const next: readonly string[] = ordered.map((x) => x.topic);
	if (!sameList(lastRows, next)) lastRows = next;
	return lastRows;
});

/** Numbers begin with the largest, all else with the first. */
const LARGEST_FIRST = ['cpu', 'mem', 'net', 'uptime', 'size', 'kept', 'used', 'temp', 'hours'];

/** Natural order, one way, the other, and round again. */
export function toggleSort(column: string): void {
	const first = LARGEST_FIRST.includes(column) ? `-${column}` : column;
	const second = first.startsWith('-') ? column : `-${column}`;
	sort.value = sort.value === first ? second : sort.value === second ? '' : first;
}
