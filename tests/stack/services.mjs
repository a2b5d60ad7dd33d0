// Who runs in a stack, and with which secrets. A new service is one row.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * In the order of their start. `files`: the secret files below secrets/<name>/ beside the MQTT password,
 * given what the simulators of Proxmox and of the nodes' sshd told of themselves (null without one), as name → text.
 * `sim`: the further simulator it needs.
 */
export const SERVICES = [
	{ name: 'proxmox-poller', files: (sim) => (sim ? { [`${sim.cluster}.token`]: tokenOf(sim, 'monitor') } : {}) },
	{ name: 'thermal-collector', sim: 'ssh',
		files: (sim, ssh) => (ssh ? { 'ssh-key': readFileSync(ssh.key_file, 'utf8').trim() } : {}) },
	{ name: 'safety-gate' },
	{ name: 'executor',
		files: (sim, ssh) => ({ ...(sim ? { [`${sim.cluster}.token`]: tokenOf(sim, 'control') } : {}),
			...(ssh ? { 'ssh-key': readFileSync(ssh.act_key_file, 'utf8').trim() } : {}) }) },
	{ name: 'gateway' },
];

const VOCABULARY = join(import.meta.dirname, '../../common/services.def');
/** Everybody whom the broker knows: our own services, also those that do not run yet. */
export const USERS = [...readFileSync(VOCABULARY, 'utf8').matchAll(/^SERVICE\(\w+, "([^"]+)"/gm)].map((m) => m[1]);

/** Reads all that a viewer may (class viewer in jarvis.yaml): the demo's MQTT_USER. */
export const READER = 'demo';
/** Sees and may do everything; only in tests. */
export const OBSERVER = 'observer';
export const OBSERVER_ACL = `\nuser ${OBSERVER}\ntopic readwrite #\n`;

export function makePasswords({ observer, users = [] }) {
	const names = [...USERS, ...users, READER, ...(observer ? [OBSERVER] : [])];
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

/** The safety gate's keys, made once by jarvisctl as an owner would; tests play the gate with its signing key. */
export function gateKeys(dir, jarvisctl) {
	const argv = ['keys', '--secrets', dir];
	if (!existsSync(join(dir, 'safety-gate', 'signing-key'))) execFileSync(jarvisctl, argv, { stdio: 'ignore' });
	const read = (...path) => readFileSync(join(dir, ...path), 'utf8').trim();
	return { signingKey: read('safety-gate', 'signing-key'), publicKey: read('executor', 'gate.pub') };
}

/**
 * Lets `name` approve, as jarvisctl does it on the host: {keyword, totp}. Whoever is enrolled stays so; the keyword is
 * kept beside the secrets, for the gate has but its hash.
 */
export function enrol(dir, jarvisctl, name) {
	const kept = join(dir, `keyword-of-${name}`);
	if (!existsSync(kept)) {
		const keyword = randomBytes(9).toString('base64url');
		const argv = ['person', 'enrol', '--secrets', dir, '--keyword-file', '-', '--yes', '--replace', name];
		execFileSync(jarvisctl, argv, { input: `${keyword}\n`, stdio: ['pipe', 'ignore', 'inherit'] });
		writeSecret(kept, keyword);
	}
	const { persons } = JSON.parse(readFileSync(join(dir, 'safety-gate', 'persons.json'), 'utf8'));
	const { totp } = persons.find((person) => person.name === name);
	return { keyword: readFileSync(kept, 'utf8').trim(), totp };
}

/** secrets/<service>/<name>, one value a file. */
export function writeSecrets(dir, passwords, sim, ssh) {
	for (const name of USERS) writeSecret(join(dir, name, 'mqtt-password'), passwords[name]);
	for (const { name, files = () => ({}) } of SERVICES) {
		for (const [file, text] of Object.entries(files(sim, ssh))) writeSecret(join(dir, name, file), text);
	}
}
