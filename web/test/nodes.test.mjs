// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { filterLines, gravity, lineText, readHelp, saidOf, TOO_LONG, unitFacts, unitLook, unitName, unitTime, whoOf } from '../src/lib/nodes.ts';
import { parameterFault, parameterHint, parameterValue } from '../src/lib/parameters.ts';

const unit = (over) => ({ LoadState: 'loaded', ActiveState: 'active', SubState: 'running', Result: 'success', ...over });
const line = (over) => ({ ts: 1_795_201_395_273, priority: 6, identifier: 'smbd', pid: 12, message: 'hello', ...over });
const param = (over) => ({ name: 'p', type: 'name', words: [], min: null, max: null, about: null, ...over });

describe('units', () => {
	test('every state has a word, a shape and a tone', () => {
		assert.deepEqual(unitLook(unit({})), { icon: 'check', tone: 'ok', text: 'active (running)' });
		assert.deepEqual(unitLook(unit({ ActiveState: 'failed', SubState: 'failed', Result: 'exit-code' })), { icon: 'offline', tone: 'crit', text: 'failed (exit-code)' });
		assert.equal(unitLook(unit({ ActiveState: 'inactive', SubState: 'dead' })).text, 'inactive (dead)');
		assert.equal(unitLook(unit({ ActiveState: 'activating', SubState: 'auto-restart' })).tone, 'info');
		assert.equal(unitLook(unit({ LoadState: 'not-found', ActiveState: 'inactive' })).text, 'not on this node');
		assert.equal(unitLook(unit({ LoadState: 'masked' })).text, 'masked');
	});
	test('what is not understood is unknown, and what is hidden in it is shown', () => {
		assert.deepEqual(unitLook({}), { icon: 'unknown', tone: 'warn', text: 'unknown' });
		assert.deepEqual(unitLook(unit({ ActiveState: '\u202eactive', SubState: '' })), { icon: 'unknown', tone: 'warn', text: '\\u{202e}active' });
	});
	test('times, and what is not set', () => {
		assert.equal(unitTime('@1763665200'), 1_763_665_200_000);
		for (const text of ['', '@0', '@-1', 'Fri 2025', '@12x', null, undefined]) assert.equal(unitTime(text), null);
		const u = unit({ StateChangeTimestamp: '@1000', MemoryCurrent: '1048576', MainPID: '7', NRestarts: '2', ExecMainStatus: '0' });
		assert.deepEqual(unitFacts(u, 1_060_000), ['for 1m', '1 MiB', 'process 7', 'restarted 2 times by systemd']);
		assert.deepEqual(unitFacts(unit({ MemoryCurrent: '[not set]', MainPID: '0' }), 0), []);
		assert.deepEqual(unitFacts(unit({ ActiveState: 'failed', ExecMainStatus: '203', UnitFileState: 'disabled' }), 0), ['ended with status 203', 'not started at boot']);
	});
	test('a name is completed, and only a name', () => {
		assert.equal(unitName(' smbd '), 'smbd.service');
		assert.equal(unitName('nfs.mount'), 'nfs.mount');
		assert.equal(unitName('a@b.c.service'), 'a@b.c.service');
		assert.equal(unitName('dev-sda.device'), 'dev-sda.device.service');
		for (const text of ['', ' ', '-x', 'a b', 'a/b', 'ä', '$(x).service', 'x'.repeat(250)]) assert.equal(unitName(text), null, text);
	});
});

describe('journals', () => {
	test('gravity by syslog’s priority', () => {
		assert.deepEqual([0, 1, 2, 3, 4, 5, 6, 7, null, 99].map((p) => gravity(p).tone), ['crit', 'crit', 'crit', 'crit', 'warn', '', '', 'faint', '', 'faint']);
		assert.equal(gravity(3).word, 'error');
	});
	test('no message can hide, and none can play another line when it is copied', () => {
		assert.equal(saidOf(line({ message: 'a\u202eb\u001b[31m<script>' })), 'a\\u{202e}b\\u{1b}[31m<script>');
		assert.equal(saidOf(line({ message: null })), TOO_LONG);
		assert.equal(whoOf(line({ identifier: 'x\u200b', pid: null })), 'x\\u{200b}');
		assert.match(lineText(line({ message: 'one\n19:00:00 sshd[1]: two', priority: 3 })), /^\w{3} \w{3} \d\d \d{4} \d\d:\d\d:\d\d smbd\[12\]: error: one\n {4}19:00:00 sshd\[1\]: two$/);
	});
	test('a filter wants every word', () => {
		const lines = [line({}), line({ message: 'Panic: action 3', priority: 2 })];
		assert.equal(filterLines(lines, '').length, 2);
		assert.deepEqual(filterLines(lines, 'SMBD critical panic').map((l) => l.priority), [2]);
		assert.equal(filterLines(lines, 'panic hello').length, 0);
	});
});

describe('parameters', () => {
	test('a whole number in its range, as the gate reads it', () => {
		const p = param({ type: 'int', min: 1, max: 10 });
		for (const good of ['1', '10']) assert.equal(parameterFault(p, good), '');
		for (const bad of ['0', '11', '01', '+1', '1.0', '1e0', ' 1', '', 'x', '-1']) assert.notEqual(parameterFault(p, bad), '', bad);
		assert.equal(parameterFault(p, '11'), 'A whole number from 1 to 10.');
		assert.equal(parameterValue(p, '7'), 7);
		assert.equal(parameterHint({ ...p, about: 'How often.' }), 'How often. 1 to 10');
	});
	test('one of the words, a name, and what this page does not know', () => {
		const word = param({ type: 'word', words: ['rpool', 'tank'] });
		assert.equal(parameterFault(word, 'tank'), '');
		assert.equal(parameterFault(word, 'lake'), 'One of rpool, tank.');
		for (const good of ['a', '_x.y-z', 'x'.repeat(64)]) assert.equal(parameterFault(param({}), good), '');
		for (const bad of ['.a', '-a', 'a/b', 'a b', 'x'.repeat(65), 'ü']) assert.notEqual(parameterFault(param({}), bad), '', bad);
		assert.equal(parameterFault(param({ type: 'path' }), '/srv/x y'), '');
		assert.notEqual(parameterFault(param({ type: 'path' }), ''), '');
		assert.equal(parameterHint(param({ type: 'path', words: ['/srv', '/mnt'], about: 'The folder.' })), 'The folder. In /srv, /mnt');
		assert.equal(parameterHint(param({ type: 'url', words: ['deb.debian.org'] })), 'At deb.debian.org');
		assert.equal(parameterValue(param({ type: 'url' }), 'https://x'), 'https://x');
	});
});

test('what would help where a node could not be asked', () => {
	const t = 'It could not be read: 192.168.1.50:22';
	assert.match(readHelp(`${t} refuses the key of user jarvis-act: x; is its public half there?`), /authorized_keys/);
	assert.match(readHelp(`${t} shows the host key SHA256:x, unknown to /etc/jarvis/known_hosts; compare and add it`), /known_hosts/);
	assert.match(readHelp(`${t} did not answer within 10000 ms: is the node up?`), /sshd/);
	assert.match(readHelp('Nothing was done: clusters.NAME.executor.ssh is not set in jarvis.yaml.'), /deploy\/nodes/);
	assert.match(readHelp('It could not be read: it ended with status 1: Users in groups adm, systemd-journal can see all messages'), /group systemd-journal/);
	assert.match(readHelp('It could not be read: it was cut off, or is not an answer to this request'), /look again/);
	assert.equal(readHelp('It could not be read: it ended with status 4: odd'), null);
});
