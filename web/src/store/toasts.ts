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
}

const KEPT = 4;
const SHOWN_MS = { info: 5000, ok: 5000, crit: 20_000 };
let next = 1;
export const toasts = signal<readonly Toast[]>([]);

export function toast(tone: Toast['tone'], title: string, text = ''): void {
	toasts.value = [...toasts.value, { id: next++, tone, title, text, until: now() + SHOWN_MS[tone] }].slice(-KEPT);
}

export function dismiss(id: number): void {
	toasts.value = toasts.value.filter((t) => t.id !== id);
}

export function startToasts(): void {
	onLeave(() => (toasts.value = []));
	onTick(() => {
		const t = now();
		if (toasts.value.some((x) => x.until <= t)) toasts.value = toasts.value.filter((x) => x.until > t);
	});
}
