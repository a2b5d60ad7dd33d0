/* SPDX-License-Identifier: MIT */
/*
 * The dialogs of acting. A wish goes: choose what it needs · for what can lose data, say that one knows · the gate
 * judges, and the page shows what it said · keyword or code · for what can lose data, ten seconds to change one's mind.
 * Closing before the end takes the wish back.
 */
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { ActionState, GuestState, NodeState, StorageState, Tier as TierWord } from '../../generated/topics.ts';
import { bytes, plural } from '../../lib/format.ts';
import { BATCH_FREE, helpFor, TIERS, wordsOf } from '../../lib/power.ts';
import { dialog, type Dialog, type Refusal, type Wish } from '../../store/acting.ts';
import { doc, peekDoc, topicsOf } from '../../store/docs.ts';
import { allGuests } from '../../store/guests.ts';
import { toast } from '../../store/toasts.ts';
import { Overlay } from '../Dialogs.tsx';
import { Icon } from '../Icon.tsx';
import {
	aboutOf, actionOf, actionTitle, ask, askYellow, cancel, formOf, isOver, messageOf, needsForm, peekAction, refusalOf, takeBack, tierOf, titleOf, toolOf, underWay,
} from './calls.ts';
import { LevelDialog, UnfreezeDialog } from './Levels.tsx';
import { Menu } from './Power.tsx';
import { leftMs, Line } from './Progress.tsx';
import { Facts, Now, Proposal } from './Proposal.tsx';
import { Tier, TIER_MEANS } from './Tier.tsx';

type WishDialog = Extract<Dialog, { kind: 'wish' }>;

/** Closing takes back what still waits; what runs goes on. */
function leave(d: WishDialog): void {
	const status = d.id ? peekAction(d.id)?.status : undefined;
	if (d.id && (!status || status === 'waiting')) void takeBack(d.id);
	dialog.value = null;
}

function Objects({ w }: { w: Wish }) {
	return <ul class="plain nows" aria-label="What it acts on, as it stands now">{w.objects.map((t) => <Now key={t} topic={t} />)}</ul>;
}

function Head({ w, tier }: { w: Wish; tier: TierWord | null }) {
	const raised = tier && toolOf(w.tool) && TIERS.indexOf(tier) > TIERS.indexOf(toolOf(w.tool)!.tier);
	return (
		<>
			<p class="wish-tier"><Tier tier={tier} /> <span class="dim">{tier && TIER_MEANS[tier]}</span></p>
			{!LOST[w.tool] && <p>{toolOf(w.tool)?.description}</p>}
			{raised && w.objects.length > BATCH_FREE && <Facts facts={[`${w.objects.length} at once: this is a tier higher.`]} />}
		</>
	);
}

/* ── what must be chosen ── */

interface Option {
	value: string;
	label: string;
}

function storagesFor(w: Wish): Option[] {
	const nodes = new Set(w.objects.map((t) => peekDoc<GuestState>(t)?.node));
	return topicsOf('STORAGE_STATE', w.cluster).value.flatMap((t) => {
		const s = doc<StorageState>(t).value;
		const fits = s && s.status === 'available' && s.content.includes('backup') && (!s.node || (nodes.size === 1 && nodes.has(s.node)));
		const free = s && s.total !== null && s.used !== null ? `, ${bytes(s.total - s.used)} free` : '';
		return fits ? [{ value: s.storage, label: `${s.storage}${free}` }] : [];
	});
}

function nodesFor(w: Wish): Option[] {
	const from = peekDoc<GuestState>(w.objects[0] ?? '')?.node;
	return topicsOf('NODE_STATE', w.cluster).value.flatMap((t) => {
		const n = doc<NodeState>(t).value;
		const free = n && n.maxmem !== null && n.mem !== null ? `, ${bytes(n.maxmem - n.mem)} memory free` : '';
		return n && n.status === 'online' && n.node !== from ? [{ value: n.node, label: `${n.node}${free}` }] : [];
	});
}

const stamp = () => new Date().toISOString().slice(0, 16).replace(/[-:]/g, '').replace('T', '-');

function Choice({ name, w }: { name: string; w: Wish }) {
	if (name === 'snapshot') return (
		<label class="field">
			<span>Name of the snapshot</span>
			<input name="snapshot" data-autofocus required maxLength={40} pattern="[A-Za-z][A-Za-z0-9_\-]+" defaultValue={`jarvis-${stamp()}`} spellcheck={false} />
		</label>
	);
	const options = name === 'storage' ? storagesFor(w) : nodesFor(w);
	if (options.length === 0) return <p class="hint">{name === 'storage' ? 'No storage for backups can be reached from there.' : 'No other node is online.'}</p>;
	return (
		<fieldset class="choices">
			<legend>{name === 'storage' ? 'Where to' : 'To which node'}</legend>
			{options.map((o, i) => (
				<label key={o.value}>
					<input type="radio" name={name} value={o.value} defaultChecked={i === 0} data-autofocus={i === 0 ? '' : undefined} required />
					<span>{o.label}</span>
				</label>
			))}
		</fieldset>
	);
}

function Form({ d }: { d: WishDialog }) {
	const w = d.wish;
	const go = useRef<HTMLButtonElement>(null);
	const submit = (e: SubmitEvent) => {
		e.preventDefault();
		const data = new FormData(e.currentTarget as HTMLFormElement);
		const args: Record<string, unknown> = { ...w.args };
		for (const name of formOf(w.tool)) args[name] = String(data.get(name) ?? '');
		if (data.has('memory')) args.memory = true;
		if (data.has('local_disks')) args.local_disks = true;
		const next = { ...w, args };
		if (tierOf(w.tool, w.objects) === 'yellow') {
			dialog.value = null;
			void askYellow(next);
		} else dialog.value = { kind: 'wish', wish: next };
	};
	const running = w.objects.some((t) => peekDoc<GuestState>(t)?.status === 'running' && peekDoc<GuestState>(t)?.type === 'qemu');
	const box = (name: string, label: string) => (
		<label class="check"><input type="checkbox" name={name} /><span>{label}</span></label>
	);
	return (
		<form onSubmit={submit}>
			<Objects w={w} />
			{formOf(w.tool).map((name) => <Choice key={name} name={name} w={w} />)}
			{w.tool === 'guest_snapshot' && running && box('memory', 'with its memory')}
			{w.tool === 'guest_migrate' && box('local_disks', 'move disks on local storages too')}
			<div class="decide-row">
				<button type="button" class="button" onClick={() => leave(d)}>Do nothing</button>
				<button ref={go} type="submit" class="button"><Tier tier={tierOf(w.tool, w.objects)} bare /> {wordsOf(w.tool).verb}{tierOf(w.tool, w.objects) === 'yellow' ? '' : '…'}</button>
			</div>
		</form>
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
	const node = peekDoc<NodeState>(w.objects[0] ?? '')?.node;
	if (!node || !w.tool.startsWith('node_')) return [];
	const on = allGuests.value.filter((x) => x.g.node === node && x.g.status === 'running').map((x) => x.g.name ?? String(x.g.vmid));
	return [on.length ? `${plural(on.length, 'guest')} run on ${node}: ${on.slice(0, 8).join(', ')}${on.length > 8 ? ' …' : ''}` : `No guest runs on ${node}.`];
}

function Confirm({ d, why, onYes }: { d: WishDialog; why: string | null; onYes: () => void }) {
	const sure = useSignal(false);
	return (
		<>
			<Objects w={d.wish} />
			<div class="lost"><Icon name="error" /><p>{LOST[d.wish.tool] ?? why ?? 'This can lose data.'}</p></div>
			<Facts facts={[...runsOn(d.wish), ...'snapshot' in d.wish.args ? [`Snapshot: ${String(d.wish.args.snapshot)}`] : []]} />
			<label class="check">
				<input type="checkbox" name="sure" checked={sure.value} onChange={(e) => (sure.value = e.currentTarget.checked)} />
				<span>I know what is lost, and want it.</span>
			</label>
			<div class="decide-row">
				<button type="button" class="button" data-autofocus onClick={() => leave(d)}>Do nothing</button>
				<button type="button" class="button go-red" disabled={!sure.value} onKeyDown={(e) => e.repeat && e.preventDefault()} onClick={onYes}>
					<Tier tier="red" bare /> Go on…
				</button>
			</div>
		</>
	);
}

/* ── how it goes on ── */

function Refused({ r, onClose }: { r: Refusal; onClose: () => void }) {
	const help = helpFor(r.rule);
	return (
		<>
			<div class="refused" role="alert">
				<p class="wish-tier"><Tier tier={r.tier} /> <b>Refused</b> {r.rule && <code>{r.rule}</code>}</p>
				<p>{r.reason}</p>
			</div>
			{help && <p class="help-line"><b>What would help:</b> {help}</p>}
			<div class="decide-row"><button type="button" class="button" data-autofocus onClick={onClose}>Close</button></div>
		</>
	);
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

/** Asks the gate once, and keeps what it answered in the dialog. */
function Asking({ d, confirmed }: { d: WishDialog; confirmed: boolean }) {
	useEffect(() => {
		ask(d.wish, confirmed).then(
			(a) => {
				/* Closed meanwhile: nobody wants it any more. */
				if (dialog.peek() !== d) void takeBack(a.id);
				else dialog.value = { ...d, id: a.id };
			},
			(e: unknown) => {
				if (dialog.peek() !== d) return;
				const refusal = refusalOf(e) ?? { tier: null, rule: null, reason: messageOf(e) };
				dialog.value = { ...d, refusal };
			},
		);
	}, []);
	return <><Objects w={d.wish} /><p class="dim" role="status">The safety gate looks at it…</p></>;
}

function Asked({ d, id }: { d: WishDialog; id: string }) {
	const a = actionOf(id);
	const status = a?.status;
	const approved = useSignal(false);
	/* Some are over before they were seen to run. */
	const quick = approved.value && !!status && isOver(status) && status !== 'cancelled';
	const gone = status === 'running' || status === 'approved' || quick;
	useEffect(() => {
		if (!gone || dialog.peek() !== d) return;
		if (!quick) toast('info', `${wordsOf(d.wish.tool).doing} ${aboutOf(d.wish)}`, '', underWay(id));
		dialog.value = null;
	}, [gone]);
	if (!a) return <p class="dim" role="status">The safety gate looks at it…</p>;
	if (a.status === 'waiting') return <Proposal a={a} mine onDone={(yes) => (yes ? (approved.value = true) : (dialog.value = null))} />;
	if (a.status === 'window') return <><Objects w={d.wish} /><Window a={a} /></>;
	return (
		<>
			<Line a={a} title={actionTitle(a)} />
			{isOver(a.status) && <div class="decide-row"><button type="button" class="button" onClick={() => (dialog.value = null)}>Close</button></div>}
		</>
	);
}

function Wishing({ d }: { d: WishDialog }) {
	const confirmed = useSignal(false);
	const unconfirmed = d.refusal?.rule === 'unconfirmed';
	const judged = d.id ? actionOf(d.id)?.tier : undefined;
	const tier = judged ?? (unconfirmed ? 'red' : tierOf(d.wish.tool, d.wish.objects));
	const askAgain = () => {
		confirmed.value = true;
		dialog.value = { kind: 'wish', wish: d.wish };
	};
	let body: ComponentChildren;
	if (d.refusal && !unconfirmed) body = <Refused r={d.refusal} onClose={() => (dialog.value = null)} />;
	else if (d.id) body = <Asked d={d} id={d.id} />;
	else if (needsForm(d.wish)) body = <Form d={d} />;
	else if (tier === 'red' && !confirmed.value) body = <Confirm d={d} why={d.refusal?.reason ?? null} onYes={askAgain} />;
	else body = <Asking d={d} confirmed={confirmed.value} />;
	return (
		<Overlay title={titleOf(d.wish)} onClose={() => leave(d)} class={`wish tier-${tier ?? ''}`}>
			{!d.refusal && !d.id && <Head w={d.wish} tier={tier} />}
			{unconfirmed && <Facts facts={['The safety gate judged this RED here: it can lose data, and wants to be confirmed.']} />}
			{body}
		</Overlay>
	);
}

export function Over() {
	const d = dialog.value;
	return (
		<>
			<Menu />
			{d?.kind === 'wish' && <Wishing d={d} />}
			{d?.kind === 'level' && <LevelDialog />}
			{d?.kind === 'unfreeze' && <UnfreezeDialog />}
		</>
	);
}
