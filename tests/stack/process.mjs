// One child process of the stack: started in a session of its own, tied to our life, logged to a file.
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

const STOP_MS = 5000;
const TAIL_LINES = 20;

/** setpriv makes the kernel send SIGTERM to the child when we die, however we die. */
function spawnTied(command, { log, cwd, env }) {
	const fd = openSync(log, 'a', 0o600);
	try {
		const options = { cwd, env, detached: true, stdio: ['ignore', fd, fd] };
		return spawn('setpriv', ['--pdeathsig', 'TERM', '--', ...command], options);
	} finally {
		closeSync(fd);
	}
}

export class Process {
	/** `command` is an argument vector; `log` the file that takes what it prints. */
	constructor(name, command, { log, cwd, env = process.env, onExit = () => {} }) {
		Object.assign(this, { name, command, log, cwd, env, onExit });
		this.child = null;
		this.ended = null;
		this.expected = false;
	}

	get pid() {
		return this.running ? this.child.pid : null;
	}

	get running() {
		return this.child !== null && this.ended === null;
	}

	/** How it ended, for people: null while it runs. */
	get fate() {
		if (this.ended === null) return null;
		const { code, signal, error } = this.ended;
		return error ? error.message : signal ? `ended by ${signal}` : `exited with ${code}`;
	}

	start() {
		if (this.running) throw new Error(`${this.name} runs already`);
		this.ended = null;
		this.expected = false;
		const child = spawnTied(this.command, this);
		this.child = child;
		const end = (how) => {
			if (this.ended !== null || this.child !== child) return;
			this.ended = how;
			child.emit('over');
			this.onExit(this);
		};
		child.once('error', (error) => end({ error }));
		child.once('exit', (code, signal) => end({ code, signal }));
		return this;
	}

	signal(signal) {
		if (this.running) process.kill(this.child.pid, signal);
	}

	/** Waits until it has ended; false when it still runs after `ms`. */
	async over(ms) {
		if (!this.running) return true;
		const timer = new AbortController();
		const late = sleep(ms, false, { signal: timer.signal }).catch(() => false);
		const gone = once(this.child, 'over').then(() => true);
		const result = await Promise.race([gone, late]);
		timer.abort();
		return result;
	}

	/** SIGTERM, then SIGKILL; returns false when it had to be killed. */
	async stop(ms = STOP_MS) {
		if (!this.running) return true;
		this.expected = true;
		this.signal('SIGTERM');
		this.signal('SIGCONT'); // a stopped process could not obey
		if (await this.over(ms)) return true;
		this.signal('SIGKILL');
		await this.over(ms);
		return false;
	}

	/** As a crash or the kernel would; waits for the end when the signal is one that ends it. */
	async kill(signal = 'SIGKILL') {
		this.expected = true;
		this.signal(signal);
		if (['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGABRT', 'SIGSEGV'].includes(signal)) {
			await this.over(STOP_MS);
		}
	}

	logs() {
		try {
			return readFileSync(this.log, 'utf8');
		} catch {
			return '';
		}
	}

	/** For error messages: how it ended and the last it said. */
	lastWords() {
		const lines = this.logs().trimEnd().split('\n').slice(-TAIL_LINES);
		return `${this.name}: ${this.fate ?? 'still running'}; the end of ${this.log}:\n  ${lines.join('\n  ')}`;
	}
}

/** Polls `ready` until it is true; fails at once when the process ends, and after `ms`. */
export async function untilReady(proc, ready, ms, what) {
	const deadline = performance.now() + ms;
	for (;;) {
		if (await ready()) return;
		if (!proc.running) throw new Error(`${what}: ${proc.lastWords()}`);
		if (performance.now() > deadline) throw new Error(`${what}: not within ${ms} ms; ${proc.lastWords()}`);
		await sleep(10);
	}
}
