// The demo's folder: one demo a folder, and the file that says how to reach it.
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** What the user has to change; told without a stack trace. */
export class Refusal extends Error {}

function read(path) {
	try {
		return JSON.parse(readFileSync(path, 'utf8'));
	} catch {
		return null;
	}
}

/** A process id may have been given to somebody else since. */
function isDemo(pid) {
	const file = `/proc/${pid}/cmdline`;
	return existsSync(file) && readFileSync(file, 'utf8').includes('demo.mjs');
}

/** Left in a folder by the first demo that used it: what lies there is a demo's. */
const MARK = '.jarvis-demo';

/** A folder with anything in it that no demo made is somebody else's: /etc, a home, a project. */
function markFolder(path) {
	mkdirSync(path, { recursive: true, mode: 0o700 });
	const mark = join(path, MARK);
	if (existsSync(mark)) return;
	if (readdirSync(path).length > 0) {
		throw new Refusal(`${path} has files in it that no demo made: choose an empty or a new folder with make demo DATA=…`);
	}
	writeFileSync(mark, 'a demo of Jarvis keeps its files here; see make demo\n');
}

/** Takes `path` for this demo, and clears up after one that was killed. */
export function claimFolder(path) {
	markFolder(path);
	const claim = join(path, 'demo.pid');
	const old = read(claim);
	if (old && isDemo(old.pid)) {
		throw new Refusal(`a demo (process ${old.pid}) runs in ${path}: choose another with make demo DATA=…`);
	}
	if (old?.runtime && basename(old.runtime).startsWith('jv-')) rmSync(old.runtime, { recursive: true, force: true });
	const env = join(path, 'demo.env');
	rmSync(env, { force: true });
	const remember = (runtime) => writeFileSync(claim, JSON.stringify({ pid: process.pid, runtime }), { mode: 0o600 });
	remember(null);
	const release = () => {
		rmSync(env, { force: true });
		rmSync(claim, { force: true });
	};
	return { path, remember, release };
}

/** By rename: whoever waits for the file finds all of it. Values are ours and have no quotes in them. */
export function writeEnv(path, settings) {
	const text = Object.entries(settings).map(([name, value]) => `${name}='${value}'\n`).join('');
	const fresh = join(path, 'demo.env.tmp');
	writeFileSync(fresh, text, { mode: 0o600 });
	renameSync(fresh, join(path, 'demo.env'));
}
