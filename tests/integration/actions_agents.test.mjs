// Those who may only ask: agents by their level, remotes by their lists; and the limits that hold for everybody.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { eventually, newId, start } from './actions_world.mjs';

describe('agents and remotes', () => {
	let w, router, monitor, home, red;
	const level = async (n) => {
		const answer = await w.operator.post('/api/autonomy', { level: n, code: w.code() });
		assert.equal(answer.status, 200, JSON.stringify(answer.body));
		await w.autonomy((d) => d.level === n);
	};

	before(async () => {
		w = await start();
		router = await w.user('llm-router');
		monitor = await w.user('monitor');
		home = await w.user('homeassistant');
		red = await w.user('nodered');
	});
	after(() => w?.stop());

	test('levels 0 and 1: refused; 2: asks; 3: YELLOW is done and reported; nothing higher', async () => {
		for (const n of [0, 1]) {
			await level(n);
			const reply = await router.request('guest_start', { guest: 127 });
			assert.deepEqual([reply.status, reply.code, reply.result.rule], ['denied', 'policy', 'level']);
		}
		const read = await router.request('guest_status', { guest: 127 });
		assert.equal(read.status, 'waiting', 'reads are done at any level');
		assert.equal((await w.over(read.result.id)).status, 'verified');
		await level(2);
		const asks = await router.request('guest_start', { guest: 127 });
		assert.deepEqual([asks.status, asks.code], ['waiting', 'waiting']);
		await w.decide(asks.result.id, 'deny');
		await level(3);
		const acts = await router.request('guest_start', { guest: 127 });
		assert.equal(acts.code, 'approved');
		assert.equal((await w.over(acts.result.id)).status, 'verified');
		for (const [tool, need] of [['guest_shutdown', 'keyword'], ['guest_stop', 'code']]) {
			await w.sees(127, (d) => d.status === 'running');
			const reply = await router.request(tool, { guest: 127 });
			assert.deepEqual([reply.code, reply.result.need], ['waiting', need]);
			const nothing = await w.decide(reply.result.id, 'approve', { digest: reply.result.digest });
			assert.equal(nothing.status, 403);
			await w.decide(reply.result.id, 'deny');
		}
	});

	test('an agent\'s proposal, approved by a person, tells the agent how it went', async () => {
		await level(2);
		const request_id = newId();
		const asked = await router.ask('action/request/llm-router', { request_id, tool: 'guest_shutdown', args: { guest: 127 } });
		const end = w.stack.observer.next(`jarvis/reply/llm-router/${request_id}`, (d) => d.status === 'ok', 20_000);
		assert.equal((await w.decide(asked.result.id, 'approve', { digest: asked.result.digest, keyword: w.keyword })).status, 200);
		const { doc } = await end;
		assert.deepEqual([doc.result.status, doc.result.is_error], ['verified', false]);
	});

	test('agents approve nothing, deny nothing, speak for nobody', async () => {
		const asked = await router.request('guest_snapshot', { guest: 101, snapshot: 'x' });
		const { id, digest } = asked.result;
		for (const user of [router, monitor]) {
			// The broker does not even pass it on.
			assert.equal(await user.approval(id, 'approve', { digest }), 'refused');
			assert.equal(await user.approval(id, 'deny', { digest }), 'refused');
			const actor = await user.request('guest_start', { guest: 145 }, { actor: { kind: 'user', name: 'operator' } });
			assert.deepEqual([actor.status, actor.result.rule], ['denied', 'actor']);
		}
		const runbook = await router.request('guest_start', { guest: 145 }, { runbook: 'restart' });
		assert.equal(runbook.result.rule, 'runbook');
		assert.equal((await w.seen(id)).status, 'waiting');
		await w.decide(id, 'deny');
	});

	test('a runbook has a level of its own, which a person raises and anybody lowers', async () => {
		const run = () => monitor.request('guest_start', { guest: 145 }, { runbook: 'start-it' });
		const set = (more) => monitor.ask('autonomy/set/monitor', { request_id: newId(), op: 'level', runbook: 'start-it', ...more });
		assert.equal((await set({ level: 1 })).status, 'ok');
		assert.equal((await set({ level: 3 })).status, 'denied');
		assert.equal((await run()).result.rule, 'level');
		// Observing and advising binds runbooks too.
		await level(1);
		assert.equal((await w.operator.post('/api/autonomy', { level: 3, runbook: 'start-it', code: w.code() })).status, 200);
		assert.equal((await run()).result.rule, 'level');
		await level(2);
		const reply = await run();
		assert.equal(reply.code, 'approved');
		assert.equal((await w.over(reply.result.id)).status, 'verified');
	});

	test('a level lowered before it began holds', async () => {
		await level(3);
		w.stack.process('executor').signal('SIGSTOP');
		const mark = await w.mark();
		const reply = await router.request('guest_start', { guest: 149 });
		assert.equal(reply.code, 'approved');
		await level(2);
		w.stack.process('executor').signal('SIGCONT');
		const ended = await w.over(reply.result.id);
		assert.equal(ended.status, 'failed');
		assert.match(ended.summary, /^Nothing was done: .*level/);
		assert.deepEqual(await w.effects(mark), []);
	});

	test('a remote asks, for its tools and targets alone', async () => {
		const asked = await home.request('guest_shutdown', { guest: 101 });
		assert.deepEqual([asked.status, asked.result.rule, asked.result.need], ['waiting', 'principal.asks', 'keyword']);
		for (const [user, tool, args, rule] of [[home, 'guest_stop', { guest: 101 }, 'principal.tools'], [home, 'guest_shutdown', { guest: 105 }, 'principal.targets'],
			[home, 'guest_shutdown', { guest: 'immich' }, 'principal.targets'], [red, 'guest_shutdown', { guest: 101 }, 'principal.tools'],
			[home, 'guest_list', {}, 'principal.tools'], [home, 'guest_start', { guest: 101, cluster: 'x' }, 'target.unknown']]) {
			const reply = await user.request(tool, args);
			assert.deepEqual([reply.status, reply.result.rule], ['denied', rule], `${tool} ${JSON.stringify(args)}`);
		}
		const wide = await home.request('guest_shutdown', {}, { targets: ['101', '105'] });
		assert.equal(wide.result.rule, 'principal.targets');
		const actor = await home.request('guest_shutdown', { guest: 101 }, { actor: { kind: 'user', name: 'operator' } });
		assert.equal(actor.result.rule, 'actor');
		await w.decide(asked.result.id, 'deny');
	});

	test('a remote may deny and cancel, not approve', async () => {
		const asked = await red.request('guest_start', { guest: 149 });
		const { id, digest } = asked.result;
		const tried = await red.approval(id, 'approve', { digest });
		assert.deepEqual([tried.status, tried.code], ['denied', 'policy']);
		const named = await red.approval(id, 'approve', { digest, person: 'operator', actor: { kind: 'user', name: 'operator' } });
		assert.equal(named.code, 'actor');
		const foreign = await home.approval(id, 'cancel');
		assert.equal(foreign.code, 'policy', 'only one\'s own');
		assert.equal((await home.approval(id, 'deny')).status, 'ok');
		assert.equal((await w.over(id)).status, 'denied');
		// Nobody speaks with another's name on the bus.
		const actor = { kind: 'user', name: 'operator' };
		assert.equal(await home.say(`action/${id}/approval/gateway`, { decision: 'approve', digest, actor }), 'refused');
		assert.equal(await home.say('action/request/gateway', { request_id: 'x', tool: 'guest_start', args: { guest: 149 }, actor }), 'refused');
		assert.equal(await home.say('autonomy/set/gateway', { op: 'freeze', actor }), 'refused');
	});

	test('a button pressed twice in a moment is one press', async () => {
		const before = w.actions.length;
		await red.say('action/request/nodered', { tool: 'guest_start', args: { guest: 149 } });
		await red.say('action/request/nodered', { tool: 'guest_start', args: { guest: 149 } });
		const asked = await red.request('guest_start', { guest: 149 });
		assert.equal(asked.status, 'waiting');
		assert.equal(w.actions.length, before + 2);
		for (const a of w.actions.filter((x) => x.status === 'waiting')) await w.decide(a.id, 'deny');
	});

	test('a remote may freeze, not unfreeze, not set levels; who froze is not made up', async () => {
		const set = (op, more) => home.ask('autonomy/set/homeassistant', { request_id: newId(), op, ...more });
		assert.equal((await set('level', { level: 0 })).status, 'denied');
		assert.equal((await set('freeze', { actor: { kind: 'user', name: 'operator' } })).status, 'ok');
		assert.equal((await w.autonomy((d) => d.frozen)).by, 'homeassistant');
		assert.equal((await set('unfreeze')).status, 'denied');
		assert.equal((await set('unfreeze', { actor: { kind: 'user', name: 'operator' } })).code, 'actor');
		assert.equal((await w.operator.post('/api/unfreeze', {})).status, 403);
		assert.equal((await w.operator.post('/api/unfreeze', { code: '000000' })).status, 403);
		await w.unfreeze();
		await eventually(() => !w.stack.observer.docs.get('jarvis/autonomy/state').doc.frozen, 5000, 'unfrozen');
	});
});

describe('limits', () => {
	let w;

	before(async () => {
		w = await start({ enrol: null, change: (c) => Object.assign(c.safety_gate, { yellow_rate: 1, orange_rate: 1 }) });
	});
	after(() => w?.stop());

	test('nobody is enrolled: what needs a proof says how to', async () => {
		for (const [tool, rule, more] of [['guest_shutdown', 'keyword.none'], ['guest_stop', 'code.none', { confirmed: true }]]) {
			const { status, body } = await w.execute(tool, { guest: 101 }, more);
			assert.equal(status, 403);
			assert.equal(body.rule, rule);
			assert.match(body.reason, /jarvisctl person enrol/);
		}
	});

	test('what was queued is not approved faster than it could be asked for', async () => {
		const token = await w.token(['read', 'propose']);
		const queued = [];
		for (const guest of [127, 145]) queued.push((await w.execute('guest_start', { guest }, { as: token })).body);
		const approve = ({ id, digest }) => w.decide(id, 'approve', { digest });
		assert.equal((await approve(queued[0])).status, 200);
		assert.equal((await w.over(queued[0].id)).status, 'verified');
		const mark = await w.mark();
		const { status, body } = await approve(queued[1]);
		assert.deepEqual([status, body.blocked, body.tier, body.rule], [429, true, 'yellow', 'rate.yellow'], JSON.stringify(body));
		assert.match(body.reason, /ten minutes.*waits on/);
		assert.equal(w.action(queued[1].id).status, 'waiting');
		assert.deepEqual(await w.effects(mark), []);
		assert.equal((await w.decide(queued[1].id, 'deny')).status, 200);
	});

	test('too many in ten minutes are 429', async () => {
		const snapshot = (i) => w.execute('guest_snapshot', { guest: 101, snapshot: `s${i}` }, { wait_s: 20 });
		// Six, less the one that was approved for another.
		for (let i = 0; i < 5; i++) assert.equal((await snapshot(i)).status, 200);
		const mark = await w.mark();
		const { status, body } = await snapshot(7);
		assert.equal(status, 429, JSON.stringify(body));
		assert.deepEqual([body.blocked, body.tier, body.rule], [true, 'yellow', 'rate.yellow']);
		assert.match(body.reason, /ten minutes/);
		assert.deepEqual(await w.effects(mark), []);
		assert.equal((await w.execute('guest_list', {})).status, 200, 'reads go on');
	});

	test('without self nothing above YELLOW', async () => {
		w.reconfigure((c) => delete c.self, 'safety-gate');
		const refused = async () => (await w.execute('guest_shutdown', { guest: 101 })).body.rule === 'self';
		await eventually(refused, 5000, 'the new policy');
	});

	test('a policy that cannot be read: agents are refused, persons go on, and it is mended by a good one', async () => {
		const good = readFileSync(w.stack.configFile, 'utf8');
		const router = await w.user('llm-router');
		writeFileSync(w.stack.configFile, `${good}\nnonsense: [\n`);
		w.stack.process('safety-gate').signal('SIGHUP');
		const unfit = async () => (await router.request('guest_start', { guest: 149 })).result?.rule === 'gate.unfit';
		await eventually(unfit, 5000, 'agents are refused');
		const { status, body } = await w.execute('guest_start', { guest: 101 });
		assert.equal(status, 429, `a person is judged by the old policy: ${JSON.stringify(body)}`);
		writeFileSync(w.stack.configFile, good);
		w.stack.process('safety-gate').signal('SIGHUP');
		await eventually(async () => (await router.request('guest_start', { guest: 149 })).status === 'waiting', 5000, 'agents are heard again');
	});
});
