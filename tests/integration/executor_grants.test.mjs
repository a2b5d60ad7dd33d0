// The executor against grants that are not what they should be, targets that have changed, a switch that was thrown, and
// rights that are too large: nothing of it may reach Proxmox.
import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { start } from './executor_world.mjs';
import { seal } from './played_gate.mjs';
import { reconfigure, refresh } from './poller_world.mjs';

const OTHER_SEED = '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb';
const INFO = 'jarvis/service/executor/main/info';
const READ = { tool: 'guest_list', args: {} };

/** Payloads that were signed with the right key and must not be acted on. */
const SENSELESS = {
	'another version': (p) => ({ ...p, v: 2 }),
	'an unknown member': (p) => ({ ...p, more: 1 }),
	'no gid': ({ gid: _, ...p }) => p,
	'a short gid': (p) => ({ ...p, gid: 'abcd' }),
	'an unknown tool': (p) => ({ ...p, tool: 'guest_destroy' }),
	'an unknown argument': (p) => ({ ...p, args: { ...p.args, purge: true } }),
	'a missing argument': (p) => ({ ...p, args: { cluster: 'home' } }),
	'a guest by name': (p) => ({ ...p, args: { cluster: 'home', guest: 'windows11' } }),
	'a number as text': (p) => ({ ...p, args: { cluster: 'home', guest: '109' } }),
	'a tier below its floor': (p) => ({ ...p, tier: 'green' }),
	'the tier of what is never done': (p) => ({ ...p, tier: 'black' }),
	'another target than its arguments name': (p) => ({ ...p, target: { ...p.target, object: 'home/guest/100' } }),
	'no target': (p) => ({ ...p, target: null }),
	'no node': (p) => ({ ...p, target: { ...p.target, node: null } }),
	'a kind of guest that there is not': (p) => ({ ...p, target: { ...p.target, type: 'openvz' } }),
	'another cluster': (p) => ({ ...p, args: { ...p.args, cluster: 'lab' } }),
};
/** The same, for another claim than the one that is out. */
const OUTDATED = {
	'another epoch': (p) => ({ ...p, epoch: p.epoch - 1 }),
	'no time': (p) => ({ ...p, valid_ms: 0 }),
	'negative time': (p) => ({ ...p, valid_ms: -5 }),
};

describe('grants', () => {
	let w;
	const counter = async (name) => {
		const { doc } = await w.stack.observer.next('jarvis/service/executor/main/health', Boolean, 15_000);
		return doc.counters[name] ?? 0;
	};
	/** Nothing was begun by what came before: a read that follows is answered, and Proxmox was not asked to change. */
	const nothing = async () => {
		w.gate.tamper.payload = (p) => p;
		w.gate.tamper.envelope = (e) => e;
		const result = await w.gate.result(await w.gate.approve(READ.tool, READ.args));
		assert.equal(result.outcome, 'verified', result.detail);
		assert.deepEqual(await w.effects(), []);
	};

	before(async () => {
		w = await start();
		await w.forget();
	});
	after(() => w?.stop());

	for (const [name, change] of Object.entries({ ...SENSELESS, ...OUTDATED })) {
		test(`with ${name} is refused`, async () => {
			let sent = null;
			w.gate.tamper.payload = (p) => (sent = change(p));
			const action = await w.act('guest_start', 109);
			await w.gate.until('claim', (d) => d.id === action.id);
			if (/^[0-9a-f]{32}$/.test(sent?.gid ?? '') && name !== 'an unknown member' && name !== 'another version') {
				const result = await w.gate.result(action);
				assert.equal(result.outcome, 'failed');
				assert.match(result.detail, /^Nothing was done/);
			}
			await nothing();
			action.answer = false;
		});
	}

	test('for another action, or with another nonce, is refused without a word on either', async () => {
		for (const change of [(p) => ({ ...p, id: '01TEST00000000000000000000' }), (p) => ({ ...p, nonce: 'a'.repeat(64) })]) {
			w.gate.tamper.payload = (p) => ({ ...change(p), step: p.step });
			const action = await w.act('guest_start', 109);
			await w.gate.until('claim', (d) => d.id === action.id);
			await nothing();
			assert.deepEqual(w.gate.results(action), []);
			action.answer = false;
		}
	});

	test('signed by somebody else is none', async () => {
		w.gate.tamper.envelope = (_, payload) => seal(JSON.stringify(payload), OTHER_SEED);
		const action = await w.act('guest_start', 109);
		await w.gate.until('claim', (d) => d.id === action.id);
		await nothing();
		assert.deepEqual(w.gate.results(action), []);
		action.answer = false;
	});

	test('with any bit flipped is none', async () => {
		const action = await w.act('guest_start', 109, { answer: false });
		const claim = await w.gate.until('claim', (d) => d.id === action.id);
		const good = seal(JSON.stringify(w.gate.payload(action, claim)), w.gate.seed);
		const payload = Buffer.from(good.payload, 'base64');
		const sig = Buffer.from(good.signatures[0].sig, 'base64');

		const flipped = (bytes, i) => Buffer.from(bytes.map((b, at) => (at === i >> 3 ? b ^ (1 << (i & 7)) : b))).toString('base64');
		for (let i = 0; i < payload.length * 8; i += 37) await w.gate.send(claim, { ...good, payload: flipped(payload, i) });
		for (let i = 0; i < sig.length * 8; i += 5) await w.gate.send(claim, { ...good, signatures: [{ keyid: '', sig: flipped(sig, i) }] });
		await w.gate.send(claim, { ...good, payloadType: 'text/plain' });
		await w.gate.send(claim, { ...good, signatures: [] });
		await w.gate.send(claim, { ...good, more: 1 });
		await nothing();
		assert.deepEqual(w.gate.results(action), []);
		assert.ok((await counter('grants_forged')) > 100);
	});

	test('that comes too late is refused', async () => {
		w.gate.tamper.payload = (p) => ({ ...p, valid_ms: 300 });
		const action = await w.act('guest_start', 109, { answer: false });
		const claim = await w.gate.until('claim', (d) => d.id === action.id);
		const payload = { ...w.gate.payload(action, claim), valid_ms: 300 };
		await sleep(700);
		await w.gate.send(claim, seal(JSON.stringify(payload), w.gate.seed));
		const result = await w.gate.result(action);
		assert.match(result.detail, /ms after the claim/);
		await nothing();
	});

	test('that nobody asked for is none', async () => {
		const action = await w.act('guest_start', 109, { answer: false });
		const claim = { id: action.id, nonce: 'b'.repeat(64), epoch: w.gate.epoch };
		await w.gate.send(claim, seal(JSON.stringify(w.gate.payload(action, claim)), w.gate.seed));
		await nothing();
		assert.deepEqual(w.gate.results(action), []);
	});

	test('a retained one is none', async () => {
		const action = await w.act('guest_start', 109, { answer: false });
		const claim = await w.gate.until('claim', (d) => d.id === action.id);
		const envelope = seal(JSON.stringify(w.gate.payload(action, claim)), w.gate.seed);
		await w.gate.say('x/grant', { id: action.id, nonce: claim.nonce, envelope }, { retain: true });
		await nothing();
		await w.gate.say('x/grant', '', { retain: true });
	});

	test('replayed, and under a new claim, it does nothing a second time', async () => {
		const first = await w.act('guest_start', 109);
		assert.equal((await w.gate.result(first)).outcome, 'verified');
		assert.equal((await w.effects()).length, 1);
		const { payload, envelope, claim } = first.grants[0];
		await w.stack.sim('guest_kill', { vmid: 109 });
		await w.gate.send(claim, envelope);
		await w.gate.send(claim, envelope);
		// The same gid, signed anew for a new claim: the journal knows it.
		const second = await w.act('guest_start', 109, { answer: false });
		const again = await w.gate.until('claim', (d) => d.id === second.id);
		const reused = { ...w.gate.payload(second, again), gid: payload.gid };
		await w.gate.send(again, seal(JSON.stringify(reused), w.gate.seed));
		await w.gate.send(again, envelope);
		const read = await w.gate.result(await w.gate.approve(READ.tool, READ.args));
		assert.equal(read.outcome, 'verified');
		assert.equal((await w.effects()).length, 1);
		assert.equal((await w.truth()).guests[109].state, 'stopped');
		assert.deepEqual(w.gate.results(second), []);
	});

	test('an action/state that comes twice is claimed once', async () => {
		const action = await w.act('guest_start', 109);
		await Promise.all([w.gate.publish(action), w.gate.publish(action)]);
		await w.gate.result(action);
		assert.equal(w.gate.heard.filter(([t, d]) => t === 'claim' && d.id === action.id).length, 1);
		await w.stack.sim('guest_kill', { vmid: 109 });
	});
});

describe('the last look', () => {
	let w;
	/** Approved as the world was, then changed, then granted. */
	const changed = async (tool, vmid, ops, args = {}) => {
		const action = await w.act(tool, vmid, { args, answer: false });
		const claim = await w.gate.until('claim', (d) => d.id === action.id);
		await w.stack.sim(ops);
		await w.forget();
		await w.gate.send(claim, seal(JSON.stringify(w.gate.payload(action, claim)), w.gate.seed));
		return w.gate.result(action);
	};

	before(async () => {
		w = await start();
	});
	after(() => w?.stop());

	for (const [name, tool, vmid, ops, words] of [
		['renamed', 'guest_start', 109, [{ op: 'guest_remove', vmid: 109 }, { op: 'guest_add', vmid: 109, node: 'Home', type: 'qemu', name: 'other', stopped: true }],
			/called other now, and was windows11/],
		['moved', 'guest_start', 145, [{ op: 'guest_migrate', vmid: 145, node: 'pve' }], /does not exist/],
		['locked', 'guest_start', 127, [{ op: 'lock', vmid: 127, lock: 'backup' }], /lock is backup now, and was none/],
		['started by somebody', 'guest_start', 149, [{ op: 'guest_start', vmid: 149 }], /running now, and was stopped/],
		['stopped by somebody', 'guest_shutdown', 121, [{ op: 'guest_kill', vmid: 121 }], /stopped now, and was running/],
		['paused by somebody', 'guest_shutdown', 143, [{ op: 'guest_pause', vmid: 143 }], /paused now, and was running/],
		['removed', 'guest_shutdown', 122, [{ op: 'guest_remove', vmid: 122 }], /does not exist/],
		['on a node that is gone', 'guest_shutdown', 160, [{ op: 'node_down', node: 'agent' }], /Nothing was done/],
	]) {
		test(`a guest that was ${name} since is left alone`, async () => {
			const result = await changed(tool, vmid, ops);
			assert.equal(result.outcome, 'failed', result.detail);
			assert.match(result.detail, words);
			assert.deepEqual(await w.effects(), []);
			assert.deepEqual((await w.asked()).log.filter((r) => r.method !== 'GET'), []);
		});
	}
});

describe('a configuration', () => {
	let w;
	const config = (but) => w.stack.waitFor('jarvis/pve/home/guest/109/config', (d) => d?.digest && d.digest !== but, but ? 1_000 : 20_000);
	const granted = async (config_digest, change = () => {}) => {
		const action = await w.act('guest_start', 109, { answer: false, target: { config_digest } });
		const claim = await w.gate.until('claim', (d) => d.id === action.id);
		await change();
		await w.forget();
		await w.gate.send(claim, seal(JSON.stringify(w.gate.payload(action, claim)), w.gate.seed));
		return w.gate.result(action);
	};
	const cores = (n) => w.stack.sim('guest_config', { vmid: 109, values: { cores: n } });

	before(async () => {
		w = await start({ poller: true });
		await refresh(w.stack, 'pve/home/guest/109/config'); // in its own time it comes to all of them
	});
	after(() => w?.stop());

	test('that is as it was approved is no hindrance', async () => {
		const { doc } = await config();
		const result = await granted(doc.digest);
		assert.equal(result.outcome, 'verified', result.detail);
		assert.equal((await w.effects()).length, 1);
		await w.stack.sim('guest_kill', { vmid: 109 });
	});

	test('that was changed between claim and grant is', async () => {
		const { doc: before } = await config();
		const result = await granted(before.digest, () => cores(7));
		assert.equal(result.outcome, 'failed');
		assert.match(result.detail, /^Nothing was done: Its configuration was changed since it was approved; look at it again/);
		assert.deepEqual(await w.effects(), []);
		assert.deepEqual((await w.asked()).log.filter((r) => r.method !== 'GET'), []);
		// The poller has looked before the result came.
		const { doc: after } = await config(before.digest);
		assert.equal(after.cores, 7);
	});

	test('of which nothing was known is not asked for', async () => {
		const result = await granted(null, () => cores(8));
		assert.equal(result.outcome, 'verified', result.detail);
		assert.equal((await w.asked()).log.filter((r) => r.path?.endsWith('/config') && r.principal?.endsWith('!control')).length, 0);
	});

	test('is read again after what may have changed it', async () => {
		const { doc: before } = await config();
		const action = await w.act('guest_snapshot', 109, { args: { snapshot: 'one' }, target: { config_digest: before.digest } });
		assert.equal((await w.gate.result(action)).outcome, 'verified');
		await config(before.digest);
	});
});

describe('the switch', () => {
	let w;
	const file = () => join(w.stack.runtime, 'frozen');

	before(async () => {
		w = await start();
		await w.forget();
	});
	after(() => w?.stop());

	/** Neither claimed nor done while it is thrown; reads go on. */
	const stands = async () => {
		const action = await w.act('guest_start', 109);
		const read = await w.gate.result(await w.gate.approve(READ.tool, READ.args));
		assert.equal(read.outcome, 'verified', read.detail);
		await sleep(1500);
		assert.equal(action.grants.length, 0);
		assert.deepEqual(await w.effects(), []);
		return action;
	};
	/** Thrown between claim and grant: the grant is used up for nothing. */
	const stopsGranted = async (freeze) => {
		const action = await w.act('guest_start', 109, { answer: false });
		const claim = await w.gate.until('claim', (d) => d.id === action.id);
		await freeze();
		await w.gate.send(claim, seal(JSON.stringify(w.gate.payload(action, claim)), w.gate.seed));
		const result = await w.gate.result(action);
		assert.equal(result.outcome, 'failed');
		assert.match(result.detail, /^Nothing was done: .*(frozen)/);
		assert.deepEqual(await w.effects(), []);
	};

	test('as a file', async () => {
		await stopsGranted(() => writeFileSync(file(), ''));
		const action = await stands();
		rmSync(file());
		assert.equal((await w.gate.result(action)).outcome, 'verified');
		await w.stack.sim('guest_kill', { vmid: 109 });
		await w.forget();
	});

	test('as the gate\'s word', async () => {
		await stopsGranted(async () => {
			w.gate.frozen = true;
			await w.gate.beat();
		});
		const action = await stands();
		w.gate.frozen = false;
		await w.gate.beat();
		assert.equal((await w.gate.result(action)).outcome, 'verified');
		await w.stack.sim('guest_kill', { vmid: 109 });
		await w.forget();
	});

	test('as the gate\'s silence', async () => {
		const action = await w.act('guest_start', 109, { answer: false });
		const claim = await w.gate.until('claim', (d) => d.id === action.id);
		action.status = 'denied';
		await w.gate.publish(action);
		assert.ok(claim);
		w.gate.still();
		await sleep(15_500);
		const held = await stands();
		await w.gate.beat();
		assert.equal((await w.gate.result(held)).outcome, 'verified');
	});
});

describe('the token', () => {
	let w;

	before(async () => {
		w = await start({ sim: { 'control-privs': 'Sys.Audit,VM.Allocate,Permissions.Modify' } });
	});
	after(() => w?.stop());

	test('with rights that no tool needs nothing is done, and that is said', async () => {
		const action = await w.act('guest_start', 109);
		const said = await w.stack.waitFor('jarvis/service/executor/main/log', (d) => d.text.includes('VM.Allocate'), 10_000);
		assert.match(said.doc.text, /Permissions\.Modify/);
		// Beside the service, as long as it is so, with what is to be done.
		const { doc } = await w.stack.waitFor(INFO, (d) => d.trouble, 5_000);
		assert.match(doc.trouble, /^home: nothing is done while token jarvis@pve!control may do what no tool needs: .*VM\.Allocate on \//);
		assert.match(doc.trouble, /Take it away at Proxmox .* or name it in executor\.accept_rights of jarvis\.yaml$/);
		await sleep(1500);
		assert.equal(action.grants.length, 0);
		assert.deepEqual(await w.effects(), []);
		// A read of the bus needs no token.
		assert.equal((await w.gate.result(await w.gate.approve(READ.tool, READ.args))).outcome, 'verified');
		action.answer = false;
	});

	test('until the configuration names them', async () => {
		reconfigureExecutor(w.stack, (c) => {
			c.executor = { accept_rights: ['VM.Allocate', 'Permissions.Modify'] };
		});
		const result = await w.gate.result(await w.act('guest_start', 109));
		assert.equal(result.outcome, 'verified', result.detail);
		await w.stack.waitFor(INFO, (d) => !d.trouble, 5_000);
	});

	test('or until they are taken away at Proxmox, and the executor is told to look again', async () => {
		reconfigureExecutor(w.stack, (c) => {
			c.executor = { accept_rights: ['VM.Allocate'] };
		});
		await w.stack.waitFor(INFO, (d) => /Permissions\.Modify/.test(d.trouble ?? '') && !/VM\.Allocate/.test(d.trouble), 5_000);
		await w.stack.sim('token_acl', { token: 'control', acl: [{ path: '/', roles: ['JarvisPower', 'Sys.Audit'] }] });
		w.stack.process('executor').signal('SIGHUP');
		await w.stack.waitFor(INFO, (d) => !d.trouble, 5_000);
	});

	test('that lacks what most tools need is told of', async () => {
		await w.stack.sim('token_acl', { token: 'control', acl: [{ path: '/', roles: ['PVEAuditor'] }] });
		w.stack.process('executor').signal('SIGHUP');
		const { doc } = await w.stack.waitFor(INFO, (d) => d.trouble, 5_000);
		assert.match(doc.trouble, /^home: tools will fail while token jarvis@pve!control lacks VM\.PowerMgmt: add it to its role/);
	});
});

describe('what it needs', () => {
	let w;
	const trouble = (words) => w.stack.waitFor(INFO, (d) => words.test(d.trouble ?? ''), 15_000);

	before(async () => {
		w = await start();
	});
	after(() => w?.stop());

	test('is a token: a secret that is none, or missing, is told of until it is there', async () => {
		const file = join(w.stack.data, 'secrets/executor/home.token');
		const secret = readFileSync(file, 'utf8');
		await w.stack.waitFor(INFO, (d) => !d.trouble, 5_000);
		await w.stack.process('executor').stop();
		writeFileSync(file, 'not a token\n');
		await w.stack.start('executor');
		await trouble(/^home: secrets\/executor\/home\.token does not hold the secret of an API token/);
		rmSync(file);
		await trouble(/home\.token/);
		writeFileSync(file, secret, { mode: 0o600 });
		await w.stack.waitFor(INFO, (d) => !d.trouble, 15_000);
	});

	test('is the gate\'s key', async () => {
		const file = join(w.stack.data, 'secrets/executor/gate.pub');
		const key = readFileSync(file, 'utf8');
		writeFileSync(file, 'no key\n');
		await w.stack.restart('executor');
		await trouble(/^no grant can be checked: secrets\/executor\/gate\.pub does not hold the safety gate's public key/);
		const action = await w.act('guest_start', 109);
		writeFileSync(file, key, { mode: 0o600 });
		const result = await w.gate.result(action);
		assert.equal(result.outcome, 'verified', result.detail);
		await w.stack.waitFor(INFO, (d) => !d.trouble, 5_000);
	});
});

function reconfigureExecutor(stack, change) {
	const poller = stack.process;
	stack.process = () => poller.call(stack, 'executor');
	reconfigure(stack, change);
	stack.process = poller;
}
