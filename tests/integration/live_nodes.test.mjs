// The nodes themselves in `make check-live`, against simulated sshds: what is looked at, that nothing is changed unless one unit
// is named, every trouble with its cure, and nothing given away.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { check, dir, fails, installation } from './live_world.mjs';
import { start } from './poller_world.mjs';

const UNIT = 'home/Home/smbd.service';

describe('the nodes themselves', () => {
	let stack, file;
	let runs = 0;
	const called = (node) => {
		const calls = join(stack.sshInfo.nodes[node].act, 'calls');
		return existsSync(calls) ? readFileSync(calls, 'utf8').trim().split('\n') : [];
	};
	/** Only what changes something is started by sudo, or is another verb than show. */
	const changes = () => Object.keys(stack.sshInfo.nodes).flatMap(called).filter((line) => /^(sudo|zpool|exportfs|ping|systemctl (?!show))/.test(line));
	const live = async (...more) => {
		const out = join(dir, `nodes${++runs}`);
		return { out, ...await check(file, '--out', out, ...more) };
	};

	before(async () => {
		stack = await start({ services: ['thermal-collector'], sim: { 'membership-delay': 0 } });
		file = join(installation(stack, 'nodes'), 'jarvis.yaml');
		await stack.ssh('log', { node: 'Home', unit: 'smbd.service', message: 'guest logged in from laptop-of-anna', count: 3 });
	});
	after(() => stack?.stop());
	beforeEach(() => {
		for (const { act } of Object.values(stack.sshInfo.nodes)) rmSync(join(act, 'calls'), { force: true });
	});

	test('all are asked, by Jarvis and by ssh, which agree; nothing is changed, and Proxmox is only read', async () => {
		const { status, text, out } = await live();
		assert.deepEqual([fails(text), status], [[], 0], text);
		for (const node of Object.keys(stack.sshInfo.nodes)) {
			assert.match(text, new RegExp(`ok {4}home/${node}: ping_node answers\nok {4}home/${node}: ping_node is what ssh is told\nok {4}home/${node}: disk_usage answers\n`), text);
		}
		assert.match(text, /ok {4}home\/Home: service_status of smbd\.service is what ssh is told\nok {4}home\/Home: journal_tail of smbd\.service answers\n/);
		assert.match(text, /home\/agent: jarvis\.yaml lists no unit there\nok {4}home\/agent: service_status of pveproxy\.service answers/);
		assert.ok(text.indexOf('has the key and no token of Proxmox') < text.indexOf('Waiting for'), 'said before');
		assert.deepEqual(changes(), []);
		const { log } = await (await fetch(`${stack.simInfo.control_url}/requests`)).json();
		assert.deepEqual([...new Set(log.map(({ method }) => method))], ['GET']);
		const key = readFileSync(stack.sshInfo.act_key_file, 'utf8').split('\n')[2];
		assert.ok(!text.includes(key));

		const saved = readdirSync(join(out, 'nodes'));
		assert.equal(saved.length, 4 + 4 + 2 * (3 + 3), saved.join());
		assert.equal(statSync(join(out, 'nodes')).mode & 0o777, 0o700);
		for (const name of saved) {
			assert.equal(statSync(join(out, 'nodes', name)).mode & 0o777, 0o600);
			const kept = readFileSync(join(out, 'nodes', name), 'utf8');
			for (const word of ['Home', 'agent', 'anna', 'smbd', 'Samba', 'my files', '3c5f1e0a', key]) assert.ok(!kept.includes(word), `${name}: ${word}`);
		}
		const journal = JSON.parse(readFileSync(join(out, 'nodes', saved.find((name) => name.includes('journal_tail'))), 'utf8'));
		assert.ok(journal.rows.every(({ message }) => /^\d+ characters$/.test(message)), JSON.stringify(journal));
	});

	test('UNIT restarts that one, once, and ssh is told the same', async () => {
		const { status, text } = await live('--unit', UNIT, '--read', 'no');
		assert.deepEqual([fails(text), status], [[], 0], text);
		assert.match(text, /smbd\.service on Home is restarted \(service_restart\), as UNIT=home\/Home\/smbd\.service says, and nothing else/);
		// The example protects that node.
		assert.match(text, /ok {4}service_restart \(orange\), [\d.]+ s: verified; ssh is told the same/);
		assert.deepEqual(changes().filter((line) => !line.startsWith('sudo')), ['systemctl --no-ask-password restart -- smbd.service']);
	});

	test('one that fails, one that is not active, one that nobody lists: told, and not tried twice', async () => {
		await stack.ssh('unit', { node: 'Home', unit: 'filebrowser.service', heals: false });
		const broken = await live('--unit', 'home/Home/filebrowser.service', '--read', 'no');
		assert.equal(broken.status, 1);
		assert.match(broken.text, /FAIL {2}service_restart \(orange\)[^\n]*\n[\s\S]*ssh is told that it is failed\n {6}→ on node Home: systemctl status filebrowser\.service/);
		assert.equal(changes().filter((line) => line.startsWith('systemctl')).length, 1);
		const inactive = await live('--unit', 'home/Home/filebrowser.service', '--read', 'no');
		assert.match(inactive.text, /FAIL {2}filebrowser\.service is active, and can be restarted\n {6}it is failed\n {6}→ start it first/);
		const foreign = await live('--unit', 'home/pve/pveproxy.service', '--read', 'no');
		assert.match(foreign.text, /FAIL {2}home\/pve\/pveproxy\.service may be restarted\n {6}services of jarvis\.yaml does not list pveproxy\.service for home\/pve\n {6}→ name one that is listed/);
		assert.equal(changes().filter((line) => line.startsWith('systemctl')).length, 1);
		await stack.ssh('unit', { node: 'Home', unit: 'filebrowser.service', state: 'active', heals: true });
	});

	test('a node that shows another key, one whose sshd is gone, a listed unit that is not there: each with its cure', async () => {
		await stack.ssh('rekey', { node: 'agent' });
		await stack.ssh('down', { node: 'agent1' });
		const home = installation(stack, 'nodes-odd', (config) => (config.services['home/pve'] = ['nowhere.service']));
		const { status, text } = await check(join(home, 'jarvis.yaml'));
		await stack.ssh('up', { node: 'agent1' });
		assert.equal(status, 1);
		const found = fails(text).filter((line) => /ping_node|service_status/.test(line));
		assert.deepEqual(found, ['home/pve: service_status of nowhere.service answers', 'home/agent1: ping_node answers', 'home/agent: ping_node answers'], text);
		assert.match(text, /home\/agent: ping_node answers\n {6}[^\n]*shows the host key SHA256:\S+, \S+ has another/);
		assert.match(text, /home\/agent1: ping_node answers\n {6}[^\n]*cannot be reached: Connection refused/);
		assert.match(text, /nowhere\.service answers\n {6}the unit is not-found\n {6}→ correct its name/);
		assert.match(text, /ok {4}home\/Home: ping_node is what ssh is told/);
	});

	test('a key that is not there, no such section, and what is no unit', async () => {
		const home = installation(stack, 'nodes-bare');
		rmSync(join(home, 'secrets/executor/ssh-key'));
		const bare = await check(join(home, 'jarvis.yaml'), '--unit', UNIT, '--read', 'no');
		assert.match(bare.text, /FAIL {2}secret executor\/ssh-key is there[^\n]*\n[^\n]*no such file\n {6}→ make it as deploy\/nodes\/README\.md says/);
		const off = installation(stack, 'nodes-off', (config) => delete config.clusters.home.executor.ssh);
		const none = await check(join(off, 'jarvis.yaml'), '--unit', UNIT, '--read', 'no');
		assert.match(none.text, /no cluster has executor\.ssh/);
		for (const unit of ['smbd.service', 'home/Home/smbd', 'home/Home/;rm.service', 'home/Home/-x.service']) {
			const { status, text } = await check(file, '--unit', unit);
			assert.deepEqual([status, /check-live: UNIT is CLUSTER\/NODE\/UNIT/.test(text)], [2, true], text);
		}
		assert.deepEqual([bare.status, none.status, changes()], [1, 1, []]);
	});
});
