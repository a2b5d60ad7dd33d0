/* SPDX-License-Identifier: MIT */
/* All that is known of one storage: who reaches it, and what it holds as far as guests and backups say. */
import type { ComponentChildren } from 'preact';
import type { GuestBackup, GuestConfig, GuestState, StorageState } from '../generated/topics.ts';
import { bytes, DASH, percent, plural, share } from '../lib/format.ts';
import { doc } from '../store/docs.ts';
import { freshness } from '../store/fresh.ts';
import { allGuests } from '../store/guests.ts';
import { nodeTopic, posture, sibling } from '../store/objects.ts';
import { Act } from './Acting.tsx';
import { Frame } from './Detail.tsx';
import { Empty, Fact, level, Link, Part, Status, Usage, When } from './parts.tsx';
import { STORAGE_LOOK, StorageStatus, where } from './Storage.tsx';

interface Volume {
	topic: string;
	g: GuestState;
	key: string;
	size: number | null;
}

/** Volumes of guests on this storage; of a node's own storage only those of guests on that node. */
function volumesOn(s: StorageState): Volume[] {
	return allGuests.value.flatMap(({ topic, g }) => {
		if (s.node && g.node !== s.node) return [];
		const c = doc<GuestConfig>(sibling(topic, 'config')).value;
		return (c?.volumes ?? []).filter((v) => v.storage === s.storage).map((v) => ({ topic, g, key: v.key, size: v.size }));
	});
}

interface Held {
	topic: string;
	g: GuestState;
	b: GuestBackup;
}

function backupsOn(s: StorageState): Held[] {
	return allGuests.value.flatMap(({ topic, g }) => {
		const b = doc<GuestBackup>(sibling(topic, 'backup')).value;
		return b && b.storage === s.storage && (!s.node || g.node === s.node) ? [{ topic, g, b }] : [];
	});
}

const sum = (list: (number | null)[]) => list.reduce<number>((n, x) => n + (x ?? 0), 0);
const name = (g: GuestState) => g.name ?? `guest ${g.vmid}`;

function Volumes({ s }: { s: StorageState }) {
	const list = volumesOn(s);
	return (
		<Part title="Volumes of guests" meta={list.length ? `${list.length}, ${bytes(sum(list.map((v) => v.size)))} promised` : null}>
			<ul class="plain">
				{list.map((v) => (
					<li key={`${v.topic} ${v.key}`} class="mini">
						<span class="kind wide">{v.key}</span>
						<Link to={v.topic}>{name(v.g)}</Link>
						<span class="figure">{bytes(v.size)}</span>
					</li>
				))}
			</ul>
			{list.length === 0 && <Empty>No guest’s configuration names it.</Empty>}
		</Part>
	);
}

function Backups({ s }: { s: StorageState }) {
	const list = backupsOn(s);
	const p = posture(s.cluster);
	const orphans = p?.orphans.filter((o) => o.storage === s.storage && (!o.node || o.node === s.node || s.shared)) ?? [];
	const jobs = p?.jobs.filter((j) => j.storage === s.storage) ?? [];
	const times = list.flatMap((x) => (x.b.last_ok_ms === null ? [] : [x.b.last_ok_ms]));
	const newest = times.length ? Math.max(...times) : null;
	return (
		<Part title="Backups" meta={list.length ? `of ${plural(list.length, 'guest')}` : null}>
			<dl class="facts two">
				<Fact name="Newest"><When ms={newest} why="it holds no guest’s last good backup" /></Fact>
				<Fact name="Last good ones">{bytes(sum(list.map((x) => x.b.size)))}</Fact>
				<Fact long name="Jobs">{jobs.map((j) => j.comment || j.id).join(', ') || 'none'}</Fact>
				<Fact long name="Of guests gone">{orphans.length ? plural(sum(orphans.map((o) => o.backups)), 'backup') : 'none'}</Fact>
			</dl>
			<ul class="plain">
				{list.map((x) => (
					<li key={x.topic} class="mini">
						<span class="kind">{x.g.vmid}</span>
						<Link to={x.topic}>{name(x.g)}</Link>
						<span class="figure"><When ms={x.b.last_ok_ms} /></span>
					</li>
				))}
			</ul>
		</Part>
	);
}

function Nodes({ s }: { s: StorageState }) {
	if (!s.shared) return null;
	return (
		<Part title="Nodes that use it" meta={s.nodes.length}>
			<ul class="plain">
				{s.nodes.map((n) => (
					<li key={n.node} class="line">
						<span class="line-name"><Link to={nodeTopic(s.cluster, n.node)}>{n.node}</Link></span>
						<Status icon={STORAGE_LOOK[n.status][0]} tone={STORAGE_LOOK[n.status][1]}>{n.status}</Status>
						{n.reason && <span class="line-more">{n.reason}</span>}
					</li>
				))}
			</ul>
		</Part>
	);
}

export function StorageDetail({ topic, gone }: { topic: string; gone: ComponentChildren }) {
	const s = doc<StorageState>(topic).value;
	if (!s) return <>{gone}</>;
	const known = s.status === 'available';
	const used = known ? share(s.used, s.total) : null;
	return (
		<Frame
			title={s.storage}
			state={
				<>
					<StorageStatus s={s} topic={topic} />
					<span>{s.shared ? 'shared' : <>of node <Link to={nodeTopic(s.cluster, where(s))}>{where(s)}</Link></>}</span>
					<span class="dim">{s.type ?? ''}</span>
					{s.reason && <span class="detail-reason">{s.reason}</span>}
				</>
			}
			tools={<Act draw={(a) => <a.StorageTools topic={topic} />} />}
			left={
				<>
					<Part title="Space" stale={freshness(topic).value !== 'live'} meta={<b class={`big ${level(used)}`}>{percent(used)}</b>}>
						<Usage used={known ? s.used : null} total={s.total} label={s.storage} />
						<dl class="facts">
							<Fact name="Free">{known && s.used !== null && s.total !== null ? bytes(s.total - s.used) : DASH}</Fact>
							<Fact name="May hold">{s.content.join(', ') || DASH}</Fact>
						</dl>
					</Part>
					<Nodes s={s} />
					<Volumes s={s} />
				</>
			}
			right={<Backups s={s} />}
		/>
	);
}
