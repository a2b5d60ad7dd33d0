/** High availability: what the manager would show, and what it does when a node dies. */

/** @returns {string | undefined} the state shown beside a guest */
export function guestHaState(cluster, guest) {
	if (!guest.ha) {
		return undefined;
	}
	if (guest.ha.fencing) {
		return 'fence';
	}
	return guest.ha.error ? 'error' : guest.ha.transition ?? guest.ha.state;
}

/** @returns {string | undefined} only clusters with managed guests show it */
export function nodeHaState(cluster, viewer, node) {
	if (cluster.standalone || !hasManaged(cluster)) {
		return undefined;
	}
	return cluster.online(viewer, node) ? 'online' : 'unknown';
}

export function hasManaged(cluster) {
	for (const guest of cluster.guests.values()) {
		if (guest.ha) {
			return true;
		}
	}
	return false;
}

/** @returns {string} `vm:100` or `ct:101` */
export const sidOf = (guest) => `${guest.type === 'qemu' ? 'vm' : 'ct'}:${guest.vmid}`;
