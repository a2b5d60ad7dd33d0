/* SPDX-License-Identifier: MIT */
/* The search over everything: one box, one list, all by keyboard. */
import { signal, untracked, useSignal } from '@preact/signals';
import { useMemo, useRef } from 'preact/hooks';
import { parseSearch } from '../lib/search.ts';
import { everything, find, VIEW_NAMES, type Item, type Kind } from '../store/everything.ts';
import { open, query, searchOpen, selected, show } from '../store/view.ts';
import { Overlay } from './Dialogs.tsx';
import { Icon, type IconName } from './Icon.tsx';

const KIND_ICON: Record<Kind, IconName> = {
	view: 'ring', node: 'server', guest: 'table', storage: 'disk', disk: 'disk', pool: 'disk', job: 'vault', task: 'task',
};

/** What was typed last stays for the next time, as a selection that typing replaces. */
const lastInput = signal('');

function go(item: Item): void {
	searchOpen.value = false;
	if (item.topic) open(item.topic);
	else if (item.view) show(item.view);
}

function filterGuests(input: string): void {
	searchOpen.value = false;
	query.value = input;
	selected.value = '';
	show('guests');
}

function Hit({ item, id, on, onPick }: { item: Item; id: string; on: boolean; onPick: () => void }) {
	return (
		<li id={id} role="option" aria-selected={on} class={`hit ${on ? 'on' : ''}`} onClick={onPick}>
			<Icon name={KIND_ICON[item.kind]} />
			<span class="hit-name">{item.label}</span>
			<span class="hit-detail">{item.detail}</span>
			<span class="hit-kind">{item.kind}</span>
		</li>
	);
}

function Box() {
	const all = useMemo(() => untracked(everything), []);
	const input = useSignal(lastInput.peek());
	const at = useSignal(0);
	const list = useRef<HTMLUListElement>(null);
	const parsed = parseSearch(input.value);
	const hits = untracked(() => find(all, parsed, input.value));
	const index = Math.min(at.value, Math.max(hits.length - 1, 0));
	const move = (to: number) => {
		at.value = Math.max(0, Math.min(to, hits.length - 1));
		requestAnimationFrame(() => list.current?.querySelector('.on')?.scrollIntoView({ block: 'nearest' }));
	};
	const keys: Record<string, () => void> = {
		ArrowDown: () => move(index + 1), ArrowUp: () => move(index - 1), PageDown: () => move(index + 8),
		PageUp: () => move(index - 8), Enter: () => hits[index] && go(hits[index]),
	};
	const onKey = (e: KeyboardEvent) => {
		if (e.key === 'Enter' && (e.ctrlKey || e.metaKey)) return filterGuests(input.value);
		const action = keys[e.key];
		if (!action) return;
		e.preventDefault();
		action();
	};
	const guests = hits.some((h) => h.kind === 'guest');
	return (
		<>
			<div class={`search ${parsed.errors.length ? 'wrong' : ''}`}>
				<Icon name="search" />
				<input
					data-autofocus
					{...{ type: 'search', role: 'combobox' } as { type: 'search' }}
					aria-label="Search everything"
					aria-expanded="true"
					aria-controls="hits"
					aria-activedescendant={hits.length ? `hit-${index}` : undefined}
					placeholder="name, 101, kind:disk, backup:none, temp>70"
					autocomplete="off"
					autocapitalize="off"
					spellcheck={false}
					value={input.value}
					onFocus={(e) => e.currentTarget.select()}
					onInput={(e) => {
						input.value = lastInput.value = e.currentTarget.value;
						at.value = 0;
					}}
					onKeyDown={onKey}
				/>
				<button type="button" class="icon-button" aria-label="Close the search" onClick={() => (searchOpen.value = false)}>
					<Icon name="close" />
				</button>
			</div>
			<p class="palette-note" role="status">
				{parsed.errors.length ? parsed.errors.map((e) => `${e.term}: ${e.message}`).join(' · ')
					: hits.length ? '' : 'Nothing matches.'}
			</p>
			<ul id="hits" role="listbox" aria-label="What was found" class="hits" ref={list}>
				{hits.map((item, i) => <Hit
					key={item.key}
					item={item}
					id={`hit-${i}`}
					on={i === index}
					onPick={() => go(item)}
				/>)}
			</ul>
			<div class="palette-foot">
				<span><kbd>↑</kbd> <kbd>↓</kbd> <kbd>Enter</kbd> <kbd>Esc</kbd></span>
				{input.value && guests && <button type="button" class="as-link" onClick={() => filterGuests(input.value)}>
					Show these in {VIEW_NAMES.guests}
				</button>}
			</div>
		</>
	);
}

export function Palette() {
	if (!searchOpen.value) return null;
	return (
		<Overlay title="Search everything" onClose={() => (searchOpen.value = false)} class="palette">
			<Box />
		</Overlay>
	);
}
