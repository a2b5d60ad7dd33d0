/* SPDX-License-Identifier: MIT */
/*
 * The cluster's health in few lines: one function a line, from the documents alone. What is not reported is said
 * calmly; what is old says so; worse than either is what is wrong.
 */
import { computed, type ReadonlySignal } from '@preact/signals';
import type {
	CephState, ClusterState, DiskState, GuestBackup, HaState, NodeThermal, NodeUpdates, ZfsPool,
} from '../generated/topics.ts';
import { backupWord, type BackupWord } from '../lib/backup.ts';
import { celsius, DASH, duration, plural } from '../lib/format.ts';
import { cpuHeat } from '../lib/heat.ts';
import { slowWall } from './clock.ts';
import { clusterTopic, doc, kindVersion, peekDoc } from './docs.ts';
import { freshness, sourceFreshness } from './fresh.ts';
import { guestTopics } from './census.ts';
import { posture, seen, sibling, type Seen } from './objects.ts';

export type HealthTone = 'ok' | 'warn' | 'crit' | 'none' | 'stale';

export interface Health {
	tone: HealthTone;
	text: string;
	/** More of it, for those who ask. */
	title?: string;
}

const none = (text: string, title = ''): Health => ({ tone: 'none', text, title });
const stale = (text = 'stale'): Health => ({ tone: 'stale', text });
const names = (list: { d: { node: string } }[]) => [...new Set(list.map((x) => x.d.node))].join(', ');

function quorum(cluster: string): Health {
	const c = doc<ClusterState>(clusterTopic(cluster)).value;
	if (!c) return none('not reported');
	if (sourceFreshness('proxmox-poller', clusterTopic(cluster), 'status').value !== 'live') return stale();
	if (c.standalone) return { tone: 'ok', text: 'standalone' };
	if (c.quorate === null) return { tone: 'warn', text: 'unknown' };
	const votes = `${c.votes ?? DASH} of ${c.votes_expected ?? DASH} votes`;
	if (!c.quorate) return { tone: 'crit', text: 'lost', title: votes };
	const spare = (c.votes ?? 0) - (c.votes_needed ?? 0);
	return { tone: spare > 0 ? 'ok' : 'warn', text: spare > 0 ? votes : 'no vote to spare', title: votes };
}

const HA_BAD = /error|fence|recovery|unknown/;

function ha(cluster: string): Health {
	const topic = `pve/${cluster}/ha`;
	const h = doc<HaState>(topic).value;
	if (!h) return none('not reported');
	if (freshness(topic).value !== 'live') return stale();
	if (h.services.length === 0) return none('not used');
	const bad = h.services.filter((s) => HA_BAD.test(s.state ?? 'unknown'));
	if (bad.length) return { tone: 'crit', text: `${bad[0]!.sid} ${bad[0]!.state ?? 'unknown'}` };
	const upkeep = h.nodes.filter((n) => /maintenance/.test(n.state ?? ''));
	if (upkeep.length) return { tone: 'warn', text: `${upkeep[0]!.node} in maintenance` };
	if (h.quorate === false) return { tone: 'crit', text: 'no quorum' };
	return { tone: 'ok', text: `${h.services.length} managed`, title: `master ${h.master ?? DASH}` };
}

const CEPH_TONE: Record<string, HealthTone> = { HEALTH_OK: 'ok', HEALTH_WARN: 'warn', HEALTH_ERR: 'crit' };

function ceph(cluster: string): Health {
	const topic = `pve/${cluster}/ceph`;
	const c = doc<CephState>(topic).value;
	if (!c) return none('not used');
	if (freshness(topic).value !== 'live') return stale();
	const text = c.checks.length ? plural(c.checks.length,
		'complaint') : `${c.osds_up ?? DASH} of ${c.osds ?? DASH} OSDs up`;
	return { tone: CEPH_TONE[c.health ?? ''] ?? 'warn', text, title: c.health ?? 'health unknown' };
}

function findings(cluster: string): Health {
	const list = doc<ClusterState>(clusterTopic(cluster)).value?.findings ?? [];
	if (list.length === 0) return { tone: 'ok', text: 'none' };
	const bad = list.some((f) => f.severity === 'critical');
	const worth = bad || list.some((f) => f.severity === 'warning');
	const title = list.map((f) => f.title).join('\n');
	return { tone: bad ? 'crit' : worth ? 'warn' : 'none', text: `${list.length} to mend`, title };
}

export type Counts = Record<BackupWord, number> & {
	outdated: number;
	all: number;
	/** Guests, by topic, whose last attempt failed. */
	failing: string[];
};

const counts = new Map<string, ReadonlySignal<Counts>>();

/** How many guests are backed up how well, and how many of the documents are old. */
export function backupCounts(cluster: string): Counts {
	let found = counts.get(cluster);
	if (!found) counts.set(cluster, (found = computed(() => count(cluster))));
	return found.value;
}

function count(cluster: string): Counts {
	const out: Counts = { fine: 0, stale: 0, failed: 0, uncovered: 0, never: 0, unknown: 0, outdated: 0, all: 0,
		failing: [] };
	const jobs = posture(cluster)?.jobs ?? [];
	void kindVersion('GUEST_BACKUP').value;
	for (const topic of guestTopics(cluster).value) {
		const t = sibling(topic, 'backup');
		const b = peekDoc<GuestBackup>(t);
		out.all++;
		const word = backupWord(b, jobs, slowWall.value);
		out[word]++;
		if (b && freshness(t).value !== 'live') out.outdated++;
		else if (word === 'failed') out.failing.push(topic);
	}
	return out;
}

function backups(cluster: string): Health {
	if (!posture(cluster)) return none('not reported');
	const n = backupCounts(cluster);
	if (n.outdated > 0) return stale();
	const said = ([['failed', 'failed'], ['never', 'without any'], ['uncovered', 'not covered'], ['stale', 'too old'],
		['unknown', 'unknown']] as const).filter(([w]) => n[w] > 0).map(([w, text]) => `${n[w]} ${text}`);
	const title = [...said, `${n.fine} fine`].join(', ');
	if (said.length === 0) return { tone: 'ok', text: `all ${n.all} fine`, title };
	return { tone: n.failed ? 'crit' : 'warn', text: said[0]!, title };
}

export const WEAR_WARN = 20;
const SMART_GOOD = /^(passed|ok)$/i;

export type DiskWord = 'fine' | 'worn' | 'failing' | 'asleep' | 'unknown';

/** What to think of a disk. */
export function diskWord(d: DiskState): DiskWord {
	if (d.health && !SMART_GOOD.test(d.health) && !/unknown/i.test(d.health)) return 'failing';
	const errors = (d.pending ?? 0) > 0 || (d.media_errors ?? 0) > 0;
	if (errors || (d.reallocated ?? 0) > 0 || (d.life_left !== null && d.life_left < WEAR_WARN)) return 'worn';
	if (d.health && SMART_GOOD.test(d.health)) return 'fine';
	return /sleep|standby|woken|spun/i.test(d.reason ?? '') ? 'asleep' : 'unknown';
}

const dead = (list: Seen<unknown>[]) => list.length > 0 && list.every((x) => !x.live);

function disks(cluster: string): Health {
	const list = seen<DiskState>('DISK_STATE', cluster);
	const pools = seen<ZfsPool>('POOL_STATE', cluster);
	if (list.length + pools.length === 0) return none('not reported');
	if (dead([...list, ...pools])) return stale();
	const bad = list.filter((x) => diskWord(x.d) === 'failing');
	const sick = pools.filter((x) => x.d.health !== null && x.d.health !== 'ONLINE');
	if (bad.length) return { tone: 'crit', text: `${plural(bad.length, 'disk')} failing`, title: names(bad) };
	if (sick.length) return { tone: 'crit', text: `${sick[0]!.d.pool} ${sick[0]!.d.health!.toLowerCase()}`,
		title: names(sick) };
	const worn = list.filter((x) => diskWord(x.d) === 'worn');
	if (worn.length) return { tone: 'warn', text: `${worn.length} of ${list.length} worn`, title: names(worn) };
	return { tone: 'ok', text: list.length ? `${plural(list.length, 'disk')} fine` : `${plural(pools.length, 'pool')} online` };
}

const HEAT_TONE: Record<string, HealthTone> = { '': 'ok', warm: 'ok', hot: 'warn', critical: 'crit' };

function heat(cluster: string): Health {
	const list = seen<NodeThermal>('NODE_THERMAL', cluster);
	if (list.length === 0) return none('not reported', 'thermal-collector has said nothing yet');
	const known = list.filter((x) => x.live && x.d.cpu !== null);
	if (known.length === 0) return dead(list) ? stale() : none('unknown', list[0]!.d.reason ?? '');
	const ranked = known.map((x) => ({ ...cpuHeat(x.d), node: x.d.node })).sort((a, b) => b.celsius! - a.celsius!);
	const worst = ranked.find((x) => x.heat === 'critical') ?? ranked.find((x) => x.heat === 'hot') ?? ranked[0]!;
	return {
		tone: HEAT_TONE[worst.heat]!, text: `${celsius(worst.celsius)} ${worst.node}`,
		title: `${worst.sensor} of ${worst.node}; ${known.length} of ${list.length} nodes known`,
	};
}

function updates(cluster: string): Health {
	const list = seen<NodeUpdates>('NODE_UPDATES', cluster);
	if (list.length === 0) return none('not reported');
	if (dead(list)) return stale();
	const known = list.filter((x) => x.d.pending !== null);
	if (known.length === 0) return none('unknown', list[0]!.d.reason ?? '');
	const sum = (f: (u: NodeUpdates) => number | null) => known.reduce((n, x) => n + (f(x.d) ?? 0), 0);
	const [pending, security] = [sum((u) => u.pending), sum((u) => u.security)];
	const title = `${pending} packages, ${security} of them for security, on ${known.length} of ${list.length} nodes`;
	if (security) return { tone: 'warn', text: `${security} for security`, title };
	return { tone: pending ? 'none' : 'ok', text: pending ? `${pending} waiting` : 'up to date', title };
}

const DAY_MS = 86_400_000;
const CERT_WARN_MS = 21 * DAY_MS;
const CERT_CRIT_MS = 5 * DAY_MS;

export function certificateTone(ends: number | null, wall: number): HealthTone {
	if (ends === null) return 'none';
	return ends - wall < CERT_CRIT_MS ? 'crit' : ends - wall < CERT_WARN_MS ? 'warn' : 'ok';
}

function certificates(cluster: string): Health {
	const list = seen<NodeUpdates>('NODE_UPDATES', cluster);
	if (list.length === 0) return none('not reported');
	if (dead(list)) return stale();
	const known = list.filter((x) => x.d.certificate_ends_ms !== null);
	if (known.length === 0) return none('unknown', list[0]!.d.reason ?? '');
	const first = known.reduce((a, b) => (b.d.certificate_ends_ms! < a.d.certificate_ends_ms! ? b : a));
	const left = first.d.certificate_ends_ms! - slowWall.value;
	const tone = certificateTone(first.d.certificate_ends_ms, slowWall.value);
	const title = `${first.d.certificate ?? 'certificate'} of ${first.d.node}`;
	return { tone, text: left <= 0 ? 'expired' : `${duration(left).split(' ')[0]} left`, title };
}

export interface HealthLine {
	key: string;
	label: string;
	view: 'health' | 'backups' | 'hardware';
	look: (cluster: string) => Health;
}

export const HEALTH: readonly HealthLine[] = [
	{ key: 'quorum', label: 'Quorum', view: 'health', look: quorum },
	{ key: 'ha', label: 'High availability', view: 'health', look: ha },
	{ key: 'ceph', label: 'Ceph', view: 'health', look: ceph },
	{ key: 'backups', label: 'Backups', view: 'backups', look: backups },
	{ key: 'disks', label: 'Disks', view: 'hardware', look: disks },
	{ key: 'heat', label: 'Hottest', view: 'hardware', look: heat },
	{ key: 'updates', label: 'Updates', view: 'health', look: updates },
	{ key: 'certificates', label: 'Certificates', view: 'health', look: certificates },
	{ key: 'findings', label: 'Findings', view: 'health', look: findings },
];
