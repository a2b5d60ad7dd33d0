// The orchestrator: a private broker, the simulator and the services, for the demo, e2e, bench and chaos.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { makeBroker } from './broker.mjs';
import { writeConfig } from './config.mjs';
import { connectMqtt } from './mqtt.mjs';
import { Observer } from './observer.mjs';
import { withDefaults } from './options.mjs';
import { freePort, freePorts } from './ports.mjs';
import { Process, untilReady } from './process.mjs';
import { OBSERVER, OBSERVER_ACL, READER, SERVICES, enrol, gateKeys, makePasswords, writeSecrets } from './services.mjs';
import { controlSimulator, makeSimulator, makeSshSimulator } from './simulator.mjs';

const ROOT = resolve(import.meta.dirname, '../..');
const RESTART_MS = 1000;
const SIM_NODES = 4; // of the reference cluster
/** What the executor's token needs beside the role that the simulator gives it. */
const EXECUTOR_PRIVS = 'Sys.Audit,Sys.AccessNetwork,Datastore.AllocateTemplate';

export class Stack {
	#processes = new Map(); // in the order of their start
	#onlineWaits = new Map();
	#ownData = null;
	#runtime;
	#stopping = false;
	#retry = new Set();
	#clients = new Set();

	constructor(options) {
		this.options = withDefaults(options);
		this.passwords = makePasswords({ observer: this.options.observer === true, users: this.options.users });
	}

	// Folders and files ──────────────────────────────────────────────────────────────────────────

	#prepareFolders() {
		// Sockets need short paths (107 bytes), and DATA may be anywhere.
		this.#runtime = mkdtempSync(join(process.env.SCRATCH ?? '/tmp', 'jv-'));
		if (!this.options.data) this.#ownData = join(this.#runtime, 'd');
		this.data = resolve(this.options.data ?? this.#ownData);
		for (const name of ['', 'log', 'data', 'secrets', 'broker', 'sim', 'ssh']) {
			mkdirSync(join(this.data, name), { recursive: true, mode: 0o700 });
		}
	}

	get runtime() {
		return this.#runtime;
	}

	get socket() {
		return join(this.#runtime, 'b.sock');
	}

	get configFile() {
		return join(this.data, 'jarvis.yaml');
	}

	get url() {
		return `http://127.0.0.1:${this.port}`;
	}

	/** The operator's first password, while the gateway keeps it (it goes when the operator changes it). */
	get password() {
		const file = join(this.data, 'data/gateway/initial-password');
		return existsSync(file) ? readFileSync(file, 'utf8').trim() : null;
	}

	binary(name) {
		const path = resolve(ROOT, this.options.build, name);
		if (!existsSync(path)) throw new Error(`${path} is missing: run make first`);
		return path;
	}

	#log(name) {
		return join(this.data, 'log', `${name}.log`);
	}

	#writeFiles() {
		const { base, config: change } = this.options;
		const sim = this.simInfo;
		const ssh = this.sshInfo;
		this.config = writeConfig(this.configFile, { base, socket: this.socket, port: this.port, sim, ssh, change });
		const secrets = join(this.data, 'secrets');
		writeSecrets(secrets, this.passwords, sim, ssh);
		gateKeys(secrets, this.binary('jarvisctl'));
		if (this.options.enrol) this.proof = enrol(secrets, this.binary('jarvisctl'), this.options.enrol);
	}

	#acl() {
		const { acl, observer } = this.options;
		const argv = ['acl', '--config', this.configFile];
		const text = acl ?? execFileSync(this.binary('topicgen'), argv, { encoding: 'utf8' });
		return observer === true ? text + OBSERVER_ACL : text;
	}

	// Starting ───────────────────────────────────────────────────────────────────────────────────

	async launch() {
		const { options } = this;
		this.#prepareFolders();
		this.port = options.port || (await freePort());
		if (options.sim) await this.#startSimulator();
		if (options.sim && this.#wants('ssh')) await this.#startSshSimulator();
		this.#writeFiles();
		await this.#startBroker();
		const names = options.services.map((row) => this.#addService(row));
		this.servicesStarted = performance.now();
		await Promise.all(names.map((name) => this.start(name)));
		if (names.includes('gateway')) await this.#untilReadyz();
		return this;
	}

	#add(proc) {
		this.#processes.set(proc.name, proc);
		return proc;
	}

	async #startSimulator() {
		// Fixed ports, so that the configuration holds when the simulator is killed and started again.
		const port = await freePorts(this.options.sim.nodes ?? SIM_NODES);
		const options = { port, control: await freePort(), 'control-privs': EXECUTOR_PRIVS, ...this.options.sim };
		const onExit = (proc) => this.#ended(proc);
		const make = { dir: join(this.data, 'sim'), log: this.#log('simulator'), options, onExit };
		const simulator = this.#add(makeSimulator(make));
		await this.#run(simulator);
		this.simInfo = simulator.info;
	}

	#wants(sim) {
		const names = this.options.services.map((row) => row.name ?? row);
		return SERVICES.some((row) => row.sim === sim && names.includes(row.name));
	}

	async #startSshSimulator() {
		const port = await freePorts(Object.keys(this.simInfo.nodes).length);
		const make = { dir: join(this.data, 'ssh'), log: this.#log('ssh-simulator'), sim: this.simInfo, port,
			control: await freePort(), onExit: (proc) => this.#ended(proc) };
		const simulator = this.#add(makeSshSimulator(make));
		await this.#run(simulator);
		this.sshInfo = simulator.info;
	}

	#begin(proc) {
		if (this.#stopping) throw new Error(`the stack is stopping: ${proc.name} is not started`);
		proc.start();
	}

	/** Starts what says by itself when it is ready: broker and simulator. */
	async #run(proc) {
		proc.prepare?.();
		this.#begin(proc);
		await proc.ready();
		if (proc.name === 'simulator' && this.simInfo) this.#followSimulator(proc.info);
	}

	/** A restarted simulator may have made new certificates and tokens. */
	#followSimulator(info) {
		const identity = ({ nodes, tokens }) => JSON.stringify([
			Object.values(nodes).map(({ host, port, fingerprint }) => [host, port, fingerprint]), tokens]);
		const changed = identity(info) !== identity(this.simInfo);
		this.simInfo = info;
		this.#writeFiles();
		if (changed) for (const name of this.options.services) this.process(name.name ?? name).signal('SIGHUP');
	}

	async #startBroker() {
		const { mqttPort: port, observer, base } = this.options;
		const broker = makeBroker({
			dir: join(this.data, 'broker'), log: this.#log('broker'), socket: this.socket, port,
			users: this.passwords, acl: this.#acl(), onExit: (proc) => this.#ended(proc),
		});
		await this.#run(this.#add(broker));
		const user = observer === true ? OBSERVER : READER;
		const filters = observer === true ? ['#'] : [`${base}/service/+/+/state`];
		this.observer = await Observer.open({ socket: this.socket, user, password: this.passwords[user], filters });
	}

	#addService(row) {
		const { name, command } = typeof row === 'string' ? { name: row } : row;
		const argv = command?.(this) ?? [this.binary(name), '--config', this.configFile,
			'--data', join(this.data, 'data'), '--runtime', this.#runtime, '--secrets', join(this.data, 'secrets')];
		this.#add(new Process(name, argv, { log: this.#log(name), onExit: (proc) => this.#ended(proc) }));
		return name;
	}

	async #untilReadyz() {
		const ready = () => fetch(`${this.url}/readyz`).then((r) => r.ok, () => false);
		await untilReady(this.process('gateway'), ready, this.options.startMs, 'the gateway does not get ready');
	}

	/** Not a retained `online`, which may be from before a crash: only one that is said now. */
	async #untilOnline(name) {
		const filter = `${this.options.base}/service/${name}/+/state`;
		const fresh = (doc, message) => doc === 'online' && !message.retained;
		const proc = this.process(name);
		const died = new Promise((_, fail) => {
			this.#onlineWaits.set(name, () => fail(new Error(proc.lastWords())));
		});
		const online = this.observer.next(filter, fresh, this.options.startMs, `${name} to say online`);
		online.catch(() => {}); // when it died first, nobody waits for this any more
		await Promise.race([online, died]).finally(() => this.#onlineWaits.delete(name));
	}

	// While it runs ──────────────────────────────────────────────────────────────────────────────

	process(name) {
		const proc = this.#processes.get(name);
		if (!proc) throw new Error(`no process "${name}" in this stack: ${[...this.#processes.keys()].join(', ')}`);
		return proc;
	}

	get names() {
		return [...this.#processes.keys()];
	}

	/** Starts what was stopped or killed, and waits until it is there again. */
	async start(name) {
		const proc = this.process(name);
		if (proc.ready) return this.#run(proc);
		const online = this.#untilOnline(name);
		online.catch(() => {}); // when starting throws, that is the error to tell
		this.#begin(proc);
		return online;
	}

	async kill(name, signal = 'SIGKILL') {
		await this.process(name).kill(signal);
	}

	async restart(name) {
		await this.process(name).stop();
		await this.start(name);
	}

	logs(name) {
		return this.process(name).logs();
	}

	/** A connected MQTT.js client (see mqtt.mjs for more options); it ends with the stack. */
	async mqtt({ user = OBSERVER, password = this.passwords[user], ...more } = {}) {
		const client = await connectMqtt({ socket: this.socket, user, password, ...more });
		this.#clients.add(client);
		return client;
	}

	/** An operation of the simulator's control port: sim('node_down', {node: 'pve'}), or a list of {op, …}. */
	sim(op, fields) {
		return controlSimulator(this.simInfo, typeof op === 'string' ? { op, ...fields } : op);
	}

	/** An operation of the sshds' control port: ssh('down', {node: 'pve'}). */
	ssh(op, fields) {
		return controlSimulator(this.sshInfo, { op, ...fields });
	}

	waitFor(filter, predicate, ms) {
		return this.observer.waitFor(filter, predicate, ms);
	}

	// Ending ─────────────────────────────────────────────────────────────────────────────────────

	#ended(proc) {
		this.#onlineWaits.get(proc.name)?.();
		if (proc.expected || this.#stopping) return;
		this.options.note(`${proc.name} ${proc.fate}; its log: ${proc.log}`);
		if (this.options.supervise) this.#startLater(proc);
	}

	#startLater(proc) {
		const timer = setTimeout(() => {
			this.#retry.delete(timer);
			if (this.#stopping || proc.running) return;
			this.options.note(`starting ${proc.name} again`);
			if (!proc.ready) proc.start();
			else this.#run(proc).catch((error) => this.options.note(error.message));
		}, RESTART_MS);
		this.#retry.add(timer);
	}

	/** Ends all in reverse order; returns the names of those that had to be killed. */
	async stop() {
		this.#stopping = true;
		for (const timer of this.#retry) clearTimeout(timer);
		await this.observer?.close();
		for (const client of this.#clients) client.end(true);
		const stubborn = [];
		for (const proc of [...this.#processes.values()].reverse()) {
			const pid = proc.pid;
			if (!(await proc.stop(this.options.stopMs))) stubborn.push(`${proc.name} (${pid})`);
		}
		if (stubborn.length > 0) this.options.note(`would not end, killed: ${stubborn.join(', ')}`);
		// What failed keeps its traces: DATA is only removed when nobody asked for it to be anywhere.
		if (this.#runtime) rmSync(this.#runtime, { recursive: true, force: true });
		return stubborn;
	}
}

/** Starts a stack; see options.mjs for the options. When it cannot, nothing is left running. */
export async function startStack(options = {}) {
	const stack = new Stack(options);
	try {
		return await stack.launch();
	} catch (error) {
		await stack.stop();
		throw error;
	}
}
