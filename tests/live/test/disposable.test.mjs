// What may be acted on, and what a token needs for it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ACT, SNAPSHOT, missingOn, obstacles, parseGuest } from '../disposable.mjs';

const CONFIG = { self: { cluster: 'home', node: 'pve', vmid: 140 }, protected: { guests: ['home/110'] }, depends_on: { 'home/guest/5': ['home/guest/141'] } };
const ROW = { vmid: 190, type: 'qemu', node: 'pve', name: 'scratch', status: 'running', tags: 'lab;disposable' };

const found = (more = {}) => {
	const { row = {}, config = {}, ...rest } = more;
	const all = obstacles({ config: { ...CONFIG, ...config }, cluster: 'home', vmid: 190, settings: {}, snapshots: [], ...rest, row: { ...ROW, ...row } });
	assert.ok(all.every(([what, cure]) => what && cure), 'each has a cure');
	return all.map(([what]) => what);
};

test('a guest is named by its number, with its cluster where that is needed', () => {
	assert.deepEqual(parseGuest('190'), { cluster: null, vmid: 190 });
	assert.deepEqual(parseGuest('home/190'), { cluster: 'home', vmid: 190 });
	for (const text of ['', '99', '0190', '190 ', 'home/', 'a/b/190', '1234567890', '-190', 'scratch', '190;ls']) assert.equal(parseGuest(text), null, text);
});

test('nothing stands in the way of a tagged one, however its tags are written, nor with the sentence', () => {
	for (const tags of ['disposable', 'lab;disposable', 'lab,disposable', 'disposable lab']) assert.deepEqual(found({ row: { tags } }), []);
	assert.deepEqual(found({ row: { tags: '' }, act: ACT }), []);
	assert.deepEqual(found({ row: { status: 'stopped', hastate: 'ignored' } }), []);
	assert.deepEqual(found({ config: { self: 'external', protected: undefined, depends_on: undefined } }), []);
});

test('a tag that only looks like it is none', () => {
	for (const tags of [undefined, '', 'not-disposable', 'disposables', 'DISPOSABLE']) assert.match(found({ row: { tags } }).join(), /no tag disposable/, tags);
	assert.match(found({ row: { tags: '' }, act: 'yes' }).join(), /no tag disposable/);
});

test('each obstacle, also with the sentence', () => {
	for (const [more, pattern] of [
		[{ config: { self: undefined } }, /not known where Jarvis itself runs/],
		[{ vmid: 140 }, /Jarvis itself runs in it/],
		[{ vmid: 110 }, /jarvis\.yaml protects it/],
		[{ vmid: 141 }, /needed by home\/guest\/5/],
		[{ row: { template: 1 } }, /a template/],
		[{ row: { status: 'paused' } }, /it is paused/],
		[{ row: { status: 'unknown' } }, /it is unknown/],
		[{ row: { lock: 'backup' } }, /locked \(backup\)/],
		[{ settings: { lock: 'migrate' } }, /locked \(migrate\)/],
		[{ settings: { protection: 1 } }, /Proxmox protects it/],
		[{ row: { hastate: 'started' } }, /high availability/],
		[{ snapshots: [{ name: 'mine' }, { name: 'jarvis-live-00ff00' }] }, /left jarvis-live-00ff00$/],
	]) {
		const all = found({ act: ACT, ...more });
		assert.equal(all.length, 1, all.join());
		assert.match(all[0], pattern);
	}
	// Of another cluster's guest with the same number nothing is meant.
	assert.deepEqual(found({ vmid: 140, cluster: 'lab', config: { depends_on: {} } }), []);
});

test('snapshots of ours are told from those of others', () => {
	assert.ok(SNAPSHOT.test('jarvis-live-0a1b2c'));
	for (const name of ['jarvis-live', 'jarvis-live-0a1b2c3', 'my-jarvis-live-0a1b2c', 'before']) assert.ok(!SNAPSHOT.test(name), name);
});

test('privileges on the guest itself; going back takes either of two', () => {
	const on = (...names) => ({ '/vms/190': Object.fromEntries(names.map((name) => [name, 1])) });
	assert.deepEqual(missingOn(on('VM.Audit', 'VM.PowerMgmt', 'VM.Snapshot'), 190), []);
	assert.deepEqual(missingOn(on('VM.Audit', 'VM.PowerMgmt', 'VM.Snapshot.Rollback'), 190), ['VM.Snapshot (making and deleting a snapshot)']);
	assert.equal(missingOn({ '/vms/191': { 'VM.Audit': 1 } }, 190).length, 4);
	assert.equal(missingOn(null, 190).length, 4);
});
