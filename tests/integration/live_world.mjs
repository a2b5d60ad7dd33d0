// What the tests of `make check-live` share: installations of their own beside a simulator, and runs of the real program.
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after } from 'node:test';
import { fromYaml, toYaml } from '../stack/yaml.mjs';

export const MAIN = resolve(import.meta.dirname, '../live/main.mjs');
export const dir = mkdtempSync(join(tmpdir(), 'live-'));
after(() => rmSync(dir, { recursive: true, force: true }));

let runs = 0;

/** Starts it; `done` is {status, text}, `text` what it has said so far, `says(pattern)` waits for it. */
export function run(config, more = [], env = process.env) {
	const child = spawn(process.execPath, [MAIN, '--config', config, '--out', join(dir, `out${++runs}`), ...more], { stdio: ['ignore', 'pipe', 'pipe'], env });
	const live = { child, text: '', waits: [] };
	const look = () => {
		for (const wait of live.waits.splice(0)) wait.pattern.test(live.text) ? wait.done() : live.waits.push(wait);
	};
	live.says = (pattern) => new Promise((done) => {
		live.waits.push({ pattern, done });
		look();
	});
	for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => {
		live.text += chunk;
		look();
	});
	live.done = new Promise((done) => child.once('close', (status) => done({ status, text: live.text })));
	return live;
}

/** Runs it to its end: {status, text}. */
export const check = (config, ...more) => run(config, more).done;

/** An installation of its own: the stack's files, with a change to jarvis.yaml. */
export function installation(stack, name, change = () => {}) {
	const home = join(dir, name);
	mkdirSync(home, { recursive: true });
	cpSync(join(stack.data, 'secrets'), join(home, 'secrets'), { recursive: true });
	const config = fromYaml(readFileSync(stack.configFile, 'utf8'));
	change(config, home);
	writeFileSync(join(home, 'jarvis.yaml'), toYaml(config));
	return home;
}

export function fails(text) {
	return text.split('\n').filter((line) => line.startsWith('FAIL')).map((line) => line.slice(6));
}
