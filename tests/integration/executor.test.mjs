// The executor on a real broker and the simulated Proxmox, with a played safety gate: every tool, and how each fails.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { start } from './executor_world.mjs';

const SPEED = 10;
const SHA256 = 'a'.repeat(64);
const DOWNLOAD = { node: 'pve', storage: 'local', content: 'iso', filename: 'tiny.iso', url: 'https://cloud.debian.org/tiny.iso',
	checksum_algorithm: 'sha256', checksum: SHA256 };

/** tool, guest, more arguments, what must be so afterwards (of the simulator's guest), ops that prepare it. */
const CHANGES = [
	['guest_start', 109, {}, (g) => g.state === 'running'],
	['guest_start', 149, {}, (g) => g.state === 'running'],
	['guest_suspend', 109, {}, (g) => g.state === 'paused'],
	['guest_resume', 109, {}, (g) => g.state === 'running'],
	['guest_reboot', 104, { timeout: 30 }, (g) => g.state === 'running'],
	['guest_reboot', 101, {}, (g) => g.state === 'running'],
	['guest_reset', 104, {}, (g) => g.state === 'running'],
	['guest_snapshot', 104, { snapshot: 'before-test', description: 'a & b = c?', memory: true }, (g) => g.snapshots.includes('before-test')],
	['guest_snapshot', 101, { snapshot: 'before-test' }, (g) => g.snapshots.includes('before-test')],
	['snapshot_rollback', 101, { snapshot: 'before-test' }, (g) => g.state === 'stopped'],
	['snapshot_delete', 101, { snapshot: 'before-test' }, (g) => !g.snapshots.includes('before-test')],
	['snapshot_delete', 104, { snapshot: 'before-test' }, (g) => !g.snapshots.includes('before-test')],
	['backup_now', 106, { storage: 'nas' }, (g) => g.lock === null],
	['backup_now', 100, { storage: 'pbs' }, (g) => g.lock === null],
	['guest_shutdown', 100, { timeout: 60 }, (g) => g.state === 'stopped'],
	['guest_shutdown', 102, {}, (g) => g.state === 'stopped'],
	['guest_stop', 104, {}, (g) => g.state === 'stopped'],
	['guest_stop', 105, {}, (g) => g.state === 'stopped'],
	['guest_shutdown', 120, {}, (g) => g.state === 'stopped'], // managed: the task only notes the wish
	['guest_start', 120, {}, (g) => g.state === 'running'],
	['guest_migrate', 120, { target_node: 'agent1' }, (g) => g.node === 'agent1'],
	['guest_migrate', 128, { target_node: 'agent1' }, (g) => g.node === 'agent1'],
	['guest_migrate', 143, { target_node: 'pve', local_disks: true }, (g) => g.node === 'pve' && g.state === 'running'],
	['guest_migrate', 142, { target_node: 'pve' }, (g) => g.node === 'pve' && g.state === 'running'],
	['guest_migrate', 143, { target_node: 'agent1', local_disks: true }, (g) => g.node === 'agent1'],
];

/** What Proxmox refuses at once or in its task: tool, guest, arguments, preparation, its own words. */
const FAILURES = [
	['guest_start', 127, {}, [{ op: 'guest_fail_start', vmid: 127 }], /failed: start failed: QEMU exited/],
	['guest_start', 146, {}, [{ op: 'guest_kill', vmid: 146 }, { op: 'guest_fail_start', vmid: 146 }], /startup for container '146' failed/],
	['guest_start', 9000, {}, [], /start a vm if it's a template/],
	['guest_start', 145, {}, [{ op: 'lock', vmid: 145, lock: 'backup' }], /VM is locked \(backup\)/],
	['guest_shutdown', 143, { timeout: 10 }, [{ op: 'guest_stuck', vmid: 143 }], /got timeout/],
	['guest_shutdown', 148, {}, [], /VM is paused - cannot shutdown/],
	['guest_resume', 127, {}, [], /VM 127 not running/],
	['guest_resume', 121, {}, [], /CT 121 already running/],
	['guest_stop', 147, {}, [{ op: 'guest_kill', vmid: 147 }], /CT 147 not running/],
	['guest_snapshot', 143, { snapshot: 'current' }, [], /reserved name/],
	['snapshot_rollback', 143, { snapshot: 'nothing' }, [], /does not exist/],
	['guest_migrate', 143, { target_node: 'agent1' }, [], /target is local node|Parameter verification/],
	['guest_migrate', 144, { target_node: 'agent' }, [], /migration aborted/],
	['backup_now', 121, { storage: 'nas' }, [{ op: 'storage_full', storage: 'nas', share: 0.999 }], /job errors/],
];

describe('what was granted is done once, and verified', () => {
	let w;

	before(async () => {
		w = await start({ sim: { speed: SPEED } });
	});
	after(() => w?.stop());

	for (const [tool, vmid, args, holds] of CHANGES) {
		test(`${tool} ${vmid}`, async () => {
			await w.forget();
			const action = await w.act(tool, vmid, { args });
			const result = await w.gate.result(action);

			assert.equal(result.outcome, 'verified', result.detail);
			assert.equal(result.content.outcome, 'verified');
			assert.match(result.upid, new RegExp(`:${vmid}:jarvis@pve!control:$`));
			assert.ok(holds((await w.truth()).guests[vmid]), JSON.stringify((await w.truth()).guests[vmid]));
			assert.equal((await w.effects()).length, 1);
			const told = w.gate.heard.filter(([topic, doc]) => topic === 'progress' && doc.id === action.id);
			assert.equal(told[0][1].upid, result.upid);
		});
	}

	for (const [tool, vmid, args, ops, words] of FAILURES) {
		test(`${tool} ${vmid} fails: ${words.source}`, async () => {
			await w.forget();
			if (ops.length) await w.stack.sim(ops);
			const action = await w.act(tool, vmid, { args });
			const result = await w.gate.result(action);

			assert.equal(result.outcome, 'failed', result.detail);
			assert.match(result.detail, words);
			assert.ok((await w.asked()).log.filter((r) => r.method !== 'GET').length <= 1);
		});
	}

	test('on Proxmox VE 8 too', async () => {
		await w.stack.sim('version', { pve: '8' });
		await w.stack.sim('guest_start', { vmid: 104 });
		for (const [tool, vmid, args] of [['guest_stop', 104, {}], ['guest_start', 104, {}], ['guest_snapshot', 108, { snapshot: 'eight' }],
			['guest_migrate', 120, { target_node: 'pve' }]]) {
			const result = await w.gate.result(await w.act(tool, vmid, { args }));
			assert.equal(result.outcome, 'verified', `${tool}: ${result.detail}`);
		}
		await w.stack.sim('version', { pve: '9' });
	});

	test('an image is fetched with its checksum', async () => {
		await w.forget();
		const target = { object: 'home/storage/local', node: 'pve' };
		const action = await w.gate.approve('download_url', { cluster: 'home', ...DOWNLOAD }, target);
		const result = await w.gate.result(action);

		assert.equal(result.outcome, 'verified', result.detail);
		assert.match(result.upid, /:download:tiny\.iso:jarvis@pve!control:$/);
		assert.equal((await w.effects()).length, 1);
	});

	test('a task is stopped; one that has ended is left alone', async () => {
		const { upid } = await w.stack.sim('task', { node: 'pve', type: 'vzdump', id: '121', user: 'jarvis@pve!control', seconds: 600 });
		const stop = () => w.gate.approve('task_stop', { cluster: 'home', upid }, null);
		const result = await w.gate.result(await stop());

		assert.equal(result.outcome, 'verified', result.detail);
		const again = await w.gate.result(await stop());
		assert.equal(again.outcome, 'failed');
		assert.match(again.detail, /had ended already: interrupted by signal/);
	});

	test('a guest that was moved by vzdump\'s own silence is not called backed up', async () => {
		const target = await w.guest(106);
		await w.stack.sim('api_error', { path_prefix: '/nodes/Home/vzdump', status: 200, method: 'POST' });
		const action = await w.gate.approve('backup_now', { cluster: 'home', guest: 106, storage: 'pbs' }, target);
		const result = await w.gate.result(action);

		assert.notEqual(result.outcome, 'verified');
	});

	test('cancel stops the task, and says so', async () => {
		const action = await w.act('backup_now', 122, { args: { storage: 'pbs' } });
		const { gid, upid } = await w.gate.until('progress', (d) => d.id === action.id && d.upid);
		await w.gate.say('x/cancel', { id: action.id, gid });
		const result = await w.gate.result(action);

		assert.equal(result.outcome, 'cancelled', result.detail);
		assert.match(result.detail, /cancelled \(interrupted by signal\), and no backup has been made since/);
		assert.equal(result.upid, upid);
		assert.equal((await w.truth()).guests[122].lock, null);
	});

	test('several targets: one after the other, each with its own grant', async () => {
		const vmids = [124, 125, 126];
		const steps = [];
		for (const vmid of vmids) steps.push({ args: { guest: vmid, cluster: 'home' }, target: await w.guest(vmid) });
		await w.forget();
		const action = await w.gate.approve('guest_reboot', null, null, { steps });

		for (const step of vmids.keys()) assert.equal((await w.gate.result(action, step)).outcome, 'verified');
		assert.equal(new Set(action.grants.map((g) => g.payload.gid)).size, 3);
		assert.equal((await w.effects()).length, 3);
	});

	test('two guests at once, one guest one at a time', async () => {
		const slow = await w.act('backup_now', 103, { args: { storage: 'pbs' } });
		await w.gate.until('progress', (d) => d.id === slow.id);
		const other = await w.act('guest_snapshot', 108, { args: { snapshot: 'meanwhile' } });
		const same = await w.act('guest_reboot', 103);

		assert.equal((await w.gate.result(other)).outcome, 'verified');
		assert.equal(w.gate.results(slow).length, 0);
		assert.equal(same.grants.length, 0);
		assert.equal((await w.gate.result(slow)).outcome, 'verified');
		// It was judged as it was then: the backup's lock is not there any more.
		await w.gate.result(same);
		assert.equal(same.grants.length, 1);
	});
});

describe('nodes', () => {
	let w;

	before(async () => {
		w = await start({ sim: { speed: 20 } });
	});
	after(() => w?.stop());

	test('restarted, shut down, woken through a living one', async () => {
		await w.forget();
		for (const [tool, tier, alive] of [['node_reboot', 'red', true], ['node_shutdown', 'red', false], ['node_wake', 'yellow', true]]) {
			const action = await w.gate.approve(tool, { cluster: 'home', node: 'agent' }, await w.node('agent'), { tier });
			const result = await w.gate.result(action, 0, 60_000);

			assert.equal(result.outcome, 'verified', `${tool}: ${result.detail}`);
			assert.equal((await w.truth()).nodes.agent.alive, alive, tool);
		}
		assert.equal((await w.effects()).length, 3);
		assert.equal((await w.truth()).nodes.agent.wol_sent, 1);
	});

	test('without quorum nothing is done to one', async () => {
		const nodes = Object.keys((await w.truth()).nodes);
		await w.stack.sim('quorum_break', { groups: nodes.map((n) => [n]) });
		await w.forget();
		const target = { object: 'home/node/pve', node: 'pve', status: 'online' };
		const action = await w.gate.approve('node_reboot', { cluster: 'home', node: 'pve' }, target);
		const result = await w.gate.result(action);

		assert.equal(result.outcome, 'failed');
		assert.match(result.detail, /^Nothing was done: (The cluster has no quorum|It is offline)/);
		assert.deepEqual(await w.effects(), []);
		await w.stack.sim('quorum_ok', {});
	});

	test('where no living one can, by a packet of our own', async () => {
		await w.stack.sim('node_down', { node: 'agent' });
		await w.stack.sim('advance', { seconds: 60 }); // until the others have noticed
		await w.stack.sim('api_error', { path_prefix: '/nodes/agent/wakeonlan', method: 'POST', status: 500,
			reason: "No wake on LAN MAC address defined for 'agent'!" });
		await w.forget();
		const action = await w.gate.approve('node_wake', { cluster: 'home', node: 'agent' }, await w.node('agent'));
		const { doc } = await w.stack.observer.next('jarvis/service/executor/main/health', (d) => d.counters.magic_packets === 1, 15_000);
		assert.equal(doc.counters.magic_packets, 1);
		// What the packet would do, where there is a network that carries it.
		await w.stack.sim('node_up', { node: 'agent' });
		const result = await w.gate.result(action);
		assert.match(result.detail, /^(Done, and verified|The magic packet could not be sent)/);
		assert.deepEqual(await w.effects(), []);
	});

	test('one that is online is not woken', async () => {
		await w.forget();
		const action = await w.gate.approve('node_wake', { cluster: 'home', node: 'pve' }, { ...(await w.node('pve')), status: 'offline' });
		const result = await w.gate.result(action);

		assert.match(result.detail, /online already/);
		assert.deepEqual(await w.effects(), []);
	});
});
