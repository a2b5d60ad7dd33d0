// tests/run: runs test programs in parallel and adds up what they report.
import { appendFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { runProgram } from './program.mjs';
import { report } from './report.mjs';

const USAGE = `usage: tests/run [-j N] [-t SECONDS] [-v] [-k] [--scratch DIR] [--tally FILE] PROGRAM…

Runs each PROGRAM with a scratch folder of its own ($SCRATCH, also $TMPDIR) and adds up
"N passed, N failed". Understands cmocka and *.test.mjs (node:test); any other program is
one test, by its exit code. Failures are also: a sanitizer's report, no tests at all, and
processes left behind.

  -j N            so many at a time (default: the number of processors)
  -t SECONDS      time limit of a program (default 300)
  -v              show the output of programs that pass, too
  -k              keep the scratch folders
  --scratch DIR   make them below DIR (a short path; kept)
  --tally FILE    append "passed failed" to FILE (also $JARVIS_TALLY)
`;

function usageError(message) {
	process.stderr.write(`tests/run: ${message}\n${USAGE}`);
	process.exit(2);
}

function positive(value, option) {
	const n = Number(value);
	return n > 0 ? n : usageError(`-${option} wants a number above 0, not "${value}"`);
}

function parse(argv) {
	const options = {
		jobs: { type: 'string', short: 'j', default: String(availableParallelism()) },
		time: { type: 'string', short: 't', default: '300' },
		verbose: { type: 'boolean', short: 'v' },
		keep: { type: 'boolean', short: 'k' },
		scratch: { type: 'string' },
		tally: { type: 'string', default: process.env.JARVIS_TALLY },
		help: { type: 'boolean', short: 'h' },
	};
	try {
		const { values, positionals } = parseArgs({ args: argv, options, allowPositionals: true });
		return { ...values, programs: positionals };
	} catch (e) {
		return usageError(e.message);
	}
}

/** Unix socket paths end at 107 bytes, so the default is as short as it can be. */
function makeScratch(dir) {
	if (!dir) return mkdtempSync('/tmp/jv-');
	mkdirSync(dir, { recursive: true, mode: 0o700 });
	return resolve(dir);
}

async function runAll(opts, scratch, stop) {
	const sum = { passed: 0, failed: 0 };
	const queue = opts.programs.map((path, i) => ({ path, scratch: join(scratch, String(i + 1)) }));
	const worker = async () => {
		for (let job = queue.shift(); job && !stop.signal.aborted; job = queue.shift()) {
			const limit = positive(opts.time, 't') * 1000;
			const result = await runProgram(job.path, { scratch: job.scratch, limit, signal: stop.signal });
			report(result, opts.verbose);
			sum.passed += result.passed;
			sum.failed += result.failed;
		}
	};
	const jobs = Math.min(positive(opts.jobs, 'j'), opts.programs.length);
	await Promise.all(Array.from({ length: jobs }, worker));
	return sum;
}

const opts = parse(process.argv.slice(2));
if (opts.help) {
	process.stdout.write(USAGE);
	process.exit(0);
}
if (opts.programs.length === 0) usageError('no programs given');

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
	process.on(signal, () => stop.abort(signal));
}
const scratch = makeScratch(opts.scratch);
const { passed, failed } = await runAll(opts, scratch, stop);
if (!opts.keep && !opts.scratch) rmSync(scratch, { recursive: true, force: true });
else console.log(`scratch folders: ${scratch}`);
if (opts.tally) appendFileSync(opts.tally, `${passed} ${failed}\n`);
if (stop.signal.aborted) console.log(`stopped by ${stop.signal.reason}`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || stop.signal.aborted ? 1 : 0;
