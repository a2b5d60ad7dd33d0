// The gateway with a real broker: login, REST, the WebSocket, and what happens when something around it goes away.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startStack } from '../stack/stack.mjs';
import { Browser, endWell, eventually, within } from './gateway_client.mjs';

const USER = 'operator';
const NODE = 'pve/home/node/pve/state';
const CLUSTER = 'pve/home/state';
let stack, mqtt, password, operator;

const publish = (topic, doc, options = {}) =>
	mqtt.publishAsync(`jarvis/${topic}`, typeof doc === 'string' ? doc : JSON.stringify(doc), { qos: 1, retain: true, ...options });
const node = (more) => ({ ts: Date.now(), cluster: 'home', node: 'pve', status: 'online', cpu: 12.5, ...more });
const cluster = (more) => ({ ts: Date.now(), cluster: 'home', sources: {}, ...more });

before(async () => {
	stack = await startStack({
		services: ['gateway'], sim: null,
		config: (config) => Object.assign(config.gateway, { required: ['gateway'], max_websockets: 40 }),
	});
	mqtt = await stack.mqtt();
	password = stack.password;
	operator = new Browser(stack.url);
});
after(async () => {
	await mqtt?.endAsync(true);
	await endWell(stack).finally(() => stack?.stop());
});

test('the first password is in a file of its owner alone, and opens the door', async () => {
	const file = join(stack.data, 'data/gateway/initial-password');
	assert.equal(statSync(file).mode & 0o777, 0o600);
	assert.match(password, /^[a-z2-9]{24}$/);
	assert.ok(!stack.logs('gateway').includes(password));
	const answer = await operator.login(USER, password);
	assert.equal(answer.status, 200);
	const { user, role, kind, must_change_password: mustChange, insecure } = answer.body;
	assert.deepEqual([user, role, kind, mustChange, insecure], [USER, 'operator', 'session', true, false]);
	assert.match(answer.headers.get('set-cookie'),
		/^__Host-jarvis=[0-9a-f]{64}; Path=\/; Secure; HttpOnly; SameSite=Strict; Max-Age=\d+$/);
	assert.equal((await operator.get('/api/session')).body.user, USER);
});

test('without a session there is nothing to see but the door', async () => {
	const nobody = new Browser(stack.url);
	for (const path of ['/api/session', '/api/state', `/api/state/${NODE}`, '/api/health', '/api/tokens', '/metrics'])
		assert.equal((await nobody.get(path)).status, 401, path);
	for (const path of ['/', '/healthz']) assert.equal((await nobody.get(path)).status, 200, path);
	await assert.rejects(nobody.socket());
	nobody.cookie = `__Host-jarvis=${'0'.repeat(64)}`;
	assert.equal((await nobody.get('/api/session')).status, 401);
	nobody.cookie = operator.cookie.replace('__Host-', '');
	assert.equal((await nobody.get('/api/session')).status, 401);
});

test('errors are problem documents with the security headers on them', async () => {
	for (const path of ['/api/nope', '/nope.js', '/api/state']) {
		const { headers, body, status } = await new Browser(stack.url).get(path);
		assert.equal(headers.get('content-type'), 'application/problem+json');
		assert.equal(body.status, status);
		assert.match(headers.get('content-security-policy'), /default-src 'none'.*require-trusted-types-for 'script'/);
		assert.equal(headers.get('x-content-type-options'), 'nosniff');
		assert.equal(headers.get('access-control-allow-origin'), null);
		assert.equal(headers.get('cache-control'), 'no-store');
	}
	const { status, headers } = await operator.post('/api/session');
	assert.deepEqual([status, headers.get('allow')], [405, 'GET']);
});

test('changes need the header, the type and an origin of ours', async () => {
	const body = { user: USER, password };
	const cases = [
		[403, { 'x-jarvis': null }],
		[415, { 'content-type': 'text/plain' }],
		[415, { 'content-type': 'application/x-www-form-urlencoded' }],
		[403, { origin: 'https://evil.example' }],
		[403, { origin: 'null' }],
		[403, { origin: stack.url.replace('127.0.0.1', 'localhost') }],
		[200, { origin: null }],
		[200, { 'content-type': 'application/json; charset=utf-8' }],
	];
	for (const [status, headers] of cases) {
		const answer = await new Browser(stack.url).ask('POST', '/api/login', body, headers);
		assert.equal(answer.status, status, JSON.stringify(headers));
		assert.equal(answer.headers.has('set-cookie'), status === 200);
	}
	for (const bad of ['', '{', '[]', '{"user":"a"}', `{"user":"a","password":"b","x":1}`, `{"user":"a","password":"${'x'.repeat(129)}"}`])
		assert.equal((await new Browser(stack.url).post('/api/login', bad)).status, 400, bad.slice(0, 40));
});

test('documents over HTTP, and the dashboard\'s files', async () => {
	await publish(NODE, node());
	await publish('service/proxmox-poller/main/state', 'online');
	await eventually(async () => (await operator.get(`/api/state/${NODE}`)).status === 200, 5000, 'the document');
	const all = (await operator.get('/api/state')).body;
	assert.equal(all[NODE].cpu, 12.5);
	assert.equal(all['service/proxmox-poller/main/state'], 'online');
	assert.ok(!('link' in all));
	for (const path of ['/api/state/pve/none', '/api/state/link', '/api/state/pve/home/../home'])
		assert.equal((await operator.get(path)).status, 404, path);
	const page = await operator.get('/');
	assert.equal(page.headers.get('cache-control'), 'no-cache');
	const script = /src="(\/[^"]+\.js)"/.exec(page.body)[1];
	const file = await operator.get(script, { 'accept-encoding': 'identity' });
	assert.match(file.headers.get('cache-control'), /immutable/);
	const known = await operator.get(script, { 'if-none-match': file.headers.get('etag') });
	assert.deepEqual([known.status, known.body], [304, '']);
	assert.equal((await operator.ask('HEAD', script)).body, '');
});

test('health tells of every service; ready once the required ones are online', async () => {
	// Read again while it runs.
	writeFileSync(stack.configFile, readFileSync(stack.configFile, 'utf8').replace(/(required:\s+- )"gateway"/, '$1"proxmox-poller"'));
	stack.process('gateway').signal('SIGHUP');
	await publish('service/proxmox-poller/main/info', { ts: 1, service: 'proxmox-poller', instance: 'main', version: '9.9', started_ms: 1, sid: 's', config_digest: 'd' });
	await eventually(async () => (await operator.get('/api/health')).body.services.some((s) => s.version === '9.9'), 5000, 'the version');
	const { body } = await operator.get('/api/health');
	const poller = body.services.find((s) => s.service === 'proxmox-poller');
	assert.deepEqual([poller.state, poller.required, body.broker, body.status], ['online', true, true, 'ok']);
	assert.ok(poller.age_ms >= 0 && poller.age_ms < 60_000);
	assert.equal((await operator.get('/readyz')).status, 200);
	await publish('service/proxmox-poller/main/state', 'offline');
	await eventually(async () => (await operator.get('/readyz')).status === 503, 5000, '503');
	assert.equal((await operator.get('/healthz')).status, 200);
	await publish('service/proxmox-poller/main/state', 'online');
	await eventually(async () => (await operator.get('/readyz')).status === 200, 5000, '200');
});

test('tokens do what their scopes say, until they are revoked', async () => {
	const bad = [{ name: 'x', scopes: [] }, { name: 'x', scopes: ['root'] }, { name: 'x', scopes: ['read'], days: 0 }];
	for (const body of bad) assert.equal((await operator.post('/api/tokens', body)).status, 400, JSON.stringify(body));
	const reader = new Browser(stack.url, { origin: null });
	const scraper = new Browser(stack.url, { origin: null });
	const made = (await operator.post('/api/tokens', { name: 'reader', scopes: ['read'], days: 7 })).body;
	assert.match(made.secret, new RegExp(`^jrv_${made.id}_[\\w-]{43}$`));
	reader.token = made.secret;
	scraper.token = (await operator.post('/api/tokens', { name: 'prometheus', scopes: ['metrics'] })).body.secret;
	assert.deepEqual((await reader.get('/api/session')).body.scopes, ['read']);
	const allowed = async (who, path) => (await who.get(path)).status === 200;
	assert.deepEqual([await allowed(reader, '/api/state'), await allowed(scraper, '/api/state')], [true, false]);
	assert.deepEqual([await allowed(reader, '/metrics'), await allowed(scraper, '/metrics')], [true, true]);
	assert.equal((await reader.get('/api/tokens')).status, 403);
	assert.equal((await reader.post('/api/logout')).status, 403);
	assert.match((await scraper.get('/metrics')).body, /^jarvis_node_state_cpu\{cluster="home",node="pve"\} 12\.5$/m);
	const list = (await operator.get('/api/tokens')).body.items;
	assert.ok(list.every((t) => t.secret === null) && list.find((t) => t.id === made.id).last_used_ms > 0);
	const socket = await reader.socket();
	assert.equal((await operator.ask('DELETE', '/api/tokens', { id: made.id })).status, 200);
	assert.equal((await within(socket.ended, 1000, 'the end of the socket')).code, 4401);
	assert.equal((await reader.get('/api/state')).status, 401);
	assert.equal((await operator.ask('DELETE', '/api/tokens', { id: made.id })).status, 404);
});

test('the WebSocket mirrors the bus: snapshot, changes, clearing, events, ages', async () => {
	await publish(CLUSTER, cluster());
	const socket = await operator.socket();
	assert.equal((await socket.next()).op, 'hello');
	await eventually(async () => (await operator.get(`/api/state/${CLUSTER}`)).status === 200, 5000, 'the document');
	const first = await socket.subscribe(['pve/#', 'service/#', 'event/#', 'link']);
	assert.equal(first.docs[NODE].cpu, 12.5);
	assert.equal(first.docs.link.broker, true);
	assert.equal(first.docs['service/proxmox-poller/main/state'], 'online');
	assert.ok(first.seen[CLUSTER] >= 0 && first.seen[CLUSTER] < 5000);
	assert.ok(!(NODE in first.seen));
	await publish(NODE, node({ cpu: 13 }));
	const changed = await socket.change(NODE);
	assert.ok(changed.docs[NODE].cpu === 13 && changed.seq > first.seq);
	await publish(CLUSTER, cluster({ votes: 3 }));
	assert.ok((await socket.change(CLUSTER)).seen[CLUSTER] < 1000);
	await publish('event/task', { id: '01', ts: 1, event_type: 'new', cluster: 'home', before: null, after: null }, { retain: false });
	const happened = await socket.until((m) => m.op === 'chg' && m.events.some(([topic]) => topic === 'event/task'));
	assert.equal(happened.events.find(([topic]) => topic === 'event/task')[1].id, '01');
	await publish('service/proxmox-poller/main/health', { ts: 1, uptime_s: 5, loop_lag_ms: 0.5, rss_bytes: 1, cpu: 0, bus_queue: 0, counters: { polls: 7 } }, { qos: 0, retain: false });
	await socket.until((m) => m.op === 'chg' && m.events.some(([topic]) => topic.endsWith('/health')));
	assert.match((await operator.get('/metrics')).body, /counter_total\{service="proxmox-poller",instance="main",counter="polls"\} 7/);
	await publish(NODE, '');
	assert.equal((await socket.change(NODE)).docs[NODE], null);
	assert.equal((await operator.get(`/api/state/${NODE}`)).status, 404);
	socket.send({ op: 'ping', id: 9 });
	assert.equal((await socket.until((m) => m.op === 'pong')).id, 9);
	socket.send({ op: 'unsub', id: 77 });
	assert.equal((await socket.until((m) => m.op === 'err')).code, 'unknown');
	await socket.close();
});

test('a retained copy is no evidence of life', async () => {
	await stack.restart('gateway');
	const socket = await operator.socket();
	const { docs, seen } = await socket.subscribe(['pve/#']);
	assert.ok(CLUSTER in docs);
	assert.equal(seen[CLUSTER], null);
	await publish(CLUSTER, cluster());
	assert.ok((await socket.change(CLUSTER)).seen[CLUSTER] < 1000);
	await socket.close();
});

test('several subscriptions, and only what they ask for', async () => {
	const socket = await operator.socket();
	await publish('pve/home/guest/100/state', { v: 1 });
	await publish('pve/home/guest/101/state', { v: 1 });
	await eventually(async () => (await operator.get('/api/state/pve/home/guest/101/state')).status === 200, 5000, 'the document');
	assert.deepEqual(Object.keys((await socket.subscribe(['pve/+/guest/100/state'], 'a')).docs), ['pve/home/guest/100/state']);
	assert.deepEqual(Object.keys((await socket.subscribe(['pve/home/guest/101/#'], 'b')).docs), ['pve/home/guest/101/state']);
	await publish('pve/home/guest/100/state', { v: 2 });
	await socket.change('pve/home/guest/100/state', (doc) => doc.v === 2);
	socket.send({ op: 'unsub', id: 'a' });
	socket.send({ op: 'ping' });
	await socket.until((m) => m.op === 'pong');
	await publish('pve/home/guest/100/state', { v: 3 });
	await publish('pve/home/guest/101/state', { v: 3 });
	const { docs } = await socket.until((m) => m.op === 'chg');
	assert.deepEqual(Object.keys(docs), ['pve/home/guest/101/state']);
	await socket.close();
});

test('a large snapshot comes in pages, and misses nothing that changes meanwhile', async () => {
	const topic = (i) => `pve/big/guest/${i}/state`;
	const pad = 'x'.repeat(1000);
	await Promise.all(Array.from({ length: 1000 }, (_, i) => publish(topic(i), { i, pad })));
	await eventually(async () => (await operator.get(`/api/state/${topic(999)}`)).status === 200, 10_000, 'all documents');
	const socket = await operator.socket();
	const { docs, pages } = await socket.subscribe(['pve/big/#']);
	assert.equal(Object.keys(docs).length, 1000);
	assert.ok(pages >= 4, `${pages} pages`);
	await Promise.all(Array.from({ length: 1000 }, (_, i) => publish(topic(i), '')));
	const gone = new Set();
	while (gone.size < 1000)
		for (const [t, doc] of Object.entries((await socket.until((m) => m.op === 'chg')).docs)) if (doc === null) gone.add(t);
	await socket.close();
});

test('many changes are told in few batches, the newest value last', async () => {
	const socket = await operator.socket();
	await socket.subscribe(['pve/home/node/#']);
	let batches = 0;
	const began = performance.now();
	for (let i = 1; i <= 300; i++) await publish(NODE, node({ cpu: i }));
	while ((batches++, (await socket.change(NODE)).docs[NODE].cpu !== 300));
	const seconds = (performance.now() - began) / 1000;
	// One at once, then one every 45 ms; a little more for a timer that comes early.
	assert.ok(batches <= 2 + seconds * 23, `${batches} batches in ${seconds} s`);
	await socket.close();
});

test('logging out, or a new password, closes the sockets within a second', async () => {
	const [one, two] = [new Browser(stack.url), new Browser(stack.url)];
	await one.login(USER, password);
	await two.login(USER, password);
	const sockets = [await one.socket(), await two.socket()];
	assert.equal((await one.post('/api/logout')).status, 200);
	assert.equal((await within(sockets[0].ended, 1000, 'the end')).code, 4401);
	assert.equal((await one.get('/api/session')).status, 401);
	assert.equal((await two.get('/api/session')).status, 200);
	for (const [status, old, fresh] of [[403, 'wrong password', 'long enough, this'], [400, password, 'short'], [400, password, password]])
		assert.equal((await operator.post('/api/password', { old_password: old, new_password: fresh })).status, status);
	const fresh = 'a longer password';
	assert.equal((await operator.post('/api/password', { old_password: password, new_password: fresh })).status, 200);
	assert.equal((await within(sockets[1].ended, 1000, 'the end')).code, 4401);
	assert.equal((await operator.get('/api/session')).body.must_change_password, false);
	assert.ok(!existsSync(join(stack.data, 'data/gateway/initial-password')));
	assert.equal((await two.login(USER, password)).status, 401);
	assert.equal((await two.login(USER, fresh)).status, 200);
	password = fresh;
});

test('a restart logs nobody out, and says good-bye', async () => {
	const socket = await operator.socket();
	assert.equal((await socket.next()).op, 'hello');
	await stack.restart('gateway');
	assert.equal((await within(socket.ended, 2000, 'the end')).code, 1001);
	assert.equal((await operator.get('/api/session')).status, 200);
});

test('the places are counted, and given back', async () => {
	const sockets = [];
	// Eight places are kept for others.
	for (let i = 0; i < 32; i++) sockets.push(await operator.socket());
	await assert.rejects(operator.socket());
	const other = new Browser(stack.url);
	await other.login(USER, password);
	for (let i = 0; i < 8; i++) sockets.unshift(await other.socket());
	await assert.rejects(other.socket());
	await sockets.pop().close();
	await eventually(() => operator.socket().then((s) => sockets.push(s), () => 0), 5000, 'a free place');
	await Promise.all(sockets.map((s) => s.close()));
});

test('when the broker goes the browser sees it; what it forgot disappears', async () => {
	const stateOf = async (name) => (await operator.get('/api/health')).body.services.find((s) => s.service === name)?.state;
	await publish(NODE, node());
	await publish('service/proxmox-poller/main/state', 'online');
	const socket = await operator.socket();
	await eventually(async () => (await operator.get(`/api/state/${NODE}`)).status === 200, 5000, 'the document');
	await eventually(async () => await stateOf('proxmox-poller') === 'online', 5000, 'the service');
	await socket.subscribe(['#']);
	await stack.kill('broker');
	assert.equal((await socket.change('link', (doc) => !doc.broker)).docs.link.broker, false);
	assert.equal((await operator.get('/readyz')).status, 503);
	assert.equal((await operator.get(`/api/state/${NODE}`)).status, 200);
	// Its memory goes with it.
	rmSync(join(stack.data, 'broker/data/mosquitto.db'), { force: true });
	await stack.start('broker');
	assert.equal((await socket.change('link', (doc) => doc.broker, 20_000)).docs.link.broker, true);
	await publish(CLUSTER, cluster());
	assert.equal((await socket.change(NODE, (doc) => doc === null, 20_000)).docs[NODE], null);
	assert.equal((await operator.get(`/api/state/${CLUSTER}`)).status, 200);
	// Nor does anybody know of a service that did not come back with it.
	assert.equal(await stateOf('proxmox-poller'), 'unknown');
	await socket.close();
});

test('wrong passwords are slowed down, also over a restart', async () => {
	const guesser = new Browser(stack.url);
	const statuses = [];
	for (let i = 0; i < 7; i++) statuses.push((await guesser.login(i % 2 ? USER : 'nobody', `guess ${i}`)).status);
	assert.deepEqual(statuses.filter((s) => s === 401).length, 5);
	assert.ok(statuses.slice(5).every((s) => s === 429));
	await stack.restart('gateway');
	const refused = await guesser.login(USER, password);
	assert.equal(refused.status, 429);
	assert.ok(Number(refused.headers.get('retry-after')) > 0);
	assert.equal((await operator.get('/api/session')).status, 200);
	for (const secret of [password, operator.cookie.split('=')[1], 'guess 1'])
		assert.ok(!readFileSync(join(stack.data, 'log/gateway.log'), 'utf8').includes(secret));
});
