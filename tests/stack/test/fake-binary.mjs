// Stands in for build/<name> in the test of the demo: reads its arguments and secrets as a real service does.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { connectMqtt } from '../mqtt.mjs';
import { fromYaml } from '../yaml.mjs';

const name = process.argv[2];
const options = Object.fromEntries(['config', 'data', 'runtime', 'secrets'].map((key) => [key, { type: 'string' }]));
const { values } = parseArgs({ args: process.argv.slice(3), options });
const config = fromYaml(readFileSync(values.config, 'utf8'));
const password = readFileSync(join(values.secrets, name, 'mqtt-password'), 'utf8').trim();

async function serve() {
	const folder = join(values.data, 'gateway');
	mkdirSync(folder, { recursive: true });
	writeFileSync(join(folder, 'initial-password'), 'swordfish\n', { mode: 0o600 });
	const server = http.createServer((_, response) => response.end('ok'));
	await new Promise((done) => server.listen(config.gateway.port, '127.0.0.1', done));
}

process.on('SIGTERM', () => process.exit(0));
if (name === 'gateway') await serve();
const client = await connectMqtt({ socket: config.mqtt.socket, user: name, password });
client.publish(`jarvis/service/${name}/main/state`, 'online', { retain: true, qos: 1 });
