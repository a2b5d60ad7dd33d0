/* SPDX-License-Identifier: MIT */
/*
 * The guest table: a grid of rows of one height, keyed by topic and patched in place; only the rows in view are drawn
 * once there are many. The keyboard moves a cursor that the grid names by aria-activedescendant.
 */
import { signal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { ClusterState } from '../generated/topics.ts';
import { rowWindow, scrollToRow } from '../lib/window.ts';
import { clusterTopic, doc } from '../store/docs.ts';
import { sourceAgeMs, sourceFreshness } from '../store/fresh.ts';
import { allGuests, hold, rows, toggleSort } from '../store/guests.ts';
import { cluster, cursor, query, selected, sort } from '../store/view.ts';
import { Row, rowId } from './GuestRow.tsx';
import { Icon } from './Icon.tsx';
import { Empty, Panel, StaleTag } from './parts.tsx';
import { Search } from './Search.tsx';

const ROW_WIDE = 32;
const ROW_NARROW = 58;
const NARROW_BELOW = 560;

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
	if (scroller) scroller.scrollTop = scrollToRow(
		list.indexOf(topic), rowHeight(), scroller.scrollTop, viewHeight.value,
	);
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

function enterGrid(): void {
	focusGrid();
	moveTo(0);
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
			{list.slice(win.from, win.to).map((topic, i) => <Row
				key={topic}
				topic={topic}
				index={win.from + i}
				at={(win.from + i) * h}
			/>)}
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
		<Panel
			title="Guests"
			class="guests"
			tab="guests"
			meta={<><GuestsStale /><Count /><Search onEnter={enterGrid} onLeave={focusGrid} /></>}
		>
			<Grid />
			<Nothing />
		</Panel>
	);
}
