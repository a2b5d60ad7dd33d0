// thermal-collector against real sshds over a fake /sys: what a person would see on the bus while nodes heat up, vanish,
// are replaced, talk too much or not at all.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fromYaml, toYaml } from '../stack/yaml.mjs';
import { startStack } from '../stack/stack.mjs';

const NAME = 'thermal-collector';
const BASE = 'jarvis/pve/home';
const QUICK = { interval: '2s', command_timeout: '1s', connect_timeout: '2s' };

let stack;

const change = (config) => Object.assign(config.clusters.home.thermal, QUICK);
const topic = (node) => `${BASE}/node/${node}/thermal`;
const until = async (node, good, ms = 20_000) => (await stack.waitFor(topic(node), good, ms)).doc;
const next = async (node, good, ms = 20_000) => (await stack.observer.next(topic(node), good, ms)).doc;
const sources = async (good, ms = 20_000) => (await stack.waitFor(`${BASE}/thermal`, good, ms)).doc.sources;
const nodes = () => Object.keys(stack.sshInfo.nodes);
const isGood = (d) => d !== null && d.reason === null && d.cpu !== null;

function reconfigure(alter) {
	const config = fromYaml(readFileSync(stack.configFile, 'utf8'));
	alter(config);
	writeFileSync(stack.configFile, toYaml(config));
	stack.process(NAME).signal('SIGHUP');
}

/** All others go on being read while `node` is in trouble. */
async function othersGoOn(node) {
	const since = Date.now();
	await sources((d) => nodes().every((n) => n === node || (d.sources[`node.${n}`].last_ok_ms ?? 0) > since));
}

/** As whoever holds the key would. */
function ssh(node, ...argv) {
	const { key_file, known_hosts, user } = stack.sshInfo;
	const options = ['-F', 'none', '-i', key_file, '-p', stack.sshInfo.nodes[node].port, '-o', 'BatchMode=yes',
		'-o', `UserKnownHostsFile=${known_hosts}`, '-o', 'StrictHostKeyChecking=yes', '-o', 'IdentitiesOnly=yes'];
	return new Promise((done) => {
		const child = execFile('ssh', [...options, ...argv.slice(0, -1), '--', `${user}@127.0.0.1`, ...argv.slice(-1)].filter(Boolean),
			{ timeout: 15_000 }, (error, stdout, stderr) => done({ code: error?.code ?? 0, stdout, stderr }));
		child.stdin.end('id\n');
	});
}

/** Asks for a try now and then: what fails rests longer and longer, and a reload ends the rest. */
async function soon(node, good) {
	for (let i = 0; i < 12; i++) {
		reconfigure(() => {});
		const doc = await until(node, good, 1500).catch(() => null);
		if (doc) return doc;
	}
	return until(node, good, 1);
}

/** What the key may run from now on. */
async function force(node, command) {
	await stack.ssh('force', { node, command });
}

async function heal(node) {
	await soon(node, isGood);
}

before(async () => {
	stack = await startStack({ services: [NAME], sim: { life: 'off' }, config: change });
});
after(() => stack?.stop());

describe('temperatures', () => {
	test('every node shows its sensors, and how it was asked', async () => {
		for (const name of nodes()) {
			const doc = await until(name, isGood);
			assert.ok(doc.cpu >= 38 && doc.cpu <= 70, `${name} ${doc.cpu}`);
			assert.ok(doc.temperatures.length >= 3);
		}
		const home = await until('Home', isGood);
		const of = (sensor) => home.temperatures.find((t) => t.sensor === sensor);
		assert.deepEqual([of('coretemp Package id 0').max, of('coretemp Package id 0').critical], [80, 100]);
		assert.equal(of('coretemp Package id 0').celsius, home.cpu);
		assert.ok(of('nvme nvme0 Composite').celsius !== of('nvme nvme1 Composite').celsius);
		// A limit that nobody set, an input that floats, firmware without a sensor.
		assert.equal(of('nvme nvme0 Sensor 1').max, null);
		assert.equal(of('nct6798 AUXTIN0').celsius, null);
		assert.equal(of('zone acpitz 0').celsius, null);
		assert.deepEqual(home.fans.map((f) => f.fan), ['nct6798 fan1', 'nct6798 fan2', 'nct6798 CPU']);
		assert.equal(home.fans[1].rpm, 0);
		const seen = await sources((d) => nodes().every((n) => d.sources[`node.${n}`]?.last_ok_ms));
		assert.deepEqual(Object.keys(seen).sort(), nodes().map((n) => `node.${n}`).sort());
		for (const source of Object.values(seen)) {
			assert.deepEqual([source.period_s, source.failures, source.error], [2, 0, null]);
			assert.ok(source.latency_ms >= 0);
		}
	});

	test('nonsense is counted', async () => {
		const health = `jarvis/service/${NAME}/main/health`;
		const { doc } = await stack.waitFor(health, (d) => d.counters.thermal_nonsense > 0, 25_000);
		assert.ok(doc.counters.thermal_readings > 0);
		assert.equal(doc.counters.thermal_failures ?? 0, 0);
		// One connection a node, kept.
		assert.equal(doc.counters.thermal_connects, nodes().length);
	});

	test('heat follows the simulated machine', async () => {
		await stack.sim('heat', { node: 'pve', celsius: 91 });
		assert.equal((await until('pve', (d) => d.cpu === 91)).temperatures.find((t) => t.sensor === 'k10temp Tctl').celsius, 91);
		await stack.sim('heat', { node: 'pve', celsius: null });
		await until('pve', (d) => d.cpu < 75);
	});
});

describe('trouble', () => {
	test('an sshd that dies: null with a reason, the others go on, and it heals', async () => {
		await stack.ssh('down', { node: 'agent1' });
		// The first word may be of a connection that sshd took and could not answer any more.
		const doc = await until('agent1', (d) => d.cpu === null && d.reason.includes('cannot be reached'));
		assert.match(doc.reason, /127\.0\.0\.1:\d+ cannot be reached: Connection refused; is sshd running/);
		assert.ok(doc.temperatures.length > 0 && doc.temperatures.every((t) => t.celsius === null));
		assert.ok(doc.temperatures.some((t) => t.critical !== null));
		assert.ok(doc.fans.every((f) => f.rpm === null));
		await othersGoOn('agent1');
		const failed = await sources((d) => d.sources['node.agent1'].failures >= 2);
		assert.equal(failed['node.agent1'].error, doc.reason);
		await stack.ssh('up', { node: 'agent1' });
		// By itself: the rest after a few failures is still short.
		await until('agent1', isGood, 30_000);
		await sources((d) => d.sources['node.agent1'].failures === 0 && d.sources['node.agent1'].error === null);
	});

	test('a machine with another host key is refused, and the reason says what to do', async () => {
		const known = readFileSync(stack.sshInfo.known_hosts, 'utf8');
		await stack.ssh('rekey', { node: 'agent' });
		const doc = await until('agent', (d) => d.reason?.includes('shows the host key'));
		assert.match(doc.reason, /shows the host key SHA256:[\w+/]{43}, .*known_hosts has another/);
		assert.equal(doc.cpu, null);
		assert.equal(readFileSync(stack.sshInfo.known_hosts, 'utf8'), known);
		// Nobody knows it at all.
		const port = `:${stack.sshInfo.nodes.agent.port} `;
		const others = known.split('\n').filter((line) => !line.includes(port));
		writeFileSync(stack.sshInfo.known_hosts, others.join('\n'));
		reconfigure(() => {});
		const unknown = await until('agent', (d) => d.reason?.includes('unknown to'));
		assert.match(unknown.reason, /compare .*ssh-keygen -lf .*and add it/);
		// The person adds it.
		const key = readFileSync(join(stack.sshInfo.nodes.agent.dir, 'host_key.pub'), 'utf8');
		writeFileSync(stack.sshInfo.known_hosts, [...others, `[127.0.0.1]${port}${key}`].join('\n'));
		await heal('agent');
	});

	test('a key that is refused, and one that is missing', async () => {
		const file = join(stack.data, 'secrets', NAME, 'ssh-key');
		const key = readFileSync(file, 'utf8');
		await stack.ssh('down', { node: 'Home' });
		await until('Home', (d) => d.cpu === null);
		rmSync(file);
		reconfigure(() => {});
		await until('Home', (d) => d.reason?.includes('ssh-key'));
		writeFileSync(file, readFileSync(join(stack.sshInfo.nodes.pve.dir, 'host_key'), 'utf8'), { mode: 0o600 });
		await stack.ssh('up', { node: 'Home' });
		reconfigure(() => {});
		const refused = await until('Home', (d) => d.reason?.includes('refuses the key'));
		assert.match(refused.reason, /authorized_keys/);
		assert.ok(!stack.logs(NAME).includes('PRIVATE KEY'));
		writeFileSync(file, key, { mode: 0o600 });
		await heal('Home');
	});

	test('a flood is capped', async () => {
		await force('pve', 'yes');
		const doc = await soon('pve', (d) => d.reason?.includes('said more'));
		assert.equal(doc.cpu, null);
		await othersGoOn('pve');
		await force('pve');
		await heal('pve');
	});

	test('a command that hangs hits its deadline', async () => {
		await force('pve', 'echo jarvis-thermal 1; exec tail -f /dev/null --pid=$PPID');
		await soon('pve', (d) => d.reason?.includes('within 1000 ms'));
		await othersGoOn('pve');
		await force('pve');
		await heal('pve');
	});

	test('answers that are none', async () => {
		for (const [command, reason] of [['echo hello', /no jarvis-thermal/], ['true', /empty/], ['exit 7', /status 7/],
			['echo jarvis-thermal 1; echo zone 0 50000 - x86_pkg_temp', /cut off/], ['kill -9 $$', /SIGKILL/]]) {
			await force('pve', command);
			assert.equal((await soon('pve', (d) => reason.test(d.reason ?? ''))).cpu, null);
		}
		await force('pve');
		await heal('pve');
	});

	test('an sshd that dies in the middle of an answer', async () => {
		// The connection's own process; the half that came is no reading.
		await force('pve', 'echo jarvis-thermal 1; echo zone 0 50000 - x86_pkg_temp; kill -9 $PPID');
		const doc = await soon('pve', (d) => d.reason?.includes('closed the connection'));
		assert.equal(doc.cpu, null);
		assert.ok(doc.temperatures.length >= 3 && doc.temperatures.every((t) => t.celsius === null));
		await othersGoOn('pve');
		// All of sshd, while the collector waits for more.
		await force('pve', 'echo jarvis-thermal 1; exec tail -f /dev/null --pid=$PPID');
		await soon('pve', (d) => d.reason?.includes('within 1000 ms'));
		await stack.ssh('down', { node: 'pve' });
		assert.equal((await soon('pve', (d) => d.reason?.includes('cannot be reached'))).cpu, null);
		await force('pve');
		await stack.ssh('up', { node: 'pve' });
		await heal('pve');
	});

	test('a node that is silent but there', async () => {
		await stack.ssh('freeze', { node: 'agent1' });
		const doc = await until('agent1', (d) => d.cpu === null);
		assert.match(doc.reason, /within \d+ ms|does not close|did not/);
		await othersGoOn('agent1');
		await stack.ssh('thaw', { node: 'agent1' });
		await heal('agent1');
	});
});

describe('many', () => {
	/** Takes connections, and says nothing. */
	async function startMute() {
		const held = new Set();
		const server = net.createServer((socket) => held.add(socket.on('error', () => {})));
		await new Promise((done) => server.listen(0, '127.0.0.1', done));
		const close = () => {
			held.forEach((socket) => socket.destroy());
			server.close();
		};
		return { port: server.address().port, close };
	}

	test('forty that hang for a minute each delay nobody', async () => {
		const mute = await startMute();
		const before = readFileSync(stack.configFile, 'utf8');
		const config = fromYaml(before);
		const home = config.clusters.home;
		const where = { ...home.nodes.Home, ssh_port: mute.port };
		const dead = Array.from({ length: 40 }, (_, i) => [`A${i}`, where]);
		home.nodes = { ...Object.fromEntries(dead), ...home.nodes };
		home.thermal.connect_timeout = '1m';
		try {
			writeFileSync(stack.configFile, toYaml(config));
			await stack.process(NAME).stop();
			await stack.start(NAME);
			const since = Date.now();
			// Well before the first of the forty is given up.
			const seen = await sources((d) => nodes().every((n) => (d.sources[`node.${n}`]?.last_ok_ms ?? 0) > since));
			assert.equal(Object.keys(seen).length, 40 + nodes().length);
			for (const [name] of dead) assert.equal(seen[`node.${name}`].last_ok_ms, null);
		} finally {
			writeFileSync(stack.configFile, before);
			await stack.restart(NAME);
			mute.close();
		}
		await until('Home', isGood);
	});
});

describe('the key', () => {
	test('gives no shell, no other command, no file, no tunnel', async () => {
		const said = (r) => assert.ok(r.stdout.startsWith('jarvis-thermal 1\n') && r.stdout.endsWith('end\n'), r.stdout + r.stderr);
		const id = /uid=\d/;
		for (const command of ['', 'id', 'sh -i', '--sysfs /etc', 'jarvis-thermal --sysfs /etc', '; id', '$(id)']) {
			const result = await ssh('Home', command);
			said(result);
			assert.doesNotMatch(result.stdout + result.stderr, id);
			assert.match(result.stdout, /coretemp/);
		}
		assert.match((await ssh('Home', '-tt', 'id')).stderr, /PTY allocation request failed/);
		const tunnel = await ssh('Home', '-o', 'ExitOnForwardFailure=yes', '-R', '0:127.0.0.1:1', 'id');
		assert.notEqual(tunnel.code, 0);
		assert.equal((await ssh('Home', '-W', '127.0.0.1:1', '')).stdout, '');
		said(await ssh('Home', '-s', 'sftp').then((r) => (r.stdout === '' ? { stdout: 'jarvis-thermal 1\nend\n' } : r)));
	});
});

describe('life', () => {
	test('a reload adds and removes; nodes that stay keep their connection', async () => {
		let port;
		reconfigure((config) => {
			port = config.clusters.home.nodes.agent.ssh_port;
			delete config.clusters.home.nodes.agent.address;
		});
		await until('agent', (d) => d === null);
		await sources((d) => !('node.agent' in d.sources) && 'node.Home' in d.sources);
		reconfigure((config) => Object.assign(config.clusters.home.nodes.agent, { address: '127.0.0.1', ssh_port: port }));
		await until('agent', isGood);
		reconfigure((config) => delete config.clusters.home.thermal);
		await until('Home', (d) => d === null);
		reconfigure((config) => (config.clusters.home.thermal = { ...QUICK, user: stack.sshInfo.user,
			known_hosts: stack.sshInfo.known_hosts }));
		await until('Home', isGood);
	});

	test('what an earlier run left is cleared', async () => {
		const client = await stack.mqtt({ user: NAME });
		const ghost = (await until('Home', isGood));
		await client.publishAsync(topic('ghost'), JSON.stringify({ ...ghost, node: 'ghost' }), { qos: 1, retain: true });
		await client.endAsync();
		await stack.restart(NAME);
		await until('ghost', (d) => d === null);
		await until('Home', isGood);
	});

	test('a broker that restarts', async () => {
		await stack.kill('broker');
		await stack.start('broker');
		await next('Home', isGood, 30_000);
	});

	test('it ends well, also while it connects', async () => {
		await stack.ssh('freeze', { node: 'pve' });
		await stack.process(NAME).stop();
		assert.deepEqual(stack.process(NAME).ended, { code: 0, signal: null });
		await stack.ssh('thaw', { node: 'pve' });
		await stack.start(NAME);
		await heal('pve');
	});
});
