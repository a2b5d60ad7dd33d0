#!/usr/bin/env node
// `make check-live`: reads a real installation's clusters, changes nothing, and says whether all is well. With GUEST= it
// also acts, on one guest that may be lost.
import { existsSync, mkdirSync, readFileSync, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Acting } from './acting.mjs';
import { callsAtMost, capture, captureDir, judgeEndpoints, judgeNumbers, judgeShapes, simulate, simulated } from './cluster.mjs';
import { findPlaces, ask } from './capture.mjs';
import { ACT, parseGuest } from './disposable.mjs';
import { Scratch, Trouble, clientConfig, dropCluster, findSecrets, milliseconds, readConfig, readSecret, settleFiles } from './installation.mjs';
import { judgeCluster, judgeHealth, judgeLog, unsettled } from './judge.mjs';
import { Nodes, parseUnit } from './nodes.mjs';
import { pollerPaths, wordsOf } from './paths.mjs';
import { Budget, Proxmox } from './pve.mjs';
import { keysOf } from './redact.mjs';
import { Report } from './report.mjs';
import { Stand, readersFor } from './stand.mjs';

const USAGE = readFileSync(join(import.meta.dirname, 'usage.txt'), 'utf8');
const OPTIONS = {
	config: { type: 'string' }, secrets: { type: 'string' }, out: { type: 'string' },
	guest: { type: 'string' }, act: { type: 'string' }, unit: { type: 'string' }, read: { type: 'string', default: 'yes' }, timeout: { type: 'string', default: '90' }, build: { type: 'string', default: process.env.JARVIS_BUILD ?? 'build' },
	help: { type: 'boolean', short: 'h' },
};
const FAULT = 'this is a fault of Jarvis, or of this machine: mend what the lines say, else open an issue with them';
const HEALTH_MS = 15_000;
const LOOK_MS = 250;
const PROGRESS_MS = 3000;

class Usage extends Error {}

function parse() {
	let values;
	try {
		values = parseArgs({ options: OPTIONS }).values;
	} catch (error) {
		throw new Usage(error.message);
	}
	if (values.help) return values;
	if (!values.config) throw new Usage('CONFIG is missing');
	values.timeout = Number(values.timeout);
	if (!(values.timeout >= 1 && values.timeout <= 3600)) throw new Usage('TIMEOUT must be a number of seconds, 1 to 3600');
	if (values.guest !== undefined && !parseGuest(values.guest)) throw new Usage('GUEST is the number of a guest, as in the web interface, or CLUSTER/NUMBER');
	if (values.act !== undefined && values.act !== ACT) throw new Usage(`ACT is ${ACT}, or left out`);
	if (values.unit !== undefined && !parseUnit(values.unit)) throw new Usage('UNIT is CLUSTER/NODE/UNIT, with the full name of a unit: home/pve/smbd.service');
	if (!['yes', 'no'].includes(values.read) || (values.read === 'no' && !values.guest && !values.unit)) throw new Usage('READ is yes, or with GUEST or UNIT no');
	// Files of an earlier run among those of this one would be taken for it.
	if (values.out && existsSync(values.out)) throw new Usage(`OUT=${values.out} is there already: name a new folder`);
	const stamp = new Date().toISOString().slice(0, 19).replaceAll(':', '');
	return { ...values, build: resolve(values.build), out: resolve(values.out ?? join('build', 'live', stamp)) };
}

class LiveCheck {
	constructor(options, report) {
		Object.assign(this, { options, report, stand: null, acting: null, nodes: null, unreadable: new Set(), clients: [] });
		this.scratch = new Scratch();
	}

	async run() {
		const { report, options } = this;
		this.templates = pollerPaths(options.build);
		report.title(`The installation: ${options.config}`);
		this.config = readConfig(options.build, options.config);
		report.pass('the configuration has no errors');
		const configured = Object.keys(this.config.clusters).length;
		this.#takeSecrets();
		for (const trouble of settleFiles(this.config, options.config)) report.fail('the files that it names are there', trouble.message, trouble.cure);
		if (Object.keys(this.config.clusters).length === 0) {
			return report.fail('there is a cluster to read', 'none is configured, or none has what it needs', 'add one below clusters in jarvis.yaml; see deploy/jarvis.example.yaml');
		}
		if (options.guest && !(await this.#prepareToAct(configured))) return;
		this.#prepareNodes();
		if (options.unit && !this.nodes) return;
		if (options.read === 'yes') await this.#read();
		else this.nodes?.announce();
		await this.nodes?.run((name) => !this.unreadable.has(name));
		if (options.guest) await this.acting.run();
	}

	async #read() {
		const { report, options } = this;
		this.#announce();
		await this.#startServices();
		await this.#untilSettled();
		this.#judgePublished();
		let index = 0;
		for (const name of Object.keys(this.config.clusters)) await this.#askDirectly(name, index++);
		await this.#judgeServices();
		if (existsSync(options.out)) {
			report.title(`The answers of Proxmox, redacted, are in ${options.out}`);
			report.note('Look at them before you share them. The lines above are not redacted.');
		}
		await this.stand.stop();
	}

	/** `configured`: so many clusters there should be. A cluster that was left out took what jarvis.yaml protects with it. */
	async #prepareToAct(configured) {
		const { options, report, config, tokens, scratch } = this;
		if (Object.keys(config.clusters).length !== configured) {
			report.fail(`guest ${options.guest} is acted on`, 'not every cluster of jarvis.yaml can be read', 'mend what failed above, then run this again');
			return false;
		}
		this.acting = new Acting({ options, report, config, tokens, scratch: scratch.inside('act') });
		return this.acting.prepare();
	}

	/** The nodes are asked over SSH too where that is configured. */
	#prepareNodes() {
		const { options, report, config, tokens, scratch } = this;
		if (options.read !== 'yes' && !options.unit) return;
		const nodes = new Nodes({ options, report, config, tokens, scratch: scratch.inside('nodes') });
		if (nodes.prepare()) this.nodes = nodes;
	}

	/** Copies what the services need; a cluster whose secret is not as it should be is left out. */
	#takeSecrets() {
		const { options, report, config, scratch } = this;
		const dir = findSecrets(options.config, options.secrets);
		this.readers = readersFor(config);
		this.tokens = {};
		for (const { name: service, secrets } of this.readers) {
			for (const { file, clusters } of secrets(config)) {
				try {
					const text = readSecret(dir, service, file);
					scratch.write(`${text}\n`, 'secrets', service, file);
					if (service === 'proxmox-poller') this.tokens[clusters[0]] = text;
					report.pass(`secret ${service}/${file} is there, and its owner's alone`);
				} catch (error) {
					if (!(error instanceof Trouble)) throw error;
					report.fail(`secret ${service}/${file} is there, and its owner's alone`, error.message, error.cure);
					if (service === 'proxmox-poller') for (const cluster of clusters) dropCluster(config, cluster);
					else this.readers = this.readers.filter((reader) => reader.name !== service);
				}
			}
		}
	}

	#announce() {
		const { report, config, templates } = this;
		const per = (word) => templates.filter((template) => wordsOf(template).includes(word)).length;
		const guests = templates.filter((template) => wordsOf(template).includes('vmid')).length;
		const nodes = per('node') - guests;
		this.budgets = Object.fromEntries(Object.entries(config.clusters).map(([name, cluster]) => [name, callsAtMost(cluster, templates)]));
		report.title('What will be done');
		report.note(`${this.readers.map(({ name }) => name).join(' and ')} will run on a private broker, with this configuration, and read as always:`);
		report.note(`on its start proxmox-poller asks a cluster for ${templates.length - nodes - guests} things, ${nodes} more of each node`
			+ `${guests ? ` and up to ${guests} of each guest` : ''}, then each again as poll in jarvis.yaml says. It can only GET.`);
		for (const { name, does } of this.readers) if (does) report.note(`${name} ${does}.`);
		for (const [name, calls] of Object.entries(this.budgets)) report.note(`${name}: besides, this program itself makes at most ${calls} calls, one after the other; all are GET.`);
		this.nodes?.announce();
		const acts = [this.options.unit && `unit ${this.options.unit}`, this.options.guest && `guest ${this.options.guest}`].filter(Boolean).join(', and ');
		report.note(`Nothing ${this.options.unit ? 'else ' : ''}is changed, neither in Proxmox nor of the installation${acts ? `, until the last part, which acts on ${acts} alone` : ''}. Ctrl-C ends it at any time.`);
	}

	async #startServices() {
		const { options, scratch, config, readers } = this;
		this.stand = new Stand({ build: options.build, scratch, config, readers });
		try {
			await this.stand.start();
		} catch (error) {
			throw new Trouble(error.message, FAULT);
		}
	}

	/** The source documents that are expected: [{what, doc}]. */
	#sources() {
		return Object.keys(this.config.clusters).flatMap((name) => this.readers
			.filter(({ name: service }) => service !== 'thermal-collector' || this.config.clusters[name].thermal)
			.map(({ sources }) => ({ what: `${name}/${sources}`, doc: this.stand.doc(`pve/${name}/${sources}`) })));
	}

	async #untilSettled() {
		const { report, options } = this;
		report.title(`Waiting for the first answers (${options.timeout} s at most)`);
		const began = performance.now();
		let told = 0;
		for (;;) {
			const open = this.#sources().flatMap(({ what, doc }) => unsettled(doc).map((name) => `${what} ${name}`));
			const seconds = (performance.now() - began) / 1000;
			if (open.length === 0) return report.note(`${seconds.toFixed(1)} s: every source has answered or failed`);
			if (seconds > options.timeout || this.stand.fallen.length > 0) return report.note(`${seconds.toFixed(1)} s: still waiting for ${open.slice(0, 5).join(', ')}`);
			if (seconds * 1000 > told + PROGRESS_MS) {
				told = seconds * 1000;
				report.note(`${seconds.toFixed(0)} s: ${open.length} to come: ${open.slice(0, 3).join(', ')}${open.length > 3 ? ', …' : ''}`);
			}
			await sleep(LOOK_MS);
		}
	}

	#judgePublished() {
		const { report, stand, config } = this;
		this.unreadable = new Set(Object.keys(config.clusters).filter((name) => stand.doc(`pve/${name}/state`)?.error !== null));
		this.judgedAt = Date.now();
		const collects = this.readers.some(({ name }) => name === 'thermal-collector');
		report.title('What the services publish');
		for (const [name, cluster] of Object.entries(config.clusters)) {
			const nodes = stand.docs(`pve/${name}/node/+/state`).map(({ doc }) => doc);
			const thermal = collects && cluster.thermal ? { thermal: stand.doc(`pve/${name}/thermal`) } : {};
			judgeCluster(report, name, cluster, { cluster: stand.doc(`pve/${name}/state`), nodes, ...thermal }, this.options.timeout);
		}
	}

	async #askDirectly(name, index) {
		const { report, options, scratch, templates } = this;
		report.title(`${name}, asked directly`);
		const pve = this.#client(name);
		if (!pve) return;
		const entry = await judgeEndpoints(report, name, pve);
		if (!entry) return;
		const resources = (await ask(pve, null, '/cluster/resources', entry.node)).data ?? [];
		const places = await findPlaces(pve, templates, resources);
		const published = (path) => this.stand.doc(`pve/${name}/${path}`);
		await judgeNumbers(report, name, { pve, places, entry: entry.node, published, fresh: () => this.#fresh(name) });
		report.title(`${name}, what its answers look like`);
		const dir = captureDir(options.out, index);
		mkdirSync(options.out, { recursive: true, mode: 0o700 });
		const standalone = published('state')?.standalone === true;
		const ours = await simulate({ version: simulated(entry.version), standalone, templates, scratch });
		const fields = keysOf(ours.map(({ body }) => body)).filter((key) => !key.startsWith('/'));
		const secret = this.tokens[name];
		const real = await capture(report, name, { pve, places, entry: entry.node, templates, dir, secret, version: entry.version, fields });
		report.note(`${pve.budget.made} calls were made, of ${pve.budget.calls} that were announced`);
		report.note(`compared with the simulator as Proxmox VE ${simulated(entry.version)}; redacted answers: ${dir}`);
		// What a token may not see is missing in every answer.
		if (published('state')?.error === null) judgeShapes(report, name, real, ours, dir);
		else report.note(`${name}: shapes are compared when it can be read whole`);
	}

	#client(name) {
		const cluster = clientConfig(this.config.clusters[name]);
		try {
			const pve = new Proxmox(cluster, this.tokens[name], new Budget(this.budgets[name]));
			this.clients.push(pve);
			return pve;
		} catch (error) {
			this.report.fail(`${name}: its certificate authority can be read`, error.message, 'copy /etc/pve/pve-root-ca.pem from a node to it');
			return null;
		}
	}

	/** After two polls all that is published is from after this call. */
	async #fresh(name) {
		const at = () => this.stand.docs(`pve/${name}/node/+/state`).length && this.stand.doc(`pve/${name}/state`)?.sources.resources?.last_ok_ms;
		const poll = milliseconds(this.config.clusters[name].poll.nodes);
		const until = performance.now() + Math.min(2 * poll + 5000, this.options.timeout * 1000);
		let [last, seen] = [at(), 0];
		while (seen < 2 && performance.now() < until) {
			await sleep(LOOK_MS);
			if (Math.abs(at() - last) < poll / 2) continue;
			last = at();
			seen++;
		}
	}

	async #judgeServices() {
		const { report, stand, readers } = this;
		report.title('The services themselves');
		for (const { name } of readers) {
			const health = () => stand.docs(`service/${name}/+/health`)[0]?.doc ?? null;
			const until = performance.now() + HEALTH_MS;
			while (!(health()?.ts >= this.judgedAt) && performance.now() < until && stand.fallen.length === 0) await sleep(LOOK_MS);
			judgeHealth(report, name, health());
			const calls = health()?.counters.pve_requests;
			if (calls) report.note(`${name} made ${calls} calls in ${health().uptime_s} s`);
		}
		for (const words of stand.fallen) report.fail('every service runs until the end', words.split('\n'), FAULT);
		const { count, problems } = stand.decode();
		report.judge(`all ${count} messages on the bus decode by the vocabulary`, problems, FAULT);
		const logs = stand.said.filter(([topic]) => topic.endsWith('/log')).map(([, text]) => JSON.parse(text));
		judgeLog(report, logs, this.#told());
	}

	/** Sentences of the source documents, which were judged. */
	#told() {
		const docs = this.#sources().map(({ doc }) => doc).filter(Boolean);
		return new Set(docs.flatMap((doc) => [doc.error, ...Object.values(doc.sources).map(({ error }) => error)]).filter(Boolean));
	}

	async end() {
		for (const client of this.clients) client.close();
		await this.acting?.end();
		await this.nodes?.end();
		await this.stand?.stop();
		this.scratch.remove();
	}
}

/** Resolves when somebody wants it to end. */
function signalled() {
	return new Promise((done) => {
		for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => done(signal));
	});
}

async function main() {
	const options = parse();
	if (options.help) return process.stdout.write(USAGE) && 0;
	const report = new Report();
	const check = new LiveCheck(options, report);
	const signal = signalled();
	try {
		const ended = await Promise.race([check.run().then(() => null), signal]);
		if (ended) console.error(`check-live: ${ended}: ${check.acting?.hasBegun ? 'putting the guest back first, which may take minutes' : 'stopping'}`);
		if (ended) await check.acting?.interrupt();
		if (ended) await check.nodes?.interrupt();
		if (ended) return 130;
	} catch (error) {
		if (!(error instanceof Trouble)) throw error;
		report.fail('the installation can be read', error.message.split('\n'), error.cure);
	} finally {
		await check.end();
	}
	return report.sum() ? 0 : 1;
}

if (process.argv[1] && realpathSync(process.argv[1]) === import.meta.filename) {
	main().then((code) => process.exit(code), (error) => {
		console.error(error instanceof Usage ? `check-live: ${error.message}\n\n${USAGE}` : `check-live: ${error.stack}`);
		process.exit(error instanceof Usage ? 2 : 1);
	});
}
