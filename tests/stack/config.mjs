// Writes jarvis.yaml for a run: the reference cluster of deploy/jarvis.example.yaml at the simulator's addresses.
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { READER } from './services.mjs';
import { fromYaml, toYaml } from './yaml.mjs';

const ROOT = resolve(import.meta.dirname, '../..');
const EXAMPLE = resolve(ROOT, 'deploy/jarvis.example.yaml');

/** What the example knows of a node stays; where it is comes from the simulator. */
function nodesOf(sim, known = {}, ssh = null) {
	const node = ([name, { host, port, fingerprint }]) => {
		const where = host ? { address: host, port, fingerprint } : { address: undefined };
		where.ssh_port = ssh?.nodes[name]?.port;
		return [name, { ...known[name], ...where }];
	};
	return Object.fromEntries(Object.entries(sim.nodes).map(node));
}

/** Temperatures are read where there are sshds to read them from. */
const thermalOf = (ssh) => (ssh ? { user: ssh.user, known_hosts: ssh.known_hosts, interval: '5s' } : undefined);

function clusterOf(sim, known = {}, ssh = null) {
	const token = sim.tokens.monitor.id;
	// Each node is pinned by its fingerprint, so the authority is not needed.
	const executor = { token: sim.tokens.control.id, ssh: ssh ? { user: ssh.user, known_hosts: ssh.known_hosts } : undefined };
	const where = { ca: undefined, nodes: nodesOf(sim, known.nodes, ssh), thermal: thermalOf(ssh) };
	return { ...known, token, executor, ...where };
}

/** For another cluster than the example's there is nothing to protect and nothing to depend on. */
function startingPoint(sim) {
	const example = fromYaml(readFileSync(EXAMPLE, 'utf8'));
	return sim && example.clusters[sim.cluster] ? example : { gateway: {}, clusters: {} };
}

/** The configuration as an object; `change(config)` of a test may alter it before it is written. */
export function makeConfig({ base, socket, port, sim, ssh = null, change = () => {} }) {
	const config = startingPoint(sim);
	Object.assign(config, { base, mqtt: { socket } });
	config.clusters = sim ? { [sim.cluster]: clusterOf(sim, config.clusters[sim.cluster], ssh) } : {};
	// No proxy stands before this one.
	const direct = { listen: '127.0.0.1', port, origins: undefined, trusted_proxies: undefined };
	Object.assign(config.gateway, direct, { web_dir: resolve(ROOT, 'web/dist') });
	config.principals = { ...config.principals, [READER]: { class: 'viewer' } };
	change(config);
	return config;
}

export function writeConfig(file, options) {
	const config = makeConfig(options);
	writeFileSync(file, `# written by tests/stack/config.mjs for one run\n${toYaml(config)}`, { mode: 0o600 });
	return config;
}
