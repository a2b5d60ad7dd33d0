// A private Mosquitto with the configuration that ships (deploy/mosquitto), the real ACL and its own users.
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { Process, untilReady } from './process.mjs';
import { answers } from './ports.mjs';

const SHIPPED = resolve(import.meta.dirname, '../../deploy/mosquitto/mosquitto.conf');
/** What is different from machine to machine; all else stays as shipped. */
const REPLACED = ['listener', 'password_file', 'acl_file', 'persistence_location', 'user'];

/** Debian puts the broker into /usr/sbin, which an ordinary user's PATH may lack. */
function mosquitto() {
	const found = ['/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto'].find((path) => existsSync(path));
	return found ?? 'mosquitto';
}

export function brokerConfig(shipped, { dir, socket, port }) {
	const kept = shipped.split('\n').filter((line) => {
		const word = line.trim().split(/\s+/)[0];
		return word !== '' && !word.startsWith('#') && !REPLACED.includes(word);
	});
	const own = [
		`listener 0 ${socket}`,
		`password_file ${join(dir, 'passwd')}`,
		`acl_file ${join(dir, 'acl')}`,
		`persistence_location ${join(dir, 'data')}/`,
		// As root Mosquitto would become `mosquitto`, who cannot enter our folder.
		`user ${userInfo().username}`,
	];
	// Options of a listener follow its line, so ours come last.
	if (port) own.push(`listener ${port} 127.0.0.1`);
	return [...kept, ...own, ''].join('\n');
}

/** Hashed in place from a file: as an argument a password could be read by everybody. */
export function writePasswords(file, users) {
	const lines = Object.entries(users).map(([name, password]) => `${name}:${password}\n`);
	writeFileSync(file, lines.join(''), { mode: 0o600 });
	chmodSync(file, 0o600);
	execFileSync('mosquitto_passwd', ['-U', file], { stdio: ['ignore', 'ignore', 'pipe'] });
}

/**
 * Prepares the broker below `dir`; `.start()` of what it returns starts it, `ready()` waits for it.
 * `users` is name → password, `acl` the text of the ACL file, `socket` a short path.
 */
export function makeBroker({ dir, log, socket, port, users, acl, onExit }) {
	mkdirSync(join(dir, 'data'), { recursive: true, mode: 0o700 });
	writePasswords(join(dir, 'passwd'), users);
	writeFileSync(join(dir, 'acl'), acl, { mode: 0o600 });
	const conf = join(dir, 'mosquitto.conf');
	writeFileSync(conf, brokerConfig(readFileSync(SHIPPED, 'utf8'), { dir, socket, port }), { mode: 0o600 });
	const broker = new Process('broker', [mosquitto(), '-c', conf], { log, onExit });
	broker.socket = socket;
	broker.ready = async () => {
		const up = async () => (await answers({ path: socket })) && (!port || answers({ host: '127.0.0.1', port }));
		await untilReady(broker, up, 10_000, 'the broker does not come up');
		chmodSync(socket, 0o600);
	};
	return broker;
}
