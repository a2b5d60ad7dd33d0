// The whole path to the nodes themselves: from REST through the gate's lists to the command behind a real sshd, and what
// the lists of jarvis.yaml do not name.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { start } from './actions_world.mjs';

const UNIT = 'smbd.service';

describe('on the nodes, by the whole path', () => {
	let w;
	const called = (program) => {
		const file = join(w.stack.sshInfo.nodes.Home.act, 'calls');
		const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
		return lines.filter((line) => line.startsWith(`${program} `) && !/ show /.test(line)).length;
	};

	before(async () => {
		// The example protects the node with the shares: all there is a tier higher.
		const change = (config) => (config.protected.nodes = []);
		w = await start({ services: ['proxmox-poller', 'thermal-collector', 'safety-gate', 'executor', 'gateway'], change });
	});
	after(() => w?.stop());

	test('reads are answered at once, for any unit', async () => {
		const { status, body } = await w.execute('service_status', { node: 'home', unit: 'ssh.service' });
		assert.equal(status, 200, JSON.stringify(body));
		assert.match(JSON.stringify(body), /"Id":"ssh\.service"/);
	});

	test('a listed unit is restarted at once for a person, and once', async () => {
		const { status, body } = await w.execute('service_restart', { node: 'Home', unit: UNIT }, { wait_s: 30 });
		assert.equal(status, 200, JSON.stringify(body));
		assert.equal((await w.over(body.id)).status, 'verified');
		assert.equal(called('systemctl'), 1);
	});

	test('what is not listed is refused to everybody, in words that say where to list it', async () => {
		for (const [tool, args, words] of [['service_restart', { unit: 'ssh.service' }, /services of jarvis\.yaml for home\/Home/],
			['service_stop', { unit: 'pveproxy.service' }, /services of jarvis\.yaml/],
			['run_command', { command_id: 'sh' }, /commands of jarvis\.yaml lists no sh/],
			['run_command', { command_id: 'zpool_scrub', params: { pool: 'lake' } }, /commands\.zpool_scrub\.params/]]) {
			const { status, body } = await w.execute(tool, { node: 'Home', ...args });
			assert.equal(status, 403, JSON.stringify(body));
			assert.match(JSON.stringify(body), words);
		}
		assert.equal(called('systemctl'), 1);
		assert.equal(called('zpool'), 0);
	});

	test('a command waits for the keyword, with its parameters in what is approved', async () => {
		const { status, body } = await w.execute('run_command', { node: 'Home', command_id: 'zpool_scrub', params: { pool: 'tank' } });
		assert.equal(status, 202, JSON.stringify(body));
		const action = await w.seen(body.id);
		assert.match(action.shown, /"params":\{"pool":"tank"\}/);
		assert.equal(called('zpool'), 0);
		const answer = await w.decide(body.id, 'approve', { digest: body.digest, keyword: w.keyword });
		assert.equal(answer.status, 200, JSON.stringify(answer.body));
		assert.equal((await w.over(body.id)).status, 'verified');
		assert.equal(called('zpool'), 1);
	});

	test('a path and a URL: by the lists of jarvis.yaml at once, by the node itself when it is done', async () => {
		const ask = (command_id, params) => w.execute('run_command', { node: 'Home', command_id, params });
		for (const [command, params, words] of [['folder_usage', { folder: '/srv/share2' }, /lies in none: commands\.folder_usage\.params/],
			['folder_usage', { folder: '/srv/share/../../etc' }, /has a component \. or \.\./], ['folder_usage', { folder: '/etc/pve' }, /reaches \/etc, which no parameter may/],
			['folder_usage', { folder: '/srv/share/x\u00a0' }, /cannot be seen/], ['archive_check', { url: 'https://evil.example/' }, /names a host that hosts does not list/],
			['archive_check', { url: 'https://2130706433/' }, /nobody may be sent to/], ['archive_check', { url: 'https://deb.debian.org:22/' }, /has a port/]]) {
			const { status, body } = await ask(command, params);
			assert.equal(status, 403, JSON.stringify(body));
			assert.match(JSON.stringify(body), words);
			assert.match(JSON.stringify(body), /"black"/);
		}
		// What nobody could approve by looking at it is no argument at all.
		assert.match(JSON.stringify((await ask('folder_usage', { folder: '/srv/share/\u202egpj' })).body), /params: an object of at most 8 members/);
		assert.deepEqual([called('du'), called('wget')], [0, 0]);

		const asked = await ask('folder_usage', { folder: '/srv/share/movies' });
		assert.equal(asked.status, 202, JSON.stringify(asked.body));
		assert.match((await w.seen(asked.body.id)).shown, /"params":\{"folder":"\/srv\/share\/movies"\}/);
		await w.decide(asked.body.id, 'approve', { digest: asked.body.digest, keyword: w.keyword });
		assert.equal((await w.over(asked.body.id)).status, 'verified');
		assert.equal(called('du'), 1);

		// Approved in good faith; only the node knows where it leads.
		const out = await ask('folder_usage', { folder: '/srv/share/escape' });
		await w.decide(out.body.id, 'approve', { digest: out.body.digest, keyword: w.keyword });
		const over = await w.over(out.body.id);
		assert.equal(over.status, 'failed', JSON.stringify(over));
		assert.match(JSON.stringify(over), /a link leads out/);
		assert.equal(called('du'), 1);
	});

	test('a path that is protected, or has something protected in it, is a tier higher', async () => {
		for (const folder of ['/srv/share/photos', '/srv/share/photos/1', '/srv/share']) {
			const { status, body } = await w.execute('run_command', { node: 'Home', command_id: 'folder_usage', params: { folder } }, { confirmed: true });
			assert.equal(status, 202, JSON.stringify(body));
			const action = await w.seen(body.id);
			assert.equal(action.tier, 'red');
			assert.match(JSON.stringify(action), /Protected, so this is a tier higher: the path \/srv\/share\/photos\./);
			await w.decide(body.id, 'deny', {});
		}
	});
});
