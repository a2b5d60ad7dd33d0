// The acting part of `make check-live`: on one guest that may be lost, by the real path, and back to how it was. Whatever
// happens on the way, an interruption included, the guest is put back, and only by that path too.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Interrupted } from './actor.mjs';
import { openActors } from './actors.mjs';
import { judgeEndpoints } from './cluster.mjs';
import { ask } from './capture.mjs';
import { ACT, TAG, missingOn, obstacles, parseGuest } from './disposable.mjs';
import { Trouble, clientConfig, findSecrets, readSecret } from './installation.mjs';
import { Budget, Proxmox } from './pve.mjs';

const CALLS = 100;
const LOOK_MS = 250;
const TRIES = 2;
const FAULT = 'this is a fault of Jarvis, or of this machine: open an issue with these lines';

/** The tools, with the tier that they have of themselves and their deadlines, as in common/tools.def. */
const START = { name: 'guest_start', tier: 'yellow', deadlineS: 120, does: 'start it', becomes: 'running' };
const MAKE = { name: 'guest_snapshot', tier: 'yellow', deadlineS: 600, does: 'make a snapshot' };
const SHUTDOWN = { name: 'guest_shutdown', tier: 'orange', deadlineS: 300, does: 'shut it down, with the keyword', becomes: 'stopped' };
const STOP = { name: 'guest_stop', tier: 'red', deadlineS: 120, does: 'stop it hard, with a one-time code', becomes: 'stopped' };
const BACK = { name: 'snapshot_rollback', tier: 'red', deadlineS: 600, does: 'set it back to the snapshot, with a one-time code' };
const DELETE = { name: 'snapshot_delete', tier: 'red', deadlineS: 1800, does: 'delete the snapshot, with a one-time code' };

const nameOf = (row) => `${row.type === 'lxc' ? 'container' : 'virtual machine'} ${row.vmid} "${row.name}" on ${row.node}`;

export class Acting {
	#interrupted = false;
	#isPuttingBack = false;
	#running = Promise.resolve();
	#stand = null;
	#pve = null;
	#actor = null;

	/** `tokens`: cluster → secret of the poller's token; `scratch`: a folder of its own. */
	constructor({ options, report, config, scratch, tokens }) {
		Object.assign(this, { options, report, config, scratch, tokens, snapshot: `jarvis-live-${randomBytes(3).toString('hex')}` });
	}

	/** Looks at the guest, and says what will be done; false, and why, when it may not. Changes nothing. */
	async prepare() {
		this.report.title(`Guest ${this.options.guest}`);
		if (!(await this.#find()) || !(await this.#judgeRights()) || !(await this.#judgeGuest())) return false;
		this.#announce();
		return true;
	}

	run() {
		this.#running = this.#run();
		return this.#running;
	}

	/** Whether there may be something to put back. */
	get hasBegun() {
		return this.#actor !== null;
	}

	/** Ends it early: resolves when the guest is as it was. */
	async interrupt() {
		this.#interrupted = true;
		await this.#running.catch(() => {});
	}

	async #run() {
		this.report.title(`Acting on guest ${this.options.guest}`);
		// It may not be what it was before everything was read.
		if (!(await this.#find()) || !(await this.#judgeGuest())) return;
		try {
			await this.#open();
		} catch (error) {
			if (error instanceof Interrupted) return;
			throw error instanceof Trouble ? error : new Trouble(error.message, FAULT);
		}
		try {
			await this.#everything();
		} catch (error) {
			if (!(error instanceof Interrupted)) this.report.fail('every step comes to its end', error.message.split('\n'), FAULT);
		}
		await this.#putBack();
		await this.#judgeStand();
	}

	// ── before anything ─────────────────────────────────────────────────────────────────────────────────────────

	#client(cluster, token, secret) {
		const section = this.config.clusters[cluster];
		return new Proxmox({ ...clientConfig(section), token }, secret, new Budget(CALLS));
	}

	/** Its row of /cluster/resources, from the one cluster that has it. */
	async #find() {
		const { cluster: wanted, vmid } = parseGuest(this.options.guest);
		const found = [];
		for (const [cluster, secret] of Object.entries(this.tokens)) {
			if (wanted !== null && wanted !== cluster) continue;
			const pve = this.#client(cluster, this.config.clusters[cluster].token, secret);
			// Who is not who it should be has been told already.
			const entry = await judgeEndpoints({ pass: () => {}, fail: () => {} }, cluster, pve);
			const rows = entry ? (await ask(pve, null, '/cluster/resources?type=vm', entry.node)).data ?? [] : [];
			pve.close();
			found.push(...rows.filter((row) => row.vmid === vmid).map((row) => ({ cluster, row, entry: entry.node })));
		}
		if (found.length === 1) return Object.assign(this, found[0], { vmid });
		const what = `guest ${this.options.guest} is there, once`;
		if (found.length === 0) this.report.fail(what, 'no cluster that is read tells of it', 'GUEST is the number of a guest, as in the web interface');
		else this.report.fail(what, `${found.map(({ cluster }) => cluster).join(' and ')} have one`, `say which: GUEST=${found[0].cluster}/${vmid}`);
		return null;
	}

	#secret() {
		const { options, report, cluster } = this;
		const token = this.config.clusters[cluster].executor?.token;
		if (!token) {
			report.fail(`${cluster} has a token that may act`, `clusters.${cluster}.executor is not in ${options.config}`, 'see the executor\'s token in deploy/jarvis.example.yaml');
			return null;
		}
		try {
			return readSecret(findSecrets(options.config, options.secrets), 'executor', `${cluster}.token`);
		} catch (error) {
			if (!(error instanceof Trouble)) throw error;
			report.fail(`secret executor/${cluster}.token is there, and its owner's alone`, error.message, error.cure);
			return null;
		}
	}

	async #judgeRights() {
		const { report, cluster, vmid } = this;
		const secret = this.#secret();
		if (!secret) return false;
		const { token } = this.config.clusters[cluster].executor;
		this.secret = secret;
		this.#pve = this.#client(cluster, token, secret);
		const all = await this.#get('/access/permissions');
		if (all.status !== 200) {
			report.fail(`${cluster} accepts token ${token}`, all.error ?? `${all.status} ${all.reason}`, 'compare id and secret with pveum user token list on a node');
			return false;
		}
		const here = await this.#get(`/access/permissions?path=${encodeURIComponent(`/vms/${vmid}`)}`);
		const accepted = this.config.executor?.accept_rights ?? [];
		const [missing, excess] = execFileSync(join(this.options.build, 'livecheck'), ['rights', ...accepted], { input: `${JSON.stringify(all.answer)}\n`, encoding: 'utf8' }).split('\n');
		const lacks = [...new Set([...missing.split(', ').filter(Boolean), ...missingOn(here.data, vmid)])];
		report.judge(`token ${token} has the privileges that this takes`, lacks.map((name) => `it lacks ${name}`),
			`give it a role with them, on a node: pveum role add JarvisActs --privs '…'; pveum acl modify / --tokens '${token}' --roles JarvisActs (all that Jarvis needs: deploy/jarvis.example.yaml)`);
		report.judge(`token ${token} has no others`, excess ? [`it has ${excess}`] : [], 'take them away, or name them in executor.accept_rights: until then Jarvis does nothing with it');
		return lacks.length === 0 && !excess;
	}

	#get(path) {
		return ask(this.#pve, null, path, this.entry);
	}

	get #path() {
		return `/nodes/${encodeURIComponent(this.row.node)}/${this.row.type}/${this.vmid}`;
	}

	async #snapshots() {
		const answer = await this.#get(`${this.#path}/snapshot`);
		if (!Array.isArray(answer.data)) throw new Error(`Proxmox does not list its snapshots: ${answer.error ?? `${answer.status} ${answer.reason}`}`);
		return answer.data.filter(({ name }) => name !== 'current');
	}

	/** "running" or "stopped", asked of Proxmox directly. */
	async #status() {
		const answer = await this.#get(`${this.#path}/status/current`);
		if (!answer.data) throw new Error(`Proxmox does not say how it is: ${answer.error ?? `${answer.status} ${answer.reason}`}`);
		return answer.data.status;
	}

	async #judgeGuest() {
		const { report, config, cluster, vmid, row, options } = this;
		const settings = await this.#get(`${this.#path}/config`);
		if (!settings.data) {
			report.fail(`${nameOf(row)} can be read`, settings.error ?? `${settings.status} ${settings.reason}`, 'is its node up?');
			return false;
		}
		const found = obstacles({ config, cluster, vmid, row, settings: settings.data, snapshots: await this.#snapshots(), act: options.act });
		for (const [what, cure] of found) report.fail(`${nameOf(row)} may be acted on`, what, cure);
		if (found.length === 0) report.pass(`${nameOf(row)} may be acted on: ${options.act === ACT ? `ACT=${ACT}` : `it has the tag ${TAG}`}, and nothing stands in the way`);
		this.before = row.status;
		return found.length === 0;
	}

	#announce() {
		const { report, row, before } = this;
		const steps = [...(before === 'stopped' ? [START] : []), MAKE, SHUTDOWN, START, BACK, DELETE, ...(before === 'running' ? [START] : [])];
		report.note(`This will be done to ${nameOf(row)}, which is ${before}, and to nothing else:`);
		steps.forEach(({ does, name }, i) => report.note(`  ${i + 1}. ${does} (${name})`));
		report.note(`If it does not shut down within a minute: ${STOP.does}. The snapshot is called ${this.snapshot}.`);
		report.note('A private gateway, safety gate and executor do it, as a person would ask them to; the code of a step that may lose');
		report.note(`data can take half a minute, and each has a window of ten seconds. At most ${CALLS} calls of ours look on; all are GET.`);
		report.note('Ctrl-C ends it: what runs is waited for, then the snapshot is deleted, and the guest is as it was.');
	}

	// ── the private stand ───────────────────────────────────────────────────────────────────────────────────────

	/** As in use, but that only this cluster can be acted on. */
	#configuration() {
		const config = structuredClone(this.config);
		for (const [name, section] of Object.entries(config.clusters)) {
			if (name !== this.cluster) delete section.executor;
		}
		return config;
	}

	async #open() {
		const { scratch, options, cluster, report, tokens } = this;
		const interrupted = () => this.#interrupted && !this.#isPuttingBack;
		const secrets = { [`${cluster}.token`]: this.secret };
		const opened = await openActors({ build: options.build, scratch, config: this.#configuration(), tokens, secrets, interrupted });
		this.#stand = opened.stand;
		this.#actor = opened.actor;
		await this.#untilSeen();
		report.pass('gate, executor and gateway run, and a person is enrolled');
	}

	/** Until the gate is fit to act, and what it is asked about the guest is answered. */
	async #untilSeen() {
		const until = performance.now() + this.options.timeout * 1000;
		for (;;) {
			const unfit = this.#stand.doc('autonomy/state')?.unfit ?? null;
			const published = this.#stand.doc(`pve/${this.cluster}/guest/${this.vmid}/state`);
			const settled = this.#stand.doc(`pve/${this.cluster}/state`)?.sources?.resources?.last_ok_ms;
			const answer = published && settled && unfit === null ? await this.#actor.read('guest_status', this.#args()).catch((error) => error) : null;
			if (answer?.status === 'verified') return;
			if (this.#stand.fallen.length > 0) throw new Error(this.#stand.fallen[0]);
			const why = unfit ?? answer?.message ?? 'the guest is not published';
			if (performance.now() > until) throw new Error(`the gate does not see the guest within ${this.options.timeout} s: ${why}`);
			if (this.#interrupted) throw new Interrupted();
			await sleep(LOOK_MS);
		}
	}

	// ── acting ──────────────────────────────────────────────────────────────────────────────────────────────────

	#args(more = {}) {
		return { guest: this.vmid, cluster: this.cluster, ...more };
	}

	async #everything() {
		const snapshot = { snapshot: this.snapshot };
		if (this.before === 'stopped' && !(await this.#step(START))) return;
		if (!(await this.#step(MAKE, { ...snapshot, description: 'made by make check-live, which deletes it' }))) return;
		if (!(await this.#switchOff())) return;
		if (!(await this.#step(START))) return;
		await this.#step(BACK, snapshot);
	}

	async #switchOff() {
		if (await this.#step(SHUTDOWN, {}, { maySayNo: true })) return true;
		if (await this.#status() !== 'running') return false;
		return this.#step(STOP);
	}

	/** One step, told with what Proxmox said and what is so; true when all is as expected. */
	async #step(tool, more = {}, { maySayNo = false } = {}) {
		const { report } = this;
		report.note(`${tool.does} …`);
		const done = await this.#actor.act(tool, this.#args(more));
		const task = done.upid ? await this.#get(`/nodes/${encodeURIComponent(done.upid.split(':')[1])}/tasks/${encodeURIComponent(done.upid)}/status`) : null;
		const said = task?.data ? `Proxmox: ${task.data.type} ${task.data.exitstatus ?? task.data.status}` : 'Proxmox was not asked to';
		const what = `${tool.name} (${done.tier}), ${done.seconds.toFixed(1)} s: ${done.status}`;
		const problems = [];
		const late = maySayNo && done.upid && ['failed', 'still_failing'].includes(done.status);
		if (done.status !== 'verified') problems.push(`${done.status}: ${done.summary}`);
		problems.push(...await this.#contradictions(tool, more, done.status === 'verified'));
		if (late && problems.length === 1) {
			report.pass(`${what}, which is true; ${said}`);
			report.note(`the guest does not shut down by itself (${done.summary}); has it an agent, or listens to ACPI?`);
			return false;
		}
		if (problems.length === 0) report.pass(`${what}; ${said}${tool === BACK ? '' : '; asked directly, it says the same'}`);
		else report.fail(what, [...problems, said], done.upid ? 'look at that task in the web interface' : 'the line above says what stands in the way');
		return problems.length === 0;
	}

	/** What Jarvis says against what Proxmox says directly. */
	async #contradictions(tool, { snapshot }, isDone) {
		const found = [];
		if (tool.becomes) {
			const status = await this.#status();
			if ((status === tool.becomes) !== isDone) found.push(`Proxmox says that it is ${status}`);
		}
		if (tool === MAKE || tool === DELETE) {
			const there = (await this.#snapshots()).some(({ name }) => name === snapshot);
			if ((there === (tool === MAKE)) !== isDone) found.push(`Proxmox says that the snapshot is ${there ? '' : 'not '}there`);
		}
		return found;
	}

	// ── back to how it was ──────────────────────────────────────────────────────────────────────────────────────

	/** Also after a failure, an interruption, or the death of a service. Nothing may keep it from telling what is left. */
	async #putBack() {
		const { report } = this;
		this.#isPuttingBack = true;
		report.title('Back to how it was');
		for (let i = 0; i < TRIES; i++) {
			try {
				await this.#stand.revive();
				if (await this.#putBackOnce()) break;
			} catch (error) {
				report.note(error.message.split('\n')[0]);
			}
		}
		const left = await this.#left().catch((error) => [[error.message.split('\n')[0], `look at guest ${this.vmid} yourself`]]);
		for (const [what, cure] of left) report.fail(`${nameOf(this.row)} is as it was`, what, cure);
		if (left.length === 0) report.pass(`${nameOf(this.row)} is as it was: ${this.before}, without a snapshot of ours`);
	}

	async #putBackOnce() {
		if ((await this.#ours()).length > 0) await this.#step(DELETE, { snapshot: this.snapshot });
		const status = await this.#status();
		if (status === 'stopped' && this.before === 'running') await this.#step(START);
		if (status === 'running' && this.before === 'stopped') await this.#switchOff();
		return (await this.#left()).length === 0;
	}

	async #ours() {
		return (await this.#snapshots()).filter(({ name }) => name === this.snapshot);
	}

	/** [[what, cure]] of what is not as it was. */
	async #left() {
		const tool = this.row.type === 'lxc' ? 'pct' : 'qm';
		const left = [];
		const on = (command) => `on node ${this.row.node}: ${command}`;
		if ((await this.#ours()).length > 0) left.push([`snapshot ${this.snapshot} is still there`, on(`${tool} delsnapshot ${this.vmid} ${this.snapshot}`)]);
		const status = await this.#status();
		if (status !== this.before) left.push([`it is ${status}, and was ${this.before}`, on(`${tool} ${this.before === 'running' ? 'start' : 'shutdown'} ${this.vmid}`)]);
		return left;
	}

	// ── the services themselves ─────────────────────────────────────────────────────────────────────────────────

	async #judgeStand() {
		const { report, cluster, vmid } = this;
		report.title('What acted');
		const object = `${cluster}/guest/${vmid}`;
		const actions = this.#stand.docs('action/+/state').map(({ doc }) => doc);
		const others = actions.flatMap(({ tool, steps }) => steps.filter((step) => step.object !== object).map((step) => `${tool} on ${step.object}`));
		report.judge(`all of its ${actions.length} actions were on ${object}`, others, FAULT);
		const { count, problems } = this.#stand.decode();
		report.judge(`all ${count} messages on the bus decode by the vocabulary`, problems, FAULT);
		await this.#stand.stop();
		const argv = ['audit', 'verify', '--db', this.scratch.path('data', 'safety-gate', 'safety-gate.db'), '--public', this.scratch.path('secrets', 'safety-gate', 'signing-key.pub')];
		try {
			execFileSync(join(this.options.build, 'jarvisctl'), argv, { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });
			report.pass('the audit chain of what was done is whole');
		} catch (error) {
			report.fail('the audit chain of what was done is whole', `${error.stdout}${error.stderr}`.trimEnd().split('\n'), FAULT);
		}
	}

	async end() {
		this.#pve?.close();
		await this.#stand?.stop();
	}
}
