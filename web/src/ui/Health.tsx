/* SPDX-License-Identifier: MIT */
/* The cluster's health in full: quorum, high availability, Ceph, findings with their cure, updates, certificates, cost. */
import type { CephState, ClusterState, Finding, HaState, NodeUpdates } from '../generated/topics.ts';
import { bytes, DASH, duration, plural } from '../lib/format.ts';
import { slowWall } from '../store/clock.ts';
import { clusterTopic, doc } from '../store/docs.ts';
import { freshness, sourceAgeMs, sourceFreshness } from '../store/fresh.ts';
import { certificateTone } from '../store/health.ts';
import { guestTopic, nodeTopic, seen } from '../store/objects.ts';
import { cluster } from '../store/view.ts';
import type { IconName } from './Icon.tsx';
import { Empty, Fact, Link, Panel, Part, StaleTag, Status, TopicStale, Unknown, Usage, When } from './parts.tsx';
import { quorumWord } from './Ring.tsx';

const OWNER = 'proxmox-poller';
export const TONE_ICON: Record<string, IconName> = { ok: 'check', warn: 'error', crit: 'offline', none: 'none', info: 'none' };

function spare(c: ClusterState): string {
	if (c.standalone) return 'a single node';
	if (c.votes === null || c.votes_needed === null) return '';
	const n = c.votes - c.votes_needed;
	if (n < 0) return `${plural(-n, 'vote')} missing: Proxmox refuses changes`;
	return n === 0 ? 'no vote to spare' : `${plural(n, 'vote')} to spare`;
}

function Quorum({ c, name }: { c: ClusterState; name: string }) {
	const topic = clusterTopic(name);
	const verdict = sourceFreshness(OWNER, topic, 'status').value;
	const { word, tone } = quorumWord(c);
	const live = verdict === 'live';
	const meta = live ? <Status icon={TONE_ICON[tone] ?? 'unknown'} tone={tone}>{word}</Status>
		: <StaleTag verdict={verdict} age={sourceAgeMs(topic, 'status').value} />;
	return (
		<Part title="Quorum" class="quorum" stale={!live} meta={meta}>
			<div class="pips" aria-hidden="true">
				{Array.from({ length: Math.min(c.votes_expected ?? 0, 32) }, (_, i) => (
					<span
						key={i}
						class={`pip ${i < (c.votes ?? 0) ? 'here' : ''} ${i + 1 === c.votes_needed ? 'needed' : ''}`}
					/>
				))}
			</div>
			<div class="quorum-text">
				<span>{c.votes ?? DASH} of {c.votes_expected ?? DASH} votes, {c.votes_needed ?? DASH} needed</span>
				<span class="dim">{spare(c)}</span>
			</div>
		</Part>
	);
}

const HA_TONE: [RegExp, string][] = [
	[/error|fence|recovery/, 'crit'], [/started|active|idle/, 'ok'], [/maintenance|migrate|relocate/, 'warn'],
];
const haTone = (state: string | null) => HA_TONE.find(([r]) => r.test(state ?? ''))?.[1] ?? 'none';

function Ha({ name }: { name: string }) {
	const topic = `pve/${name}/ha`;
	const h = doc<HaState>(topic).value;
	const live = freshness(topic).value === 'live';
	if (!h) return <Part title="High availability"><Empty>Not reported yet.</Empty></Part>;
	return (
		<Part title="High availability" stale={!live} meta={live ? h.fencing && `fencing ${h.fencing}` : <TopicStale topic={topic} />}>
			{h.services.length === 0 && <Empty>Nothing is managed.</Empty>}
			<ul class="plain">
				{h.services.map((s) => (
					<li key={s.sid} class="line">
						<span class="line-name">
							{s.vmid === null ? s.sid : <Link to={guestTopic(name, s.vmid)}>{s.sid}</Link>}
						</span>
						<Status icon={TONE_ICON[haTone(s.state)]!} tone={haTone(s.state)}>{s.state ?? 'unknown'}</Status>
						<span class="line-more">
							{[s.node && `on ${s.node}`, s.wanted !== s.state && s.wanted && `wanted ${s.wanted}`, s.comment].filter(Boolean).join(' · ')}
						</span>
					</li>
				))}
			</ul>
			{h.nodes.length > 0 && <dl class="facts">
				<Fact name="Master">{h.master ?? DASH} {h.master_state ? `(${h.master_state})` : ''}</Fact>
				{h.nodes.map((n) => <Fact key={n.node} name={n.node}>{n.state ?? DASH}, <When ms={n.seen_ms} /></Fact>)}
			</dl>}
		</Part>
	);
}

function Ceph({ name }: { name: string }) {
	const topic = `pve/${name}/ceph`;
	const c = doc<CephState>(topic).value;
	if (!c) return null;
	const tone = c.health === 'HEALTH_OK' ? 'ok' : c.health === 'HEALTH_ERR' ? 'crit' : 'warn';
	const live = freshness(topic).value === 'live';
	return (
		<Part
			title="Ceph"
			stale={!live}
			meta={live ? <Status icon={TONE_ICON[tone]!} tone={tone}>{c.health ?? 'unknown'}</Status> : <TopicStale topic={topic} />}
		>
			<ul class="plain">
				{c.checks.map((x) => (
					<li key={x.name} class="line">
						<span class="line-name">{x.name}</span>
						<Status icon="error" tone={x.severity === 'critical' ? 'crit' : 'warn'}>{x.severity}</Status>
						<span class="line-more">{x.text}</span>
					</li>
				))}
			</ul>
			<Usage used={c.used} total={c.total} label="Ceph" />
			<dl class="facts">
				<Fact name="OSDs">{c.osds_up ?? DASH} up, {c.osds_in ?? DASH} in of {c.osds ?? DASH}</Fact>
				<Fact name="Monitors">{c.mons_in_quorum ?? DASH} of {c.mons ?? DASH} in quorum</Fact>
				<Fact name="Placement groups">{c.pgs_clean ?? DASH} of {c.pgs ?? DASH} clean</Fact>
				{!!c.degraded && <Fact name="Degraded">{c.degraded.toFixed(1)}%</Fact>}
			</dl>
		</Part>
	);
}

const SEVERITY: Record<Finding['severity'], [IconName, string]> = {
	info: ['none', 'info'], warning: ['error', 'warn'], critical: ['offline', 'crit'],
};

function Findings({ list }: { list: Finding[] }) {
	return (
		<Part title="Findings" meta={list.length || null}>
			<ul class="plain">
				{list.map((f) => (
					<li key={f.id} class="line finding">
						<span class="line-name">{f.title}</span>
						<Status icon={SEVERITY[f.severity][0]} tone={SEVERITY[f.severity][1]}>{f.severity}</Status>
						{f.detail && <span class="line-more">{f.detail}</span>}
						{f.cure && <code class="cure">{f.cure}</code>}
					</li>
				))}
			</ul>
			{list.length === 0 && <Empty>Nothing to mend in how the cluster is read.</Empty>}
		</Part>
	);
}

export function UpdateText({ u }: { u: NodeUpdates }) {
	if (u.pending === null) return <Unknown why={u.reason} />;
	if (u.pending === 0) return <Status icon="check" tone="ok">up to date</Status>;
	const text = u.security ? `${u.pending}, ${u.security} for security` : `${u.pending} waiting`;
	return <Status icon={u.security ? 'error' : 'none'} tone={u.security ? 'warn' : 'none'}>{text}</Status>;
}

export function CertificateText({ u }: { u: NodeUpdates }) {
	if (u.certificate_ends_ms === null) return <Unknown why={u.reason} />;
	const tone = certificateTone(u.certificate_ends_ms, slowWall.value);
	const left = u.certificate_ends_ms - slowWall.value;
	const text = left <= 0 ? 'expired' : `${duration(left).split(' ')[0]} left`;
	return <Status icon={TONE_ICON[tone]!} tone={tone} title={u.certificate ?? ''}>{text}</Status>;
}

function Updates({ name }: { name: string }) {
	const list = seen<NodeUpdates>('NODE_UPDATES', name);
	return (
		<Part title="Updates and certificates">
			{list.map(({ topic, d, live }) => (
				<div key={topic} class={`trio ${live ? '' : 'is-stale'}`}>
					<Link to={nodeTopic(name, d.node)}>{d.node}</Link>
					{live ? <UpdateText u={d} /> : <TopicStale topic={topic} />}
					<CertificateText u={d} />
				</div>
			))}
			{list.length === 0 && <Empty>Not reported yet: the poller asks every hour.</Empty>}
		</Part>
	);
}

/** What watching costs Proxmox: requests of the last minute. */
function Calls({ c }: { c: ClusterState }) {
	const nodes = Object.entries(c.calls_by_node ?? {}).sort((a, b) => b[1] - a[1]);
	const paths = Object.entries(c.calls_by_path ?? {}).sort((a, b) => b[1] - a[1]).slice(0, 8);
	if (nodes.length + paths.length === 0) return null;
	const sum = nodes.reduce((n, [, v]) => n + v, 0);
	return (
		<Part title="What watching costs Proxmox" meta={`${plural(Math.round(sum), 'call')} a minute`}>
			<dl class="facts">
				{nodes.map(([n, v]) => <Fact key={n} name={n}>{v}</Fact>)}
			</dl>
			<dl class="facts">{paths.map(([p, v]) => <Fact key={p} name={p}>{v}</Fact>)}</dl>
		</Part>
	);
}

function Sources({ c, name }: { c: ClusterState; name: string }) {
	const bad = Object.entries(c.sources).filter(([, s]) => s.error);
	if (bad.length === 0) return null;
	return (
		<Part title="Sources that do not answer" meta={bad.length}>
			<ul class="plain">
				{bad.map(([key, s]) => (
					<li key={key} class="line">
						<span class="line-name">{key}</span>
						<span class="dim">
							{s.last_ok_ms === null ? 'never answered'
								: `silent for ${duration(sourceAgeMs(clusterTopic(name), key).value)}`}
						</span>
						<span class="line-more">{s.error}</span>
					</li>
				))}
			</ul>
		</Part>
	);
}

export function HealthView() {
	const name = cluster.value;
	const c = doc<ClusterState>(clusterTopic(name)).value;
	if (!c) return <Panel title="Health" class="health-view" on="health"><Empty>No cluster has been reported.</Empty></Panel>;
	return (
		<Panel title="Health in full" class="health-view" on="health" scrolls meta={c.disk === null ? null : `${bytes(c.disk)} stored`}>
			<div class="pair">
				<div>
					<Quorum c={c} name={name} />
					<Ha name={name} />
					<Ceph name={name} />
					<Updates name={name} />
				</div>
				<div>
					<Findings list={c.findings ?? []} />
					<Sources c={c} name={name} />
					<Calls c={c} />
				</div>
			</div>
		</Panel>
	);
}
