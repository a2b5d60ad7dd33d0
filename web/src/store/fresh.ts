/* SPDX-License-Identifier: MIT */
/* The rule of lib/freshness over the page's documents. One verdict is shared by all documents of a source. */
import { computed, signal, type ReadonlySignal, type Signal } from '@preact/signals';
import { TOPICS, type SourceState } from '../generated/topics.ts';
import {
	HEARTBEAT_MS, judgeOwner, judgeSource, silence, sourceAge, type Evidence, type Verdict,
} from '../lib/freshness.ts';
import { freshnessRef, isSourceDocument, type FreshnessRef, type TopicId } from '../lib/topics.ts';
import { now, tick } from './clock.ts';
import { doc, topics, word } from './docs.ts';

/** Our own way to the bus. */
export const socketOpen = signal(false);
const LINK = 'link';
export const brokerUp = computed(() => doc<{ broker: boolean }>(LINK).value?.broker === true);
const path = computed(() => ({ socket: socketOpen.value, broker: brokerUp.value }));
/** When the way to the bus broke, on the page's clock; null while it is whole. */
export const brokenSince = signal<number | null>(now());

const evidences = new Map<string, Signal<Evidence | null>>();

function evidence(topic: string): Signal<Evidence | null> {
	let found = evidences.get(topic);
	if (!found) evidences.set(topic, (found = signal<Evidence | null>(null)));
	return found;
}

/** Takes in when live messages of these topics reached the gateway. */
export function setEvidence(seen: Readonly<Record<string, number | null>>): void {
	const at = now();
	for (const [topic, seenMs] of Object.entries(seen)) evidence(topic).value = { seenMs, at };
}

/** A new connection knows nothing yet. */
export function forgetEvidence(): void {
	for (const e of evidences.values()) e.value = null;
}

const cache = new Map<string, ReadonlySignal<unknown>>();

function shared<T>(key: string, make: () => T): ReadonlySignal<T> {
	let found = cache.get(key);
	if (!found) cache.set(key, (found = computed(make)));
	return found as ReadonlySignal<T>;
}

/** Presence topics of a service; there may be several instances. */
const presences = (service: string) => topics('SERVICE_STATE').value.filter((t) => word(t, 'service') === service);

export function ownerOnline(service: string): ReadonlySignal<boolean> {
	return shared(`online ${service}`, () => presences(service).some((t) => doc<string>(t).value === 'online'));
}

interface WithSources {
	ts: number;
	sources?: Record<string, SourceState>;
}

function sourceView(topic: string, key: string) {
	const d = doc<WithSources>(topic).value;
	return d ? { ts: d.ts, entry: d.sources?.[key] ?? null, evidence: evidence(topic).value } : null;
}

/** The verdict on what a source says: pve/home/state, resources. */
export function sourceFreshness(owner: string, topic: string, key: string): ReadonlySignal<Verdict> {
	return shared(`source ${owner} ${topic} ${key}`, () =>
		judgeSource(path.value, ownerOnline(owner).value, sourceView(topic, key), tick.value));
}

/** A stream heard within the heartbeat is evidence as good as a presence seen to come. */
function recent(e: Evidence | null, at: number): Evidence | null {
	const quiet = silence(e, at);
	return quiet !== null && quiet <= HEARTBEAT_MS ? e : null;
}

/** What a service's source documents prove of it: published with every poll, they are its pulse too. */
function pulse(service: string, at: number): (Evidence | null)[] {
	const all = Object.keys(TOPICS) as TopicId[];
	const kinds = all.filter((id) => isSourceDocument(id) && TOPICS[id].owner === service);
	return kinds.flatMap((id) => topics(id).value.map((t) => recent(evidence(t).value, at)));
}

/**
 * The verdict on one instance of a service. Of several, a source document does not say whose it is. The gateway
 * proves itself by talking to us.
 */
export function serviceFreshness(service: string, instance: string): ReadonlySignal<Verdict> {
	return shared(`service ${service} ${instance}`, () => {
		const at = tick.value;
		const base = `service/${service}/${instance}`;
		const heard = [evidence(`${base}/state`).value, recent(evidence(`${base}/health`).value, at)];
		if (presences(service).length === 1) heard.push(...pulse(service, at));
		if (service === 'gateway') heard.push({ seenMs: 0, at });
		return judgeOwner(path.value, doc<string>(`${base}/state`).value === 'online', heard, at);
	});
}

function ownerFreshness(owner: string): ReadonlySignal<Verdict> {
	return shared(`owner ${owner}`, () => {
		const heard = presences(owner).flatMap((t) => [
			evidence(t).value,
			recent(evidence(t.replace(/state$/, 'health')).value, tick.value),
		]);
		heard.push(...pulse(owner, tick.value));
		return judgeOwner(path.value, ownerOnline(owner).value, heard, tick.value);
	});
}

const refs = new Map<string, FreshnessRef | null>();

function refOf(topic: string): FreshnessRef | null {
	let found = refs.get(topic);
	if (found === undefined) refs.set(topic, (found = freshnessRef(topic)));
	return found;
}

const UNKNOWN: ReadonlySignal<Verdict> = computed(() => 'no-evidence');

const verdicts = new Map<string, ReadonlySignal<Verdict>>();

/** The verdict on a document. */
export function freshness(topic: string): ReadonlySignal<Verdict> {
	let found = verdicts.get(topic);
	if (!found) verdicts.set(topic, (found = verdictOf(topic)));
	return found;
}

function verdictOf(topic: string): ReadonlySignal<Verdict> {
	const ref = refOf(topic);
	if (!ref) return UNKNOWN;
	if (ref.sourceTopic === null || ref.sourceKey === null) return ownerFreshness(ref.owner);
	return sourceFreshness(ref.owner, ref.sourceTopic, ref.sourceKey);
}

function ageNow(topic: string, key: string): number | null {
	const v = sourceView(topic, key);
	return v && v.entry ? sourceAge(v.ts, v.entry, v.evidence, tick.value) : null;
}

/** Age of what a source says, in milliseconds, every second; null: unknown. */
export function sourceAgeMs(topic: string, key: string): ReadonlySignal<number | null> {
	return shared(`age ${topic} ${key}`, () => ageNow(topic, key));
}

/** Age of a document's source. */
export function ageMs(topic: string): ReadonlySignal<number | null> {
	const ref = refOf(topic);
	if (ref?.sourceTopic && ref.sourceKey) return sourceAgeMs(ref.sourceTopic, ref.sourceKey);
	return shared('no age', () => null);
}

export function healthSilence(service: string, instance: string): ReadonlySignal<number | null> {
	const topic = `service/${service}/${instance}/health`;
	return shared(`silence ${topic}`, () => silence(evidence(topic).value, tick.value));
}
