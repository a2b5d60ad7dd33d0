// The whole path of acting, on a real broker with the real ACL: a person at REST, through safety gate and executor to the
// simulated Proxmox and back, verified.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { eventually, newId, start } from './actions_world.mjs';

/** Refused whoever asks: tool, arguments, rule, and more of the request. */
const BLACK = [
	['guest_destroy', { guest: 109 }, 'tool.unknown'],
	['Guest_start', { guest: 109 }, 'tool.unknown'],
	['guest_start', { guest: 109, purge: true }, 'arguments'],
	['guest_start', { guest: '109; rm' }, 'arguments'],
	['guest_start', { guest: 109.5 }, 'arguments'],
	['guest_start', { guest: -1 }, 'arguments'],
	['guest_start', {}, 'arguments'],
	['guest_start', { guest: 4711 }, 'target.unknown'],
	['guest_start', { guest: 109, cluster: 'lab' }, 'target.unknown'],
	['guest_shutdown', { guest: 140 }, 'self'],
	['guest_stop', { guest: 140 }, 'self', { confirmed: true }],
	['node_reboot', { node: 'agent1' }, 'self', { confirmed: true }],
	['guest_stop', { guest: 110 }, 'protected', { confirmed: true }],
	['node_shutdown', { node: 'Home' }, 'protected', { confirmed: true }],
	['guest_stop', {}, 'blast', { confirmed: true, targets: ['104', '105', '106', '108'] }],
	['guest_start', {}, 'targets', { targets: ['109', '109'] }],
	['guest_start', {}, 'targets', { targets: ['109', 'windows11'] }],
	['guest_start', { guest: 109 }, 'arguments', { targets: ['127'] }],
	['download_url', { storage: 'iso', node: 'pve', content: 'iso', filename: 'x.iso', url: 'https://evil.example/x.iso',
		checksum_algorithm: 'sha256', checksum: 'a'.repeat(64) }, 'download'],
];

describe('a person', () => {
	let w;

	before(async () => {
		w = await start();
	});
	after(() => w?.stop());

	const shutdown = async (guest, more) => {
		const answer = await w.execute('guest_shutdown', { guest }, more);
		assert.equal(answer.status, 202, JSON.stringify(answer.body));
		return answer.body;
	};

	test('GREEN is answered at once, and leaves no trace at Proxmox', async () => {
		const mark = await w.mark();
		const { status, body } = await w.execute('guest_status', { guest: 'jellyfin' });
		assert.equal(status, 200);
		assert.deepEqual([body.status, body.tier, body.is_error], ['verified', 'green', false]);
		assert.equal(body.content.items[0].doc.vmid, 101);
		assert.deepEqual(await w.effects(mark), []);
	});

	test('YELLOW is done at once, verified, once, and recorded before and after', async () => {
		const mark = await w.mark();
		const { status, body } = await w.execute('guest_start', { guest: 'windows11' }, { wait_s: 30, reason: 'tax time' });
		assert.equal(status, 200);
		assert.equal(body.status, 'verified', body.text);
		assert.equal((await w.guest(109)).state, 'running');
		assert.deepEqual((await w.effects(mark)).map((r) => r.path), ['/nodes/Home/qemu/109/status/start']);
		assert.deepEqual(w.recordsOf(body.id), ['allowed', 'granted', 'verified']);
		const action = await w.over(body.id);
		assert.equal(action.reason, 'tax time');
		assert.deepEqual(action.actor, { kind: 'user', name: 'operator' });
		// What was touched is seen before the answer.
		assert.equal(w.stack.observer.docs.get('jarvis/pve/home/guest/109/state').doc.status, 'running');
		const event = await w.stack.waitFor('jarvis/event/action', (d) => d.object === `action/${body.id}/state` && d.event_type === 'end');
		assert.match(event.doc.text, /guest_start windows11: verified/);
	});

	test('the same request again is answered the same, and with other bytes refused', async () => {
		const mark = await w.mark();
		const request_id = newId();
		const snapshot = (args, more) => w.execute('guest_snapshot', { guest: 101, ...args }, { request_id, wait_s: 30, ...more });
		const [first, again] = [await snapshot({ snapshot: 'one' }), await snapshot({ snapshot: 'one' })];
		assert.deepEqual([first.status, again.status], [200, 200]);
		assert.deepEqual(again.body, first.body);
		assert.equal((await snapshot({ snapshot: 'two' })).status, 409);
		assert.equal((await snapshot({ snapshot: 'one' }, { reason: 'x' })).status, 409);
		assert.equal((await w.effects(mark)).length, 1);
	});

	test('the target in the wrong state is 409, and nothing is asked of Proxmox', async () => {
		const mark = await w.mark();
		for (const [tool, args, words] of [['guest_start', { guest: 101 }, /jellyfin \(101\) is running/], ['guest_resume', { guest: 101 }, /is running/],
			['guest_start', { guest: 9000 }, /template/], ['guest_migrate', { guest: 122, target_node: 'pve' }, /is on pve already/],
			['node_wake', { node: 'pve' }, /pve is online/]]) {
			const { status, body } = await w.execute(tool, args);
			const tier = tool === 'guest_migrate' ? 'orange' : 'yellow';
			assert.equal(status, 409, `${tool}: ${JSON.stringify(body)}`);
			assert.match(body.reason, words);
			assert.equal(body.blocked, true);
			assert.equal(body.tier, tier);
			assert.match(body.rule, /^state\./);
		}
		assert.deepEqual(await w.effects(mark), []);
	});

	test('a dry run says all that would be said, for every decision, and leaves nothing behind', async () => {
		const mark = await w.mark();
		const before = await w.operator.get('/api/audit?limit=1');
		const actions = (await w.operator.get('/api/actions?limit=200')).body.items.length;
		const dry = (tool, args, more) => w.execute(tool, args, { dry_run: true, ...more });
		for (const [tool, args, decision, tier, rule, need, more] of [
			['guest_status', { guest: 101 }, 'allow', 'green', 'tier.green', 'nothing'],
			['guest_start', { guest: 127 }, 'allow', 'yellow', 'tier', 'nothing'],
			['guest_shutdown', { guest: 'jellyfin' }, 'ask', 'orange', 'tier', 'keyword'],
			['guest_stop', { guest: 101 }, 'refuse', 'red', 'unconfirmed', 'nothing'],
			['guest_stop', { guest: 101 }, 'ask', 'red', 'tier', 'code', { confirmed: true }],
			['guest_start', { guest: 101 }, 'state', 'yellow', 'state.status', 'nothing'],
			['guest_shutdown', { guest: 140 }, 'refuse', 'black', 'self', 'nothing'],
			['guest_destroy', { guest: 101 }, 'refuse', 'black', 'tool.unknown', 'nothing'],
		]) {
			const { status, body } = await dry(tool, args, more);
			assert.equal(status, 200, `${tool}: ${JSON.stringify(body)}`);
			assert.deepEqual([body.dry_run, body.decision, body.tier, body.need], [true, decision, tier, need], `${tool}: ${JSON.stringify(body)}`);
			assert.ok(rule === 'tier' ? body.rule : body.rule === rule, body.rule);
			assert.ok(body.reason.length > 5);
		}
		const { body } = await dry('guest_shutdown', { guest: 'jellyfin' });
		assert.deepEqual([body.steps[0].object, body.steps[0].name, body.verify], ['home/guest/101', 'jellyfin', 'that it is stopped']);
		const several = (await dry('guest_snapshot', { snapshot: 'dry' }, { targets: ['101', '105', '106', '108'] })).body;
		assert.deepEqual([several.decision, several.tier, several.steps.length], ['ask', 'orange', 4]);
		assert.match(several.facts.join(), /at once/);
		assert.deepEqual((await w.operator.get('/api/audit?limit=1')).body.size, before.body.size);
		assert.equal((await w.operator.get('/api/actions?limit=200')).body.items.length, actions);
		assert.deepEqual(await w.effects(mark), []);
		// Its request_id is not used up, and what is typed with it counts for nothing.
		const request_id = newId();
		assert.equal((await dry('guest_shutdown', { guest: 101 }, { request_id, keyword: w.keyword })).body.decision, 'ask');
		assert.equal((await w.execute('guest_status', { guest: 101 }, { request_id })).status, 200);
		assert.equal((await dry('guest_shutdown', { guest: 101 }, { request_id })).body.decision, 'ask');
		assert.equal((await dry('guest_start', { guest: 101 }, { dry_run: 'yes' })).status, 400);
	});

	test('ORANGE waits: 202 with what is approved; a wrong keyword is refused, the right one does it', async () => {
		const mark = await w.mark();
		const { id, digest, need } = await shutdown(109);
		assert.equal(need, 'keyword');
		const shown = JSON.parse((await w.seen(id)).shown);
		assert.deepEqual([shown.id, shown.tool, shown.tier, shown.steps[0].object], [id, 'guest_shutdown', 'orange', 'home/guest/109']);

		const wrong = await w.decide(id, 'approve', { digest, keyword: 'not the keyword' });
		assert.equal(wrong.status, 403, JSON.stringify(wrong.body));
		assert.match(JSON.stringify(wrong.body), /The keyword or code is wrong/);
		assert.equal((await w.decide(id, 'approve', { digest })).status, 403, 'no proof at all');
		assert.equal((await w.decide(id, 'approve', { digest: 'a'.repeat(64), keyword: w.keyword })).status, 403, 'another digest');
		assert.equal((await w.decide(id, 'approve', { keyword: w.keyword })).status, 400, 'no digest');
		assert.equal(w.action(id).status, 'waiting');
		assert.deepEqual(await w.effects(mark), []);

		const right = await w.decide(id, 'approve', { digest, keyword: w.keyword });
		assert.equal(right.status, 200, JSON.stringify(right.body));
		const done = await w.over(id);
		assert.deepEqual([done.status, done.approved_by], ['verified', 'operator']);
		assert.equal((await w.effects(mark)).length, 1);
		const again = await w.decide(id, 'approve', { digest, keyword: w.keyword });
		assert.deepEqual([again.status, again.body.tier, again.body.rule], [409, 'orange', 'state.decided'], JSON.stringify(again.body));
		assert.deepEqual(w.recordsOf(id), ['asked', 'approved', 'granted', 'verified']);
	});

	test('the keyword in the request itself: one answer, with the result', async () => {
		const right = await w.execute('guest_reboot', { guest: 104 }, { keyword: w.keyword, wait_s: 30 });
		assert.equal(right.status, 200, JSON.stringify(right.body));
		assert.equal(right.body.status, 'verified', right.body.text);
		const wrong = await w.execute('guest_shutdown', { guest: 104 }, { keyword: 'something else', wait_s: 30 });
		assert.equal(wrong.status, 403, JSON.stringify(wrong.body));
		const short = await w.execute('guest_suspend', { guest: 104 }, { keyword: w.keyword, wait_s: 0 });
		assert.equal(short.status, 202);
		assert.equal(short.body.status, 'approved', 'it does not wait for a person any longer');
		assert.equal((await w.over(short.body.id)).status, 'verified');
		// A long one: the answer waits for its end, not for the gate's first word.
		await w.sim('guest_stuck', { vmid: 144 });
		const late = w.execute('guest_shutdown', { guest: 144, timeout: 40 }, { keyword: w.keyword, wait_s: 15 });
		const began = performance.now();
		const { status, body } = await late;
		assert.equal(status, 200, JSON.stringify(body));
		assert.deepEqual([body.status, body.is_error], ['failed', true], body.text);
		assert.ok(performance.now() - began > 3500, 'longer than the gateway waits for a gate that is silent');
	});

	test('the same request twice at once, with its proof: one effect, and the truth for both', async () => {
		const mark = await w.mark();
		const twice = (tool, more) => {
			const request_id = newId('twice');
			return Promise.all([1, 2].map(() => w.execute(tool, { guest: 143 }, { request_id, wait_s: 30, ...more })));
		};
		for (const { status, body } of await twice('guest_reboot', { keyword: w.keyword }))
			assert.deepEqual([status, body.status], [200, 'verified'], JSON.stringify(body));
		for (const { status, body } of await twice('guest_reboot', { keyword: 'not the keyword' }))
			assert.equal(status, 403, JSON.stringify(body));
		assert.equal((await w.effects(mark)).length, 1);
	});

	test('deny, and deny once', async () => {
		const { id } = await shutdown(143);
		assert.equal((await w.decide(id, 'deny')).status, 200);
		assert.equal((await w.over(id)).status, 'denied');
		assert.equal((await w.decide(id, 'deny')).status, 409);
		assert.equal((await w.decide('01AAAAAAAAAAAAAAAAAAAAAAAA', 'deny')).status, 404);
	});

	test('a no is a no, whatever was typed beside it', async () => {
		for (const body of [{ keyword: w.keyword }, { code: '123456' }, { digest: 'short', keyword: 'x' }]) {
			const { id } = await shutdown(143);
			const { status, body: answer } = await w.decide(id, 'deny', body);
			assert.equal(status, 200, JSON.stringify(answer));
			assert.equal((await w.over(id)).status, 'denied');
		}
	});

	test('one request_id at two addresses: each answer finds its own question', async () => {
		const request_id = newId();
		const { body: first } = await w.execute('backup_now', { guest: 143, storage: 'pbs' }, { request_id, wait_s: 0 });
		const waiting = w.execute('backup_now', { guest: 143, storage: 'pbs' }, { request_id, wait_s: 30 });
		await w.until(first.id, 'running');
		assert.equal((await w.decide(first.id, 'cancel', { request_id })).status, 200);
		const { status, body } = await waiting;
		assert.equal(status, 200, JSON.stringify(body));
		assert.equal(body.id, first.id);
	});

	test('a page of the actions has one row at least', async () => {
		for (const [query, status] of [['limit=0', 400], ['limit=201', 400], ['limit=x', 400], ['limit=1', 200]]) {
			assert.equal((await w.operator.get(`/api/actions?${query}`)).status, status, query);
		}
		const { body } = await w.operator.get('/api/actions?limit=1');
		assert.equal(body.items.length, 1);
		const next = await w.operator.get(`/api/actions?limit=1&cursor=${body.next}`);
		assert.ok(next.body.items[0].id < body.items[0].id);
	});

	test('an empty request_id is none', async () => {
		const { status, body } = await w.operator.post('/api/tools/execute', { request_id: '', tool: 'guest_list', args: {} });
		assert.equal(status, 400, JSON.stringify(body));
		assert.match(body.detail, /request_id/);
	});

	test('RED: confirmed and a code, then a window that can be seen; cancelled in it nothing is done', async () => {
		const mark = await w.mark();
		const bare = await w.execute('guest_stop', { guest: 143 });
		assert.equal(bare.status, 403);
		assert.deepEqual([bare.body.blocked, bare.body.tier, bare.body.rule], [true, 'red', 'unconfirmed']);

		const { status, body } = await w.execute('guest_stop', { guest: 143 }, { confirmed: true });
		assert.equal(status, 202);
		const approve = (proof) => w.decide(body.id, 'approve', { digest: body.digest, ...proof });
		assert.equal((await approve({ keyword: w.keyword })).status, 403, 'the keyword is not enough');
		assert.equal((await approve({ code: '000000' })).status, 403);
		const code = w.code();
		assert.equal((await approve({ code })).status, 200);
		const window = await w.until(body.id, 'window');
		assert.ok(window.until_ms - Date.now() > 5000 && window.until_ms - Date.now() <= 10_500, 'ten seconds');
		assert.equal((await w.decide(body.id, 'cancel')).status, 200);
		assert.equal((await w.over(body.id)).status, 'cancelled');

		// The code has been used up, although nothing came of it.
		const second = await w.execute('guest_stop', { guest: 143 }, { confirmed: true, code });
		assert.equal(second.status, 403, JSON.stringify(second.body));
		assert.match(second.body.reason ?? second.body.detail, /used before|is wrong/);
		assert.deepEqual(await w.effects(mark), []);
		assert.equal((await w.guest(143)).state, 'running');
	});

	test('RED with the code in the request: done after the window', async () => {
		const mark = await w.mark();
		const code = w.code();
		const began = performance.now();
		const { status, body } = await w.execute('guest_stop', { guest: 143 }, { confirmed: true, code, wait_s: 30 });
		assert.equal(status, 200, JSON.stringify(body));
		assert.equal(body.status, 'verified', body.text);
		assert.ok(performance.now() - began >= 9900, 'not before the window is over');
		assert.deepEqual((await w.effects(mark)).map((r) => r.path), ['/nodes/agent1/qemu/143/status/stop']);
		assert.deepEqual(w.recordsOf(body.id), ['asked', 'approved', 'window_over', 'granted', 'verified']);
	});

	for (const [tool, args, rule, more] of BLACK) {
		test(`never: ${tool} ${JSON.stringify(more?.targets ?? args).slice(0, 60)} (${rule})`, async () => {
			const mark = await w.mark();
			const { status, body } = await w.execute(tool, args, more);
			assert.equal(status, 403, JSON.stringify(body));
			assert.deepEqual([body.blocked, body.tier, body.rule], [true, 'black', rule], body.reason);
			assert.ok(body.reason.length > 10);
			assert.deepEqual(await w.effects(mark), []);
		});
	}

	test('what others need is not taken away', async () => {
		const { status, body } = await w.execute('guest_shutdown', { guest: 141 });
		assert.equal(status, 403);
		assert.equal(body.rule, 'dependents');
		assert.match(body.reason, /zigbee2mqtt \(124\), node-red \(126\)/);
	});

	test('a batch: one digest over the list, one grant each, stopped at the first failure', async () => {
		const mark = await w.mark();
		const targets = ['160', '161', '146'];
		const batch = (more) => w.execute('guest_reboot', {}, { targets, ...more });
		const asked = await batch();
		assert.equal(asked.status, 202);
		assert.deepEqual(JSON.parse((await w.seen(asked.body.id)).shown).steps.map((s) => s.object), targets.map((t) => `home/guest/${t}`));
		const other = await w.execute('guest_reboot', {}, { targets: [...targets].reverse() });
		assert.notEqual(other.body.digest, asked.body.digest);
		assert.equal((await w.decide(asked.body.id, 'approve', { digest: other.body.digest, keyword: w.keyword })).status, 403);
		await w.decide(other.body.id, 'deny');
		assert.equal((await w.decide(asked.body.id, 'approve', { digest: asked.body.digest, keyword: w.keyword })).status, 200);
		const done = await w.over(asked.body.id);
		assert.deepEqual([done.status, ...done.steps.map((s) => s.status)], ['verified', 'verified', 'verified', 'verified'], done.summary);
		assert.equal((await w.effects(mark)).length, 3);
		assert.equal(w.recordsOf(done.id).filter((kind) => kind === 'granted').length, 3);

		const next = await w.mark();
		await w.sim('guest_fail_start', { vmid: 127 });
		const failing = await w.execute('guest_start', {}, { targets: ['145', '127', '149'], wait_s: 30 });
		assert.equal(failing.status, 200);
		assert.deepEqual([failing.body.status, failing.body.is_error], ['failed', true]);
		assert.deepEqual((await w.over(failing.body.id)).steps.map((s) => s.status), ['verified', 'failed', 'skipped']);
		assert.equal((await w.guest(149)).state, 'stopped');
		assert.equal((await w.effects(next)).length, 2);
	});

	test('more than three at once: a tier higher', async () => {
		const four = await w.execute('guest_snapshot', { snapshot: 'four' }, { targets: ['101', '105', '106', '108'] });
		assert.equal(four.status, 202);
		assert.deepEqual([four.body.tier, four.body.need, four.body.rule], ['orange', 'keyword', 'tier.proof']);
		await w.decide(four.body.id, 'deny');
		assert.equal((await w.execute('guest_reboot', {}, { targets: ['101', '105', '106', '108'] })).body.tier, 'red');
	});

	test('a backup shows beside its guest before the answer does', async () => {
		const last = async () => (await w.operator.get('/api/state/pve/home/guest/122/backup')).body.last_ok_ms;
		const before = await last();
		const { body } = await w.execute('backup_now', { guest: 122, storage: 'pbs' }, { wait_s: 60 });
		assert.equal(body.status, 'verified', JSON.stringify(body));
		assert.ok((await last()) > before);
	});

	test('what is asked for while something is done there is refused, and says what for', async () => {
		const { body: first } = await w.execute('backup_now', { guest: 122, storage: 'pbs' }, { wait_s: 0 });
		const all = await Promise.all([1, 2, 3].map(() => w.execute('guest_snapshot', { guest: 122, snapshot: newId('s') }, { wait_s: 5 })));
		for (const { status, body } of all) {
			assert.deepEqual([status, body.rule], [409, 'busy'], JSON.stringify(body));
			assert.match(body.reason, /^backup_now of .* is (about to be|being) done: wait until that has ended, or cancel it/);
		}
		await w.decide(first.id, 'cancel');
		await w.over(first.id);
	});

	test('cancel while it runs: the task is stopped', async () => {
		const { status, body } = await w.execute('backup_now', { guest: 122, storage: 'pbs' }, { wait_s: 0 });
		assert.equal(status, 202);
		await w.until(body.id, (d) => d.status === 'running' && d.steps[0].upid);
		assert.equal((await w.decide(body.id, 'cancel')).status, 200);
		const ended = await w.over(body.id);
		assert.equal(ended.status, 'cancelled', ended.summary);
		assert.match(ended.summary, /cancelled.*interrupted by signal/);
		assert.equal((await w.guest(122)).lock, null);
		assert.deepEqual(w.recordsOf(body.id), ['allowed', 'granted', 'cancelling', 'cancelled']);
	});

	test('three may wait for one target, and a fourth is 429', async () => {
		const asked = [];
		for (let i = 0; i < 3; i++) asked.push(await shutdown(105));
		const { status, body } = await w.execute('guest_shutdown', { guest: 105 });
		assert.deepEqual([status, body.blocked, body.tier, body.rule], [429, true, 'orange', 'waiting'], JSON.stringify(body));
		for (const { id } of asked) await w.decide(id, 'deny');
		assert.equal((await w.execute('guest_shutdown', { guest: 105 })).status, 202);
	});

	test('bodies that are none are 400, and do not reach the gate', async () => {
		const before = w.records().length;
		for (const body of ['', '{', '[]', '{"tool":"guest_list","args":{}}', { request_id: 'x', tool: 'guest_list' },
			{ request_id: 'x', tool: 'guest_list', args: {}, more: 1 },
			'{"request_id":"x","tool":"guest_list","tool":"guest_stop","args":{}}', 
			{ request_id: 'x', tool: 'guest_list', args: {}, wait_s: 61 }, { request_id: 'x', tool: 'guest_start', args: {}, targets: Array(21).fill('1') },
			`{"request_id":"x","tool":"guest_start","args":${'{"a":'.repeat(1000)}1${'}'.repeat(1000)}}`]) {
			const { status } = await w.operator.post('/api/tools/execute', body);
			assert.equal(status, 400, JSON.stringify(body).slice(0, 100));
		}
		assert.equal(w.records().length, before);
	});

	test('sixteen wait for the end; who comes then hears at once that it goes on', async () => {
		w.stack.process('executor').signal('SIGSTOP');
		const answers = [];
		try {
			const asked = Array.from({ length: 17 }, () => w.execute('guest_status', { guest: 101 }, { wait_s: 60 })
				.then((answer) => answers.push(answer)));
			await eventually(() => answers.length > 0, 10_000, 'one is not kept waiting');
			assert.deepEqual(answers.map((a) => a.status), [202]);
			w.stack.process('executor').signal('SIGCONT');
			await Promise.all(asked);
		} finally {
			w.stack.process('executor').signal('SIGCONT');
		}
		assert.deepEqual(answers.slice(1).map((a) => a.status), Array(16).fill(200));
		assert.equal((await w.over(answers[0].body.id)).status, 'verified');
	});

	test('tools, actions and audit can be read', async () => {
		const { body: tools } = await w.operator.get('/api/tools');
		assert.deepEqual(tools.download_hosts, ['cloud.debian.org']);
		assert.ok(tools.items.some((t) => t.name === 'guest_stop' && t.tier === 'red' && t.impact === 'interrupts' && t.schema));
		const { body: page } = await w.operator.get('/api/actions?limit=2');
		assert.equal(page.items.length, 2);
		const next = await w.operator.get(`/api/actions?limit=2&cursor=${page.next}`);
		assert.ok(next.body.items.every((a) => a.id < page.items[1].id));
		const { body: audit } = await w.operator.get('/api/audit?limit=3');
		assert.equal(audit.records.length, 3);
		assert.ok(['allowed', 'approved', 'asked', 'granted', 'refused', 'verified'].every((k) => audit.kinds.includes(k)), audit.kinds.join());
		const { body: refused } = await w.operator.get('/api/audit?limit=2&kind=refused');
		assert.deepEqual([refused.size >= audit.size, refused.records.map((r) => r.kind)], [true, ['refused', 'refused']]);
		const { body: older } = await w.operator.get(`/api/audit?limit=200&kind=refused&before=${refused.next}`);
		assert.ok(older.records.length > 5 && older.records.every((r) => r.kind === 'refused' && r.seq < refused.records[1].seq));
		assert.equal((await w.operator.get('/api/audit?kind=x%27--')).status, 400);
		assert.equal(w.verify().status, 0, w.verify().text);
	});

	test('tokens: read reads, propose always asks, operate does YELLOW within the level; none decides', async () => {
		const [read, propose, operate] = [await w.token(['read']), await w.token(['read', 'propose']), await w.token(['read', 'operate'])];
		const snapshot = (as, name) => w.execute('guest_snapshot', { guest: 106, snapshot: name }, { as, wait_s: 20 });
		assert.equal((await w.execute('guest_list', {}, { as: read })).status, 200);
		assert.equal((await w.execute('task_log', { upid: 'UPID:x' }, { as: read })).status, 403, 'logs are another scope');
		assert.equal((await snapshot(read, 'none')).status, 403);
		// At level 2 everybody asks.
		for (const token of [propose, operate]) assert.equal((await snapshot(token, 'asks')).status, 202);
		assert.equal((await w.operator.post('/api/autonomy', { level: 3 })).status, 403, 'raising needs a code');
		assert.equal((await w.operator.post('/api/autonomy', { level: 3, code: w.code() })).status, 200);
		await w.autonomy((d) => d.level === 3);
		const asked = await snapshot(propose, 'proposed');
		assert.equal(asked.status, 202);
		const done = await snapshot(operate, 'operated');
		assert.equal(done.status, 200, JSON.stringify(done.body));
		assert.equal(done.body.status, 'verified');
		assert.equal((await w.execute('guest_shutdown', { guest: 105 }, { as: operate, keyword: w.keyword })).status, 202, 'a keyword of a token is none');
		for (const token of [read, propose, operate]) {
			for (const [path, body] of [[`actions/${asked.body.id}/approve`, { digest: asked.body.digest }], [`actions/${asked.body.id}/deny`, {}],
				['freeze', {}], ['unfreeze', { code: w.code() }], ['autonomy', { level: 4, code: w.code() }], ['autonomy', { level: 0 }]]) {
				const { status } = await token.post(`/api/${path}`, body);
				assert.ok([401, 403].includes(status), `${path}: ${status}`);
			}
		}
		assert.equal((await w.decide(asked.body.id, 'approve', { digest: asked.body.digest })).status, 200, 'YELLOW: a person\'s click');
		assert.equal((await w.over(asked.body.id)).status, 'verified');
		assert.equal((await w.operator.post('/api/autonomy', { level: 2 })).status, 200, 'lowering needs nothing');
	});
});
