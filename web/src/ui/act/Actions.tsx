/* SPDX-License-Identifier: MIT */
/* What waits for a person, what runs, and how it ended. */
import { signal } from '@preact/signals';
import type { ActionState } from '../../generated/topics.ts';
import { dayTime, timeOrDay, visible } from '../../lib/format.ts';
import { actions, dialog, mayAct, unready, waiting } from '../../store/acting.ts';
import { slowWall } from '../../store/clock.ts';
import { session } from '../../store/session.ts';
import { show, view } from '../../store/view.ts';
import { Icon } from '../Icon.tsx';
import { Empty, Panel } from '../parts.tsx';
import { actionTitle, askerOf, isOver, running } from './calls.ts';
import { TaskLog } from './Log.tsx';
import { Output } from './Output.tsx';
import { ActionStatusText, Line } from './Progress.tsx';
import { Facts, Proposal } from './Proposal.tsx';
import { Tier } from './Tier.tsx';

/** What is asked in the open dialog does not wait beside it too. */
const cards = () => waiting.value.filter((a) => !(dialog.value?.kind === 'wish' && dialog.value.id === a.id));

function Cards() {
	return <>{cards().map((a) => <article key={a.id} class={`card tier-${a.tier}`} aria-label={`Waits: ${actionTitle(a)}`}><Proposal a={a} /></article>)}</>;
}

const Running = () => <>{running().map((a) => <Line key={a.id} a={a} title={actionTitle(a)} />)}</>;

/** In the right column, only when there is something. */
export function WaitingPanel() {
	const n = cards().length;
	const going = running().length;
	if ((n === 0 && going === 0) || view.value === 'actions') return null;
	return (
		<Panel title={n ? 'Waiting for you' : 'Under way'} class={`waiting-panel ${n ? 'warn' : ''}`} scrolls meta={String(n || going)}>
			<div aria-live="polite"><Cards /></div>
			<Running />
		</Panel>
	);
}

const GROUPS: readonly [key: string, label: string, test: (a: ActionState) => boolean][] = [
	['all', 'all', () => true],
	['open', 'open', (a) => !isOver(a.status)],
	['good', 'verified', (a) => a.status === 'verified'],
	['bad', 'went wrong', (a) => ['failed', 'still_failing', 'unknown', 'refused'].includes(a.status)],
	['not', 'not done', (a) => ['denied', 'cancelled', 'expired'].includes(a.status)],
	['agents', 'by agents', (a) => a.actor?.kind !== 'user'],
];

const group = signal('all');
const text = signal('');

const wordsIn = (a: ActionState) => `${actionTitle(a)} ${a.tool} ${a.tier} ${askerOf(a).name} ${a.status} ${a.summary ?? ''}`.toLowerCase();

function More({ a }: { a: ActionState }) {
	const asker = askerOf(a);
	return (
		<div class="history-more">
			<p>{asker.name}, {asker.kind}, asked {dayTime(a.created_ms)}{a.reason ? `: “${visible(a.reason)}”` : ''}</p>
			{a.verdict && <p><code>{a.rule}</code> {a.verdict}</p>}
			{a.approved_by && <p>Approved by {a.approved_by}.</p>}
			<Facts facts={a.facts} />
			<ul class="plain">
				{a.steps.map((s, i) => <li key={i}><b>{s.name ?? s.object ?? a.tool}</b> {s.status}{s.detail ? `: ${visible(s.detail)}` : ''}{s.upid && <code>{s.upid}</code>}</li>)}
			</ul>
			{a.line && <p class="progress-line">{visible(a.line)}</p>}
			<TaskLog a={a} />
			<Output a={a} />
			<p class="dim">{a.id}{a.ended_ms ? ` · ended ${dayTime(a.ended_ms)}` : ''}</p>
		</div>
	);
}

function HistoryRow({ a }: { a: ActionState }) {
	return (
		<details class="history-row" data-action={a.id} data-status={a.status}>
			<summary>
				<time>{timeOrDay(a.created_ms, slowWall.value).replace(/:\d\d$/, '')}</time>
				<Tier tier={a.tier} bare />
				<span class="history-title">{actionTitle(a)}</span>
				<span class="history-who">{askerOf(a).name}</span>
				<ActionStatusText a={a} />
				{a.summary && <span class="history-why">{visible(a.summary)}</span>}
			</summary>
			<More a={a} />
		</details>
	);
}

export function HistoryPanel() {
	const wanted = GROUPS.find(([k]) => k === group.value)?.[2] ?? (() => true);
	const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
	const list = actions.value.filter((a) => wanted(a) && words.every((w) => wordsIn(a).includes(w)));
	const audit = session.value?.role === 'operator' && <button type="button" class="as-link" onClick={() => show('audit')}>Audit</button>;
	return (
		<Panel title="Actions" label="Actions of the last day" class="history" on="activity actions" scrolls meta={<>{audit}<span>{list.length}</span></>}>
			<div class="chips" role="group" aria-label="Which actions">
				{GROUPS.map(([key, label, test]) => (
					<button key={key} type="button" class="chip" aria-pressed={group.value === key} onClick={() => (group.value = key)}>
						{label} <b>{actions.value.filter(test).length}</b>
					</button>
				))}
				<label class="search history-search"><Icon name="search" /><span class="sr">Filter the actions</span>
					<input type="search" value={text.value} placeholder="jellyfin failed" spellcheck={false} onInput={(e) => (text.value = e.currentTarget.value)} />
				</label>
			</div>
			{list.map((a) => <HistoryRow key={a.id} a={a} />)}
			{list.length === 0 && <Empty>{actions.value.length ? 'None fits.' : 'Nothing was done in the last day.'}</Empty>}
		</Panel>
	);
}

export function ActionsView() {
	const n = cards().length;
	const going = running().length;
	return (
		<>
			<Panel title="Waiting for you" class={`waiting-view ${n ? 'warn' : ''}`} on="actions" scrolls meta={n || null}>
				{unready.value && <p class="power-why"><Icon name="lock" /> {unready.value}</p>}
				{n === 0 && <p class="all-well"><Icon name="check" /> Nothing waits for {mayAct.value ? 'you' : 'an operator'}.</p>}
				<div class="cards"><Cards /></div>
				{going > 0 && <h3 class="going">Under way</h3>}
				<Running />
			</Panel>
			<HistoryPanel />
		</>
	);
}
