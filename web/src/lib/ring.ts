/* SPDX-License-Identifier: MIT */
/* A fixed number of samples, newest last; NaN is a gap. Never grows, so that a page may stay open for months. */

export class Samples {
	readonly capacity: number;
	private readonly values: Float32Array;
	private next = 0;
	length = 0;

	constructor(capacity: number) {
		this.capacity = capacity;
		this.values = new Float32Array(capacity);
	}

	push(value: number | null): void {
		this.values[this.next] = value === null ? NaN : value;
		this.next = (this.next + 1) % this.capacity;
		this.length = Math.min(this.length + 1, this.capacity);
	}

	/** The i-th sample of those kept, oldest first; NaN for a gap. */
	at(i: number): number {
		return this.values[(this.next - this.length + i + this.capacity) % this.capacity] ?? NaN;
	}
}

const SCALES = [10, 25, 50, 100];

/** The smallest scale of percent that holds all samples with a little air. */
export function scaleOf(samples: Samples): number {
	let peak = 0;
	for (let i = 0; i < samples.length; i++) peak = Math.max(peak, samples.at(i) || 0);
	return SCALES.find((s) => s >= peak * 1.1) ?? 100;
}

/** The path of a line over the samples in a box; the newest sample is at the right edge, a gap lifts the pen. */
export function sparkPath(samples: Samples, width: number, height: number, max: number): string {
	const step = width / (samples.capacity - 1);
	let path = '';
	let pen = false;
	for (let i = 0; i < samples.length; i++) {
		const v = samples.at(i);
		if (Number.isNaN(v)) {
			pen = false;
			continue;
		}
		const x = (width - (samples.length - 1 - i) * step).toFixed(1);
		const y = (height - (Math.min(Math.max(v, 0), max) / max) * height).toFixed(1);
		path += `${pen ? 'L' : 'M'}${x} ${y}`;
		pen = true;
	}
	return path;
}

/** The same as closed areas down to the base line, one for each run without a gap. */
export function areaPath(samples: Samples, width: number, height: number, max: number): string {
	return sparkPath(samples, width, height, max)
		.split('M')
		.filter((run) => run !== '')
		.map((run) => {
			const first = run.split(/[ L]/)[0];
			const last = run.split('L').at(-1)!.split(' ')[0];
			return `M${first} ${height}L${run}L${last} ${height}Z`;
		})
		.join('');
}
