/** What is true in the simulated world, as opposed to what its API says. */
import { guestsOfJob } from '../model/backup.mjs';
import { disksOf } from '../model/hardware.mjs';
import { updatesOf } from '../model/packages.mjs';
import { measureNodeNow } from '../model/sample.mjs';
import { zpoolsOf } from '../model/zpools.mjs';

/** @returns {object} the answer of GET /state */
export function describeState(sim) {
	const { cluster } = sim;
	return {
		now: sim.clock.now(), cluster: cluster.name, standalone: cluster.standalone,
		partitioned: cluster.groups !== null,
		nodes: Object.fromEntries([...cluster.nodes.values()].map((n) => [n.name, nodeState(sim, n)])),
		guests: Object.fromEntries([...cluster.guests.values()].map((g) => [g.vmid, guestState(g)])),
		storages: Object.fromEntries([...cluster.storages.values()].map((s) =>
			[s.id, { type: s.type, nodes: s.nodes, full: s.forcedFull, backups: backupsOn(s) }])),
		backup_jobs: cluster.backupJobs.map((job) => ({ id: job.id, enabled: Boolean(job.enabled),
			guests: guestsOfJob(cluster, job).map((g) => g.vmid) })),
		tokens: Object.fromEntries([...sim.accounts.tokens.values()].map((t) =>
			[t.id, { revoked: t.revoked, expire: t.expire, acl: t.acl }])),
		running_tasks: [...cluster.nodes.keys()].flatMap((name) =>
			sim.tasks.runningOn(name).map((task) => task.upid)),
		counters: sim.journal.counters,
	};
}

/** When the backups of each guest were begun, oldest first. */
function backupsOn(storage) {
	const by = {};
	for (const { content, vmid, ctime } of storage.volumes) {
		if (content === 'backup') {
			(by[vmid] ??= []).push(ctime);
		}
	}
	Object.values(by).forEach((times) => times.sort((a, b) => a - b));
	return by;
}

function nodeState(sim, node) {
	return {
		alive: node.alive, endpoint: node.endpoint.state, slow_ms: node.endpoint.slowMs,
		pve: node.pve.version, votes: node.votes, quorate: sim.cluster.quorate(node),
		statd_stuck: node.statdStuck, hung_storages: [...node.hungStorages.keys()],
		disks: disksOf(node).map((disk) => ({ ...disk,
			smart_reads: node.smartReads?.[disk.devpath] ?? 0 })),
		pools: zpoolsOf(node), updates: updatesOf(node).map((row) => row.Package),
		celsius: node.celsius, cpu: node.alive ? measureNodeNow(sim.cluster, node).cpu : 0, wol_sent: node.wolSent ?? 0, mac: node.mac,
		guests: sim.cluster.guestsOn(node.name).map((g) => g.vmid),
	};
}

function guestState(g) {
	return {
		type: g.type, name: g.name, node: g.node, state: g.state, lock: g.lock, tags: g.tags,
		template: g.template, ha: g.ha?.state ?? null, forced_cpu: g.forcedCpu,
		generation: g.generation, started_at: g.startedAt, snapshots: g.snapshots.map((s) => s.name),
	};
}
