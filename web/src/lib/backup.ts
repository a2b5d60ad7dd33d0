/* SPDX-License-Identifier: MIT */
/* How well a guest is backed up, in one word, from what the poller says of it and when its jobs ought to run. */
import type { BackupJob, GuestBackup } from '../generated/topics.ts';

export type BackupWord = 'fine' | 'stale' | 'failed' | 'uncovered' | 'never' | 'unknown';

const DAY_MS = 86_400_000;
/** One run may be late by this much before its backup is called stale. */
const GRACE_MS = 26 * 3_600_000;
const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

/** Days that a calendar event names: "mon..fri", "sat,sun"; empty when it names none. */
function weekdays(schedule: string): number[] {
	const out = new Set<number>();
	const term = /\b(mon|tue|wed|thu|fri|sat|sun)[a-z]*(?:\.\.(mon|tue|wed|thu|fri|sat|sun))?/gi;
	for (const m of schedule.matchAll(term)) {
		const from = DAYS.indexOf(m[1]!.toLowerCase());
		const to = m[2] ? DAYS.indexOf(m[2].toLowerCase()) : from;
		for (let d = from; ; d = (d + 1) % 7) {
			out.add(d);
			if (d === to) break;
		}
	}
	return [...out].sort((a, b) => a - b);
}

const pauses = new Map<string, number>();

/** The longest time between two runs of a schedule, in whole days; a day where it does not say. */
export function longestPause(schedule: string | null): number {
	const text = schedule ?? '';
	let found = pauses.get(text);
	if (found === undefined) pauses.set(text, (found = pauseOf(text)));
	return found;
}

function pauseOf(text: string): number {
	if (/semiannual/i.test(text)) return 184;
	if (/quarter/i.test(text)) return 92;
	if (/year|annual/i.test(text)) return 366;
	if (/month|\*-\*-\d|\*-\d/i.test(text)) return 31;
	if (/^\s*weekly/i.test(text)) return 7;
	const days = weekdays(text);
	if (days.length === 0) return 1;
	return Math.max(...days.map((d, i) => (i + 1 < days.length ? days[i + 1]! - d : days[0]! + 7 - d)));
}

/** How old the last good backup may be: by the most frequent of the jobs that cover the guest. */
export function allowedAge(jobs: readonly string[], all: readonly BackupJob[]): number {
	const mine = all.filter((j) => j.enabled && jobs.includes(j.id));
	const days = mine.length ? Math.min(...mine.map((j) => longestPause(j.schedule))) : 1;
	return days * DAY_MS + GRACE_MS;
}

function failedSince(b: GuestBackup): boolean {
	return b.last_error_ms !== null && (b.last_ok_ms === null || b.last_error_ms > b.last_ok_ms);
}

/** The worst that is known; what a storage did not say is unknown, never fine. */
export function backupWord(b: GuestBackup | null, jobs: readonly BackupJob[], wall: number): BackupWord {
	if (!b) return 'unknown';
	if (failedSince(b)) return 'failed';
	if (b.covered === false) return 'uncovered';
	if (b.last_ok_ms === null) return b.backups === 0 && b.covered !== null ? 'never' : 'unknown';
	if (b.covered === null) return 'unknown';
	return wall - b.last_ok_ms > allowedAge(b.jobs, jobs) ? 'stale' : 'fine';
}

/** Worst first. */
export const BACKUP_WORDS: readonly BackupWord[] = ['failed', 'uncovered', 'never', 'stale', 'unknown', 'fine'];
