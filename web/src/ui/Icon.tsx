/* SPDX-License-Identifier: MIT */
/* Own glyphs on a 16-unit grid. Every state has a shape of its own, so that colour is never the only sign. */

const LINES = {
	online: 'M8 2.500a5.500 5.500 0 1 0 0 11a5.500 5.500 0 1 0 0-11M8 6.500v3M6.500 8h3',
	offline: 'M3 3l10 10M13 3L3 13',
	unknown: 'M8 1.500L14.500 8L8 14.500L1.500 8ZM6.500 6.700c0-2 3-2 3-.2c0 1.200-1.500 1.200-1.500 2.300M8 10.800v.4',
	stale: 'M4 2h8M4 14h8M5 2c0 4 6 4 6 6s-6 2-6 6M11 2c0 4-6 4-6 6s6 2 6 6',
	error: 'M8 2L14.500 13.500h-13ZM8 6.500v3.500M8 11.800v.3',
	paused: 'M5.500 3v10M10.500 3v10',
	move: 'M2 8h11M9 4l4 4l-4 4',
	link: 'M6.500 9.500l3-3M7 4.500l1.500-1.500a3 3 0 0 1 4.500 4.500L11.500 9M9 11.500L7.500 13A3 3 0 0 1 3 8.500L4.500 7',
	task: 'M3 4h1M6.500 4H13M3 8h1M6.500 8H13M3 12h1M6.500 12H13',
	none: 'M6 8h4',
	search: 'M7 2.500a4.500 4.500 0 1 0 0 9a4.500 4.500 0 1 0 0-9M10.300 10.300L14 14',
	close: 'M3.500 3.500l9 9M12.500 3.500l-9 9',
	user: 'M8 2a3 3 0 1 0 0 6a3 3 0 1 0 0-6M2.500 14c.5-3 2.500-4.300 5.500-4.300s5 1.300 5.500 4.300',
	lock: 'M4 7h8v6.500H4ZM5.500 7V5a2.500 2.500 0 0 1 5 0v2',
	up: 'M4 10l4-4l4 4',
	down: 'M4 6l4 4l4-4',
	ring: 'M8 2a6 6 0 0 1 6 6M13.700 10A6 6 0 0 1 5.500 13.500M3.500 12A6 6 0 0 1 5.500 2.500M8 6a2 2 0 1 0 0 4a2 2 0 1 0 0-4',
	table: 'M2 3h12v10H2ZM2 6.500h12M2 9.800h12M6 6.500V13',
	disk: 'M2.500 4.500c0-3 11-3 11 0v7c0 3-11 3-11 0ZM2.500 4.500c0 3 11 3 11 0M2.500 8c0 3 11 3 11 0',
	pulse: 'M1.500 8h3l2-5l3 10l2-5h3',
	chip: 'M4 4h8v8H4ZM6.500 1.500V4M9.500 1.500V4M6.500 12v2.500M9.500 12v2.500M1.500 6.500H4M1.500 9.500H4M12 6.500h2.500M12 9.500h2.500',
	help: 'M5.500 6c0-3.300 5-3.300 5-.2c0 2-2.500 2-2.500 4M8 12.500v.4',
	check: 'M3 8.500l3.500 3.500L13 4.500',
} as const;

const SOLIDS = {
	running: 'M4 2.500L13 8L4 13.500Z',
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
