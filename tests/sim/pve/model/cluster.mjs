/**
 * The living cluster: who is a member, who sees whom, what each node last told the others.
 *
 * Two kinds of truth, as in the real thing: what *is* (`guest.state`, `node.alive`) and what was
 * last broadcast (`node.kv`, `vmKv`), which is what most of the API shows.
 */
import { sampleNode } from './sample.mjs';

/** Broadcast values older than this are not shown any more. */
export const EXPIRY = 300;
const SAMPLE_PERIOD = 10;

export class Cluster {
	/**
	 * @param {object} parts from build()
	 * @param {{clock: import('../lib/clock.mjs').SimClock, standalone: boolean,
	 *   membershipDelay: number}} options
	 */
	constructor(parts, { clock, standalone, membershipDelay }) {
		Object.assign(this, parts);
		this.clock = clock;
		this.standalone = standalone;
		this.membershipDelay = membershipDelay;
		this.vmKv = new Map(); // vmid → {at, from, row}
		this.groups = null; // during a partition: node name → group
		this.frozen = null; // what was known of the others when the partition began
		this.listeners = { sample: [], nodeDown: [], nodeUp: [] };
		this.membershipVersion = parts.nodes.size;
	}

	/** Fills in first values and starts the sampling rounds, out of step with each other. */
	start() {
		let index = 0;
		for (const node of this.nodes.values()) {
			sampleNode(this, node);
			this.clock.after(((index++ * 3.7) % SAMPLE_PERIOD) + 0.5, () => this.round(node));
		}
	}

	round(node) {
		this.clock.after(SAMPLE_PERIOD, () => this.round(node));
		if (this.clock.lag() < 2 * EXPIRY) {
			this.sample(node);
		} else {
			this.listeners.sample.forEach((fn) => fn(node)); // tasks still end on time
		}
	}

	/** One pass of pvestatd. A node that is down, stuck or just booting says nothing. */
	sample(node) {
		if (!node.alive || node.statdStuck || this.clock.now() < node.statdFrom) {
			return;
		}
		sampleNode(this, node);
		this.listeners.sample.forEach((fn) => fn(node));
	}

	sampleAll() {
		for (const node of this.nodes.values()) {
			this.sample(node);
		}
	}

	on(event, fn) {
		this.listeners[event].push(fn);
	}

	/** Does `viewer` count `node` as a member? Death is noticed after the membership delay. */
	online(viewer, node) {
		if (viewer === node) {
			return true;
		}
		if (this.groups && this.groups.get(viewer.name) !== this.groups.get(node.name)) {
			return false;
		}
		return node.alive || this.clock.now() < node.offlineAt;
	}

	quorate(viewer) {
		return this.standalone || this.votes(viewer) >= this.quorum;
	}

	votes(viewer) {
		let sum = 0;
		for (const node of this.nodes.values()) {
			sum += this.online(viewer, node) ? node.votes : 0;
		}
		return sum;
	}

	/** Without quorum the cluster's configuration cannot be written. */
	checkWritable(guest) {
		if (!this.quorate(this.nodes.get(guest.node))) {
			const dir = guest.type === 'qemu' ? 'qemu-server' : 'lxc';
			throw new Error(`unable to open file '/etc/pve/nodes/${guest.node}/${dir}/` +
				`${guest.vmid}.conf.tmp.${guest.seed % 99999}' - Permission denied`);
		}
	}

	/** The node values that `viewer` has, or null when there are none or they expired. */
	nodeKv(viewer, node, kind) {
		const foreign = this.groups && !this.sameSide(viewer, node);
		const kv = foreign ? this.frozen.nodes.get(node.name)[kind] : node.kv[kind];
		return kv && this.clock.now() - kv.at <= EXPIRY ? kv : null;
	}

	/** The last broadcast values of a guest, whoever sent them. */
	guestKv(viewer, vmid) {
		const live = this.vmKv.get(vmid);
		const reach = !this.groups || !live || this.sameSide(viewer, this.nodes.get(live.from));
		const kv = reach ? live : this.frozen.guests.get(vmid);
		return kv && this.clock.now() - kv.at <= EXPIRY ? kv : null;
	}

	sameSide(a, b) {
		return a === b || this.groups.get(a.name) === this.groups.get(b.name);
	}

	/** Splits the cluster network. @param {string[][]} groups names; others stand alone */
	partition(groups) {
		this.groups = new Map();
		groups.forEach((names, i) => names.forEach((name) => this.groups.set(name, `group ${i}`)));
		for (const name of this.nodes.keys()) {
			this.groups.set(name, this.groups.get(name) ?? `alone ${name}`);
		}
		this.frozen = {
			guests: new Map(this.vmKv),
			nodes: new Map([...this.nodes].map(([name, node]) => [name, { ...node.kv }])),
		};
	}

	heal() {
		this.groups = null;
		this.frozen = null;
	}

	/** The machine loses power: its guests die with it, its last values stay for a while. */
	nodeDown(node) {
		if (!node.alive) {
			return;
		}
		node.alive = false;
		node.offlineAt = this.clock.now() + this.membershipDelay;
		this.listeners.nodeDown.forEach((fn) => fn(node));
		for (const guest of this.guestsOn(node.name)) {
			guest.wasRunning = guest.state === 'running';
			this.setState(guest, 'stopped');
			guest.lock = null;
		}
	}

	/** Boots. Guests marked for it come back one after the other; pvestatd needs a round. */
	nodeUp(node) {
		if (node.alive) {
			return;
		}
		const now = this.clock.now();
		Object.assign(node, { alive: true, offlineAt: null, bootedAt: now, statdFrom: now + 10,
			statdStuck: false, stuckWorkers: 0 });
		this.listeners.nodeUp.forEach((fn) => fn(node));
	}

	guestsOn(name) {
		return [...this.guests.values()].filter((guest) => guest.node === name);
	}

	/** Changes what a guest is doing; a start begins new counters and a new process. */
	setState(guest, state) {
		const wasOff = guest.state === 'stopped';
		guest.state = state;
		guest.generation++;
		if (state === 'stopped') {
			Object.assign(guest, { startedAt: null, pid: null, counters: null });
		} else if (wasOff) {
			const node = this.nodes.get(guest.node);
			node.nextPid += 17;
			Object.assign(guest, { startedAt: this.clock.now(), pid: node.nextPid, counters: null });
		}
	}

	/** Storages that a node knows, in the order of the configuration. */
	storagesOf(nodeName) {
		return [...this.storages.values()].filter((s) => s.nodes.includes(nodeName));
	}
}
