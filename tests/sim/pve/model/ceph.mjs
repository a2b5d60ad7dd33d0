/** Ceph as the control port wants it: absent by default, as in most homelabs. */
const FSID = '6f1f3b8e-3d0a-4b4e-9c56-2e4f5a7d9b10';

const HEALTH = {
	ok: { status: 'HEALTH_OK', checks: {}, mutes: [] },
	warn: { status: 'HEALTH_WARN', mutes: [], checks: {
		OSD_DOWN: { severity: 'HEALTH_WARN', summary: { message: '1 osds down', count: 1 }, muted: false },
		PG_DEGRADED: { severity: 'HEALTH_WARN', muted: false, summary: { count: 33,
			message: 'Degraded data redundancy: 1201/36030 objects degraded (3.333%), 33 pgs degraded' } },
	} },
	err: { status: 'HEALTH_ERR', mutes: [], checks: {
		OSD_FULL: { severity: 'HEALTH_ERR', summary: { message: '1 full osd(s)', count: 1 }, muted: false },
	} },
};

export const CEPH_STATES = ['absent', 'uninitialized', ...Object.keys(HEALTH)];
export const CEPH_RELEASES = ['quincy', 'reef', 'squid'];

/** What /cluster/ceph/status answers on a node: the status, or the text of an error. */
export function cephStatus(sim, node) {
	const ceph = sim.ceph ?? { state: 'absent' };
	if (ceph.state === 'absent' || (ceph.nodes && !ceph.nodes.includes(node.name))) {
		return 'binary not installed: /usr/bin/ceph-mon';
	}
	if (ceph.state === 'uninitialized') {
		return 'pveceph configuration not initialized - missing \'/etc/pve/ceph.conf\', missing ' +
			'\'/etc/pve/ceph\'';
	}
	return status(ceph, [...sim.cluster.nodes.keys()].slice(0, 3));
}

function status({ state, release }, names) {
	const squid = release === 'squid';
	const hurt = state === 'warn';
	const clean = hurt ? 96 : 129;
	return {
		fsid: FSID, health: HEALTH[state], election_epoch: 24, quorum: names.map((_, i) => i),
		quorum_names: names, quorum_age: 86400,
		monmap: { epoch: 3, min_mon_release_name: release, num_mons: names.length,
			...(squid ? {} : { mons: names.map((name, rank) => ({ rank, name })) }) },
		osdmap: { epoch: 311, num_osds: 6, num_up_osds: hurt ? 5 : 6, osd_up_since: 1, num_in_osds: 6,
			osd_in_since: 1, num_remapped_pgs: 0 },
		pgmap: {
			pgs_by_state: [{ state_name: 'active+clean', count: clean - 1 },
				{ state_name: 'active+clean+scrubbing', count: 1 },
				...(hurt ? [{ state_name: 'active+undersized+degraded', count: 33 }] : [])],
			num_pgs: 129, num_pools: 2, num_objects: 12010, data_bytes: 48e9, bytes_used: 144e9,
			bytes_avail: 11856e9, bytes_total: 12e12,
			...(hurt ? { degraded_objects: 1201, degraded_total: 36030, degraded_ratio: 1201 / 36030 } : {}),
		},
		fsmap: { epoch: 1, by_rank: [], 'up:standby': 0 },
		mgrmap: { available: true, num_standbys: 2, modules: ['iostat', 'nfs'], services: {},
			...(squid ? {} : { active_name: names[0], active_addr: '192.168.1.50:6800/1' }) },
		servicemap: { epoch: 9, services: {} }, progress_events: {},
	};
}
