// proxmox-poller against the simulated Proxmox VE and a real broker: what a person would see on the bus while the
// cluster lives, breaks and heals.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fromYaml, toYaml } from '../stack/yaml.mjs';
import { startStack } from '../stack/stack.mjs';

/** Short, so that three periods are soon over. */
const POLL = { nodes: '2s', storage: '5s', tasks: '2s', node: '5s' };
const NUMBERS = ['cpu', 'mem', 'memhost', 'boot_ms', 'net_in', 'net_out', 'disk_read', 'disk_write'];

function quick(config) {
	for (const cluster of Object.values(config.clusters)) {
		Object.assign(cluster, { poll: POLL, request_timeout: '2s', connect_timeout: '1s' });
	}
}

function start({ sim, change = () => {}, ...more } = {}) {
	const config = (c) => {
		quick(c);
		change(c);
	};
	return startStack({ services: ['proxmox-poller'], sim: { life: 'off', 'auth-delay': 50, ...sim }, config, ...more });
}

/** Shorthands for one stack and one of its clusters. */
function world(stack, cluster = 'home') {
	const base = `jarvis/pve/${cluster}`;
	const doc = (path) => stack.observer.docs.get(`${base}/${path}`)?.doc ?? null;
	return {
		base, doc,
		cluster: () => doc('state'),
		guests: () => docs(stack, `${base}/guest/`),
		until: async (path, good, ms = 15_000) => (await stack.waitFor(`${base}/${path}`, good, ms)).doc,
		next: async (path, good, ms = 15_000) => (await stack.observer.next(`${base}/${path}`, good, ms)).doc,
		truth: async () => (await fetch(`${stack.simInfo.control_url}/state`)).json(),
		asked: async () => (await fetch(`${stack.simInfo.control_url}/requests`)).json(),
		forget: () => fetch(`${stack.simInfo.control_url}/requests`, { method: 'DELETE' }),
	};
}

function docs(stack, prefix) {
	const found = [...stack.observer.docs.values()].filter((m) => m.topic.startsWith(prefix) && m.doc);
	return found.map((m) => m.doc);
}

let serial = 0;

/** Sends a command as the gateway would, and waits for the answer. */
async function command(stack, body) {
	const request_id = `r${++serial}`;
	const reply = stack.observer.next(`jarvis/reply/gateway/${request_id}`, Boolean, 25_000);
	const client = await stack.mqtt({ user: 'gateway', clientId: `gw-test-${serial}` });
	await client.publishAsync('jarvis/request/proxmox-poller/gateway', JSON.stringify({ request_id, ...body }), { qos: 1 });
	const { doc } = await reply;
	await client.endAsync();
	return doc;
}

const refresh = (stack, ...objects) => command(stack, { op: 'refresh', objects });

/** Alters jarvis.yaml in place and tells the poller. */
function reconfigure(stack, change) {
	const config = fromYaml(readFileSync(stack.configFile, 'utf8'));
	change(config);
	writeFileSync(stack.configFile, toYaml(config));
	stack.process('proxmox-poller').signal('SIGHUP');
}

describe('a cluster of four nodes', () => {
	let stack, home;

	before(async () => {
		stack = await start();
		home = world(stack);
		await home.until('state', (d) => d.votes !== null && d.guests > 0 && d.error === null);
	});
	after(() => stack?.stop());

	test('everything is there, and as it is', async () => {
		const truth = await home.truth();
		const cluster = await home.until('state', (d) => d.version && d.sources['storage.pve']?.last_ok_ms);

		assert.equal(cluster.quorate, true);
		assert.deepEqual([cluster.votes, cluster.votes_expected, cluster.votes_needed], [4, 4, 3]);
		assert.deepEqual([cluster.nodes, cluster.nodes_online], [4, 4]);
		assert.equal(cluster.standalone, false);
		assert.match(cluster.version, /^9\./);
		assert.ok(cluster.endpoint in truth.nodes);
		const guests = home.guests();
		assert.deepEqual(guests.map((g) => g.vmid).sort(), Object.keys(truth.guests).map(Number).sort());
		for (const guest of guests) {
			const real = truth.guests[guest.vmid];
			assert.deepEqual([guest.name, guest.type, guest.node, guest.status], [real.name, real.type, real.node, real.state]);
			if (guest.status === 'stopped') for (const key of NUMBERS) assert.equal(guest[key], null, `${guest.vmid} ${key}`);
			if (guest.type === 'qemu') assert.equal(guest.disk, null);
		}
		assert.equal(cluster.guests, guests.filter((g) => !g.template).length);
		assert.equal(cluster.guests_running, guests.filter((g) => g.status === 'running').length);
		for (const name of Object.keys(truth.nodes)) {
			const node = await home.until(`node/${name}/state`, (d) => d.load1 !== null && d.ip !== null);
			assert.equal(node.status, 'online');
			assert.ok(node.cpu >= 0 && node.cpu <= 100 && node.mem > 0 && node.maxmem > node.mem, name);
		}
		const storages = docs(stack, `${home.base}/storage/`);
		const shared = storages.filter((s) => s.shared);
		assert.ok(shared.length > 0 && shared.every((s) => s.node === null && s.nodes.length > 1));
		for (const s of storages) assert.ok(s.status === 'available' && s.total >= s.used, s.storage);
		const sum = storages.reduce((n, s) => n + s.total, 0);
		assert.equal(cluster.maxdisk, sum);
	});

	test('rates come with the second sample', async () => {
		await stack.sim([{ op: 'advance', seconds: 10 }, { op: 'sample' }]);
		await home.until('guest/+/state', (d) => d.status === 'running' && d.net_in > 0 && d.disk_write !== null);
	});

	test('a guest that stops', async () => {
		await stack.sim('guest_kill', { vmid: 101, sample: true });
		const guest = await home.until('guest/101/state', (d) => d.status === 'stopped');

		for (const key of NUMBERS) assert.equal(guest[key], null, key);
		assert.equal(guest.maxmem > 0, true);
		await stack.sim([{ op: 'guest_start', vmid: 101 }, { op: 'advance', seconds: 5 }, { op: 'sample' }]);
		await home.until('guest/101/state', (d) => d.status === 'running' && d.boot_ms !== null);
	});

	test('a guest that comes, moves and goes', async () => {
		await stack.sim('guest_add', { vmid: 777, node: 'pve', name: 'fresh', sample: true });
		assert.equal((await home.until('guest/777/state', (d) => d?.name === 'fresh')).node, 'pve');
		await stack.sim('guest_migrate', { vmid: 777, node: 'Home', sample: true });
		await home.until('guest/777/state', (d) => d.node === 'Home');
		await stack.sim('guest_remove', { vmid: 777 });
		await home.until('guest/777/state', (d) => d === null);
	});

	test('a node that dies takes its guests out of knowledge, not out of the world', async () => {
		const mine = home.guests().filter((g) => g.node === 'pve' && g.status === 'running');

		await stack.sim('node_down', { node: 'pve' });
		const node = await home.until('node/pve/state', (d) => d.status === 'offline');
		assert.equal(node.cpu, null);
		assert.equal(node.mem, null);
		for (const { vmid } of mine) {
			const guest = await home.until(`guest/${vmid}/state`, (d) => d.status === 'unknown');
			assert.equal(guest.last_status, 'running');
			assert.match(guest.reason, /node pve is offline/);
			for (const key of NUMBERS) assert.equal(guest[key], null, key);
		}
		const cluster = await home.until('state', (d) => d.nodes_online === 3 && d.votes === 3);
		assert.equal(cluster.quorate, true);
		assert.equal(cluster.error, null);
		await home.until('storage/pve/local/state', (d) => d.status === 'unknown' && d.reason && d.total === null);
		await home.until('storage/-/nas/state', (d) => d.status === 'available' &&
			d.nodes.find((n) => n.node === 'pve').status === 'unknown');
		await stack.sim('node_up', { node: 'pve' });
		await home.until('node/pve/state', (d) => d.status === 'online');
		await home.until('state', (d) => d.nodes_online === 4 && d.votes === 4);
		await home.until('storage/pve/local/state', (d) => d.status === 'available', 30_000);
	});

	test('refresh reads a guest itself, before pvestatd knows', async () => {
		await stack.sim([{ op: 'sample' }, { op: 'guest_kill', vmid: 101 }]);
		const reply = await refresh(stack, 'pve/home/guest/101/state');
		assert.equal(reply.status, 'ok');
		assert.equal(home.doc('guest/101/state').status, 'stopped');
		// What pvestatd says next is older, and does not bring it back.
		await sleep(2500);
		assert.equal(home.doc('guest/101/state').status, 'stopped');
		await stack.sim([{ op: 'guest_start', vmid: 101 }, { op: 'advance', seconds: 5 }, { op: 'sample' }]);
		await home.until('guest/101/state', (d) => d.status === 'running', 20_000);
	});

	test('refresh of nodes, storages, tasks and all; many at once share one read', async () => {
		await home.forget();
		const objects = ['pve/home/node/pve/state', 'pve/home/storage/-/nas/state', 'pve/home/storage/pve/local/state',
			'pve/home/tasks'];
		const replies = await Promise.all(Array.from({ length: 8 }, () => refresh(stack, ...objects)));
		assert.deepEqual([...new Set(replies.map((r) => r.status))], ['ok']);
		const { by_template: asked } = await home.asked();
		assert.ok(asked['GET /nodes/{node}/storage'] < 8 * 4, JSON.stringify(asked));
		assert.equal((await refresh(stack, 'pve/home/state')).status, 'ok');
		assert.equal((await command(stack, { op: 'refresh', objects: [] })).status, 'ok');
	});

	test('refresh of what is not there', async () => {
		for (const object of ['pve/away/state', 'pve/home/node/nobody/state', 'alert/x', 'pve/home/guest/abc/state', '../..', '']) {
			const reply = await refresh(stack, object);
			assert.deepEqual([reply.status, reply.code], ['error', 'unknown_object'], object);
			assert.ok(reply.text.length > 10);
		}
		assert.equal((await command(stack, { op: 'explode', objects: [] })).code, 'unknown_op');
		// A guest that does not exist was read, and is not there.
		assert.equal((await refresh(stack, 'pve/home/guest/4040/state')).status, 'ok');
	});

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
		assert.ok((await home.asked()).total <= 1);
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

describe('the life of the service', () => {
	test('what is left from before is cleared, and clusters come and go with a reload', async () => {
		const stack = await start();
		const home = world(stack);
		const left = [`${home.base}/guest/4711/state`, `${home.base}/node/gone/state`, `${home.base}/storage/-/gone/state`];
		const foreign = 'jarvis/pve/theirs/state'; // of another installation, perhaps

		try {
			await stack.kill('proxmox-poller');
			const client = await stack.mqtt();
			for (const topic of [...left, foreign]) await client.publishAsync(topic, '{"ts":1}', { qos: 1, retain: true });
			for (const topic of left) await stack.waitFor(topic, (d) => d?.ts === 1);
			await client.endAsync();
			await stack.start('proxmox-poller');
			for (const topic of left) await stack.waitFor(topic, (d) => d === null, 30_000);
			await home.until('state', (d) => d.guests > 0);
			assert.deepEqual(stack.observer.docs.get(foreign).doc, { ts: 1 });
			// A second cluster, whose node does not answer, is no burden for the first.
			reconfigure(stack, (c) => {
				c.clusters.away = { ...c.clusters.home, nodes: { far: { address: '127.0.0.1', port: 1, fingerprint: stack.simInfo.nodes.pve.fingerprint } } };
			});
			const away = await world(stack, 'away').until('state', (d) => d.error !== null);
			assert.match(away.error, /secrets\/proxmox-poller|away\.token/);
			await home.next('state', (d) => d.error === null);
			reconfigure(stack, (c) => {
				for (const key of ['self', 'protected', 'depends_on', 'principals']) delete c[key]; // they speak of home
				c.clusters = { away: c.clusters.away };
			});
			await home.until('state', (d) => d === null);
			await home.until('guest/100/state', (d) => d === null);
			await home.until('storage/-/nas/state', (d) => d === null);
		} finally {
			await stack.stop();
		}
	});

	test('broker and poller killed: all is there again', async () => {
		const stack = await start();
		const home = world(stack);

		try {
			await home.until('state', (d) => d.guests > 0);
			await stack.kill('proxmox-poller');
			await stack.sim('guest_remove', { vmid: 101 });
			await stack.start('proxmox-poller');
			await home.until('guest/101/state', (d) => d === null);
			await stack.kill('broker');
			await stack.start('broker');
			await home.next('state', (d) => d.guests > 0, 30_000);
			assert.deepEqual(await stack.stop(), []);
		} finally {
			await stack.stop();
		}
	});
});

describe('other Proxmox', () => {
	test('a standalone node of PVE 8, trusted by its authority', async () => {
		const data = mkdtempSync(join(process.env.SCRATCH ?? tmpdir(), 'solo-'));
		const byAuthority = (config) => {
			for (const cluster of Object.values(config.clusters)) {
				cluster.ca = join(data, 'sim/tls/pve-root-ca.pem');
				for (const node of Object.values(cluster.nodes)) delete node.fingerprint;
			}
		};
		const stack = await start({ data, sim: { standalone: true, pve: '8.4', cluster: 'solo' }, change: byAuthority });
		const solo = world(stack, 'solo');

		try {
			const cluster = await solo.until('state', (d) => d.guests > 0 && d.version && d.standalone !== null);
			assert.deepEqual([cluster.standalone, cluster.name, cluster.quorate, cluster.votes_needed], [true, null, true, 1]);
			assert.match(cluster.version, /^8\.4/);
			assert.equal(cluster.error, null);
			for (const guest of solo.guests()) assert.equal(guest.memhost, null);
		} finally {
			await stack.stop();
			rmSync(data, { recursive: true, force: true });
		}
	});
});
