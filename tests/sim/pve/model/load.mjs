/**
 * How busy things are, as pure functions of (seed, time): smooth wandering, a day's rhythm,
 * spikes now and then. The same seed at the same moment always gives the same numbers, so a
 * chart drawn from rrddata agrees with what was polled.
 */
import { noiseAt, smoothNoise } from '../lib/prng.mjs';

const KB = 1024;
const MB = 1024 * KB;

/** cpu: rest; day: added at the busiest hour; spike: height; odds: of a spike in 15 minutes. */
const PROFILES = {
	idle: { cpu: 0.006, day: 0.004, spike: 0.1, odds: 0.03, mem: 0.34, net: 2 * KB, disk: KB },
	automation: { cpu: 0.03, day: 0.02, spike: 0.3, odds: 0.1, mem: 0.48, net: 18 * KB, disk: 9 * KB },
	web: { cpu: 0.03, day: 0.08, spike: 0.5, odds: 0.12, mem: 0.55, net: 90 * KB, disk: 60 * KB },
	db: { cpu: 0.06, day: 0.1, spike: 0.4, odds: 0.15, mem: 0.71, net: 150 * KB, disk: 700 * KB },
	media: { cpu: 0.02, day: 0.12, spike: 0.7, odds: 0.1, mem: 0.42, net: 1.4 * MB, disk: MB },
	files: { cpu: 0.02, day: 0.05, spike: 0.4, odds: 0.1, mem: 0.6, net: 2 * MB, disk: 1.6 * MB },
	nvr: { cpu: 0.31, day: 0.12, spike: 0.3, odds: 0.3, mem: 0.64, net: 3 * MB, disk: 2.5 * MB },
	dns: { cpu: 0.01, day: 0.01, spike: 0.1, odds: 0.05, mem: 0.29, net: 9 * KB, disk: 3 * KB },
	build: { cpu: 0.02, day: 0.05, spike: 0.95, odds: 0.2, mem: 0.38, net: 60 * KB, disk: 200 * KB },
};

const SPIKE_WINDOW = 900;

/** 0 in the small hours, 1 in the evening. @param {number} t Unix seconds */
export function dayCurve(t) {
	const hour = (t / 3600) % 24;
	return 0.5 - 0.5 * Math.cos(((hour - 4) / 24) * 2 * Math.PI);
}

/** Height of the spike (0..1) that falls on t, most of the time 0. */
function spikeAt(seed, t, odds) {
	const window = Math.floor(t / SPIKE_WINDOW);
	if (noiseAt(seed ^ 0x51, window) >= odds) {
		return 0;
	}
	const width = 60 + noiseAt(seed ^ 0x52, window) * 240;
	const middle = 200 + noiseAt(seed ^ 0x53, window) * 500;
	const off = Math.abs((t % SPIKE_WINDOW) - middle) / width;
	return off >= 1 ? 0 : 1 - off * off;
}

/**
 * @param {{seed: number, load: string, maxmem: number, maxdisk: number, type: string,
 *   forcedCpu?: number | null}} guest
 * @returns {{cpu: number, mem: number, disk: number, netin: number, netout: number,
 *   diskread: number, diskwrite: number}} the last four in bytes a second
 */
export function guestLoad(guest, t) {
	const p = PROFILES[guest.load] ?? PROFILES.idle;
	const s = guest.seed;
	const spike = spikeAt(s, t, p.odds);
	const slow = smoothNoise(s, t, 600);
	const quick = smoothNoise(s + 1, t, 45);
	const wander = p.cpu * (0.4 + 0.8 * slow + 0.4 * quick) + p.day * dayCurve(t) * (0.5 + slow);
	const cpu = guest.forcedCpu ?? Math.min(1, wander + p.spike * spike);
	const busy = 0.2 + dayCurve(t) * slow * 1.6 + 2 * spike + 0.5 * quick;
	const mem = Math.min(0.97, p.mem * (0.9 + 0.2 * smoothNoise(s + 2, t, 5400)) + 0.12 * spike);
	return {
		cpu,
		mem: Math.round(guest.maxmem * mem),
		disk: guest.type === 'lxc' ? diskUsed(guest, t) : 0,
		netin: p.net * busy,
		netout: p.net * busy * (0.3 + noiseAt(s, 3)),
		diskread: p.disk * busy * 0.4,
		diskwrite: p.disk * busy,
	};
}

/** Grows a little over weeks, with a breath. */
function diskUsed(guest, t) {
	const share = 0.25 + 0.45 * noiseAt(guest.seed, 7) + 0.05 * smoothNoise(guest.seed + 4, t, 86400);
	return Math.round(guest.maxdisk * share);
}

/**
 * A node's own use, on top of its guests'.
 * @param {object} node @param {{cpu: number, mem: number}} guests cores and bytes in use
 */
export function nodeLoad(node, guests, t) {
	const own = 0.006 + 0.02 * smoothNoise(node.seed, t, 300);
	const cpu = node.forcedCpu ?? Math.min(1, own + guests.cpu / node.cores);
	const base = (0.9 + 0.1 * smoothNoise(node.seed + 1, t, 3600)) * 1.1 * 2 ** 30;
	const iowait = 0.002 + 0.01 * smoothNoise(node.seed + 2, t, 200) + cpu * 0.01;
	return {
		cpu,
		wait: iowait,
		mem: Math.round(Math.min(node.maxmem * 0.97, base + guests.mem * 0.92)),
		load: cpu * node.cores * (0.8 + 0.5 * smoothNoise(node.seed + 3, t, 120)) + iowait * 4,
		disk: Math.round(node.maxdisk * (0.22 + 0.3 * noiseAt(node.seed, 5))),
		swap: Math.round(node.maxswap * 0.06 * smoothNoise(node.seed + 4, t, 40000)),
	};
}

/** How full a storage is on a node, in bytes. */
export function storageUsed(storage, node, t) {
	const forced = storage.forcedFull;
	if (forced && (!forced.node || forced.node === node || storage.shared)) {
		return Math.round(storage.sizeOn(node) * forced.share);
	}
	const seed = storage.seed ^ (storage.shared ? 0 : storage.nodeSeed(node));
	const drift = 0.03 * smoothNoise(seed, t, 86400) + 0.06 * noiseAt(seed, 1);
	return Math.round(storage.sizeOn(node) * Math.min(0.99, storage.share + drift - 0.045));
}
