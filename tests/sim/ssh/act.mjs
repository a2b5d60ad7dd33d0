// What jarvis-act finds on one simulated node: programs.pl under the names that it starts, the catalogue that ships, a
// /proc, units, journals and disks. All of it are files, so that a restarted simulator goes on where it was.
import { execFileSync } from 'node:child_process';
import { appendFileSync, chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const NODES = resolve(import.meta.dirname, '../../../deploy/nodes');
const PROGRAMS = ['systemctl', 'journalctl', 'df', 'sudo', 'exportfs', 'zpool', 'ping', 'du', 'wget'];
const USER = 'jarvis';

/**
 * How a connection can go wrong, as what the key may run. In the shell of a forced command $PPID is the sshd of the
 * connection.
 */
const MODES = {
	normal: (act) => act,
	/** The connection dies in the middle of the answer. */
	cut: (act) => `${act} | head -c 60; kill -9 $PPID`,
	/** It dies after all was done, before a word. */
	cut_before: (act) => `${act} >/dev/null; kill -9 $PPID`,
	no_trailer: (act) => `${act} | sed '$d'`,
	/** As if all had been well, but of another request. */
	replay: (act) => `${act} | sed 's/^\\(JARVIS-[A-Z]*\\) [0-9a-f]*/\\1 00000000000000000000000000000000/'`,
	garbage: (act) => `${act} >/dev/null; printf 'Welcome!\\377\\000\\033[2J'; exit 0`,
	/** Something in the shell's start speaks first. */
	noise: (act) => `echo 'Last login: yesterday'; ${act}`,
	silent: () => 'exec sleep 600',
	refused: () => 'exit 255',
};

const UNITS = {
	'nfs-server.service': { Description: 'NFS server and services', SubState: 'exited', MainPID: 0, MemoryCurrent: '[not set]' },
	'smbd.service': { Description: 'Samba SMB Daemon' },
	'filebrowser.service': { Description: 'FileBrowser' },
	'ssh.service': { Description: 'OpenBSD Secure Shell server' },
	'pveproxy.service': { Description: 'PVE API Proxy Server' },
};
const STATES = {
	active: { ActiveState: 'active', SubState: 'running', Result: 'success', ExecMainStatus: 0 },
	inactive: { ActiveState: 'inactive', SubState: 'dead', Result: 'success', MainPID: 0, MemoryCurrent: '[not set]' },
	failed: { ActiveState: 'failed', SubState: 'failed', Result: 'exit-code', ExecMainStatus: 1, MainPID: 0, MemoryCurrent: '[not set]' },
	activating: { ActiveState: 'activating', SubState: 'auto-restart', Result: 'exit-code', ExecMainStatus: 1, MainPID: 0 },
};
const GIB = 2 ** 30;
/** size, used share, inodes, fstype. */
const DISKS = { '/': [94 * GIB, 0.31, 6291456, 'ext4'], '/boot/efi': [GIB, 0.01, 0, 'vfat'],
	'/var/log': [8 * GIB, 0.22, 524288, 'ext4'], '/mnt/my files': [1800 * GIB, 0.64, 3.7e9, 'zfs'] };

/** What lies on the node, as far as paths may lead there; the links are relative to it, or absolute within it. */
const FILES = { 'srv/share/movies/a.mkv': 9000, 'srv/share/photos/1.jpg': 5000, 'srv/share/my files/note.txt': 100,
	'var/log/syslog': 20_000, 'var/log/journal/system.journal': 8000, 'var/lib/vz/template/iso/debian-13.iso': 30_000,
	'etc/shadow': 40 };
const LINKS = { 'srv/share/films': 'movies', 'srv/share/escape': '/etc', 'srv/share/logs': '../../var/log/journal' };
/** As /etc/hosts: what names stand for. */
const HOSTS = '151.101.2.132 deb.debian.org\n2a04:4e42::644 deb.debian.org\n51.91.38.34 download.proxmox.com\n';

const seconds = () => Math.floor(Date.now() / 1000);
const hex = (n) => n.toString(16);

function put(path, text) {
	// By rename, so that nobody reads half a file.
	writeFileSync(`${path}.new`, text);
	renameSync(`${path}.new`, path);
}

export class Act {
	#entries = 0;
	#installed = false;

	constructor({ name, dir }) {
		Object.assign(this, { name, dir });
	}

	#path(...parts) {
		return join(this.dir, ...parts);
	}

	/** The text of authorized_keys for one of MODES; with TOOL only requests that name it are answered so. */
	answersAs(mode, tool = '') {
		if (!Object.hasOwn(MODES, mode)) throw new Error(`"mode": ${Object.keys(MODES).join(' | ')}`);
		if (!/^[a-z_]*$/.test(tool)) throw new Error('"tool": the name of a tool');
		const act = `'${join(NODES, 'jarvis-act')}' --sandbox '${this.dir}'`;
		if (!tool) return MODES[mode](act);
		// In another shell, so that $PPID is still the sshd's when it is one of ours that ends.
		const file = `'${this.#path('request')}'.$$`;
		return `cat >${file}; if grep -qa ${tool} ${file}; then { ${MODES[mode](act)}; } <${file}; else ${act} <${file}; fi`;
	}

	install(truth) {
		if (!/^[A-Za-z0-9_./-]+$/.test(this.dir)) {
			// Neither catalogue nor sudoers have such paths. Temperatures work in any folder.
			process.stderr.write(`ssh-sim: no SSH tools on ${this.name}: a path with blanks: ${this.dir}\n`);
			return;
		}
		this.#installed = true;
		for (const folder of ['bin', 'proc/sys/kernel/random', 'state/units', 'state/journal', 'state/programs']) {
			mkdirSync(this.#path(folder), { recursive: true, mode: 0o755 });
		}
		for (const program of PROGRAMS) {
			copyFileSync(join(import.meta.dirname, 'programs.pl'), this.#path('bin', program));
			chmodSync(this.#path('bin', program), 0o755);
		}
		this.catalogue(readFileSync(join(NODES, 'jarvis-act.catalogue'), 'utf8'));
		if (!existsSync(this.#path('state/disks'))) this.#disks(DISKS);
		for (const unit of Object.keys(UNITS)) if (!existsSync(this.#path('state/units', unit))) this.#begin(unit);
		this.#tree();
		if (!existsSync(this.#path('hosts'))) put(this.#path('hosts'), HOSTS);
		if (!existsSync(this.#path('state/web'))) put(this.#path('state/web'), '');
		put(this.#path('proc/sys/kernel/hostname'), `${this.name}\n`);
		put(this.#path('proc/sys/kernel/osrelease'), '6.8.12-9-pve\n');
		put(this.#path('proc/sys/kernel/random/boot_id'), '3c5f1e0a-8e57-4c2b-9d0a-6f2f3f1f7a10\n');
		this.follow(truth);
	}

	#tree() {
		for (const [file, size] of Object.entries(FILES)) {
			mkdirSync(dirname(this.#path('root', file)), { recursive: true, mode: 0o755 });
			if (!existsSync(this.#path('root', file))) writeFileSync(this.#path('root', file), Buffer.alloc(size, 'x'));
		}
		for (const [link, to] of Object.entries(LINKS)) {
			rmSync(this.#path('root', link), { force: true });
			symlinkSync(to, this.#path('root', link));
		}
	}

	/** The catalogue with the programs of this node, and the sudoers lines that belong to it. */
	catalogue(text) {
		writeFileSync(this.#path('catalogue'), text.replace(/^(\s+run )\/usr\/s?bin\//gm, `$1${this.#path('bin')}/`), { mode: 0o644 });
		const argv = ['-T', join(NODES, 'jarvis-act'), '--sandbox', this.dir, '--sudoers', USER];
		put(this.#path('sudoers'), execFileSync('perl', argv));
	}

	follow({ cpu = 0 }) {
		if (!this.#installed) return;
		const load = (cpu * 8).toFixed(2);
		put(this.#path('proc/uptime'), `${(performance.now() / 1000 + 90_000).toFixed(2)} 500000.00\n`);
		put(this.#path('proc/loadavg'), `${load} ${load} ${load} 1/812 31415\n`);
	}

	// Units and their journals ───────────────────────────────────────────────────────────────────

	#begin(unit) {
		this.#write(unit, { Id: unit, LoadState: 'loaded', UnitFileState: 'enabled', NRestarts: 0, ...STATES.active, MainPID: 1200 + unit.length,
			MemoryCurrent: 34230272, ...UNITS[unit], StateChangeTimestamp: `@${seconds()}`, ActiveEnterTimestamp: `@${seconds()}`,
			InactiveEnterTimestamp: '', heals: 1 });
		this.log({ unit, message: `Started ${unit} - ${UNITS[unit]?.Description ?? unit}.`, identifier: 'systemd', pid: 1 });
	}

	#read(unit) {
		const lines = readFileSync(this.#path('state/units', unit), 'utf8').trim().split('\n');
		return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
	}

	#write(unit, fields) {
		put(this.#path('state/units', unit), Object.entries(fields).map(([key, value]) => `${key}=${value}\n`).join(''));
	}

	/** `heals`: whether a restart makes it active (else it fails again). A unit that is not there is made. */
	setUnit({ unit, state, heals }) {
		if (!/^[\w@:.-]+\.\w+$/.test(unit ?? '')) throw new Error('"unit": the full name of a unit');
		if (state && !Object.hasOwn(STATES, state)) throw new Error(`"state": ${Object.keys(STATES).join(' | ')}`);
		if (!existsSync(this.#path('state/units', unit))) this.#begin(unit);
		const fields = this.#read(unit);
		if (heals !== undefined) fields.heals = heals ? 1 : 0;
		if (state) {
			const stamp = { active: 'ActiveEnterTimestamp' }[state] ?? 'InactiveEnterTimestamp';
			Object.assign(fields, STATES[state], { StateChangeTimestamp: `@${seconds()}`, [stamp]: `@${seconds()}` });
			if (state === 'active') Object.assign(fields, { MainPID: 4711, MemoryCurrent: 34230272 });
		}
		this.#write(unit, fields);
		if (state !== 'failed') return;
		const says = (message, priority) => this.log({ unit, message, priority, identifier: 'systemd', pid: 1 });
		says(`${unit}: Main process exited, code=exited, status=1/FAILURE`, 5);
		says(`${unit}: Failed with result 'exit-code'.`, 4);
	}

	/**
	 * As `journalctl -o json` writes it: `message` is text, an array of bytes where it is no UTF-8, or null where it is
	 * longer than 4,096 bytes.
	 */
	log({ unit, message, priority = 6, identifier = 'smbd', pid = 4711, count = 1 }) {
		if (!/^[\w@:.-]+\.\w+$/.test(unit ?? '')) throw new Error('"unit": the full name of a unit');
		let text = '';
		for (let i = 0; i < count; i++) {
			const n = ++this.#entries;
			const us = Date.now() * 1000 + n;
			const boot = '3c5f1e0a8e574c2b9d0a6f2f3f1f7a10';
			const cursor = `s=7b1b6e5e0c0f4d5c8b0e0c2d6d1c9a55;i=${hex(n)};b=${boot};m=${hex(n * 1000)};t=${hex(us)};x=${hex(n * 7919)}`;
			text += `${JSON.stringify({ __CURSOR: cursor, PRIORITY: `${priority}`, __REALTIME_TIMESTAMP: `${us}`, _BOOT_ID: boot,
				SYSLOG_IDENTIFIER: identifier, MESSAGE: message, _PID: `${pid}`, __MONOTONIC_TIMESTAMP: `${n * 1000}` })}\n`;
		}
		appendFileSync(this.#path('state/journal', unit), text);
	}

	// Disks and programs ─────────────────────────────────────────────────────────────────────────

	#disks(disks) {
		put(this.#path('state/disks'), JSON.stringify(disks));
		put(this.#path('state/df'), Object.entries(disks).map(([target, [size, share, inodes, type]]) => {
			const used = Math.round(size * share);
			// What is kept for root is neither used nor to be had.
			const avail = Math.max(0, Math.round(size * 0.95) - used);
			return `${size} ${used} ${avail} ${inodes} ${Math.round(inodes * share * 0.1)} ${type} ${target}\n`;
		}).join(''));
	}

	setDisk({ target, percent }) {
		const disks = JSON.parse(readFileSync(this.#path('state/disks'), 'utf8'));
		if (!disks[target] || !(percent >= 0 && percent <= 100)) throw new Error(`"target": ${Object.keys(disks).join(' | ')}, "percent"`);
		disks[target][1] = percent / 100;
		this.#disks(disks);
	}

	/** What a URL answers from now on: a status, or 0 for nobody there. 200 is what all others do. */
	setWeb({ url, status = 200 }) {
		if (!/^https?:\/\/\S+$/.test(url ?? '') || !(status >= 0 && status <= 599)) throw new Error('"url", "status"');
		const lines = readFileSync(this.#path('state/web'), 'utf8').split('\n').filter((line) => line && !line.startsWith(`${url} `));
		put(this.#path('state/web'), [...lines, `${url} ${status}`, ''].join('\n'));
	}

	/** What the name of a host stands for from now on. */
	setHost({ host, addresses }) {
		if (!/^[\w.-]+$/.test(host ?? '') || !Array.isArray(addresses)) throw new Error('"host", "addresses": [ … ]');
		const lines = readFileSync(this.#path('hosts'), 'utf8').split('\n').filter((line) => line && !line.endsWith(` ${host}`));
		put(this.#path('hosts'), [...lines, ...addresses.map((address) => `${address} ${host}`), ''].join('\n'));
	}

	/** What a program does in place of its work: see programs.pl. */
	setProgram({ program, does }) {
		if (!PROGRAMS.includes(program)) throw new Error(`"program": ${PROGRAMS.join(' | ')}`);
		rmSync(this.#path('state/programs', program), { force: true });
		if (does) put(this.#path('state/programs', program), does);
	}
}
