/* SPDX-License-Identifier: MIT */
/* Storages; a shared one once, with the nodes that do not reach it. At the side in short, in the centre as a table. */
import type { ClusterState, StorageState } from '../generated/topics.ts';
import { bytes, DASH, percent, share } from '../lib/format.ts';
import { sortBy, type Key } from '../lib/order.ts';
import { clusterTopic, doc, topicsOf } from '../store/docs.ts';
import { freshness } from '../store/fresh.ts';
import { knownStorages, partial } from '../store/storages.ts';
import { cluster as chosen, open, selected, sort } from '../store/view.ts';
import { Cell, Grid, type Column } from './Grid.tsx';
import type { IconName } from './Icon.tsx';
import { Bar, Empty, level, Link, Panel, Status, TopicStale } from './parts.tsx';

export const STORAGE_LOOK: Record<StorageState['status'], [IconName, string]> = {
	available: ['online', 'ok'],
	inactive: ['offline', 'crit'],
	disabled: ['none', 'none'],
	unknown: ['unknown', 'warn'],
};

export const missing = (s: StorageState) => s.nodes.filter((n) => n.status !== 'available');
export const where = (s: StorageState) => (s.shared ? 'shared' : s.node ?? '');

export function StorageStatus({ s, topic }: { s: StorageState; topic: string }) {
	if (freshness(topic).value !== 'live') return <TopicStale topic={topic} />;
	const [icon, tone] = STORAGE_LOOK[s.status];
	return <Status icon={icon} tone={tone} title={s.reason ?? undefined}>{s.status}</Status>;
}

function StorageRow({ topic }: { topic: string }) {
	const s = doc<StorageState>(topic).value;
	const live = freshness(topic).value === 'live';
	if (!s) return null;
	const known = s.status === 'available';
	const used = known ? share(s.used, s.total) : null;
	const lost = missing(s);
	return (
		<li class={`storage ${live ? '' : 'is-stale'} ${selected.value === topic ? 'is-chosen' : ''}`}>
			<div class="storage-head">
				<span class="storage-name"><Link to={topic} class="cover">{s.storage}</Link></span>
				<span class="storage-where">{where(s)}</span>
				{(!live || !known) && <StorageStatus s={s} topic={topic} />}
				{known && <span class="storage-free" title={`${bytes(s.used)} of ${bytes(s.total)}`}>
					{s.used !== null && s.total !== null ? `${bytes(s.total - s.used)} free` : ''}
				</span>}
				<span class={`storage-percent ${level(used)}`}>{percent(used)}</span>
			</div>
			<Bar value={used} label={`${s.storage} ${where(s)}`} />
			{lost.length > 0 && <div class="storage-missing">not reached by {lost.map((n) => n.node).join(', ')}</div>}
		</li>
	);
}

/** The cluster's own total, with what it leaves out. */
function Sum({ cluster }: { cluster: string }) {
	const c = doc<ClusterState>(clusterTopic(cluster)).value;
	const note = partial(knownStorages(cluster));
	if (!c) return null;
	return (
		<div class="storage-sum">
			{c.disk !== null && <span>{bytes(c.disk)} of {bytes(c.maxdisk)} in all</span>}
			{note && <span class="tone-warn">{note}</span>}
		</div>
	);
}

export function StoragePanel({ cluster }: { cluster: string }) {
	const list = topicsOf('STORAGE_STATE', cluster).value;
	return (
		<Panel title="Storage" label="Storage in short" class="storages" scrolls meta={list.length ? `${list.length}` : null}>
			{list.length > 0 && <Sum cluster={cluster} />}
			<ul class="plain">
				{list.map((t) => <StorageRow key={t} topic={t} />)}
			</ul>
			{list.length === 0 && <Empty>No storage has been reported.</Empty>}
		</Panel>
	);
}

const COLUMNS: Column[] = [
	{ key: 'name', label: 'Storage' },
	{ key: 'status', label: 'Status' },
	{ key: 'node', label: 'Where' },
	{ key: 'type', label: 'Type' },
	{ key: 'used', label: 'Used' },
	{ key: 'free', label: 'Free' },
	{ key: 'content', label: 'Content', sorts: false },
];

const free = (s: StorageState) => (s.used === null || s.total === null ? null : s.total - s.used);
const KEYS: Record<string, (s: StorageState) => Key> = {
	name: (s) => s.storage, status: (s) => s.status, node: where, type: (s) => s.type,
	used: (s) => share(s.used, s.total), free,
};

function StorageCells({ row: topic }: { row: string }) {
	const s = doc<StorageState>(topic).value;
	if (!s) return null;
	const known = s.status === 'available';
	const used = known ? share(s.used, s.total) : null;
	const lost = missing(s);
	return (
		<>
			<Cell name="name"><span class="guest-name">{s.storage}</span></Cell>
			<Cell name="status" title={s.reason ?? ''}><StorageStatus s={s} topic={topic} /></Cell>
			<Cell name="node" title={lost.length ? `not reached by ${lost.map((n) => n.node).join(', ')}` : ''}>
				{where(s)}{lost.length > 0 && <span class="tone-warn"> −{lost.length}</span>}
			</Cell>
			<Cell name="type">{s.type ?? DASH}</Cell>
			<Cell name="used" title={`${bytes(s.used)} of ${bytes(s.total)}`}>
				<Bar value={used} label={`${s.storage} ${where(s)}`} />
				<span class={`figure ${level(used)}`}>{percent(used)}</span>
			</Cell>
			<Cell name="free">{known ? bytes(free(s)) : DASH}</Cell>
			<Cell name="content">{s.content.join(' ')}</Cell>
		</>
	);
}

export function StorageView() {
	const all = topicsOf('STORAGE_STATE', chosen.value).value;
	const shown = all.flatMap((topic) => {
		const s = doc<StorageState>(topic).value;
		return s ? [{ topic, s }] : [];
	});
	const key = KEYS[sort.value.replace(/^-/, '')];
	const list = key ? sortBy(shown, (x) => key(x.s), sort.value.startsWith('-')) : shown;
	return (
		<Panel title="Storage" class="storage-view" on="storage" meta={<span role="status">{all.length || ''}</span>}>
			<Sum cluster={chosen.value} />
			<Grid
				name="stores"
				label="Storages"
				columns={COLUMNS}
				rows={list.map((x) => x.topic)}
				cells={StorageCells}
				marks={(t) => (freshness(t).value === 'live' ? '' : 'is-stale')}
				open={open}
				stands={chosen.value}
			/>
			{all.length === 0 && <Empty>No storage has been reported.</Empty>}
		</Panel>
	);
}
