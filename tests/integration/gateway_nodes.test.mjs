// What the gateway tells of its configuration: the units and commands of a node, and nothing else.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import { startStack } from '../stack/stack.mjs';
import { fromYaml, toYaml } from '../stack/yaml.mjs';
import { Browser, endWell, eventually } from './gateway_client.mjs';

const ssh = { user: 'acting-user', known_hosts: '/etc/secret-place/known_hosts' };
const cluster = (more) => ({
	token: 'jarvis@pve!poller-token', ca: '/etc/secret-place/ca.pem', executor: { token: 'jarvis@pve!executor-token', ssh },
	nodes: { Home: { address: '192.0.2.50', mac: 'bc:24:11:00:00:50' }, pve: { address: '192.0.2.74' }, far: {} }, ...more,
});
const COMMANDS = {
	scrub: { about: 'Begin to scrub a pool.', nodes: ['home/Home', 'home/pve'], timeout: '1500ms',
		params: { pool: { type: 'word', words: ['rpool', 'tank'], about: 'The pool.' } } },
	reach: { about: 'Ask another machine.', nodes: ['home/Home'],
		params: { count: { type: 'int', min: 1, max: 10 }, host: { type: 'name' } } },
	check: { about: 'Look at it.', nodes: ['home/far'],
		params: { folder: { type: 'path', below: ['/srv/share'] }, url: { type: 'url', hosts: ['deb.debian.org'] } } },
	elsewhere: { about: 'Only there.', nodes: ['home/pve'] },
};
let stack, operator;
const at = (node, name = 'home') => operator.get(`/api/nodes/${name}/${node}/catalogue`);

before(async () => {
	stack = await startStack({ services: ['gateway'], sim: null, config: (config) => Object.assign(config, {
		clusters: { home: cluster(), deaf: cluster({ executor: { token: 'jarvis@pve!executor' } }), watched: cluster({ executor: undefined }) },
		protected: { nodes: ['home/pve'] }, depends_on: {}, self: 'external',
		services: { 'home/Home': ['smbd.service', 'nfs-server.service'], 'home/pve': ['x.service'] }, commands: COMMANDS,
		gateway: { ...config.gateway, required: ['gateway'] },
	}) });
	operator = new Browser(stack.url);
	await operator.login('operator', stack.password);
});
after(() => endWell(stack).finally(() => stack?.stop()));

test('the units and commands of a node, each with what it takes', async () => {
	const { status, body } = await at('Home');
	assert.equal(status, 200);
	const verbs = [{ tool: 'service_restart', tier: 'yellow' }, { tool: 'service_stop', tier: 'orange' }];
	const parameter = { type: 'int', words: [], min: null, max: null, about: null };
	assert.deepEqual(body, {
		cluster: 'home', node: 'Home', blocked: null,
		units: [{ unit: 'smbd.service', verbs }, { unit: 'nfs-server.service', verbs }],
		commands: [
			{ id: 'scrub', about: 'Begin to scrub a pool.', tier: 'orange', timeout_s: 2,
				params: [{ ...parameter, name: 'pool', type: 'word', words: ['rpool', 'tank'], about: 'The pool.' }] },
			{ id: 'reach', about: 'Ask another machine.', tier: 'orange', timeout_s: 30,
				params: [{ ...parameter, name: 'count', min: 1, max: 10 }, { ...parameter, name: 'host', type: 'name' }] },
		],
	});
});

test('a protected node costs a tier more', async () => {
	const { body } = await at('pve');
	assert.deepEqual(body.units[0].verbs.map((v) => v.tier), ['orange', 'red']);
	assert.deepEqual(body.commands.map((c) => [c.id, c.tier]), [['scrub', 'red'], ['elsewhere', 'red']]);
});

test('what is missing is said with how to mend it', async () => {
	assert.match((await at('Home', 'watched')).body.blocked, /clusters\.watched\.executor is not set/);
	assert.match((await at('Home', 'deaf')).body.blocked, /set clusters\.deaf\.executor\.ssh in jarvis\.yaml.*deploy\/nodes/);
	const { body } = await at('far');
	assert.match(body.blocked, /clusters\.home\.nodes\.far\.address/);
	assert.deepEqual(body.units, []);
	assert.deepEqual(body.commands[0].params.map((p) => [p.name, p.type, p.words]), [['folder', 'path', ['/srv/share']], ['url', 'url', ['deb.debian.org']]]);
});

test('what is no node is not found, but one that Proxmox alone knows is', async () => {
	for (const path of ['home/nope/catalogue', 'nowhere/Home/catalogue', 'home/home/catalogue', 'home/Home', 'home/Home/', 'home/catalogue',
		'home/Home/x/catalogue', 'home/Home/catalogue/'])
		assert.equal((await operator.get(`/api/nodes/${path}`)).status, 404, path);
	const mqtt = await stack.mqtt();
	const doc = { ts: Date.now(), cluster: 'home', node: 'found', status: 'online' };
	await mqtt.publishAsync('jarvis/pve/home/node/found/state', JSON.stringify(doc), { qos: 1, retain: true });
	await eventually(async () => (await at('found')).status === 200, 5000, 'the found node');
	assert.match((await at('found')).body.blocked, /nodes\.found\.address/);
	await mqtt.publishAsync('jarvis/pve/home/node/found/state', '', { qos: 1, retain: true });
	await eventually(async () => (await at('found')).status === 404, 5000, 'that node gone');
	await mqtt.endAsync(true);
});

test('nothing else of the configuration is in it', async () => {
	const text = JSON.stringify([await at('Home'), await at('pve'), await at('far'), await at('Home', 'deaf')].map((a) => a.body));
	assert.doesNotMatch(text, /192\.0\.2|acting-user|secret-place|token|bc:24|ssh_port|fingerprint/i);
	const pve = JSON.stringify((await at('pve')).body);
	assert.doesNotMatch(pve, /smbd|reach/, 'of another node');
});

test('a viewer and a token that reads see it, others do not', async () => {
	const token = new Browser(stack.url);
	for (const [scopes, status] of [[['read'], 200], [['metrics'], 403]]) {
		token.token = (await operator.post('/api/tokens', { name: `t-${scopes}`, scopes })).body.secret;
		assert.equal((await token.get('/api/nodes/home/Home/catalogue')).status, status, String(scopes));
	}
	assert.equal((await new Browser(stack.url).get('/api/nodes/home/Home/catalogue')).status, 401);
	assert.equal((await operator.post('/api/nodes/home/Home/catalogue')).status, 405);
	const db = new DatabaseSync(join(stack.data, 'data/gateway/gateway.db'));
	db.exec("PRAGMA busy_timeout = 5000; UPDATE person SET role = 'viewer'");
	db.close();
	await stack.restart('gateway');
	assert.deepEqual([(await operator.get('/api/session')).body.role, (await at('Home')).status], ['viewer', 200]);
});

test('a reload is followed', async () => {
	const config = fromYaml(readFileSync(stack.configFile, 'utf8'));
	config.services['home/Home'] = ['filebrowser.service'];
	config.commands = { scrub: { ...COMMANDS.scrub, nodes: ['home/pve'] } };
	writeFileSync(stack.configFile, toYaml(config));
	stack.process('gateway').signal('SIGHUP');
	await eventually(async () => (await at('Home')).body.units[0].unit === 'filebrowser.service', 5000, 'the new configuration');
	assert.deepEqual((await at('Home')).body.commands, []);
});
