// Reads an installation without touching it: jarvis.yaml by the real code, secrets where the services look for them and
// with the same eyes. What is needed of it is copied into a scratch folder that lives in memory where that is possible.
import { execFileSync, spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync,
	writeFileSync }
	from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

const DEFAULT_SECRETS = '/etc/jarvis/secrets';
const SECRET_MAX_BYTES = 16384;
const FOLDERS = ['secrets', 'data', 'broker', 'log', 'sim', 'run'];

/** A file or setting that stands in the way: `cure` says how to mend it. */
export class Trouble extends Error {
	constructor(message, cure) {
		super(message);
		this.cure = cure;
	}
}

/** Files that a cluster's section names; with Compose they lie beside CONFIG under another path than in a container. */
const FILES = [
	{ of: (cluster) => [cluster, 'ca'], cure: 'copy /etc/pve/pve-root-ca.pem from a node to it' },
	{ of: (cluster) => [cluster.thermal ?? {}, 'known_hosts'], cure: 'write the nodes\' host keys into it (deploy/nodes/README.md)' },
	{ of: (cluster) => [cluster.executor?.ssh ?? {}, 'known_hosts'], cure: 'write the nodes\' host keys into it (deploy/nodes/README.md)' },
];

/** The configuration with all its defaults, as the services see it. */
export function readConfig(build, file) {
	const program = join(build, 'jarvisctl');
	const check = spawnSync(program, ['config', '--check', file], { encoding: 'utf8' });
	if (check.status !== 0) throw new Trouble(check.stderr.trimEnd(), `mend ${file}; jarvisctl config --print shows every key`);
	return JSON.parse(execFileSync(program, ['config', '--json', file], { encoding: 'utf8' }));
}

/** "1500ms", "15s" … of `config --json` in ms. */
export function milliseconds(duration) {
	const [, n, unit] = /^(\d+)(ms|s|m|h|d)$/.exec(duration);
	return Number(n) * { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[unit];
}

/** The same cluster with the times that our own client needs. */
export function clientConfig(cluster) {
	return { ...cluster, connect_ms: milliseconds(cluster.connect_timeout), request_ms: milliseconds(cluster.request_timeout) };
}

export function findSecrets(configFile, given) {
	if (given) return resolve(given);
	const home = dirname(resolve(configFile));
	const places = [join(home, 'secrets'), join(dirname(home), 'secrets')];
	return places.find((place) => existsSync(place)) ?? DEFAULT_SECRETS;
}

/** As common/secret.c orders them. */
function candidates(dir, service, name) {
	const credentials = process.env.CREDENTIALS_DIRECTORY;
	const systemd = credentials ? [join(credentials, name), join(credentials, `${service}_${name}`)] : [];
	return [join(dir, service, name), `/run/secrets/${service}_${name}`, ...systemd];
}

function look(path) {
	try {
		return lstatSync(path);
	} catch (error) {
		if (['ENOENT', 'ENOTDIR'].includes(error.code)) return null;
		const cure = process.getuid() === 0 ? `look at its folder: ls -ld ${dirname(path)}` : 'run this as root, who may read what each service owns';
		throw new Trouble(`${path} cannot be looked at: ${error.code}`, cure);
	}
}

/** The secret; throws Trouble, which never holds any of it. */
export function readSecret(dir, service, name) {
	const path = candidates(dir, service, name).find((place) => look(place) !== null);
	if (!path) {
		const wanted = join(dir, service, name);
		throw new Trouble(`${wanted}: there is no such file`, `make it: install -D -m 600 /dev/stdin ${wanted}; or say SECRETS=DIR`);
	}
	const stat = look(path);
	if (!stat.isFile()) throw new Trouble(`${path} is not a regular file`, 'put the secret itself there');
	if (stat.mode & 0o077 && path.startsWith(dir)) {
		throw new Trouble(`${path}: others than its owner have rights (mode ${(stat.mode & 0o7777).toString(8)})`, `chmod 600 ${path}`);
	}
	if (stat.size > SECRET_MAX_BYTES) throw new Trouble(`${path} is larger than ${SECRET_MAX_BYTES} bytes`, 'is it the right file?');
	try {
		accessSync(path, constants.R_OK);
	} catch {
		throw new Trouble(`${path} may not be read by this user`, 'run this as root, who may read what each service owns');
	}
	const text = readFileSync(path, 'utf8').replace(/\r?\n$/, '');
	if (text === '') throw new Trouble(`${path} is empty`, 'write the secret into it, as one text');
	return text;
}

/** Takes a cluster that cannot be read out of CONFIG, and what is said of it: the services would refuse the file. */
export function dropCluster(config, name) {
	delete config.clusters[name];
	for (const section of ['self', 'protected', 'depends_on', 'principals', 'services', 'commands']) delete config[section];
}

/** Makes each file that a cluster names a path that is there; answers Troubles for those that are not. */
export function settleFiles(config, configFile) {
	const troubles = [];
	for (const [name, cluster] of Object.entries(config.clusters ?? {})) {
		for (const { of, cure } of FILES) {
			const [section, key] = of(cluster);
			const path = section[key];
			if (!path || existsSync(path)) continue;
			const beside = join(dirname(resolve(configFile)), basename(path));
			if (existsSync(beside)) {
				section[key] = beside;
				continue;
			}
			troubles.push(new Trouble(`clusters.${name}: ${key} ${path} is not there, nor ${beside}`, cure));
			// The poller would only say so again.
			if (key === 'ca') dropCluster(config, name);
		}
	}
	return troubles;
}

/** Where sockets have short paths, and what is written is in memory alone where the system has such a place. */
export class Scratch {
	constructor() {
		const places = [process.env.SCRATCH, '/dev/shm', '/tmp'].filter(Boolean);
		const place = places.find(writable);
		sweepAfterDead(place);
		this.dir = mkdtempSync(join(place, `jl-${process.pid}-`));
		for (const name of FOLDERS) this.folder(name);
	}

	folder(...names) {
		const path = join(this.dir, ...names);
		mkdirSync(path, { recursive: true, mode: 0o700 });
		return path;
	}

	path(...names) {
		return join(this.dir, ...names);
	}

	/** A folder in it that is used as this one is, and goes with it. */
	inside(name) {
		const inner = Object.create(Scratch.prototype);
		inner.dir = this.folder(name);
		for (const folder of FOLDERS) inner.folder(folder);
		return inner;
	}

	/** Only its owner may read it. */
	write(text, ...names) {
		this.folder(...names.slice(0, -1));
		writeFileSync(this.path(...names), text, { mode: 0o600 });
		return this.path(...names);
	}

	remove() {
		rmSync(this.dir, { recursive: true, force: true });
	}
}

/** What a run left that was killed before it could clean up: there are secrets in it. */
function sweepAfterDead(place) {
	for (const name of readdirSync(place)) {
		const [, pid] = /^jl-(\d+)-\w+$/.exec(name) ?? [];
		const path = join(place, name);
		if (pid && !existsSync(`/proc/${pid}`) && lstatSync(path).uid === process.getuid()) rmSync(path, { recursive: true, force: true });
	}
}

function writable(path) {
	try {
		accessSync(path, constants.W_OK | constants.X_OK);
		return true;
	} catch {
		return false;
	}
}
