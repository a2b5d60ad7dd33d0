/* SPDX-License-Identifier: MIT */
/* The centre's frame for what is selected: a title, its state, two columns of parts, and the way back. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { match } from '../store/docs.ts';
import { VIEW_NAMES } from '../store/everything.ts';
import { loaded } from '../store/link.ts';
import { asked, selected, view } from '../store/view.ts';
import { focusGrid } from './Grid.tsx';
import { GuestDetail } from './GuestDetail.tsx';
import { Icon } from './Icon.tsx';
import { NodeDetail } from './NodeDetail.tsx';
import { Panel } from './parts.tsx';
import { StorageDetail } from './StorageDetail.tsx';

export function closeDetail(): void {
	selected.value = '';
	focusGrid();
}

interface FrameProps {
	title: string;
	state: ComponentChildren;
	/** What can be done with it. */
	tools?: ComponentChildren;
	left: ComponentChildren;
	right: ComponentChildren;
}

export function Frame({ title, state, tools, left, right }: FrameProps) {
	const close = useRef<HTMLButtonElement>(null);
	useEffect(() => {
		/* Not when the address opened it: nobody asked for the focus. */
		if (asked.peek()) close.current?.focus({ preventScroll: true });
	}, [title]);
	const button = (
		<button
			ref={close}
			type="button"
			class="icon-button"
			aria-label={`Close the details of ${title}`}
			title={`Back to ${VIEW_NAMES[view.value].toLowerCase()} (Esc)`}
			onClick={closeDetail}
		>
			<Icon name="close" />
		</button>
	);
	return (
		<Panel title={title} class="detail" meta={button} scrolls>
			<div class="detail-state">{state}</div>
			{tools}
			<div class="pair"><div>{left}</div><div>{right}</div></div>
		</Panel>
	);
}

function Gone() {
	return (
		<Panel title="Not there" class="detail">
			<div class="empty">
				{loaded.value ? 'What this address names is not there, or not any more.' : 'Waiting for data.'}
				<button type="button" class="button" onClick={closeDetail}>Back</button>
			</div>
		</Panel>
	);
}

export function Detail() {
	const topic = selected.value;
	const id = match(topic)?.id;
	if (id === 'GUEST_STATE') return <GuestDetail key={topic} topic={topic} gone={<Gone />} />;
	if (id === 'NODE_STATE') return <NodeDetail key={topic} topic={topic} gone={<Gone />} />;
	if (id === 'STORAGE_STATE') return <StorageDetail key={topic} topic={topic} gone={<Gone />} />;
	return <Gone />;
}
