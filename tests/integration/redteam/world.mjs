// What the red team shares: who is played holds exactly what that part of Jarvis holds, and what came of it is read from
// the simulator's and the nodes' own records, never from answers alone.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import https from 'node:https';
import { join } from 'node:path';
import { newId, start as startWorld } from '../actions_world.mjs';

export { OVER, eventually, newId } from '../actions_world.mjs';

export const OPERATOR = { kind: 'user', name: 'operator' };
export const SERVICES = ['proxmox-poller', 'safety-gate', 'executor', 'gateway'];
/** The sshds of the nodes come with it. */
export const WITH_SSH = ['proxmox-poller', 'thermal-collector', 'safety-gate', 'executor', 'gateway'];

/** libsodium's sealed box by another caller than ours. */
const SEAL = `
import base64, ctypes, json, sys
asked = json.load(sys.stdin)
sodium = ctypes.CDLL('libsodium.so.23')
plain = asked['plain'].encode().ljust(336)
box = ctypes.create_string_buffer(len(plain) + 48)
assert sodium.sodium_init() >= 0
assert sodium.crypto_box_seal(box, plain, ctypes.c_ulonglong(len(plain)), bytes.fromhex(asked['key'])) == 0
print(base64.b64encode(box.raw).decode())
`;

let tried = 0;
/** Counts what was tried, for the figures in docs/reliability.md. */
export const attempt = (n = 1) => (tried += n);

/** `test` of node:test with the number of attempts of the file at its end. */
export function tell(t) {
	t.diagnostic(`${tried} attempts`);
}

export async function start(options) {
	const w = await startWorld(options);
	return Object.assign(w, { redteam: true });
}

/** A proof as the gateway makes it, by somebody who has the gate's public key and what was typed: {keyword} or {code}. */
export function seal(w, digest, typed) {
	const key = readFileSync(join(w.stack.data, 'secrets/gateway/gate-box.pub'), 'utf8').trim();
	const plain = JSON.stringify({ digest, ...typed });
	return execFileSync('python3', ['-c', SEAL], { input: JSON.stringify({ key, plain }), encoding: 'utf8' }).trim();
}

/** What a proof for autonomy/set is bound to. */
export function autonomyDigest({ op, level = -1, runbook = '', request_id }) {
	return createHash('sha256').update(`autonomy\n${op}\n${level}\n${runbook}\n${request_id}`).digest('hex');
}

/** Whoever is at the broker in the gateway's place: {ask, approve, set, user}. */
export async function playGateway(w) {
	const user = await w.user('gateway');
	const ask = (tool, args, more) => {
		attempt();
		return user.ask('action/request/gateway', { request_id: newId('g'), tool, args, actor: OPERATOR, ...more }, { ms: 10_000 });
	};
	const decide = (id, decision, more = {}) => {
		attempt();
		return user.ask(`action/${id}/approval/gateway`,
			{ request_id: newId('d'), decision, digest: '', actor: OPERATOR, ...more }, { ms: 10_000 });
	};
	const approve = ({ id, digest }, typed, more) =>
		decide(id, 'approve', { digest, person: 'operator', ...(typed && { proof: seal(w, digest, typed) }), ...more });
	const set = (doc, typed) => {
		attempt();
		const whole = { request_id: newId('s'), actor: OPERATOR, ...doc };
		const proof = typed && { person: 'operator', proof: seal(w, autonomyDigest(whole), typed) };
		return user.ask('autonomy/set/gateway', { ...whole, ...proof }, { ms: 10_000 });
	};
	return { user, ask, decide, approve, set };
}

/** The broker says no to each, with the reason code of MQTT 5. */
export async function assertRefused(user, topics, doc = {}) {
	for (const topic of topics) {
		attempt();
		assert.equal(await user.say(topic, doc), 'refused', `${user.name} on ${topic}`);
		assert.equal(await user.say(topic, '', { retain: true }), 'refused', `${user.name} wipes ${topic}`);
	}
}

/** What changes something on the nodes, as their own programs recorded it: NODE: PROGRAM ARGUMENTS. */
export function nodeChanges(w) {
	const changes = ([node, { act }]) => {
		const file = join(act, 'calls');
		const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
		return lines.filter((line) => line && !/^(sudo|journalctl|df|ping) |systemctl .*\bshow\b/.test(line)).map((line) => `${node}: ${line}`);
	};
	return Object.entries(w.stack.sshInfo?.nodes ?? {}).flatMap(changes);
}

/** Nothing of what WORK tries changes anything at Proxmox or on a node. */
export async function changesNothing(w, work) {
	const mark = await w.mark();
	const before = nodeChanges(w);
	await work();
	// A read that is asked for afterwards and answered: what came before it was looked at.
	const { status, body } = await w.execute('guest_list', {}, { wait_s: 20 });
	assert.equal(status, 200, JSON.stringify(body));
	assert.deepEqual((await w.effects(mark)).map((r) => `${r.method} ${r.path}`), []);
	assert.deepEqual(nodeChanges(w), before);
}

/** Every change at Proxmox stands in the gate's chain, which is whole: one grant each, with who asked. */
export async function assertAllRecorded(w, effects) {
	const granted = w.records().filter((r) => r.kind === 'granted' && r.body.action?.tier !== 'green');
	assert.equal(granted.length, effects.length, `${granted.length} grants, ${effects.length} changes`);
	const chain = w.verify();
	assert.equal(chain.status, 0, chain.text);
}

const TOKENS = { monitor: 'proxmox-poller', control: 'executor' };

/** Requests to the simulated Proxmox with a token that somebody took from its service: ask(method, path, form) → status. */
export function pveAs(w, which) {
	const { id } = w.stack.simInfo.tokens[which];
	const secret = readFileSync(join(w.stack.data, 'secrets', TOKENS[which], 'home.token'), 'utf8').trim();
	const { host, port } = w.stack.simInfo.nodes.Home;
	const agent = new https.Agent({ keepAlive: true, maxSockets: 4, rejectUnauthorized: false });
	const headers = { authorization: `PVEAPIToken=${id}=${secret}` };
	const ask = (method, path, form = {}) => new Promise((done, fail) => {
		attempt();
		const text = new URLSearchParams(form).toString();
		const inBody = method !== 'GET' && method !== 'DELETE';
		const type = inBody ? { 'content-type': 'application/x-www-form-urlencoded', 'content-length': text.length } : {};
		const url = `/api2/json${path}${!inBody && text ? `?${text}` : ''}`;
		const request = https.request({ host, port, method, path: url, agent, headers: { ...headers, ...type } }, (answer) => {
			const parts = [];
			answer.on('data', (part) => parts.push(part));
			answer.on('end', () => done({ status: answer.statusCode, text: Buffer.concat(parts).toString(), reason: answer.statusMessage }));
		});
		request.on('error', fail);
		request.end(inBody ? text : undefined);
	});
	return { ask, close: () => agent.destroy() };
}
