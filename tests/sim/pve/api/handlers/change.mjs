/** Snapshots, migration, backup, configuration: changes that become tasks. */
import { vzdump } from '../../model/backup.mjs';
import { digestOf } from '../../model/guestconf.mjs';
import { requestHaMigration } from '../../model/hamanager.mjs';
import { createSnapshot, deleteSnapshot, migrate, rollbackSnapshot } from
	'../../model/transfer.mjs';
import { badParams, die, forbidden } from '../errors.mjs';
import { guestHere } from '../guest.mjs';
import { needQuorum, rejectRootOnly } from './power.mjs';
import { find as findStorage } from './storage.mjs';

const RESERVED = ['current', 'pending'];

function snapshotCreate(ctx, type) {
	const guest = guestHere(ctx, type);
	const { snapname } = ctx.params;
	if (RESERVED.includes(snapname)) {
		die(`unable to use snapshot name '${snapname}' (reserved name)`);
	}
	return createSnapshot(ctx.sim, guest, ctx.principal.id, ctx.params).upid;
}

function snapshotDelete(ctx, type) {
	return deleteSnapshot(ctx.sim, guestHere(ctx, type), ctx.principal.id, ctx.params.snapname).upid;
}

function rollback(ctx, type) {
	const { snapname, start } = ctx.params;
	return rollbackSnapshot(ctx.sim, guestHere(ctx, type), ctx.principal.id, snapname, start).upid;
}

function migrateGuest(ctx, type) {
	const guest = guestHere(ctx, type);
	const { params, sim, node, principal } = ctx;
	rejectRootOnly(ctx, ['force', 'migration_type', 'migration_network']);
	needQuorum(ctx);
	if (params.target === node.name) {
		throw badParams({ target: 'target is local node.' });
	}
	if (!sim.cluster.nodes.has(params.target)) {
		die(`no such cluster node '${params.target}'`);
	}
	if (guest.lock) {
		die(`${type === 'qemu' ? 'VM' : 'CT'} is locked (${guest.lock})`);
	}
	checkOnline(guest, type, params);
	return guest.ha ? requestHaMigration(sim, guest, params.target, principal.id).upid
		: migrate(sim, guest, principal.id, params).upid;
}

function checkOnline(guest, type, params) {
	if (guest.state === 'stopped' || params.online || params.restart) {
		return;
	}
	die(type === 'qemu' ? 'can\'t migrate running VM without --online'
		: 'can\'t migrate running container without --online or --restart');
}

function backup(ctx) {
	const { params, sim, node, perms, principal } = ctx;
	rejectRootOnly(ctx, ['tmpdir', 'dumpdir', 'script', 'job-id']);
	const storage = findStorage(ctx, params.storage ?? 'local');
	if (!perms.has(`/storage/${storage.id}`, 'Datastore.AllocateSpace')) {
		throw forbidden(`/storage/${storage.id}, Datastore.AllocateSpace`);
	}
	const wanted = wantedGuests(ctx);
	const here = wanted.filter((guest) => guest.node === node.name);
	if (wanted.length > 0 && here.length === 0) {
		return 'OK'; // nothing of it is on this node, and nobody says so
	}
	return vzdump(sim, { guests: here, storage, mode: params.mode ?? 'snapshot', node: node.name,
		user: principal.id }).upid;
}

function wantedGuests({ params, sim, perms }) {
	const listed = params.vmid?.split(/[,; ]+/).filter(Boolean).map(Number);
	const excluded = (params.exclude ?? '').split(/[,; ]+/).filter(Boolean).map(Number);
	const guests = listed?.map((vmid) => sim.cluster.guests.get(vmid)) ??
		[...sim.cluster.guests.values()].filter((guest) => !excluded.includes(guest.vmid) &&
			(params.all || (params.pool && guest.pool === params.pool)));
	if (!listed && !params.all && !params.pool) {
		throw badParams({ vmid: 'property is missing and it is not optional' });
	}
	for (const guest of guests) {
		if (!guest) {
			die(`unable to find VM '${listed.find((vmid) => !sim.cluster.guests.has(vmid))}'`);
		}
		if (!perms.has(`/vms/${guest.vmid}`, 'VM.Backup')) {
			throw forbidden(`/vms/${guest.vmid}, VM.Backup`);
		}
	}
	return guests;
}

/** PUT and POST of a configuration: keys are kept as given, numbers of size take effect. */
function changeConfig(ctx, type) {
	const guest = guestHere(ctx, type);
	const { digest, delete: gone, node: _n, vmid: _v, ...values } = ctx.params;
	if (digest && digest !== digestOf(guest)) {
		die('detected modified configuration - file changed by other user? Try again.');
	}
	if (guest.lock) {
		die(`${type === 'qemu' ? 'VM' : 'CT'} is locked (${guest.lock})`);
	}
	Object.assign(guest.overrides, values);
	(gone ?? '').split(/[,; ]+/).filter(Boolean).forEach((key) => {
		guest.overrides[key] = null;
	});
	guest.name = values.name ?? values.hostname ?? guest.name;
	guest.cpus = values.cores ?? guest.cpus;
	guest.tags = gone?.includes('tags') ? '' : values.tags ?? guest.tags;
	return null;
}

function changeConfigTask(ctx) {
	changeConfig(ctx, 'qemu');
	return ctx.sim.tasks.start(ctx.node.name, { type: 'qmconfig', id: ctx.params.vmid,
		user: ctx.principal.id, steps: [{ log: 'update VM' }] }).upid;
}

function downloadUrl(ctx) {
	const storage = findStorage(ctx);
	const { filename, url } = ctx.params;
	return ctx.sim.tasks.start(ctx.node.name, {
		type: 'download', id: filename, user: ctx.principal.id,
		steps: [{ log: `downloading ${url} to ${storage.id}` }, { wait: 5, run: () => {
			storage.volumes.push({ volid: `${storage.id}:iso/${filename}`, content: 'iso',
				format: 'iso', size: 6e8, ctime: Math.floor(ctx.sim.clock.now()) });
		} }, { log: 'download of image finished' }],
	}).upid;
}

const both = (method, path, fn) => Object.fromEntries(['qemu', 'lxc'].map((type) =>
	[`${method} /nodes/{node}/${type}/{vmid}${path}`, (ctx) => fn(ctx, type)]));

export default {
	...both('POST', '/snapshot', snapshotCreate),
	...both('DELETE', '/snapshot/{snapname}', snapshotDelete),
	...both('POST', '/snapshot/{snapname}/rollback', rollback),
	...both('POST', '/migrate', migrateGuest),
	...both('PUT', '/config', changeConfig),
	'POST /nodes/{node}/qemu/{vmid}/config': changeConfigTask,
	'POST /nodes/{node}/vzdump': backup,
	'POST /nodes/{node}/storage/{storage}/download-url': downloadUrl,
};
