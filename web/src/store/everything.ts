/* SPDX-License-Identifier: MIT */
/* All that can be found: one flat list, made when the search is opened, for the same language as the tables. */
import type {
	BackupPosture, DiskState, GuestState, NodeState, NodeUpdates, StorageState, TasksState, ZfsPool,
} from '../generated/topics.ts';
import { bytes, dayTime, percent, share } from '../lib/format.ts';
import { tokenize, type Query, type Searchable } from '../lib/search.ts';
import { taskTitle } from './activity.ts';
import { clusters, peekDoc, topics, word } from './docs.ts';
import { diskWord } from './health.ts';
import { searchable } from './guests.ts';
import { backupsTopic, heatOf, nodeTopic, sibling } from './objects.ts';
import { VIEWS, type View } from './view.ts';

export type Kind = 'view' | 'node' | 'guest' | 'storage' | 'disk' | 'pool' | 'job' | 'task';

export interface Item {
	key: string;
	kind: Kind;
	label: string;
	detail: string;
	search: Searchable;
	/** Topic to open, or view to show. */
	topic?: string;
	view?: View;
}

const plain = (kind: Kind, text: (string | null)[], more: Partial<Searchable> = {}): Searchable => ({
	text: [...text.filter((t): t is string => !!t), kind], numbers: {}, sizes: {}, ...more,
	fields: { kind, ...more.fields },
});

function guest(topic: string): Item[] {
	const g = peekDoc<GuestState>(topic);
	if (!g || g.template) return [];
	const detail = `${g.type === 'qemu' ? 'vm' : 'ct'} ${g.vmid} · ${g.status} · ${g.node}`;
	return [{ key: topic, kind: 'guest', label: g.name ?? `guest ${g.vmid}`, detail, search: searchable(topic, g),
		topic }];
}

function node(topic: string): Item[] {
	const n = peekDoc<NodeState>(topic);
	if (!n) return [];
	const heat = heatOf(topic);
	const waiting = peekDoc<NodeUpdates>(sibling(topic, 'updates'))?.pending ?? null;
	const search = plain('node', [n.node, n.ip, n.cpu_model], {
		fields: { kind: 'node', node: n.node, name: n.node, status: n.status },
		numbers: {
			cpu: n.cpu, mem: share(n.mem, n.maxmem), disk: share(n.disk, n.maxdisk), cores: n.maxcpu,
			temp: heat.live ? heat.celsius : null, updates: waiting,
		},
		sizes: { mem: n.mem, disk: n.disk },
	});
	return [{ key: topic, kind: 'node', label: n.node, detail: [n.status, n.ip].filter(Boolean).join(' · '), search,
		topic }];
}

function storage(topic: string): Item[] {
	const s = peekDoc<StorageState>(topic);
	if (!s) return [];
	const where = s.shared ? 'shared' : s.node;
	const search = plain('storage', [s.storage, s.type, where, ...s.content], {
		fields: { kind: 'storage', name: s.storage, storage: s.storage, node: s.node, type: s.type, status: s.status },
		numbers: { disk: share(s.used, s.total) }, sizes: { disk: s.used },
	});
	const detail = [where, s.type, percent(share(s.used, s.total))].filter(Boolean).join(' · ');
	return [{ key: topic, kind: 'storage', label: s.storage, detail, search, topic }];
}

function disk(topic: string): Item[] {
	const d = peekDoc<DiskState>(topic);
	if (!d) return [];
	const search = plain('disk', [d.serial, d.device, d.model, d.type, d.node], {
		fields: { kind: 'disk', name: d.device, node: d.node, type: d.type, health: diskWord(d) },
		numbers: { temp: d.celsius, life: d.life_left },
	});
	const detail = [d.node, d.model, bytes(d.size)].filter(Boolean).join(' · ');
	return [{ key: topic, kind: 'disk', label: d.device ?? d.serial, detail, search, topic: nodeTopic(d.cluster,
		d.node) }];
}

function pool(topic: string): Item[] {
	const p = peekDoc<ZfsPool>(topic);
	if (!p) return [];
	const search = plain('pool', [p.pool, p.health, p.node, 'zfs'], {
		fields: { kind: 'pool', name: p.pool, node: p.node, health: p.health },
		numbers: { disk: share(p.used, p.size) }, sizes: { disk: p.used },
	});
	const detail = [p.node, 'ZFS', p.health].filter(Boolean).join(' · ');
	return [{ key: topic, kind: 'pool', label: p.pool, detail, search, topic: nodeTopic(p.cluster, p.node) }];
}

function jobs(cluster: string): Item[] {
	const list = peekDoc<BackupPosture>(backupsTopic(cluster))?.jobs ?? [];
	return list.map((j) => ({
		key: `${cluster} ${j.id}`, kind: 'job', label: j.comment || j.id, view: 'backups',
		detail: [j.id, j.schedule, j.storage, j.enabled ? '' : 'disabled'].filter(Boolean).join(' · '),
		search: plain('job', [j.id, j.comment, j.storage, j.schedule, 'backup'], {
			fields: { kind: 'job', job: j.id, storage: j.storage, node: j.node },
		}),
	}));
}

function tasks(cluster: string): Item[] {
	const list = peekDoc<TasksState>(`pve/${cluster}/tasks`)?.tasks ?? [];
	return list.map((t) => ({
		key: t.upid, kind: 'task', label: taskTitle(t), view: 'activity',
		detail: [t.node, t.status, dayTime(t.start_ms), t.user].join(' · '),
		search: plain('task', [t.type, t.id, t.user, t.exitstatus, t.node], {
			fields: { kind: 'task', node: t.node, status: t.status, vmid: t.id, type: t.type },
		}),
	}));
}

export const VIEW_NAMES: Record<View, string> = {
	overview: 'Overview', guests: 'Guests', storage: 'Storage', backups: 'Backups', hardware: 'Hardware',
	activity: 'Activity', health: 'Health', actions: 'Actions', audit: 'Audit',
};
const VIEW_DETAIL: Record<View, string> = {
	overview: 'the ring and the totals', guests: 'every virtual machine and container',
	storage: 'every storage', backups: 'how well every guest is backed up',
	hardware: 'temperatures, disks and pools', activity: 'tasks, and what happened since the page was opened',
	health: 'quorum, high availability, updates, certificates, findings, services',
	actions: 'what waits for you, what runs, and how it ended', audit: 'the record of every decision',
};

const views = (): Item[] => VIEWS.map((v) => ({
	key: v, kind: 'view', label: VIEW_NAMES[v], detail: VIEW_DETAIL[v], view: v,
	search: plain('view', [VIEW_NAMES[v]]),
}));

/** Everything there is now; reads without following. */
export function everything(): Item[] {
	return [
		...views(), ...topics('NODE_STATE').peek().flatMap(node), ...topics('GUEST_STATE').peek().flatMap(guest),
		...topics('STORAGE_STATE').peek().flatMap(storage), ...topics('DISK_STATE').peek().flatMap(disk),
		...topics('POOL_STATE').peek().flatMap(pool), ...clusters.peek().flatMap(jobs),
			...clusters.peek().flatMap(tasks),
	];
}

const SHOWN = 60;

/** How well a label fits what was typed: whole, beginning, a word's beginning, anywhere. */
function rank(item: Item, wanted: string): number {
	const label = item.label.toLowerCase();
	const id = item.topic ? word(item.topic, 'vmid') : '';
	if (label === wanted || id === wanted) return 0;
	if (label.startsWith(wanted) || (id !== '' && id.startsWith(wanted))) return 1;
	if (label.split(/[^a-z0-9]+/).some((w) => w.startsWith(wanted))) return 2;
	return label.includes(wanted) ? 3 : 4;
}

/** What a query finds, best first; stable within the same rank. */
export function find(all: readonly Item[], query: Query, input: string): Item[] {
	const wanted = (tokenize(input).find((t) => !/[:<>=]/.test(t) && !t.startsWith('-')) ?? '').toLowerCase();
	const found = all.filter((i) => query.test(i.search));
	const ranked = wanted ? found.map((i) => ({ i, r: rank(i, wanted) })).sort((a,
		b) => a.r - b.r).map((x) => x.i) : found;
	return ranked.slice(0, SHOWN);
}
