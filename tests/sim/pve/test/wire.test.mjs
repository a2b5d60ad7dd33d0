import assert from 'node:assert/strict';
import test from 'node:test';
import { gunzipSync } from 'node:zlib';
import { startSim } from './helper.mjs';

test('answers look like those of pveproxy', async (t) => {
	const sim = await startSim(t);
	const auth = `Authorization: ${sim.authorization('monitor')}\r\n`;

	await t.test('headers of a success, in order', async () => {
		const res = await sim.get('/version');
		const names = res.rawHeaders.filter((_, i) => i % 2 === 0);
		assert.deepEqual(names, ['Cache-Control', 'Connection', 'Date', 'Pragma', 'Server',
			'Content-Length', 'Content-Type', 'Expires']);
		assert.equal(res.headers.server, 'pve-api-daemon/3.0');
		assert.equal(res.headers['content-type'], 'application/json;charset=UTF-8');
		assert.equal(res.headers.expires, res.headers.date);
	});

	await t.test('a 401 has no body and comes late', async () => {
		const before = Date.now();
		const res = await sim.get('/version', { token: null });
		assert.ok(Date.now() - before >= 29);
		assert.deepEqual([res.status, res.reason, res.text], [401, 'No ticket', '']);
		assert.equal(res.headers['content-type'], undefined);
		assert.equal(res.headers['content-length'], undefined);
		assert.equal(res.headers.connection, 'close');
	});

	await t.test('a wrong token does not say what is wrong with it', async () => {
		for (const value of ['PVEAPIToken=jarvis@pve!monitor=wrong', 'PVEAPIToken=who@pve!x=y']) {
			const res = await sim.get('/version', { token: null, headers: { Authorization: value } });
			assert.deepEqual([res.status, res.reason], [401, 'Authentication failed!']);
		}
		const lower = sim.authorization('monitor').replace('PVEAPIToken', 'pveapitoken');
		const res = await sim.get('/version', { token: null, headers: { Authorization: lower } });
		assert.equal(res.reason, 'No ticket');
		const space = sim.authorization('monitor').replace('PVEAPIToken=', 'PVEAPIToken ');
		const ok = await sim.get('/version', { token: null, headers: { Authorization: space } });
		assert.equal(ok.status, 200);
	});

	await t.test('unknown paths, methods and formats', async () => {
		const nope = await sim.get('/nope');
		assert.equal(nope.reason, "Method 'GET /nope' not implemented");
		assert.deepEqual(nope.json, { data: null, message: "Method 'GET /nope' not implemented" });
		for (const method of ['HEAD', 'PATCH', 'OPTIONS']) {
			const res = await sim.ask(method, '/version');
			assert.deepEqual([res.status, res.reason, res.text],
				[501, `method '${method}' not available`, '']);
		}
		const xml = await sim.get('/api2/xml/version', { raw: true });
		assert.equal(xml.text, 'no formatter for uri /version, xml');
		assert.equal((await sim.get('/api2', { raw: true })).text, 'no such uri');
	});

	await t.test('bodies where none belong', async () => {
		const head = `Host: x\r\n${auth}`;
		const del = await sim.raw(`DELETE /api2/json/version HTTP/1.1\r\n${head}` +
			'Content-Length: 3\r\n\r\na=b');
		assert.match(del, /^HTTP\/1.1 501 Unexpected content for method 'DELETE'\r\n/);
		const chunked = await sim.raw(`POST /api2/json/version HTTP/1.1\r\n${head}` +
			'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n');
		assert.match(chunked, /^HTTP\/1.1 501 chunked transfer encoding not supported\r\n/);
		const type = await sim.raw(`POST /api2/json/nodes/pve/wakeonlan HTTP/1.1\r\n${head}` +
			'Content-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi');
		assert.match(type, /^HTTP\/1.1 506 upload 'Content-Type 'text\/plain' not implemented\r\n/);
	});

	await t.test('HTTP/2 is not spoken', async () => {
		assert.match(await sim.raw('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
			/^HTTP\/1.0 506 http protocol version 2.0 not supported\r\n/);
	});

	await t.test('gzip for what is large enough', async () => {
		const headers = { 'Accept-Encoding': 'gzip' };
		const small = await sim.get('/version', { headers });
		assert.equal(small.headers['content-encoding'], undefined);
		const large = await sim.get('/cluster/resources', { headers });
		assert.equal(large.headers['content-encoding'], 'gzip');
		assert.ok(JSON.parse(gunzipSync(large.body).toString()).data.length > 32);
	});

	await t.test('the hundredth answer closes the connection', async () => {
		const conn = sim.connect('Home');
		const request = `GET /api2/json/version HTTP/1.1\r\nHost: x\r\n${auth}\r\n`;
		conn.socket.write(request.repeat(100));
		await conn.closed;
		assert.equal(conn.text.match(/HTTP\/1\.1 200 OK/g).length, 100);
		assert.equal(conn.text.match(/Connection: Keep-Alive/g).length, 99);
		assert.equal(conn.text.match(/Connection: close/g).length, 1);
	});

	await t.test('keys come in any order', async () => {
		const orders = new Set();
		for (let i = 0; i < 8; i++) {
			const { json } = await sim.get('/cluster/status');
			orders.add(Object.keys(json.data[0]).join());
		}
		assert.ok(orders.size > 1);
	});

	await t.test('extjs always says 200', async () => {
		const res = await sim.get('/api2/extjs/nodes/pve/apt/update', { raw: true });
		assert.equal(res.status, 200);
		assert.equal(res.json.success, 0);
		assert.equal(res.json.status, '403');
	});
});

test('an idle connection is closed', async (t) => {
	const sim = await startSim(t, '--idle-timeout', '60');
	const conn = sim.connect('Home');
	await conn.closed;
	assert.equal(conn.text, '');
});

test('parameters are checked like PVE::JSONSchema does', async (t) => {
	const sim = await startSim(t);
	const errors = async (path, opts) => {
		const res = await sim.get(path, opts);
		assert.equal(res.status, 400);
		assert.equal(res.reason, 'Parameter verification failed.');
		assert.equal(res.json.message, 'Parameter verification failed.\n');
		return res.json.errors;
	};
	assert.deepEqual(await errors('/nodes/pve/rrddata?timeframe=eon&foo=1'), {
		timeframe: "value 'eon' does not have a value in the enumeration 'hour, day, week, month, " +
			"year, decade'",
		foo: 'property is not defined in schema and the schema does not allow additional properties',
	});
	assert.deepEqual(await errors('/nodes/pve/rrddata'),
		{ timeframe: 'property is missing and it is not optional' });
	assert.deepEqual(await errors('/nodes/Home/qemu?full=true'),
		{ full: "type check ('boolean') failed - got 'true'" });
	assert.deepEqual(await errors('/nodes/Home/qemu/5/status/current'),
		{ vmid: 'value must have a minimum value of 100' });
	assert.deepEqual(await errors('/cluster/resources?type=qemu'), {
		type: "value 'qemu' does not have a value in the enumeration 'vm, storage, node, sdn'" });
	assert.deepEqual(await errors('/nodes/pve/status?node=Home'), {
		node: 'duplicate parameter (already defined in URI) with conflicting values!' });
	assert.equal((await sim.get('/version?_dc=123')).status, 200);
	const forbiddenFirst = await sim.get('/nodes/pve/status?foo=1', { token: 'none' });
	assert.equal(forbiddenFirst.status, 403);
	const unknownNode = await sim.get('/nodes/foo/status?bad=1');
	assert.equal(unknownNode.reason, "hostname lookup 'foo' failed - failed to get address info " +
		'for: foo: Name or service not known');
});

test('8.2 leaves the message out of the body', async (t) => {
	const sim = await startSim(t, '--pve', '8.2');
	const res = await sim.get('/nodes/pve/apt/update');
	assert.deepEqual(res.json, { data: null });
	assert.equal(res.reason, 'Permission check failed (/nodes/pve, Sys.Modify)');
	const auth = sim.authorization('monitor').replace(/.$/, 'x');
	const bad = await sim.get('/version', { token: null, headers: { Authorization: `${auth}x` } });
	assert.equal(bad.reason, 'invalid token value!');
});
