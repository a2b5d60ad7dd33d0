/* SPDX-License-Identifier: MIT */
/*
 * A table of rows of one height, keyed and patched in place; only the rows in view are drawn once there are many.
 * The keyboard moves a cursor that the grid names by aria-activedescendant. While the pointer is over the rows their
 * order stays. A column that is narrow folds a row to two lines, by the style sheet.
 */
import { useSignal, type Signal } from '@preact/signals';
import type { ComponentChildren, ComponentType } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { holdOrder } from '../lib/order.ts';
import { rowWindow, scrollToRow } from '../lib/window.ts';
import { toggleSort } from '../store/guests.ts';
import { cursor, selected, sort } from '../store/view.ts';
import { Icon } from './Icon.tsx';

const NARROW_BELOW = 560;

export interface Column {
	key: string;
	label: string;
	/** False: it cannot be sorted by. */
	sorts?: boolean;
}

export interface GridProps {
	name: string;
	label: string;
	columns: readonly Column[];
	rows: readonly string[];
	/** The cells of a row. */
	cells: ComponentType<{ row: string }>;
	/** Classes of a row beside its own. */
	marks?: (row: string) => string;
	open: (row: string) => void;
	/** Height of a row in pixels, and of one that has two lines. */
	high?: number;
	highNarrow?: number;
	/** Without a head, and not sorted. */
	bare?: boolean;
	/** The order by which it is sorted while none is chosen. */
	usual?: string;
	/** What `rows` stands for; another one is another list, whose order is not held. */
	stands?: string;
	/** Rows can be selected: by Space, by a click with Ctrl, and with Shift all between. */
	pick?: { is: (row: string) => boolean; toggle: (row: string) => void; upTo: (row: string) => void } | undefined;
}

interface Handle {
	el: HTMLElement;
	bare: boolean;
	move: (by: number) => void;
	first: () => void;
	open: () => void;
}

const grids = new Set<Handle>();

/** The grid that has the focus, else the one in the centre, else the list at the side. */
function activeGrid(): Handle | null {
	const shown = [...grids].filter((g) => g.el.offsetParent !== null);
	return shown.find((g) => g.el.contains(document.activeElement)) ?? shown.find((g) => !g.bare) ?? shown[0] ?? null;
}

export function moveCursor(by: number): void {
	const grid = activeGrid();
	grid?.el.focus({ preventScroll: true });
	grid?.move(by);
}

export const openCursor = () => activeGrid()?.open();
export const focusGrid = () => activeGrid()?.el.focus({ preventScroll: true });

/** On to the first row, as from a search box. */
export function enterGrid(): void {
	const grid = activeGrid();
	grid?.el.focus({ preventScroll: true });
	grid?.first();
}

export const rowId = (grid: string, row: string) => `${grid}-${row.replace(/[^\w-]/g, '_')}`;

function HeadCell({ column, usual }: { column: Column; usual: string }) {
	const s = sort.value || usual;
	const direction = s === column.key ? 'ascending' : s === `-${column.key}` ? 'descending' : 'none';
	if (column.sorts === false) return <span role="columnheader" class={`c-${column.key}`}>{column.label}</span>;
	return (
		<span role="columnheader" class={`c-${column.key}`} aria-sort={direction}>
			<button type="button" onClick={() => toggleSort(column.key)}>
				{column.label}
				{direction !== 'none' && <Icon name={direction === 'ascending' ? 'up' : 'down'} />}
			</button>
		</span>
	);
}

interface RowProps {
	grid: string;
	row: string;
	index: number;
	at: number;
	cells: ComponentType<{ row: string }>;
	marks: ((row: string) => string) | undefined;
	picked: boolean | undefined;
}

function Row({ grid, row, index, at, cells: Cells, marks, picked }: RowProps) {
	const chosen = picked ?? selected.value === row;
	const own = [marks?.(row), (chosen || selected.value === row) && 'is-chosen', cursor.value === row && 'is-cursor', index % 2 && 'odd'];
	return (
		<div
			role="row"
			id={rowId(grid, row)}
			data-topic={row}
			aria-rowindex={index + 2}
			aria-selected={chosen}
			class={['row', ...own].filter(Boolean).join(' ')}
			style={{ transform: `translateY(${at}px)` }}
		>
			<Cells row={row} />
		</div>
	);
}

/** The rows to show: those given, but in the order that they had while the pointer was on them. */
function useHeld(rows: readonly string[], stands: string, hold: Signal<boolean>): readonly string[] {
	const last = useRef<{ rows: readonly string[]; stands: string }>({ rows, stands });
	const held = hold.value && last.current.stands === stands;
	const shown = held ? holdOrder(last.current.rows, rows) : rows;
	last.current = { rows: shown, stands };
	return shown;
}

function keysOf(
	list: () => readonly string[], page: () => number, go: (index: number) => void, open: () => void, space: () => void,
) {
	const by = (n: number) => {
		const at = list().indexOf(cursor.peek() || selected.peek());
		go(at < 0 ? 0 : at + n);
	};
	const keys: Record<string, () => void> = {
		ArrowDown: () => by(1), ArrowUp: () => by(-1), PageDown: () => by(page()), PageUp: () => by(-page()),
		Home: () => go(0), End: () => go(list().length - 1), Enter: open, ' ': space,
	};
	return { by, keys };
}

export function Grid(props: GridProps) {
	const { name, label, columns, cells, marks, bare = false, high = 32, highNarrow = 58, usual = '' } = props;
	const ref = useRef<HTMLDivElement>(null);
	const top = useSignal(0);
	const height = useSignal(600);
	const narrow = useSignal(false);
	const hold = useSignal(false);
	const rows = useHeld(props.rows, `${props.stands ?? ''} ${sort.value}`, hold);
	const h = narrow.value && !bare ? highNarrow : high;
	const now = useRef({ rows, h, open: props.open });
	now.current = { rows, h, open: props.open };

	const go = (index: number) => {
		const { rows: list, h: size } = now.current;
		const row = list[Math.max(0, Math.min(index, list.length - 1))];
		const el = ref.current;
		if (!row || !el) return;
		cursor.value = row;
		el.scrollTop = scrollToRow(list.indexOf(row), size, el.scrollTop, height.peek());
	};
	const open = () => {
		if (now.current.rows.includes(cursor.peek())) now.current.open(cursor.peek());
	};
	const page = () => Math.max(1, Math.floor(height.peek() / now.current.h) - 1);
	const space = () => {
		if (props.pick && now.current.rows.includes(cursor.peek())) props.pick.toggle(cursor.peek());
		else open();
	};
	const { by, keys } = keysOf(() => now.current.rows, page, go, open, space);

	useLayoutEffect(() => {
		const el = ref.current!;
		const measure = () => {
			narrow.value = el.clientWidth < NARROW_BELOW;
			height.value = el.clientHeight - (el.querySelector<HTMLElement>('.head')?.offsetHeight ?? 0);
		};
		measure();
		const watch = new ResizeObserver(measure);
		watch.observe(el);
		const handle = { el, bare, move: by, first: () => go(0), open };
		grids.add(handle);
		return () => {
			watch.disconnect();
			grids.delete(handle);
		};
	}, []);

	const onKey = (e: KeyboardEvent) => {
		/* Keys on a button of the head are the button's. */
		const action = e.ctrlKey || e.metaKey || e.altKey || e.target !== e.currentTarget ? undefined : keys[e.key];
		if (!action) return;
		e.preventDefault();
		action();
	};
	const onClick = (e: MouseEvent) => {
		const row = (e.target as Element).closest<HTMLElement>('[data-topic]')?.dataset.topic;
		/* What a row has of its own to press is not the row. */
		if (!row || (e.target as Element).closest('button, label, input')) return;
		cursor.value = row;
		if (props.pick && e.shiftKey) props.pick.upTo(row);
		else if (props.pick && (e.ctrlKey || e.metaKey)) props.pick.toggle(row);
		else props.open(row);
	};
	/* Rounded to rows, so that a scroll redraws only when another row comes into view. */
	const win = rowWindow(rows.length, h, top.value * h, height.value);
	return (
		<div
			ref={ref}
			role="grid"
			class={`grid ${name} ${narrow.value && !bare ? 'narrow' : ''} ${bare ? 'bare' : ''} ${props.pick ? 'picks' : ''}`}
			aria-multiselectable={props.pick ? true : undefined}
			tabIndex={0}
			aria-label={`${label}: arrows move, Enter opens`}
			aria-rowcount={rows.length + 1}
			aria-colcount={columns.length}
			aria-activedescendant={rows.includes(cursor.value) ? rowId(name, cursor.value) : undefined}
			onScroll={(e) => (top.value = Math.floor(e.currentTarget.scrollTop / h))}
			onKeyDown={onKey}
		>
			<div role="rowgroup" class={`head-group ${bare ? 'sr' : ''}`}>
				<div role="row" class="row head" aria-rowindex={1}>
					{columns.map((c) => bare
						? <span key={c.key} role="columnheader">{c.label}</span>
						: <HeadCell key={c.key} column={c} usual={usual} />)}
				</div>
			</div>
			<div
				role="rowgroup"
				class="rows"
				style={{ height: `${rows.length * h}px` }}
				onClick={onClick}
				onPointerEnter={(e) => (hold.value = e.pointerType === 'mouse')}
				onPointerLeave={() => (hold.value = false)}
			>
				{rows.slice(win.from, win.to).map((row, i) => <Row
					key={row}
					grid={name}
					row={row}
					index={win.from + i}
					at={(win.from + i) * h}
					cells={cells}
					marks={marks}
					picked={props.pick?.is(row)}
				/>)}
			</div>
		</div>
	);
}

/** A cell; its class places it. */
export function Cell({
	name, title, class: cls = '', children,
}: { name: string; title?: string | undefined; class?: string; children: ComponentChildren }) {
	return <span role="gridcell" class={`c-${name} ${cls}`} title={title}>{children}</span>;
}
