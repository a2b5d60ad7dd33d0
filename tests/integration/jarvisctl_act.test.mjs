// jarvisctl as a client of the gateway, on the whole stack: every command with its exit code, questions at a terminal,
// text that nobody should trust, and the freeze that needs nobody else.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash, createHmac } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer as createPlain, request } from 'node:http';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { freePort } from '../stack/ports.mjs';
import { startStack } from '../stack/stack.mjs';
import { Browser, eventually } from './gateway_client.mjs';
import { callers, PROGRAM } from './jarvisctl_call.mjs';
import { quick } from './poller_world.mjs';

const dir = mkdtempSync(join(tmpdir(), 'jarvisctl-act-'));
const files = { keyword: join(dir, 'keyword'), code: join(dir, 'code'), password: join(dir, 'password'), token: join(dir, 'token') };
const { start, run, expect, atTerminal } = callers(dir);
let stack, tlsPort, browser;

function write(name, text) {
	writeFileSync(files[name], `${text}\n`, { mode: 0o600 });
	return files[name];
}

before(async () => {
	tlsPort = await freePort();
	const config = (c) => {
		quick(c);
		c.gateway.origins = [`https://localhost:${tlsPort}`, `https://127.0.0.1:${tlsPort}`];
		c.gateway.trusted_proxies = ['127.0.0.1'];
	};
	stack = await startStack({ enrol: 'operator', config, sim: { life: 'off', 'auth-delay': 50, speed: 4 },
		services: ['proxmox-poller', 'safety-gate', 'executor', 'gateway'] });
	write('password', stack.password);
	write('keyword', stack.proof.keyword);
	browser = new Browser(stack.url);
	await browser.login('operator', stack.password);
	const fit = async () => (await browser.get('/api/autonomy')).body?.unfit === null;
	await eventually(fit, 15_000, 'the gate to be fit');
	const asked = async () => (await browser.post('/api/tools/execute',
		{ request_id: `r${Math.random()}`.replace('.', ''), tool: 'guest_resume', args: { guest: 148 } })).status === 200;
	await eventually(asked, 15_000, 'the gate to see the cluster live');
});

after(async () => {
	const stubborn = await stack?.stop();
	rmSync(dir, { recursive: true, force: true });
	assert.deepEqual(stubborn ?? [], []);
});

function totp(secret, ms) {
	const bits = [...secret].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('');
	const counter = Buffer.alloc(8);
	counter.writeBigUInt64BE(BigInt(Math.floor(ms / 30_000)));
	const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
	const mac = createHmac('sha1', key).update(counter).digest();
	return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

let lastStep = 0;
/** A code that was not used yet: each is good once, and those beside the present one too. */
async function nextCode() {
	lastStep = Math.max(lastStep + 1, Math.floor(Date.now() / 30_000) - 1);
	await eventually(() => Math.floor(Date.now() / 30_000) + 1 >= lastStep, 60_000, 'the next code');
	return totp(stack.proof.totp, lastStep * 30_000);
}

const truth = async (vmid) => (await (await fetch(`${stack.simInfo.control_url}/state`)).json()).guests[vmid].state;
const NO_ESCAPES = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/;
const idOf = (text) => /\b[0-9A-HJKMNP-TV-Z]{26}\b/.exec(text)?.[0];

// ── without anybody ─────────────────────────────────────────────────────────────────────────────────────────────

test('tools needs no gateway, and says what the gateway says', async () => {
	const list = await expect(0, ['tools'], { home: 'nobody' });
	assert.match(list.stdout, /^guest_shutdown +orange +Ask a guest to shut itself down\.$/m);
	assert.match((await expect(0, ['tools', 'guest_stop'])).stdout, /--confirmed and a one-time code/);
	const { body } = await browser.get('/api/tools');
	assert.deepEqual(JSON.parse((await expect(0, ['tools', '--json'])).stdout).items, body.items);
	const one = JSON.parse((await expect(0, ['tools', '--json', 'guest_start'])).stdout);
	assert.deepEqual([one.tier, one.schema.required], ['yellow', ['guest']]);
	assert.match((await expect(1, ['tools', 'guest_destroy'])).stderr, /no tool of this name/);
});

test('every command says how it is used', async () => {
	const { stdout } = await expect(0, ['--help']);
	for (const [, name] of stdout.matchAll(/^ {2}([a-z-]+) {2,}/gm)) {
		assert.match((await expect(0, [name, '--help'])).stdout, new RegExp(`jarvisctl ${name}`));
	}
	for (const args of [['run'], ['approve'], ['action'], ['level', '5'], ['level', 'x'], ['freeze', 'x'], ['unfreeze', '--file'], ['deny'],
		['login', 'x'], ['tools', 'a', 'b'], ['run', '--wait', '-1', 'guest_list'], ['actions', '--keyword-file', 'x'], ['audit', '--limit', '0']]) {
		assert.match((await expect(64, args)).stderr, /usage:/, args.join(' '));
	}
	assert.match((await expect(64, ['action', '../session'])).stderr, /26 letters and digits/);
});

test('who is not logged in, or asks at the wrong place, is told how to mend it', async () => {
	const nobody = { home: 'nobody' };
	assert.match((await expect(77, ['actions'], nobody)).stderr, /not logged in at http:\/\/127\.0\.0\.1:3004: jarvisctl login/);
	assert.match((await expect(77, ['actions', '--url', stack.url], nobody)).stderr, new RegExp(`login --url ${stack.url}`));
	const free = await freePort();
	const down = await expect(69, ['login', '--url', `http://127.0.0.1:${free}`, '--user', 'operator', '--password-file', files.password], nobody);
	assert.match(down.stderr, /Connection refused.*not reachable.*--url/);
	const plain = await expect(64, ['login', '--url', 'http://192.0.2.1:3004', '--user', 'o', '--password-file', files.password], nobody);
	assert.match(plain.stderr, /http is not allowed there; *--url https/);
	for (const url of ['192.0.2.1', 'ftp://a', 'https://', 'https://a/b', 'https://u@a', 'https://a b']) {
		assert.match((await expect(64, ['actions', '--url', url], nobody)).stderr, /not the address of a gateway/, url);
	}
	const wrong = await expect(77, ['login', '--url', stack.url, '--user', 'operator', '--password-file', '-'], { ...nobody, input: 'wrong\n' });
	assert.match(wrong.stderr, /user or password is wrong/);
	const asked = await expect(64, ['login', '--url', stack.url, '--user', 'operator'], nobody);
	assert.match(asked.stderr, /no terminal.*--password-file/);
	assert.ok(!existsSync(join(dir, 'nobody/config/jarvis/session.json')));
});

// ── logging in ──────────────────────────────────────────────────────────────────────────────────────────────────

test('login keeps a session that only its owner reads, and logout ends it', async () => {
	const session = (home) => join(dir, home, 'config/jarvis/session.json');
	const login = ['login', '--url', stack.url, '--user', 'operator', '--password-file', files.password];
	assert.match((await expect(0, login)).stdout, /operator is logged in at .* as operator/);
	assert.equal(statSync(session('operator')).mode & 0o777, 0o600);
	assert.equal(statSync(join(session('operator'), '..')).mode & 0o777, 0o700);
	assert.match((await expect(0, ['actions'])).stdout, /no action waits/);
	// It is for one address.
	await expect(77, ['actions', '--url', `http://127.0.0.1:${await freePort()}`]);

	const typed = await atTerminal(['login', '--url', stack.url], [['User: ', 'operator\r'], ['Password of operator', `${stack.password}\r`]], 'typed');
	assert.equal(typed.status, 0, typed.shown);
	assert.ok(!typed.shown.includes(stack.password), 'the password is not shown');
	chmodSync(session('typed'), 0o644);
	assert.match((await expect(77, ['actions'], { home: 'typed' })).stderr, /others may read.*chmod 600/);
	chmodSync(session('typed'), 0o600);
	const { cookie } = JSON.parse(readFileSync(session('typed'), 'utf8'));
	await expect(0, ['logout'], { home: 'typed' });
	assert.ok(!existsSync(session('typed')));
	const old = new Browser(stack.url);
	old.cookie = cookie;
	assert.equal((await old.get('/api/session')).status, 401, 'it is over there too');
	writeFileSync(session('typed'), JSON.stringify({ url: stack.url, cookie }), { mode: 0o600 });
	assert.match((await expect(77, ['actions'], { home: 'typed' })).stderr, /the session has ended: jarvisctl login/);
});

test('client.yaml says where the gateway is and which token to use; it must be ours alone', async () => {
	const made = await browser.post('/api/tokens', { name: 'ctl', scopes: ['read', 'propose'], days: 1 });
	const secret = made.body.secret ?? made.body.token;
	assert.ok(secret, JSON.stringify(made.body));
	write('token', secret);
	const home = 'program', folder = join(dir, home, 'config/jarvis'), yaml = join(folder, 'client.yaml');
	mkdirSync(folder, { recursive: true });
	writeFileSync(yaml, `url: ${stack.url}\ntoken_file: ${files.token}\n`, { mode: 0o600 });
	const { stdout } = await expect(0, ['run', 'guest_status', '100'], { home });
	assert.match(stdout, /name +home-assistant/);
	chmodSync(files.token, 0o640);
	assert.match((await expect(66, ['actions'], { home })).stderr, /token: others may read.*chmod 600/);
	chmodSync(files.token, 0o600);
	chmodSync(yaml, 0o666);
	assert.match((await expect(78, ['actions'], { home })).stderr, /client\.yaml: others may read or change it/);
	chmodSync(yaml, 0o600);
	writeFileSync(yaml, `url: ${stack.url}\npassword: x\n`);
	assert.match((await expect(78, ['actions'], { home })).stderr, /client\.yaml:2:1: must be url, ca, fingerprint or token_file/);

	// What a program may only propose waits for a person, and it approves nothing.
	const options = ['--url', stack.url, '--token-file', files.token];
	const waits = await expect(3, ['run', ...options, 'guest_start', '127']);
	assert.match(waits.stderr, /Start a guest\..*a token approves nothing; it waits for a person's yes/s);
	const id = idOf(waits.stderr);
	await expect(0, ['deny', id]);
	assert.match((await expect(0, ['action', id])).stdout, /status +denied/);
	await expect(2, ['approve', '--yes', id]);
	assert.equal(await truth(127), 'stopped');
});

// ── acting ──────────────────────────────────────────────────────────────────────────────────────────────────────

test('reads are answered for people and for programs', async () => {
	const list = await expect(0, ['run', 'guest_list', 'node=agent']);
	assert.match(list.stdout, /^home +160 +pihole2 +lxc +agent +running/m);
	const json = JSON.parse((await expect(0, ['run', '--json', 'guest_list', 'node=agent'])).stdout);
	assert.deepEqual(json.content.items.map((item) => item.doc.vmid), [160, 161]);
	assert.match((await expect(0, ['level'])).stdout, /^level +2 {2}ask.*^frozen +no.*^codes +operator/ms);
	assert.equal(JSON.parse((await expect(0, ['level', '--json'])).stdout).frozen, false);
});

test('a reversible action is done and followed; slips of the pen go nowhere', async () => {
	const started = await expect(0, ['run', 'guest_start', 'guest=127', '--reason', 'a test']);
	assert.match(started.stdout, /^verified: /);
	assert.equal(await truth(127), 'running');
	for (const [args, why] of [[['guest_start'], /guest: is missing/], [['guest_start', '127', '128'], /guest is given twice/], [['guest_start', 'x=1'], /no argument x/],
		[['guest_shutdown', '127', 'timeout=9'], /timeout/], [['guest_snapshot', '127', 'snapshot=a', 'memory=maybe'], /memory/],
		[['run_command', 'Home', 'command_id=reach', 'params=count=1', 'params.host=nas'], /params\.host=nas: either params=NAME=VALUE,… once, or params\.NAME=VALUE each/],
		[['run_command', 'Home', 'command_id=reach', 'params.host'], /params\.host: either/], [['run_command', 'Home', 'command_id=reach', 'params.host='], /params: an object/],
		[['run_command', 'Home', 'command_id=reach', 'params.host=a', 'params.host=b'], /args: .*twice|params/], [['guest_start', 'guest.x=1'], /no argument guest\.x/],
		[['guest_destroy', '127'], /no tool guest_destroy/], [['guest_start', '--target', '127', '128'], /guest/]]) {
		assert.match((await expect(64, ['run', ...args])).stderr, why);
	}
	const unknown = await expect(2, ['run', 'guest_start', 'no-such-guest']);
	assert.match(unknown.stderr, /refused \(black, rule target\.unknown\)/);
	const state = await expect(2, ['run', 'guest_resume', '127']);
	assert.match(state.stderr, /jarvisctl: /);
	await stack.sim('guest_fail_start', { vmid: 145 });
	const failed = await expect(1, ['run', 'guest_start', '145']);
	assert.match(failed.stdout, /^failed: /);
	const batch = await expect(0, ['run', '--json', '--target', '126', '--target', '125', 'guest_snapshot', 'snapshot=both']);
	assert.equal(JSON.parse(batch.stdout).status, 'verified');
});

test('a dry run says how it would be judged, and leaves nothing', async () => {
	const size = JSON.parse((await expect(0, ['audit', '--json', '--limit', '1'])).stdout).records[0].seq;
	assert.match((await expect(0, ['run', '--dry-run', 'guest_snapshot', '101', 'snapshot=x1'])).stdout, /^yellow: it would be done at once\n/);
	const asks = (await expect(3, ['run', '--dry-run', 'guest_shutdown', '101'])).stdout;
	assert.match(asks, /^orange: it would wait for the keyword\n.*\n {2}on home\/guest\/101\n[^]*checked: that it is stopped\n$/);
	const places = (...params) => ['run', '--dry-run', '--confirmed', 'run_command', 'Home', ...params];
	const usage = await expect(3, places('command_id=folder_usage', 'params.folder=/srv/share/a, b=c'));
	assert.match(usage.stdout, /^red: it would wait for a one-time code\n/);
	assert.match((await expect(2, places('command_id=folder_usage', 'params=folder=/srv/share2'))).stdout, /^black: it would be refused, by command\n[^]*lies in none/);
	assert.match((await expect(2, places('params.url=https://127.1/', 'command_id=archive_check'))).stdout, /^black: .*\n[^]*nobody may be sent to/);
	assert.match((await expect(2, ['run', '--dry-run', 'guest_stop', '101'])).stdout, /^red: it would be refused, by unconfirmed\n/);
	assert.match((await expect(3, ['run', '--dry-run', '--confirmed', 'guest_stop', '101'])).stdout, /^red: it would wait for a one-time code\n/);
	assert.equal(JSON.parse((await expect(2, ['run', '--dry-run', '--json', 'guest_shutdown', '140'])).stdout).rule, 'self');
	assert.equal(JSON.parse((await expect(0, ['audit', '--json', '--limit', '1'])).stdout).records[0].seq, size);
	const kinds = JSON.parse((await expect(0, ['audit', '--json', '--kind', 'refused', '--limit', '3'])).stdout).records.map((r) => r.kind);
	assert.ok(kinds.length && kinds.every((k) => k === 'refused'), kinds.join());
	await expect(64, ['audit', '--kind', 'no kind']);
});

test('what interrupts is shown, and asks for the keyword at the terminal', async () => {
	const wrong = 'not the keyword', { keyword } = stack.proof;
	const { status, shown } = await atTerminal(['run', 'guest_shutdown', '127', '--reason', 'cleaning'],
		[['Keyword to approve this', `${wrong}\r`], ['keyword or code is wrong', ''], ['Keyword to approve this', `${keyword}\r`]]);
	assert.equal(status, 0, shown);
	assert.ok(!shown.includes(wrong) && !shown.includes(keyword), 'nothing typed is shown');
	const facts = shown.slice(0, shown.indexOf('Keyword to approve'));
	for (const fact of [/Ask a guest to shut itself down/, /opnsense-lab \(home\/guest\/127\)/, /operator \(user/, /cleaning/, /stopped/, /time left/]) assert.match(facts, fact);
	assert.equal(await truth(127), 'stopped');

	const gaveUp = await atTerminal(['run', 'guest_shutdown', '126'], [['Keyword to approve this', '\x03']]);
	assert.equal(gaveUp.status, 3, gaveUp.shown);
	await expect(0, ['cancel', idOf(gaveUp.shown.slice(gaveUp.shown.indexOf('jarvisctl approve')))]);
	assert.equal(await truth(126), 'running');
});

test('without a terminal it waits, until somebody approves, denies or cancels it', async () => {
	const waits = async (vmid) => idOf((await expect(3, ['run', 'guest_shutdown', String(vmid)])).stderr);
	const [first, second] = [await waits(126), await waits(125)];
	const list = await expect(0, ['actions']);
	assert.match(list.stdout, new RegExp(`^${first} .*waiting +orange +guest_shutdown +node-red \\(home/guest/126\\) +operator$`, 'm'));
	assert.deepEqual(JSON.parse((await expect(0, ['actions', '--json'])).stdout).items.map((a) => a.id), [second, first]);
	const action = JSON.parse((await expect(0, ['action', '--json', first])).stdout);
	assert.equal(action.need, 'keyword');
	await expect(2, ['approve', '--digest', '0'.repeat(64), '--keyword-file', files.keyword, first]);
	const wrong = await expect(2, ['approve', '--keyword-file', '-', first], { input: 'wrong keyword\n' });
	assert.match(wrong.stderr, new RegExp(`it still waits: jarvisctl approve ${first}, or jarvisctl cancel ${first}`));
	const approved = await expect(0, ['approve', '--digest', action.digest, '--keyword-file', '-', first], { input: `${stack.proof.keyword}\n` });
	assert.match(approved.stderr, /node-red \(home\/guest\/126\)/, 'what is approved is shown in any case');
	assert.match(approved.stdout, /status +verified.*approved by +operator/s);
	assert.equal(await truth(126), 'stopped');
	await expect(0, ['deny', second]);
	await expect(2, ['deny', second]);
	await expect(1, ['deny', '01ARZ3NDEKTSV4RRFFQ69G5FAV']);
	assert.match((await expect(0, ['actions', '--all'])).stdout, new RegExp(`^${second} .*denied`, 'm'));
	assert.equal(await truth(125), 'running');
	await expect(0, ['run', '--keyword-file', files.keyword, 'guest_shutdown', '125']);
});

test('with a keyword the gateway waits for the end as long as it was asked to', async () => {
	await stack.sim('endpoint_slow', { node: 'pve', ms: 1200 });
	const began = performance.now();
	const body = { request_id: 'slow-reboot', tool: 'guest_reboot', args: { guest: 124 }, keyword: stack.proof.keyword, wait_s: 60 };
	const answer = await browser.post('/api/tools/execute', body);
	await stack.sim('endpoint_up', { node: 'pve' });
	assert.deepEqual([answer.status, answer.body.status], [200, 'verified'], JSON.stringify(answer.body));
	assert.ok(performance.now() - began > 3000, 'it takes longer than the gateway waits for the gate');
});

test('what can lose data asks to be confirmed, and for a code that is good once', async () => {
	const unconfirmed = await expect(2, ['run', 'guest_stop', '122']);
	assert.match(unconfirmed.stderr, /rule unconfirmed.*--confirmed/s);
	const { stderr } = await expect(2, ['run', '--confirmed', '--keyword-file', files.keyword, 'guest_stop', '122']);
	const id = idOf((await expect(0, ['actions'])).stdout);
	assert.match(stderr, new RegExp(`needs a one-time code. Action ${id} still waits\\.`));
	await expect(0, ['cancel', id]);
	assert.equal(await truth(122), 'running');
	const code = await nextCode();
	const { status, shown } = await atTerminal(['run', '--confirmed', 'guest_stop', '122'], [['One-time code to approve this', `${code}\r`]]);
	assert.equal(status, 0, shown);
	assert.match(shown, /unless it is cancelled/);
	assert.match(shown, /\x1b\[31mred\x1b\[0m/, 'a terminal gets colours');
	assert.equal(await truth(122), 'stopped');
	const again = await expect(2, ['level', '4', '--code-file', write('code', code)]);
	assert.match(again.stderr, /used before|is wrong/);
});

test('the level is lowered by anybody, and raised with a code', async () => {
	assert.match((await expect(0, ['level', '1'])).stdout, /^level 1 {2}advise/);
	assert.match((await expect(2, ['level', '3'])).stderr, /no terminal.*--code-file.*one-time code/s);
	const { status, shown } = await atTerminal(['level', '3', '--runbook', 'restart'], [['One-time code, to raise', `${await nextCode()}\r`]]);
	assert.equal(status, 0, shown);
	assert.match((await expect(0, ['level'])).stdout, /^level +1 {2}.*^ {2}runbook +restart: 3$/ms);
});

test('level says why agents wait, when the policy on the disk is bad', async () => {
	const good = readFileSync(stack.configFile, 'utf8');
	const reload = (text) => {
		writeFileSync(stack.configFile, text);
		stack.process('safety-gate').signal('SIGHUP');
	};
	reload(`${good}\nnonsense: [\n`);
	await stack.waitFor('jarvis/autonomy/state', (d) => d?.unfit_agents, 5000);
	await eventually(async () => /^agents +jarvis\.yaml has an error/m.test((await expect(0, ['level'])).stdout), 5000, 'level says it');
	reload(good);
	await stack.waitFor('jarvis/autonomy/state', (d) => d?.unfit_agents === null, 5000);
	await eventually(async () => !/^agents/m.test((await expect(0, ['level'])).stdout), 5000, 'level says nothing of it');
});

test('audit shows the newest records', async () => {
	const { stdout } = await expect(0, ['audit', '--limit', '5']);
	assert.equal(stdout.trimEnd().split('\n').length, 5);
	const { records, next } = JSON.parse((await expect(0, ['audit', '--json', '--limit', '120'])).stdout);
	assert.ok(records.length > 30, 'more than a page of the gateway');
	assert.deepEqual(records.map((r) => r.seq), records.map((_, i) => records[0].seq - i));
	const older = JSON.parse((await expect(0, ['audit', '--json', '--limit', '3', '--before', String(records[9].seq)])).stdout);
	assert.deepEqual(older.records, records.slice(10, 13));
	assert.ok(next === 0 || next <= records.at(-1).seq);
	assert.match(stdout, /level/);
	const all = (await expect(0, ['audit', '--limit', '120'])).stdout;
	assert.match(all, /approved +guest_stop \S+ \(home\/guest\/122\), for operator, by operator$/m);
	assert.match(all, /granted +guest_stop \S+ \(home\/guest\/122\), for operator, text [0-9a-f]{32}$/m);
});

// ── text that nobody should trust ───────────────────────────────────────────────────────────────────────────────

test('names, reasons and logs reach a terminal as text alone', async () => {
	const evil = '\u001b]0;owned\u0007\u001b[2Jweb\u202egnp\u009b31m\r\nfake';
	const observer = await stack.mqtt();
	const topic = 'jarvis/pve/home/guest/161/state';
	const doc = stack.observer.docs.get(topic).doc;
	await observer.publishAsync(topic, JSON.stringify({ ...doc, ts: Date.now(), name: evil }), { retain: true, qos: 1 });
	await eventually(async () => (await browser.get('/api/state/pve/home/guest/161/state')).body.name === evil, 5000, 'the name');
	const seen = await expect(0, ['run', 'guest_status', '161']);
	const waiting = await expect(3, ['run', 'guest_shutdown', '161', '--reason', 'a\u001b[31mred\u202e']);
	const id = idOf(waiting.stderr);
	const terminal = await atTerminal(['approve', id], [['Keyword to approve', '\x03']]);
	for (const text of [seen.stdout, waiting.stderr, (await expect(0, ['actions'])).stdout, (await expect(0, ['action', id])).stdout]) {
		assert.match(text, /\\x1b/);
		assert.doesNotMatch(text.replaceAll('\n', ''), NO_ESCAPES);
	}
	assert.match(seen.stdout, /\\x1b\]0;owned\\x07\\x1b\[2Jweb\\u\{202e\}gnp\\x9b31m\\x0d\\x0afake/);
	// At a terminal there are colours, and no other sequences.
	assert.doesNotMatch(terminal.shown.replaceAll(/\x1b\[[0-9;]*m|\r|\n/g, ''), NO_ESCAPES);
	assert.equal(JSON.parse((await expect(0, ['action', '--json', id])).stdout).reason, 'a\u001b[31mred\u202e', 'programs get what it is');
	await expect(0, ['deny', id]);
	await observer.publishAsync(topic, JSON.stringify({ ...doc, ts: Date.now() }), { retain: true, qos: 1 });
	await observer.endAsync();
});

// ── secrets ─────────────────────────────────────────────────────────────────────────────────────────────────────

function look(pid) {
	return ['cmdline', 'environ'].map((name) => readFileSync(`/proc/${pid}/${name}`, 'latin1')).join('\0');
}

/** The one below setsid. */
async function pidOf(child) {
	const found = () => spawnSync('pgrep', ['-P', String(child.pid)], { encoding: 'utf8' }).stdout.trim();
	// setsid does not fork when it leads no group.
	const own = () => readFileSync(`/proc/${child.pid}/cmdline`, 'latin1').startsWith(PROGRAM) && String(child.pid);
	let pid;
	await eventually(() => (pid = own() || found()), 5000, 'its process');
	return pid;
}

test('no secret stands in its arguments or environment, nor in what it prints', async () => {
	const { keyword } = stack.proof;
	const login = start(['login', '--url', stack.url, '--user', 'operator', '--password-file', '-'], { home: 'other', input: null });
	login.child.stdin.write(`${stack.password}\n`);
	assert.ok(!look(await pidOf(login.child)).includes(stack.password));
	login.child.stdin.end();
	assert.equal((await login.end).status, 0);

	const acting = start(['run', '--keyword-file', '-', 'guest_reboot', '124'], { input: null });
	const pid = await pidOf(acting.child);
	acting.child.stdin.end(`${keyword}\n`);
	const isKnown = async () => (await browser.get('/api/actions')).body.items.some((a) => a.tool === 'guest_reboot');
	await eventually(isKnown, 20_000, 'the reboot to be asked for');
	const seen = look(pid);
	const { cookie } = JSON.parse(readFileSync(join(dir, 'operator/config/jarvis/session.json'), 'utf8'));
	assert.ok(seen.includes('guest_reboot') && seen.includes('XDG_CONFIG_HOME'), 'we look at the right process');
	const end = await acting.end;
	assert.equal(end.status, 0, end.stderr);
	for (const secret of [keyword, cookie.split('=')[1], stack.password, stack.proof.totp]) {
		assert.ok(!`${seen}${end.stdout}${end.stderr}`.includes(secret));
	}
});

// ── TLS ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function certificate(name) {
	const [key, crt] = [join(dir, `${name}.key`), join(dir, `${name}.crt`)];
	execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=localhost',
		'-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', crt], { stdio: 'ignore' });
	return { key: readFileSync(key), cert: readFileSync(crt), file: crt };
}

test('through a proxy: the authority or the certificate itself is checked, and nothing is sent to others', async () => {
	const [ours, other] = [certificate('ours'), certificate('other')];
	let heard = 0;
	const proxy = createServer(ours, (from, to) => {
		heard++;
		const headers = { ...from.headers, 'x-forwarded-for': '127.0.0.1', 'x-forwarded-proto': 'https' };
		const on = request({ host: '127.0.0.1', port: stack.port, method: from.method, path: from.url, headers }, (answer) => {
			to.writeHead(answer.statusCode, answer.headers);
			answer.pipe(to);
		});
		on.on('error', () => to.destroy());
		from.pipe(on);
	});
	await new Promise((done) => { proxy.listen(tlsPort, done); });
	const login = (...more) => ['login', '--user', 'operator', '--password-file', files.password, ...more];
	const url = ['--url', `https://localhost:${tlsPort}`];
	const home = 'tls';
	for (const trust of [[], ['--ca', other.file], ['--fingerprint', 'AB'.repeat(32)]]) {
		const { stderr } = await expect(69, login(...url, ...trust), { home });
		assert.match(stderr, /certificate of localhost.*nothing was sent.*--ca FILE.*--fingerprint [0-9A-F:]{95}/, stderr);
		assert.doesNotMatch(stderr, /jarvis\.yaml/);
	}
	assert.equal(heard, 0);
	assert.match((await expect(66, login(...url, '--ca', join(dir, 'none')), { home })).stderr, /none: No such file.*--ca/);
	await expect(0, login(...url, '--ca', ours.file), { home });
	assert.match((await expect(0, ['level'], { home })).stdout, /^level/, 'the session knows the authority');
	await expect(0, ['logout'], { home });
	const print = execFileSync('openssl', ['x509', '-in', ours.file, '-noout', '-fingerprint', '-sha256'], { encoding: 'utf8' }).trim().split('=')[1];
	await expect(0, login('--url', `https://127.0.0.1:${tlsPort}`, '--fingerprint', print), { home });
	assert.match((await expect(0, ['actions', '--all'], { home })).stdout, /guest_stop/);
	proxy.closeAllConnections();
	await new Promise((done) => { proxy.close(done); });
	await expect(69, ['actions'], { home });
});

// ── a gateway that lies ─────────────────────────────────────────────────────────────────────────────────────────

test('what is shown is what the digest is of, or nothing is approved; strange answers end in a sentence', async () => {
	const id = '01ARZ3NDEKTSV4RRFFQ69G5FAV';
	const shown = JSON.stringify({ id, tool: 'guest_start', sentence: 'Start a guest.', tier: 'yellow', steps: [], facts: [] });
	const digest = createHash('sha256').update(shown).digest('hex');
	const posted = [];
	let body = '', status = 200;
	const gateway = createPlain((from, to) => {
		if (from.method === 'POST') posted.push(from.url);
		to.writeHead(status, { 'content-type': 'application/json' });
		to.end(from.method === 'POST' ? '{"ok":true}' : body);
	});
	await new Promise((done) => { gateway.listen(0, '127.0.0.1', done); });
	const url = `http://127.0.0.1:${gateway.address().port}`, home = 'fooled', folder = join(dir, home, 'config/jarvis');
	mkdirSync(folder, { recursive: true });
	writeFileSync(join(folder, 'session.json'), JSON.stringify({ url, cookie: 'jarvis=x' }), { mode: 0o600 });
	const approve = ['approve', '--yes', '--wait', '0', id];
	const action = { id, status: 'waiting', need: 'nothing', digest, shown };
	for (const lie of [{ shown: shown.replace('Start', 'Stop') }, { digest: 'f'.repeat(64) }, { shown: null }, { shown: 'x', digest: createHash('sha256').update('x').digest('hex') },
		{ id: '01ARZ3NDEKTSV4RRFFQ69G5FAW' }]) {
		body = JSON.stringify({ ...action, ...lie });
		assert.match((await expect(1, approve, { home })).stderr, /not what would be approved; nothing was approved/);
	}
	assert.deepEqual(posted, []);
	body = JSON.stringify(action);
	await expect(3, approve, { home });
	assert.deepEqual(posted, [`/api/actions/${id}/approve`]);
	for (const [code, odd] of [[200, '<html>'], [200, '{"items":1'], [500, ''], [418, '[]']]) {
		[status, body] = [code, odd];
		assert.match((await expect(1, ['actions'], { home })).stderr, /none of Jarvis's gateway \(status \d+\)/);
	}
	gateway.closeAllConnections();
	await new Promise((done) => { gateway.close(done); });
});

// ── freezing, last: it stops what others need ───────────────────────────────────────────────────────────────────

test('freeze --file works with broker and gate down, holds when they come, and unfreeze ends it', async () => {
	const file = join(stack.runtime, 'frozen');
	await stack.kill('safety-gate');
	await stack.kill('broker');
	await eventually(async () => (await run(['freeze'])).status === 69, 10_000, 'the gateway to miss the broker');
	assert.match((await expect(69, ['freeze'])).stderr, /freeze --file works without/);
	assert.match((await expect(1, ['freeze', '--file', '--runtime', join(dir, 'none')])).stderr, /cannot be made: No such file.*--runtime/);
	assert.match((await expect(0, ['freeze', '--file', '--runtime', stack.runtime], { home: 'nobody' })).stdout, /frozen: .* is made/);
	assert.match((await expect(0, ['freeze', '--file', '--runtime', stack.runtime])).stdout, /was there already/);
	const heard = stack.observer.next('jarvis/#', (_, message) => !message.retained, 15_000);
	await stack.start('broker');
	await heard;
	await stack.start('safety-gate');
	const isFrozen = async () => /^frozen +yes.*by file/m.test((await run(['level'])).stdout);
	await eventually(isFrozen, 15_000, 'the gate to say that it is frozen by the file');
	assert.ok(existsSync(file));
	const refused = async () => {
		const { status, stderr } = await run(['run', 'guest_start', '127']);
		return status === 2 && /frozen/.test(stderr);
	};
	await eventually(refused, 15_000, 'a refusal that names the freeze');
	assert.equal(await truth(127), 'stopped');
	assert.equal((await run(['run', 'guest_list'])).status, 0, 'reads go on');

	await expect(2, ['unfreeze']);
	await expect(0, ['unfreeze', '--code-file', write('code', await nextCode())]);
	await eventually(() => !existsSync(file), 10_000, 'the file to go');
	const started = async () => (await run(['run', 'guest_start', '127'])).status === 0;
	await eventually(started, 25_000, 'acting to go on');

	assert.match((await expect(0, ['freeze'])).stdout, /^frozen/);
	assert.ok(existsSync(file), 'the gate keeps the file as well');
	await expect(2, ['run', 'guest_start', '126']);
	assert.equal(await truth(126), 'stopped');
});
