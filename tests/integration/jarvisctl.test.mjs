// jarvisctl as an operator calls it: what it prints, what it writes, and its exit codes.
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';

const PROGRAM = resolve(process.env.JARVIS_BUILD ?? 'build', 'jarvisctl');
const dir = mkdtempSync(join(tmpdir(), 'jarvisctl-'));
after(() => rmSync(dir, { recursive: true, force: true }));

/** As run(), with our own servers running meanwhile: the exit code. */
function code(...args) {
	return new Promise((done) => { execFile(PROGRAM, args, { timeout: 10_000 }, (error) => done(error?.code ?? 0)); });
}

function run(...args) {
	const { status, stdout, stderr } = spawnSync(PROGRAM, args, { encoding: 'utf8', timeout: 10_000 });
	return { status, stdout, stderr };
}

test('without or with wrong arguments it says how it is used', () => {
	for (const args of [[], ['nonsense'], ['config'], ['config', '--nonsense'], ['mqtt-user'],
		['probe'], ['probe', 'http', '80'], ['probe', 'listening', '0'], ['probe', 'connected', '65536']]) {
		const { status, stderr } = run(...args);
		assert.equal(status, 64, args.join(' '));
		assert.match(stderr, /usage:/);
	}
	assert.equal(run('--help').status, 0);
	assert.match(run('config', '--help').stdout, /--print/);
	assert.match(run('--version').stdout, /^jarvisctl \S+\n$/);
});

test('every command says what it does, in the help and in the manual', () => {
	const names = run('--help').stdout.match(/^ {2}[a-z-]+(?= )/gm).map((name) => name.trim()).filter((n) => n !== 'jarvisctl');
	const { stdout: page } = run('man');
	assert.ok(names.length > 20, names.join());
	for (const name of names) {
		const help = run(name, '--help');
		assert.equal(help.status, 0, name);
		assert.match(help.stdout, new RegExp(`^ {2}jarvisctl ${name}\\b`, 'm'));
		assert.ok(page.includes(`\n.SS ${name}\n`), name);
		for (const option of help.stdout.matchAll(/--[a-z][a-z-]+/g))
			assert.ok(page.includes(option[0].replaceAll('-', '\\-')), `${name} ${option[0]}`);
	}
	assert.deepEqual(page.match(/[^\x20-\x7e\n“”…–·✓°]/g), null, 'nothing that a terminal should not see');
});

test('what a shell completes', () => {
	const words = (...args) => run('completion', 'words', ...args).stdout.trim().split('\n');
	assert.ok(['guests', 'run', 'status'].every((w) => words().includes(w)));
	assert.deepEqual(words('person').slice(0, 3), ['enrol', 'list', 'remove']);
	assert.ok(words('run').includes('guest_start'));
	assert.ok(words('run', '--confirmed', 'guest_stop').includes('guest='));
	assert.ok(!words('run', 'guest_stop').includes('guest_start'));
	assert.ok(words('guests').includes('--json') && words('guests').includes('--url'));
	assert.deepEqual(words('nonsense'), ['']);
	assert.equal(run('completion', 'tcsh').status, 64);
	const script = `PATH="$1:$PATH"; . <(jarvisctl completion bash); COMP_WORDS=("\${@:2}"); COMP_CWORD=$(($# - 2)); _jarvisctl
		printf '%s\\n' "\${COMPREPLY[@]}"`;
	const bash = (...typed) => spawnSync('bash', ['-c', script, 'bash', join(PROGRAM, '..'), 'jarvisctl', ...typed],
		{ encoding: 'utf8' }).stdout.trim().split('\n');
	assert.deepEqual(bash('gu'), ['guests']);
	assert.deepEqual(bash('run', 'guest_star'), ['guest_start']);
	assert.deepEqual(bash('run', 'guest_migrate', 'guest='), ['guest=']);
	assert.deepEqual(bash('audit', '--che'), ['--checkpoint']);
});

test('the printed sample is a configuration without errors', () => {
	const { status, stdout } = run('config', '--print');
	assert.equal(status, 0);
	assert.match(stdout, /^base: jarvis$/m);
	const file = join(dir, 'sample.yaml');
	writeFileSync(file, stdout);
	const check = run('config', '--check', file);
	assert.deepEqual([check.status, check.stderr], [0, '']);
	assert.match(check.stdout, /no errors \(digest [0-9a-f]{16}\)/);
});

test('config --json prints what a file means, with all defaults, and that is a configuration again', () => {
	const file = join(dir, 'some.yaml');
	writeFileSync(file, 'base: j\nself: external\nclusters:\n  c:\n    token: a@b!c\n    request_timeout: 90s\n    ca: /ca.pem\n    nodes:\n      n:\n        address: h\n        port: 1\n'
		+ 'protected:\n  guests: [c/101]\ndepends_on:\n  c/guest/101: [c/guest/102]\nprincipals:\n  p:\n    class: viewer\n');
	const { status, stdout } = run('config', '--json', file);
	assert.equal(status, 0);
	const json = JSON.parse(stdout);
	assert.deepEqual([json.base, json.self, json.mqtt.port, json.gateway.session_lifetime], ['j', 'external', 1883, '12h']);
	const { token, nodes, request_timeout: timeout, ca } = json.clusters.c;
	assert.deepEqual([token, Object.keys(nodes), nodes.n.address, nodes.n.port, timeout, ca], ['a@b!c', ['n'], 'h', 1, '90s', '/ca.pem']);
	assert.deepEqual([json.protected.guests, json.depends_on, json.principals.p.class], [['c/101'], { 'c/guest/101': ['c/guest/102'] }, 'viewer']);
	const again = join(dir, 'again.json');
	writeFileSync(again, stdout);
	assert.deepEqual([run('config', '--json', again).stdout, run('config', '--check', again).status], [stdout, 0]);
	assert.equal(run('config', '--json', join(dir, 'none.yaml')).status, 66);
});

test('a check reports all errors with their place and exits 78', () => {
	const file = join(dir, 'bad.yaml');
	writeFileSync(file, 'bse: x\nmqtt:\n  port: 70000\n');
	const { status, stdout, stderr } = run('config', '--check', file);
	assert.deepEqual([status, stdout], [78, '']);
	assert.deepEqual(stderr.trimEnd().split('\n'), [
		`${file}:1:1: bse: unknown key; did you mean base?`,
		`${file}:3:9: mqtt.port: is out of range; must be a whole number from 1 to 65535`,
	]);
});

test('a file that cannot be read exits 66', () => {
	const { status, stderr } = run('config', '--check', join(dir, 'none.yaml'));
	assert.equal(status, 66);
	assert.match(stderr, /none\.yaml: cannot be read: No such file/);
});

test('mqtt-user makes passwords that only their owner can read, and keeps what is there', () => {
	assert.equal(run('mqtt-user', '--secrets', join(dir, 'no', 'secrets'), 'a').status, 1);
	const base = join(dir, 'secrets'); // made with the first
	const { status, stdout } = run('mqtt-user', '--secrets', base, 'home.assistant', 'nodered');
	assert.equal(status, 0);
	const read = (name) => readFileSync(join(base, name, 'mqtt-password'), 'utf8');
	const [first, second] = [read('home.assistant'), read('nodered')];
	assert.match(first, /^[0-9a-f]{32}\n$/);
	assert.notEqual(first, second);
	assert.ok(!stdout.includes(first.trim()), 'the password is not printed');
	assert.equal(statSync(join(base, 'nodered')).mode & 0o777, 0o700);
	assert.equal(statSync(join(base, 'nodered', 'mqtt-password')).mode & 0o777, 0o600);
	assert.equal(run('mqtt-user', '--secrets', base, 'nodered').status, 0);
	assert.equal(read('nodered'), second);
});

test('mqtt-user refuses names that are no topic level', () => {
	for (const name of ['..', 'a/b', '', 'a b', 'x'.repeat(65)]) {
		assert.equal(run('mqtt-user', '--secrets', dir, name).status, 64, name);
	}
});

test('probe tells servers, listeners and connections that are well from those that are not', async () => {
	const server = createServer((request, response) => {
		response.statusCode = request.url === '/well' ? 200 : 503;
		response.end();
	});
	await new Promise((done) => { server.listen(0, '127.0.0.1', done); });
	const { port } = server.address();
	const probe = (...args) => code('probe', ...args.map(String));
	assert.equal(await probe('http', port, '/well'), 0);
	assert.equal(await probe('http', port, '/ill'), 1);
	assert.equal(await probe('listening', port), 0);
	assert.equal(await probe('connected', port), 1);
	const client = connect(port, '127.0.0.1');
	await new Promise((done) => { client.on('connect', done); });
	assert.equal(await probe('connected', port), 0);
	client.destroy();
	server.closeAllConnections();
	await new Promise((done) => { server.close(done); });
	assert.equal(await probe('listening', port), 1);
	assert.equal(await probe('http', port, '/well'), 1);
});
