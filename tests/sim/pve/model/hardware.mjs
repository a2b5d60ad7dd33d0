/** The disks of the nodes. What their SMART says is in smart.mjs, the pools on them in zpools.mjs. */
import { noiseAt } from '../lib/prng.mjs';

const TB = 1e12;

/** Columns: device, model, type, bytes, percent of life left (null: it has no such register), use, odd fields. */
const KITS = {
	desktop: [
		['/dev/nvme0n1', 'Samsung SSD 990 PRO 1TB', 'nvme', TB, 93, 'LVM'],
		['/dev/nvme1n1', 'WD_BLACK SN770 1TB', 'nvme', TB, 88, 'LVM'],
		['/dev/sda', 'ST12000VN0008-2YS101', 'hdd', 12 * TB, null, 'ext4', { mounted: 1 }],
		['/dev/sdb', 'ST12000VN0008-2YS101', 'hdd', 12 * TB, null, 'ext4', { mounted: 1 }],
	],
	zfs: [
		['/dev/nvme0n1', 'KINGSTON SNV2S500G', 'nvme', 0.5 * TB, 81, 'BIOS boot'],
		['/dev/sda', 'CT2000MX500SSD1', 'ssd', 2 * TB, 74, 'ZFS'],
		['/dev/sdb', 'CT2000MX500SSD1', 'ssd', 2 * TB, 71, 'ZFS'],
	],
	// an ssd that was written to death, and the only one there is
	small: [['/dev/sda', 'TS120GMTS820S', 'ssd', 0.12 * TB, 7, 'LVM', { reallocated: 24 }]],
};
/** A backup disk in a case with a bridge that tells nothing of it. */
KITS['zfs-usb'] = [...KITS.zfs,
	['/dev/sdc', 'Elements_25A3', 'usb', 2 * TB, null, 'ext4', { mounted: 1, serial: 'unknown', rpm: 0,
		by_id_link: undefined, wwn: 'unknown', vendor: 'WD      ' }]];

export const hasZfs = (node) => (node.kit ?? '').startsWith('zfs');

/** Rows of disks/list, and what only the simulator knows: `reallocated`, `pending`, `smartReads`. */
export function disksOf(node) {
	return (KITS[node.kit] ?? KITS.small).map(([devpath, model, type, size, wearout, used, odd], i) => {
		const serial = `S${(node.seed + i * 7919).toString(36).toUpperCase().padStart(9, '0')}`;
		const bus = type === 'nvme' ? 'nvme' : 'ata';
		return {
			devpath, model, type, size, used, vendor: type === 'nvme' ? 'unknown' : 'ATA     ', serial,
			wwn: type === 'nvme' ? `eui.0025385b${(node.seed + i).toString(16).padStart(8, '0')}`
				: `0x5000c500${(node.seed + i).toString(16).slice(0, 8).padStart(8, '0')}`,
			rpm: type === 'hdd' ? 7200 : 0, gpt: 1, health: 'PASSED', osdid: -1, 'osdid-list': null,
			wearout: wearout === null ? 'N/A' : wearout,
			by_id_link: `/dev/disk/by-id/${bus}-${model.replace(/ /g, '_')}_${serial}`,
			...odd, ...node.disks?.[devpath],
		};
	}).filter((disk) => !disk.gone);
}

/** Degrees of a disk: a little above its case, warmer when the node is. */
export function diskCelsius(node, index, now) {
	const base = 31 + index * 4 + (node.celsius ? (node.celsius - 45) * 0.3 : 0);
	return Math.round(base + 4 * noiseAt(node.seed + index, Math.floor(now / 600)));
}

/** Somebody read SMART of a disk, which has woken it if it slept. */
export function noteSmart(node, devpath) {
	node.smartReads ??= {};
	node.smartReads[devpath] = (node.smartReads[devpath] ?? 0) + 1;
}

/** Changes fields of a disk, among them those that only SMART shows. */
export function changeDisk(node, devpath, values) {
	node.disks = { ...node.disks, [devpath]: { ...node.disks?.[devpath], ...values } };
}
