/* SPDX-License-Identifier: MIT */
/* Geometry of the cluster ring; angles in degrees, 0 at the top, clockwise. */

export interface Point {
	x: number;
	y: number;
}

export function polar(r: number, degrees: number): Point {
	const a = ((degrees - 90) * Math.PI) / 180;
	return { x: r * Math.cos(a), y: r * Math.sin(a) };
}

const n = (v: number) => v.toFixed(2);

export function arcPath(r: number, from: number, to: number): string {
	const a = polar(r, from);
	const b = polar(r, to);
	return `M${n(a.x)} ${n(a.y)}A${r} ${r} 0 ${to - from > 180 ? 1 : 0} 1 ${n(b.x)} ${n(b.y)}`;
}

export interface Segment {
	from: number;
	to: number;
	mid: number;
}

/** Odd counts are turned, so that no segment's middle is straight below, where its label has no room. */
function turn(count: number): number {
	return count % 2 === 1 ? 90 / count : 0;
}

/** Cuts the circle into equal segments with gaps between, clockwise from the top. */
export function segments(count: number, gap: number): Segment[] {
	const size = 360 / Math.max(count, 1);
	const space = count < 2 ? 0.01 : Math.min(gap, size / 3);
	return Array.from({ length: count }, (_, i) => {
		const from = turn(count) + i * size + space / 2;
		const to = turn(count) + (i + 1) * size - space / 2;
		return { from, to, mid: (from + to) / 2 };
	});
}
