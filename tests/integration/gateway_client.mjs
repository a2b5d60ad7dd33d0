// A browser as the gateway sees one: a cookie, an origin, JSON, and a WebSocket whose messages can be waited for.
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export class Browser {
	constructor(url, { origin = url } = {}) {
		Object.assign(this, { url, origin, cookie: null, token: null });
	}

	headers(more = {}) {
		return {
			...(this.origin && { origin: this.origin }),
			...(this.cookie && { cookie: this.cookie }),
			...(this.token && { authorization: `Bearer ${this.token}` }),
			...more,
		};
	}

	/** {status, headers, body}; the body parsed where it is JSON. */
	async ask(method, path, body, more = {}) {
		const change = method === 'GET' || method === 'HEAD' ? {} : { 'content-type': 'application/json', 'x-jarvis': '1' };
		const headers = this.headers({ ...change, ...more });
		for (const [name, value] of Object.entries(headers)) if (value === null) delete headers[name];
		const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
		const answer = await fetch(this.url + path, { method, headers, body: text, redirect: 'error' });
		const got = await answer.text();
		const json = /json/.test(answer.headers.get('content-type') ?? '');
		return { status: answer.status, headers: answer.headers, body: json && got ? JSON.parse(got) : got };
	}

	get(path, more) {
		return this.ask('GET', path, undefined, more);
	}

	post(path, body = {}, more = {}) {
		return this.ask('POST', path, body, more);
	}

	async login(user, password) {
		const answer = await this.post('/api/login', { user, password });
		const set = answer.headers.get('set-cookie');
		if (set) this.cookie = set.split(';')[0];
		return answer;
	}

	/** An open WebSocket, or an error that names why not. */
	async socket(headers = this.headers()) {
		const socket = new Socket(`${this.url.replace('http', 'ws')}/ws`, headers);
		await socket.opened;
		return socket;
	}
}

export class Socket {
	#waiting = [];
	#queue = [];
	closed = null;

	constructor(url, headers) {
		this.ws = new WebSocket(url, { headers });
		this.opened = new Promise((done, fail) => {
			this.ws.onopen = done;
			this.ws.onerror = (e) => fail(new Error(`no WebSocket: ${e.message ?? e.error ?? 'refused'}`));
		});
		this.ws.onmessage = (e) => this.#take(JSON.parse(e.data));
		this.ended = new Promise((done) => {
			this.ws.onclose = (e) => {
				this.closed = { code: e.code, reason: e.reason, at: performance.now() };
				done(this.closed);
			};
		});
	}

	#take(message) {
		const waiter = this.#waiting.shift();
		if (waiter) waiter(message);
		else this.#queue.push(message);
	}

	send(message) {
		this.ws.send(typeof message === 'string' ? message : JSON.stringify(message));
	}

	/** The next message. */
	async next(ms = 5000) {
		if (this.#queue.length) return this.#queue.shift();
		let waiter;
		const message = new Promise((done) => this.#waiting.push((waiter = done)));
		return within(message, ms, 'a message').catch((error) => {
			this.#waiting = this.#waiting.filter((w) => w !== waiter);
			throw error;
		});
	}

	/** The next message for which predicate(message) is true; what came before it is dropped. */
	async until(predicate, ms = 5000) {
		for (;;) {
			const message = await this.next(ms);
			if (predicate(message)) return message;
		}
	}

	/** Subscribes and returns the documents and ages of the whole snapshot. */
	async subscribe(filters, id = 1) {
		this.send({ op: 'sub', id, filters });
		const docs = {}, seen = {};
		let pages = 0;
		for (;;) {
			const page = await this.until((m) => m.op === 'snap' && m.id === id);
			Object.assign(docs, page.docs);
			Object.assign(seen, page.seen);
			pages++;
			if (!page.more) return { docs, seen, pages, seq: page.seq };
		}
	}

	/** Waits until a change names the topic; returns the message. */
	change(topic, predicate = () => true, ms = 5000) {
		return this.until((m) => m.op === 'chg' && topic in m.docs && predicate(m.docs[topic]), ms);
	}

	close() {
		this.ws.close();
		return this.ended;
	}
}

export async function within(promise, ms, what) {
	const timer = new AbortController();
	const late = sleep(ms, 'late', { signal: timer.signal }).catch(() => 'stopped');
	const first = await Promise.race([promise.then((value) => ({ value })), late]);
	timer.abort();
	if (first === 'late') throw new Error(`waited ${ms} ms in vain for ${what}`);
	return first.value;
}

/** Polls until the condition is true. */
export async function eventually(condition, ms, what) {
	const deadline = performance.now() + ms;
	while (!(await condition())) {
		if (performance.now() > deadline) throw new Error(`not within ${ms} ms: ${what}`);
		await sleep(20);
	}
}

/** Ends the gateway, which must go in good order, with nothing that a sanitizer had to say. */
export async function endWell(stack) {
	const gateway = stack.process('gateway');
	await gateway.stop(20_000);
	const said = gateway.logs().match(/.*(Sanitizer|runtime error).*/)?.[0];
	if (gateway.fate !== 'exited with 0' || said) throw new Error(`${said ?? ''} ${gateway.lastWords()}`);
}

/** A TCP connection to the gateway that sends what it is told, byte for byte. */
export class Raw {
	received = Buffer.alloc(0);

	constructor(port) {
		this.socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
		this.socket.on('data', (data) => (this.received = Buffer.concat([this.received, data])));
		this.socket.on('error', () => {});
		this.connected = new Promise((done) => this.socket.once('connect', done));
		this.ended = new Promise((done) => this.socket.once('close', () => done(performance.now())));
	}

	send(data) {
		if (!this.socket.destroyed) this.socket.write(data);
	}

	/** The status of the answer, 0 when the connection ended without one. */
	async status(ms = 10_000) {
		const first = () => /^HTTP\/1\.1 (\d+)/.exec(this.received.toString('latin1'))?.[1];
		await eventually(() => first() || this.socket.destroyed, ms, 'an answer or the end');
		return Number(first() ?? 0);
	}

	destroy() {
		this.socket.destroy();
	}
}

/** A masked frame as browsers send it. */
export function frame(first, payload, { masked = true, length = payload.length } = {}) {
	const bytes = Buffer.from(payload);
	const head = [first];
	const bit = masked ? 0x80 : 0;
	if (length < 126) head.push(bit | length);
	else if (length < 65536) head.push(bit | 126, length >> 8, length & 255);
	else {
		const long = Buffer.alloc(8);
		long.writeBigUInt64BE(BigInt(length));
		head.push(bit | 127, ...long);
	}
	// A mask of noughts is a mask.
	return Buffer.concat([Buffer.from(head), Buffer.alloc(masked ? 4 : 0), bytes]);
}

/** A raw connection after the handshake of a WebSocket. */
export async function rawSocket(port, headers) {
	const raw = new Raw(port);
	const lines = Object.entries({
		Host: `127.0.0.1:${port}`, Upgrade: 'websocket', Connection: 'Upgrade',
		'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Version': '13', ...headers,
	}).map(([name, value]) => `${name}: ${value}\r\n`);
	raw.send(`GET /ws HTTP/1.1\r\n${lines.join('')}\r\n`);
	const status = await raw.status();
	if (status !== 101) raw.destroy();
	return { raw, status };
}

/** Code of the close frame that a raw socket received, or 0. */
export function closeCode(raw) {
	let at = raw.received.indexOf('\r\n\r\n') + 4;
	while (at + 2 <= raw.received.length) {
		const opcode = raw.received[at] & 15;
		let length = raw.received[at + 1], head = 2;
		if (length === 126) (length = raw.received.readUInt16BE(at + 2)), (head = 4);
		if (length === 127) (length = Number(raw.received.readBigUInt64BE(at + 2))), (head = 10);
		if (opcode === 8) return length >= 2 ? raw.received.readUInt16BE(at + head) : 1005;
		at += head + length;
	}
	return 0;
}
