// The orchestrator: waiting, killing, restarting, and leaving nothing behind.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { claim, freePorts, isFree } from '../ports.mjs';
import { startStack } from '../stack.mjs';
import { topicMatches } from '../observer.mjs';
import { fromYaml, toYaml } from '../yaml.mjs';
import { fakeService, fakeStack, isAlive, until } from './helpers.mjs';

const STATE = 'jarvis/service/monitor/1/state';

test('starts, waits for online, stops in order and removes its folder', async (t) => {
	const stack = await startStack(fakeStack());
	t.after(() => stack.stop());
	const pids = stack.names.map((name) => stack.process(name).pid);
	await stack.waitFor(STATE, (doc) => doc === 'online', 100);
	assert.deepEqual(await stack.stop(), []);
	assert.deepEqual(pids.filter(isAlive), []);
	assert.equal(existsSync(stack.runtime), false);
});

test('a port is given out once, and again when who had it has ended, however', async () => {
	const url = pathToFileURL(resolve(import.meta.dirname, '../ports.mjs'));
	const script = `import { freePorts } from '${url}'; console.log(await freePorts(2)); setInterval(() => {}, 1000);`;
	const other = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
	const first = Number(await new Promise((done) => other.stdout.once('data', (text) => done(String(text)))));
	assert.ok(await isFree(first + 1), 'nobody listens yet');
	assert.equal(await claim(first + 1), null);
	other.kill('SIGKILL');
	await new Promise((done) => other.once('exit', done));
	assert.equal(typeof (await claim(first + 1)), 'function');
	const mine = await freePorts(3);
	for (const port of [mine, mine + 1, mine + 2]) assert.equal(await claim(port), null);
});

test('a killed service is offline by its last will, and comes back', async (t) => {
	const stack = await startStack(fakeStack());
	t.after(() => stack.stop());
	const offline = stack.observer.next(STATE, (doc) => doc === 'offline', 5000);
	await stack.kill('monitor');
	await offline;
	await stack.start('monitor');
	await stack.kill('broker');
	// The observer may be back later than the service, and then sees a retained copy.
	const back = stack.observer.next(STATE, (doc) => doc === 'online', 5000);
	await stack.start('broker');
	await back;
});

test('a service that dies at once is reported with its exit code', async () => {
	const services = [fakeService('gateway', 'dies'), fakeService('monitor')];
	await assert.rejects(startStack(fakeStack({ services })), /gateway: exited with 3/);
});

test('supervised, what ends by itself is started again', async (t) => {
	const notes = [];
	const stack = await startStack(fakeStack({ supervise: true, note: (text) => notes.push(text) }));
	t.after(() => stack.stop());
	const back = stack.observer.next(STATE, (doc, message) => doc === 'online' && !message.retained, 5000);
	process.kill(stack.process('monitor').pid, 'SIGKILL');
	await back;
	assert.match(notes.join('\n'), /monitor ended by SIGKILL.*\n.*starting monitor again/);
});

test('who does not end on SIGTERM is killed and named', async (t) => {
	const services = [fakeService('monitor', 'stubborn')];
	const stack = await startStack(fakeStack({ services, stopMs: 500 }));
	t.after(() => stack.stop());
	const { pid } = stack.process('monitor');
	assert.deepEqual(await stack.stop(), [`monitor (${pid})`]);
	assert.equal(isAlive(pid), false);
});

test('when the orchestrator is killed its children end', async () => {
	const script = resolve(import.meta.dirname, 'orphan.mjs');
	const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
	const pids = JSON.parse(await new Promise((done) => child.stdout.once('data', done)));
	assert.equal(pids.length, 2);
	assert.ok(pids.every(isAlive));
	child.kill('SIGKILL');
	assert.ok(await until(() => !pids.some(isAlive)), 'processes outlived the orchestrator');
});

test('an unknown option or process is an error, not silence', async (t) => {
	await assert.rejects(startStack({ sevrices: [] }), /no option "sevrices"/);
	const stack = await startStack(fakeStack({ services: [] }));
	t.after(() => stack.stop());
	assert.throws(() => stack.process('gatway'), /no process "gatway"/);
});

test('topic filters match as MQTT says', () => {
	for (const [filter, topic, fits] of [
		['a/#', 'a', true], ['a/#', 'a/b/c', true], ['a/+', 'a/b', true], ['a/+', 'a/b/c', false],
		['a/+', 'a', false], ['#', 'a/b', true], ['a', 'b', false], ['+/b', 'a/b', true],
	]) {
		assert.equal(topicMatches(filter, topic), fits, `${filter} ${topic}`);
	}
});

test('YAML of the configuration', () => {
	const yaml = toYaml({ a: { 'b c': 1, d: [], e: ['x', 2] }, f: 'y: #', g: true, h: undefined, i: {} });
	assert.equal(yaml, 'a:\n  "b c": 1\n  d: []\n  e:\n    - "x"\n    - 2\nf: "y: #"\ng: true\ni: {}\n');
	const read = fromYaml("a: b # c\nd:\n  # e\n  f/1: [g, 2]\n  h: {}\ni:\n  - j\n  - 'k'\nl: 10s\n");
	assert.deepEqual(read, { a: 'b', d: { 'f/1': ['g', 2], h: {} }, i: ['j', 'k'], l: '10s' });
	assert.throws(() => fromYaml('a:\n  b: 1\n    c: 2\n'), /not understood/);
});
