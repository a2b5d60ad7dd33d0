// The executor on a real broker and the simulated Proxmox, with a played safety gate.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { start } from './executor_world.mjs';

describe('what was granted is done, once, and verified', () => {
	let w;

	before(async () => {
		w = await start();
	});
	after(() => w?.stop());

	test('a machine is started', async () => {
		await w.forget();
		const action = await w.act('guest_start', 109);
		const result = await w.gate.result(action);

		assert.equal(result.outcome, 'verified', result.detail);
		assert.match(result.upid, /^UPID:Home:.*:qmstart:109:jarvis@pve!control:$/);
		assert.equal((await w.truth()).guests[109].state, 'running');
		assert.equal((await w.effects()).length, 1);
	});
});
