// A backup of a Jarvis that runs, and its restore, rehearsed: the services start from what came back, and know people,
// actions and the audit chain. And every way in which a backup is not what was saved.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
	appendFileSync, chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, statSync,
	symlinkSync, writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { newId, start } from './actions_world.mjs';
import { Browser, eventually } from './gateway_client.mjs';
import { callers, PROGRAM } from './jarvisctl_call.mjs';

const dir = mkdtempSync(join(tmpdir(), 'jarvisctl-backup-'));
const { expect } = callers(dir);
const SERVICES = ['proxmox-poller', 'safety-gate', 'executor', 'gateway'];
let w, from, roots, saved;

before(async () => {
	w = await start();
	from = ['data', 'secrets'].flatMap((name) => ['--from', join(w.stack.data, name)]);
	roots = ['data', 'secrets'].flatMap((name) => ['--root', join(w.stack.data, name)]);
});

after(async () => {
	await w?.stop();
	rmSync(dir, { recursive: true, force: true });
});

const snapshot = async (n) => w.operator.post('/api/tools/execute',
	{ request_id: newId(), tool: 'guest_snapshot', args: { guest: 101, snapshot: `b${n}` } });
const copyOf = (name) => {
	const copy = join(dir, name);
	rmSync(copy, { recursive: true, force: true });
	cpSync(saved, copy, { recursive: true });
	return copy;
};

test('is made while everything runs and is written to, and is whole', async () => {
	symlinkSync('/etc/shadow', join(w.stack.data, 'secrets/link'));
	writeFileSync(join(w.stack.data, 'data/gateway/other.db'), 'not of SQLite');
	let busy = true;
	const work = (async () => {
		for (let n = 0; busy && n < 200; n++) await w.operator.post('/api/tools/execute', { request_id: newId(), tool: 'guest_list', args: {} });
	})();
	saved = join(dir, 'saved');
	/* The broker's mosquitto.db is no database of SQLite. */
	const { stdout } = await expect(0, ['backup', ...from, '--from', join(w.stack.data, 'broker'), saved]);
	busy = false;
	await work;
	assert.match(stdout, /saved: \d+ files, [3-9] databases, 1 links, .*sockets and temporary files left out\n.*: whole: /);
	assert.equal(statSync(saved).mode & 0o777, 0o700);
	const manifest = JSON.parse(readFileSync(join(saved, 'manifest.json'), 'utf8'));
	const paths = manifest.entries.map((e) => e.path);
	assert.ok(paths.some((p) => p.endsWith('/safety-gate.db')) && paths.some((p) => p.endsWith('/gateway.db')));
	assert.ok(!paths.some((p) => /-wal$|-shm$/.test(p)));
	assert.equal(manifest.entries.find((e) => e.path.endsWith('/other.db')).kind, 'file');
	const link = manifest.entries.find((e) => e.path.endsWith('secrets/link'));
	assert.deepEqual([link.kind, link.target], ['link', '/etc/shadow'], 'a link is kept as one, and nobody follows it');
	assert.match((await expect(0, ['backup', '--check', saved])).stdout, /: whole: /);
	await expect(1, ['backup', ...from, saved]);
});

test('comes back: the services start from it, and know what they knew', async () => {
	const asked = await snapshot(1);
	assert.ok([200, 202].includes(asked.status), JSON.stringify(asked.body));
	const { id } = asked.body;
	const over = async () => (await w.operator.get(`/api/actions/${id}`)).body?.status === 'verified';
	await eventually(over, 20_000, 'the snapshot');
	const later = join(dir, 'later');
	await expect(0, ['backup', ...from, later]);

	assert.match((await expect(1, ['restore', '--replace', later])).stderr, /it would replace .*: if that is meant, add --root/);
	assert.match((await expect(1, ['restore', ...roots, '--replace', later])).stderr, /in use by .*(gateway|safety-gate) \(\d+\).*stop the services first/);
	for (const name of SERVICES) await w.stack.process(name).stop();
	// The host is lost: other databases, other keys.
	for (const name of ['data', 'secrets']) {
		const place = join(w.stack.data, name);
		const modes = readdirSync(place, { recursive: true }).filter((f) => !/-wal$|-shm$|initial/.test(f)).sort();
		renameSync(place, join(dir, `lost-${name}`));
		mkdirSync(place);
		assert.ok(modes.length > 3);
	}
	await expect(0, ['restore', ...roots, later]);
	const key = 'secrets/safety-gate/signing-key';
	assert.deepEqual(readFileSync(join(w.stack.data, key)), readFileSync(join(dir, 'lost-secrets/safety-gate/signing-key')));
	assert.equal(statSync(join(w.stack.data, key)).mode & 0o777, statSync(join(dir, 'lost-secrets/safety-gate/signing-key')).mode & 0o777);
	for (const name of SERVICES) await w.stack.start(name);
	const again = new Browser(w.stack.url);
	const logged = async () => (await again.login('operator', w.stack.password)).status === 200;
	await eventually(logged, 20_000, 'to log in again');
	const known = async () => (await again.get(`/api/actions/${id}`)).body?.status === 'verified';
	await eventually(known, 20_000, 'the action to be known');
	const db = join(w.stack.data, 'data/safety-gate/safety-gate.db');
	const pub = join(w.stack.data, 'secrets/safety-gate/signing-key.pub');
	assert.match((await expect(0, ['audit', 'verify', '--db', db, '--public', pub])).stdout, /sound/);
	const acts = async () => [200, 202].includes((await again.post('/api/tools/execute',
		{ request_id: newId(), tool: 'guest_snapshot', args: { guest: 101, snapshot: 'b2' } })).status);
	await eventually(acts, 30_000, 'to act again');
});

test('what is there already stays, aside, and only when that is asked for', async () => {
	const below = join(dir, 'below');
	mkdirSync(below);
	await expect(0, ['restore', '--below', below, saved]);
	const place = join(below, w.stack.data, 'secrets');
	writeFileSync(join(place, 'mine'), 'x');
	assert.match((await expect(1, ['restore', '--below', below, saved])).stderr, /there is something already; --replace moves it aside/);
	assert.ok(existsSync(join(place, 'mine')));
	await expect(0, ['restore', '--below', below, '--replace', saved]);
	assert.ok(!existsSync(join(place, 'mine')));
	const aside = readdirSync(join(below, w.stack.data)).filter((name) => /^secrets\.before-\d{8}T\d{6}Z$/.test(name));
	assert.equal(aside.length, 1);
	assert.ok(existsSync(join(below, w.stack.data, aside[0], 'mine')));
	assert.ok(!readdirSync(join(below, w.stack.data)).some((name) => name.endsWith('.restore')));
});

test('what is not what was saved is named, and nothing of it is restored', async () => {
	const entries = JSON.parse(readFileSync(join(saved, 'manifest.json'), 'utf8')).entries;
	const place = (copy, end) => join(copy, 'files', entries.find((e) => e.path.endsWith(end)).path);
	const wrong = async (name, spoil, told) => {
		const copy = copyOf('spoilt');
		spoil(copy);
		for (const args of [['backup', '--check', copy], ['restore', '--below', dir, copy]])
			assert.match((await expect(1, args)).stderr, told, name);
	};
	await wrong('a byte more', (c) => appendFileSync(place(c, 'signing-key.pub'), 'x'), /signing-key\.pub: is not what was saved/);
	await wrong('gone', (c) => rmSync(place(c, 'gateway.db')), /gateway\.db: No such file/);
	await wrong('a link', (c) => {
		rmSync(place(c, 'box-key'));
		symlinkSync('/etc/passwd', place(c, 'box-key'));
	}, /box-key: Too many levels|box-key:/);
	await wrong('no manifest', (c) => rmSync(join(c, 'manifest.json')), /manifest\.json: cannot be read.*is this a backup/);
	const change = (edit) => (c) => {
		const manifest = JSON.parse(readFileSync(join(c, 'manifest.json'), 'utf8'));
		edit(manifest);
		writeFileSync(join(c, 'manifest.json'), JSON.stringify(manifest));
	};
	await wrong('of tomorrow', change((m) => { m.format = 2; }), /not of a format that this jarvisctl knows/);
	await wrong('a way out', change((m) => { m.entries[1].path = `${m.roots[0]}/../../../etc/passwd`; }), /not what it must be/);
	await wrong('through a link', change((m) => {
		const folder = m.entries.find((e) => e.kind === 'folder' && !m.roots.includes(e.path));
		Object.assign(folder, { kind: 'link', target: '/etc' });
	}), /not what it must be/);
	await wrong('twice', change((m) => m.entries.push(m.entries.at(-1))), /not what it must be/);
	await wrong('a root without an entry', change((m) => m.roots.push('/etc/cron.d')), /not what it must be/);
	await wrong('another folder', change((m) => { m.entries[1].path = '/etc/passwd'; }), /not what it must be/);
	await wrong('a root that is none', change((m) => { m.roots[0] = '/'; }), /not what it must be/);
	await wrong('a strange mode', change((m) => { m.entries[1].mode = -1; }), /not what it must be/);
	await wrong('no JSON', (c) => writeFileSync(join(c, 'manifest.json'), '{"format":1'), /byte \d+/);
	assert.deepEqual(readdirSync(dir).filter((name) => name === 'tmp' || name.endsWith('.restore')), []);
});

test('what belongs to somebody who is not known here is root’s, and nothing gets rights by its mode', async () => {
	const copy = copyOf('foreign');
	const manifest = JSON.parse(readFileSync(join(copy, 'manifest.json'), 'utf8'));
	const key = manifest.entries.find((e) => e.path.endsWith('safety-gate/signing-key'));
	Object.assign(key, { owner: 'jarvis-nobody-knows', uid: 998, mode: 0o4755 });
	writeFileSync(join(copy, 'manifest.json'), JSON.stringify(manifest));
	const below = join(dir, 'foreign-below');
	mkdirSync(below);
	const { stderr } = await expect(0, ['restore', '--below', below, copy]);
	const stat = statSync(join(below, key.path));
	assert.equal(stat.mode & 0o7777, 0o755);
	if (process.getuid() !== 0) return;
	assert.match(stderr, /signing-key: its owner jarvis-nobody-knows is not known here, so it is root's/);
	assert.equal(stat.uid, 0);
});

test('when one folder cannot be put in its place, none is', async () => {
	const below = join(dir, 'half');
	mkdirSync(join(below, w.stack.data), { recursive: true });
	const places = ['data', 'secrets', 'broker'].map((name) => join(below, w.stack.data, name));
	for (const place of places) {
		mkdirSync(place);
		writeFileSync(join(place, 'mine'), 'x');
	}
	/* The name under which the last would be moved aside is taken, now and for a while. */
	const stamp = (s) => new Date(Date.now() + s * 1000).toISOString().replace(/[-:]|\.\d+/g, '');
	for (let s = 0; s < 30; s++) mkdirSync(`${places[2]}.before-${stamp(s)}`);
	assert.match((await expect(1, ['restore', '--below', below, '--replace', saved])).stderr, /broker\.before-.*cannot be made/);
	for (const place of places) assert.deepEqual(readdirSync(place), ['mine'], place);
});

test('a mount point is refused before anything is changed', { skip: process.getuid() !== 0 && 'needs root' }, async () => {
	const below = join(dir, 'mounted');
	const place = join(below, w.stack.data, 'secrets');
	mkdirSync(place, { recursive: true });
	const script = 'mount -t tmpfs none "$1" && shift && exec "$@"';
	const { status, stderr } = spawnSync('unshare', ['--mount', 'sh', '-c', script, 'sh', place, PROGRAM, 'restore', '--below', below, saved],
		{ encoding: 'utf8' });
	if (/^(unshare|mount): /m.test(stderr)) return; // a chroot, a container: nothing can be mounted there
	assert.equal(status, 1, stderr);
	assert.match(stderr, /secrets: is mounted, so it cannot be replaced as a whole/);
	assert.ok(!existsSync(join(below, w.stack.data, 'data')), 'nothing was put there');
});

test('a database that is damaged is no backup, and what is half made is said', async () => {
	const place = join(dir, 'place');
	mkdirSync(join(place, 'gateway'), { recursive: true });
	writeFileSync(join(place, 'gateway/gateway.db'), Buffer.concat([Buffer.from('SQLite format 3\0'), randomBytes(20_000)]));
	const told = (await expect(1, ['backup', '--from', place, join(dir, 'never')])).stderr;
	assert.match(told, /gateway\.db.*never\.partial/s);
	assert.ok(!existsSync(join(dir, 'never')));
	await expect(1, ['backup', '--from', join(dir, 'nothing'), join(dir, 'x')]);
	await expect(64, ['backup']);
	await expect(64, ['restore']);
	chmodSync(place, 0o755);
});
