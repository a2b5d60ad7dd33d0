import assert from 'node:assert/strict';
import test from 'node:test';
import { startSim } from './helper.mjs';

const ofType = (rows, ...types) => rows.filter((row) => types.includes(row.type));

test('the reference cluster is as described', async (t) => {
	const sim = await startSim(t);
	const rows = await sim.data('/cluster/resources');
	const guests = ofType(rows, 'qemu', 'lxc');
	assert.equal(guests.length, 32);
	assert.equal(new Set(ofType(rows, 'storage').map((row) => row.storage)).size, 10);
	assert.equal(ofType(rows, 'storage').filter((row) => row.storage === 'pbs').length, 4);
	assert.deepEqual(ofType(rows, 'node').map((row) => row.node).sort(),
		['Home', 'agent', 'agent1', 'pve']);
	const mgmt = guests.find((row) => row.name === 'mgmt');
	assert.equal(mgmt.node, 'agent1');
	assert.deepEqual(new Set(guests.map((row) => row.status)),
		new Set(['running', 'stopped', 'paused']));
	assert.equal(guests.filter((row) => row.template === 1).length, 1);
	const ids = guests.map((row) => String(row.vmid));
	assert.deepEqual(ids, [...ids].sort());
	const status = await sim.data('/cluster/status');
	assert.equal(status[0].type, 'cluster');
	assert.deepEqual([status[0].name, status[0].nodes, status[0].quorate], ['home', 4, 1]);
	const ips = Object.fromEntries(status.slice(1).map((row) => [row.name, row.ip]));
	assert.equal(ips.Home, '192.168.1.50');
	const votes = await sim.data('/cluster/config/nodes');
	assert.equal(votes.reduce((sum, row) => sum + Number(row.quorum_votes), 0), 4);
	for (const row of await sim.data('/nodes')) {
		assert.equal(row.ssl_fingerprint, sim.describe().nodes[row.node].fingerprint);
	}
});

test('a node dies', async (t) => {
	const sim = await startSim(t);
	await sim.control('node_down', { node: 'agent1' });

	await t.test('its endpoint refuses, others cannot reach it', async () => {
		await assert.rejects(sim.get('/version', { node: 'agent1' }), { code: 'ECONNREFUSED' });
		const res = await sim.get('/nodes/agent1/status');
		assert.deepEqual([res.status, res.reason, res.text], [595, 'No route to host', '']);
		assert.equal((await sim.get('/nodes/agent1/rrddata?timeframe=hour')).status, 200);
	});

	await t.test('members notice at once, values stay for five minutes', async () => {
		const rows = await sim.data('/cluster/resources');
		const node = rows.find((row) => row.id === 'node/agent1');
		assert.equal(node.status, 'offline');
		assert.equal(node.cpu, undefined);
		assert.equal(node.maxcpu, 14);
		assert.equal(rows.find((row) => row.vmid === 140).status, 'running');
		const status = await sim.data('/cluster/status');
		assert.equal(status.find((row) => row.name === 'agent1').online, 0);
		assert.equal(status[0].quorate, 1);
	});

	await t.test('then they are gone', async () => {
		await sim.control('advance', { seconds: 301 });
		const rows = await sim.data('/cluster/resources');
		const guest = rows.find((row) => row.vmid === 140);
		assert.deepEqual(Object.keys(guest).sort(), ['id', 'node', 'status', 'tags', 'type', 'vmid']);
		assert.equal(guest.status, 'unknown');
		const node = rows.find((row) => row.id === 'node/agent1');
		assert.equal(node.maxcpu, undefined);
		const storage = rows.find((row) => row.id === 'storage/agent1/local');
		assert.equal(storage.status, 'unknown');
		assert.equal(storage.maxdisk, undefined);
		assert.equal(rows.find((row) => row.vmid === 100).status, 'running');
	});

	await t.test('two dead nodes are too many', async () => {
		await sim.control('node_down', { node: 'agent' });
		assert.equal((await sim.data('/cluster/status'))[0].quorate, 0);
		const start = await sim.post('/nodes/Home/qemu/109/status/start');
		assert.deepEqual([start.status, start.reason], [500, 'cluster not ready - no quorum?']);
		const snapshot = await sim.task('/nodes/Home/lxc/110/snapshot', { snapname: 'x1' });
		assert.match(snapshot.exitstatus, /^unable to open file '\/etc\/pve.* - Permission denied$/);
	});

	await t.test('it comes back with its guests', async () => {
		await sim.control('node_up', { node: 'agent1' });
		assert.equal((await sim.data('/cluster/status'))[0].quorate, 1);
		await sim.control('advance', { seconds: 60 });
		const rows = await sim.data('/cluster/resources', { node: 'agent1' });
		const guest = rows.find((row) => row.vmid === 140);
		assert.equal(guest.status, 'running');
		assert.ok(guest.uptime < 61);
		assert.equal(rows.find((row) => row.vmid === 145).status, 'stopped');
	});
});

test('endpoints fail in their own ways', async (t) => {
	const sim = await startSim(t);
	await sim.control('endpoint_down', { node: 'pve' });
	assert.equal((await sim.get('/nodes/pve/status')).reason, 'Connection refused');
	await assert.rejects(sim.get('/version', { node: 'pve' }), { code: 'ECONNREFUSED' });
	const online = (await sim.data('/nodes')).find((row) => row.node === 'pve').status;
	assert.equal(online, 'online');

	await sim.control('endpoint_hang', { node: 'pve' });
	const hung = await sim.get('/nodes/pve/status');
	assert.deepEqual([hung.status, hung.reason, hung.text], [596, 'Connection timed out', '']);
	const mute = sim.connect('pve');
	const first = await Promise.race([mute.closed.then(() => 'closed'),
		new Promise((done) => setTimeout(() => done('silence'), 100))]);
	assert.equal(first, 'silence');
	mute.socket.destroy();

	await sim.control('endpoint_up', { node: 'pve' });
	assert.equal((await sim.get('/version', { node: 'pve' })).status, 200);

	await sim.control('endpoint_slow', { node: 'pve', ms: 80 });
	const before = Date.now();
	await sim.get('/version', { node: 'pve' });
	assert.ok(Date.now() - before >= 79);
});

test('a hanging storage freezes its node', async (t) => {
	const sim = await startSim(t);
	await sim.control('storage_hang', { storage: 'nas', node: 'pve' });
	assert.equal((await sim.get('/nodes/pve/storage')).reason, 'Connection timed out');
	assert.equal((await sim.get('/nodes/Home/storage')).status, 200);
	await sim.control('advance', { seconds: 340 });
	const rows = await sim.data('/cluster/resources');
	assert.equal(rows.find((row) => row.id === 'node/pve').status, 'unknown');
	assert.equal(rows.find((row) => row.id === 'node/Home').status, 'online');
	assert.equal(rows.find((row) => row.vmid === 128).status, 'unknown');
	const live = await sim.data('/nodes/pve/qemu');
	assert.equal(live.find((row) => row.vmid === 128).status, 'running');
	await sim.control('storage_ok', { storage: 'nas', sample: true });
	const again = await sim.data('/cluster/resources');
	assert.equal(again.find((row) => row.id === 'node/pve').status, 'online');
});

test('stuck workers stop protected calls only', async (t) => {
	const sim = await startSim(t);
	await sim.control('storage_hang', { storage: 'nas', node: 'Home', workers: true });
	await Promise.all([1, 2, 3].map(() => sim.get('/nodes/Home/storage')));
	assert.equal((await sim.get('/cluster/status')).status, 596);
	assert.equal((await sim.get('/cluster/resources')).status, 200);
	assert.equal((await sim.get('/cluster/status', { node: 'agent' })).status, 200);
});

test('a split network shows each side its own truth', async (t) => {
	const sim = await startSim(t);
	await sim.control('quorum_break', { groups: [['Home', 'pve', 'agent1'], ['agent']] });
	assert.equal((await sim.data('/cluster/status'))[0].quorate, 1);
	const other = await sim.data('/cluster/status', { node: 'agent' });
	assert.equal(other[0].quorate, 0);
	assert.equal(other.filter((row) => row.online === 1).length, 1);
	await sim.control('advance', { seconds: 310 });
	const rows = await sim.data('/cluster/resources', { node: 'agent' });
	assert.equal(rows.find((row) => row.vmid === 160).status, 'running');
	assert.equal(rows.find((row) => row.vmid === 100).status, 'unknown');
	await sim.control('quorum_ok');
	assert.equal((await sim.data('/cluster/status', { node: 'agent' }))[0].quorate, 1);
});

test('values change per sample only, and counters grow', async (t) => {
	const sim = await startSim(t, '--epoch', '1790000000');
	const read = async () => (await sim.data('/cluster/resources?type=vm'))
		.find((row) => row.vmid === 100);
	await sim.control('sample');
	const first = await read();
	await sim.control('advance', { seconds: 0.01 });
	assert.deepEqual(await read(), first);
	await sim.control('advance', { seconds: 20 });
	const second = await read();
	assert.ok(second.uptime >= first.uptime + 10);
	assert.ok(second.netin > first.netin);
	assert.notEqual(second.cpu, first.cpu);
});

test('high availability moves guests of a dead node', async (t) => {
	const sim = await startSim(t);
	await sim.control('node_down', { node: 'pve' });
	const ha = await sim.data('/cluster/ha/status/current');
	assert.equal(ha.find((row) => row.id === 'quorum').status, 'OK');
	await sim.control('advance', { seconds: 70 });
	const fenced = (await sim.data('/cluster/ha/status/current')).find((row) => row.sid === 'vm:128');
	assert.equal(fenced.crm_state, 'fence');
	await sim.control('advance', { seconds: 130 });
	const rows = await sim.data('/cluster/resources?type=vm');
	const moved = rows.find((row) => row.vmid === 128);
	assert.notEqual(moved.node, 'pve');
	assert.equal(moved.status, 'running');
});

test('a standalone node is in no cluster', async (t) => {
	const sim = await startSim(t, '--standalone');
	const status = await sim.data('/cluster/status');
	assert.equal(status.length, 1);
	assert.deepEqual([status[0].type, status[0].nodeid, status[0].local], ['node', 0, 1]);
});
