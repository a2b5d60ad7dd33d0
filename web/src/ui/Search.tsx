/* SPDX-License-Identifier: MIT */
/* The search box of the guest table; what it cannot read it says. */
import { useEffect, useRef } from 'preact/hooks';
import { parsed } from '../store/guests.ts';
import { query } from '../store/view.ts';
import { Icon } from './Icon.tsx';

interface SearchProps {
	/** On to the first row found. */
	onEnter: () => void;
	onLeave: () => void;
}

let box: HTMLInputElement | null = null;

/** False when the box is not shown. */
export function focusSearch(): boolean {
	box?.focus();
	box?.select();
	return document.activeElement === box;
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
	useEffect(() => {
		box = ref.current;
	}, []);
	return (
		<div class={`search ${errors.length ? 'wrong' : ''}`}>
			<Icon name="search" />
			<input
				ref={ref}
				type="search"
				aria-label="Search guests"
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
			<kbd aria-hidden="true">/</kbd>
			<span id="search-note" class="search-note" role="status">
				{errors.map((e) => `${e.term}: ${e.message}`).join(' · ')}
			</span>
		</div>
	);
}
