/* SPDX-License-Identifier: MIT */
/* What can be done with a guest, a node, a snapshot, several guests: buttons and a menu, each with its tier. */
import { signal } from '@preact/signals';
import type { ComponentChildren, RefObject } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import type { GuestState, NodeState, StorageState, Task } from '../../generated/topics.ts';
import { BATCH_FREE, BATCH_MAX, guestTools, nodeTools, wordsOf } from '../../lib/power.ts';
import { mayAct, unready, type Wish } from '../../store/acting.ts';
import { taskTitle } from '../../store/activity.ts';
import { doc, match, peekDoc, word } from '../../store/docs.ts';
import { freshness } from '../../store/fresh.ts';
import { rows } from '../../store/guests.ts';
import { cursor } from '../../store/view.ts';
import { Cell, rowId } from '../Grid.tsx';
import { Icon } from '../Icon.tsx';
import { actionTitle, cancel, downloadHosts, nameOf, namesOf, needsForm, picked, running, tierOf, toolOf, wish } from './calls.ts';
import { fetches } from './fields.tsx';
import { Line } from './Progress.tsx';
import { Tier } from './Tier.tsx';

/** The tools that fit what a topic names now. */
function toolsFor(topic: string): string[] {
	const id = match(topic)?.id;
	if (id === 'GUEST_STATE') {
		const g = doc<GuestState>(topic).value;
		return g ? guestTools(g) : [];
	}
	const n = id === 'NODE_STATE' ? doc<NodeState>(topic).value : null;
	return n ? nodeTools(n) : [];
}

/** Why nothing can be done with it; null: something can. */
function blocked(topic: string): string | null {
	if (!mayAct.value) return 'Your role is viewer: you see everything and change nothing.';
	if (unready.value) return unready.value;
	if (freshness(topic).value !== 'live') return 'Its state is old, so nothing is done with it until it is known again.';
	return null;
}

const wishFor = (tool: string, objects: readonly string[], args = {}, more: Partial<Wish> = {}): Wish =>
	({ tool, cluster: word(objects[0] ?? '', 'cluster'), objects, args, ...more });

/** What is judged BLACK beforehand needs no click to be refused. */
const nobody = (w: Wish) => (tierOf(w.tool, w.objects) === 'black' ? 'Nobody may do this now: too much speaks against it (a lock, high availability, or too many at once).' : null);

/** Three dots say that something is asked before it is done. */
const verbOf = (w: Wish) => `${wordsOf(w.tool).verb}${tierOf(w.tool, w.objects) === 'yellow' && !needsForm(w) ? '' : '…'}`;

export function ToolButton({ tool, objects, args = {}, why, small, more }: {
	tool: string; objects: readonly string[]; args?: Record<string, unknown>; why: string | null; small?: boolean; more?: Partial<Wish>;
}) {
	const w = wishFor(tool, objects, args, more);
	const no = why ?? nobody(w);
	return (
		<button
			type="button"
			class={`button power-button ${small ? 'small' : ''}`}
			disabled={no !== null || !toolOf(tool)}
			title={no ?? toolOf(tool)?.description}
			/* A key that is held opens a dialog once, and presses nothing in it. */
			onKeyDown={(e) => e.repeat && e.preventDefault()}
			onClick={() => void wish(w)}
		>
			<Tier tier={tierOf(tool, objects)} />
			<span>{verbOf(w)}</span>
		</button>
	);
}

/** What Jarvis does with it at present. */
function Under({ topic }: { topic: string }) {
	const [, cluster, kind, name] = topic.split('/');
	const object = `${cluster}/${kind}/${name}`;
	const list = running().filter((a) => a.steps.some((s) => s.object === object));
	return <>{list.map((a) => <Line key={a.id} a={a} title={actionTitle(a)} />)}</>;
}

/** The buttons of a guest's or node's details. */
export function PowerBar({ topic }: { topic: string }) {
	const tools = toolsFor(topic);
	const why = blocked(topic);
	return (
		<section class="power" aria-label={`What can be done with ${nameOf(topic)}`}>
			{mayAct.value && <div class="power-row">
				{tools.map((t) => <ToolButton key={t} tool={t} objects={[topic]} why={why} />)}
				{tools.length === 0 && <span class="dim">Nothing can be done with it in this state.</span>}
			</div>}
			{why && <p class="power-why"><Icon name="lock" /> {why}</p>}
			<Under topic={topic} />
		</section>
	);
}

export function SnapshotTools({ topic, snapshot }: { topic: string; snapshot: string }) {
	if (!mayAct.value) return null;
	const why = blocked(topic);
	return (
		<span class="line-more power-row">
			<ToolButton small tool="snapshot_rollback" objects={[topic]} args={{ snapshot }} why={why} />
			<ToolButton small tool="snapshot_delete" objects={[topic]} args={{ snapshot }} why={why} />
		</span>
	);
}

/** What a storage can be sent from elsewhere. */
export function StorageTools({ topic }: { topic: string }) {
	const s = doc<StorageState>(topic).value;
	if (!mayAct.value || !s || fetches(s).length === 0) return null;
	const none = downloadHosts.value?.length === 0 ? 'Nothing may be downloaded: safety_gate.download_hosts in jarvis.yaml names no host.' : null;
	const down = s.status === 'available' ? null : 'The storage cannot be reached now.';
	const why = blocked(topic) ?? down ?? none;
	return (
		<section class="power" aria-label={`What can be done with ${s.storage}`}>
			<div class="power-row"><ToolButton tool="download_url" objects={[topic]} why={why} /></div>
			{why && <p class="power-why"><Icon name="lock" /> {why}</p>}
		</section>
	);
}

/** A task that runs can be stopped. */
export function TaskTools({ t, cluster }: { t: Task; cluster: string }) {
	if (!mayAct.value || t.status !== 'running') return null;
	return (
		<span class="task-why power-row">
			<ToolButton small tool="task_stop" objects={[]} args={{ upid: t.upid }} why={unready.value} more={{ cluster, about: taskTitle(t) }} />
		</span>
	);
}

/* ── rows ── */

function toggle(row: string): void {
	const next = new Set(picked.value);
	if (!next.delete(row)) next.add(row);
	picked.value = next;
	lastPicked = row;
}

let lastPicked = '';

/** All from the one selected last to this one, in the order of the table. */
function upTo(row: string): void {
	const list = rows.peek();
	const [a, b] = [list.indexOf(lastPicked || cursor.peek()), list.indexOf(row)];
	if (a < 0 || b < 0) return toggle(row);
	picked.value = new Set([...picked.value, ...list.slice(Math.min(a, b), Math.max(a, b) + 1)]);
	lastPicked = row;
}

/** How the table of guests is selected in; nothing for who may not act. */
export const picking = () => (mayAct.value ? { is: (row: string) => picked.value.has(row), toggle, upTo } : undefined);

export function RowTools({ topic }: { topic: string }) {
	if (!mayAct.value) return null;
	const name = nameOf(topic);
	return (
		<>
			<Cell name="pick">
				<label
					class="pick"
					onClick={(e) => {
						if (!e.shiftKey) return;
						e.preventDefault();
						upTo(topic);
					}}
				>
					<input
						type="checkbox" tabIndex={-1} checked={picked.value.has(topic)} aria-label={`Select ${name}`}
						onChange={() => toggle(topic)}
					/>
				</label>
			</Cell>
			<Cell name="act">
				<button
					type="button" class="icon-button" tabIndex={-1} aria-haspopup="menu" aria-label={`What can be done with ${name}`}
					onClick={(e) => openMenuAt(topic, e.currentTarget)}
				>
					<Icon name="more" />
				</button>
			</Cell>
		</>
	);
}

/* ── several ── */

const BATCH = ['guest_start', 'guest_resume', 'guest_shutdown', 'guest_reboot', 'guest_stop', 'backup_now'];

function BatchButton({ tool, all }: { tool: string; all: readonly string[] }) {
	const fit = all.filter((t) => toolsFor(t).includes(tool) && freshness(t).value === 'live');
	if (fit.length === 0) return null;
	const w = wishFor(tool, fit);
	const why = unready.value ?? (fit.length > BATCH_MAX ? `At most ${BATCH_MAX} at once.` : nobody(w));
	return (
		<button type="button" class="button power-button small" disabled={why !== null} title={why ?? `${namesOf(fit)}`}
			onKeyDown={(e) => e.repeat && e.preventDefault()} onClick={() => void wish(w)}>
			<Tier tier={tierOf(tool, fit)} />
			<span>{verbOf(w)}{fit.length < all.length ? ` (${fit.length} of ${all.length})` : ''}</span>
		</button>
	);
}

export function BatchBar() {
	/* What is not in the table any more is not selected any more. */
	const all = [...picked.value].filter((t) => doc(t).value !== null);
	if (all.length === 0 || !mayAct.value) return null;
	return (
		<div class="batch" role="toolbar" aria-label="With the selected guests">
			<b role="status">{all.length} selected</b>
			{BATCH.map((t) => <BatchButton key={t} tool={t} all={all} />)}
			<button type="button" class="button small" onClick={() => (picked.value = new Set())}>Clear</button>
			{unready.value ? <span class="power-why">{unready.value}</span>
				: all.length > BATCH_FREE && <span class="dim">More than {BATCH_FREE} at once are a tier higher.</span>}
		</div>
	);
}

/* ── the menu ── */

interface MenuAt {
	topic: string;
	x: number;
	y: number;
	from: HTMLElement | null;
}

const menu = signal<MenuAt | null>(null);

function openMenuAt(topic: string, from: HTMLElement | null): void {
	const box = from?.getBoundingClientRect();
	menu.value = { topic, x: box?.right ?? innerWidth / 2, y: box?.bottom ?? innerHeight / 3, from };
}

/** By the keyboard: of the row that the cursor is on, or of what is open. */
export function openMenu(topic: string): void {
	const kind = match(topic)?.id;
	if (kind !== 'GUEST_STATE' && kind !== 'NODE_STATE') return;
	const find = (id: string) => document.getElementById(id);
	const row = find(rowId('wide', topic)) ?? find(rowId('brief', topic));
	const button = document.querySelector<HTMLElement>('.power .power-button:not(:disabled)');
	if (!row && button) return button.focus();
	openMenuAt(topic, row?.querySelector<HTMLElement>('.c-act button') ?? row);
}

function close(back = true): void {
	const from = menu.value?.from;
	menu.value = null;
	if (back) (from?.closest<HTMLElement>('.grid') ?? from)?.focus({ preventScroll: true });
}

/** Keeps it in the window, and takes the focus itself: no item has it until an arrow is pressed. */
function usePlaced(ref: RefObject<HTMLDivElement | null>, at: MenuAt): void {
	useLayoutEffect(() => {
		const el = ref.current!;
		el.style.left = `${Math.max(8, Math.min(at.x - el.offsetWidth, innerWidth - el.offsetWidth - 8))}px`;
		el.style.top = `${Math.max(8, Math.min(at.y + 4, innerHeight - el.offsetHeight - 8))}px`;
		el.focus();
	}, [at]);
	useEffect(() => {
		const away = (e: Event) => ref.current?.contains(e.target as Node) || close(false);
		addEventListener('pointerdown', away, true);
		addEventListener('resize', away);
		return () => {
			removeEventListener('pointerdown', away, true);
			removeEventListener('resize', away);
		};
	}, []);
}

function Items({ topic, children }: { topic: string; children: ComponentChildren }) {
	const at = menu.value!;
	const ref = useRef<HTMLDivElement>(null);
	usePlaced(ref, at);
	const onKey = (e: KeyboardEvent) => {
		e.stopPropagation();
		const items = [...ref.current!.querySelectorAll<HTMLElement>('[role=menuitem]:not(:disabled)')];
		const index = items.indexOf(document.activeElement as HTMLElement);
		const go = (to: number) => items.at(to % items.length)?.focus();
		const keys: Record<string, () => void> = {
			ArrowDown: () => go(index + 1), ArrowUp: () => go(index < 0 ? -1 : index - 1), Home: () => go(0), End: () => go(-1),
			Escape: () => close(), Tab: () => close(),
		};
		const run = keys[e.key];
		if (!run && !((e.key === 'Enter' || e.key === ' ') && e.repeat)) return;
		e.preventDefault();
		run?.();
	};
	return (
		<section aria-label="Menu">
			<div ref={ref} class="menu" role="menu" tabIndex={-1} aria-label={`What can be done with ${nameOf(topic)}`} onKeyDown={onKey}>
				{children}
			</div>
		</section>
	);
}

export function Menu() {
	const at = menu.value;
	if (!at) return null;
	const why = blocked(at.topic);
	const g = peekDoc<GuestState>(at.topic);
	const tools = toolsFor(at.topic);
	const where = match(at.topic)?.id === 'GUEST_STATE' ? `${g?.status} on ${g?.node}` : g?.status;
	return (
		<Items key={at.topic} topic={at.topic}>
			<p class="menu-head" role="presentation"><b>{nameOf(at.topic)}</b> <span>{where}</span></p>
			{why && <p class="menu-why" role="presentation">{why}</p>}
			{mayAct.value && tools.map((t) => (
				<button
					key={t} type="button" role="menuitem" tabIndex={-1} disabled={why !== null || !toolOf(t) || nobody(wishFor(t, [at.topic])) !== null}
					onClick={() => (close(), void wish(wishFor(t, [at.topic])))}
				>
					<span>{verbOf(wishFor(t, [at.topic]))}</span><Tier tier={tierOf(t, [at.topic])} />
				</button>
			))}
			{tools.length === 0 && <p class="menu-why" role="presentation">Nothing can be done with it in this state.</p>}
		</Items>
	);
}

export { cancel };
