// What the SSH tools live on changes, or is wrong: the key, the host keys, the executor itself, killed in each phase of a
// change. What may have been begun is never begun again.
import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { makeKey } from '../sim/ssh/sshd.mjs';
import { start } from './executor_world.mjs';
import { eventually } from './gateway_client.mjs';
import { Relay } from './ssh_relay.mjs';

const UNIT = 'smbd.service';

let w;
let relay;

const act = (node) => w.stack.sshInfo.nodes[node].act;
const ran = (node, what) => {
	const calls = join(act(node), 'calls');
	return existsSync(calls) ? readFileSync(calls, 'utf8').split('\n').filter((line) => what.test(line)).length : 0;
};
const approve = (tool, node, args = {}) => w.gate.approve(tool, { cluster: 'home', node, ...args },
	{ object: `home/node/${node}`, node, status: 'online' });
const ask = async (tool, node, args) => w.gate.result(await approve(tool, node, args), 0, 60_000);
const reload = () => w.stack.process('executor').signal('SIGHUP');
const keyFile = () => join(w.stack.data, 'secrets/executor/ssh-key');
/** Until the node answers as it should, or does not in the way that is said: what was signalled takes a moment. */
const pings = (node, { says = null } = {}) => eventually(async () => {
	const { outcome, detail } = await ask('ping_node', node);
	return says ? outcome === 'failed' && says.test(detail) : outcome === 'verified';
}, 10_000, says ? `${node} fails: ${says}` : `${node} answers`);

before(async () => {
	relay = await Relay.open();
	w = await start({ ssh: true, change: (config) => {
		config.clusters.home.nodes.agent.ssh_port = relay.port;
		config.clusters.home.thermal = undefined;
	} });
	relay.target = w.stack.sshInfo.nodes.agent.port;
	trust('agent', relay.port);
});
after(async () => {
	await w?.stop();
	await relay?.close();
});
beforeEach(() => {
	for (const node of Object.keys(w.stack.sshInfo.nodes)) rmSync(join(act(node), 'calls'), { force: true });
});

/** The only line of known_hosts for this node, as its sshd is now; without `port` there is none. */
function trust(node, port) {
	const { known_hosts: file, nodes } = w.stack.sshInfo;
	const key = readFileSync(join(nodes[node].dir, 'host_key.pub'), 'utf8').split(' ').slice(0, 2).join(' ');
	const others = readFileSync(file, 'utf8').split('\n').filter((line) => line && !line.startsWith(`[127.0.0.1]:${port ?? nodes[node].port} `));
	writeFileSync(file, [...others, ...(port ? [`[127.0.0.1]:${port} ${key}`] : []), ''].join('\n'));
}

describe('keys', () => {
	test('ours is replaced: a kept connection goes on, and is made anew when it is told', async () => {
		await pings('Home');
		makeKey(w.stack.sshInfo.act_key_file);
		// The node takes the new key alone, and cuts what it has: the old one is refused.
		await w.stack.ssh('answers', { node: 'Home', mode: 'normal' });
		await pings('Home', { says: /refuses the key of user .*authorized_keys/ });
		const old = readFileSync(keyFile());
		writeFileSync(keyFile(), readFileSync(w.stack.sshInfo.act_key_file));
		reload();
		await pings('Home');
		// The other nodes have the old one yet.
		await pings('agent1', { says: /refuses the key/ });
		writeFileSync(keyFile(), old);
		reload();
		await pings('agent1');
		await w.stack.ssh('answers', { node: 'agent1', mode: 'normal' });
		writeFileSync(keyFile(), readFileSync(w.stack.sshInfo.act_key_file));
		for (const node of ['pve', 'agent']) await w.stack.ssh('answers', { node, mode: 'normal' });
		reload();
		for (const node of ['Home', 'pve', 'agent1', 'agent']) await pings(node);
	});

	test('ours lies open, or is missing: nothing is done, and it says how that is mended', async () => {
		const restart = () => ask('service_restart', 'pve', { unit: UNIT });
		chmodSync(keyFile(), 0o644);
		reload();
		await pings('pve', { says: /ssh-key.*chmod/ });
		assert.match((await restart()).detail, /^Nothing was done: .*chmod/);
		chmodSync(keyFile(), 0o600);
		assert.equal((await restart()).outcome, 'verified');
		const key = readFileSync(keyFile());
		rmSync(keyFile());
		reload();
		await pings('pve', { says: /executor\/ssh-key/ });
		writeFileSync(keyFile(), key, { mode: 0o600 });
		assert.equal((await restart()).outcome, 'verified');
	});

	test('the node has another host key: it is not logged in to until somebody has compared them', async () => {
		await w.stack.ssh('rekey', { node: 'pve' });
		await pings('pve', { says: /shows the host key SHA256:.*has another/ });
		assert.match((await ask('run_command', 'pve', { command_id: 'exports_reload' })).detail, /^Nothing was done: .*has another/);
		assert.equal(ran('pve', /./), 0);
		trust('pve', w.stack.sshInfo.nodes.pve.port);
		reload();
		await pings('pve');
	});

	test('the node is not in known_hosts any more: its connection ends with the reload', async () => {
		await pings('pve');
		trust('pve');
		reload();
		await pings('pve', { says: /unknown to .*ssh-keygen -lf/ });
		trust('pve', w.stack.sshInfo.nodes.pve.port);
		await pings('pve');
	});
});

describe('killed', () => {
	const killAndRevive = async (between = () => {}) => {
		await w.stack.kill('executor');
		await between();
		await w.stack.start('executor');
	};
	const normal = (node) => w.stack.ssh('answers', { node, mode: 'normal' });

	test('while it looks: nothing was done', async () => {
		await w.stack.ssh('answers', { node: 'pve', mode: 'silent', tool: 'service_status' });
		const asked = () => readdirSync(act('pve')).some((name) => name.startsWith('request.') &&
			readFileSync(join(act('pve'), name)).includes('service_status'));
		const action = await approve('service_restart', 'pve', { unit: UNIT });
		await eventually(asked, 10_000, 'the unit is looked at');
		await killAndRevive(() => normal('pve'));
		const result = await w.gate.result(action, 0, 60_000);
		assert.equal(result.outcome, 'failed');
		assert.match(result.detail, /^Nothing was done: the executor was restarted/);
		assert.equal(ran('pve', /restart/), 0);
	});

	test('when it had journaled, and the login hung: unknown, and it is not sent afterwards', async () => {
		relay.hold();
		relay.reset();
		const made = relay.connections;
		const action = await approve('run_command', 'agent', { command_id: 'exports_reload' });
		await eventually(() => relay.connections > made, 10_000, 'it connects');
		await killAndRevive(() => relay.calm());
		const result = await w.gate.result(action, 0, 60_000);
		assert.equal(result.outcome, 'unknown');
		assert.match(result.detail, /restarted meanwhile. It is not tried again/);
		await pings('agent');
		assert.equal(ran('agent', /^exportfs/), 0);
	});

	test('when it had been sent, and was being done: unknown, and it is done once', async () => {
		await w.stack.ssh('program', { node: 'agent', program: 'exportfs', does: 'hang' });
		const action = await approve('run_command', 'agent', { command_id: 'exports_reload' });
		await eventually(() => ran('agent', /^exportfs/) > 0, 10_000, 'it is being done');
		await killAndRevive();
		const result = await w.gate.result(action, 0, 60_000);
		assert.equal(result.outcome, 'unknown');
		assert.equal(ran('agent', /^exportfs/), 1);
		await w.stack.ssh('program', { node: 'agent', program: 'exportfs' });
		assert.equal((await ask('run_command', 'agent', { command_id: 'exports_reload' })).outcome, 'verified');
		assert.equal(ran('agent', /^exportfs/), 2);
	});

	test('while it verified: it is not restarted again, whatever it looks like', async () => {
		await w.stack.ssh('unit', { node: 'pve', unit: UNIT, heals: false });
		const action = await approve('service_restart', 'pve', { unit: UNIT });
		await eventually(() => ran('pve', /restart/) > 0, 10_000, 'it is restarted');
		await killAndRevive(() => w.stack.ssh('unit', { node: 'pve', unit: UNIT, state: 'active', heals: true }));
		await w.gate.result(action, 0, 60_000);
		await pings('pve');
		assert.equal(ran('pve', /^systemctl .*restart/), 1);
	});
});
