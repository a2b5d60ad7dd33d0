/* SPDX-License-Identifier: MIT */
/* What of the view lives in the address, so that a reload or a link shows the same. */

export interface ViewState {
	q: string;
	/** Column, with a minus for descending; empty for the natural order. */
	sort: string;
	/** Topic of what is open in the centre. */
	sel: string;
	view: string;
	cluster: string;
}

const KEYS: (keyof ViewState)[] = ['cluster', 'view', 'q', 'sort', 'sel'];

export function parseHash(hash: string): ViewState {
	const params = new URLSearchParams(hash.replace(/^#/, ''));
	const state: ViewState = { q: '', sort: '', sel: '', view: '', cluster: '' };
	for (const key of KEYS) state[key] = params.get(key) ?? '';
	return state;
}

export function formatHash(state: ViewState): string {
	const params = new URLSearchParams();
	for (const key of KEYS) if (state[key] !== '') params.set(key, state[key]);
	const text = params.toString();
	return text === '' ? '' : `#${text.replaceAll('%2F', '/').replaceAll('%3A', ':')}`;
}
