/* SPDX-License-Identifier: MIT */
/* Keys that work anywhere on the page, unless something is being typed. */
import { nextMode } from '../store/mode.ts';
import { loginState } from '../store/session.ts';
import {
	accountOpen, covered, cursor, helpOpen, query, searchOpen, selected, show, view, VIEWS, type View,
} from '../store/view.ts';
import { acting } from './Acting.tsx';
import { closeDetail } from './Detail.tsx';
import { moveCursor, openCursor } from './Grid.tsx';
import { focusSearch } from './Search.tsx';

/** The second key of a chord must follow the first within this time. */
const CHORD_MS = 1200;

function typing(target: EventTarget | null): boolean {
	if (!(target instanceof HTMLElement)) return false;
	return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}

function closeDialogs(): void {
	helpOpen.value = false;
	accountOpen.value = false;
	searchOpen.value = false;
}

function escape(): void {
	if (selected.value) closeDetail();
	else if (query.value) query.value = '';
	else if (view.value !== 'overview') show('overview');
}

function filter(): void {
	if (selected.value || (view.value !== 'guests' && view.value !== 'backups')) show('guests');
	focusSearch();
}

const KEYS: Record<string, () => void> = {
	'/': () => (searchOpen.value = true),
	f: filter,
	j: () => moveCursor(1),
	k: () => moveCursor(-1),
	m: nextMode,
	'?': () => (helpOpen.value = true),
	'.': () => acting.value?.openMenu(selected.value || cursor.value),
	Escape: escape,
	...Object.fromEntries(VIEWS.map((v, i) => [String(i + 1), () => show(v)])),
};

/** After g. */
const CHORDS: Record<string, View> = {
	o: 'overview', g: 'guests', s: 'storage', b: 'backups', h: 'hardware', a: 'activity', e: 'health', w: 'actions', u: 'audit',
};

/** Arrows and Enter belong to whatever has the focus; on the bare page they are the list's. */
const BARE: Record<string, () => void> = {
	ArrowDown: () => moveCursor(1),
	ArrowUp: () => moveCursor(-1),
	Enter: openCursor,
};

let chordUntil = 0;

function actionOf(key: string): (() => void) | undefined {
	const chord = performance.now() < chordUntil ? CHORDS[key] : undefined;
	chordUntil = 0;
	if (chord) return () => show(chord);
	if (key === 'g') {
		chordUntil = performance.now() + CHORD_MS;
		return () => undefined;
	}
	return KEYS[key] ?? (document.activeElement === document.body ? BARE[key] : undefined);
}

function onKey(e: KeyboardEvent): void {
	if (e.defaultPrevented || e.altKey || loginState.value === 'out') return;
	if ((e.ctrlKey || e.metaKey) && e.key.toLowerCase() === 'k') {
		e.preventDefault();
		closeDialogs();
		searchOpen.value = true;
		return;
	}
	if (e.ctrlKey || e.metaKey || typing(e.target)) return;
	if (covered.value) {
		if (e.key === 'Escape') closeDialogs();
		return;
	}
	const action = actionOf(e.key);
	if (!action) return;
	e.preventDefault();
	action();
}

export function startKeys(): void {
	addEventListener('keydown', onKey);
}
