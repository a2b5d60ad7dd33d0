// For the profile `demo` of deploy/compose.yaml: starts the simulator once, so that its cluster, certificates and
// tokens are there, and writes the configuration and the token that fit it.
//
//   node tests/stack/compose.mjs HOME FRONT [ORIGIN…]      (deploy/setup --demo calls it, inside the image)
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeConfig } from './config.mjs';
import { SERVICES } from './services.mjs';
import { makeSimulator } from './simulator.mjs';

const FIRST_PORT = 8006;
const [home, front, ...origins] = process.argv.slice(2);

/** What is different in containers: names in place of loopback, and a proxy in front. */
function inContainers(config) {
	config.mqtt = { host: 'mosquitto', port: 1883 };
	Object.assign(config.gateway, { listen: '0.0.0.0', port: 3004, origins, trusted_proxies: [front] });
	config.gateway.web_dir = '/usr/local/share/jarvis/web';
	for (const cluster of Object.values(config.clusters)) {
		for (const node of Object.values(cluster.nodes)) node.address = 'simulator';
	}
}

function writeFiles(sim) {
	mkdirSync(join(home, 'conf'), { recursive: true });
	writeConfig(join(home, 'conf/jarvis.yaml'), { base: 'jarvis', port: 3004, sim, change: inContainers });
	for (const { name, files = () => ({}) } of SERVICES) {
		mkdirSync(join(home, 'secrets', name), { recursive: true, mode: 0o700 });
		for (const [file, text] of Object.entries(files(sim))) {
			writeFileSync(join(home, 'secrets', name, file), `${text}\n`, { mode: 0o600 });
		}
	}
}

const state = join(home, 'data/simulator');
mkdirSync(state, { recursive: true });
const simulator = makeSimulator({ dir: state, log: '/tmp/simulator.log', options: { port: FIRST_PORT }, onExit: () => {} });
simulator.prepare();
simulator.start();
try {
	writeFiles(await simulator.ready());
} finally {
	await simulator.stop();
}
