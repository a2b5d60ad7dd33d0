// What the benchmarks measure with: the load generator, a process's memory and CPU, a login.
import { spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const BUILD = resolve(process.env.JARVIS_BUILD ?? 'build');

/** Proportional set size in MB: shared pages are shared out. Who has ended and waits for its parent has none. */
export function pss(pid) {
	const line = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8').match(/^Pss:\s+(\d+)/m);
	return Number(line?.[1] ?? 0) / 1024;
}

export function rss(pid) {
	return Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(/^VmRSS:\s+(\d+)/m)[1]) / 1024;
}

/** CPU seconds that a process's threads have used; the scheduler's own count, for ticks of 10 ms are too coarse. */
export function cpuSeconds(pid) {
	return readdirSync(`/proc/${pid}/task`)
		.map((task) => Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]) / 1e9)
		.reduce((sum, seconds) => sum + seconds, 0);
}

/** Logs in as the operator; what the browser would send as its cookie. */
export async function login(stack) {
	const answer = await fetch(`${stack.url}/api/login`, {
		method: 'POST',
		headers: { 'Content-Type': 'application/json', 'X-Jarvis': '1', Origin: stack.url },
		body: JSON.stringify({ user: 'operator', password: stack.password }),
	});
	if (!answer.ok) throw new Error(`login: ${answer.status} ${await answer.text()}`);
	return answer.headers.get('set-cookie').split(';')[0];
}

/** A child that ends with us, whatever ends us. */
export function spawnTied(program, argv, env) {
	return spawn('setpriv', ['--pdeathsig', 'TERM', program, ...argv], { env, stdio: ['ignore', 'pipe', 'inherit'] });
}

/**
 * Starts `benchload MODE`. `ready` settles when it is connected, `result` is the object that it prints last.
 */
export function load(mode, options, cookie) {
	const argv = [mode];
	for (const [name, value] of Object.entries(options)) {
		if (value === true) argv.push(`--${name}`);
		else if (value !== undefined && value !== false) argv.push(`--${name}`, String(value));
	}
	const env = { ...process.env, BENCH_COOKIE: cookie ?? '' };
	const child = spawnTied(join(BUILD, 'benchload'), argv, env);
	let text = '';
	let saysReady;
	const ready = new Promise((done) => (saysReady = done));
	child.stdout.setEncoding('utf8').on('data', (part) => {
		text += part;
		if (text.includes('\n')) saysReady(JSON.parse(text.split('\n')[0]));
	});
	const result = new Promise((done, fail) => {
		child.on('exit', (code) => {
			const lines = text.trim().split('\n');
			if (code !== 0) fail(new Error(`benchload ${argv.join(' ')} ended with ${code}`));
			else done(JSON.parse(lines.at(-1)));
		});
	});
	return { ready, result, child };
}

/** Options of benchload that name the broker, with the rights of `user`. */
export function brokerAs(stack, user) {
	return { socket: stack.socket, user, 'password-file': join(stack.data, 'secrets', user, 'mqtt-password') };
}

/** A gauge or counter of the gateway's /metrics, summed over its labels. */
export async function metric(stack, cookie, name) {
	const text = await (await fetch(`${stack.url}/metrics`, { headers: { Cookie: cookie } })).text();
	const values = [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? ([0-9.e+-]+)`, 'gm'))];
	return values.reduce((sum, m) => sum + Number(m[1]), 0);
}

export { pause };
