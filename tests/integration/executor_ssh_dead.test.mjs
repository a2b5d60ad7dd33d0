// Nodes that take a connection and then say nothing: whoever waits for them delays nobody else.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { start } from './executor_world.mjs';

/** More than libuv has threads of itself. */
const NODES = 7;

test('six nodes hang in the login, and the seventh is asked meanwhile', async () => {
	const w = await start({ ssh: true, sim: { nodes: NODES, guests: 7 } });
	try {
		const { cluster, nodes } = w.stack.simInfo;
		const names = Object.keys(nodes);
		assert.equal(names.length, NODES);
		const ask = async (node) => {
			const target = { object: `${cluster}/node/${node}`, node, status: 'online' };
			return w.gate.result(await w.gate.approve('ping_node', { cluster, node }, target), 0, 90_000);
		};
		const alive = names.pop();
		for (const node of names) await w.stack.ssh('freeze', { node });
		const over = [];
		const asked = [...names, alive].map(async (node) => {
			const { outcome, detail } = await ask(node);
			over.push({ node, outcome, detail });
		});
		await Promise.all(asked);
		assert.deepEqual([over[0].node, over[0].outcome], [alive, 'verified'], JSON.stringify(over));
		for (const { outcome, detail } of over.slice(1)) {
			assert.equal(outcome, 'failed');
			assert.match(detail, /did not finish the SSH handshake within \d+ ms/);
		}
	} finally {
		await w.stop();
	}
});
