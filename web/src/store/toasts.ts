/* SPDX-License-Identifier: MIT */
/* Short messages over the page. They go by themselves, a failure only after a while or when dismissed. */
import { signal } from '@preact/signals';
import { now, onTick } from './clock.ts';
import { onLeave } from './session.ts';

export interface Toast {
	id: number;
	tone: 'info' | 'ok' | 'crit';
	title: string;
	text: string;
	until: number;
	/** One thing that can be done about it. */
	act?: { label: string; run: () => void } | undefined;
	/** A later one of the same key takes its place. */
	key?: string | undefined;
}

const KEPT = 4;
const SHOWN_MS = { info: 5000, ok: 5000, crit: 20_000 };
let next = 1;
export const toasts = signal<readonly Toast[]>([]);
/** How many failures were pushed off the screen by later ones. */
export const unseen = signal(0);

export function toast(tone: Toast['tone'], title: string, text = '', more: Pick<Toast, 'act' | 'key'> = {}): void {
	const others = toasts.value.filter((t) => !more.key || t.key !== more.key);
	const all = [...others, { id: next++, tone, title, text, ...more, until: now() + SHOWN_MS[tone] }];
	unseen.value += all.slice(0, -KEPT).filter((t) => t.tone === 'crit').length;
	toasts.value = all.slice(-KEPT);
}

export function dismiss(id: number): void {
	keep((t) => t.id !== id);
}

function keep(which: (t: Toast) => boolean): void {
	toasts.value = toasts.value.filter(which);
	if (toasts.value.length === 0) unseen.value = 0;
}

export function startToasts(): void {
	onLeave(() => keep(() => false));
	onTick(() => {
		const t = now();
		if (toasts.value.some((x) => x.until <= t)) keep((x) => x.until > t);
	});
}
