/* SPDX-License-Identifier: MIT */
/* Asking for actions and deciding them: the REST calls, and what is told of how they go on. */
import { effect, signal, untracked } from '@preact/signals';
import type { ActionAnswer, ActionState, ActionStatus, ActionVerdict, GuestState, NodeState, StorageState, Tier } from '../../generated/topics.ts';
import { visible } from '../../lib/format.ts';
import { expectedTier, type Impact, titleWord, wordsOf } from '../../lib/power.ts';
import { actions, dialog, mayAct, type Refusal, type Wish } from '../../store/acting.ts';
import { serverOffset } from '../../store/clock.ts';
import { doc, match, peekDoc } from '../../store/docs.ts';
import { loaded } from '../../store/link.ts';
import { api, ApiError, loginState, onLeave, session } from '../../store/session.ts';
import { toast } from '../../store/toasts.ts';

interface ToolRow {
	name: string;
	tier: Tier;
	impact: Impact;
	description: string;
}

const tools = signal<ReadonlyMap<string, ToolRow>>(new Map());
/** From where downloads may come; null: the gateway does not say. */
export const downloadHosts = signal<readonly string[] | null>(null);

export const toolOf = (name: string): ToolRow | undefined => tools.value.get(name);

async function loadTools(): Promise<void> {
	const { items, download_hosts } = await api<{ items: ToolRow[]; download_hosts?: string[] }>('GET', '/api/tools');
	tools.value = new Map(items.map((t) => [t.name, t]));
	downloadHosts.value = download_hosts ?? null;
}

export const isOver = (status: ActionStatus) => !['waiting', 'window', 'approved', 'running'].includes(status);

/** A request of its own, also when the same is asked for twice. */
export function newId(): string {
	const bytes = crypto.getRandomValues(new Uint8Array(15));
	return [...bytes].map((b) => b.toString(16).padStart(2, '0')).join('');
}

const guestAt = (topic: string) => (match(topic)?.id === 'GUEST_STATE' ? doc<GuestState>(topic).value : null);

/** How an object is called. */
export function nameOf(topic: string): string {
	const d = doc<Partial<GuestState & NodeState & StorageState>>(topic).value;
	if (match(topic)?.id === 'GUEST_STATE') return d?.name ?? `guest ${match(topic)!.words.vmid}`;
	return d?.storage ?? d?.node ?? topic;
}

/** "4 guests: pihole, plex and 2 more"; one alone is only named. */
function several(names: readonly string[]): string {
	if (names.length < 2) return names[0] ?? '';
	const shown = names.length > 3 ? `${names.slice(0, 2).join(', ')} and ${names.length - 2} more` : names.join(', ');
	return `${names.length} guests: ${shown}`;
}

export const namesOf = (topics: readonly string[]) => several(topics.map(nameOf));

/** What on a node is meant: "smbd.service on Home"; null: the node itself. */
function partOf(args: unknown, node: string): string | null {
	const { unit, command_id } = (args ?? {}) as { unit?: unknown; command_id?: unknown };
	const what = unit ?? command_id;
	return typeof what === 'string' ? `${visible(what)} on ${node}` : null;
}

/** The tier that is shown before the click; null: the tools are not known yet. */
export function tierOf(tool: string, objects: readonly string[]): Tier | null {
	const row = toolOf(tool);
	return row ? expectedTier(row, objects.flatMap((t) => guestAt(t) ?? [])) : null;
}

export const tierOfWish = (w: Wish): Tier | null => w.tier ?? tierOf(w.tool, w.objects);

/** The arguments that name the target, for one or for several. */
function targetsOf(w: Wish): { args: Record<string, unknown>; targets?: string[] } {
	const words = w.objects.map((t) => match(t)?.words ?? {});
	const args: Record<string, unknown> = { ...w.args, cluster: w.cluster };
	if (words.length > 1) return { args, targets: words.map((x) => x.vmid ?? x.node ?? '') };
	const [one] = words;
	if (one?.vmid) args.guest = Number(one.vmid);
	else if (one?.storage) Object.assign(args, { storage: one.storage }, one.node === '-' ? {} : { node: one.node });
	else if (one?.node) args.node = one.node;
	return { args };
}

/** What was asked for here, by the action that it became: the same question is answered with what came of it. */
const asked = new Map<string, { body: object; at: number }>();
const ASKED_KEPT = 100;
/** The gate forgets a request a day after it was asked, and would take the same words for a new one then. */
const ASKED_FOR_MS = 20 * 3_600_000;

/** Asks; the answer comes at once, and how it goes on over the bus. Throws ApiError. */
export async function ask(w: Wish, confirmed: boolean): Promise<ActionAnswer> {
	const body = { request_id: newId(), tool: w.tool, ...targetsOf(w), ...(confirmed ? { confirmed } : {}), wait_s: 0 };
	const answer = await api<ActionAnswer>('POST', '/api/tools/execute', body);
	if (w.tool === 'run_command') asked.set(answer.id, { body, at: Date.now() });
	if (asked.size > ASKED_KEPT) asked.delete(asked.keys().next().value!);
	return answer;
}

export const wasAskedHere = (id: string) => Date.now() - (asked.get(id)?.at ?? 0) < ASKED_FOR_MS;

/** What came of an action that was asked for here. Throws ApiError. */
export const resultOf = (id: string): Promise<ActionAnswer> => api<ActionAnswer>('POST', '/api/tools/execute', asked.get(id)?.body);

/** What the gate would say to it now, for one who knows what may be lost. Nothing comes of it. Throws ApiError. */
export const judge = (w: Wish): Promise<ActionVerdict> =>
	api<ActionVerdict>('POST', '/api/tools/execute', { request_id: newId(), tool: w.tool, ...targetsOf(w), confirmed: true, dry_run: true });

export const decide = (id: string, what: 'approve' | 'deny' | 'cancel', body: object = {}) =>
	api('POST', `/api/actions/${id}/${what}`, body);

/** The gate's no with its tier and rule; null for every other failure. */
export function refusalOf(e: unknown): Refusal | null {
	if (!(e instanceof ApiError)) return null;
	const d = e.data as Partial<Refusal & { blocked: boolean }> | null;
	return d?.blocked ? { tier: d.tier ?? null, rule: d.rule ?? null, reason: e.message } : null;
}

export const messageOf = (e: unknown) => (e instanceof Error ? e.message : String(e));

export async function cancel(id: string): Promise<void> {
	try {
		await decide(id, 'cancel');
	} catch (e) {
		toast('crit', 'Not cancelled', messageOf(e));
	}
}

export const aboutOf = (w: Wish) => w.about ?? partOf(w.args, namesOf(w.objects)) ?? namesOf(w.objects);
/** Actions whose end is no news to the person who closed their dialog. */
const takenBack = new Set<string>();

/** What was asked for in a dialog, and is not wanted any more. */
export function takeBack(id: string): Promise<void> {
	takenBack.add(id);
	return cancel(id);
}

export const titleOf = (w: Wish) => `${titleWord(w.tool)} ${aboutOf(w)}`;

/** One click is enough for what can be taken back; whatever asks for more is asked for in a dialog. */
export async function wish(w: Wish): Promise<void> {
	if (tierOfWish(w) !== 'yellow' || needsForm(w)) {
		dialog.value = { kind: 'wish', wish: w };
		return;
	}
	await askYellow(w);
}

/** What a toast offers while an action goes on; how it ended takes its place. */
export const underWay = (id: string) => ({ key: id, act: { label: 'Cancel', run: () => void cancel(id) } });

/** It goes on without a dialog. */
export function follow(w: Wish, a: ActionAnswer): void {
	if (!isOver(a.status as ActionStatus)) toast('info', `${wordsOf(w.tool).doing} ${aboutOf(w)}`, '', underWay(a.id));
}

/** One click: done when the gate would do it at once, else the dialog says what it takes, and nothing was asked yet. */
async function askYellow(w: Wish): Promise<void> {
	try {
		const verdict = await judge(w);
		if (verdict.decision !== 'allow') {
			dialog.value = { kind: 'wish', wish: w };
			return;
		}
		const a = await ask(w, false);
		if (a.status === 'waiting') dialog.value = { kind: 'wish', wish: w, id: a.id };
		else follow(w, a);
	} catch (e) {
		toast('crit', `${titleOf(w)}: not done`, messageOf(e));
	}
}

/** What a person must choose before it can be asked for. */
const FORMS: Readonly<Record<string, readonly string[]>> = {
	guest_snapshot: ['snapshot'], backup_now: ['storage'], guest_migrate: ['target_node'],
	download_url: ['content', 'url', 'filename', 'checksum_algorithm', 'checksum'], run_command: ['params'],
};

export const formOf = (tool: string): readonly string[] => FORMS[tool] ?? [];
export const needsForm = (w: Wish) => formOf(w.tool).some((f) => !(f in w.args));

/** The topic of a step's object: home/guest/101. */
export function topicOf(object: string | null): string | null {
	const [cluster, kind, name] = (object ?? '').split('/');
	if (!cluster || !name) return null;
	return kind === 'guest' || kind === 'node' ? `pve/${cluster}/${kind}/${name}/state` : null;
}

/** What an action is called: "Shut down jellyfin". */
export function actionTitle(a: Pick<ActionState, 'tool' | 'steps'>): string {
	const names = a.steps.map((s) => s.name ?? s.object?.split('/')[2] ?? '');
	const shown = several(names.map((name, i) => partOf(a.steps[i]!.args, name) ?? name).filter(Boolean));
	return `${shown ? titleWord(a.tool) : wordsOf(a.tool).verb}${shown ? ` ${shown}` : ''}`;
}

/** Who asks, and what kind of asker that is. */
export function askerOf(a: Pick<ActionState, 'principal' | 'actor' | 'runbook'>): { name: string; kind: string } {
	if (a.actor) return { name: a.actor.name ?? a.principal, kind: a.actor.kind === 'user' ? 'a person' : a.actor.kind === 'mcp' ? 'an agent over MCP' : 'a token' };
	const agent = a.principal === 'monitor' || a.principal === 'llm-router';
	return { name: a.principal, kind: a.runbook ? `an agent, runbook ${a.runbook}` : agent ? 'an agent' : 'a remote client' };
}

/** Mine, or of an agent: worth a toast. What another person does is theirs. */
function concerns(a: ActionState): boolean {
	return a.actor?.kind !== 'user' || a.actor.name === session.peek()?.user;
}

function ended(a: ActionState): void {
	if (takenBack.has(a.id)) return;
	const title = actionTitle(a);
	const key = { key: a.id };
	if (a.status === 'verified') toast('ok', `${title}: verified`, a.summary ?? '', key);
	else if (a.status === 'denied' || a.status === 'cancelled') toast('info', `${title}: ${a.status}`, a.summary ?? '', key);
	else toast('crit', `${title}: ${OUTCOME[a.status] ?? a.status}`, a.summary ?? '', key);
}

export const OUTCOME: Partial<Record<ActionStatus, string>> = {
	verified: 'verified', still_failing: 'done, but not as wanted', unknown: 'nobody knows how it ended', failed: 'failed',
	denied: 'denied', cancelled: 'cancelled', expired: 'nobody decided in time', refused: 'refused',
};

/* ── ends ── */

const enders = new Set<(a: ActionState) => void>();

/** Called once for each action that ends while the page is there, also for one that was never seen to run. */
export const onOver = (fn: (a: ActionState) => void) => void enders.add(fn);

/** What is first seen when it is over has ended just now, or while nobody looked. */
const JUST_NOW_MS = 15_000;

function watchEnds(): void {
	let [open, over, wasLoaded] = [new Set<string>(), new Set<string>(), false];
	effect(() => {
		const [list, isLoaded] = [actions.value, loaded.value];
		const since = Date.now() + serverOffset.peek() - JUST_NOW_MS;
		const ends = list.filter((a) => isOver(a.status) && !over.has(a.id) && (open.has(a.id) || (a.ended_ms ?? 0) > since));
		open = new Set(list.filter((a) => !isOver(a.status)).map((a) => a.id));
		over = new Set(list.filter((a) => isOver(a.status)).map((a) => a.id));
		if (wasLoaded) untracked(() => ends.forEach((a) => enders.forEach((fn) => fn(a))));
		wasLoaded = isLoaded;
	});
}

/** Rows of the table of guests that are selected. */
export const picked = signal<ReadonlySet<string>>(new Set());

export function start(): void {
	effect(() => {
		if (loginState.value === 'in' && tools.value.size === 0) loadTools().catch(() => undefined);
	});
	watchEnds();
	onOver((a) => concerns(a) && ended(a));
	onLeave(() => {
		picked.value = new Set();
		asked.clear();
	});
}

const SEEN_MS = 3000;

/** The action when the page has it; null: it did not come. */
export function seen(id: string): Promise<ActionState | null> {
	return new Promise((done) => {
		let stop = () => {};
		const end = (a: ActionState | null) => {
			clearTimeout(timer);
			queueMicrotask(() => stop());
			done(a);
		};
		const timer = setTimeout(() => end(null), SEEN_MS);
		stop = effect(() => {
			const a = actionOf(id);
			if (a) end(a);
		});
	});
}

/** An action by its id, as it stands. */
export const actionOf = (id: string): ActionState | null => doc<ActionState>(`action/${id}/state`).value;
export const peekAction = (id: string) => peekDoc<ActionState>(`action/${id}/state`);
export const running = () => actions.value.filter((a) => a.status === 'running' || a.status === 'approved' || a.status === 'window');
export { mayAct };
