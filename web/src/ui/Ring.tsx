/* SPDX-License-Identifier: MIT */
/*
 * The cluster ring, the page's signature: one segment a node — outside its state, then processor, then memory — round
 * the quorum. Beside it the totals of the cluster.
 */
import type { ClusterState, NodeState } from '../generated/topics.ts';
import { arcPath, polar, segments, type Segment } from '../lib/arc.ts';
import { bytes, DASH, percent, share } from '../lib/format.ts';
import { clusterTopic, doc, topicsOf, word } from '../store/docs.ts';
import { freshness, sourceAgeMs, sourceFreshness } from '../store/fresh.ts';
import { history, sampled } from '../store/history.ts';
import { knownStorages, partial, type Known } from '../store/storages.ts';
import { level, Panel, Sparkline, StaleTag } from './parts.tsx';

const OWNER = 'proxmox-poller';
const R_STATE = 178;
const R_CPU = 160;
const R_MEM = 141;
const R_VOTES = 112;
const GAP = 5;
const LABELS_UP_TO = 8;

function Gauge({ r, seg, value, kind }: { r: number; seg: Segment; value: number | null; kind: string }) {
	const d = arcPath(r, seg.from, seg.to);
	const shown = value === null ? 0 : Math.min(Math.max(value, 0), 100);
	return (
		<g class={`gauge ${kind} ${level(value)}`}>
			<path class={`gauge-track ${value === null ? 'unknown' : ''}`} d={d} />
			{shown > 0 && <path
				class="gauge-value"
				d={arcPath(r, seg.from, seg.from + ((seg.to - seg.from) * shown) / 100)}
			/>}
		</g>
	);
}

const HALF_WIDTH = 290;
const LETTER = 13;

function clip(name: string, letters: number): string {
	return name.length <= letters ? name : `${name.slice(0, Math.max(letters - 1, 3))}…`;
}

interface LabelProps {
	seg: Segment;
	name: string;
	/** Two short texts, or one. */
	figures: string[];
}

function NodeLabel({ seg, name, figures }: LabelProps) {
	const a = polar(R_STATE + 5, seg.mid);
	const b = polar(R_STATE + 20, seg.mid);
	const side = b.x >= 0 ? 1 : -1;
	const end = Math.max(Math.abs(b.x) + 14, 150);
	const x = side * (end + 8);
	/* Near the top and the bottom the text stays inside the picture; far out at the sides it is stacked. */
	const y = Math.min(Math.max(b.y, -180), 178);
	const stacked = end > 180;
	const lines = stacked ? figures : [figures.join(' ')];
	const first = stacked ? y - 12 : y - 1;
	return (
		<g class="ring-label" text-anchor={side > 0 ? 'start' : 'end'}>
			<path
				class="ring-leader"
				d={`M${a.x.toFixed(1)} ${a.y.toFixed(1)}L${b.x.toFixed(1)} ${b.y.toFixed(1)}H${side * end}`}
			/>
			<text class="ring-name" x={x} y={first}>{clip(name, Math.floor((HALF_WIDTH - Math.abs(x)) / LETTER))}</text>
			{lines.map((line, i) => <text key={i} class="ring-figures" x={x} y={first + 20 + i * 19}>{line}</text>)}
		</g>
	);
}

const STATE_CLASS = { online: 'ok', offline: 'crit', unknown: 'warn' } as const;

/** On a phone there is no room for names: a number, which the legend explains. */
function NodeNumber({ seg, n }: { seg: Segment; n: number }) {
	const at = polar(R_STATE, seg.mid);
	return (
		<g class="ring-number" transform={`translate(${at.x.toFixed(1)} ${at.y.toFixed(1)})`} text-anchor="middle">
			<circle r="15" />
			<text y="7.5">{n}</text>
		</g>
	);
}

function LegendItem({ topic, n }: { topic: string; n: number }) {
	return <li><b>{n}</b> {doc<NodeState>(topic).value?.node}</li>;
}

function Legend({ cluster }: { cluster: string }) {
	const nodes = topicsOf('NODE_STATE', cluster).value;
	return (
		<ol class="ring-legend" aria-label="Nodes of the ring">
			{nodes.map((t, i) => <LegendItem key={t} topic={t} n={i + 1} />)}
		</ol>
	);
}

interface SegmentProps {
	topic: string;
	seg: Segment;
	n: number;
	labelled: boolean;
}

function NodeSegment({ topic, seg, n: number, labelled }: SegmentProps) {
	const n = doc<NodeState>(topic).value;
	const live = freshness(topic).value === 'live';
	if (!n) return null;
	const on = live && n.status === 'online';
	const cpu = on ? n.cpu : null;
	const mem = on ? share(n.mem, n.maxmem) : null;
	const state = live ? STATE_CLASS[n.status] : 'stale';
	const word = live ? n.status : 'stale';
	const figures = on ? [`cpu ${percent(cpu)}`, `mem ${percent(mem)}`] : [word];
	return (
		<g class={`segment state-${state}`}>
			<title>{`${n.node}: ${word}, CPU ${percent(cpu)}, memory ${percent(mem)}`}</title>
			<path class="segment-state" d={arcPath(R_STATE, seg.from, seg.to)} />
			<Gauge r={R_CPU} seg={seg} value={cpu} kind="cpu" />
			<Gauge r={R_MEM} seg={seg} value={mem} kind="mem" />
			<NodeNumber seg={seg} n={number} />
			{labelled && <NodeLabel seg={seg} name={n.node} figures={figures} />}
		</g>
	);
}

function Votes({ c }: { c: ClusterState }) {
	const expected = c.votes_expected ?? 0;
	if (expected < 1 || expected > 64) return null;
	return (
		<g class="votes">
			{segments(expected, 6).map((seg, i) => (
				<path
					key={i}
					class={i < (c.votes ?? 0) ? 'vote here' : 'vote'}
					d={arcPath(R_VOTES, seg.from, seg.to)}
				/>
			))}
		</g>
	);
}

export function quorumWord(c: ClusterState): { word: string; tone: string } {
	if (c.standalone) return { word: 'standalone', tone: 'ok' };
	if (c.quorate === null) return { word: 'unknown', tone: 'warn' };
	return c.quorate ? { word: 'quorate', tone: 'ok' } : { word: 'no quorum', tone: 'crit' };
}

function Core({ c, live }: { c: ClusterState; live: boolean }) {
	const { word, tone } = live ? quorumWord(c) : { word: 'stale', tone: 'stale' };
	const [part, whole] = c.standalone ? [c.nodes_online, c.nodes] : [c.votes, c.votes_expected];
	const big = `${part ?? DASH}/${whole ?? DASH}`;
	return (
		<g class={`core tone-${tone}`} text-anchor="middle">
			<text class="core-caption" y="-40">{c.standalone ? 'nodes' : 'votes'}</text>
			<text class={`core-figure ${live ? '' : 'old'}`} y="18">{big}</text>
			<text class="core-word" y="52">{word}</text>
		</g>
	);
}

function Dial({ cluster, c, live }: { cluster: string; c: ClusterState; live: boolean }) {
	const nodes = topicsOf('NODE_STATE', cluster).value;
	const segs = segments(nodes.length, GAP);
	return (
		<svg
			class="ring"
			viewBox="-290 -205 580 410"
			role="img"
			aria-label={`Cluster ${cluster}: ${live ? quorumWord(c).word : 'stale'}`}
		>
			<circle class="dial-ticks" r="194" pathLength={720} />
			<circle class="dial-line" r="126" />
			<circle class="dial-inner" r="94" />
			{nodes.map((t, i) => <NodeSegment
				key={t}
				topic={t}
				seg={segs[i]!}
				n={i + 1}
				labelled={nodes.length <= LABELS_UP_TO}
			/>)}
			<Votes c={c} />
			<Core c={c} live={live} />
		</svg>
	);
}

interface TotalProps {
	name: string;
	value: number | null;
	figure: string;
	unit?: string;
	detail: string;
	side: 'left' | 'right';
	/** Much of it is nothing to worry about. */
	plain?: boolean;
	/** What the figure leaves out. */
	note?: string;
}

function Total({ name, value, figure, unit = '', detail, side, plain, note }: TotalProps) {
	const dark = 100 - (value ?? 0);
	return (
		<div class={`total ${side} ${plain ? '' : level(value)}`}>
			<div class="total-name">{name}</div>
			<div class="total-figure">
				{figure}
				{unit && figure !== DASH && <small>{unit}</small>}
			</div>
			<div class="ticks" aria-hidden="true">
				<span
					style={{ clipPath: side === 'left' ? `inset(0 ${dark}% 0 0)` : `inset(0 0 0 ${dark}%)` }}
				/>
			</div>
			<div class="total-detail">{detail}</div>
			{note && <div class="total-note">{note}</div>}
		</div>
	);
}

const figure = (v: number | null) => (v === null ? DASH : v.toFixed(0));

function Totals({
	c, side, known = null,
}: { c: ClusterState; side: 'left' | 'right'; known?: Known | null }) {
	const mem = share(c.mem, c.maxmem);
	const disk = share(c.disk, c.maxdisk);
	if (side === 'left')
		return (
			<div class="totals left">
				<Total
					side={side}
					name="Processor"
					value={c.cpu}
					figure={figure(c.cpu)}
					unit="%"
					detail={`of ${c.maxcpu ?? DASH} cores`}
				/>
				<Total
					side={side}
					name="Memory"
					value={mem}
					figure={figure(mem)}
					unit="%"
					detail={`${bytes(c.mem)} of ${bytes(c.maxmem)}`}
				/>
			</div>
		);
	return (
		<div class="totals right">
			<Total
				plain
				side={side}
				name="Guests running"
				value={share(c.guests_running, c.guests)}
				figure={String(c.guests_running ?? DASH)}
				unit={`/${c.guests ?? DASH}`}
				detail={`on ${c.nodes_online ?? DASH} of ${c.nodes ?? DASH} nodes`}
			/>
			<Total
				side={side}
				name="Storage"
				value={disk}
				figure={figure(disk)}
				unit="%"
				detail={`${bytes(c.disk)} of ${bytes(c.maxdisk)}`}
				note={known ? partial(known) : ''}
			/>
		</div>
	);
}

/** The cluster's own lines of the last minutes. */
function Lines({ topic }: { topic: string }) {
	const version = sampled(word(topic, 'cluster')).value;
	const h = history(topic);
	return (
		<div class="cluster-lines">
			<div><span>Processor</span><Sparkline samples={h.cpu} version={version} label="Processor of the cluster in the last minutes" /></div>
			<div><span>Memory</span><Sparkline samples={h.mem} version={version} label="Memory of the cluster in the last minutes" /></div>
		</div>
	);
}

export function ClusterPanel({ cluster }: { cluster: string }) {
	const topic = clusterTopic(cluster);
	const c = doc<ClusterState>(topic).value;
	const verdict = sourceFreshness(OWNER, topic, 'resources').value;
	if (!c) return null;
	const live = verdict === 'live';
	const where = [
		c.name ?? 'standalone', c.version && `PVE ${c.version}`, c.endpoint && `via ${c.endpoint}`,
	].filter(Boolean).join(' · ');
	return (
		<Panel
			title={`Cluster ${cluster}`}
			class="cluster"
			on="overview"
			stale={!live}
			meta={live ? where : <StaleTag verdict={verdict} age={sourceAgeMs(topic, 'resources').value} />}
		>
			<div class="cluster-body">
				<Totals c={c} side="left" />
				<Dial cluster={cluster} c={c} live={live && sourceFreshness(OWNER, topic, 'status').value === 'live'} />
				<Legend cluster={cluster} />
				<Totals c={c} side="right" known={live ? knownStorages(cluster) : null} />
			</div>
			<Lines topic={topic} />
		</Panel>
	);
}
