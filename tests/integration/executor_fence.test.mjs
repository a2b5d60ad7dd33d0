// Two executors on one broker: the one that said hello last is heard, the other begins nothing, and takes over again when
// it is alone.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Process } from '../stack/process.mjs';
import { start } from './executor_world.mjs';
import { seal } from './played_gate.mjs';

const INFO = 'jarvis/service/executor/main/info';
let w;
let others = [];

/** A second executor, with a folder of its own, or with `data` that of somebody else. */
function another({ instance = 'second', data = `data-${others.length}` } = {}) {
	const { stack } = w;
	const file = join(stack.data, `${instance}.yaml`);
	writeFileSync(file, `instance: ${instance}\n${readFileSync(stack.configFile, 'utf8').replace(/^instance:.*\n/m, '')}`, { mode: 0o600 });
	const argv = [stack.binary('executor'), '--config', file, '--data', join(stack.data, data), '--runtime', stack.runtime,
		'--secrets', join(stack.data, 'secrets')];
	const proc = new Process(`executor-${others.length}`, argv, { log: join(stack.data, 'log', `another-${others.length}.log`) });
	others.push(proc);
	return proc.start();
}

const until = async (is, ms = 20_000) => {
	for (const end = performance.now() + ms; !is(); await sleep(20)) assert.ok(performance.now() < end, `not within ${ms} ms: ${is}`);
};
const claims = (action) => w.gate.heard.filter(([t, d]) => t === 'claim' && d.id === action.id).map(([, d]) => d);
const trouble = (words) => w.stack.waitFor(INFO, (d) => (words ? words.test(d.trouble ?? '') : !d.trouble), 25_000);
const fenced = () => trouble(/another executor has taken over/);
const active = () => trouble(null);
/** One action is done once, by whoever has the present epoch. */
async function acts() {
	await w.stack.sim('guest_kill', { vmid: 109 });
	await w.forget();
	const action = await w.act('guest_start', 109);
	const result = await w.gate.result(action);
	assert.equal(result.outcome, 'verified', result.detail);
	assert.deepEqual(claims(action).map((c) => c.epoch), [w.gate.epoch]);
	assert.equal((await w.effects()).length, 1);
}

describe('two executors', () => {
	before(async () => {
		w = await start();
		await active();
		await acts();
	});
	afterEach(async () => {
		for (const proc of others) await proc.stop();
	});
	after(() => w?.stop());

	test('the second takes over, and the first is back when it is alone', async () => {
		const second = another();
		await fenced();
		await acts();
		// Restarted in between: the first leaves it to it.
		await second.stop();
		await sleep(3000);
		const before = w.gate.hellos;
		second.start();
		await until(() => w.gate.hellos > before);
		await sleep(1000);
		const n = w.gate.hellos;
		await sleep(16_000);
		assert.equal(w.gate.hellos, n);
		await fenced();
		await acts();
		await second.kill();
		await active();
		assert.equal(w.gate.hellos, n + 1);
		await acts();
	});

	test('under one name, too', async () => {
		const n = w.gate.hellos;
		const second = another({ instance: 'main' });
		await until(() => w.gate.hellos > n);
		await acts();
		await second.kill();
		const before = w.gate.hellos;
		await until(() => w.gate.hellos === before + 1);
		await acts();
	});

	test('what was granted to the first and not begun is not begun', async () => {
		await w.stack.sim('guest_kill', { vmid: 109 });
		await w.forget();
		const claimed = await w.act('guest_start', 109, { answer: false });
		const claim = await w.gate.until('claim', (d) => d.id === claimed.id);
		const { node } = await w.guest(121);
		await w.stack.sim('endpoint_slow', { node, ms: 1500 });
		const looking = await w.act('guest_shutdown', 121);
		await until(() => looking.grants.length > 0);
		another();
		await fenced();
		await w.gate.send(claim, seal(JSON.stringify(w.gate.payload(claimed, claim)), w.gate.seed));
		const result = await w.gate.result(looking);
		assert.equal(result.outcome, 'failed');
		assert.match(result.detail, /^Nothing was done: another executor has taken over/);
		await w.stack.sim('endpoint_up', { node });
		assert.deepEqual(await w.effects(), []);
	});

	test('in one folder the second does not start', async () => {
		const second = another({ data: 'data' });
		assert.ok(await second.over(10_000));
		assert.match(second.logs(), /another executor works in .*: stop it, or start this one with another --data/);
		assert.equal(second.fate, 'exited with 74');
	});
});
