// What deploy/nodes/jarvis-act refuses, in a request, a parameter and whoever asks, and what it leaves in the log.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { ENVELOPE, makeBoundary, makeRequest, runProgram } from './ssh_act_client.mjs';
import { UNIT, World } from './ssh_act_world.mjs';

const world = new World();
const ask = (...of) => world.ask(...of);
const quick = (...of) => world.quick(...of);
const calls = () => world.calls();
const assertRefused = (...of) => world.assertRefused(...of);
const logged = () => readFileSync(join(world.act.dir, 'log'), 'utf8');

before(() => world.open());
after(() => world.close());
beforeEach(() => world.clean());

describe('what it refuses', () => {
	test('what the catalogue does not list', async () => {
		assertRefused(await ask('service_restart', { unit: 'ssh.service' }), 69, /^ssh\.service: .*catalogue does not list it for restart\n$/);
		assertRefused(await quick('service_stop', { unit: 'pveproxy.service' }), 69, /for stop/);
		assertRefused(await quick('run_command', { command_id: 'reboot' }), 69, /^reboot: .* has no such command/);
		await world.withCatalogue('unit smbd.service restart\n', async () => {
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
		const one = async ([tool, name, rest], value) => {
			const answer = await quick(tool, { ...rest, [name]: value }, { ms: 60_000 });
			const is = name === 'command_id' && value === 'a' ? 69 : 65;
			assert.deepEqual([answer.outcome, answer.value], ['refused', is],
				`${tool} ${name} ${JSON.stringify(value)}: ${answer.err ?? answer.stderr}`);
			assert.match(answer.err, /^[\x20-\x7e]+\n$/);
		};
		// A few at a time: a request has five seconds to come, and two hundred at once take longer to start.
		const waiting = places.flatMap((place) => [...hostile, ...bytes].map((value) => [place, value]));
		const worker = async () => {
			for (let next = waiting.shift(); next; next = waiting.shift()) await one(...next);
		};
		await Promise.all([worker(), worker(), worker()]);
		assert.deepEqual(calls(), []);
		for (const host of ['-f', '--', '../x', '.x', 'a/b', 'a b', 'a;b', '$x', 'a\nb', 'ü', '', 'x'.repeat(65), '::1']) {
			assertRefused(await quick('run_command', { command_id: 'reach', count: 1, host }), 65, /^host: must be/);
		}
		// A NUL ends a field, so that what follows is another one, or no end.
		assertRefused(await quick('service_restart', ['unit=smbd.service\0--now']), 65, /not NAME=VALUE/);
		assertRefused(await quick('service_restart', [`unit=${UNIT}\0end`]), 65, /not NAME=VALUE/);
	});

	test('bytes changed, dropped and doubled at random: refused, or what was asked for, and Perl never complains', async () => {
		const bin = join(world.act.dir, 'bin');
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
			const ran = await runProgram('ssh', world.ssh(command), '');
			assert.deepEqual([ran.code, ran.stdout.toString()], [64, '']);
			assert.equal(ran.stderr, 'jarvis-act: takes a request on its input, and no command\n');
		}
		const tunnel = await runProgram('ssh', world.ssh('jarvis-act', ['-W', `127.0.0.1:${world.sshd.port}`]), '');
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
		const child = spawn('perl', ['-e', code, join(world.act.dir, 'log')], { stdio: ['ignore', 'pipe', 'inherit'] });
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
		mkdirSync(join(world.act.dir, 'log'));
		for (const [tool, params] of [['service_restart', { unit: UNIT }], ['service_stop', { unit: UNIT }], ['run_command', { command_id: 'exports_reload' }]]) {
			assertRefused(await quick(tool, params), 71, /nothing is changed without a record/);
		}
		assert.equal((await quick('service_status', { unit: UNIT })).outcome, 'exit');
		rmSync(join(world.act.dir, 'log'), { recursive: true });
	});
});

