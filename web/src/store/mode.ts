/* SPDX-License-Identifier: MIT */
/* How the page looks: one of three modes, each a file of tokens in style/. The system's wish decides until a person does. */
import { effect, signal } from '@preact/signals';

export const MODES = ['hud', 'quiet', 'light'] as const;
export type Mode = (typeof MODES)[number];

export const MODE_NAMES: Record<Mode, string> = { hud: 'HUD', quiet: 'quiet', light: 'high contrast' };
const KEY = 'jarvis-mode';

function remembered(): Mode | null {
	try {
		const found = localStorage.getItem(KEY);
		return MODES.find((m) => m === found) ?? null;
	} catch {
		return null;
	}
}

const wants = (query: string) => matchMedia(query).matches;

function wished(): Mode {
	return wants('(prefers-contrast: more)') || wants('(prefers-color-scheme: light)') ? 'light' : 'hud';
}

export const mode = signal<Mode>(remembered() ?? wished());

export function chooseMode(m: Mode): void {
	mode.value = m;
	try {
		localStorage.setItem(KEY, m);
	} catch {
		/* A browser that keeps nothing forgets this too. */
	}
}

export function nextMode(): void {
	chooseMode(MODES[(MODES.indexOf(mode.value) + 1) % MODES.length]!);
}

export function startMode(): void {
	for (const q of ['(prefers-contrast: more)', '(prefers-color-scheme: light)'])
		matchMedia(q).addEventListener('change', () => {
			if (!remembered()) mode.value = wished();
		});
	effect(() => {
		document.documentElement.dataset.mode = mode.value;
		const ground = getComputedStyle(document.documentElement).getPropertyValue('--bg').trim();
		document.querySelector('meta[name=theme-color]')?.setAttribute('content', ground);
	});
}
