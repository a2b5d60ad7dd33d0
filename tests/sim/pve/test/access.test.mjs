import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { startSim } from './helper.mjs';

test('rights decide silently in lists and loudly elsewhere', async (t) => {
	const sim = await startSim(t);
	const none = { token: 'none' };

	const rows = await sim.data('/cluster/resources', none);
	assert.deepEqual([...new Set(rows.map((row) => row.type))], ['node']);
	assert.equal(rows[0].maxmem, undefined);
	assert.deepEqual(await sim.data('/nodes/Home/qemu', none), []);
	assert.deepEqual(await sim.data('/nodes/Home/storage', none), []);
	assert.deepEqual(await sim.data('/cluster/tasks', none), []);
	assert.deepEqual(await sim.data('/access/permissions', none), {});
	const refused = await sim.get('/cluster/status', none);
	assert.equal(refused.reason, 'Permission check failed (/, Sys.Audit)');
	assert.equal(refused.json.message, 'Permission check failed (/, Sys.Audit)\n');

	const mine = await sim.data('/access/permissions');
	assert.equal(mine['/']['VM.Audit'], 1);
	assert.equal(mine['/']['VM.PowerMgmt'], undefined);
	assert.equal(mine['/']['VM.GuestAgent.Audit'], 1);

	const start = await sim.post('/nodes/Home/qemu/109/status/start', {}, { token: 'monitor' });
	assert.deepEqual([start.status, start.reason],
		[403, 'Permission check failed (/vms/109, VM.PowerMgmt)']);
	const rollback = await sim.post('/nodes/Home/qemu/109/snapshot/x/rollback', {},
		{ token: 'monitor' });
	assert.equal(rollback.reason,
		'Permission check failed (/vms/109, VM.Snapshot|VM.Snapshot.Rollback)');
	const destroy = await sim.ask('DELETE', '/nodes/Home/qemu/109', { token: 'control' });
	assert.equal(destroy.reason, 'Permission check failed (/vms/109, VM.Allocate)');
	const execute = await sim.post('/nodes/Home/execute', { commands: '[]' });
	assert.equal(execute.status, 403);
	const config = await sim.ask('PUT', '/nodes/Home/qemu/109/config',
		{ token: 'control', body: { memory: 512 } });
	assert.equal(config.status, 403);
	const skiplock = await sim.post('/nodes/Home/qemu/109/status/start', { skiplock: 1 });
	assert.deepEqual(skiplock.json.errors, { skiplock: 'Only root may use this option.' });
});

test('tokens are revoked, expire, and get other rights', async (t) => {
	const sim = await startSim(t);
	await sim.control('token_revoke', { token: 'monitor' });
	assert.equal((await sim.get('/version')).status, 401);
	await sim.control('token_restore', { token: 'monitor' });
	assert.equal((await sim.get('/version')).status, 200);
	await sim.control('token_expire', { token: 'monitor' });
	assert.equal((await sim.get('/version')).status, 401);
	await sim.control('token_acl', { token: 'control', acl: [
		{ path: '/', roles: ['NoAccess'] }, { path: '/pool/smarthome', roles: ['JarvisPower'] }] });
	const rows = await sim.data('/cluster/resources?type=vm', { token: 'control' });
	assert.deepEqual(rows.map((row) => row.vmid), [100, 120, 124, 125, 126, 141]);
});

test('tickets need their CSRF token', async (t) => {
	const sim = await startSim(t);
	const { users } = sim.describe();
	const password = readFileSync(users.root.password_file, 'utf8').trim();
	const login = (body, token = null) => sim.post('/access/ticket', body, { token });

	const wrong = await login({ username: 'root@pam', password: 'guess' });
	assert.deepEqual([wrong.status, wrong.reason, wrong.json],
		[401, 'authentication failure', { data: null, message: 'authentication failure\n' }]);
	const { data } = (await login({ username: 'root@pam', password })).json;
	assert.match(data.ticket, /^PVE:root@pam:[0-9A-F]{8}::/);
	assert.equal(data.clustername, 'home');
	const cookie = { Cookie: `PVEAuthCookie=${encodeURIComponent(data.ticket)}` };
	const updates = await sim.get('/nodes/pve/apt/update', { token: null, headers: cookie });
	assert.equal(updates.status, 200);
	const path = '/nodes/Home/qemu/109/status/start';
	const bare = await sim.post(path, {}, { token: null, headers: cookie });
	assert.deepEqual([bare.status, bare.reason, bare.text],
		[401, 'Permission denied - invalid csrf token', '']);
	const full = await sim.post(path, {},
		{ token: null, headers: { ...cookie, CSRFPreventionToken: data.CSRFPreventionToken } });
	assert.equal(full.status, 200);
	const renewed = await login({ username: 'root@pam', password: data.ticket });
	assert.equal(renewed.status, 200);
	const byToken = await login({ username: 'root@pam', password }, 'monitor');
	assert.equal(byToken.reason, "Permission check failed (URI '/access/ticket' not available with " +
		'API token, need proper ticket.)');
});
