// proxmox-poller against the simulated Proxmox VE and a real broker: what a person would see on the bus while the
// cluster lives, breaks and heals.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { command, docs, reconfigure, refresh, start, world } from './poller_world.mjs';

const NUMBERS = ['cpu', 'mem', 'memhost', 'boot_ms', 'net_in', 'net_out', 'disk_read', 'disk_write'];

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
				for (const key of ['self', 'protected', 'depends_on', 'principals', 'services', 'commands']) delete c[key]; // they speak of home
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
