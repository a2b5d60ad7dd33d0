// The executor killed at any moment, answers that are lost, a broker and a gate that go: never a second effect, always a
// final result.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { start } from './executor_world.mjs';
import { seal } from './played_gate.mjs';

const START = '/nodes/Home/qemu/109/status/start';
const CURRENT = '/nodes/Home/qemu/109/status/current';

let w;
const kill = () => w.stack.kill('executor');
const revive = () => w.stack.start('executor');
/** Waits until the simulator has seen such a request. */
async function seen(method, path) {
	for (;;) {
		if ((await w.asked()).log.some((r) => r.method === method && r.path?.startsWith(path))) return;
		await sleep(20);
	}
}
const sent = async () => (await w.asked()).log.filter((r) => r.method !== 'GET');

async function fresh() {
	await w.stack.sim([{ op: 'faults_clear' }, { op: 'guest_kill', vmid: 109 }]);
	w.gate.acknowledges = true;
	await w.forget();
}

describe('killed', () => {
	before(async () => {
		w = await start({ sim: { speed: 2 } });
	});
	after(() => w?.stop());
	beforeEach(fresh);

	test('before it claimed: the action is claimed after the start', async () => {
		await kill();
		const action = await w.act('guest_start', 109);
		await revive();
		assert.equal((await w.gate.result(action)).outcome, 'verified');
		assert.equal((await sent()).length, 1);
	});

	test('with a claim out: the grant for it is worth nothing afterwards', async () => {
		const action = await w.act('guest_start', 109, { answer: false });
		const claim = await w.gate.until('claim', (d) => d.id === action.id);
		await kill();
		await revive();
		const again = await w.gate.until('claim', (d) => d.id === action.id && d.nonce !== claim.nonce);
		assert.ok(again.epoch > claim.epoch);
		await w.gate.send(claim, seal(JSON.stringify(w.gate.payload(action, claim)), w.gate.seed));
		await sleep(500);
		assert.deepEqual(await sent(), []);
		action.status = 'denied';
		await w.gate.publish(action);
	});

	test('with a grant and nothing asked: it says that nothing was done', async () => {
		await w.stack.sim('garbage', { path_prefix: CURRENT, kind: 'hang' });
		const action = await w.act('guest_start', 109);
		await seen('GET', CURRENT);
		await kill();
		await revive();
		const result = await w.gate.result(action);
		assert.equal(result.outcome, 'failed');
		assert.match(result.detail, /^Nothing was done: the executor was restarted/);
		assert.deepEqual(await sent(), []);
	});

	test('after a request that never arrived: unknown, and it is not sent again', async () => {
		await w.stack.sim('garbage', { path_prefix: START, method: 'POST', kind: 'hang' });
		const action = await w.act('guest_start', 109);
		await seen('POST', START);
		await kill();
		await revive();
		const result = await w.gate.result(action);
		assert.equal(result.outcome, 'unknown');
		assert.match(result.detail, /no task of it.*not tried again/);
		assert.equal((await sent()).length, 1);
		assert.deepEqual(await w.effects(), []);
	});

	test('after a request whose answer never arrived: its task is found', async () => {
		await w.stack.sim('garbage', { path_prefix: START, method: 'POST', kind: 'hang', after: true });
		const action = await w.act('guest_start', 109);
		await seen('POST', START);
		await kill();
		await revive();
		const result = await w.gate.result(action);
		assert.equal(result.outcome, 'verified', result.detail);
		assert.match(result.upid, /:qmstart:109:/);
		assert.equal((await sent()).length, 1);
	});

	test('while the task runs: it is followed to its end', async () => {
		const action = await w.act('backup_now', 106, { args: { storage: 'pbs' } });
		const { upid } = await w.gate.until('progress', (d) => d.id === action.id && d.upid);
		await kill();
		await revive();
		const result = await w.gate.result(action);
		assert.equal(result.outcome, 'verified', result.detail);
		assert.equal(result.upid, upid);
		assert.equal((await sent()).length, 1);
	});

	test('while the task runs, which ends meanwhile', async () => {
		const action = await w.act('guest_start', 109);
		await w.gate.until('progress', (d) => d.id === action.id && d.upid);
		await kill();
		await sleep(1500);
		await revive();
		assert.equal((await w.gate.result(action)).outcome, 'verified');
		assert.equal((await sent()).length, 1);
	});

	test('with a result that nobody has heard: it is said again until the gate knows', async () => {
		w.gate.acknowledges = false;
		const action = await w.act('guest_start', 109);
		const first = await w.gate.result(action);
		await kill();
		await revive();
		while (w.gate.results(action).length < 3) await sleep(100);
		for (const result of w.gate.results(action)) assert.deepEqual(result, first);
		action.status = 'verified';
		action.steps[0].status = 'verified';
		await w.gate.publish(action);
		await sleep(500);
		const n = w.gate.results(action).length;
		await kill();
		await revive();
		await sleep(1500);
		assert.equal(w.gate.results(action).length, n);
		assert.equal((await sent()).length, 1);
	});

	test('after shutting a node down: by its state it is known', async () => {
		const action = await w.gate.approve('node_shutdown', { cluster: 'home', node: 'agent' }, await w.node('agent'));
		await seen('POST', '/nodes/agent/status');
		await kill();
		await revive();
		const result = await w.gate.result(action);
		assert.equal(result.outcome, 'verified', result.detail);
		assert.equal((await sent()).length, 1);
		await w.stack.sim('node_up', { node: 'agent' });
	});

	test('again and again at random: one request an action, and a result for each', async () => {
		for (let round = 0; round < 6; round++) {
			await fresh();
			const action = await w.act('guest_start', 109);
			await sleep(Math.random() * 60);
			await kill();
			await revive();
			// A grant that died on its way to the executor was used by nobody; a real gate gives it up after a while.
			const lost = sleep(9000, { outcome: 'none', detail: 'Nothing was done' });
			const result = await Promise.race([w.gate.result(action).catch(() => lost), lost]);
			const { state } = (await w.truth()).guests[109];
			assert.ok((await sent()).length <= 1, result.detail);
			assert.ok(result.outcome !== 'verified' || state === 'running');
			assert.ok(!result.detail.startsWith('Nothing was done') || (await w.effects()).length === 0);
		}
	});
});

describe('without the broker', () => {
	before(async () => {
		w = await start({ sim: { speed: 2 } });
	});
	after(() => w?.stop());
	beforeEach(fresh);

	test('what is under way goes on, and is reported afterwards', async () => {
		const action = await w.act('backup_now', 106, { args: { storage: 'pbs' } });
		await w.gate.until('progress', (d) => d.id === action.id && d.upid);
		await w.stack.kill('broker');
		await sleep(2000);
		await w.stack.start('broker');
		const result = await w.gate.result(action, 0, 60_000);
		assert.equal(result.outcome, 'verified', result.detail);
		assert.equal((await sent()).length, 1);
	});

	test('a new epoch after it: what was approved meanwhile is done once', async () => {
		const { hellos } = w.gate;
		await w.stack.restart('broker');
		while (w.gate.hellos === hellos) await sleep(100);
		const action = await w.act('guest_start', 109);
		assert.equal((await w.gate.result(action, 0, 60_000)).outcome, 'verified');
		assert.equal((await sent()).length, 1);
	});
});
