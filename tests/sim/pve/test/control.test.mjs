import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import test from 'node:test';
import tls from 'node:tls';
import { fileURLToPath } from 'node:url';
import { startSim } from './helper.mjs';

const MAIN = fileURLToPath(new URL('../main.mjs', import.meta.url));

test('start and end', async (t) => {
	const sim = await startSim(t);
	assert.match(sim.ready, /^ready /);
	const about = sim.describe();
	assert.equal(about.cluster, 'home');
	assert.deepEqual(Object.keys(about.tokens), ['monitor', 'control', 'none']);
	assert.equal(statSync(about.tokens.control.secret_file).mode & 0o777, 0o600);
	sim.child.stdin.end(); // --die-with-parent
	assert.equal(await sim.exited, 0);
});

test('bad command lines are explained', () => {
	const run = (...args) => spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8' });
	for (const [args, text] of [
		[[], /--state DIR is needed/],
		[['--state', '/tmp/x', '--pve', '7'], /unknown Proxmox VE version '7'/],
		[['--state', '/tmp/x', '--seed=x'], /--seed: 'x' is not a whole number/],
		[['--nonsense'], /unknown option --nonsense/],
	]) {
		const res = run(...args);
		assert.equal(res.status, 2);
		assert.match(res.stderr, text);
	}
	assert.match(run('--help').stdout, /--one-endpoint/);
});

test('the same seed gives the same cluster', async (t) => {
	const args = ['--epoch', '1790000000', '--nodes', '3', '--guests', '40'];
	const [a, b, c] = await Promise.all([startSim(t, ...args, '--seed', '7'),
		startSim(t, ...args, '--seed', '7'), startSim(t, ...args, '--seed', '8')]);
	const shape = async (sim) => (await sim.data('/cluster/resources'))
		.map((r) => [r.id, r.name, r.node, r.maxmem, r.maxdisk, r.tags, r.template].join('|')).sort();
	assert.deepEqual(await shape(a), await shape(b));
	assert.notDeepEqual(await shape(a), await shape(c));
	const upids = async (sim) => (await sim.data('/nodes/node01/tasks')).map((row) => row.upid);
	assert.deepEqual(await upids(a), await upids(b));
});

test('a new certificate', async (t) => {
	const sim = await startSim(t);
	const seen = () => new Promise((done, fail) => {
		const socket = tls.connect({ host: '127.0.0.1', ca: sim.ca,
			port: sim.describe().nodes.pve.port }, () => {
			done(socket.getPeerCertificate().fingerprint256);
			socket.destroy();
		});
		socket.on('error', fail);
	});
	const before = sim.describe().nodes.pve.fingerprint;
	assert.equal(await seen(), before);
	const { fingerprint } = await sim.control('cert_change', { node: 'pve' });
	assert.notEqual(fingerprint, before);
	assert.equal(await seen(), fingerprint);
	assert.equal(sim.describe().nodes.pve.fingerprint, fingerprint);
	const row = (await sim.data('/nodes')).find((r) => r.node === 'pve');
	assert.equal(row.ssl_fingerprint, fingerprint);
	const info = await sim.data('/nodes/pve/certificates/info');
	assert.ok(info.some((r) => r.fingerprint === fingerprint && r.filename === 'pve-ssl.pem'));
	const { endpoints } = await sim.fetch('/requests');
	assert.deepEqual([endpoints.pve.connections, endpoints.pve.bytes], [2, 0]);
});

test('guests come, go, move and misbehave', async (t) => {
	// Time all but stands: no round of pvestatd comes between a change and a look at it.
	const sim = await startSim(t, '--speed', '0.001');
	const row = async (vmid) => (await sim.data('/cluster/resources?type=vm'))
		.find((r) => r.vmid === vmid);
	await sim.control('guest_kill', { vmid: 101 });
	assert.equal((await row(101)).status, 'running');
	await sim.control('sample');
	assert.deepEqual([(await row(101)).status, (await row(101)).cpu], ['stopped', 0]);
	await sim.control('guest_start', { vmid: 101, sample: true });
	assert.equal((await row(101)).status, 'running');
	await sim.control('guest_cpu', { vmid: 101, cpu: 0.93, sample: true });
	assert.equal((await row(101)).cpu, 0.93);
	await sim.control('lock', { vmid: 101, lock: 'backup' });
	assert.equal((await row(101)).lock, 'backup');
	await sim.control('guest_migrate', { vmid: 101, node: 'pve' });
	assert.equal((await row(101)).node, 'pve');
	await sim.control('guest_add', { vmid: 777, node: 'agent', name: 'new', sample: true });
	assert.deepEqual([(await row(777)).name, (await row(777)).status], ['new', 'running']);
	await sim.control('guest_remove', { vmid: 777 });
	assert.equal(await row(777), undefined);
	await sim.control('reset');
	assert.deepEqual([(await row(101)).node, (await row(101)).lock], ['Home', undefined]);
	assert.equal((await sim.get('/version', { node: 'pve' })).status, 200);
});

test('a full storage', async (t) => {
	const sim = await startSim(t);
	await sim.control('storage_full', { storage: 'tank', node: 'pve', sample: true });
	const share = (await sim.data('/cluster/resources?type=storage'))
		.filter((r) => r.storage === 'tank').map((r) => [r.node, r.disk / r.maxdisk > 0.98]);
	assert.deepEqual(Object.fromEntries(share), { pve: true, agent1: false });
});

test('errors and garbage on demand', async (t) => {
	const sim = await startSim(t);
	const path = '/cluster/resources';
	await sim.control('api_error',
		{ path_prefix: path, status: 500, reason: 'got timeout', count: 1 });
	const failed = await sim.get(path);
	assert.deepEqual([failed.status, failed.reason], [500, 'got timeout']);
	assert.equal((await sim.get(path)).status, 200);
	await sim.control('garbage', { path_prefix: path, kind: 'notjson' });
	assert.equal((await sim.get(path)).json, undefined);
	await sim.control('garbage', { path_prefix: path, kind: 'truncated' });
	await assert.rejects(sim.get(path));
	await sim.control('garbage', { path_prefix: path, kind: 'huge', size: 1 << 20 });
	assert.ok((await sim.get(path)).body.length >= (1 << 20) - 100);
	for (const kind of ['wrongtypes', 'deep', 'empty']) {
		await sim.control('garbage', { path_prefix: path, kind });
		assert.equal((await sim.get(path)).status, 200, kind);
	}
	await assert.rejects(sim.control('garbage', { path_prefix: path, kind: 'x' }), /unknown kind 'x'/);
	await assert.rejects(sim.control('node_down', { node: 'mars' }), /no node 'mars'/);
	await assert.rejects(sim.control('fly'), /unknown op 'fly'/);
});

test('the journal knows who asked what', async (t) => {
	const sim = await startSim(t);
	await sim.get('/version');
	await sim.get('/version', { token: null });
	await sim.get('/nodes/pve/status', { token: 'none' });
	const seen = await sim.fetch('/requests');
	assert.equal(seen.total, 3);
	assert.deepEqual(seen.by_token,
		{ 'jarvis@pve!monitor': 1, '(none)': 1, 'jarvis@pve!none': 1 });
	assert.equal(seen.by_template['GET /nodes/{node}/status'], 1);
	assert.deepEqual(seen.log.map((r) => r.authorization), ['token', 'none', 'token']);
	assert.equal(seen.endpoints.Home.requests, 3);
	assert.ok(!JSON.stringify(seen).includes(sim.authorization('monitor').split('=')[2]));
});

test('life goes on by itself', async (t) => {
	const sim = await startSim(t, '--life', 'on');
	const before = (await sim.data('/cluster/tasks')).map((row) => row.upid);
	await sim.control('advance', { seconds: 6 * 3600 });
	const after = (await sim.data('/cluster/tasks')).map((row) => row.upid);
	assert.ok(after.filter((upid) => !before.includes(upid)).length > 20);
	assert.equal((await sim.data('/cluster/status')).filter((row) => row.online === 1).length, 4);
});

test('a large cluster with one endpoint', async (t) => {
	const sim = await startSim(t, '--nodes=20', '--guests=400', '--one-endpoint');
	assert.equal((await sim.data('/cluster/resources?type=vm')).length, 400);
	assert.equal(sim.describe().nodes.node02.port, null);
	assert.equal((await sim.get('/nodes/node02/status')).status, 200);
});
