// What the tests of acting share: the whole path from REST to the simulated Proxmox, a person with keyword and codes,
// the users of agents and remotes, and what really happened at the simulator.
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { startStack } from '../stack/stack.mjs';
import { Browser, eventually } from './gateway_client.mjs';
import { fromYaml, toYaml } from '../stack/yaml.mjs';
import { quick } from './poller_world.mjs';

export const OVER = ['verified', 'still_failing', 'unknown', 'failed', 'denied', 'cancelled', 'expired', 'refused'];
const SERVICES = ['proxmox-poller', 'safety-gate', 'executor', 'gateway'];
const REMOTES = ['homeassistant', 'nodered'];
const JOURNAL_MS = 500;

let serial = 0;
export const newId = (word = 'r') => `${word}-${++serial}-${randomBytes(3).toString('hex')}`;

/** The rates of the example are for a household; a test asks more in ten minutes. */
function generous(config) {
	quick(config);
	config.safety_gate = { ...config.safety_gate, yellow_rate: 100, orange_rate: 100 };
}

export async function start({ sim, change = () => {}, services = SERVICES, enrol = 'operator', ...more } = {}) {
	const config = (c) => {
		generous(c);
		change(c);
	};
	const stack = await startStack({ services, users: REMOTES, enrol, config,
		sim: { life: 'off', 'auth-delay': 20, speed: 10, ...sim }, ...more });
	try {
		const world = new World(stack);
		await world.open();
		return world;
	} catch (error) {
		await stack.stop();
		throw error;
	}
}

export class World {
	#timer = null;
	#seen = new Map(); // serial number at the simulator → request
	#clients = [];

	constructor(stack) {
		this.stack = stack;
		this.operator = new Browser(stack.url);
	}

	async open() {
		const answer = await this.operator.login('operator', this.stack.password);
		if (answer.status !== 200) throw new Error(`no login: ${JSON.stringify(answer.body)}`);
		this.#timer = setInterval(() => this.#collect().catch(() => {}), JOURNAL_MS);
		await this.live();
	}

	async stop() {
		clearInterval(this.#timer);
		for (const client of this.#clients) await client.endAsync(true);
		await this.stack.stop();
	}

	/** Until the gate sees the cluster live: then a guest that runs is refused for that alone. */
	async live(ms = 30_000) {
		const ready = async () => {
			const { status, body } = await this.execute('guest_start', { guest: 100 }, { wait_s: 0 }).catch(() => ({}));
			return status === 409 && /\(100\) is/.test(body.reason ?? '');
		};
		await eventually(ready, ms, 'the gate sees the cluster live');
		const autonomy = await this.stack.waitFor('jarvis/autonomy/state', (d) => d && !d.unfit, ms);
		return autonomy.doc;
	}

	// ── a person ────────────────────────────────────────────────────────────────────────────────────────────────

	execute(tool, args, { as = this.operator, request_id = newId(), ...more } = {}) {
		return as.post('/api/tools/execute', { request_id, tool, args, ...more });
	}

	decide(id, decision, body = {}, as = this.operator) {
		return as.post(`/api/actions/${id}/${decision}`, body);
	}

	get keyword() {
		return this.stack.proof.keyword;
	}

	/** A code that was not used yet: what was used is forgotten, as if half a minute had passed. */
	code() {
		const db = new DatabaseSync(this.gateDb);
		db.exec('PRAGMA busy_timeout = 5000; DELETE FROM code');
		db.close();
		return this.sameCode();
	}

	/** What the app shows now. */
	sameCode() {
		const { stdout } = spawnSync(this.stack.binary('jarvisctl'), ['totp', '--file', '-'],
			{ input: `${this.stack.proof.totp}\n`, encoding: 'utf8' });
		return stdout.trim();
	}

	async token(scopes) {
		const answer = await this.operator.post('/api/tokens', { name: newId('t'), scopes });
		const token = new Browser(this.stack.url);
		token.token = answer.body.secret;
		return token;
	}

	// ── others on the bus ───────────────────────────────────────────────────────────────────────────────────────

	/** A client of `user`, who asks and is answered: {say, ask, request, client, heard}. */
	async user(user) {
		const client = await this.stack.mqtt({ user, clientId: newId('c') });
		this.#clients.push(client);
		return new User(this, user, client);
	}

	// ── actions ─────────────────────────────────────────────────────────────────────────────────────────────────

	action(id) {
		return this.stack.observer.docs.get(`jarvis/action/${id}/state`)?.doc ?? null;
	}

	get actions() {
		const found = [...this.stack.observer.docs.values()].filter((m) => /^jarvis\/action\/[^/]+\/state$/.test(m.topic));
		return found.map((m) => m.doc).filter(Boolean);
	}

	async until(id, fits, ms = 20_000) {
		const good = typeof fits === 'function' ? fits : (d) => d?.status === fits;
		return (await this.stack.waitFor(`jarvis/action/${id}/state`, (d) => d && good(d), ms)).doc;
	}

	/** As soon as it is on the bus: an answer over HTTP may be here before it. */
	seen(id) {
		return this.until(id, () => true);
	}

	over(id, ms = 30_000) {
		return this.until(id, (d) => OVER.includes(d.status), ms);
	}

	async autonomy(fits = () => true, ms = 10_000) {
		return (await this.stack.waitFor('jarvis/autonomy/state', (d) => d && fits(d), ms)).doc;
	}

	// ── what is so ──────────────────────────────────────────────────────────────────────────────────────────────

	async truth() {
		return (await fetch(`${this.stack.simInfo.control_url}/state`)).json();
	}

	async guest(vmid) {
		return (await this.truth()).guests[vmid];
	}

	async #collect() {
		const { log } = await (await fetch(`${this.stack.simInfo.control_url}/requests`)).json();
		for (const request of log) if (request.method !== 'GET') this.#seen.set(request.n, request);
	}

	/** All that was changed at Proxmox since the start, or since `mark`. */
	async effects(mark = 0) {
		await this.#collect();
		return [...this.#seen.values()].filter((r) => r.done && r.n > mark);
	}

	/** The number of the newest change so far. */
	async mark() {
		await this.#collect();
		return Math.max(0, ...this.#seen.keys());
	}

	sim(op, fields) {
		return this.stack.sim(op, fields);
	}

	/** Until the gate sees a guest so. */
	sees(vmid, fits, ms = 15_000) {
		return this.stack.waitFor(`jarvis/pve/home/guest/${vmid}/state`, (d) => d && fits(d), ms);
	}

	// ── the gate's own ──────────────────────────────────────────────────────────────────────────────────────────

	get gateDb() {
		return join(this.stack.data, 'data/safety-gate/safety-gate.db');
	}

	/** The actions as the gate has stored them. */
	stored() {
		const db = new DatabaseSync(this.gateDb, { readOnly: true });
		const rows = db.prepare('SELECT record FROM action').all();
		db.close();
		return rows.map(({ record }) => JSON.parse(record).state);
	}

	/** Records of the chain, oldest first: {seq, kind, body}. */
	records() {
		const db = new DatabaseSync(this.gateDb, { readOnly: true });
		const rows = db.prepare('SELECT seq, kind, body FROM record ORDER BY seq').all();
		db.close();
		return rows.map(({ seq, kind, body }) => ({ seq, kind, body: JSON.parse(Buffer.from(body).toString()) }));
	}

	recordsOf(id) {
		return this.records().filter((r) => r.body.action?.id === id).map((r) => r.kind);
	}

	/** `within`: a command that runs another where the gate sees its files. */
	verify(within = []) {
		const command = [...within, this.stack.binary('jarvisctl'), 'audit', 'verify', '--db', this.gateDb,
			'--public', join(this.stack.data, 'secrets/safety-gate/signing-key.pub')];
		const { status, stdout, stderr } = spawnSync(command[0], command.slice(1), { encoding: 'utf8' });
		return { status, text: stdout + stderr };
	}

	reconfigure(change, ...services) {
		const config = fromYaml(readFileSync(this.stack.configFile, 'utf8'));
		change(config);
		writeFileSync(this.stack.configFile, toYaml(config));
		for (const name of services) this.stack.process(name).signal('SIGHUP');
	}

	get frozenFile() {
		return join(this.stack.runtime, 'frozen');
	}

	async unfreeze(code = this.code()) {
		rmSync(this.frozenFile, { force: true });
		const answer = await this.operator.post('/api/unfreeze', { code });
		if (answer.status !== 200) throw new Error(`not unfrozen: ${JSON.stringify(answer.body)}`);
		await this.autonomy((d) => !d.frozen);
	}
}

class User {
	constructor(world, name, client) {
		Object.assign(this, { world, name, client });
	}

	/** 'refused' when the broker's ACL does not let it through. */
	async say(topic, doc, options = {}) {
		const text = typeof doc === 'string' || Buffer.isBuffer(doc) ? doc : JSON.stringify(doc);
		const refused = (error) => {
			if (error.code !== 135) throw error;
			return 'refused';
		};
		return this.client.publishAsync(`jarvis/${topic}`, text, { qos: 1, ...options }).catch(refused);
	}

	/** The reply to a command with a request_id; null when none comes, 'refused' when the broker refused it. */
	async ask(topic, doc, { ms = 5000, options } = {}) {
		const { request_id } = doc;
		const reply = this.world.stack.observer.next(`jarvis/reply/${this.name}/${request_id}`, Boolean, ms);
		const settled = reply.then((m) => m.doc, () => null);
		const said = await this.say(topic, doc, options);
		return said === 'refused' ? said : settled;
	}

	request(tool, args, more = {}, how = {}) {
		return this.ask(`action/request/${this.name}`, { request_id: newId(), tool, args, ...more }, how);
	}

	approval(id, decision, more = {}) {
		return this.ask(`action/${id}/approval/${this.name}`, { request_id: newId('a'), decision, digest: '', ...more });
	}
}

export { eventually, sleep };
