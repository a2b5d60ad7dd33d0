// What only reads, with the real poller beside: answers from the bus with how fresh they are, answers from Proxmox, and
// that a result comes after what was touched has been looked at again.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { start } from './executor_world.mjs';
import { world } from './poller_world.mjs';

describe('reads', () => {
	let w;
	let home;
	const ask = async (tool, args = {}) => w.gate.result(await w.gate.approve(tool, args));
	const items = async (tool, args) => {
		const result = await ask(tool, args);
		assert.equal(result.outcome, 'verified', `${tool}: ${result.detail}`);
		return result.content.items;
	};

	before(async () => {
		w = await start({ poller: true });
		home = world(w.stack);
		await home.until('state', (d) => d.guests > 0 && d.votes !== null && d.error === null);
		await home.until('tasks', (d) => d.tasks.length > 0);
		await home.until('storage/-/nas/state', (d) => d.status === 'available', 30_000);
	});
	after(() => w?.stop());

	test('from the bus: each document as it is, and live', async () => {
		for (const [tool, args, n] of [['cluster_status', {}, 1], ['node_list', { cluster: 'home' }, 4], ['guest_list', {}, 32],
			['guest_list', { node: 'agent' }, 2], ['guest_status', { cluster: 'home', guest: 101 }, 1], ['node_status', { cluster: 'home', node: 'pve' }, 1]]) {
			const list = await items(tool, args);
			assert.ok(list.length >= n, `${tool}: ${list.length}`);
			assert.equal(list[0].fresh, 'live', JSON.stringify(list[0]));
			assert.ok(list[0].age_s >= 0 && list[0].age_s < 60);
			assert.equal(list[0].doc.cluster, 'home');
		}
		const [guest] = await items('guest_status', { cluster: 'home', guest: 101 });
		assert.deepEqual(guest.doc, home.doc('guest/101/state'));
		const stopped = await items('guest_list', { status: 'stopped' });
		assert.ok(stopped.length > 2 && stopped.every((i) => i.doc.status === 'stopped'));
		const vmids = (await items('guest_list', {})).map((i) => i.doc.vmid);
		assert.deepEqual(vmids, [...vmids].sort((a, b) => a - b));
		assert.ok((await items('storage_list', {})).length >= 10);
	});

	test('tasks: narrowed to a guest, to a node, to what failed', async () => {
		await w.stack.sim('task', { node: 'pve', type: 'vzdump', id: '122', seconds: 1, exitstatus: 'job errors' });
		await home.until('tasks', (d) => d.tasks.some((t) => t.exitstatus === 'job errors' && t.id === '122'), 30_000);
		const failed = await items('task_list', { guest: 122, failed: true });
		assert.equal(failed.length, 1);
		assert.equal(failed[0].doc.exitstatus, 'job errors');
		assert.ok((await items('task_list', { node: 'pve' })).every((i) => i.doc.node === 'pve'));
	});

	test('what is not there is said', async () => {
		for (const [tool, args, words] of [['guest_status', { cluster: 'home', guest: 999 }, /no guest 999 in home/],
			['node_status', { cluster: 'home', node: 'nowhere' }, /no node nowhere/], ['node_list', { cluster: 'lab' }, /no cluster lab/],
			['storage_content', { cluster: 'home', storage: 'nothing' }, /nothing/], ['task_log', { cluster: 'lab', upid: 'UPID:pve:00000001:00000001:00000001:vzdump::root@pam:' }, /not one of those/]]) {
			const result = await ask(tool, args);
			assert.equal(result.outcome, 'failed', tool);
			assert.match(result.detail, words, `${tool}: ${result.detail}`);
		}
	});

	test('from Proxmox: the content of a storage, the end of a log', async () => {
		const target = { object: 'home/storage/nas' };
		const result = await w.gate.result(await w.gate.approve('storage_content', { cluster: 'home', storage: 'nas', content: 'backup' }, target));
		assert.equal(result.outcome, 'verified', result.detail);
		assert.ok(result.content.items.every((i) => i.volid.startsWith('nas:')));
		const { upid } = await w.stack.sim('task', { node: 'pve', type: 'vzdump', id: '122', seconds: 1,
			log: Array.from({ length: 120 }, (_, i) => `line ${i}`) });
		while ((await w.truth()).running_tasks.includes(upid)) await sleep(100);
		const log = await ask('task_log', { cluster: 'home', upid, lines: 10 });
		assert.equal(log.outcome, 'verified', log.detail);
		assert.equal(log.content.lines.length, 10);
		assert.match(log.content.lines.at(-1), /line 119|TASK OK/);
		assert.equal((await ask('task_log', { cluster: 'home', upid })).content.lines.length, 50);
	});

	test('a result comes after what was touched was looked at again', async () => {
		assert.equal(home.doc('guest/109/state').status, 'stopped');
		const result = await w.gate.result(await w.act('guest_start', 109));
		assert.equal(result.outcome, 'verified', result.detail);
		assert.equal(home.doc('guest/109/state').status, 'running');
	});

	test('a refresh that is not answered holds nothing back for long', async () => {
		w.stack.process('proxmox-poller').signal('SIGSTOP');
		const began = Date.now();
		const result = await w.gate.result(await w.act('guest_stop', 109));
		w.stack.process('proxmox-poller').signal('SIGCONT');
		assert.equal(result.outcome, 'verified', result.detail);
		assert.ok(Date.now() - began < 25_000);
	});

	test('without the poller what is known is called stale', async () => {
		await w.stack.kill('proxmox-poller');
		await w.stack.waitFor('jarvis/service/proxmox-poller/main/state', (d) => d === 'offline', 40_000);
		const list = await items('guest_list', {});
		assert.ok(list.length >= 32);
		assert.ok(list.every((i) => i.fresh.includes('offline')), list[0].fresh);
		// And nobody waits for it.
		const began = Date.now();
		assert.equal((await w.gate.result(await w.act('guest_start', 109))).outcome, 'verified');
		assert.ok(Date.now() - began < 8000);
	});
});
