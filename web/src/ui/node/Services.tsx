/* SPDX-License-Identifier: MIT */
/* The listed units of a node as they stand when somebody looks, what can be done with them, and their journals. */
import { useSignal, type Signal } from '@preact/signals';
import type { ComponentChildren, RefObject } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { NodeCatalogue, NodeState, Tier as TierWord, UnitListed } from '../../generated/topics.ts';
import { visible } from '../../lib/format.ts';
import { readHelp, unitFacts, unitLook, unitName, type UnitFields } from '../../lib/nodes.ts';
import { wordsOf } from '../../lib/power.ts';
import { dialog, mayAct, unready, type Wish } from '../../store/acting.ts';
import { slowWall } from '../../store/clock.ts';
import { doc, word } from '../../store/docs.ts';
import { freshness, ownerOnline } from '../../store/fresh.ts';
import { Icon } from '../Icon.tsx';
import { Empty, Part, Status, When } from '../parts.tsx';
import { actionTitle, messageOf, running, toolOf, wish } from '../act/calls.ts';
import { Commands } from './Commands.tsx';
import { Journal } from './Journal.tsx';
import { Line } from '../act/Progress.tsx';
import { catalogue, readUnit, unitSeen, watchUnit, type Place, type Seen } from './reads.ts';
import { Tier } from '../act/Tier.tsx';

/* ── looking ── */

/** True once it was on the screen: nobody is asked about what nobody looks at. */
export function useLooked(ref: RefObject<HTMLElement | null>): boolean {
	const looked = useSignal(false);
	useEffect(() => {
		if (looked.value || !ref.current) return;
		const seen = new IntersectionObserver((all) => all.some((e) => e.isIntersecting) && (looked.value = true));
		seen.observe(ref.current);
		return () => seen.disconnect();
	}, [looked.value]);
	return looked.value;
}

/** Why the node cannot be asked now; null: it can be tried. */
export function deaf(topic: string): string | null {
	const n = doc<NodeState>(topic).value;
	if (!ownerOnline('safety-gate').value) return 'The safety gate is offline, so nothing can be asked of the node.';
	if (!ownerOnline('executor').value) return 'The executor is offline, and only it reaches the node.';
	return n?.status === 'offline' && freshness(topic).value === 'live' ? 'The node is offline.' : null;
}

export const placeOf = (topic: string): Place => ({ cluster: word(topic, 'cluster'), node: word(topic, 'node') });

export const openJournal = (place: Place, unit: string) =>
	void (dialog.value = { kind: 'look', draw: (close) => <Journal key={unit} place={place} unit={unit} onClose={close} /> });

const JUST_NOW_MS = 15_000;

export const Ago = ({ ms }: { ms: number }) => (slowWall.value - ms < JUST_NOW_MS ? <>just now</> : <When ms={ms} />);

/** When something was read: it is not kept up to date. */
export function Looked({ at, busy }: { at: number | null; busy: boolean }) {
	if (busy) return <span class="looked">looking…</span>;
	return at === null ? null : <span class="looked">looked at <Ago ms={at} /></span>;
}

/** What the node said instead of an answer, and what would help. */
export function Unread({ error, children }: { error: string; children?: ComponentChildren }) {
	if (!error) return null;
	const help = readHelp(error);
	return (
		<div class="unread" role="alert">
			<p><Icon name="unknown" /> <span>{visible(error)}</span></p>
			{help && <p class="help-line"><b>What would help:</b> {help}</p>}
			{children}
		</div>
	);
}

export function Again({ label, busy, disabled, onClick }: { label: string; busy: boolean; disabled: boolean; onClick: () => void }) {
	return (
		<button type="button" class="button small" aria-label={label} aria-busy={busy} disabled={busy || disabled} onClick={onClick}>
			Look again
		</button>
	);
}

/** What asks for something on the node, with what it costs at least. */
export function HandButton({ w, why, label }: { w: Wish; why: string | null; label: string }) {
	const tier = w.tier as TierWord;
	return (
		<button
			type="button" class="button power-button small" disabled={why !== null || !toolOf(w.tool)} title={why ?? toolOf(w.tool)?.description}
			aria-label={`${tier.toUpperCase()} ${label}`} onKeyDown={(e) => e.repeat && e.preventDefault()} onClick={() => void wish(w)}
		>
			<Tier tier={tier} bare /><span>{wordsOf(w.tool).verb}{tier === 'yellow' && !w.params?.length ? '' : '…'}</span>
		</button>
	);
}

/* ── a unit ── */

function State({ seen }: { seen: Seen<UnitFields> }) {
	if (seen.error) return <span class="unit-state"><Status icon="unknown" tone="warn" title={visible(seen.error)}>unknown</Status></span>;
	if (!seen.value) return <span class="unit-state dim">{seen.busy ? 'looking…' : 'not looked at'}</span>;
	const { icon, tone, text } = unitLook(seen.value);
	return <span class="unit-state"><Status icon={icon} tone={tone}>{text}</Status></span>;
}

function Before({ seen }: { seen: Seen<UnitFields> }) {
	if (!seen.value || !seen.error) return null;
	return <p class="line-more">It was {unitLook(seen.value).text} <When ms={seen.at} />.</p>;
}

/** What Jarvis does with it at present. */
function Under({ place, unit }: { place: Place; unit: string }) {
	const object = `${place.cluster}/node/${place.node}`;
	const list = running().filter((a) => a.steps.some((s) => s.object === object && (s.args as { unit?: string } | null)?.unit === unit));
	return <>{list.map((a) => <div key={a.id} class="line-more"><Line a={a} title={actionTitle(a)} /></div>)}</>;
}

function Unit({ topic, u, open, asks, told }: { topic: string; u: UnitListed; open: (unit: string) => void; asks: boolean; told: boolean }) {
	const place = placeOf(topic);
	const seen = unitSeen(place, u.unit).value;
	useEffect(() => watchUnit(place, u.unit), [u.unit]);
	useEffect(() => {
		if (asks) void readUnit(place, u.unit);
	}, [asks, u.unit]);
	const facts = seen.value && !seen.error ? unitFacts(seen.value, slowWall.value) : [];
	const why = unready.value ?? deaf(topic);
	return (
		<li class="line unit" data-unit={u.unit} aria-busy={seen.busy}>
			<span class="line-name">{u.unit}</span>
			<State seen={seen} />
			{seen.value?.Description && seen.value.Description !== u.unit && !seen.error && <span class="line-more">{visible(seen.value.Description)}</span>}
			{facts.length > 0 && <span class="line-figures">{facts.map((f) => <span key={f}>{f}</span>)}</span>}
			<Before seen={seen} />
			{!told && <Unread error={seen.error} />}
			<span class="power-row">
				<button type="button" class="button small" aria-label={`Journal of ${u.unit}`} onClick={() => open(u.unit)}>Journal</button>
				{mayAct.value && u.verbs.map((v) => (
					<HandButton
						key={v.tool} why={why} label={`${wordsOf(v.tool).verb} ${u.unit}`}
						w={{ tool: v.tool, cluster: place.cluster, objects: [topic], args: { unit: u.unit }, tier: v.tier }}
					/>
				))}
			</span>
			<Under place={place} unit={u.unit} />
		</li>
	);
}

/** Status and journal may be read of any unit. */
function Another({ add }: { add: (unit: string) => void }) {
	const wrong = useSignal('');
	return (
		<form
			class="another" onSubmit={(e) => {
				e.preventDefault();
				const input = e.currentTarget.querySelector('input')!;
				const unit = unitName(input.value);
				wrong.value = unit || !input.value ? '' : 'The full name of a systemd unit, such as ssh.service.';
				if (!unit) return;
				input.value = '';
				add(unit);
			}}
		>
			<label class="search"><Icon name="search" /><span class="sr">Another unit, by its name</span>
				<input type="text" name="unit" placeholder="another unit: ssh" maxLength={210} spellcheck={false} autocapitalize="off" autocomplete="off" />
			</label>
			<button type="submit" class="button small">Look</button>
			{wrong.value && <p class="form-error" role="alert">{wrong.value}</p>}
		</form>
	);
}

/* ── all of them ── */

/** When the oldest was read; what all of them failed by, for one cause is one line. */
function whole(place: Place, list: readonly UnitListed[]): { at: number | null; busy: boolean; error: string } {
	const all = list.map((u) => unitSeen(place, u.unit).value);
	const at = all.reduce<number | null>((min, s) => (s.at === null ? min : min === null ? s.at : Math.min(min, s.at)), null);
	const error = all.length > 1 && all.every((s) => s.error === all[0]!.error) ? all[0]!.error : '';
	return { at, busy: all.some((s) => s.busy), error };
}

function Units({ topic, c }: { topic: string; c: NodeCatalogue }) {
	const place = placeOf(topic);
	const extra = useSignal<readonly string[]>([]);
	const box = useRef<HTMLDivElement>(null);
	const looked = useLooked(box);
	const why = deaf(topic);
	const list = [...c.units, ...extra.value.map((unit): UnitListed => ({ unit, verbs: [] }))];
	const { at, busy, error } = whole(place, list);
	const add = (unit: string) => {
		if (list.some((u) => u.unit === unit)) void readUnit(place, unit);
		else extra.value = [...extra.value, unit];
	};
	return (
		<Part
			title="Services" class="hands"
			meta={<><Looked at={at} busy={busy} />
				{list.length > 0 && <Again label="Look again at the services" busy={busy} disabled={why !== null} onClick={() => list.forEach((u) => void readUnit(place, u.unit))} />}</>}
		>
			<div ref={box}>
				{why && <p class="power-why"><Icon name="lock" /> {why}</p>}
				{c.units.length === 0 && <Empty>services in jarvis.yaml lists no unit of this node: none can be restarted from here.</Empty>}
				<Unread error={error} />
				<ul class="plain">{list.map((u) => <Unit key={u.unit} topic={topic} u={u} asks={looked && why === null} told={error !== ''} open={(unit) => openJournal(place, unit)} />)}</ul>
				{why === null && <Another add={add} />}
			</div>
		</Part>
	);
}

/** What may be asked for on the node; asked anew whenever its details are opened, for the configuration may change. */
function useCatalogue(topic: string): { c: Signal<NodeCatalogue | null>; error: Signal<string> } {
	const [c, error] = [useSignal<NodeCatalogue | null>(null), useSignal('')];
	useEffect(() => {
		let stale = false;
		catalogue(placeOf(topic)).then((found) => stale || (c.value = found), (e: unknown) => stale || (error.value = messageOf(e)));
		return () => void (stale = true);
	}, [topic]);
	return { c, error };
}

export function NodeServices({ topic }: { topic: string }) {
	const { c, error } = useCatalogue(topic);
	if (!c.value) return <Part title="Services"><Empty>{error.value || 'One moment…'}</Empty></Part>;
	if (c.value.blocked) return <Part title="Services"><p class="note">{c.value.blocked}</p></Part>;
	return (
		<>
			<Units topic={topic} c={c.value} />
			{c.value.commands.length > 0 && <Commands topic={topic} list={c.value.commands} />}
		</>
	);
}
