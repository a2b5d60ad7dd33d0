/* SPDX-License-Identifier: MIT */
/* What the whole page must know of acting: may we, may Jarvis, what waits for a person; and the one switch. */
import { computed, signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import type { ActionState, AutonomyState, ParameterListed, Tier } from '../generated/topics.ts';
import { now, tick } from './clock.ts';
import { doc, topics } from './docs.ts';
import { brokerUp, ownerOnline, socketOpen } from './fresh.ts';
import { loaded } from './link.ts';
import { api, onLeave, session } from './session.ts';
import { toast } from './toasts.ts';
import { asking } from './view.ts';

/** The gate says how it stands every five seconds; after this long without, nobody may rely on it. */
const SILENT_MS = 15_000;

export const autonomy = doc<AutonomyState>('autonomy/state');
export const frozen = computed(() => autonomy.value?.frozen === true);
export const mayAct = computed(() => session.value?.role === 'operator');

const beatAt = signal<number | null>(null);
const silent = computed(() => beatAt.value === null || tick.value - beatAt.value > SILENT_MS);

/** What it said last is old: the level, and whether it is frozen. */
export const gateLost = computed(() => !socketOpen.value || !brokerUp.value || !ownerOnline('safety-gate').value || silent.value);

/** Why nothing can be done now, for people; null: all is ready. */
export const unready = computed((): string | null => {
	if (!socketOpen.value || !loaded.value) return 'This page has no connection to Jarvis.';
	if (!brokerUp.value) return 'Jarvis has lost its message broker.';
	if (!ownerOnline('safety-gate').value) return 'The safety gate is offline, so nothing can be allowed. What is watched goes on.';
	if (silent.value) return 'The safety gate says nothing, so nothing can be allowed.';
	if (!ownerOnline('executor').value) return 'The executor is offline: what is allowed would not be done.';
	if (autonomy.value?.unfit) return `The safety gate allows nothing but reads: ${autonomy.value.unfit}.`;
	if (frozen.value) return 'Jarvis is frozen: nothing but reads is done until it is unfrozen.';
	return null;
});

const all = computed((): ActionState[] => topics('ACTION_STATE').value
	.flatMap((t) => doc<ActionState>(t).value ?? [])
	.filter((a) => a.tier !== 'green')
	.sort((a, b) => (a.id < b.id ? 1 : -1)));

/** Every action of the last day but reads, newest first. */
export const actions = all;
export const waiting = computed(() => all.value.filter((a) => a.status === 'waiting'));

/** What is wished: one tool for one or several guests, or for a node. */
export interface Wish {
	tool: string;
	cluster: string;
	/** Topics of what it is for. */
	objects: readonly string[];
	args: Readonly<Record<string, unknown>>;
	/** How it is called where it has no object: "vzdump 101". */
	about?: string | undefined;
	/** What it costs at least, where more is known than the tool's floor. */
	tier?: Tier | undefined;
	/** What it does, where that is not the tool's own sentence. */
	says?: string | undefined;
	/** What a command takes. */
	params?: readonly ParameterListed[] | undefined;
}

/** A wish: not asked for yet, or the action that it became; `said`: why that was not approved with it. */
export type Dialog =
	| { kind: 'wish'; wish: Wish; id?: string; said?: string }
	/** Only looked at. */
	| { kind: 'look'; draw: (close: () => void) => ComponentChildren }
	| { kind: 'level' }
	| { kind: 'unfreeze' };

/** Why the gate said no, in its own words. */
export interface Refusal {
	tier: string | null;
	rule: string | null;
	reason: string;
}

export const dialog = signal<Dialog | null>(null);

/** At once, without a question: it is undone by whoever has a code. */
export async function freeze(): Promise<void> {
	try {
		await api('POST', '/api/freeze', {});
	} catch (e) {
		toast('crit', 'Not frozen', `${e instanceof Error ? e.message : ''} On Jarvis’s host: jarvisctl freeze --file`);
	}
}

export function startActing(): void {
	autonomy.subscribe((a) => {
		if (a) beatAt.value = now();
	});
	dialog.subscribe((d) => (asking.value = d !== null));
	frozen.subscribe((is) => document.documentElement.toggleAttribute('data-frozen', is));
	onLeave(() => {
		dialog.value = null;
		beatAt.value = null;
	});
}
