// jarvisctl as somebody calls it: with a home of their own, without a terminal, or at one.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const PROGRAM = resolve(process.env.JARVIS_BUILD ?? 'build', 'jarvisctl');

/** Callers whose homes are below DIR. */
export function callers(dir) {
	const env = (home) => {
		const { PATH } = process.env;
		return { TERM: 'xterm', PATH, HOME: join(dir, home), XDG_CONFIG_HOME: join(dir, home, 'config') };
	};

	/** Without a terminal to fall back to. */
	function start(args, { home = 'operator', input } = {}) {
		mkdirSync(join(dir, home), { recursive: true });
		const child = spawn('setsid', ['-w', PROGRAM, ...args], { env: env(home), stdio: 'pipe' });
		const out = { stdout: '', stderr: '' };
		for (const name of ['stdout', 'stderr']) child[name].setEncoding('utf8').on('data', (part) => { out[name] += part; });
		child.stdin.on('error', () => {});
		if (input !== null) child.stdin.end(input ?? '');
		const end = new Promise((done) => { child.on('close', (status) => done({ status, ...out })); });
		return { child, out, end };
	}

	const run = (args, options) => start(args, options).end;

	/** Called, and ends with this code. */
	async function expect(code, args, options) {
		const result = await run(args, options);
		assert.equal(result.status, code, `${args.join(' ')}: ${result.stdout}${result.stderr}`);
		return result;
	}

	/** Plays the person at a terminal: for each question the answer. */
	function atTerminal(args, answers, home = 'operator') {
		const quoted = [PROGRAM, ...args].map((word) => `'${word}'`).join(' ');
		mkdirSync(join(dir, home), { recursive: true });
		const child = spawn('script', ['-qec', quoted, '/dev/null'], { env: env(home), stdio: ['pipe', 'pipe', 'inherit'] });
		return new Promise((done, reject) => {
			let shown = '', next = 0, from = 0;
			const late = setTimeout(() => { child.kill(); reject(new Error(`no end; shown so far: ${shown}`)); }, 40_000);
			child.stdout.setEncoding('utf8').on('data', (part) => {
				shown += part;
				while (next < answers.length && shown.slice(from).includes(answers[next][0])) {
					from += shown.slice(from).indexOf(answers[next][0]) + answers[next][0].length;
					const answer = answers[next++][1];
					child.stdin.write(typeof answer === 'function' ? answer(shown) : answer);
				}
			});
			child.on('exit', (status) => { clearTimeout(late); done({ status, shown }); });
		});
	}

	return { env, start, run, expect, atTerminal };
}
