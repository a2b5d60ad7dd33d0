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
		// A node hands questions on to the pveproxy of another, so nobody can tell what only this one knows.
		const alone = await home.until('state', (d) => d.sources[`node.${endpoint}`].failures > 0 && d.sources[`storage.${endpoint}`].failures > 0);
		assert.match(alone.sources[`node.${endpoint}`].error, new RegExp(endpoint));
		assert.equal(alone.nodes_online, 4);
		await stack.sim('endpoint_up', { node: endpoint });
		await home.until('state', (d) => d.sources[`node.${endpoint}`].failures === 0 && d.sources[`storage.${endpoint}`].failures === 0, 40_000);
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

		await stack.sim(nodes.map((node) => ({ op: 'endpoint_down', node })));
		const first = await home.until('state', (d) => d.error !== null && d.sources.resources.failures > 0);
		const guest = stack.observer.docs.get(`${home.base}/guest/100/state`);
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
