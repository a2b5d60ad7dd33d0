// Reads how many tests passed from what test programs print.
import { existsSync, readFileSync } from 'node:fs';

/**
 * The TAP of cmocka 1.1: a plan line a group, "ok 1 - name", "not ok 3 # SKIP name".
 * Null when it is no TAP, i.e. not a cmocka program.
 */
export function countCmocka(output) {
	const counts = { passed: 0, failed: 0, skipped: 0 };
	let planned = null;
	for (const line of output.split('\n')) {
		const plan = /^1\.\.(\d+)\s*$/.exec(line);
		if (plan) planned = (planned ?? 0) + Number(plan[1]);
		else if (/^(not )?ok \d+.*# SKIP/i.test(line)) counts.skipped++;
		else if (/^ok \d+/.test(line)) counts.passed++;
		else if (/^not ok \d+/.test(line)) counts.failed++;
	}
	if (planned === null) return null;
	const missing = planned - counts.passed - counts.failed - counts.skipped;
	return missing > 0 ? { ...counts, failed: counts.failed + missing } : counts;
}

/** The summary at the end of node:test's TAP; a file that got no so far counts the lines it wrote. */
export function countNodeTest(tapFile) {
	const text = existsSync(tapFile) ? readFileSync(tapFile, 'utf8') : '';
	const summary = (key) => Number(new RegExp(`^# ${key} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
	if (/^# tests \d+$/m.test(text)) {
		return {
			passed: summary('pass'),
			failed: summary('fail') + summary('cancelled'),
			skipped: summary('skipped') + summary('todo'),
		};
	}
	const lines = (pattern) => (text.match(pattern) ?? []).length;
	return { passed: lines(/^ok \d+/gm), failed: lines(/^not ok \d+/gm), skipped: 0 };
}
