import assert from 'node:assert/strict';
import test from 'node:test';
import { startSim } from './helper.mjs';

test('a task from start to end', async (t) => {
	const sim = await startSim(t);
	const res = await sim.post('/nodes/Home/qemu/109/status/start');
	const upid = res.json.data;
	assert.match(upid,
		/^UPID:Home:[0-9A-F]{8}:[0-9A-F]{8,9}:[0-9A-F]{8}:qmstart:109:jarvis@pve!control:$/);
	const path = `/nodes/Home/tasks/${upid}`;
	const running = await sim.data(`${path}/status`);
	assert.deepEqual([running.status, running.user, running.tokenid, running.exitstatus],
		['running', 'jarvis@pve', 'control', undefined]);
	const listed = (await sim.data('/cluster/tasks')).find((row) => row.upid === upid);
	assert.deepEqual([listed.saved, listed.status, listed.endtime], ['0', undefined, undefined]);
	assert.equal(typeof listed.pid, 'number');
	const active = await sim.data('/nodes/Home/tasks?source=active');
	assert.deepEqual([active[0].upid, active[0].status], [upid, 'RUNNING']);
	assert.ok(!(await sim.data('/nodes/Home/tasks')).some((row) => row.upid === upid));

	await sim.control('advance', { seconds: 1.6 });
	assert.equal((await sim.data(`${path}/status`)).exitstatus, 'OK');
	await sim.control('advance', { seconds: 11 });
	const done = (await sim.data('/cluster/tasks')).find((row) => row.upid === upid);
	assert.equal(done.status, 'OK');
	assert.equal(done.pid, undefined);
	assert.ok(done.endtime >= running.starttime + 1);
	const log = (await sim.get(`${path}/log`)).json;
	assert.equal(log.total, log.data.length);
	assert.equal(log.data.at(-1).t, 'TASK OK');
	const page = (await sim.get('/nodes/Home/tasks?limit=2')).json;
	assert.equal(page.data.length, 2);
	assert.ok(page.total > 2);
});

test('what is refused at once and what fails inside', async (t) => {
	const sim = await startSim(t);
	const vm = (n, what, node = 'Home') => `/nodes/${node}/qemu/${n}/status/${what}`;
	const ct = (n, what, node = 'Home') => `/nodes/${node}/lxc/${n}/status/${what}`;
	const sync = [
		[ct(101, 'start'), 'CT 101 already running'],
		[ct(149, 'stop', 'agent1'), 'CT 149 not running'],
		[ct(149, 'reboot', 'agent1'), 'VM 149 not running'],
		[ct(101, 'resume'), 'CT 101 already running'],
		[vm(109, 'reset'), 'VM 109 not running'],
		[vm(109, 'resume'), 'VM 109 not running'],
		[vm(148, 'shutdown', 'agent1'), 'VM is paused - cannot shutdown'],
		[vm(101, 'start'), "Configuration file 'nodes/Home/qemu-server/101.conf' does not exist"],
	];
	for (const [path, reason] of sync) {
		const res = await sim.post(path);
		assert.deepEqual([res.status, res.reason], [500, reason], path);
	}
	await sim.control('lock', { vmid: 104, lock: 'backup' });
	await sim.control('guest_stuck', { vmid: 143 });
	await sim.control('guest_fail_start', { vmid: 149 });
	const inside = [
		[vm(100, 'start'), 'VM 100 already running'],
		[vm(109, 'stop'), 'OK'],
		[vm(9000, 'start', 'pve'), "you can't start a vm if it's a template"],
		[vm(104, 'stop'), 'VM is locked (backup)'],
		[vm(143, 'shutdown', 'agent1'), 'VM quit/powerdown failed - got timeout'],
		[ct(149, 'start', 'agent1'), "startup for container '149' failed"],
	];
	for (const [path, exitstatus] of inside) {
		assert.equal((await sim.task(path)).exitstatus, exitstatus, path);
	}
	const forced = await sim.task(vm(143, 'shutdown', 'agent1'), { forceStop: 1, timeout: 5 });
	assert.equal(forced.exitstatus, 'OK');
});

test('power actions do what they say', async (t) => {
	const sim = await startSim(t);
	const state = async (vmid) => (await sim.fetch('/state')).guests[vmid];
	const before = (await state(101)).started_at;
	await sim.task('/nodes/Home/lxc/101/status/reboot');
	assert.ok((await state(101)).started_at > before);
	await sim.task('/nodes/Home/lxc/101/status/shutdown');
	assert.equal((await state(101)).state, 'stopped');
	await sim.task('/nodes/agent1/qemu/148/status/resume');
	assert.equal((await state(148)).state, 'running');
	await sim.task('/nodes/agent1/qemu/148/status/suspend');
	const row = (await sim.data('/cluster/resources?type=vm')).find((r) => r.vmid === 148);
	assert.equal(row.status, 'paused');
	const list = (await sim.data('/nodes/agent1/qemu')).find((r) => r.vmid === 148);
	assert.equal(list.status, 'running');
});

test('managed guests go through the manager', async (t) => {
	const sim = await startSim(t);
	const task = await sim.task('/nodes/pve/lxc/120/status/stop');
	assert.equal(task.type, 'hastop');
	assert.equal((await sim.fetch('/state')).guests[120].state, 'running');
	await sim.control('advance', { seconds: 30 });
	assert.equal((await sim.fetch('/state')).guests[120].state, 'stopped');
	const service = (await sim.data('/cluster/ha/status/current')).find((r) => r.sid === 'ct:120');
	assert.equal(service.request_state, 'stopped');
});

test('snapshots', async (t) => {
	const sim = await startSim(t);
	const base = '/nodes/Home/lxc/110/snapshot';
	const reserved = await sim.post(base, { snapname: 'current' });
	assert.equal(reserved.reason, "unable to use snapshot name 'current' (reserved name)");
	const bad = await sim.post(base, { snapname: '1st' });
	assert.match(bad.json.errors.snapname, /^invalid format - invalid configuration ID/);
	const digest = async () => (await sim.data('/nodes/Home/lxc/110/config')).digest;
	const before = await digest();
	const first = await sim.post(base, { snapname: 'one', description: 'x' });
	assert.equal((await sim.data('/nodes/Home/lxc/110/config')).lock, 'snapshot');
	assert.equal((await sim.finish(first.json.data)).exitstatus, 'OK');
	assert.notEqual(await digest(), before);
	assert.equal((await sim.task(base, { snapname: 'one' })).exitstatus,
		"snapshot name 'one' already used");
	const rows = await sim.data(base);
	assert.deepEqual(rows.map((row) => row.name), ['one', 'current']);
	assert.equal(rows[1].parent, 'one');
	assert.equal((await sim.task(`${base}/two/rollback`)).exitstatus, "snapshot 'two' does not exist");
	assert.equal((await sim.task(`${base}/one/rollback`, { start: 1 })).exitstatus, 'OK');
	const gone = await sim.task(`${base}/one`, undefined, { method: 'DELETE' });
	assert.equal(gone.exitstatus, 'OK');
	assert.equal((await sim.data(base)).length, 1);
});

test('migrations', async (t) => {
	const sim = await startSim(t);
	const path = '/nodes/Home/lxc/110/migrate';
	assert.deepEqual((await sim.post(path, { target: 'Home' })).json.errors,
		{ target: 'target is local node.' });
	assert.equal((await sim.post(path, { target: 'mars' })).reason, "no such cluster node 'mars'");
	assert.equal((await sim.post('/nodes/Home/qemu/100/migrate', { target: 'pve' })).reason,
		"can't migrate running VM without --online");
	assert.equal((await sim.task(path, { target: 'agent1', restart: 1 })).exitstatus, 'OK');
	const moved = await sim.get('/nodes/Home/lxc/110/status/current');
	assert.equal(moved.reason, "Configuration file 'nodes/Home/lxc/110.conf' does not exist");
	assert.equal((await sim.get('/nodes/agent1/lxc/110/status/current')).status, 200);
	const local = await sim.task('/nodes/Home/qemu/100/migrate', { target: 'pve', online: 1 });
	assert.equal(local.exitstatus, 'migration aborted');
});

test('backups', async (t) => {
	const sim = await startSim(t);
	const task = await sim.task('/nodes/Home/vzdump', { vmid: '110', storage: 'pbs' });
	assert.deepEqual([task.type, task.id, task.exitstatus], ['vzdump', '110', 'OK']);
	const content = await sim.data('/nodes/pve/storage/pbs/content?content=backup&vmid=110');
	assert.ok(content.some((row) => row.ctime >= task.starttime));
	const elsewhere = await sim.post('/nodes/pve/vzdump', { vmid: '110', storage: 'pbs' });
	assert.deepEqual([elsewhere.status, elsewhere.json.data], [200, 'OK']);
	await sim.control('lock', { vmid: 110, lock: 'snapshot' });
	const failed = await sim.task('/nodes/Home/vzdump', { vmid: '110', storage: 'pbs' });
	assert.equal(failed.exitstatus, 'job errors');
});

test('a task dies with its node, and can be killed by its owner', async (t) => {
	const sim = await startSim(t);
	const upid = (await sim.post('/nodes/Home/vzdump', { vmid: '100', storage: 'pbs' })).json.data;
	const path = `/nodes/Home/tasks/${upid}`;
	assert.equal((await sim.ask('DELETE', path, { token: 'monitor' })).reason,
		'Permission check failed (/nodes/Home, Sys.Modify)');
	assert.deepEqual((await sim.ask('DELETE', path, { token: 'control' })).json, { data: null });
	assert.equal((await sim.finish(upid)).exitstatus, 'interrupted by signal');
	assert.equal((await sim.fetch('/state')).guests[100].lock, null);

	const other = (await sim.post('/nodes/pve/vzdump', { vmid: '123', storage: 'pbs' })).json.data;
	await sim.control('node_down', { node: 'pve' });
	assert.equal((await sim.get(`/nodes/pve/tasks/${other}/status`)).status, 595);
	assert.ok((await sim.data('/cluster/tasks')).some((row) => row.upid === other));
	await sim.control('node_up', { node: 'pve' });
	assert.equal((await sim.data(`/nodes/pve/tasks/${other}/status`)).exitstatus,
		'unexpected status');
	assert.deepEqual((await sim.get('/nodes/pve/tasks/nonsense/status')).json.errors,
		{ upid: 'unable to parse worker upid' });
	assert.deepEqual((await sim.get(`/nodes/pve/tasks/${other.replace('vzdump', 'x')}/status`))
		.json.errors, { upid: 'no such task' });
});

test('nodes reboot, shut down and wake', async (t) => {
	const sim = await startSim(t);
	const res = await sim.post('/nodes/agent/status', { command: 'reboot' });
	assert.deepEqual(res.json, { data: null });
	const alive = async () => (await sim.fetch('/state')).nodes.agent.alive;
	assert.equal(await alive(), true);
	await sim.control('advance', { seconds: 15 });
	assert.equal(await alive(), false);
	await sim.control('advance', { seconds: 60 });
	assert.equal(await alive(), true);
	await sim.post('/nodes/agent/status', { command: 'shutdown' });
	await sim.control('advance', { seconds: 120 });
	assert.equal(await alive(), false);
	const self = await sim.post('/nodes/Home/wakeonlan');
	assert.equal(self.reason, "'Home' is local node, cannot wake my self!");
	assert.match((await sim.post('/nodes/agent/wakeonlan')).json.data, /^bc:24:11(:[0-9a-f]{2}){3}$/);
	await sim.control('advance', { seconds: 60 });
	assert.equal(await alive(), true);
});
