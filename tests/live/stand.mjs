// The private broker with the real services that read, beside the installation and without its broker.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { makeBroker } from '../stack/broker.mjs';
import { connectMqtt } from '../stack/mqtt.mjs';
import { parsePayload, topicMatches } from '../stack/observer.mjs';
import { Process, untilReady } from '../stack/process.mjs';
import { OBSERVER, OBSERVER_ACL, SERVICES, makePasswords } from '../stack/services.mjs';

const ONLINE_MS = 15_000;

/**
 * Services that read and never act. `wants(config)`: there is something for it to do; `secrets(config)`: its files, and
 * which clusters need them; `sources`: where it says how it is answered, below pve/CLUSTER/; `does`: beside what the paths
 * of proxmox-poller say.
 */
const READERS = [
	{
		name: 'proxmox-poller', sources: 'state', wants: () => true,
		secrets: (config) => Object.keys(config.clusters).map((cluster) => ({ file: `${cluster}.token`, clusters: [cluster] })),
	},
	{
		name: 'thermal-collector', sources: 'thermal', wants: (config) => thermal(config).length > 0,
		does: 'logs in at each node over SSH, where its key may run one command that prints temperatures',
		secrets: (config) => [{ file: 'ssh-key', clusters: thermal(config) }],
	},
];

const thermal = (config) => Object.keys(config.clusters).filter((name) => config.clusters[name].thermal);

/** Of those above, what this tree has and the configuration asks for. */
export function readersFor(config) {
	const known = new Set(SERVICES.map(({ name }) => name));
	return READERS.filter(({ name, wants }) => known.has(name) && wants(config));
}

export class Stand {
	#processes = [];
	#client = null;
	/** topic → the newest payload as text */
	newest = new Map();
	/** Everything that was said and is not state: [topic, text]. */
	said = [];

	constructor({ build, scratch, config, readers }) {
		Object.assign(this, { build, scratch, readers, base: config.base });
		const mqtt = { socket: scratch.path('b.sock'), keepalive: config.mqtt.keepalive };
		this.file = scratch.write(JSON.stringify({ ...config, mqtt }), 'jarvis.yaml');
		this.passwords = makePasswords({ observer: true });
		for (const { name } of readers) scratch.write(`${this.passwords[name]}\n`, 'secrets', name, 'mqtt-password');
	}

	async start() {
		const { scratch, passwords } = this;
		const acl = execFileSync(join(this.build, 'topicgen'), ['acl', '--config', this.file], { encoding: 'utf8' });
		const socket = scratch.path('b.sock');
		const broker = makeBroker({ dir: scratch.path('broker'), log: scratch.path('log', 'broker.log'), socket,
			users: passwords, acl: acl + OBSERVER_ACL });
		this.#processes.push(broker.start());
		await broker.ready();
		this.#client = await connectMqtt({ socket, user: OBSERVER, password: passwords[OBSERVER] });
		this.#client.on('message', (topic, payload, packet) => this.#take(topic, payload.toString(), packet));
		await this.#client.subscribeAsync('#', { qos: 1 });
		await Promise.all(this.readers.map((reader) => this.#startService(reader.name)));
		return this;
	}

	async #startService(name) {
		const { scratch } = this;
		const argv = [join(this.build, name), '--config', this.file, '--data', scratch.path('data'),
			'--runtime', scratch.path('run'), '--secrets', scratch.path('secrets')];
		const service = new Process(name, argv, { log: scratch.path('log', `${name}.log`) }).start();
		this.#processes.push(service);
		await this.#untilOnline(service);
	}

	async #untilOnline(service) {
		const { name } = service;
		const online = () => this.docs(`service/${name}/+/state`).some(({ doc }) => doc === 'online');
		await untilReady(service, online, ONLINE_MS, `${name} does not come up`);
	}

	#take(topic, text, packet) {
		this.newest.set(topic, text);
		if (!packet.retain && /\/(health|log)$|\/event\//.test(topic)) this.said.push([topic, text]);
	}

	/** [{topic, doc}] below {base}, without what was cleared. */
	docs(filter) {
		const found = [...this.newest].filter(([topic, text]) => text !== '' && topicMatches(`${this.base}/${filter}`, topic));
		return found.map(([topic, text]) => ({ topic, doc: parsePayload(text) }));
	}

	doc(path) {
		const text = this.newest.get(`${this.base}/${path}`);
		return text ? parsePayload(text) : null;
	}

	/** A service that ended by itself: [its last words]. */
	get fallen() {
		return this.#processes.filter((proc) => !proc.running).map((proc) => proc.lastWords());
	}

	/** Starts again what ended by itself. */
	async revive() {
		for (const service of this.#processes.filter((proc) => !proc.running)) {
			service.start();
			await this.#untilOnline(service);
		}
	}

	/** What does not decode by the vocabulary: ["topic: why"]; and how many messages were looked at. */
	decode() {
		const all = [...this.newest, ...this.said];
		const input = all.map(([topic, text]) => `${topic}\t${text.replaceAll('\n', ' ')}\n`).join('');
		const program = join(this.build, 'livecheck');
		const output = execFileSync(program, ['decode', this.base], { input, encoding: 'utf8', maxBuffer: 64 << 20 });
		return { count: all.length, problems: output.split('\n').filter(Boolean).map((line) => line.replace('\t', ': ')) };
	}

	async stop() {
		await this.#client?.endAsync(true);
		this.#client = null;
		for (const proc of this.#processes.toReversed()) await proc.stop();
	}
}
