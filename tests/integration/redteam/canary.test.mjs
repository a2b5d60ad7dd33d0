// Secrets that are known to the test, in a run with much going on and much going wrong: none of them may be found in a log,
// a message, a database, an answer, the metrics, the process table, a core file or what a node writes down.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { appendFileSync, chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Browser } from '../gateway_client.mjs';
import { filesBelow, formsOf, hits, makeNeedles } from './needles.mjs';
import { WITH_SSH, eventually, newId, start } from './world.mjs';

const SANITIZED = /address|thread/.test(process.env.JARVIS_BUILD ?? '');
const PATTERN = readFileSync('/proc/sys/kernel/core_pattern', 'utf8').trim();
const NODE = 'pve';

/** What people typed that was wrong: it may be nearly right. */
const TYPED = { 'a wrong password': 'Canary/Pass+word?"1', 'a wrong keyword': 'Canary kéyword/2', 'a wrong code': 'CanaryCode+3456' };

let w, secrets, needles, clock;
const cwd = process.cwd();
const here = join(process.env.SCRATCH ?? tmpdir(), 'cores');
const messages = [];
const answers = [];
const secret = (...path) => join(w.stack.data, 'secrets', ...path);
const read = (...path) => readFileSync(secret(...path), 'utf8').trim();
const log = (name) => w.stack.logs(name);

/** As the machine allows: a process that dies of a fault leaves a core in the folder that it was started in. */
function allowCores() {
	mkdirSync(here, { recursive: true });
	process.chdir(here);
	return spawnSync('prlimit', ['--pid', `${process.pid}`, '--core=unlimited:unlimited']).status === 0 && !/^[|/]/.test(PATTERN);
}

/** Every answer of the gateway but those that hand out what was asked for: a new token. Cookies are set in headers. */
function listenToAnswers() {
	const real = globalThis.fetch;
	globalThis.fetch = async (url, options) => {
		const answer = await real(url, options);
		if (!`${url}`.startsWith(w?.stack.url) || `${url}`.endsWith('/api/tokens')) return answer;
		const headers = [...answer.headers].filter(([name]) => name !== 'set-cookie');
		answers.push(JSON.stringify(headers), await answer.clone().text());
		return answer;
	};
	return () => (globalThis.fetch = real);
}

async function listenToBroker() {
	const client = await w.stack.mqtt({});
	client.on('message', (topic, bytes, packet) => messages.push(topic, bytes, JSON.stringify(packet.properties ?? {})));
	await client.subscribeAsync(['#', '$SYS/#'], { qos: 1 });
}

/** The lines of a private key that differ from key to key, and the key itself. */
function keyParts(name, file) {
	const lines = readFileSync(file, 'utf8').trim().split('\n').slice(1, -1);
	const whole = Buffer.from(lines.join(''), 'base64');
	const mark = whole.lastIndexOf(Buffer.from('ssh-ed25519'));
	return { [`${name}, a line`]: lines[3], [`${name}, its end`]: lines.at(-2), [`${name}, its seed`]: whole.subarray(mark + 51, mark + 83).toString('hex') };
}

function plant() {
	const passwords = Object.entries(w.stack.passwords).map(([name, password]) => [`the MQTT password of ${name}`, password]);
	return {
		'the token that reads': read('proxmox-poller', 'home.token'), 'the token that acts': read('executor', 'home.token'),
		...keyParts('the key of the executor', secret('executor', 'ssh-key')), ...keyParts('the key of the thermal collector', secret('thermal-collector', 'ssh-key')),
		'the keyword': w.keyword, 'the secret of the codes': w.stack.proof.totp, 'the key that signs': read('safety-gate', 'signing-key').split(/\s/)[0],
		'the key that opens': read('safety-gate', 'box-key').split(/\s/)[0], 'the password': w.stack.password,
		'a session': w.operator.cookie.split('=')[1], ...TYPED, ...Object.fromEntries(passwords),
	};
}

before(async () => {
	const cores = allowCores();
	clock = { cores, back: listenToAnswers() };
	w = await start({ services: WITH_SSH, sim: { speed: 40 }, change: (c) => {
		c.log_level = 'debug';
		c.protected.nodes = [];
	} });
	await listenToBroker();
	secrets = plant();
	needles = makeNeedles(secrets);
});
after(async () => {
	clock?.back();
	await w?.stop();
	process.chdir(cwd);
});

/** The folder of the run, without where secrets belong and without the simulators' own. */
const skip = (path) => [secret(), join(w.stack.data, 'sim'), join(w.stack.data, 'log/simulator.log'), join(w.stack.data, 'log/ssh-simulator.log')].includes(path) ||
	/\/ssh\/(client_key|act_key)|host_key$/.test(path);
const isPassword = (place, name) => name === 'the password' && place.endsWith('/gateway/initial-password');
const processes = () => WITH_SSH.concat('broker').flatMap((name) => ['cmdline', 'environ'].map((file) =>
	[`/proc/${name}/${file}`, readFileSync(`/proc/${w.stack.process(name).pid}/${file}`)]));
const said = () => messages.map((m, i) => [`message part ${i}: ${messages[i - (i % 3)]}`, m]);
const places = () => [...filesBelow(w.stack.data, skip), ...filesBelow(w.stack.runtime, (path) => path.startsWith(w.stack.data) || skip(path)), ...filesBelow(here), ...processes(), ...said(),
	...answers.map((a, i) => [`answer part ${i}`, a])];

describe('the search', () => {
	test('finds every secret in every form, also within something longer', () => {
		assert.ok(Object.keys(secrets).length > 20);
		for (const [name, text] of Object.entries(secrets)) {
			assert.ok(text?.length >= 10, name);
			const whole = ['x', 'yy', 'zzz'].map((more) => Buffer.from(`${more}${text}${more}`));
			const written = [...formsOf(text).map(([, bytes]) => bytes), ...whole, ...whole.map((b) => b.toString('base64')), ...whole.map((b) => b.toString('base64url')),
				...whole.map((b) => b.toString('hex')), JSON.stringify({ a: text }), new URLSearchParams({ a: text }).toString().replaceAll('+', '%20')];
			for (const bytes of written) {
				const found = hits([['here', Buffer.concat([Buffer.from('noise '), Buffer.from(bytes), Buffer.from(' noise')])]], needles);
				assert.ok(found.some((hit) => hit.startsWith(name)), `${name} as ${bytes}`);
			}
		}
	});

	test('finds one that a service had written to its log, one that was said, one in a core', async (t) => {
		assert.deepEqual(hits(places(), needles, isPassword), []);
		const file = w.stack.process('executor').log;
		const { size } = statSync(file);
		appendFileSync(file, `debug token ${Buffer.from(`id=${secrets['the token that acts']}`).toString('base64')}\n`);
		assert.match(hits(places(), needles, isPassword).join(), /the token that acts \(base64.* in .*executor\.log/);
		truncateSync(file, size);
		const heard = messages.length;
		const client = await w.stack.mqtt({});
		await client.publishAsync('jarvis/canary', JSON.stringify({ a: encodeURIComponent(secrets['a wrong password']) }), { qos: 1 });
		await eventually(() => hits(said().slice(heard), needles).some((hit) => /a wrong password \(url\) in message .*jarvis\/canary/.test(hit)), 5000, 'it is found');
		messages.length = heard;
		if (!clock.cores) return void t.diagnostic(`no core files on this machine (${PATTERN})`);
		const died = spawnSync('python3', ['-c', 'import os, sys; s = sys.stdin.read(); os.abort()'], { input: secrets['the keyword'], cwd: here });
		assert.equal(died.signal, 'SIGABRT');
		assert.match(hits(filesBelow(here), needles).join(), /the keyword \(raw\)/);
		for (const name of readdirSync(here)) rmSync(join(here, name));
	});
});

describe('much goes on, and nothing of it is found:', () => {
	test('logins, tokens, right and wrong', async () => {
		const other = new Browser(w.stack.url);
		for (const password of [TYPED['a wrong password'], `${w.stack.password}x`, w.keyword]) assert.equal((await other.login('operator', password)).status, 401);
		assert.equal((await other.ask('POST', '/api/login', `{"user":"operator","password":"${w.stack.password}`)).status, 400);
		assert.equal((await other.post('/api/login', { user: 'operator', password: w.stack.password, more: w.keyword })).status, 400);
		assert.equal((await other.login('operator', w.stack.password)).status, 200);
		const token = await w.token(['read', 'read_logs', 'operate', 'metrics']);
		Object.assign(secrets, { 'an API token': token.token, 'another session': other.cookie.split('=')[1] });
		needles = makeNeedles(secrets);
		for (const path of ['/metrics', '/api/session', '/api/tokens', '/api/actions', '/api/audit?limit=50', `/api/nothing?token=${token.token}`, '/api/openapi']) await token.get(path);
		await new Browser(w.stack.url).get(`/api/session?password=${encodeURIComponent(w.stack.password)}`, { authorization: `Bearer ${token.token}x` });
		assert.equal((await token.get('/metrics')).status, 200);
	});

	test('approvals, right and wrong, whole and broken; a freeze and its end', async () => {
		const waiting = async (tool, guest) => (await w.execute(tool, { guest }, { confirmed: true })).body;
		const first = await waiting('guest_reboot', 104);
		const at = `/api/actions/${first.id}/approve`;
		for (const body of [{ keyword: TYPED['a wrong keyword'] }, { code: TYPED['a wrong code'] }, { code: w.keyword }, { keyword: w.keyword, digest: 'x' }, { keyword: w.keyword, more: 1 },
			`{"digest":"${first.digest}","keyword":"${w.keyword}`, { keyword: [w.keyword] }, { keyword: w.keyword.repeat(20) }]) {
			const text = typeof body === 'string' ? body : JSON.stringify({ digest: first.digest, ...body });
			assert.ok((await w.operator.ask('POST', at, text)).status >= 400, text);
		}
		assert.equal((await w.decide(first.id, 'approve', { digest: first.digest, keyword: w.keyword })).status, 200);
		await w.over(first.id);
		assert.equal((await w.operator.post('/api/freeze', {})).status, 200);
		assert.equal((await w.operator.post('/api/unfreeze', { code: TYPED['a wrong code'] })).status, 403);
		const code = w.code();
		await w.unfreeze(code);
		// Codes are short: as a text of their own, not as a part of some number.
		const typed = [`"${code}"`, `=${code}`, `code ${code}`].map((text) => ({ name: 'a code', form: 'typed', bytes: Buffer.from(text) }));
		assert.deepEqual(hits(places(), typed), []);
		assert.equal((await w.execute('service_restart', { node: 'Home', unit: 'smbd.service' }, { wait_s: 20 })).status, 200);
		assert.equal((await w.execute('journal_tail', { node: 'Home', unit: 'smbd.service' }, { wait_s: 20 })).status, 200);
	});

	test('credentials of every kind that are wrong', async () => {
		await w.sim('cert_change', { node: 'agent1' });
		await w.sim([{ op: 'token_revoke', token: 'monitor' }, { op: 'token_revoke', token: 'control' }]);
		await w.stack.ssh('rekey', { node: NODE });
		const says = (name, words) => eventually(() => words.test(log(name)), 20_000, `${name} says ${words}`);
		await says('proxmox-poller', /token/i);
		assert.ok((await w.execute('ping_node', { node: NODE }, { wait_s: 20 })).status >= 200);
		await w.execute('storage_content', { node: 'Home', storage: 'local' }, { wait_s: 3 });
		await says('thermal-collector', /host key/i);
		await w.sim([{ op: 'token_restore', token: 'monitor' }, { op: 'token_restore', token: 'control' }]);
		// Files that others can read, are cut, are something else, or are gone.
		const broken = async (name, file, change, words, use = null) => {
			const [path, text] = [secret(name, file), read(name, file)];
			change(path, text);
			await w.stack.process(name).stop();
			if (!use) w.stack.process(name).start();
			else await w.stack.start(name);
			await use?.();
			if (!use) await says(name, words);
			await w.stack.process(name).stop();
			writeFileSync(path, `${text}\n`);
			chmodSync(path, 0o600);
			await w.stack.start(name);
		};
		await broken('executor', 'home.token', (path, text) => writeFileSync(path, `${text} ${text}\n`), /home\.token/);
		await broken('executor', 'ssh-key', (path) => chmodSync(path, 0o644), /ssh-key/, async () => {
			const { body } = await w.execute('service_status', { node: 'Home', unit: 'ssh.service' }, { wait_s: 20 });
			assert.match((await w.over(body.id)).summary, /ssh-key/);
		});
		await broken('thermal-collector', 'ssh-key', (path, text) => writeFileSync(path, `${text.slice(0, -120)}\n`), /key/);
		await broken('safety-gate', 'persons.json', (path, text) => writeFileSync(path, text.slice(0, -3)), /persons\.json/);
		await broken('gateway', 'mqtt-password', (path) => writeFileSync(path, `${TYPED['a wrong password']}\n`), /not authori|refuse|password/i);
	});

	test('services that die of a fault leave no core, and what they hold would not be in one', async (t) => {
		const signals = SANITIZED ? ['SIGABRT'] : ['SIGABRT', 'SIGSEGV'];
		for (const [i, name] of WITH_SSH.entries()) {
			const { pid } = w.stack.process(name);
			assert.match(readFileSync(`/proc/${pid}/limits`, 'utf8'), /^Max core file size +0 +0 /m, name);
			assert.match(readFileSync(`/proc/${pid}/coredump_filter`, 'utf8'), /^0+\n$/, name);
			await w.stack.kill(name, signals[i % signals.length]);
			assert.match(w.stack.process(name).fate, /SIG(ABRT|SEGV)/);
			await w.stack.start(name);
		}
		assert.deepEqual(readdirSync(here), [], 'core files');
		assert.ok(!existsSync(join(cwd, 'core')));
		t.diagnostic(clock.cores ? 'core files were allowed' : `no core files on this machine (${PATTERN})`);
	});

	test('no log, message, database, answer, process or node has one of them', async (t) => {
		assert.equal((await w.operator.get('/api/session')).status, 200);
		await w.live();
		const all = places();
		const of = (part) => all.filter(([name]) => name.includes(part)).length;
		// It did look where it meant to.
		for (const part of ['safety-gate.db', 'gateway.db', 'executor.db', 'broker.log', 'gateway.log', '/act/log', 'message part', 'answer part', '/proc/executor/environ', 'sshd.log']) assert.ok(of(part) > 0, part);
		assert.ok(messages.some((m) => `${m}`.includes('"proof"')), 'a sealed proof went by');
		assert.match(readFileSync(w.stack.configFile, 'utf8'), /^log_level: "?debug"?$/m, 'all is logged that can be');
		assert.deepEqual(hits(all, needles, isPassword), []);
		t.diagnostic(`${Object.keys(secrets).length} secrets, ${needles.length} forms, ${all.length} places, ${all.reduce((n, [, b]) => n + b.length, 0)} bytes`);
	});
});
