/** Backup jobs, HA, replication, pools, Ceph: what the datacenter knows as a whole. */
import { guestsOfJob } from '../../model/backup.mjs';
import { cephStatus } from '../../model/ceph.mjs';
import { guestHaState, hasManaged, sidOf } from '../../model/ha.mjs';
import { die } from '../errors.mjs';

function backupJobs({ sim, now }) {
	return sim.cluster.backupJobs.map((job) => ({
		...job, type: 'vzdump', 'next-run': job.enabled ? nextRun(job.schedule, now) : undefined,
	}));
}

const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

/** Understands `HH:MM` and `day HH:MM`, which is what the jobs here use. */
function nextRun(schedule, now) {
	const match = /^(?:(\w{3}) )?(\d+):(\d+)$/.exec(schedule);
	const date = new Date(now * 1000);
	date.setHours(Number(match[2]), Number(match[3]), 0, 0);
	while (date.getTime() / 1000 <= now || (match[1] && WEEKDAYS[date.getDay()] !== match[1])) {
		date.setDate(date.getDate() + 1);
	}
	return Math.floor(date.getTime() / 1000);
}

function jobById(ctx) {
	return backupJobs(ctx).find((job) => job.id === ctx.params.id) ??
		die(`No such job '${ctx.params.id}'`);
}

/** Guests in no job at all; says nothing about whether a job ever succeeded. */
function notBackedUp({ sim, perms }) {
	const covered = new Set(sim.cluster.backupJobs.flatMap((job) => guestsOfJob(sim.cluster, job)));
	return [...sim.cluster.guests.values()]
		.filter((guest) => !covered.has(guest) && perms.has(`/vms/${guest.vmid}`, 'VM.Audit'))
		.map((guest) => ({ vmid: guest.vmid, type: guest.type, name: guest.name }));
}

const managed = (sim) => [...sim.cluster.guests.values()].filter((guest) => guest.ha);

function haResources({ sim, params, node }) {
	return managed(sim)
		.filter((guest) => !params.type || sidOf(guest).startsWith(params.type))
		.map((guest) => resource(guest, node));
}

function resource(guest, node) {
	return {
		sid: sidOf(guest), type: sidOf(guest).slice(0, 2), state: guest.ha.state,
		max_restart: guest.ha.max_restart, max_relocate: guest.ha.max_relocate,
		failback: node.pve.major >= 9 ? 1 : undefined,
		digest: 'b76ef6b1e3b0a5c1f1d2a1c3f64b2bd1e30e5a4f',
	};
}

function haResource({ sim, params, node }) {
	const guest = managed(sim).find((g) => sidOf(g) === params.sid || String(g.vmid) === params.sid);
	return guest ? resource(guest, node) : die(`no such resource '${params.sid}'`);
}

const ctime = (seconds) => new Date(seconds * 1000).toString().slice(0, 24)
	.replace(/^(\w+ \w+ \d+) (\d+) (.*)$/, '$1 $3 $2');

function haStatus({ sim, entry, now }) {
	const { cluster } = sim;
	const quorate = cluster.quorate(entry);
	const rows = [{
		id: 'quorum', type: 'quorum', node: entry.name, quorate: quorate ? 1 : 0,
		status: quorate ? 'OK' : `No quorum on node '${entry.name}'!`,
	}];
	if (cluster.standalone || !hasManaged(cluster)) {
		return rows;
	}
	const stamps = new Map([...cluster.nodes.values()].map((node) => [node, stampOf(node, now)]));
	const master = cluster.nodes.values().next().value;
	rows.push(masterRow(master, stamps.get(master), now));
	if (entry.pve.fencingRow) {
		rows.push({ id: 'fencing', type: 'fencing', node: master.name, 'armed-state': 'armed',
			status: 'armed' });
	}
	for (const [node, stamp] of stamps) {
		rows.push(lrmRow(cluster, entry, node, stamp, now));
	}
	return [...rows, ...managed(sim).map((guest) => serviceRow(cluster, guest))];
}

const stampOf = (node, now) => Math.floor(node.alive ? now - (now % 10)
	: (node.offlineAt ?? now) - 5);

function masterRow(node, stamp, now) {
	const words = now - stamp > 30 ? `${node.name} (old timestamp - dead?, ${ctime(stamp)})`
		: `${node.name} (active, ${ctime(stamp)})`;
	return { id: 'master', type: 'master', node: node.name, status: words, timestamp: stamp };
}

function lrmRow(cluster, entry, node, stamp, now) {
	const active = cluster.guestsOn(node.name).some((guest) => guest.ha?.state === 'started');
	const mode = active ? 'active' : 'idle';
	const words = now - stamp > 30 ? 'old timestamp - dead?'
		: entry.pve.fencingRow ? `${mode}, watchdog ${active ? 'active' : 'standby'}` : mode;
	return { id: `lrm:${node.name}`, type: 'lrm', node: node.name, timestamp: stamp,
		status: `${node.name} (${words}, ${ctime(stamp)})` };
}

function serviceRow(cluster, guest) {
	const sid = sidOf(guest);
	const state = guestHaState(cluster, guest);
	return {
		id: `service:${sid}`, type: 'service', sid, node: guest.node, state, crm_state: state,
		request_state: guest.ha.state, status: `${sid} (${guest.node}, ${state})`,
		max_restart: guest.ha.max_restart, max_relocate: guest.ha.max_relocate,
	};
}

function managerStatus({ sim, entry, now }) {
	const names = [...sim.cluster.nodes.values()];
	return {
		manager_status: { master_node: names[0].name, timestamp: Math.floor(now),
			node_status: Object.fromEntries(names.map((n) =>
				[n.name, sim.cluster.online(entry, n) ? 'online' : 'unknown'])) },
		quorum: { node: entry.name, quorate: String(Number(sim.cluster.quorate(entry))) },
		lrm_status: {},
	};
}

const auditable = (perms) => (job) => perms.has(`/vms/${job.guest}`, 'VM.Audit');

function replication({ sim, perms }) {
	return sim.cluster.replication.filter(auditable(perms)).map(({ state: _, ...job }) => job);
}

function nodeReplication({ sim, node, params, perms, now }) {
	return sim.cluster.replication.filter(auditable(perms))
		.filter((job) => sim.cluster.guests.get(job.guest)?.node === node.name)
		.filter((job) => params.guest === undefined || job.guest === params.guest)
		.map((job) => ({ ...replicationState(sim, job, now) }));
}

/** Every quarter of an hour; fails while the target is away, or where the description says so. */
function replicationState(sim, { state, ...job }, now) {
	const quarter = (t) => Math.floor(t / 900) * 900 + 3;
	const last = quarter(now);
	const target = sim.cluster.nodes.get(job.target);
	const since = !target.alive && now > target.offlineAt ? target.offlineAt
		: state.brokenSince;
	const row = {
		...job, vmtype: sim.cluster.guests.get(job.guest).type, duration: state.duration, last_try: last,
	};
	if (since === null) {
		return { ...row, last_sync: last, next_sync: last + 897, fail_count: 0 };
	}
	return { ...row, last_sync: quarter(since), next_sync: last + 300,
		fail_count: 1 + Math.floor((now - since) / 900),
		error: target.alive ? brokenSend(job, target)
			: `command '/usr/bin/ssh root@${target.ip} -- pvesr prepare-local-job` +
				` ${job.id}' failed: exit code 255` };
}

const brokenSend = (job, target) => `command 'set -o pipefail && pvesm export tank:subvol-${job.guest}-disk-0 ` +
	'zfs - -with-snapshots 1 -snapshot __replicate_' + `${job.id}_0__ | /usr/bin/ssh -e none root@${target.ip}` +
	" -- pvesm import' failed: exit code 255";

function pools({ sim, perms, params }) {
	return [...sim.cluster.pools.values()]
		.filter((p) => perms.has(`/pool/${p.poolid}`, 'Pool.Audit'))
		.filter((p) => !params.poolid || p.poolid === params.poolid)
		.map(({ poolid, comment }) => ({ poolid, comment }));
}

function pool({ sim, params, perms }) {
	const found = sim.cluster.pools.get(params.poolid) ?? die(`no such pool '${params.poolid}'`);
	const members = [...sim.cluster.guests.values()]
		.filter((g) => g.pool === found.poolid && perms.has(`/vms/${g.vmid}`, 'VM.Audit'))
		.map((g) => ({ id: `${g.type}/${g.vmid}`, vmid: g.vmid, type: g.type, node: g.node,
			name: g.name, status: g.state === 'stopped' ? 'stopped' : 'running' }));
	return { comment: found.comment, members };
}

function ceph({ sim, node }) {
	const answer = cephStatus(sim, node);
	return typeof answer === 'string' ? die(answer) : answer;
}

export default {
	'GET /cluster/backup': backupJobs,
	'GET /cluster/backup/{id}': jobById,
	'GET /cluster/backup-info/not-backed-up': notBackedUp,
	'GET /cluster/ha/resources': haResources,
	'GET /cluster/ha/resources/{sid}': haResource,
	'GET /cluster/ha/status/current': haStatus,
	'GET /cluster/ha/status/manager_status': managerStatus,
	'GET /cluster/replication': replication,
	'GET /nodes/{node}/replication': nodeReplication,
	'GET /cluster/ceph/status': ceph,
	'GET /pools': pools,
	'GET /pools/{poolid}': pool,
};
