/* SPDX-License-Identifier: MIT */
/*
 * What is wished, before anything is asked for: the gate judges it in a dry run, again whenever a choice or the target
 * changes, and the page shows its verdict. Only the last button asks, and approves at once what is still judged the same.
 */
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import type { ActionVerdict, GuestState, NodeState, Tier as TierWord } from '../../generated/topics.ts';
import { BATCH_FREE, helpFor, sameJudgement, wordsOf } from '../../lib/power.ts';
import { dialog, frozen, unready, type Dialog, type Wish } from '../../store/acting.ts';
import { doc } from '../../store/docs.ts';
import { allGuests } from '../../store/guests.ts';
import { session } from '../../store/session.ts';
import { Icon } from '../Icon.tsx';
import { ask, decide, follow, formOf, judge, messageOf, needsForm, seen, takeBack, tierOfWish, toolOf } from './calls.ts';
import { argsOf, Fields } from './fields.tsx';
import { Enrol, Facts, lacks, Now, Proof, proofOf, shownOf, Verify } from './Proposal.tsx';
import { NEED_SAYS, Tier, TIER_MEANS } from './Tier.tsx';

export type WishDialog = Extract<Dialog, { kind: 'wish' }>;

export function Objects({ w }: { w: Wish }) {
	if (w.objects.length === 0) return null;
	return <ul class="plain nows" aria-label="What it acts on, as it stands now">{w.objects.map((t) => <Now key={t} topic={t} />)}</ul>;
}

/* ── the verdict ── */

interface Judged {
	key: string;
	verdict: ActionVerdict | null;
	error: string;
}

const CHANGING_MS = 250;

/** What a verdict depends on that the page sees change. */
function keyOf(w: Wish, round: number): string {
	const states = w.objects.map((t) => {
		const d = doc<Partial<GuestState>>(t).value;
		return `${d?.status} ${d?.node} ${d?.lock}`;
	});
	return JSON.stringify([w.tool, w.args, states, frozen.value, unready.value, round]);
}

/** The verdict on W as it stands; the last one while a new one is on its way. */
function useVerdict(w: Wish | null): { judged: Judged | null; fresh: boolean; again: () => void } {
	const judged = useSignal<Judged | null>(null);
	const round = useSignal(0);
	const key = w ? keyOf(w, round.value) : '';
	useEffect(() => {
		if (!w) return;
		let stale = false;
		const take = (verdict: ActionVerdict | null, error: string) => stale || (judged.value = { key, verdict, error });
		const run = () => void judge(w).then((v) => take(v, ''), (e: unknown) => take(null, messageOf(e)));
		const timer = setTimeout(run, judged.value ? CHANGING_MS : 0);
		return () => {
			stale = true;
			clearTimeout(timer);
		};
	}, [key]);
	return { judged: judged.value, fresh: !!w && judged.value?.key === key, again: () => void round.value++ };
}

/** Kindly, in place: what the gate says to it, and what would help. */
export function Refused({ v }: { v: Pick<ActionVerdict, 'tier' | 'rule' | 'reason' | 'decision'> }) {
	const help = helpFor(v.rule)?.replace('NAME', session.value?.user ?? 'NAME');
	return (
		<>
			<div class="refused" role="alert">
				<p class="wish-tier"><b>{v.decision === 'state' ? 'Not now' : 'Refused'}</b> {v.rule && <code>{v.rule}</code>}</p>
				<p>{v.reason}</p>
			</div>
			{help && <p class="help-line"><b>What would help:</b> {help}</p>}
		</>
	);
}

/* ── what can lose data ── */

const LOST: Readonly<Record<string, string>> = {
	guest_stop: 'The power is cut: what it had not written is lost, and its disks may need repair.',
	guest_reset: 'The reset button is pressed: what it had not written is lost.',
	snapshot_rollback: 'Everything that changed since the snapshot is lost for good.',
	snapshot_delete: 'There is no way back to this snapshot afterwards.',
	node_reboot: 'Everything that runs on the node is interrupted.',
	node_shutdown: 'Everything that runs on the node is switched off, and only somebody who can wake it brings it back.',
};

function runsOn(w: Wish): string[] {
	const node = doc<NodeState>(w.objects[0] ?? '').value?.node;
	if (!node || !w.tool.startsWith('node_')) return [];
	const on = allGuests.value.filter((x) => x.g.node === node && x.g.status === 'running').map((x) => x.g.name ?? String(x.g.vmid));
	return on.length ? [`Running there: ${on.slice(0, 8).join(', ')}${on.length > 8 ? ` and ${on.length - 8} more` : ''}`] : [];
}

const lossOf = (w: Wish) => (w.objects.length > 1 ? `${w.objects.length} at once, and whatever uses them: more than one service is interrupted.`
	: 'It was judged RED here: this can lose data.');

function Sure({ w, sure }: { w: Wish; sure: { value: boolean } }) {
	return (
		<>
			<div class="lost"><Icon name="error" /><p>{LOST[w.tool] ?? lossOf(w)}</p></div>
			<label class="check">
				<input type="checkbox" name="sure" checked={sure.value} onChange={(e) => (sure.value = e.currentTarget.checked)} />
				<span>I know what is lost, and want it.</span>
			</label>
		</>
	);
}

/* ── the dialog ── */

function Head({ w, tier, v }: { w: Wish; tier: TierWord | null; v: ActionVerdict | null }) {
	const says = v && (v.decision === 'ask' || v.decision === 'allow') ? NEED_SAYS[v.need] : !v && tier && TIER_MEANS[tier];
	return (
		<>
			<p class="wish-tier"><Tier tier={tier} /> <span class="dim">{says}</span></p>
			{w.says ? <p>{w.says}</p> : !(w.tool in LOST) && <p>{toolOf(w.tool)?.description}</p>}
			{w.objects.length > 1 && <p class="dim">
				One approval for all {w.objects.length}, one after the other; the first that fails stops the rest.
				{w.objects.length > BATCH_FREE && ` More than ${BATCH_FREE} at once are a tier higher.`}
			</p>}
		</>
	);
}

/** Asks for it, and approves it with what was typed if it is still what was shown. Closed meanwhile: takes it back. */
async function go(d: WishDialog, w: Wish, v: ActionVerdict, proof: object): Promise<void> {
	const answer = await ask(w, v.tier === 'red');
	const next = { kind: 'wish' as const, wish: w, id: answer.id };
	if (dialog.peek() !== d) return void (answer.status === 'waiting' && takeBack(answer.id));
	if (answer.status !== 'waiting') {
		dialog.value = null;
		return follow(w, answer);
	}
	const a = await seen(answer.id);
	if (dialog.peek() !== d) return void takeBack(answer.id);
	const shown = a && shownOf(a);
	if (!shown || !sameJudgement(v, shown, a.need)) {
		dialog.value = { ...next, said: 'It is judged otherwise than a moment ago: look again.' };
		return;
	}
	try {
		await decide(a.id, 'approve', { digest: a.digest, ...proof });
		dialog.value = { ...next, said: '' };
	} catch (e) {
		dialog.value = { ...next, said: messageOf(e) };
	}
}

function Buttons({ w, tier, yes, ready, onClose }: {
	w: Wish; tier: TierWord | null; yes: { current: HTMLButtonElement | null }; ready: boolean | null; onClose: () => void;
}) {
	return (
		<div class="decide-row">
			<button type="button" class="button" data-autofocus={tier === 'red' || ready === null ? '' : undefined} onClick={onClose}>
				{ready === null ? 'Close' : 'Do nothing'}
			</button>
			{ready !== null && <button ref={yes} type="submit" class={`button go-${tier}`} disabled={!ready} onKeyDown={(e) => e.repeat && e.preventDefault()}>
				<Tier tier={tier} bare /> {wordsOf(w.tool).verb}{tier === 'yellow' ? '' : ' now'}
			</button>}
		</div>
	);
}

/** The focus goes to what is asked for, unless somebody has moved it already. */
function useArrival(form: { current: HTMLFormElement | null }, what: string): void {
	useEffect(() => {
		const at = document.activeElement;
		const idle = !at?.closest('.dialog') || at.matches('.dialog, .dialog-head *');
		if (what && idle) form.current?.querySelector<HTMLElement>('[data-autofocus]:not(:disabled)')?.focus();
	}, [what]);
}

export function Wishing({ d, head, onClose }: { d: WishDialog; head: (tier: TierWord | null) => void; onClose: () => void }) {
	const root = useRef<HTMLDivElement>(null);
	const form = useRef<HTMLFormElement>(null);
	const yes = useRef<HTMLButtonElement>(null);
	const [args, sure, busy, error] = [useSignal<Record<string, unknown> | null>(null), useSignal(false), useSignal(false), useSignal('')];
	const asks = needsForm(d.wish);
	const w: Wish = asks ? { ...d.wish, args: { ...d.wish.args, ...args.value } } : d.wish;
	const { judged, fresh, again } = useVerdict(asks && !args.value ? null : w);
	const read = () => (args.value = asks ? argsOf(d.wish, root.current!) : null);
	useLayoutEffect(() => void read(), []);
	const v = judged?.verdict ?? null;
	const tier = v?.tier ?? tierOfWish(w);
	useEffect(() => head(tier), [tier]);
	useArrival(form, v ? `${v.decision} ${v.need}` : '');
	const no = v && (v.decision === 'refuse' || v.decision === 'state');
	const lack = v && !no ? lacks(v.need) : null;
	const red = tier === 'red' && !no;
	const submit = (e: SubmitEvent) => {
		e.preventDefault();
		if (busy.value || !v || !fresh || no || lack || (red && !sure.value)) return;
		busy.value = true;
		error.value = '';
		go(d, w, v, v.need === 'nothing' ? {} : proofOf(form.current!, v.need)).catch((e: unknown) => {
			error.value = messageOf(e);
			again();
		}).finally(() => (busy.value = false));
	};
	let more: ComponentChildren = null;
	if (no) more = <Refused v={v} />;
	else if (v) more = <>
		{red && <Sure w={w} sure={sure} />}
		{lack ? <Enrol what={lack} /> : v.need !== 'nothing' && <Proof need={v.need} autofocus={!asks && !red} onEnter={() => yes.current?.focus()} />}
	</>;
	return (
		<form
			ref={form} class="decide" onSubmit={submit} autocomplete="off" aria-busy={!fresh}
			/* What can lose data is never sent by Enter in a field. */
			onKeyDown={(e) => e.key === 'Enter' && red && (e.target as HTMLElement).tagName === 'INPUT' && (e.preventDefault(), yes.current?.focus())}
		>
			<Head w={w} tier={tier} v={v} />
			<Objects w={w} />
			<Arguments w={d.wish} />
			<div ref={root} onInput={read} onChange={read}>{asks && <Fields w={d.wish} />}</div>
			{v && <Facts facts={[...(no ? [] : v.facts), ...(no ? [] : runsOn(w))]} />}
			{v?.verify && !no && <Verify text={v.verify} />}
			{more}
			{!v && <p class="dim" role="status">{judged?.error ? '' : asks && !args.value ? 'The safety gate judges it as soon as all is filled in.' : 'The safety gate looks at it…'}</p>}
			<p class="form-error" role="alert">{error.value || judged?.error}</p>
			<Buttons
				w={w} tier={tier} yes={yes} onClose={onClose}
				ready={no && !asks ? null : fresh && !!v && !no && !lack && !busy.value && (!red || sure.value)}
			/>
		</form>
	);
}

/** What it is done with, where the page did not ask for it: a snapshot, a task. */
function Arguments({ w }: { w: Wish }) {
	const list = Object.entries(w.args).filter(([k]) => !formOf(w.tool).includes(k));
	return <ul class="plain">{list.map(([k, x]) => <li key={k} class="now-arg"><span class="dim">{k.replaceAll('_', ' ')}</span> <code>{String(x)}</code></li>)}</ul>;
}

