/** What a node's version number means for its answers. */
const RELEASES = {
	8: { minor: 4, patch: '8.4.21', repoid: '18e7b1e4b8a3c6d1', kernel: '6.8.12-15-pve',
		kbuild: '#1 SMP PREEMPT_DYNAMIC PMX 6.8.12-15 (2025-09-12T11:02Z)', qemu: '9.2.0' },
	9: { minor: 2, patch: '9.2.11', repoid: 'c5b0a9e27d4f8163', kernel: '6.17.13-2-pve',
		kbuild: '#1 SMP PREEMPT_DYNAMIC PMX 6.17.13-2 (2026-07-30T08:06Z)', qemu: '10.2.1' },
};

/**
 * @param {string} text `8`, `9`, `8.2`, `9.2.11` …
 * @returns {{major: number, minor: number, version: string, release: string, repoid: string,
 *   kernel: string, kbuild: string, qemu: string, messageInBody: boolean, terseAuth: boolean}}
 */
export function pveVersion(text) {
	const match = /^([89])(?:\.(\d+))?(?:\.(\d+))?$/.exec(String(text));
	if (!match) {
		throw new Error(`unknown Proxmox VE version '${text}' (use 8, 9, 8.2, 9.1 …)`);
	}
	const major = Number(match[1]);
	const base = RELEASES[major];
	const minor = match[2] === undefined ? base.minor : Number(match[2]);
	const newest = minor === base.minor && match[3] === undefined;
	const version = newest ? base.patch : `${major}.${minor}.${match[3] ?? 1}`;
	const since = (m, n) => major > m || (major === m && minor >= n);
	return {
		...base, major, minor, version, release: `${major}.${minor}`,
		messageInBody: since(8, 3),
		terseAuth: newest || since(9, 2),
		networkRows: since(9, 1),
		fencingRow: since(9, 2),
	};
}
