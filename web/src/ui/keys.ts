/* SPDX-License-Identifier: MIT */
/* Keys that work anywhere on the page, unless something is being typed. */
import { loginState } from '../store/session.ts';
import { accountOpen, helpOpen, query, selected, tab } from '../store/view.ts';
import { closeDetail } from './Detail.tsx';
import { focusGrid, moveCursor, openCursor } from './Guests.tsx';
import { focusSearch } from './Search.tsx';

function typing(target: EventTarget | null): boolean {
	if (!(target instanceof HTMLElement)) return false;
	return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}

function move(by: number): void {
	focusGrid();
	moveCursor(by);
}

function closeDialogs(): void {
	helpOpen.value = false;
	accountOpen.value = false;
}

function escape(): void {
	if (selected.value) closeDetail();
	else if (query.value) query.value = '';
}

const KEYS: Record<string, (e: KeyboardEvent) => void> = {
	'/': () => {
		tab.value = 'guests';
		/* On a phone the box is shown only with the next frame. */
		if (!focusSearch()) requestAnimationFrame(focusSearch);
	},
	j: () => move(1),
	k: () => move(-1),
	'?': () => {
		helpOpen.value = true;
	},
	Escape: escape,
};

/** Arrows and Enter belong to whatever has the focus; on the bare page they are the table's. */
const BARE: Record<string, () => void> = {
	ArrowDown: () => move(1),
	ArrowUp: () => move(-1),
	Enter: openCursor,
};

export function startKeys(): void {
	addEventListener('keydown', (e) => {
		if (e.defaultPrevented || e.ctrlKey || e.metaKey || e.altKey || typing(e.target)) return;
		if (loginState.value === 'out') return;
		if (helpOpen.value || accountOpen.value) {
			if (e.key === 'Escape') closeDialogs();
			return;
		}
		const bare = document.activeElement === document.body ? BARE[e.key] : undefined;
		const action = KEYS[e.key] ?? bare;
		if (!action) return;
		e.preventDefault();
		action(e);
	});
}
