// A fake /sys of one node: the chips that such a machine has, and what they say at a given heat.
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const IDLE = 38;
const SPAN = 32;

/** A chip: name, device, sensors [label, offset from the processor, max, crit], fans [label, rpm at idle]. */
const INTEL = [
	{ name: 'coretemp', device: 'coretemp.0', temps: [['Package id 0', 0, 80, 100], ['Core 0', -2, 80, 100],
		['Core 4', -1, 80, 100], ['Core 8', -3, 80, 100]] },
	{ name: 'nvme', device: 'nvme0', temps: [['Composite', -4, 84.85, 89.85], ['Sensor 1', -4, 65261.85]] },
	{ name: 'nvme', device: 'nvme1', temps: [['Composite', -6, 84.85, 89.85]] },
	{ name: 'nct6798', device: 'nct6775.656', temps: [['SYSTIN', -10, 80], ['AUXTIN0', 'floating', 80]],
		fans: [['', 820], ['', 0], ['CPU', 950]] },
];
const AMD = [
	{ name: 'k10temp', device: '0000:00:18.3', temps: [['Tctl', 0], ['Tccd1', -1]] },
	{ name: 'nvme', device: 'nvme0', temps: [['Composite', -5, 81.85, 84.85]] },
	{ name: 'drivetemp', device: '2:0:0:0', temps: [['', -9, 60, 70]] },
];
const SMALL = [{ name: 'coretemp', device: 'coretemp.0', temps: [['Package id 0', 0, 105, 105], ['Core 0', 0, 105, 105]] }];
const ZONES = { intel: [['acpitz', 'constant'], ['x86_pkg_temp', 0]], amd: [['acpitz', 'constant']],
	small: [['acpitz', 'constant'], ['x86_pkg_temp', 0]] };
/** Nodes of the reference cluster; others are Intel. */
const KIND = { pve: 'amd', agent: 'small' };
const CHIPS = { intel: INTEL, amd: AMD, small: SMALL };

function put(path, text) {
	mkdirSync(dirname(path), { recursive: true });
	// By rename, so that nobody reads half a number.
	writeFileSync(`${path}.new`, `${text}\n`);
	renameSync(`${path}.new`, path);
}

const milli = (celsius) => Math.round(celsius * 1000);
const ODD = { constant: 27.8, floating: -62 };

/** The processor's temperature: forced, or what the load makes of it. */
export function celsiusOf({ celsius, cpu }) {
	return celsius ?? IDLE + SPAN * (cpu ?? 0);
}

/** Writes all of it below `dir`; the second time only what moves. */
export function writeSysfs(dir, name, state, fresh = true) {
	const kind = KIND[name] ?? 'intel';
	const heat = celsiusOf(state);
	ZONES[kind].forEach(([type, offset], i) => {
		const zone = join(dir, `class/thermal/thermal_zone${i}`);
		if (fresh) {
			put(join(zone, 'type'), type);
			put(join(zone, 'trip_point_0_type'), 'critical');
			put(join(zone, 'trip_point_0_temp'), 105000);
		}
		put(join(zone, 'temp'), milli(ODD[offset] ?? heat + offset));
	});
	CHIPS[kind].forEach((chip, i) => {
		const at = join(dir, `class/hwmon/hwmon${i}`);
		if (fresh) {
			put(join(at, 'name'), chip.name);
			mkdirSync(join(dir, 'devices', chip.device), { recursive: true });
			rmSync(join(at, 'device'), { force: true });
			symlinkSync(`../../../devices/${chip.device}`, join(at, 'device'));
		}
		chip.temps.forEach(([label, offset, max, crit], k) => {
			const base = join(at, `temp${k + 1}`);
			put(`${base}_input`, milli(ODD[offset] ?? heat + offset));
			if (!fresh) return;
			if (label) put(`${base}_label`, label);
			if (max) put(`${base}_max`, milli(max));
			if (crit) put(`${base}_crit`, milli(crit));
		});
		(chip.fans ?? []).forEach(([label, rpm], k) => {
			put(join(at, `fan${k + 1}_input`), rpm && Math.round(rpm * (1 + (heat - IDLE) / 60)));
			if (fresh && label) put(join(at, `fan${k + 1}_label`), label);
		});
	});
}
