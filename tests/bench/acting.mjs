// What acting costs: judgements, a grant for a claim, a read, and a start until a browser shows that it runs. Durable commits
// are in all of it, so the disk decides much: how long one takes here is measured beside it.
import { execFile } from 'node:child_process';
import { closeSync, fsyncSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { DESKTOP, launch, logIn, newPage } from '../e2e/browser.mjs';
import { startStack } from '../stack/stack.mjs';
import { login, pause } from './measure.mjs';

const BUILD = resolve(process.env.JARVIS_BUILD ?? 'build');
const EXAMPLE = resolve(import.meta.dirname, '../../deploy/jarvis.example.yaml');
const SECONDS = 3;
/** What the service reads from the broker at once, at most: those share a commit. */
const BATCH = 256;
const SYNCS = 50;
export const READS = Number(process.env.BENCH_READS ?? 300);
const STARTS = Number(process.env.BENCH_STARTS ?? 8);
export const WARM = 20;
const SEEDS = Number(process.env.BENCH_SEEDS ?? 1000);
const VMID = 149;
const LOOK_MS = 2;
/** More than a poll: what is seen then is not on its way any more. */
const SETTLE_MS = 3000;
const SEEN_MS = 30_000;

export function spread(values) {
	const sorted = values.toSorted((a, b) => a - b);
	const at = (q) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))];
	return { p50: at(0.5), p99: at(0.99), n: sorted.length };
}

/** One durable write of a page, on the disk that holds `dir`. */
function syncMs(dir) {
	const fd = openSync(join(dir, 'sync'), 'w');
	const page = Buffer.alloc(4096, 1);
	const times = [];
	for (let i = 0; i < SYNCS; i++) {
		const began = performance.now();
		writeSync(fd, page);
		fsyncSync(fd);
		times.push(performance.now() - began);
	}
	closeSync(fd);
	return spread(times);
}

/** On the disk of the tree: in memory a durable commit costs nothing. */
const onDisk = () => mkdtempSync(join(BUILD, 'bench-'));

/** Gate and executor together in one process, on databases in memory; each seed with its own faults. */
export async function simulated() {
	const { stdout } = await promisify(execFile)(join(BUILD, 'whole'), ['1', String(SEEDS)]);
	const said = stdout.match(/^(\d+) seeds, (\d+) actions, (\d+) effects, .* \((\d+) actions\/s of it\)/m);
	const [seeds, actions, effects, rate] = said.slice(1).map(Number);
	return { seeds, actions, effects, rate };
}

export async function judgements() {
	const dir = onDisk();
	const run = async (batch) => {
		const argv = [EXAMPLE, join(dir, `${batch}.db`), String(SECONDS), String(batch)];
		return JSON.parse((await promisify(execFile)(join(BUILD, 'benchgate'), argv)).stdout);
	};
	try {
		return { sync: syncMs(dir), batch: BATCH, batched: await run(BATCH), each: await run(1) };
	} finally {
		rmSync(dir, { recursive: true, force: true });
	}
}

// ── the whole path ──────────────────────────────────────────────────────────────────────────────────────────────

const quick = (config) => {
	config.clusters.home.poll = { nodes: '2s', tasks: '2s', storage: '5s', node: '5s' };
	config.safety_gate = { ...config.safety_gate, yellow_rate: 100 };
};

/** A person at the REST interface, over one connection that stays. */
class Person {
	#serial = 0;

	constructor(stack, cookie) {
		Object.assign(this, { stack, headers: { 'Content-Type': 'application/json', 'X-Jarvis': '1', Origin: stack.url, Cookie: cookie } });
	}

	async execute(tool, args, wait_s = 30) {
		const body = JSON.stringify({ request_id: `bench-${process.pid}-${++this.#serial}`, tool, args, wait_s });
		const answer = await fetch(`${this.stack.url}/api/tools/execute`, { method: 'POST', headers: this.headers, body });
		return { status: answer.status, body: await answer.json() };
	}

	/** Until the gate sees the cluster: a guest that runs is then refused for that alone. */
	async untilSeen() {
		let last;
		for (const until = performance.now() + SEEN_MS; performance.now() < until; await pause(200)) {
			last = await this.execute('guest_start', { guest: 100 }, 0);
			if (last.status === 409 && last.body.rule === 'state.status') return;
		}
		throw new Error(`the gate does not see the cluster: ${JSON.stringify(last)}`);
	}
}

/** `more`: services beside those that act; `change(config)`: how theirs differs. */
export async function withActing(measure, more = [], change = () => {}) {
	const dir = onDisk();
	const services = ['proxmox-poller', 'safety-gate', 'executor', 'gateway', ...more];
	const config = (c) => (quick(c), change(c));
	const stack = await startStack({ services, sim: { life: 'off' }, config, data: dir });
	try {
		const person = new Person(stack, await login(stack));
		await person.untilSeen();
		return { sync: syncMs(dir), ...await measure(stack, person) };
	} finally {
		await stack.stop();
		rmSync(dir, { recursive: true, force: true });
	}
}

export async function timed(work) {
	const began = performance.now();
	await work();
	return performance.now() - began;
}

/** A question to Proxmox itself, over one connection that stays, as the executor asks it. */
function direct(stack, path, { method = 'GET', token = 'control' } = {}) {
	const { host, port } = Object.values(stack.simInfo.nodes)[0];
	const { id, secret_file: file } = stack.simInfo.tokens[token];
	const headers = { Authorization: `PVEAPIToken=${id}=${readFileSync(file, 'utf8').trim()}` };
	return new Promise((done, fail) => {
		const asked = request({ host, port, method, path: `/api2/json${path}`, headers, agent: direct.agent, rejectUnauthorized: false }, (answer) => {
			answer.resume().once('end', () => (answer.statusCode === 200 ? done() : fail(new Error(`${path}: ${answer.statusCode}`))));
		});
		asked.once('error', fail);
		asked.end();
	});
}
direct.agent = new Agent({ keepAlive: true, maxSockets: 1 });

export async function read(person, tool, args) {
	const { status, body } = await person.execute(tool, args);
	if (status !== 200 || body.is_error) throw new Error(`${tool}: ${status} ${JSON.stringify(body).slice(0, 200)}`);
}

/**
 * A read that the executor answers from the bus, and one for which it asks Proxmox; in turns with the same question asked
 * directly, which is the target's own time.
 */
export const green = () => withActing(async (stack, person) => {
	const node = Object.keys(stack.simInfo.nodes)[0];
	const times = { bus: [], pve: [], direct: [] };
	for (let i = 0; i < READS + WARM; i++) {
		const took = {
			bus: await timed(() => read(person, 'guest_status', { guest: 101 })),
			pve: await timed(() => read(person, 'storage_content', { storage: 'iso', node })),
			direct: await timed(() => direct(stack, `/nodes/${node}/storage/iso/content`)),
		};
		if (i >= WARM) for (const [name, ms] of Object.entries(took)) times[name].push(ms);
	}
	return Object.fromEntries(Object.entries(times).map(([name, list]) => [name, spread(list)]));
});

/** As somebody sees it who listens at the broker to both. */
export const claimToGrant = () => withActing(async (stack, person) => {
	const claimed = new Map();
	const times = [];
	const client = await stack.mqtt();
	client.on('message', (topic, payload) => {
		const now = performance.now();
		const { nonce } = JSON.parse(payload);
		if (topic.endsWith('/claim')) claimed.set(nonce, now);
		else if (claimed.has(nonce)) times.push(now - claimed.get(nonce));
	});
	await client.subscribeAsync(['jarvis/x/claim', 'jarvis/x/grant'], { qos: 1 });
	for (let i = 0; i < READS; i++) await read(person, 'guest_status', { guest: 101 });
	await client.endAsync();
	return spread(times.slice(WARM));
});

// ── a start, seen in a browser ──────────────────────────────────────────────────────────────────────────────────

const truth = async (stack) => (await (await fetch(`${stack.simInfo.control_url}/state`)).json()).guests[VMID];

/** From the POST to Proxmox itself until it runs. */
async function startDirectly(stack, { node, type }) {
	const ms = await timed(async () => {
		await direct(stack, `/nodes/${node}/${type}/${VMID}/status/start`, { method: 'POST' });
		while ((await truth(stack)).state !== 'running') await pause(LOOK_MS);
	});
	await stack.sim('guest_kill', { vmid: VMID, sample: true });
	return ms;
}

/** In the page: asks, and watches its row; the answer is the time until it says so. */
function startInPage([vmid, request_id]) {
	return new Promise((done, fail) => {
		const row = () => document.querySelector(`.brief [data-topic="pve/home/guest/${vmid}/state"]`)?.innerText ?? '';
		const began = performance.now();
		const look = () => {
			if (!row().startsWith('running')) return;
			observer.disconnect();
			done(performance.now() - began);
		};
		const observer = new MutationObserver(look);
		observer.observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
		const body = JSON.stringify({ request_id, tool: 'guest_start', args: { guest: vmid }, wait_s: 30 });
		fetch('/api/tools/execute', { method: 'POST', headers: { 'Content-Type': 'application/json', 'X-Jarvis': '1' }, body })
			.then(async (answer) => answer.status === 200 || fail(new Error(`guest_start: ${answer.status} ${await answer.text()}`)), fail);
	});
}

/** What was asked of a guest itself is believed for a while, for Proxmox's list is up to ten seconds old. */
const showsStopped = (page) => page.waitForFunction((vmid) => document.querySelector(`.brief [data-topic="pve/home/guest/${vmid}/state"]`)?.innerText.startsWith('stopped'),
	VMID, { timeout: 40_000 });

export const startVm = () => withActing(async (stack, person) => {
	const browser = await launch();
	const times = { own: [], seen: [] };
	try {
		const { page } = await newPage(browser, DESKTOP);
		await page.goto(stack.url);
		await logIn(page, 'operator', stack.password);
		await page.evaluate((vmid) => (location.hash = `#sel=pve/home/guest/${vmid}/state`), VMID);
		await showsStopped(page);
		const guest = await truth(stack);
		for (let i = 0; i < STARTS; i++) {
			times.own.push(await startDirectly(stack, guest));
			await showsStopped(page);
			await pause(SETTLE_MS);
			await person.untilSeen();
			times.seen.push(await page.evaluate(startInPage, [VMID, `bench-start-${i}`]));
			await person.untilSeen();
			await stack.sim('guest_kill', { vmid: VMID, sample: true });
			await showsStopped(page);
			await pause(SETTLE_MS);
		}
		return { own: spread(times.own), seen: spread(times.seen) };
	} finally {
		await browser.close();
	}
});
