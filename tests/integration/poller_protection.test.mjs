// proxmox-poller: backups, replication, high availability, configurations and snapshots, as a person would see them on
// the bus, compared with what is true in the simulated world.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { refresh, start, world } from './poller_world.mjs';

/** As short as the configuration allows. */
const SLOW = { backups: '1m', guests: '1m', replication: '30s', ha: '10s' };

const launch = (more = {}) => start({
	change: (config) => {
		for (const cluster of Object.values(config.clusters)) Object.assign(cluster.poll, SLOW);
	},
	...more,
});

const newest = (truth, vmid) => Object.entries(truth.storages)
	.flatMap(([storage, { backups }]) => (backups[vmid] ?? []).map((ctime) => ({ storage, ms: ctime * 1000 })))
	.sort((a, b) => b.ms - a.ms);

const covering = (truth, vmid) => truth.backup_jobs.filter((job) => job.enabled && job.guests.includes(Number(vmid)))
	.map((job) => job.id).sort();

const ofGuests = (truth) => Object.entries(truth.guests).filter(([, guest]) => !guest.template).map(([vmid]) => vmid);

/** A poller that finds the world as `ops` make it. */
async function launchInto(ops) {
	const stack = await launch();
	const home = world(stack);

	await stack.kill('proxmox-poller');
	await stack.sim(ops);
	return { stack, home };
}

/** Takes a backup of a guest and waits until it is on its storage. */
async function backUp(stack, home, vmid, storage, more = {}) {
	const { upid } = await stack.sim('backup', { vmid, storage, ...more });
	await stack.sim([{ op: 'advance', seconds: 90 }, { op: 'sample' }]);
	while ((await home.truth()).running_tasks.includes(upid)) await sleep(100);
	return upid;
}

describe('what protects a cluster of four nodes', () => {
	let stack, home;

	before(async () => {
		stack = await launch();
		home = world(stack);
		await home.until('backups', (d) => d.reason === null && d.never !== null, 30_000);
	});
	after(() => stack?.stop());

	test('each guest has the posture that is true', async () => {
		const truth = await home.truth();
		const guests = ofGuests(truth);

		for (const vmid of guests) {
			const doc = await home.until(`guest/${vmid}/backup`, Boolean);
			const kept = newest(truth, vmid);
			assert.equal(doc.last_ok_ms, kept[0]?.ms ?? null, vmid);
			assert.equal(doc.storage, kept[0]?.storage ?? null, vmid);
			assert.equal(doc.backups, kept.length, vmid);
			assert.deepEqual([...doc.jobs].sort(), covering(truth, vmid), vmid);
			assert.equal(doc.covered, doc.jobs.length > 0, vmid);
			assert.equal(doc.next_run_ms !== null, doc.covered, vmid);
			assert.equal(doc.size > 0, kept.length > 0, vmid);
			assert.equal(doc.reason, null);
		}
		assert.equal(home.backups().length, guests.length);
		assert.equal(home.doc('guest/9000/backup'), null); // a template
		const posture = home.doc('backups');
		assert.equal(posture.guests, guests.length);
		assert.equal(posture.not_covered, guests.filter((v) => covering(truth, v).length === 0).length);
		assert.equal(posture.never, guests.filter((v) => newest(truth, v).length === 0).length);
		assert.deepEqual(posture.jobs.map((j) => [j.id, j.enabled]), truth.backup_jobs.map((j) => [j.id, j.enabled]).sort());
		const orphans = posture.orphans.map((o) => [o.vmid, o.storage, o.node, o.backups]);
		assert.deepEqual(orphans, [[107, 'nas', null, 1], [107, 'pbs', null, 3]]);
	});

	test('the reference cluster is mostly well', async () => {
		const posture = home.doc('backups');
		const all = home.backups();
		const day = all.filter((d) => d.last_ok_ms > Date.now() - 30 * 3_600_000);

		assert.deepEqual([posture.not_covered, posture.never], [2, 1]);
		assert.ok(day.length >= all.length - 3, `${day.length} of ${all.length}`);
		const failed = await home.until('guest/104/backup', (d) => d.last_error !== null);
		assert.match(failed.last_error, /qmp command 'backup' failed/);
		assert.ok(failed.last_ok_ms < failed.last_error_ms);
		assert.deepEqual(all.filter((d) => d.last_error !== null).map((d) => d.vmid), [104]);
	});

	test('a backup that is taken is there within a refresh, one that fails says why, and a good one clears it', async () => {
		await backUp(stack, home, 127, 'nas');
		assert.equal((await refresh(stack, 'pve/home/guest/127/backup')).status, 'ok');
		let doc = home.doc('guest/127/backup');
		const [kept] = newest(await home.truth(), 127);
		assert.deepEqual([doc.last_ok_ms, doc.storage, doc.backups, doc.verified, doc.covered], [kept.ms, 'nas', 1, null, false]);
		assert.equal(home.doc('backups').never, 0);
		await backUp(stack, home, 127, 'nas', { fail: 'No space left on device' });
		doc = await home.until('guest/127/backup', (d) => d.last_error !== null);
		assert.equal(doc.last_error, 'No space left on device');
		assert.equal(doc.last_ok_ms, kept.ms);
		await backUp(stack, home, 127, 'pbs');
		assert.equal((await refresh(stack, 'pve/home/backups')).status, 'ok');
		doc = home.doc('guest/127/backup');
		assert.deepEqual([doc.last_error, doc.last_error_ms, doc.storage, doc.backups], [null, null, 'pbs', 2]);
	});

	test('a backup that did not pass verification is no good one', async () => {
		const before = home.doc('guest/110/backup');

		assert.equal(before.verified, true);
		await stack.sim('backup_broken', { vmid: 110, storage: 'pbs' });
		await refresh(stack, 'pve/home/guest/110/backup');
		const doc = home.doc('guest/110/backup');
		assert.ok(doc.last_ok_ms < before.last_ok_ms);
		assert.equal(doc.last_error_ms, before.last_ok_ms);
		assert.match(doc.last_error, /pbs did not pass verification/);
	});

	test('a job that falls over before its guests fails for them all', async () => {
		const log = ['INFO: starting new backup job: vzdump 160 161 --storage pbs --mode snapshot'];

		await stack.sim('task', { node: 'agent', type: 'vzdump', seconds: 0, log, exitstatus: "could not activate storage 'pbs'" });
		await stack.sim('sample');
		for (const vmid of [160, 161]) {
			const doc = await home.until(`guest/${vmid}/backup`, (d) => d.last_error !== null);
			assert.equal(doc.last_error, "could not activate storage 'pbs'");
		}
	});

	test('a job that is switched off covers nobody', async () => {
		const [nightly] = (await home.truth()).backup_jobs.filter((job) => job.id.endsWith('nightly'));

		await stack.sim('backup_job', { id: nightly.id, values: { enabled: 0 } });
		await refresh(stack, 'pve/home/backups');
		assert.deepEqual([home.doc('guest/101/backup').covered, home.doc('guest/101/backup').next_run_ms], [false, null]);
		assert.deepEqual(home.doc('guest/102/backup').jobs, ['backup-91e6f2aa-weekly']);
		assert.equal(home.doc('backups').jobs.find((j) => j.id === nightly.id).enabled, false);
		// Proxmox itself still counts it: nobody is in no job at all.
		await stack.sim('backup_job', { id: nightly.id, values: { enabled: 1, node: 'pve' } });
		await refresh(stack, 'pve/home/backups');
		assert.deepEqual([home.doc('guest/101/backup').covered, home.doc('guest/121/backup').covered], [false, true]);
		await stack.sim('backup_job', { id: nightly.id, values: { node: undefined, all: undefined, exclude: undefined, pool: 'smarthome' } });
		await refresh(stack, 'pve/home/backups');
		assert.deepEqual([home.doc('guest/121/backup').covered, home.doc('guest/124/backup').covered], [false, true]);
	});

	test('high availability', async () => {
		const ha = await home.until('ha', (d) => d.services.length === 2);

		assert.deepEqual([ha.quorate, ha.master_state, ha.fencing, ha.nodes.length], [true, 'active', 'armed', 4]);
		assert.deepEqual(ha.services.map((s) => [s.sid, s.vmid, s.node, s.state, s.wanted]),
			[['ct:120', 120, 'pve', 'started', 'started'], ['vm:128', 128, 'pve', 'started', 'started']]);
		assert.equal(ha.nodes.find((n) => n.node === 'pve').state, 'active');
		await stack.sim('ha', { vmid: 101, state: 'started' });
		assert.equal((await refresh(stack, 'pve/home/ha')).status, 'ok');
		assert.equal(home.doc('ha').services.length, 3);
	});

	test('replication: only guests that have it, and how it went', async () => {
		const good = await home.until('guest/142/replication', (d) => d.jobs[0]?.last_ok_ms > 0);
		const bad = await home.until('guest/123/replication', (d) => d.jobs[0]?.failures > 0);

		assert.deepEqual([good.jobs[0].target, good.jobs[0].failures, good.jobs[0].error, good.reason], ['pve', 0, null, null]);
		assert.match(bad.jobs[0].error, /exit code 255/);
		assert.equal(home.doc('guest/101/replication'), null);
		await stack.sim('replication_trouble', { id: '123-0', on: false });
		assert.equal((await refresh(stack, 'pve/home/guest/123/replication')).status, 'ok');
		assert.deepEqual([home.doc('guest/123/replication').jobs[0].failures, home.doc('guest/123/replication').jobs[0].error], [0, null]);
	});

	test('configurations: what is named leaves Proxmox, and nothing else', async () => {
		const docker = await home.until('guest/128/config', Boolean, 60_000);
		const nas = await home.until('guest/103/config', Boolean, 60_000);

		assert.deepEqual([docker.sockets, docker.cores, docker.memory, docker.startup, docker.protection], [1, 4, 8 * 2 ** 30, 'order=2,up=30', true]);
		assert.deepEqual(docker.volumes.map((v) => [v.key, v.storage, v.size, v.backed_up]), [['scsi0', 'nas', 96 * 2 ** 30, true]]);
		assert.deepEqual([docker.nics[0].model, docker.nics[0].bridge, docker.nics[0].address], ['virtio', 'vmbr0', '192.168.1.128/24']);
		assert.deepEqual(nas.volumes.map((v) => [v.key, v.storage, v.mount, v.backed_up]), [['mp0', null, '/srv/media', false],
			['mp1', 'local-lvm', '/srv/documents', true], ['mp2', 'local-lvm', '/srv/scratch', false], ['rootfs', 'local-lvm', '/', true]]);
		assert.deepEqual([nas.hostname, nas.unprivileged, nas.swap], ['nas', true, 512 * 2 ** 20]);
		for (const { topic, doc } of stack.observer.docs.values()) {
			assert.doesNotMatch(JSON.stringify(doc), /AAAAC3NzaC1|cipassword|sshkeys|intel-iommu/, topic);
		}
	});

	test('a changed guest is read at once, not in its turn', async () => {
		await home.until('guest/148/snapshots', Boolean, 60_000);
		await home.until('guest/121/config', Boolean, 60_000);
		const task = { node: 'agent1', type: 'qmsnapshot', id: '148', seconds: 0 };
		const began = Date.now();

		await stack.sim([{ op: 'snapshot', vmid: 148, name: 'old', days: 3 }, { op: 'task', ...task }, { op: 'sample' }]);
		const list = await home.until('guest/148/snapshots', (d) => d.snapshots.length === 1, 15_000);
		assert.equal(list.snapshots[0].name, 'old');
		assert.ok(Math.abs(list.snapshots[0].time_ms - (await home.truth()).now * 1000 + 3 * 86_400_000) < 120_000);
		// A lock that comes and goes tells of a change too.
		await stack.sim([{ op: 'guest_config', vmid: 121, values: { cores: 7 } }, { op: 'lock', vmid: 121, lock: 'snapshot' }, { op: 'sample' }]);
		await home.until('guest/121/config', (d) => d.cores === 7, 15_000);
		await stack.sim('lock', { vmid: 121, lock: null });
		// And a refresh needs no sign at all.
		await stack.sim([{ op: 'guest_config', vmid: 122, values: { cores: 5 } }, { op: 'snapshot', vmid: 122, name: 'x' }]);
		assert.equal((await refresh(stack, 'pve/home/guest/122/config', 'pve/home/guest/122/snapshots')).status, 'ok');
		assert.deepEqual([home.doc('guest/122/config').cores, home.doc('guest/122/snapshots').snapshots.length], [5, 1]);
		assert.ok(Date.now() - began < 55_000, 'the ordinary turn came first');
	});

	test('a guest that comes has its documents soon, and loses them when it goes', async () => {
		await stack.sim('guest_add', { vmid: 777, node: 'pve', name: 'fresh', sample: true });
		for (const kind of ['config', 'snapshots', 'backup']) await home.until(`guest/777/${kind}`, Boolean, 20_000);
		await backUp(stack, home, 777, 'nas');
		await stack.sim('guest_remove', { vmid: 777 });
		for (const kind of ['config', 'snapshots', 'backup']) await home.until(`guest/777/${kind}`, (d) => d === null, 20_000);
		await refresh(stack, 'pve/home/backups');
		assert.deepEqual(home.doc('backups').orphans.filter((o) => o.vmid === 777).map((o) => [o.storage, o.backups]), [['nas', 1]]);
	});

	test('a node that dies: its guests are not asked, and that is said', async () => {
		await home.until('guest/161/config', (d) => d.cores > 0, 60_000);
		await stack.sim('node_down', { node: 'agent' });
		const config = await home.until('guest/161/config', (d) => d.reason !== null, 20_000);
		assert.match(config.reason, /node agent is offline/);
		assert.equal(config.cores, 1); // what was known stays, with the time of it
		await home.until('guest/161/snapshots', (d) => d.reason !== null);
		assert.notEqual(home.doc('guest/161/backup').covered, null);
		await stack.sim('node_up', { node: 'agent' });
		await home.until('guest/161/config', (d) => d.reason === null, 30_000);
	});

	test('the walk is paced, and says how long it takes', async () => {
		const { sources } = home.cluster();

		for (const name of ['backups', 'replication', 'ha', 'guests']) {
			assert.ok(sources[name].last_ok_ms > 0 && sources[name].error === null, JSON.stringify(sources[name]));
		}
		assert.equal(sources.guests.period_s, 60); // 32 guests, two calls each: a minute is enough
		// The next round begins in its time, and never asks more than twice a second.
		const isWalk = ({ template }) => /\{vmid\}\/(config|snapshot)$/.test(template);
		let calls = [];
		await home.forget();
		while (calls.length < 8) {
			await sleep(500);
			calls = (await home.asked()).log.filter(isWalk).map((r) => r.at);
		}
		for (let i = 3; i < calls.length; i++) assert.ok(calls[i] - calls[i - 3] > 1000, calls.join(' '));
	});
});

describe('protection in trouble', () => {
	test('a storage that hangs makes unknown what depends on it, and delays nobody', async () => {
		const { stack, home } = await launchInto([{ op: 'storage_hang', storage: 'pbs' }]);

		try {
			const told = home.next('backups', (d) => d.reason !== null, 45_000);
			await stack.start('proxmox-poller');
			const posture = await told;
			assert.match(posture.reason, /storage pbs/);
			assert.equal(posture.never, null);
			assert.equal(posture.not_covered, 2); // the jobs are known all the same
			const doc = home.doc('guest/101/backup');
			assert.deepEqual([doc.last_ok_ms, doc.backups, doc.covered], [null, null, true]);
			assert.match(doc.reason, /storage pbs/);
			// 149 is backed up to another storage: that is known.
			assert.ok(home.doc('guest/149/backup').last_ok_ms > 0);
			assert.deepEqual(posture.orphans.map((o) => o.storage), ['nas']);
			const cluster = home.cluster();
			for (const name of ['resources', 'status', 'tasks']) {
				assert.ok(cluster.ts - cluster.sources[name].last_ok_ms <= 3000 * cluster.sources[name].period_s, `${name} is old`);
			}
			await stack.sim('storage_ok', {});
			const reply = await refresh(stack, 'pve/home/backups');
			assert.equal(reply.status, 'ok', reply.text);
			await home.until('guest/101/backup', (d) => d.last_ok_ms > 0 && d.reason === null, 30_000);
			await home.until('backups', (d) => d.never === 1 && d.reason === null);
		} finally {
			await stack.stop();
		}
	});

	test('a shared storage that hangs on one node is read through another', async () => {
		const { stack, home } = await launchInto([{ op: 'storage_hang', storage: 'archive', node: 'Home' }]);

		try {
			const told = home.next('backups', (d) => d.reason === null && d.never === 1, 60_000);
			await stack.start('proxmox-poller');
			await told;
		} finally {
			await stack.stop();
		}
	});

	test('answers that make no sense change nothing, and are told', async () => {
		const stack = await launch();
		const home = world(stack);

		try {
			const before = await home.until('backups', (d) => d.reason === null && d.never === 1, 30_000);
			const known = home.doc('guest/101/backup');

			for (const kind of ['notjson', 'deep', 'wrongtypes']) {
				await stack.sim('garbage', { path_prefix: '/cluster/backup', kind, count: 1 });
				const reply = await refresh(stack, 'pve/home/backups');
				// Rows that make no sense are left out; there is no job left then.
				if (kind !== 'wrongtypes') assert.equal(reply.status, 'error', kind);
			}
			await refresh(stack, 'pve/home/backups');
			assert.equal(home.doc('backups').jobs.length, before.jobs.length);
			await stack.sim('garbage', { path_prefix: '/nodes/Home/lxc/101/config', kind: 'nothing', count: 1 });
			const reply = await refresh(stack, 'pve/home/guest/101/config');
			assert.equal(reply.status, 'error');
			assert.match(reply.text, /shape/);
			assert.equal(home.doc('guest/101/backup').last_ok_ms, known.last_ok_ms);
		} finally {
			await stack.stop();
		}
	});

	test('nothing is an orphan while not all guests can be seen', async () => {
		const acl = [{ path: '/', roles: ['Sys.Audit', 'Datastore.Audit'] }, { path: '/vms/101', roles: ['PVEAuditor'] },
			{ path: '/vms/102', roles: ['VM.Audit'] }];
		const { stack, home } = await launchInto([{ op: 'token_acl', token: 'monitor', acl }]);

		try {
			const told = home.next('backups', (d) => d.guests === 2, 45_000);
			await stack.start('proxmox-poller');
			const posture = await told;
			assert.deepEqual(posture.orphans, []);
			assert.match(posture.reason, /not all guests can be seen/);
		} finally {
			await stack.stop();
		}
	});

	test('after a restart what is gone is cleared, and what is there stays', async () => {
		const stack = await launch({ sim: { nodes: 2, guests: 6 } });
		const name = stack.simInfo.cluster;
		const made = world(stack, name);

		try {
			await made.until('backups', (d) => d.guests === 6, 30_000);
			for (let vmid = 100; vmid < 106; vmid++) await made.until(`guest/${vmid}/snapshots`, Boolean, 20_000);
			await stack.kill('proxmox-poller');
			await stack.sim('guest_remove', { vmid: 103 });
			await stack.start('proxmox-poller');
			for (const kind of ['backup', 'config', 'snapshots']) {
				await made.until(`guest/103/${kind}`, (d) => d === null, 30_000);
				assert.notEqual(made.doc(`guest/104/${kind}`), null);
			}
			assert.deepEqual(await stack.stop(), []);
		} finally {
			await stack.stop();
		}
	});

	test('PVE 8: the same documents', async () => {
		const stack = await launch({ sim: { pve: '8.4' } });
		const home = world(stack);

		try {
			const ha = await home.until('ha', (d) => d.services.length === 2, 30_000);
			assert.deepEqual([ha.fencing, ha.nodes.find((n) => n.node === 'pve').state], [null, 'active']);
			const config = await home.until('guest/100/config', Boolean, 30_000);
			assert.equal(config.memory, 4096 * 2 ** 20);
			await home.until('backups', (d) => d.never === 1 && d.not_covered === 2);
		} finally {
			await stack.stop();
		}
	});
});
