/* SPDX-License-Identifier: MIT */
/* Which rows of a long list are drawn. Rows have one height; short lists are drawn whole. */

export const VIRTUAL_FROM = 150;
const OVERSCAN = 6;

export interface RowWindow {
	from: number;
	to: number;
}

export function rowWindow(count: number, rowHeight: number, scrollTop: number, height: number): RowWindow {
	if (count <= VIRTUAL_FROM) return { from: 0, to: count };
	const first = Math.floor(scrollTop / rowHeight);
	const shown = Math.ceil(height / rowHeight);
	/* An even start keeps striped rows from changing their stripe, and redraws every second row only. */
	const from = Math.max(0, Math.min(first, count - shown) - OVERSCAN) & ~1;
	return { from, to: Math.min(count, first + shown + OVERSCAN) };
}

/** The scroll position that shows a row, or the present one when it is in view already. */
export function scrollToRow(index: number, rowHeight: number, scrollTop: number, height: number): number {
	const top = index * rowHeight;
	if (top < scrollTop) return top;
	return top + rowHeight > scrollTop + height ? top + rowHeight - height : scrollTop;
}
