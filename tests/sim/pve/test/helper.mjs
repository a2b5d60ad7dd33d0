/** Starts a simulator for a test and asks it things. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import tls from 'node:tls';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../main.mjs', import.meta.url));
const QUICK = ['--life', 'off', '--auth-delay', '30', '--proxy-timeout', '200',
	'--membership-delay', '0', '--die-with-parent'];

/** @returns {Promise<TestSim>} stopped after the test */
export async function startSim(t, ...args) {
	const dir = mkdtempSync(join(tmpdir(), 'pve-sim-'));
	const child = spawn(process.execPath, [MAIN, '--state', dir, ...QUICK, ...args],
		{ stdio: ['pipe', 'pipe', 'inherit'] });
	const exited = new Promise((done) => child.once('exit', (code) => done(code)));
	t.after(async () => {
		child.kill('SIGTERM');
		await exited;
		rmSync(dir, { recursive: true, force: true });
	});
	const lines = createInterface({ input: child.stdout });
	const ready = await new Promise((done, fail) => {
		lines.once('line', done);
		child.once('exit', (code) => fail(new Error(`simulator ended with ${code}`)));
	});
	return new TestSim(dir, child, exited, ready);
}

export class TestSim {
	constructor(dir, child, exited, ready) {
		Object.assign(this, { dir, child, exited, ready });
		this.ca = readFileSync(this.describe().ca_file);
	}

	describe() {
		return JSON.parse(readFileSync(join(this.dir, 'sim.json'), 'utf8'));
	}

	authorization(token) {
		const { id, secret_file: file } = this.describe().tokens[token];
		return `PVEAPIToken=${id}=${readFileSync(file, 'utf8').trim()}`;
	}

	/** A request; `opts.token` null sends no credentials. */
	ask(method, path, opts = {}) {
		const { node = Object.keys(this.describe().nodes)[0], token = 'monitor', headers = {}, body } =
			opts;
		const form = body === undefined ? undefined : new URLSearchParams(body).toString();
		const options = {
			method, host: '127.0.0.1', port: this.describe().nodes[node].port, agent: false,
			ca: this.ca, path: opts.raw ? path : `/api2/json${path}`,
			headers: {
				...(token ? { Authorization: this.authorization(token) } : {}),
				...(form === undefined ? {} : { 'Content-Type': 'application/x-www-form-urlencoded',
					'Content-Length': Buffer.byteLength(form) }), ...headers,
			},
		};
		return new Promise((done, fail) => {
			const req = https.request(options, (res) => collect(res, done, fail));
			req.on('error', fail);
			req.end(form);
		});
	}

	get(path, opts) {
		return this.ask('GET', path, opts);
	}

	post(path, body = {}, opts = {}) {
		return this.ask('POST', path, { token: 'control', body, ...opts });
	}

	/** The `data` of an answer that must be a success. */
	async data(path, opts) {
		const res = await this.get(path, opts);
		if (res.status !== 200) {
			throw new Error(`${path}: ${res.status} ${res.reason}`);
		}
		return res.json.data;
	}

	/** Starts an action that must give a task, and runs time until it has ended. */
	async task(path, body, opts = {}) {
		const res = await this.ask(opts.method ?? 'POST', path, { token: 'control', body, ...opts });
		if (res.status !== 200 || !res.json.data?.startsWith('UPID:')) {
			throw new Error(`${path}: ${res.status} ${res.reason} ${res.text}`);
		}
		return this.finish(res.json.data);
	}

	async finish(upid) {
		const node = upid.split(':')[1];
		for (let round = 0; round < 20; round++) {
			const status = await this.data(`/nodes/${node}/tasks/${upid}/status`, { node });
			if (status.status === 'stopped') {
				return { upid, ...status };
			}
			await this.control('advance', { seconds: 10 });
		}
		throw new Error(`${upid} does not end`);
	}

	async control(op, fields = {}) {
		const res = await fetch(`${this.describe().control_url}/control`,
			{ method: 'POST', body: JSON.stringify({ op, ...fields }) });
		const answer = await res.json();
		if (!answer.ok) {
			throw new Error(answer.error);
		}
		return answer;
	}

	async fetch(path) {
		return (await fetch(`${this.describe().control_url}${path}`)).json();
	}

	/** Opens a TLS connection and gives everything that was received when it ended. */
	connect(node) {
		const socket = tls.connect({ host: '127.0.0.1', port: this.describe().nodes[node].port,
			ca: this.ca });
		const state = { socket, text: '' };
		socket.on('data', (chunk) => {
			state.text += chunk.toString('latin1');
		});
		socket.on('error', () => {});
		state.closed = new Promise((done) => socket.once('close', done));
		return state;
	}

	async raw(text, node = 'Home') {
		const conn = this.connect(node);
		conn.socket.write(text);
		await conn.closed;
		return conn.text;
	}
}

function collect(res, done, fail) {
	const chunks = [];
	res.on('data', (chunk) => chunks.push(chunk));
	res.on('error', fail);
	res.on('aborted', () => fail(new Error('answer was cut')));
	res.on('end', () => {
		const body = Buffer.concat(chunks);
		const text = body.toString('utf8');
		let json;
		try {
			json = JSON.parse(text);
		} catch {
			json = undefined;
		}
		done({ status: res.statusCode, reason: res.statusMessage, headers: res.headers, body, text, json,
			rawHeaders: res.rawHeaders });
	});
}
