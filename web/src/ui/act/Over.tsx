/* SPDX-License-Identifier: MIT */
/*
 * The dialogs of acting. A wish is judged first and asked for by its last button (Wishing.tsx); this shows what became
 * of it until it runs: what still waits, the ten seconds to change one's mind. Closing before takes it back.
 */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { ActionState, Tier as TierWord } from '../../generated/topics.ts';
import { wordsOf } from '../../lib/power.ts';
import { dialog } from '../../store/acting.ts';
import { toast } from '../../store/toasts.ts';
import { Overlay } from '../Dialogs.tsx';
import { aboutOf, actionOf, actionTitle, cancel, isOver, peekAction, takeBack, titleOf, underWay } from './calls.ts';
import { LevelDialog, UnfreezeDialog } from './Levels.tsx';
import { Menu } from './Power.tsx';
import { leftMs, Line } from './Progress.tsx';
import { Proposal } from './Proposal.tsx';
import { Objects, Wishing, type WishDialog } from './Wishing.tsx';

/** Closing takes back what still waits; what runs goes on. */
function leave(d: WishDialog): void {
	const status = d.id ? peekAction(d.id)?.status : undefined;
	if (d.id && (!status || status === 'waiting')) void takeBack(d.id);
	dialog.value = null;
}

/** The seconds in which it can still be called off, as a bar that shrinks. */
function Window({ a }: { a: ActionState }) {
	const left = leftMs(a) ?? 0;
	const stop = useRef<HTMLButtonElement>(null);
	useEffect(() => stop.current?.focus(), []);
	return (
		<div class="window">
			<p class="window-count" role="timer" aria-live="off"><b>{Math.ceil(left / 1000)}</b> s until it begins</p>
			<span class="bar window-bar"><span class="bar-fill" style={{ transform: `scaleX(${Math.min(1, left / 10_000).toFixed(2)})` }} /></span>
			<button ref={stop} type="button" class="button primary" onClick={() => void cancel(a.id)}>Cancel it</button>
		</div>
	);
}

function Asked({ d, id }: { d: WishDialog; id: string }) {
	const a = actionOf(id);
	const status = a?.status;
	const approved = useSignal(d.said === '');
	/* Some are over before they were seen to run. */
	const quick = approved.value && !!status && isOver(status) && status !== 'cancelled';
	const gone = status === 'running' || status === 'approved' || quick;
	useEffect(() => {
		if (!gone || dialog.peek() !== d) return;
		if (!quick) toast('info', `${wordsOf(d.wish.tool).doing} ${aboutOf(d.wish)}`, '', underWay(id));
		dialog.value = null;
	}, [gone]);
	/* Approved, and the page has not seen it yet. */
	if (!a || (a.status === 'waiting' && d.said === '')) return <p class="dim" role="status">One moment…</p>;
	if (a.status === 'waiting') return <Proposal a={a} mine said={d.said} onDone={(yes) => (yes ? (approved.value = true) : (dialog.value = null))} />;
	if (a.status === 'window') return <><Objects w={d.wish} /><Window a={a} /></>;
	return (
		<>
			<Line a={a} title={actionTitle(a)} />
			{isOver(a.status) && <div class="decide-row"><button type="button" class="button" onClick={() => (dialog.value = null)}>Close</button></div>}
		</>
	);
}

function Wish({ d }: { d: WishDialog }) {
	const judged = useSignal<TierWord | null>(null);
	const tier = (d.id ? actionOf(d.id)?.tier : null) ?? judged.value;
	return (
		<Overlay title={titleOf(d.wish)} onClose={() => leave(d)} class={`wish tier-${tier ?? ''}`}>
			{d.id ? <Asked d={d} id={d.id} /> : <Wishing d={d} head={(t) => (judged.value = t)} onClose={() => leave(d)} />}
		</Overlay>
	);
}

export function Over() {
	const d = dialog.value;
	return (
		<>
			<Menu />
			{d?.kind === 'wish' && <Wish d={d} />}
			{d?.kind === 'look' && d.draw(() => (dialog.value = null))}
			{d?.kind === 'level' && <LevelDialog />}
			{d?.kind === 'unfreeze' && <UnfreezeDialog />}
		</>
	);
}
