// What the executor does on the nodes themselves: the real command behind the forced command of real sshds, and every
// way in which an answer can be none. What was begun is never begun twice.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { start } from './executor_world.mjs';
import { eventually } from './gateway_client.mjs';

const UNIT = 'smbd.service';

describe('on the nodes', () => {
	let w;
	const calls = (node) => join(w.stack.sshInfo.nodes[node].act, 'calls');
	const restarts = (node) => {
		const lines = existsSync(calls(node)) ? readFileSync(calls(node), 'utf8').split('\n') : [];
		return lines.filter((line) => /^systemctl .*restart/.test(line)).length;
	};
	const ask = async (tool, node, args) => {
		const target = { object: `home/node/${node}`, node, status: 'online' };
		return w.gate.result(await w.gate.approve(tool, { cluster: 'home', node, ...args }, target), 0, 90_000);
	};
	const restart = (node) => ask('service_restart', node, { unit: UNIT });

	before(async () => {
		w = await start({ ssh: true });
	});
	after(() => w?.stop());
	beforeEach(() => {
		for (const node of Object.keys(w.stack.sshInfo.nodes)) rmSync(calls(node), { force: true });
	});

	test('a unit is looked at', async () => {
		const result = await ask('service_status', 'Home', { unit: UNIT });
		assert.equal(result.outcome, 'verified', result.detail);
		assert.equal(result.content.Id, UNIT);
		assert.equal(result.content.ActiveState, 'active');
	});

	test('a node, its disks and its journals are looked at', async () => {
		const node = await ask('ping_node', 'pve', {});
		assert.equal(node.content.host, 'pve', node.detail);
		const disks = (await ask('disk_usage', 'pve', {})).content.items;
		assert.deepEqual(disks.map((d) => d.mount), ['/', '/boot/efi', '/var/log', '/mnt/my files']);
		assert.ok(disks.every((d) => d.used <= d.total && d.available <= d.total && d.inodes !== undefined));
		await w.stack.ssh('log', { node: 'pve', unit: UNIT, message: 'first', priority: 3 });
		await w.stack.ssh('log', { node: 'pve', unit: UNIT, message: [72, 105, 255] });
		await w.stack.ssh('log', { node: 'pve', unit: UNIT, message: null });
		const { lines } = (await ask('journal_tail', 'pve', { unit: UNIT, lines: 3 })).content;
		assert.deepEqual(lines.map((l) => l.message), [null, 'Hi\ufffd', 'first']);
		assert.deepEqual([lines[2].priority, lines[2].identifier, lines[2].pid], [3, 'smbd', 4711]);
		assert.ok(Math.abs(lines[2].ts - Date.now()) < 60_000);
		assert.ok((await ask('journal_tail', 'pve', { unit: UNIT })).content.lines.length > 3);
	});

	test('more than fits is left off, and a program that hangs is ended', async () => {
		await w.stack.ssh('log', { node: 'agent1', unit: UNIT, message: 'x'.repeat(2000), count: 500 });
		const journal = await ask('journal_tail', 'agent1', { unit: UNIT, lines: 500 });
		assert.equal(journal.outcome, 'verified', journal.detail);
		assert.match(journal.detail, /too long/);
		await w.stack.ssh('program', { node: 'agent1', program: 'systemctl', does: 'crash' });
		const crashed = await ask('service_status', 'agent1', { unit: UNIT });
		assert.equal(crashed.outcome, 'failed');
		assert.match(crashed.detail, /signal 11/);
		await w.stack.ssh('program', { node: 'agent1', program: 'systemctl' });
	});

	test('a unit is stopped, and a command of the catalogue is run', async () => {
		const stopped = await ask('service_stop', 'agent1', { unit: UNIT });
		assert.equal(stopped.outcome, 'verified', stopped.detail);
		assert.match(stopped.detail, /the unit is inactive/);
		assert.equal((await restart('agent1')).outcome, 'verified');
		const scrub = await ask('run_command', 'Home', { command_id: 'zpool_scrub', params: { pool: 'tank' } });
		assert.equal(scrub.outcome, 'verified', scrub.detail);
		assert.match(readFileSync(calls('Home'), 'utf8'), /^zpool .*scrub tank$/m);
		const reach = await ask('run_command', 'Home', { command_id: 'reach', params: { count: '2', host: 'pve' } });
		assert.equal(reach.outcome, 'verified', reach.detail);
		assert.ok(reach.content.lines.length > 0);
		const wrong = await ask('run_command', 'Home', { command_id: 'zpool_scrub', params: { pool: 'lake' } });
		assert.equal(wrong.outcome, 'failed');
		assert.match(wrong.detail, /Nothing was done: the node refused it: /);
		await w.stack.ssh('answers', { node: 'Home', mode: 'cut_before', tool: 'run_command' });
		rmSync(calls('Home'), { force: true });
		const cut = await ask('run_command', 'Home', { command_id: 'exports_reload' });
		assert.equal(cut.outcome, 'unknown');
		// Nobody waits for the program any more: it may come to its record after we heard that the answer is cut.
		const ran = () => (existsSync(calls('Home')) && readFileSync(calls('Home'), 'utf8').match(/^exportfs /gm)) || [];
		await eventually(() => ran().length > 0, 10_000, 'the command runs');
		assert.equal(ran().length, 1);
		await w.stack.ssh('answers', { node: 'Home', mode: 'normal' });
	});

	test('a path and a URL: what the node finds when it looks', async () => {
		const usage = (folder) => ask('run_command', 'Home', { command_id: 'folder_usage', params: { folder } });
		const check = (url) => ask('run_command', 'Home', { command_id: 'archive_check', params: { url } });
		const log = await usage('/var/log');
		assert.equal(log.outcome, 'verified', log.detail);
		assert.ok(log.content.lines.some((line) => /^\d+\t\.\/journal$/.test(line)), JSON.stringify(log.content));
		assert.equal((await usage('/srv/share/my files')).outcome, 'verified');
		assert.equal((await usage('/srv/share/films')).outcome, 'verified');
		assert.match(readFileSync(calls('Home'), 'utf8'), /^du -x -B1 --max-depth=1 -- \.$/m);
		rmSync(calls('Home'));
		// The gate's word alone does not do: here it says yes to everything.
		for (const [folder, why] of [['/srv/share/escape', /a link leads out/], ['/srv/share/nothing', /No such file/], ['/srv/share2', /it is not/],
			['/srv/share/../../etc', /usual form/], ['/etc', /it is not/], ['/srv/share/movies/a.mkv', /something else/]]) {
			const result = await usage(folder);
			assert.equal(result.outcome, 'failed', folder);
			assert.match(result.detail, /Nothing was done: the node refused it: folder: .*; must be a folder in or below/);
			assert.match(result.detail, why);
		}
		const good = await check('https://deb.debian.org/debian/');
		assert.equal(good.outcome, 'verified', good.detail);
		await w.stack.ssh('web', { node: 'Home', url: 'https://deb.debian.org/none', status: 404 });
		const none = await check('https://deb.debian.org/none');
		assert.deepEqual([none.outcome, /status 8: .*broken link/.test(none.detail)], ['failed', true], none.detail);
		rmSync(calls('Home'));
		await w.stack.ssh('host', { node: 'Home', host: 'deb.debian.org', addresses: ['151.101.2.132', '169.254.169.254'] });
		for (const [url, why] of [['https://deb.debian.org/', /is 169\.254\.169\.254, which is of this machine, this link or its metadata/],
			['https://169.254.169.254/', /host is of this machine/], ['https://evil.example/', /it is not/], ['https://deb.debian.org@evil.example/', /usual form/]]) {
			const result = await check(url);
			assert.equal(result.outcome, 'failed', url);
			assert.match(result.detail, why);
		}
		assert.equal(existsSync(calls('Home')), false);
		await w.stack.ssh('host', { node: 'Home', host: 'deb.debian.org', addresses: ['151.101.2.132'] });
	});

	test('a unit is restarted once, and that is verified', async () => {
		const result = await restart('Home');
		assert.equal(result.outcome, 'verified', result.detail);
		assert.equal(restarts('Home'), 1);
	});

	test('one that does not come back is no success', async () => {
		await w.stack.ssh('unit', { node: 'Home', unit: UNIT, state: 'failed', heals: false });
		const result = await restart('Home');
		assert.equal(result.outcome, 'failed', result.detail);
		assert.match(result.detail, /status 1.*the unit is failed/);
		await w.stack.ssh('unit', { node: 'Home', unit: UNIT, heals: true });
		assert.equal((await restart('Home')).outcome, 'verified');
	});

	test('what the node does not list, or does not know, is not done', async () => {
		const unlisted = await ask('service_restart', 'Home', { unit: 'ssh.service' });
		assert.equal(unlisted.outcome, 'failed');
		assert.match(unlisted.detail, /Nothing was done: /);
		const unknown = await ask('service_restart', 'Home', { unit: 'nothing.service' });
		assert.match(unknown.detail, /Nothing was done: nothing\.service is not-found on Home/);
		assert.equal(restarts('Home'), 0);
	});

	test('no answer before anything was done: nothing is', async () => {
		await w.stack.ssh('answers', { node: 'pve', mode: 'cut' });
		const result = await restart('pve');
		assert.equal(result.outcome, 'failed');
		assert.match(result.detail, /Nothing was done: it could not be looked at first/);
		assert.equal(restarts('pve'), 0);
		await w.stack.ssh('answers', { node: 'pve', mode: 'normal' });
	});

	test('an answer that is none: the unit says what became of it, and it is asked for once', async () => {
		for (const mode of ['cut', 'cut_before', 'no_trailer', 'replay', 'garbage']) {
			rmSync(calls('pve'), { force: true });
			await w.stack.ssh('answers', { node: 'pve', mode, tool: 'service_restart' });
			const result = await restart('pve');
			assert.equal(result.outcome, 'verified', `${mode}: ${result.detail}`);
			assert.match(result.detail, /Its own answer was: /);
			assert.equal(restarts('pve'), 1, mode);
		}
		rmSync(calls('pve'), { force: true });
		await w.stack.ssh('answers', { node: 'pve', mode: 'refused', tool: 'service_restart' });
		const result = await restart('pve');
		assert.equal(result.outcome, 'unknown');
		assert.match(result.detail, /not known what became of it.*active \(running\), and has been so since before\. It is not tried again/);
		assert.equal(restarts('pve'), 0);
		await w.stack.ssh('answers', { node: 'pve', mode: 'noise' });
		assert.equal((await restart('pve')).outcome, 'verified');
	});

	test('killed with the request out: it looks at the unit, says what it saw, and does not ask again', async () => {
		const { act } = w.stack.sshInfo.nodes.agent;
		const asked = () => readdirSync(act).some((file) => file.startsWith('request.') &&
			readFileSync(join(act, file)).includes('service_restart'));
		await w.stack.ssh('answers', { node: 'agent', mode: 'silent', tool: 'service_restart' });
		const target = { object: 'home/node/agent', node: 'agent', status: 'online' };
		const action = await w.gate.approve('service_restart', { cluster: 'home', node: 'agent', unit: UNIT }, target);
		while (!asked()) await sleep(50);
		await w.stack.kill('executor');
		await w.stack.ssh('answers', { node: 'agent', mode: 'normal' });
		await w.stack.start('executor');
		const result = await w.gate.result(action, 0, 60_000);
		assert.equal(result.outcome, 'unknown', result.detail);
		assert.match(result.detail, /restarted meanwhile.*has been so since before/);
		assert.equal(restarts('agent'), 0);
	});

	test('a node that is gone: nothing is done; the connection is made anew when it is back', async () => {
		await w.stack.ssh('down', { node: 'agent' });
		const gone = await restart('agent');
		assert.equal(gone.outcome, 'failed');
		assert.match(gone.detail, /Nothing was done: /);
		await w.stack.ssh('up', { node: 'agent' });
		assert.equal((await restart('agent')).outcome, 'verified');
		assert.equal(restarts('agent'), 1);
	});
});
