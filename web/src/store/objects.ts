/* SPDX-License-Identifier: MIT */
/* How the documents of one object find each other, and documents with what may be believed of them. */
import type {
	BackupPosture, ClusterState, GuestBackup, GuestSnapshots, NodeThermal,
} from '../generated/topics.ts';
import { backupWord, type BackupWord } from '../lib/backup.ts';
import { cpuHeat, type CpuHeat } from '../lib/heat.ts';
import type { TopicId } from '../lib/topics.ts';
import { slowWall } from './clock.ts';
import { clusterTopic, doc, topicsOf, word } from './docs.ts';
import { freshness } from './fresh.ts';

export const nodeTopic = (cluster: string, node: string) => `pve/${cluster}/node/${node}/state`;
export const guestTopic = (cluster: string, vmid: number | string) => `pve/${cluster}/guest/${vmid}/state`;
/** Another document of the same object: …/state to …/backup. */
export const sibling = (topic: string, what: string) => topic.replace(/[^/]*$/, what);
export const backupsTopic = (cluster: string) => `pve/${cluster}/backups`;

/** Topics of a kind that belong to one node. */
export function ofNode(id: TopicId, cluster: string, node: string): string[] {
	return topicsOf(id, cluster).value.filter((t) => word(t, 'node') === node);
}

export interface Seen<T> {
	topic: string;
	d: T;
	live: boolean;
}

/** Every document of a kind in a cluster, with whether it may be believed. */
export function seen<T>(id: TopicId, cluster: string): Seen<T>[] {
	return topicsOf(id, cluster).value.flatMap((topic) => {
		const d = doc<T>(topic).value;
		return d ? [{ topic, d, live: freshness(topic).value === 'live' }] : [];
	});
}

export const posture = (cluster: string) => doc<BackupPosture>(backupsTopic(cluster)).value;

/** What a job is called: its comment, which people wrote, rather than its id. */
export function jobName(cluster: string, id: string): string {
	return posture(cluster)?.jobs.find((j) => j.id === id)?.comment || id;
}

/** The one word for a guest's backups, by the topic of its state. */
export function backupOf(guest: string): { b: GuestBackup | null; word: BackupWord; live: boolean } {
	const topic = sibling(guest, 'backup');
	const b = doc<GuestBackup>(topic).value;
	const jobs = posture(word(guest, 'cluster'))?.jobs ?? [];
	return { b, word: backupWord(b, jobs, slowWall.value), live: freshness(topic).value === 'live' };
}

/** When the oldest snapshot of a guest was made; null: none, or not known. */
export function oldestSnapshot(guest: string): number | null {
	const list = doc<GuestSnapshots>(sibling(guest, 'snapshots')).value?.snapshots ?? [];
	const times = list.flatMap((s) => (s.time_ms === null ? [] : [s.time_ms]));
	return times.length ? Math.min(...times) : null;
}

export interface NodeHeat extends CpuHeat {
	live: boolean;
	reason: string;
}

const NO_HEAT = { celsius: null, limits: { max: 0, critical: 0, own: false }, heat: '' as const, sensor: '' };

/** How hot a node's processor is; what is not known says why. */
export function heatOf(node: string): NodeHeat {
	const topic = sibling(node, 'thermal');
	const t = doc<NodeThermal>(topic).value;
	if (!t) return { ...NO_HEAT, live: false,
		reason: 'no temperatures: thermal-collector has said nothing of this node' };
	const live = freshness(topic).value === 'live';
	return { ...cpuHeat(t), live, reason: t.reason ?? (live ? '' : 'the reading is old') };
}

export const findingsOf = (cluster: string) => doc<ClusterState>(clusterTopic(cluster)).value?.findings ?? [];
