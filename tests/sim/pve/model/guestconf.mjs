/** The configuration file of a guest, as key and value, and its digest. */
import { createHash } from 'node:crypto';

const GIB = 2 ** 30;
const MIB = 2 ** 20;

/** @returns {Record<string, string | number>} without digest; changes made by PUT win */
export function configOf(guest) {
	const base = guest.type === 'qemu' ? qemuConfig(guest) : lxcConfig(guest);
	const merged = { ...base, ...guest.overrides };
	if (guest.lock) {
		merged.lock = guest.lock;
	}
	return Object.fromEntries(Object.entries(merged).filter(([, v]) => v !== null && v !== undefined));
}

/** SHA-1 over the text of the file, as PVE does; a lock or tag changes it. */
export function digestOf(guest) {
	const lines = Object.entries(configOf(guest)).sort().map(([k, v]) => `${k}: ${v}\n`);
	const snaps = guest.snapshots.map((s) => `[${s.name}]\n`);
	return createHash('sha1').update([...lines, ...snaps].join('')).digest('hex');
}

function common(guest) {
	return {
		cores: guest.cpus, onboot: guest.onboot || undefined, tags: guest.tags || undefined,
		template: guest.template || undefined, parent: guest.snapshots.at(-1)?.name,
	};
}

function qemuConfig(guest) {
	const windows = guest.name.startsWith('windows');
	return {
		...common(guest), name: guest.name, sockets: 1, memory: String(guest.maxmem / MIB),
		cpu: 'x86-64-v2-AES', ostype: windows ? 'win11' : 'l26', agent: guest.agent ? '1' : undefined,
		boot: 'order=scsi0;net0', scsihw: 'virtio-scsi-single', bios: windows ? 'ovmf' : undefined,
		scsi0: `${guest.storage}:vm-${guest.vmid}-disk-0,discard=on,size=${guest.maxdisk / GIB}G`,
		net0: `virtio=${guest.mac},bridge=vmbr0`, smbios1: `uuid=${guest.uuid}`,
		vmgenid: guest.uuid, numa: 0,
	};
}

function lxcConfig(guest) {
	return {
		...common(guest), hostname: guest.name, arch: 'amd64', memory: guest.maxmem / MIB,
		swap: guest.maxswap / MIB, ostype: 'debian', unprivileged: 1, features: 'nesting=1',
		rootfs: `${guest.storage}:subvol-${guest.vmid}-disk-0,size=${guest.maxdisk / GIB}G`,
		net0: `name=eth0,bridge=vmbr0,hwaddr=${guest.mac},ip=dhcp,type=veth`,
	};
}

/** Can it move without its disk? Only when the disk is on shared storage. */
export function localDisks(guest, storages) {
	const storage = storages.get(guest.storage);
	return storage && !storage.shared
		? [{ volid: `${guest.storage}:vm-${guest.vmid}-disk-0`, size: guest.maxdisk, cdrom: 0,
			is_unused: 0 }] : [];
}
