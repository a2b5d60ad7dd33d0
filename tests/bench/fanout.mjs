// From the bus to browsers: one, five hundred, a thousand; beside a bare subscriber and a Socket.IO bridge.
import { join } from 'node:path';
import { freePort } from '../stack/ports.mjs';
import { startStack } from '../stack/stack.mjs';
import { brokerAs, load, login, metric, pause, rss, spawnTied } from './measure.mjs';

const FILTER = 'pve/bench/guest/+/state';
const TOPIC = `jarvis/${FILTER.replace('+', '%d')}`;
const WARM_MS = 300;
/** Sockets that the gateway allows one session. */
const PER_SESSION = 60;

const gatewayOnly = (config) => {
	config.gateway.max_websockets = 1024;
	config.gateway.required = [];
};

function publish(stack, options) {
	return load('publish', { ...brokerAs(stack, 'proxmox-poller'), topic: TOPIC, ...options });
}

/** Clients listen a little longer than the publisher speaks. */
async function fanOut(stack, cookie, clients, offered) {
	const port = clients.socketio ? clients.port : stack.port;
	const seconds = offered.seconds + 2;
	const ws = load('ws', { filter: FILTER, seconds, ...clients, port }, cookie);
	await ws.ready;
	await pause(WARM_MS);
	await publish(stack, offered).result;
	return ws.result;
}

/** Cookies of enough sessions for `n` browsers, one a line. */
async function sessions(stack, n) {
	const cookies = [];
	while (cookies.length * PER_SESSION < n) cookies.push(await login(stack));
	return cookies.join('\n');
}

async function startBridge(stack) {
	const port = await freePort();
	const env = { ...process.env, BRIDGE_PASSWORD: stack.passwords.observer };
	const script = join(import.meta.dirname, 'socketio-bridge.mjs');
	const child = spawnTied(process.execPath, [script, stack.socket, String(port), `jarvis/${FILTER}`], env);
	await new Promise((done) => child.stdout.once('data', done));
	return { child, port };
}

/** 15 a second: each is the first change, so that it is latency that is measured and not the pace of batches. */
const SINGLE = { rate: 15, keys: 15, size: 250, seconds: 3 };
const ROUNDS = 7;

async function heard(stack, listener) {
	await listener.ready;
	await pause(WARM_MS);
	await publish(stack, SINGLE).result;
	return (await listener.result).p50;
}

function spread(values) {
	const sorted = values.toSorted((a, b) => a - b);
	return { p50: sorted[(sorted.length - 1) / 2], min: sorted[0], max: sorted.at(-1) };
}

/**
 * A bare subscriber and a browser, one after the other, for on few cores they would take turns on them; again and
 * again, for single runs differ by half.
 */
async function oneClient(stack, cookie) {
	const seconds = SINGLE.seconds + 1;
	const listeners = {
		bare: () => load('mqtt', { ...brokerAs(stack, 'monitor'), filter: `jarvis/${FILTER}`, seconds }),
		ws: () => load('ws', { filter: FILTER, port: stack.port, clients: 1, seconds }, cookie),
	};
	const p50s = { bare: [], ws: [] };
	for (let i = 0; i < ROUNDS; i++) {
		for (const [name, listen] of Object.entries(listeners)) p50s[name].push(await heard(stack, listen()));
	}
	return { bare: spread(p50s.bare), ws: spread(p50s.ws) };
}

async function stalled(stack, cookie, cookies) {
	const clients = { clients: 1000, stalled: 20 };
	const before = await metric(stack, cookie, 'jarvis_gateway_websockets_evicted_total');
	const ws = load('ws', { filter: FILTER, port: stack.port, seconds: 10, ...clients }, cookies);
	await ws.ready;
	await pause(WARM_MS);
	const began = performance.now();
	const publisher = publish(stack, { rate: 10, keys: 1, size: 4096, seconds: 8 });
	let evictedAfter = null;
	while (performance.now() - began < 9000 && evictedAfter === null) {
		await pause(100);
		const evicted = (await metric(stack, cookie, 'jarvis_gateway_websockets_evicted_total')) - before;
		if (evicted >= clients.stalled) evictedAfter = (performance.now() - began) / 1000;
	}
	const gatewayRss = rss(stack.process('gateway').pid);
	await publisher.result;
	return { ...(await ws.result), evictedAfter, rss: gatewayRss };
}

/** The gateway first and alone, then the peer: each has the machine for itself. */
async function compared(stack, cookies, offered) {
	const ours = await fanOut(stack, cookies, { clients: 500 }, offered);
	ours.rss = rss(stack.process('gateway').pid);
	const bridge = await startBridge(stack);
	const theirs = await fanOut(stack, cookies, { clients: 500, socketio: true, port: bridge.port }, offered);
	theirs.rss = rss(bridge.child.pid);
	bridge.child.kill();
	return { ours, theirs };
}

async function withGateway(measure) {
	const stack = await startStack({ services: ['gateway'], sim: null, config: gatewayOnly });
	try {
		return await measure(stack, await login(stack));
	} finally {
		await stack.stop();
	}
}

export const single = () => withGateway(oneClient);

export const fanout = () => withGateway(async (stack, cookie) => {
	const cookies = await sessions(stack, 1000);
	const steady = await compared(stack, cookies, { rate: 200, keys: 200, size: 250, seconds: 8 });
	const flood = await compared(stack, cookies, { rate: 2000, keys: 1000, size: 250, seconds: 6 });
	return { steady, flood, thousand: await stalled(stack, cookie, cookies) };
});
