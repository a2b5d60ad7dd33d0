// For the profile `demo` of deploy/compose.yaml: starts the simulator once, so that its cluster, certificates and
// tokens are there, has the keys of its nodes' sshds made, and writes configuration and secrets that fit them. The
// operator is enrolled: the keyword is in HOME/secrets/keyword-of-operator, the secret of the codes beside the gate's.
//
//   node tests/stack/compose.mjs HOME FRONT [ORIGIN…]      (deploy/setup --demo calls it, inside the image)
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeConfig } from './config.mjs';
import { SERVICES, enrol, gateKeys } from './services.mjs';
import { SSH_MAIN, makeSimulator } from './simulator.mjs';

const FIRST_PORT = 8006;
const FIRST_SSH_PORT = 2201;
/** What the poller finds under this name is the API, the thermal collector the sshds, and the executor either; each on a network of its own. */
const NODE = 'cluster';
/** The only user whom the sshds know (deploy/Dockerfile). */
const SSH_USER = 'thermal';
const [home, front, ...origins] = process.argv.slice(2);

/** What is different in containers: names in place of loopback, and a proxy in front. */
function inContainers(config) {
	config.mqtt = { host: 'mosquitto', port: 1883 };
	Object.assign(config.gateway, { listen: '0.0.0.0', port: 3004, origins, trusted_proxies: [front] });
	config.gateway.web_dir = '/usr/local/share/jarvis/web';
	for (const cluster of Object.values(config.clusters)) {
		for (const node of Object.values(cluster.nodes)) node.address = NODE;
		for (const section of [cluster.thermal, cluster.executor.ssh]) Object.assign(section, { user: SSH_USER, known_hosts: '/etc/jarvis/known_hosts' });
	}
}

/** Keys alone: the sshds are another container's. */
function prepareSsh(sim) {
	const dir = join(home, 'data/ssh-simulator');
	const options = ['--prepare', '--state', dir, '--pve', sim.control_url, '--port', String(FIRST_SSH_PORT)];
	execFileSync(process.execPath, [SSH_MAIN, ...options]);
	return JSON.parse(readFileSync(join(dir, 'ssh.json'), 'utf8'));
}

function writeFiles(sim, ssh) {
	mkdirSync(join(home, 'conf'), { recursive: true });
	const known = readFileSync(ssh.known_hosts, 'utf8').replaceAll('[127.0.0.1]', `[${NODE}]`);
	writeFileSync(join(home, 'conf/known_hosts'), known);
	writeConfig(join(home, 'conf/jarvis.yaml'), { base: 'jarvis', port: 3004, sim, ssh, change: inContainers });
	for (const { name, files = () => ({}) } of SERVICES) {
		mkdirSync(join(home, 'secrets', name), { recursive: true, mode: 0o700 });
		for (const [file, text] of Object.entries(files(sim, ssh))) {
			writeFileSync(join(home, 'secrets', name, file), `${text}\n`, { mode: 0o600 });
		}
	}
}

/** As an owner would: with the jarvisctl of the image. */
function makeApproval() {
	const secrets = join(home, 'secrets');
	gateKeys(secrets, 'jarvisctl');
	enrol(secrets, 'jarvisctl', 'operator');
}

const state = join(home, 'data/simulator');
mkdirSync(state, { recursive: true });
const simulator = makeSimulator({ dir: state, log: '/tmp/simulator.log', options: { port: FIRST_PORT }, onExit: () => {} });
simulator.prepare();
simulator.start();
try {
	const sim = await simulator.ready();
	writeFiles(sim, prepareSsh(sim));
	makeApproval();
} finally {
	await simulator.stop();
}
