// jarvisctl on the safety gate's host: keys, persons at a terminal and without, codes, the audit chain. What it writes
// is checked by an implementation of our own of the same standards.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createHash, createHmac, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, unlinkSync,
	writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';

const PROGRAM = resolve(process.env.JARVIS_BUILD ?? 'build', 'jarvisctl');
const dir = mkdtempSync(join(tmpdir(), 'jarvisctl-gate-'));
after(() => rmSync(dir, { recursive: true, force: true }));

function run(args, input = '') {
	// No terminal to fall back to: setsid leaves it.
	const { status, stdout, stderr } = spawnSync('setsid', ['-w', PROGRAM, ...args],
		{ encoding: 'utf8', timeout: 20_000, input });
	return { status, stdout, stderr };
}

/** Its own folder for a test. */
function fresh(name) {
	const path = join(dir, name);
	rmSync(path, { recursive: true, force: true });
	return path;
}

const lines = (path) => readFileSync(path, 'utf8').trimEnd().split('\n');
const mode = (path) => statSync(path).mode & 0o777;

// ── the standards, a second time ────────────────────────────────────────────────────────────────────────────────

const privateKey = (oid, seed) => createPrivateKey({
	key: Buffer.concat([Buffer.from(`302e020100300506032b65${oid}04220420`, 'hex'), seed]), format: 'der', type: 'pkcs8' });
const publicHex = (key) => createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32).toString('hex');
const ed25519 = (seed) => privateKey('70', Buffer.from(seed, 'hex'));
/** libsodium makes a box key from the SHA-512 of the seed. */
const x25519 = (seed) => privateKey('6e', createHash('sha512').update(Buffer.from(seed, 'hex')).digest().subarray(0, 32));

function base32(text) {
	const bits = [...text].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('');
	return Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
}

function code(secret, ms = Date.now()) {
	const counter = Buffer.alloc(8);
	counter.writeBigUInt64BE(BigInt(Math.floor(ms / 30_000)));
	const mac = createHmac('sha1', base32(secret)).update(counter).digest();
	return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

// ── keys ────────────────────────────────────────────────────────────────────────────────────────────────────────

function keyFiles(secrets) {
	const at = (name) => lines(join(secrets, name));
	return { signing: at('safety-gate/signing-key'), signedBy: at('safety-gate/signing-key.pub'), box: at('safety-gate/box-key'),
		gate: at('executor/gate.pub'), boxPub: at('gateway/gate-box.pub') };
}

test('keys makes both pairs, each half where it belongs, and keeps what is there', () => {
	const secrets = fresh('keys');
	const first = run(['keys', '--secrets', secrets]);
	assert.equal(first.status, 0, first.stderr);
	const files = keyFiles(secrets);
	assert.match(files.signing[0], /^[0-9a-f]{64}$/);
	assert.deepEqual(files.gate, [publicHex(ed25519(files.signing[0]))]);
	assert.deepEqual(files.signedBy, files.gate);
	assert.deepEqual(files.boxPub, [publicHex(x25519(files.box[0]))]);
	for (const name of ['safety-gate/signing-key', 'safety-gate/box-key', 'executor/gate.pub', 'gateway/gate-box.pub']) {
		assert.equal(mode(join(secrets, name)), 0o400, name);
		assert.equal(mode(join(secrets, name, '..')), 0o700, name);
	}
	assert.ok(!first.stdout.includes(files.signing[0]) && !first.stdout.includes(files.box[0]), 'no key is printed');
	const again = run(['keys', '--secrets', secrets]);
	assert.deepEqual([again.status, keyFiles(secrets)], [0, files]);
});

test('keys --rotate puts a new key in front and lets the old one count beside it', () => {
	const secrets = fresh('rotate');
	run(['keys', '--secrets', secrets]);
	const [a, b, c] = [0, 1, 2].map((round) => {
		if (round) assert.equal(run(['keys', '--secrets', secrets, '--rotate']).status, 0);
		return keyFiles(secrets);
	});
	assert.deepEqual(b.gate, [publicHex(ed25519(b.signing[0])), a.gate[0]]);
	assert.deepEqual(c.gate, [publicHex(ed25519(c.signing[0])), b.gate[0]]);
	assert.deepEqual(c.signedBy, [c.gate[0], b.gate[0], a.gate[0]]);
	assert.equal(c.signing.length, 1, 'the old signing key is gone');
	assert.deepEqual(c.box, [c.box[0], b.box[0]]);
	assert.deepEqual(c.boxPub, [publicHex(x25519(c.box[0]))]);
});

test('keys mends what is missing, and refuses to replace what somebody relies on', () => {
	const secrets = fresh('mend');
	run(['keys', '--secrets', secrets]);
	const files = keyFiles(secrets);
	unlinkSync(join(secrets, 'executor/gate.pub'));
	unlinkSync(join(secrets, 'gateway/gate-box.pub'));
	assert.equal(run(['keys', '--secrets', secrets]).status, 0);
	assert.deepEqual(keyFiles(secrets), files);

	const pub = join(secrets, 'executor/gate.pub');
	unlinkSync(pub);
	writeFileSync(pub, `${'0'.repeat(64)}\n`);
	const foreign = run(['keys', '--secrets', secrets]);
	assert.equal(foreign.status, 1);
	assert.match(foreign.stderr, /gate\.pub: does not hold the public half of .*signing-key.*remove/);
	unlinkSync(pub);
	run(['keys', '--secrets', secrets]);

	const key = join(secrets, 'safety-gate/signing-key');
	unlinkSync(key);
	const lost = run(['keys', '--secrets', secrets]);
	assert.equal(lost.status, 1);
	assert.match(lost.stderr, /signing-key: is not there, but its public half .*--rotate/);
	assert.ok(!existsSync(key));
	writeFileSync(key, 'rubbish\n');
	assert.match(run(['keys', '--secrets', secrets]).stderr, /signing-key: is no key of 64 hexadecimal digits/);
	assert.equal(run(['keys', '--secrets', secrets, '--rotate']).status, 0);
	assert.equal(keyFiles(secrets).gate[1], files.gate[0]);
});

test('what root makes belongs to the owner of the folder', { skip: process.getuid() !== 0 }, () => {
	const secrets = fresh('owner');
	mkdirSync(join(secrets, 'safety-gate'), { recursive: true });
	spawnSync('chown', ['65015:65015', join(secrets, 'safety-gate')]);
	assert.equal(run(['keys', '--secrets', secrets]).status, 0);
	assert.equal(enrol(secrets, 'ada').status, 0);
	for (const name of ['signing-key', 'box-key', 'persons.json']) {
		const { uid, gid } = statSync(join(secrets, 'safety-gate', name));
		assert.deepEqual([uid, gid], [65015, 65015], name);
	}
	assert.equal(statSync(join(secrets, 'executor/gate.pub')).uid, 0);
	// Root reads what is not root's.
	assert.equal(run(['person', 'list', '--secrets', secrets]).status, 0);
});

// ── persons ─────────────────────────────────────────────────────────────────────────────────────────────────────

const persons = (secrets) => JSON.parse(readFileSync(join(secrets, 'safety-gate/persons.json'), 'utf8')).persons;

function enrol(secrets, name, { keyword = 'correct horse', more = ['--yes'] } = {}) {
	return run(['person', 'enrol', '--secrets', secrets, '--keyword-file', '-', ...more, name], `${keyword}\n`);
}

test('person enrol without a terminal: keyword from a file, the secret once on standard output', () => {
	const secrets = fresh('persons');
	const began = Date.now();
	const { status, stdout, stderr } = enrol(secrets, 'ada');
	assert.equal(status, 0, stderr);
	const [person] = persons(secrets);
	assert.deepEqual(Object.keys(person), ['name', 'keyword', 'totp', 'enrolled_ms']);
	assert.match(person.keyword, /^\$argon2id\$v=19\$m=65536,t=2,p=1\$/);
	assert.match(person.totp, /^[A-Z2-7]{32}$/);
	assert.ok(person.enrolled_ms >= began && person.enrolled_ms <= Date.now());
	assert.equal(mode(join(secrets, 'safety-gate/persons.json')), 0o400);
	assert.match(stdout, new RegExp(`otpauth://totp/Jarvis:ada\\?secret=${person.totp}&issuer=Jarvis\n`));
	assert.match(stdout, new RegExp(`secret +${person.totp}\n`));
	assert.ok(!/█/.test(stdout), 'a QR code is for terminals');
	assert.ok(!stdout.includes('correct horse') && !stdout.includes(person.keyword));

	assert.equal(enrol(secrets, 'bob', { more: ['--no-totp'] }).status, 0);
	assert.equal(run(['person', 'enrol', '--secrets', secrets, '--no-keyword', '--yes', 'eve']).status, 0);
	assert.deepEqual(persons(secrets).map((p) => [p.name, p.keyword !== null, p.totp !== null]),
		[['ada', true, true], ['bob', true, false], ['eve', false, true]]);
	const list = run(['person', 'list', '--secrets', secrets]).stdout;
	assert.match(list, /^ada +keyword +one-time codes +enrolled \d{4}-\d\d-\d\d\nbob +keyword +- +enrolled .*\neve +- +one-time/);
	assert.ok(!list.includes(person.totp));
});

test('person enrol replaces only when told to, and remove removes', () => {
	const secrets = fresh('replace');
	enrol(secrets, 'ada');
	const [before] = persons(secrets);
	const refused = enrol(secrets, 'ada');
	assert.equal(refused.status, 1);
	assert.match(refused.stderr, /ada is enrolled already; with --replace/);
	assert.deepEqual(persons(secrets), [before]);
	assert.equal(enrol(secrets, 'ada', { more: ['--yes', '--replace'] }).status, 0);
	assert.notEqual(persons(secrets)[0].totp, before.totp);
	enrol(secrets, 'bob');
	assert.equal(run(['person', 'remove', '--secrets', secrets, 'ada']).status, 0);
	assert.deepEqual(persons(secrets).map((p) => p.name), ['bob']);
	const gone = run(['person', 'remove', '--secrets', secrets, 'ada']);
	assert.equal(gone.status, 1);
	assert.match(gone.stderr, /ada is not enrolled/);
});

test('person enrol refuses keywords that are no good, and says how to go on without a terminal', () => {
	const secrets = fresh('refused');
	for (const [keyword, why] of [['seven 7', /too short/], ['ä'.repeat(7), /too short/], ['x'.repeat(129), /too long/],
		['tab\tin between', /control characters/], ['\\'.repeat(128), /quotes and backslashes/], ['', /too short/]]) {
		const { status, stderr } = enrol(secrets, 'ada', { keyword });
		assert.equal(status, 1, keyword);
		assert.match(stderr, why);
	}
	assert.equal(enrol(secrets, 'ada', { keyword: 'ä'.repeat(8) }).status, 0);
	const asked = run(['person', 'enrol', '--secrets', secrets, 'bob']);
	assert.equal(asked.status, 1);
	assert.match(asked.stderr, /no terminal.*--keyword-file/);
	assert.match(enrol(secrets, 'bob', { more: [] }).stderr, /no terminal.*--yes/);
	assert.deepEqual(persons(secrets).map((p) => p.name), ['ada']);
	for (const args of [['person'], ['person', 'enrol'], ['person', 'enrol', 'a/b'], ['person', 'enrol', '--no-totp', '--no-keyword', 'a'],
		['person', 'list', 'a'], ['person', 'remove'], ['person', 'list', '--yes'], ['person', 'dance'], ['keys', 'x'], ['keys', '--x'],
		['totp'], ['totp', '--file'], ['audit', 'dance'], ['audit', 'verify', 'x']]) {
		const { status, stderr } = run(args);
		assert.equal(status, 64, args.join(' '));
		assert.match(stderr, /usage:/);
	}
	for (const args of [['keys'], ['person'], ['person', 'enrol'], ['totp'], ['audit'], ['audit', 'verify']]) {
		const { status, stdout } = run([...args, '--help']);
		assert.equal(status, 0);
		assert.match(stdout, new RegExp(`jarvisctl ${args[0]}`));
	}
});

test('a damaged file of persons is never overwritten', () => {
	const secrets = fresh('damaged');
	enrol(secrets, 'ada');
	const path = join(secrets, 'safety-gate/persons.json');
	chmodSync(path, 0o600);
	writeFileSync(path, readFileSync(path, 'utf8').replace('"totp"', '"topt"'));
	const before = readFileSync(path, 'utf8');
	for (const args of [['list'], ['remove', 'ada'], ['enrol', '--no-keyword', '--yes', 'bob']]) {
		const { status, stderr } = run(['person', args[0], '--secrets', secrets, ...args.slice(1)]);
		assert.equal(status, 1);
		assert.match(stderr, /persons\.json: a person is not an object of name, keyword, totp and enrolled_ms.*totp|persons\.json: a person/);
		assert.ok(!stderr.includes('argon2id'));
	}
	assert.equal(readFileSync(path, 'utf8'), before);
});

/** Plays the person at a terminal (script gives it one): for each question the answer. */
function atTerminal(args, answers) {
	const child = spawn('script', ['-qec', [PROGRAM, ...args].join(' '), '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
	return new Promise((done, reject) => {
		let shown = '', next = 0, from = 0;
		const late = setTimeout(() => { child.kill(); reject(new Error(`no end; shown so far: ${shown}`)); }, 30_000);
		child.stdout.setEncoding('utf8').on('data', (part) => {
			shown += part;
			while (next < answers.length && shown.slice(from).includes(answers[next][0])) {
				from += shown.slice(from).indexOf(answers[next][0]) + answers[next][0].length;
				const answer = answers[next++][1];
				child.stdin.write(typeof answer === 'function' ? answer(shown) : answer);
			}
		});
		child.on('exit', (status) => { clearTimeout(late); done({ status, shown }); });
	});
}

test('person enrol at a terminal: nothing typed is shown, a QR code is, and a code confirms it', async () => {
	const secrets = fresh('terminal');
	const args = ['person', 'enrol', '--secrets', secrets];
	const secretOf = (shown) => /secret +([A-Z2-7]{32})/.exec(shown)[1];
	const { status, shown } = await atTerminal([...args, 'ada'], [
		['Keyword', 'short\r'], ['too short', ''], ['Keyword', 'correct horsf\x7fe\r'], ['again', 'correct hors\r'],
		['not the same', ''], ['Keyword', 'wrong\x15correct horse\r'], ['again', 'correct horse\r'],
		['shows now', (text) => `${code(secretOf(text), Date.now() - 600_000)}\r`],
		['not it', ''], ['shows now', (text) => `${code(secretOf(text)).replace(/^.../, '$& ')}\r`],
	]);
	assert.equal(status, 0, shown);
	assert.ok(!shown.includes('correct') && !shown.includes('horse'), 'the keyword is not shown');
	assert.match(shown, /█▀▀▀▀▀█.*█▀▀▀▀▀█ {4}/);
	assert.match(shown, /▀▀▀▀▀▀▀/);
	assert.equal(persons(secrets)[0].totp, secretOf(shown));

	// Ctrl-C at any question: nothing has changed.
	for (const answers of [[['Keyword', '\x03']], [['Keyword', 'correct horse\r'], ['again', '\x03']],
		[['Keyword', 'correct horse\r'], ['again', 'correct horse\r'], ['shows now', '\x03']], [['Keyword', '\x04']]]) {
		const gaveUp = await atTerminal([...args, 'bob'], answers);
		assert.equal(gaveUp.status, 1);
		assert.match(gaveUp.shown, /nothing was changed/);
	}
	const wrong = await atTerminal([...args, '--no-keyword', 'bob'],
		[1, 2, 3].map(() => ['shows now', (text) => `${code(secretOf(text), Date.now() - 600_000)}\r`]));
	assert.equal(wrong.status, 1);
	assert.match(wrong.shown, /no code was right/);
	assert.deepEqual(persons(secrets).map((p) => p.name), ['ada']);
});

// ── codes ───────────────────────────────────────────────────────────────────────────────────────────────────────

test('totp prints the code that an app would show', () => {
	const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
	const file = join(dir, 'secret');
	writeFileSync(file, `${secret.toLowerCase().replace(/..../g, '$& ')}\n`);
	for (const [args, input] of [[['totp', '--file', file], ''], [['totp', '--file', '-'], `${secret}\n`], [['totp', '--file', '-'], secret]]) {
		const before = code(secret), { status, stdout } = run(args, input), later = code(secret);
		assert.equal(status, 0);
		assert.ok([`${before}\n`, `${later}\n`].includes(stdout));
	}
	const bad = run(['totp', '--file', '-'], 'not base32 at all 0189\n');
	assert.equal(bad.status, 1);
	assert.match(bad.stderr, /standard input: the first line is not a secret/);
	assert.ok(!bad.stderr.includes('0189'));
	assert.equal(run(['totp', '--file', join(dir, 'none')]).status, 66);
});

// ── the audit chain ─────────────────────────────────────────────────────────────────────────────────────────────

const seed = '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60';
const ORIGIN = 'jarvis/main';

function signature(size, head) {
	const key = ed25519(seed);
	const id = createHash('sha256').update(`${ORIGIN}\n\x01`).update(Buffer.from(publicHex(key), 'hex')).digest().subarray(0, 4);
	const body = `${ORIGIN}\n${size}\n${head.toString('base64')}\n`;
	return { body, text: Buffer.concat([id, sign(null, Buffer.from(body), key)]).toString('base64') };
}

function note(size, head) {
	const { body, text } = signature(size, head);
	return `${body}\n— ${ORIGIN} ${text}\n`;
}

const message = (size, head) => `${JSON.stringify({ ts: 1, origin: ORIGIN, size, head: head.toString('hex'),
	signature: signature(size, head).text })}\n`;

/** A chain as the gate writes it, by what is said of it in common/audit_chain.h. */
function makeChain(path, records = 120) {
	const db = new DatabaseSync(path);
	const heads = [Buffer.alloc(32)];
	db.exec(`PRAGMA journal_mode = WAL;
		CREATE TABLE record (seq INTEGER PRIMARY KEY, ts INTEGER NOT NULL, kind TEXT NOT NULL, body BLOB NOT NULL, hash BLOB NOT NULL) STRICT;
		CREATE TABLE checkpoint (size INTEGER PRIMARY KEY, ts INTEGER NOT NULL, note TEXT NOT NULL) STRICT;`);
	for (let seq = 1; seq <= records; seq++) {
		const ts = 1_700_000_000_000 + seq, body = Buffer.from(JSON.stringify({ id: seq, name: 'ähnlich' }));
		const number = Buffer.alloc(8);
		number.writeBigUInt64BE(BigInt(seq));
		const head = createHash('sha256').update(heads[seq - 1]).update(number).update(`${ts} action `).update(body).digest();
		db.prepare('INSERT INTO record VALUES (?, ?, ?, ?, ?)').run(seq, ts, 'action', body, head);
		if (seq === 100) db.prepare('INSERT INTO checkpoint VALUES (?, ?, ?)').run(seq, ts, note(seq, head));
		heads.push(head);
	}
	return { db, heads };
}

const publicFile = join(dir, 'gate.pub');
writeFileSync(publicFile, `${'0'.repeat(64)}\n${publicHex(ed25519(seed))}\n`);

function verify(path, checkpoint, more = []) {
	const args = ['audit', 'verify', '--db', path, '--public', publicFile];
	return run([...args, ...(checkpoint === undefined ? [] : ['--checkpoint', '-']), ...more], checkpoint ?? '');
}

test('audit verify: a sound chain, in use, closed, and as a copy; both forms of a checkpoint', () => {
	const path = join(dir, 'sound.db');
	const { db, heads } = makeChain(path);
	const used = verify(path, note(120, heads[120]));
	assert.equal(used.status, 0, used.stderr);
	assert.match(used.stdout, new RegExp(`sound: 120 records, 2 checkpoints agree, last hash ${heads[120].toString('hex')}\n$`));
	db.close();
	assert.ok(!existsSync(`${path}-wal`));
	const alone = verify(path);
	assert.equal(alone.status, 0);
	assert.match(alone.stdout, /1 checkpoints agree.*\n.*--checkpoint FILE\n$/);
	assert.equal(verify(path, message(120, heads[120]) + note(7, heads[7]) + message(0, heads[0])).status, 0);

	const folder = fresh('copy');
	mkdirSync(folder);
	const copy = join(folder, 'copy.db');
	copyFileSync(path, copy);
	chmodSync(copy, 0o444);
	chmodSync(folder, 0o555);
	// Root, too, may then not write there: no index can be made for SQLite's log.
	const plain = process.getuid() === 0 ? ['setpriv', '--bounding-set=-dac_override', '--inh-caps=-all', PROGRAM] : [PROGRAM];
	const [program, ...first] = plain;
	const { status, stderr } = spawnSync(program, [...first, 'audit', 'verify', '--db', copy, '--public', publicFile],
		{ encoding: 'utf8', timeout: 20_000 });
	assert.equal(status, 0, stderr);
	chmodSync(folder, 0o755);
});

test('audit verify: says which record was changed, deleted, swapped or cut', () => {
	const path = join(dir, 'bad.db');
	const damage = (sql, checkpoint) => {
		for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true });
		const { db, heads } = makeChain(path);
		if (sql) db.exec(sql);
		db.close();
		return verify(path, checkpoint?.(heads));
	};
	for (const [sql, why, checkpoint] of [
		["UPDATE record SET body = CAST(replace(body, 'id', 'ie') AS BLOB) WHERE seq = 57", /: record 57 was changed/],
		['UPDATE record SET ts = ts + 1 WHERE seq = 120', /: record 120 was changed/],
		['DELETE FROM record WHERE seq = 57', /: record 57 is missing: 58 follows 56/],
		['UPDATE record SET seq = CASE seq WHEN 3 THEN -4 ELSE -3 END WHERE seq IN (3, 4); UPDATE record SET seq = -seq WHERE seq < 0',
			/: record 3 was changed/],
		['DELETE FROM record WHERE seq > 90', /: the end was cut: there are 90 records, and a signed checkpoint of 100/],
		['DELETE FROM record WHERE seq > 110', /: the end was cut: there are 110 records, and a signed checkpoint of 120/,
			(heads) => message(120, heads[120])],
		["UPDATE checkpoint SET note = replace(note, '100', '101')", /checkpoint of 100 records was changed/],
		['UPDATE checkpoint SET size = 99', /checkpoint of 99 records was changed/],
		['', /checkpoint of 50 records from elsewhere was signed over other records/, (heads) => note(50, heads[51])],
		['', /checkpoint of 50 records from elsewhere is signed by none/, (heads) => note(50, heads[50]).replace(/(— \S+ .{20})(.)/, (all, left, c) => left + (c === 'A' ? 'B' : 'A'))],
		['', /standard input: checkpoint 1 in it is not one/, () => 'rubbish\n'],
		['', /standard input: checkpoint 1 in it is not one/, () => '\n'],
	]) {
		const { status, stdout, stderr } = damage(sql, checkpoint);
		assert.deepEqual([status, stdout], [1, ''], sql);
		assert.match(stderr, why);
	}
	assert.equal(damage('DELETE FROM record WHERE seq > 110').status, 0, 'only a checkpoint from elsewhere shows it');
});

test('audit verify: files that are not there, not ours, or broken', () => {
	const path = join(dir, 'broken.db');
	makeChain(path).db.close();
	assert.equal(verify(join(dir, 'none.db')).status, 66);
	const noKeys = run(['audit', 'verify', '--db', path, '--public', join(dir, 'none.pub')]);
	assert.equal(noKeys.status, 66);
	assert.match(noKeys.stderr, /none\.pub: is not there; .*--public/);
	writeFileSync(join(dir, 'text.db'), 'no database at all, but a text that is long enough\n'.repeat(100));
	assert.equal(verify(join(dir, 'text.db')).status, 1);
	const other = new DatabaseSync(join(dir, 'other.db'));
	other.exec('CREATE TABLE person (name TEXT)');
	other.close();
	assert.match(verify(join(dir, 'other.db')).stderr, /other\.db: .*no such table/);
	const bytes = readFileSync(path);
	writeFileSync(join(dir, 'torn.db'), bytes.subarray(0, bytes.length / 2));
	const torn = verify(join(dir, 'torn.db'));
	assert.equal(torn.status, 1);
	assert.match(torn.stderr, /torn\.db/);
});
