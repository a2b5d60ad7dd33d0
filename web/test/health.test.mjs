// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { describe, test } from 'node:test';
import { allowedAge, backupWord, longestPause } from '../src/lib/backup.ts';
import { cpuHeat, heat, limitsOf } from '../src/lib/heat.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = 1_800_000_000_000;
const JOBS = [
	{ id: 'nightly', enabled: true, schedule: '02:30' }, { id: 'weekly', enabled: true, schedule: 'sun 04:00' },
	{ id: 'off', enabled: false, schedule: '*/2:00' },
];
const guest = (over = {}) => ({
	last_ok_ms: NOW - 10 * HOUR, last_error_ms: null, covered: true, jobs: ['nightly'], backups: 3, reason: null, ...over,
});
const word = (over) => backupWord(guest(over), JOBS, NOW);

describe('the pause of a schedule', () => {
	for (const [schedule, days] of [
		['02:30', 1], ['*/6:00', 1], ['sun 04:00', 7], ['mon..fri 22:00', 3], ['mon,wed,fri 1:00', 3], ['sat,sun 3:00', 6],
		['fri..mon 1:00', 4], ['monthly', 31], ['*-*-01 02:00', 31], ['weekly', 7], ['yearly', 366], [null, 1],
	]) test(`${schedule}: ${days} days`, () => assert.equal(longestPause(schedule), days));
	test('the most frequent enabled job counts', () => {
		assert.equal(allowedAge(['weekly', 'nightly'], JOBS), DAY + 26 * HOUR);
		assert.equal(allowedAge(['weekly', 'off'], JOBS), 7 * DAY + 26 * HOUR);
	});
});

describe('one word for backups', () => {
	test('fine until a run was missed, with a day of grace', () => {
		assert.equal(word({}), 'fine');
		assert.equal(word({ last_ok_ms: NOW - 49 * HOUR }), 'fine');
		assert.equal(word({ last_ok_ms: NOW - 51 * HOUR }), 'stale');
		assert.equal(word({ last_ok_ms: NOW - 6 * DAY, jobs: ['weekly'] }), 'fine');
	});
	test('a failure after the last good one is a failure, an older one is history', () => {
		assert.equal(word({ last_error_ms: NOW - HOUR }), 'failed');
		assert.equal(word({ last_error_ms: NOW - 20 * HOUR }), 'fine');
		assert.equal(word({ last_ok_ms: null, last_error_ms: NOW - HOUR }), 'failed');
	});
	test('not covered, never, unknown: each its own word', () => {
		assert.equal(word({ covered: false, jobs: [] }), 'uncovered');
		assert.equal(word({ last_ok_ms: null, backups: 0 }), 'never');
		assert.equal(word({ last_ok_ms: null, backups: null, reason: 'nas could not be read' }), 'unknown');
		assert.equal(word({ covered: null }), 'unknown');
		assert.equal(backupWord(null, JOBS, NOW), 'unknown');
	});
});

describe('heat', () => {
	test('by the chip’s own limits, or the usual ones where it names none', () => {
		assert.deepEqual(limitsOf({ max: 80, critical: 100 }), { max: 80, critical: 100, own: true });
		assert.deepEqual(limitsOf({ max: null, critical: 100 }), { max: 90, critical: 100, own: true });
		assert.deepEqual(limitsOf({ max: 0, critical: null }), { max: 85, critical: 100, own: false });
		assert.deepEqual(limitsOf({ max: 127, critical: 90 }), { max: 80, critical: 90, own: true });
		assert.equal(heat(79, limitsOf({ max: 80, critical: 100 })), 'warm');
		assert.equal(heat(80, limitsOf({ max: 80, critical: 100 })), 'hot');
		assert.equal(heat(101, limitsOf({ max: 80, critical: 100 })), 'critical');
		assert.equal(heat(null, limitsOf(null)), '');
	});
	test('the limits of the sensor that is the hottest of the processor', () => {
		const temperatures = [
			{ sensor: 'nvme Composite', celsius: 61, max: 70, critical: 75 }, { sensor: 'coretemp Package id 0', celsius: 61, max: 95, critical: 105 },
		];
		assert.equal(cpuHeat({ cpu: 61, temperatures }).limits.max, 95);
		assert.equal(cpuHeat({ cpu: null, temperatures }).heat, '');
	});
});

test('colours are named in the mode files and nowhere else', () => {
	const dir = new URL('../src/style/', import.meta.url);
	const modes = readdirSync(dir).filter((f) => f.startsWith('mode-'));
	assert.equal(modes.length, 3);
	const tokens = (f) => [...readFileSync(new URL(f, dir), 'utf8').matchAll(/--[\w-]+(?=:)/g)].map((m) => m[0]).sort();
	for (const f of modes) assert.deepEqual(tokens(f), tokens(modes[0]), `${f} has every token`);
	for (const f of readdirSync(dir).filter((x) => !x.startsWith('mode-')))
		assert.doesNotMatch(readFileSync(new URL(f, dir), 'utf8'), /#[0-9a-f]{3,8}\b|rgba?\(|hsla?\(/i, f);
});
