// Acting, with bad luck: targets that change while an approval is on its way, lost answers, a gate that is away, a disk that
// is full. Never an effect that nobody approved, never a second one, always an end.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { eventually, start } from './actions_world.mjs';

describe('between approval and claim', () => {
	let w;

	before(async () => {
		w = await start();
	});
	after(() => w?.stop());

	/** Approved while the executor is stopped; then `change` happens, with or without the poller seeing it. */
	const act = async (tool, guest, change, { seen, args = {} }) => {
		const mark = await w.mark();
		w.stack.process('executor').signal('SIGSTOP');
		const { status, body } = await w.execute(tool, { guest, ...args }, { wait_s: 0 });
		assert.deepEqual([status, body.status], [202, 'approved'], JSON.stringify(body));
		if (!seen) w.stack.process('proxmox-poller').signal('SIGSTOP');
		await w.sim(...change);
		if (seen) await seen();
		w.stack.process('executor').signal('SIGCONT');
		const ended = await w.over(body.id);
		const effects = await w.effects(mark);
		if (!seen) {
			w.stack.process('proxmox-poller').signal('SIGCONT');
			await w.live();
		}
		return { ended, effects };
	};
	const snapshot = { snapshot: 'then' };

	for (const [name, guest, change, fits] of [
		['renamed', 105, ['guest_rename', { vmid: 105, name: 'somebody-else' }], (d) => d.name === 'somebody-else'],
		['locked', 106, ['lock', { vmid: 106, lock: 'backup', sample: true }], (d) => d.lock === 'backup'],
		['deleted', 108, ['guest_remove', { vmid: 108 }], null],
	]) {
		for (const sees of [false, true]) {
			const vmid = sees ? guest : guest + 16; // others of the same kind
			test(`${name}, and the gate ${sees ? 'sees' : 'does not see'} it: nothing is done`, async () => {
				const op = [change[0], { ...change[1], vmid }];
				const gone = () => eventually(() => !w.stack.observer.docs.get(`jarvis/pve/home/guest/${vmid}/state`)?.doc, 15_000, 'gone');
				const seen = sees ? () => (fits ? w.sees(vmid, fits) : gone()) : null;
				const { ended, effects } = await act('guest_snapshot', vmid, op, { seen, args: snapshot });
				assert.equal(ended.status, 'failed', JSON.stringify(ended));
				assert.match(ended.summary, /^Nothing was done/);
				assert.deepEqual(effects, []);
			});
		}
	}

	test('moved, and the gate does not see it: nothing is done; seen: done where it is', async () => {
		const one = await act('guest_snapshot', 125, ['guest_migrate', { vmid: 125, node: 'Home' }], { args: snapshot });
		assert.equal(one.ended.status, 'failed', JSON.stringify(one.ended));
		assert.match(one.ended.summary, /^Nothing was done/);
		assert.deepEqual(one.effects, []);
		const seen = () => w.sees(146, (d) => d.node === 'pve');
		const two = await act('guest_snapshot', 146, ['guest_migrate', { vmid: 146, node: 'pve' }], { seen, args: snapshot });
		assert.equal(two.ended.status, 'verified', two.ended.summary);
		assert.deepEqual(two.effects.map((r) => r.path), ['/nodes/pve/lxc/146/snapshot']);
	});

	test('started by somebody else meanwhile: nothing is done', async () => {
		const { ended, effects } = await act('guest_start', 109, ['guest_start', { vmid: 109 }], {});
		assert.equal(ended.status, 'failed');
		assert.match(ended.summary, /^Nothing was done/);
		assert.deepEqual(effects, []);
	});

	test('protected by a new policy meanwhile: nothing is done', async () => {
		const mark = await w.mark();
		w.stack.process('executor').signal('SIGSTOP');
		const { body } = await w.execute('guest_start', { guest: 149 }, { wait_s: 0 });
		const { policy } = await w.autonomy();
		w.reconfigure((c) => c.protected.guests.push('home/149'), 'safety-gate');
		await w.autonomy((d) => d.policy !== policy);
		w.stack.process('executor').signal('SIGCONT');
		const ended = await w.over(body.id);
		assert.deepEqual([ended.status, ended.summary], ['failed', 'Nothing was done: It has become orange since it was asked for.']);
		assert.deepEqual(await w.effects(mark), []);
	});

	test('an answer that is lost after the act: done once, and known', async () => {
		const mark = await w.mark();
		await w.sim('api_error', { path_prefix: '/nodes/agent1/qemu/145/status/start', status: 596, reason: 'Broken pipe', count: 1, method: 'POST', after: true });
		const { body } = await w.execute('guest_start', { guest: 145 }, { wait_s: 30 });
		assert.equal(body.status, 'verified', body.text);
		assert.equal((await w.effects(mark)).length, 1);
		await w.sim('api_error', { path_prefix: '/nodes/pve/qemu/127/status/start', status: 596, reason: 'Connection timed out', count: 1, method: 'POST' });
		const lost = await w.execute('guest_start', { guest: 127 }, { wait_s: 60 });
		assert.ok(['failed', 'unknown', 'still_failing'].includes(lost.body.status), JSON.stringify(lost.body));
		assert.equal(lost.body.is_error, true);
		assert.equal((await w.guest(127)).state, 'stopped');
		assert.equal((await w.effects(mark)).length, 1, 'it is not tried again');
	});
});

describe('between what is shown and the approval', () => {
	let w;

	before(async () => {
		w = await start();
	});
	after(() => w?.stop());

	const shutdown = async (guest) => {
		const { status, body } = await w.execute('guest_shutdown', { guest }, { wait_s: 0 });
		assert.equal(status, 202, JSON.stringify(body));
		return body;
	};
	const approve = ({ id, digest }) => w.decide(id, 'approve', { digest, keyword: w.keyword });
	const config = (vmid, fits) => w.stack.waitFor(`jarvis/pve/home/guest/${vmid}/config`, (d) => d && fits(d), 20_000);
	/** A lock that comes and goes is what makes the poller read a configuration at once. */
	const reconfigure = async (vmid) => {
		const { digest } = (await config(vmid, Boolean)).doc;
		await w.sim([{ op: 'guest_config', vmid, values: { cores: 7 } }, { op: 'lock', vmid, lock: 'snapshot' }, { op: 'sample' }]);
		await w.sees(vmid, (d) => d.lock);
		await w.sim([{ op: 'lock', vmid, lock: null }, { op: 'sample' }]);
		await w.sees(vmid, (d) => !d.lock);
		await config(vmid, (d) => d.cores === 7 && d.digest !== digest);
	};

	for (const [name, guest, change, rule, words] of [
		['renamed', 105, async (vmid) => {
			await w.sim('guest_rename', { vmid, name: 'somebody-else' });
			await w.sees(vmid, (d) => d.name === 'somebody-else');
		}, 'renamed', /is called somebody-else now/],
		['moved', 125, async (vmid) => {
			await w.sim('guest_migrate', { vmid, node: 'Home', sample: true });
			await w.sees(vmid, (d) => d.node === 'Home');
		}, 'changed', /was on \w+ when this was shown, and is on Home now/],
		['stopped', 106, async (vmid) => {
			await w.sim([{ op: 'guest_kill', vmid }, { op: 'sample' }]);
			await w.sees(vmid, (d) => d.status === 'stopped');
		}, 'changed', /was running when this was shown, and is stopped now/],
		['reconfigured', 121, reconfigure, 'changed', /The configuration of .* was changed since this was shown/],
	]) {
		test(`${name}: what was shown is no more, it is said what changed, and nothing is done`, async () => {
			await config(guest, (d) => d.digest);
			const mark = await w.mark();
			const asked = await shutdown(guest);
			const { steps } = JSON.parse((await w.seen(asked.id)).shown);
			assert.equal(steps[0].seen.status, 'running');
			assert.match(steps[0].seen.config_digest, /^[0-9a-f]{40}$/);
			await change(guest);
			const { status, body } = await approve(asked);
			assert.deepEqual([status, body.tier, body.rule], [409, 'orange', rule], JSON.stringify(body));
			assert.match(body.reason, words);
			assert.equal((await w.over(asked.id)).status, 'refused');
			assert.deepEqual(await w.effects(mark), []);
			assert.deepEqual(w.recordsOf(asked.id), ['asked', 'refused']);
		});
	}

	test('locked for a while: it waits, and is approved when that is over', async () => {
		const mark = await w.mark();
		const asked = await shutdown(104);
		await w.sim([{ op: 'lock', vmid: 104, lock: 'backup' }, { op: 'sample' }]);
		await w.sees(104, (d) => d.lock);
		const { status, body } = await approve(asked);
		assert.deepEqual([status, body.rule], [403, 'risen'], JSON.stringify(body));
		assert.match(body.reason, /It waits on/);
		assert.equal(w.action(asked.id).status, 'waiting');
		assert.deepEqual(await w.effects(mark), []);
		await w.sim([{ op: 'lock', vmid: 104, lock: null }, { op: 'sample' }]);
		await w.sees(104, (d) => !d.lock);
		const later = await approve(asked);
		assert.equal(later.status, 200, JSON.stringify(later.body));
		assert.equal((await w.over(asked.id)).status, 'verified');
		assert.equal((await w.effects(mark)).length, 1);
	});
});

describe('a gate that is away', () => {
	let w, red;

	before(async () => {
		w = await start();
		red = await w.user('nodered');
	});
	after(() => w?.stop());

	const nothingOf = async (mark) => {
		assert.equal((await w.execute('guest_list', {})).status, 200);
		assert.deepEqual(w.stored().filter((a) => a.tier !== 'green').map((a) => a.tool), []);
		assert.deepEqual(await w.effects(mark), []);
	};

	test('dead: 503 in three seconds, and nothing is done when it is back', async () => {
		const mark = await w.mark();
		await w.stack.kill('safety-gate');
		const began = performance.now();
		const asked = [w.execute('guest_start', { guest: 149 }), w.execute('guest_list', {}), w.operator.post('/api/unfreeze', { code: '123456' })];
		await red.say('action/request/nodered', { request_id: 'q1', tool: 'guest_start', args: { guest: 127 } });
		for (const { status } of await Promise.all(asked)) assert.equal(status, 503);
		assert.ok(performance.now() - began < 4500);
		await w.stack.start('safety-gate');
		await w.live();
		await nothingOf(mark);
	});

	test('asleep: what it finds when it wakes up was answered by its silence', async () => {
		const mark = await w.mark();
		const waiting = (await red.request('guest_start', { guest: 127 })).result;
		w.stack.process('safety-gate').signal('SIGSTOP');
		await red.say('action/request/nodered', { request_id: 'q2', tool: 'guest_start', args: { guest: 127 } });
		const asked = [w.execute('guest_start', { guest: 149 }), w.decide(waiting.id, 'approve', { digest: waiting.digest })];
		for (const { status } of await Promise.all(asked)) assert.equal(status, 503);
		w.stack.process('safety-gate').signal('SIGCONT');
		const answered = async () => (await w.execute('guest_list', {})).status === 200;
		await eventually(answered, 10_000, 'the gate answers again');
		assert.equal(w.action(waiting.id).status, 'waiting');
		assert.equal((await w.decide(waiting.id, 'deny')).status, 200);
		await w.over(waiting.id);
		assert.deepEqual(w.stored().filter((a) => a.tier !== 'green').map((a) => [a.tool, a.status]), [['guest_start', 'denied']]);
		assert.deepEqual(await w.effects(mark), []);
		assert.match(w.stack.logs('safety-gate'), /away for \d+ ms/);
	});
});

// ── a disk that is full ─────────────────────────────────────────────────────────────────────────────────────────

const NAMESPACE = process.getuid() === 0 ? ['-m'] : ['-r', '-m'];
const mayMount = spawnSync('unshare', [...NAMESPACE, 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0;

/** The gate with a small file system of its own for its data. */
const smallDisk = { name: 'safety-gate', command: (stack) => {
	const data = join(stack.data, 'data');
	const script = 'mkdir -p "$0" && mount -t tmpfs -o size=12m,mode=700 none "$0" && exec "$@"';
	return ['unshare', ...NAMESPACE, 'sh', '-c', script, join(data, 'safety-gate'), stack.binary('safety-gate'), '--config', stack.configFile,
		'--data', data, '--runtime', stack.runtime, '--secrets', join(stack.data, 'secrets')];
} };

test('a full disk: reads alone, a freeze nevertheless, and on again when there is room', { skip: !mayMount && 'no mount namespace here' }, async () => {
	const services = ['proxmox-poller', smallDisk, 'executor', 'gateway'];
	const w = await start({ services });
	try {
		const { pid } = w.stack.process('safety-gate');
		const filler = join(`/proc/${pid}/root`, w.stack.data, 'data/safety-gate/filler');
		assert.equal((await w.execute('guest_snapshot', { guest: 101, snapshot: 'before' }, { wait_s: 20 })).body.status, 'verified');
		for (let size = 1 << 20; size >= 512; size >>= 1) {
			try {
				for (;;) writeFileSync(filler, Buffer.alloc(size, 1), { flag: 'a' });
			} catch (error) {
				assert.equal(error.code, 'ENOSPC');
			}
		}
		const mark = await w.mark();
		const lost = await w.execute('guest_start', { guest: 149 });
		assert.ok([403, 503].includes(lost.status), JSON.stringify(lost.body));
		assert.match(lost.body.detail ?? lost.body.reason, /disk is full/, 'not that the gate would not answer');
		const unfit = await w.autonomy((d) => d.unfit);
		assert.match(unfit.unfit, /disk is full/);
		const refused = await w.execute('guest_start', { guest: 149 });
		assert.deepEqual([refused.status, refused.body.rule], [403, 'gate.unfit']);
		assert.match(refused.body.reason, /disk is full/);
		for (let i = 0; i < 3; i++) {
			const read = await w.execute('guest_status', { guest: 101 });
			assert.deepEqual([read.status, read.body.status], [200, 'verified'], JSON.stringify(read.body));
		}
		assert.equal((await w.operator.post('/api/freeze')).status, 200, 'it is frozen, and the one who froze hears so');
		await w.autonomy((d) => d.frozen);
		assert.deepEqual(await w.effects(mark), []);

		rmSync(filler);
		await w.autonomy((d) => !d.unfit, 15_000);
		assert.equal((await w.autonomy()).frozen, true, 'the freeze that could not be stored holds');
		await w.unfreeze(w.sameCode());
		const done = await w.execute('guest_start', { guest: 149 }, { wait_s: 20 });
		assert.equal(done.body.status, 'verified', JSON.stringify(done.body));
		assert.equal((await w.effects(mark)).length, 1);
		const { body: audit } = await w.operator.get('/api/audit?limit=50');
		assert.ok(audit.records.some((r) => r.kind === 'fit_again'), JSON.stringify(audit.records[0]));
		const inside = ['nsenter', '-t', String(pid), ...(process.getuid() === 0 ? [] : ['-U', '--preserve-credentials']), '-m'];
		assert.equal(w.verify(inside).status, 0, w.verify(inside).text);
		const lines = w.stack.logs('safety-gate').split('\n').length;
		assert.ok(lines < 80, `it says so, and not over and over: ${lines} lines`);
	} finally {
		await w.stop();
	}
});
