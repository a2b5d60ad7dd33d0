// The near side of docs/ssh-tools.md, written from that document: a request as it goes out, and what an answer is worth.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';

export const ENVELOPE = JSON.stringify({ payloadType: 'application/vnd.jarvis.grant.v1+json', payload: 'e30=',
	signatures: [{ keyid: 'k', sig: 'AA==' }] });
const OUTCOMES = ['exit', 'signal', 'timeout', 'flood', 'refused'];

/** The bytes of a request; anything of it can be replaced. */
export function makeRequest(tool, params = {}, { version = '1', id = 'r-1', boundary, seconds = 10, envelope = ENVELOPE, end = ['end'] } = {}) {
	const pairs = Array.isArray(params) ? params : Object.entries(params).map(([name, value]) => `${name}=${value}`);
	const fields = [version, id, boundary, `${seconds}`, tool, ...pairs, ...end];
	return Buffer.concat([Buffer.from(`${envelope}\n`), ...fields.map((field) => Buffer.concat([Buffer.from(field), Buffer.alloc(1)]))]);
}

export const makeBoundary = () => randomBytes(16).toString('hex');

/** What the executor may believe. */
export function parseAnswer(bytes, boundary) {
	const unknown = (why) => ({ outcome: 'unknown', why });
	const begin = Buffer.from(`JARVIS-BEGIN ${boundary} 1\n`);
	let at = bytes.indexOf(begin);
	while (at > 0 && bytes[at - 1] !== 10) at = bytes.indexOf(begin, at + 1);
	if (at < 0) return unknown('no begin');
	if (bytes.at(-1) !== 10) return unknown('no trailer');
	const last = bytes.lastIndexOf(10, bytes.length - 2);
	const trailer = bytes.subarray(last + 1, -1).toString('latin1');
	const [, b, outcome, ...numbers] = /^JARVIS-END ([0-9a-f]{32}) ([a-z]+) (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)$/.exec(trailer) ?? [];
	if (b !== boundary || !OUTCOMES.includes(outcome)) return unknown('no trailer');
	const [value, out, outLost, err, errLost, ms] = numbers.map(Number);
	const body = bytes.subarray(at + begin.length, last);
	if (body.length !== out + err) return unknown('lengths');
	return { outcome, value, out: body.subarray(0, out).toString(), outLost, err: body.subarray(out).toString(), errLost, ms };
}

/** Runs a program with INPUT; what it said, and how it ended. `cut`: its input is never closed. */
export async function runProgram(command, argv, input, { ms = 20_000, env = process.env, cut = false } = {}) {
	const child = spawn(command, argv, { stdio: 'pipe', env });
	const out = [];
	const err = [];
	child.stdout.on('data', (chunk) => out.push(chunk));
	child.stderr.on('data', (chunk) => err.push(chunk));
	child.stdin.on('error', () => {});
	if (cut) child.stdin.write(input);
	else child.stdin.end(input);
	const timer = setTimeout(() => child.kill('SIGKILL'), ms);
	const [code, signal] = await once(child, 'close');
	clearTimeout(timer);
	return { code, signal, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString() };
}

/** Options of ssh for whoever holds a key and trusts what is in `known`. */
export function sshArgv({ key, known, port, user, host = '127.0.0.1', more = [] }, command = 'jarvis-act') {
	return ['-F', 'none', '-i', key, '-p', `${port}`, '-o', 'BatchMode=yes', '-o', `UserKnownHostsFile=${known}`,
		'-o', 'StrictHostKeyChecking=yes', '-o', 'IdentitiesOnly=yes', '-o', 'LogLevel=ERROR', ...more, '--',
		`${user}@${host}`, ...[command].flat()];
}
