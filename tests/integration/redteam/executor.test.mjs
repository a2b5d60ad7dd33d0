// An executor that somebody took over: the token that acts, the key to the nodes, its MQTT user; the gate's public key, and
// none that signs. What a request to a node may look like is in ssh_act*.test.mjs; here is what whoever holds the key gets.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { seal } from '../played_gate.mjs';
import { makeBoundary, makeRequest, parseAnswer, runProgram, sshArgv } from '../ssh_act_client.mjs';
import { WITH_SSH, assertRefused, attempt, eventually, newId, nodeChanges, pveAs, start, tell } from './world.mjs';

const UNIT = 'smbd.service';
const OTHER_SEED = '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb';
const SCHEMA = JSON.parse(readFileSync(join(import.meta.dirname, '../../sim/pve/api/schema-9.json'), 'utf8'));
const FILL = { node: 'Home', storage: 'local', sid: 'vm:101', id: 'x', userid: 'root@pam', tokenid: 'x', roleid: 'x', name: 'x', snapname: 'x', iface: 'vmbr0',
	service: 'sshd', poolid: 'x', newid: '999', pool: 'x', volume: 'local:iso/x', upid: 'UPID:Home:00000001:00000002:65000000:vzdump:101:root@pam:', path: '/' };

/** What the role of the executor's token lets it change, of all calls that change something; each is used by a tool, or is of the same right. */
const MAY = [
	...['reboot', 'resume', 'shutdown', 'start', 'stop', 'suspend'].flatMap((verb) => [`POST /nodes/{node}/qemu/{vmid}/status/${verb}`, `POST /nodes/{node}/lxc/{vmid}/status/${verb}`]),
	'POST /nodes/{node}/qemu/{vmid}/status/reset',
	...['qemu', 'lxc'].flatMap((kind) => [`POST /nodes/{node}/${kind}/{vmid}/snapshot`, `POST /nodes/{node}/${kind}/{vmid}/snapshot/{snapname}/rollback`,
		`DELETE /nodes/{node}/${kind}/{vmid}/snapshot/{snapname}`, `PUT /nodes/{node}/${kind}/{vmid}/snapshot/{snapname}/config`, `POST /nodes/{node}/${kind}/{vmid}/migrate`]),
	'POST /nodes/{node}/qemu/{vmid}/dbus-vmstate',
	...['shutdown', 'suspend-disk', 'suspend-hybrid', 'suspend-ram'].map((verb) => `POST /nodes/{node}/qemu/{vmid}/agent/${verb}`),
	'POST /nodes/{node}/qemu/{vmid}/monitor', 'POST /nodes/{node}/status', 'POST /nodes/{node}/wakeonlan',
	...['aplinfo', 'storage/{storage}/content', 'storage/{storage}/download-url', 'storage/{storage}/oci-registry-pull', 'storage/{storage}/upload'].map((path) => `POST /nodes/{node}/${path}`),
].sort();

let w;
const node = (name) => w.stack.sshInfo.nodes[name];
const sshTo = (name, command, more = []) => sshArgv({ key: join(w.stack.data, 'secrets/executor/ssh-key'), known: w.stack.sshInfo.known_hosts,
	port: node(name).port, user: w.stack.sshInfo.user, more }, command);
const login = (name, command, { more, input = '', ms = 8000 } = {}) => {
	attempt();
	return runProgram('ssh', sshTo(name, command, more), input, { ms });
};
/** A request to the node's command, with any envelope. */
const ask = async (name, tool, params, options = {}) => {
	const boundary = makeBoundary();
	const ran = await login(name, 'jarvis-act', { input: makeRequest(tool, params, { boundary, ...options }) });
	return { ...parseAnswer(ran.stdout, boundary), code: ran.code };
};
/** Some at a time: sshd turns away who comes with many. */
const inParallel = (list, work) => {
	const left = [...list];
	const worker = async () => {
		for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
	};
	return Promise.all(Array.from({ length: 4 }, worker));
};
const audited = () => w.records().length;

before(async () => {
	w = await start({ services: WITH_SSH, sim: { speed: 40 } });
});
after(() => w?.stop());

describe('the token of an executor that was taken over', () => {
	let pve;
	before(() => (pve = pveAs(w, 'control')));
	after(() => pve.close());

	test('CAN do what its role allows, without being asked; Proxmox records it, the gate knows nothing of it', async () => {
		const [mark, records] = [await w.mark(), audited()];
		const started = await pve.ask('POST', '/nodes/Home/qemu/109/status/start');
		assert.equal(started.status, 200, started.text);
		const upid = JSON.parse(started.text).data;
		assert.equal((await w.effects(mark)).length, 1);
		await eventually(async () => (await w.guest(109)).state === 'running', 10_000, 'it runs');
		const task = JSON.parse((await pve.ask('GET', `/nodes/Home/tasks/${upid}/status`)).text).data;
		assert.deepEqual([task.user, task.tokenid], ['jarvis@pve', 'control']);
		assert.equal(w.records().slice(records).filter((r) => r.body.action?.tool === 'guest_start').length, 0);
	});

	test('CANNOT do anything else, of all calls that change something and need a right', async () => {
		const mark = await w.mark();
		const let_through = [];
		const rows = Object.keys(SCHEMA).filter((key) => !key.startsWith('GET ') && key !== 'POST /access/ticket');
		await inParallel(rows, async (key) => {
			const [method, path] = key.split(' ');
			const vmid = path.includes('/lxc/') ? 101 : 109;
			const real = path.replace(/\{(\w+)\}/g, (_, name) => (name === 'vmid' ? vmid : encodeURIComponent(FILL[name] ?? 'x')));
			// Rights are looked at before parameters: whoever has them is told that this one is none.
			const { status } = await pve.ask(method, real, { 'no-such-parameter': '1' });
			if (status !== 403 && Array.isArray(SCHEMA[key].perm)) let_through.push(key);
			if (status === 200) assert.fail(`${key} was done`);
		});
		assert.deepEqual(let_through.sort(), MAY);
		assert.deepEqual(await w.effects(mark), []);
		for (const [method, path, form] of [['DELETE', '/nodes/Home/qemu/109'], ['DELETE', '/nodes/Home/lxc/101'], ['PUT', '/nodes/Home/qemu/109/config', { memory: 512 }],
			['POST', '/nodes/Home/qemu/109/clone', { newid: 999 }], ['PUT', '/access/acl', { path: '/', roles: 'Administrator', tokens: 'jarvis@pve!control' }],
			['POST', '/nodes/Home/execute', { commands: '[]' }], ['POST', '/nodes/Home/termproxy'], ['POST', '/nodes/Home/qemu/109/agent/exec', { command: 'id' }],
			['POST', '/access/users/root@pam/token/x', {}], ['DELETE', '/storage/local']]) {
			const { status, text } = await pve.ask(method, path, form);
			assert.ok(status === 403 || status === 501, `${method} ${path}: ${status} ${text}`);
		}
		assert.deepEqual(await w.effects(mark), []);
		const { guests } = await w.truth();
		assert.ok(guests[109] && guests[101]);
	});
});

describe('the key of an executor that was taken over', () => {
	test('CAN do what the nodes\' catalogues list, without a grant; today a node keeps the grant it is shown and does not look at it', async () => {
		const records = audited();
		const forged = JSON.stringify(seal(JSON.stringify({ v: 1, tool: 'guest_list' }), OTHER_SEED));
		const restarted = await ask('Home', 'service_restart', { unit: UNIT }, { envelope: forged, id: 'without-a-grant' });
		assert.deepEqual([restarted.outcome, restarted.value], ['exit', 0]);
		assert.equal((await ask('pve', 'run_command', { command_id: 'zpool_scrub', pool: 'tank' }, { envelope: forged })).value, 0);
		assert.equal((await ask('agent1', 'journal_tail', { unit: 'ssh.service', lines: 5 })).outcome, 'exit');
		assert.deepEqual(nodeChanges(w).map((line) => line.replace(/ \/.*\//g, ' ').split(' ')[1]), ['systemctl', 'zpool']);
		// The node's own log says so: who, what, and the envelope that was none.
		const log = readFileSync(join(node('Home').act, 'log'), 'utf8');
		assert.match(log, /without-a-grant from 127\.0\.0\.1: asks for service_restart unit=smbd\.service/);
		assert.ok(log.includes(forged.slice(0, 200)));
		assert.equal(audited(), records, 'the gate knows nothing of it');
	});

	test('CANNOT do what they do not list', async () => {
		const before = nodeChanges(w);
		await inParallel([['service_restart', { unit: 'ssh.service' }], ['service_stop', { unit: 'pveproxy.service' }], ['service_restart', { unit: '../smbd.service' }],
			['service_restart', { unit: 'smbd.service ssh.service' }], ['run_command', { command_id: 'sh' }], ['run_command', { command_id: 'zpool_scrub', pool: 'lake' }],
			['run_command', { command_id: 'zpool_scrub', pool: 'tank;id' }], ['run_command', { command_id: 'reach', host: '-f', count: 1 }], ['sh', {}], ['systemctl', { unit: UNIT }],
			['journal_tail', { unit: UNIT, lines: 5, file: '/etc/shadow' }], ['disk_usage', { path: '/' }]], async ([tool, params]) => {
			const answer = await ask('Home', tool, params);
			assert.equal(answer.outcome, 'refused', `${tool} ${JSON.stringify(params)}: ${JSON.stringify(answer)}`);
		});
		assert.deepEqual(nodeChanges(w), before);
	});

	test('CANNOT get a shell, a terminal, another program, a file or a way further', async () => {
		const before = nodeChanges(w);
		const calls = join(node('pve').act, 'calls');
		const started = () => (existsSync(calls) ? readFileSync(calls, 'utf8') : '');
		const was = started();
		const target = join(w.stack.runtime, 'written-over-ssh');
		const port = new URL(w.stack.url).port;
		await inParallel(['id', 'bash -i', `touch ${target}`, '/bin/sh -c id', `jarvis-act; touch ${target}`, `jarvis-act\ntouch ${target}`, 'jarvis-act --sandbox /', 'jarvis-act --check',
			'internal-sftp', '/usr/lib/openssh/sftp-server', `scp -t ${target}`, 'rsync --server . /'], async (command) => {
			const ran = await login('pve', command, { input: `touch ${target}\n` });
			assert.notEqual(ran.code, 0, command);
			assert.equal(ran.stdout.toString(), '', command);
		});
		await inParallel([['-tt'], ['-A'], ['-X'], ['-o', 'SendEnv=LD_PRELOAD'], ['-o', 'PermitLocalCommand=no', '-o', 'SetEnv=PATH=/tmp LD_PRELOAD=/tmp/x.so BASH_ENV=/tmp/x']], async (more) => {
			const ran = await login('pve', 'id', { more, input: `touch ${target}\n` });
			assert.doesNotMatch(ran.stdout.toString(), /uid=/, more.join(' '));
		});
		// Forwards: out of the node, into it, and by subsystems.
		const out = await login('pve', 'jarvis-act', { more: ['-W', `127.0.0.1:${port}`], input: 'GET /healthz HTTP/1.0\r\n\r\n' });
		assert.equal(out.stdout.toString(), '', 'no way out by the node');
		await inParallel([['-R', '0:127.0.0.1:22'], ['-R', '0'], ['-w', '0:0']], async (forward) => {
			const ran = await login('pve', 'jarvis-act', { more: ['-o', 'ExitOnForwardFailure=yes', ...forward] });
			assert.notEqual(ran.code, 0, forward.join(' '));
		});
		const sftp = await login('pve', 'sftp', { more: ['-s'], input: Buffer.from([0, 0, 0, 5, 1, 0, 0, 0, 3]) });
		assert.equal(sftp.stdout.length, 0, 'no sftp');
		const file = join(w.stack.runtime, 'to-copy');
		writeFileSync(file, 'x');
		attempt();
		const [, ...argv] = ['ssh', ...sshTo('pve', [])];
		const common = argv.slice(0, argv.indexOf('--')).map((word) => (word === '-p' ? '-P' : word));
		const scp = await runProgram('scp', [...common, file, `${w.stack.sshInfo.user}@127.0.0.1:${target}`], '', { ms: 8000 });
		assert.notEqual(scp.code, 0);
		assert.ok(!existsSync(target));
		assert.deepEqual(nodeChanges(w), before);
		assert.equal(started(), was, 'no program was started');
	});
});

describe('the place at the broker of an executor that was taken over', () => {
	test('holds no key that signs, and what it says of states and records the broker refuses', async () => {
		assert.deepEqual(readdirSync(join(w.stack.data, 'secrets/executor')).sort(), ['gate.pub', 'home.token', 'mqtt-password', 'ssh-key']);
		const user = await w.user('executor');
		const { body } = await w.execute('guest_shutdown', { guest: 143 });
		await assertRefused(user, [`action/${body.id}/state`, 'autonomy/state', 'audit/checkpoint', 'event/action', 'x/grant', 'x/epoch', 'x/cancel', 'action/request/executor',
			`action/${body.id}/approval/executor`, `action/${body.id}/approval/gateway`, 'autonomy/set/executor', 'pve/home/guest/143/state', 'service/safety-gate/main/state']);
		assert.equal((await w.seen(body.id)).status, 'waiting');
		await w.decide(body.id, 'deny');
	});

	test('CAN lie about what it did; CANNOT have what was not approved granted', async () => {
		const mark = await w.mark();
		await w.stack.process('executor').stop();
		const user = await w.user('executor');
		const got = { epoch: [], grant: [] };
		user.client.on('message', (topic, bytes) => got[topic.split('/').at(-1)]?.push(JSON.parse(bytes)));
		await user.client.subscribeAsync(['jarvis/x/epoch', 'jarvis/x/grant'], { qos: 1 });
		const nonce = 'abcdef0123456789'.repeat(4);
		await user.say('x/hello', { nonce, holds: [] });
		await eventually(() => got.epoch.length > 0, 5000, 'an epoch');
		const { epoch } = got.epoch[0];
		const claim = async (id) => {
			attempt();
			const n = got.grant.length;
			await user.say('x/claim', { id, nonce, epoch });
			await eventually(() => got.grant.length > n, 5000, 'the gate answers');
			return got.grant.at(-1);
		};
		const waiting = (await w.execute('guest_shutdown', { guest: 143 })).body;
		const refused = await claim(waiting.id);
		assert.ok(refused.refused && !refused.envelope, JSON.stringify(refused));
		const { body } = await w.execute('guest_snapshot', { guest: 101, snapshot: newId('s') }, { wait_s: 0 });
		const { envelope } = await claim(body.id);
		const { gid } = JSON.parse(Buffer.from(envelope.payload, 'base64'));
		assert.ok((await claim(body.id)).refused, 'a grant is given once');
		await user.say('x/result', { id: body.id, step: 0, gid, outcome: 'verified', detail: 'Done.', upid: null, content: null });
		assert.equal((await w.over(body.id)).status, 'verified', 'it is believed');
		assert.deepEqual(await w.effects(mark), []);
		// Told in the record as granted, which is more than was done; never less.
		assert.deepEqual(w.recordsOf(body.id), ['allowed', 'granted', 'verified']);
		await w.decide(waiting.id, 'deny');
		await w.stack.start('executor');
	});

	test('CANNOT touch the record', (t) => {
		const chain = w.verify();
		assert.equal(chain.status, 0, chain.text);
		tell(t);
	});
});
