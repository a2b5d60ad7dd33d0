/** /version, /nodes and the calls of /cluster that any node answers by itself. */
import { shuffle } from '../../lib/prng.mjs';
import { guestHaState, nodeHaState } from '../../model/ha.mjs';
import { guestRow, networkRow, nodeRow, poolRow, storageRow } from '../rows.mjs';

function version({ node }) {
	const { version: v, release, repoid } = node.pve;
	return { version: v, release, repoid };
}

function nodes({ sim, entry, perms }) {
	return shuffle([...sim.cluster.nodes.values()]).map((node) => ({
		...nodeRow(sim.cluster, entry, node, perms.has(`/nodes/${node.name}`, 'Sys.Audit')),
		ssl_fingerprint: node.fingerprint,
	}));
}

const RESOURCE_KINDS = { vm: guestRows, node: nodeRows, storage: storageRows, sdn: sdnRows };

function resources(ctx) {
	const { type } = ctx.params;
	const kinds = type ? [RESOURCE_KINDS[type]] : [poolRows, ...Object.values(RESOURCE_KINDS)];
	return kinds.flatMap((rows) => rows(ctx));
}

function poolRows({ sim, entry, perms }) {
	return [...sim.cluster.pools.values()]
		.filter((pool) => perms.has(`/pool/${pool.poolid}`, 'Pool.Audit'))
		.map((pool) => poolRow(sim.cluster, entry, pool));
}

/** Sorted by vmid, but as texts: 100, 1000, 101. */
function guestRows({ sim, entry, perms }) {
	const rows = [];
	for (const guest of sim.cluster.guests.values()) {
		if (perms.has(`/vms/${guest.vmid}`, 'VM.Audit')) {
			rows.push(guestRow(sim.cluster, entry, guest, guestHaState(sim.cluster, guest)));
		}
	}
	return rows.sort((a, b) => (String(a.vmid) < String(b.vmid) ? -1 : 1));
}

function nodeRows({ sim, entry, perms }) {
	return shuffle([...sim.cluster.nodes.values()]).map((node) => {
		const stats = perms.has(`/nodes/${node.name}`, 'Sys.Audit');
		const row = nodeRow(sim.cluster, entry, node, stats);
		if (stats && row.maxcpu !== undefined) {
			row['cgroup-mode'] = 2;
		}
		row.hastate = nodeHaState(sim.cluster, entry, node);
		return row;
	});
}

function storageRows({ sim, entry, perms }) {
	const visible = [...sim.cluster.storages.values()]
		.filter((s) => perms.has(`/storage/${s.id}`, 'Datastore.Audit'));
	return visible.flatMap((storage) => storage.nodes
		.map((name) => storageRow(sim.cluster, entry, sim.cluster.nodes.get(name), storage)));
}

function sdnRows({ sim, entry, perms, params }) {
	if ((params.type && entry.pve.networkRows) || !perms.has('/sdn', 'SDN.Audit')) {
		return []; // since 9.1 these rows come only without a filter
	}
	return [...sim.cluster.nodes.values()]
		.filter((node) => sim.cluster.online(entry, node))
		.map((node) => networkRow(entry, node));
}

function status({ sim, entry }) {
	const { standalone, name } = sim.cluster;
	const members = shuffle([...sim.cluster.nodes.values()]).map((node) => ({
		type: 'node', id: `node/${node.name}`, name: node.name,
		nodeid: standalone ? 0 : node.nodeid, ip: node.ip, local: node === entry ? 1 : 0,
		online: sim.cluster.online(entry, node) ? 1 : 0, level: '',
	}));
	return standalone ? members : [{
		type: 'cluster', id: 'cluster', name, nodes: members.length,
		quorate: sim.cluster.quorate(entry) ? 1 : 0, version: sim.cluster.membershipVersion,
	}, ...members];
}

/** Every node's last word about its tasks, also of nodes that are gone. */
function tasks({ sim, perms, principal }) {
	const all = perms.has('/', 'Sys.Audit');
	const rows = [...sim.tasks.nodes.values()].flatMap((lists) => lists.broadcast);
	return rows.filter((row) => all || (row.user === principal.user &&
		(row.tokenid ?? null) === (principal.tokenid ?? null)));
}

function configNodes({ sim }) {
	return sim.cluster.standalone ? [] : shuffle([...sim.cluster.nodes.values()]).map((node) => ({
		name: node.name, node: node.name, nodeid: String(node.nodeid),
		quorum_votes: String(node.votes), ring0_addr: node.ip,
	}));
}

function nextId({ sim }) {
	let id = 100;
	while (sim.cluster.guests.has(id)) {
		id++;
	}
	return String(id);
}

export default {
	'GET /version': version,
	'GET /nodes': nodes,
	'GET /cluster/resources': resources,
	'GET /cluster/status': status,
	'GET /cluster/tasks': tasks,
	'GET /cluster/config/nodes': configNodes,
	'GET /cluster/nextid': nextId,
	'GET /cluster/options': () => ({ keyboard: 'de' }),
	'GET /cluster/log': () => [],
};

