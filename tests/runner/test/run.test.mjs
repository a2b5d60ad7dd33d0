// tests/run and tests/check: what counts as passed, what as failed, and that nothing is left running.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

const tests = resolve(import.meta.dirname, '../..');
const dir = mkdtempSync(join(process.env.SCRATCH ?? '/tmp', 'r-'));
after(() => rmSync(dir, { recursive: true, force: true }));
const env = { ...process.env, CHECK_LOGS: join(dir, 'logs') };
let made = 0;

function program(body, suffix = '') {
	const path = join(dir, `p${++made}${suffix}`);
	writeFileSync(path, suffix === '' ? `#!/bin/sh\n${body}\n` : body, { mode: 0o755 });
	return path;
}

/** A zombie, which init has yet to collect, is dead. */
function isAlive(pid) {
	const stat = `/proc/${pid}/stat`;
	return existsSync(stat) && !/\) [ZX] /.test(readFileSync(stat, 'utf8'));
}

function run(command, ...args) {
	const { status, stdout, stderr } = spawnSync(join(tests, command), args, { encoding: 'utf8', env });
	const lines = stdout.trimEnd().split('\n');
	return { status, text: stdout + stderr, last: lines.at(-1) };
}

test('programs that pass', () => {
	const cmocka = program("printf '1..3\\nok 1 - a\\nok 2 - b\\nnot ok 3 # SKIP c\\n'");
	const node = program("import test from 'node:test'; test('a', () => {}); test('b', () => {});", '.test.mjs');
	const { status, last, text } = run('run', cmocka, node, program('exit 0'));
	assert.equal(last, '5 passed, 0 failed', text);
	assert.equal(status, 0);
});

for (const [what, body, last, message] of [
	['an exit code', 'exit 3', '0 passed, 1 failed', /exit code 3/],
	['a failed cmocka test', "printf '1..2\\nok 1 - a\\nnot ok 2 - b\\n'; exit 1", '1 passed, 1 failed', /not ok 2/],
	['a cmocka program that stops half-way', "printf '1..3\\nok 1 - a\\n'", '1 passed, 2 failed', /FAIL/],
	['a crash', 'kill -SEGV $$', '0 passed, 1 failed', /crashed: SIGSEGV/],
	['no tests', "printf '1..0\\n'", '0 passed, 1 failed', /ran no tests/],
	['a sanitizer report of a child', 'echo overflow >$SCRATCH/sanitizer.77', '1 passed, 1 failed', /overflow/],
	['a hanging program', 'sleep 60', '0 passed, 1 failed', /time limit of 0.5 s/],
	['one that cannot be run', '', '0 passed, 1 failed', /exit code 12[67]/],
]) {
	test(`fails on ${what}`, () => {
		const path = body === '' ? join(dir, 'missing') : program(body);
		const result = run('run', '-t', '0.5', path);
		assert.equal(result.last, last, result.text);
		assert.match(result.text, message);
		assert.equal(result.status, 1);
	});
}

test('a node:test file with a failure, and one without tests', () => {
	const fails = program("import test from 'node:test'; test('a', () => { throw new Error('boo') });", '.test.mjs');
	assert.equal(run('run', fails, program('', '.test.mjs')).last, '0 passed, 2 failed');
});

test('what is left running is named and ended, also in a session of its own', () => {
	const path = program(`setsid sleep 71 & echo $! >${dir}/left; exit 0`);
	const { last, text } = run('run', path);
	assert.equal(last, '1 passed, 1 failed', text);
	assert.match(text, /left processes behind: sleep \(\d+\)/);
	assert.equal(isAlive(readFileSync(`${dir}/left`, 'utf8').trim()), false);
});

test('scratch folders are short, private, and gone afterwards', () => {
	const path = program(`echo $SCRATCH >${dir}/where; stat -c %a $SCRATCH >>${dir}/where; touch $SCRATCH/x`);
	assert.equal(run('run', path).status, 0);
	const [where, mode] = readFileSync(`${dir}/where`, 'utf8').split('\n');
	assert.ok(where.length < 30, where);
	assert.equal(mode, '700');
	assert.equal(existsSync(where), false);
});

test('SIGTERM ends tests/run and all below it', async () => {
	const path = program(`echo $$ >${dir}/pid; sleep 72`);
	const child = spawn(join(tests, 'run'), [path], { stdio: 'ignore' });
	while (!existsSync(`${dir}/pid`)) await sleep(10);
	await sleep(20);
	const pid = readFileSync(`${dir}/pid`, 'utf8').trim();
	child.kill('SIGTERM');
	const code = await new Promise((done) => child.once('exit', done));
	assert.equal(code, 1);
	assert.equal(isAlive(pid), false);
});

test('tests/check sums up stages, goes on after a failure, stops when the build fails', () => {
	const stages = join(dir, 'stages');
	const two = `${join(tests, 'run')} ${program('exit 0')} ${program('exit 0')}`;
	writeFileSync(stages, `one|true\ntwo|${two}\nbad|echo boo; false\n!build|false\nnever|true\n`);
	const { last, text, status } = run('check', '--stages', stages);
	assert.equal(last, '3 passed, 2 failed', text);
	assert.equal(status, 1);
	assert.match(text, /ok +two +2 passed/);
	assert.match(text, /boo/);
	assert.doesNotMatch(text, /never/);
});
