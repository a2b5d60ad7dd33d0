/** The rows of /nodes and /cluster/resources, made from what was last broadcast. */

/** A node as another node sees it. @param {boolean} stats the asker may audit the node */
export function nodeRow(cluster, viewer, node, stats) {
	const kv = cluster.nodeKv(viewer, node, 'node');
	const online = cluster.online(viewer, node);
	const row = {
		id: `node/${node.name}`, node: node.name, type: 'node',
		status: !online ? 'offline' : kv ? 'online' : 'unknown',
	};
	if (!kv) {
		return row;
	}
	row.level = '';
	if (stats) {
		Object.assign(row, { maxcpu: kv.row.maxcpu, maxmem: kv.row.maxmem, maxdisk: kv.row.maxdisk });
		if (online) {
			Object.assign(row, { uptime: kv.row.uptime, cpu: kv.row.cpu, mem: kv.row.mem,
				disk: kv.row.disk });
		}
	}
	return row;
}

/** A guest in /cluster/resources; what comes from its configuration is always there. */
export function guestRow(cluster, viewer, guest, haState) {
	const row = {
		id: `${guest.type}/${guest.vmid}`, vmid: guest.vmid, node: guest.node, type: guest.type,
		status: 'unknown', lock: guest.lock ?? undefined, tags: guest.tags || undefined,
		pool: guest.pool ?? undefined, hastate: haState,
	};
	const kv = cluster.guestKv(viewer, guest.vmid);
	if (!kv) {
		return row;
	}
	const v = kv.row;
	Object.assign(row, {
		status: v.status, name: v.name, template: v.template, uptime: v.uptime, maxcpu: v.maxcpu,
		cpu: v.cpu, maxmem: v.maxmem, mem: v.mem, maxdisk: v.maxdisk, disk: v.disk,
		netin: v.netin, netout: v.netout, diskread: v.diskread, diskwrite: v.diskwrite,
	});
	if (viewer.pve.major >= 9 && kv.major >= 9) {
		row.memhost = v.memhost;
	}
	return row;
}

/** A storage on a node. */
export function storageRow(cluster, viewer, node, storage) {
	const row = {
		id: `storage/${node.name}/${storage.id}`, storage: storage.id, node: node.name,
		type: 'storage', plugintype: storage.type, content: storage.content,
		shared: storage.shared, status: 'unknown',
	};
	const v = cluster.nodeKv(viewer, node, 'storages')?.rows.get(storage.id);
	if (v?.active) {
		Object.assign(row, { status: 'available', disk: v.used, maxdisk: v.total });
	}
	return row;
}

/** A pool, with the sums of its running members. */
export function poolRow(cluster, viewer, pool) {
	const row = { id: `/pool/${pool.poolid}`, pool: pool.poolid, type: 'pool' };
	const running = [...cluster.guests.values()]
		.filter((guest) => guest.pool === pool.poolid)
		.map((guest) => cluster.guestKv(viewer, guest.vmid)?.row)
		.filter((v) => v && v.status === 'running');
	if (running.length > 0) {
		const sum = (pick) => running.reduce((total, v) => total + pick(v), 0);
		const maxcpu = sum((v) => v.maxcpu);
		Object.assign(row, {
			uptime: Math.max(...running.map((v) => v.uptime)), mem: sum((v) => v.mem),
			maxmem: sum((v) => v.maxmem), maxcpu, cpu: sum((v) => v.cpu * v.maxcpu) / maxcpu,
		});
	}
	return row;
}

/** Software defined network zones: named differently before and after 9.1. */
export function networkRow(viewer, node, zone = 'localnetwork') {
	return viewer.pve.networkRows ? {
		id: `network/${node.name}/zone/${zone}`, network: zone, 'network-type': 'zone',
		node: node.name, type: 'network', status: 'ok', 'zone-type': 'localnetwork',
	} : {
		id: `sdn/${node.name}/${zone}`, sdn: zone, node: node.name, type: 'sdn', status: 'ok',
	};
}
