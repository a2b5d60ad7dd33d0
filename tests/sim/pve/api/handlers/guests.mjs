/** Reading guests: lists, current state, configuration, snapshots, agent. */
import { noiseAt, shuffle } from '../../lib/prng.mjs';
import { measureGuest } from '../../model/sample.mjs';
import { configOf, digestOf, localDisks } from '../../model/guestconf.mjs';
import { guestHaState } from '../../model/ha.mjs';
import { die } from '../errors.mjs';
import { guestHere } from '../guest.mjs';

const PRESSURES = ['cpusome', 'cpufull', 'iosome', 'iofull', 'memorysome', 'memoryfull'];

function qemuList({ sim, node, params, perms, now }) {
	return listed(sim, node, 'qemu', perms)
		.map((guest) => qemuRow(guest, node, now, Boolean(params.full)));
}

function lxcList({ sim, node, perms, now }) {
	return listed(sim, node, 'lxc', perms).map((guest) => lxcRow(guest, node, now));
}

function listed(sim, node, type, perms) {
	return shuffle(sim.cluster.guestsOn(node.name))
		.filter((guest) => guest.type === type && perms.has(`/vms/${guest.vmid}`, 'VM.Audit'));
}

function shared(guest, v) {
	return {
		vmid: guest.vmid, name: guest.name, status: guest.state === 'stopped' ? 'stopped' : 'running',
		cpus: guest.cpus, cpu: v.cpu, mem: v.mem, maxmem: v.maxmem, disk: v.disk,
		maxdisk: v.maxdisk, uptime: v.uptime, netin: v.netin, netout: v.netout,
		lock: guest.lock ?? undefined, tags: guest.tags || undefined,
		template: guest.template || undefined, pid: guest.pid ?? undefined,
	};
}

function qemuRow(guest, node, now, full) {
	const v = measureGuest(guest, now);
	const row = shared(guest, v);
	const running = guest.state !== 'stopped';
	if (node.pve.major >= 9) {
		row.memhost = v.memhost;
		if (running) {
			Object.assign(row, pressures(guest, now, (n) => n));
		}
	}
	if (full) {
		row.qmpstatus = guest.state;
		Object.assign(row, running ? monitorValues(guest, v, node) : {});
	}
	return row;
}

/** What only QEMU's own monitor knows. */
function monitorValues(guest, v, node) {
	const tap = `tap${guest.vmid}i0`;
	return {
		diskread: v.diskread, diskwrite: v.diskwrite, balloon: guest.maxmem,
		ballooninfo: { actual: guest.maxmem, max_mem: guest.maxmem,
			...(guest.agent ? { total_mem: guest.maxmem, free_mem: guest.maxmem - v.mem,
				last_update: Math.floor(v.uptime) } : {}) },
		freemem: guest.agent ? guest.maxmem - v.mem : undefined,
		'running-machine': `pc-i440fx-${node.pve.qemu.split('.').slice(0, 2).join('.')}+pve0`,
		'running-qemu': node.pve.qemu,
		'proxmox-support': { 'pbs-dirty-bitmap': true, 'query-bitmap-info': true,
			'backup-max-workers': true, 'pbs-library-version': '1.5.2' },
		blockstat: { scsi0: { rd_bytes: v.diskread, wr_bytes: v.diskwrite, account_failed: true,
			timed_stats: [] } },
		nics: { [tap]: { netin: v.netin, netout: v.netout } },
	};
}

function lxcRow(guest, node, now) {
	const v = measureGuest(guest, now);
	const row = { ...shared(guest, v), type: 'lxc', maxswap: guest.maxswap, swap: v.swap,
		diskread: v.diskread, diskwrite: v.diskwrite };
	if (v.uptime > 0 && v.uptime < 3) {
		row.cpu = -5.75e-5; // seen right after a restart
	}
	if (guest.state !== 'stopped' && node.pve.major >= 9) {
		Object.assign(row, pressures(guest, now, (n) => n.toFixed(2)));
	}
	return row;
}

/** Numbers for VMs, texts for containers: that is how it is. */
function pressures(guest, now, show) {
	return Object.fromEntries(PRESSURES.map((name, i) => {
		const n = noiseAt(guest.seed + i, Math.floor(now / 30));
		return [`pressure${name}`, show(n < 0.8 ? 0 : Math.round((n - 0.8) * 2000) / 100)];
	}));
}

function current(ctx, type) {
	const guest = guestHere(ctx, type);
	const row = type === 'qemu' ? qemuRow(guest, ctx.node, ctx.now, true)
		: lxcRow(guest, ctx.node, ctx.now);
	row.ha = guest.ha ? { managed: 1, state: guestHaState(ctx.sim.cluster, guest),
		group: undefined } : { managed: 0 };
	if (type === 'qemu' && guest.agent) {
		row.agent = 1;
	}
	return row;
}

function config(ctx, type) {
	const guest = guestHere(ctx, type);
	if (ctx.params.snapshot && !guest.snapshots.some((s) => s.name === ctx.params.snapshot)) {
		die(`snapshot '${ctx.params.snapshot}' does not exist`);
	}
	const out = { ...configOf(guest), digest: digestOf(guest) };
	if (type === 'lxc') {
		out.lxc = [['lxc.apparmor.profile', 'generated']];
	} else if (ctx.node.pve.major < 9) {
		out.memory = Number(out.memory);
	}
	return out;
}

function pending(ctx, type) {
	const guest = guestHere(ctx, type);
	return Object.entries({ ...configOf(guest), digest: digestOf(guest) })
		.map(([key, value]) => ({ key, value }));
}

function snapshots(ctx, type) {
	const guest = guestHere(ctx, type);
	const rows = guest.snapshots.map((s) => ({
		name: s.name, description: s.description ?? '', snaptime: s.snaptime,
		parent: s.parent ?? undefined, vmstate: type === 'qemu' ? s.vmstate : undefined,
	}));
	rows.push({ name: 'current', description: 'You are here!', digest: digestOf(guest),
		running: guest.state === 'stopped' ? 0 : 1, parent: guest.snapshots.at(-1)?.name });
	return rows;
}

function migratePreconditions(ctx, type) {
	const guest = guestHere(ctx, type);
	const { cluster } = ctx.sim;
	const others = [...cluster.nodes.keys()].filter((name) => name !== ctx.node.name);
	const running = guest.state === 'stopped' ? 0 : 1;
	if (type === 'lxc') {
		return { running, 'allowed-nodes': others };
	}
	const disks = localDisks(guest, cluster.storages);
	const allowed = others.filter((name) => cluster.storages.get(guest.storage)?.nodes.includes(name));
	return { running, local_disks: disks, local_resources: [], 'mapped-resources': [],
		'mapped-resource-info': {}, has_dbus_vmstate: 0,
		...(running ? {} : { allowed_nodes: allowed }) };
}

function interfaces(ctx) {
	const guest = guestHere(ctx, 'lxc');
	if (guest.state === 'stopped') {
		return null;
	}
	const ip = `192.168.1.${(guest.vmid % 150) + 100}`;
	return [
		{ name: 'lo', hwaddr: '00:00:00:00:00:00', 'hardware-address': '00:00:00:00:00:00',
			inet: '127.0.0.1/8' },
		{ name: 'eth0', hwaddr: guest.mac.toLowerCase(), inet: `${ip}/24`,
			'hardware-address': guest.mac.toLowerCase(),
			'ip-addresses': [{ 'ip-address': ip, 'ip-address-type': 'inet', prefix: 24 }] },
	];
}

const both = (path, fn) => Object.fromEntries(['qemu', 'lxc'].map((type) =>
	[`GET /nodes/{node}/${type}/{vmid}${path}`, (ctx) => fn(ctx, type)]));

export default {
	'GET /nodes/{node}/qemu': qemuList,
	'GET /nodes/{node}/lxc': lxcList,
	'GET /nodes/{node}/lxc/{vmid}/interfaces': interfaces,
	...both('', () => ['config', 'migrate', 'pending', 'rrddata', 'snapshot', 'status']
		.map((subdir) => ({ subdir }))),
	...both('/status', () => ['current', 'start', 'stop', 'shutdown', 'reboot', 'suspend', 'resume']
		.map((subdir) => ({ subdir }))),
	...both('/status/current', current),
	...both('/config', config),
	...both('/pending', pending),
	...both('/snapshot', snapshots),
	...both('/migrate', migratePreconditions),
};
