/** Snapshots and migrations, as worker tasks. */
import { checkLock, label } from './power.mjs';

const GIB = 2 ** 30;
const PREFIX = { qemu: 'qm', lxc: 'vz' };

/** Runs steps with the guest locked; the lock goes whatever happens. */
function locked(sim, guest, { type, lock, user, before, seconds, log, after }) {
	let mine = false;
	return sim.tasks.start(guest.node, {
		// the one that does not begin as the others do
		type: `${PREFIX[guest.type]}${type}`.replace('qmmigrate', 'qmigrate'), id: guest.vmid, user,
		onEnd: () => {
			guest.lock = mine ? null : guest.lock;
		},
		steps: [
			{ log, run: () => {
				before();
				sim.cluster.checkWritable(guest);
				checkLock(guest);
				guest.lock = lock;
				mine = true;
			} },
			{ wait: seconds, run: after },
		],
	});
}

const find = (guest, name) => guest.snapshots.find((s) => s.name === name);

function mustExist(guest, name) {
	if (!find(guest, name)) {
		throw new Error(`snapshot '${name}' does not exist`);
	}
}

/** @param {{snapname: string, description?: string, vmstate?: number}} what */
export function createSnapshot(sim, guest, user, what) {
	return locked(sim, guest, {
		type: 'snapshot', lock: 'snapshot', user, seconds: what.vmstate ? 6 : 2,
		log: `snapshotting '${guest.storage}:vm-${guest.vmid}-disk-0'`,
		before: () => {
			if (find(guest, what.snapname)) {
				throw new Error(`snapshot name '${what.snapname}' already used`);
			}
			if (guest.type === 'lxc' && sim.cluster.storages.get(guest.storage)?.type === 'nfs') {
				throw new Error('snapshot feature is not available');
			}
		},
		after: () => guest.snapshots.push({
			name: what.snapname, description: what.description ?? '', vmstate: what.vmstate ?? 0,
			snaptime: Math.floor(sim.clock.now()), parent: guest.snapshots.at(-1)?.name ?? null,
		}),
	});
}

export function deleteSnapshot(sim, guest, user, name) {
	return locked(sim, guest, {
		type: 'delsnapshot', lock: 'snapshot-delete', user, seconds: 2,
		before: () => mustExist(guest, name),
		after: () => {
			const gone = find(guest, name);
			guest.snapshots = guest.snapshots.filter((s) => s !== gone);
			guest.snapshots.filter((s) => s.parent === name).forEach((s) => {
				s.parent = gone.parent;
			});
		},
	});
}

/** The guest is stopped for it, and stays so unless it should start. */
export function rollbackSnapshot(sim, guest, user, name, startAfter) {
	return locked(sim, guest, {
		type: 'rollback', lock: 'rollback', user, seconds: 3,
		before: () => {
			mustExist(guest, name);
			const zfs = sim.cluster.storages.get(guest.storage)?.type === 'zfspool';
			if (zfs && guest.snapshots.at(-1).name !== name) {
				throw new Error(`can't rollback, '${name}' is not most recent snapshot on ` +
					`'${guest.storage}:vm-${guest.vmid}-disk-0'`);
			}
		},
		after: () => {
			sim.cluster.setState(guest, 'stopped');
			if (startAfter) {
				sim.cluster.setState(guest, 'running');
			}
		},
	});
}

/** @param {{target: string, 'with-local-disks'?: number, restart?: number}} what */
export function migrate(sim, guest, user, what) {
	const from = guest.node;
	return locked(sim, guest, {
		type: 'migrate', lock: 'migrate', user, seconds: migrationSeconds(guest),
		log: [`starting migration of ${label(guest)} to node '${what.target}'`],
		before: () => checkMigration(sim, guest, what),
		after: (task) => {
			const target = sim.cluster.nodes.get(what.target);
			if (!target.alive) {
				throw new Error('migration aborted');
			}
			guest.node = what.target; // the configuration file moves: one moment, no in-between
			if (what.restart && guest.state === 'running') {
				sim.cluster.setState(guest, 'stopped');
				sim.cluster.setState(guest, 'running');
			}
			task.log.push(`migration finished successfully (from ${from})`);
		},
	});
}

const migrationSeconds = (guest) => Math.min(60, 4 + guest.maxmem / GIB * 1.5);

function checkMigration(sim, guest, what) {
	const storage = sim.cluster.storages.get(guest.storage);
	const live = guest.type === 'qemu' && guest.state !== 'stopped';
	const target = sim.cluster.nodes.get(what.target);
	const reachable = target.alive && storage.nodes.includes(what.target);
	if (!reachable || (live && !storage.shared && !what['with-local-disks'])) {
		throw new Error('migration aborted');
	}
}
