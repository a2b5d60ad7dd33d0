/* SPDX-License-Identifier: MIT */
/* The nodes: state, load and the line of the last minutes. */
import type { NodeState } from '../generated/topics.ts';
import { bytes, DASH, decimal, duration, percent, share } from '../lib/format.ts';
import { slowWall } from '../store/clock.ts';
import { doc, topicsOf } from '../store/docs.ts';
import { freshness } from '../store/fresh.ts';
import { uptimeMs } from '../store/guests.ts';
import { history, sampled } from '../store/history.ts';
import type { IconName } from './Icon.tsx';
import { Bar, Empty, Panel, Sparkline, Status, TopicStale } from './parts.tsx';

/** More nodes than this are told in fewer lines. */
const DENSE_FROM = 6;

const LOOK: Record<NodeState['status'], [IconName, string]> = {
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

function Up({ bootMs }: { bootMs: number | null }) {
	return <span class="up">{bootMs === null ? '' : `up ${duration(uptimeMs(bootMs, slowWall.value))}`}</span>;
}

function loads(n: NodeState): string {
	return n.load1 === null ? DASH : [n.load1, n.load5, n.load15].map((v) => decimal(v)).join(' ');
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

function NodeCard({ topic, cluster, dense }: { topic: string; cluster: string; dense: boolean }) {
	const n = doc<NodeState>(topic).value;
	const live = freshness(topic).value === 'live';
	const version = sampled(cluster).value;
	if (!n) return null;
	const on = live && n.status === 'online';
	const known = n.status === 'online';
	const [icon, tone] = LOOK[n.status];
	const mem = known ? share(n.mem, n.maxmem) : null;
	const disk = known ? share(n.disk, n.maxdisk) : null;
	return (
		<article class={`node ${live ? '' : 'is-stale'} ${known ? '' : 'is-off'}`} aria-label={`Node ${n.node}`}>
			<header class="node-head">
				<h3>{n.node}</h3>
				{live && <Status icon={icon} tone={tone} title={n.reason ?? undefined}>{n.status}</Status>}
				{!live && <TopicStale topic={topic} />}
				{on && <Up bootMs={n.boot_ms} />}
			</header>
			<div class="node-body">
				{dense ? <Meter
					name="cpu"
					value={known ? n.cpu : null}
					title={`of ${n.maxcpu ?? DASH} cores`}
				/> : <Load n={n} known={known} topic={topic} version={version} />}
				<Meter name="mem" value={mem} title={`${bytes(known ? n.mem : null)} of ${bytes(n.maxmem)}`} />
				<Meter name="disk" value={disk} title={`${bytes(known ? n.disk : null)} of ${bytes(n.maxdisk)}`} />
			</div>
			<footer class="node-foot">
				{known ? <span>load {loads(n)}</span> : <span class="node-reason">{n.reason ?? 'no details'}</span>}
				{known && <span>{n.maxcpu ?? DASH} cores · {bytes(n.maxmem)}</span>}
			</footer>
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
		<Panel title="Nodes" class={`nodes ${dense ? 'dense' : ''}`} tab="cluster" scrolls meta={summary(nodes)}>
			{nodes.map((t) => <NodeCard key={t} topic={t} cluster={cluster} dense={dense} />)}
			{nodes.length === 0 && <Empty>No node has been reported.</Empty>}
		</Panel>
	);
}
