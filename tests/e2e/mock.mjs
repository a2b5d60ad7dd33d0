// SPDX-License-Identifier: MIT
// A gateway of our own for the states of the page that a real stack reaches only slowly or never: stale data, hundreds
// of guests, a lost broker. Speaks the gateway's protocol with its security headers over made-up documents.
// By itself: tools/node tests/e2e/mock.mjs --port 3999 --guests 32 --poll 2000
import { createServer } from 'node:http';
import { existsSync, readFileSync } from 'node:fs';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { WebSocketServer } from 'ws';
import { actRoute, scenes } from './acts.mjs';
import { World } from './world.mjs';

const DIST = fileURLToPath(new URL('../../web/dist/', import.meta.url));
const TYPES = {
	'.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.woff2': 'font/woff2',
	'.svg': 'image/svg+xml',
};
export const CSP = [
	"default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "connect-src 'self'",
	"font-src 'self'",
	"manifest-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
	"require-trusted-types-for 'script'",
].join('; ');
const HEADERS = {
	'Content-Security-Policy': CSP, 'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'no-referrer',
};
const UNAUTHORISED = 4401;
const REFUSED = 'HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';

export const USER = 'admin';
export const PASSWORD = 'correct horse battery';

/** MQTT's filters: + is one level, # is the rest. */
export function filterMatches(filter, topic) {
	const f = filter.split('/');
	const t = topic.split('/');
	for (let i = 0; i < f.length; i++) {
		if (f[i] === '#') return true;
		if (i >= t.length || (f[i] !== '+' && f[i] !== t[i])) return false;
	}
	return f.length === t.length;
}

class Mock {
	constructor(options) {
		this.world = new World(options);
		this.sessions = new Set();
		this.tokens = [];
		this.sockets = new Set();
		this.version = '0.1.0';
		this.loginNeeded = options.login ?? true;
		this.password = PASSWORD;
		this.mustChange = options.mustChange ?? false;
		this.role = options.role ?? 'operator';
		/* Actions to look at: one in every state. */
		if (options.acts) for (const a of Object.values(scenes(this.world.names[0]))) this.world.set(`action/${a.id}/state`, a);
		this.world.onChange = (docs, events, seen) => this.broadcast(docs, events, seen);
	}

	session(req) {
		if (!this.loginNeeded) return true;
		const cookie = /(?:^|; )jarvis=([^;]+)/.exec(req.headers.cookie ?? '');
		return !!cookie && this.sessions.has(cookie[1]);
	}

	// ── HTTP ──

	async request(req, res) {
		const path = new URL(req.url, 'http://x').pathname;
		if (path.startsWith('/api/')) return this.api(req, res, path);
		const file = normalize(join(DIST, path === '/' ? 'index.html' : path));
		if (!file.startsWith(DIST) || !existsSync(file)) return this.problem(res, 404, 'No such page');
		const cache = path === '/' ? 'no-cache' : 'public, max-age=31536000, immutable';
		res.writeHead(
			200,
			{ ...HEADERS, 'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream', 'Cache-Control': cache },
		);
		return res.end(readFileSync(file));
	}

	answer(res, status, body, headers = {}) {
		res.writeHead(
			status,
			{ ...HEADERS, 'Content-Type': status < 400 ? 'application/json' : 'application/problem+json', ...headers },
		);
		res.end(JSON.stringify(body));
	}

	problem(res, status, title, detail = null) {
		this.answer(res, status, { type: 'about:blank', title, status, detail });
	}

	describe() {
		return {
			user: USER, role: this.role, kind: 'session', scopes: [], expires_ms: null,
			must_change_password: this.mustChange,
			insecure: false, version: '0.1.0',
		};
	}

	async api(req, res, path) {
		let text = '';
		for await (const chunk of req) text += chunk;
		const body = text ? JSON.parse(text) : {};
		if (req.method !== 'GET' && req.headers['x-jarvis'] !== '1') return this.problem(
			res, 403, 'X-Jarvis is missing',
		);
		const route = `${req.method} ${path}`;
		if (route === 'POST /api/login') return this.login(res, body);
		if (!this.session(req)) return this.problem(res, 401, 'Not logged in');
		if (route === 'GET /api/session') return this.answer(res, 200, this.describe());
		if (route === 'POST /api/logout') return this.logout(res);
		if (route === 'POST /api/password') return this.changePassword(res, body);
		if (path === '/api/tokens') return this.tokenCall(req, res, body);
		const answer = actRoute(this, route, new URL(req.url, 'http://x'), body);
		if (answer) return this.answer(res, ...answer);
		return this.problem(res, 404, 'No such route');
	}

	login(res, body) {
		if (body.user !== USER || body.password !== this.password)
			return this.problem(res, 401, 'Unauthorized', 'User or password is wrong.');
		const id = Math.random().toString(36).slice(2);
		this.sessions.add(id);
		return this.answer(
			res, 200, this.describe(), { 'Set-Cookie': `jarvis=${id}; HttpOnly; SameSite=Strict; Path=/` },
		);
	}

	logout(res) {
		this.answer(res, 200, { ok: true });
		this.expire();
	}

	changePassword(res, body) {
		if (body.old_password !== this.password) return this.problem(
			res, 403, 'Forbidden', 'The present password is wrong.',
		);
		this.password = body.new_password;
		this.mustChange = false;
		return this.answer(res, 200, { ok: true });
	}

	tokenCall(req, res, body) {
		if (req.method === 'POST') {
			const token = {
				id: `t${this.tokens.length + 1}`, name: body.name, scopes: body.scopes, created_ms: Date.now(),
				expires_ms: Date.now() + 90 * 864e5, last_used_ms: null, secret: null,
			};
			this.tokens.unshift(token);
			return this.answer(res, 200, { ...token, secret: `jrv_${token.id}_secret` });
		}
		if (req.method === 'DELETE') this.tokens = this.tokens.filter((t) => t.id !== body.id);
		return this.answer(res, 200, req.method === 'GET' ? { items: this.tokens, next: null } : { ok: true });
	}

	// ── WebSocket ──

	upgrade(wss, req, socket, head) {
		if (!this.session(req)) return socket.end(REFUSED);
		return wss.handleUpgrade(req, socket, head, (ws) => this.accept(ws));
	}

	accept(ws) {
		const client = { ws, seq: 0, filters: [] };
		this.sockets.add(client);
		ws.on('close', () => this.sockets.delete(client));
		ws.on('message', (data) => this.message(client, JSON.parse(data)));
		ws.send(JSON.stringify({ op: 'hello', v: 1, sid: 'mock', version: this.version, now: Date.now() }));
	}

	message(client, m) {
		if (m.op === 'ping') client.ws.send(JSON.stringify({ op: 'pong' }));
		if (m.op !== 'sub') return;
		client.filters = m.filters;
		this.snapshot(client, m.id);
	}

	/** In two halves, as a gateway with much to say would. */
	snapshot(client, id) {
		const wanted = (topic) => client.filters.some((f) => filterMatches(f, topic));
		const all = Object.entries(this.world.snapshot()).filter(([topic]) => wanted(topic));
		const half = Math.ceil(all.length / 2);
		for (const [part, more] of [[all.slice(0, half), true], [all.slice(half), false]]) {
			const docs = Object.fromEntries(part);
			client.ws.send(JSON.stringify({
				op: 'snap', id, seq: client.seq, docs, more, seen: this.world.seenOf(Object.keys(docs)),
			}));
		}
	}

	broadcast(docs, events, seen) {
		for (const client of this.sockets)
			client.ws.send(JSON.stringify({ op: 'chg', seq: ++client.seq, docs, events, seen }));
	}

	// ── what tests do to it ──

	/** Sends everything again, as after an overflow. */
	reset() {
		for (const client of this.sockets) {
			client.ws.send(JSON.stringify({ op: 'reset' }));
			this.snapshot(client, 1);
		}
	}

	/** Ends all sessions, as an expiry does. */
	expire() {
		this.sessions.clear();
		for (const client of this.sockets) client.ws.close(UNAUTHORISED, 'session ended');
	}

	dropSockets() {
		for (const client of this.sockets) client.ws.terminate();
	}
}

/** Starts a mock; `stop()` ends it, `restart()` brings it back at the same port. */
export async function startMock(options = {}) {
	const mock = new Mock(options);
	let server;
	let port = options.port ?? 0;
	const listen = async () => {
		const wss = new WebSocketServer({ noServer: true });
		server = createServer((req, res) => void mock.request(req, res));
		server.on('upgrade', (req, socket, head) => mock.upgrade(wss, req, socket, head));
		await new Promise((done) => server.listen(port, '127.0.0.1', done));
		port = server.address().port;
	};
	const shut = async () => {
		mock.dropSockets();
		server.closeAllConnections();
		await new Promise((done) => server.close(done));
	};
	await listen();
	mock.world.start();
	return {
		url: `http://127.0.0.1:${port}`,
		mock,
		world: mock.world,
		down: shut,
		up: listen,
		stop: async () => {
			mock.world.stop();
			if (server.listening) await shut();
		},
	};
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	const { values } = parseArgs({
		options: {
			port: { type: 'string', default: '3999' }, guests: { type: 'string', default: '32' },
			nodes: { type: 'string', default: '4' }, poll: { type: 'string', default: '2000' },
			clusters: { type: 'string', default: '1' }, open: { type: 'boolean' },
		},
	});
	const m = await startMock({
		port: +values.port, guests: +values.guests, nodes: +values.nodes, pollMs: +values.poll,
		clusters: +values.clusters, login: !values.open, acts: true,
	});
	console.log(`${m.url}  ${USER} / ${PASSWORD}`);
}
