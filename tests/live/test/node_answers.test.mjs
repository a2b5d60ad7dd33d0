// What is kept of the nodes' answers, and what is found odd about them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MEMBERS, differences, oddities, redactAnswer } from '../node_answers.mjs';
import { parseUnit } from '../nodes.mjs';
import { Redactor } from '../redact.mjs';

const STATUS = { Id: 'wireguard-anna.service', Description: 'Tunnel to Anna', LoadState: 'loaded', ActiveState: 'active', SubState: 'running', UnitFileState: 'enabled',
	Result: 'success', MainPID: '412', ExecMainStatus: '0', NRestarts: '0', MemoryCurrent: '[not set]', StateChangeTimestamp: '@1795201163',
	ActiveEnterTimestamp: '@1795201163', InactiveEnterTimestamp: '' };
const DISK = { total: 100, used: 40, available: 55, inodes: 10, inodes_used: 1, type: 'ext4', mount: '/' };

test('a whole answer has no difference, another is told by its members', () => {
	assert.deepEqual(differences('service_status', STATUS), []);
	const { Result, MainPID, ExecMainStatus, NRestarts, MemoryCurrent, ...timer } = STATUS;
	assert.deepEqual(differences('service_status', timer), [], 'what is no service has less');
	const { ActiveState, ...lame } = STATUS;
	assert.deepEqual(differences('service_status', { ...lame, Slice: 'x' }), ['Slice is new', 'ActiveState is missing']);
	assert.deepEqual(differences('journal_tail', { lines: [] }), []);
	assert.deepEqual(differences('disk_usage', { items: [DISK, { ...DISK, label: 'x' }] }), ['label is new']);
	assert.deepEqual(Object.keys(MEMBERS), ['ping_node', 'disk_usage', 'service_status', 'journal_tail']);
});

test('what is odd: no unit, no disks, more than there is, no uptime', () => {
	assert.deepEqual(oddities('service_status', { ...STATUS, LoadState: 'not-found' }), ['the unit is not-found']);
	assert.deepEqual(oddities('disk_usage', { items: [] }), ['it has no file system']);
	assert.deepEqual(oddities('disk_usage', { items: [DISK, { ...DISK, used: 101, mount: '/x' }] }), ['/x: more is used or free than there is']);
	assert.deepEqual(oddities('ping_node', { boot_id: 'b', uptime_s: '0' }), ['it does not say since when it is up']);
	assert.deepEqual([oddities('service_status', STATUS), oddities('disk_usage', { items: [DISK] })], [[], []]);
});

test('words of systemd, numbers and times stay; names, texts and everything that was logged go', () => {
	const redactor = new Redactor();
	const kept = redactAnswer(redactor, 'service_status', { node: 'attic', unit: STATUS.Id }, STATUS);
	assert.deepEqual(kept.rows[0], { ...STATUS, Id: 'unit-1.service', Description: 'description-1' });
	assert.deepEqual([kept.node, kept.unit], ['node-1', 'unit-1.service']);
	const lines = [{ ts: 1, priority: 6, identifier: 'anna-vpn', pid: 3, message: 'peer anna at 10.1.2.3' }, { ts: 1, priority: 6, identifier: 'systemd', pid: 1, message: null }];
	const journal = redactAnswer(redactor, 'journal_tail', { node: 'attic', unit: STATUS.Id }, { lines });
	assert.deepEqual(journal.rows.map(({ message }) => message), ['21 characters', null]);
	const disks = redactAnswer(redactor, 'disk_usage', { node: 'attic' }, { items: [DISK, { ...DISK, mount: '/srv/photos of anna', type: 'zfs' }] });
	assert.deepEqual(disks.rows.map(({ mount, type }) => [mount, type]), [['/', 'ext4'], ['mount-1', 'zfs']]);
	const ping = redactAnswer(redactor, 'ping_node', { node: 'attic' }, { host: 'attic', kernel: '6.8.12-anna', boot_id: '3c5f1e0a-8e57-4c2b-9d0a-6f2f3f1f7a10', uptime_s: '1.5' });
	assert.match(ping.rows[0].boot_id, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
	const all = JSON.stringify([kept, journal, disks, ping]);
	for (const word of ['anna', 'Anna', 'attic', 'wireguard', '10.1.2.3', 'photos', '3c5f1e0a']) assert.ok(!all.includes(word), word);
});

test('UNIT is read strictly', () => {
	assert.deepEqual(parseUnit('home/pve/smbd.service'), { cluster: 'home', node: 'pve', unit: 'smbd.service' });
	assert.equal(parseUnit('home/pve/getty@tty1.service').unit, 'getty@tty1.service');
	for (const text of ['smbd.service', 'home/pve/', 'home/pve/smbd', 'home/pve/-x.service', 'home/pve/a b.service', 'home/pve/x.service;', '/pve/x.service']) {
		assert.equal(parseUnit(text), null, text);
	}
});
