/* SPDX-License-Identifier: MIT */
/* Asking for actions and deciding them: the REST calls, and what is told of how they go on. */
import { effect, signal } from '@preact/signals';
import type { ActionAnswer, ActionState, ActionStatus, GuestState, NodeState, Tier } from '../../generated/topics.ts';
import { expectedTier, wordsOf } from '../../lib/power.ts';
import { actions, dialog, mayAct, type Refusal, type Wish } from '../../store/acting.ts';
import { doc, match, observeDocs, peekDoc } from '../../store/docs.ts';
import { loaded } from '../../store/link.ts';
import { api, ApiError, loginState, onLeave, session } from '../../store/session.ts';
import { toast } from '../../store/toasts.ts';

interface ToolRow {
	name: string;
	tier: Tier;
	description: string;
}

const tools = signal<ReadonlyMap<string, ToolRow>>(new Map());

export const toolOf = (name: string): ToolRow | undefined => tools.value.get(name);

async function loadTools(): Promise<void> {
	const { items } = await api<{ items: ToolRow[] }>('GET', '/api/tools');
	tools.value = new Map(items.map((t) => [t.name, t]));
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
	const d = doc<Partial<GuestState & NodeState>>(topic).value;
	if (match(topic)?.id === 'GUEST_STATE') return d?.name ?? `guest ${match(topic)!.words.vmid}`;
	return d?.node ?? topic;
}

export function namesOf(topics: readonly string[]): string {
	const names = topics.map(nameOf);
	return names.length > 3 ? `${names.slice(0, 2).join(', ')} and ${names.length - 2} more` : names.join(', ');
}

/** The tier that is shown before the click; null: the tools are not known yet. */
export function tierOf(tool: string, objects: readonly string[]): Tier | null {
	const row = toolOf(tool);
	return row ? expectedTier(tool, row.tier, objects.flatMap((t) => guestAt(t) ?? [])) : null;
}

/** The arguments that name the target, for one or for several. */
function targetsOf(w: Wish): { args: Record<string, unknown>; targets?: string[] } {
	const words = w.objects.map((t) => match(t)?.words ?? {});
	const args: Record<string, unknown> = { ...w.args, cluster: w.cluster };
	if (words.length > 1) return { args, targets: words.map((x) => x.vmid ?? x.node ?? '') };
	if (words[0]?.vmid) args.guest = Number(words[0].vmid);
	else if (words[0]?.node) args.node = words[0].node;
	return { args };
}

/** Asks; the answer comes at once, and how it goes on over the bus. Throws ApiError. */
export const ask = (w: Wish, confirmed: boolean): Promise<ActionAnswer> =>
	api<ActionAnswer>('POST', '/api/tools/execute', {
		request_id: newId(), tool: w.tool, ...targetsOf(w), ...(confirmed ? { confirmed } : {}), wait_s: 0,
	});

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

export const aboutOf = (w: Wish) => w.about ?? namesOf(w.objects);
/** Actions whose end is no news to the person who closed their dialog. */
const takenBack = new Set<string>();

/** What was asked for in a dialog, and is not wanted any more. */
export function takeBack(id: string): Promise<void> {
	takenBack.add(id);
	return cancel(id);
}

export const titleOf = (w: Wish) => `${wordsOf(w.tool).verb} ${aboutOf(w)}`;

/** One click is enough for what can be taken back; whatever asks for more is asked for in a dialog. */
export async function wish(w: Wish): Promise<void> {
	const tier = tierOf(w.tool, w.objects);
	if (tier !== 'yellow' || needsForm(w)) {
		dialog.value = { kind: 'wish', wish: w };
		return;
	}
	await askYellow(w);
}

/** What a toast offers while an action goes on; how it ended takes its place. */
export const underWay = (id: string) => ({ key: id, act: { label: 'Cancel', run: () => void cancel(id) } });

export async function askYellow(w: Wish): Promise<void> {
	try {
		const a = await ask(w, false);
		if (a.status === 'waiting') dialog.value = { kind: 'wish', wish: w, id: a.id };
		else if (!isOver(a.status as ActionStatus))
			toast('info', `${wordsOf(w.tool).doing} ${aboutOf(w)}`, '', underWay(a.id));
	} catch (e) {
		const refusal = refusalOf(e);
		if (refusal) dialog.value = { kind: 'wish', wish: w, refusal };
		else toast('crit', `${titleOf(w)}: not done`, messageOf(e));
	}
}

/** What a person must choose before it can be asked for. */
const FORMS: Readonly<Record<string, readonly string[]>> = {
	guest_snapshot: ['snapshot'], backup_now: ['storage'], guest_migrate: ['target_node'],
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
	const names = a.steps.map((s) => s.name ?? s.object?.split('/')[2] ?? '').filter(Boolean);
	const shown = names.length > 3 ? `${names.slice(0, 2).join(', ')} and ${names.length - 2} more` : names.join(', ');
	return `${wordsOf(a.tool).verb}${shown ? ` ${shown}` : ''}`;
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

/** Rows of the table of guests that are selected. */
export const picked = signal<ReadonlySet<string>>(new Set());

export function start(): void {
	effect(() => {
		if (loginState.value === 'in' && tools.value.size === 0) loadTools().catch(() => undefined);
	});
	observeDocs((topic, before, after) => {
		if (match(topic)?.id !== 'ACTION_STATE' || !after || !loaded.peek()) return;
		const [a, b] = [before as ActionState, after as ActionState];
		if (!isOver(a.status) && isOver(b.status) && b.tier !== 'green' && concerns(b)) ended(b);
	});
	onLeave(() => (picked.value = new Set()));
}

/** An action by its id, as it stands. */
export const actionOf = (id: string): ActionState | null => doc<ActionState>(`action/${id}/state`).value;
export const peekAction = (id: string) => peekDoc<ActionState>(`action/${id}/state`);
export const running = () => actions.value.filter((a) => a.status === 'running' || a.status === 'approved' || a.status === 'window');
export { mayAct };
