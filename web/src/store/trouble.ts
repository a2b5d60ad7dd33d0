/* SPDX-License-Identifier: MIT */
/* What wants a person's eye, from the documents alone. Stale is trouble of its own, never silence. */
import { computed } from '@preact/signals';
import type { ClusterState, GuestState, NodeState, StorageState } from '../generated/topics.ts';
import { plural, share } from '../lib/format.ts';
import { verdictReason, type Verdict } from '../lib/freshness.ts';
import { clusters, clusterTopic, doc, topics, topicsOf, word } from './docs.ts';
import { brokerUp, freshness, socketOpen, sourceFreshness } from './fresh.ts';
import { loaded } from './link.ts';

export interface Trouble {
	key: string;
	level: 'crit' | 'warn';
	text: string;
	detail: string;
	/** Guest to open, if it is about one. */
	topic?: string;
}

const FULL_CRIT = 95;
const FULL_WARN = 85;
/** More guests in the same trouble than this are told as a number. */
const NAMED = 3;

type Make = (key: string, text: string, detail?: string, topic?: string) => Trouble;
const crit: Make = (key, text, detail = '', topic) => ({ key, level: 'crit', text, detail, topic });
const warn: Make = (key, text, detail = '', topic) => ({ key, level: 'warn', text, detail, topic });

/** The verdict in words, with what the source itself says. */
function why(verdict: Verdict, error: string | null | undefined): string {
	const reason = verdictReason(verdict);
	return verdict === 'source-old' && error ? `${reason}: ${error}` : reason;
}

function clusterTrouble(name: string, c: ClusterState): Trouble[] {
	const out: Trouble[] = [];
	const quorum = sourceFreshness('proxmox-poller', clusterTopic(name), 'status').value;
	if (c.error) out.push(crit(`${name} error`, `${name} cannot be read`, c.error));
	if (c.quorate === false && quorum === 'live') out.push(crit(`${name} quorum`, `${name} has lost its quorum`));
	return out;
}

function nodeTrouble(topic: string): Trouble[] {
	const n = doc<NodeState>(topic).value;
	if (!n || n.status === 'online') return [];
	return [(n.status === 'offline' ? crit : warn)(topic, `Node ${n.node} is ${n.status}`, n.reason ?? '')];
}

function guestTrouble(name: string): Trouble[] {
	const unknown: Trouble[] = [];
	const out: Trouble[] = [];
	for (const topic of topicsOf('GUEST_STATE', name).value) {
		const g = doc<GuestState>(topic).value;
		if (!g || g.template) continue;
		const who = g.name ?? `Guest ${g.vmid}`;
		if (g.status.endsWith('-error')) out.push(crit(topic, `${who}: ${g.status}`, g.reason ?? '', topic));
		else if (g.status === 'unknown') unknown.push(warn(topic, `${who} is unknown`, g.reason ?? '', topic));
	}
	if (unknown.length <= NAMED) return [...out, ...unknown];
	return [...out, warn(`${name} unknown`, `${plural(unknown.length, 'guest')} unknown`, unknown[0]!.detail)];
}

function storageTrouble(topic: string): Trouble[] {
	const s = doc<StorageState>(topic).value;
	if (!s || s.status === 'disabled') return [];
	const who = `Storage ${s.storage}${s.node ? ` on ${s.node}` : ''}`;
	const verdict = freshness(topic).value;
	if (verdict !== 'live') return [warn(topic, `${who} is stale`, verdictReason(verdict))];
	if (s.status !== 'available') return [warn(topic, `${who} is ${s.status}`, s.reason ?? '')];
	const used = share(s.used, s.total) ?? 0;
	if (used < FULL_WARN) return [];
	return [(used >= FULL_CRIT ? crit : warn)(topic, `${who} is ${used.toFixed(0)}% full`)];
}

function ofCluster(name: string): Trouble[] {
	const c = doc<ClusterState>(clusterTopic(name)).value;
	if (!c) return [];
	const out = clusterTrouble(name, c);
	const verdict = sourceFreshness('proxmox-poller', clusterTopic(name), 'resources').value;
	if (verdict !== 'live') {
		const reason = why(verdict, c.sources.resources?.error);
		return [...out, crit(`${name} stale`, `${name} is not watched`, reason)];
	}
	return [
		...out,
		...topicsOf('NODE_STATE', name).value.flatMap(nodeTrouble),
		...guestTrouble(name),
		...topicsOf('STORAGE_STATE', name).value.flatMap(storageTrouble),
	];
}

/** With several clusters, each trouble says whose it is. */
function named(name: string): Trouble[] {
	const list = ofCluster(name);
	if (clusters.value.length < 2) return list;
	return list.map((t) => (t.text.startsWith(name) ? t : { ...t, text: `${name}: ${t.text}` }));
}

function ofServices(): Trouble[] {
	return topics('SERVICE_STATE').value.filter((t) => doc<string>(t).value !== 'online')
		.map((t) => crit(t, `Service ${word(t, 'service')} is offline`));
}

/** Everything that is wrong, worst first. */
export const troubles = computed<Trouble[]>(() => {
	if (!loaded.value) return [];
	if (!socketOpen.value) return [crit('socket', 'No connection to Jarvis', 'what is shown is old')];
	if (!brokerUp.value) return [crit('broker', 'Jarvis has lost its broker', 'what is shown is old')];
	const all = [...clusters.value.flatMap(named), ...ofServices()];
	if (clusters.value.length === 0) {
		all.push(warn('none', 'No cluster has been reported yet', 'is proxmox-poller running?'));
	}
	return [...all.filter((t) => t.level === 'crit'), ...all.filter((t) => t.level === 'warn')];
});
