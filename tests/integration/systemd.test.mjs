// deploy/systemd as far as it can be tried without systemd as the first process: the unit is in order for every service, and
// an executor that has nothing but what LoadCredential= hands over acts on Proxmox and on nodes.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { start } from './actions_world.mjs';

const UNITS = resolve(import.meta.dirname, '../../deploy/systemd');
const dir = mkdtempSync(join(tmpdir(), 'systemd-'));
after(() => rmSync(dir, { recursive: true, force: true }));

const unit = readFileSync(join(UNITS, 'jarvis@.service'), 'utf8');
const hasAnalyze = spawnSync('systemd-analyze', ['--version']).status === 0;

test('the unit is in order', { skip: hasAnalyze ? false : 'no systemd-analyze here' }, () => {
	const makefile = readFileSync(resolve(UNITS, '../../Makefile'), 'utf8');
	const services = /^SERVICES := (.*)$/m.exec(makefile)[1].split(' ');
	assert.ok(services.includes('executor'));
	// The programs need not be installed here.
	for (const name of services) writeFileSync(join(dir, `jarvis@${name}.service`), unit.replace(/^ExecStart=.*$/m, 'ExecStart=/bin/true'));
	const files = services.map((name) => join(dir, `jarvis@${name}.service`));
	const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', ...files], { encoding: 'utf8' });
	assert.deepEqual([status, stderr.split('\n').filter((line) => line.includes('jarvis@'))], [0, []], stderr);
});

test('an executor with the credentials of its unit alone reads and changes a node', async () => {
	const [, into, from] = /^LoadCredential=([^:]+):(.*)$/m.exec(unit);
	assert.deepEqual([into, from], ['%i', '/etc/jarvis/secrets/%i']);
	const credentials = join(dir, 'credentials');
	/** A folder NAME becomes files NAME_FILE, which their service can read and nobody can write. */
	const handOver = (stack) => {
		mkdirSync(credentials, { mode: 0o700 });
		const folder = join(stack.data, 'secrets/executor');
		for (const file of readdirSync(folder)) {
			copyFileSync(join(folder, file), join(credentials, `executor_${file}`));
			execFileSync('chmod', ['400', join(credentials, `executor_${file}`)]);
		}
	};
	const command = (stack) => {
		handOver(stack);
		const empty = join(dir, 'secrets');
		mkdirSync(empty);
		return ['env', `CREDENTIALS_DIRECTORY=${credentials}`, stack.binary('executor'), '--config', stack.configFile,
			'--data', join(stack.data, 'data'), '--runtime', stack.runtime, '--secrets', empty];
	};
	const services = ['proxmox-poller', 'thermal-collector', 'safety-gate', { name: 'executor', command }, 'gateway'];
	const w = await start({ services, change: (config) => (config.protected.nodes = []) });
	try {
		const status = await w.execute('service_status', { node: 'pve', unit: 'ssh.service' });
		assert.equal(status.status, 200, JSON.stringify(status.body));
		assert.match(JSON.stringify(status.body), /"Id":"ssh\.service"/);
		const { body } = await w.execute('service_restart', { node: 'Home', unit: 'smbd.service' }, { wait_s: 30 });
		assert.equal((await w.over(body.id)).status, 'verified', JSON.stringify(body));
		assert.ok(readdirSync(credentials).includes('executor_ssh-key'));
	} finally {
		await w.stop();
	}
});
