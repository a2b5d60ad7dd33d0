/** What smartctl says of a disk, in the two shapes that Proxmox makes of it. */
import { diskCelsius } from './hardware.mjs';

const hoursOf = (node) => 9000 + (node.seed % 9000);

/** Which register tells a model's life. Hard disks have none. */
const LIFE = { CT2000MX500SSD1: [202, 'Percent_Lifetime_Remain'], TS120GMTS820S: [231, 'SSD_Life_Left'] };

/** @returns {object} answer of disks/smart */
export function smartOf(node, disk, index, now) {
	const celsius = disk.celsius ?? diskCelsius(node, index, now);
	if (disk.type === 'nvme') {
		// Proxmox takes the wearout from the text
		return { type: 'text', health: disk.health, wearout: disk.wearout,
			text: nvmeText(celsius, disk, hoursOf(node)) };
	}
	if (disk.type === 'usb') {
		return { type: 'text', health: disk.health, text: '\nNo further data\n' };
	}
	return { type: 'ata', health: disk.health, attributes: attributes(node, disk, celsius) };
}

function attributes(node, disk, celsius) {
	const rows = [
		[1, 'Raw_Read_Error_Rate', 'POSR-K', 100, 100, 0, '0'],
		[5, 'Reallocated_Sector_Ct', '-O--CK', 100, 100, 10, String(disk.reallocated ?? 0)],
		[9, 'Power_On_Hours', '-O--CK', 99, 99, 0,
			disk.type === 'hdd' ? `${hoursOf(node)} (98 23 0)` : `${hoursOf(node)}h+34m+12.871s`],
		[194, 'Temperature_Celsius', '-O---K', 100 - celsius, 52, 0, `${celsius} (Min/Max 20/51)`],
		[197, 'Current_Pending_Sector', '-O--CK', 100, 100, 0, String(disk.pending ?? 0)],
	];
	const life = LIFE[disk.model];
	if (life && typeof disk.wearout === 'number') {
		rows.push([...life, '----CK', disk.wearout, disk.wearout, 1, String(100 - disk.wearout)]);
	}
	return rows.map(([id, name, flags, value, worst, threshold, raw]) => ({
		id: String(id).padStart(3, ' '), name, flags, value, normalized: value, worst, threshold,
		fail: '-', raw,
	}));
}

const line = (name, value) => `${`${name}:`.padEnd(36)}${value}\n`;
const grouped = (n) => n.toLocaleString('en-US');

function nvmeText(celsius, disk, hours) {
	return '\nSMART/Health Information (NVMe Log 0x02)\n' + [
		['Critical Warning', disk.health === 'PASSED' ? '0x00' : '0x04'],
		['Temperature', `${celsius} Celsius`], ['Available Spare', '100%'],
		['Available Spare Threshold', '10%'], ['Percentage Used', `${100 - disk.wearout}%`],
		['Data Units Read', '58,249,016 [29.8 TB]'], ['Data Units Written', '40,173,448 [20.5 TB]'],
		['Power Cycles', '61'], ['Power On Hours', grouped(hours)], ['Unsafe Shutdowns', '14'],
		['Media and Data Integrity Errors', String(disk.media_errors ?? 0)],
		['Error Information Log Entries', '0'], ['Temperature Sensor 1', `${celsius} Celsius`],
		['Temperature Sensor 2', `${celsius + 11} Celsius`],
	].map(([name, value]) => line(name, value)).join('') + '\n';
}
