/* SPDX-License-Identifier: MIT */
/* All that is known of one guest. */
import type { ComponentChildren } from 'preact';
import type {
	GuestConfig, GuestNic, GuestReplication, GuestSnapshots, GuestState, GuestVolume, HaState, ReplicationJob,
} from '../generated/topics.ts';
import { bytes, DASH, decimal, duration, rate, share, visible } from '../lib/format.ts';
import { slowWall } from '../store/clock.ts';
import { doc } from '../store/docs.ts';
import { freshness } from '../store/fresh.ts';
import { uptimeMs } from '../store/guests.ts';
import { backupOf, jobName, nodeTopic, sibling } from '../store/objects.ts';
import { BackupStatus } from './Backups.tsx';
import { Act } from './Acting.tsx';
import { Chart } from './Charts.tsx';
import { Frame } from './Detail.tsx';
import { guestLook, isOn, Tags } from './GuestRow.tsx';
import { Empty, Fact, Link, Part, Status, TopicStale, Unknown, When } from './parts.tsx';
import { TasksOf } from './Tasks.tsx';

function Now({ g, topic }: { g: GuestState; topic: string }) {
	const on = isOn(g);
	const live = freshness(topic).value === 'live';
	return (
		<Part title="Load" stale={!live}>
			<Chart topic={topic} kind="cpu" label="Processor" value={on ? g.cpu : null} detail={`of ${decimal(g.maxcpu, 0)} cores`} />
			<Chart
				topic={topic}
				kind="mem"
				label="Memory"
				value={on ? share(g.mem, g.maxmem) : null}
				detail={`${bytes(on ? g.mem : null)} of ${bytes(g.maxmem)}`}
			/>
			<dl class="facts two">
				<Fact name="Network in">{on ? `${rate(g.net_in)}/s` : DASH}</Fact>
				<Fact name="Network out">{on ? `${rate(g.net_out)}/s` : DASH}</Fact>
				<Fact name="Disk read">{on ? `${rate(g.disk_read)}/s` : DASH}</Fact>
				<Fact name="Disk write">{on ? `${rate(g.disk_write)}/s` : DASH}</Fact>
				<Fact long name="Root disk">{g.disk === null ? bytes(g.maxdisk) : `${bytes(g.disk)} of ${bytes(g.maxdisk)}`}</Fact>
				{g.memhost !== null && <Fact name="Costs the node">{bytes(g.memhost)}</Fact>}
			</dl>
		</Part>
	);
}

/** A document that may not be there: says so, and how old it is when it is. */
function Doc<T extends { reason: string | null }>({
	topic, title, meta, children,
}: { topic: string; title: string; meta?: (d: T) => ComponentChildren; children: (d: T) => ComponentChildren }) {
	const d = doc<T>(topic).value;
	const live = freshness(topic).value === 'live';
	if (!d) return <Part title={title}><Empty>Not reported yet.</Empty></Part>;
	return (
		<Part title={title} stale={!live} meta={live ? meta?.(d) : <TopicStale topic={topic} />}>
			{d.reason && <p class="note toned tone-warn">{d.reason}</p>}
			{children(d)}
		</Part>
	);
}

const yes = (b: boolean | null, why?: string | null) => (b === null ? <Unknown why={why} /> : b ? 'yes' : 'no');

const Volume = ({ v }: { v: GuestVolume }) => (
	<li class="line">
		<span class="line-name"><span class="kind wide">{v.key}</span> {v.mount ?? v.storage ?? v.volume ?? DASH}</span>
		<span class="figure">{v.size === null ? DASH : bytes(v.size)}</span>
		<span class="line-more">
			{[v.volume && (v.storage ? `${v.storage}:${v.volume}` : v.volume), v.backed_up ? '' : 'not in backups'].filter(Boolean).join(' · ')}
		</span>
	</li>
);

const Nic = ({ n }: { n: GuestNic }) => (
	<li class="line">
		<span class="line-name"><span class="kind wide">{n.key}</span> {n.bridge ?? DASH}{n.vlan === null ? '' : ` vlan ${n.vlan}`}</span>
		<span class="figure">{n.address ?? ''}</span>
		<span class="line-more">{[n.model, n.mac, n.firewall ? 'firewall' : ''].filter(Boolean).join(' · ')}</span>
	</li>
);

function cores(c: GuestConfig): string {
	if (c.cores === null) return DASH;
	return c.sockets !== null && c.sockets > 1 ? `${c.sockets} × ${c.cores}` : String(c.cores);
}

function Config({ topic, g }: { topic: string; g: GuestState }) {
	return (
		<Doc<GuestConfig> topic={sibling(topic, 'config')} title="Configuration" meta={(c) => c.os}>
			{(c) => (
				<>
					<dl class="facts two">
						<Fact name="Cores">{cores(c)}</Fact>
						<Fact name="Memory">{bytes(c.memory)}</Fact>
						{c.swap !== null && <Fact name="Swap">{bytes(c.swap)}</Fact>}
						<Fact name="Starts with its node">{yes(c.onboot, c.reason)}</Fact>
						{c.startup && <Fact long name="Start order">{c.startup}</Fact>}
						<Fact name="Protected">{yes(c.protection, c.reason)}</Fact>
						{g.type === 'qemu' && <Fact name="Guest agent">{yes(c.agent, c.reason)}</Fact>}
						{g.type === 'lxc' && <Fact name="Unprivileged">{yes(c.unprivileged, c.reason)}</Fact>}
						{c.hostname && c.hostname !== g.name && <Fact long name="Hostname">{c.hostname}</Fact>}
					</dl>
					<ul class="plain">{c.volumes.map((v) => <Volume key={v.key} v={v} />)}</ul>
					<ul class="plain">{c.nics.map((n) => <Nic key={n.key} n={n} />)}</ul>
					{c.description && <pre class="notes">{visible(c.description.trim())}</pre>}
				</>
			)}
		</Doc>
	);
}

function Backup({ topic }: { topic: string }) {
	const { b, live } = backupOf(topic);
	if (!b) return <Part title="Backups"><Empty>Not reported yet.</Empty></Part>;
	return (
		<Part title="Backups" stale={!live} meta={<BackupStatus topic={topic} />}>
			{b.reason && <p class="note toned tone-warn">{b.reason}</p>}
			{b.last_error && <p class="note toned tone-crit"><When ms={b.last_error_ms} />: {b.last_error}</p>}
			<dl class="facts two">
				<Fact name="Last good"><When ms={b.last_ok_ms} why={b.reason ?? 'there is none'} /></Fact>
				<Fact name="Held by">{b.storage ?? <Unknown why={b.reason} />}</Fact>
				<Fact name="Size">{bytes(b.size)}</Fact>
				<Fact name="Kept">{b.backups ?? <Unknown why={b.reason} />}</Fact>
				<Fact name="Verified">{yes(b.verified, 'the storage does not verify, or did not yet')}</Fact>
				<Fact name="Next run"><When ms={b.next_run_ms} future why={b.covered === false ? 'no job covers it' : b.reason} /></Fact>
				<Fact long name="Jobs">{b.jobs.map((j) => jobName(b.cluster, j)).join(', ') || (b.covered === false ? 'none' : <Unknown why={b.reason} />)}</Fact>
			</dl>
		</Part>
	);
}

function Snapshots({ topic }: { topic: string }) {
	return (
		<Doc<GuestSnapshots> topic={sibling(topic, 'snapshots')} title="Snapshots" meta={(d) => d.snapshots.length || null}>
			{(d) => (
				<>
					<ul class="plain">
						{d.snapshots.map((s) => (
							<li key={s.name} class="line">
								<span class="line-name">{s.name}</span>
								<When ms={s.time_ms} why="Proxmox does not say when" />
								<span class="line-more">
									{[visible(s.description?.trim() ?? ''), s.memory ? 'with memory' : '', s.parent && `after ${s.parent}`]
										.filter(Boolean).join(' · ')}
								</span>
								<Act draw={(a) => <a.SnapshotTools topic={topic} snapshot={s.name} />} />
							</li>
						))}
					</ul>
					{d.snapshots.length === 0 && !d.reason && <Empty>None.</Empty>}
				</>
			)}
		</Doc>
	);
}

function replicationTone(j: ReplicationJob): [string, string] {
	if (!j.enabled) return ['none', 'disabled'];
	if (j.error || (j.failures ?? 0) > 0) return ['crit', `${j.failures ?? ''} failed`.trim()];
	return j.last_ok_ms === null ? ['none', 'not yet'] : ['ok', 'fine'];
}

function Replication({ topic }: { topic: string }) {
	const d = doc<GuestReplication>(sibling(topic, 'replication')).value;
	if (!d || (d.jobs.length === 0 && !d.reason)) return null;
	return (
		<Doc<GuestReplication> topic={sibling(topic, 'replication')} title="Replication">
			{({ jobs }) => (
				<ul class="plain">
					{jobs.map((j) => {
						const [tone, text] = replicationTone(j);
						return (
							<li key={j.id} class="line">
								<span class="line-name">{j.id} to {j.target}</span>
								<Status icon={tone === 'crit' ? 'offline' : tone === 'ok' ? 'check' : 'none'} tone={tone}>{text}</Status>
								<span class="line-more">
									last <When ms={j.last_ok_ms} why="never" /> · next <When ms={j.next_run_ms} future />
									{j.duration_s === null ? '' : ` · took ${duration(j.duration_s * 1000)}`}{j.schedule ? ` · ${j.schedule}` : ''}
								</span>
								{j.error && <span class="line-more toned tone-crit">{j.error}</span>}
							</li>
						);
					})}
				</ul>
			)}
		</Doc>
	);
}

function Ha({ g }: { g: GuestState }) {
	const topic = `pve/${g.cluster}/ha`;
	const s = doc<HaState>(topic).value?.services.find((x) => x.vmid === g.vmid);
	if (!s && !g.ha_state) return null;
	return (
		<Part title="High availability" stale={freshness(topic).value !== 'live'}>
			<dl class="facts two">
				<Fact name="State">{s?.state ?? g.ha_state ?? DASH}</Fact>
				{s?.wanted && <Fact name="Wanted">{s.wanted}</Fact>}
				{s?.comment && <Fact long name="Note">{s.comment}</Fact>}
			</dl>
		</Part>
	);
}

function State({ g, topic }: { g: GuestState; topic: string }) {
	const look = guestLook(g, topic);
	return (
		<>
			<Status icon={look.icon} tone={look.tone} title={look.title}>{look.text}</Status>
			<TopicStale topic={topic} />
			<span>{g.type === 'qemu' ? 'virtual machine' : 'container'} on <Link to={nodeTopic(g.cluster, g.node)}>{g.node}</Link></span>
			{isOn(g) && <span class="dim">up {duration(uptimeMs(g.boot_ms, slowWall.value))}</span>}
			{g.lock && <Status icon="lock" tone="warn">locked: {g.lock}</Status>}
			{g.pool && <span class="dim">pool {g.pool}</span>}
			<Tags tags={g.tags} all />
			{g.reason && <span class="detail-reason">{g.reason}</span>}
		</>
	);
}

export function GuestDetail({ topic, gone }: { topic: string; gone: ComponentChildren }) {
	const g = doc<GuestState>(topic).value;
	if (!g) return <>{gone}</>;
	return (
		<Frame
			title={`${g.vmid} ${g.name ?? `guest ${g.vmid}`}`}
			state={<State g={g} topic={topic} />}
			tools={<Act draw={(a) => <a.PowerBar topic={topic} />} />}
			left={<><Now g={g} topic={topic} /><Config topic={topic} g={g} /></>}
			right={
				<>
					<Backup topic={topic} />
					<Snapshots topic={topic} />
					<Replication topic={topic} />
					<Ha g={g} />
					<TasksOf cluster={g.cluster} which={(t) => t.id === String(g.vmid)} />
				</>
			}
		/>
	);
}
