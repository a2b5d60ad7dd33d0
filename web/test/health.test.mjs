// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { describe, test } from 'node:test';
import { allowedAge, backupWord, longestPause } from '../src/lib/backup.ts';
import { cpuHeat, heat, limitsOf } from '../src/lib/heat.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = 1_800_000_000_000;

/** What the services must say, too. */
const data = JSON.parse(readFileSync(new URL('../../tests/data/backup.json', import.meta.url), 'utf8'));

describe('the pause of a schedule', () => {
	for (const [schedule, days] of [...Object.entries(data.pauses), [null, 1]])
		test(`${schedule}: ${days} days`, () => assert.equal(longestPause(schedule), days));
	test('the most frequent enabled job counts', () => {
		assert.equal(allowedAge(['weekly', 'nightly'], data.jobs), DAY + 26 * HOUR);
		assert.equal(allowedAge(['weekly', 'off'], data.jobs), 7 * DAY + 26 * HOUR);
	});
});

describe('one word for backups', () => {
	const ago = (hours) => (hours === undefined ? null : NOW - hours * HOUR);

	for (const { word, ok, error, covered = true, backups = 3, jobs } of data.words)
		test(`${word}: ${JSON.stringify({ ok, error, covered, backups, jobs })}`, () => {
			const b = { last_ok_ms: ago(ok), last_error_ms: ago(error), covered, jobs, backups, reason: null };
			assert.equal(backupWord(b, data.jobs, NOW), word);
		});
	test('of what nobody said anything of', () => assert.equal(backupWord(null, data.jobs, NOW), 'unknown'));
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
