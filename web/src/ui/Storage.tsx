/* SPDX-License-Identifier: MIT */
/* Storages; a shared one once, with the nodes that do not reach it. */
import type { ClusterState, StorageState } from '../generated/topics.ts';
import { bytes, percent, share } from '../lib/format.ts';
import { clusterTopic, doc, topicsOf } from '../store/docs.ts';
import { freshness } from '../store/fresh.ts';
import { knownStorages, partial } from '../store/storages.ts';
import type { IconName } from './Icon.tsx';
import { Bar, Empty, level, Panel, Status, TopicStale } from './parts.tsx';

const LOOK: Record<StorageState['status'], [IconName, string]> = {
	available: ['online', 'ok'],
	inactive: ['offline', 'crit'],
	disabled: ['none', 'none'],
	unknown: ['unknown', 'warn'],
};

function Reach({ s }: { s: StorageState }) {
	const missing = s.nodes.filter((n) => n.status !== 'available');
	if (missing.length === 0) return null;
	return <div class="storage-missing">not reached by {missing.map((n) => n.node).join(', ')}</div>;
}

function where(s: StorageState): string {
	return s.shared ? 'shared' : s.node ?? '';
}

function StorageRow({ topic }: { topic: string }) {
	const s = doc<StorageState>(topic).value;
	const live = freshness(topic).value === 'live';
	if (!s) return null;
	const known = s.status === 'available';
	const used = known ? share(s.used, s.total) : null;
	const [icon, tone] = LOOK[s.status];
	return (
		<li class={`storage ${live ? '' : 'is-stale'}`}>
			<div class="storage-head">
				<span class="storage-name">{s.storage}</span>
				<span class="storage-where">{where(s)} · {s.type ?? '–'}</span>
				{live && !known && <Status icon={icon} tone={tone} title={s.reason ?? undefined}>{s.status}</Status>}
				{!live && <TopicStale topic={topic} />}
				<span class={`storage-percent ${level(used)}`}>{percent(used)}</span>
			</div>
			<Bar value={used} label={`${s.storage} ${where(s)}`} />
			<div class="storage-foot">
				<span>{known ? `${bytes(s.used)} of ${bytes(s.total)}` : s.reason ?? 'size unknown'}</span>
				{known && s.used !== null && s.total !== null && <span>{bytes(s.total - s.used)} free</span>}
			</div>
			<Reach s={s} />
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
		<Panel title="Storage" class="storages" tab="storage" scrolls meta={list.length ? `${list.length}` : null}>
			{list.length > 0 && <Sum cluster={cluster} />}
			<ul class="plain">
				{list.map((t) => <StorageRow key={t} topic={t} />)}
			</ul>
			{list.length === 0 && <Empty>No storage has been reported.</Empty>}
		</Panel>
	);
}
