import assert from 'node:assert/strict';
import test from 'node:test';
import { startSim } from './helper.mjs';

const truthOf = async (sim, node) => (await sim.fetch('/state')).nodes[node];

test('disks are listed without waking them, and counted when they are woken', async (t) => {
	const sim = await startSim(t);
	const path = '/nodes/Home/disks/list';
	const quiet = await sim.data(`${path}?skipsmart=1`);
	assert.ok(quiet.every((disk) => disk.health === 'UNKNOWN' && disk.wearout === 'N/A'));
	assert.deepEqual([...new Set(quiet.map((disk) => disk.type))].sort(), ['hdd', 'nvme']);
	assert.ok((await truthOf(sim, 'Home')).disks.every((disk) => disk.smart_reads === 0));
	const loud = await sim.data(path);
	assert.equal(loud.find((disk) => disk.type === 'nvme').wearout, 93);
	await sim.data('/nodes/Home/disks/smart?disk=/dev/nvme0n1');
	assert.deepEqual((await truthOf(sim, 'Home')).disks.map((disk) => disk.smart_reads), [2, 1, 1, 1]);
	assert.equal((await sim.get('/nodes/Home/disks/smart?disk=/dev/sdz')).reason, 'not a valid block device');
});

test('the three faces of SMART', async (t) => {
	const sim = await startSim(t);
	const smart = (node, disk) => sim.data(`/nodes/${node}/disks/smart?disk=${disk}`);
	const nvme = await smart('Home', '/dev/nvme0n1');
	assert.equal(nvme.type, 'text');
	assert.match(nvme.text, /Percentage Used: +7%\n/);
	assert.match(nvme.text, /Power On Hours: +\d+,\d{3}\n/);
	const ssd = await smart('agent', '/dev/sda');
	assert.equal(ssd.wearout, undefined);
	assert.equal(ssd.attributes.find((row) => row.id === '231').normalized, 7);
	const hdd = await smart('Home', '/dev/sda');
	assert.ok(!hdd.attributes.some((row) => /Life/.test(row.name)));
	const usb = (await sim.data('/nodes/pve/disks/list?skipsmart=1')).find((disk) => disk.type === 'usb');
	assert.deepEqual([usb.serial, usb.by_id_link], ['unknown', undefined]);
});

test('a disk fails, and the pool on it is degraded', async (t) => {
	const sim = await startSim(t);
	await sim.control('disk_fail', { node: 'pve', devpath: '/dev/sda' });
	assert.equal((await sim.data('/nodes/pve/disks/zfs'))[0].health, 'DEGRADED');
	const pool = await sim.data('/nodes/pve/disks/zfs/tank');
	const leaves = pool.children[0].children[0].children;
	assert.deepEqual(leaves.map((leaf) => leaf.state), ['FAULTED', 'ONLINE']);
	await sim.control('disk_ok', { node: 'pve', devpath: '/dev/sda' });
	assert.equal((await sim.data('/nodes/pve/disks/zfs/tank')).state, 'ONLINE');
	await sim.control('disk', { node: 'pve', devpath: '/dev/sdb', values: { gone: true } });
	assert.equal((await sim.data('/nodes/pve/disks/list')).length, 3);
});

test('packages wait, certificates end, Ceph comes', async (t) => {
	const sim = await startSim(t);
	await sim.control('updates', { node: 'pve', packages: ['pve-manager', 'openssh-server'] });
	const waiting = (await sim.data('/nodes/pve/apt/versions'))
		.filter((row) => row.CurrentState === 'Installed' && row.Version !== row.OldVersion);
	assert.deepEqual(waiting.map((row) => row.Package), ['pve-manager']);
	assert.equal((await sim.get('/nodes/pve/apt/update')).status, 403);
	await sim.control('token_acl', { token: 'monitor', acl: [{ path: '/', roles: ['PVEAuditor'] },
		{ path: '/nodes', roles: ['PVEAuditor', 'JarvisUpdates'] }] });
	assert.deepEqual((await sim.data('/nodes/pve/apt/update')).map((row) => row.Package),
		['pve-manager', 'openssh-server']);
	await assert.rejects(sim.control('updates', { node: 'pve', packages: ['emacs'] }), /known: pve-manager/);
	await sim.control('certificate', { node: 'pve', days: -1, file: 'pveproxy-ssl.pem' });
	const rows = await sim.data('/nodes/pve/certificates/info');
	assert.ok(rows.find((row) => row.filename === 'pveproxy-ssl.pem').notafter < Date.now() / 1000);
	await sim.control('ceph', { state: 'warn', release: 'squid', nodes: ['pve'] });
	assert.match((await sim.get('/cluster/ceph/status', { node: 'Home' })).reason, /binary not installed/);
	assert.equal((await sim.data('/cluster/ceph/status', { node: 'pve' })).monmap.mons, undefined);
});

test('who has which rights, and from where', async (t) => {
	const sim = await startSim(t);
	const acl = await sim.data('/access/acl');
	assert.ok(acl.some((row) => row.type === 'token' && row.ugid === 'jarvis@pve!monitor' &&
		row.path === '/' && row.roleid === 'PVEAuditor'));
	await sim.control('token_privsep', { token: 'monitor', on: false });
	assert.ok('VM.PowerMgmt' in (await sim.data('/access/permissions'))['/']);
	assert.ok(!(await sim.data('/access/acl')).some((row) => row.ugid === 'jarvis@pve!monitor'));
	await sim.control('token_privsep', { token: 'monitor' });
	assert.ok(!('VM.PowerMgmt' in (await sim.data('/access/permissions'))['/']));
	assert.deepEqual(await sim.data('/access/acl', { token: 'none' }), []);
});
