// The part of `make check-live` on the nodes themselves, where clusters.NAME.executor.ssh is set: every node and every unit
// that jarvis.yaml lists is looked at by the real path, and asked about by OpenSSH's own ssh as well. With UNIT= one unit is
// restarted. The private executor gets the SSH key and no token of Proxmox.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeBoundary, makeRequest, parseAnswer, runProgram, sshArgv } from '../integration/ssh_act_client.mjs';
import { Interrupted } from './actor.mjs';
import { openActors } from './actors.mjs';
import { writePrivate } from './capture.mjs';
import { Trouble, findSecrets, readSecret } from './installation.mjs';
import { differences, oddities, redactAnswer } from './node_answers.mjs';
import { Redactor } from './redact.mjs';

/** On every node of Proxmox, where none is listed. */
const USUAL_UNIT = 'pveproxy.service';
const LINES = 5;
const LOOK_MS = 250;
const RESTART = { name: 'service_restart', tier: 'yellow', deadlineS: 300 };
const FAULT = 'this is a fault of Jarvis, or of this machine: open an issue with these lines';
const CURE = 'the line above says what stands in the way; deploy/nodes/README.md, "The SSH tools", has what a node needs';

/** "home/pve/smbd.service": {cluster, node, unit}, or null. */
export function parseUnit(text) {
	const [, cluster, node, unit] = /^([\w.-]{1,64})\/([\w.-]{1,64})\/([A-Za-z0-9_][\w:.@\\-]{0,199}\.[a-z]+)$/.exec(text) ?? [];
	return unit ? { cluster, node, unit } : null;
}

/** The clusters whose nodes may be asked. */
export const clustersWithSsh = (config) => Object.keys(config.clusters).filter((name) => config.clusters[name].executor?.ssh);

const unitsOf = (config, cluster, node) => config.services?.[`${cluster}/${node}`] ?? [];

export class Nodes {
	#interrupted = false;
	#running = Promise.resolve();
	#stand = null;
	#actor = null;
	#redactor = new Redactor();
	#kept = [];

	/** `tokens`: cluster → secret of the poller's token; `scratch`: a folder of its own. */
	constructor({ options, report, config, scratch, tokens }) {
		Object.assign(this, { options, report, config, scratch, tokens, clusters: clustersWithSsh(config) });
		this.wanted = options.unit ? parseUnit(options.unit) : null;
	}

	/** Takes the key, and looks at UNIT; false, and why, when nothing is to be asked. Changes nothing. */
	prepare() {
		const { report, options, clusters } = this;
		if (clusters.length === 0) {
			if (this.wanted) report.fail(`${options.unit} may be restarted`, 'no cluster has executor.ssh', 'see clusters.NAME.executor.ssh in deploy/jarvis.example.yaml');
			return false;
		}
		try {
			this.key = readSecret(findSecrets(options.config, options.secrets), 'executor', 'ssh-key');
			report.pass('secret executor/ssh-key is there, and its owner\'s alone');
		} catch (error) {
			if (!(error instanceof Trouble)) throw error;
			report.fail('secret executor/ssh-key is there, and its owner\'s alone', error.message, 'make it as deploy/nodes/README.md says, or leave out executor.ssh: then the SSH tools are off');
			return false;
		}
		return !this.wanted || this.#judgeUnit();
	}

	#judgeUnit() {
		const { report, config, options } = this;
		const { cluster, node, unit } = this.wanted;
		const what = `${options.unit} may be restarted`;
		if (!this.clusters.includes(cluster)) report.fail(what, `${cluster} is no cluster with executor.ssh`, 'UNIT is CLUSTER/NODE/UNIT');
		else if (!config.clusters[cluster].nodes[node]?.address) report.fail(what, `${node} is no node of ${cluster} with an address`, 'UNIT is CLUSTER/NODE/UNIT, with names as in jarvis.yaml');
		else if (!unitsOf(config, cluster, node).includes(unit)) report.fail(what, `services of jarvis.yaml does not list ${unit} for ${cluster}/${node}`, 'name one that is listed, or list it there and in the node\'s catalogue');
		else return true;
		return false;
	}

	/** Said before anything is asked. */
	announce() {
		const { report, options, wanted } = this;
		report.note('The nodes themselves are asked over SSH, by a private executor that has the key and no token of Proxmox, and once more by ssh:');
		report.note('ping_node, disk_usage, service_status and journal_tail. Each leaves its lines in the node\'s log (journalctl -t jarvis-act).');
		if (wanted) report.note(`Then ${wanted.unit} on ${wanted.node} is restarted (service_restart), as UNIT=${options.unit} says, and nothing else.`);
	}

	/** `readable(cluster)`: whether what the gate judges by can be read. */
	run(readable = () => true) {
		this.#running = this.#run(this.clusters.filter(readable));
		return this.#running;
	}

	async interrupt() {
		this.#interrupted = true;
		await this.#running.catch(() => {});
	}

	get hasBegun() {
		return this.#actor !== null;
	}

	async #run(clusters) {
		const { report } = this;
		for (const name of this.clusters) if (!clusters.includes(name)) report.note(`${name}: its nodes are not asked before the cluster can be read`);
		if (clusters.length === 0) return;
		try {
			await this.#open(clusters);
			for (const cluster of clusters) await this.#askCluster(cluster);
			this.#keep();
			if (this.wanted && clusters.includes(this.wanted.cluster)) await this.#restart();
		} catch (error) {
			if (!(error instanceof Interrupted)) report.fail('the nodes are asked to the end', error.message.split('\n'), FAULT);
		} finally {
			await this.end();
		}
	}

	#check() {
		if (this.#interrupted) throw new Interrupted();
	}

	// ── the private stand ───────────────────────────────────────────────────────────────────────────────────────

	async #open(clusters) {
		const { scratch, options, tokens, report } = this;
		report.title('The nodes themselves, over SSH');
		const config = structuredClone(this.config);
		this.keyFile = scratch.write(`${this.key}\n`, 'key');
		const opened = await openActors({ build: options.build, scratch, config, tokens, secrets: { 'ssh-key': this.key }, interrupted: () => this.#interrupted });
		this.#stand = opened.stand;
		this.#actor = opened.actor;
		await this.#untilSeen(clusters);
	}

	/** Until the gate is fit, and sees every node. */
	async #untilSeen(clusters) {
		const until = performance.now() + this.options.timeout * 1000;
		const seen = (name) => this.#stand.doc(`pve/${name}/state`)?.sources?.resources?.last_ok_ms;
		for (;;) {
			const unfit = this.#stand.doc('autonomy/state')?.unfit ?? null;
			if (unfit === null && this.#stand.doc('autonomy/state') && clusters.every(seen)) return;
			if (this.#stand.fallen.length > 0) throw new Error(this.#stand.fallen[0]);
			if (performance.now() > until) throw new Error(`the gate does not see the clusters within ${this.options.timeout} s: ${unfit ?? 'they are not published'}`);
			this.#check();
			await sleep(LOOK_MS);
		}
	}

	// ── asking ──────────────────────────────────────────────────────────────────────────────────────────────────

	async #askCluster(cluster) {
		const { nodes } = this.config.clusters[cluster];
		this.#redactor.learn([cluster], 'cluster');
		this.#redactor.learn(Object.keys(nodes), 'node');
		for (const name of Object.keys(nodes)) this.#redactor.learn(unitsOf(this.config, cluster, name).map((unit) => unit.replace(/\.\w+$/, '')), 'unit');
		for (const [name, { address }] of Object.entries(nodes)) {
			if (address) await this.#askNode(cluster, name);
			else this.report.note(`${cluster}/${name}: has no address in jarvis.yaml, and is not asked`);
		}
	}

	async #askNode(cluster, node) {
		const { report, config } = this;
		const ping = await this.#ask('ping_node', { cluster, node });
		if (!ping) return;
		await this.#compare('ping_node', { cluster, node }, ping, ['host', 'kernel', 'boot_id']);
		await this.#ask('disk_usage', { cluster, node });
		const listed = unitsOf(config, cluster, node);
		if (listed.length === 0) report.note(`${cluster}/${node}: jarvis.yaml lists no unit there`);
		for (const unit of listed.length > 0 ? listed : [USUAL_UNIT]) {
			const status = await this.#ask('service_status', { cluster, node, unit });
			if (status) await this.#compare('service_status', { cluster, node, unit }, status, ['LoadState', 'ActiveState', 'MainPID']);
			const journal = await this.#ask('journal_tail', { cluster, node, unit, lines: LINES });
			if (journal?.lines?.length === 0) report.note(`${cluster}/${node}: ${unit} has written nothing`);
		}
	}

	/** What the tool answers, judged; null when it does not. */
	async #ask(tool, args) {
		const { report } = this;
		this.#check();
		const what = `${args.cluster}/${args.node}: ${tool}${args.unit ? ` of ${args.unit}` : ''} answers`;
		const answer = await this.#actor.read(tool, args).catch((error) => ({ status: 'refused', text: error.message }));
		if (answer.status !== 'verified') {
			report.fail(what, answer.text, CURE);
			return null;
		}
		const unlike = differences(tool, answer.content);
		report.judge(what, oddities(tool, answer.content), args.unit ? 'correct its name in services of jarvis.yaml, and in the node\'s catalogue' : 'look at that node');
		if (unlike.length > 0) report.fail(`${args.cluster}/${args.node}: ${tool} has the shape that we know`, unlike, FAULT);
		this.#kept.push(redactAnswer(this.#redactor, tool, args, answer.content));
		return answer.content;
	}

	/** NAMES of what the tool said against what the node says to OpenSSH's ssh, which shares no line with ours. */
	async #compare(tool, { cluster, node, unit }, content, names) {
		const said = await this.#directly(tool, { cluster, node, unit });
		const found = typeof said === 'string' ? [said] : names.filter((name) => said[name] !== content[name]).map((name) => `${name}: ${said[name]}, Jarvis says ${content[name]}`);
		this.report.judge(`${cluster}/${node}: ${tool}${unit ? ` of ${unit}` : ''} is what ssh is told`, found, 'if it changed just now, run it again; else open an issue');
	}

	/** The lines of an answer as members; text says why there is none. */
	async #directly(tool, { cluster, node, unit }) {
		const { address, ssh_port: port = 22 } = this.config.clusters[cluster].nodes[node];
		const { user, known_hosts: known } = this.config.clusters[cluster].executor.ssh;
		const boundary = makeBoundary();
		const more = ['-o', 'ConnectTimeout=10', '-o', 'HostKeyAlgorithms=ssh-ed25519'];
		const argv = sshArgv({ key: this.keyFile, known, port, user, host: address, more });
		const { stdout, stderr } = await runProgram('ssh', argv, makeRequest(tool, unit ? { unit } : {}, { boundary, id: 'check-live' }));
		const answer = parseAnswer(stdout, boundary);
		if (answer.outcome !== 'exit' || answer.value !== 0) return `ssh: ${answer.outcome} ${answer.value ?? answer.why}: ${(answer.err || stderr).trim()}`;
		return Object.fromEntries(answer.out.trim().split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
	}

	/** The answers, redacted, for their owner alone; what still names somebody is not written. */
	#keep() {
		const { options, report } = this;
		const kept = this.#redactor.sweep(this.#kept);
		if (kept.length === 0) return;
		if (this.#redactor.finds(kept)) return report.fail('nothing in the saved answers of the nodes names their owner', 'something does: they were not saved', FAULT);
		mkdirSync(options.out, { recursive: true, mode: 0o700 });
		const dir = join(options.out, 'nodes');
		mkdirSync(dir, { mode: 0o700 });
		kept.forEach((answer, i) => writePrivate(dir, `${String(i + 1).padStart(3, '0')}-${answer.tool}.json`, answer));
		report.note(`${kept.length} redacted answers: ${dir}; of journals only how long each line is`);
	}

	// ── the one change ──────────────────────────────────────────────────────────────────────────────────────────

	async #restart() {
		const { report, options, wanted } = this;
		report.title(`Restarting ${options.unit}`);
		const before = await this.#directly('service_status', wanted);
		if (before.ActiveState !== 'active') {
			const found = typeof before === 'string' ? before : `it is ${before.ActiveState}`;
			return report.fail(`${wanted.unit} is active, and can be restarted`, found, 'start it first: a restart would change what it is');
		}
		const done = await this.#actor.act(RESTART, wanted);
		const after = await this.#directly('service_status', wanted);
		const problems = [];
		if (done.status !== 'verified') problems.push(`${done.status}: ${done.summary}`);
		if (after.ActiveState !== 'active') problems.push(typeof after === 'string' ? after : `ssh is told that it is ${after.ActiveState}`);
		else if (after.MainPID === before.MainPID && after.ActiveEnterTimestamp === before.ActiveEnterTimestamp) problems.push('ssh is told that it was not restarted');
		report.judge(`service_restart (${done.tier}), ${done.seconds.toFixed(1)} s: ${done.status}; ssh is told the same`, problems,
			`on node ${wanted.node}: systemctl status ${wanted.unit}; journalctl -t jarvis-act`);
	}

	async end() {
		await this.#stand?.stop();
		this.#stand = null;
	}
}
