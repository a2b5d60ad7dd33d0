// SPDX-License-Identifier: MIT
// What the pollers say beside states: backups, configuration, snapshots, disks, heat, updates … for a made-up cluster,
// in the shapes of the vocabulary, with every object in every state that the page must tell apart.

const GIB = 1024 ** 3;
const TIB = 1024 * GIB;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** Sources that these documents stand on, for the cluster's own document. */
export const sourcesOf = (nodes) => [
	'backups', 'guests', 'replication', 'ha', 'ceph', ...nodes.flatMap((n) => [`disks.${n}`, `updates.${n}`]),
];

const JOBS = [
	{ id: 'backup-nightly', enabled: true, schedule: '02:30', storage: 'pbs', node: null, comment: 'Nightly to PBS',
		guests: 24 },
	{ id: 'backup-weekly', enabled: true, schedule: 'sun 04:00', storage: 'nas', node: null,
		comment: 'Weekly to the NAS', guests: 9 },
	{ id: 'backup-old', enabled: false, schedule: 'sat 01:00', storage: 'nas', node: 'Home', comment: null, guests: 3 },
];

/** One guest's backups, by its number: most are fine, and each other state is there. */
function backup(i, vmid, cluster, now) {
	const weekly = i % 4 === 3;
	const base = {
		ts: now, cluster, vmid, last_ok_ms: now - (weekly ? 3 * DAY : 9 * HOUR) - i * 60_000,
			storage: weekly ? 'nas' : 'pbs',
		size: (3 + (i * 7) % 40) * GIB, verified: weekly ? null : true, backups: weekly ? 4 : 14, last_error_ms: null,
		last_error: null, covered: true, jobs: [weekly ? 'backup-weekly' : 'backup-nightly'],
		next_run_ms: now + (weekly ? 4 * DAY : 14 * HOUR), reason: null,
	};
	const odd = {
		5: { last_error_ms: now - 8 * HOUR, last_error: 'job errors: timeout waiting for the storage lock',
			last_ok_ms: now - 2 * DAY },
		9: { last_ok_ms: now - 9 * DAY, jobs: ['backup-nightly'], verified: false },
		11: { covered: false, jobs: [], next_run_ms: null, last_ok_ms: now - 40 * DAY, backups: 1 },
		12: { covered: false, jobs: [], next_run_ms: null, last_ok_ms: null, size: null, backups: 0, storage: null,
			verified: null },
		18: { last_ok_ms: null, size: null, storage: null, backups: 0, verified: null },
		21: {
			last_ok_ms: null, size: null, storage: null, backups: null, verified: null, covered: null, jobs: [],
				next_run_ms: null,
			reason: 'storage nas could not be read: no answer within 15 s',
		},
	};
	return { ...base, ...odd[i % 500] };
}

function posture(cluster, now, guests) {
	return {
		ts: now, cluster, guests, not_covered: 2, never: 2, reason: null,
		jobs: JOBS.map((j, i) => ({ ...j, next_run_ms: j.enabled ? now + (i ? 4 * DAY : 14 * HOUR) : null })),
		orphans: [
			{ vmid: 142, storage: 'pbs', node: null, backups: 14, size: 212 * GIB, newest_ms: now - 71 * DAY },
			{ vmid: 907, storage: 'local', node: 'Home', backups: 1, size: 4 * GIB, newest_ms: now - 400 * DAY },
		],
	};
}

function snapshots(i, vmid, cluster, now) {
	const list = i % 3 ? [] : [
		{ name: 'before-upgrade', time_ms: now - (12 + i * 3) * DAY, description: 'before the upgrade to Debian 13',
			parent: null, memory: false },
		{ name: 'works', time_ms: now - (2 + i) * DAY, description: null, parent: 'before-upgrade',
			memory: i % 2 === 0 },
	];
	return { ts: now, cluster, vmid, snapshots: list, reason: i === 21 ? 'node agent1 did not answer' : null };
}

function config(i, g, now) {
	const vm = g.type === 'qemu';
	const main = ['local-lvm', 'tank', 'nvme', 'local'][i % 4];
	return {
		ts: now, cluster: g.cluster, vmid: g.vmid, digest: 'd41d8cd98f00b204e9800998ecf8427e',
			os: vm ? (g.name?.startsWith('win') ? 'win11' : 'l26') : 'debian',
		sockets: vm ? 1 : null, cores: g.maxcpu, memory: g.maxmem, swap: vm ? null : GIB / 2, onboot: i % 5 !== 2,
		startup: i % 6 === 0 ? 'order=1,up=30' : null, protection: i % 9 === 0, agent: vm ? i % 2 === 0 : null,
		unprivileged: vm ? null : i % 7 !== 0, hostname: vm ? null : g.name,
		description: i % 4 === 0 ? 'Web: https://example.lan\nOwner: the household.\nDo not move off the node with the GPU.' : null,
		volumes: [
			{ key: vm ? 'scsi0' : 'rootfs', storage: main,
				volume: vm ? `vm-${g.vmid}-disk-0` : `subvol-${g.vmid}-disk-0`, size: 32 * GIB, backed_up: true,
				mount: vm ? null : '/' },
			...(i % 3 === 0 ? [{ key: vm ? 'scsi1' : 'mp0', storage: 'media', volume: 'library', size: 2 * TIB,
				backed_up: false, mount: vm ? null : '/media' }] : []),
		],
		nics: [{ key: 'net0', model: vm ? 'virtio' : 'veth', mac: `BC:24:11:0A:${(i % 90) + 10}:7F`,
			bridge: 'vmbr0', vlan: i % 4 ? null : 20, address: vm ? null : `192.168.1.${100 + (i % 100)}/24`,
			firewall: i % 2 === 0 }],
		reason: null,
	};
}

function replication(vmid, cluster, now, broken) {
	return {
		ts: now, cluster, vmid, reason: null,
		jobs: [{
			id: `${vmid}-0`, target: 'agent1', enabled: true, schedule: '*/15',
				last_ok_ms: now - (broken ? 3 * DAY : 9 * 60_000),
			next_run_ms: now + 6 * 60_000, duration_s: 4.2, failures: broken ? 12 : 0,
			error: broken ? 'command zfs send failed: out of space' : null,
		}],
	};
}

const sensor = (name, celsius, max = null, critical = null) => ({ sensor: name, celsius, max, critical });

/** Per node of the reference cluster: its processor's heat, its chips, its fans. */
const cores = (t) => Array.from({ length: 8 }, (_, i) => sensor(`coretemp Core ${i * 4}`, t - 1 - i * 0.7, 80, 100));
const HEAT = {
	Home: (t) => [
		[
			sensor('coretemp Package id 0', t, 80, 100), ...cores(t), sensor('nvme Composite', 44.9, 81.8, 84.8),
			sensor('acpitz', 27.8), sensor('nct6798 AUXTIN1', null),
		],
		[{ fan: 'nct6798 fan1', rpm: 912 }, { fan: 'nct6798 fan2', rpm: 1204 }],
	],
	pve: (t) => [
		[sensor('k10temp Tctl', t), sensor('amdgpu edge', t - 8, 95, 105), sensor('nvme Composite', 51.9, 83.8, 87.8)],
		[{ fan: 'thinkpad fan1', rpm: 2710 }],
	],
	agent1: (t) => [[sensor('coretemp Package id 0', t, 110, 110), sensor('nvme Composite', 39.9, 81.8, 84.8)], []],
	agent: () => [[], []],
};
const BASE = { Home: 61, pve: 78, agent1: 52, agent: null };

export function thermal(cluster, node, now, cpu) {
	const kind = node.replace(/-\d+$/, '');
	const t = BASE[kind] === null ? null : cpu ?? BASE[kind];
	const [temperatures, fans] = (HEAT[kind] ?? HEAT.pve)(t ?? 0);
	return { ts: now, cluster, node, cpu: t, reason: t === null ? 'no answer over SSH: connection refused' : null,
		temperatures, fans };
}

const disk = (over) => ({
	model: null, type: null, size: null, health: 'PASSED', life_left: null, used_by: null, celsius: null,
		power_on_hours: null,
	reallocated: 0, pending: 0, media_errors: null, reason: null, ...over,
});
const DISKS = {
	Home: [
		disk({ serial: 'S6B0NL0T412', device: '/dev/nvme0n1', model: 'Samsung SSD 980 PRO 1TB', type: 'nvme',
			size: TIB, life_left: 94, used_by: 'LVM', celsius: 45, power_on_hours: 14_211, media_errors: 0,
			reallocated: null, pending: null }),
		disk({ serial: 'ZR51B2', device: '/dev/sda', model: 'ST8000VN004-3CP101', type: 'hdd', size: 7.3 * TIB,
			health: null, used_by: 'partitions', reallocated: null, pending: null,
			reason: 'in standby: a sleeping disk is not woken for SMART' }),
	],
	pve: [
		disk({ serial: 'PHYF941', device: '/dev/nvme0n1', model: 'INTEL SSDPEKNW512G8', type: 'nvme',
			size: 477 * GIB, life_left: 71, used_by: 'ZFS', celsius: 52, power_on_hours: 30_880, media_errors: 0,
			reallocated: null, pending: null }),
		disk({ serial: 'WD-WX11', device: '/dev/sda', model: 'WDC WD40EFRX-68N32N0', type: 'hdd', size: 3.6 * TIB,
			used_by: 'ZFS', celsius: 38, power_on_hours: 52_004 }),
		disk({ serial: 'WD-WX12', device: '/dev/sdb', model: 'WDC WD40EFRX-68N32N0', type: 'hdd', size: 3.6 * TIB,
			used_by: 'ZFS', celsius: 39, power_on_hours: 52_001, reallocated: 8 }),
	],
	agent1: [
		disk({ serial: 'CT1000P3', device: '/dev/nvme0n1', model: 'CT1000P3PSSD8', type: 'nvme', size: TIB,
			life_left: 99, used_by: 'LVM', celsius: 40, power_on_hours: 4100, media_errors: 0, reallocated: null,
			pending: null }),
	],
	agent: [
		disk({ serial: 'KINGSTON1', device: '/dev/sda', model: 'KINGSTON SA400S37120G', type: 'ssd',
			size: 112 * GIB, life_left: 14, used_by: 'LVM', celsius: 33, power_on_hours: 41_500 }),
		disk({ serial: 'USB0001', device: '/dev/sdb', model: 'USB DISK 3.0', type: 'usb', size: 58 * GIB,
			health: 'UNKNOWN', reason: 'the disk does not speak SMART', reallocated: null, pending: null }),
	],
};

const POOLS = {
	pve: [{ pool: 'tank', health: 'ONLINE', size: 3.62 * TIB, used: 2.45 * TIB, fragmentation: 14,
		scan: 'scrub repaired 0B in 05:12:44 with 0 errors on Sun Nov  8', errors: 'No known data errors',
		bad_devices: [] }],
	agent1: [{ pool: 'rpool', health: 'ONLINE', size: 0.9 * TIB, used: 0.21 * TIB, fragmentation: 3, scan: null,
		errors: 'No known data errors', bad_devices: [] }],
};

const PACKAGES = ['pve-manager', 'proxmox-kernel-6.8', 'libpve-common-perl', 'openssl', 'libssl3', 'qemu-server',
	'pve-qemu-kvm', 'zfsutils-linux'];
const UPDATES = {
	Home: { pending: 8, security: 2, ends: 214 }, pve: { pending: 0, security: 0, ends: 98 }, agent1: { pending: 3,
		security: 0, ends: 17 },
	agent: { pending: null, security: null, ends: null,
		reason: 'the token may not ask for updates: Sys.Modify is missing on /nodes/agent' },
};

function updates(cluster, node, now) {
	const u = UPDATES[node.replace(/-\d+$/, '')] ?? UPDATES.pve;
	return {
		ts: now, cluster, node, pending: u.pending, security: u.security, partial: u.pending === 3,
			reason: u.reason ?? null,
		packages: PACKAGES.slice(0, u.pending ?? 0).map((name, i) => ({ name, version: `9.2.${11 + i}`,
			old_version: `9.2.${8 + i}`, security: name.includes('ssl') })),
		certificate_ends_ms: u.ends === null ? null : now + u.ends * DAY,
			certificate: u.ends === null ? null : 'pve-ssl.pem',
	};
}

function ha(cluster, now, nodes) {
	return {
		ts: now, cluster, quorate: true, master: nodes[0], master_state: 'active', fencing: null,
		nodes: nodes.slice(0, 3).map((node, i) => ({ node, state: i === 2 ? 'idle' : 'active', seen_ms: now - 4000 })),
		services: [
			{ sid: 'vm:102', vmid: 102, node: nodes[1], state: 'started', wanted: 'started',
				comment: 'the house must not go dark' },
			{ sid: 'ct:101', vmid: 101, node: nodes[0], state: 'started', wanted: 'started', comment: null },
		],
	};
}

export const CEPH = {
	health: 'HEALTH_WARN', checks: [{ name: 'OSD_NEARFULL', severity: 'warning', text: '1 nearfull osd(s)' }],
		osds: 6, osds_up: 6,
	osds_in: 6, mons: 3, mons_in_quorum: 3, pgs: 129, pgs_clean: 129, used: 3.1 * TIB, total: 10.9 * TIB, degraded: 0,
};

export const FINDINGS = [
	{
		id: 'token.too-many', severity: 'warning', title: 'The token may do more than read',
			detail: 'VM.PowerMgmt on /vms',
		cure: "pveum acl delete /vms --tokens 'jarvis@pve!monitor' --roles PVEVMAdmin",
	},
];

export const CALLS = {
	calls_by_node: { Home: 34, pve: 7, agent1: 7, agent: 6 },
	calls_by_path: { '/cluster/resources': 6, '/cluster/status': 6, '/nodes/{node}/status': 12,
		'/nodes/{node}/storage': 8, '/cluster/tasks': 12 },
};

/** Everything beside the states, as topic → document. `skip` leaves kinds out: 'thermal', 'backups', 'disks' … */
export function fixture({ cluster, nodes, guests, now: real = Date.now(), skip = [] }) {
	/* A minute ago, so that "eight hours ago" is not seven and 59 minutes. */
	const now = real - 60_000;
	const out = {};
	const put = (kind, topic, d) => {
		if (!skip.includes(kind)) out[`pve/${cluster}/${topic}`] = d;
	};
	put('backups', 'backups', posture(cluster, now, guests.length));
	put('ha', 'ha', ha(cluster, now, nodes));
	for (const [i, g] of guests.entries()) {
		put('backups', `guest/${g.vmid}/backup`, backup(i, g.vmid, cluster, now));
		put('guests', `guest/${g.vmid}/snapshots`, snapshots(i, g.vmid, cluster, now));
		put('guests', `guest/${g.vmid}/config`, config(i, g, now));
		if (i < 3) put('replication', `guest/${g.vmid}/replication`, replication(g.vmid, cluster, now, i === 1));
	}
	for (const node of nodes) {
		const kind = node.replace(/-\d+$/, '');
		const about = { ts: now, cluster, node };
		put('thermal', `node/${node}/thermal`, thermal(cluster, node, now));
		put('updates', `node/${node}/updates`, updates(cluster, node, now));
		for (const d of DISKS[kind] ?? []) put('disks', `node/${node}/disk/${d.serial}`, { ...about, ...d });
		for (const p of POOLS[kind] ?? []) put('disks', `node/${node}/pool/${p.pool}`, { ...about, ...p });
	}
	return out;
}
