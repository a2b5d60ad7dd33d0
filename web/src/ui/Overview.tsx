/* SPDX-License-Identifier: MIT */
/* Below the ring: what works hardest, and how hot the nodes are. */
import type { GuestState, NodeState, NodeThermal } from '../generated/topics.ts';
import { bytes, percent, share } from '../lib/format.ts';
import { diskLimits, heat } from '../lib/heat.ts';
import { sortBy } from '../lib/order.ts';
import type { DiskState } from '../generated/topics.ts';
import { doc, topicsOf } from '../store/docs.ts';
import { freshness } from '../store/fresh.ts';
import { allGuests } from '../store/guests.ts';
import { history, sampled } from '../store/history.ts';
import { heatOf, ofNode, sibling } from '../store/objects.ts';
import { Bar, Degrees, Empty, Link, Panel, Sparkline, Unknown } from './parts.tsx';

const BUSIEST = 7;

function Busy({ topic, version }: { topic: string; version: number }) {
	const g = doc<GuestState>(topic).value;
	if (!g) return null;
	const live = freshness(topic).value === 'live';
	return (
		<li class={`busy ${live ? '' : 'is-stale'}`}>
			<span class="busy-name"><Link to={topic} class="cover">{g.name ?? `guest ${g.vmid}`}</Link></span>
			<span class="busy-node">{g.node}</span>
			<Sparkline samples={history(topic).cpu} version={version} label={`Processor of ${g.name ?? g.vmid}`} bare />
			<span class="figure" title={`of ${g.maxcpu ?? '—'} cores`}>{percent(g.cpu)}</span>
			<span class="figure dim" title={`${bytes(g.mem)} of ${bytes(g.maxmem)}`}>{percent(share(g.mem, g.maxmem))}</span>
		</li>
	);
}

/** How many cores a guest keeps busy: a share alone says little beside guests of other sizes. */
const load = (g: GuestState) => (g.cpu === null ? null : (g.cpu / 100) * (g.maxcpu ?? 1));

function Busiest({ cluster }: { cluster: string }) {
	const version = sampled(cluster).value;
	const running = allGuests.value.filter((x) => x.g.status === 'running');
	const list = sortBy(running, (x) => load(x.g), true).slice(0, BUSIEST);
	return (
		<Panel title="Busiest guests" class="busiest" on="overview" meta={<><span>cpu</span><span>mem</span></>}>
			<ul class="plain">{list.map((x) => <Busy key={x.topic} topic={x.topic} version={version} />)}</ul>
			{list.length === 0 && <Empty>No guest is running.</Empty>}
		</Panel>
	);
}

/** The hottest disk that says its temperature. */
function hottestDisk(cluster: string, node: string): DiskState | null {
	const known = ofNode('DISK_STATE', cluster, node).flatMap((t) => {
		const d = doc<DiskState>(t).value;
		return d && d.celsius !== null && freshness(t).value === 'live' ? [d] : [];
	});
	return known.reduce<DiskState | null>((a, b) => (a === null || b.celsius! > a.celsius! ? b : a), null);
}

const SCALE_FROM = 20;

function Heat({ topic, cluster }: { topic: string; cluster: string }) {
	const n = doc<NodeState>(topic).value;
	const h = heatOf(topic);
	const fans = doc<NodeThermal>(sibling(topic, 'thermal')).value?.fans.filter((f) => f.rpm !== null) ?? [];
	if (!n) return null;
	const disk = hottestDisk(cluster, n.node);
	const end = h.limits.critical || 100;
	const at = (v: number) => ((v - SCALE_FROM) / (end - SCALE_FROM)) * 100;
	const fan = fans.length ? Math.max(...fans.map((f) => f.rpm!)) : null;
	return (
		<li class={`heat-row ${h.celsius === null || h.live ? '' : 'is-stale'}`}>
			<span class="busy-name"><Link to={topic} class="cover">{n.node}</Link></span>
			<span class={`heat-scale heat-${h.heat || 'fine'}`}>
				<Bar
					value={h.celsius === null ? null : at(h.celsius)}
					label={`Processor temperature of ${n.node}`}
					text={h.celsius === null ? 'unknown' : `${Math.round(h.celsius)} °C of ${end} °C`}
				/>
				{h.celsius !== null && <i class="heat-max" style={{ left: `${at(h.limits.max).toFixed(1)}%` }} />}
			</span>
			<Degrees value={h.celsius} heat={h.live ? h.heat : ''} title={h.celsius === null ? h.reason : `${h.sensor}, max ${h.limits.max} °C`} />
			<span class="heat-more">
				{disk ? <Degrees
					value={disk.celsius}
					heat={heat(disk.celsius, diskLimits(disk.type))}
					title={`hottest disk: ${disk.device ?? disk.serial}`}
				/> : <Unknown why="no disk says its temperature" />}
			</span>
			<span class="heat-more heat-fan">{fan === null ? <Unknown why="no fan is reported" /> : fan}</span>
		</li>
	);
}

function Heats({ cluster }: { cluster: string }) {
	const nodes = topicsOf('NODE_STATE', cluster).value;
	return (
		<Panel
			title="Temperatures"
			class="heats"
			on="overview"
			scrolls
			meta={<><span>cpu</span><span>disk</span><span>rpm</span></>}
		>
			<ul class="plain">{nodes.map((t) => <Heat key={t} topic={t} cluster={cluster} />)}</ul>
			{nodes.length === 0 && <Empty>No node has been reported.</Empty>}
		</Panel>
	);
}

export function Below({ cluster }: { cluster: string }) {
	return (
		<div class="below">
			<Busiest cluster={cluster} />
			<Heats cluster={cluster} />
		</div>
	);
}
