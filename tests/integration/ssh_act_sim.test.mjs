// The simulated nodes as a whole: both keys of each sshd, and every operation of the control port that the SSH tools meet.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { startStack } from '../stack/stack.mjs';
import { makeBoundary, makeRequest, parseAnswer, runProgram, sshArgv } from './ssh_act_client.mjs';

const UNIT = 'smbd.service';
let stack;

function argvFor(node, key = 'act_key_file') {
	const { [key]: file, known_hosts: known, user, nodes } = stack.sshInfo;
	return sshArgv({ key: file, known, port: nodes[node].port, user });
}

async function ask(node, tool, params, options = {}) {
	const boundary = makeBoundary();
	const ran = await runProgram('ssh', argvFor(node), makeRequest(tool, params, { ...options, boundary }), options);
	return { ...parseAnswer(ran.stdout, boundary), ...ran };
}

const restarts = (node) => {
	const file = join(stack.sshInfo.nodes[node].act, 'calls');
	const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
	return lines.filter((line) => /^systemctl .*restart/.test(line)).length;
};
const show = async (node) => (await ask(node, 'service_status', { unit: UNIT })).out;

before(async () => {
	stack = await startStack({ services: ['thermal-collector'], sim: { life: 'off' } });
});
after(() => stack?.stop());
beforeEach(() => {
	for (const { act } of Object.values(stack.sshInfo.nodes)) rmSync(join(act, 'calls'), { force: true });
});

describe('simulated nodes', () => {
	test('each key runs its own command, and every node is itself', async () => {
		for (const name of Object.keys(stack.sshInfo.nodes)) {
			assert.match((await ask(name, 'ping_node')).out, new RegExp(`^host=${name}\n`));
		}
		const thermal = await runProgram('ssh', argvFor('pve', 'key_file'), makeRequest('ping_node', {}, { boundary: makeBoundary() }));
		assert.match(thermal.stdout.toString(), /^jarvis-thermal 1\n[^]*\nend\n$/);
	});

	test('a unit fails, is restarted, and heals or not; other nodes go on', async () => {
		await stack.ssh('unit', { node: 'Home', unit: UNIT, state: 'failed', heals: false });
		const logged = (await ask('Home', 'journal_tail', { unit: UNIT, lines: 2 })).out.trim().split('\n').map((line) => JSON.parse(line).MESSAGE);
		assert.deepEqual(logged, [`${UNIT}: Failed with result 'exit-code'.`, `${UNIT}: Main process exited, code=exited, status=1/FAILURE`]);
		assert.equal((await ask('Home', 'service_restart', { unit: UNIT })).value, 1);
		await stack.ssh('unit', { node: 'Home', unit: UNIT, heals: true });
		assert.match(await show('Home'), /^ActiveState=failed$/m);
		assert.equal((await ask('Home', 'service_restart', { unit: UNIT })).value, 0);
		assert.match(await show('Home'), /^ActiveState=active$/m);
		assert.match(await show('pve'), /^ActiveState=active$/m);
		assert.equal(restarts('Home'), 2);
		await stack.ssh('unit', { node: 'Home', unit: UNIT, state: 'activating' });
		assert.match(await show('Home'), /^SubState=auto-restart$/m);
		await stack.ssh('unit', { node: 'Home', unit: 'new.timer', state: 'inactive' });
		assert.doesNotMatch((await ask('Home', 'service_status', { unit: 'new.timer' })).out, /MainPID/);
	});

	test('a full disk, a loud log, a program that hangs', async () => {
		await stack.ssh('disk', { node: 'pve', target: '/var/log', percent: 100 });
		assert.match((await ask('pve', 'disk_usage')).out, /^ *(\d+) +\1 +0 .* \/var\/log$/m);
		await stack.ssh('log', { node: 'pve', unit: UNIT, message: 'again', count: 600, priority: 3 });
		const lines = (await ask('pve', 'journal_tail', { unit: UNIT, lines: 500 })).out.trim().split('\n');
		assert.deepEqual([lines.length, JSON.parse(lines[0]).PRIORITY], [500, '3']);
		await stack.ssh('program', { node: 'pve', program: 'df', does: 'hang' });
		assert.equal((await ask('pve', 'disk_usage', {}, { seconds: 1 })).outcome, 'timeout');
		await stack.ssh('program', { node: 'pve', program: 'df' });
		assert.equal((await ask('pve', 'disk_usage')).outcome, 'exit');
	});

	test('answers that are none: what was done was done once', async () => {
		for (const mode of ['cut', 'cut_before', 'no_trailer', 'replay', 'garbage']) {
			await stack.ssh('answers', { node: 'agent', mode });
			rmSync(join(stack.sshInfo.nodes.agent.act, 'calls'), { force: true });
			assert.equal((await ask('agent', 'service_restart', { unit: UNIT })).outcome, 'unknown');
			assert.ok(restarts('agent') <= 1, mode);
		}
		await stack.ssh('answers', { node: 'agent', mode: 'normal' });
		assert.equal((await ask('agent', 'service_restart', { unit: UNIT })).outcome, 'exit');
	});

	test('the control port says what it does not understand', async () => {
		for (const [op, fields] of [['unit', { unit: 'x' }], ['unit', { unit: UNIT, state: 'happy' }], ['disk', { target: '/x', percent: 1 }],
			['disk', { target: '/', percent: 101 }], ['program', { program: 'rm' }], ['answers', { mode: 'kindly' }], ['log', { unit: '../x.y' }],
			['web', { url: 'x' }], ['web', { url: 'https://a/', status: 1000 }], ['host', { host: 'a b', addresses: [] }], ['host', { host: 'a' }]]) {
			await assert.rejects(stack.ssh(op, { node: 'pve', ...fields }), /400 .*"ok":false/);
		}
	});
});
