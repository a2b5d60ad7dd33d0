// `make demo` from the outside, with stand-ins for the services: files, ports, signals, and what is left.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { connectMqtt } from '../mqtt.mjs';
import { freePort, isFree } from '../ports.mjs';
import { SERVICES, USERS } from '../services.mjs';
import { until } from './helpers.mjs';

const DEMO = resolve(import.meta.dirname, '../demo.mjs');
const FAKE = resolve(import.meta.dirname, 'fake-binary.mjs');
const dir = mkdtempSync(join(process.env.SCRATCH ?? '/tmp', 'd-'));
const build = join(dir, 'build');

function fakeBinary(name, script) {
	writeFileSync(join(build, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

before(() => {
	mkdirSync(build);
	for (const { name } of SERVICES) fakeBinary(name, `exec ${process.execPath} ${FAKE} ${name} "$@"`);
	// Keys and the enrolment are made by the real one.
	symlinkSync(resolve(process.env.JARVIS_BUILD ?? 'build', 'jarvisctl'), join(build, 'jarvisctl'));
	const own = (name) => `user ${name}\\ntopic readwrite jarvis/service/${name}/#\\n`;
	fakeBinary('topicgen', `printf '${USERS.map(own).join('')}user demo\\ntopic read jarvis/#\\n'`);
});
after(() => rmSync(dir, { recursive: true, force: true }));

function startDemo(data, port, mqttPort) {
	const args = [DEMO, '--port', port, '--mqtt-port', mqttPort, '--data', data].map(String);
	const env = { ...process.env, JARVIS_BUILD: build };
	const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
	child.said = '';
	for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (child.said += text));
	child.over = new Promise((done) => child.once('exit', (code) => done(code)));
	return child;
}

function readEnv(data) {
	const lines = readFileSync(join(data, 'demo.env'), 'utf8').trimEnd().split('\n');
	return Object.fromEntries(lines.map((line) => /^([A-Z_]+)='([^']*)'$/.exec(line).slice(1)));
}

async function ready(demo, data) {
	await until(() => demo.said.includes('Ctrl-C ends') || demo.exitCode !== null, 15_000);
	assert.equal(demo.exitCode, null, demo.said);
	return readEnv(data);
}

test('two side by side; each says how to reach it, and leaves nothing', async () => {
	const folders = ['a', 'b'].map((name) => join(dir, name));
	const ports = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
	const demos = folders.map((data, i) => startDemo(data, ports[i], ports[i + 2]));
	const envs = await Promise.all(demos.map((demo, i) => ready(demo, folders[i])));
	assert.deepEqual(Object.keys(envs[0]), ['URL', 'USER', 'PASSWORD', 'KEYWORD', 'TOTP_SECRET', 'MQTT_HOST', 'MQTT_PORT',
		'MQTT_USER', 'MQTT_PASSWORD', 'SIM_CONTROL_URL', 'SSH_CONTROL_URL']);
	assert.equal(envs[0].URL, `http://127.0.0.1:${ports[0]}`);
	assert.equal(envs[0].PASSWORD, 'swordfish');
	assert.equal(statSync(join(folders[0], 'demo.env')).mode & 0o777, 0o600);
	assert.ok((await fetch(`${envs[1].URL}/readyz`)).ok);
	assert.ok((await fetch(`${envs[1].SIM_CONTROL_URL}/state`)).ok);
	for (const env of envs) {
		const login = { port: Number(env.MQTT_PORT), user: env.MQTT_USER, password: env.MQTT_PASSWORD };
		await (await connectMqtt(login)).endAsync();
	}
	demos[0].kill('SIGTERM');
	demos[1].kill('SIGINT');
	assert.deepEqual(await Promise.all(demos.map((demo) => demo.over)), [0, 0], demos.map((d) => d.said).join());
	assert.deepEqual(await Promise.all(ports.map((port) => isFree(port))), [true, true, true, true]);
	assert.equal(existsSync(join(folders[0], 'demo.env')), false);
});

test('a taken port is refused, naming the variable to change', async () => {
	const [port, mqttPort, other] = await Promise.all([freePort(), freePort(), freePort()]);
	const data = join(dir, 'c');
	const demo = startDemo(data, port, mqttPort);
	await ready(demo, data);
	for (const [args, message] of [
		[[join(dir, 'd'), port, other], /port \d+ .* taken.*PORT=/],
		[[join(dir, 'd'), other, mqttPort], /taken.*MQTT_PORT=/],
		[[join(dir, 'd'), other, other], /choose two/],
		[[join(dir, 'd'), 'x', other], /PORT=x is not a port/],
		[[data, other, await freePort()], /runs in .*DATA=/],
		[[build, other, await freePort()], /files in it that no demo made.*DATA=/],
	]) {
		const second = startDemo(...args);
		assert.equal(await second.over, 1);
		assert.match(second.said, message);
	}
	assert.ok(existsSync(join(data, 'demo.env')), 'the first demo is undisturbed');
	demo.kill('SIGTERM');
	assert.equal(await demo.over, 0);
});

test('a signal during the start ends it, too', async () => {
	const demo = startDemo(join(dir, 'e'), await freePort(), await freePort());
	await until(() => existsSync(join(dir, 'e/demo.pid')));
	demo.kill('SIGTERM');
	assert.equal(await demo.over, 0, demo.said);
});

test('after a killed demo the same folder and ports can be used again', async () => {
	const data = join(dir, 'f');
	const ports = [await freePort(), await freePort()];
	const first = startDemo(data, ...ports);
	await ready(first, data);
	first.kill('SIGKILL');
	await first.over;
	const free = async () => (await isFree(ports[0])) && isFree(ports[1]);
	for (let i = 0; i < 100 && !(await free()); i++) await new Promise((done) => setTimeout(done, 20));
	const second = startDemo(data, ...ports);
	await ready(second, data);
	second.kill('SIGTERM');
	assert.equal(await second.over, 0, second.said);
});
