// Acting, against those who do not mean well: forged and replayed grants, requests that are not what they should be, a
// gateway that lies, an executor that is another one. Nothing of it may reach Proxmox.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { eventually, newId, start } from './actions_world.mjs';
import { seal } from './played_gate.mjs';

const OTHER_SEED = '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb';
const OPERATOR = { kind: 'user', name: 'operator' };
const START = { tool: 'guest_start', args: { guest: 149 } };
const text = (members) => `{${members}}`;
const request = (id, more) => text(`"request_id":"${id}","tool":"guest_start",${more}`);

/** Requests as bytes that nobody in good order sends. The guest is one that a remote may start. */
const STRANGE = {
	'nothing': '',
	'no JSON': 'start it!',
	'half of it': '{"request_id":"h","tool":"guest_start","args":{"guest":1',
	'a list': '[{"request_id":"l","tool":"guest_start","args":{"guest":149}}]',
	'two values': `${request('two', '"args":{"guest":149}')}{}`,
	'an unknown field': request('unknown', '"args":{"guest":149},"sudo":true'),
	'the same key twice': request('twice', '"tool":"guest_start","args":{"guest":149}'),
	'the same key in another case': request('case', '"TOOL":"guest_start","args":{"guest":149}'),
	'the same argument twice': request('arg', '"args":{"guest":101,"guest":149}'),
	'an argument that hides by an escape': request('escape', '"args":{"guest":101,"gu\\u0065st":149}'),
	'a thousand levels': request('deep', `"args":{"guest":${'['.repeat(1000)}${']'.repeat(1000)}}`),
	'a lone surrogate': request('lone', '"args":{"guest":149},"reason":"\\ud800"'),
	'a NUL': request('nul', '"args":{"guest":149},"reason":"a\\u0000b"'),
	'bytes that are no UTF-8': Buffer.concat([Buffer.from('{"request_id":"utf","tool":"guest_start","args":{"guest":149},"reason":"'), Buffer.from([0xc3, 0x28, 0xff]), Buffer.from('"}')]),
	'an overlong slash': Buffer.concat([Buffer.from('{"request_id":"slash","tool":"guest_start","args":{"guest":"'), Buffer.from([0xc0, 0xaf]), Buffer.from('"}}')]),
	'a byte order mark': `\ufeff${request('bom', '"args":{"guest":149}')}`,
	'2^53 + 1': request('big', '"args":{"guest":9007199254740993}'),
	'a number past all': request('inf', '"args":{"guest":1e999}'),
	'not a number': request('nan', '"args":{"guest":NaN}'),
	'a fraction': request('frac', '"args":{"guest":149.0000001}'),
	'a vmid in words': request('words', '"args":{"guest":" 149"}'),
	'a vmid in other digits': request('digits', '"args":{"guest":"１４９"}'),
	'a name with a twin of its letters': request('twin', '"args":{"guest":"mineсraft"}'),
	'args as text': request('text', '"args":"{\\"guest\\":149}"'),
	'args of 17 KiB': request('long', `"args":{"guest":149,"x":"${'y'.repeat(17_000)}"}`),
	'70 KiB': request('longer', `"args":{"guest":149},"reason":"${'z'.repeat(70_000)}"`),
	'21 targets': request('many', `"args":{},"targets":[${Array(21).fill('"149"').join()}]`),
	'a request_id that is a path': request('../../x', '"args":{"guest":149}'),
	'a request_id with a wildcard': request('#', '"args":{"guest":149}'),
	'a request_id that is too long': request('i'.repeat(65), '"args":{"guest":149}'),
	'confirmed as text': request('conf', '"args":{"guest":149},"confirmed":"true"'),
};

describe('requests', () => {
	let w, red;

	before(async () => {
		w = await start();
		red = await w.user('nodered');
	});
	after(() => w?.stop());

	/** After what came before, a good request is still answered; nothing else was begun, nobody has died. */
	const nothing = async (pid, before, mark) => {
		const good = await red.request('guest_status', { guest: 149 });
		assert.equal((await w.over(good.result.id)).status, 'verified');
		assert.deepEqual(w.actions.filter((a) => a.tool !== 'guest_status').map((a) => a.id), before);
		assert.deepEqual(await w.effects(mark), []);
		assert.equal(w.stack.process('safety-gate').pid, pid);
	};

	test('that are not what they should be begin nothing', async () => {
		const { pid } = w.stack.process('safety-gate');
		const mark = await w.mark();
		for (const [name, bytes] of Object.entries(STRANGE)) {
			await red.say('action/request/nodered', bytes);
			await nothing(pid, [], mark).catch((error) => {
				throw new Error(`${name}: ${error.message}`);
			});
		}
	});

	test('and the same to every other door of the gate', async () => {
		const { pid } = w.stack.process('safety-gate');
		const mark = await w.mark();
		const [gateway, executor, monitor] = await Promise.all(['gateway', 'executor', 'monitor'].map((name) => w.user(name)));
		for (const bytes of ['', '{', '[]', '"x"', '{"request_id":"a","op":"unfreeze","more":1}', `{"op":"${'x'.repeat(100_000)}"}`,
			`${'{"a":'.repeat(1000)}1${'}'.repeat(1000)}`, '{"id":"\\ud800","nonce":"x","epoch":1}', '{"epoch":1e999}', Buffer.from([0xff, 0xfe, 0])]) {
			await gateway.say('action/01AAAAAAAAAAAAAAAAAAAAAAAA/approval/gateway', bytes);
			await gateway.say('autonomy/set/gateway', bytes);
			await gateway.say('request/safety-gate/gateway', bytes);
			await monitor.say('autonomy/set/monitor', bytes);
			for (const topic of ['hello', 'claim', 'progress', 'result']) await executor.say(`x/${topic}`, bytes);
		}
		assert.equal((await w.autonomy()).frozen, false);
		await nothing(pid, [], mark);
	});

	test('a retained one is none, now and after a restart', async () => {
		const mark = await w.mark();
		const doc = { request_id: 'kept', ...START };
		await red.say('action/request/nodered', doc, { retain: true });
		await nothing(w.stack.process('safety-gate').pid, [], mark);
		await w.stack.kill('safety-gate');
		await w.stack.start('safety-gate');
		await w.live();
		await nothing(w.stack.process('safety-gate').pid, [], mark);
		await red.say('action/request/nodered', '', { retain: true });
	});

	test('sent twice it is one; with other bytes it is refused', async () => {
		const doc = { request_id: newId(), ...START };
		const [first] = await Promise.all([red.ask('action/request/nodered', doc), red.say('action/request/nodered', doc)]);
		const again = await red.ask('action/request/nodered', doc);
		assert.equal(again.result.id, first.result.id);
		// Answers to the same id may still be under way.
		const topic = `jarvis/reply/nodered/${doc.request_id}`;
		const other = w.stack.observer.next(topic, (d) => d?.code === 'conflict', 5000);
		await red.say('action/request/nodered', { ...doc, args: { guest: 127 } });
		assert.equal((await other).doc.status, 'error');
		assert.equal(w.actions.filter((a) => a.tool === 'guest_start').length, 1);
		// Also after the gate has died: it is known for a day.
		await w.stack.kill('safety-gate');
		await w.stack.start('safety-gate');
		assert.equal((await red.ask('action/request/nodered', doc)).result.id, first.result.id);
		await w.live();
		await w.decide(first.result.id, 'deny');
	});

	test('a response topic is not listened to', async () => {
		const properties = { responseTopic: 'jarvis/autonomy/set/monitor', correlationData: Buffer.from('x') };
		const reply = await red.request('guest_status', { guest: 149 }, {}, { options: { properties } });
		assert.equal(reply.status, 'waiting');
	});

	test('odd names come back whole', async () => {
		for (const reason of ['\u202egnihton', 'ä'.repeat(256), '🦙'.repeat(100), '</script><b>', '\u0085\u2028']) {
			const reply = await red.request('guest_start', { guest: 149 }, { reason });
			assert.equal(reply.status, 'waiting', reason);
			assert.equal((await w.seen(reply.result.id)).reason, reason);
			assert.equal(JSON.parse((await w.seen(reply.result.id)).shown).reason, reason);
			await w.decide(reply.result.id, 'deny');
		}
		// A name that is cut in a sentence is cut between letters: the reply can be read.
		const reply = await red.request('guest_start', { guest: `x${'ü'.repeat(63)}` });
		assert.equal(reply.status, 'denied');
		const lies = await red.request(`x${'ü'.repeat(31)}`, {});
		assert.equal(lies.status, 'denied');
		assert.equal(w.verify().status, 0);
	});
});

describe('a gateway that lies', () => {
	let w, liar, proofs;
	const ask = (tool, args, more) => liar.ask('action/request/gateway', { request_id: newId('l'), tool, args, actor: OPERATOR, ...more });
	const approve = (id, more) => liar.approval(id, 'approve', { actor: OPERATOR, person: 'operator', ...more });
	/** A proof as the gateway sealed it, taken from the bus. */
	const caught = async (what) => {
		const next = w.stack.observer.next('jarvis/+/+/approval/gateway', (d) => d?.proof, 10_000).catch(() => null);
		const set = w.stack.observer.next('jarvis/autonomy/set/gateway', (d) => d?.proof, 10_000).catch(() => null);
		await what();
		return (await Promise.race([next, set])).doc;
	};

	before(async () => {
		w = await start();
		liar = await w.user('gateway');
		proofs = {};
	});
	after(() => w?.stop());

	test('must name an actor that there can be', async () => {
		for (const actor of [undefined, { kind: 'root', name: 'operator' }, { kind: '', name: '' }, { kind: 'User', name: 'operator' }]) {
			const reply = await liar.ask('action/request/gateway', { request_id: newId('l'), ...START, actor });
			assert.deepEqual([reply.status, reply.result?.rule], ['denied', 'actor'], JSON.stringify(actor));
		}
	});

	test('claims that it was confirmed, and approves without a proof, or with none of a person\'s', async () => {
		const mark = await w.mark();
		for (const [tool, proof] of [['guest_shutdown', 'keyword'], ['guest_stop', 'code']]) {
			const { status, result } = await ask(tool, { guest: 143 }, { confirmed: true });
			assert.deepEqual([status, result.need], ['waiting', proof]);
			for (const more of [{}, { proof: 'AAAA' }, { proof: Buffer.alloc(120, 7).toString('base64') }, { proof: ' ' }]) {
				const reply = await approve(result.id, { digest: result.digest, ...more });
				assert.deepEqual([reply.status, reply.code], ['denied', 'proof'], JSON.stringify(reply));
			}
			const other = await approve(result.id, { digest: result.digest, person: 'somebody' });
			assert.deepEqual([other.status, other.code], ['denied', 'policy']);
			const token = await approve(result.id, { digest: result.digest, actor: { kind: 'token', name: 'operator' } });
			assert.deepEqual([token.status, token.code], ['denied', 'policy']);
			await w.decide(result.id, 'deny');
		}
		assert.deepEqual(await w.effects(mark), []);
	});

	test('uses a keyword\'s proof again, for the same and for another', async () => {
		const first = (await w.execute('guest_reboot', { guest: 104 })).body;
		proofs.keyword = await caught(() => w.decide(first.id, 'approve', { digest: first.digest, keyword: w.keyword }));
		assert.equal((await w.over(first.id)).status, 'verified');
		const mark = await w.mark();
		const again = await approve(first.id, { digest: first.digest, proof: proofs.keyword.proof });
		assert.equal(again.code, 'state');
		const { result } = await ask('guest_reboot', { guest: 104 });
		for (const digest of [result.digest, first.digest]) {
			const reply = await approve(result.id, { digest, proof: proofs.keyword.proof });
			assert.equal(reply.status, 'denied', JSON.stringify(reply));
		}
		assert.equal(w.action(result.id).status, 'waiting');
		await w.decide(result.id, 'deny');
		assert.deepEqual(await w.effects(mark), []);
	});

	test('uses a code\'s proof again, and for what it was not typed for', async () => {
		await w.operator.post('/api/freeze');
		const set = await caught(() => w.unfreeze());
		await w.operator.post('/api/freeze');
		const frozen = async (doc) => {
			const reply = await liar.ask('autonomy/set/gateway', doc);
			assert.equal(reply.status, 'denied', JSON.stringify(reply));
			assert.equal((await w.autonomy()).frozen, true);
		};
		w.code(); // the code is not used up: the proof alone must not do
		await frozen({ ...set, request_id: newId() });
		await frozen({ ...set, op: 'level', level: 4 });
		await frozen({ ...set, request_id: newId(), actor: { kind: 'user', name: 'somebody' }, person: 'somebody' });
		// Once more with its own request_id: the code has to be used up.
		await w.unfreeze();
		const next = await caught(() => w.operator.post('/api/autonomy', { level: 3, code: w.code() }));
		assert.equal((await w.operator.post('/api/autonomy', { level: 0 })).status, 200);
		await w.autonomy((d) => d.level === 0);
		const replayed = await liar.ask('autonomy/set/gateway', next);
		assert.equal(replayed.status, 'denied', JSON.stringify(replayed));
		assert.equal(w.stack.observer.docs.get('jarvis/autonomy/state').doc.level, 0);
	});

	test('guesses: after ten wrong ones it is not heard for that person; another person is', async () => {
		// The lies above were in the operator's name, and were counted; they are forgotten when the gate starts.
		await w.stack.restart('safety-gate');
		await w.live();
		const mine = { kind: 'user', name: 'mallory' };
		const { result } = await ask('guest_shutdown', { guest: 143 });
		let last;
		for (let i = 0; i < 11; i++) {
			last = await liar.approval(result.id, 'approve', { actor: mine, person: 'mallory', digest: result.digest, proof: Buffer.alloc(120, i).toString('base64') });
			assert.equal(last.code, 'proof');
		}
		assert.match(last.text, /Too many wrong/);
		const right = await w.decide(result.id, 'approve', { digest: result.digest, keyword: w.keyword });
		assert.equal(right.status, 200, JSON.stringify(right.body));
		assert.equal((await w.over(result.id)).status, 'verified');
	});
});

describe('grants', () => {
	let w;
	const hold = (name) => w.stack.process(name).signal('SIGSTOP');
	const go = (name) => w.stack.process(name).signal('SIGCONT');
	/** An approved start of a guest, claimed while the gate is silent. */
	const claimed = async (guest) => {
		hold('executor');
		const { body } = await w.execute('guest_start', { guest }, { wait_s: 0 });
		assert.equal(body.status, 'approved');
		const claim = w.stack.observer.next('jarvis/x/claim', (d) => d.id === body.id, 10_000);
		hold('safety-gate');
		go('executor');
		return { id: body.id, claim: (await claim).doc };
	};

	before(async () => {
		w = await start();
	});
	after(() => w?.stop());

	test('forged, changed, retargeted and replayed ones to a claim that is out: only the gate\'s own counts, once', async () => {
		const granted = w.stack.observer.next('jarvis/x/grant', (d) => d.envelope, 20_000);
		const first = await w.execute('guest_start', { guest: 109 }, { wait_s: 20 });
		assert.equal(first.body.status, 'verified');
		const old = (await granted).doc;
		const mark = await w.mark();
		const forger = await w.user('safety-gate');
		const { id, claim } = await claimed(145);
		const payload = JSON.parse(Buffer.from(old.envelope.payload, 'base64'));
		const meant = { ...payload, id, nonce: claim.nonce, epoch: claim.epoch, gid: 'f'.repeat(32), args: { cluster: 'home', guest: 145 },
			target: { ...payload.target, object: 'home/guest/145', name: 'k3s-2', node: 'agent1' } };
		const flipped = Buffer.from(old.envelope.payload, 'base64');
		flipped[40] ^= 1;
		for (const envelope of [seal(JSON.stringify(meant), OTHER_SEED), old.envelope, { ...old.envelope, payload: Buffer.from(JSON.stringify(meant)).toString('base64') },
			{ ...old.envelope, payload: flipped.toString('base64') }, { ...old.envelope, signatures: [] }]) {
			await forger.say('x/grant', { id, nonce: claim.nonce, envelope });
		}
		await forger.say('x/grant', { id, nonce: old.nonce, envelope: old.envelope });
		go('safety-gate');
		const done = await w.over(id);
		assert.equal(done.status, 'verified', done.summary);
		await forger.say('x/grant', old);
		assert.deepEqual((await w.effects(mark)).map((r) => r.path), ['/nodes/agent1/qemu/145/status/start']);
		await eventually(() => /a grant was refused/.test(w.stack.logs('executor')), 5000, 'the executor says so');
	});

	test('nobody else may even say one, or claim, or report', async () => {
		for (const name of ['gateway', 'executor', 'llm-router', 'monitor', 'nodered', 'proxmox-poller']) {
			const user = await w.user(name);
			assert.equal(await user.say('x/grant', { id: 'x', nonce: 'x', refused: 'x' }), 'refused', name);
			assert.equal(await user.say('x/cancel', { id: 'x', gid: 'x' }), 'refused', name);
			assert.equal(await user.say('autonomy/state', { frozen: false }), 'refused', name);
			assert.equal(await user.say('action/01AAAAAAAAAAAAAAAAAAAAAAAA/state', {}), 'refused', name);
			if (name === 'executor') continue;
			for (const topic of ['hello', 'claim', 'progress', 'result']) assert.equal(await user.say(`x/${topic}`, {}), 'refused', `${name} ${topic}`);
		}
	});

	test('another executor with the same user: the one before it is not heard any more', async () => {
		const mark = await w.mark();
		const other = await w.user('executor');
		const grants = [];
		await other.client.subscribeAsync(['jarvis/x/epoch', 'jarvis/x/grant'], { qos: 1 });
		const epochs = [];
		other.client.on('message', (topic, bytes) => (topic.endsWith('epoch') ? epochs : grants).push(JSON.parse(bytes)));
		const nonce = '0123456789abcdef'.repeat(4);
		await other.say('x/hello', { nonce, holds: [] });
		await eventually(() => epochs.some((e) => e.nonce === nonce), 5000, 'an epoch');
		const { epoch } = epochs.find((e) => e.nonce === nonce);

		const { body } = await w.execute('guest_start', { guest: 149 }, { wait_s: 0 });
		await eventually(() => grants.some((g) => g.id === body.id && /another executor/.test(g.refused)), 10_000, 'the old one is refused');
		// With an epoch of before, with a nonce that is none, for an action that there is not.
		for (const claim of [{ id: body.id, nonce, epoch: epoch - 1 }, { id: body.id, nonce: 'short', epoch }, { id: '01AAAAAAAAAAAAAAAAAAAAAAAA', nonce, epoch }]) {
			await other.say('x/claim', claim);
			await eventually(() => grants.some((g) => g.nonce === claim.nonce && g.id === claim.id && g.refused), 5000, JSON.stringify(claim));
		}
		assert.deepEqual(await w.effects(mark), []);
		await w.stack.restart('executor');
		assert.equal((await w.over(body.id)).status, 'verified');
		assert.equal((await w.effects(mark)).length, 1);
		// A result for a grant that is not out changes nothing.
		await other.say('x/result', { id: body.id, step: 0, gid: 'a'.repeat(32), outcome: 'failed', detail: 'haha', upid: null, content: null });
		assert.equal((await w.execute('guest_list', {})).status, 200);
		await w.until(body.id, 'verified');
	});

	test('all of it is in the chain', () => {
		assert.equal(w.verify().status, 0, w.verify().text);
	});
});
