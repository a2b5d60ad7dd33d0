// The safety gate, played: what the executor hears of it on the bus, with the real key, the real broker and the rights
// of the user safety-gate. Envelopes are made here, by another implementation than the one that opens them.
import { createPrivateKey, randomBytes, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const TYPE = 'application/vnd.jarvis.grant.v1+json';
const HEARTBEAT_MS = 1000;
const OVER = ['verified', 'still_failing', 'unknown', 'failed', 'cancelled'];

/** The tier of each tool, where nothing raises it. */
const TOOLS = readFileSync(resolve(import.meta.dirname, '../../common/tools.def'), 'utf8');
const TIERS = Object.fromEntries([...TOOLS.matchAll(/^TOOL\((\w+), (\w+),/gm)].map(([, tool, tier]) => [tool, tier.toLowerCase()]));

function privateKey(seed) {
	const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.from(seed, 'hex')]);
	return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
}

/** A DSSE envelope over these exact bytes. */
export function seal(text, seed) {
	const body = Buffer.from(text);
	const pae = Buffer.concat([Buffer.from(`DSSEv1 ${TYPE.length} ${TYPE} ${body.length} `), body]);
	const sig = sign(null, pae, privateKey(seed)).toString('base64');
	return { payloadType: TYPE, payload: body.toString('base64'), signatures: [{ keyid: '', sig }] };
}

/** Members sorted, no blanks: the canonical form of flat arguments. */
export const canonical = (args) => Object.fromEntries(Object.keys(args).sort().map((key) => [key, args[key]]));

let serial = 0;
const newId = () => `01TEST${String(++serial).padStart(6, '0')}${randomBytes(7).toString('hex').toUpperCase()}`;

export class PlayedGate {
	#client;
	#timer = null;
	#waiters = new Set();
	actions = new Map();
	epoch = 100;
	hellos = 0;
	frozen = false;
	/** Everything that was heard, in order: [topic below x/, document]. */
	heard = [];
	/** Changes a grant before it is sealed, an envelope before it is sent; null sends nothing. */
	tamper = { payload: (p) => p, envelope: (e) => e };

	static async open(stack) {
		const gate = new PlayedGate();
		gate.stack = stack;
		gate.seed = readFileSync(join(stack.data, 'secrets/safety-gate/signing-key'), 'utf8').trim();
		const password = stack.passwords['safety-gate'];
		gate.#client = await stack.mqtt({ user: 'safety-gate', password, clientId: 'played-gate' });
		gate.#client.on('message', (topic, payload) => gate.#take(topic.slice('jarvis/x/'.length), JSON.parse(payload)));
		await gate.#client.subscribeAsync(['hello', 'claim', 'progress', 'result'].map((t) => `jarvis/x/${t}`), { qos: 1 });
		gate.beat();
		const online = () => gate.say('service/safety-gate/main/state', 'online', { retain: true });
		gate.#client.on('connect', online); // as every service does, after what it owns
		await online();
		return gate;
	}

	say(topic, doc, { retain = false } = {}) {
		const text = typeof doc === 'string' ? doc : JSON.stringify(doc);
		return this.#client.publishAsync(`jarvis/${topic}`, text, { qos: 1, retain });
	}

	/** The heartbeat, at once and then every second, until still(). */
	beat() {
		clearInterval(this.#timer);
		const beat = () => this.say('autonomy/state', { ts: Date.now(), level: 2, runbooks: {}, frozen: this.frozen,
			keywords: [], codes: [], policy: '0'.repeat(64) }, { retain: true }).catch(() => {});
		this.#timer = setInterval(beat, HEARTBEAT_MS);
		return beat();
	}

	still() {
		clearInterval(this.#timer);
	}

	async close() {
		this.still();
		await this.#client.endAsync(true);
	}

	#take(topic, doc) {
		this.heard.push([topic, doc]);
		if (topic === 'hello') this.#onHello(doc);
		if (topic === 'claim') this.#onClaim(doc);
		if (topic === 'result') this.#onResult(doc);
		for (const waiter of [...this.#waiters]) waiter();
	}

	#onHello({ nonce }) {
		this.hellos++;
		this.say('x/epoch', { nonce, epoch: ++this.epoch });
	}

	/** What was heard on TOPIC for which fits(doc); waits for it. */
	async until(topic, fits = () => true, ms = 20_000) {
		const look = () => this.heard.find(([t, doc]) => t === topic && fits(doc))?.[1];
		let waiter;
		let timer;
		const found = look() ?? await new Promise((done, fail) => {
			waiter = () => look() && done(look());
			this.#waiters.add(waiter);
			const late = () => fail(new Error(`waited ${ms} ms in vain for x/${topic}; heard: ${JSON.stringify(this.heard.slice(-5))}`));
			timer = setTimeout(late, ms);
		});
		clearTimeout(timer);
		this.#waiters.delete(waiter);
		return found;
	}

	/** An approved action of one or more steps; `target` as the gate saw it. */
	async approve(tool, args, target = null, { steps, tier = TIERS[tool], answer = true } = {}) {
		const list = (steps ?? [{ args, target }]).map((s) => ({ object: s.target?.object ?? null, name: s.target?.name ?? null,
			args: canonical(s.args), status: 'pending', target: s.target ?? null }));
		const action = { id: newId(), tool, tier, status: 'approved', steps: list, answer, grants: [] };
		this.actions.set(action.id, action);
		await this.publish(action);
		return action;
	}

	publish(action) {
		const steps = action.steps.map(({ target: _, ...step }) => step);
		return this.say(`action/${action.id}/state`, { ts: Date.now(), id: action.id, status: action.status,
			tier: action.tier, tool: action.tool, principal: 'gateway', need: 'nothing', facts: [], steps,
			created_ms: Date.now() }, { retain: true });
	}

	payload(action, claim, step = action.steps.findIndex((s) => s.status === 'pending')) {
		const { args, target } = action.steps[step];
		return { v: 1, gid: randomBytes(16).toString('hex'), id: action.id, step, epoch: claim.epoch, nonce: claim.nonce,
			valid_ms: 10_000, tier: action.tier, principal: 'gateway', policy: '0'.repeat(64), tool: action.tool, args,
			target };
	}

	async #onClaim(claim) {
		const action = this.actions.get(claim.id);
		if (!action?.answer || action.status !== 'approved') {
			if (action?.answer) await this.say('x/grant', { id: claim.id, nonce: claim.nonce, refused: 'not now' });
			return;
		}
		const payload = this.tamper.payload(this.payload(action, claim), action, claim);
		if (!payload) return;
		const envelope = this.tamper.envelope(seal(JSON.stringify(payload), this.seed), payload, claim);
		if (!envelope) return;
		action.grants.push({ payload, envelope, claim });
		action.status = 'running';
		action.steps[payload.step].status = 'running';
		await this.publish(action);
		await this.send(claim, envelope);
	}

	send(claim, envelope) {
		return this.say('x/grant', { id: claim.id, nonce: claim.nonce, envelope });
	}

	#onResult(result) {
		const action = this.actions.get(result.id);
		const step = action?.steps[result.step];
		if (!step || !this.acknowledges) return;
		step.status = result.outcome;
		const isLast = action.steps.every((s) => OVER.includes(s.status));
		action.status = isLast || result.outcome !== 'verified' ? result.outcome : 'approved';
		this.publish(action);
	}

	acknowledges = true;

	result(action, step = 0, ms = 40_000) {
		return this.until('result', (d) => d.id === action.id && d.step === step, ms);
	}

	results(action) {
		return this.heard.filter(([topic, doc]) => topic === 'result' && doc.id === action.id).map(([, doc]) => doc);
	}
}
