/**
 * The hop between nodes. Everything runs in one process here, so the hop is only its rules: who
 * answers, and the 595 and 596 that a broken path gives.
 */
import { PathError, die } from './errors.mjs';

/** How long a dead host's address takes to be given up, as a share of the proxy timeout. */
const NO_ROUTE_SHARE = 0.1;

/**
 * @param {object} sim @param {object} entry @param {object} row of the schema
 * @param {string | undefined} name the node of the path
 * @returns {Promise<object>} the node on which the call runs
 */
export async function reach(sim, entry, row, name) {
	const target = row.proxy && name !== 'localhost' ? await proxied(sim, entry, name) : entry;
	if (row.prot && target.stuckWorkers >= 3) {
		await timeOut(sim); // all three workers hang in a dead storage
	}
	return target;
}

async function proxied(sim, entry, name) {
	const node = sim.cluster.nodes.get(name);
	if (!node) {
		die(`hostname lookup '${name}' failed - failed to get address info for: ${name}: ` +
			'Name or service not known');
	}
	if (node === entry) {
		return node;
	}
	if (!node.alive) {
		await sim.sleep(sim.options.proxyTimeout * NO_ROUTE_SHARE);
		throw new PathError(595, 'No route to host');
	}
	const { state, slowMs } = node.endpoint;
	if (state === 'down') {
		throw new PathError(595, 'Connection refused');
	}
	if (state === 'hung') {
		await timeOut(sim);
	}
	if (slowMs > 0) {
		await sim.sleep(Math.min(slowMs, sim.options.proxyTimeout));
		if (slowMs >= sim.options.proxyTimeout) {
			throw new PathError(596, 'Connection timed out');
		}
	}
	return node;
}

/** The other side took the connection and says nothing. */
export async function timeOut(sim) {
	await sim.sleep(sim.options.proxyTimeout);
	throw new PathError(596, 'Connection timed out');
}

/** A storage that does not answer: the call's worker hangs with it. */
export async function waitForStorages(sim, node, wanted) {
	for (const [id, hang] of node.hungStorages) {
		if (wanted && wanted !== id) {
			continue;
		}
		if (hang.workers) {
			node.stuckWorkers++;
		}
		if (hang.seconds !== null && hang.seconds * 1000 < sim.options.proxyTimeout) {
			await sim.sleep(hang.seconds * 1000);
		} else {
			await timeOut(sim);
		}
	}
}
