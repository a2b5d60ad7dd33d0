/* SPDX-License-Identifier: MIT */
/* Disks and pools, of one node or of all; temperatures and fans. */
import type { DiskState, Fan, NodeThermal, Temperature, ZfsPool } from '../generated/topics.ts';
import { bytes, duration, plural } from '../lib/format.ts';
import { diskLimits, heat, limitsOf } from '../lib/heat.ts';
import { naturally, sortBy, type Key } from '../lib/order.ts';
import { doc, topicsOf } from '../store/docs.ts';
import { freshness } from '../store/fresh.ts';
import { diskWord, WEAR_WARN, type DiskWord } from '../store/health.ts';
import { nodeTopic, ofNode, sibling } from '../store/objects.ts';
import { cluster, open, sort } from '../store/view.ts';
import { Cell, Grid, type Column } from './Grid.tsx';
import type { IconName } from './Icon.tsx';
import { Bar, Degrees, Empty, Link, Panel, Part, Status, TopicStale, Unknown, Usage } from './parts.tsx';

const DISK_LOOK: Record<DiskWord, [IconName, string, string]> = {
	fine: ['check', 'ok', 'healthy'],
	worn: ['error', 'warn', 'worn'],
	failing: ['offline', 'crit', 'failing'],
	asleep: ['asleep', 'none', 'not woken'],
	unknown: ['unknown', 'none', 'unknown'],
};

export function DiskStatus({ d, topic }: { d: DiskState; topic: string }) {
	const [icon, tone, text] = DISK_LOOK[diskWord(d)];
	if (freshness(topic).value !== 'live') return <TopicStale topic={topic} />;
	return <Status icon={icon} tone={tone} title={d.reason ?? `SMART says ${d.health ?? 'nothing'}`}>{text}</Status>;
}

/** What a disk complains of, in its own counters. */
function faults(d: DiskState): string {
	return [
		d.reallocated ? `${d.reallocated} reallocated` : '', d.pending ? `${d.pending} pending` : '',
		d.media_errors ? `${d.media_errors} media errors` : '',
	].filter(Boolean).join(', ');
}

function Life({ d }: { d: DiskState }) {
	if (d.life_left === null) return <Unknown why={d.reason ?? 'the disk does not say'} />;
	return <span class={d.life_left < WEAR_WARN ? 'tone-warn toned' : ''} title="left of its life">{d.life_left}%</span>;
}

const heatOfDisk = (d: DiskState, live: boolean) => (live ? heat(d.celsius, diskLimits(d.type)) : '');

const COLUMNS: Column[] = [
	{ key: 'health', label: 'State' },
	{ key: 'name', label: 'Disk' },
	{ key: 'node', label: 'Node' },
	{ key: 'size', label: 'Size' },
	{ key: 'life', label: 'Life left' },
	{ key: 'temp', label: 'Temp' },
	{ key: 'hours', label: 'Ran for' },
	{ key: 'faults', label: 'Counters', sorts: false },
];
const WORDS: DiskWord[] = ['failing', 'worn', 'unknown', 'asleep', 'fine'];
const KEYS: Record<string, (d: DiskState) => Key> = {
	health: (d) => WORDS.indexOf(diskWord(d)), name: (d) => d.device ?? d.serial, node: (d) => d.node, size: (d) => d.size,
	life: (d) => d.life_left, temp: (d) => d.celsius, hours: (d) => d.power_on_hours,
};

function DiskCells({ row: topic }: { row: string }) {
	const d = doc<DiskState>(topic).value;
	if (!d) return null;
	const live = freshness(topic).value === 'live';
	return (
		<>
			<Cell name="health"><DiskStatus d={d} topic={topic} /></Cell>
			<Cell name="name" title={`${d.model ?? ''} ${d.serial}`}>
				<span class="kind">{d.type ?? ''}</span>
				<span class="guest-name">{d.model ?? d.device ?? d.serial}</span>
			</Cell>
			<Cell name="node">{d.node}</Cell>
			<Cell name="size">{bytes(d.size)}</Cell>
			<Cell name="life"><Life d={d} /></Cell>
			<Cell name="temp"><Degrees value={d.celsius} heat={heatOfDisk(d, live)} title={d.reason ?? undefined} /></Cell>
			<Cell name="hours" title={d.power_on_hours === null ? '' : `${d.power_on_hours} hours`}>
				{d.power_on_hours === null ? <Unknown why={d.reason} /> : duration(d.power_on_hours * 3_600_000).split(' ')[0]}
			</Cell>
			<Cell name="faults" title={faults(d)}>{faults(d)}</Cell>
		</>
	);
}

function Disks() {
	const all = topicsOf('DISK_STATE', cluster.value).value;
	const list = all.flatMap((topic) => {
		const d = doc<DiskState>(topic).value;
		return d ? [{ topic, d }] : [];
	});
	const wanted = sort.value || 'health';
	const key = KEYS[wanted.replace(/^-/, '')];
	const rows = (key ? sortBy(list, (x) => key(x.d), wanted.startsWith('-')) : list).map((x) => x.topic);
	return (
		<Panel title="Disks" class="disks" on="hardware" meta={all.length || null}>
			{all.length > 0 ? <Grid
				name="disks"
				label="Disks"
				columns={COLUMNS}
				rows={rows}
				cells={DiskCells}
				marks={(t) => (freshness(t).value === 'live' ? '' : 'is-stale')}
				open={(t) => open(nodeTopic(cluster.value, t.split('/')[3] ?? ''))}
				usual="health"
				stands={cluster.value}
			/> : <Empty>Disks have not been reported yet: the poller looks at them every half an hour.</Empty>}
		</Panel>
	);
}

/* ── the same for one node ── */

function DiskBlock({ topic }: { topic: string }) {
	const d = doc<DiskState>(topic).value;
	if (!d) return null;
	const live = freshness(topic).value === 'live';
	const told = faults(d);
	return (
		<li class={`line ${live ? '' : 'is-stale'}`}>
			<span class="line-name"><span class="kind">{d.type ?? ''}</span> {d.model ?? d.serial}</span>
			<DiskStatus d={d} topic={topic} />
			<span class="line-more">
				{[d.device, bytes(d.size), d.used_by, `serial ${d.serial}`].filter(Boolean).join(' · ')}
			</span>
			<span class="line-figures">
				<span>life <Life d={d} /></span>
				<span>temp <Degrees value={d.celsius} heat={heatOfDisk(d, live)} title={d.reason ?? undefined} /></span>
				<span>ran {d.power_on_hours === null ? <Unknown why={d.reason} /> : duration(d.power_on_hours * 3_600_000).split(' ')[0]}</span>
			</span>
			{told && <span class="line-more toned tone-warn">{told}</span>}
			{d.reason && <span class="line-more">{d.reason}</span>}
		</li>
	);
}

export function NodeDisks({ cluster: name, node }: { cluster: string; node: string }) {
	const list = ofNode('DISK_STATE', name, node);
	return (
		<Part title="Disks" meta={list.length || null}>
			<ul class="plain">{list.map((t) => <DiskBlock key={t} topic={t} />)}</ul>
			{list.length === 0 && <Empty>Not reported yet.</Empty>}
		</Part>
	);
}

export function PoolLine({ topic, named }: { topic: string; named?: boolean }) {
	const p = doc<ZfsPool>(topic).value;
	if (!p) return null;
	const live = freshness(topic).value === 'live';
	const good = p.health === 'ONLINE';
	return (
		<li class={`line ${live ? '' : 'is-stale'}`}>
			<span class="line-name">{p.pool}{named && <span class="dim"> on {p.node}</span>}</span>
			{live ? <Status icon={good ? 'check' : p.health ? 'offline' : 'unknown'} tone={good ? 'ok' : p.health ? 'crit' : 'none'}>
				{p.health?.toLowerCase() ?? 'unknown'}
			</Status> : <TopicStale topic={topic} />}
			<Usage used={p.used} total={p.size} label={`pool ${p.pool}`} />
			<span class="line-more">
				{[p.fragmentation === null ? '' : `${p.fragmentation}% fragmented`, p.scan, p.errors].filter(Boolean).join(' · ')}
			</span>
			{p.bad_devices.map((b) => <span key={b} class="line-more toned tone-crit">{b}</span>)}
		</li>
	);
}

export function NodePools({ cluster: name, node }: { cluster: string; node: string }) {
	const list = ofNode('POOL_STATE', name, node);
	if (list.length === 0) return null;
	return (
		<Part title="ZFS pools" meta={list.length}>
			<ul class="plain">{list.map((t) => <PoolLine key={t} topic={t} />)}</ul>
		</Part>
	);
}

/* ── heat ── */

function Sensor({ t, live }: { t: Temperature; live: boolean }) {
	const limits = limitsOf(t);
	const h = heat(t.celsius, limits);
	const own = [t.max === null ? '' : `max ${t.max}°`, t.critical === null ? '' : `critical ${t.critical}°`].filter(Boolean);
	return (
		<li class="sensor">
			<span class="sensor-name" title={t.sensor}>{t.sensor}</span>
			<span class={`heat-scale heat-${h || 'fine'}`}>
				<Bar
					value={t.celsius === null ? null : (t.celsius / limits.critical) * 100}
					label={t.sensor}
					text={t.celsius === null ? 'unknown' : `${t.celsius} °C`}
				/>
			</span>
			<Degrees
				value={t.celsius}
				heat={live ? h : ''}
				title={t.celsius === null ? 'the reading makes no sense' : own.join(', ') || 'the chip names no limit'}
			/>
		</li>
	);
}

const FanLine = ({ f }: { f: Fan }) => (
	<li class="sensor">
		<span class="sensor-name" title={f.fan}>{f.fan}</span>
		<span />
		<span class="degrees">{f.rpm === null ? <Unknown why="the reading makes no sense" /> : <>{f.rpm} <small>rpm</small></>}</span>
	</li>
);

/** The hottest first: of tens of cores nobody reads all. */
export function NodeHeats({ node }: { node: string }) {
	const topic = sibling(node, 'thermal');
	const t = doc<NodeThermal>(topic).value;
	const live = freshness(topic).value === 'live';
	if (!t) return (
		<Part title="Temperatures"><Empty>No temperatures: thermal-collector has said nothing of this node.</Empty></Part>
	);
	const list = [...t.temperatures].sort((a, b) => (b.celsius ?? -1) - (a.celsius ?? -1) || naturally(a.sensor, b.sensor));
	return (
		<Part title="Temperatures" stale={!live} meta={live ? plural(list.length, 'sensor') : <TopicStale topic={topic} />}>
			{t.reason && <p class="note">{t.reason}</p>}
			<ul class="plain sensors">{list.map((x) => <Sensor key={x.sensor} t={x} live={live} />)}</ul>
			{t.fans.length > 0 && <ul class="plain sensors fans">{t.fans.map((f) => <FanLine key={f.fan} f={f} />)}</ul>}
			{list.length === 0 && !t.reason && <Empty>The node names no sensor.</Empty>}
		</Part>
	);
}

function HeatOf({ topic }: { topic: string }) {
	const t = doc<NodeThermal>(sibling(topic, 'thermal')).value;
	const live = freshness(sibling(topic, 'thermal')).value === 'live';
	const top = [...t?.temperatures ?? []].filter((x) => x.celsius !== null)
		.sort((a, b) => b.celsius! - a.celsius!).slice(0, 3);
	return (
		<li class={`line ${live || !t ? '' : 'is-stale'}`}>
			<span class="line-name"><Link to={topic}>{topic.split('/')[3]}</Link></span>
			{t && !live && <TopicStale topic={sibling(topic, 'thermal')} />}
			<ul class="plain sensors">{top.map((x) => <Sensor key={x.sensor} t={x} live={live} />)}</ul>
			{top.length === 0 && <span class="line-more">{t?.reason ?? 'thermal-collector has said nothing of this node'}</span>}
		</li>
	);
}

export function HardwareView() {
	const nodes = topicsOf('NODE_STATE', cluster.value).value;
	const pools = topicsOf('POOL_STATE', cluster.value).value;
	return (
		<>
			<Disks />
			<div class="below">
				<Panel title="Hottest sensors" class="hottest" on="hardware" scrolls meta={plural(nodes.length, 'node')}>
					<ul class="plain">{nodes.map((t) => <HeatOf key={t} topic={t} />)}</ul>
				</Panel>
				<Panel title="ZFS pools" class="pools" on="hardware" scrolls meta={pools.length || null}>
					<ul class="plain">{pools.map((t) => <PoolLine key={t} topic={t} named />)}</ul>
					{pools.length === 0 && <Empty>No ZFS pool has been reported.</Empty>}
				</Panel>
			</div>
		</>
	);
}

