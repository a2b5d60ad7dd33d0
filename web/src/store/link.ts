/* SPDX-License-Identifier: MIT */
/*
 * The WebSocket that mirrors the bus. One subscription covers the page. When the socket is lost everything is stale
 * at once and stays on the screen; the snapshot after the next connection replaces it.
 */
import { batch, effect, signal, untracked } from '@preact/signals';
import { backoffMs } from '../lib/backoff.ts';
import { now, onTick, serverOffset } from './clock.ts';
import { keepOnly, match, setDocs } from './docs.ts';
import { brokenSince, brokerUp, forgetEvidence, setEvidence, socketOpen } from './fresh.ts';
import { checkSession, loggedOut, loginState, onLeave } from './session.ts';
import { covered } from './view.ts';

const FILTERS = ['link', 'pve/#', 'service/#', 'event/#', 'action/+/state', 'autonomy/state', 'audit/checkpoint'];
const PING_MS = 15_000;
/** A socket that says nothing for this long, though we ask, is dead. */
const DEAD_MS = 40_000;
/** And one that does not even say hello. */
const GREETING_MS = 10_000;
const UNAUTHORISED = 4401;
/** What changed while a snapshot was written is not in it but in the changes right after. */
const SETTLE_MS = 500;

interface Frame {
	op: string;
	now?: number;
	version?: string;
	docs?: Record<string, unknown>;
	events?: [string, unknown][];
	seen?: Record<string, number | null>;
	more?: boolean;
	detail?: string;
}

export type LinkState = 'idle' | 'connecting' | 'open' | 'lost';
export const linkState = signal<LinkState>('idle');
/** Wall time of the next attempt; null while there is none planned. */
export const retryAt = signal<number | null>(null);
export const linkSince = signal<number | null>(null);
/** True once the first snapshot is complete. */
export const loaded = signal(false);
/** The socket answers, in milliseconds; null: not measured. */
export const roundTrip = signal<number | null>(null);

/** Called after a frame of live changes was applied. */
export type BatchListener = (frame: {
	docs: Record<string, unknown>; events: [string, unknown][]; seen: Record<string, number | null>,
}) => void;
const listeners = new Set<BatchListener>();
export const onBatch = (fn: BatchListener) => void listeners.add(fn);

let socket: WebSocket | null = null;
let attempt = 0;
let timer: ReturnType<typeof setTimeout> | undefined;
let lastFrameAt = 0;
let lastPingAt = 0;
let pingSentAt: number | null = null;
/** Topics that the present snapshot, and the changes since, have named. */
let snapshot: Set<string> | null = null;
let pruneAt = Infinity;
let subscription = 0;
/** The version of Jarvis that this page came from. */
let running: string | undefined;

function send(message: object): void {
	if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

/** Drops what a complete snapshot did not name. */
function prune(): void {
	if (!snapshot || now() < pruneAt) return;
	keepOnly(snapshot);
	endSnapshot();
}

function endSnapshot(): void {
	snapshot = null;
	pruneAt = Infinity;
}

function subscribe(): void {
	snapshot = new Set();
	subscription++;
	send({ op: 'sub', id: subscription, filters: FILTERS });
}

function applySnap(f: Frame): void {
	const docs = f.docs ?? {};
	snapshot ??= new Set();
	for (const topic of Object.keys(docs)) snapshot.add(topic);
	setDocs(docs);
	setEvidence(f.seen ?? {});
	if (f.more) return;
	pruneAt = now() + SETTLE_MS;
	loaded.value = true;
	notify({ docs, events: [], seen: f.seen ?? {} });
}

/** Streams carry no state of their own to keep, but their last word is worth showing. */
function streamDocs(events: [string, unknown][]): Record<string, unknown> {
	const out: Record<string, unknown> = {};
	for (const [topic, value] of events) if (match(topic)?.id === 'SERVICE_HEALTH') out[topic] = value;
	return out;
}

/** A stream is never retained: that it came at all is evidence. */
function streamEvidence(docs: Record<string, unknown>): Record<string, number> {
	const out: Record<string, number> = {};
	for (const topic of Object.keys(docs)) if (match(topic)?.id === 'SERVICE_HEALTH') out[topic] = 0;
	return out;
}

/*
 * A page that nobody sees draws nothing, and one that is seen draws at most a few times a second: changes are kept,
 * the newest of each topic, and taken in at once. What comes after a pause is taken in without waiting. Bounded by the
 * number of topics.
 */
const PACE_MS = 250;
let lastApplied = 0;
let paceTimer: ReturnType<typeof setTimeout> | undefined;
let held: { docs: Record<string, unknown>; events: [string, unknown][]; at: Map<string, [number | null,
	number]> } | null;
const HELD_EVENTS = 100;

function holdBack(f: Frame): void {
	held ??= { docs: {}, events: [], at: new Map() };
	Object.assign(held.docs, f.docs);
	held.events = [...held.events, ...f.events ?? []].slice(-HELD_EVENTS);
	for (const [topic, ms] of Object.entries(f.seen ?? {})) held.at.set(topic, [ms, now()]);
	clearTimeout(paceTimer);
	if (!document.hidden) paceTimer = setTimeout(release, Math.max(0, lastApplied + PACE_MS - now()));
}

/** Nobody looks, or it has just been drawn. */
const waits = () => document.hidden || held !== null || now() - lastApplied < PACE_MS;

function release(): void {
	const h = held;
	held = null;
	clearTimeout(paceTimer);
	if (!h) return;
	const seen: Record<string, number | null> = {};
	for (const [topic, [ms, at]] of h.at) seen[topic] = ms === null ? null : ms + (now() - at);
	batch(() => applyChange({ op: 'chg', docs: h.docs, events: h.events, seen }));
}

function applyChange(f: Frame): void {
	lastApplied = now();
	const events = f.events ?? [];
	const docs = { ...f.docs, ...streamDocs(events) };
	const seen = { ...streamEvidence(docs), ...f.seen };
	for (const topic of Object.keys(docs)) snapshot?.add(topic);
	setDocs(docs);
	setEvidence(seen);
	notify({ docs, events, seen });
}

function notify(change: Parameters<BatchListener>[0]): void {
	for (const fn of listeners) fn(change);
}

/** After an update of Jarvis a wall display takes the new page by itself; what is being typed is not thrown away. */
function followVersion(version: string | undefined): void {
	if (running !== undefined && version !== undefined && version !== running && !covered.value) location.reload();
	running ??= version;
}

function hello(f: Frame): void {
	followVersion(f.version);
	attempt = 0;
	forgetEvidence();
	if (f.now !== undefined) serverOffset.value = f.now - Date.now();
	linkState.value = 'open';
	linkSince.value = now();
	socketOpen.value = true;
	retryAt.value = null;
	subscribe();
}

function handle(f: Frame): void {
	if (f.op === 'chg' && loaded.value && waits()) return holdBack(f);
	if (held && f.op !== 'pong') release();
	if (f.op === 'hello') hello(f);
	else if (f.op === 'snap') applySnap(f);
	else if (f.op === 'chg') applyChange(f);
	else if (f.op === 'reset') {
		forgetEvidence();
		endSnapshot();
		snapshot = new Set();
	} else if (f.op === 'err') console.warn('jarvis: the gateway refused a message:', f.detail ?? f);
	else if (f.op === 'pong' && pingSentAt !== null) {
		roundTrip.value = now() - pingSentAt;
		pingSentAt = null;
	}
}

function receive(data: unknown): void {
	lastFrameAt = now();
	let frame: Frame;
	try {
		frame = JSON.parse(String(data)) as Frame;
	} catch {
		console.warn('jarvis: the gateway sent what is not JSON');
		return;
	}
	batch(() => handle(frame));
}

function lose(code: number): void {
	socket = null;
	endSnapshot();
	held = null;
	batch(() => {
		socketOpen.value = false;
		roundTrip.value = null;
		if (linkState.value === 'open') linkSince.value = now();
		linkState.value = 'lost';
		if (code === UNAUTHORISED) loggedOut();
	});
	if (loginState.value !== 'out') planRetry();
}

function planRetry(): void {
	const wait = backoffMs(attempt++, Math.random());
	clearTimeout(timer);
	retryAt.value = Date.now() + wait;
	timer = setTimeout(connect, wait);
}

function open(): void {
	const url = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`;
	const ws = new WebSocket(url);
	socket = ws;
	linkState.value = linkState.value === 'lost' ? 'lost' : 'connecting';
	lastFrameAt = now();
	ws.onmessage = (e) => {
		if (socket === ws) receive(e.data);
	};
	ws.onclose = (e) => {
		if (socket === ws) lose(e.code);
	};
}

/** Asks for the session first: a refused upgrade does not tell a browser why. */
async function connect(): Promise<void> {
	clearTimeout(timer);
	retryAt.value = null;
	if (socket) return;
	const answered = await checkSession();
	if (socket) return;
	if (!answered) {
		linkState.value = 'lost';
		planRetry();
	} else if (loginState.value === 'in') {
		open();
	}
}

/** Connects now instead of at the planned time. */
export function retryNow(): void {
	if (socket || loginState.value === 'out') return;
	attempt = 0;
	void connect();
}

function drop(): void {
	const old = socket;
	if (!old) return;
	lose(0);
	old.close();
}

function watch(): void {
	if (!socket) return;
	const t = now();
	if (t - lastFrameAt > (socketOpen.value ? DEAD_MS : GREETING_MS)) return drop();
	if (!socketOpen.value) return;
	if (t - lastPingAt < PING_MS) return;
	lastPingAt = t;
	pingSentAt = t;
	send({ op: 'ping' });
}

/** Who logs out leaves nothing behind. */
function forget(): void {
	endSnapshot();
	batch(() => {
		keepOnly(new Set());
		forgetEvidence();
		loaded.value = false;
		linkState.value = 'idle';
		linkSince.value = null;
		retryAt.value = null;
	});
	attempt = 0;
}

export function startLink(): void {
	onLeave(forget);
	onTick(watch);
	onTick(prune);
	addEventListener('online', retryNow);
	document.addEventListener('visibilitychange', () => {
		clearTimeout(paceTimer);
		if (document.hidden) return;
		release();
		retryNow();
	});
	/* After a login the connection resumes; after a logout it ends. */
	effect(() => {
		const state = loginState.value;
		untracked(() => {
			if (state === 'in' && !socket) open();
			if (state === 'out' && socket) drop();
		});
	});
	effect(() => {
		const whole = socketOpen.value && brokerUp.value;
		if (whole) brokenSince.value = null;
		else if (brokenSince.peek() === null) brokenSince.value = now();
	});
	void connect();
}
