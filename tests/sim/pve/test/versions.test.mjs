import assert from 'node:assert/strict';
import test from 'node:test';
import { startSim } from './helper.mjs';

const find = (rows, vmid) => rows.find((row) => row.vmid === vmid);

test('version 9 has what 8 lacks', async (t) => {
	const [old, recent] = await Promise.all([startSim(t, '--pve', '8'), startSim(t)]);

	await t.test('numbers and names', async () => {
		assert.match((await old.data('/version')).version, /^8\.4\./);
		assert.equal((await recent.data('/version')).release, '9.2');
		assert.match((await old.data('/nodes/pve/status')).pveversion, /^pve-manager\/8\.4/);
	});

	await t.test('memhost', async () => {
		assert.equal(find(await old.data('/cluster/resources?type=vm'), 100).memhost, undefined);
		const rows = await recent.data('/cluster/resources?type=vm');
		assert.ok(find(rows, 100).memhost > find(rows, 100).maxmem);
		assert.equal(find(rows, 101).memhost, 0);
		assert.equal(find(rows, 148).mem, find(rows, 148).memhost);
	});

	await t.test('pressures: numbers for VMs, texts for containers', async () => {
		assert.equal(find(await old.data('/nodes/Home/qemu'), 100).pressurecpusome, undefined);
		assert.equal(typeof find(await recent.data('/nodes/Home/qemu'), 100).pressurecpusome, 'number');
		const ct = find(await recent.data('/nodes/Home/lxc'), 101);
		assert.match(ct.pressurecpusome, /^\d+\.\d\d$/);
	});

	await t.test('available memory', async () => {
		assert.equal((await old.data('/nodes/pve/status')).memory.available, undefined);
		assert.ok((await recent.data('/nodes/pve/status')).memory.available > 0);
	});

	await t.test('charts', async () => {
		const rrd = async (sim, frame) => sim.data(`/nodes/pve/rrddata?timeframe=${frame}`);
		const step = (rows) => rows[1].time - rows[0].time;
		const day8 = await rrd(old, 'day');
		assert.deepEqual([day8.length, step(day8)], [70, 1800]);
		assert.ok(day8.every((row) => !('memavailable' in row)));
		const day9 = await rrd(recent, 'day');
		assert.deepEqual([day9.length, step(day9)], [1440, 60]);
		assert.equal((await old.get('/nodes/pve/rrddata?timeframe=decade')).status, 400);
		assert.equal((await recent.get('/nodes/pve/rrddata?timeframe=decade')).status, 200);
	});

	await t.test('network rows', async () => {
		assert.ok((await old.data('/cluster/resources')).some((row) => row.type === 'sdn'));
		const rows = await recent.data('/cluster/resources');
		assert.ok(rows.some((row) => row.type === 'network' && row['network-type'] === 'zone'));
		assert.deepEqual(await recent.data('/cluster/resources?type=sdn'), []);
	});

	await t.test('high availability', async () => {
		const types = async (sim) => (await sim.data('/cluster/ha/status/current')).map((r) => r.type);
		assert.ok(!(await types(old)).includes('fencing'));
		assert.ok((await types(recent)).includes('fencing'));
	});

	await t.test('privileges', async () => {
		const path = '/nodes/Home/qemu/100/agent/get-osinfo';
		assert.equal((await old.get(path)).status, 403);
		assert.equal((await recent.data(path)).result.id, 'debian');
		const perms = await old.data('/access/permissions');
		assert.equal(perms['/']['VM.GuestAgent.Audit'], undefined);
	});
});

test('a cluster in the middle of an upgrade', async (t) => {
	const sim = await startSim(t);
	await sim.control('version', { node: 'pve', pve: '8', sample: true });
	assert.equal((await sim.data('/nodes/pve/version')).release, '8.4');
	assert.equal((await sim.data('/version')).release, '9.2');
	const rows = await sim.data('/cluster/resources');
	assert.equal(find(rows, 128).memhost, undefined);
	assert.ok(find(rows, 100).memhost > 0);
	const seen = await sim.data('/cluster/resources', { node: 'pve' });
	assert.equal(find(seen, 100).memhost, undefined);
	assert.equal((await sim.get('/nodes/pve/rrddata?timeframe=decade')).status, 200);
	assert.equal((await sim.get('/nodes/pve/rrddata?timeframe=decade', { node: 'pve' })).status, 400);
});

test('numbers that are texts, and fields that are absent', async (t) => {
	const sim = await startSim(t);
	const status = await sim.data('/nodes/Home/status');
	assert.equal(status.loadavg.length, 3);
	assert.ok(status.loadavg.every((v) => /^\d+\.\d\d$/.test(v)));
	for (const name of ['mhz', 'family', 'hvm']) {
		assert.equal(typeof status.cpuinfo[name], 'string');
	}
	assert.equal(typeof status.cpuinfo.cpus, 'number');
	assert.notEqual(status.memory.used + status.memory.free, status.memory.total);
	const stopped = await sim.data('/nodes/Home/qemu/109/status/current');
	assert.deepEqual(Object.keys(stopped).sort(), ['cpu', 'cpus', 'disk', 'ha', 'maxdisk', 'maxmem',
		'mem', 'memhost', 'name', 'netin', 'netout', 'qmpstatus', 'status', 'tags', 'uptime', 'vmid']);
	const rows = await sim.data('/nodes/Home/lxc');
	assert.ok(rows.every((row) => !('lock' in row) && !('template' in row) && !('node' in row)));
	assert.equal(typeof (await sim.data('/nodes/Home/qemu/100/config')).memory, 'string');
	const attributes = (await sim.data('/nodes/pve/disks/smart?disk=/dev/sda')).attributes;
	assert.ok(attributes.some((row) => row.id === '  5' && row.raw === '0'));
	assert.equal((await sim.get('/nodes/Home/disks/zfs')).reason, 'zfsutils-linux not installed');
	assert.equal((await sim.get('/cluster/ceph/status')).reason,
		'binary not installed: /usr/bin/ceph-mon');
});
