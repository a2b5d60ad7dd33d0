/* SPDX-License-Identifier: MIT */
/* What happened while the page was open: changes of status that it saw itself, tasks, and its own connection. */
import { effect, signal } from '@preact/signals';
import type { ClusterState, EventTask, GuestState, NodeState, StorageState, Task } from '../generated/topics.ts';
import type { TopicId } from '../lib/topics.ts';
import type { IconName } from '../ui/Icon.tsx';
import { match, observeDocs, word } from './docs.ts';
import { socketOpen } from './fresh.ts';
import { onBatch } from './link.ts';
import { loginState, onLeave } from './session.ts';
import { toast } from './toasts.ts';

export type Tone = 'ok' | 'warn' | 'crit' | 'info' | 'none';

export interface Entry {
	id: number;
	at: number;
	icon: IconName;
	tone: Tone;
	text: string;
}

const KEPT = 80;
let next = 1;
export const entries = signal<readonly Entry[]>([]);

function add(tone: Tone, icon: IconName, text: string): void {
	entries.value = [{ id: next++, at: Date.now(), icon, tone, text }, ...entries.value].slice(0, KEPT);
}

type Change = (topic: string, before: never, after: never) => void;

function nodeChanged(_topic: string, a: NodeState, b: NodeState | null): void {
	const name = a.node;
	if (!b) return add('info', 'none', `Node ${name} left the cluster`);
	if (a.status === b.status) return;
	const words = `Node ${name} is ${b.status}`;
	if (b.status === 'online') add('ok', 'online', words);
	else add('crit', b.status === 'offline' ? 'offline' : 'unknown', words);
	if (b.status === 'offline') toast('crit', words, b.reason ?? '');
	else if (a.status === 'offline' && b.status === 'online') toast('ok', words);
}

const GUEST_ICON: Partial<Record<GuestState['status'], IconName>> = {
	running: 'running', stopped: 'stopped', paused: 'paused', suspended: 'paused', unknown: 'unknown',
};

function guestTone(status: GuestState['status']): Tone {
	if (status === 'running') return 'ok';
	if (status.endsWith('-error')) return 'crit';
	return status === 'unknown' ? 'warn' : 'none';
}

function guestChanged(_topic: string, a: GuestState, b: GuestState | null): void {
	const name = a.name ?? `guest ${a.vmid}`;
	if (!b) return add('info', 'none', `${name} is gone`);
	if (a.status !== b.status) add(guestTone(b.status), GUEST_ICON[b.status] ?? 'error', `${name} is ${b.status}`);
	if (a.node !== b.node) add('info', 'move', `${name} moved from ${a.node} to ${b.node}`);
}

function storageChanged(_topic: string, a: StorageState, b: StorageState | null): void {
	if (!b || a.status === b.status) return;
	const good = b.status === 'available';
	add(
		good ? 'ok' : 'warn', good ? 'online' : 'unknown',
		`Storage ${b.storage}${b.node ? ` on ${b.node}` : ''} is ${b.status}`,
	);
}

function clusterChanged(_topic: string, a: ClusterState, b: ClusterState | null): void {
	if (!b || a.quorate === b.quorate || b.quorate === null) return;
	const name = a.cluster;
	const words = b.quorate ? `Cluster ${name} is quorate` : `Cluster ${name} lost its quorum`;
	add(b.quorate ? 'ok' : 'crit', b.quorate ? 'online' : 'error', words);
	toast(b.quorate ? 'ok' : 'crit', words, b.quorate ? '' : 'Proxmox refuses changes until it is back.');
}

function presenceChanged(topic: string, a: string, b: string | null): void {
	if (a === b) return;
	const up = b === 'online';
	const words = `Service ${word(topic, 'service')} is ${b ?? 'gone'}`;
	add(up ? 'ok' : 'crit', up ? 'online' : 'offline', words);
	toast(up ? 'ok' : 'crit', words, up ? '' : 'What it reports is old until it is back.');
}

const CHANGES: Partial<Record<TopicId, Change>> = {
	NODE_STATE: nodeChanged,
	GUEST_STATE: guestChanged,
	STORAGE_STATE: storageChanged,
	CLUSTER_STATE: clusterChanged,
	SERVICE_STATE: presenceChanged,
};

export function taskTitle(t: Task): string {
	return t.id ? `${t.type} ${t.id}` : t.type;
}

/** Tasks have a document of their own, which lists them; only a failure calls for more. */
function taskEvent(e: EventTask): void {
	const t = e.after ?? e.before;
	if (!t || e.event_type !== 'end' || t.status !== 'failed') return;
	toast('crit', `Task ${taskTitle(t)} on ${t.node} failed`, t.exitstatus ?? 'no reason given');
}

export function startActivity(): void {
	observeDocs((topic, before, after) => {
		/* Who logs out takes the documents along: nothing happened. */
		if (loginState.peek() === 'out') return;
		const id = match(topic)?.id;
		if (id) CHANGES[id]?.(topic, before as never, after as never);
	});
	onBatch(({ events }) => {
		for (const [topic, event] of events) if (match(topic)?.id === 'EVENT_TASK') taskEvent(event as EventTask);
	});
	let ever = false;
	effect(() => {
		const up = socketOpen.value;
		if (up) queueMicrotask(() => {
			add('info', 'link', ever ? 'Connection is back' : 'Connected to Jarvis');
			if (ever) toast('ok', 'Connection is back');
		});
		else if (ever) queueMicrotask(() => ever && add('warn', 'link', 'Connection lost'));
		queueMicrotask(() => (ever ||= up));
	});
	onLeave(() => {
		ever = false;
		entries.value = [];
	});
}
