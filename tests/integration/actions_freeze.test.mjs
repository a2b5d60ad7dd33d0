// The switch: thrown on the bus, at REST, or by a file, each alone, with work under way. Nothing is done afterwards, and
// only a person with a code goes on.
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { OVER, eventually, newId, sleep, start } from './actions_world.mjs';

const GUESTS = [101, 105, 106, 108, 121, 122, 124, 125, 126, 143, 144, 146, 147, 160, 161];
const ALLOWED_MS = 250;
let w, home;

before(async () => {
	w = await start();
	home = await w.user('homeassistant');
});
after(() => w?.stop());

/** Asks for one action after the other until told to stop; answers the ids of all. */
function work() {
	const ids = [];
	let on = true;
	const run = async () => {
		for (let i = 0; on; i++) {
			const args = { guest: GUESTS[i % GUESTS.length], snapshot: newId('s') };
			const { status, body } = await w.execute('guest_snapshot', args, { wait_s: 0 });
			if (status === 200 || status === 202) ids.push(body.id);
			else on = false;
			await sleep(20);
		}
		return ids;
	};
	const done = run();
	return { ids, stop: () => ((on = false), done), done };
}

/** What was sent to Proxmox, by the simulator's clock, which is ours. */
const times = async (mark) => (await w.effects(mark)).map((r) => r.at);

async function shown(name, freeze, { refusedBy = 'frozen' } = {}) {
	const mark = await w.mark();
	const workload = work();
	await eventually(async () => (await times(mark)).length >= 3, 10_000, 'work is under way');
	const frozen = await freeze();
	const ids = await workload.done; // it ends at the first refusal
	await w.autonomy((d) => d.frozen);
	assert.ok(existsSync(w.frozenFile), 'the file says so too');
	for (const id of ids) assert.ok(OVER.includes((await w.over(id)).status));

	const at = await times(mark);
	assert.ok(at.some((t) => t < frozen), 'before it something was done');
	const late = at.filter((t) => t > frozen + ALLOWED_MS);
	assert.deepEqual(late, [], `${name}: done ${Math.max(...at) - frozen} ms after it was frozen`);
	const { status, body } = await w.execute('guest_snapshot', { guest: 101, snapshot: newId('s') });
	assert.deepEqual([status, body.rule], [403, refusedBy]);
	assert.equal((await w.execute('guest_list', {})).status, 200, 'reads go on');
	// Nothing that was approved is waiting for better times.
	const before = (await w.effects(mark)).length;
	await w.unfreeze();
	const again = await w.execute('guest_snapshot', { guest: 101, snapshot: newId('s') }, { wait_s: 20 });
	assert.equal(again.body.status, 'verified');
	assert.equal((await w.effects(mark)).length, before + 1);
	assert.ok(!existsSync(w.frozenFile));
}

test('frozen at REST', () => shown('REST', async () => {
	assert.equal((await w.operator.post('/api/freeze')).status, 200);
	return Date.now();
}));

test('frozen on the bus', () => shown('topic', async () => {
	await home.ask('autonomy/set/homeassistant', { request_id: newId(), op: 'freeze' });
	return Date.now();
}));

test('frozen by the file', () => shown('file', async () => {
	writeFileSync(w.frozenFile, '');
	return Date.now();
}));

test('frozen by the file while the broker is away', async () => {
	const mark = await w.mark();
	w.stack.process('executor').signal('SIGSTOP');
	const { status, body } = await w.execute('guest_start', { guest: 127 }, { wait_s: 0 });
	assert.equal(status, 202);
	await w.stack.kill('broker');
	writeFileSync(w.frozenFile, '');
	w.stack.process('executor').signal('SIGCONT');
	await eventually(() => /frozen by .*frozen/.test(w.stack.logs('safety-gate').split('\n').slice(-20).join('\n')), 5000, 'the gate has seen it');
	await w.stack.start('broker');
	assert.equal((await w.over(body.id)).status, 'cancelled');
	assert.deepEqual(await w.effects(mark), []);
	await w.autonomy((d) => d.frozen);
	await eventually(async () => (await w.execute('guest_list', {}, { wait_s: 2 })).status === 200, 20_000, 'all is there again');
	await w.unfreeze();
	await w.live();
});

test('frozen by the file with a grant in hand, while broker and gate are away', async () => {
	const mark = await w.mark();
	const slow = (ms) => Promise.all(Object.keys(w.stack.simInfo.nodes).map((node) => w.sim('endpoint_slow', { node, ms })));
	await slow(1500); // the time in which the executor looks at its target
	const { body } = await w.execute('guest_start', { guest: 127 }, { wait_s: 0 });
	await w.until(body.id, 'running');
	await Promise.all(['broker', 'safety-gate'].map((name) => w.stack.kill(name)));
	writeFileSync(w.frozenFile, '');
	assert.deepEqual(await w.effects(mark), [], 'it was still looking');
	await slow(0);
	// Nobody but the executor is there to stop it.
	await sleep(4000);
	assert.deepEqual(await w.effects(mark), []);
	// So that nobody misses the gate's word.
	const heard = w.stack.observer.next('jarvis/#', (_, message) => !message.retained, 15_000);
	await w.stack.start('broker');
	await heard;
	await w.stack.start('safety-gate');
	const ended = await w.over(body.id);
	assert.ok(['failed', 'unknown'].includes(ended.status), JSON.stringify(ended));
	assert.deepEqual(await w.effects(mark), []);
	await w.autonomy((d) => d.frozen);
	await eventually(async () => (await w.execute('guest_list', {}, { wait_s: 2 })).status === 200, 20_000, 'all is there again');
	await w.unfreeze();
	await w.live();
	assert.equal((await w.guest(127)).state, 'stopped');
});

test('what waits for a person, for its window or between two targets does not begin', async () => {
	const mark = await w.mark();
	const waiting = (await w.execute('guest_shutdown', { guest: 143 })).body;
	const red = (await w.execute('guest_stop', { guest: 144 }, { confirmed: true, code: w.code(), wait_s: 0 })).body;
	await w.until(red.id, 'window');
	const batch = (await w.execute('backup_now', { storage: 'pbs' }, { targets: ['122', '123'], wait_s: 0 })).body;
	await w.until(batch.id, (d) => d.steps[0].upid);
	assert.equal((await w.operator.post('/api/freeze')).status, 200);
	assert.equal((await w.over(red.id)).status, 'cancelled');
	const { status } = await w.decide(waiting.id, 'approve', { digest: waiting.digest, keyword: w.keyword });
	assert.equal(status, 403);
	const ended = await w.over(batch.id);
	assert.deepEqual([ended.status, ...ended.steps.map((s) => s.status)], ['cancelled', 'verified', 'skipped'], ended.summary);
	assert.deepEqual((await w.effects(mark)).map((r) => r.form.vmid), ['122']);
	await w.decide(waiting.id, 'deny');
	await w.unfreeze();
});

test('frozen it stays through a restart of the gate, also when its file was removed', async () => {
	await w.operator.post('/api/freeze');
	await w.stack.kill('safety-gate');
	await w.stack.start('safety-gate');
	assert.ok((await w.autonomy((d) => d.frozen)).frozen);
	assert.ok(existsSync(w.frozenFile));
	const { status, body } = await w.execute('guest_start', { guest: 127 });
	assert.deepEqual([status, body.rule], [403, 'frozen']);
	for (const code of ['000000', w.sameCode().replace(/./g, '1')]) assert.equal((await w.operator.post('/api/unfreeze', { code })).status, 403);
	await w.unfreeze();
	assert.equal(w.verify().status, 0);
	assert.deepEqual(w.records().map((r) => r.kind).filter((kind) => /freeze$/.test(kind)).slice(-2), ['freeze', 'unfreeze']);
});
