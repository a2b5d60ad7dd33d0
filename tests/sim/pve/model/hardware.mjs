/** Disks, pools and packages of the nodes: what sits below the virtualisation. */
import { noiseAt } from '../lib/prng.mjs';

const TB = 1e12;

const KITS = {
	desktop: [
		['/dev/nvme0n1', 'Samsung SSD 990 PRO 1TB', 'nvme', TB, 93, 'LVM'],
		['/dev/nvme1n1', 'WD_BLACK SN770 1TB', 'nvme', TB, 88, 'LVM'],
		['/dev/sda', 'ST12000VN0008-2YS101', 'hdd', 12 * TB, null, 'ext4'],
	],
	zfs: [
		['/dev/nvme0n1', 'KINGSTON SNV2S500G', 'nvme', 0.5 * TB, 81, 'BIOS boot'],
		['/dev/sda', 'CT2000MX500SSD1', 'ssd', 2 * TB, 74, 'ZFS'],
		['/dev/sdb', 'CT2000MX500SSD1', 'ssd', 2 * TB, 71, 'ZFS'],
	],
	small: [['/dev/sda', 'TS120GMTS820S', 'ssd', 0.12 * TB, 42, 'LVM']],
};

/** @returns {object[]} rows of disks/list */
export function disksOf(node) {
	return (KITS[node.kit] ?? KITS.small).map(([devpath, model, type, size, wearout, used], i) => ({
		devpath, model, type, size, used, vendor: type === 'nvme' ? 'unknown' : 'ATA     ',
		serial: `S${(node.seed + i * 7919).toString(36).toUpperCase().padStart(9, '0')}`,
		wwn: type === 'nvme' ? 'unknown' : `0x5000c500${(node.seed + i).toString(16).slice(0, 8)}`,
		rpm: type === 'hdd' ? 7200 : 0, gpt: 1, health: 'PASSED', osdid: -1, 'osdid-list': null,
		wearout: wearout === null ? 'N/A' : wearout,
		by_id_link: `/dev/disk/by-id/${type === 'nvme' ? 'nvme' : 'ata'}-${model.replace(/ /g, '_')}`,
		...node.disks?.[devpath],
	}));
}

/** Degrees of a disk: a little above its case, warmer when the node is. */
export function diskCelsius(node, index, now) {
	const base = 31 + index * 4 + (node.celsius ? (node.celsius - 45) * 0.3 : 0);
	return Math.round(base + 4 * noiseAt(node.seed + index, Math.floor(now / 600)));
}

/** @returns {object} answer of disks/smart */
export function smartOf(node, disk, index, now) {
	const celsius = diskCelsius(node, index, now);
	if (disk.type === 'nvme') {
		return { type: 'text', health: disk.health, wearout: disk.wearout,
			text: nvmeText(celsius, disk) };
	}
	const hours = 9000 + (node.seed % 9000);
	const rows = [
		[1, 'Raw_Read_Error_Rate', 'POSR-K', 100, 100, 0, '0'],
		[5, 'Reallocated_Sector_Ct', '-O--CK', 100, 100, 10, String(disk.reallocated ?? 0)],
		[9, 'Power_On_Hours', '-O--CK', 99, 99, 0, String(hours)],
		[194, 'Temperature_Celsius', '-O---K', 100 - celsius, 52, 0, `${celsius} (Min/Max 20/51)`],
		[197, 'Current_Pending_Sector', '-O--CK', 100, 100, 0, '0'],
	];
	return { type: 'ata', health: disk.health, wearout: disk.wearout, attributes: rows.map(
		([id, name, flags, value, worst, threshold, raw]) => ({
			id: String(id).padStart(3, ' '), name, flags, value: String(value).padStart(3, '0'),
			normalized: value, worst: String(worst).padStart(3, '0'),
			threshold: String(threshold).padStart(3, '0'), fail: '-', raw,
		})) };
}

const nvmeText = (celsius, disk) => `\nSMART/Health Information (NVMe Log 0x02)\n` +
	`Critical Warning:                   0x00\nTemperature:                        ${celsius} ` +
	`Celsius\nAvailable Spare:                    100%\nPercentage Used:                    ` +
	`${100 - disk.wearout}%\nPower On Hours:                     11,204\n`;

/** @returns {object[] | null} rows of disks/zfs; null: no ZFS there */
export function zpoolsOf(node) {
	if (node.kit !== 'zfs') {
		return null;
	}
	const size = 1.98e12;
	const alloc = Math.round(size * (0.35 + 0.2 * noiseAt(node.seed, 31)));
	return [{ name: 'tank', size, alloc, free: size - alloc, frag: 9, dedup: 1,
		health: node.zfsHealth ?? 'ONLINE' }];
}

/** @returns {object} the tree of a pool */
export function zpoolDetail(node, now) {
	const state = node.zfsHealth ?? 'ONLINE';
	const leaf = (name, bad) => ({ name, state: bad ? 'FAULTED' : 'ONLINE', read: bad ? 3 : 0,
		write: bad ? 1.2 : 0, cksum: 0, msg: bad ? 'too many errors' : '', leaf: 1 });
	const scrubbed = new Date((now - 11 * 86400) * 1000).toString().slice(0, 24);
	return {
		name: 'tank', state, errors: 'No known data errors',
		scan: `scrub repaired 0B in 00:41:07 with 0 errors on ${scrubbed}`,
		...(state === 'ONLINE' ? {} : { action: 'Replace the faulted device.',
			status: 'One or more devices are faulted in response to persistent errors.' }),
		children: [{ name: 'mirror-0', state, read: 0, write: 0, cksum: 0, msg: '', leaf: 0,
			children: [leaf('sda', false), leaf('sdb', state !== 'ONLINE')] }],
	};
}

const PACKAGES = [
	['pve-manager', 'Virtual Environment Management Tools', 'admin', 'Proxmox'],
	['qemu-server', 'Qemu Server Tools', 'admin', 'Proxmox'],
	['proxmox-kernel-6.17', 'Latest Proxmox Kernel Image', 'kernel', 'Proxmox'],
	['libssl3t64', 'Secure Sockets Layer toolkit - shared libraries', 'libs', 'Debian'],
	['openssh-server', 'secure shell (SSH) server', 'net', 'Debian'],
	['libc6', 'GNU C Library: Shared libraries', 'libs', 'Debian'],
	['curl', 'command line tool for transferring data with URL syntax', 'web', 'Debian'],
];

/** Packages that wait to be updated. */
export function updatesOf(node) {
	return PACKAGES.filter((_, i) => noiseAt(node.seed, 50 + i) < 0.55)
		.map(([Package, Title, Section, Origin], i) => ({
			Package, Title, Section, Origin, Description: Title, Arch: 'amd64', Priority: 'optional',
			OldVersion: `1.${i}.0-1`, Version: `1.${i}.1-1`,
		}));
}

/** Installed packages with their versions. */
export function packagesOf(node) {
	const { pve } = node;
	const row = (Package, OldVersion) => ({ Package, Title: Package, Section: 'admin', OldVersion,
		Origin: 'Proxmox', Description: Package, Version: OldVersion, Arch: 'amd64',
		Priority: 'optional', CurrentState: 'Installed' });
	return [
		{ ...row('proxmox-ve', `${pve.major}.${pve.minor}.0`), RunningKernel: pve.kernel },
		{ ...row('pve-manager', pve.version), ManagerVersion: `${pve.version}/${pve.repoid}` },
		row('qemu-server', `${pve.major}.1.4`), row('pve-container', `${pve.major - 3}.0.9`),
		row('libpve-storage-perl', `${pve.major}.0.13`), row('zfsutils-linux', '2.3.4-pve1'),
	];
}
