// Answers of Proxmox that are lost on their way: what may have been done is looked for, and never asked for again.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { start } from './executor_world.mjs';

const START = '/nodes/Home/qemu/109/status/start';

let w;
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

describe('answers that are lost', () => {
	before(async () => {
		w = await start({ sim: { speed: 2 } });
	});
	after(() => w?.stop());
	beforeEach(fresh);

	for (const [name, op, fields] of [
		['596', 'api_error', { status: 596, reason: 'Connection timed out' }],
		['595', 'api_error', { status: 595, reason: 'No route to host' }],
		['a status of some proxy', 'api_error', { status: 502, reason: 'Bad Gateway' }],
		['no answer', 'garbage', { kind: 'hang' }],
		['an answer that is cut', 'garbage', { kind: 'truncated' }],
		['an answer that is none', 'garbage', { kind: 'notjson' }],
		['an empty answer', 'garbage', { kind: 'empty' }],
	]) {
		test(`${name}, though it was done: the task is found`, async () => {
			await w.stack.sim(op, { path_prefix: START, method: 'POST', after: true, ...fields });
			const result = await w.gate.result(await w.act('guest_start', 109));
			assert.equal(result.outcome, 'verified', result.detail);
			assert.match(result.upid, /:qmstart:109:jarvis@pve!control:$/);
			assert.equal((await sent()).length, 1);
		});

		if (/proxy|none|empty/.test(name)) continue; // as the others
		test(`${name}, and it was not done: unknown, once`, async () => {
			await w.stack.sim(op, { path_prefix: START, method: 'POST', ...fields });
			const result = await w.gate.result(await w.act('guest_start', 109));
			assert.equal(result.outcome, 'unknown');
			assert.equal((await sent()).length, 1);
			assert.deepEqual(await w.effects(), []);
			assert.equal((await w.truth()).guests[109].state, 'stopped');
		});
	}

	test('a task that has ended and does not say how at once is asked again, one that never does is unknown', async () => {
		await w.stack.sim('task_mute', { looks: 2 });
		const late = await w.gate.result(await w.act('guest_start', 109));
		assert.equal(late.outcome, 'verified', late.detail);
		await fresh();
		await w.stack.sim('task_mute', { looks: 1000 });
		const never = await w.gate.result(await w.act('guest_start', 109));
		await w.stack.sim('task_mute', { looks: 0 });
		assert.equal(never.outcome, 'unknown', never.detail);
		assert.match(never.detail, /ended without saying how/);
	});

	test('a task of somebody else is not taken for ours', async () => {
		await w.stack.sim('api_error', { path_prefix: START, method: 'POST', status: 596 });
		const action = await w.act('guest_start', 109);
		await seen('POST', START);
		await w.stack.sim('task', { node: 'Home', type: 'qmstart', id: '109', user: 'root@pam', seconds: 1 });
		assert.equal((await w.gate.result(action)).outcome, 'unknown');
	});

	test('refused is refused: nothing is looked for', async () => {
		for (const [status, reason] of [[500, 'VM is locked (backup)'], [403, 'Permission check failed (/vms/109, VM.PowerMgmt)'], [400, 'Parameter verification failed.'], [501, 'not implemented'], [401, 'Authentication failed!']]) {
			await w.stack.sim('api_error', { path_prefix: START, method: 'POST', status, reason });
			const result = await w.gate.result(await w.act('guest_start', 109));
			assert.equal(result.outcome, 'failed', `${status}: ${result.detail}`);
		}
	});

	test('a node that does not answer while its task runs: it is waited for', async () => {
		const action = await w.act('backup_now', 106, { args: { storage: 'pbs' } });
		await w.gate.until('progress', (d) => d.id === action.id && d.upid);
		await w.stack.sim('endpoint_down', { node: 'Home' });
		await sleep(3000);
		await w.stack.sim('endpoint_up', { node: 'Home' });
		assert.equal((await w.gate.result(action)).outcome, 'verified');
	});

	test('what does not become so is said: still failing', async () => {
		const action = await w.act('guest_start', 109);
		await w.gate.until('progress', (d) => d.id === action.id && d.upid);
		// Killed by somebody the moment it ran.
		for (let i = 0; i < 400 && !w.gate.results(action).length; i++) {
			await w.stack.sim('guest_kill', { vmid: 109 });
			await sleep(100);
		}
		assert.match((await w.gate.result(action)).outcome, /still_failing|verified/);
	});
});
