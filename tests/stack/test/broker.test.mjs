// The broker that ships: who gets in, what is delivered, what survives.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { connectMqtt } from '../mqtt.mjs';
import { brokerConfig } from '../broker.mjs';
import { freePort } from '../ports.mjs';
import { startStack } from '../stack.mjs';
import { FAKE_ACL, until } from './helpers.mjs';

let stack;
let mqttPort;
before(async () => {
	mqttPort = await freePort();
	stack = await startStack({ sim: null, services: [], acl: FAKE_ACL, mqttPort });
});
after(() => stack.stop());

/** Ends with the test, however that ends. */
async function connect(t, options) {
	const client = await stack.mqtt(options);
	t.after(() => client.endAsync(true));
	return client;
}

test('nobody enters without a name and its password', async () => {
	await assert.rejects(connectMqtt({ socket: stack.socket }), /Not authorized/);
	await assert.rejects(connectMqtt({ socket: stack.socket, user: 'gateway', password: 'no' }), /Not authorized/);
	await assert.rejects(connectMqtt({ socket: stack.socket, user: 'nobody', password: '' }), /Not authorized/);
});

test('MQTT 3.1.1 and 5 work over TCP, with an empty client id', async () => {
	for (const version of [4, 5]) {
		const options = { port: mqttPort, user: 'demo', password: stack.passwords.demo, version };
		await (await connectMqtt(options)).endAsync();
	}
});

test('the ACL decides what may be published', async (t) => {
	const client = await connect(t, { user: 'monitor' });
	await client.publishAsync('jarvis/service/monitor/1/state', 'online', { qos: 1 });
	await assert.rejects(client.publishAsync('jarvis/service/gateway/1/state', 'x', { qos: 1 }), /Not authorized/);
});

test('a document of 256 KiB passes, a larger one does not, and the link survives', async (t) => {
	// 3.1.1, for Mosquitto refuses with a code (0x95) that MQTT 5 does not have and MQTT.js stumbles over.
	const client = await connect(t, { version: 4 });
	const passed = stack.observer.next('big', (doc) => doc.length === 262144, 5000);
	await client.publishAsync('big', Buffer.alloc(262145, 'x'), { qos: 1 });
	await client.publishAsync('big', Buffer.alloc(262144, 'x'), { qos: 1 });
	await passed;
	assert.equal(stack.observer.docs.get('big').doc.length, 262144);
	assert.ok(client.connected);
});

test('retained state survives a restart of the broker', async (t) => {
	const client = await connect(t);
	await client.publishAsync('kept', 'yes', { qos: 1, retain: true });
	await stack.restart('broker');
	await stack.observer.next('kept', (doc, message) => doc === 'yes' && message.retained, 5000);
});

test('… and a crash, after the autosave of 5 s', { timeout: 15_000 }, async (t) => {
	const client = await connect(t);
	await client.publishAsync('saved', 'yes', { qos: 1, retain: true });
	const file = join(stack.data, 'broker/data/mosquitto.db');
	assert.ok(await until(() => existsSync(file) && readFileSync(file).includes('saved'), 10_000));
	await stack.kill('broker');
	await stack.start('broker');
	await stack.observer.next('saved', (doc, message) => doc === 'yes' && message.retained, 5000);
});

test('secrets are ours alone, and hashed', () => {
	const file = join(stack.data, 'broker/passwd');
	assert.equal(statSync(file).mode & 0o777, 0o600);
	assert.doesNotMatch(readFileSync(file, 'utf8'), new RegExp(stack.passwords.gateway));
	assert.equal(statSync(stack.socket).mode & 0o777, 0o600);
});

test('what is shipped is what runs, but for places', () => {
	const shipped = 'listener 1883 127.0.0.1\n# word\nallow_anonymous false\nacl_file /x\nuser mosquitto\n';
	const conf = brokerConfig(shipped, { dir: '/d', socket: '/s', port: 0 });
	assert.match(conf, /^allow_anonymous false$/m);
	assert.match(conf, /^acl_file \/d\/acl$/m);
	assert.doesNotMatch(conf, /1883|\/x|user mosquitto/);
});
