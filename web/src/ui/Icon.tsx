/* SPDX-License-Identifier: MIT */
/* Own glyphs on a 16-unit grid. Every state has a shape of its own, so that colour is never the only sign. */

const LINES = {
	online: 'M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11M8 6.5v3M6.5 8h3',
	offline: 'M3 3l10 10M13 3L3 13',
	unknown: 'M8 1.5L14.5 8L8 14.5L1.5 8ZM6.5 6.7c0-2 3-2 3-.2c0 1.2-1.5 1.2-1.5 2.3M8 10.8v.4',
	stale: 'M4 2h8M4 14h8M5 2c0 4 6 4 6 6s-6 2-6 6M11 2c0 4-6 4-6 6s6 2 6 6',
	error: 'M8 2L14.5 13.5h-13ZM8 6.5v3.5M8 11.8v.3',
	paused: 'M5.5 3v10M10.5 3v10',
	move: 'M2 8h11M9 4l4 4l-4 4',
	link: 'M6.5 9.5l3-3M7 4.5l1.5-1.5a3 3 0 0 1 4.5 4.5L11.5 9M9 11.5L7.5 13A3 3 0 0 1 3 8.5L4.5 7',
	task: 'M3 4h1M6.5 4H13M3 8h1M6.5 8H13M3 12h1M6.5 12H13',
	none: 'M6 8h4',
	search: 'M7 2.5a4.5 4.5 0 1 0 0 9a4.5 4.5 0 1 0 0-9M10.3 10.3L14 14',
	close: 'M3.5 3.5l9 9M12.5 3.5l-9 9',
	user: 'M8 2a3 3 0 1 0 0 6a3 3 0 1 0 0-6M2.5 14c.5-3 2.5-4.3 5.5-4.3s5 1.3 5.5 4.3',
	lock: 'M4 7h8v6.5H4ZM5.5 7V5a2.5 2.5 0 0 1 5 0v2',
	key: 'M10.5 2a3.5 3.5 0 1 0 0 7a3.5 3.5 0 1 0 0-7M8 8L2.5 13.5M4.5 11.5l2 2',
	up: 'M4 10l4-4l4 4',
	down: 'M4 6l4 4l4-4',
	ring: 'M8 2a6 6 0 0 1 6 6M13.7 10A6 6 0 0 1 5.5 13.5M3.5 12A6 6 0 0 1 5.5 2.5M8 6a2 2 0 1 0 0 4a2 2 0 1 0 0-4',
	table: 'M2 3h12v10H2ZM2 6.5h12M2 9.8h12M6 6.5V13',
	disk: 'M2.5 4.5c0-3 11-3 11 0v7c0 3-11 3-11 0ZM2.5 4.5c0 3 11 3 11 0M2.5 8c0 3 11 3 11 0',
	pulse: 'M1.5 8h3l2-5l3 10l2-5h3',
	chip: 'M4 4h8v8H4ZM6.5 1.5V4M9.5 1.5V4M6.5 12v2.5M9.5 12v2.5M1.5 6.5H4M1.5 9.5H4M12 6.5h2.5M12 9.5h2.5',
	help: 'M5.5 6c0-3.3 5-3.3 5-.2c0 2-2.5 2-2.5 4M8 12.5v.4',
	check: 'M3 8.5l3.5 3.5L13 4.5',
	next: 'M6 4l4 4l-4 4',
	back: 'M10 4l-4 4l4 4',
	vault: 'M2.5 3.5h11V6h-11ZM3.5 6v7h9V6M6.5 8.8h3',
	heat: 'M6.5 9V3.2a1.5 1.5 0 0 1 3 0V9a3 3 0 1 1-3 0M8 6v5.5',
	shield: 'M8 1.8l5 2v4c0 3-2 5-5 6.4c-3-1.4-5-3.4-5-6.4v-4Z',
	mode: 'M8 2a6 6 0 1 0 0 12a6 6 0 1 0 0-12M8 2v12M10 3.5v9M12 5v6',
	clock: 'M8 2a6 6 0 1 0 0 12a6 6 0 1 0 0-12M8 4.8V8l2.4 1.6',
	server: 'M2.5 3h11v4h-11ZM2.5 9h11v4h-11ZM4.8 5h.4M4.8 11h.4',
	freeze: 'M8 1.5v13M2.4 4.75l11.2 6.5M13.6 4.75L2.4 11.25M6 2.2l2 1.6l2-1.6M6 13.8l2-1.6l2 1.6',
	act: 'M8.8 1.5L3.5 9H8L7.2 14.5L12.5 7H8Z',
	more: 'M3 7.5h1v1H3ZM7.5 7.5h1v1h-1ZM12 7.5h1v1h-1Z',
	asleep: 'M12.5 9.8A5 5 0 0 1 6.2 3.5a5 5 0 1 0 6.3 6.3',
} as const;

const SOLIDS = {
	running: 'M4 2.5L13 8L4 13.5Z',
	stopped: 'M4 4h8v8H4Z',
} as const;

export type IconName = keyof typeof LINES | keyof typeof SOLIDS;

export function Icon({ name, class: cls = '' }: { name: IconName; class?: string }) {
	const solid = name in SOLIDS;
	const d = solid ? SOLIDS[name as keyof typeof SOLIDS] : LINES[name as keyof typeof LINES];
	return (
		<svg class={`icon ${solid ? 'solid' : ''} ${cls}`} viewBox="0 0 16 16" aria-hidden="true">
			<path d={d} />
		</svg>
	);
}
