// A gateway that somebody took over: its MQTT password, the gate's public key, and what people type into it from then on.
// Its lies in single messages are in actions_hostile.test.mjs; here is what can be made of them in all.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { OPERATOR, assertAllRecorded, assertRefused, changesNothing, eventually, newId, playGateway, start, tell } from './world.mjs';

const NEXT = 'quite another one';
/** Of a person; the example's rates are ten and three times that. */
const RATE = 6;
const CALM = [101, 104, 105, 106, 108, 121, 122, 143, 146, 147, 148];

describe('a gateway that was taken over', () => {
	let w, g;
	const paths = async (mark) => (await w.effects(mark)).map((r) => r.path).sort();
	const person = (name) => ({ actor: { kind: 'user', name } });
	/** YELLOW on a guest of its own each, all at once: what was let through. */
	const snapshots = async (actors) => {
		const asked = await Promise.all(actors.map((actor, i) => g.ask('guest_snapshot',
			{ guest: CALM[i % CALM.length], snapshot: newId('s') }, { actor })));
		const begun = asked.filter((reply) => reply.result?.id);
		for (const { result } of begun) assert.equal((await w.over(result.id)).status, 'verified');
		const refused = asked.filter((reply) => !reply.result?.id);
		for (const reply of refused) assert.equal(reply.result.rule, 'rate.yellow', JSON.stringify(reply));
		return begun.map((reply) => reply.result.id);
	};

	before(async () => {
		w = await start({ sim: { speed: 40 }, change: (c) => Object.assign(c.safety_gate, { yellow_rate: 1, orange_rate: 1 }) });
		g = await playGateway(w);
	});
	after(() => w?.stop());

	test('CAN read, and do what is reversible, as its people; no faster than they, and on record', async () => {
		const read = await g.ask('guest_config', { guest: 101 });
		assert.equal((await w.over(read.result.id)).status, 'verified');
		const mark = await w.mark();
		const ids = await snapshots(CALM.slice(0, RATE + 3).map(() => OPERATOR));
		assert.equal(ids.length, RATE);
		assert.equal((await paths(mark)).length, RATE);
		for (const id of ids) {
			assert.deepEqual(w.recordsOf(id), ['allowed', 'granted', 'verified']);
			assert.deepEqual(w.action(id).actor, OPERATOR);
		}
	});

	test('names that it makes up have one rate in all', async () => {
		const mark = await w.mark();
		assert.equal((await snapshots(CALM.map((_, i) => person(`nobody-${i}`).actor))).length, RATE);
		assert.equal((await snapshots(CALM.map((_, i) => person(`another-${i}`).actor))).length, 0);
		assert.equal((await paths(mark)).length, RATE);
	});

	test('and so have tokens, where agents may act by themselves', async () => {
		assert.equal((await w.operator.post('/api/autonomy', { level: 3, code: w.code() })).status, 200);
		const mark = await w.mark();
		const kinds = ['token', 'mcp'];
		assert.equal((await snapshots(CALM.map((_, i) => ({ kind: kinds[i % 2], name: `t${i}` })))).length, RATE);
		assert.equal((await paths(mark)).length, RATE);
		assert.equal((await w.operator.post('/api/autonomy', { level: 2 })).status, 200);
	});

	test('CANNOT interrupt anything without a keyword', async () => {
		await changesNothing(w, async () => {
			const { status, result } = await g.ask('guest_reboot', { guest: 104 }, { confirmed: true });
			assert.deepEqual([status, result.need], ['waiting', 'keyword']);
			for (const [typed, more] of [[null, {}], [{ keyword: 'please' }, {}], [{ code: '000000' }, {}],
				[{ keyword: w.keyword }, { person: 'mallory', ...person('mallory') }], [{ keyword: w.keyword }, { actor: { kind: 'token', name: 'operator' } }]]) {
				const reply = await g.approve(result, typed, more);
				assert.equal(reply.status, 'denied', JSON.stringify(reply));
			}
			assert.equal(w.action(result.id).status, 'waiting');
			// A no needs nothing: this it can say to everything that waits.
			assert.equal((await g.decide(result.id, 'deny')).status, 'ok');
		});
	});

	test('CAN turn one code that is typed into it to another target, once; it is told of before it is done', async () => {
		const mark = await w.mark();
		const meant = (await w.execute('guest_stop', { guest: 143 }, { confirmed: true })).body;
		const other = (await g.ask('guest_stop', { guest: 146 }, { confirmed: true })).result;
		const code = w.code();
		assert.equal((await g.approve(other, { code })).status, 'ok');
		const told = await w.until(other.id, 'window');
		assert.equal(told.steps[0].object, 'home/guest/146');
		assert.ok(told.until_ms - told.ts > 8_000, 'time to cancel it');
		assert.deepEqual(await paths(mark), []);
		// Used: neither for what it was typed for, nor for anything else.
		const doc = { op: 'level', level: 4, request_id: newId('s') };
		const raised = await g.set(doc, { code });
		assert.deepEqual([raised.status, raised.code], ['denied', 'proof']);
		assert.match(raised.text, /used before/);
		assert.equal((await w.over(other.id)).status, 'verified');
		const late = await w.decide(meant.id, 'approve', { digest: meant.digest, code });
		assert.equal(late.status, 403, JSON.stringify(late.body));
		assert.deepEqual((await paths(mark)).map((path) => path.replace(/^.*\/(\d+)\/status/, '$1')), ['146/stop']);
		assert.deepEqual(w.recordsOf(other.id), ['asked', 'approved', 'window_over', 'granted', 'verified']);
		await w.decide(meant.id, 'deny');
	});

	test('CANNOT lose data, unfreeze or raise a level with that keyword', async () => {
		await changesNothing(w, async () => {
			const { result } = await g.ask('guest_stop', { guest: 121 }, { confirmed: true });
			assert.equal(result.need, 'code');
			assert.equal((await g.approve(result, { keyword: w.keyword })).code, 'proof');
			await g.decide(result.id, 'deny');
			assert.equal((await g.set({ op: 'freeze' })).status, 'ok', 'to freeze needs nothing');
			assert.equal((await g.set({ op: 'level', level: 1 })).status, 'ok', 'nor to lower');
			for (const doc of [{ op: 'unfreeze' }, { op: 'level', level: 4 }]) {
				for (const typed of [null, { keyword: w.keyword }, { code: '123456' }]) {
					const reply = await g.set(doc, typed);
					assert.deepEqual([reply.status, reply.code], ['denied', 'proof'], JSON.stringify(reply));
				}
			}
			const { frozen, level } = await w.autonomy();
			assert.deepEqual([frozen, level], [true, 1]);
		});
		await w.unfreeze();
	});

	test('a new keyword ends what the old one was good for', async () => {
		const secrets = join(w.stack.data, 'secrets');
		const argv = ['person', 'enrol', '--secrets', secrets, '--keyword-file', '-', '--yes', '--replace', 'operator'];
		execFileSync(w.stack.binary('jarvisctl'), argv, { input: `${NEXT}\n`, stdio: ['pipe', 'ignore', 'ignore'] });
		w.stack.process('safety-gate').signal('SIGHUP');
		await eventually(() => /read the configuration again/.test(w.stack.logs('safety-gate')), 5000, 'the gate has read it');
		await changesNothing(w, async () => {
			const { result } = await g.ask('guest_suspend', { guest: 143 });
			const reply = await g.approve(result, { keyword: w.keyword });
			assert.deepEqual([reply.status, reply.code], ['denied', 'proof'], JSON.stringify(reply));
			await g.decide(result.id, 'deny');
		});
	});

	test('CAN, with one keyword typed into it, interrupt as that person: so often, each told by the gate itself', async () => {
		const mark = await w.mark();
		const left = RATE - 1; // what a code was turned to counts as well
		const waiting = [];
		for (const guest of CALM.slice(0, RATE)) waiting.push((await g.ask('guest_reboot', { guest })).result);
		const said = [];
		for (const action of waiting) said.push((await g.approve(action, { keyword: NEXT })));
		assert.deepEqual(said.map((reply) => reply.status), [...Array(left).fill('ok'), 'denied'], JSON.stringify(said));
		assert.equal(said[left].result.rule, 'rate.orange');
		for (const { id } of waiting.slice(0, left)) {
			const ended = await w.over(id);
			assert.deepEqual([ended.approved_by, ended.actor], ['operator', OPERATOR]);
			assert.deepEqual(w.recordsOf(id), ['asked', 'approved', 'granted', ended.status]);
		}
		assert.equal((await paths(mark)).filter((path) => path.endsWith('/reboot')).length, left);
		assert.equal((await g.decide(waiting[left].id, 'deny')).status, 'ok');
	});

	test('CANNOT say what only others say: grants, states, heartbeats, the head of the audit', async () => {
		const [{ id }] = w.actions;
		await changesNothing(w, () => assertRefused(g.user, ['x/grant', 'x/epoch', 'x/cancel', 'x/hello', 'x/claim', 'x/progress', 'x/result',
			'x/ticket', `action/${id}/state`, 'autonomy/state', 'audit/checkpoint', 'event/action', 'pve/home/state', 'pve/home/guest/101/state',
			'service/safety-gate/main/state', 'service/executor/main/state', 'action/request/monitor', 'action/request/homeassistant',
			`action/${id}/approval/homeassistant`, 'autonomy/set/monitor']));
		assert.ok(w.action(id), 'what was told stays');
	});

	test('CANNOT hide any of it', async (t) => {
		await assertAllRecorded(w, await w.effects());
		assert.ok(w.records().some((r) => r.kind === 'wrong_proof'));
		tell(t);
	});
});
