// Who runs in a stack, and with which secrets. A new service is one row.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * In the order of their start. `files`: the secret files below secrets/<name>/ beside the MQTT password,
 * given what the simulator told of itself (null without one) and the gate's keys, as name → text.
 */
export const SERVICES = [
	{ name: 'proxmox-poller', files: (sim) => (sim ? { [`${sim.cluster}.token`]: tokenOf(sim, 'monitor') } : {}) },
	{ name: 'executor', files: (sim, keys) => ({ 'gate.pub': keys.publicKey,
		...(sim ? { [`${sim.cluster}.token`]: tokenOf(sim, 'control') } : {}) }) },
	{ name: 'gateway' },
];

/** Everybody whom the broker knows: our own services, also those that do not run yet. */
export const USERS = ['proxmox-poller', 'thermal-collector', 'monitor', 'safety-gate', 'executor',
	'docker-poller', 'llm-router', 'memory', 'terminal', 'notifier', 'gateway'];

/** Reads all that a viewer may (class viewer in jarvis.yaml): the demo's MQTT_USER. */
export const READER = 'demo';
/** Sees and may do everything; only in tests. */
export const OBSERVER = 'observer';
export const OBSERVER_ACL = `\nuser ${OBSERVER}\ntopic readwrite #\n`;

export function makePasswords({ observer }) {
	const names = [...USERS, READER, ...(observer ? [OBSERVER] : [])];
	return Object.fromEntries(names.map((name) => [name, randomBytes(16).toString('hex')]));
}

/** The secret of a token that the simulator issued. */
function tokenOf(sim, name) {
	return readFileSync(sim.tokens[name].secret_file, 'utf8').trim();
}

function writeSecret(path, text) {
	mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
	writeFileSync(path, `${text}\n`, { mode: 0o600 });
}

const hex = (base64url) => Buffer.from(base64url, 'base64url').toString('hex');

/** The safety gate's signing key (its seed) and the public half that the executor knows; made once. */
export function gateKeys(dir) {
	const files = { signingKey: join(dir, 'safety-gate', 'signing-key'), publicKey: join(dir, 'executor', 'gate.pub') };
	if (Object.values(files).every(existsSync)) {
		return Object.fromEntries(Object.entries(files).map(([name, file]) => [name, readFileSync(file, 'utf8').trim()]));
	}
	const { d, x } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
	return { signingKey: hex(d), publicKey: hex(x) };
}

/** secrets/<service>/<name>, one value a file. */
export function writeSecrets(dir, passwords, sim) {
	const keys = gateKeys(dir);
	writeSecret(join(dir, 'safety-gate', 'signing-key'), keys.signingKey);
	for (const name of USERS) writeSecret(join(dir, name, 'mqtt-password'), passwords[name]);
	for (const { name, files = () => ({}) } of SERVICES) {
		for (const [file, text] of Object.entries(files(sim, keys))) writeSecret(join(dir, name, file), text);
	}
}
