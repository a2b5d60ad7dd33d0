/* SPDX-License-Identifier: MIT */
/* What wants a person's eye, from the documents alone. Stale is trouble of its own, never silence. */
import { computed } from '@preact/signals';
import type {
	CephState, ClusterState, DiskState, GuestBackup, GuestState, HaState, NodeState, NodeThermal, StorageState, ZfsPool,
} from '../generated/topics.ts';
import { celsius, plural, share } from '../lib/format.ts';
import { cpuHeat } from '../lib/heat.ts';
import { PERIODS, verdictReason, type Verdict } from '../lib/freshness.ts';
import { guestsOf } from './census.ts';
import { clusters, clusterTopic, doc, topics, topicsOf, word } from './docs.ts';
import { backupCounts, diskWord } from './health.ts';
import { nodeTopic, seen, sibling } from './objects.ts';
import { brokerUp, freshness, socketOpen, sourceFreshness } from './fresh.ts';
import { loaded } from './link.ts';

export interface Trouble {
	key: string;
	level: 'crit' | 'warn';
	text: string;
	detail: string;
	/** What to open, if it is about one thing. */
	topic?: string;
}

const OWNER = 'proxmox-poller';
const FULL_CRIT = 95;
const FULL_WARN = 85;
/** More guests in the same trouble than this are told by node, as a number. */
const NAMED = 3;

type Make = (key: string, text: string, detail?: string, topic?: string) => Trouble;
const crit: Make = (key, text, detail = '', topic) => ({ key, level: 'crit', text, detail, topic });
const warn: Make = (key, text, detail = '', topic) => ({ key, level: 'warn', text, detail, topic });

const are = (n: number) => (n === 1 ? 'is' : 'are');

/* ── the cluster ── */

/** The poller lives and says that it gets no answer; unlike a poller that says nothing any more. */
function isUnread(c: ClusterState): boolean {
	const source = c.sources.resources;
	if (!source || !(c.error ?? source.error)) return false;
	return source.last_ok_ms === null || c.ts - source.last_ok_ms >= source.period_s * 1000 * PERIODS;
}

/** Why nothing that is shown of a cluster may be believed. */
function unwatched(name: string, c: ClusterState, verdict: Verdict): Trouble {
	const key = `${name} stale`;
	const told = verdict === 'source-old' || verdict === 'not-answered';
	if (told && isUnread(c))
		return crit(key, `Cluster ${name} cannot be read`, c.error ?? c.sources.resources?.error ?? '');
	if (verdict === 'not-answered') return warn(key, `Cluster ${name} has not answered yet`);
	return crit(key, `Cluster ${name} is not watched`, verdictReason(verdict));
}

function clusterTrouble(name: string, c: ClusterState): Trouble[] {
	const out: Trouble[] = [];
	const quorum = sourceFreshness(OWNER, clusterTopic(name), 'status').value;
	if (c.quorate === false && quorum === 'live') {
		out.push(crit(`${name} quorum`, `Cluster ${name} has lost its quorum`));
	}
	if (c.error) out.push(warn(`${name} error`, `Cluster ${name} is read, with a warning`, c.error));
	return out;
}

/* ── by node ── */

interface Lost {
	topic: string;
	reason: string;
}

/** What is unknown, by the node that it is on; a shared storage is on none. */
type ByNode = Map<string, Lost[]>;
const SHARED = '-';

function put(map: ByNode, node: string, lost: Lost): void {
	const list = map.get(node);
	if (list) list.push(lost);
	else map.set(node, [lost]);
}

function unknownGuests(name: string): ByNode {
	const out: ByNode = new Map();
	for (const { topic, g } of guestsOf(name).value)
		if (g.status === 'unknown') put(out, g.node, { topic, reason: g.reason ?? '' });
	return out;
}

function unknownStorages(name: string): ByNode {
	const out: ByNode = new Map();
	for (const topic of topicsOf('STORAGE_STATE', name).value) {
		const s = doc<StorageState>(topic).value;
		if (!s || s.status === 'disabled') continue;
		const verdict = freshness(topic).value;
		if (verdict !== 'live') put(out, s.node ?? SHARED, { topic, reason: verdictReason(verdict) });
		else if (s.status === 'unknown') put(out, s.node ?? SHARED, { topic, reason: s.reason ?? '' });
	}
	return out;
}

/** A node that is not there is one trouble, with all that is unknown because of it. */
function nodeTrouble(topic: string, guests: ByNode, storages: ByNode): Trouble[] {
	const n = doc<NodeState>(topic).value;
	if (!n || n.status === 'online') return [];
	const lost = [[guests.get(n.node)?.length ?? 0, 'guest'], [storages.get(n.node)?.length ?? 0, 'storage']] as const;
	const counts = lost.filter(([count]) => count > 0).map(([count, what]) => plural(count, what));
	guests.delete(n.node);
	storages.delete(n.node);
	const detail = [counts.length ? `${counts.join(', ')} unknown` : '', n.reason ?? ''].filter(Boolean).join(' · ');
	return [(n.status === 'offline' ? crit : warn)(topic, `Node ${n.node} is ${n.status}`, detail, topic)];
}

function guestName(topic: string): string {
	const g = doc<GuestState>(topic).value;
	return g?.name ?? `Guest ${g?.vmid ?? ''}`;
}

function guestErrors(name: string): Trouble[] {
	const groups = new Map<string, Trouble[]>();
	for (const { topic, g } of guestsOf(name).value) {
		if (!g.status.endsWith('-error')) continue;
		const group = `guests of node ${g.node}: ${g.status}`;
		const one = crit(topic, `${guestName(topic)}: ${g.status}`, g.reason ?? '', topic);
		groups.set(group, [...groups.get(group) ?? [], one]);
	}
	return [...groups].flatMap(([group, list]) => {
		if (list.length <= NAMED) return list;
		return [crit(`${name} ${group}`, `${list.length} ${group}`, list[0]!.detail)];
	});
}

function guestTrouble(name: string, byNode: ByNode): Trouble[] {
	const few = [...byNode.values()].reduce((n, list) => n + list.length, 0) <= NAMED;
	return [...byNode].flatMap(([node, list]) => {
		if (few || list.length === 1)
			return list.map((g) => warn(g.topic, `${guestName(g.topic)} is unknown`, g.reason, g.topic));
		return [warn(`${name} guests ${node}`, `${list.length} guests of node ${node} are unknown`, list[0]!.reason)];
	});
}

/** One line a node, with what the node's source itself says; sources that have just begun share one. */
function storageTrouble(name: string, c: ClusterState, byNode: ByNode): Trouble[] {
	const out: Trouble[] = [];
	const early: string[] = [];
	for (const [node, list] of byNode) {
		const error = c.sources[`storage.${node}`]?.error;
		const n = list.length;
		if (!error && list.every((s) => freshness(s.topic).value === 'not-answered')) {
			early.push(node === SHARED ? 'the shared ones' : `node ${node}`);
			continue;
		}
		const which = n === 1 ? `Storage ${doc<StorageState>(list[0]!.topic).value?.storage ?? ''}` : `${n} storages`;
		const text = node === SHARED
			? `${n === 1 ? which : `${n} shared storages`} ${are(n)} unknown`
			: `${which} of node ${node} ${are(n)} unknown`;
		out.push(warn(`${name} storages ${node}`, text, error ?? list[0]!.reason));
	}
	if (early.length) out.push(warn(`${name} storages`, 'Storages have not answered yet', early.join(', ')));
	return out;
}

function storageFaults(topic: string): Trouble[] {
	const s = doc<StorageState>(topic).value;
	if (!s || s.status === 'disabled' || s.status === 'unknown' || freshness(topic).value !== 'live') return [];
	const who = `Storage ${s.storage}${s.node ? ` of node ${s.node}` : ''}`;
	if (s.status !== 'available') return [warn(topic, `${who} is ${s.status}`, s.reason ?? '', topic)];
	const used = share(s.used, s.total) ?? 0;
	if (used < FULL_WARN) return [];
	return [(used >= FULL_CRIT ? crit : warn)(topic, `${who} is ${used.toFixed(0)}% full`, '', topic)];
}

/* ── hardware, high availability, Ceph ── */

function heatTrouble(name: string): Trouble[] {
	return seen<NodeThermal>('NODE_THERMAL', name).flatMap(({ topic, d, live }) => {
		const { heat, celsius: at, limits } = cpuHeat(d);
		if (!live || (heat !== 'hot' && heat !== 'critical')) return [];
		const text = `Node ${d.node} is ${heat === 'critical' ? 'critically hot' : 'hot'}: ${celsius(at)}`;
		const detail = `its limit is ${celsius(limits.max)}, critical ${celsius(limits.critical)}`;
		return [(heat === 'critical' ? crit : warn)(topic, text, detail, nodeTopic(name, d.node))];
	});
}

function diskTrouble(name: string): Trouble[] {
	const disks = seen<DiskState>('DISK_STATE', name).filter((x) => x.live && diskWord(x.d) === 'failing');
	const pools = seen<ZfsPool>('POOL_STATE', name).filter((x) => x.live && x.d.health && x.d.health !== 'ONLINE');
	return [
		...disks.map(({ topic, d }) => crit(
			topic, `Disk ${d.device ?? d.serial} of node ${d.node} is failing`,
			`${d.model ?? 'disk'} ${d.serial}: SMART says ${d.health}`, nodeTopic(name, d.node),
		)),
		...pools.map(({ topic, d }) => crit(
			topic, `Pool ${d.pool} of node ${d.node} is ${d.health}`, d.bad_devices.join(', '), nodeTopic(name, d.node),
		)),
	];
}

/** A backup that failed is worth an eye; that one is missing is said under Health. */
function backupTrouble(name: string): Trouble[] {
	const list = backupCounts(name).failing;
	if (list.length > NAMED) return [warn(`${name} backups`, `The last backups of ${list.length} guests have failed`)];
	return list.map((t) => {
		const why = doc<GuestBackup>(sibling(t, 'backup')).value?.last_error ?? '';
		return warn(sibling(t, 'backup'), `Backup of ${guestName(t)} failed`, why, t);
	});
}

function serviceTrouble(name: string): Trouble[] {
	const out: Trouble[] = [];
	const [ha, ceph] = [`pve/${name}/ha`, `pve/${name}/ceph`];
	if (freshness(ha).value === 'live')
		for (const s of doc<HaState>(ha).value?.services ?? [])
			if (/error|fence|recovery/.test(s.state ?? ''))
				out.push(crit(`${ha} ${s.sid}`, `High availability: ${s.sid} is in ${s.state}`, s.comment ?? ''));
	const c = doc<CephState>(ceph).value;
	if (c && freshness(ceph).value === 'live' && c.health !== 'HEALTH_OK') {
		const detail = c.checks.map((x) => x.text ?? x.name).join(', ');
		out.push((c.health === 'HEALTH_ERR' ? crit : warn)(ceph, `Ceph says ${c.health ?? 'nothing of its health'}`,
			detail));
	}
	return out;
}

function ofCluster(name: string): Trouble[] {
	const c = doc<ClusterState>(clusterTopic(name)).value;
	if (!c) return [];
	const verdict = sourceFreshness(OWNER, clusterTopic(name), 'resources').value;
	if (verdict !== 'live') return [unwatched(name, c, verdict)];
	const guests = unknownGuests(name);
	const storages = unknownStorages(name);
	return [
		...clusterTrouble(name, c),
		...topicsOf('NODE_STATE', name).value.flatMap((topic) => nodeTrouble(topic, guests, storages)),
		...guestErrors(name),
		...guestTrouble(name, guests),
		...storageTrouble(name, c, storages),
		...topicsOf('STORAGE_STATE', name).value.flatMap(storageFaults),
		...diskTrouble(name),
		...heatTrouble(name),
		...serviceTrouble(name),
		...backupTrouble(name),
	];
}

/** With several clusters, each trouble says whose it is. */
function named(name: string): Trouble[] {
	const list = ofCluster(name);
	if (clusters.value.length < 2) return list;
	return list.map((t) => (t.text.startsWith(`Cluster ${name} `) ? t : { ...t, text: `${name}: ${t.text}` }));
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
