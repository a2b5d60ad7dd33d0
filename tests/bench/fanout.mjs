// From the bus to browsers: one, five hundred, a thousand; beside a bare subscriber and a Socket.IO bridge.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { freePort } from '../stack/ports.mjs';
import { startStack } from '../stack/stack.mjs';
import { brokerAs, load, login, metric, pause, rss } from './measure.mjs';

const FILTER = 'pve/bench/guest/+/state';
const TOPIC = `jarvis/${FILTER.replace('+', '%d')}`;
const WARM_MS = 300;

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

async function startBridge(stack) {
	const port = await freePort();
	const env = { ...process.env, BRIDGE_PASSWORD: stack.passwords.observer };
	const script = join(import.meta.dirname, 'socketio-bridge.mjs');
	const child = spawn(process.execPath, [script, stack.socket, String(port), `jarvis/${FILTER}`],
		{ env, stdio: ['ignore', 'pipe', 'inherit'] });
	await new Promise((done) => child.stdout.once('data', done));
	return { child, port };
}

/** One browser and one bare subscriber hear the same messages. */
async function oneClient(stack, cookie) {
	const seconds = 6;
	const bare = load('mqtt', { ...brokerAs(stack, 'monitor'), filter: `jarvis/${FILTER}`, seconds: seconds + 2 });
	const ws = load('ws', { filter: FILTER, port: stack.port, clients: 1, seconds: seconds + 2 }, cookie);
	await Promise.all([bare.ready, ws.ready]);
	await pause(WARM_MS);
	/* 15 a second: each is the first change, so that it is latency that is measured and not the batches' pace. */
	await publish(stack, { rate: 15, keys: 15, size: 250, seconds }).result;
	return { bare: await bare.result, ws: await ws.result };
}

async function stalled(stack, cookie) {
	const clients = { clients: 1000, stalled: 20 };
	const before = await metric(stack, cookie, 'jarvis_gateway_ws_evicted_total');
	const ws = load('ws', { filter: FILTER, port: stack.port, seconds: 10, ...clients }, cookie);
	await ws.ready;
	await pause(WARM_MS);
	const began = performance.now();
	const publisher = publish(stack, { rate: 10, keys: 1, size: 4096, seconds: 8 });
	let evictedAfter = null;
	while (performance.now() - began < 9000 && evictedAfter === null) {
		await pause(100);
		const evicted = (await metric(stack, cookie, 'jarvis_gateway_ws_evicted_total')) - before;
		if (evicted >= clients.stalled) evictedAfter = (performance.now() - began) / 1000;
	}
	const gatewayRss = rss(stack.process('gateway').pid);
	await publisher.result;
	return { ...(await ws.result), evictedAfter, rss: gatewayRss };
}

async function compared(stack, cookie, bridge, offered) {
	const ours = await fanOut(stack, cookie, { clients: 500 }, offered);
	ours.rss = rss(stack.process('gateway').pid);
	const theirs = await fanOut(stack, cookie, { clients: 500, socketio: true, port: bridge.port }, offered);
	theirs.rss = rss(bridge.child.pid);
	return { ours, theirs };
}

export async function fanout() {
	const stack = await startStack({ services: ['gateway'], sim: null, config: gatewayOnly });
	try {
		const cookie = await login(stack);
		const bridge = await startBridge(stack);
		const one = await oneClient(stack, cookie);
		const steady = await compared(stack, cookie, bridge, { rate: 200, keys: 200, size: 250, seconds: 8 });
		const flood = await compared(stack, cookie, bridge, { rate: 2000, keys: 1000, size: 250, seconds: 6 });
		bridge.child.kill();
		return { one, steady, flood, thousand: await stalled(stack, cookie) };
	} finally {
		await stack.stop();
	}
}
