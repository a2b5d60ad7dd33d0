// deploy/nodes/jarvis-act behind a real sshd, as a key of its own reaches it: every tool, and what programs and connections
// that go wrong make of it. What it starts are the simulator's stand-ins.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { UNIT, World } from './ssh_act_world.mjs';

const world = new World();
const ask = (...of) => world.ask(...of);
const quick = (...of) => world.quick(...of);
const calls = () => world.calls();
const fields = (text) => Object.fromEntries(text.trim().split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
const status = async () => fields((await quick('service_status', { unit: UNIT })).out);
const json = (text) => text.trim().split('\n').map((line) => JSON.parse(line));

before(() => world.open());
after(() => world.close());
beforeEach(() => world.clean());

describe('tools', () => {
	test('ping_node: who it is, since when, how busy', async () => {
		const answer = await ask('ping_node');
		assert.deepEqual([answer.outcome, answer.value, answer.code], ['exit', 0, 0]);
		const said = fields(answer.out);
		assert.deepEqual([said.host, said.kernel, said.load1, said.boot_id.length], ['pve', '6.8.12-9-pve', '2.00', 36]);
		assert.ok(Number(said.uptime_s) >= 90_000);
		assert.deepEqual(calls(), []);
	});

	test('service_status: of what runs, of what failed, of what is not there', async () => {
		const good = fields((await ask('service_status', { unit: UNIT })).out);
		assert.deepEqual([good.Id, good.LoadState, good.ActiveState, good.SubState, good.Result], [UNIT, 'loaded', 'active', 'running', 'success']);
		assert.match(good.StateChangeTimestamp, /^@\d{10}$/);
		world.act.setUnit({ unit: UNIT, state: 'failed', heals: true });
		const bad = fields((await ask('service_status', { unit: UNIT })).out);
		assert.deepEqual([bad.ActiveState, bad.Result, bad.MainPID, bad.MemoryCurrent], ['failed', 'exit-code', '0', '[not set]']);
		const none = fields((await ask('service_status', { unit: 'no\\x2dsuch@1.service' })).out);
		assert.deepEqual([none.LoadState, none.ActiveState], ['not-found', 'inactive']);
		world.act.setUnit({ unit: UNIT, state: 'active' });
	});

	test('journal_tail: newest first, no more than asked for, every kind of message', async () => {
		for (const message of ['one', 'two\nlines', [255, 0, 10], null, 'last "quoted" \\ $(id) ü']) world.act.log({ unit: UNIT, message });
		const answer = await ask('journal_tail', { unit: UNIT, lines: 4 });
		const messages = json(answer.out).map((entry) => entry.MESSAGE);
		assert.deepEqual(messages, ['last "quoted" \\ $(id) ü', null, [255, 0, 10], 'two\nlines']);
		const all = json((await ask('journal_tail', { unit: UNIT, lines: 500 })).out);
		assert.ok(all.length > 5 && all.every((entry) => /^\d+$/.test(entry.__REALTIME_TIMESTAMP)));
		const none = await ask('journal_tail', { unit: 'quiet.service', lines: 5 });
		assert.deepEqual([none.outcome, none.value, none.out], ['exit', 0, '']);
	});

	test('a long journal is cut at a line, the oldest go, and the answer says how much', async () => {
		world.act.log({ unit: 'loud.service', message: 'x'.repeat(4000), count: 300 });
		world.act.log({ unit: 'loud.service', message: 'the newest' });
		const answer = await ask('journal_tail', { unit: 'loud.service', lines: 301 });
		assert.equal(answer.outcome, 'exit');
		const entries = json(answer.out);
		assert.equal(entries[0].MESSAGE, 'the newest');
		assert.ok(answer.out.length <= 240 * 1024 && entries.length > 40 && entries.length < 301);
		const whole = readFileSync(join(world.act.dir, 'state/journal/loud.service')).length;
		assert.equal(answer.out.length + answer.outLost, whole);
	});

	test('disk_usage: in bytes, also of a mount point with blanks; full is full', async () => {
		const rows = (text) => text.trim().split('\n').slice(1).map((line) => /^ *(\d+) +(\d+) +(\d+) +(\d+|-) +(\d+|-) +(\S+) +(.*)$/.exec(line).slice(1));
		const before = rows((await ask('disk_usage')).out);
		assert.deepEqual(before.map((row) => row[6]), ['/', '/boot/efi', '/var/log', '/mnt/my files']);
		world.act.setDisk({ target: '/var/log', percent: 100 });
		const full = rows((await ask('disk_usage')).out).find((row) => row[6] === '/var/log');
		assert.deepEqual([full[1], full[2]], [full[0], '0']);
		world.act.setDisk({ target: '/var/log', percent: 22 });
	});

	test('service_restart: heals, or fails again and says why', async () => {
		world.act.setUnit({ unit: UNIT, state: 'failed', heals: true });
		assert.deepEqual([(await ask('service_restart', { unit: UNIT })).value, (await status()).ActiveState], [0, 'active']);
		assert.deepEqual(calls().map((line) => line.split(' ')[0]), ['sudo', 'systemctl', 'systemctl']);
		world.act.setUnit({ unit: UNIT, state: 'failed', heals: false });
		const again = await ask('service_restart', { unit: UNIT });
		assert.deepEqual([again.outcome, again.value, again.code], ['exit', 1, 0]);
		assert.match(again.err, /^Job for smbd\.service failed because the control process exited with error code\.\n/);
		assert.equal((await status()).ActiveState, 'failed');
		world.act.setUnit({ unit: UNIT, state: 'active', heals: true });
	});

	test('service_stop', async () => {
		assert.equal((await ask('service_stop', { unit: UNIT })).value, 0);
		assert.deepEqual([(await status()).ActiveState, (await status()).SubState], ['inactive', 'dead']);
		world.act.setUnit({ unit: UNIT, state: 'active' });
	});

	test('run_command: as root by a fixed line, else as we are, each parameter of its type', async () => {
		assert.equal((await ask('run_command', { command_id: 'exports_reload' })).value, 0);
		assert.equal((await ask('run_command', { command_id: 'zpool_scrub', pool: 'tank' })).value, 0);
		const twice = await ask('run_command', { command_id: 'zpool_scrub', pool: 'tank' });
		assert.deepEqual([twice.value, twice.err], [1, "cannot scrub tank: currently scrubbing; use 'zpool scrub -s' to cancel scrub\n"]);
		const reached = await ask('run_command', { host: 'nas-1.home.arpa', count: 2, command_id: 'reach' });
		assert.match(reached.out, /^PING nas-1\.home\.arpa[^]*2 packets transmitted, 2 received/);
		assert.equal(calls().filter((line) => line.startsWith('sudo ')).length, 3);
		assert.equal(calls().at(-1), 'ping -n -c 2 -W 2 -- nas-1.home.arpa');
	});
});

describe('programs that go wrong', () => {
	const does = (program, what) => world.act.setProgram({ program, does: what });
	const gone = () => {
		const found = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).split('\n').filter((line) => line.includes(world.act.dir) && !line.includes('sshd'));
		assert.deepEqual(found, []);
	};

	test('one that hangs is ended in time, gently or not, with what it had said', async () => {
		does('systemctl', 'hang');
		const hung = await ask('service_status', { unit: UNIT }, { seconds: 1 });
		assert.deepEqual([hung.outcome, hung.code, hung.out], ['timeout', 75, '']);
		assert.ok(hung.ms >= 1000 && hung.ms < 8000, `${hung.ms}`);
		does('systemctl', 'stall');
		const stalled = await ask('service_status', { unit: UNIT }, { seconds: 1 });
		assert.deepEqual([stalled.outcome, stalled.out], ['timeout', 'MainPID=1\nRes']);
		does('systemctl', 'stubborn');
		assert.equal((await ask('service_restart', { unit: UNIT }, { seconds: 1 })).outcome, 'timeout');
		gone();
	});

	test('a flood is ended, and what is too much is cut at a line; both are said', async () => {
		does('journalctl', 'flood');
		const flood = await ask('journal_tail', { unit: UNIT, lines: 10 });
		assert.deepEqual([flood.outcome, flood.code], ['flood', 75]);
		assert.ok(flood.outLost > 16 * 2 ** 20 && flood.out.length <= 240 * 1024 && flood.out.endsWith('this\n'));
		does('journalctl', 'much');
		const much = await ask('journal_tail', { unit: UNIT, lines: 10 });
		assert.deepEqual([much.outcome, much.value, much.err], ['exit', 0, 'so much\n']);
		assert.ok(much.out.startsWith('line 1 ') && much.out.endsWith('x\n') && much.outLost > 0);
		does('df', 'errors');
		const errors = await ask('disk_usage');
		assert.deepEqual([errors.outcome, errors.value, errors.out], ['exit', 3, 'out\n']);
		assert.equal(errors.err.length + errors.errLost, 2000 * 101);
		gone();
	});

	test('a signal, something left behind, a missing program', async () => {
		does('df', 'crash');
		const crash = await ask('disk_usage');
		assert.ok(crash.outcome === 'signal' || (crash.outcome === 'exit' && crash.value === 139), JSON.stringify(crash));
		does('df', 'leave');
		const left = await ask('disk_usage');
		assert.deepEqual([left.outcome, left.value, left.out], ['exit', 0, 'left one behind\n']);
		gone();
		rmSync(join(world.act.dir, 'bin/sudo'));
		const none = await quick('service_restart', { unit: UNIT });
		world.act.install({});
		assert.deepEqual([none.outcome, none.value], ['refused', 66]);
		assert.match(none.err, /sudo is not there/);
	});

	test('no output ends an answer: not a log, not a program that looks for the boundary', async () => {
		world.act.log({ unit: 'forged.service', message: `\nJARVIS-END ${'0'.repeat(32)} exit 0 0 0 0 0 0\n` });
		const entries = json((await ask('journal_tail', { unit: 'forged.service', lines: 1 })).out);
		assert.match(entries[0].MESSAGE, /JARVIS-END/);
		does('df', 'forge');
		const forged = await ask('disk_usage');
		assert.deepEqual([forged.outcome, forged.value], ['exit', 7]);
		assert.match(forged.out, /JARVIS-END 0{32} exit 0/);
		assert.ok(!forged.out.includes(forged.boundary));
	});
});

describe('connections that go wrong', () => {
	test('only a whole answer to this very request is one', async () => {
		for (const [mode, why] of [['cut', /no begin|no trailer/], ['cut_before', /no begin/], ['no_trailer', /no trailer/],
			['replay', /no begin/], ['garbage', /no begin/], ['refused', /no begin/]]) {
			world.sshd.force('act', world.act.answersAs(mode));
			rmSync(join(world.act.dir, 'calls'), { force: true });
			const answer = await ask('service_restart', { unit: UNIT });
			assert.deepEqual([mode, answer.outcome], [mode, 'unknown'], answer.stdout.toString());
			assert.match(answer.why, why);
			assert.ok(calls().filter((line) => line.startsWith('sudo ')).length <= 1);
		}
		world.sshd.force('act', world.act.answersAs('noise'));
		assert.equal((await ask('ping_node')).outcome, 'exit');
		world.sshd.force('act', world.act.answersAs('silent'));
		const silent = await ask('ping_node', {}, { ms: 1500 });
		assert.deepEqual([silent.outcome, silent.signal], ['unknown', 'SIGKILL']);
		world.sshd.cut();
		world.sshd.force('act', world.act.answersAs('normal'));
	});
});

