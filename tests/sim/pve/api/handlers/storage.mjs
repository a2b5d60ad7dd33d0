/** Storage as its node sees it when asked; these calls walk the storages and hang with them. */
import { storageUsed } from '../../model/load.mjs';
import { waitForStorages } from '../proxy.mjs';
import { die } from '../errors.mjs';

async function list(ctx) {
	const { sim, node, params, perms } = ctx;
	await waitForStorages(sim, node, params.storage);
	return sim.cluster.storagesOf(node.name)
		.filter((s) => perms.has(`/storage/${s.id}`, 'Datastore.Audit', 'Datastore.AllocateSpace'))
		.filter((s) => !params.storage || s.id === params.storage)
		.filter((s) => !params.content || shares(s.content, params.content))
		.map((s) => ({ storage: s.id, ...statusOf(ctx, s) }));
}

function shares(have, wanted) {
	return wanted.split(/[,; ]+/).some((kind) => have.split(',').includes(kind));
}

function statusOf({ node, now }, storage) {
	const row = {
		type: storage.type, content: storage.content, shared: storage.shared, enabled: 1, active: 0,
		total: 0, used: 0, avail: 0,
	};
	if (!storage.offline?.has(node.name)) {
		const total = storage.sizeOn(node.name);
		const used = Math.min(total, storageUsed(storage, node.name, now));
		Object.assign(row, { active: 1, total, used, avail: total - used,
			used_fraction: used / total });
	}
	return row;
}

async function status(ctx) {
	const storage = find(ctx);
	await waitForStorages(ctx.sim, ctx.node, storage.id);
	const { used_fraction: _, ...row } = statusOf(ctx, storage);
	return row;
}

/** A storage that exists and is meant for this node. */
export function find({ sim, node, params }, id = params.storage) {
	const storage = sim.cluster.storages.get(id);
	if (!storage) {
		die(`storage '${id}' does not exist`);
	}
	if (!storage.nodes.includes(node.name)) {
		die(`storage '${id}' is not available on node '${node.name}'`);
	}
	return storage;
}

async function content(ctx) {
	const storage = find(ctx);
	await waitForStorages(ctx.sim, ctx.node, storage.id);
	if (storage.offline?.has(ctx.node.name)) {
		die(`storage '${storage.id}' is not online`);
	}
	const { content: kind, vmid } = ctx.params;
	return ctx.sim.volumes(storage, ctx.node, ctx.now)
		.filter((v) => (!kind || v.content === kind) && (vmid === undefined || v.vmid === vmid))
		.filter((v) => v.vmid === undefined || ctx.perms.has(`/vms/${v.vmid}`, 'VM.Audit', 'VM.Backup'));
}

function config({ sim, perms }) {
	return [...sim.cluster.storages.values()]
		.filter((s) => perms.has(`/storage/${s.id}`, 'Datastore.Audit', 'Datastore.AllocateSpace'))
		.map((s) => configOf(s));
}

function configOf(s) {
	return {
		storage: s.id, type: s.type, content: s.content, shared: s.shared || undefined,
		nodes: s.limited ? s.nodes.join(',') : undefined, digest: `${s.seed.toString(16)}`.repeat(5),
	};
}

export default {
	'GET /nodes/{node}/storage': list,
	'GET /nodes/{node}/storage/{storage}': () =>
		['content', 'rrddata', 'status'].map((subdir) => ({ subdir })),
	'GET /nodes/{node}/storage/{storage}/status': status,
	'GET /nodes/{node}/storage/{storage}/content': content,
	'GET /storage': config,
	'GET /storage/{storage}': ({ sim, params }) => configOf(sim.cluster.storages.get(params.storage) ??
		die(`storage '${params.storage}' does not exist`)),
};
