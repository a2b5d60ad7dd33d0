// A poller that somebody took over: a token that reads, and the right to say what the cluster looks like. The gate judges by
// that; what the executor sees for itself is in the way of the worst of it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { assertRefused, attempt, changesNothing, eventually, pveAs, start, tell } from './world.mjs';

const SCHEMA = JSON.parse(readFileSync(join(import.meta.dirname, '../../sim/pve/api/schema-9.json'), 'utf8'));
const EVERY_MS = 500;

/** In the poller's place, with all that it last said, and lies: {lie, user}. */
async function playPoller(w) {
	const docs = new Map();
	for (const { topic, doc } of w.stack.observer.docs.values()) if (topic.startsWith('jarvis/pve/') && doc) docs.set(topic, doc);
	await w.stack.process('proxmox-poller').stop();
	const user = await w.user('proxmox-poller');
	user.client.on('message', (topic, bytes) => {
		const { request_id } = JSON.parse(bytes);
		user.say(`reply/${topic.split('/').at(-1)}/${request_id}`, { request_id, status: 'ok' });
	});
	await user.client.subscribeAsync('jarvis/request/proxmox-poller/+', { qos: 1 });
	const fresh = (doc) => {
		const now = Date.now();
		const sources = doc.sources && Object.fromEntries(Object.entries(doc.sources).map(([name, s]) => [name, { ...s, last_ok_ms: now }]));
		return { ...doc, ts: now, ...(sources && { sources }) };
	};
	const say = (topic) => user.say(topic.slice('jarvis/'.length), fresh(docs.get(topic)), { retain: true });
	const sayAll = () => Promise.all([...docs.keys()].map(say));
	await sayAll();
	await user.say('service/proxmox-poller/main/state', 'online', { retain: true });
	await sayAll();
	const timer = setInterval(() => say('jarvis/pve/home/state').catch(() => {}), EVERY_MS);
	const lie = async (topic, change) => {
		attempt();
		docs.set(topic, { ...docs.get(topic), ...change });
		await say(topic);
	};
	return { user, lie, guest: (vmid, change) => lie(`jarvis/pve/home/guest/${vmid}/state`, change), stop: () => clearInterval(timer) };
}

describe('a poller that was taken over', () => {
	let w, p;
	/** As the gate sees it now: what is said of a guest is there before what is asked next. */
	const dry = async (tool, args) => (await w.execute(tool, args, { dry_run: true, confirmed: true })).body;
	const begin = async (args) => {
		const { status, body } = await w.execute('guest_start', args, { wait_s: 30 });
		assert.ok([200, 202].includes(status), JSON.stringify(body));
		return w.over(body.id);
	};

	before(async () => {
		w = await start({ sim: { speed: 40 } });
		await w.stack.waitFor('jarvis/pve/home/guest/104/config', (d) => d?.digest, 30_000);
		p = await playPoller(w);
		await eventually(async () => (await dry('guest_reboot', { guest: 104 })).decision === 'ask', 10_000, 'the gate believes it');
	});
	after(async () => {
		p?.stop();
		await w?.stop();
	});

	test('its token CANNOT change anything, of all calls that need a right', async () => {
		const pve = pveAs(w, 'monitor');
		const through = [];
		const mark = await w.mark();
		for (const key of Object.keys(SCHEMA)) {
			if (key.startsWith('GET ') || !Array.isArray(SCHEMA[key].perm)) continue;
			const [method, path] = key.split(' ');
			const real = path.replace('{vmid}', path.includes('/lxc/') ? '101' : '109').replace('{node}', 'Home').replace(/\{userid\}/g, 'root@pam').replace(/\{\w+\}/g, 'x');
			if ((await pve.ask(method, real, { 'no-such-parameter': '1' })).status !== 403) through.push(key);
		}
		pve.close();
		// A right to read is enough for these, as Proxmox has it: a ping, and the monitor's lines that only show.
		assert.deepEqual(through.sort(), ['POST /nodes/{node}/qemu/{vmid}/agent/fsfreeze-status', 'POST /nodes/{node}/qemu/{vmid}/agent/ping', 'POST /nodes/{node}/qemu/{vmid}/monitor']);
		assert.deepEqual(await w.effects(mark), []);
	});

	test('CAN have things refused, and hide a circumstance that would have raised a tier or refused', async () => {
		assert.equal((await dry('guest_reboot', { guest: 104 })).decision, 'ask');
		await p.guest(104, { status: 'stopped' });
		await eventually(async () => (await dry('guest_reboot', { guest: 104 })).decision === 'state', 5000, 'refused');
		await p.guest(104, { status: 'running' });
		// Nextcloud needs postgres while it runs.
		const before = await dry('guest_shutdown', { guest: 142 });
		await p.guest(102, { status: 'stopped' });
		await eventually(async () => (await dry('guest_shutdown', { guest: 142 })).rule !== before.rule, 5000, 'it does not count any more');
		const after = await dry('guest_shutdown', { guest: 142 });
		assert.deepEqual([before.decision, after.decision], ['refuse', 'ask'], JSON.stringify([before, after]));
		await p.guest(102, { status: 'running' });
		// What is in the configuration, it cannot hide.
		assert.equal((await dry('guest_shutdown', { guest: 140 })).rule, 'self');
	});

	test('CANNOT have the executor act on what it sees otherwise: status, name, node, lock', async () => {
		await w.sim('lock', { vmid: 149, lock: 'backup' });
		for (const [vmid, change, words] of [[101, { status: 'stopped' }, /running now, and was stopped/], [127, { name: 'somebody-else' }, /called .* now, and was somebody-else/],
			[145, { node: 'pve' }, /not on \w+ any more/], [149, { lock: null }, /lock is backup now/]]) {
			await changesNothing(w, async () => {
				await p.guest(vmid, change);
				await eventually(async () => (await dry('guest_start', { guest: vmid })).decision === 'allow', 5000, 'the gate believes it');
				const ended = await begin({ guest: vmid });
				assert.equal(ended.status, 'failed');
				assert.match(ended.summary, words);
			});
		}
	});

	test('nor, from ORANGE on, on another configuration than is there', async () => {
		await changesNothing(w, async () => {
			await p.lie('jarvis/pve/home/guest/104/config', { digest: 'a'.repeat(40) });
			const { body } = await w.execute('guest_reboot', { guest: 104 });
			assert.equal((await w.decide(body.id, 'approve', { digest: body.digest, keyword: w.keyword })).status, 200);
			const ended = await w.over(body.id);
			assert.deepEqual([ended.status, /configuration was changed/.test(ended.summary)], ['failed', true], ended.summary);
		});
	});

	test('CANNOT ask, decide, or speak of anything but the cluster', async (t) => {
		await changesNothing(w, () => assertRefused(p.user, ['action/request/proxmox-poller', 'action/request/gateway', 'action/x/approval/proxmox-poller', 'autonomy/set/proxmox-poller',
			'autonomy/state', 'x/grant', 'x/hello', 'action/x/state', 'event/action', 'alert/x', 'audit/checkpoint', 'service/executor/main/state', 'docker/x/state']));
		assert.equal(w.verify().status, 0);
		tell(t);
	});
});
