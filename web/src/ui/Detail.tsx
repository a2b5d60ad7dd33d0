/* SPDX-License-Identifier: MIT */
/* All that is known of one guest. Not modal: the page goes on beside it. */
import { useEffect, useRef } from 'preact/hooks';
import type { GuestState, Task, TasksState } from '../generated/topics.ts';
import { bytes, DASH, decimal, duration, percent, rate, share, timeOrDay } from '../lib/format.ts';
import { taskTitle } from '../store/activity.ts';
import { slowWall } from '../store/clock.ts';
import { doc, word } from '../store/docs.ts';
import { freshness } from '../store/fresh.ts';
import { uptimeMs } from '../store/guests.ts';
import { history, sampled } from '../store/history.ts';
import { selected } from '../store/view.ts';
import { guestLook } from './GuestRow.tsx';
import { focusGrid } from './Guests.tsx';
import { Icon } from './Icon.tsx';
import { Bar, Fact, Panel, Sparkline, Status, TopicStale } from './parts.tsx';

const TASKS_SHOWN = 6;

export function closeDetail(): void {
	selected.value = '';
	focusGrid();
}

function Chart({
	topic, kind, label, value, detail,
}: { topic: string; kind: 'cpu' | 'mem'; label: string; value: number | null; detail: string }) {
	const version = sampled(word(topic, 'cluster')).value;
	return (
		<div class="chart">
			<div class="chart-head">
				<span class="chart-name">{label}</span>
				<span class="chart-value">{percent(value, value !== null && value < 10 ? 1 : 0)}</span>
			</div>
			<Sparkline
				samples={history(topic)[kind]}
				version={version}
				label={`${label} in the last minutes`}
			/>
			<Bar value={value} label={label} />
			<div class="chart-detail">{detail}</div>
		</div>
	);
}

function Rates({ g }: { g: GuestState }) {
	return (
		<dl class="facts two">
			<Fact name="Network in">{rate(g.net_in)}/s</Fact>
			<Fact name="Network out">{rate(g.net_out)}/s</Fact>
			<Fact name="Disk read">{rate(g.disk_read)}/s</Fact>
			<Fact name="Disk write">{rate(g.disk_write)}/s</Fact>
		</dl>
	);
}

function Facts({ g, on }: { g: GuestState; on: boolean }) {
	return (
		<dl class="facts">
			<Fact name="Kind">{g.type === 'qemu' ? 'virtual machine' : 'container'}</Fact>
			<Fact name="Node">{g.node}</Fact>
			<Fact name="Up">{on ? duration(uptimeMs(g.boot_ms, slowWall.value)) : DASH}</Fact>
			<Fact name="Disk">{g.disk === null ? bytes(g.maxdisk) : `${bytes(g.disk)} of ${bytes(g.maxdisk)}`}</Fact>
			{g.memhost !== null && <Fact name="Memory on the node">{bytes(g.memhost)}</Fact>}
			{g.ha_state && <Fact name="High availability">{g.ha_state}</Fact>}
			{g.pool && <Fact name="Pool">{g.pool}</Fact>}
			{g.lock && <Fact name="Locked">{g.lock}</Fact>}
			{g.tags.length > 0 && <Fact name="Tags">
				<span class="tags wrap">{g.tags.map((t) => <span key={t} class="tag">{t}</span>)}</span>
			</Fact>}
		</dl>
	);
}

function itsTasks(cluster: string, vmid: number): Task[] {
	const all = doc<TasksState>(`pve/${cluster}/tasks`).value?.tasks ?? [];
	return all.filter((t) => t.id === String(vmid)).slice(0, TASKS_SHOWN);
}

function Tasks({ list }: { list: Task[] }) {
	if (list.length === 0) return null;
	return (
		<>
			<h3 class="detail-sub">Tasks</h3>
			<ul class="plain">
				{list.map((t) => (
					<li key={t.upid} class="detail-task">
						<span>{taskTitle(t)}</span>
						<span class={t.status === 'failed' ? 'tone-crit' : 'dim'}>{t.status}</span>
						<time class="dim">{timeOrDay(t.start_ms, slowWall.value)}</time>
					</li>
				))}
			</ul>
		</>
	);
}

function Body({ g, topic }: { g: GuestState; topic: string }) {
	const look = guestLook(g, topic);
	const on = g.status === 'running' || g.status === 'paused';
	const live = freshness(topic).value === 'live';
	return (
		<>
			<div class="detail-state">
				<Status icon={look.icon} tone={look.tone} title={look.title}>{look.text}</Status>
				{!live && <TopicStale topic={topic} />}
				{g.reason && <span class="detail-reason">{g.reason}</span>}
			</div>
			<div class={live ? '' : 'is-stale'}>
				<Chart
					topic={topic}
					kind="cpu"
					label="Processor"
					value={on ? g.cpu : null}
					detail={`of ${decimal(g.maxcpu, 0)} cores`}
				/>
				<Chart
					topic={topic}
					kind="mem"
					label="Memory"
					value={on ? share(g.mem, g.maxmem) : null}
					detail={`${bytes(on ? g.mem : null)} of ${bytes(g.maxmem)}`}
				/>
				{on && <Rates g={g} />}
				<Facts g={g} on={on} />
			</div>
			<Tasks list={itsTasks(g.cluster, g.vmid)} />
		</>
	);
}

export function Detail() {
	const topic = selected.value;
	const g = doc<GuestState>(topic || '-').value;
	const close = useRef<HTMLButtonElement>(null);
	useEffect(() => {
		if (topic) close.current?.focus({ preventScroll: true });
	}, [topic]);
	if (!topic || !g) return null;
	const name = g.name ?? `guest ${g.vmid}`;
	const button = (
		<button
			ref={close}
			type="button"
			class="icon-button"
			aria-label={`Close the details of ${name}`}
			onClick={closeDetail}
		>
			<Icon name="close" />
		</button>
	);
	return (
		<div class="detail">
			<Panel title={`${g.vmid} ${name}`} meta={button} scrolls>
				<Body g={g} topic={topic} />
			</Panel>
		</div>
	);
}
