/* SPDX-License-Identifier: MIT */
/* How an action goes on and how it ended, in a line: state, the last words of its log, how far, cancel. */
import type { ActionState, ActionStatus } from '../../generated/topics.ts';
import { duration, plural, visible } from '../../lib/format.ts';
import { percentOf } from '../../lib/power.ts';
import { mayAct } from '../../store/acting.ts';
import { serverOffset, tick } from '../../store/clock.ts';
import type { IconName } from '../Icon.tsx';
import { Bar, Status } from '../parts.tsx';
import { cancel, isOver, OUTCOME } from './calls.ts';
import { TaskLog } from './Log.tsx';
import { Tier } from './Tier.tsx';

const LOOK: Record<ActionStatus, [IconName, string, string]> = {
	waiting: ['clock', 'warn', 'waits for a person'],
	window: ['clock', 'warn', 'about to begin'],
	approved: ['running', 'info', 'approved, about to begin'],
	running: ['running', 'info', 'running'],
	verified: ['check', 'ok', 'verified'],
	still_failing: ['error', 'crit', 'still failing'],
	unknown: ['unknown', 'warn', 'unknown'],
	failed: ['offline', 'crit', 'failed'],
	denied: ['close', 'none', 'denied'],
	cancelled: ['close', 'none', 'cancelled'],
	expired: ['clock', 'none', 'expired'],
	refused: ['lock', 'crit', 'refused'],
};

/** Milliseconds left, by the gate's clock; null where nothing runs out. */
export function leftMs(a: { until_ms: number | null }): number | null {
	void tick.value;
	return a.until_ms === null ? null : Math.max(0, a.until_ms - (Date.now() + serverOffset.value));
}

export function ActionStatusText({ a }: { a: ActionState }) {
	const [icon, tone, text] = LOOK[a.status];
	return <Status icon={icon} tone={tone} title={OUTCOME[a.status]}>{text}</Status>;
}

function steps(a: ActionState): string {
	if (a.steps.length < 2) return '';
	const done = a.steps.filter((s) => s.status === 'verified').length;
	return `${done} of ${plural(a.steps.length, 'target')}`;
}

export function Line({ a, title }: { a: ActionState; title: string }) {
	const percent = a.status === 'running' ? percentOf(a.line) : null;
	const over = isOver(a.status);
	const left = a.status === 'window' ? leftMs(a) : null;
	const said = over ? a.summary : left !== null ? `begins in ${duration(left)}` : a.line;
	return (
		<div class="progress" data-action={a.id} data-status={a.status}>
			<Tier tier={a.tier} bare />
			<span class="progress-title">{title}</span>
			<ActionStatusText a={a} />
			{!over && mayAct.value && <button type="button" class="button small" aria-label={`Cancel: ${title}`} onClick={() => void cancel(a.id)}>
				Cancel
			</button>}
			{percent !== null && <Bar value={percent} label={title} />}
			{(said || steps(a)) && <p class="progress-line">{visible([steps(a), said].filter(Boolean).join(' · '))}</p>}
			<TaskLog a={a} />
		</div>
	);
}
