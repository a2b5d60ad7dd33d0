/* SPDX-License-Identifier: MIT */
/* Values as people read them. What is unknown is a dash, never a zero. */

export const DASH = '—';

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

export function bytes(n: number | null | undefined): string {
	if (n === null || n === undefined || !Number.isFinite(n)) return DASH;
	let unit = 0;
	let value = n;
	while (Math.abs(value) >= 1024 && unit < UNITS.length - 1) {
		value /= 1024;
		unit++;
	}
	const digits = unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
	return `${value.toFixed(digits).replace(/\.0+$/, '')} ${UNITS[unit]}`;
}

const RATES = ['B', 'K', 'M', 'G'];

/** Short, for narrow columns: 1.2M, 340K. */
export function rate(n: number | null | undefined): string {
	if (n === null || n === undefined || !Number.isFinite(n)) return DASH;
	let unit = 0;
	let value = n;
	while (value >= 1000 && unit < RATES.length - 1) {
		value /= 1024;
		unit++;
	}
	return `${value.toFixed(unit === 0 || value >= 10 ? 0 : 1)}${RATES[unit]}`;
}

export function percent(n: number | null | undefined, digits = 0): string {
	return n === null || n === undefined || !Number.isFinite(n) ? DASH : `${n.toFixed(digits)}%`;
}

/** Share of a whole in percent; null when either is unknown or the whole is nothing. */
export function share(part: number | null | undefined, whole: number | null | undefined): number | null {
	if (part === null || part === undefined || !whole) return null;
	return (part / whole) * 100;
}

const STEPS: [number, string][] = [[86400, 'd'], [3600, 'h'], [60, 'm']];

/** A length of time in at most two steps: 12d 4h, 3h 12m, 8m, 42s. */
export function duration(ms: number | null | undefined): string {
	if (ms === null || ms === undefined || !Number.isFinite(ms)) return DASH;
	const s = Math.max(0, Math.floor(ms / 1000));
	for (let i = 0; i < STEPS.length; i++) {
		const [size, name] = STEPS[i]!;
		if (s < size) continue;
		const rest = STEPS[i + 1] ? Math.floor((s % size) / STEPS[i + 1]![0]) : 0;
		const whole = `${Math.floor(s / size)}${name}`;
		return rest > 0 ? `${whole} ${rest}${STEPS[i + 1]![1]}` : whole;
	}
	return `${s}s`;
}

export function clockTime(ms: number): string {
	const d = new Date(ms);
	return [d.getHours(), d.getMinutes(), d.getSeconds()].map((n) => String(n).padStart(2, '0')).join(':');
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** The time of what was today, the day of what was before. */
export function timeOrDay(ms: number, wall: number): string {
	const d = new Date(ms);
	if (d.toDateString() === new Date(wall).toDateString()) return clockTime(ms);
	return `${d.getDate()} ${MONTHS[d.getMonth()]}`;
}

/** How long ago, or how long until, as an age: 3d 4h; a dash for what never was. */
export function since(ms: number | null | undefined, wall: number): string {
	return ms === null || ms === undefined ? DASH : duration(wall - ms);
}

/** A day and its time: 20 Nov 02:30. */
export function dayTime(ms: number): string {
	const d = new Date(ms);
	return `${d.getDate()} ${MONTHS[d.getMonth()]} ${clockTime(ms).slice(0, 5)}`;
}

export function celsius(n: number | null | undefined): string {
	return n === null || n === undefined || !Number.isFinite(n) ? DASH : `${Math.round(n)}°`;
}

export function decimal(n: number | null | undefined, digits = 2): string {
	return n === null || n === undefined || !Number.isFinite(n) ? DASH : n.toFixed(digits);
}

export function plural(n: number, one: string, many = `${one}s`): string {
	return `${n} ${n === 1 ? one : many}`;
}

/** Minutes and seconds that are left: "4:05". */
export function countdown(ms: number): string {
	const s = Math.ceil(Math.max(0, ms) / 1000);
	return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, '0')}`;
}

/** What does not show, or turns the text after it around, but for line ends and tabs; as utf8_is_hidden() of the services. */
const HIDDEN = /[\0-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ue000-\uf8ff\ufeff\ufff0-\ufffc\u{e0000}-\u{e0fff}\u{f0000}-\u{10ffff}]/gu;

/** Text that somebody else wrote, with all that is in it: a hidden character as \u{202e}. */
export function visible(text: string): string {
	return text.replace(HIDDEN, (c) => `\\u{${c.codePointAt(0)!.toString(16)}}`);
}
