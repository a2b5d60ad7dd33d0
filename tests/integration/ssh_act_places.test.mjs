// Paths and URLs as deploy/nodes/jarvis-act takes them, with real links on a real file system: where they lead, what is
// refused, and that what was checked is what a program gets, whatever others do meanwhile.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { eventually } from './gateway_client.mjs';
import { makeBoundary, makeRequest } from './ssh_act_client.mjs';
import { SCRIPT, SHIPPED, World } from './ssh_act_world.mjs';

const world = new World();
const root = (...parts) => join(world.act.dir, 'root', ...parts);
const run = (command_id, params, options) => world.quick('run_command', { command_id, ...params }, options);
const logged = () => readFileSync(join(world.act.dir, 'log'), 'utf8');
const refused = async (command, params, sentence) => world.assertRefused(await run(command, params), 65, sentence);

/** Commands that show what they were given. `cat` and `ls` are the machine's own. */
const SHOW = `
command read
	run /usr/bin/cat {file}
	param file path file /srv/share
command list
	run /usr/bin/ls -1 {folder}
	param folder path folder /srv/share /var/log
command slow
	run /usr/bin/sh /slow.sh {file}
	param file path file /srv/share
command both
	run /usr/bin/ls -1d {from} {to}
	param from path folder /srv/share
	param to path folder /srv/share
command get
	run /usr/bin/echo {url}
	param url url https://deb.debian.org https://192.168.1.50 https://[fd12::1]:8443 http://deb.debian.org:8080
protect /srv/share/keep
`;
/** All of LIST, some at a time. */
const each = async (list, work) => {
	const left = [...list];
	await Promise.all(Array.from({ length: 6 }, async () => {
		while (left.length) await work(left.shift());
	}));
};
const withShow = (work) => {
	// The machine's own programs, and a script in the sandbox.
	writeFileSync(join(world.act.dir, 'slow.sh'), 'echo ready >>"$0.ready"\nwhile [ ! -e "$0.go" ]; do sleep 0.02; done\ncat "$1"\n', { mode: 0o755 });
	return world.withCatalogue(SHOW.replaceAll('/slow.sh', join(world.act.dir, 'slow.sh')), work);
};

before(() => world.open());
after(() => world.close());
beforeEach(() => {
	world.clean();
	rmSync(root(), { recursive: true, force: true });
	world.act.install({});
});

describe('paths', () => {
	test('a folder that is listed, and what lies below it: the program runs in it', async () => {
		for (const [folder, sees] of [['/srv/share', /\.\/movies\n/], ['/srv/share/movies', /\t\.\n$/], ['/var/log', /\.\/journal\n/],
			['/srv/share/my files', /\t\.\n$/], ['/var/lib/vz/template/iso', /\t\.\n$/]]) {
			const answer = await run('folder_usage', { folder });
			assert.deepEqual([answer.outcome, answer.value, answer.err], ['exit', 0, ''], `${folder}: ${JSON.stringify(answer)}`);
			assert.match(answer.out, sees);
			assert.ok(!answer.out.includes('/proc/'));
		}
		assert.equal(world.calls().at(-1), 'du -x -B1 --max-depth=1 -- .');
		const over = await world.ask('run_command', { command_id: 'folder_usage', folder: '/srv/share/movies' });
		assert.deepEqual([over.outcome, over.value], ['exit', 0], JSON.stringify(over));
	});

	test('a link that stays within is followed, and the log says where to', async () => {
		const films = await run('folder_usage', { folder: '/srv/share/films' });
		const movies = await run('folder_usage', { folder: '/srv/share/movies' });
		assert.deepEqual([films.outcome, films.out], ['exit', movies.out]);
		assert.match(logged(), /path \/srv\/share\/movies\n/);
		// From one listed folder into another.
		assert.equal((await run('folder_usage', { folder: '/srv/share/logs' })).outcome, 'exit');
		assert.match(logged(), /path \/var\/log\/journal\n/);
	});

	test('a link that leads out, in every way there is', async () => {
		mkdirSync(root('srv/share2'));
		mkdirSync(root('srv/share/keep/in'), { recursive: true });
		mkdirSync(root('home/a'), { recursive: true });
		const links = { out1: '/etc', out2: '../../etc', out3: '../share2', out4: '/srv/share2', out5: '/', out6: '..', out7: '../../../../../../etc',
			out8: 'movies/../../../home/a', chain1: 'chain2', chain2: 'chain3', chain3: '/home', self: 'self', ring1: 'ring2', ring2: 'ring1',
			proc: '/proc/self/root/etc', gone: 'nowhere', gone2: '/nowhere', up: '/srv' };
		for (const [name, to] of Object.entries(links)) symlinkSync(to, root('srv/share', name));
		await each(Object.keys(links), async (name) => {
			await refused('folder_usage', { folder: `/srv/share/${name}` }, /^folder: (a link leads out|too many links|No such file or directory); must be a folder in or below \/srv\/share .*\n$/);
			if (!/gone|self|ring/.test(name)) await refused('folder_usage', { folder: `/srv/share/${name}/a` }, /a link leads out/);
		});
		await refused('folder_usage', { folder: '/srv/share/escape' }, /a link leads out/);
		// Nobody learns by it what lies outside: there or not, the answer is the same.
		symlinkSync('/home/a', root('srv/share/there'));
		symlinkSync('/home/not', root('srv/share/not_there'));
		const [there, not] = [await run('folder_usage', { folder: '/srv/share/there' }), await run('folder_usage', { folder: '/srv/share/not_there' })];
		assert.equal(there.err, not.err);
		// A folder that is listed but is a link itself is not where it seems to be.
		rmSync(root('var/log'), { recursive: true });
		symlinkSync('../home/a', root('var/log'));
		await refused('folder_usage', { folder: '/var/log' }, /a link leads out/);
	});

	test('forty links are many, forty-one are too many', async () => {
		symlinkSync('movies', root('srv/share/l0'));
		for (let i = 1; i <= 40; i++) symlinkSync(`l${i - 1}`, root(`srv/share/l${i}`));
		assert.equal((await run('folder_usage', { folder: '/srv/share/l39' })).outcome, 'exit');
		world.clean();
		await refused('folder_usage', { folder: '/srv/share/l40' }, /too many links/);
	});

	test('what is not in the one usual form, or not below', async () => {
		const form = /it is not in the one usual form/;
		await each(['/srv/share/..', '/srv/share/../share', '/srv/share/movies/..', '/srv/share/films/..', '/srv/share/./movies', '/srv/share/',
			'/srv//share', '//srv/share', 'srv/share', './srv/share', '', '/', '//', '.', '..', '/srv/share/movies\n', '/srv/share/mov\u200bies', '/srv/share/\u202esa',
			'/srv/share/a\u00a0b', '/srv/share/\x1b', '/srv/share/ movies', '/srv/share/movies ', '/srv/share/my  files', '/srv/share/\u2028', '~', '-rf',
			`/srv/share/${'x'.repeat(600)}`, '/srv/share/\ufeffx', '/srv/share/\ue000', 'file:///srv/share'],
		(folder) => refused('folder_usage', { folder }, form));
		for (const bytes of ['/srv/share/\xff', '/srv/share/\xc0\xae\xc0\xae', '/srv/share/\xed\xa0\x80', '/srv/share/\xf4\x90\x80\x80']) {
			const request = Buffer.concat([Buffer.from('folder='), Buffer.from(bytes, 'latin1')]);
			const boundary = makeBoundary();
			const whole = makeRequest('run_command', ['command_id=folder_usage', 'MARK'], { boundary });
			const at = whole.indexOf('MARK');
			const bytesIn = Buffer.concat([whole.subarray(0, at), request, whole.subarray(at + 4)]);
			world.assertRefused(await world.quick('', {}, { boundary, request: bytesIn }), 65, form);
		}
		mkdirSync(root('srv/share2'));
		for (const folder of ['/srv/share2', '/srv', '/var', '/var/lib/vz', '/etc', '/root', '/proc/self/root/srv/share', '/srv/Share', '/srv/share..x/share2',
			'/srv/shar', '/var/log2', '/dev/null']) {
			await refused('folder_usage', { folder }, /^folder: (it is not|No such file or directory); /);
		}
		await refused('folder_usage', { folder: '/srv/share/%2e%2e/etc' }, /No such file/);
		await refused('folder_usage', { folder: '/srv/share/nothing' }, /No such file/);
	});

	test('only what it must be: no file for a folder, no folder, device, socket or pipe for a file', async () => {
		execFileSync('mkfifo', [root('srv/share/pipe')]);
		await refused('folder_usage', { folder: '/srv/share/movies/a.mkv' }, /it is something else/);
		await refused('folder_usage', { folder: '/srv/share/movies/a.mkv/x' }, /Not a directory/);
		await withShow(async () => {
			assert.equal((await run('read', { file: '/srv/share/my files/note.txt' })).out, 'x'.repeat(100));
			symlinkSync('my files/note.txt', root('srv/share/note'));
			assert.equal((await run('read', { file: '/srv/share/note' })).out, 'x'.repeat(100));
			await refused('read', { file: '/srv/share/movies' }, /it is something else/);
			await refused('read', { file: '/srv/share/pipe' }, /it is something else/);
		});
	});

	test('a file with another name, which may lie anywhere', async () => {
		linkSync(root('etc/shadow'), root('srv/share/innocent'));
		await withShow(async () => {
			await refused('read', { file: '/srv/share/innocent' }, /it has several names \(hard links\)/);
			rmSync(root('srv/share/innocent'));
			assert.equal((await run('read', { file: '/srv/share/movies/a.mkv' })).outcome, 'exit');
		});
	});

	test('what is protected, itself, in it and above it, also by a link', async () => {
		mkdirSync(root('srv/share/keep/in'), { recursive: true });
		mkdirSync(root('srv/share/keep2'));
		symlinkSync('keep/in', root('srv/share/to_keep'));
		await withShow(async () => {
			for (const folder of ['/srv/share/keep', '/srv/share/keep/in', '/srv/share', '/srv/share/to_keep']) await refused('list', { folder }, /it is protected/);
			assert.equal((await run('list', { folder: '/srv/share/keep2' })).outcome, 'exit');
		});
		// Whatever a catalogue lists: what is built in stays.
		mkdirSync(root('var/lib/jarvis'), { recursive: true });
		await world.withCatalogue('command c\n  run /usr/bin/ls {d}\n  param d path folder /var/lib\n', async () => {
			await refused('c', { d: '/var/lib/jarvis' }, /it is protected/);
			await refused('c', { d: '/var/lib' }, /it is protected/);
			assert.equal((await run('c', { d: '/var/lib/vz/template' })).outcome, 'exit');
		});
	});

	test('several paths: each as what was looked at', async () => {
		await withShow(async () => {
			const both = await run('both', { from: '/srv/share/movies', to: '/srv/share/photos' });
			assert.match(both.out, /^(\/proc\/self\/fd\/\d+\n){2}$/);
			await refused('both', { from: '/srv/share/movies', to: '/etc' }, /^to: /);
		});
	});

	test('the name is given to something else between the look and the use: the program gets what was looked at', async () => {
		const there = root('srv/share/movies/a.mkv');
		await withShow(async () => {
			const slow = run('slow', { file: '/srv/share/movies/a.mkv' });
			const ready = join(world.act.dir, 'slow.sh.ready');
			await eventually(() => existsSync(ready), 10_000, 'the program runs');
			rmSync(there);
			symlinkSync('/etc/shadow', there);
			renameSync(root('srv/share/movies'), root('srv/share/moved'));
			symlinkSync('/etc', root('srv/share/movies'));
			writeFileSync(join(world.act.dir, 'slow.sh.go'), '');
			assert.equal((await slow).out, 'x'.repeat(9000));
		});
		rmSync(join(world.act.dir, 'slow.sh.go'));
	});

	test('links that change all the time: refused, or what is inside, and never anything else', async () => {
		mkdirSync(root('srv/share/real'));
		writeFileSync(root('srv/share/real/shadow'), 'inside');
		writeFileSync(root('etc/shadow'), 'OUTSIDE');
		// A component is now a folder that is meant, now a link out of it, by rename, as fast as it goes.
		const code = `use strict; my ($at) = @ARGV; chdir $at; mkdir 'd'; open my $f, '>', 'd/shadow'; print $f 'inside'; close $f;
			symlink '/etc', 'l'; symlink 'real', 'r'; $| = 1; print "up\\n";
			while (1) { for my $n ('l', 'd', 'r') { rename $n, 'x'; select undef, undef, undef, 0.0002; rename 'x', $n } }`;
		const flipper = spawn('perl', ['-e', code, root('srv/share')], { stdio: ['ignore', 'pipe', 'inherit'] });
		await once(flipper.stdout, 'data');
		const seen = new Map();
		await withShow(async () => {
			for (let i = 0; i < 60; i++) {
				const answer = await run('read', { file: '/srv/share/x/shadow' });
				const said = answer.outcome === 'exit' ? answer.out : /^file: (.*);/.exec(answer.err)[1];
				seen.set(said, (seen.get(said) ?? 0) + 1);
				assert.ok(!answer.stdout.includes('OUTSIDE'), answer.stdout.toString());
			}
		});
		flipper.kill('SIGKILL');
		await once(flipper, 'close');
		for (const said of seen.keys()) assert.match(said, /^(inside|No such file or directory|a link leads out|too many links)$/);
		assert.ok(seen.has('inside') && seen.has('a link leads out'), JSON.stringify([...seen]));
	});

	test('its own rights end where the user\'s do', { skip: process.getuid() === 0 && 'root may everything' }, async () => {
		chmodSync(root('srv/share/movies'), 0);
		await refused('folder_usage', { folder: '/srv/share/movies/x' }, /Permission denied/);
		chmodSync(root('srv/share/movies'), 0o755);
	});
});

describe('URLs', () => {
	const url = (text) => run('get', { url: text });
	const answers = (...addresses) => world.act.setHost({ host: 'deb.debian.org', addresses });

	test('of a listed host that is out on the internet', async () => {
		const good = await run('archive_check', { url: 'https://deb.debian.org/debian/dists/' });
		assert.deepEqual([good.outcome, good.value], ['exit', 0], good.err);
		assert.match(good.err, /URL: https:\/\/deb\.debian\.org\/debian\/dists\/ 200 OK/);
		world.act.setWeb({ url: 'https://deb.debian.org/none', status: 404 });
		assert.equal((await run('archive_check', { url: 'https://deb.debian.org/none' })).value, 8);
		await withShow(async () => {
			for (const text of ['https://deb.debian.org/', 'https://deb.debian.org:443/a?b=%C3%BC', 'http://deb.debian.org:8080/', 'https://192.168.1.50/x',
				'https://[fd12::1]:8443/x']) assert.equal((await url(text)).out, `${text}\n`);
		});
	});

	test('nothing else is one of them', async () => {
		await withShow(async () => {
			await each(['', '/', 'deb.debian.org', '//deb.debian.org/', 'https:deb.debian.org/', 'https://deb.debian.org', 'HTTPS://deb.debian.org/',
				'https://DEB.debian.org/', 'https://deb.debian.org./', 'https://u@deb.debian.org/', 'https://u:p@deb.debian.org/', 'https://deb.debian.org@evil.org/',
				'https://deb.debian.org#@evil.org/', 'https://deb.debian.org\\@evil.org/', 'https://deb.debian.org%2eevil.org/', 'https://evil.org/deb.debian.org/',
				'https://deb.debian.org.evil.org/', 'https://xdeb.debian.org/', 'https://deb.debian.org:444/', 'https://deb.debian.org:0443/', 'https://deb.debian.org:/',
				'http://deb.debian.org/', 'https://deb.debian.org:8080/', 'ftp://deb.debian.org/', 'file:///etc/passwd', 'https://192.168.1.51/', 'https://192.168.1.50:8443/',
				'https://3232235826/', 'https://0xc0a80132/', 'https://0300.0250.1.062/', 'https://192.168.306/', 'https://127.0.0.1/', 'https://127.1/', 'https://localhost/',
				'https://169.254.169.254/', 'https://[::1]/', 'https://[fd12::1]/', 'https://[fd12:0::1]:8443/', 'https://[fd12::1%25lo]:8443/', 'https://[FD12::1]:8443/',
				'https://[::ffff:192.168.1.50]/', 'https://deb.debian.org/..', 'https://deb.debian.org/a/../b', 'https://deb.debian.org/./a', 'https://deb.debian.org/%2e%2e/',
				'https://deb.debian.org/%2F', 'https://deb.debian.org/%5c', 'https://deb.debian.org/%00', 'https://deb.debian.org/%0d%0aX', 'https://deb.debian.org/%',
				'https://deb.debian.org/%25', 'https://deb.debian.org/%zz', 'https://deb.debian.org/ x', 'https://deb.debian.org/\n', 'https://deb.debian.org/x\n',
				'https://deb.debian.org/ü', 'https://deb.debian.org/$(id)', 'https://deb.debian.org/`id`', 'https://deb.debian.org/#x', 'https://dеb.debian.org/',
				`https://deb.debian.org/${'x'.repeat(600)}`, '-O/etc/passwd', '--help'],
			async (text) => world.assertRefused(await url(text), 65, /^url: .+; must be a URL below /));
		});
	});

	test('a name that stands for this machine, this link, an inner network or metadata, be it as one of several', async () => {
		await withShow(async () => {
			for (const address of ['127.0.0.1', '127.9.9.9', '0.0.0.0', '10.0.0.1', '172.20.0.1', '192.168.1.50', '169.254.169.254', '100.64.0.1', '100.100.100.200', '224.0.0.1',
				'255.255.255.255', '168.63.129.16', '203.0.113.1', '::', '::1', 'fe80::1', 'fd12::1', 'fd00:ec2::254', 'ff02::1', 'fec0::1', '2001:db8::1', '2001::1',
				'::ffff:127.0.0.1', '::ffff:10.0.0.1', '::7f00:1', '64:ff9b::7f00:1', '64:ff9b::a9fe:a9fe', '64:ff9b:1::1', '2002:7f00:1::', '2002:a00:1::']) {
				answers('151.101.2.132', address);
				world.assertRefused(await url('https://deb.debian.org/'), 65, / is .*, which is of (this machine, this link or its metadata|an inner network); must/);
			}
			for (const address of ['151.101.2.132', '2a04:4e42::644', '64:ff9b::9765:284', '::ffff:1.1.1.1', '172.32.0.1']) {
				answers(address);
				assert.equal((await url('https://deb.debian.org/')).outcome, 'exit', address);
			}
			answers();
			world.assertRefused(await url('https://deb.debian.org/'), 65, /cannot be looked up/);
			// What is listed as an address is not looked up.
			assert.equal((await url('https://192.168.1.50/')).outcome, 'exit');
		});
		world.act.setHost({ host: 'deb.debian.org', addresses: ['151.101.2.132'] });
	});

	test('outside the sandbox names and paths are those of the machine itself', () => {
		const code = `my $text = do { local (@ARGV, $/) = '${SCRIPT}'; <> }; $text =~ s/^main\\(.*//ms; eval "no strict; $text; 1" or die $@;
			$log = '/dev/null';
			for my $host (@ARGV[0 .. 2]) { my ($found, $why) = look_up($host); print "$host ", $found ? join(',', sort @{$found}) : "no: $why", "\\n" }
			for my $path (@ARGV[3 .. 6]) { my ($value, $why) = check_path($path, { name => 'x', what => 'folder', words => ['/var/log', '${world.dir}'], protected => [] });
				print defined $value ? readlink $value : "no: $why", "\\n" }`;
		symlinkSync('/var/log', join(world.dir, 'in'));
		symlinkSync('/etc', join(world.dir, 'out'));
		const paths = ['/var/log', join(world.dir, 'in'), join(world.dir, 'out'), '/proc/self/root/var/log'];
		const out = execFileSync('perl', ['-e', code, 'localhost', '127.0.0.1', 'no-such-name.invalid', ...paths], { encoding: 'utf8' });
		assert.match(out, /^localhost (127\.0\.0\.1|::1|127\.0\.0\.1,::1)\n127\.0\.0\.1 127\.0\.0\.1\nno-such-name\.invalid no: it was not found in time, or not at all\n/);
		assert.match(out, /\n\/var\/log\n\/var\/log\nno: a link leads out\nno: it is not\n$/);
	});
});

describe('in the catalogue', () => {
	test('what is wrong with them is named by its line', async () => {
		const c = (line) => `command c\n  run /bin/true {x}\n  param x ${line}\n`;
		for (const line of ['path', 'path folder', 'path /srv', 'path folder srv', 'path folder /', 'path folder /srv/', 'path folder /srv//a', 'path folder /srv/../etc', 'path folder /srv/.',
			'path any /srv', 'path folder /etc/pve', 'path folder /srv /root/x', 'path folder /srv/a;b', 'url', 'url deb.debian.org', 'url https://', 'url https://a/', 'url https://A',
			'url https://a https://a/x', 'url ftp://a', 'url https://localhost', 'url https://127.0.0.1', 'url https://127.1', 'url https://a:0', 'url https://a:x', 'url https://u@a',
			'url https://[::1]', 'url https://[a]', 'url https://169.254.169.254', 'url https://10.0.0.01', 'url https://a.']) {
			await world.withCatalogue(c(line), async () => world.assertRefused(await run('c', { x: 'y' }), 66, /catalogue line 3: /));
		}
		for (const line of ['path folder /srv', 'url https://a']) {
			await world.withCatalogue(`${c(line)}  root\n`, async () => world.assertRefused(await run('c', { x: 'y' }), 66, /as root, parameters can only be of type word/));
		}
		for (const line of ['protect', 'protect srv', 'protect /', 'protect /a /b', 'protect /a/..']) {
			await world.withCatalogue(`${line}\n`, async () => world.assertRefused(await run('c', {}), 66, /catalogue line 1: /));
		}
	});

	test('the places that nothing reaches are those of the gate', () => {
		const quoted = /forbidden\[\] = \{([^}]*)\}/.exec(readFileSync(join(import.meta.dirname, '../../common/path.c'), 'utf8'))[1];
		const gate = [...quoted.matchAll(/"(\S+)"/g)].map((m) => m[1]);
		const node = /@PROTECTED = qw\(([^)]*)\)/.exec(readFileSync(SCRIPT, 'utf8'))[1].trim().split(/\s+/);
		assert.deepEqual(node, gate);
		assert.ok(gate.length > 15 && SHIPPED.includes('param folder path folder'));
	});
});
