/* SPDX-License-Identifier: MIT */
/* The right column: what wants attention, the cluster's health in few lines, Jarvis's own services, activity. */
import type { ServiceHealth, ServiceInfo, Task, TasksState } from '../generated/topics.ts';
import { bytes, clockTime, DASH, decimal, duration, plural, timeOrDay } from '../lib/format.ts';
import type { Verdict } from '../lib/freshness.ts';
import { serverOffset, slowWall, tick } from '../store/clock.ts';
import { entries, taskTitle, type Entry } from '../store/activity.ts';
import { clusterTopic, doc, topics, word } from '../store/docs.ts';
import {
	brokerUp, freshness, healthSilence, ownerOnline, serviceFreshness, socketOpen, sourceAgeMs, sourceFreshness,
} from '../store/fresh.ts';
import { HEALTH, type HealthLine, type HealthTone } from '../store/health.ts';
import { linkSince, loaded, roundTrip } from '../store/link.ts';
import { session } from '../store/session.ts';
import { troubles } from '../store/trouble.ts';
import { accountOpen, open, show } from '../store/view.ts';
import { Icon, type IconName } from './Icon.tsx';
import { Empty, Panel, Status, TopicStale } from './parts.tsx';

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
			on="overview health"
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
									onClick={() => open(t.topic!)}
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

const TONE_ICON: Record<HealthTone, IconName> = {
	ok: 'check', warn: 'error', crit: 'offline', none: 'none', stale: 'stale',
};

function HealthRow({ line, cluster }: { line: HealthLine; cluster: string }) {
	const h = line.look(cluster);
	return (
		<li>
			<button type="button" class={`health-line tone-${h.tone}`} title={h.title} onClick={() => show(line.view)}>
				<Icon name={TONE_ICON[h.tone]} />
				<span class="health-name">{line.label}</span>
				<span class="health-text">{h.text}</span>
				<Icon name="next" class="go" />
			</button>
		</li>
	);
}

export function HealthPanel({ cluster }: { cluster: string }) {
	if (!cluster) return null;
	return (
		<Panel title="Health" class="health" on="health">
			<ul class="plain">{HEALTH.map((l) => <HealthRow key={l.key} line={l} cluster={cluster} />)}</ul>
		</Panel>
	);
}

export const TASK_LOOK: Record<Task['status'], [IconName, string]> = {
	running: ['running', 'info'],
	ok: ['check', 'ok'],
	warning: ['error', 'warn'],
	failed: ['offline', 'crit'],
	unknown: ['unknown', 'warn'],
};

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
	const trouble = tone === 'ok' ? info?.trouble : null;
	const fresh = tone === 'ok' && quiet !== null && quiet < 30_000;
	const figures = health && fresh
		? [
			`${decimal(health.cpu, 1)}%`, bytes(health.rss_bytes), `lag ${decimal(health.loop_lag_ms, 1)} ms`,
			health.bus_queue > 0 ? `queue ${health.bus_queue}` : '',
		]
		: ['no figures'];
	return (
		<li class="service" title={info ? `version ${info.version}` : ''}>
			<span class="service-name">{service}{instance === 'main' ? '' : `/${instance}`}</span>
			{trouble ? <Status icon="error" tone="warn">hindered</Status> : <Status icon={icon} tone={tone}>{text}</Status>}
			{trouble && <p class="service-trouble">{trouble}</p>}
			<div class="service-line">
				<span>{figures.filter(Boolean).join(' · ')}</span>
				<span>{info && tone === 'ok' ? duration(slowWall.value - info.started_ms) : DASH}</span>
			</div>
		</li>
	);
}

export function ServicesPanel({ cluster }: { cluster: string }) {
	const list = topics('SERVICE_STATE').value;
	return (
		<Panel title="Jarvis" class="services" on="health" scrolls meta={list.length ? plural(list.length, 'service') : null}>
			<ul class="plain">{list.map((t) => <ServiceRow key={t} topic={t} />)}</ul>
			{list.length === 0 && <Empty>No service has been heard of.</Empty>}
			<Connection cluster={cluster} />
		</Panel>
	);
}

type Line = { at: number; key: string; icon: IconName; tone: string; text: string; title: string };

const ofEntry = (e: Entry): Line => ({ at: e.at, key: `e${e.id}`, icon: e.icon, tone: e.tone, text: e.text, title: '' });

function ofTask(t: Task): Line {
	const [icon, tone] = TASK_LOOK[t.status];
	const told = t.status === 'failed' || t.status === 'warning' ? `: ${t.exitstatus ?? t.status}` : '';
	const running = t.status === 'running' ? ' is running' : '';
	return {
		at: t.end_ms ?? t.start_ms, key: t.upid, icon, tone, text: `${taskTitle(t)} on ${t.node}${running}${told}`,
		title: `${t.status}, by ${t.user}`,
	};
}

const ACTIVITY_SHOWN = 60;

/** Tasks and what the page saw itself, by time. */
function activity(cluster: string): Line[] {
	const tasks = doc<TasksState>(`pve/${cluster}/tasks`).value?.tasks ?? [];
	const own = entries.value.map(ofEntry);
	return [...own, ...tasks.map(ofTask)].sort((a, b) => b.at - a.at).slice(0, ACTIVITY_SHOWN);
}

export function ActivityPanel({ cluster }: { cluster: string }) {
	const topic = `pve/${cluster}/tasks`;
	const d = doc<TasksState>(topic).value;
	const list = activity(cluster);
	const live = freshness(topic).value === 'live';
	const running = d?.tasks.filter((t) => t.status === 'running').length ?? 0;
	return (
		<Panel
			title="Activity"
			class="activity"
			scrolls
			meta={d && !live ? <TopicStale topic={topic} /> : running ? `${running} running` : null}
		>
			<div role="log" aria-label="Activity">
				<ul class="plain">
					{list.map((e) => (
						<li key={e.key} class={`entry tone-${e.tone}`} title={e.title}>
							<time>{timeOrDay(e.at, slowWall.value).replace(/:\d\d$/, '')}</time>
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

/** The way from Proxmox to this page, and where it is broken. */
function Connection({ cluster }: { cluster: string }) {
	const chain = hops(cluster);
	const broken = chain.find((h) => !h.good);
	const rtt = roundTrip.value;
	return (
		<div class="connection" title={rtt === null ? '' : `round trip ${decimal(rtt, 1)} ms`}>
			<ol class="chain" aria-label="The way from Proxmox to this page">
				{chain.map((h) => (
					<li key={h.name} class={h.good ? 'good' : 'bad'}>
						<Icon name={h.good ? 'check' : 'close'} />
						<span>{h.name}<span class="sr">{h.good ? ' reached' : ' not reached'}</span></span>
					</li>
				))}
			</ol>
			<p>
				{broken ? <span class="tone-crit">no word from {broken.name}</span>
					: <><span class="tone-ok">live</span>, {ago(sourceAgeMs(clusterTopic(cluster), 'resources').value)}</>}
			</p>
		</div>
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
