/* SPDX-License-Identifier: MIT */
/*
 * Every document the page knows, one signal each, so that a change of one touches only what shows it; and, by kind,
 * the topics that exist. Documents survive a lost connection: whether they may be believed is store/fresh's question.
 */
import { batch, computed, signal, type ReadonlySignal, type Signal } from '@preact/signals';
import { TOPICS } from '../generated/topics.ts';
import { naturally, sameList } from '../lib/order.ts';
import { matchTopic, type TopicId, type TopicMatch } from '../lib/topics.ts';

const NONE: readonly string[] = [];

const docs = new Map<string, Signal<unknown>>();
const matches = new Map<string, TopicMatch | null>();
const present = new Map<TopicId, Set<string>>();
const indexes = new Map<TopicId, Signal<readonly string[]>>();
const dirty = new Set<TopicId>();

/** What a topic is; remembered. */
export function match(topic: string): TopicMatch | null {
	let found = matches.get(topic);
	if (found === undefined) {
		found = matchTopic(topic);
		matches.set(topic, found);
	}
	return found;
}

/** The word of a topic, by its name in the pattern. */
export function word(topic: string, name: string): string {
	return match(topic)?.words[name] ?? '';
}

function cell(topic: string): Signal<unknown> {
	let found = docs.get(topic);
	if (!found) {
		found = signal<unknown>(null);
		docs.set(topic, found);
	}
	return found;
}

/** The document of a topic; null while there is none. The type is the caller's knowledge of the vocabulary. */
export function doc<T>(topic: string): ReadonlySignal<T | null> {
	return cell(topic) as Signal<T | null>;
}

export function peekDoc<T>(topic: string): T | null {
	return (docs.get(topic)?.peek() ?? null) as T | null;
}

function index(id: TopicId): Signal<readonly string[]> {
	let found = indexes.get(id);
	if (!found) {
		found = signal(NONE);
		indexes.set(id, found);
	}
	return found;
}

/** Every topic of a kind that has a document, in natural order. */
export function topics(id: TopicId): ReadonlySignal<readonly string[]> {
	return index(id);
}

const scoped = new Map<string, ReadonlySignal<readonly string[]>>();

/** The same for one cluster. */
export function topicsOf(id: TopicId, cluster: string): ReadonlySignal<readonly string[]> {
	const key = `${id} ${cluster}`;
	let found = scoped.get(key);
	if (!found) {
		let last: readonly string[] = NONE;
		found = computed(() => {
			const next = index(id).value.filter((t) => word(t, 'cluster') === cluster);
			if (!sameList(last, next)) last = next;
			return last;
		});
		scoped.set(key, found);
	}
	return found;
}

export const clusters = computed(() => index('CLUSTER_STATE').value.map((t) => word(t, 'cluster')));
export const clusterTopic = (cluster: string) => TOPICS.CLUSTER_STATE.pattern.replace('{cluster}', cluster);

function note(topic: string, exists: boolean): TopicId | undefined {
	const id = match(topic)?.id;
	if (!id) return;
	let set = present.get(id);
	if (!set) present.set(id, (set = new Set()));
	if (set.has(topic) !== exists) {
		if (exists) set.add(topic);
		else set.delete(topic);
		dirty.add(id);
	}
	return id;
}

const versions = new Map<TopicId, Signal<number>>();
const touched = new Set<TopicId>();

function version(id: TopicId): Signal<number> {
	let found = versions.get(id);
	if (!found) versions.set(id, (found = signal(0)));
	return found;
}

/** Moves whenever any document of a kind did: for who looks at all of them, instead of following each. */
export const kindVersion = (id: TopicId): ReadonlySignal<number> => version(id);

/** Called with every document that replaces another one. */
export type Observer = (topic: string, before: unknown, after: unknown) => void;
const observers = new Set<Observer>();

export function observeDocs(fn: Observer): void {
	observers.add(fn);
}

/** Takes in documents; null removes one. */
export function setDocs(changes: Readonly<Record<string, unknown>>): void {
	batch(() => {
		for (const [topic, value] of Object.entries(changes)) {
			const target = cell(topic);
			const before = target.peek();
			target.value = value;
			const id = note(topic, value !== null);
			if (id) touched.add(id);
			if (before !== null) for (const fn of observers) fn(topic, before, value);
		}
		for (const id of dirty) index(id).value = [...(present.get(id) ?? NONE)].sort(naturally);
		dirty.clear();
		for (const id of touched) version(id).value = version(id).peek() + 1;
		touched.clear();
	});
}

/** Removes every document that is not named. */
export function keepOnly(named: ReadonlySet<string>): void {
	const gone: Record<string, null> = {};
	for (const [topic, value] of docs) if (value.peek() !== null && !named.has(topic)) gone[topic] = null;
	setDocs(gone);
}
