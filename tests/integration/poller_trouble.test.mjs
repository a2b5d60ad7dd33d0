// proxmox-poller when the cluster, the way to it, its answers or its token are not as they should be.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { docs, reconfigure, refresh, start, world } from './poller_world.mjs';

describe('a cluster of four nodes in trouble', () => {
	let stack, home;

	before(async () => {
		stack = await start();
		home = world(stack);
		await home.until('state', (d) => d.votes !== null && d.guests > 0 && d.error === null);
	});
	after(() => stack?.stop());

	test('the entry goes down: another node is asked at once', async () => {
		const { endpoint } = home.cluster();

		await stack.sim('endpoint_down', { node: endpoint });
		const cluster = await home.until('state', (d) => d.endpoint && d.endpoint !== endpoint);
		assert.equal(cluster.error, null);
		// Nothing got old over it.
		assert.ok(cluster.ts - cluster.sources.resources.last_ok_ms < 6000);
		// Its own details come through the others.
		await home.next('state', (d) => d.sources[`node.${endpoint}`].failures === 0 && d.sources[`storage.${endpoint}`].failures === 0);
		await stack.sim('endpoint_up', { node: endpoint });
	});

	test('the entry hangs: it costs one timeout, then another node answers', async () => {
		const { endpoint } = home.cluster();

		await stack.sim('endpoint_hang', { node: endpoint });
		await home.until('state', (d) => d.endpoint && d.endpoint !== endpoint, 20_000);
		assert.equal(home.doc(`node/${endpoint}/state`).status, 'online');
		await stack.sim('endpoint_up', { node: endpoint });
	});

	test('nobody answers: that is said, and nothing else is touched', async () => {
		const nodes = Object.keys((await home.truth()).nodes);
		const guest = stack.observer.docs.get(`${home.base}/guest/100/state`);

		await stack.sim(nodes.map((node) => ({ op: 'endpoint_down', node })));
		const first = await home.until('state', (d) => d.error !== null && d.sources.resources.failures > 0);
		assert.match(first.error, /127\.0\.0\.1/);
		assert.equal(first.endpoint, null);
		// The document goes on, so that everybody sees how old the rest is.
		const second = await home.next('state', (d) => d.ts > first.ts);
		assert.equal(second.sources.resources.last_ok_ms <= first.ts, true);
		assert.equal(stack.observer.docs.get(`${home.base}/guest/100/state`).at, guest.at);
		await stack.sim(nodes.map((node) => ({ op: 'endpoint_up', node })));
		await home.until('state', (d) => d.error === null && d.endpoint !== null, 70_000);
		await home.until('state', (d) => Object.values(d.sources).every((s) => s.error === null), 70_000);
	});

	test('a storage that hangs delays nobody', async () => {
		await stack.sim('storage_hang', { storage: 'nas', node: 'agent1' });
		await home.until('state', (d) => d.sources['storage.agent1'].error !== null, 20_000);
		const slow = await home.until('storage/agent1/local/state', (d) => d.status === 'unknown', 40_000);
		assert.match(slow.reason, /agent1/);
		assert.equal(slow.total, null);
		const nas = await home.until('storage/-/nas/state', (d) => d.nodes.find((n) => n.node === 'agent1').status === 'unknown');
		assert.equal(nas.status, 'available');
		const cluster = home.cluster();
		for (const name of ['resources', 'status', 'tasks', 'storage.pve', 'storage.-']) {
			const source = cluster.sources[name];
			assert.ok(cluster.ts - source.last_ok_ms <= 3000 * source.period_s, `${name} is old`);
		}
		assert.equal(home.doc('node/agent1/state').status, 'online');
		await stack.sim('storage_ok', {});
		await home.until('storage/agent1/local/state', (d) => d.status === 'available', 40_000);
	});

	test('answers that make no sense change nothing', async () => {
		const before = home.guests().length;

		for (const kind of ['truncated', 'notjson', 'empty', 'deep', 'wrongtypes']) {
			await stack.sim('garbage', { path_prefix: '/cluster/resources', kind, count: 3 });
			await home.next('state', (d) => d.sources.resources.error !== null);
			await home.next('state', (d) => d.sources.resources.error === null, 20_000);
		}
		const refused = home.next('state', (d) => d.sources.status.error !== null, 20_000);
		await stack.sim('api_error', { path_prefix: '/cluster/status', status: 500, reason: 'ipcc_send_rec failed', count: 2 });
		await refused;
		await home.next('state', (d) => d.sources.status.error === null && d.error === null, 20_000);
		assert.equal(home.guests().length, before);
		await home.until('node/pve/state', (d) => d.status === 'online');
	});

	test('an answer of another shape is none: what was read before gets old', async () => {
		for (const name of ['resources', 'status']) {
			await stack.sim('garbage', { path_prefix: `/cluster/${name}`, kind: 'nothing', count: 1000 });
			const first = await home.until('state', (d) => d.sources[name].failures > 0);
			assert.match(first.sources[name].error, /shape/);
			const later = await home.next('state', (d) => d.ts > first.ts + 3000 && d.sources[name].failures > 0, 20_000);
			// Reckoned from two clocks, so it may be a millisecond off.
			assert.ok(Math.abs(later.sources[name].last_ok_ms - first.sources[name].last_ok_ms) < 100, name);
			await stack.sim('faults_clear', {});
			await home.until('state', (d) => d.sources[name].error === null && d.error === null, 20_000);
		}
	});

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

describe('the token', () => {
	let stack, home;

	before(async () => {
		stack = await start();
		home = world(stack);
		await home.until('state', (d) => d.guests > 0 && d.error === null);
	});
	after(() => stack?.stop());

	test('without rights the cluster seems empty: that is said, and not believed', async () => {
		const guests = home.guests().length;

		await stack.sim('token_acl', { token: 'monitor', acl: [] });
		const cluster = await home.until('state', (d) => d.error?.includes('pveum'), 20_000);
		assert.match(cluster.error, /jarvis@pve!monitor/);
		assert.match(cluster.error, /pveum acl modify \/ --tokens 'jarvis@pve!monitor' --roles PVEAuditor/);
		await sleep(5000);
		assert.equal(home.guests().length, guests);
		await stack.sim('token_acl', { token: 'monitor', acl: [{ path: '/', roles: ['PVEAuditor'] }] });
		reconfigure(stack, () => {});
		await home.until('state', (d) => d.error === null && d.guests > 0, 30_000);
	});

	test('refused: no storm of attempts, and a sentence that helps', async () => {
		await stack.sim('token_revoke', { token: 'monitor' });
		const cluster = await home.until('state', (d) => d.error?.includes('does not accept token'), 20_000);
		assert.match(cluster.error, /secrets\/proxmox-poller\/home\.token/);
		await home.forget();
		const late = await refresh(stack, 'pve/home/guest/101/state');
		assert.equal(late.status, 'error');
		assert.match(late.text, /does not accept token/);
		await sleep(6000);
		// Each node may say it once: that one refuses is not yet a revoked token.
		assert.ok((await home.asked()).total <= 4);
		await stack.sim('token_restore', { token: 'monitor' });
		stack.process('proxmox-poller').signal('SIGHUP');
		await home.until('state', (d) => d.error === null, 20_000);
	});

	test('no secret shows in logs or on the bus', async () => {
		const secret = readFileSync(stack.simInfo.tokens.monitor.secret_file, 'utf8').trim();

		assert.ok(secret.length > 30);
		assert.ok(!(await stack.logs('proxmox-poller')).includes(secret));
		for (const { topic, doc } of stack.observer.docs.values()) {
			assert.ok(!JSON.stringify(doc).includes(secret), topic);
		}
	});
});
