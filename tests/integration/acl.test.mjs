// The broker's ACL as a full matrix: every user tries to write and to read every family of topics, on a real
// Mosquitto with the ACL that ships. Who may do what is said here a second time, by hand, from the plan of the
// house: the test would be worth nothing if it asked the same tables.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { makeBroker } from '../stack/broker.mjs';
import { connectMqtt } from '../stack/mqtt.mjs';
import { USERS as STACK_USERS } from '../stack/services.mjs';

const BUILD = process.env.JARVIS_BUILD ?? 'build';
const SERVICES = ['proxmox-poller', 'thermal-collector', 'monitor', 'safety-gate', 'executor', 'docker-poller',
	'llm-router', 'memory', 'terminal', 'notifier', 'gateway'];
const REMOTES = ['homeassistant', 'nodered'];
const READERS = [...REMOTES, 'wall'];
const WATCHERS = ['monitor', 'safety-gate', 'executor', 'llm-router', 'memory', 'notifier', 'gateway'];
const USERS = [...SERVICES, ...READERS];
const ALL = USERS;
const NOBODY = [];

const seen = [...WATCHERS, ...READERS];

/**
 * Topic below jarvis/ | who may write it | who may read it. `self(user)` families are tried for every user with its
 * own name and with somebody else's.
 */
const FAMILIES = [
	['pve/home/state', ['proxmox-poller'], [...seen, 'proxmox-poller']],
	['pve/home/tasks', ['proxmox-poller'], [...seen, 'proxmox-poller']],
	['pve/home/backups', ['proxmox-poller'], [...seen, 'proxmox-poller']],
	['pve/home/ha', ['proxmox-poller'], [...seen, 'proxmox-poller']],
	['pve/home/ceph', ['proxmox-poller'], [...seen, 'proxmox-poller']],
	['pve/home/node/pve/state', ['proxmox-poller'], [...seen, 'proxmox-poller']],
	['pve/home/node/pve/disk/S1', ['proxmox-poller'], [...seen, 'proxmox-poller']],
	['pve/home/node/pve/pool/rpool', ['proxmox-poller'], [...seen, 'proxmox-poller']],
	['pve/home/node/pve/updates', ['proxmox-poller'], [...seen, 'proxmox-poller']],
	['pve/home/guest/101/state', ['proxmox-poller'], [...seen, 'proxmox-poller']],
	['pve/home/guest/101/backup', ['proxmox-poller'], [...seen, 'proxmox-poller']],
	['pve/home/guest/101/replication', ['proxmox-poller'], [...seen, 'proxmox-poller']],
	['pve/home/guest/101/snapshots', ['proxmox-poller'], [...seen, 'proxmox-poller']],
	['pve/home/guest/101/config', ['proxmox-poller'], [...seen, 'proxmox-poller']],
	['pve/home/storage/-/nas/state', ['proxmox-poller'], [...seen, 'proxmox-poller']],
	['pve/home/thermal', ['thermal-collector'], [...seen, 'thermal-collector']],
	['pve/home/node/pve/thermal', ['thermal-collector'], [...seen, 'thermal-collector']],
	['docker/nas/state', ['docker-poller'], [...seen, 'docker-poller']],
	['docker/nas/container/web/state', ['docker-poller'], [...seen, 'docker-poller']],
	['event/status', ['monitor'], seen],
	['event/service', ['monitor'], seen],
	['event/heartbeat', ['monitor'], seen],
	['event/alert', ['monitor'], seen],
	['event/action', ['safety-gate'], seen],
	['event/task', ['proxmox-poller'], seen],
	['event/notify', ['notifier'], seen],
	['event/llm', ['llm-router'], seen],
	['event/session', ['terminal'], seen],
	['event/other', NOBODY, NOBODY],
	['alert/hot.home-node-pve', ['monitor'], seen],
	['action/01J/state', ['safety-gate'], seen],
	['autonomy/state', ['safety-gate'], seen],
	['audit/checkpoint', ['safety-gate'], seen],
	['llm/state', ['llm-router'], seen],
	['chat/c1/delta', ['llm-router'], ['gateway']],
	['chat/c1/turn', ['llm-router'], ['gateway', 'memory']],
	['terminal/t1/state', ['terminal'], ['gateway', 'monitor', 'terminal']],
	['x/claim', ['executor', 'terminal'], ['safety-gate']],
	['x/grant', ['safety-gate'], ['executor', 'terminal']],
	['x/progress', ['executor', 'terminal'], ['safety-gate']],
	['x/result', ['executor', 'terminal'], ['safety-gate']],
	['x/ticket', ['safety-gate'], ['notifier']],
	['x/anything', NOBODY, NOBODY],
	['nothing', NOBODY, NOBODY],
];

/** Families with the name of who writes (or is meant) in them. */
const ASKERS = ['gateway', 'monitor', 'safety-gate', 'executor', 'llm-router', 'memory', ...REMOTES];
const NAMED = [
	[(u) => `service/${u}/main/info`, SERVICES, seen],
	[(u) => `service/${u}/main/health`, SERVICES, seen],
	[(u) => `service/${u}/main/log`, SERVICES, seen],
	[(u) => `alert/a1/set/${u}`, ['gateway', 'notifier', 'safety-gate', ...REMOTES], ['monitor']],
	[(u) => `action/request/${u}`, ['gateway', 'llm-router', 'monitor', ...REMOTES], ['safety-gate']],
	[(u) => `action/01J/approval/${u}`, ['gateway', ...REMOTES], ['safety-gate']],
	[(u) => `autonomy/set/${u}`, ['gateway', 'monitor', 'notifier', ...REMOTES], ['safety-gate']],
	[(u) => `chat/c1/say/${u}`, ['gateway', ...REMOTES], ['llm-router']],
	[(u) => `request/memory/${u}`, ASKERS, ['memory']],
	[(u) => `request/proxmox-poller/${u}`, ASKERS, ['proxmox-poller']],
];

const topicgen = (...argv) => execFileSync(join(BUILD, 'topicgen'), argv, { encoding: 'utf8' });

let dir;
let broker;
const clients = new Map();
const heard = new Map();

function config() {
	const lines = ['principals:'];
	for (const name of REMOTES) lines.push(`  ${name}: { class: remote }`);
	lines.push('  wall: { class: viewer }', '');
	writeFileSync(join(dir, 'jarvis.yaml'), lines.join('\n'));
	return topicgen('acl', '--config', join(dir, 'jarvis.yaml'));
}

/** A listener of its own a user; publishers have none, so that nobody hears himself by accident. */
async function listen(user) {
	const client = await connectMqtt({ socket: broker.socket, user, password: user });
	heard.set(user, new Set());
	client.on('message', (topic, payload) => heard.get(user).add(`${topic} ${payload}`));
	await client.subscribeAsync('#', { qos: 1 });
	return client;
}

before(async () => {
	dir = mkdtempSync(join(process.env.SCRATCH ?? tmpdir(), 'acl-'));
	const users = Object.fromEntries(USERS.map((u) => [u, u]));
	broker = makeBroker({ dir, log: join(dir, 'broker.log'), socket: join(dir, 'b.sock'), users, acl: config() });
	broker.start();
	await broker.ready();
	for (const user of USERS) {
		clients.set(`${user} listens`, await listen(user));
		clients.set(user, await connectMqtt({ socket: broker.socket, user, password: user }));
	}
});

after(async () => {
	for (const client of clients.values()) client.end(true);
	await broker?.stop();
	rmSync(dir, { recursive: true, force: true });
});

/** True when the broker took it; with MQTT 5 a refusal is PUBACK 0x87. */
async function mayWrite(user, topic, payload) {
	try {
		await clients.get(user).publishAsync(`jarvis/${topic}`, payload, { qos: 1 });
		return true;
	} catch (error) {
		assert.equal(error.code, 0x87, `${user} on ${topic}: ${error.message}`);
		return false;
	}
}

let barriers = 0;

/** Everybody reads presence: once it has come, whatever was sent before has come too, or never will. */
async function settle() {
	const mark = `mark-${++barriers}`;
	await clients.get('gateway').publishAsync('jarvis/service/gateway/main/state', mark, { qos: 1 });
	const line = `jarvis/service/gateway/main/state ${mark}`;
	const deadline = Date.now() + 10_000;
	while (USERS.some((u) => !heard.get(u).has(line))) {
		assert.ok(Date.now() < deadline, `not everybody hears presence: ${USERS.filter((u) => !heard.get(u).has(line))}`);
		await new Promise((done) => setImmediate(done));
	}
}

const sorted = (names) => [...new Set(names)].sort();

async function tryTopic(topic, writers, readers, payloadOf) {
	const wrote = [];
	for (const user of USERS) if (await mayWrite(user, topic, payloadOf(user))) wrote.push(user);
	assert.deepEqual(sorted(wrote), sorted(writers), `who may write ${topic}`);
	await settle();
	for (const writer of wrote) {
		const line = `jarvis/${topic} ${payloadOf(writer)}`;
		const readBy = USERS.filter((u) => heard.get(u).has(line));
		assert.deepEqual(sorted(readBy), sorted(readers), `who may read ${topic}`);
	}
}

test('no topic and no service is forgotten here', () => {
	const tried = [...FAMILIES.map(([topic]) => topic), ...NAMED.map(([topic]) => topic('u')),
		'service/u/main/state', 'reply/u/r1'];
	const patterns = [...topicgen('typescript').matchAll(/pattern: '([^']+)'/g)].map((m) => m[1]);
	assert.ok(patterns.length > 40);
	const isTried = (pattern) => tried.some((t) => new RegExp(`^${pattern.replace(/\{\w+\}/g, '[^/]+')}$`).test(t));
	assert.deepEqual(patterns.filter((p) => !isTried(p)), []);
	const users = [...topicgen('acl').matchAll(/^user (\S+)$/gm)].map((m) => m[1]);
	assert.deepEqual(users, SERVICES);
	assert.deepEqual(STACK_USERS, SERVICES);
});

test('families with one kind of writer', async () => {
	for (const [topic, writers, readers] of FAMILIES) await tryTopic(topic, writers, readers, (u) => `from ${u}`);
});

test('names in topics are pinned to the user', async () => {
	for (const [topic, writers, readers] of NAMED) {
		for (const named of USERS) {
			const allowed = writers.includes(named) ? [named] : NOBODY;

			await tryTopic(topic(named), allowed, readers, (u) => `${named} from ${u}`);
		}
	}
});

test('presence is written by its service alone and read by all', async () => {
	for (const named of SERVICES) {
		const readers = ALL;
		await tryTopic(`service/${named}/main/state`, [named], readers, (u) => `by-${u}`);
	}
});

test('replies are written by services and read by the one who is meant', async () => {
	const meant = [...SERVICES, ...REMOTES];
	for (const named of USERS) {
		const readers = meant.includes(named) ? [named] : NOBODY;
		await tryTopic(`reply/${named}/r1`, SERVICES, readers, (u) => `to ${named} from ${u}`);
	}
});

test('Home Assistant discovery is written by the gateway and read by remotes and viewers', async () => {
	const topic = 'homeassistant/device/x/config';
	const wrote = [];
	for (const user of USERS) {
		const ok = await clients.get(user).publishAsync(topic, `from ${user}`, { qos: 1 }).then(() => true, () => false);
		if (ok) wrote.push(user);
	}
	assert.deepEqual(wrote, ['gateway']);
	await settle();
	const readBy = USERS.filter((u) => heard.get(u).has(`${topic} from gateway`));
	assert.deepEqual(sorted(readBy), sorted([...READERS, 'gateway']));
});

test('without a password nobody comes in; a zero-length client id does', async () => {
	await assert.rejects(connectMqtt({ socket: broker.socket, user: 'gateway', password: 'wrong', reconnectPeriod: 0 }));
	await assert.rejects(connectMqtt({ socket: broker.socket, reconnectPeriod: 0 }));
	const old = await connectMqtt({ socket: broker.socket, user: 'wall', password: 'wall', version: 4 });
	old.end(true);
});
