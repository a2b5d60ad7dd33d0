/** Acting on nodes: power, Wake-on-LAN, services, package lists, starting and stopping all. */
import { POWER } from '../../model/power.mjs';
import { forbidden, die } from '../errors.mjs';
import { needQuorum } from './power.mjs';

/** No task, no check, no answer but null: the machine is already on its way. */
function nodePower({ sim, node, params }) {
	sim.powerNode(node, params.command);
	return null;
}

function wakeOnLan({ sim, entry, params }) {
	const node = sim.cluster.nodes.get(params.node);
	if (!node) {
		die(`no such cluster node '${params.node}'`);
	}
	if (node === entry) {
		die(`'${node.name}' is local node, cannot wake my self!`);
	}
	if (!node.mac) {
		die(`No wake on LAN MAC address defined for '${node.name}'!`);
	}
	node.wolSent = (node.wolSent ?? 0) + 1;
	sim.wakeNode(node);
	return node.mac;
}

function bulk(ctx, action, taskType, wanted) {
	const { sim, node, params, perms, principal } = ctx;
	needQuorum(ctx);
	const listed = params.vms?.split(/[,; ]+/).filter(Boolean).map(Number);
	const guests = sim.cluster.guestsOn(node.name)
		.filter((guest) => !listed || listed.includes(guest.vmid));
	if (!perms.has('/', 'VM.PowerMgmt')) {
		const barred = (listed ?? ['']).find((id) => !perms.has(`/vms/${id}`, 'VM.PowerMgmt'));
		if (barred !== undefined) {
			throw forbidden(listed ? `/vms/${barred}, VM.PowerMgmt` : '/, VM.PowerMgmt');
		}
	}
	const steps = guests.filter((guest) => wanted(guest, listed)).map((guest) => ({
		wait: 0.5, log: `${action} ${guest.vmid}`,
		run: () => {
			POWER[action](sim, guest, principal.id, { forceStop: 1 });
		},
	}));
	return sim.tasks.start(node.name, { type: taskType, user: principal.id, steps }).upid;
}

function aptUpdate({ sim, node, principal }) {
	return sim.tasks.start(node.name, { type: 'aptupdate', user: principal.id, steps: [
		{ log: 'starting apt-get update' }, { wait: 3, log: 'Reading package lists...' }] }).upid;
}

const service = (verb) => ({ sim, node, params, principal }) => sim.tasks.start(node.name, {
	type: `srv${verb}`, id: params.service, user: principal.id, steps: [{ wait: 1 }] }).upid;

const byBoot = (guest, listed) => guest.state === 'stopped' && !guest.template &&
	(listed || guest.onboot);

export default {
	'POST /nodes/{node}/status': nodePower,
	'POST /nodes/{node}/wakeonlan': wakeOnLan,
	'POST /nodes/{node}/startall': (ctx) => bulk(ctx, 'start', 'startall', byBoot),
	'POST /nodes/{node}/stopall': (ctx) =>
		bulk(ctx, 'shutdown', 'stopall', (guest) => guest.state !== 'stopped'),
	'POST /nodes/{node}/apt/update': aptUpdate,
	...Object.fromEntries(['start', 'stop', 'restart', 'reload'].map((verb) =>
		[`POST /nodes/{node}/services/{service}/${verb}`, service(verb)])),
};
