// The acting part of `make check-live`, against a simulated cluster: it does what it says to the one guest and to no other,
// refuses what it should, and puts the guest back also when something fails, or somebody ends it.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { check, dir, fails, installation, run } from './live_world.mjs';
import { start } from './poller_world.mjs';

const ACT = 'yes-I-may-lose-it';
const STEPS = ['POST /snapshot', 'POST /status/shutdown', 'POST /status/start', 'POST /snapshot/S/rollback', 'DELETE /snapshot/S', 'POST /status/start'];

// Each with a guest of its own, for most of the time of a run is windows and codes.
describe('one guest that may be lost', { concurrency: 3 }, () => {
	let stack, home, timer;
	let made = 189;
	/** Number → request; the simulator keeps but the last thousand. */
	const seen = new Map();
	const look = async () => {
		const { log } = await (await fetch(`${stack.simInfo.control_url}/requests`)).json();
		for (const request of log) if (request.method !== 'GET') seen.set(request.n, request);
	};

	before(async () => {
		stack = await start({ services: [], sim: { 'membership-delay': 0, speed: 20 } });
		home = installation(stack, 'acting');
		timer = setInterval(() => look().catch(() => {}), 500);
	});
	after(() => {
		clearInterval(timer);
		return stack?.stop();
	});

	/** A guest: what is so, what was changed, and a run on it. */
	const make = async (more = {}) => {
		const vmid = ++made;
		const type = more.type ?? 'qemu';
		await stack.sim('guest_add', { vmid, node: 'agent1', name: `scratch-${vmid}`, type, tags: 'lab;disposable', sample: true, ...more });
		const truth = async () => (await (await fetch(`${stack.simInfo.control_url}/state`)).json()).guests[vmid];
		/** ["POST /status/start"] of all that was done. */
		const changes = async () => {
			await look();
			const mine = [...seen.values()].filter(({ path }) => path.includes(`/${vmid}/`));
			return mine.map(({ method, path }) => `${method} ${path.replace(`/nodes/agent1/${type}/${vmid}`, '')}`.replace(/jarvis-live-\w+/, 'S'));
		};
		const before = (await truth()).snapshots;
		const argv = ['--guest', String(vmid), '--read', 'no'];
		return { vmid, truth, changes, before, sim: (op, fields) => stack.sim(op, { vmid, ...fields }),
			act: (...args) => check(join(home, 'jarvis.yaml'), ...argv, ...args), live: (env) => run(join(home, 'jarvis.yaml'), argv, env) };
	};
	const isAsBefore = async (g, text, state = 'running') => {
		assert.match(text, new RegExp(`is as it was: ${state}, without a snapshot of ours`), text);
		const found = await g.truth();
		assert.deepEqual([found.state, found.snapshots], [state, g.before]);
	};

	test('a running one: every step, verified, and asked of Proxmox too; then it runs, without a snapshot', async () => {
		const g = await make();
		const others = () => [...seen.values()].filter(({ path }) => !/\/(19|20)\d\//.test(path));
		const { status, text } = await g.act();

		assert.deepEqual([fails(text), status], [[], 0], text);
		assert.deepEqual(await g.changes(), STEPS);
		assert.deepEqual(others(), []);
		await isAsBefore(g, text);
		for (const [tool, tier, task] of [['guest_snapshot', 'yellow', 'qmsnapshot'], ['guest_shutdown', 'orange', 'qmshutdown'], ['guest_start', 'yellow', 'qmstart'],
			['snapshot_rollback', 'red', 'qmrollback'], ['snapshot_delete', 'red', 'qmdelsnapshot']]) {
			assert.match(text, new RegExp(`ok {4}${tool} \\(${tier}\\), \\d+\\.\\d s: verified; Proxmox: ${task} OK`), text);
		}
		assert.match(text, new RegExp(`ok {4}all of its \\d actions were on home/guest/${g.vmid}\\n`));
		assert.match(text, /ok {4}the audit chain of what was done is whole/);
		assert.ok(text.indexOf('and to nothing else') < text.indexOf('guest_snapshot (yellow)'), 'said before');
		const secret = readFileSync(join(home, 'secrets/executor/home.token'), 'utf8').trim();
		assert.ok(!text.includes(secret));
	});

	test('a stopped container that ignores a shutdown: stopped hard with a code, said so, and stopped in the end', async () => {
		const g = await make({ type: 'lxc', stopped: true });
		await g.sim('guest_stuck');
		const { status, text } = await g.act();

		assert.deepEqual([fails(text), status], [[], 0], text);
		assert.deepEqual(await g.changes(), ['POST /status/start', 'POST /snapshot', 'POST /status/shutdown', 'POST /status/stop', 'POST /status/start',
			'POST /snapshot/S/rollback', 'DELETE /snapshot/S']);
		assert.match(text, /ok {4}guest_shutdown \(orange\), [\d.]+ s: (failed|still_failing), which is true/);
		assert.match(text, /the guest does not shut down by itself/);
		assert.match(text, /ok {4}guest_stop \(red\), \d+\.\d s: verified; Proxmox: vzstop OK/);
		await isAsBefore(g, text, 'stopped');
	});

	test('refused, each with a reason and a cure, and nothing is changed', async () => {
		const g = await make({ tags: 'lab' });
		const refused = async (pattern, ...more) => {
			const { status, text } = await g.act(...more);
			assert.equal(status, 1, text);
			assert.match(text, pattern);
			assert.doesNotMatch(text, /This will be done/);
		};
		await refused(new RegExp(`nothing says that it may be lost: it has no tag disposable\\n {6}→ qm set ${g.vmid} --tags lab\\\\;disposable; or add ACT=yes-I-may-lose-it`));
		await g.sim('lock', { lock: 'backup', sample: true });
		await refused(/it is locked \(backup\)\n {6}→ wait/, '--act', ACT);
		await g.sim('lock', { lock: null, sample: true });
		await g.sim('snapshot', { name: 'jarvis-live-0a1b2c' });
		await refused(new RegExp(`an earlier run left jarvis-live-0a1b2c\\n {6}→ on node agent1: qm delsnapshot ${g.vmid} jarvis-live-0a1b2c`), '--act', ACT);
		assert.deepEqual(await g.changes(), []);
	});

	test('Jarvis\'s own, a template, what is protected, needed or kept by HA, one that is not there', async () => {
		for (const [vmid, pattern] of [[140, /Jarvis itself runs in it/], [9000, /it is a template/], [110, /jarvis\.yaml protects it/], [141, /it is needed by home\/guest\/126, home\/guest\/124/],
			[128, /Proxmox protects it[\s\S]*high availability keeps its state/], [4711, /no cluster that is read tells of it/]]) {
			const { status, text } = await check(join(home, 'jarvis.yaml'), '--guest', String(vmid), '--act', ACT);
			assert.equal(status, 1, text);
			assert.match(text, pattern);
			assert.doesNotMatch(text, /This will be done/);
		}
	});

	test('a configuration that names no acting token, a secret that is not there', async () => {
		const g = await make();
		const bare = installation(stack, 'bare', (c) => delete c.clusters.home.executor);
		const none = await check(join(bare, 'jarvis.yaml'), '--guest', String(g.vmid));
		assert.match(none.text, /FAIL {2}home has a token that may act/);
		const lost = installation(stack, 'lost');
		rmSync(join(lost, 'secrets/executor/home.token'));
		const gone = await check(join(lost, 'jarvis.yaml'), '--guest', String(g.vmid));
		assert.match(gone.text, /FAIL {2}secret executor\/home\.token is there[^\n]*\n[^\n]*no such file/);
		assert.deepEqual([none.status, gone.status, await g.changes()], [1, 1, []]);
	});

	test('a step that fails: told with what Proxmox said, and the guest is put back', async () => {
		const g = await make();
		await stack.sim('api_error', { path_prefix: `/nodes/agent1/qemu/${g.vmid}/snapshot/jarvis-live`, method: 'POST', status: 500, reason: 'no such luck', count: 1 });
		const { status, text } = await g.act();

		assert.equal(status, 1);
		assert.deepEqual(fails(text).map((line) => line.replace(/[\d.]+ s/, 'N s')), ['snapshot_rollback (red), N s: failed'], text);
		assert.match(text, /no such luck/);
		await isAsBefore(g, text);
	});

	test('locked by somebody else meanwhile: nothing is done to it, and what is left is told with its command', async () => {
		const g = await make();
		const here = g.live();
		await here.says(/ok {4}guest_snapshot/);
		await g.sim('lock', { lock: 'backup', sample: true });
		const { status, text } = await here.done;

		assert.equal(status, 1);
		// When the gate has seen it by then, it is a tier higher, and refused for that.
		assert.match(text, /FAIL {2}guest_shutdown \((orange|red)\)[\s\S]*lock/);
		assert.match(text, new RegExp(`snapshot (jarvis-live-\\w+) is still there\\n {6}→ on node agent1: qm delsnapshot ${g.vmid} \\1`));
		const { snapshots, state } = await g.truth();
		assert.deepEqual([snapshots.length, state], [g.before.length + 1, 'running']);
	});

	for (const [what, when, end] of [
		['Ctrl-C while it acts', /start it …/, (live) => live.child.kill('SIGINT')],
		['a service that dies', /shut it down, with the keyword …/, (_, scratch) => process.kill(executorIn(scratch), 'SIGKILL')],
	]) {
		test(`${what}: the guest is put back first, and nothing of the run is left`, async () => {
			const g = await make();
			const scratch = mkdtempSync(join(dir, 'scratch-'));
			const live = g.live({ ...process.env, SCRATCH: scratch });
			await live.says(when);
			end(live, scratch);
			const { status, text } = await live.done;
			assert.equal(status, what.startsWith('Ctrl-C') ? 130 : 1, text);
			await isAsBefore(g, text);
			assert.deepEqual(readdirSync(scratch), []);
			if (status === 1) assert.match(text, /FAIL {2}every step comes to its end\n {6}executor: ended by SIGKILL/);
		});
	}

	test('GUEST, ACT and READ are read strictly', async () => {
		for (const more of [['--guest', 'scratch'], ['--guest', '99'], ['--guest', '190;rm'], ['--guest', '190', '--act', 'yes'], ['--read', 'no']]) {
			const { status, text } = await check(join(home, 'jarvis.yaml'), ...more);
			assert.equal(status, 2, text);
			assert.match(text, /check-live: (GUEST|ACT|READ) is/);
		}
	});
});

describe('rights', () => {
	test('a token that lacks one, or has too many: which, and nothing is changed; the whole run ends well with what it needs', async () => {
		const stack = await start({ services: [], sim: { 'membership-delay': 0, speed: 20 } });
		try {
			await stack.sim('guest_add', { vmid: 190, node: 'agent1', name: 'scratch', type: 'qemu', tags: 'disposable', sample: true });
			const file = join(installation(stack, 'rights-acting'), 'jarvis.yaml');
			const all = ['VM.Audit', 'VM.PowerMgmt', 'VM.Snapshot', 'Sys.Audit'];
			const acl = (roles) => stack.sim('token_acl', { token: 'control', acl: [{ path: '/', roles }] });
			const acts = async () => (await (await fetch(`${stack.simInfo.control_url}/requests`)).json()).log.filter(({ method }) => method !== 'GET').length;
			await acl(['VM.Audit', 'VM.PowerMgmt', 'Sys.Audit']);
			const few = await check(file, '--guest', 'home/190');
			assert.match(few.text, /FAIL {2}token jarvis@pve!control has the privileges that this takes\n {6}it lacks VM\.Snapshot \(making[^\n]*\n {6}it lacks VM\.Snapshot\.Rollback \(going back[^\n]*\n {6}→ give it a role/);
			await acl([...all, 'VM.Allocate']);
			const many = await check(file, '--guest', '190');
			assert.match(many.text, /FAIL {2}token jarvis@pve!control has no others\n {6}it has VM\.Allocate on \/[^\n]*\n {6}→ take them away, or name them in executor\.accept_rights/);
			assert.deepEqual([few.status, many.status, await acts()], [1, 1, 0]);
			// Reading first, then acting, with no privilege more than it says.
			await acl(all);
			const { status, text } = await check(file, '--guest', '190');
			assert.deepEqual([fails(text), status, await acts()], [[], 0, STEPS.length], text);
			assert.match(text, /\/cluster\/resources has the shape[\s\S]*snapshot_rollback \(red\)/);
		} finally {
			await stack.stop();
		}
	});
});

/** The process of the executor whose files are below `folder`. */
function executorIn(folder) {
	return Number(readdirSync('/proc').find((pid) => {
		if (!/^\d+$/.test(pid)) return false;
		try {
			const argv = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
			return argv[0].endsWith('/executor') && argv.some((word) => word.startsWith(folder));
		} catch {
			return false; // gone meanwhile
		}
	}));
}
