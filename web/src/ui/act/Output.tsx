/* SPDX-License-Identifier: MIT */
/* What a command on a node wrote. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { ActionAnswer, ActionState } from '../../generated/topics.ts';
import { plural, visible } from '../../lib/format.ts';
import { actionTitle, isOver, messageOf, resultOf, wasAskedHere } from './calls.ts';

/** Where there is no clipboard (plain HTTP from another machine) the text is selected instead. */
export function Copy({ text, of }: { text: () => string; of?: { current: HTMLElement | null } }) {
	const said = useSignal('');
	const copy = async () => {
		try {
			await navigator.clipboard.writeText(text());
			said.value = 'Copied';
		} catch {
			if (of?.current) getSelection()?.selectAllChildren(of.current);
			said.value = of?.current ? 'Selected: press Ctrl-C' : 'Not copied';
		}
		setTimeout(() => (said.value = ''), 3000);
	};
	return <button type="button" class="button small" onClick={() => void copy()}><span role="status">{said.value || 'Copy'}</span></button>;
}

/** What a command wrote: known to the page that asked for it, as long as that is there. */
export function Output({ a }: { a: ActionState }) {
	const [answer, error] = [useSignal<ActionAnswer | null>(null), useSignal('')];
	const here = a.tool === 'run_command' && wasAskedHere(a.id);
	useEffect(() => {
		if (!here || !isOver(a.status)) return;
		let stale = false;
		resultOf(a.id).then((x) => stale || (answer.value = x), (e: unknown) => stale || (error.value = messageOf(e)));
		return () => void (stale = true);
	}, [a.id, a.status]);
	if (a.tool !== 'run_command' || !isOver(a.status)) return null;
	if (!here) return <p class="note">What it wrote is shown where it was asked for.</p>;
	const { lines = [], left_off: left = 0 } = (answer.value?.content ?? {}) as { lines?: string[]; left_off?: number };
	const text = visible(lines.join('\n'));
	if (error.value) return <p class="form-error">{error.value}</p>;
	if (!answer.value) return <p class="note" role="status">One moment…</p>;
	if (!text) return <p class="note">{a.status === 'verified' || a.status === 'failed' ? 'It wrote nothing.' : 'What it wrote is not known.'}</p>;
	return (
		<>
			<div class="output-head"><span class="dim">{plural(lines.length, 'line')}</span><Copy text={() => text} /></div>
			{left > 0 && <p class="note">{plural(left, 'line')} after these were left off: it was too long.</p>}
			<pre class="notes output" role="log" aria-label={`What ${actionTitle(a)} wrote`} tabIndex={0}>{text}</pre>
		</>
	);
}
