/* SPDX-License-Identifier: MIT */
/* The cells of a guest's row, wide and compact, and how a guest's status is told. */
import type { GuestState } from '../generated/topics.ts';
import { bytes, DASH, duration, percent, rate, share } from '../lib/format.ts';
import { verdictReason } from '../lib/freshness.ts';
import { slowWall } from '../store/clock.ts';
import { doc } from '../store/docs.ts';
import { freshness } from '../store/fresh.ts';
import { uptimeMs } from '../store/guests.ts';
import { Act } from './Acting.tsx';
import { Cell } from './Grid.tsx';
import { Icon, type IconName } from './Icon.tsx';
import { Bar, Status } from './parts.tsx';

const TAGS_SHOWN = 2;

const LOOK: Partial<Record<GuestState['status'], [IconName, string]>> = {
	running: ['running', 'ok'],
	stopped: ['stopped', 'none'],
	paused: ['paused', 'warn'],
	suspended: ['paused', 'none'],
	unknown: ['unknown', 'warn'],
	'io-error': ['error', 'crit'],
	'internal-error': ['error', 'crit'],
};

export interface GuestLook {
	icon: IconName;
	tone: string;
	text: string;
	title: string;
}

/** How a guest's status is told: what is not live is told in the past tense. */
export function guestLook(g: GuestState, topic: string): GuestLook {
	const verdict = freshness(topic).value;
	if (verdict !== 'live')
		return { icon: 'stale', tone: 'stale', text: `was ${g.status}`, title: `stale: ${verdictReason(verdict)}` };
	const [icon, tone] = LOOK[g.status] ?? ['unknown', 'warn'];
	const last = g.last_status ? `was ${g.last_status}` : '';
	return { icon, tone, text: g.status, title: [g.reason, last].filter(Boolean).join('; ') || g.status };
}

export const isOn = (g: GuestState) => g.status === 'running' || g.status === 'paused';

/** Classes of a guest's row. */
export function guestMarks(topic: string): string {
	const g = doc<GuestState>(topic).value;
	return `${freshness(topic).value === 'live' ? '' : 'is-stale'} ${g && isOn(g) ? '' : 'is-off'}`;
}

export function Tags({ tags, all }: { tags: string[]; all?: boolean }) {
	if (tags.length === 0) return null;
	const shown = all ? tags : tags.slice(0, TAGS_SHOWN);
	const more = tags.length - shown.length;
	return (
		<span class={`tags ${all ? 'wrap' : ''}`} title={tags.join(', ')}>
			{shown.map((t) => <span key={t} class="tag">{t}</span>)}
			{more > 0 && <span class="tag">+{more}</span>}
		</span>
	);
}

function Measure({
	value, label, name, title,
}: { value: number | null; label: string; name: string; title: string }) {
	return (
		<Cell name={name} title={title}>
			<span class="measure-name" aria-hidden="true">{name}</span>
			{value !== null && <Bar value={value} label={label} />}
			<span class="figure">{percent(value)}</span>
		</Cell>
	);
}

function Network({ g, on }: { g: GuestState; on: boolean }) {
	return (
		<Cell name="net" title="network in, out, bytes a second">
			{on && g.net_in !== null ? (
				<>
					<span><i>↓</i>{rate(g.net_in)}</span>
					<span><i>↑</i>{rate(g.net_out)}</span>
				</>
			) : (
				<span>{DASH}</span>
			)}
		</Cell>
	);
}

export function GuestStatus({ g, topic }: { g: GuestState; topic: string }) {
	const look = guestLook(g, topic);
	return <Status icon={look.icon} tone={look.tone} title={look.title}>{look.text}</Status>;
}

export function GuestName({ g, tags }: { g: GuestState; tags?: boolean }) {
	return (
		<Cell name="name" title={g.name ?? ''}>
			<span class="kind">{g.type === 'qemu' ? 'vm' : 'ct'}</span>
			<span class="guest-name">{g.name ?? `guest ${g.vmid}`}</span>
			{g.lock && <span class="locked" title={`locked: ${g.lock}`}><Icon name="lock" />{g.lock}</span>}
			{tags && <Tags tags={g.tags} />}
		</Cell>
	);
}

export function GuestCells({ row: topic }: { row: string }) {
	const g = doc<GuestState>(topic).value;
	if (!g) return null;
	const on = isOn(g);
	const mem = on ? share(g.mem, g.maxmem) : null;
	return (
		<>
			<Cell name="status"><GuestStatus g={g} topic={topic} /></Cell>
			<Cell name="vmid">{g.vmid}</Cell>
			<GuestName g={g} tags />
			<Cell name="node">{g.node}</Cell>
			<Measure name="cpu" label="CPU" value={on ? g.cpu : null} title={`of ${g.maxcpu ?? DASH} cores`} />
			<Measure name="mem" label="Memory" value={mem} title={`${bytes(on ? g.mem : null)} of ${bytes(g.maxmem)}`} />
			<Network g={g} on={on} />
			<Cell name="uptime">{on ? duration(uptimeMs(g.boot_ms, slowWall.value)) : DASH}</Cell>
			<Act draw={(a) => <a.RowTools topic={topic} />} />
		</>
	);
}

/** The same in one short line, for the list at the side. */
export function GuestBrief({ row: topic }: { row: string }) {
	const g = doc<GuestState>(topic).value;
	if (!g) return null;
	const on = isOn(g);
	return (
		<>
			<Cell name="status"><GuestStatus g={g} topic={topic} /></Cell>
			<Cell name="vmid">{g.vmid}</Cell>
			<Cell name="name" title={`${g.name ?? ''} on ${g.node}`}><span class="guest-name">{g.name ?? `guest ${g.vmid}`}</span></Cell>
			<Cell name="cpu" title="processor">{on ? percent(g.cpu) : ''}</Cell>
			<Cell name="mem" title="memory">{on ? percent(share(g.mem, g.maxmem)) : g.status === 'stopped' ? 'off' : DASH}</Cell>
		</>
	);
}
