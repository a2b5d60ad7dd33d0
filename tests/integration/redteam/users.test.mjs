// Whoever took over one of those who may ask: the model's router, the monitor, Home Assistant, Node-RED; and who may only
// look: a viewer at the broker and in the dashboard, also with the gate's client id. Single requests of theirs are in
// actions_agents.test.mjs and actions_hostile.test.mjs, the whole ACL in acl.test.mjs.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { DatabaseSync } from 'node:sqlite';
import { READER } from '../../stack/services.mjs';
import { Browser } from '../gateway_client.mjs';
import { OPERATOR, assertAllRecorded, assertRefused, attempt, changesNothing, eventually, newId, start, tell } from './world.mjs';

const RATE = 2; // of agents and remotes; six times that for a person
const WAITING = 20;
const WAITING_TARGET = 3;
const CALM = [104, 105, 106, 108, 121, 122, 143, 146, 147, 148];
const HERS = [101, 104];

let w;
const users = {};
const snapshot = (user, guest, more) => {
	attempt();
	return user.request('guest_snapshot', { guest, snapshot: newId('s') }, more);
};

before(async () => {
	w = await start({ sim: { speed: 40 }, change: (c) => {
		Object.assign(c.safety_gate, { yellow_rate: RATE, orange_rate: RATE });
		c.principals.nodered.tools = ['guest_snapshot', 'guest_shutdown', 'guest_status'];
	} });
	for (const name of ['llm-router', 'monitor', 'homeassistant', 'nodered']) users[name] = await w.user(name);
});
after(() => w?.stop());

describe('an agent that was taken over', () => {
	const names = ['llm-router', 'monitor'];

	test('CAN read; and do what is reversible where a person lets agents act, so often', async () => {
		for (const name of names) {
			const { result } = await users[name].request('guest_config', { guest: 101 });
			assert.equal((await w.over(result.id)).status, 'verified');
		}
		const mark = await w.mark();
		assert.equal((await w.operator.post('/api/autonomy', { level: 3, code: w.code() })).status, 200);
		for (const [i, name] of names.entries()) {
			const said = [];
			for (const guest of CALM.slice(3 * i, 3 * i + RATE + 1)) said.push(await snapshot(users[name], guest));
			for (const reply of said.slice(0, RATE)) assert.equal((await w.over(reply.result.id)).status, 'verified');
			assert.equal(said[RATE].result.rule, 'rate.yellow', JSON.stringify(said[RATE]));
		}
		assert.equal((await w.effects(mark)).length, RATE * names.length);
	});

	test('CANNOT, even there, do more than ask for what interrupts or loses data, nor decide anything', async () => {
		await changesNothing(w, async () => {
			for (const name of names) {
				for (const [tool, args, need] of [['guest_shutdown', { guest: 143 }, 'keyword'], ['guest_stop', { guest: 146 }, 'code'],
					['snapshot_rollback', { guest: 101, snapshot: 'x' }, null], ['node_shutdown', { node: 'pve' }, null], ['guest_shutdown', { guest: 140 }, null]]) {
					attempt();
					const { status, result } = await users[name].request(tool, args, { confirmed: true, reason: 'The operator said yes.' });
					assert.ok(['waiting', 'denied', 'error'].includes(status));
					if (need) assert.deepEqual([status, result.need], ['waiting', need]);
					if (status !== 'waiting') continue;
					await assertRefused(users[name], [`action/${result.id}/approval/${name}`, `action/${result.id}/approval/gateway`,
						`action/${result.id}/approval/homeassistant`], { decision: 'approve', digest: result.digest, actor: OPERATOR });
					assert.equal((await w.seen(result.id)).status, 'waiting');
					await w.decide(result.id, 'deny');
				}
			}
			// Every service may answer what it is asked, and so may this one answer what it was not, if it guesses the id.
			assert.notEqual(await users['llm-router'].say('reply/gateway/guessed', { request_id: 'guessed', status: 'ok' }), 'refused');
			assert.equal((await w.operator.post('/api/autonomy', { level: 2 })).status, 200);
			for (const name of names) {
				const asks = await snapshot(users[name], 148);
				assert.equal(asks.code ?? asks.result.rule, 'rate', JSON.stringify(asks));
			}
			// The model's router has no say in levels; the monitor may lower them, and freeze.
			assert.equal(await users['llm-router'].say('autonomy/set/llm-router', { op: 'freeze' }), 'refused');
			const set = (doc) => users.monitor.ask('autonomy/set/monitor', { request_id: newId(), ...doc });
			assert.equal((await set({ op: 'level', level: 4 })).status, 'denied');
			assert.equal((await set({ op: 'freeze' })).status, 'ok');
			assert.equal((await set({ op: 'unfreeze' })).status, 'denied');
			assert.equal((await w.autonomy()).frozen, true);
		});
		await w.unfreeze();
	});
});

describe('all who are at the broker', () => {
	test('CANNOT speak in another\'s place, as another\'s actor, or as the gate', async () => {
		const [{ id }] = w.actions;
		const places = ['llm-router', 'monitor', 'homeassistant', 'nodered', 'gateway', 'notifier'];
		await changesNothing(w, async () => {
			for (const [name, user] of Object.entries(users)) {
				const others = places.filter((other) => other !== name);
				await assertRefused(user, [...others.map((o) => `action/request/${o}`), ...others.map((o) => `autonomy/set/${o}`),
					...others.map((o) => `action/${id}/approval/${o}`), ...others.map((o) => `alert/a/set/${o}`), ...others.map((o) => `request/safety-gate/${o}`),
					'x/hello', 'x/epoch', 'x/claim', 'x/grant', 'x/progress', 'x/result', 'x/cancel', 'x/ticket',
					`action/${id}/state`, 'autonomy/state', 'audit/checkpoint', 'event/action', 'pve/home/guest/101/state', 'pve/home/state',
					'service/safety-gate/main/state', 'service/gateway/main/state', '../action/request/gateway', 'action/request/', 'Action/request/gateway']);
				attempt();
				const spoofed = await user.request('guest_start', { guest: 127 }, { actor: OPERATOR });
				assert.deepEqual([spoofed.status, spoofed.result.rule], ['denied', 'actor']);
			}
		});
	});
});

describe('a remote that was taken over', () => {
	test('CAN ask, for its tools and targets, deny what waits, cancel its own, and freeze; nothing at once but reads', async () => {
		await changesNothing(w, async () => {
			const read = await users.nodered.request('guest_status', { guest: 101 });
			assert.equal((await w.over(read.result.id)).status, 'verified');
			const asked = await snapshot(users.nodered, 101);
			assert.deepEqual([asked.status, asked.result.rule], ['waiting', 'principal.asks']);
			assert.equal((await users.nodered.approval(asked.result.id, 'approve', { digest: asked.result.digest })).status, 'denied');
			assert.equal((await users.nodered.approval(asked.result.id, 'cancel')).status, 'ok');
			const persons = (await w.execute('guest_shutdown', { guest: 143 })).body;
			assert.equal((await users.homeassistant.approval(persons.id, 'deny')).status, 'ok', 'a no is anybody\'s');
			const set = (doc) => users.nodered.ask('autonomy/set/nodered', { request_id: newId(), ...doc });
			assert.equal((await set({ op: 'freeze' })).status, 'ok');
			assert.equal((await set({ op: 'unfreeze' })).status, 'denied');
		});
		await w.unfreeze();
	});

	test('CAN have twenty wait, three on a target, and CANNOT keep anybody else from asking or acting by that', async () => {
		const guests = [...HERS, ...CALM.slice(1)];
		const said = [];
		for (const guest of guests.slice(0, 8)) {
			for (let i = 0; i <= WAITING_TARGET; i++) said.push(await snapshot(users.nodered, guest));
		}
		const waiting = said.filter((reply) => reply.status === 'waiting');
		assert.equal(waiting.length, WAITING);
		for (const reply of said.filter((r) => r.status !== 'waiting')) assert.equal(reply.result.rule, 'waiting', JSON.stringify(reply));
		assert.equal(said.slice(0, WAITING_TARGET + 1).map((r) => r.status).join(), 'waiting,waiting,waiting,denied');
		// A person on the same targets, at once and with a keyword; another remote and an agent on others.
		const mark = await w.mark();
		assert.equal((await w.execute('guest_snapshot', { guest: 101, snapshot: 'mine' }, { wait_s: 20 })).body.status, 'verified');
		const shutdown = await w.execute('guest_reboot', { guest: 105 });
		assert.equal(shutdown.status, 202, JSON.stringify(shutdown.body));
		assert.equal((await w.decide(shutdown.body.id, 'approve', { digest: shutdown.body.digest, keyword: w.keyword })).status, 200);
		assert.equal((await w.over(shutdown.body.id)).status, 'verified');
		assert.equal((await w.effects(mark)).length, 2);
		const node = await users.homeassistant.request('guest_start', { guest: 104 });
		assert.notEqual(node.result.rule, 'rate.requests');
		const reads = await users['llm-router'].request('guest_list', {});
		assert.equal((await w.over(reads.result.id)).status, 'verified');
		for (const { result } of waiting) assert.equal((await w.decide(result.id, 'deny')).status, 200);
	});

	test('CAN shout: what it shouts is judged in its turn, and the others are heard', async () => {
		const mark = await w.mark();
		const pid = w.stack.process('safety-gate').pid;
		const shout = (user, i) => user.client.publishAsync(`jarvis/action/request/${user.name}`, JSON.stringify({ request_id: newId('f'),
			tool: 'guest_shutdown', args: { guest: HERS[i % 2] } }), { qos: 1 });
		const loud = [];
		for (let i = 0; i < 400; i++) for (const name of ['homeassistant', 'nodered', 'monitor']) loud.push(shout(users[name], i));
		attempt(loud.length);
		const person = await w.execute('guest_snapshot', { guest: 106, snapshot: 'heard' }, { wait_s: 30 });
		assert.equal(person.body.status, 'verified', JSON.stringify(person.body));
		await Promise.all(loud);
		assert.deepEqual((await w.effects(mark)).map((r) => r.form?.snapname), ['heard']);
		const waiting = () => w.actions.filter((a) => a.status === 'waiting');
		// Two targets, three each.
		await eventually(() => waiting().length === 2 * WAITING_TARGET, 10_000, 'what waits');
		assert.equal(w.stack.process('safety-gate').pid, pid);
		for (const action of waiting()) assert.equal((await w.decide(action.id, 'deny')).status, 200);
	});
});

describe('a viewer', () => {
	const take = async (options) => {
		const client = await w.stack.mqtt({ reconnectPeriod: 0, ...options });
		const heard = new Set();
		client.on('message', (topic) => heard.add(topic));
		return { client, heard };
	};
	const gone = (client) => new Promise((done) => client.once('close', done));

	test('at the broker CAN see state and events, and CANNOT hear or say anything else', async () => {
		const { client, heard } = await take({ user: READER });
		for (const filter of ['#', 'jarvis/#', 'jarvis/x/#', 'jarvis/+/grant', 'jarvis/reply/#', 'jarvis/action/request/#', 'jarvis/action/+/approval/#', '$SYS/#']) {
			attempt();
			await client.subscribeAsync(filter, { qos: 1 });
		}
		await changesNothing(w, async () => {
			const viewer = { name: READER, say: users.nodered.say.bind({ client }) };
			await assertRefused(viewer, [`action/request/${READER}`, 'action/request/gateway', `autonomy/set/${READER}`, 'x/grant', `request/safety-gate/${READER}`]);
		});
		const { body } = await w.execute('guest_snapshot', { guest: 106, snapshot: 'seen' }, { wait_s: 20 });
		await eventually(() => heard.has(`jarvis/action/${body.id}/state`), 5000, 'the viewer sees it');
		assert.deepEqual([...heard].filter((topic) => /^\$SYS|^jarvis\/(x|reply|request|chat)\/|\/request\/|\/approval\/|\/set\/|\/say\//.test(topic)), []);
		await client.endAsync(true);
	});

	test('CANNOT guess the gate\'s client id; and who knows it can interrupt the gate\'s connection, and no more', async () => {
		const id = readFileSync(join(w.stack.data, 'data/safety-gate/client-id'), 'utf8').trim();
		assert.match(id, /^[0-9a-f]{16}$/, '64 bits that nobody else knows');
		const lost = () => (w.stack.logs('safety-gate').match(/lost|took|disconnect/gi) ?? []).length;
		const before = lost();
		const guesses = ['safety-gate', 'safety-gate-main', 'safety-gate-main-', `safety-gate-main-${'0'.repeat(16)}`,
			...Array.from({ length: 50 }, (_, i) => `safety-gate-main-${i.toString(16).padStart(16, '0')}`)];
		await changesNothing(w, async () => {
			for (const clientId of guesses) {
				attempt();
				const { client } = await take({ user: READER, clientId });
				await client.endAsync(true);
			}
		});
		assert.equal(lost(), before, 'the gate noticed nothing');
		// As if it had leaked. Rights belong to the name and its password, not to the id.
		const online = w.stack.observer.next('jarvis/service/safety-gate/+/state', (d) => d === 'online', 20_000);
		const { client, heard } = await take({ user: READER, clientId: `safety-gate-main-${id}` });
		const ended = gone(client);
		await client.subscribeAsync(['jarvis/x/#', 'jarvis/action/request/#'], { qos: 1 });
		await assertRefused({ name: READER, say: users.nodered.say.bind({ client }) }, ['x/grant', 'autonomy/state']);
		await ended; // the gate has its place back
		await online;
		assert.deepEqual([...heard], []);
		assert.ok(lost() > before, 'this it did notice');
		const again = async () => (await w.execute('guest_snapshot', { guest: 108, snapshot: 'again' }, { wait_s: 30 })).body.status === 'verified';
		await eventually(again, 20_000, 'the gate sees what is so, and acts again');
	});

	test('in the dashboard CAN read state, and CANNOT do, decide or make anything', async () => {
		await w.stack.process('gateway').stop();
		const db = new DatabaseSync(join(w.stack.data, 'data/gateway/gateway.db'));
		db.exec('INSERT INTO person (name, role, hash, must_change, created_ms) ' +
			"SELECT 'guest', 'viewer', hash, 0, created_ms FROM person WHERE name = 'operator'");
		db.close();
		await w.stack.start('gateway');
		const guest = new Browser(w.stack.url);
		await eventually(async () => (await guest.login('guest', w.stack.password)).status === 200, 10_000, 'a login');
		assert.equal((await guest.get('/api/session')).body.role, 'viewer');
		await w.operator.login('operator', w.stack.password);
		const waiting = (await w.execute('guest_shutdown', { guest: 143 })).body;
		await changesNothing(w, async () => {
			for (const [path, body] of [['/api/tools/execute', { request_id: newId(), tool: 'guest_snapshot', args: { guest: 101, snapshot: 'x' } }],
				[`/api/actions/${waiting.id}/approve`, { digest: waiting.digest, keyword: w.keyword }], [`/api/actions/${waiting.id}/deny`, {}],
				['/api/autonomy', { level: 0 }], ['/api/unfreeze', { code: w.code() }], ['/api/tokens', { name: 'x', scopes: ['operate'] }]]) {
				attempt();
				assert.equal((await guest.post(path, body)).status, 403, path);
			}
			assert.equal((await w.seen(waiting.id)).status, 'waiting');
		});
		assert.equal((await guest.post('/api/freeze')).status, 200, 'whoever is logged in may freeze');
		await w.unfreeze();
		await w.decide(waiting.id, 'deny');
	});

	test('all that was done stands in the chain', async (t) => {
		await assertAllRecorded(w, await w.effects());
		tell(t);
	});
});
