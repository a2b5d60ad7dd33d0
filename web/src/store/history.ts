/* SPDX-License-Identifier: MIT */
/*
 * What the page saw since it was opened: a sample of the cluster, every node and guest at each poll, a gap where nothing was
 * known. Taken when the cluster's source document arrives live, for that is the pace of the eyes; a document itself
 * is published only when it changes.
 */
import { signal, type Signal } from '@preact/signals';
import type { ClusterState, GuestState, NodeState } from '../generated/topics.ts';
import { share } from '../lib/format.ts';
import { Samples } from '../lib/ring.ts';
import type { TopicId } from '../lib/topics.ts';
import { clusterTopic, match, peekDoc, topicsOf, word } from './docs.ts';
import { freshness, sourceFreshness } from './fresh.ts';
import { onBatch } from './link.ts';
import { onLeave } from './session.ts';

const KEPT = 120;

export interface History {
	cpu: Samples;
	mem: Samples;
}

const histories = new Map<string, History>();
const versions = new Map<string, Signal<number>>();
const lastOk = new Map<string, number | null>();

/** Moves whenever the cluster was sampled. */
export function sampled(cluster: string): Signal<number> {
	let found = versions.get(cluster);
	if (!found) versions.set(cluster, (found = signal(0)));
	return found;
}

export function history(topic: string): History {
	let found = histories.get(topic);
	if (!found) histories.set(topic, (found = { cpu: new Samples(KEPT), mem: new Samples(KEPT) }));
	return found;
}

function sampleOne(topic: string, live: boolean): void {
	const d = peekDoc<NodeState | GuestState | ClusterState>(topic);
	const h = history(topic);
	h.cpu.push(live && d ? d.cpu : null);
	h.mem.push(live && d ? share(d.mem, d.maxmem) : null);
}

function sampleKind(id: TopicId, cluster: string): void {
	for (const topic of topicsOf(id, cluster).peek()) sampleOne(topic, freshness(topic).value === 'live');
}

function sample(cluster: string): void {
	sampleKind('NODE_STATE', cluster);
	sampleKind('GUEST_STATE', cluster);
	const topic = clusterTopic(cluster);
	sampleOne(topic, sourceFreshness('proxmox-poller', topic, 'resources').value === 'live');
	sampled(cluster).value++;
}

/** Topics that are gone take their samples with them. */
function prune(): void {
	for (const topic of histories.keys()) if (peekDoc(topic) === null) histories.delete(topic);
}

export function startHistory(): void {
	onLeave(() => {
		histories.clear();
		lastOk.clear();
	});
	onBatch(({ docs }) => {
		for (const topic of Object.keys(docs)) {
			if (match(topic)?.id !== 'CLUSTER_STATE') continue;
			const cluster = word(topic, 'cluster');
			const ok = peekDoc<ClusterState>(topic)?.sources.resources?.last_ok_ms ?? null;
			if (ok !== null && lastOk.get(cluster) === ok) continue;
			lastOk.set(cluster, ok);
			sample(cluster);
			prune();
		}
	});
}
