// `make check-live` against simulated clusters: that it is content with a good one, changes nothing, tells every trouble with
// a cure, and gives nothing away.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { SERVICES } from '../stack/services.mjs';
import { MAIN, check, dir, fails, installation } from './live_world.mjs';
import { start } from './poller_world.mjs';

/** Services that need a further simulator to read from, as far as there are any. */
const WITH_SIMULATOR = SERVICES.filter(({ sim }) => sim).map(({ name }) => name);

/** Every file with its content and mode. */
function listing(home) {
	return readdirSync(home, { recursive: true }).sort().map((name) => {
		const stat = statSync(join(home, name));
		return [name, stat.mode, stat.mtimeMs, stat.isFile() ? readFileSync(join(home, name), 'latin1') : ''];
	});
}

describe('a cluster of four nodes, PVE 9', () => {
	let stack, requests;

	before(async () => {
		stack = await start({ services: WITH_SIMULATOR, sim: { 'membership-delay': 0 } });
		requests = async () => (await fetch(`${stack.simInfo.control_url}/requests`)).json();
	});
	after(() => stack?.stop());

	/** The nodes themselves are live_nodes.test.mjs's. */
	const installed = (name, change = () => {}) => installation(stack, name, (config, home) => {
		delete config.clusters.home.executor.ssh;
		change(config, home);
	});

	test('all is well: nothing fails, nothing changes, nothing is given away', async () => {
		const home = installed('good');
		const earlier = listing(home);
		const { status, text } = await check(join(home, 'jarvis.yaml'));

		assert.deepEqual([fails(text), status], [[], 0], text);
		assert.match(text, /\n\d\d passed, 0 failed\n$/);
		assert.deepEqual(listing(home), earlier);
		// What it announced holds, and is announced before the first call.
		const { log, total } = await requests();
		assert.deepEqual([...new Set(log.map(({ method }) => method))], ['GET'], text);
		const [, made, most] = /(\d+) calls were made, of (\d+) that were announced/.exec(text);
		assert.ok(Number(made) <= Number(most) && Number(made) > 15 && Number(made) < total);
		assert.ok(text.indexOf(`at most ${most} calls`) < text.indexOf('Waiting for'));
		assert.match(text, /home: what is published of guests is what Proxmox says \(32 compared\)/);
		assert.match(text, /all \d+ messages on the bus decode/);
		assert.match(text, /\/cluster\/resources has the shape/);
		if (WITH_SIMULATOR.includes('thermal-collector')) assert.match(text, /ok {4}home: temperatures: 4 sources answer/);
		const secret = readFileSync(join(home, 'secrets/proxmox-poller/home.token'), 'utf8').trim();
		assert.ok(!text.includes(secret));
	});

	test('the saved answers are their owner\'s alone and name nothing of the cluster', () => {
		const out = join(dir, 'out1', 'cluster-1');
		const files = readdirSync(out);
		const { nodes } = stack.simInfo;

		assert.equal(statSync(out).mode & 0o777, 0o700);
		assert.ok(files.length > 12 && files.some((file) => file.includes('cluster-resources')) && files.includes('differences.json'));
		for (const file of files) {
			assert.equal(statSync(join(out, file)).mode & 0o777, 0o600);
			const text = readFileSync(join(out, file), 'utf8');
			// A key `agent` is Proxmox's; "pve" is in its version.
			for (const word of ['Home', 'agent1', 'jellyfin', 'home-assistant', 'tank', 'usb-backup', 'smarthome', 'jarvis', 'monitor"', '192.168.', '127.0.0.1', nodes.pve.fingerprint]) {
				assert.ok(!text.includes(word), `${file}: ${word}`);
			}
		}
		const { body } = JSON.parse(readFileSync(join(out, files.find((file) => file.includes('cluster-resources'))), 'utf8'));
		assert.equal(body.data.filter((row) => ['qemu', 'lxc'].includes(row.type)).length, 32);
	});

	test('a wrong pin: which node, what it shows, and nothing is sent to it', async () => {
		const wrong = 'AB:'.repeat(31) + 'CD';
		const home = installed('pin', (c) => { c.clusters.home.nodes.pve.fingerprint = wrong; });
		await fetch(`${stack.simInfo.control_url}/requests`, { method: 'DELETE' });
		const { status, text } = await check(join(home, 'jarvis.yaml'));

		assert.equal(status, 1);
		assert.ok(fails(text).includes('home: node pve answers and is who it should be'), text);
		assert.ok(text.includes(`shows certificate ${stack.simInfo.nodes.pve.fingerprint}, pinned is ${wrong}; nothing was sent`), text);
		assert.match(text, /→ compare with pvenode cert info on that node/);
		assert.match(text, /ok {4}home: node agent1 answers at its address/);
		// Its details come by way of another node; nothing else fails with it.
		assert.deepEqual(fails(text), ['home: is read', 'home: node pve answers and is who it should be'], text);
		const { log } = await requests();
		assert.equal(log.filter(({ node, template }) => node === 'pve' && template).length, 0);
	});

	test('a node that is down', async () => {
		await stack.sim('node_down', { node: 'agent1' });
		const { status, text } = await check(installed('down') + '/jarvis.yaml');
		await stack.sim('node_up', { node: 'agent1' });

		assert.equal(status, 1);
		const found = fails(text);
		assert.ok(found.includes('home: node agent1 is online') && found.includes('home: node agent1 answers and is who it should be'), text);
		// What is not its fault does not fail with it.
		assert.ok(text.includes('ok    home: has quorum (3 of 4 votes, 3 needed)'), text);
		assert.match(text, /ok {4}home: what is published of guests is what Proxmox says/);
	});

	test('too few rights: what is missing, and the command that gives it', async () => {
		await stack.sim('token_acl', { token: 'monitor', acl: [] });
		const { status, text } = await check(installed('rights') + '/jarvis.yaml', '--timeout', '20');
		await stack.sim('token_acl', { token: 'monitor', acl: [{ path: '/', roles: ['PVEAuditor'] }] });

		assert.equal(status, 1);
		assert.ok(fails(text).includes('home: is read'), text);
		assert.match(text, /pveum acl modify \/ --tokens 'jarvis@pve!monitor' --roles PVEAuditor/);
		assert.match(text, /Proxmox tells of no guest/);
		assert.doesNotMatch(text, /has the shape/);
	});

	test('too many rights, and a storage that does not answer', async () => {
		await stack.sim('token_acl', { token: 'monitor', acl: [{ path: '/', roles: ['PVEAuditor', 'JarvisPower'] }] });
		await stack.sim('api_error', { path_prefix: '/nodes/pve/storage', status: 500, reason: 'storage daemon is tired', count: 1000 });
		const { status, text } = await check(installed('much') + '/jarvis.yaml');
		await stack.sim('faults_clear', {});
		await stack.sim('token_acl', { token: 'monitor', acl: [{ path: '/', roles: ['PVEAuditor'] }] });

		assert.equal(status, 1);
		assert.match(text, /FAIL {2}[^\n]*(the token may read, and nothing else|rights|may do more)/);
		assert.match(text, /storage\.pve: [^\n]*storage daemon is tired/);
	});

	test('secrets that are missing or open to others, files that are not there', async () => {
		const home = installed('secrets', (c) => {
			c.clusters.other = { ...c.clusters.home };
			c.clusters.third = { ...c.clusters.home, ca: '/nonexistent/ca.pem' };
			c.clusters.fourth = { ...c.clusters.home };
		});
		const folder = join(home, 'secrets/proxmox-poller');
		for (const name of ['third', 'fourth']) copyFileSync(join(folder, 'home.token'), join(folder, `${name}.token`));
		chmodSync(join(folder, 'home.token'), 0o644);
		const { status, text } = await check(join(home, 'jarvis.yaml'), '--timeout', '8');

		assert.equal(status, 1);
		assert.match(text, /home\.token: others than its owner have rights \(mode 644\)\n {6}→ chmod 600/);
		assert.match(text, /other\.token: there is no such file\n {6}→ make it: install -D -m 600/);
		assert.match(text, /clusters\.third: ca \/nonexistent\/ca\.pem is not there/);
		// The one that is well is read all the same.
		assert.match(text, /ok {4}fourth: is read/);
		assert.equal(fails(text).length, 3, text);
	});

	test('a configuration with errors is told as jarvisctl tells it', async () => {
		const file = join(dir, 'bad.yaml');
		writeFileSync(file, 'bse: x\n');
		const { status, text } = await check(file);

		assert.equal(status, 1);
		assert.match(text, /bad\.yaml:1:1: bse: unknown key; did you mean base\?/);
		assert.match(text, /0 passed, 1 failed/);
		const { status: usage, text: why } = await check(file, '--out', dir);
		assert.deepEqual([usage, why.includes('is there already')], [2, true]);
	});

	test('Ctrl-C ends it, and nothing is left; after a crash the next run clears up', async () => {
		const home = installed('end');
		const scratch = join(dir, 'scratch');
		mkdirSync(scratch);
		const end = async (signal) => {
			const child = spawn(process.execPath, [MAIN, '--config', join(home, 'jarvis.yaml')], { stdio: ['ignore', 'pipe', 'ignore'], env: { ...process.env, SCRATCH: scratch } });
			await new Promise((done) => { child.stdout.on('data', (chunk) => String(chunk).includes('Waiting') && done()); });
			const left = readdirSync(scratch);
			child.kill(signal);
			const code = await new Promise((done) => { child.once('exit', done); });
			return { code, during: left.length, after: readdirSync(scratch).length };
		};

		assert.deepEqual(await end('SIGINT'), { code: 130, during: 1, after: 0 });
		assert.deepEqual(await end('SIGKILL'), { code: null, during: 1, after: 1 });
		assert.deepEqual(await end('SIGTERM'), { code: 130, during: 1, after: 0 });
	});
});

test('a standalone node of PVE 8, trusted by its authority, whose file lies beside jarvis.yaml', async () => {
	const stack = await start({ services: [], sim: { standalone: true, pve: '8.4', cluster: 'solo' } });
	try {
		const home = installation(stack, 'solo', (c, folder) => {
			copyFileSync(stack.simInfo.ca_file, join(folder, 'pve-root-ca.pem'));
			c.clusters.solo.ca = '/etc/jarvis/nowhere/pve-root-ca.pem';
			for (const node of Object.values(c.clusters.solo.nodes)) delete node.fingerprint;
		});
		const { status, text } = await check(join(home, 'jarvis.yaml'));

		assert.deepEqual([fails(text), status], [[], 0], text);
		assert.match(text, /solo: a node on its own/);
		assert.match(text, /its certificate is the right one \(authority\)/);
		assert.match(text, /compared with the simulator as Proxmox VE 8\.4/);
	} finally {
		await stack.stop();
	}
});

test('without CONFIG make says how it is used', () => {
	const { status, stdout } = spawnSync('make', ['-s', 'check-live', 'CONFIG='], { encoding: 'utf8', cwd: resolve(import.meta.dirname, '../..') });
	assert.notEqual(status, 0);
	assert.match(stdout, /usage: make check-live CONFIG=/);
});
