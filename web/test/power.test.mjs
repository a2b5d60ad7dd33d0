// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { countdown } from '../src/lib/format.ts';
import { expectedTier, fileOf, guestTools, helpFor, higher, nodeTools, percentOf, sameJudgement, titleWord, WORDS } from '../src/lib/power.ts';
import { sha256 } from '../src/lib/sha256.ts';

const guest = (over) => ({ type: 'qemu', status: 'running', template: false, lock: null, ha_state: null, ...over });

describe('what fits', () => {
	test('a guest: only what its state allows, the gentlest first', () => {
		assert.equal(guestTools(guest({ status: 'stopped' }))[0], 'guest_start');
		assert.ok(!guestTools(guest({ status: 'stopped' })).includes('guest_shutdown'));
		assert.equal(guestTools(guest({}))[0], 'guest_shutdown');
		assert.ok(!guestTools(guest({})).includes('guest_start'));
		assert.equal(guestTools(guest({ status: 'paused' }))[0], 'guest_resume');
		assert.deepEqual(guestTools(guest({ status: 'unknown' })), []);
		assert.deepEqual(guestTools(guest({ template: true })), []);
	});
	test('a container has no reset button and is not paused', () => {
		const tools = guestTools(guest({ type: 'lxc' }));
		assert.ok(!tools.includes('guest_reset') && !tools.includes('guest_suspend') && tools.includes('guest_stop'));
	});
	test('a node: asleep it can be woken, awake restarted or shut down, unknown nothing', () => {
		assert.deepEqual(nodeTools({ status: 'offline' }), ['node_wake']);
		assert.deepEqual(nodeTools({ status: 'online' }), ['node_reboot', 'node_shutdown']);
		assert.deepEqual(nodeTools({ status: 'unknown' }), []);
	});
	test('every tool above reading has its words', () => {
		const def = readFileSync(new URL('../../common/tools.def', import.meta.url), 'utf8');
		const names = [...def.matchAll(/^TOOL\((\w+), (YELLOW|ORANGE|RED)/gm)].map((m) => m[1]);
		assert.ok(names.length > 10);
		assert.deepEqual(names.filter((n) => !WORDS[n]), []);
	});
});

describe('the tier before the click', () => {
	const def = readFileSync(new URL('../../common/tools.def', import.meta.url), 'utf8');
	const row = (name) => {
		const [, tier, impact] = new RegExp(`^TOOL\\(${name}, (\\w+), (\\w+)`, 'm').exec(def);
		return { name, tier: tier.toLowerCase(), impact: impact.toLowerCase() };
	};
	const many = (n) => Array.from({ length: n }, () => guest({ status: 'stopped' }));
	test('the floor, one higher above three, with a lock, with high availability', () => {
		assert.equal(expectedTier(row('guest_start'), many(3)), 'yellow');
		assert.equal(expectedTier(row('guest_start'), many(4)), 'orange');
		assert.equal(expectedTier(row('guest_stop'), many(4)), 'black');
		assert.equal(expectedTier(row('guest_shutdown'), [guest({ ha_state: 'started' })]), 'red');
		assert.equal(expectedTier(row('guest_migrate'), [guest({ ha_state: 'started' })]), 'red');
		assert.equal(expectedTier(row('guest_start'), [guest({ ha_state: 'started' })]), 'yellow');
		assert.equal(expectedTier(row('guest_start'), [guest({ lock: 'backup' })]), 'orange');
		assert.equal(expectedTier(row('guest_start'), [guest({ lock: 'suspended' })]), 'yellow');
		assert.equal(higher('black'), 'black');
	});
});

test('how far: the percent of a log line, or nothing', () => {
	assert.equal(percentOf('INFO:  42% (13.4 GiB of 32.0 GiB) in 38s'), 42);
	assert.equal(percentOf('drive mirror is transferred 99.5 % so far'), 99.5);
	assert.equal(percentOf('INFO: status = running'), null);
	assert.equal(percentOf('900% sure'), null);
	assert.equal(percentOf(null), null);
});

test('what would help is said for every kind of refusal that a person meets', () => {
	for (const rule of ['frozen', 'gate.unfit', 'code.none', 'keyword.none', 'level', 'self', 'protected', 'dependents', 'quorum',
		'rate.red', 'waiting', 'tool.unknown', 'download', 'principal.tools', 'view.stale'])
		assert.ok(helpFor(rule), rule);
	assert.equal(helpFor('tier.person'), null);
});

test('SHA-256 is that of everybody else, over every length of padding and beyond ASCII', () => {
	const theirs = (text) => createHash('sha256').update(text).digest('hex');
	for (let n = 0; n < 200; n++) {
		const text = randomBytes(n).toString('base64');
		assert.equal(sha256(text), theirs(text));
	}
	for (const text of ['', 'abc', 'Küche ☃ 👩‍🚒', 'x'.repeat(16_384)]) assert.equal(sha256(text), theirs(text));
});

describe('judged first, asked for then', () => {
	const step = (over) => ({ object: 'home/guest/101', name: 'jellyfin', args: { guest: 101 }, status: 'pending', upid: null, detail: null, ...over });
	const verdict = (over) => ({ dry_run: true, decision: 'ask', tier: 'orange', rule: 'tier', reason: null, need: 'keyword', facts: ['one'], steps: [step()],
		verify: 'that it is stopped', ...over });
	test('the same is the same, whatever else the action says', () => {
		assert.ok(sameJudgement(verdict(), { ...verdict(), id: 'x', policy: 'y', until_ms: 1 }, 'keyword'));
		assert.ok(sameJudgement(verdict(), verdict({ steps: [step({ status: 'running', detail: 'x' })] }), 'keyword'));
	});
	test('another tier, target, argument, fact, check or proof is not', () => {
		for (const over of [{ tier: 'red' }, { facts: [] }, { facts: ['one', 'two'] }, { verify: 'x' }, { steps: [] }, { steps: [step({ name: 'other' })] },
			{ steps: [step({ args: { guest: 101, snapshot: 'a' } })] }, { steps: [step({ object: 'lab/guest/101' })] }])
			assert.ok(!sameJudgement(verdict(), verdict(over), 'keyword'), JSON.stringify(over));
		assert.ok(!sameJudgement(verdict(), verdict(), 'code'));
	});
	test('the name of the file at an address', () => {
		assert.equal(fileOf('https://cloud.debian.org/images/debian-13.iso?x=1'), 'debian-13.iso');
		for (const none of ['', 'https://cloud.debian.org/', 'http://a/b.iso', 'https://a/b/', 'https://a/%20x'])
			assert.equal(fileOf(none), '', none);
	});
	test('what is left, to the second', () => assert.deepEqual([-1, 0, 900, 60_000, 245_000].map(countdown), ['0:00', '0:00', '0:01', '1:00', '4:05']));
	test('a title of its own where the verb alone would not do', () => assert.deepEqual(['download_url', 'guest_start', 'new_tool'].map(titleWord), ['Download to', 'Start', 'new_tool']));
});
