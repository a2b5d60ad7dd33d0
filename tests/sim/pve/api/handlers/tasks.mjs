/** The task calls of a node. Lists come from its index files, the status is always live. */
import { die, badParams, forbidden } from '../errors.mjs';
import { nodeRow, parseUpid } from '../../model/tasks.mjs';

function ownedBy(task, principal) {
	return task.user === principal.user && (task.tokenid ?? null) === (principal.tokenid ?? null);
}

function list(ctx) {
	const { sim, node, params, perms, principal } = ctx;
	const lists = sim.tasks.nodes.get(node.name);
	const source = params.source ?? 'archive';
	const rows = [
		...(source === 'archive' ? [] : lists.active),
		...(source === 'active' ? [] : lists.archive),
	];
	const all = perms.has(`/nodes/${node.name}`, 'Sys.Audit');
	const matching = rows.filter((t) => (all || ownedBy(t, principal)) && matches(t, params));
	const start = params.start ?? 0;
	ctx.total = matching.length;
	return matching.slice(start, start + (params.limit ?? 50)).map(nodeRow);
}

function matches(task, p) {
	const failed = task.exitstatus !== undefined && task.endtime !== null &&
		!/^(OK|WARNINGS: \d+)$/.test(task.exitstatus);
	return (!p.errors || failed) &&
		(p.vmid === undefined || task.id === String(p.vmid)) &&
		(p.typefilter === undefined || task.type === p.typefilter) &&
		(p.userfilter === undefined || task.user.includes(p.userfilter)) &&
		(p.since === undefined || task.starttime >= p.since) &&
		(p.until === undefined || task.starttime <= p.until) &&
		(p.statusfilter === undefined || p.statusfilter.split(/[,; ]+/).includes(verdict(task)));
}

function verdict(task) {
	if (task.exitstatus === 'OK') {
		return 'ok';
	}
	if (task.exitstatus === undefined || task.exitstatus === 'unexpected status') {
		return 'unknown';
	}
	return task.exitstatus.startsWith('WARNINGS') ? 'warning' : 'error';
}

/** The task of the path; others' tasks need Sys.Audit on the node. */
function find({ sim, node, params, perms, principal }, right) {
	const parsed = parseUpid(params.upid);
	if (!parsed) {
		throw badParams({ upid: 'unable to parse worker upid' });
	}
	const task = sim.tasks.byUpid.get(params.upid);
	if (!task || task.node !== node.name) {
		throw badParams({ upid: 'no such task' });
	}
	if (!ownedBy(task, principal) && !perms.has(`/nodes/${node.name}`, right)) {
		throw forbidden(`/nodes/${node.name}, ${right}`);
	}
	return task;
}

/** For a moment after its end a task has not written how it ended. */
function isMute({ sim }, task) {
	if (task.running || !(sim.tasks.muteLooks > 0)) {
		return false;
	}
	sim.tasks.muteLooks--;
	return true;
}

function status(ctx) {
	const task = find(ctx, 'Sys.Audit');
	return {
		upid: task.upid, node: task.node, pid: task.pid, pstart: task.pstart,
		starttime: task.starttime, type: task.type, id: task.id, user: task.user,
		tokenid: task.tokenid, status: task.running ? 'running' : 'stopped',
		exitstatus: isMute(ctx, task) ? undefined : task.exitstatus,
	};
}

function log(ctx) {
	const task = find(ctx, 'Sys.Audit');
	const { start = 0, limit = 50 } = ctx.params;
	const lines = task.log.length > 0 ? task.log : ['no content'];
	ctx.total = lines.length;
	const end = limit === 0 ? lines.length : start + limit;
	return lines.slice(start, end).map((t, i) => ({ n: start + i + 1, t }));
}

function stop(ctx) {
	ctx.sim.tasks.stop(find(ctx, 'Sys.Modify'));
	return null;
}

function index({ params }) {
	return parseUpid(params.upid) ? [{ name: 'log' }, { name: 'status' }]
		: die('unable to parse worker upid');
}

export default {
	'GET /nodes/{node}/tasks': list,
	'GET /nodes/{node}/tasks/{upid}': index,
	'GET /nodes/{node}/tasks/{upid}/status': status,
	'GET /nodes/{node}/tasks/{upid}/log': log,
	'DELETE /nodes/{node}/tasks/{upid}': stop,
};
