/** Backups, snapshots and replication of the reference cluster: a believable mixture, and ops that change it. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { startSim } from './helper.mjs';

const DAY = 86400;

test('most guests were backed up last night, one failed, one was never, one is gone', async (t) => {
	const sim = await startSim(t);
	const { now } = await sim.fetch('/state');
	const rows = await sim.data('/nodes/pve/storage/pbs/content?content=backup');
	const newest = new Map();
	for (const row of rows) {
		newest.set(row.vmid, Math.max(newest.get(row.vmid) ?? 0, row.ctime));
		assert.ok(row.ctime < now, 'from the future');
		assert.equal(row.verification?.state, now - row.ctime < 4 * 3600 ? undefined : 'ok');
	}
	const fresh = [...newest].filter(([, ctime]) => now - ctime < 30 * 3600).map(([vmid]) => vmid);
	assert.ok(fresh.length >= 27 && !fresh.includes(104) && newest.has(104));
	assert.ok(now - newest.get(107) > 60 * DAY);
	assert.ok(!newest.has(127) && !newest.has(149));
	const tasks = await sim.data('/nodes/Home/tasks?typefilter=vzdump&errors=1');
	assert.equal(tasks.length, 1);
	const log = await sim.data(`/nodes/Home/tasks/${tasks[0].upid}/log?limit=0`);
	assert.match(log.map((line) => line.t).join('\n'), /^ERROR: Backup of VM 104 failed - VM 104 qmp command/m);
	assert.equal(log.at(-1).t, 'TASK ERROR: job errors');
});

test('the log of a job says who failed and why', async (t) => {
	const sim = await startSim(t);
	await sim.control('lock', { vmid: 110, lock: 'snapshot' });
	const { upid, exitstatus } = await sim.task('/nodes/Home/vzdump', { vmid: '101,110', storage: 'pbs' });
	const lines = (await sim.data(`/nodes/Home/tasks/${upid}/log?limit=0`)).map((line) => line.t);
	assert.equal(exitstatus, 'job errors');
	assert.match(lines[0], /^INFO: starting new backup job: vzdump 101 110 --storage pbs/);
	assert.ok(lines.includes('ERROR: Backup of VM 110 failed - CT is locked (snapshot)'));
	assert.ok(lines.some((line) => line.startsWith('INFO: Finished Backup of VM 101 (')));
});

test('what a node backs up to its own storage is there alone', async (t) => {
	const sim = await startSim(t);
	const path = (node) => `/nodes/${node}/storage/local/content?content=backup`;
	await sim.task('/nodes/Home/vzdump', { vmid: '110', storage: 'local' });
	assert.equal((await sim.data(path('Home'))).length, 1);
	assert.equal((await sim.data(path('pve'))).length, 0);
});

test('replication fails where it is said to, and only there', async (t) => {
	const sim = await startSim(t);
	const [broken] = await sim.data('/nodes/pve/replication');
	const [well] = await sim.data('/nodes/agent1/replication');
	assert.deepEqual([broken.id, well.id, well.fail_count, well.error], ['123-0', '142-0', 0, undefined]);
	assert.ok(broken.fail_count > 3 && broken.last_sync < broken.last_try);
	await sim.control('replication_trouble', { id: '123-0', on: false });
	assert.equal((await sim.data('/nodes/pve/replication'))[0].fail_count, 0);
});

test('jobs, backups, snapshots and configurations can be changed', async (t) => {
	const sim = await startSim(t);
	await sim.control('backup_job', { id: 'backup-0d55be11-games', values: { enabled: 1, node: 'pve' } });
	const job = (await sim.data('/cluster/backup')).find((j) => j.id === 'backup-0d55be11-games');
	assert.ok(job.enabled === 1 && job['next-run'] > 0);
	// It covers nobody on that node, and so 149 is in no job.
	assert.ok((await sim.data('/cluster/backup-info/not-backed-up')).some((g) => g.vmid === 149));
	await sim.control('backup_broken', { vmid: 101, storage: 'pbs' });
	const rows = await sim.data('/nodes/pve/storage/pbs/content?content=backup&vmid=101');
	assert.equal(rows.filter((row) => row.verification?.state === 'failed').length, 1);
	await sim.control('snapshot', { vmid: 101, name: 'old', days: 100 });
	assert.equal((await sim.data('/nodes/Home/lxc/101/snapshot'))[0].name, 'old');
	await sim.control('guest_config', { vmid: 101, values: { cores: 9 } });
	assert.equal((await sim.data('/nodes/Home/lxc/101/config')).cores, 9);
	await assert.rejects(sim.control('backup_job', { id: 'x', values: {} }), /no job/);
});

test('PVE 8 writes memory as a number, PVE 9 as text', async (t) => {
	const sim = await startSim(t);
	assert.equal((await sim.data('/nodes/Home/qemu/100/config')).memory, '4096');
	await sim.control('version', { pve: '8' });
	assert.equal((await sim.data('/nodes/Home/qemu/100/config')).memory, 4096);
});
