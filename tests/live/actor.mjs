// A person at the gateway of the private stand, who asks, proves and waits, as a browser would: request, judgement, proof,
// grant, executor, verification. The bus is only listened to.
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { codesOf } from '../e2e/codes.mjs';

const OVER = ['verified', 'still_failing', 'unknown', 'failed', 'denied', 'cancelled', 'expired', 'refused'];
/** In these nothing has begun yet. */
const BEFORE = ['waiting', 'window', 'approved'];
const LOOK_MS = 50;
/** What a read may take: a node that does not answer is given up after less. */
const READ_S = 40;
/** What an action may take beyond the deadline of its tool: waiting for a claim, a window, the last look. */
const GRACE_MS = 90_000;

/**
 * Nothing was done, and it is worth asking again for so long: the gate has not heard of the cluster yet, or not for a
 * while; or what was asked before a service died still goes on.
 */
const PASSES_MS = { 'view.stale': 60_000, busy: 330_000 };
const AGAIN_MS = 500;
/** Of the half minute that a code is good for. */
const CODE_OLD_S = 15;

/** Somebody wants it to end. */
export class Interrupted extends Error {}

export class Actor {
	#cookie = null;
	#code;

	/** `proof`: {keyword, totp}; `interrupted()`: whether what has not begun is to be taken back. */
	constructor({ url, stand, proof, interrupted }) {
		Object.assign(this, { url, stand, interrupted, keyword: proof.keyword });
		this.#code = codesOf(proof.totp);
	}

	async login(name, passwordFile) {
		if (!existsSync(passwordFile)) throw new Error('the gateway has written no initial password');
		const answer = await this.#ask('POST', '/api/login', { user: name, password: readFileSync(passwordFile, 'utf8').trim() });
		if (answer.status !== 200) throw new Error(`the gateway does not let its person in: ${answer.status} ${answer.text}`);
		this.#cookie = answer.cookie;
	}

	async #ask(method, path, body) {
		const headers = { 'Content-Type': 'application/json', 'X-Jarvis': '1', Origin: this.url, ...(this.#cookie && { Cookie: this.#cookie }) };
		const answer = await fetch(this.url + path, { method, headers, body: body && JSON.stringify(body), signal: AbortSignal.timeout(70_000) });
		const text = await answer.text();
		return { status: answer.status, text, body: parsed(text), cookie: answer.headers.get('set-cookie')?.split(';')[0] };
	}

	/** A read: the answer of the tool, or an error with what was said instead. */
	async read(tool, args) {
		const answer = await this.#ask('POST', '/api/tools/execute', { request_id: id(), tool, args, wait_s: READ_S });
		if (answer.status !== 200) throw new Error(sayingOf(answer));
		return answer.body;
	}

	/** One tool from wish to outcome: {status, tier, id, summary, upid, seconds}; `refused` when it did not even begin. */
	async act({ name: tool, tier, deadlineS }, args) {
		// A code is good for half a minute, and its request waits for it but two: first the code.
		const code = tier === 'red' ? await this.#code() : null;
		this.#check();
		const [waited, began, asked] = await this.#request(tool, args, tier === 'red' ? { confirmed: true } : {});
		const refused = (answer) => ({ status: 'refused', tier: answer.body?.tier ?? tier, summary: sayingOf(answer), upid: null, seconds: since(began) });
		if (![200, 202].includes(asked.status)) return refused(asked);
		const { id: action, need, digest, status } = asked.body;
		if (status === 'waiting') {
			const proof = need === 'code' ? { code: waited < CODE_OLD_S && code ? code : await this.#code() } : need === 'keyword' ? { keyword: this.keyword } : {};
			const approved = await this.#ask('POST', `/api/actions/${action}/approve`, { digest, ...proof });
			if (approved.status !== 200) {
				await this.#ask('POST', `/api/actions/${action}/deny`, {});
				return refused(approved);
			}
		}
		const doc = await this.#untilOver(action, deadlineS * 1000 + GRACE_MS);
		this.#check();
		return { status: doc.status, tier: doc.tier, id: action, summary: doc.summary ?? '', upid: doc.steps[0]?.upid ?? null, seconds: since(began) };
	}

	/** [how many seconds it had to be asked again, when it was asked, the answer] */
	async #request(tool, args, more) {
		const first = performance.now();
		for (;;) {
			const began = performance.now();
			const asked = await this.#ask('POST', '/api/tools/execute', { request_id: id(), tool, args, wait_s: 0, reason: 'make check-live', ...more });
			const passesMs = asked.status === 409 ? PASSES_MS[asked.body?.rule] ?? 0 : 0;
			if (began - first >= passesMs) return [(began - first) / 1000, began, asked];
			await sleep(AGAIN_MS);
			this.#check();
		}
	}

	#check() {
		if (this.interrupted()) throw new Interrupted();
	}

	async #untilOver(action, ms) {
		const until = performance.now() + ms;
		let taken = false;
		for (;;) {
			const doc = this.stand.doc(`action/${action}/state`);
			if (OVER.includes(doc?.status)) return doc;
			if (performance.now() > until) throw new Error(`action ${action} has no end after ${Math.round(ms / 1000)} s: it is ${doc?.status ?? 'not there'}`);
			if (this.stand.fallen.length > 0) throw new Error(this.stand.fallen[0]);
			if (!taken && this.interrupted() && BEFORE.includes(doc?.status)) {
				taken = true;
				await this.#ask('POST', `/api/actions/${action}/cancel`, {});
			}
			await sleep(LOOK_MS);
		}
	}
}

const id = () => `live-${randomBytes(8).toString('hex')}`;
const since = (began) => (performance.now() - began) / 1000;

function parsed(text) {
	try {
		return JSON.parse(text);
	} catch {
		return null;
	}
}

function sayingOf({ status, body, text }) {
	const words = body?.reason ?? body?.detail ?? body?.title ?? text;
	return `${status}${body?.rule ? ` (${body.rule})` : ''}: ${words}`;
}
