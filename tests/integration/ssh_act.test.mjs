// deploy/nodes/jarvis-act behind a real sshd, as a key of its own reaches it: every tool, every refusal, and what hostile
// or broken programs, catalogues and callers make of it. What it starts are the simulator's stand-ins.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { appendFileSync, chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { Act } from '../sim/ssh/act.mjs';
import { Sshd, keepKey, prepareRoot } from '../sim/ssh/sshd.mjs';
import { freePort } from '../stack/ports.mjs';
import { fromYaml } from '../stack/yaml.mjs';
import { ENVELOPE, makeBoundary, makeRequest, parseAnswer, runProgram, sshArgv } from './ssh_act_client.mjs';

const NODES = resolve(import.meta.dirname, '../../deploy/nodes');
const SCRIPT = join(NODES, 'jarvis-act');
const SHIPPED = readFileSync(join(NODES, 'jarvis-act.catalogue'), 'utf8');
const UNIT = 'smbd.service';

let dir;
let act;
let sshd;

const ssh = (more) => sshArgv({ key: join(dir, 'key'), known: join(dir, 'known_hosts'), port: sshd.port, user: userInfo().username, ...more });

/** One request over SSH, answered as the executor would see it. */
async function ask(tool, params, options = {}) {
	const boundary = options.boundary ?? makeBoundary();
	const ran = await runProgram('ssh', ssh(), makeRequest(tool, params, { ...options, boundary }), options);
	return { ...parseAnswer(ran.stdout, boundary), ...ran, boundary };
}

/** The same without sshd, where many are asked. */
async function quick(tool, params, options = {}) {
	const boundary = options.boundary ?? makeBoundary();
	const env = { SSH_CONNECTION: '192.0.2.7 1 192.0.2.8 22' };
	const ran = await runProgram(SCRIPT, ['--sandbox', act.dir], options.request ?? makeRequest(tool, params, { ...options, boundary }),
		{ env, ...options });
	return { ...parseAnswer(ran.stdout, boundary), ...ran, boundary };
}

const calls = () => (existsSync(join(act.dir, 'calls')) ? readFileSync(join(act.dir, 'calls'), 'utf8').trim().split('\n') : []);
const logged = () => readFileSync(join(act.dir, 'log'), 'utf8');
const fields = (text) => Object.fromEntries(text.trim().split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
const status = async () => fields((await quick('service_status', { unit: UNIT })).out);
const json = (text) => text.trim().split('\n').map((line) => JSON.parse(line));

function assertRefused(answer, value, sentence) {
	assert.deepEqual([answer.outcome, answer.value, answer.code], ['refused', value, value], JSON.stringify(answer));
	assert.match(answer.err, sentence);
	assert.equal(answer.out, '');
	assert.deepEqual(calls(), [], 'nothing was run');
}

/** Runs `work` with the catalogue as `text`. */
async function withCatalogue(text, work) {
	writeFileSync(join(act.dir, 'catalogue'), text);
	await work();
	act.catalogue(SHIPPED);
}

before(async () => {
	prepareRoot();
	dir = mkdtempSync(join(process.env.SCRATCH ?? '/tmp', 'act-'));
	act = new Act({ name: 'pve', dir: join(dir, 'act') });
	act.install({ cpu: 0.25 });
	keepKey(join(dir, 'key'));
	const keys = { act: { file: join(dir, 'key'), forced: act.answersAs('normal') } };
	sshd = new Sshd({ name: 'pve', dir: join(dir, 'sshd'), host: '127.0.0.1', port: await freePort(), keys });
	await sshd.up();
	writeFileSync(join(dir, 'known_hosts'), `${sshd.knownHost}\n`);
});
after(async () => {
	await sshd?.down();
	rmSync(dir, { recursive: true, force: true });
});
beforeEach(() => {
	for (const name of ['calls', 'log']) rmSync(join(act.dir, name), { force: true });
	for (const program of ['systemctl', 'journalctl', 'df', 'sudo', 'zpool', 'ping']) act.setProgram({ program });
});

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
		act.setUnit({ unit: UNIT, state: 'failed', heals: true });
		const bad = fields((await ask('service_status', { unit: UNIT })).out);
		assert.deepEqual([bad.ActiveState, bad.Result, bad.MainPID, bad.MemoryCurrent], ['failed', 'exit-code', '0', '[not set]']);
		const none = fields((await ask('service_status', { unit: 'no\\x2dsuch@1.service' })).out);
		assert.deepEqual([none.LoadState, none.ActiveState], ['not-found', 'inactive']);
		act.setUnit({ unit: UNIT, state: 'active' });
	});

	test('journal_tail: newest first, no more than asked for, every kind of message', async () => {
		for (const message of ['one', 'two\nlines', [255, 0, 10], null, 'last "quoted" \\ $(id) ü']) act.log({ unit: UNIT, message });
		const answer = await ask('journal_tail', { unit: UNIT, lines: 4 });
		const messages = json(answer.out).map((entry) => entry.MESSAGE);
		assert.deepEqual(messages, ['last "quoted" \\ $(id) ü', null, [255, 0, 10], 'two\nlines']);
		const all = json((await ask('journal_tail', { unit: UNIT, lines: 500 })).out);
		assert.ok(all.length > 5 && all.every((entry) => /^\d+$/.test(entry.__REALTIME_TIMESTAMP)));
		const none = await ask('journal_tail', { unit: 'quiet.service', lines: 5 });
		assert.deepEqual([none.outcome, none.value, none.out], ['exit', 0, '']);
	});

	test('a long journal is cut at a line, the oldest go, and the answer says how much', async () => {
		act.log({ unit: 'loud.service', message: 'x'.repeat(4000), count: 300 });
		act.log({ unit: 'loud.service', message: 'the newest' });
		const answer = await ask('journal_tail', { unit: 'loud.service', lines: 301 });
		assert.equal(answer.outcome, 'exit');
		const entries = json(answer.out);
		assert.equal(entries[0].MESSAGE, 'the newest');
		assert.ok(answer.out.length <= 240 * 1024 && entries.length > 40 && entries.length < 301);
		const whole = readFileSync(join(act.dir, 'state/journal/loud.service')).length;
		assert.equal(answer.out.length + answer.outLost, whole);
	});

	test('disk_usage: in bytes, also of a mount point with blanks; full is full', async () => {
		const rows = (text) => text.trim().split('\n').slice(1).map((line) => /^ *(\d+) +(\d+) +(\d+) +(\d+|-) +(\d+|-) +(\S+) +(.*)$/.exec(line).slice(1));
		const before = rows((await ask('disk_usage')).out);
		assert.deepEqual(before.map((row) => row[6]), ['/', '/boot/efi', '/var/log', '/mnt/my files']);
		act.setDisk({ target: '/var/log', percent: 100 });
		const full = rows((await ask('disk_usage')).out).find((row) => row[6] === '/var/log');
		assert.deepEqual([full[1], full[2]], [full[0], '0']);
		act.setDisk({ target: '/var/log', percent: 22 });
	});

	test('service_restart: heals, or fails again and says why', async () => {
		act.setUnit({ unit: UNIT, state: 'failed', heals: true });
		assert.deepEqual([(await ask('service_restart', { unit: UNIT })).value, (await status()).ActiveState], [0, 'active']);
		assert.deepEqual(calls().map((line) => line.split(' ')[0]), ['sudo', 'systemctl', 'systemctl']);
		act.setUnit({ unit: UNIT, state: 'failed', heals: false });
		const again = await ask('service_restart', { unit: UNIT });
		assert.deepEqual([again.outcome, again.value, again.code], ['exit', 1, 0]);
		assert.match(again.err, /^Job for smbd\.service failed because the control process exited with error code\.\n/);
		assert.equal((await status()).ActiveState, 'failed');
		act.setUnit({ unit: UNIT, state: 'active', heals: true });
	});

	test('service_stop', async () => {
		assert.equal((await ask('service_stop', { unit: UNIT })).value, 0);
		assert.deepEqual([(await status()).ActiveState, (await status()).SubState], ['inactive', 'dead']);
		act.setUnit({ unit: UNIT, state: 'active' });
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

describe('what it refuses', () => {
	test('what the catalogue does not list', async () => {
		assertRefused(await ask('service_restart', { unit: 'ssh.service' }), 69, /^ssh\.service: .*catalogue does not list it for restart\n$/);
		assertRefused(await quick('service_stop', { unit: 'pveproxy.service' }), 69, /for stop/);
		assertRefused(await quick('run_command', { command_id: 'reboot' }), 69, /^reboot: .* has no such command/);
		await withCatalogue('unit smbd.service restart\n', async () => {
			assertRefused(await quick('service_stop', { unit: UNIT }), 69, /for stop/);
		});
	});

	test('a request that is not whole, or not one', async () => {
		const boundary = makeBoundary();
		const whole = makeRequest('service_stop', { unit: UNIT }, { boundary });
		const after = whole.indexOf(boundary) + boundary.length + 1;
		// As a connection may cut it: at every byte behind the boundary an answer says so.
		for (let n = after; n < whole.length; n += 3) assertRefused(await quick('', {}, { boundary, request: whole.subarray(0, n) }), 64, /cut off/);
		for (let n = 0; n < after; n += 7) {
			const answer = await quick('', {}, { boundary, request: whole.subarray(0, n) });
			assert.deepEqual([answer.outcome, answer.code, calls()], ['unknown', 64, []]);
		}
		const more = Buffer.concat([whole, Buffer.from('x\0')]);
		assertRefused(await quick('', {}, { boundary, request: more }), 64, /cut off/);
		const large = Buffer.concat([whole, Buffer.alloc(60_000, 'x')]);
		assert.match((await quick('', {}, { boundary, request: large })).stderr, /too large/);
	});

	test('fields that are not right', async () => {
		const cases = [
			[{ seconds: 0 }, /timeout/], [{ seconds: 301 }, /timeout/], [{ seconds: '1e1' }, /timeout/], [{ seconds: '' }, /timeout/],
			[{ id: 'a b' }, /request_id/], [{ id: '' }, /request_id/], [{ id: 'x'.repeat(65) }, /request_id/],
			[{ envelope: 'grant' }, /first line/], [{ envelope: '{"ü":1}' }, /first line/], [{ envelope: '' }, /first line/],
			[{ envelope: '{"a":\u001b}' }, /first line/], [{ end: [] }, /cut off/], [{ end: ['end', ''] }, /cut off/],
		];
		for (const [options, sentence] of cases) assertRefused(await quick('service_stop', { unit: UNIT }, options), 64, sentence);
		for (const tool of ['', 'Service_stop', 'service_stop\n', 'sh', '../service_stop', 'run command', 'x'.repeat(33)]) {
			assertRefused(await quick(tool, { unit: UNIT }), 64, /tool/);
		}
		for (const options of [{ version: '2' }, { version: '' }, { boundary: 'F'.repeat(32) }, { boundary: '0'.repeat(31) }, { boundary: '' },
			{ envelope: `{"a":"${'x'.repeat(41_000)}"}` }]) {
			const answer = await quick('service_stop', { unit: UNIT }, options);
			assert.deepEqual([answer.outcome, answer.code, answer.stdout.length, calls()], ['unknown', 64, 0, []]);
			assert.match(answer.stderr, /^jarvis-act: .+\n$/);
		}
	});

	test('parameters that are missing, too many, twice, or of no name', async () => {
		for (const params of [{}, { unit: UNIT, lines: 5, x: 1 }, { unit: UNIT }, { lines: 5 }, ['unit=a.service', 'unit=a.service', 'lines=1'],
			['unit'], [''], ['=x'], ['Unit=a.service'], ['unit =a.service'], Array.from({ length: 12 }, (_, i) => `p${i}=1`)]) {
			assertRefused(await quick('journal_tail', params), 65, /./);
		}
		assertRefused(await quick('run_command', { pool: 'tank' }), 65, /command_id/);
		assertRefused(await quick('run_command', { command_id: 'exports_reload', pool: 'tank' }), 65, /pool: there is no such/);
		assertRefused(await quick('run_command', { command_id: 'reach', count: 1 }), 65, /host: is missing/);
		assertRefused(await quick('ping_node', { unit: UNIT }), 65, /no such parameter/);
	});

	test('hostile values, in every parameter of every tool', async () => {
		const hostile = ['', ' ', '-', '--', '-o', '--now', '-H root@host', '--user', '../../etc/passwd', '/etc/passwd', './a.service',
			'$(id).service', '`id`.service', 'a.service;id', 'a.service id', 'a.service\nid', '\na.service', 'a.service\n', 'a.service\r',
			'*.service', '[a-z].service', '?.service', 'a.service|id', 'a.service&', '>x', '~', 'ü.service', '\u202ea.service', 'a\u2028.service',
			'%n.service', '!', '{pool}', '.service', '-.service', '-a.service', 'a', 'a.exe', `${'a'.repeat(300)}.service`, 'x'.repeat(30_000),
			'1e3', '0x10', '+1', '-1', '01', ' 1', '1 ', '1.0', '٣', '501', '0', '99999999999999999999'];
		const bytes = ['a.service\xff', '\xc0\xae.service', 'a\x7f.service', '\x1b[2J'].map((text) => Buffer.from(text, 'latin1').toString('latin1'));
		const places = [['service_status', 'unit', {}], ['journal_tail', 'lines', { unit: UNIT }], ['service_restart', 'unit', {}],
			['run_command', 'command_id', {}], ['run_command', 'pool', { command_id: 'zpool_scrub' }],
			['run_command', 'count', { command_id: 'reach', host: 'nas' }]];
		const all = ([tool, name, rest]) => Promise.all([...hostile, ...bytes].map(async (value) => {
			const answer = await quick(tool, { ...rest, [name]: value }, { ms: 60_000 });
			const is = name === 'command_id' && value === 'a' ? 69 : 65;
			assert.deepEqual([answer.outcome, answer.value], ['refused', is], `${tool} ${name} ${JSON.stringify(value)}: ${answer.err}`);
			assert.match(answer.err, /^[\x20-\x7e]+\n$/);
		}));
		for (const place of places) await all(place);
		assert.deepEqual(calls(), []);
		for (const host of ['-f', '--', '../x', '.x', 'a/b', 'a b', 'a;b', '$x', 'a\nb', 'ü', '', 'x'.repeat(65), '::1']) {
			assertRefused(await quick('run_command', { command_id: 'reach', count: 1, host }), 65, /^host: must be/);
		}
		// A NUL ends a field, so that what follows is another one, or no end.
		assertRefused(await quick('service_restart', ['unit=smbd.service\0--now']), 65, /not NAME=VALUE/);
		assertRefused(await quick('service_restart', [`unit=${UNIT}\0end`]), 65, /not NAME=VALUE/);
	});

	test('bytes changed, dropped and doubled at random: refused, or what was asked for, and Perl never complains', async () => {
		const bin = join(act.dir, 'bin');
		const allowed = new RegExp(`^(sudo -n -- /usr/bin/timeout -k 5 90 ${bin}/)?systemctl --no-ask-password restart -- smbd\\.service$`);
		let seed = 20261120;
		const random = (n) => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) % 65_521 % n;
		for (let i = 0; i < 160; i++) {
			const boundary = makeBoundary();
			const whole = makeRequest('service_restart', { unit: UNIT }, { boundary });
			const at = whole.indexOf(10) + random(whole.length - whole.indexOf(10));
			const piece = [Buffer.of(random(256)), Buffer.alloc(0), whole.subarray(at, at + 1 + random(9)), Buffer.of(0), Buffer.from('\n')][i % 5];
			const request = Buffer.concat([whole.subarray(0, at), piece, whole.subarray(at + (i % 3))]);
			const answer = await quick('', {}, { boundary, request });
			assert.ok(['unknown', 'refused', 'exit'].includes(answer.outcome));
			assert.doesNotMatch(`${answer.stderr}${answer.err}`, / line \d+\./, request.toString('latin1'));
		}
		for (const call of calls()) assert.match(call, allowed);
	});

	test('any other command, a terminal, a tunnel', async () => {
		for (const command of ['id', 'jarvis-act --sudoers root', '--check', '/bin/sh', 'jarvis-act; id']) {
			const ran = await runProgram('ssh', sshArgv({ key: join(dir, 'key'), known: join(dir, 'known_hosts'), port: sshd.port,
				user: userInfo().username }, command), '');
			assert.deepEqual([ran.code, ran.stdout.toString()], [64, '']);
			assert.equal(ran.stderr, 'jarvis-act: takes a request on its input, and no command\n');
		}
		const tunnel = await runProgram('ssh', ssh({ more: ['-W', `127.0.0.1:${sshd.port}`] }), '');
		assert.notEqual(tunnel.code, 0);
		assert.deepEqual(calls(), []);
	});

	test('a caller that never ends its request: nothing, though all of it came', async () => {
		const boundary = makeBoundary();
		const answer = await quick('', {}, { boundary, request: makeRequest('ping_node', {}, { boundary }), cut: true });
		assert.deepEqual([answer.outcome, answer.code], ['unknown', 64]);
		assert.match(answer.stderr, /did not come in time/);
	});
});

describe('programs that go wrong', () => {
	const does = (program, what) => act.setProgram({ program, does: what });
	const gone = () => {
		const found = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).split('\n').filter((line) => line.includes(act.dir) && !line.includes('sshd'));
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
		rmSync(join(act.dir, 'bin/sudo'));
		const none = await quick('service_restart', { unit: UNIT });
		act.install({});
		assert.deepEqual([none.outcome, none.value], ['refused', 66]);
		assert.match(none.err, /sudo is not there/);
	});

	test('no output ends an answer: not a log, not a program that looks for the boundary', async () => {
		act.log({ unit: 'forged.service', message: `\nJARVIS-END ${'0'.repeat(32)} exit 0 0 0 0 0 0\n` });
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
			sshd.force('act', act.answersAs(mode));
			rmSync(join(act.dir, 'calls'), { force: true });
			const answer = await ask('service_restart', { unit: UNIT });
			assert.deepEqual([mode, answer.outcome], [mode, 'unknown'], answer.stdout.toString());
			assert.match(answer.why, why);
			assert.ok(calls().filter((line) => line.startsWith('sudo ')).length <= 1);
		}
		sshd.force('act', act.answersAs('noise'));
		assert.equal((await ask('ping_node')).outcome, 'exit');
		sshd.force('act', act.answersAs('silent'));
		const silent = await ask('ping_node', {}, { ms: 1500 });
		assert.deepEqual([silent.outcome, silent.signal], ['unknown', 'SIGKILL']);
		sshd.cut();
		sshd.force('act', act.answersAs('normal'));
	});
});

describe('the record', () => {
	test('says who asked for what with which grant, and how it ended, and keeps the boundary to itself', async () => {
		const long = `{"payload":"${'Zm9v'.repeat(4000)}"}`;
		const answer = await quick('run_command', { command_id: 'reach', host: 'nas', count: 1 }, { id: 'req_77', envelope: long });
		assert.equal(answer.outcome, 'exit');
		const lines = logged().trim().split('\n');
		assert.match(lines[0], /^<86>jarvis-act\[\d+\]: req_77 from 192\.0\.2\.7: asks for run_command command_id=reach count=1 host=nas$/);
		assert.match(lines.at(-1), /req_77 from 192\.0\.2\.7: exit 0 after \d+ ms$/);
		const pieces = lines.filter((line) => / grant \d+\/3 /.test(line)).map((line) => line.replace(/^.* grant \d+\/\d+ /, ''));
		assert.equal(pieces.join(''), long);
		assert.ok(!logged().includes(answer.boundary));
		await quick('service_status', { unit: 'a.service\nfake entry \x1b[2J' });
		assert.match(logged(), /refused 65/);
		assert.ok(!/\x1b|^fake/m.test(logged()));
	});

	test('goes to the socket of the system\'s log', async () => {
		const code = 'use Socket; socket(S,AF_UNIX,SOCK_DGRAM,0); bind(S,pack_sockaddr_un($ARGV[0])) or die; $|=1; print "up\n"; ' +
			'for(1..3){recv(S,my $x,1<<17,0); print "$x\n"}';
		const child = spawn('perl', ['-e', code, join(act.dir, 'log')], { stdio: ['ignore', 'pipe', 'inherit'] });
		const over = once(child, 'close');
		let heard = '';
		child.stdout.on('data', (chunk) => (heard += chunk));
		await once(child.stdout, 'data');
		assert.equal((await quick('service_restart', { unit: UNIT })).outcome, 'exit');
		await over;
		assert.match(heard, /^up\n<86>jarvis-act\[\d+\]: r-1 from 192\.0\.2\.7: asks for service_restart unit=smbd\.service\n/);
		assert.ok(heard.includes(ENVELOPE));
	});

	test('without one nothing is changed, but things are read', async () => {
		mkdirSync(join(act.dir, 'log'));
		for (const [tool, params] of [['service_restart', { unit: UNIT }], ['service_stop', { unit: UNIT }], ['run_command', { command_id: 'exports_reload' }]]) {
			assertRefused(await quick(tool, params), 71, /nothing is changed without a record/);
		}
		assert.equal((await quick('service_status', { unit: UNIT })).outcome, 'exit');
		rmSync(join(act.dir, 'log'), { recursive: true });
	});
});

describe('the catalogue', () => {
	const file = () => join(act.dir, 'catalogue');

	test('is not believed when others could have written it', async () => {
		const restart = () => quick('service_restart', { unit: UNIT });
		for (const mode of [0o666, 0o664, 0o646]) {
			chmodSync(file(), mode);
			assertRefused(await restart(), 66, /catalogue can be changed by others: chmod go-w/);
		}
		chmodSync(file(), 0o644);
		chmodSync(act.dir, 0o777);
		assertRefused(await restart(), 66, /act can be changed by others/);
		chmodSync(act.dir, 0o755);
		if (process.getuid() === 0) {
			chownSync(file(), 65534, 65534);
			assertRefused(await restart(), 66, /does not belong to root/);
			chownSync(file(), 0, 0);
			chmodSync(join(act.dir, 'bin/exportfs'), 0o777);
			assertRefused(await quick('run_command', { command_id: 'exports_reload' }), 66, /exportfs can be changed by others/);
			chmodSync(join(act.dir, 'bin/exportfs'), 0o755);
		}
		rmSync(file());
		assertRefused(await restart(), 66, /No such file/);
		act.catalogue(SHIPPED);
		assert.equal((await restart()).outcome, 'exit');
	});

	test('names the line that is wrong, and nothing of it counts', async () => {
		const c = 'command c\n';
		const cases = [
			['unit smbd.service\n', 1], ['unit smbd restart\n', 1], ['unit a.service restart reload\n', 1], ['unit ../a.service stop\n', 1],
			['unit a.service stop timeout 0\n', 1], ['unit a.service stop timeout 301\n', 1], ['unit a.service stop\nunit a.service restart\n', 2],
			['unit -a.service stop\n', 1], ['unit a\\x2d.service stop\n', 1], ['restart a.service\n', 1], ['  run /bin/true\n', 1],
			['unit a.service stop\n  run /bin/true\n', 2], [`${c}  run true\n`, 2], [`${c}  run /bin/sh -c "id"\n`, 2], [`${c}  run /bin/true;id\n`, 2],
			[`${c}  run /bin/true $x\n`, 2], [`${c}  run /bin/true *\n`, 2], [c, 1], [`${c}  about nothing\n`, 1], [`${c}  run /bin/{x}\n  param x name\n`, 2],
			[`${c}  run /bin/true {x}\n`, 1], [`${c}  run /bin/true\n  param x name\n`, 1], [`${c}  run /bin/true {x\n  param x name\n`, 1],
			[`${c}  run /bin/true {}\n`, 1], [`${c}  run /bin/true\n  run /bin/false\n`, 3], [`${c}  run /bin/true {x}\n  param x text\n`, 3],
			[`${c}  run /bin/true {x}\n  param x int 5 1\n`, 3], [`${c}  run /bin/true {x}\n  param x int\n`, 3], [`${c}  run /bin/true {x}\n  param x word\n`, 3],
			[`${c}  run /bin/true {x}\n  param x word a -b\n`, 3], [`${c}  run /bin/true {x}\n  param x word a/b\n`, 3],
			[`${c}  run /bin/true {x}\n  param x name\n  param x name\n`, 4], [`${c}  run /bin/true {x}\n  param x name\n  root\n`, 1],
			[`${c}  run /bin/true {x}\n  param x int 1 2\n  root\n`, 1], [`${c}  run /bin/true\n  timeout 0\n`, 3], [`${c}  run /bin/true\n  root yes\n`, 3],
			[`${c}  run /bin/true\n${c}  run /bin/true\n`, 3], ['command C\n', 1], [`${c}run /bin/true\n`, 2],
			[`${c}  run /bin/true {x} {y}\n  param x word ${'a b c d e f g h i'}\n  param y word ${'a b c d e f g h i'}\n  root\n`, 1],
		];
		for (const [text, line] of cases) {
			await withCatalogue(`${text}unit smbd.service restart\n`, async () => {
				const answer = await quick('service_restart', { unit: UNIT });
				assert.deepEqual([answer.outcome, answer.value], ['refused', 66], text);
				assert.match(answer.err, new RegExp(`catalogue line ${line}: `), `${text}: ${answer.err}`);
			});
		}
		await withCatalogue(`#${'x'.repeat(70_000)}\n`, async () => assertRefused(await quick('service_restart', { unit: UNIT }), 66, /too large/));
		assert.deepEqual(calls(), []);
	});

	test('its longest times hold, whatever the caller says', async () => {
		const bin = join(act.dir, 'bin');
		await withCatalogue(`unit smbd.service restart timeout 1\ncommand c\n  run ${bin}/ping -n -c 1 -W 2 -- nas\n  timeout 1\n`, async () => {
			act.setProgram({ program: 'ping', does: 'hang' });
			const answer = await quick('run_command', { command_id: 'c' }, { seconds: 300 });
			assert.deepEqual([answer.outcome, answer.ms < 8000], ['timeout', true]);
		});
	});

	test('sudo gets one exact line for each thing, with its own quoting', async () => {
		const print = () => execFileSync(SCRIPT, ['--sandbox', act.dir, '--sudoers', 'jarvis'], { encoding: 'utf8', stdio: 'pipe' }).split('\n').slice(1, -1);
		const bin = join(act.dir, 'bin');
		const text = `unit a@1.service stop timeout 5\ncommand c\n  run ${bin}/zpool set a:b=c,d {pool} {x}-{pool}\n  param pool word p q\n  param x word y\n  root\n`;
		await withCatalogue(text, () => {
			const begin = 'jarvis ALL=(root) NOPASSWD: /usr/bin/timeout -k 5';
			assert.deepEqual(print(), [`${begin} 5 ${bin}/systemctl --no-ask-password stop -- a@1.service`,
				`${begin} 30 ${bin}/zpool set a\\:b\\=c\\,d p y-p`, `${begin} 30 ${bin}/zpool set a\\:b\\=c\\,d q y-q`]);
		});
		// What nobody printed is not done, even though the catalogue has it.
		await withCatalogue(`${readFileSync(file(), 'utf8')}unit ssh.service restart\n`, async () => {
			const answer = await quick('service_restart', { unit: 'ssh.service' });
			assert.deepEqual([answer.outcome, answer.value, answer.err], ['exit', 1, 'sudo: a password is required\n']);
		});
		appendFileSync(file(), 'nonsense\n');
		assert.throws(print, /line \d+: is neither/);
		act.catalogue(SHIPPED);
	});

	test('the one that ships is right, and is what the example configuration says', () => {
		const check = execFileSync(SCRIPT, ['--sandbox', act.dir, '--check'], { encoding: 'utf8' });
		assert.match(check, /catalogue: 3 units, 3 commands\n$/);
		const config = fromYaml(readFileSync(join(NODES, '../jarvis.example.yaml'), 'utf8'));
		const units = [...SHIPPED.matchAll(/^unit (\S+)/gm)].map((m) => m[1]);
		assert.deepEqual(config.services['home/Home'], units);
		const commands = SHIPPED.split(/^command /m).slice(1);
		assert.deepEqual(Object.keys(config.commands), commands.map((text) => text.split('\n')[0]));
		for (const text of commands) {
			const { about, params = {} } = config.commands[text.split('\n')[0]];
			assert.equal(about, /^\s+about (.*)$/m.exec(text)[1]);
			const said = [...text.matchAll(/^\s+param (\S+) (\S+) ?(.*)$/gm)].map(([, name, type, rest]) => [name, type, rest]);
			assert.deepEqual(Object.entries(params).map(([name, p]) =>
				[name, p.type, p.type === 'int' ? `${p.min} ${p.max}` : (p.words ?? []).join(' ')]), said);
		}
	});

	test('the script needs nothing but perl-base, and runs tainted', () => {
		const text = readFileSync(SCRIPT, 'utf8');
		assert.match(text, /^#!\/usr\/bin\/perl -T\n/);
		assert.deepEqual([...text.matchAll(/^use ([A-Z]\S*)/gm)].map((m) => m[1].replace(/;$/, '')), ['Fcntl', 'IO::Select', 'POSIX', 'Socket']);
		assert.ok(!/\b(eval|system|qx)\b\s*[({"'/$]|`/.test(text.replace(/^#.*$/gm, '')));
	});
});
