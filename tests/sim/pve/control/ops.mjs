/** What the control port can do to the simulated world. */
import { createPrng } from '../lib/prng.mjs';
import { vzdump } from '../model/backup.mjs';
import { buildGuest } from '../model/build.mjs';
import { CEPH_RELEASES, CEPH_STATES } from '../model/ceph.mjs';
import { changeDisk, disksOf } from '../model/hardware.mjs';
import { updatable } from '../model/packages.mjs';
import { Warnings } from '../model/tasks.mjs';
import { pveVersion } from '../model/versions.mjs';

export class OpError extends Error {
	constructor(message, status = 400) {
		super(message);
		this.status = status;
	}
}

function nodeOf(sim, { node }) {
	return sim.cluster.nodes.get(node) ??
		refuse(`no node '${node}', there are: ${[...sim.cluster.nodes.keys()].join(' ')}`);
}

function guestOf(sim, { vmid }) {
	return sim.cluster.guests.get(Number(vmid)) ?? refuse(`no guest ${vmid}`);
}

function diskOf(sim, body) {
	const node = nodeOf(sim, body);
	const all = disksOf(node);
	const disk = all.find((d) => d.devpath === body.devpath) ??
		refuse(`no disk '${body.devpath}' on ${node.name}, there are: ${all.map((d) => d.devpath).join(' ')}`);
	return [node, disk];
}

function storageOf(sim, { storage }) {
	return sim.cluster.storages.get(storage) ??
		refuse(`no storage '${storage}', there are: ${[...sim.cluster.storages.keys()].join(' ')}`);
}

function tokenOf(sim, { token }) {
	const id = String(token).includes('!') ? token : `jarvis@pve!${token}`;
	return sim.accounts.tokens.get(id) ?? refuse(`no token '${token}'`);
}

function number(body, name, lo, hi) {
	const value = body[name];
	if (typeof value !== 'number' || !(value >= lo && value <= hi)) {
		refuse(`'${name}' must be a number from ${lo} to ${hi}`);
	}
	return value;
}

function refuse(message) {
	throw new OpError(message);
}

async function endpoint(sim, body, change) {
	const node = nodeOf(sim, body);
	Object.assign(node.endpoint, change);
	await sim.syncEndpoints();
}

const nodeOps = {
	node_down: async (sim, body) => {
		const node = nodeOf(sim, body);
		node.broken = body.broken === true;
		sim.cluster.nodeDown(node);
		await sim.syncEndpoints();
	},
	node_up: async (sim, body) => {
		sim.cluster.nodeUp(nodeOf(sim, body));
		await sim.syncEndpoints();
	},
	endpoint_down: (sim, body) => endpoint(sim, body, { state: 'down' }),
	endpoint_up: (sim, body) => endpoint(sim, body, { state: 'up', slowMs: 0 }),
	endpoint_slow: (sim, body) => endpoint(sim, body, { slowMs: number(body, 'ms', 0, 600000) }),
	endpoint_hang: (sim, body) => endpoint(sim, body, { state: 'hung' }),
	cert_change: async (sim, body) => {
		const node = nodeOf(sim, body);
		const pair = await sim.issue(node);
		sim.endpoints.get(node.name)?.setCertificate(pair);
		return { fingerprint: node.fingerprint };
	},
	node_cpu: (sim, body) => {
		nodeOf(sim, body).forcedCpu = body.cpu === null ? null : number(body, 'cpu', 0, 1);
	},
	disk: (sim, body) => {
		const node = nodeOf(sim, body);
		node.disks = { ...node.disks, [body.devpath]: body.values ?? {} };
	},
	disk_fail: (sim, body) => {
		const [node, disk] = diskOf(sim, body);
		changeDisk(node, disk.devpath, { health: 'FAILED!', reallocated: 1288, pending: 64,
			media_errors: 77 });
	},
	disk_ok: (sim, body) => {
		const node = nodeOf(sim, body);
		node.disks = { ...node.disks, [body.devpath]: undefined };
	},
	zfs: (sim, body) => {
		nodeOf(sim, body).zfsHealth = body.health ?? null;
	},
	updates: (sim, body) => {
		const node = nodeOf(sim, body);
		const known = updatable(node);
		const unknown = (body.packages ?? []).filter((name) => !known.includes(name));
		if (unknown.length > 0) {
			refuse(`unknown packages ${unknown.join(' ')}, known: ${known.join(' ')}`);
		}
		node.updates = body.packages ?? null;
	},
	certificate: (sim, body) => {
		const notafter = Math.floor(sim.clock.now() + number(body, 'days', -3650, 3650) * 86400);
		nodeOf(sim, body).certificate = { file: body.file ?? 'pve-ssl.pem', notafter };
	},
	ceph: (sim, body) => {
		const { state = 'ok', release = 'squid', nodes = null } = body;
		if (!CEPH_STATES.includes(state) || !CEPH_RELEASES.includes(release)) {
			refuse(`state: ${CEPH_STATES.join(' ')}; release: ${CEPH_RELEASES.join(' ')}`);
		}
		sim.ceph = { state, release, nodes };
	},
	heat: (sim, body) => {
		nodeOf(sim, body).celsius = body.celsius === null ? null : number(body, 'celsius', -50, 150);
	},
	version: (sim, body) => {
		const list = body.node ? [nodeOf(sim, body)] : [...sim.cluster.nodes.values()];
		const pve = pveVersion(body.pve);
		list.forEach((node) => {
			node.pve = pve;
		});
	},
	quorum_break: (sim, body) => sim.cluster.partition(body.groups ?? []),
	quorum_ok: (sim) => sim.cluster.heal(),
};

/** A guest with believable defaults. */
function addGuest(sim, body) {
	const node = nodeOf(sim, body);
	const vmid = number(body, 'vmid', 100, 999999999);
	if (sim.cluster.guests.has(vmid)) {
		refuse(`there is a guest ${vmid} already`);
	}
	const guest = buildGuest({
		type: 'lxc', name: `guest-${vmid}`, cpus: 1, mib: 512, diskGib: 8, storage: 'local-lvm',
		load: 'idle', tags: '', ...body, vmid, node: node.name,
	}, { prng: createPrng(vmid), seed: sim.options.seed, now: sim.clock.now(), node,
		pools: sim.cluster.pools });
	sim.cluster.guests.set(vmid, guest);
}

/** A task out of nowhere, as if somebody had started it in the web interface. */
function startTask(sim, body) {
	const node = nodeOf(sim, body);
	const fail = body.exitstatus && body.exitstatus !== 'OK';
	const warn = /^WARNINGS: (\d+)$/.exec(body.exitstatus ?? '');
	const task = sim.tasks.start(node.name, {
		type: body.type ?? 'vzdump', id: body.id ?? '', user: body.user ?? 'root@pam',
		steps: [{ wait: body.seconds ?? 5, log: body.log ?? 'made by the control port', run: () => {
			if (fail) {
				throw warn ? new Warnings(Number(warn[1])) : new Error(body.exitstatus);
			}
		} }],
	});
	return { upid: task.upid };
}

const guestOps = {
	guest_kill: (sim, body) => sim.cluster.setState(guestOf(sim, body), 'stopped'),
	guest_start: (sim, body) => sim.cluster.setState(guestOf(sim, body), 'running'),
	guest_pause: (sim, body) => sim.cluster.setState(guestOf(sim, body), 'paused'),
	guest_cpu: (sim, body) => {
		guestOf(sim, body).forcedCpu = body.cpu === null ? null : number(body, 'cpu', 0, 2);
	},
	lock: (sim, body) => {
		guestOf(sim, body).lock = body.lock || null;
	},
	guest_migrate: (sim, body) => {
		guestOf(sim, body).node = nodeOf(sim, body).name;
	},
	guest_rename: (sim, body) => {
		guestOf(sim, body).name = String(body.name);
	},
	guest_stuck: (sim, body) => {
		guestOf(sim, body).stuck = body.on !== false;
	},
	guest_fail_start: (sim, body) => {
		guestOf(sim, body).failStart = body.on !== false;
	},
	ha: (sim, body) => {
		guestOf(sim, body).ha = body.state ? { state: body.state, max_restart: 1, max_relocate: 1 }
			: null;
	},
	task: (sim, body) => startTask(sim, body),
	guest_add: (sim, body) => addGuest(sim, body),
	task_mute: (sim, body) => {
		sim.tasks.muteLooks = number(body, 'looks', 0, 1000);
	},
	guest_remove: (sim, body) => {
		const guest = guestOf(sim, body);
		sim.cluster.guests.delete(guest.vmid);
		sim.cluster.vmKv.delete(guest.vmid);
	},
};

const storageOps = {
	storage_full: (sim, body) => {
		const storage = storageOf(sim, body);
		storage.forcedFull = { node: body.node ?? null, share: body.share ?? 0.985 };
	},
	storage_hang: (sim, body) => {
		const storage = storageOf(sim, body);
		const nodes = body.node ? [nodeOf(sim, body).name] : storage.nodes;
		const hang = { seconds: body.seconds ?? null, workers: body.workers === true };
		nodes.forEach((name) => sim.cluster.nodes.get(name).hungStorages.set(storage.id, hang));
	},
	storage_offline: (sim, body) => {
		const storage = storageOf(sim, body);
		storage.offline = new Set(body.node ? [nodeOf(sim, body).name] : storage.nodes);
	},
	storage_ok: (sim, body) => {
		const storages = body.storage ? [storageOf(sim, body)] : [...sim.cluster.storages.values()];
		for (const storage of storages) {
			Object.assign(storage, { forcedFull: null, offline: undefined });
			sim.cluster.nodes.forEach((node) => {
				node.hungStorages.delete(storage.id);
				Object.assign(node, { statdStuck: node.hungStorages.size > 0, stuckWorkers: 0 });
			});
		}
	},
};

/** The newest backup of a guest on a storage. */
function newestBackup(sim, body) {
	const mine = storageOf(sim, body).volumes.filter((v) => v.content === 'backup' && v.vmid === body.vmid);
	return mine.sort((a, b) => a.ctime - b.ctime).at(-1) ?? refuse(`no backup of ${body.vmid}`);
}

const protectionOps = {
	backup: (sim, body) => {
		const guest = guestOf(sim, body);
		const { upid } = vzdump(sim, { guests: [guest], storage: storageOf(sim, body), mode: 'snapshot',
			node: guest.node, user: 'root@pam', fail: body.fail });
		return { upid };
	},
	backup_job: (sim, body) => {
		const job = sim.cluster.backupJobs.find((j) => j.id === body.id) ?? refuse(`no job '${body.id}'`);
		Object.assign(job, body.values);
	},
	backup_trouble: (sim, body) => {
		guestOf(sim, body).backupTrouble = body.text ?? null;
	},
	backup_broken: (sim, body) => {
		newestBackup(sim, body).broken = true;
	},
	snapshot: (sim, body) => {
		const guest = guestOf(sim, body);
		guest.snapshots.push({ name: String(body.name), description: body.description ?? '', vmstate: 0,
			snaptime: Math.floor(sim.clock.now() - number({ days: 0, ...body }, 'days', 0, 9999) * 86400),
			parent: guest.snapshots.at(-1)?.name ?? null });
	},
	guest_config: (sim, body) => {
		Object.assign(guestOf(sim, body).overrides, body.values);
	},
	replication_trouble: (sim, body) => {
		const job = sim.cluster.replication.find((j) => j.id === body.id) ?? refuse(`no job '${body.id}'`);
		job.state.brokenSince = body.on === false ? null : sim.clock.now();
	},
};

const accessOps = {
	token_revoke: (sim, body) => {
		tokenOf(sim, body).revoked = true;
	},
	token_expire: (sim, body) => {
		tokenOf(sim, body).expire = body.at ?? Math.floor(sim.clock.now()) - 1;
	},
	token_restore: (sim, body) => {
		Object.assign(tokenOf(sim, body), { revoked: false, expire: 0 });
	},
	token_privsep: (sim, body) => {
		const token = tokenOf(sim, body);
		token.own ??= token.acl;
		token.privsep = body.on === false ? 0 : 1;
		token.acl = token.privsep ? token.own : sim.accounts.users.get(token.user).acl;
	},
	token_acl: (sim, body) => {
		const ok = Array.isArray(body.acl) &&
			body.acl.every((a) => typeof a.path === 'string' && Array.isArray(a.roles));
		const token = tokenOf(sim, body);
		token.privsep = 1;
		token.acl = ok ? body.acl : refuse('acl: [{path, roles: [role or privilege]}]');
	},
};

const GARBAGE = ['truncated', 'notjson', 'empty', 'huge', 'deep', 'wrongtypes', 'nothing', 'hang'];

function prefixed(body) {
	if (typeof body.path_prefix !== 'string' || !body.path_prefix.startsWith('/')) {
		refuse("'path_prefix' must begin with '/', e.g. /cluster/resources");
	}
	return body;
}

const faultOps = {
	api_error: (sim, body) => sim.faults.add({ reason: 'simulated error', ...prefixed(body),
		kind: 'error', status: number(body, 'status', 200, 599) }),
	garbage: (sim, body) => {
		const kind = body.kind ?? 'notjson';
		if (!GARBAGE.includes(kind)) {
			refuse(`unknown kind '${kind}', known: ${GARBAGE.join(' ')}`);
		}
		sim.faults.add({ ...prefixed(body), kind });
	},
	faults_clear: (sim) => sim.faults.clear(),
};

const timeOps = {
	sample: (sim) => sim.cluster.sampleAll(),
	advance: (sim, body) => {
		sim.clock.advance(number(body, 'seconds', 0, 40 * 86400));
		return { now: sim.clock.now() };
	},
	reset: async (sim) => {
		await sim.reset();
	},
};

/** @type {Record<string, (sim: object, body: object) => any>} */
export const OPS = { ...nodeOps, ...guestOps, ...storageOps, ...protectionOps, ...accessOps, ...faultOps,
	...timeOps };
