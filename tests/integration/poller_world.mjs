// What the tests of proxmox-poller share: a stack with short periods, and a view of one of its clusters.
import { readFileSync, writeFileSync } from 'node:fs';
import { fromYaml, toYaml } from '../stack/yaml.mjs';
import { startStack } from '../stack/stack.mjs';

/** Short, so that three periods are soon over. */
export const POLL = { nodes: '2s', storage: '5s', tasks: '2s', node: '5s' };

export function quick(config) {
	for (const cluster of Object.values(config.clusters)) {
		Object.assign(cluster, { poll: POLL, request_timeout: '2s', connect_timeout: '1s' });
	}
}

export function start({ sim, change = () => {}, ...more } = {}) {
	const config = (c) => {
		quick(c);
		change(c);
	};
	return startStack({ services: ['proxmox-poller'], sim: { life: 'off', 'auth-delay': 50, ...sim }, config, ...more });
}

/** Shorthands for one stack and one of its clusters. */
export function world(stack, cluster = 'home') {
	const base = `jarvis/pve/${cluster}`;
	const doc = (path) => stack.observer.docs.get(`${base}/${path}`)?.doc ?? null;
	return {
		base, doc,
		cluster: () => doc('state'),
		guests: () => docs(stack, `${base}/guest/`, '/state'),
		backups: () => docs(stack, `${base}/guest/`, '/backup'),
		until: async (path, good, ms = 15_000) => (await stack.waitFor(`${base}/${path}`, good, ms)).doc,
		next: async (path, good, ms = 15_000) => (await stack.observer.next(`${base}/${path}`, good, ms)).doc,
		truth: async () => (await fetch(`${stack.simInfo.control_url}/state`)).json(),
		asked: async () => (await fetch(`${stack.simInfo.control_url}/requests`)).json(),
		forget: () => fetch(`${stack.simInfo.control_url}/requests`, { method: 'DELETE' }),
	};
}

export function docs(stack, prefix, suffix = '') {
	const found = [...stack.observer.docs.values()].filter((m) => m.topic.startsWith(prefix) && m.topic.endsWith(suffix) && m.doc);
	return found.map((m) => m.doc);
}

let serial = 0;

/** Sends a command as the gateway would, and waits for the answer. */
export async function command(stack, body) {
	const request_id = `r${++serial}`;
	const reply = stack.observer.next(`jarvis/reply/gateway/${request_id}`, Boolean, 25_000);
	const client = await stack.mqtt({ user: 'gateway', clientId: `gw-test-${serial}` });
	await client.publishAsync('jarvis/request/proxmox-poller/gateway', JSON.stringify({ request_id, ...body }), { qos: 1 });
	const { doc } = await reply;
	await client.endAsync();
	return doc;
}

export const refresh = (stack, ...objects) => command(stack, { op: 'refresh', objects });

/** Alters jarvis.yaml in place and tells the poller. */
export function reconfigure(stack, change) {
	const config = fromYaml(readFileSync(stack.configFile, 'utf8'));
	change(config);
	writeFileSync(stack.configFile, toYaml(config));
	stack.process('proxmox-poller').signal('SIGHUP');
}
