// proxmox-poller when the members of a cluster do not agree: tokens, paths between nodes, quorum, certificates; and tasks.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { start, world } from './poller_world.mjs';

describe('a cluster whose members do not agree', () => {
	let stack, home;

	before(async () => {
		stack = await start();
		home = world(stack);
		await home.until('state', (d) => d.votes !== null && d.guests > 0 && d.error === null);
	});
	after(() => stack?.stop());

	test('a node that alone refuses the token is asked through the others', async () => {
		const node = Object.keys((await home.truth()).nodes).find((n) => n !== home.cluster().endpoint);

		await home.forget();
		await stack.sim('api_error', { path_prefix: '/', node, status: 401, reason: 'no such token', count: 10_000 });
		while (!(await home.asked()).by_status[401]) await sleep(200);
		const { ts } = home.cluster();
		const cluster = await home.next('state', (d) => d.ts > ts + 3000 && d.sources[`node.${node}`].failures === 0, 20_000);
		assert.equal(cluster.error, null);
		assert.ok(cluster.ts - cluster.sources.resources.last_ok_ms < 6000);
		await stack.sim('faults_clear', {});
	});

	test('no path to a node is neither its death nor a wrong token', async () => {
		await stack.sim('api_error', { path_prefix: '/nodes/agent/status', status: 595, reason: 'No route to host', count: 2 });
		const cluster = await home.next('state', (d) => d.sources['node.agent'].error !== null, 20_000);
		assert.match(cluster.sources['node.agent'].error, /has no path to node agent: No route to host/);
		assert.equal(cluster.error, null);
		assert.equal(home.doc('node/agent/state').status, 'online');
		await home.next('state', (d) => d.sources['node.agent'].error === null, 20_000);
	});

	test('a part without quorum is not believed while another has it', async () => {
		const { endpoint } = home.cluster();
		const rest = Object.keys((await home.truth()).nodes).filter((n) => n !== endpoint);

		await stack.sim('quorum_break', { groups: [[endpoint], rest] });
		const cluster = await home.until('state', (d) => d.endpoint && d.endpoint !== endpoint && d.nodes_online === 3);
		assert.equal(cluster.quorate, true);
		await home.until(`node/${endpoint}/state`, (d) => d.status === 'offline');
		for (const node of rest) assert.equal(home.doc(`node/${node}/state`).status, 'online', node);
		await stack.sim('quorum_ok', {});
		await home.until('state', (d) => d.nodes_online === 4 && d.quorate === true);
	});

	test('no part with quorum: that is the truth then', async () => {
		const [a, b, c, d4] = Object.keys((await home.truth()).nodes);

		await stack.sim('quorum_break', { groups: [[a, b], [c, d4]] });
		const cluster = await home.until('state', (d) => d.quorate === false);
		assert.deepEqual([cluster.nodes_online, cluster.votes, cluster.votes_needed], [2, 2, 3]);
		await stack.sim('quorum_ok', {});
		await home.until('state', (d) => d.quorate === true && d.nodes_online === 4);
	});

	test('tasks become a list and events', async () => {
		const began = stack.observer.next('jarvis/event/task', (d) => d.event_type === 'new' && d.after.type === 'vzdump', 20_000);
		const ended = stack.observer.next('jarvis/event/task', (d) => d.event_type === 'end' && d.after.type === 'vzdump', 40_000);
		const { upid } = await stack.sim('task', { node: 'pve', type: 'vzdump', id: '101', seconds: 6, exitstatus: 'job errors' });

		const { doc: start } = await began;
		assert.equal(start.before, null);
		assert.deepEqual([start.cluster, start.after.upid, start.after.status, start.after.id], ['home', upid, 'running', '101']);
		assert.match(start.id, /^[0-9A-HJKMNP-TV-Z]{26}$/);
		const { doc: end } = await ended;
		assert.deepEqual([end.before.status, end.after.status, end.after.exitstatus], ['running', 'failed', 'job errors']);
		assert.ok(end.after.end_ms >= end.after.start_ms);
		const list = await home.until('tasks', (d) => d.tasks.find((t) => t.upid === upid)?.status === 'failed');
		const starts = list.tasks.map((t) => t.start_ms);
		assert.deepEqual(starts, [...starts].sort((x, y) => y - x));
	});

	test('another certificate gets not one byte', async () => {
		const old = stack.simInfo.nodes.agent.fingerprint.replaceAll(':', '').toLowerCase();
		// Connections that are open were checked when they were made.
		await stack.sim('endpoint_down', { node: 'agent' });
		const { fingerprint } = await stack.sim('cert_change', { node: 'agent' });
		await stack.sim('endpoint_up', { node: 'agent' });
		await home.forget();
		const handshakes = (await home.asked()).endpoints.agent.handshakes;
		const cluster = await home.until('state', (d) => d.error?.includes('nothing was sent'), 30_000);

		assert.ok(cluster.error.includes(old) && cluster.error.includes(fingerprint.replaceAll(':', '').toLowerCase()), cluster.error);
		const asked = await home.asked();
		assert.equal(asked.log.filter((r) => r.node === 'agent' && r.at > 0 && r.template).length, 0);
		assert.ok(asked.endpoints.agent.handshakes >= handshakes);
		// Its details come by way of another node.
		await home.next('state', (d) => d.sources['node.agent'].failures === 0, 20_000);
		assert.equal(home.doc('node/agent/state').status, 'online');
	});
});
