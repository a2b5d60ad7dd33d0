// The stack of deploy/compose.yaml at rest, in a real Docker engine: tools/check-compose builds, starts and measures it.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { freePorts } from '../stack/ports.mjs';

const CHECK = resolve(import.meta.dirname, '../../tools/check-compose');
const DIR = '/var/tmp/jarvis-bench-compose';
/** Not that of check-compose, which may run at the same time with an engine of its own. */
const FRONT = '10.213.7.0/29';

const runs = (program, ...argv) => spawnSync(program, argv, { stdio: 'ignore' }).status === 0;

/** Why it cannot be measured here; null when it can. Installs nothing: that is check-compose's. */
function obstacle() {
	if (process.getuid() !== 0) return 'needs root';
	if (!runs('docker', 'info') && !runs('dockerd', '--version')) return 'no Docker here: apt-get install docker.io';
	if (!runs('docker', 'compose', 'version') && !runs('docker-compose', 'version')) return 'no Docker Compose here';
	return null;
}

/** {missing: why} or what tools/check-compose --footprint wrote. */
export async function composeAtRest() {
	const missing = obstacle();
	if (missing) return { missing };
	const file = resolve('build/compose-footprint.json');
	mkdirSync('build', { recursive: true });
	rmSync(file, { force: true });
	const port = await freePorts(2);
	const argv = ['--only-footprint', '--footprint', file, '--dir', DIR, '--front', FRONT,
		'--port', String(port), '--mqtts-port', String(port + 1)];
	// It takes down what it started also when we are killed.
	const child = spawn('setpriv', ['--pdeathsig', 'TERM', '--', CHECK, ...argv], { stdio: ['ignore', 2, 2] });
	const [code] = await once(child, 'exit');
	if (code !== 0) return { missing: `tools/check-compose failed, see above and ${DIR}` };
	return JSON.parse(readFileSync(file, 'utf8'));
}
