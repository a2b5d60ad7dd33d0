/* SPDX-License-Identifier: MIT */
/* One row of the guest table, and how a guest's status is told. */
import type { GuestState } from '../generated/topics.ts';
import { bytes, DASH, duration, percent, rate, share } from '../lib/format.ts';
import { verdictReason } from '../lib/freshness.ts';
import { slowWall } from '../store/clock.ts';
import { doc } from '../store/docs.ts';
import { freshness } from '../store/fresh.ts';
import { uptimeMs } from '../store/guests.ts';
import { cursor, selected } from '../store/view.ts';
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

export const rowId = (topic: string) => `row-${topic.replace(/[^\w-]/g, '_')}`;

function Tags({ tags }: { tags: string[] }) {
	if (tags.length === 0) return null;
	const more = tags.length - TAGS_SHOWN;
	return (
		<span class="tags" title={tags.join(', ')}>
			{tags.slice(0, TAGS_SHOWN).map((t) => <span key={t} class="tag">{t}</span>)}
			{more > 0 && <span class="tag">+{more}</span>}
		</span>
	);
}

function Measure({
	value, label, short, class: cls, title,
}: { value: number | null; label: string; short: string; class: string; title: string }) {
	return (
		<span class={cls} role="gridcell" title={title}>
			<span class="measure-name" aria-hidden="true">{short}</span>
			{value !== null && <Bar value={value} label={label} />}
			<span class="figure">{percent(value)}</span>
		</span>
	);
}

function Network({ g, on }: { g: GuestState; on: boolean }) {
	return (
		<span class="c-net" role="gridcell" title="network in, out, bytes a second">
			{on && g.net_in !== null ? (
				<>
					<span><i>↓</i>{rate(g.net_in)}</span>
					<span><i>↑</i>{rate(g.net_out)}</span>
				</>
			) : (
				<span>{DASH}</span>
			)}
		</span>
	);
}

export function Row({ topic, index, at }: { topic: string; index: number; at: number }) {
	const g = doc<GuestState>(topic).value;
	if (!g) return null;
	const look = guestLook(g, topic);
	const live = look.tone !== 'stale';
	const on = g.status === 'running' || g.status === 'paused';
	const mem = on ? share(g.mem, g.maxmem) : null;
	const chosen = selected.value === topic;
	const marks = {
		'is-stale': !live,
		'is-off': !on,
		'is-chosen': chosen,
		'is-cursor': cursor.value === topic,
		odd: index % 2 === 1,
	};
	const classes = ['row', ...Object.entries(marks).filter(([, set]) => set).map(([name]) => name)].join(' ');
	return (
		<div
			role="row"
			id={rowId(topic)}
			data-topic={topic}
			aria-rowindex={index + 2}
			aria-selected={chosen}
			class={classes}
			style={{ transform: `translateY(${at}px)` }}
		>
			<span class="c-status" role="gridcell">
				<Status icon={look.icon} tone={look.tone} title={look.title}>{look.text}</Status>
			</span>
			<span class="c-id" role="gridcell">{g.vmid}</span>
			<span class="c-name" role="gridcell">
				<span class="kind">{g.type === 'qemu' ? 'vm' : 'ct'}</span>
				<span class="guest-name">{g.name ?? `guest ${g.vmid}`}</span>
				{g.lock && <span class="locked" title={`locked: ${g.lock}`}><Icon name="lock" />{g.lock}</span>}
				<Tags tags={g.tags} />
			</span>
			<span class="c-node" role="gridcell">{g.node}</span>
			<Measure class="c-cpu" label="CPU" short="cpu" value={on ? g.cpu : null} title={`of ${g.maxcpu ?? DASH} cores`} />
			<Measure
				class="c-mem"
				label="Memory"
				short="mem"
				value={mem}
				title={`${bytes(on ? g.mem : null)} of ${bytes(g.maxmem)}`}
			/>
			<Network g={g} on={on} />
			<span class="c-up" role="gridcell">{on ? duration(uptimeMs(g.boot_ms, slowWall.value)) : DASH}</span>
		</div>
	);
}
