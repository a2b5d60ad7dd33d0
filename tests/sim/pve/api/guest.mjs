import { die } from './errors.mjs';

const DIRS = { qemu: 'qemu-server', lxc: 'lxc' };

/**
 * The guest of the path, if its configuration is on this node and of this kind.
 * @param {{sim: object, node: object, params: {vmid: number}}} ctx
 * @param {'qemu' | 'lxc'} type
 */
export function guestHere({ sim, node, params }, type) {
	const guest = sim.cluster.guests.get(params.vmid);
	if (!guest || guest.type !== type || guest.node !== node.name) {
		die(`Configuration file 'nodes/${node.name}/${DIRS[type]}/${params.vmid}.conf' does not exist`);
	}
	return guest;
}
