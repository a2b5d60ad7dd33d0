// jarvisctl on the nodes themselves, over real sshds: what a unit, a journal, a command and disks look like to a person,
// and that nothing in them reaches the terminal as a command to it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { start } from './actions_world.mjs';

const PROGRAM = resolve(process.env.JARVIS_BUILD ?? 'build', 'jarvisctl');
const HOSTILE = '\u202eevil\u202c <script>\u001b[31m\ttab\nJan 01 00:00:00 sshd[1]: Accepted publickey for root';
const home = mkdtempSync(join(tmpdir(), 'jarvisctl-nodes-'));
let w;

function call(...args) {
	const child = spawn('setsid', ['-w', PROGRAM, ...args], { env: { PATH: process.env.PATH, HOME: home, TZ: 'UTC' }, stdio: ['ignore', 'pipe', 'pipe'] });
	const out = { stdout: '', stderr: '' };
	for (const name of ['stdout', 'stderr']) child[name].setEncoding('utf8').on('data', (part) => { out[name] += part; });
	return new Promise((done) => child.on('close', (status) => done({ status, ...out })));
}

async function reads(tool, ...args) {
	const { status, stdout, stderr } = await call('run', tool, ...args);
	assert.equal(status, 0, stdout + stderr);
	return stdout;
}

before(async () => {
	w = await start({ services: ['proxmox-poller', 'thermal-collector', 'safety-gate', 'executor', 'gateway'],
		change: (config) => (config.protected.nodes = []) });
	const file = join(home, 'password');
	writeFileSync(file, `${w.stack.password}\n`, { mode: 0o600 });
	const { status, stderr } = await call('login', '--url', w.stack.url, '--user', 'operator', '--password-file', file);
	assert.equal(status, 0, stderr);
});
after(async () => {
	await w?.stop();
	rmSync(home, { recursive: true, force: true });
});

test('a unit, as it stands', async () => {
	assert.match(await reads('service_status', 'node=Home', 'unit=smbd.service'),
		/^smbd\.service {2}Samba SMB Daemon\n {2}active \(running\) since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\n {2}loaded, enabled, process \d+, 32\.6 MiB\n$/);
	await w.stack.ssh('unit', { node: 'Home', unit: 'smbd.service', state: 'failed' });
	assert.match(await reads('service_status', 'node=Home', 'unit=smbd.service'), /\n {2}failed since .*\n {2}loaded, enabled, result exit-code, status 1\n$/);
	assert.equal(await reads('service_status', 'node=Home', 'unit=nope.service'), 'nope.service\n  not on this node\n');
	const raw = JSON.parse((await call('run', '--json', 'service_status', 'node=Home', 'unit=nope.service')).stdout);
	assert.equal(raw.content.LoadState, 'not-found');
});

test('a journal, the newest last, with all that is hidden in it', async () => {
	await w.stack.ssh('log', { node: 'Home', unit: 'smbd.service', message: 'first', identifier: 'smbd', pid: 7 });
	await w.stack.ssh('log', { node: 'Home', unit: 'smbd.service', message: HOSTILE, identifier: 'sm\u200bbd', pid: 8, priority: 3 });
	await w.stack.ssh('log', { node: 'Home', unit: 'smbd.service', message: null, identifier: 'smbd', pid: 9, priority: 4 });
	const text = await reads('journal_tail', 'node=Home', 'unit=smbd.service', 'lines=3');
	const time = '\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d';
	assert.match(text, new RegExp(`^${time} smbd\\[7\\]: first\n`
		+ `${time} sm\\\\u\\{200b\\}bd\\[8\\]: error: \\\\u\\{202e\\}evil\\\\u\\{202c\\} <script>\\\\x1b\\[31m {4}tab\n`
		+ ` {4}Jan 01 00:00:00 sshd\\[1\\]: Accepted publickey for root\n`
		+ `${time} smbd\\[9\\]: warning: \\(a message too long to be shown\\)\n$`));
	assert.equal(await reads('journal_tail', 'node=Home', 'unit=never.service'), 'It has never written anything, or nothing that is kept.\n');
	const raw = JSON.parse((await call('run', '--json', 'journal_tail', 'node=Home', 'unit=smbd.service', 'lines=1')).stdout);
	assert.deepEqual(raw.content.lines.map((l) => [l.pid, l.message, l.priority]), [[9, null, 4]]);
});

test('a journal that is too long says that the older part of it is missing', async () => {
	await w.stack.ssh('log', { node: 'Home', unit: 'nfs-server.service', message: 'x'.repeat(2000), count: 300 });
	const text = await reads('journal_tail', 'node=Home', 'unit=nfs-server.service', 'lines=300');
	assert.match(text, /^verified: It was too long: the end of it is missing\.\n\d{4}-/);
	assert.doesNotMatch(await reads('journal_tail', 'node=Home', 'unit=nfs-server.service', 'lines=3'), /too long/);
});

test('how full the disks are', async () => {
	const lines = (await reads('disk_usage', 'node=Home')).split('\n');
	assert.match(lines[0], /^full +used +available +total +type +inodes +mount$/);
	assert.match(lines.find((l) => l.includes('zfs')), /^67% +1\.1 TiB +558 GiB +1\.8 TiB +zfs +6% +\/mnt\/my files$/);
	assert.match(lines.find((l) => l.includes('vfat')), / 10\.2 MiB .* vfat +- +\/boot\/efi$/);
});

test('what a command wrote, after how it ended', async () => {
	const file = join(home, 'keyword');
	writeFileSync(file, `${w.keyword}\n`, { mode: 0o600 });
	const { status, stdout, stderr } = await call('run', '--keyword-file', file, 'run_command', 'node=pve', 'command_id=reach',
		'params=count=1,host=agent1');
	assert.equal(status, 0, stdout + stderr);
	assert.match(stdout, /^verified: The command says that it is done\.\nPING agent1 .*\n[\s\S]*1 packets transmitted/);
});

test('what could not be read says why, and ends as an error', async () => {
	await w.stack.ssh('answers', { node: 'agent', mode: 'garbage' });
	const { status, stdout } = await call('run', 'journal_tail', 'node=agent', 'unit=ssh.service');
	assert.equal(status, 1, stdout);
	assert.match(stdout, /^failed: It could not be read: /);
});
