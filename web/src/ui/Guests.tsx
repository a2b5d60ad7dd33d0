/* SPDX-License-Identifier: MIT */
/*
 * The guest table: a grid of rows of one height, keyed by topic and patched in place; only the rows in view are drawn
 * once there are many. The keyboard moves a cursor that the grid names by aria-activedescendant.
 */
import { signal } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import type { ClusterState, GuestState } from '../generated/topics.ts';
import { bytes, DASH, duration, percent, rate, share } from '../lib/format.ts';
import { verdictReason } from '../lib/freshness.ts';
import { rowWindow, scrollToRow } from '../lib/window.ts';
import { slowWall } from '../store/clock.ts';
import { clusterTopic, doc } from '../store/docs.ts';
import { freshness, sourceAgeMs, sourceFreshness } from '../store/fresh.ts';
import { allGuests, hold, parsed, rows, toggleSort, uptimeMs } from '../store/guests.ts';
import { cluster, cursor, query, selected, sort } from '../store/view.ts';
import { Icon, type IconName } from './Icon.tsx';
import { Bar, Empty, Panel, StaleTag, Status } from './parts.tsx';

const ROW_WIDE = 32;
const ROW_NARROW = 58;
const NARROW_BELOW = 560;
const TAGS_SHOWN = 2;

interface Column {
	key: string;
	label: string;
	class: string;
}

const COLUMNS: Column[] = [
	{ key: 'status', label: 'Status', class: 'c-status' },
	{ key: 'vmid', label: 'ID', class: 'c-id' },
	{ key: 'name', label: 'Name', class: 'c-name' },
	{ key: 'node', label: 'Node', class: 'c-node' },
	{ key: 'cpu', label: 'CPU', class: 'c-cpu' },
	{ key: 'mem', label: 'Memory', class: 'c-mem' },
	{ key: 'net', label: 'Network', class: 'c-net' },
	{ key: 'uptime', label: 'Up', class: 'c-up' },
];

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

const rowId = (topic: string) => `row-${topic.replace(/[^\w-]/g, '_')}`;

/* ── one row ── */

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

function Measure({ value, label, class: cls, title }: { value: number | null; label: string; class: string; title: string }) {
	return (
		<span class={cls} role="gridcell" title={title}>
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

function Row({ topic, index, at }: { topic: string; index: number; at: number }) {
	const g = doc<GuestState>(topic).value;
	if (!g) return null;
	const look = guestLook(g, topic);
	const live = look.tone !== 'stale';
	const on = g.status === 'running' || g.status === 'paused';
	const mem = on ? share(g.mem, g.maxmem) : null;
	const chosen = selected.value === topic;
	return (
		<div
			role="row"
			id={rowId(topic)}
			data-topic={topic}
			aria-rowindex={index + 2}
			aria-selected={chosen}
			class={`row ${live ? '' : 'is-stale'} ${on ? '' : 'is-off'} ${chosen ? 'is-chosen' : ''} ${cursor.value === topic ? 'is-cursor' : ''} ${index % 2 ? 'odd' : ''}`}
			style={{ transform: `translateY(${at}px)` }}
		>
			<span class="c-status" role="gridcell"><Status icon={look.icon} tone={look.tone} title={look.title}>{look.text}</Status></span>
			<span class="c-id" role="gridcell">{g.vmid}</span>
			<span class="c-name" role="gridcell">
				<span class="kind">{g.type === 'qemu' ? 'vm' : 'ct'}</span>
				<span class="guest-name">{g.name ?? `guest ${g.vmid}`}</span>
				{g.lock && <span class="locked" title={`locked: ${g.lock}`}><Icon name="lock" />{g.lock}</span>}
				<Tags tags={g.tags} />
			</span>
			<span class="c-node" role="gridcell">{g.node}</span>
			<Measure class="c-cpu" label="CPU" value={on ? g.cpu : null} title={`of ${g.maxcpu ?? DASH} cores`} />
			<Measure class="c-mem" label="Memory" value={mem} title={`${bytes(on ? g.mem : null)} of ${bytes(g.maxmem)}`} />
			<Network g={g} on={on} />
			<span class="c-up" role="gridcell">{on ? duration(uptimeMs(g.boot_ms, slowWall.value)) : DASH}</span>
		</div>
	);
}

/* ── the grid ── */

const scrollTop = signal(0);
const viewHeight = signal(600);
const narrow = signal(false);
const rowHeight = () => (narrow.value ? ROW_NARROW : ROW_WIDE);

let scroller: HTMLElement | null = null;

/** Puts the cursor on a row and brings it into view. */
function moveTo(index: number): void {
	const list = rows.value;
	const topic = list[Math.max(0, Math.min(index, list.length - 1))];
	if (!topic) return;
	cursor.value = topic;
	if (scroller) scroller.scrollTop = scrollToRow(list.indexOf(topic), rowHeight(), scroller.scrollTop, viewHeight.value);
}

/** Moves the cursor by rows; from nowhere it starts at the first. */
export function moveCursor(by: number): void {
	const at = rows.value.indexOf(cursor.value || selected.value);
	moveTo(at < 0 ? 0 : at + by);
}

export function openCursor(): void {
	if (rows.value.includes(cursor.value)) selected.value = cursor.value;
}

export function focusGrid(): void {
	scroller?.focus();
}

const page = () => Math.max(1, Math.floor(viewHeight.value / rowHeight()) - 1);

const KEYS: Record<string, () => void> = {
	ArrowDown: () => moveCursor(1),
	ArrowUp: () => moveCursor(-1),
	PageDown: () => moveCursor(page()),
	PageUp: () => moveCursor(-page()),
	Home: () => moveTo(0),
	End: () => moveTo(rows.value.length - 1),
	Enter: openCursor,
	' ': openCursor,
};

function onKey(e: KeyboardEvent): void {
	/* Keys on a button of the head are the button's. */
	const action = e.ctrlKey || e.metaKey || e.altKey || e.target !== e.currentTarget ? undefined : KEYS[e.key];
	if (!action) return;
	e.preventDefault();
	action();
}

function onClick(e: MouseEvent): void {
	const row = (e.target as Element).closest<HTMLElement>('[data-topic]');
	if (!row?.dataset.topic) return;
	cursor.value = row.dataset.topic;
	selected.value = selected.value === row.dataset.topic ? '' : row.dataset.topic;
}

function HeadCell({ column }: { column: Column }) {
	const s = sort.value;
	const direction = s === column.key ? 'ascending' : s === `-${column.key}` ? 'descending' : 'none';
	return (
		<span role="columnheader" class={column.class} aria-sort={direction}>
			<button type="button" onClick={() => toggleSort(column.key)}>
				{column.label}
				{direction !== 'none' && <Icon name={direction === 'ascending' ? 'up' : 'down'} />}
			</button>
		</span>
	);
}

/** The sticky head covers the top of what scrolls. */
function measure(el: HTMLElement): void {
	narrow.value = el.clientWidth < NARROW_BELOW;
	viewHeight.value = el.clientHeight - (el.querySelector<HTMLElement>('.head')?.offsetHeight ?? 0);
}

function Body() {
	const list = rows.value;
	const h = rowHeight();
	/* Rounded to rows, so that a scroll redraws only when another row comes into view. */
	const win = rowWindow(list.length, h, scrollTop.value * h, viewHeight.value);
	return (
		<div
			role="rowgroup"
			class="rows"
			style={{ height: `${list.length * h}px` }}
			onClick={onClick}
			onPointerEnter={(e) => (hold.value = e.pointerType === 'mouse')}
			onPointerLeave={() => (hold.value = false)}
		>
			{list.slice(win.from, win.to).map((topic, i) => <Row key={topic} topic={topic} index={win.from + i} at={(win.from + i) * h} />)}
		</div>
	);
}

function Grid() {
	const ref = useRef<HTMLDivElement>(null);
	useLayoutEffect(() => {
		const el = ref.current!;
		scroller = el;
		measure(el);
		const watch = new ResizeObserver(() => measure(el));
		watch.observe(el);
		return () => {
			watch.disconnect();
			scroller = null;
		};
	}, []);
	const list = rows.value;
	return (
		<div
			ref={ref}
			role="grid"
			class={`grid ${narrow.value ? 'narrow' : ''}`}
			tabIndex={0}
			aria-label="Guests: arrows move, Enter opens"
			aria-rowcount={list.length + 1}
			aria-colcount={COLUMNS.length}
			aria-activedescendant={list.includes(cursor.value) ? rowId(cursor.value) : undefined}
			onScroll={(e) => (scrollTop.value = Math.floor(e.currentTarget.scrollTop / rowHeight()))}
			onKeyDown={onKey}
		>
			<div role="rowgroup" class="head-group">
				<div role="row" class="row head" aria-rowindex={1}>
					{COLUMNS.map((c) => <HeadCell key={c.key} column={c} />)}
				</div>
			</div>
			<Body />
		</div>
	);
}

/* ── search ── */

let box: HTMLInputElement | null = null;

/** False when the box is not shown. */
export function focusSearch(): boolean {
	box?.focus();
	box?.select();
	return document.activeElement === box;
}

function onSearchKey(e: KeyboardEvent): void {
	if (e.key === 'ArrowDown' || e.key === 'Enter') {
		e.preventDefault();
		focusGrid();
		moveTo(0);
	} else if (e.key === 'Escape') {
		e.stopPropagation();
		if (query.value) query.value = '';
		else focusGrid();
	}
}

function Search() {
	const ref = useRef<HTMLInputElement>(null);
	const errors = parsed.value.errors;
	useEffect(() => {
		box = ref.current;
	}, []);
	return (
		<div class={`search ${errors.length ? 'wrong' : ''}`}>
			<Icon name="search" />
			<input
				ref={ref}
				type="search"
				aria-label="Search guests"
				aria-describedby="search-note"
				aria-invalid={errors.length > 0}
				placeholder="cpu>80 node:pve -stopped"
				autocomplete="off"
				autocapitalize="off"
				spellcheck={false}
				value={query.value}
				onInput={(e) => (query.value = e.currentTarget.value)}
				onKeyDown={onSearchKey}
			/>
			<kbd aria-hidden="true">/</kbd>
			<span id="search-note" class="search-note" role="status">
				{errors.map((e) => `${e.term}: ${e.message}`).join(' · ')}
			</span>
		</div>
	);
}

function Count() {
	const found = rows.value.length;
	const all = allGuests.value.length;
	return <span role="status">{found === all ? `${all}` : `${found} of ${all}`}</span>;
}

function Nothing() {
	if (rows.value.length > 0) return null;
	if (allGuests.value.length === 0) return <Empty>No guest has been reported.</Empty>;
	return (
		<div class="empty">
			No guest matches.
			<button type="button" class="button" onClick={() => (query.value = '')}>Clear search</button>
		</div>
	);
}

function GuestsStale() {
	const topic = clusterTopic(cluster.value);
	const verdict = sourceFreshness('proxmox-poller', topic, 'resources').value;
	if (verdict === 'live' || !doc<ClusterState>(topic).value) return null;
	return <StaleTag verdict={verdict} age={sourceAgeMs(topic, 'resources').value} />;
}

export function GuestsPanel() {
	return (
		<Panel title="Guests" class="guests" tab="guests" meta={<><GuestsStale /><Count /><Search /></>}>
			<Grid />
			<Nothing />
		</Panel>
	);
}
