// SPDX-License-Identifier: MIT
// The made-up world behind the mock gateway: a cluster or two whose values wander from a seed, one poll at a time.

import { autonomy } from './acts.mjs';
import { CALLS, FINDINGS, fixture, sourcesOf, thermal } from './fixture.mjs';

const GIB = 1024 ** 3;
const NODES = [
	{ node: 'Home', ip: '192.168.1.50', maxcpu: 20, mem: 24, cpu: 18, model: '13th Gen Intel(R) Core(TM) i5-13500' },
	{ node: 'pve', ip: '192.168.1.74', maxcpu: 6, mem: 31, cpu: 34, model: 'AMD Ryzen 5 4500U' },
	{ node: 'agent1', ip: '192.168.1.61', maxcpu: 14, mem: 31, cpu: 22, model: 'Intel(R) Core(TM) Ultra 5 125H' },
	{ node: 'agent', ip: '192.168.1.62', maxcpu: 2, mem: 4, cpu: 9, model: 'Intel(R) Celeron(R) N4020' },
];
const GUESTS = [
	[
		'jellyfin', 'lxc', 1, ['media', 'prod'],
	], ['pihole', 'lxc', 3, ['dns', 'prod']], ['homeassistant', 'qemu', 1, ['prod', 'iot']],
	[
		'nextcloud', 'qemu', 1, ['prod'],
	], ['paperless', 'lxc', 2, ['docs']], ['immich', 'lxc', 2, ['media']], ['vaultwarden', 'lxc', 2, ['prod']],
	[
		'grafana', 'lxc', 2, ['monitoring'],
	], ['prometheus', 'lxc', 2, ['monitoring']], ['mosquitto', 'lxc', 3, ['iot']], ['zigbee2mqtt', 'lxc', 3, ['iot']],
	[
		'win11', 'qemu', 0, ['desktop'],
	], ['llama', 'qemu', 0, ['ai', 'gpu']], ['gitea', 'lxc', 2, ['dev']], ['runner', 'qemu', 2, ['dev']],
	['k3s-1', 'qemu', 1, ['k8s']], ['k3s-2', 'qemu', 2, ['k8s']], ['k3s-3', 'qemu', 0, ['k8s']], [
		'postgres', 'lxc', 2, ['db', 'prod'],
	],
	['redis', 'lxc', 2, ['db']], [
		'traefik', 'lxc', 1, ['net', 'prod'],
	], ['wireguard', 'lxc', 1, ['net']], ['unifi', 'lxc', 1, ['net']],
	[
		'frigate', 'lxc', 0, ['media', 'iot'],
	], ['plex', 'lxc', 0, ['media']], ['sonarr', 'lxc', 0, ['media']], ['backup', 'qemu', 1, ['infra']],
	['jarvis', 'qemu', 2, ['infra']], [
		'debian-test', 'qemu', 0, ['test'],
	], ['arch-test', 'qemu', 0, ['test']], ['old-mail', 'qemu', 1, []], ['minecraft', 'qemu', 0, ['games']],
];
const STORAGES = [
	['local', 'Home', 'dir', 94, 38], [
		'local-lvm', 'Home', 'lvmthin', 348, 214,
	], ['local', 'pve', 'dir', 94, 31], ['tank', 'pve', 'zfspool', 3624, 2510],
	[
		'local', 'agent1', 'dir', 68, 22,
	], ['nvme', 'agent1', 'lvmthin', 812, 401], ['local', 'agent', 'dir', 29, 18], ['nas', null, 'nfs', 7300, 6350],
	['media', null, 'cifs', 3650, 1900], ['pbs', null, 'pbs', 1820, 920],
];
const TASK_TYPES = ['vzdump', 'qmstart', 'vzsnapshot', 'qmsnapshot', 'vzstart', 'qmshutdown', 'aptupdate', 'vzreboot'];

/** Documents that are evidence of life: the sources, and presence. */
const HAS_AGE = /^pve\/[^/]+\/(state|thermal)$|^service\/.*\/state$/;

/** xorshift32: the same world for the same seed. */
function random(seed) {
	let s = seed >>> 0 || 1;
	return () => {
		s ^= s << 13;
		s >>>= 0;
		s ^= s >>> 17;
		s ^= s << 5;
		s >>>= 0;
		return s / 2 ** 32;
	};
}

const wander = (rnd, v, step, low, high) => Math.min(high, Math.max(low, v + (rnd() - 0.5) * step));

export class World {
	constructor({ seed = 7, guests = 32, nodes = 4, pollMs = 1000, clusters = 1, periodS = null, skip = [] } = {}) {
		this.rnd = random(seed);
		this.pollMs = pollMs;
		this.periodS = periodS ?? pollMs / 1000;
		this.docs = new Map();
		this.seen = new Map();
		this.onChange = () => {};
		this.polling = true;
		this.names = clusters > 1 ? ['home', 'lab', 'edge'].slice(0, clusters) : ['home'];
		this.broker = true;
		this.downNodes = new Set();
		/* What clusters say of themselves, and how single sources differ from well: { error, last_ok_ms }. */
		this.error = null;
		this.faults = {};
		this.findings = FINDINGS;
		/* Kinds of documents that nobody publishes. */
		this.skip = skip;
		this.events = [];
		for (const [i, name] of this.names.entries()) this.build(
			name, i ? Math.min(3, nodes) : nodes, i ? Math.round(guests / 3) : guests,
		);
		this.buildServices();
		this.set('link', { broker: true, since_ms: Date.now() });
		this.set('autonomy/state', autonomy());
		this.set('audit/checkpoint', { ts: Date.now() - 60_000, origin: 'home', size: 118, head: 'c0ffee'.repeat(10) + 'beef', signature: 'aa'.repeat(64) });
	}

	set(topic, doc) {
		this.docs.set(topic, doc);
	}

	build(cluster, nodes, guests) {
		const now = Date.now();
		for (let i = 0; i < nodes; i++) {
			const d = NODES[i % NODES.length];
			const node = i < NODES.length ? d.node : `${d.node}-${Math.floor(i / NODES.length)}`;
			this.set(`pve/${cluster}/node/${node}/state`, {
				ts: now, cluster, node, status: 'online', reason: null, ip: d.ip, boot_ms: now - (i + 2) * 3.3 * 864e5,
				cpu: d.cpu, iowait: 0.6, maxcpu: d.maxcpu,
				mem: Math.round(d.mem * GIB * (0.45 + this.rnd() * 0.35)), maxmem: d.mem * GIB, swap: 0,
				maxswap: 8 * GIB, disk: 28 * GIB, maxdisk: 94 * GIB,
				load1: 0.8, load5: 0.7, load15: 0.6, cpu_model: d.model, kernel: '6.8.12-4-pve', version: '8.4.1',
				ha_state: null,
			});
		}
		const names = this.nodesOf(cluster);
		for (let i = 0; i < guests; i++) this.buildGuest(cluster, i, names, now);
		for (const [storage, node, type, total, used] of STORAGES) {
			if (node && !names.includes(node)) continue;
			this.set(`pve/${cluster}/storage/${node ?? '-'}/${storage}/state`, {
				ts: now, cluster, storage, node, shared: !node, type, content: ['images', 'backup', 'iso', 'vztmpl'],
				status: 'available', reason: null,
				used: used * GIB, total: total * GIB, nodes: node ? [] : names.map((n) => ({
					node: n, status: 'available', reason: null,
				})),
			});
		}
		this.set(
			`pve/${cluster}/tasks`,
			{ ts: now, cluster, tasks: Array.from({ length: 24 }, (_, i) => this.task(cluster, now - i * 311_000, i)) },
		);
		const list = this.under(`pve/${cluster}/guest/`).map(([, d]) => d);
		const more = fixture({ cluster, nodes: names, guests: list, now, skip: this.skip });
		for (const [topic, d] of Object.entries(more)) this.set(topic, d);
		this.updateCluster(cluster);
		this.updateThermal(cluster);
	}

	/** The thermal collector's own document of how the nodes answer it. */
	updateThermal(cluster) {
		if (this.skip.includes('thermal')) return [];
		const now = Date.now();
		const source = { last_ok_ms: now, period_s: Math.max(this.periodS, 1), latency_ms: 8, failures: 0, error: null };
		const sources = Object.fromEntries(this.nodesOf(cluster).map((n) => [`node.${n}`, source]));
		this.set(`pve/${cluster}/thermal`, { ts: now, cluster, sources });
		this.seen.set(`pve/${cluster}/thermal`, now);
		return [`pve/${cluster}/thermal`];
	}

	buildGuest(cluster, i, names, now) {
		const [base, type, node, tags] = GUESTS[i % GUESTS.length];
		const vmid = 100 + i;
		const stopped = base.endsWith('-test') || base === 'old-mail' || i % 17 === 13;
		const maxmem = [0.5, 1, 2, 4, 8][Math.floor(this.rnd() * 5)] * GIB;
		this.set(`pve/${cluster}/guest/${vmid}/state`, {
			ts: now, cluster, vmid, name: i < GUESTS.length ? base : `${base}-${Math.floor(i / GUESTS.length)}`, type,
			node: names[node % names.length], status: stopped ? 'stopped' : 'running',
			last_status: null, reason: null, template: false, boot_ms: stopped ? null : now - this.rnd() * 20 * 864e5,
			cpu: stopped ? null : this.rnd() ** 3 * 90, maxcpu: [1, 2, 4, 8][i % 4],
			mem: stopped ? null : maxmem * (0.2 + this.rnd() * 0.7), maxmem, memhost: null,
			disk: type === 'lxc' ? 3 * GIB : null, maxdisk: 16 * GIB,
			net_in: stopped ? null : this.rnd() ** 4 * 9e6, net_out: stopped ? null : this.rnd() ** 4 * 6e6,
			disk_read: stopped ? null : 3e4, disk_write: stopped ? null : 2e5,
			tags, pool: null, lock: null, ha_state: null,
		});
	}

	buildServices() {
		for (const service of this.services()) {
			const base = `service/${service}/main`;
			this.set(`${base}/state`, 'online');
			this.seen.set(`${base}/state`, Date.now());
			this.set(
				`${base}/info`,
				{
					ts: Date.now(), service, instance: 'main', version: '0.1.0', started_ms: Date.now() - 864e5 * 3,
					sid: 'a1b2c3', config_digest: '00ff00ff00ff00ff',
				},
			);
		}
	}

	services() {
		return ['proxmox-poller', 'thermal-collector', 'gateway', 'safety-gate', 'executor']
			.filter((s) => s !== 'thermal-collector' || !this.skip.includes('thermal'));
	}

	health(service) {
		return {
			ts: Date.now(), uptime_s: 1234, loop_lag_ms: this.rnd() * 0.8, rss_bytes: 7.4e6 + this.rnd() * 1e5,
			cpu: this.rnd() * 0.6, bus_queue: 0, counters: {},
		};
	}

	task(cluster, start, i) {
		const type = TASK_TYPES[i % TASK_TYPES.length];
		const status = i === 4 ? 'failed' : i === 9 ? 'warning' : i === 0 ? 'running' : 'ok';
		const names = this.nodesOf(cluster);
		return {
			upid: `UPID:${names[i % names.length]}:${i}:${start}:${type}:${100 + i}:root@pam:`,
			node: names[i % names.length], type, id: type === 'aptupdate' ? null : String(100 + i), user: 'root@pam',
			start_ms: start, end_ms: status === 'running' ? null : start + 42_000, status, exitstatus: {
				failed: 'command \'lvcreate\' failed: exit code 5', warning: 'WARNINGS: 1', ok: 'OK',
			}[status] ?? null,
		};
	}

	nodesOf(cluster) {
		return this.states(cluster, 'node').map(([, d]) => d.node);
	}

	under(prefix) {
		return [...this.docs.entries()].filter(([t]) => t.startsWith(prefix));
	}

	/** The states of all nodes, guests or storages. */
	states(cluster, kind) {
		return this.under(`pve/${cluster}/${kind}/`).filter(([t]) => t.endsWith('/state'));
	}

	updateCluster(cluster) {
		const now = Date.now();
		const nodes = this.states(cluster, 'node').map(([, d]) => d);
		const on = nodes.filter((n) => n.status === 'online');
		const guests = this.states(cluster, 'guest').map(([, d]) => d);
		const stores = this.under(`pve/${cluster}/storage/`).map(([, d]) => d);
		const sum = (list, f) => list.reduce((a, x) => a + (f(x) ?? 0), 0);
		const source = { last_ok_ms: now, period_s: this.periodS, latency_ms: 12, failures: 0, error: null };
		const sources = { resources: source, status: source, tasks: source, 'storage.-': source };
		for (const n of nodes) sources[`storage.${n.node}`] = source;
		for (const key of sourcesOf(nodes.map((n) => n.node))) sources[key] = { ...source, period_s: 300 };
		for (const [key, fault] of Object.entries(this.faults)) sources[key] = { ...source, ...fault };
		const cores = sum(on, (n) => n.maxcpu);
		const needed = Math.floor(nodes.length / 2) + 1;
		this.set(`pve/${cluster}/state`, {
			ts: now, cluster, name: cluster === 'home' ? 'homelab' : cluster, standalone: false,
			quorate: on.length >= needed, votes: on.length, votes_expected: nodes.length, votes_needed: needed,
			nodes: nodes.length, nodes_online: on.length, guests: guests.length,
			guests_running: guests.filter((g) => g.status === 'running').length,
			cpu: cores ? sum(on, (n) => n.cpu * n.maxcpu) / cores : null, maxcpu: cores, mem: sum(on, (n) => n.mem),
			maxmem: sum(on, (n) => n.maxmem),
			disk: sum(stores, (s) => s.used), maxdisk: sum(stores, (s) => s.total), endpoint: on[0]?.node ?? null,
			version: '8.4.1', error: this.error, findings: this.findings, ...CALLS, sources,
		});
		this.seen.set(`pve/${cluster}/state`, now);
	}

	/** One poll: values wander, what moved is told. */
	poll() {
		const docs = {};
		const events = this.events.splice(0);
		for (const cluster of this.names) {
			for (const [topic, n] of this.states(cluster, 'node')) docs[topic] = this.moveNode(n);
			for (const [topic, g] of this.states(cluster, 'guest')) docs[topic] = this.moveGuest(g);
			for (const [topic, s] of this.under(`pve/${cluster}/storage/`)) docs[topic] = this.moveStorage(s);
			this.updateCluster(cluster);
			docs[`pve/${cluster}/state`] = this.docs.get(`pve/${cluster}/state`);
			for (const topic of this.updateThermal(cluster)) docs[topic] = this.docs.get(topic);
			Object.assign(docs, this.moveHeat(cluster));
		}
		for (const service of this.services()) events.push([
			`service/${service}/main/health`, this.health(service),
		]);
		/* The gate's heartbeat. */
		docs['autonomy/state'] = { ...this.docs.get('autonomy/state'), ts: Date.now() };
		for (const [topic, d] of Object.entries(docs)) this.set(topic, d);
		this.onChange(docs, events, this.seenOf(Object.keys(docs)));
	}

	moveNode(n) {
		if (this.downNodes.has(n.node))
			return {
				...n, ts: Date.now(), status: 'offline', cpu: null, mem: null, disk: null, load1: null, load5: null,
				load15: null, boot_ms: null, reason: 'no answer from the cluster for 62 s',
			};
		const cpu = wander(this.rnd, n.cpu ?? 20, 9, 2, 78);
		return {
			...n, ts: Date.now(), status: 'online', reason: null, cpu, mem: wander(
				this.rnd, n.mem ?? n.maxmem / 2, n.maxmem * 0.01, n.maxmem * 0.2, n.maxmem * 0.9,
			), disk: 28 * GIB,
			boot_ms: n.boot_ms ?? Date.now() - 3600e3, load1: (cpu / 100) * n.maxcpu * 1.1,
			load5: (cpu / 100) * n.maxcpu, load15: (cpu / 100) * n.maxcpu * 0.9,
		};
	}

	moveHeat(cluster) {
		const docs = {};
		for (const [topic, t] of this.under(`pve/${cluster}/node/`).filter(([at]) => at.endsWith('/thermal')))
			if (t.cpu !== null && !t.held) docs[topic] = thermal(
				cluster, t.node, Date.now(), Math.round(wander(this.rnd, t.cpu, 2, t.cpu - 1, t.cpu + 1) * 2) / 2,
			);
		return docs;
	}

	moveGuest(g) {
		if (this.downNodes.has(g.node))
			return {
				...g, ts: Date.now(), last_status: g.last_status ?? g.status, status: 'unknown', cpu: null, mem: null,
				reason: `node ${g.node} is offline`,
			};
		const back = g.status === 'unknown' ? {
			status: g.last_status ?? 'running', last_status: null, reason: null, mem: g.maxmem / 2,
		} : {};
		const now = { ...g, ...back, ts: Date.now() };
		if (now.status !== 'running') return now;
		return {
			...now, cpu: wander(this.rnd, g.cpu ?? 5, 6, 0, 96),
			mem: wander(this.rnd, now.mem, g.maxmem * 0.01, g.maxmem * 0.1, g.maxmem * 0.95),
			net_in: wander(this.rnd, g.net_in ?? 0, 4e5, 0, 2e7),
		};
	}

	moveStorage(s) {
		if (!this.downNodes.has(s.node)) return s.status === 'unknown' ? { ...s, status: 'available', reason: null } : s;
		return { ...s, ts: Date.now(), status: 'unknown', reason: `node ${s.node} is offline` };
	}

	seenOf(topics) {
		const seen = {};
		for (const t of topics)
			if (HAS_AGE.test(t)) seen[t] = this.seen.has(t) ? Date.now() - this.seen.get(t) : null;
		return seen;
	}

	snapshot() {
		return Object.fromEntries(this.docs);
	}

	// ── what tests do to it ──

	change(docs, events = []) {
		for (const [topic, d] of Object.entries(docs)) {
			if (d === null) this.docs.delete(topic);
			else this.set(topic, d);
		}
		this.onChange(docs, events, this.seenOf(Object.keys(docs)));
	}

	nodeDown(node) {
		this.downNodes.add(node);
		this.poll();
	}

	nodeUp(node) {
		this.downNodes.delete(node);
		this.poll();
	}

	presence(service, word) {
		this.seen.set(`service/${service}/main/state`, Date.now());
		this.change({ [`service/${service}/main/state`]: word });
	}

	setBroker(up) {
		this.change({ link: { broker: up, since_ms: Date.now() } });
	}

	taskFails(cluster, vmid) {
		const t = {
			...this.task(cluster, Date.now() - 5000, 4), id: String(vmid), type: 'vzdump',
			upid: `UPID:x:${Date.now()}:`,
		};
		const event = {
			id: '01J', ts: Date.now(), event_type: 'end', cluster,
			before: { ...t, status: 'running', exitstatus: null }, after: t,
		};
		const d = this.docs.get(`pve/${cluster}/tasks`);
		this.change(
			{ [`pve/${cluster}/tasks`]: { ...d, ts: Date.now(), tasks: [t, ...d.tasks] } }, [['event/task', event]],
		);
	}

	start() {
		this.timer = setInterval(() => this.polling && this.poll(), this.pollMs);
	}

	stop() {
		clearInterval(this.timer);
	}
}
