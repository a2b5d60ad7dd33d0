#!/usr/bin/env node
// Real sshds on loopback, one a node of the simulated cluster, over a fake /sys that follows its load and its heat, and
// with stand-ins for what jarvis-act starts. What it made stands in STATE/ssh.json; a control port breaks and mends
// things: see README.md.
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Act } from './act.mjs';
import { Sshd, keepKey, prepareRoot } from './sshd.mjs';
import { writeSysfs } from './sysfs.mjs';

const USAGE = `usage: tests/sim/ssh/main.mjs --state DIR --pve URL --port FIRST [--host ADDRESS] [--control PORT] [--prepare]

  --state DIR      where keys, configurations, /sys and ssh.json are written; keys that are there are kept
  --pve URL        control port of tests/sim/pve
  --port FIRST     port of the first node's sshd; the others follow
  --host ADDRESS   where sshds listen (127.0.0.1)
  --control PORT   of the control server on 127.0.0.1 (0: any)
  --prepare        keys and ssh.json alone, and no sshd: for a start elsewhere
`;
const COMMAND = resolve(import.meta.dirname, '../../../deploy/nodes/jarvis-thermal');
const FOLLOW_MS = 500;

const OPS = {
	down: (node) => node.down(),
	up: (node) => node.up(),
	/** Alive but silent, as behind a dead link. */
	freeze: (node) => node.signal('SIGSTOP'),
	thaw: (node) => node.signal('SIGCONT'),
	rekey: (node) => node.rekey(),
	cut: (node) => node.cut(),
	/** What the key may run from now on; without `command`, what it should. */
	force: (node, { command }) => (node.force('thermal', command ?? node.keys.thermal.forced), node.cut()),
	/** How the key of the SSH tools is answered from now on; see act.mjs. */
	answers: (node, { mode, tool }) => (node.force('act', node.act.answersAs(mode, tool)), node.cut()),
	unit: (node, fields) => node.act.setUnit(fields),
	log: (node, fields) => node.act.log(fields),
	disk: (node, fields) => node.act.setDisk(fields),
	program: (node, fields) => node.act.setProgram(fields),
	web: (node, fields) => node.act.setWeb(fields),
	host: (node, fields) => node.act.setHost(fields),
};

class World {
	nodes = new Map();

	constructor(values) {
		this.state = resolve(values.state);
		this.pve = values.pve;
		this.first = Number(values.port);
		this.host = values.host;
		this.key = join(this.state, 'client_key');
		this.actKey = join(this.state, 'act_key');
	}

	async #truth() {
		const answer = await fetch(`${this.pve}/state`);
		return (await answer.json()).nodes;
	}

	#sysfs(name) {
		return join(this.state, name, 'sys');
	}

	/** Everything that stays: keys, and who listens where. */
	async prepare() {
		mkdirSync(this.state, { recursive: true, mode: 0o700 });
		keepKey(this.key);
		keepKey(this.actKey);
		const { host, key, actKey } = this;
		Object.keys(await this.#truth()).forEach((name, i) => {
			const dir = join(this.state, name);
			const act = new Act({ name, dir: join(dir, 'act') });
			const keys = {
				thermal: { file: key, forced: `'${COMMAND}' --sysfs '${this.#sysfs(name)}'` },
				act: { file: actKey, forced: act.answersAs('normal') },
			};
			this.nodes.set(name, Object.assign(new Sshd({ name, dir, host, port: this.first + i, keys }), { act }));
		});
	}

	async open() {
		prepareRoot();
		await this.prepare();
		const truth = await this.#truth();
		for (const [name, node] of this.nodes) {
			rmSync(this.#sysfs(name), { recursive: true, force: true });
			writeSysfs(this.#sysfs(name), name, truth[name]);
			node.act.install(truth[name]);
		}
		await Promise.all([...this.nodes.values()].map((node) => node.up()));
	}

	/** The known_hosts of those who trust what there is now: a node that changes its key later is another. */
	writeFiles(control) {
		const nodes = [...this.nodes.values()];
		const known_hosts = join(this.state, 'known_hosts');
		writeFileSync(known_hosts, nodes.map((node) => `${node.knownHost}\n`).join(''));
		const info = {
			control_url: control, user: userInfo().username, key_file: this.key, act_key_file: this.actKey, known_hosts,
			nodes: Object.fromEntries(nodes.map(({ name, port, dir, act }) =>
				[name, { port, sysfs: this.#sysfs(name), dir, act: act.dir }])),
		};
		const file = join(this.state, 'ssh.json');
		writeFileSync(`${file}.new`, JSON.stringify(info, null, '\t'));
		renameSync(`${file}.new`, file);
	}

	async follow() {
		try {
			const truth = await this.#truth();
			for (const [name, node] of this.nodes) {
				if (!truth[name]) continue;
				writeSysfs(this.#sysfs(name), name, truth[name], false);
				node.act.follow(truth[name]);
			}
		} catch {
			// the simulator is being restarted: temperatures stay as they are
		}
	}

	async close() {
		await Promise.all([...this.nodes.values()].map((node) => node.down()));
	}

	async control(body) {
		const op = OPS[body.op];
		const node = this.nodes.get(body.node);
		if (!op || !node) throw new Error(`{"op": ${Object.keys(OPS).join(' | ')}, "node": …}`);
		await op(node, body);
	}
}

async function readBody(request) {
	const chunks = [];
	for await (const chunk of request) chunks.push(chunk);
	return JSON.parse(Buffer.concat(chunks).toString('utf8'));
}

function startControl(world, port) {
	const server = http.createServer(async (request, response) => {
		const answer = (status, value) => response.writeHead(status).end(`${JSON.stringify(value)}\n`);
		try {
			await world.control(await readBody(request));
			answer(200, { ok: true });
		} catch (error) {
			answer(400, { ok: false, error: error.message });
		}
	});
	return new Promise((done) => server.listen(port, '127.0.0.1', () => done(server)));
}

async function main() {
	const options = { state: { type: 'string' }, pve: { type: 'string' }, port: { type: 'string' },
		host: { type: 'string', default: '127.0.0.1' }, control: { type: 'string', default: '0' },
		prepare: { type: 'boolean' }, help: { type: 'boolean' } };
	const { values } = parseArgs({ options });
	if (values.help || !values.state || !values.pve || !values.port) {
		process.stdout.write(USAGE);
		process.exit(values.help ? 0 : 2);
	}
	const world = new World(values);
	if (values.prepare) {
		await world.prepare();
		return void world.writeFiles(null);
	}
	const leave = async () => {
		await world.close();
		process.exit(0);
	};
	process.on('SIGTERM', leave).on('SIGINT', leave);
	await world.open();
	const server = await startControl(world, Number(values.control));
	world.writeFiles(`http://127.0.0.1:${server.address().port}`);
	for (;;) {
		await new Promise((done) => setTimeout(done, FOLLOW_MS));
		await world.follow();
	}
}

main().catch((error) => {
	process.stderr.write(`ssh-sim: ${error.stack}\n`);
	process.exit(1);
});
