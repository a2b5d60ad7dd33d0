/* SPDX-License-Identifier: MIT */
/* The nodes: state, load, heat and the line of the last minutes. A card opens its node. */
import type { NodeState } from '../generated/topics.ts';
import { bytes, DASH, duration, percent, share } from '../lib/format.ts';
import { slowWall } from '../store/clock.ts';
import { doc, topicsOf } from '../store/docs.ts';
import { freshness } from '../store/fresh.ts';
import { uptimeMs } from '../store/guests.ts';
import { history, sampled } from '../store/history.ts';
import { heatOf } from '../store/objects.ts';
import { open, selected } from '../store/view.ts';
import type { IconName } from './Icon.tsx';
import { Bar, Degrees, Empty, Link, Panel, Sparkline, Status, TopicStale } from './parts.tsx';

/** More nodes than this are told in fewer lines. */
const DENSE_FROM = 6;

export const NODE_LOOK: Record<NodeState['status'], [IconName, string]> = {
	online: ['online', 'ok'],
	offline: ['offline', 'crit'],
	unknown: ['unknown', 'warn'],
};

function Meter({ name, value, title }: { name: string; value: number | null; title: string }) {
	return (
		<div class="meter" title={title}>
			<span class="meter-name">{name}</span>
			<Bar value={value} label={name} />
			<span class="meter-value">{percent(value)}</span>
		</div>
	);
}

/** The hottest of the processor, coloured by the chip's own limits. */
export function NodeHeat({ topic }: { topic: string }) {
	const h = heatOf(topic);
	const own = h.limits.own ? 'its own limits' : 'usual limits';
	const title = h.celsius === null
		? h.reason
		: `${h.sensor}: ${h.celsius} °C; ${own}: max ${h.limits.max} °C, critical ${h.limits.critical} °C${h.live ? '' : '; old'}`;
	return (
		<span class={`node-heat ${h.live ? '' : 'is-stale'}`}>
			<Degrees value={h.celsius} heat={h.live ? h.heat : ''} title={title} />
		</span>
	);
}

function Load({ n, known, topic, version }: { n: NodeState; known: boolean; topic: string; version: number }) {
	const cpu = known ? n.cpu : null;
	return (
		<div class="node-spark">
			<Sparkline
				samples={history(topic).cpu}
				version={version}
				label={`Processor of ${n.node} in the last minutes`}
			/>
			<span class="node-cpu">
				{cpu === null ? DASH : cpu.toFixed(0)}
				<small>{cpu === null ? ' cpu' : '% cpu'}</small>
			</span>
		</div>
	);
}

function Up({ n }: { n: NodeState }) {
	const up = uptimeMs(n.boot_ms, slowWall.value);
	return <span class="up" title="up since its last start">{up === null ? '' : duration(up).split(' ')[0]}</span>;
}

function NodeCard({ topic, cluster, dense }: { topic: string; cluster: string; dense: boolean }) {
	const n = doc<NodeState>(topic).value;
	const live = freshness(topic).value === 'live';
	const version = sampled(cluster).value;
	if (!n) return null;
	const known = n.status === 'online';
	const [icon, tone] = NODE_LOOK[n.status];
	const mem = known ? share(n.mem, n.maxmem) : null;
	const disk = known ? share(n.disk, n.maxdisk) : null;
	const marks = [live ? '' : 'is-stale', known ? '' : 'is-off', selected.value === topic ? 'is-chosen' : ''].join(' ');
	return (
		<article class={`node ${marks}`} aria-label={`Node ${n.node}`} onClick={() => open(topic)}>
			<header class="node-head">
				<h3><Link to={topic} class="cover">{n.node}</Link></h3>
				{live ? <Status icon={icon} tone={tone} title={n.reason ?? undefined}>{n.status}</Status>
					: <TopicStale topic={topic} />}
				{known && <Up n={n} />}
				{known && <NodeHeat topic={topic} />}
			</header>
			{dense ? <Meter name="cpu" value={known ? n.cpu : null} title={`of ${n.maxcpu ?? DASH} cores`} />
				: known && <Load n={n} known={known} topic={topic} version={version} />}
			<div class="node-meters">
				<Meter name="mem" value={mem} title={`${bytes(known ? n.mem : null)} of ${bytes(n.maxmem)}`} />
				<Meter name="disk" value={disk} title={`${bytes(known ? n.disk : null)} of ${bytes(n.maxdisk)}`} />
			</div>
			{!known && <p class="node-reason">{n.reason ?? 'no details'}</p>}
		</article>
	);
}

function summary(nodes: readonly string[]): string {
	const live = nodes.filter((t) => freshness(t).value === 'live');
	if (nodes.length === 0) return '';
	if (live.length === 0) return `${nodes.length} stale`;
	return `${live.filter((t) => doc<NodeState>(t).value?.status === 'online').length}/${nodes.length} online`;
}

export function NodesPanel({ cluster }: { cluster: string }) {
	const nodes = topicsOf('NODE_STATE', cluster).value;
	const dense = nodes.length > DENSE_FROM;
	return (
		<Panel title="Nodes" class={`nodes ${dense ? 'dense' : ''}`} on="overview" scrolls meta={summary(nodes)}>
			{nodes.map((t) => <NodeCard key={t} topic={t} cluster={cluster} dense={dense} />)}
			{nodes.length === 0 && <Empty>No node has been reported.</Empty>}
		</Panel>
	);
}
