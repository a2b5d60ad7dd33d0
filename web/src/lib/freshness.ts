/* SPDX-License-Identifier: MIT */
/*
 * The one rule of freshness, as common/fresh has it, seen from a browser: a document is live while our own path to
 * the bus is whole, its owner is online, and its source, in the owner's source document, is younger than three
 * periods. A retained copy is data, not evidence of life. Pure: no clock, no socket.
 */

/** not-answered: the source has given no answer since its owner started, which is not the same as an old one. */
export type Verdict =
	| 'live' | 'no-socket' | 'no-broker' | 'owner-offline' | 'source-old' | 'not-answered' | 'no-evidence';

export const PERIODS = 3;
/** A service that says nothing for this long is not proof of anything; services report every 10 s. */
export const HEARTBEAT_MS = 30_000;

/** When a live message of a topic last reached the gateway, as told to us at `at` (our monotonic clock). */
export interface Evidence {
	seenMs: number | null;
	at: number;
}

export interface SourceEntry {
	last_ok_ms: number | null;
	period_s: number;
}

export interface Path {
	socket: boolean;
	broker: boolean;
}

/** Milliseconds since a live message of this topic reached the gateway; null: there was none. */
export function silence(evidence: Evidence | null, now: number): number | null {
	if (!evidence || evidence.seenMs === null) return null;
	return evidence.seenMs + Math.max(0, now - evidence.at);
}

/** Age of what a source said; `ts` and `last_ok_ms` are both its owner's clock, so ours does not matter. */
export function sourceAge(ts: number, entry: SourceEntry, evidence: Evidence | null, now: number): number | null {
	const quiet = silence(evidence, now);
	if (quiet === null || entry.last_ok_ms === null) return null;
	return Math.max(0, ts - entry.last_ok_ms) + quiet;
}

function judgePath(path: Path): Verdict | null {
	if (!path.socket) return 'no-socket';
	return path.broker ? null : 'no-broker';
}

export interface SourceView {
	ts: number;
	entry: SourceEntry | null;
	evidence: Evidence | null;
}

/** The verdict on a document with a source. */
export function judgeSource(path: Path, ownerOnline: boolean, source: SourceView | null, now: number): Verdict {
	const broken = judgePath(path);
	if (broken) return broken;
	if (!ownerOnline) return 'owner-offline';
	if (!source || !source.entry || silence(source.evidence, now) === null) return 'no-evidence';
	if (source.entry.last_ok_ms === null) return 'not-answered';
	const age = sourceAge(source.ts, source.entry, source.evidence, now);
	return age !== null && age < source.entry.period_s * 1000 * PERIODS ? 'live' : 'source-old';
}

/** The verdict on a document without a source, and on a service itself: online, and heard of. */
export function judgeOwner(path: Path, ownerOnline: boolean, heard: (Evidence | null)[], now: number): Verdict {
	const broken = judgePath(path);
	if (broken) return broken;
	if (!ownerOnline) return 'owner-offline';
	return heard.some((e) => silence(e, now) !== null) ? 'live' : 'no-evidence';
}

const REASONS: Record<Verdict, string> = {
	live: 'live',
	'no-socket': 'this page has no connection to Jarvis',
	'no-broker': 'Jarvis has lost its message broker',
	'owner-offline': 'the service that reports it is offline',
	'source-old': 'its source has not answered for three periods',
	'not-answered': 'its source has not answered yet',
	'no-evidence': 'not confirmed since we connected',
};

export function verdictReason(verdict: Verdict): string {
	return REASONS[verdict];
}
