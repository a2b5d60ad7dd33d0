// What every service does, shown by one: its command line, its exit codes, reload, and an orderly end.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { startStack } from '../stack/stack.mjs';

const SERVICE = 'proxmox-poller';
const BINARY = resolve(process.env.JARVIS_BUILD ?? 'build', SERVICE);
let stack;
let dir;

before(async () => {
	dir = mkdtempSync(join(process.env.SCRATCH ?? tmpdir(), 'sv-'));
	stack = await startStack({ services: [SERVICE] });
});
after(async () => {
	await stack?.stop();
	rmSync(dir, { recursive: true, force: true });
});

function run(...argv) {
	return new Promise((done) => {
		execFile(BINARY, argv, { timeout: 20_000 }, (error, stdout, stderr) => {
			done({ code: error ? error.code : 0, stdout, stderr });
		});
	});
}

test('--help, --version, and what is no option', async () => {
	assert.match((await run('--help')).stdout, /--config +FILE.*--secrets/s);
	assert.match((await run('--version')).stdout, /^proxmox-poller \d+\.\d+\.\d+\n$/);
	const unknown = await run('--confog', 'x');
	assert.equal(unknown.code, 64);
	assert.match(unknown.stderr, /unknown option --confog; try --help/);
	assert.match((await run('--config')).stderr, /--config needs a value/);
});

test('every error of a configuration is told, with its line', async () => {
	const file = join(dir, 'bad.yaml');
	writeFileSync(file, 'base: Has Blanks\nmqtt:\n  prot: 1\ngateway:\n  port: 99999\n');
	const { code, stderr } = await run('--config', file, '--check');
	assert.equal(code, 78);
	assert.match(stderr, /bad\.yaml:1:\d+: base:/);
	assert.match(stderr, /bad\.yaml:3:\d+: mqtt\.prot:.*port/);
	assert.match(stderr, /bad\.yaml:5:\d+: gateway\.port:.*65535/);
	assert.equal((await run('--config', stack.configFile, '--check')).code, 0);
});

test('a secret that others can read is refused, with the command that mends it', async () => {
	const secrets = join(dir, 'secrets');
	const file = join(secrets, SERVICE, 'mqtt-password');
	const missing = await run('--config', stack.configFile, '--data', dir, '--secrets', secrets);
	assert.equal(missing.code, 78);
	assert.match(missing.stderr, /mqtt-password/);
	mkdirSync(join(secrets, SERVICE), { recursive: true });
	writeFileSync(file, 'very-secret-word\n');
	chmodSync(file, 0o644);
	const open = await run('--config', stack.configFile, '--data', dir, '--secrets', secrets);
	assert.equal(open.code, 78);
	assert.match(open.stderr, /chmod 600/);
	assert.doesNotMatch(open.stderr, /very-secret-word/);
});

test('info and health are told', async () => {
	const info = await stack.waitFor(`jarvis/service/${SERVICE}/main/info`, (doc) => doc.version, 5000);
	assert.ok(info);
	const health = await stack.observer.next(`jarvis/service/${SERVICE}/main/health`, (doc) => doc.counters, 15_000);
	assert.ok(health);
});

test('SIGHUP reads the configuration again; a bad one changes nothing', async () => {
	const told = stack.observer.next(`jarvis/service/${SERVICE}/main/info`, () => true, 5000);
	writeFileSync(stack.configFile, `${readFileSync(stack.configFile, 'utf8')}\n# changed\n`);
	stack.process(SERVICE).signal('SIGHUP');
	await told;
	const complaint = stack.observer.next(`jarvis/service/${SERVICE}/main/log`, (doc) => /stays in force/.test(doc.text), 5000);
	const good = readFileSync(stack.configFile, 'utf8');
	writeFileSync(stack.configFile, `${good}\nnonsense: 1\n`);
	stack.process(SERVICE).signal('SIGHUP');
	await complaint;
	writeFileSync(stack.configFile, good);
	/* It goes on: what it was told about itself was not lost with the old configuration. */
	await stack.observer.next(`jarvis/service/${SERVICE}/main/health`, () => true, 15_000);
	await stack.observer.next('jarvis/pve/home/state', () => true, 15_000);
});

test('SIGTERM: it says good-bye and ends with 0, also without a broker', async () => {
	const bye = stack.observer.next(`jarvis/service/${SERVICE}/main/state`, (doc) => doc === 'offline', 5000);
	const proc = stack.process(SERVICE);
	await stack.kill(SERVICE, 'SIGTERM');
	await bye;
	assert.equal(proc.fate, 'exited with 0');
	await stack.start(SERVICE);
	await stack.kill('broker', 'SIGKILL');
	await stack.kill(SERVICE, 'SIGTERM');
	assert.equal(stack.process(SERVICE).fate, 'exited with 0');
});
