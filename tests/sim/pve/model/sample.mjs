/** What pvestatd measures and broadcasts every ten seconds, and what a fresh call measures. */
import { guestLoad, nodeLoad, storageUsed } from './load.mjs';

const COUNTERS = ['netin', 'netout', 'diskread', 'diskwrite'];

/**
 * Tasks, node, guests, storages: in this order, and a storage that hangs stops the rest and
 * every later round, while what came before it is still sent this once.
 */
export function sampleNode(cluster, node) {
	const now = cluster.clock.now();
	const use = { cpu: 0, mem: 0 };
	for (const guest of cluster.guests.values()) {
		if (guest.node === node.name) {
			const row = measureGuest(guest, now);
			use.cpu += row.cpu * guest.cpus;
			use.mem += row.mem;
			cluster.vmKv.set(guest.vmid, { at: now, from: node.name, row, major: node.pve.major });
		}
	}
	node.kv = { ...node.kv, node: { at: now, row: measureNode(node, use, now) } };
	if (node.hungStorages.size > 0) {
		node.statdStuck = true;
		return;
	}
	node.kv = { ...node.kv, storages: { at: now, rows: measureStorages(cluster, node, now) } };
}

/** @returns {object} numbers of a guest now; counters move on as a side effect */
export function measureGuest(guest, now) {
	const base = {
		name: guest.name, status: guest.state, template: guest.template, maxcpu: guest.cpus,
		maxmem: guest.maxmem, maxdisk: guest.maxdisk,
	};
	if (guest.state === 'stopped') {
		return { ...base, uptime: 0, cpu: 0, mem: 0, disk: 0, netin: 0, netout: 0, diskread: 0,
			diskwrite: 0, memhost: 0, swap: 0 };
	}
	const load = guestLoad(guest, now);
	const still = guest.state !== 'running';
	advanceCounters(guest, load, now, still);
	const mem = memoryShown(guest, load.mem);
	return {
		...base,
		uptime: Math.max(0, Math.floor(now - guest.startedAt)),
		cpu: still ? 0 : load.cpu,
		mem: mem.mem, memhost: mem.memhost, disk: load.disk,
		swap: guest.type === 'lxc' ? Math.round(guest.maxswap * 0.1 * (load.mem / guest.maxmem)) : 0,
		netin: Math.floor(guest.counters.netin), netout: Math.floor(guest.counters.netout),
		diskread: Math.floor(guest.counters.diskread),
		diskwrite: Math.floor(guest.counters.diskwrite),
	};
}

/** Without numbers from inside the guest, a VM shows its whole QEMU process: more than it has. */
function memoryShown(guest, used) {
	if (guest.type === 'lxc') {
		return { mem: used, memhost: 0 };
	}
	const host = Math.round(guest.maxmem * 1.012 + 60 * 2 ** 20);
	return guest.agent ? { mem: used, memhost: host } : { mem: host, memhost: host };
}

function advanceCounters(guest, load, now, still) {
	if (!guest.counters) {
		const age = now - guest.startedAt;
		guest.counters = { at: now };
		COUNTERS.forEach((name) => {
			guest.counters[name] = load[name] * age * 0.6;
		});
		return;
	}
	const dt = Math.max(0, now - guest.counters.at);
	guest.counters.at = Math.max(now, guest.counters.at);
	COUNTERS.forEach((name) => {
		guest.counters[name] += still ? 0 : load[name] * dt;
	});
}

/** @param {{cpu: number, mem: number}} use of its guests, in cores and bytes */
export function measureNode(node, use, now) {
	const load = nodeLoad(node, use, now);
	return {
		uptime: Math.max(0, Math.floor(now - node.bootedAt)), cpu: load.cpu, maxcpu: node.cores,
		mem: load.mem, maxmem: node.maxmem, disk: load.disk, maxdisk: node.maxdisk,
		wait: load.wait, load: load.load, swap: load.swap,
	};
}

/** A node's values this moment, as its own pveproxy would read them from /proc. */
export function measureNodeNow(cluster, node) {
	const now = cluster.clock.now();
	const use = { cpu: 0, mem: 0 };
	for (const guest of cluster.guestsOn(node.name)) {
		if (guest.state !== 'stopped') {
			const load = guestLoad(guest, now);
			use.cpu += guest.state === 'running' ? load.cpu * guest.cpus : 0;
			use.mem += memoryShown(guest, load.mem).mem;
		}
	}
	return measureNode(node, use, now);
}

function measureStorages(cluster, node, now) {
	const rows = new Map();
	for (const storage of cluster.storagesOf(node.name)) {
		const down = storage.offline?.has(node.name);
		rows.set(storage.id, down ? { active: 0 } : {
			active: 1, total: storage.sizeOn(node.name), used: storageUsed(storage, node.name, now),
		});
	}
	return rows;
}
