// Whoever runs the broker: reads everything, says anything as anybody, keeps back what he likes. What he lacks is the
// gate's key, the keys to Proxmox and the nodes, and what is sealed past him. Envelopes bit by bit: executor_grants.test.mjs.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { seal } from '../played_gate.mjs';
import { OPERATOR, attempt, changesNothing, eventually, newId, start, tell } from './world.mjs';

const OTHER_SEED = '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb';
const REPLAYS = 1000;
const FROZEN_MS = 15_000;
const HEX = '0123456789abcdef'.repeat(4);

let w, admin;
/** Everything that went over x/, as [topic, document]. */
const heard = [];

const say = (topic, doc, options) => {
	attempt();
	return admin.say(topic, doc, options);
};
/** As the person whom the gateway names. */
const asOperator = (tool, args, more) => {
	const request_id = newId('b');
	const reply = w.stack.observer.next(`jarvis/reply/gateway/${request_id}`, Boolean, 10_000);
	return say('action/request/gateway', { request_id, tool, args, actor: OPERATOR, ...more }).then(async () => (await reply).doc);
};
const paths = async (mark) => (await w.effects(mark)).map((r) => r.path);
const grantOf = async (work) => {
	const grant = w.stack.observer.next('jarvis/x/grant', (d) => d.envelope, 20_000);
	const done = await work();
	return { grant: (await grant).doc, done };
};
const madeUp = (id, more = {}, guest = 149) => ({ ts: Date.now(), id, status: 'approved', tier: 'yellow', tool: 'guest_start', principal: 'gateway', need: 'nothing',
	facts: [], created_ms: Date.now(), approved_by: 'operator',
	steps: [{ object: `home/guest/${guest}`, name: 'x', args: { cluster: 'home', guest }, status: 'pending' }], ...more });

before(async () => {
	w = await start({ sim: { speed: 40 } });
	admin = await w.user('observer');
	admin.client.on('message', (topic, bytes) => heard.push([topic.slice('jarvis/x/'.length), JSON.parse(bytes)]));
	await admin.client.subscribeAsync('jarvis/x/#', { qos: 1 });
});
after(() => w?.stop());

describe('whoever runs the broker', () => {
	test('CAN ask as anybody, for what these may do at once, and it is recorded as theirs', async () => {
		const mark = await w.mark();
		const reply = await asOperator('guest_snapshot', { guest: 101, snapshot: 'his' });
		assert.equal((await w.over(reply.result.id)).status, 'verified');
		assert.equal((await paths(mark)).length, 1);
		assert.deepEqual(w.recordsOf(reply.result.id), ['allowed', 'granted', 'verified']);
	});

	test('CANNOT approve: not without a proof, not with one that he read', async () => {
		const approvals = [];
		admin.client.on('message', (topic, bytes) => topic.includes('/approval/') && approvals.push(JSON.parse(bytes)));
		await admin.client.subscribeAsync('jarvis/action/+/approval/gateway', { qos: 1 });
		const good = (await w.execute('guest_reboot', { guest: 104 })).body;
		assert.equal((await w.decide(good.id, 'approve', { digest: good.digest, keyword: w.keyword })).status, 200);
		assert.equal((await w.over(good.id)).status, 'verified');
		await eventually(() => approvals.length > 0, 5000, 'the approval passes him');
		const [{ proof }] = approvals;
		assert.ok(!JSON.stringify(approvals).includes(w.keyword));
		await changesNothing(w, async () => {
			const { result } = await asOperator('guest_reboot', { guest: 104 });
			for (const more of [{}, { proof }, { proof, digest: good.digest }, { proof: `${proof.slice(0, -8)}AAAAAAA=` }]) {
				const request_id = newId('f');
				const reply = w.stack.observer.next(`jarvis/reply/gateway/${request_id}`, Boolean, 10_000);
				await say(`action/${result.id}/approval/gateway`, { request_id, decision: 'approve', digest: result.digest, person: 'operator', actor: OPERATOR, ...more });
				assert.equal((await reply).doc.status, 'denied');
			}
			await say(`action/${good.id}/approval/gateway`, approvals[0]);
			assert.equal((await w.seen(result.id)).status, 'waiting');
			await w.decide(result.id, 'deny');
		});
	});

	test(`a grant that he read does nothing a second time, said ${REPLAYS} times, and one of his own nothing at all`, async () => {
		const { grant, done } = await grantOf(() => w.execute('guest_snapshot', { guest: 108, snapshot: 'once' }, { wait_s: 20 }));
		assert.equal(done.body.status, 'verified', JSON.stringify(done.body));
		await changesNothing(w, async () => {
			const again = [];
			for (let i = 0; i < REPLAYS; i++) again.push(say('x/grant', grant));
			await Promise.all(again);
			await say(`action/${done.body.id}/state`, { ...w.action(done.body.id), status: 'approved', steps: [{ ...w.action(done.body.id).steps[0], status: 'pending' }] }, { retain: true });
			await eventually(() => heard.some(([topic, d]) => topic === 'grant' && d.id === done.body.id && d.refused), 10_000, 'the gate says no');
		});
	});

	test('every claim that he answers before the gate does: what the gate has granted is done, on its own target, once', async () => {
		const old = heard.find(([topic, d]) => topic === 'grant' && d.envelope)[1].envelope;
		const was = JSON.parse(Buffer.from(old.payload, 'base64'));
		const forge = ({ id, nonce, epoch }) => {
			const meant = { ...was, id, nonce, epoch, gid: 'f'.repeat(32), tier: 'red', tool: 'guest_stop', args: { cluster: 'home', guest: 121 },
				target: { ...was.target, object: 'home/guest/121', name: 'other', status: 'running' } };
			const own = seal(JSON.stringify(meant), OTHER_SEED);
			const changed = { ...old, payload: Buffer.from(JSON.stringify(meant)).toString('base64') };
			return [own, changed, old, { ...own, signatures: old.signatures }, { ...own, signatures: [...own.signatures, ...old.signatures] },
				{ ...changed, signatures: [] }, { ...own, payloadType: 'application/json' }];
		};
		const answer = (topic, bytes) => {
			if (!topic.endsWith('x/claim')) return;
			const claim = JSON.parse(bytes);
			for (const envelope of forge(claim)) say('x/grant', { id: claim.id, nonce: claim.nonce, envelope });
		};
		admin.client.on('message', answer);
		const mark = await w.mark();
		for (const guest of [109, 127, 145]) {
			const { body } = await w.execute('guest_start', { guest }, { wait_s: 30 });
			assert.equal(body.status, 'verified', JSON.stringify(body));
		}
		admin.client.off('message', answer);
		assert.deepEqual((await paths(mark)).map((path) => path.replace(/.*\/(\d+)\/status/, '$1')), ['109/start', '127/start', '145/start']);
	});

	test('CAN make the executor ask in vain, by actions that are none or are not approved', async () => {
		const { result } = await asOperator('guest_shutdown', { guest: 143 });
		const claims = heard.filter(([topic]) => topic === 'claim').length;
		await changesNothing(w, async () => {
			const ids = ['01AAAAAAAAAAAAAAAAAAAAAAAA', '01BBBBBBBBBBBBBBBBBBBBBBBB'];
			for (const id of ids) await say(`action/${id}/state`, madeUp(id), { retain: true });
			const real = { ...(await w.seen(result.id)), status: 'approved', approved_by: 'operator' };
			await say(`action/${result.id}/state`, real, { retain: true });
			await say(`action/${result.id}/state`, { ...real, ...madeUp(result.id), tool: 'guest_stop', tier: 'red' }, { retain: true });
			const refused = (id) => heard.some(([topic, d]) => topic === 'grant' && d.id === id && d.refused && !d.envelope);
			await eventually(() => [...ids, result.id].every(refused), 20_000, 'the gate refuses them all');
		});
		assert.ok(heard.filter(([topic]) => topic === 'claim').length >= claims + 3);
		assert.ok(!heard.some(([topic, d]) => topic === 'grant' && d.id === result.id && d.envelope));
		await w.decide(result.id, 'deny');
	});

	test('CAN freeze by a forged heartbeat, and CANNOT thaw what is frozen', async () => {
		const { doc: beat } = w.stack.observer.docs.get('jarvis/autonomy/state');
		const beats = (frozen) => setInterval(() => say('autonomy/state', { ...beat, ts: Date.now(), frozen }, { retain: true }), 20);
		let timer = beats(true);
		await say('autonomy/state', { ...beat, ts: Date.now(), frozen: true }, { retain: true });
		const { body } = await w.execute('guest_snapshot', { guest: 105, snapshot: 'later' }, { wait_s: 0 });
		const mark = await w.mark();
		assert.equal((await w.execute('guest_list', {}, { wait_s: 20 })).status, 200, 'reads go on');
		assert.deepEqual(await paths(mark), []);
		clearInterval(timer);
		assert.equal((await w.over(body.id)).status, 'verified', 'the gate\'s next word thaws it');

		await w.operator.post('/api/freeze');
		timer = beats(false);
		await changesNothing(w, async () => {
			const reply = await asOperator('guest_start', { guest: 149 });
			assert.equal(reply.result.rule, 'frozen');
			const set = { request_id: newId('u'), op: 'unfreeze', actor: OPERATOR };
			const said = w.stack.observer.next(`jarvis/reply/gateway/${set.request_id}`, Boolean, 10_000);
			await say('autonomy/set/gateway', set);
			assert.equal((await said).doc.status, 'denied');
		});
		clearInterval(timer);
		await w.unfreeze();
	});

	test('CANNOT speak for a gate that is silent: the executor is kept awake, asks, and is given nothing that it takes', async () => {
		const { doc: beat } = w.stack.observer.docs.get('jarvis/autonomy/state');
		w.stack.process('safety-gate').signal('SIGSTOP');
		const timer = setInterval(() => say('autonomy/state', { ...beat, ts: Date.now(), frozen: false }, { retain: true }), 20);
		const before = await w.mark();
		// Each is answered before the next one is told of: the last claim says that the answers before it were looked at.
		const ids = ['C', 'D', 'E'].map((letter) => `01${letter.repeat(24)}`);
		for (const [i, id] of ids.entries()) {
			const guest = 101 + i;
			const claimed = w.stack.observer.next('jarvis/x/claim', (d) => d.id === id, 10_000);
			await say(`action/${id}/state`, madeUp(id, {}, guest), { retain: true });
			const { nonce } = (await claimed).doc;
			for (const seed of [OTHER_SEED, OTHER_SEED.replace('4', '5')]) await say('x/grant', { id, nonce, envelope: seal(JSON.stringify({ v: 1, id, nonce }), seed) });
		}
		assert.deepEqual(await paths(before), []);
		clearInterval(timer);
		w.stack.process('safety-gate').signal('SIGCONT');
		for (const id of ids) await say(`action/${id}/state`, '', { retain: true });
	});

	test('CAN stop all acting by a forged epoch or a second executor; the grant that he gets by it is worth nothing', async () => {
		const epoch = Math.max(...heard.filter(([topic]) => topic === 'claim').map(([, d]) => d.epoch));
		await say('x/epoch', { nonce: HEX, epoch: epoch + 50 });
		await w.stack.waitFor('jarvis/service/executor/main/info', (d) => /another executor/.test(d.trouble ?? ''), 10_000);
		await changesNothing(w, async () => {
			const given = w.stack.observer.next('jarvis/x/epoch', (d) => d.nonce === HEX, 10_000);
			await say('x/hello', { nonce: HEX, holds: [] });
			const { doc } = await given;
			const { body } = await w.execute('guest_start', { guest: 149 }, { wait_s: 0 });
			const granted = w.stack.observer.next('jarvis/x/grant', (d) => d.id === body.id && d.envelope, 10_000);
			await say('x/claim', { id: body.id, nonce: HEX, epoch: doc.epoch });
			const { doc: grant } = await granted;
			await w.stack.restart('executor');
			for (let i = 0; i < 10; i++) await say('x/grant', grant);
			await w.until(body.id, (d) => d.status !== 'running' && d.status !== 'approved');
		});
	});

	test('CAN show a wrong outcome; what it was about is not done again', async () => {
		await w.sim('guest_stuck', { vmid: 121, on: true });
		const { body } = await w.execute('guest_shutdown', { guest: 121 });
		const mark = await w.mark();
		const { grant } = await grantOf(() => w.decide(body.id, 'approve', { digest: body.digest, keyword: w.keyword }));
		await eventually(async () => (await paths(mark)).length === 1, 10_000, 'it is begun');
		const { gid } = JSON.parse(Buffer.from(grant.envelope.payload, 'base64'));
		await say('x/result', { id: body.id, step: 0, gid, outcome: 'verified', detail: 'All is well.', upid: null, content: null });
		assert.equal((await w.over(body.id)).status, 'verified');
		assert.equal((await w.guest(121)).state, 'running');
		await w.sim('guest_stuck', { vmid: 121, on: false });
		assert.equal((await w.execute('guest_list', {}, { wait_s: 20 })).status, 200);
		assert.equal((await paths(mark)).length, 1);
	});

	test('what he keeps back for 15 s freezes, and a grant that he held for so long is worth nothing', async () => {
		const acl = join(w.stack.data, 'broker/acl');
		const whole = readFileSync(acl, 'utf8');
		const [ahead, own] = whole.split(/(?=^user executor$)/m);
		const deaf = own.replace(/^topic read jarvis\/(x\/grant|autonomy\/state)\n/m, '').replace(/^topic read jarvis\/(x\/grant|autonomy\/state)\n/m, '');
		assert.notEqual(deaf, own);
		const mark = await w.mark();
		const { grant: held, done: { body } } = await grantOf(async () => {
			writeFileSync(acl, ahead + deaf);
			w.stack.process('broker').signal('SIGHUP');
			return w.execute('guest_start', { guest: 149 }, { wait_s: 0 });
		});
		await sleep(FROZEN_MS + 500); // the time itself is what is tested
		const claims = () => heard.filter(([topic, d]) => topic === 'claim' && d.id !== body.id).length;
		const before = claims();
		// Its grants pass again, the heartbeat does not: it asks for none.
		writeFileSync(acl, ahead + own.replace(/^topic read jarvis\/autonomy\/state\n/m, ''));
		w.stack.process('broker').signal('SIGHUP');
		const { body: second } = await w.execute('guest_snapshot', { guest: 106, snapshot: 'kept' }, { wait_s: 0 });
		const read = await w.execute('guest_list', {}, { wait_s: 20 });
		assert.equal(read.status, 200, 'reads go on');
		for (let i = 0; i < 10; i++) await say('x/grant', held);
		assert.equal((await w.execute('guest_list', {}, { wait_s: 20 })).status, 200);
		assert.equal(claims(), before + 2, 'only the reads were asked for');
		assert.deepEqual(await paths(mark), []);
		writeFileSync(acl, whole);
		w.stack.process('broker').signal('SIGHUP');
		assert.equal((await w.over(second.id)).status, 'verified', 'as soon as the gate is heard again');
		assert.deepEqual((await paths(mark)).filter((path) => /149/.test(path)), []);
	});

	test('CANNOT touch the record', (t) => {
		const chain = w.verify();
		assert.equal(chain.status, 0, chain.text);
		tell(t);
	});
});
