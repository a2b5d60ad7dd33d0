/** Everything put together: the model, its accounts, its endpoints, its files. */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Accounts } from '../api/auth.mjs';
import { serve } from '../api/dispatch.mjs';
import { Faults } from '../control/faults.mjs';
import { Journal } from '../control/journal.mjs';
import { contentOf, pastBackups } from '../model/backup.mjs';
import { build } from '../model/build.mjs';
import { Cluster } from '../model/cluster.mjs';
import { describeGenerated } from '../model/generate.mjs';
import { watchFencing } from '../model/hamanager.mjs';
import { pastTasks } from '../model/history.mjs';
import { Life } from '../model/life.mjs';
import { powerNode, startGuestsAtBoot, wakeNode } from '../model/nodepower.mjs';
import { describeReference } from '../model/reference.mjs';
import { Tasks } from '../model/tasks.mjs';
import { Endpoint } from '../wire/endpoint.mjs';
import { makeCa, makeNodeCert, readPair } from './certs.mjs';
import { SimClock } from './clock.mjs';
import { writeAtomic, writeSecret } from './files.mjs';

export class Sim {
	/** @param {object} options from parseOptions() */
	constructor(options) {
		this.options = { ...options, state: resolve(options.state) };
		this.journal = new Journal();
		this.faults = new Faults();
		this.endpoints = new Map();
		this.secrets = makeSecrets(this.options.state);
		this.controlUrl = null;
		this.rebuild();
	}

	/** A new cluster from the same seed; the endpoints stay. */
	rebuild() {
		this.ceph = null;
		this.clock?.stop();
		const { options } = this;
		this.clock = new SimClock({ speed: options.speed, epoch: options.epoch ?? undefined });
		// The moment it begins, however long building takes: one seed and epoch, one cluster.
		const now = this.clock.base;
		const parts = build(describe(options), { seed: options.seed, pve: options.pve, now });
		this.cluster = new Cluster(parts, { clock: this.clock, standalone: options.standalone,
			membershipDelay: options.membershipDelay });
		this.tasks = new Tasks(this.cluster);
		this.accounts = this.makeAccounts();
		watchFencing(this);
		startGuestsAtBoot(this);
		pastBackups(this.cluster, now);
		pastTasks(this, now);
		this.cluster.start();
		if (options.life === 'on') {
			new Life(this).start();
		}
	}

	/** Back to the beginning: same seed, same endpoints and certificates, no faults. */
	async reset() {
		const before = this.cluster.nodes;
		this.rebuild();
		for (const [name, node] of this.cluster.nodes) {
			const { fingerprint, pair, certSerial } = before.get(name);
			Object.assign(node, { fingerprint, pair, certSerial });
		}
		this.faults.clear();
		this.journal.clear();
		await this.syncEndpoints();
	}

	powerNode(node, command) {
		powerNode(this, node, command);
	}

	wakeNode(node) {
		wakeNode(this, node);
	}

	/** Rows of a storage's content on a node. */
	volumes(storage, node, now) {
		return contentOf(this.cluster, storage, node, now);
	}

	makeAccounts() {
		const accounts = new Accounts(this.clock);
		const onRoot = (...roles) => [{ path: '/', roles }];
		const extra = this.options.controlPrivs.split(',').filter(Boolean);
		accounts.addUser('root@pam', this.secrets.root, { root: true });
		accounts.addUser('jarvis@pve', null, { acl: onRoot('PVEAuditor', 'JarvisPower') });
		accounts.addToken('jarvis@pve!monitor', this.secrets.monitor, onRoot('PVEAuditor'));
		accounts.addToken('jarvis@pve!control', this.secrets.control,
			onRoot('JarvisPower', ...extra));
		accounts.addToken('jarvis@pve!none', this.secrets.none, []);
		return accounts;
	}

	/** Makes certificates and opens the endpoints. */
	async open() {
		const dir = join(this.options.state, 'tls');
		mkdirSync(this.options.state, { recursive: true });
		this.ca = await makeCa(dir, this.cluster.name);
		this.caCert = readPair(this.ca.certFile, this.ca.keyFile).x509;
		const nodes = [...this.cluster.nodes.values()];
		const served = nodes.slice(0, this.options.oneEndpoint ?? nodes.length);
		for (let i = 0; i < served.length; i += 4) {
			await Promise.all(served.slice(i, i + 4).map((node, k) => this.openNode(node, i + k)));
		}
	}

	async openNode(node, index) {
		const pair = await this.issue(node);
		const { host, port, idleTimeout } = this.options;
		const endpoint = new Endpoint({
			host, port: port ? port + index : 0, pair, idleMs: idleTimeout,
			date: () => new Date(this.clock.now() * 1000),
			onRefused: (request, answer) => this.journal.end(this.journal.begin(node, request), answer),
			onRequest: (request, conn) => serve(this, this.cluster.nodes.get(node.name), request, conn),
		});
		this.endpoints.set(node.name, endpoint);
		await endpoint.open();
	}

	/** A new certificate for a node; it becomes the fingerprint that the API tells. */
	async issue(node) {
		node.certSerial++;
		const pair = await makeNodeCert(this.ca, {
			dir: join(this.options.state, 'tls'), node: node.name, ip: node.ip,
			serial: node.certSerial,
		});
		Object.assign(node, { fingerprint: pair.fingerprint, pair });
		return pair;
	}

	/** From a timer: the same, with nobody waiting for it. */
	syncSoon() {
		this.syncEndpoints().then(() => this.writeState()).catch((err) => this.report(err));
	}

	/** Brings the listeners in line with what the nodes are. */
	async syncEndpoints() {
		for (const [name, endpoint] of this.endpoints) {
			const node = this.cluster.nodes.get(name);
			const { state } = node.endpoint;
			const hung = state === 'hung';
			if (endpoint.hung && !hung) {
				endpoint.dropAll();
			}
			endpoint.hung = hung;
			if (node.alive && state !== 'down') {
				await endpoint.open();
			} else {
				endpoint.close();
			}
		}
	}

	/** @returns {object} the content of sim.json */
	describe() {
		const nodes = {};
		for (const node of this.cluster.nodes.values()) {
			const endpoint = this.endpoints.get(node.name);
			nodes[node.name] = {
				host: endpoint ? this.options.host : null, port: endpoint?.port ?? null,
				fingerprint: node.fingerprint, online: node.alive, ip: node.ip, pve: node.pve.version,
			};
		}
		return {
			control_url: this.controlUrl, cluster: this.cluster.name,
			standalone: this.options.standalone, pid: process.pid, nodes,
			ca_file: this.ca.certFile, tokens: this.secretFiles('monitor', 'control', 'none'),
			users: { root: { id: 'root@pam', password_file: join(this.options.state, 'root.secret') } },
		};
	}

	secretFiles(...names) {
		return Object.fromEntries(names.map((name) => [name,
			{ id: `jarvis@pve!${name}`, secret_file: join(this.options.state, `${name}.secret`) }]));
	}

	writeFiles() {
		for (const [name, secret] of Object.entries(this.secrets)) {
			writeSecret(this.options.state, `${name}.secret`, secret);
		}
		this.writeState();
	}

	writeState() {
		writeAtomic(join(this.options.state, 'sim.json'), JSON.stringify(this.describe(), null, '\t') +
			'\n');
	}

	/** A refusal of a login is never given before its time. */
	authPause(startedAt) {
		return this.sleep(startedAt + this.options.authDelay - Date.now());
	}

	sleep(ms) {
		return new Promise((done) => setTimeout(done, Math.max(0, ms)));
	}

	report(err) {
		process.stderr.write(`pve-sim: ${err.stack}\n`);
	}

	close() {
		this.clock.stop();
		for (const endpoint of this.endpoints.values()) {
			endpoint.close();
		}
	}
}

/** A cluster that is restarted knows its tokens. */
function makeSecrets(dir) {
	return Object.fromEntries(['monitor', 'control', 'none', 'root'].map((name) => {
		const file = join(dir, `${name}.secret`);
		return [name, existsSync(file) ? readFileSync(file, 'utf8').trim() : randomUUID()];
	}));
}

function describe(options) {
	const made = options.nodes !== null || options.guests !== null;
	if (options.cluster === 'reference' && !made && !options.standalone) {
		return describeReference();
	}
	return describeGenerated({
		name: options.cluster === 'reference' ? 'generated' : options.cluster,
		nodes: options.standalone ? 1 : options.nodes ?? 3, guests: options.guests ?? 10,
		seed: options.seed,
	});
}

