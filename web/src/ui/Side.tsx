/* SPDX-License-Identifier: MIT */
/* The right column: what wants attention, quorum, tasks, Jarvis's own services, activity, connection. */
import type { ClusterState, ServiceHealth, ServiceInfo, Task, TasksState } from '../generated/topics.ts';
import { bytes, clockTime, DASH, decimal, duration, plural, timeOrDay } from '../lib/format.ts';
import type { Verdict } from '../lib/freshness.ts';
import { serverOffset, slowWall, tick } from '../store/clock.ts';
import { entries, taskTitle } from '../store/activity.ts';
import { clusterTopic, doc, topics, word } from '../store/docs.ts';
import {
	brokerUp, freshness, healthSilence, ownerOnline, serviceFreshness, socketOpen, sourceAgeMs, sourceFreshness,
} from '../store/fresh.ts';
import { linkSince, loaded, roundTrip } from '../store/link.ts';
import { session } from '../store/session.ts';
import { troubles } from '../store/trouble.ts';
import { accountOpen, selected } from '../store/view.ts';
import { Icon, type IconName } from './Icon.tsx';
import { Empty, Panel, StaleTag, Status, TopicStale } from './parts.tsx';
import { quorumWord } from './Ring.tsx';

const OWNER = 'proxmox-poller';

function InitialPassword() {
	if (!session.value?.must_change_password) return null;
	return (
		<p class="trouble hint-row">
			<Icon name="key" />
			<button type="button" class="trouble-text as-link" onClick={() => (accountOpen.value = true)}>
				Choose a password of your own
			</button>
		</p>
	);
}

export function AttentionPanel() {
	const list = troubles.value;
	const quiet = list.length === 0;
	const worst = quiet ? 'quiet' : list[0]!.level;
	const well = quiet && loaded.value && !session.value?.must_change_password;
	return (
		<Panel
			title="Attention"
			class={`attention ${worst}`}
			tab="cluster"
			scrolls
			meta={quiet ? null : String(list.length)}
		>
			<ul class="plain" aria-live="polite">
				{list.map((t) => (
					<li key={t.key} class={`trouble ${t.level}`}>
						<Icon name="error" />
						<div>
							{t.topic ? (
								<button
									type="button"
									class="trouble-text as-link"
									onClick={() => (selected.value = t.topic!)}
								>
									{t.text}
								</button>
							) : (
								<span class="trouble-text">{t.text}</span>
							)}
							{t.detail && <span class="trouble-detail">{t.detail}</span>}
						</div>
					</li>
				))}
			</ul>
			<InitialPassword />
			{well && <p class="all-well"><Icon name="check" /> Nothing needs you.</p>}
			{quiet && !loaded.value && <Empty>Waiting for data.</Empty>}
		</Panel>
	);
}

function spare(c: ClusterState): string {
	if (c.votes === null || c.votes_needed === null) return '';
	const n = c.votes - c.votes_needed;
	if (n < 0) return `${plural(-n, 'vote')} missing: Proxmox refuses changes`;
	return n === 0 ? 'no vote to spare' : `${plural(n, 'vote')} to spare`;
}

const QUORUM_ICON: Record<string, IconName> = { ok: 'online', crit: 'error' };

export function QuorumPanel({ cluster }: { cluster: string }) {
	const topic = clusterTopic(cluster);
	const c = doc<ClusterState>(topic).value;
	const verdict = sourceFreshness(OWNER, topic, 'status').value;
	if (!c) return null;
	const live = verdict === 'live';
	const { word: state, tone } = quorumWord(c);
	const expected = Math.min(c.votes_expected ?? 0, 32);
	const meta = live
		? <Status icon={QUORUM_ICON[tone] ?? 'unknown'} tone={tone}>{state}</Status>
		: <StaleTag verdict={verdict} age={sourceAgeMs(topic, 'status').value} />;
	return (
		<Panel title="Quorum" class="quorum" tab="cluster" stale={!live} meta={meta}>
			<div class="pips" aria-hidden="true">
				{Array.from({ length: expected }, (_, i) => (
					<span
						key={i}
						class={`pip ${i < (c.votes ?? 0) ? 'here' : ''} ${i + 1 === c.votes_needed ? 'needed' : ''}`}
					/>
				))}
			</div>
			<div class="quorum-text">
				<span>{c.votes ?? DASH} of {c.votes_expected ?? DASH} votes, {c.votes_needed ?? DASH} needed</span>
				<span class="dim">{c.standalone ? 'a single node' : spare(c)}</span>
			</div>
		</Panel>
	);
}

const TASK_LOOK: Record<Task['status'], [IconName, string]> = {
	running: ['running', 'info'],
	ok: ['check', 'ok'],
	warning: ['error', 'warn'],
	failed: ['offline', 'crit'],
	unknown: ['unknown', 'warn'],
};

function took(t: Task): string {
	return duration((t.end_ms ?? slowWall.value) - t.start_ms);
}

function TaskRow({ t }: { t: Task }) {
	const [icon, tone] = TASK_LOOK[t.status];
	return (
		<li class="task">
			<Status icon={icon} tone={tone} title={t.exitstatus ?? t.status}><span class="sr">{t.status}</span></Status>
			<span class="task-title">{taskTitle(t)}</span>
			<span class="task-node">{t.node}</span>
			<span class="task-time">{t.status === 'running' ? took(t) : timeOrDay(t.start_ms, slowWall.value)}</span>
			{(t.status === 'failed' || t.status === 'warning') && <span class={`task-why tone-${tone}`}>
				{t.exitstatus ?? t.status}
			</span>}
		</li>
	);
}

export function TasksPanel({ cluster }: { cluster: string }) {
	const topic = `pve/${cluster}/tasks`;
	const d = doc<TasksState>(topic).value;
	const running = d?.tasks.filter((t) => t.status === 'running').length ?? 0;
	const live = freshness(topic).value === 'live';
	return (
		<Panel
			title="Tasks"
			class="tasks"
			tab="activity"
			scrolls
			stale={!!d && !live}
			meta={d && !live ? <TopicStale topic={topic} /> : running ? `${running} running` : null}
		>
			<ul class="plain">{d?.tasks.map((t) => <TaskRow key={t.upid} t={t} />)}</ul>
			{!d?.tasks.length && <Empty>No tasks.</Empty>}
		</Panel>
	);
}

/** Services say how they are every ten seconds: this long after we connected, silence means nothing. */
const HEARD_BY_MS = 12_000;

function justConnected(): boolean {
	const since = linkSince.value;
	return socketOpen.value && since !== null && tick.value - since < HEARD_BY_MS;
}

function serviceLook(state: string | null, verdict: Verdict): [IconName, string, string] {
	if (state === 'offline') return ['offline', 'crit', 'offline'];
	if (state !== 'online') return ['unknown', 'warn', 'unknown'];
	if (verdict === 'live') return ['online', 'ok', 'online'];
	if (verdict === 'no-evidence' && justConnected()) return ['none', 'none', 'waiting'];
	return ['stale', 'stale', 'was online'];
}

function ServiceRow({ topic }: { topic: string }) {
	const service = word(topic, 'service');
	const instance = word(topic, 'instance');
	const base = `service/${service}/${instance}`;
	const info = doc<ServiceInfo>(`${base}/info`).value;
	const health = doc<ServiceHealth>(`${base}/health`).value;
	const quiet = healthSilence(service, instance).value;
	const [icon, tone, text] = serviceLook(doc<string>(topic).value, serviceFreshness(service, instance).value);
	const fresh = tone === 'ok' && quiet !== null && quiet < 30_000;
	const figures = health && fresh
		? [
			`${decimal(health.cpu, 1)}%`, bytes(health.rss_bytes), `lag ${decimal(health.loop_lag_ms, 1)} ms`,
			health.bus_queue > 0 ? `queue ${health.bus_queue}` : '',
		]
		: ['no figures'];
	return (
		<li class="service">
			<span class="service-name">{service}{instance === 'main' ? '' : `/${instance}`}</span>
			<Status icon={icon} tone={tone}>{text}</Status>
			<div class="service-line">
				<span>{figures.filter(Boolean).join(' · ')}</span>
				<span>
					{info ? `${info.version} · ${tone === 'ok' ? duration(slowWall.value - info.started_ms) : DASH}` : DASH}
				</span>
			</div>
		</li>
	);
}

export function ServicesPanel() {
	const list = topics('SERVICE_STATE').value;
	return (
		<Panel title="Jarvis" class="services" tab="system" meta={list.length ? plural(list.length, 'service') : null}>
			<ul class="plain">{list.map((t) => <ServiceRow key={t} topic={t} />)}</ul>
			{list.length === 0 && <Empty>No service has been heard of.</Empty>}
		</Panel>
	);
}

export function ActivityPanel() {
	const list = entries.value;
	return (
		<Panel title="Activity" class="activity" tab="activity" scrolls>
			<div role="log" aria-label="Activity">
				<ul class="plain">
					{list.map((e) => (
						<li key={e.id} class={`entry tone-${e.tone}`}>
							<time>{clockTime(e.at)}</time>
							<Icon name={e.icon} />
							<span>{e.text}</span>
						</li>
					))}
				</ul>
			</div>
			{list.length === 0 && <Empty>Nothing has happened since this page was opened.</Empty>}
		</Panel>
	);
}

interface Hop {
	name: string;
	good: boolean;
}

function hops(cluster: string): Hop[] {
	const socket = socketOpen.value;
	const broker = socket && brokerUp.value;
	const poller = broker && ownerOnline(OWNER).value;
	const proxmox = poller && !!cluster && sourceFreshness(OWNER, clusterTopic(cluster), 'resources').value === 'live';
	return [
		{ name: 'page', good: true }, { name: 'gateway', good: socket }, { name: 'broker', good: broker },
		{ name: 'poller', good: poller }, { name: 'proxmox', good: proxmox },
	];
}

function ago(ms: number | null): string {
	return ms === null ? 'age unknown' : `seen ${duration(ms)} ago`;
}

export function ConnectionPanel({ cluster }: { cluster: string }) {
	const chain = hops(cluster);
	const broken = chain.find((h) => !h.good);
	const rtt = roundTrip.value;
	return (
		<Panel
			title="Connection"
			class="connection"
			tab="system"
			meta={broken ? <Status icon="offline" tone="crit">
				broken</Status> : <Status icon="link" tone="ok">live
			</Status>}
		>
			<ol class="chain">
				{chain.map((h) => (
					<li key={h.name} class={h.good ? 'good' : 'bad'}>
						<Icon name={h.good ? 'check' : 'close'} />
						<span>{h.name}<span class="sr">{h.good ? ' reached' : ' not reached'}</span></span>
					</li>
				))}
			</ol>
			<div class="connection-text">
				<span>{broken ? `no word from ${broken.name}` : ago(sourceAgeMs(
					clusterTopic(cluster), 'resources',
				).value)}</span>
				<span class="dim">
					{rtt === null ? '' : `round trip ${rtt < 10 ? rtt.toFixed(1) : rtt.toFixed(0)} ms`}
				</span>
			</div>
		</Panel>
	);
}

export function Clock() {
	void tick.value;
	const at = Date.now();
	const off = Math.abs(serverOffset.value) > 60_000;
	return (
		<div class="clock">
			<time class="clock-time">{clockTime(at)}</time>
			<span class="clock-date">
				{off ? 'clock differs from Jarvis’s' : new Date(at).toLocaleDateString(
					'en-GB', { weekday: 'short', day: 'numeric', month: 'short' },
				)}
			</span>
		</div>
	);
}
