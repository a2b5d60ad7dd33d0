/* SPDX-License-Identifier: MIT */
/* The filter box of the guest tables; what it cannot read it says. */
import { useLayoutEffect, useRef } from 'preact/hooks';
import { parsed } from '../store/guests.ts';
import { query } from '../store/view.ts';
import { Icon } from './Icon.tsx';

interface SearchProps {
	/** On to the first row found. */
	onEnter: () => void;
	onLeave: () => void;
}

let box: HTMLInputElement | null = null;
/** The box is wanted, but not there yet. */
let wanted = false;

/** Now, or as soon as the box is shown. */
export function focusSearch(): void {
	wanted = box === null;
	box?.focus();
	box?.select();
}

function onKey(e: KeyboardEvent, { onEnter, onLeave }: SearchProps): void {
	if (e.key === 'ArrowDown' || e.key === 'Enter') {
		e.preventDefault();
		onEnter();
	} else if (e.key === 'Escape') {
		e.stopPropagation();
		if (query.value) query.value = '';
		else onLeave();
	}
}

export function Search(props: SearchProps) {
	const ref = useRef<HTMLInputElement>(null);
	const errors = parsed.value.errors;
	useLayoutEffect(() => {
		const own = ref.current;
		box = own;
		if (wanted) focusSearch();
		return () => {
			if (box === own) box = null;
		};
	}, []);
	return (
		<div class={`search ${errors.length ? 'wrong' : ''}`}>
			<Icon name="search" />
			<input
				ref={ref}
				type="search"
				aria-label="Filter guests"
				aria-describedby="search-note"
				aria-invalid={errors.length > 0}
				placeholder="cpu>80 node:pve -stopped"
				autocomplete="off"
				autocapitalize="off"
				spellcheck={false}
				value={query.value}
				onInput={(e) => (query.value = e.currentTarget.value)}
				onKeyDown={(e) => onKey(e, props)}
			/>
			<kbd aria-hidden="true">f</kbd>
			<span id="search-note" class="search-note" role="status">
				{errors.map((e) => `${e.term}: ${e.message}`).join(' · ')}
			</span>
		</div>
	);
}
