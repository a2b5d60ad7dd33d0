/** Packages of the nodes, those that wait to be updated, and what the control port wants to wait. */
import { noiseAt } from '../lib/prng.mjs';

/** Debian's archives call themselves Debian, the one for security too. */
const DEBIAN = [
	['libssl3t64', 'Secure Sockets Layer toolkit - shared libraries', 'libs', '3.5.1-1', '3.5.1-1+deb13u1'],
	['openssh-server', 'secure shell (SSH) server', 'net', '1:10.0p1-7', '1:10.0p1-7+deb13u1'],
	['libc6', 'GNU C Library: Shared libraries', 'libs', '2.41-12', '2.41-12+deb13u1'],
	['curl', 'command line tool for transferring data with URL syntax', 'web', '8.14.1-2', '8.14.1-2+deb13u2'],
];

/** Proxmox's own, installed; the last column says what a newer one would be called. */
const own = ({ major, minor, version }) => [
	['proxmox-ve', `${major}.${minor}.0`, null],
	['pve-manager', version, `${version}+1`],
	['qemu-server', `${major}.1.4`, `${major}.1.5`],
	['pve-container', `${major - 3}.0.9`, `${major - 3}.0.10`],
	['libpve-storage-perl', `${major}.0.13`, `${major}.0.14`],
	['zfsutils-linux', '2.3.4-pve1', '2.3.5-pve1'],
];

const chosen = (node, name, n) => (node.updates ? node.updates.includes(name) : noiseAt(node.seed, n) < 0.4);

/** [name, installed, candidate]; equal while nothing waits. */
const ownOf = (node) => own(node.pve).map(([name, now, next], i) =>
	[name, now, next && chosen(node, name, 50 + i) ? next : now]);

const row = (Package, OldVersion, Version, more) => ({ Package, Title: Package, Section: 'admin',
	OldVersion, Version, Origin: 'Proxmox', Description: Package, Arch: 'amd64', Priority: 'optional',
	...more });

/** Rows of apt/update: all that waits. */
export function updatesOf(node) {
	const proxmox = ownOf(node).filter(([, now, next]) => now !== next).map(([name, now, next]) =>
		row(name, now, next));
	const debian = DEBIAN.filter(([name], i) => chosen(node, name, 60 + i))
		.map(([name, Title, Section, now, next]) =>
			row(name, now, next, { Title, Section, Description: Title, Origin: 'Debian' }));
	return [...proxmox, ...debian];
}

/** Rows of apt/versions: Proxmox's own packages, with what is installed and the candidate. */
export function packagesOf(node) {
	const { pve } = node;
	const more = {
		'proxmox-ve': { RunningKernel: pve.kernel },
		'pve-manager': { ManagerVersion: `${pve.version}/${pve.repoid}` },
	};
	const rows = ownOf(node).map(([name, now, next]) =>
		row(name, now, next, { CurrentState: 'Installed', ...more[name] }));
	// known, and not there
	return [...rows, { ...row('openvswitch-switch', undefined, '3.5.0-1'), CurrentState: 'NotInstalled' }];
}

/** Names that may wait: for the control port. */
export const updatable = (node) => [...own(node.pve).filter(([, , next]) => next).map(([name]) => name),
	...DEBIAN.map(([name]) => name)];
