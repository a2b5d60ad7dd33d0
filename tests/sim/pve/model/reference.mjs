/**
 * The reference cluster: four unequal machines of a homelab, 32 guests, ten storages.
 * Columns are positional to keep it readable as a table.
 */
const GIB = 2 ** 30;
const TIB = 2 ** 40;

const NODES = [
	// name, address, cores, sockets, GiB, processor, disks
	['Home', '192.168.1.50', 20, 1, 24, '13th Gen Intel(R) Core(TM) i5-13600K', 'desktop'],
	['pve', '192.168.1.74', 6, 1, 31, 'AMD Ryzen 5 3600 6-Core Processor', 'zfs-usb'],
	['agent1', '192.168.1.61', 14, 1, 31, 'Intel(R) Core(TM) Ultra 5 125H', 'zfs'],
	['agent', '192.168.1.62', 2, 1, 4, 'Intel(R) Celeron(R) CPU J3355 @ 2.00GHz', 'small'],
];

const GUESTS = [
	// vmid, type, name, node, cpus, MiB, disk GiB, storage, load, tags, extra
	[100, 'qemu', 'home-assistant', 'Home', 2, 4096, 32, 'local-lvm', 'automation', 'smarthome'],
	[101, 'lxc', 'jellyfin', 'Home', 4, 3072, 32, 'local-lvm', 'media', 'media'],
	[102, 'lxc', 'nextcloud', 'Home', 4, 4096, 64, 'local-lvm', 'web', 'files;web',
		{ snapshots: [['before-31', 214, 'before the jump to version 31']] }],
	[103, 'lxc', 'nas', 'Home', 2, 1024, 16, 'local-lvm', 'files', 'files;infra', { conf: {
		mp0: '/mnt/media,mp=/srv/media', description: 'shares for the whole house\n',
		mp1: 'local-lvm:vm-103-disk-1,mp=/srv/documents,backup=1,size=64G',
		mp2: 'local-lvm:vm-103-disk-2,mp=/srv/scratch,size=128G' } }],
	[104, 'qemu', 'frigate', 'Home', 4, 4096, 64, 'nvme', 'nvr', 'cameras', { conf: {
		scsi1: 'nvme:vm-104-disk-1,backup=0,discard=on,size=200G' },
	backupTrouble: "VM 104 qmp command 'backup' failed - got timeout" }],
	[105, 'lxc', 'immich', 'Home', 4, 3072, 48, 'nvme', 'media', 'media;web'],
	[106, 'lxc', 'paperless', 'Home', 2, 2048, 24, 'local-lvm', 'web', 'web'],
	[108, 'lxc', 'gitea', 'Home', 2, 1024, 32, 'local-lvm', 'web', 'dev'],
	[109, 'qemu', 'windows11', 'Home', 6, 8192, 120, 'nvme', 'idle', 'desktop', { stopped: true }],
	[110, 'lxc', 'vaultwarden', 'Home', 1, 512, 8, 'local-lvm', 'idle', 'infra;web'],
	[120, 'lxc', 'pihole', 'pve', 1, 512, 8, 'nas', 'dns', 'dns;infra', { ha: 'started' }],
	[121, 'lxc', 'unifi', 'pve', 2, 2048, 16, 'local-lvm', 'idle', 'network'],
	[122, 'lxc', 'grafana', 'pve', 2, 1024, 12, 'tank', 'web', 'monitoring'],
	[123, 'lxc', 'influxdb', 'pve', 2, 4096, 48, 'tank', 'db', 'monitoring',
		{ replicate: 'agent1', replicationTrouble: true }],
	[124, 'lxc', 'zigbee2mqtt', 'pve', 1, 512, 4, 'local-lvm', 'automation', 'smarthome'],
	[125, 'lxc', 'esphome', 'pve', 2, 1024, 8, 'local-lvm', 'idle', 'smarthome'],
	[126, 'lxc', 'node-red', 'pve', 1, 1024, 8, 'local-lvm', 'automation', 'smarthome'],
	[127, 'qemu', 'opnsense-lab', 'pve', 2, 2048, 16, 'local-lvm', 'idle', 'lab', { stopped: true }],
	[128, 'qemu', 'docker-host', 'pve', 4, 8192, 96, 'nas', 'web', 'docker;infra', { ha: 'started',
		snapshots: [['before-compose', 96, 'before compose 2.40'], ['clean', 31, '', 1]],
		conf: { ciuser: 'admin', cipassword: '**********', ipconfig0: 'ip=192.168.1.128/24,gw=192.168.1.1',
			sshkeys: 'ssh-ed25519%20AAAAC3NzaC1lZDI1NTE5AAAAIG0ckup%20admin%40desk', startup: 'order=2,up=30',
			ide2: 'nas:128/vm-128-cloudinit.qcow2,media=cdrom,size=4M', protection: 1,
			args: '-device intel-iommu' } }],
	[9000, 'qemu', 'debian-12-template', 'pve', 2, 2048, 8, 'tank', 'idle', 'template',
		{ template: true }],
	[140, 'qemu', 'mgmt', 'agent1', 4, 6144, 64, 'local-lvm', 'web', 'infra;jarvis'],
	[141, 'lxc', 'mqtt', 'agent1', 1, 512, 4, 'local-lvm', 'automation', 'infra;smarthome'],
	[142, 'lxc', 'postgres', 'agent1', 2, 4096, 40, 'tank', 'db', 'database;infra',
		{ replicate: 'pve' }],
	[143, 'qemu', 'build-runner', 'agent1', 6, 6144, 80, 'tank', 'build', 'dev'],
	[144, 'qemu', 'k3s-1', 'agent1', 2, 3072, 32, 'tank', 'web', 'k3s'],
	[145, 'qemu', 'k3s-2', 'agent1', 2, 3072, 32, 'tank', 'web', 'k3s', { stopped: true }],
	[146, 'lxc', 'wireguard', 'agent1', 1, 256, 4, 'local-lvm', 'idle', 'network'],
	[147, 'lxc', 'uptime-kuma', 'agent1', 1, 512, 8, 'local-lvm', 'idle', 'monitoring'],
	[148, 'qemu', 'test-debian', 'agent1', 2, 2048, 20, 'local-lvm', 'idle', 'lab', { paused: true }],
	[149, 'lxc', 'minecraft', 'agent1', 4, 6144, 24, 'local-lvm', 'idle', 'games', { stopped: true }],
	[160, 'lxc', 'pihole2', 'agent', 1, 384, 6, 'local-lvm', 'dns', 'dns;infra'],
	[161, 'lxc', 'ntp', 'agent', 1, 256, 4, 'local-lvm', 'idle', 'infra'],
];

const STORAGES = [
	// id, type, content, shared, nodes (null: all), bytes (one for all or by node), used share
	['local', 'dir', 'iso,vztmpl,backup', 0, null, { '*': 94 * GIB, agent: 28 * GIB }, 0.38],
	['local-lvm', 'lvmthin', 'rootdir,images', 0, null,
		{ Home: 780 * GIB, pve: 348 * GIB, agent1: 794 * GIB, agent: 54 * GIB }, 0.52],
	['nas', 'nfs', 'images,rootdir,backup', 1, null, { '*': 7.2 * TIB }, 0.61],
	['pbs', 'pbs', 'backup', 1, null, { '*': 3.6 * TIB }, 0.57],
	['tank', 'zfspool', 'images,rootdir', 0, ['pve', 'agent1'],
		{ pve: 1.76 * TIB, agent1: 0.88 * TIB }, 0.44],
	['nvme', 'lvmthin', 'images,rootdir', 0, ['Home'], { '*': 931 * GIB }, 0.48],
	['media', 'dir', 'snippets,iso', 0, ['Home'], { '*': 10.9 * TIB }, 0.78],
	['iso', 'nfs', 'iso,vztmpl', 1, null, { '*': 900 * GIB }, 0.22],
	['usb-backup', 'dir', 'backup', 0, ['pve'], { '*': 1.8 * TIB }, 0.69],
	['archive', 'cifs', 'backup,iso', 1, ['Home', 'pve', 'agent1'], { '*': 5.4 * TIB }, 0.33],
];

const BACKUP_JOBS = [
	{
		id: 'backup-4b1ad0c7-nightly', schedule: '02:30', storage: 'pbs', all: 1, enabled: 1,
		exclude: '127,149,9000', mode: 'snapshot', comment: 'nightly',
		'prune-backups': { 'keep-daily': '7', 'keep-weekly': '4' },
	},
	{
		id: 'backup-91e6f2aa-weekly', schedule: 'sun 04:00', storage: 'nas', vmid: '100,102,140,142',
		enabled: 1, mode: 'snapshot', compress: 'zstd', comment: 'weekly off the backup server',
		'prune-backups': { 'keep-last': '3' },
	},
	{
		id: 'backup-0d55be11-games', schedule: 'mon 05:00', storage: 'nas', vmid: '149', enabled: 0,
		mode: 'stop', compress: 'zstd', 'prune-backups': { 'keep-last': '1' },
	},
];

/** Backups that no job made in the last days: [storage, vmid, type, name, GiB, days ago …]. */
const OLD_BACKUPS = [
	['nas', 149, 'lxc', 'minecraft', 24, 38],
	['pbs', 107, 'lxc', 'old-wiki', 16, 61, 68, 75],
	['nas', 107, 'lxc', 'old-wiki', 16, 61],
];

/** The description of the reference cluster, as `build.mjs` wants it. */
export function describeReference() {
	return {
		name: 'home',
		quorum: 3,
		nodes: NODES.map(([name, ip, cores, sockets, gib, cpu, kit]) =>
			({ name, ip, cores, sockets, memGib: gib, cpu, kit })),
		guests: GUESTS.map(([vmid, type, name, node, cpus, mib, diskGib, storage, load, tags, extra]) =>
			({ vmid, type, name, node, cpus, mib, diskGib, storage, load, tags, ...extra })),
		storages: STORAGES.map(([id, type, content, shared, nodes, bytes, used]) =>
			({ id, type, content, shared, nodes, bytes, used })),
		pools: [{ poolid: 'smarthome', comment: 'what the house needs',
			members: [100, 120, 124, 125, 126, 141] }],
		backupJobs: BACKUP_JOBS.map((job) => ({ ...job })),
		oldBackups: OLD_BACKUPS,
	};
}
