// Runs one test program in a scratch folder of its own and judges what came of it.
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, readdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { countCmocka, countNodeTest } from './formats.mjs';
import { newMarker, reap, survivors } from './processes.mjs';

const node = resolve(import.meta.dirname, '../../tools/node');
// One that runs wild ends itself, and not the machine.
const HEAP_MB = 1024;
const SHOWN_MAX = 256 * 1024;

function commandFor(path, scratch) {
	if (!path.endsWith('.mjs')) return [resolve(path)];
	const reporters = ['--test-reporter=tap', `--test-reporter-destination=${join(scratch, 'tap')}`,
		'--test-reporter=spec', '--test-reporter-destination=stdout'];
	return [node, `--max-old-space-size=${HEAP_MB}`, ...reporters, resolve(path)];
}

/**
 * Sanitizers write to files of ours, not to stderr: so reports of the daemons that a test starts
 * are found as well, whatever becomes of their output.
 */
function environment(scratch, marker) {
	const env = { ...process.env, [marker]: '1', SCRATCH: scratch, TMPDIR: scratch };
	env.CMOCKA_MESSAGE_OUTPUT = 'TAP';
	for (const name of ['ASAN_OPTIONS', 'UBSAN_OPTIONS', 'TSAN_OPTIONS', 'LSAN_OPTIONS']) {
		const own = `log_path=${join(scratch, 'sanitizer')}:print_stacktrace=1`;
		env[name] = process.env[name] ? `${process.env[name]}:${own}` : own;
	}
	delete env.JARVIS_TALLY; // a tests/run below this one is none of our stages
	delete env.NODE_TEST_CONTEXT; // or a node:test below this one reports to nobody
	return env;
}

function start(path, scratch, marker) {
	mkdirSync(scratch, { recursive: true, mode: 0o700 });
	const out = openSync(join(scratch, 'output'), 'w');
	const stdio = ['ignore', out, out];
	// The program ends with us, even if we are killed; a session of its own names what it leaves.
	const args = ['--pdeathsig', 'TERM', '--', ...commandFor(path, scratch)];
	const env = environment(scratch, marker);
	const child = spawn('setpriv', args, { stdio, env, detached: true });
	closeSync(out);
	return child;
}

/** Resolves to how it ended: {code, signal, timedOut, stopped} or {error}. */
function ending(child, limit, signal) {
	return new Promise((done) => {
		const how = {};
		const end = (sign) => process.kill(-child.pid, sign);
		let hard;
		const terminate = (why) => {
			how[why] = true;
			end('SIGTERM');
			hard = setTimeout(end, 2000, 'SIGKILL');
		};
		const timer = setTimeout(terminate, limit, 'timedOut');
		const abort = () => terminate('stopped');
		signal.addEventListener('abort', abort, { once: true });
		const settle = (result) => {
			clearTimeout(timer);
			clearTimeout(hard);
			signal.removeEventListener('abort', abort);
			done({ ...how, ...result });
		};
		child.once('error', (error) => settle({ error }));
		child.once('exit', (code, sign) => settle({ code, signal: sign }));
	});
}

function sanitizerReports(scratch) {
	const files = readdirSync(scratch).filter((name) => name.startsWith('sanitizer.'));
	return files.map((name) => readFileSync(join(scratch, name), 'utf8')).filter((text) => text.trim());
}

function tail(text) {
	return text.length > SHOWN_MAX ? `… (cut)\n${text.slice(-SHOWN_MAX)}` : text;
}

function count(path, scratch, output, how) {
	if (path.endsWith('.mjs')) return countNodeTest(join(scratch, 'tap'));
	return countCmocka(output) ?? { passed: how.code === 0 ? 1 : 0, failed: 0, skipped: 0 };
}

/** What went wrong beside the tests that failed by themselves. */
function troubles(how, counts, reports, left, limit) {
	const list = [];
	if (how.error) list.push(`cannot be started: ${how.error.message}`);
	else if (how.stopped) list.push('stopped');
	else if (how.timedOut) list.push(`killed after its time limit of ${limit / 1000} s`);
	else if (how.signal) list.push(`crashed: ${how.signal}`);
	if (reports.length > 0) list.push(`${reports.length} sanitizer report(s)`);
	if (left.length > 0) list.push(`left processes behind: ${left.join(', ')}`);
	if (list.length === 0 && how.code !== 0 && counts.failed === 0) list.push(`exit code ${how.code}`);
	if (list.length === 0 && counts.passed + counts.failed === 0) list.push('ran no tests');
	return list;
}

/** Runs `path`; the result says what to show and how many tests passed and failed. */
export async function runProgram(path, { scratch, limit, signal }) {
	const began = performance.now();
	const marker = newMarker();
	const child = start(path, scratch, marker);
	const how = await ending(child, limit, signal);
	const left = await survivors(child.pid, marker, how.timedOut || how.stopped ? 500 : 2000);
	reap(left);
	if (left.length > 0) await survivors(child.pid, marker, 1000);
	const output = readFileSync(join(scratch, 'output'), 'utf8');
	const counts = count(path, scratch, output, how);
	const reports = sanitizerReports(scratch);
	const names = left.map((p) => `${p.name} (${p.pid})`);
	const trouble = troubles(how, counts, reports, names, limit);
	return {
		name: path.replace(/^(\.\/)?(build[^/]*\/)?/, '') || basename(path),
		passed: counts.passed,
		failed: counts.failed + trouble.length,
		skipped: counts.skipped,
		seconds: (performance.now() - began) / 1000,
		trouble,
		output: tail([output, ...reports].join('\n')),
	};
}
