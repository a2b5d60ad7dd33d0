/** Acting on guests: what is refused at once, what becomes a task, what goes to HA. */
import { POWER } from '../../model/power.mjs';
import { requestHa } from '../../model/hamanager.mjs';
import { badParams, die, forbidden } from '../errors.mjs';
import { guestHere } from '../guest.mjs';

const ROOT_ONLY = ['skiplock', 'stateuri', 'migratedfrom', 'migration_type', 'migration_network',
	'targetstorage', 'force-cpu', 'nets-host-mtu', 'keepActive'];

/** Tests for the user root@pam itself: a token of it is refused too. */
export function rejectRootOnly({ params, principal }, names = ROOT_ONLY) {
	const used = names.filter((name) => params[name] !== undefined && params[name] !== 0);
	if (used.length > 0 && principal.id !== 'root@pam') {
		throw badParams(Object.fromEntries(used.map((name) =>
			[name, 'Only root may use this option.'])));
	}
}

export function needQuorum({ sim, node }) {
	if (!sim.cluster.quorate(node)) {
		die('cluster not ready - no quorum?');
	}
}

const running = (guest) => guest.state !== 'stopped';
const notRunning = (guest, word) => running(guest) || die(`${word} ${guest.vmid} not running`);
const notPaused = (guest) => guest.state !== 'paused' || die('VM is paused - cannot shutdown');

/** Refusals that come before a task exists, by kind of guest and action. */
const SYNC_CHECKS = {
	qemu: {
		start: (_guest, ctx) => needQuorum(ctx),
		stop: () => {},
		shutdown: (guest) => notPaused(guest),
		reboot: (guest) => {
			notRunning(guest, 'VM');
			notPaused(guest);
		},
		reset: (guest) => notRunning(guest, 'VM'),
		suspend: (guest, ctx) => {
			notRunning(guest, 'VM');
			checkToDisk(guest, ctx);
		},
		resume: (guest) => guest.lock === 'suspended' || notRunning(guest, 'VM'),
	},
	lxc: {
		start: (guest, ctx) => {
			needQuorum(ctx);
			if (running(guest)) {
				die(`CT ${guest.vmid} already running`);
			}
		},
		stop: (guest) => notRunning(guest, 'CT'),
		shutdown: (guest) => notRunning(guest, 'CT'),
		reboot: (guest) => notRunning(guest, 'VM'),
		suspend: (guest) => notRunning(guest, 'CT'),
		resume: (guest) => {
			if (guest.state === 'running') {
				die(`CT ${guest.vmid} already running`);
			}
		},
	},
};

function checkToDisk(guest, { params, perms }) {
	if (params.todisk && !perms.has(`/vms/${guest.vmid}`, 'VM.Config.Disk')) {
		throw forbidden(`/vms/${guest.vmid}, VM.Config.Disk`);
	}
}

/** The manager is asked instead; its task only says so and ends. */
const HA_ACTIONS = { start: 'started', stop: 'stopped', shutdown: 'stopped' };

function act(ctx, type, action) {
	const guest = guestHere(ctx, type);
	rejectRootOnly(ctx);
	const wish = HA_ACTIONS[action];
	if (guest.ha && wish && guest.ha.state !== 'ignored') {
		if (wish === 'started') {
			needQuorum(ctx);
		}
		return requestHa(ctx.sim, guest, wish, ctx.principal.id).upid;
	}
	SYNC_CHECKS[type][action](guest, ctx);
	const { timeout, forceStop, todisk } = ctx.params;
	return POWER[action](ctx.sim, guest, ctx.principal.id, { timeout, forceStop, todisk }).upid;
}

const routes = {};
for (const [type, actions] of Object.entries(SYNC_CHECKS)) {
	for (const action of Object.keys(actions)) {
		routes[`POST /nodes/{node}/${type}/{vmid}/status/${action}`] = (ctx) => act(ctx, type, action);
	}
}

export default routes;
