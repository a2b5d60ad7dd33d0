/* SPDX-License-Identifier: MIT */
/* All that is known of one node. */
import type { ComponentChildren } from 'preact';
import type { GuestState, NodeState, NodeUpdates, StorageState } from '../generated/topics.ts';
import { bytes, DASH, decimal, duration, percent, plural, share } from '../lib/format.ts';
import { slowWall } from '../store/clock.ts';
import { doc, topicsOf } from '../store/docs.ts';
import { freshness } from '../store/fresh.ts';
import { allGuests, uptimeMs } from '../store/guests.ts';
import { sibling } from '../store/objects.ts';
import { Act, OnNode } from './Acting.tsx';
import { Chart } from './Charts.tsx';
import { Frame } from './Detail.tsx';
import { GuestStatus } from './GuestRow.tsx';
import { NodeDisks, NodeHeats, NodePools } from './Hardware.tsx';
import { CertificateText, UpdateText } from './Health.tsx';
import { NodeHeat, NODE_LOOK } from './Nodes.tsx';
import { Bar, Empty, Fact, Link, Part, Status, TopicStale } from './parts.tsx';
import { TasksOf } from './Tasks.tsx';

function Load({ n, topic, on }: { n: NodeState; topic: string; on: boolean }) {
	const live = freshness(topic).value === 'live';
	const loads = [n.load1, n.load5, n.load15].map((v) => decimal(v)).join('  ');
	return (
		<Part title="Load" stale={!live}>
			<Chart topic={topic} kind="cpu" label="Processor" value={on ? n.cpu : null} detail={`of ${n.maxcpu ?? DASH} cores`} />
			<Chart
				topic={topic}
				kind="mem"
				label="Memory"
				value={on ? share(n.mem, n.maxmem) : null}
				detail={`${bytes(on ? n.mem : null)} of ${bytes(n.maxmem)}`}
			/>
			<dl class="facts two">
				<Fact long name="Load">{on ? loads : DASH}</Fact>
				<Fact long name="Waiting for disks">{percent(on ? n.iowait : null, 1)}</Fact>
				<Fact long name="Root disk">{`${bytes(on ? n.disk : null)} of ${bytes(n.maxdisk)}`}</Fact>
				<Fact long name="Swap">{`${bytes(on ? n.swap : null)} of ${bytes(n.maxswap)}`}</Fact>
			</dl>
		</Part>
	);
}

function System({ n, topic }: { n: NodeState; topic: string }) {
	return (
		<Part title="System" stale={freshness(topic).value !== 'live'}>
			<dl class="facts">
				<Fact name="Address">{n.ip ?? DASH}</Fact>
				<Fact name="Processor">{n.cpu_model ?? DASH}</Fact>
				<Fact name="Kernel">{n.kernel ?? DASH}</Fact>
				<Fact name="Proxmox VE">{n.version ?? DASH}</Fact>
				{n.ha_state && <Fact name="High availability">{n.ha_state}</Fact>}
			</dl>
		</Part>
	);
}

const PACKAGES_SHOWN = 12;

function Updates({ topic }: { topic: string }) {
	const at = sibling(topic, 'updates');
	const u = doc<NodeUpdates>(at).value;
	const live = freshness(at).value === 'live';
	if (!u) return <Part title="Updates"><Empty>Not reported yet: the poller asks every hour.</Empty></Part>;
	const list = [...u.packages].sort((a, b) => Number(b.security) - Number(a.security));
	return (
		<Part title="Updates" stale={!live} meta={live ? <UpdateText u={u} /> : <TopicStale topic={at} />}>
			{u.partial && <p class="note">Only Proxmox’s own packages could be looked at.</p>}
			{u.reason && <p class="note">{u.reason}</p>}
			<ul class="plain">
				{list.slice(0, PACKAGES_SHOWN).map((p) => (
					<li key={p.name} class="package">
						<span>{p.name}{p.security && <span class="toned tone-warn"> security</span>}</span>
						<span class="figure" title={`installed: ${p.old_version ?? DASH}`}>{p.version ?? ''}</span>
					</li>
				))}
			</ul>
			{list.length > PACKAGES_SHOWN && <p class="note">and {list.length - PACKAGES_SHOWN} more</p>}
			<dl class="facts"><Fact name="Certificate"><CertificateText u={u} /></Fact></dl>
		</Part>
	);
}

function Guests({ cluster, node }: { cluster: string; node: string }) {
	const list = allGuests.value.filter((x) => x.g.node === node && x.g.cluster === cluster);
	const line = ({ topic, g }: { topic: string; g: GuestState }) => (
		<li key={topic} class="mini">
			<span class="kind">{g.vmid}</span>
			<Link to={topic}>{g.name ?? `guest ${g.vmid}`}</Link>
			<GuestStatus g={g} topic={topic} />
		</li>
	);
	return (
		<Part title="Guests" meta={plural(list.length, 'guest')}>
			<ul class="plain">{list.slice(0, 40).map(line)}</ul>
			{list.length > 40 && <p class="note">and {list.length - 40} more</p>}
			{list.length === 0 && <Empty>None.</Empty>}
		</Part>
	);
}

function Storages({ cluster, node }: { cluster: string; node: string }) {
	const list = topicsOf('STORAGE_STATE', cluster).value.flatMap((topic) => {
		const s = doc<StorageState>(topic).value;
		const here = s && (s.node === node || s.nodes.some((x) => x.node === node));
		return s && here ? [{ topic, s }] : [];
	});
	return (
		<Part title="Storage" meta={list.length || null}>
			<ul class="plain">
				{list.map(({ topic, s }) => {
					const used = s.status === 'available' ? share(s.used, s.total) : null;
					return (
						<li key={topic} class={`mini store ${freshness(topic).value === 'live' ? '' : 'is-stale'}`}>
							<Link to={topic}>{s.storage}</Link>
							<Bar value={used} label={s.storage} />
							<span class="figure">{used === null ? s.status : percent(used)}</span>
						</li>
					);
				})}
			</ul>
			{list.length === 0 && <Empty>None has been reported.</Empty>}
		</Part>
	);
}

function State({ n, topic }: { n: NodeState; topic: string }) {
	const [icon, tone] = NODE_LOOK[n.status];
	const live = freshness(topic).value === 'live';
	return (
		<>
			{live ? <Status icon={icon} tone={tone}>{n.status}</Status> : <TopicStale topic={topic} />}
			{n.boot_ms !== null && <span class="dim">up {duration(uptimeMs(n.boot_ms, slowWall.value))}</span>}
			<NodeHeat topic={topic} />
			{n.reason && <span class="detail-reason">{n.reason}</span>}
		</>
	);
}

export function NodeDetail({ topic, gone }: { topic: string; gone: ComponentChildren }) {
	const n = doc<NodeState>(topic).value;
	if (!n) return <>{gone}</>;
	return (
		<Frame
			title={n.node}
			state={<State n={n} topic={topic} />}
			tools={<Act draw={(a) => <a.PowerBar topic={topic} />} />}
			left={
				<>
					<Load n={n} topic={topic} on={n.status === 'online'} />
					<System n={n} topic={topic} />
					<OnNode draw={(a) => <a.NodeFileSystems topic={topic} />} />
					<Guests cluster={n.cluster} node={n.node} />
					<Storages cluster={n.cluster} node={n.node} />
				</>
			}
			right={
				<>
					<OnNode draw={(a) => <a.NodeServices topic={topic} />} />
					<NodeHeats node={topic} />
					<NodeDisks cluster={n.cluster} node={n.node} />
					<NodePools cluster={n.cluster} node={n.node} />
					<Updates topic={topic} />
					<TasksOf cluster={n.cluster} which={(t) => t.node === n.node} />
				</>
			}
		/>
	);
}
