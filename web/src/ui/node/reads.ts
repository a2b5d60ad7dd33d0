/* SPDX-License-Identifier: MIT */
/*
 * What is read on a node itself. Each read is an action of its own with a record in the audit and a command over SSH:
 * so it happens when somebody looks, asks anew, or has just acted, and never by a clock.
 */
import { signal, type Signal } from '@preact/signals';
import type { ActionAnswer, ActionState, ActionStatus, NodeCatalogue } from '../../generated/topics.ts';
import type { UnitFields } from '../../lib/nodes.ts';
import { serverOffset } from '../../store/clock.ts';
import { api, onLeave } from '../../store/session.ts';
import { isOver, messageOf, newId, onOver } from '../act/calls.ts';

const WAIT_S = 10;
/** The longest deadline of a read is 40 s. */
const TRIES = 5;
const AT_ONCE = 2;

/* ── one after the other ── */

let running = 0;
const queue: (() => void)[] = [];

/** At most two at a time: a node has other things to do. */
async function inTurn<T>(run: () => Promise<T>): Promise<T> {
	if (running >= AT_ONCE) await new Promise<void>((go) => queue.push(go));
	running++;
	try {
		return await run();
	} finally {
		running--;
		queue.shift()?.();
	}
}

/** What a node answers, and what is to be said of that; throws with its words where it does not. */
export interface Said<T> {
	value: T;
	/** That a part of it is missing; '' when it is whole. */
	note: string;
}

/** As the gate says of a read that went well and has nothing more to say. */
const WELL = 'verified';

export async function read<T>(tool: string, args: Record<string, unknown>): Promise<Said<T>> {
	const body = { request_id: newId(), tool, args, wait_s: WAIT_S };
	return inTurn(async () => {
		for (let i = 0; i < TRIES; i++) {
			/* The same question once more waits for the same answer. */
			const a = await api<ActionAnswer>('POST', '/api/tools/execute', body);
			if (!isOver(a.status as ActionStatus)) continue;
			if (a.is_error || a.status !== 'verified') throw new Error(a.text ?? 'The node does not say now.');
			return { value: a.content as T, note: a.text && a.text !== WELL ? a.text : '' };
		}
		throw new Error('The node did not answer within 50 s.');
	});
}

/** What is read, when, and why not. */
export interface Seen<T> {
	value: T | null;
	note: string;
	/** When `value` was read. */
	at: number | null;
	/** Why it could not be read the last time; '' when it could. */
	error: string;
	busy: boolean;
}

export const nothing = { value: null, note: '', at: null, error: '', busy: false };

/** Reads into a signal; what was read before stays in it, with its age. */
export async function readInto<T>(seen: Signal<Seen<T>>, get: () => Promise<Said<T>>): Promise<void> {
	if (seen.peek().busy) return;
	seen.value = { ...seen.peek(), busy: true };
	try {
		seen.value = { ...await get(), at: Date.now() + serverOffset.peek(), error: '', busy: false };
	} catch (e) {
		seen.value = { ...seen.peek(), error: messageOf(e) || 'It could not be read.', busy: false };
	}
}

/* ── units ── */

export interface Place {
	cluster: string;
	node: string;
}

const units = new Map<string, Signal<Seen<UnitFields>>>();
/** Those on the screen, with how many show them. */
const watched = new Map<string, number>();
const keyOf = (p: Place, unit: string) => `${p.cluster}/${p.node}/${unit}`;

export function unitSeen(p: Place, unit: string): Signal<Seen<UnitFields>> {
	const key = keyOf(p, unit);
	if (!units.has(key)) units.set(key, signal<Seen<UnitFields>>(nothing));
	return units.get(key)!;
}

export const readUnit = (p: Place, unit: string) =>
	readInto(unitSeen(p, unit), () => read<UnitFields>('service_status', { cluster: p.cluster, node: p.node, unit }));

/** While it is on the screen it is read anew after every action on it, whoever asked for that. */
export function watchUnit(p: Place, unit: string): () => void {
	const key = keyOf(p, unit);
	watched.set(key, (watched.get(key) ?? 0) + 1);
	return () => {
		const left = (watched.get(key) ?? 1) - 1;
		if (left) watched.set(key, left);
		else watched.delete(key);
	};
}

/** What is seen while an older question is still on its way says nothing of what came after it. */
async function readAfter(p: Place, unit: string): Promise<void> {
	const seen = unitSeen(p, unit);
	while (seen.peek().busy) await new Promise<void>((go) => {
		const stop = seen.subscribe((s) => s.busy || queueMicrotask(() => (stop(), go())));
	});
	await readUnit(p, unit);
}

function over(a: ActionState): void {
	for (const step of a.steps) {
		const { unit } = (step.args ?? {}) as { unit?: string };
		const [cluster, kind, node] = (step.object ?? '').split('/');
		if (kind !== 'node' || !cluster || !node || !unit) continue;
		if (watched.has(keyOf({ cluster, node }, unit))) void readAfter({ cluster, node }, unit);
	}
}

/* ── catalogues ── */

export const catalogue = (p: Place) => api<NodeCatalogue>('GET', `/api/nodes/${encodeURIComponent(p.cluster)}/${encodeURIComponent(p.node)}/catalogue`);

export function startReads(): void {
	onOver(over);
	onLeave(() => {
		units.clear();
		watched.clear();
	});
}
