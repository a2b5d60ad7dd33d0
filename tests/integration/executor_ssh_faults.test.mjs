// Trouble between the executor and a node, and nodes that say too much or nothing: what is told is true, nothing is done
// twice, memory stays bounded, and soon after the trouble is over all is well again.
import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { start } from './executor_world.mjs';
import { Relay } from './ssh_relay.mjs';

const UNIT = 'smbd.service';
const RECOVERY_MS = 10_000;
const GROWTH_KB = 16_384;
const SANITIZED = process.env.JARVIS_BUILD?.includes('-');

let w;
let relay;

const file = (...parts) => join(w.stack.sshInfo.nodes.pve.act, ...parts);
const ran = (program) => {
	const lines = existsSync(file('calls')) ? readFileSync(file('calls'), 'utf8').split('\n') : [];
	return lines.filter((line) => line.startsWith(`${program} `)).length;
};
const target = { object: 'home/node/pve', node: 'pve', status: 'online' };
const approve = (tool, args = {}) => w.gate.approve(tool, { cluster: 'home', node: 'pve', ...args }, target);
const ask = async (tool, args) => w.gate.result(await approve(tool, args), 0, 120_000);
const command = () => ask('run_command', { command_id: 'exports_reload' });
/** The most that the executor ever held. What a sanitizer holds beside it is not ours. */
const memory = () => Number(readFileSync(`/proc/${w.stack.process('executor').pid}/status`, 'utf8').match(/VmHWM:\s+(\d+)/)[1]);

/** How often the node was asked for this action, by its own record. */
const times = (action) => {
	const [{ payload }] = action.grants;
	const log = existsSync(file('log')) ? readFileSync(file('log'), 'utf8').split('\n') : [];
	return log.filter((line) => line.includes(` ${payload.gid} `) && line.includes(' asks for ')).length;
};
const changes = [];

/** A change and a read at once: what is said of the change is true. Returns how both ended. */
async function both() {
	const action = await approve('run_command', { command_id: 'exports_reload' });
	changes.push(action);
	const [read, change] = await Promise.all([ask('ping_node'), w.gate.result(action, 0, 120_000)]);
	if (change.outcome === 'verified') assert.equal(times(action), 1);
	if (change.outcome === 'failed') assert.equal(times(action), 0, change.detail);
	if (read.outcome === 'verified') assert.equal(read.content.host, 'pve');
	return [read.outcome, change.outcome];
}

/** All is well, soon. */
async function recovers() {
	const began = performance.now();
	assert.deepEqual(await both(), ['verified', 'verified']);
	const took = performance.now() - began;
	assert.ok(took < RECOVERY_MS, `it took ${Math.round(took)} ms`);
}

before(async () => {
	relay = await Relay.open();
	w = await start({ ssh: true, change: (config) => {
		config.clusters.home.nodes.pve.ssh_port = relay.port;
		config.clusters.home.thermal = undefined;
	} });
	const { nodes, known_hosts } = w.stack.sshInfo;
	relay.target = nodes.pve.port;
	const key = readFileSync(known_hosts, 'utf8').split('\n').find((line) => line.includes(`:${nodes.pve.port} `));
	appendFileSync(known_hosts, `${key.replace(`:${nodes.pve.port} `, `:${relay.port} `)}\n`);
});
after(async () => {
	await w?.stop();
	await relay?.close();
});
beforeEach(() => relay.calm());
afterEach(() => {
	for (const action of changes) assert.ok(times(action) <= 1, 'done twice');
});

describe('the network', () => {
	test('accepts, and says nothing', async () => {
		await recovers();
		relay.greet('mute');
		relay.reset();
		assert.deepEqual(await both(), ['failed', 'failed']);
		relay.calm();
		await recovers();
	});

	test('is a cable that was pulled, and put in again', async () => {
		relay.hold();
		assert.deepEqual(await both(), ['failed', 'failed']);
		relay.calm();
		await recovers();
	});

	test('forgets a kept connection: another one is made, and nothing is lost', async () => {
		const made = relay.connections;
		relay.forget();
		await recovers();
		assert.equal(relay.connections, made + 1);
	});

	test('resets what there is, again and again', async () => {
		for (let i = 0; i < 3; i++) {
			relay.reset();
			await recovers();
		}
	});

	test('is slow, and passes on a byte at a time', async () => {
		relay.reset();
		relay.slow({ latency: 20, slice: 1 });
		assert.deepEqual(await both(), ['verified', 'verified']);
		relay.calm();
		await recovers();
	});

	test('is far away', async () => {
		relay.reset();
		relay.slow({ latency: 80 });
		assert.deepEqual(await both(), ['verified', 'verified']);
		relay.calm();
		await recovers();
	});

	test('resets a connection now and then: what is said stays true', async () => {
		const seen = new Set();
		for (let seed = 1; seed <= 12; seed++) {
			relay.resets(0.05, seed * 7919);
			for (const outcome of await both()) seen.add(outcome);
		}
		assert.ok(seen.size > 1, `all of it ${[...seen]}: nothing was reset`);
		relay.calm();
		await recovers();
	});

	test('is answered by something that is no sshd, and does not end', async () => {
		const had = memory();
		relay.greet('banner');
		relay.reset();
		assert.deepEqual(await both(), ['failed', 'failed']);
		relay.calm();
		await recovers();
		assert.ok(SANITIZED || memory() - had < GROWTH_KB, `${memory() - had} KiB more`);
	});

	test('is cut with the request out: unknown, and what was asked for is done once', async () => {
		await w.stack.ssh('program', { node: 'pve', program: 'exportfs', does: 'hang' });
		rmSync(file('calls'), { force: true });
		const action = await approve('run_command', { command_id: 'exports_reload' });
		while (!ran('exportfs')) await new Promise((done) => setTimeout(done, 20));
		relay.reset();
		const result = await w.gate.result(action);
		assert.equal(result.outcome, 'unknown');
		assert.match(result.detail, /not known what became of it.*It is not tried again/);
		assert.equal(ran('exportfs'), 1);
		await w.stack.ssh('program', { node: 'pve', program: 'exportfs' });
		await recovers();
	});
});

describe('the node', () => {
	test('is frozen, and well again', async () => {
		await w.stack.ssh('freeze', { node: 'pve' });
		assert.deepEqual(await both(), ['failed', 'failed']);
		await w.stack.ssh('thaw', { node: 'pve' });
		await recovers();
	});

	test('never stops talking: cut off here, and ended there', async () => {
		const had = memory();
		await w.stack.ssh('answers', { node: 'pve', mode: 'flood' });
		const here = await ask('ping_node');
		assert.equal(here.outcome, 'failed');
		assert.match(here.detail, /said more than the command may say/);
		assert.equal((await command()).outcome, 'unknown');
		await w.stack.ssh('answers', { node: 'pve', mode: 'normal' });
		await w.stack.ssh('program', { node: 'pve', program: 'journalctl', does: 'flood' });
		const there = await ask('journal_tail', { unit: UNIT });
		assert.equal(there.outcome, 'failed');
		assert.match(there.detail, /it wrote too much/);
		await w.stack.ssh('program', { node: 'pve', program: 'journalctl' });
		await recovers();
		assert.ok(SANITIZED || memory() - had < GROWTH_KB, `${memory() - had} KiB more`);
	});

	test('is asked for much at once: all of it is answered', async () => {
		const asked = Array.from({ length: 24 }, () => ask('ping_node'));
		for (const { outcome, detail } of await Promise.all(asked)) assert.equal(outcome, 'verified', detail);
	});
});
