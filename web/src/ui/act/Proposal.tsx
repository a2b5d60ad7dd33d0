/* SPDX-License-Identifier: MIT */
/*
 * What a person approves: drawn from the very bytes that the approval is for, whose digest is checked here. Beside
 * them, marked as such, what the page knows now.
 */
import { useSignal } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import type { ActionShown, ActionState, GuestState, NodeState, StorageState } from '../../generated/topics.ts';
import { countdown, visible } from '../../lib/format.ts';
import { wordsOf } from '../../lib/power.ts';
import { sha256 } from '../../lib/sha256.ts';
import { autonomy, frozen, mayAct } from '../../store/acting.ts';
import { doc, match } from '../../store/docs.ts';
import { session } from '../../store/session.ts';
import { toast } from '../../store/toasts.ts';
import { GuestStatus } from '../GuestRow.tsx';
import { Icon } from '../Icon.tsx';
import { NODE_LOOK } from '../Nodes.tsx';
import { Link, Status, TopicStale } from '../parts.tsx';
import { StorageStatus } from '../Storage.tsx';
import { actionTitle, askerOf, decide, messageOf, nameOf, takeBack, topicOf } from './calls.ts';
import { leftMs } from './Progress.tsx';
import { Tier } from './Tier.tsx';

/** The bytes that are approved, when they are what the digest says. */
export function shownOf(a: ActionState): ActionShown | null {
	if (!a.shown || !a.digest || sha256(a.shown) !== a.digest) return null;
	try {
		const shown = JSON.parse(a.shown) as ActionShown;
		return shown.id === a.id && Array.isArray(shown.steps) ? shown : null;
	} catch {
		return null;
	}
}

/** An object as it stands now: status and node. */
export function Now({ topic, link }: { topic: string; link?: boolean }) {
	const kind = match(topic)?.id;
	const g = kind === 'GUEST_STATE' ? doc<GuestState>(topic).value : null;
	const n = kind === 'NODE_STATE' ? doc<NodeState>(topic).value : null;
	const s = kind === 'STORAGE_STATE' ? doc<StorageState>(topic).value : null;
	const name = <>{nameOf(topic)}{g && <span class="kind"> {g.type === 'qemu' ? 'vm' : 'ct'} {g.vmid}</span>}</>;
	return (
		<li class="now">
			<span class="now-name">{link ? <Link to={topic}>{name}</Link> : name}</span>
			{g && <><span class="dim">on {g.node}</span><GuestStatus g={g} topic={topic} /></>}
			{n && <><Status icon={NODE_LOOK[n.status][0]} tone={NODE_LOOK[n.status][1]}>{n.status}</Status><TopicStale topic={topic} /></>}
			{s && <><span class="dim">{s.shared ? 'shared' : `of ${s.node}`}</span><StorageStatus s={s} topic={topic} /></>}
			{!g && !n && !s && <span class="dim">not known to this page</span>}
		</li>
	);
}

const HIDDEN = new Set(['guest', 'node', 'cluster', 'storage']);
const plain = (v: unknown) => (typeof v === 'string' ? v : JSON.stringify(v));

function Step({ step, link }: { step: ActionShown['steps'][number]; link: boolean }) {
	const topic = topicOf(step.object);
	const args = Object.entries((step.args ?? {}) as Record<string, unknown>);
	const more = args.filter(([k]) => topic ? !HIDDEN.has(k) : k !== 'cluster');
	return (
		<>
			{topic ? <Now topic={topic} link={link} /> : step.object && <li class="now"><span class="now-name">{step.object.replaceAll('/', ' ')}</span></li>}
			{more.map(([k, v]) => <li key={k} class="now-arg"><span class="dim">{k.replaceAll('_', ' ')}</span> <code>{plain(v)}</code></li>)}
		</>
	);
}

export const Facts = ({ facts }: { facts: readonly string[] }) => facts.length === 0 ? null : (
	<ul class="acts-facts">
		{facts.map((f) => {
			const warns = /^WARNING|locked|protected|tier higher|at once/i.test(f);
			return <li key={f} class={warns ? 'warns' : ''}><Icon name={warns ? 'error' : 'next'} /><span>{f}</span></li>;
		})}
	</ul>
);

export const Verify = ({ text }: { text: string }) => <p class="verify"><Icon name="check" /> <span>Checked afterwards: {text}.</span></p>;

function Left({ a }: { a: ActionState }) {
	const left = leftMs(a);
	if (left === null) return null;
	return <span class={`acts-left ${left < 30_000 ? 'soon' : ''}`}><Icon name="clock" /> {countdown(left)} left</span>;
}

/** What the person must have, and has not. */
export function lacks(need: ActionState['need']): string | null {
	const user = session.value?.user ?? '';
	if (need === 'code' && !autonomy.value?.codes.includes(user)) return 'one-time code';
	if (need === 'keyword' && ![...autonomy.value?.keywords ?? [], ...autonomy.value?.codes ?? []].includes(user)) return 'keyword';
	return null;
}

export function Enrol({ what }: { what: string }) {
	return (
		<p class="hint">
			No {what} is enrolled for you. On Jarvis’s host: <code class="secret">jarvisctl person enrol {session.value?.user}</code>
		</p>
	);
}

/** The field for a keyword or a code. Enter in a code's field goes on to the button, and presses nothing. */
export function Proof({ need, autofocus, onEnter }: { need: 'keyword' | 'code'; autofocus?: boolean; onEnter?: () => void }) {
	const code = need === 'code';
	return (
		<label class="field proof">
			<span>{code ? 'One-time code' : 'Your keyword'}</span>
			{/* Another need is another field: nothing typed, and no rule, goes from one to the other. */}
			<input
				key={need} name="proof" required data-autofocus={autofocus ? '' : undefined} autocapitalize="off" spellcheck={false}
				{...(code ? { type: 'text', inputMode: 'numeric', autocomplete: 'one-time-code', maxLength: 8, pattern: '[0-9 ]*' } as object
					: { type: 'password', autocomplete: 'off', maxLength: 128 } as object)}
				onKeyDown={(e) => {
					if (e.key !== 'Enter' || (!code && !e.repeat)) return;
					e.preventDefault();
					onEnter?.();
				}}
			/>
		</label>
	);
}

/** The typed secret as the gateway wants it. */
export function proofOf(form: HTMLFormElement, need: 'keyword' | 'code'): { keyword: string } | { code: string } {
	const typed = String(new FormData(form).get('proof') ?? '');
	return need === 'code' ? { code: typed.replace(/\s/g, '') } : { keyword: typed };
}

interface DecideProps {
	a: ActionState;
	no: { label: string; what: 'deny' | 'cancel' };
	onDone?: ((approved: boolean) => void) | undefined;
	autofocus?: boolean;
	ok: boolean;
	said?: string | undefined;
}

function Decide({ a, no, onDone, autofocus, ok, said = '' }: DecideProps) {
	const busy = useSignal(false);
	const error = useSignal(said);
	const yes = useRef<HTMLButtonElement>(null);
	const lack = lacks(a.need);
	const run = async (approves: boolean, body: object) => {
		if (busy.value) return;
		busy.value = true;
		error.value = '';
		try {
			if (!approves && no.what === 'cancel') await takeBack(a.id);
			else await decide(a.id, approves ? 'approve' : no.what, body);
			onDone?.(approves);
		} catch (e) {
			error.value = messageOf(e);
			if (!approves) toast('crit', 'Not decided', error.value);
		}
		busy.value = false;
	};
	const submit = (e: SubmitEvent) => {
		e.preventDefault();
		const form = e.currentTarget as HTMLFormElement;
		const proof = a.need === 'nothing' ? {} : proofOf(form, a.need);
		void run(true, { digest: a.digest, ...proof }).then(() => {
			const input = form.querySelector('input');
			if (!input || !error.value) return;
			input.value = '';
			input.focus();
		});
	};
	const why = !ok ? 'What is shown is not what would be approved.' : frozen.value ? 'Jarvis is frozen: unfreeze it first.' : null;
	return (
		<form class="decide" onSubmit={submit} autocomplete="off">
			{lack ? <Enrol what={lack} /> : a.need !== 'nothing' && <Proof need={a.need} autofocus={autofocus ?? false} onEnter={() => yes.current?.focus()} />}
			<p class="form-error" role="alert">{error.value || (ok ? '' : why)}</p>
			<div class="decide-row">
				<button type="button" class="button" disabled={busy.value} onClick={() => void run(false, a.digest ? { digest: a.digest } : {})}>{no.label}</button>
				<button ref={yes} type="submit" class={`button go-${a.tier}`} disabled={busy.value || !!lack || why !== null} title={why ?? undefined}>
					<Tier tier={a.tier} bare /> {no.what === 'cancel' ? `${wordsOf(a.tool).verb} now` : 'Approve'}
				</button>
			</div>
		</form>
	);
}

/** `mine`: of the person who just asked for it; else somebody asks this person. */
export function Proposal({ a, mine, said, onDone }: { a: ActionState; mine?: boolean; said?: string | undefined; onDone?: (approved: boolean) => void }) {
	const shown = useMemo(() => shownOf(a), [a.shown, a.digest]);
	const asker = askerOf({ ...(shown ?? a), runbook: a.runbook });
	const body = useRef<HTMLDivElement>(null);
	useEffect(() => {
		if (mine) (body.current?.querySelector<HTMLElement>('[data-autofocus]') ?? body.current)?.focus();
	}, [mine]);
	const view = shown ?? a;
	return (
		<div class="proposal" ref={body} tabIndex={mine ? -1 : undefined} data-action={a.id}>
			<div class="proposal-head">
				<Tier tier={view.tier} />
				{!mine && <h3>{actionTitle(view)}</h3>}
				<Left a={a} />
			</div>
			<p class="dim">{shown?.sentence}</p>
			{!mine && <p class="asker"><Icon name="user" /> <span><b>{asker.name}</b>, {asker.kind}, asks{view.reason ? ':' : '. No reason was given.'}</span></p>}
			{!mine && view.reason && <blockquote>{visible(view.reason)}</blockquote>}
			<ul class="plain nows" aria-label="What it acts on, as it stands now">{view.steps.map((s, i) => <Step key={i} step={s} link={!mine} />)}</ul>
			<Facts facts={view.facts} />
			<Verify text={shown?.verify ?? 'not known'} />
			<p class={`digest ${shown ? '' : 'bad'}`} title={a.digest ?? ''}>
				<Icon name={shown ? 'shield' : 'error'} />
				<span>{shown ? <>these very bytes are approved: <code>{a.digest!.slice(0, 12)}</code> checked</>
					: 'The digest does not fit what is shown: it must not be approved. Deny it, and look at the gateway.'}</span>
			</p>
			{mayAct.value
				? <Decide a={a} ok={!!shown} said={said} autofocus={!!mine} onDone={onDone} no={mine ? { label: 'Do nothing', what: 'cancel' } : { label: 'Deny', what: 'deny' }} />
				: <p class="power-why"><Icon name="lock" /> An operator decides about it.</p>}
		</div>
	);
}
