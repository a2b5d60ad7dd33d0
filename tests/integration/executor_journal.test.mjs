// The executor's journal that cannot be written, and what is taken up from it after an orderly end: nothing begins without a
// durable row, nothing is done twice, and everything has its result.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { start } from './executor_world.mjs';

let w;
const database = () => new DatabaseSync(join(w.stack.data, 'data/executor/executor.db'));
const posts = async () => (await w.asked()).log.filter((r) => r.method === 'POST').length;
/** Looking at the guest takes this long; ends with slow(0). */
const slow = async (ms, vmid = 109) => {
	const { node } = await w.guest(vmid);
	await w.stack.sim(ms ? 'endpoint_slow' : 'endpoint_up', { node, ms });
};
const granted = async (action) => {
	while (!action.grants.length) await sleep(10);
	await w.gate.until('claim', (d) => d.id === action.id);
	await sleep(300);
};
const restart = async (between = () => {}) => {
	assert.ok(await w.stack.process('executor').stop());
	await between();
	await w.stack.start('executor');
};
const change = (sql) => {
	const db = database();
	db.exec(sql);
	db.close();
};

before(async () => {
	w = await start();
});
after(() => w?.stop());
beforeEach(async () => {
	w.gate.acknowledges = true;
	await w.stack.sim([{ op: 'faults_clear' }, { op: 'guest_kill', vmid: 109 }]);
	await w.forget();
});

describe('a journal that somebody else holds', () => {
	test('when the grant comes: it is not used', async () => {
		const db = database();
		db.exec('BEGIN IMMEDIATE');
		const result = await w.gate.result(await w.act('guest_start', 109));
		assert.equal(result.outcome, 'failed');
		assert.match(result.detail, /^Nothing was done: the grant was refused: .*executor\.db: .*locked/);
		assert.equal(await posts(), 0);
		db.exec('ROLLBACK');
		db.close();
		assert.equal((await w.gate.result(await w.act('guest_start', 109))).outcome, 'verified');
	});

	test('when the request would leave: it does not', async () => {
		await slow(1500);
		const action = await w.act('guest_start', 109);
		await granted(action);
		const db = database();
		db.exec('BEGIN IMMEDIATE');
		const result = await w.gate.result(action);
		assert.equal(result.outcome, 'failed');
		assert.match(result.detail, /^Nothing was done: the journal cannot be written: .*locked/);
		db.exec('ROLLBACK');
		db.close();
		await slow(0);
		assert.equal(await posts(), 0);
		// And not after a restart either.
		await restart();
		await sleep(500);
		assert.equal(await posts(), 0);
	});
});

describe('after an orderly end', () => {
	test('what had not been asked for is not', async () => {
		await slow(1500);
		const action = await w.act('guest_start', 109);
		await granted(action);
		await restart(() => slow(0));
		const result = await w.gate.result(action);
		assert.equal(result.outcome, 'failed');
		assert.match(result.detail, /restarted before it had asked Proxmox/);
		assert.equal(await posts(), 0);
	});

	test('a task is followed to its end', async () => {
		const action = await w.act('backup_now', 106, { args: { storage: 'pbs' } });
		await w.gate.until('progress', (d) => d.id === action.id && d.upid);
		await restart();
		assert.equal((await w.gate.result(action)).outcome, 'verified');
		assert.equal(await posts(), 1);
	});

	test('a task whose number was not written down is found', async () => {
		const action = await w.act('backup_now', 106, { args: { storage: 'pbs' } });
		await w.gate.until('progress', (d) => d.id === action.id && d.upid);
		await restart(() => change('UPDATE step SET upid = NULL WHERE over = 0'));
		assert.equal((await w.gate.result(action)).outcome, 'verified');
		assert.equal(await posts(), 1);
	});

	test('a result that nobody has heard is said again', async () => {
		w.gate.acknowledges = false;
		const action = await w.act('guest_start', 109);
		await w.gate.result(action);
		const n = w.gate.results(action).length;
		await restart();
		while (w.gate.results(action).length <= n) await sleep(20);
		assert.equal(new Set(w.gate.results(action).map((r) => `${r.gid} ${r.outcome}`)).size, 1);
		w.gate.acknowledges = true;
		await restart();
		while (database().prepare('SELECT count(*) AS n FROM step WHERE over = 0').get().n) await sleep(50);
	});

	for (const [name, sql, outcome] of [
		['cannot be read is unknown', "UPDATE step SET payload = 'x' WHERE over = 0", 'unknown'],
		['is not there is unknown', 'UPDATE step SET payload = NULL WHERE over = 0', 'unknown'],
	]) {
		test(`an order that ${name}`, async () => {
			const action = await w.act('backup_now', 106, { args: { storage: 'pbs' } });
			const { upid } = await w.gate.until('progress', (d) => d.id === action.id && d.upid);
			await restart(() => change(sql));
			const result = await w.gate.result(action);
			assert.equal(result.outcome, outcome);
			assert.equal(result.upid, upid);
			assert.match(result.detail, /cannot read what it had begun/);
			assert.equal(await posts(), 1);
		});
	}
});

describe('what stands in the way', () => {
	test('a claim that is refused is made again', async () => {
		const action = await w.act('guest_start', 109, { answer: false });
		const claim = await w.gate.until('claim', (d) => d.id === action.id);
		action.answer = true;
		await w.gate.say('x/grant', { id: claim.id, nonce: claim.nonce, refused: 'not now' });
		assert.equal((await w.gate.result(action)).outcome, 'verified');
	});

	test('two things at once to one guest: one after the other', async () => {
		const first = await w.act('backup_now', 106, { args: { storage: 'pbs' } });
		await w.gate.until('progress', (d) => d.id === first.id && d.upid);
		const second = await w.act('guest_snapshot', 106, { args: { snapshot: 'later' }, target: { lock: null } });
		assert.equal((await w.gate.result(first)).outcome, 'verified');
		assert.equal((await w.gate.result(second)).outcome, 'verified');
		const [backup, claim] = [['result', first], ['claim', second]].map(([topic, { id }]) => w.gate.heard.findIndex(([t, d]) => t === topic && d.id === id));
		assert.ok(backup < claim);
	});

	test('cancelled while it is looked at: nothing is done', async () => {
		await slow(1500);
		const action = await w.act('guest_start', 109);
		await granted(action);
		await w.gate.say('x/cancel', { id: action.id, gid: 'f'.repeat(32) });
		await w.gate.say('x/cancel', { id: action.id, gid: action.grants[0].payload.gid });
		const result = await w.gate.result(action);
		await slow(0);
		assert.match(result.detail, /cancelled before anything was done/);
		assert.equal(await posts(), 0);
	});

	for (const kind of ['wrongtypes', 'notjson', 'empty', 'nothing', 'deep']) {
		test(`a guest that is answered with ${kind}`, async () => {
			const { node } = await w.guest(109);
			await w.stack.sim('garbage', { path_prefix: `/nodes/${node}/qemu/109/status/current`, kind, count: 3 });
			const result = await w.gate.result(await w.act('guest_start', 109));
			assert.equal(result.outcome, 'failed');
			assert.match(result.detail, /^Nothing was done: it could not be looked at first/);
			assert.equal(await posts(), 0);
		});

		test(`a storage whose content is ${kind}`, async () => {
			await w.stack.sim('garbage', { path_prefix: '/nodes/Home/storage/pbs/content', kind, count: 3 });
			const target = { object: 'home/storage/pbs', node: null };
			const result = await w.gate.result(await w.gate.approve('storage_content', { storage: 'pbs', node: 'Home', cluster: 'home' }, target));
			assert.match(result.outcome, /^(failed|verified)$/);
			if (kind === 'notjson') assert.equal(result.outcome, 'failed');
		});
	}
});
