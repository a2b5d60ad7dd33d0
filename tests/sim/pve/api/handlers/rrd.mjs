/** Charts: made from the same functions of time as the live numbers, so both agree. */
import { noiseAt } from '../../lib/prng.mjs';
import { hasZfs } from '../../model/hardware.mjs';
import { guestLoad, nodeLoad, storageUsed } from '../../model/load.mjs';
import { timeOut } from '../proxy.mjs';
import { die } from '../errors.mjs';
import { find as findStorage } from './storage.mjs';

/** [rows, seconds a row] by timeframe. */
const STEPS = {
	8: { hour: [60, 60], day: [70, 1800], week: [70, 10800], month: [70, 43200], year: [70, 604800] },
	9: { hour: [60, 60], day: [1440, 60], week: [336, 1800], month: [1440, 1800],
		year: [1440, 21600], decade: [570, 604800] },
};

const PRESSURES = ['cpusome', 'cpufull', 'iosome', 'iofull', 'memorysome', 'memoryfull'];
const GAP_ODDS = 0.004;

/** The newest bucket is sometimes not there yet, and a few have nothing but their time. */
function series({ node, params, now }, seed, row) {
	const steps = STEPS[node.pve.major];
	const [count, step] = steps[params.timeframe] ?? steps.hour;
	const newest = Math.floor(now / step);
	const last = (newest - (noiseAt(seed, newest) < 0.5 ? 1 : 0)) * step;
	return Array.from({ length: count }, (_, i) => {
		const time = last - (count - 1 - i) * step;
		const gap = noiseAt(seed ^ 0x9a9, time / step) < GAP_ODDS;
		return gap ? { time } : { time, ...row(time + step / 2) };
	});
}

const pressures = (seed, t, list = PRESSURES) => Object.fromEntries(list.map((name, i) =>
	[`pressure${name}`, Math.max(0, noiseAt(seed + i, Math.floor(t / 60)) - 0.9) * 20]));

function nodeRrd(ctx) {
	const { node: name } = ctx.params;
	const node = ctx.sim.cluster.nodes.get(name) ?? die(`no such node '${name}'`);
	const guests = ctx.sim.cluster.guestsOn(node.name).filter((g) => g.state === 'running');
	return series(ctx, node.seed, (t) => {
		const use = { cpu: 0, mem: 0, netin: 0, netout: 0 };
		for (const guest of guests) {
			const load = guestLoad(guest, t);
			use.cpu += load.cpu * guest.cpus;
			use.mem += load.mem;
			use.netin += load.netin;
			use.netout += load.netout;
		}
		return nodeColumns(ctx, node, use, t);
	});
}

function nodeColumns({ node: here }, node, use, t) {
	const v = nodeLoad(node, use, t);
	const row = {
		loadavg: v.load, maxcpu: node.cores, cpu: v.cpu, iowait: v.wait, memtotal: node.maxmem,
		memused: v.mem, swaptotal: node.maxswap, swapused: v.swap, roottotal: node.maxdisk,
		rootused: v.disk, netin: use.netin, netout: use.netout,
	};
	return here.pve.major < 9 ? row : { ...row, memavailable: node.maxmem - v.mem,
		arcsize: hasZfs(node) ? node.maxmem * 0.08 : 0,
		...pressures(node.seed, t, PRESSURES.filter((name) => name !== 'cpufull')) };
}

function guestRrd(ctx) {
	const guest = ctx.sim.cluster.guests.get(ctx.params.vmid) ??
		die(`no such VM ('${ctx.params.vmid}')`);
	return series(ctx, guest.seed, (t) => guestColumns(ctx, guest, t));
}

function guestColumns({ node }, guest, t) {
	const fixed = { maxcpu: guest.cpus, maxmem: guest.maxmem, maxdisk: guest.maxdisk };
	if (guest.state !== 'running' || t < guest.startedAt) {
		return { ...fixed, cpu: 0, mem: 0, disk: 0 };
	}
	const row = { ...fixed, ...guestLoad(guest, t) };
	if (node.pve.major < 9) {
		return row;
	}
	return { ...row, ...pressures(guest.seed, t),
		...(guest.type === 'qemu' ? { memhost: guest.maxmem * 1.01 } : {}) };
}

function storageRrd(ctx) {
	const storage = findStorage(ctx);
	return series(ctx, storage.seed, (t) =>
		({ total: storage.sizeOn(ctx.node.name), used: storageUsed(storage, ctx.node.name, t) }));
}

/** All numbers of the cluster; asks every member in turn, and a mute one costs its time. */
async function metricsExport({ sim, entry }) {
	const out = [];
	for (const node of sim.cluster.nodes.values()) {
		if (!sim.cluster.online(entry, node) || !node.alive) {
			continue;
		}
		if (node.endpoint.state === 'hung') {
			await timeOut(sim).catch(() => {});
			continue;
		}
		const { at, row } = node.kv.node;
		out.push(...metrics(`node/${node.name}`, at, 'gauge', { cpu_current: row.cpu,
			mem_used: row.mem, mem_total: row.maxmem, uptime: row.uptime }));
	}
	for (const [vmid, { at, row }] of sim.cluster.vmKv) {
		const id = `${sim.cluster.guests.get(vmid).type}/${vmid}`;
		out.push(...metrics(id, at, 'gauge', { cpu_current: row.cpu, mem_used: row.mem,
			uptime: row.uptime }));
		out.push(...metrics(id, at, 'derive', { net_in: row.netin, net_out: row.netout,
			disk_read: row.diskread, disk_write: row.diskwrite }));
	}
	return { data: out };
}

const metrics = (id, at, type, values) => Object.entries(values).map(([metric, value]) =>
	({ id, metric, value, type, timestamp: Math.floor(at) }));

export default {
	'GET /nodes/{node}/rrddata': nodeRrd,
	'GET /nodes/{node}/qemu/{vmid}/rrddata': guestRrd,
	'GET /nodes/{node}/lxc/{vmid}/rrddata': guestRrd,
	'GET /nodes/{node}/storage/{storage}/rrddata': storageRrd,
	'GET /cluster/metrics/export': metricsExport,
};
