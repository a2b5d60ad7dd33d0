// One private sshd of Debian's, as the user who runs this and for logins of that user alone, which needs no rights: own
// port, own host key, own configuration.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { answers } from '../../stack/ports.mjs';

const SSHD = '/usr/sbin/sshd';
const START_MS = 10_000;

export function makeKey(file) {
	rmSync(file, { force: true });
	rmSync(`${file}.pub`, { force: true });
	execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'jarvis-sim', '-f', file]);
}

/** Kept over a restart, as on a real machine. */
export function keepKey(file) {
	if (!existsSync(file) || !existsSync(`${file}.pub`)) makeKey(file);
}

/** As root sshd wants the folder of its package, which a machine that never ran it lacks. */
export function prepareRoot() {
	if (process.getuid() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
}

function childrenOf(pid) {
	try {
		return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(/\s+/).filter(Boolean).map(Number);
	} catch {
		return [];
	}
}

/** The process and all below it: each connection is a process of its own. */
function familyOf(pid) {
	return [pid, ...childrenOf(pid).flatMap(familyOf)];
}

function signal(pid, name) {
	try {
		process.kill(pid, name);
	} catch {
		// it has ended by itself
	}
}

export class Sshd {
	#child = null;

	/** `keys`: what whoever has the private key `file` gets, whatever they ask for, as name → {file, forced}. */
	constructor({ name, dir, host, port, keys }) {
		Object.assign(this, { name, dir, host, port, keys });
		mkdirSync(dir, { recursive: true, mode: 0o700 });
		keepKey(this.#file('host_key'));
		for (const [key, { forced }] of Object.entries(keys)) this.force(key, forced);
	}

	#file(name) {
		return join(this.dir, name);
	}

	get publicKey() {
		return readFileSync(this.#file('host_key.pub'), 'utf8').split(' ').slice(0, 2).join(' ');
	}

	get knownHost() {
		return `[127.0.0.1]:${this.port} ${this.publicKey}`;
	}

	#now = {};

	/** What the key of this name may run from now on. sshd reads it at every login. */
	force(name, command) {
		this.#now[name] = command;
		const lines = Object.entries(this.#now).map(([key, forced]) => {
			const quoted = forced.replaceAll('"', '\\"');
			return `restrict,command="${quoted}" ${readFileSync(`${this.keys[key].file}.pub`, 'utf8')}`;
		});
		writeFileSync(this.#file('authorized_keys'), lines.join(''), { mode: 0o600 });
	}

	#configure() {
		const file = this.#file('sshd_config');
		// Since 9.8 sshd locks out who fails too often, as tests do on purpose; an older one knows no such word.
		this.#write(file, 'PerSourcePenalties no');
		if (spawnSync(SSHD, ['-t', '-f', file]).status !== 0) this.#write(file);
	}

	#write(file, ...more) {
		writeFileSync(file, [
			`Port ${this.port}`, `ListenAddress ${this.host}`, `HostKey ${this.#file('host_key')}`, 'PidFile none',
			`AuthorizedKeysFile ${this.#file('authorized_keys')}`, `AllowUsers ${userInfo().username}`,
			'PubkeyAuthentication yes', 'PasswordAuthentication no', 'KbdInteractiveAuthentication no', 'UsePAM no',
			'PermitRootLogin forced-commands-only', 'PrintMotd no', 'PrintLastLog no', 'LogLevel INFO',
			// Debian's bash reads ~/.bashrc when sshd starts it as the first shell: not ours to run, or to kill half-way.
			'SetEnv SHLVL=1',
			// The folder may lie below /tmp, which everybody may write to.
			'StrictModes no', ...more, '',
		].join('\n'));
	}

	async up() {
		if (this.#child) return;
		this.#configure();
		const log = openSync(this.#file('sshd.log'), 'a', 0o600);
		const argv = ['--pdeathsig', 'TERM', '--', SSHD, '-D', '-e', '-f', this.#file('sshd_config')];
		const child = spawn('setpriv', argv, { stdio: ['ignore', log, log] });
		closeSync(log);
		this.#child = child;
		child.once('exit', () => {
			if (this.#child === child) this.#child = null;
		});
		const until = performance.now() + START_MS;
		while (!(await answers({ host: '127.0.0.1', port: this.port }))) {
			if (this.#child !== child || performance.now() > until) {
				throw new Error(`sshd of ${this.name} does not come up: see ${this.#file('sshd.log')}`);
			}
			await sleep(20);
		}
	}

	/** All of its processes, by id: connections outlive the one that accepted them. */
	signal(name) {
		if (this.#child) for (const pid of familyOf(this.#child.pid)) signal(pid, name);
	}

	async down() {
		const child = this.#child;
		if (!child) return;
		const over = once(child, 'exit');
		this.signal('SIGCONT');
		this.signal('SIGKILL');
		await over;
	}

	/** Cuts all connections, and goes on listening. */
	cut() {
		if (this.#child) for (const pid of familyOf(this.#child.pid).slice(1)) signal(pid, 'SIGKILL');
	}

	/** Another machine at the same address. */
	async rekey() {
		await this.down();
		makeKey(this.#file('host_key'));
		await this.up();
	}
}
