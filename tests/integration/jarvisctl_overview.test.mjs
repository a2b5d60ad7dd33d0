// What jarvisctl shows of the cluster: the lists and their search, everything at a glance, and what is not live any more.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startStack } from '../stack/stack.mjs';
import { Browser, eventually } from './gateway_client.mjs';
import { callers } from './jarvisctl_call.mjs';
import { quick } from './poller_world.mjs';

const dir = mkdtempSync(join(tmpdir(), 'jarvisctl-overview-'));
const { run, expect, atTerminal } = callers(dir);
let stack, browser;

before(async () => {
	stack = await startStack({ config: quick, sim: { life: 'off', 'auth-delay': 50, speed: 4 },
		services: ['proxmox-poller', 'gateway'] });
	const password = join(dir, 'password');
	writeFileSync(password, `${stack.password}\n`, { mode: 0o600 });
	browser = new Browser(stack.url);
	await browser.login('operator', stack.password);
	await expect(0, ['login', '--url', stack.url, '--user', 'operator', '--password-file', password]);
	const known = async () => Object.values((await browser.get('/api/state')).body).some((d) => d.covered !== undefined);
	await eventually(known, 20_000, 'the backups to be known');
	await eventually(async () => Object.keys((await browser.get('/api/stale')).body).length === 0, 20_000, 'all to be live');
});

after(async () => {
	const stubborn = await stack?.stop();
	rmSync(dir, { recursive: true, force: true });
	assert.deepEqual(stubborn ?? [], []);
});

const rows = (text) => text.trim().split('\n').slice(1);
const items = async (args) => JSON.parse((await expect(0, [...args, '--json'])).stdout).items;

test('guests are those of the cluster, without templates, found by the dashboard’s search', async () => {
	const truth = Object.values((await browser.get('/api/state')).body).filter((d) => d.vmid && d.template === false);
	const all = await items(['guests']);
	assert.equal(all.length, truth.length);
	assert.ok(all.every((i) => i.live && i.why === null && i.state.vmid));
	assert.equal(rows((await expect(0, ['guests'])).stdout).length, truth.length);
	const found = async (...search) => (await items(['guests', ...search])).map((i) => i.state.vmid);
	const wanted = (test) => truth.filter(test).map((g) => g.vmid).sort((a, b) => a - b);
	assert.deepEqual(await found('node:pve'), wanted((g) => g.node === 'pve'));
	assert.deepEqual(await found('type:vm', '-stopped'), wanted((g) => g.type === 'qemu' && g.status !== 'stopped'));
	assert.deepEqual(await found('jelly,plex'), [101]);
	assert.deepEqual(await found('mem', '>', '2G'), wanted((g) => g.mem > 2 * 1024 ** 3));
	assert.deepEqual(await found('backup:failed'), [104]);
	const line = rows((await expect(0, ['guests', '101'])).stdout)[0];
	assert.match(line, /^ 101  jellyfin  ct    Home  running +\d+ % +\d+ % +\S+( \S+)? +\S.*media$/);
});

test('nothing is found, and what cannot be read is said', async () => {
	assert.match((await expect(1, ['guests', 'name:nobody'])).stdout, /^no guest is found$/m);
	assert.deepEqual(JSON.parse((await expect(1, ['guests', '--json', 'name:nobody'])).stdout), { items: [] });
	const wrong = await expect(64, ['guests', 'cpu>much', 'colour:red', 'web']);
	assert.match(wrong.stderr, /^cpu>much: “much” is no value of cpu\ncolour:red: no such field; there are name, /);
	assert.equal(wrong.stdout, '');
	await expect(64, ['guests', '--bogus']);
	await expect(64, ['status', 'extra']);
	assert.match((await expect(64, ['watch'])).stderr, /needs a terminal; jarvisctl status prints once/);
});

test('nodes and storages', async () => {
	assert.deepEqual((await items(['nodes'])).map((i) => i.state.node).sort(), ['Home', 'agent', 'agent1', 'pve']);
	assert.match((await expect(0, ['nodes', 'pve'])).stdout, /^pve   online +\d+ % +[\d.]+ +\d+ %  [\d.]+ GiB +\d+ % /m);
	const shared = (await items(['storage', '-node:Home,pve,agent,agent1'])).map((i) => i.state.storage);
	assert.ok(shared.includes('nas') && shared.includes('pbs'), shared.join());
	assert.match((await expect(0, ['storage', 'used>1', 'name:pbs'])).stdout, /^pbs +shared  pbs   available +\d+ % /m);
});

test('a watched terminal is drawn anew, and given back', async () => {
	const { shown } = await atTerminal(['watch', '--interval', '1'], [['q ends', ''], ['\x1b[H', ''], ['q ends', 'q']]);
	assert.ok(shown.startsWith('\x1b[?1049h'), JSON.stringify(shown.slice(0, 40)));
	assert.ok(shown.endsWith('\x1b[?1049l'), JSON.stringify(shown.slice(-40)));
	assert.ok(shown.split('\x1b[H').length >= 3, 'drawn more than once');
	assert.match(shown, /home.*quorate.*4 of 4 votes/);
});

test('what wants a look stands above, and in the exit code', async () => {
	const told = async (pattern) => eventually(async () => pattern.test((await run(['status'])).stdout), 20_000, String(pattern));
	await stack.sim('storage_full', { storage: 'nas' });
	await told(/✗ Storage nas is 9\d % full/);
	await stack.sim('node_down', { node: 'agent' });
	await told(/✗ Node agent is offline: 2 guests unknown/);
	const { stdout } = await expect(1, ['status']);
	assert.ok(stdout.indexOf('✗ Node agent') < stdout.indexOf('! The last backup of frigate (104) has failed'), stdout);
	assert.doesNotMatch(stdout, /pihole2/, 'a node that is gone explains its guests');
	const { attention, nodes } = JSON.parse((await expect(1, ['status', '--json'])).stdout);
	assert.ok(attention.some((a) => a.severity === 'critical' && /Node agent/.test(a.text)));
	assert.equal(nodes.find((n) => n.state.node === 'agent').state.status, 'offline');
	await stack.sim('node_up', { node: 'agent' });
	await stack.sim('storage_ok', { storage: 'nas' });
});

test('nobody who looks: everything is old, and said to be', async () => {
	await stack.kill('proxmox-poller');
	const all = async () => Object.keys((await browser.get('/api/stale')).body).length > 30;
	await eventually(all, 20_000, 'everything to be stale');
	const stale = (await browser.get('/api/stale')).body;
	assert.match(stale['pve/home/guest/101/state'].why, /offline/);
	assert.equal(typeof stale['pve/home/guest/101/state'].age_ms, 'number');
	const one = JSON.parse((await expect(0, ['guests', '101', '--json'])).stdout).items[0];
	assert.deepEqual([one.live, one.why], [false, stale['pve/home/guest/101/state'].why]);
	assert.match((await expect(0, ['guests', '101'])).stdout, /running \(old\)/);
	const { stdout } = await expect(1, ['status']);
	assert.match(stdout, /✗ Cluster home is not watched: the service that reports it is offline/);
	assert.match(stdout, /✗ Service proxmox-poller is offline/);
	await stack.start('proxmox-poller');
	await eventually(async () => !('pve/home/guest/101/state' in (await browser.get('/api/stale')).body), 20_000, 'it to be live');
	await stack.process('gateway').stop();
	assert.match((await expect(69, ['status'])).stderr, /no answer|cannot be reached|refused/i);
});
