// The catalogue of deploy/nodes/jarvis-act: who may have written it, what stands in it, what sudo gets of it; and the script.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, chmodSync, chownSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { fromYaml } from '../stack/yaml.mjs';
import { NODES, SCRIPT, SHIPPED, UNIT, World } from './ssh_act_world.mjs';

const world = new World();
const quick = (...of) => world.quick(...of);
const calls = () => world.calls();
const assertRefused = (...of) => world.assertRefused(...of);

before(() => world.open());
after(() => world.close());
beforeEach(() => world.clean());

describe('the catalogue', () => {
	const file = () => join(world.act.dir, 'catalogue');

	test('is not believed when others could have written it', async () => {
		const restart = () => quick('service_restart', { unit: UNIT });
		for (const mode of [0o666, 0o664, 0o646]) {
			chmodSync(file(), mode);
			assertRefused(await restart(), 66, /catalogue can be changed by others: chmod go-w/);
		}
		chmodSync(file(), 0o644);
		chmodSync(world.act.dir, 0o777);
		assertRefused(await restart(), 66, /act can be changed by others/);
		chmodSync(world.act.dir, 0o755);
		if (process.getuid() === 0) {
			chownSync(file(), 65534, 65534);
			assertRefused(await restart(), 66, /does not belong to root/);
			chownSync(file(), 0, 0);
			chmodSync(join(world.act.dir, 'bin/exportfs'), 0o777);
			assertRefused(await quick('run_command', { command_id: 'exports_reload' }), 66, /exportfs can be changed by others/);
			chmodSync(join(world.act.dir, 'bin/exportfs'), 0o755);
		}
		rmSync(file());
		assertRefused(await restart(), 66, /No such file/);
		world.act.catalogue(SHIPPED);
		assert.equal((await restart()).outcome, 'exit');
	});

	test('names the line that is wrong, and nothing of it counts', async () => {
		const c = 'command c\n';
		const cases = [
			['unit smbd.service\n', 1], ['unit smbd restart\n', 1], ['unit a.service restart reload\n', 1], ['unit ../a.service stop\n', 1],
			['unit a.service stop timeout 0\n', 1], ['unit a.service stop timeout 301\n', 1], ['unit a.service stop\nunit a.service restart\n', 2],
			['unit -a.service stop\n', 1], ['unit a\\x2d.service stop\n', 1], ['restart a.service\n', 1], ['  run /bin/true\n', 1],
			['unit a.service stop\n  run /bin/true\n', 2], [`${c}  run true\n`, 2], [`${c}  run /bin/sh -c "id"\n`, 2], [`${c}  run /bin/true;id\n`, 2],
			[`${c}  run /bin/true $x\n`, 2], [`${c}  run /bin/true *\n`, 2], [c, 1], [`${c}  about nothing\n`, 1], [`${c}  run /bin/{x}\n  param x name\n`, 2],
			[`${c}  run /bin/true {x}\n`, 1], [`${c}  run /bin/true\n  param x name\n`, 1], [`${c}  run /bin/true {x\n  param x name\n`, 1],
			[`${c}  run /bin/true {}\n`, 1], [`${c}  run /bin/true\n  run /bin/false\n`, 3], [`${c}  run /bin/true {x}\n  param x text\n`, 3],
			[`${c}  run /bin/true {x}\n  param x int 5 1\n`, 3], [`${c}  run /bin/true {x}\n  param x int\n`, 3], [`${c}  run /bin/true {x}\n  param x word\n`, 3],
			[`${c}  run /bin/true {x}\n  param x word a -b\n`, 3], [`${c}  run /bin/true {x}\n  param x word a/b\n`, 3],
			[`${c}  run /bin/true {x}\n  param x name\n  param x name\n`, 4], [`${c}  run /bin/true {x}\n  param x name\n  root\n`, 1],
			[`${c}  run /bin/true {x}\n  param x int 1 2\n  root\n`, 1], [`${c}  run /bin/true\n  timeout 0\n`, 3], [`${c}  run /bin/true\n  root yes\n`, 3],
			[`${c}  run /bin/true\n${c}  run /bin/true\n`, 3], ['command C\n', 1], [`${c}run /bin/true\n`, 2],
			[`${c}  run /bin/true {x} {y}\n  param x word ${'a b c d e f g h i'}\n  param y word ${'a b c d e f g h i'}\n  root\n`, 1],
		];
		for (const [text, line] of cases) {
			await world.withCatalogue(`${text}unit smbd.service restart\n`, async () => {
				const answer = await quick('service_restart', { unit: UNIT });
				assert.deepEqual([answer.outcome, answer.value], ['refused', 66], text);
				assert.match(answer.err, new RegExp(`catalogue line ${line}: `), `${text}: ${answer.err}`);
			});
		}
		await world.withCatalogue(`#${'x'.repeat(70_000)}\n`, async () => assertRefused(await quick('service_restart', { unit: UNIT }), 66, /too large/));
		assert.deepEqual(calls(), []);
	});

	test('its longest times hold, whatever the caller says', async () => {
		const bin = join(world.act.dir, 'bin');
		await world.withCatalogue(`unit smbd.service restart timeout 1\ncommand c\n  run ${bin}/ping -n -c 1 -W 2 -- nas\n  timeout 1\n`, async () => {
			world.act.setProgram({ program: 'ping', does: 'hang' });
			const answer = await quick('run_command', { command_id: 'c' }, { seconds: 300 });
			assert.deepEqual([answer.outcome, answer.ms < 8000], ['timeout', true]);
		});
	});

	test('sudo gets one exact line for each thing, with its own quoting', async () => {
		const print = () => execFileSync(SCRIPT, ['--sandbox', world.act.dir, '--sudoers', 'jarvis'], { encoding: 'utf8', stdio: 'pipe' }).split('\n').slice(1, -1);
		const bin = join(world.act.dir, 'bin');
		const text = `unit a@1.service stop timeout 5\ncommand c\n  run ${bin}/zpool set a:b=c,d {pool} {x}-{pool}\n  param pool word p q\n  param x word y\n  root\n`;
		await world.withCatalogue(text, () => {
			const begin = 'jarvis ALL=(root) NOPASSWD: /usr/bin/timeout -k 5';
			assert.deepEqual(print(), [`${begin} 5 ${bin}/systemctl --no-ask-password stop -- a@1.service`,
				`${begin} 30 ${bin}/zpool set a\\:b\\=c\\,d p y-p`, `${begin} 30 ${bin}/zpool set a\\:b\\=c\\,d q y-q`]);
		});
		// What nobody printed is not done, even though the catalogue has it.
		await world.withCatalogue(`${readFileSync(file(), 'utf8')}unit ssh.service restart\n`, async () => {
			const answer = await quick('service_restart', { unit: 'ssh.service' });
			assert.deepEqual([answer.outcome, answer.value, answer.err], ['exit', 1, 'sudo: a password is required\n']);
		});
		appendFileSync(file(), 'nonsense\n');
		assert.throws(print, /line \d+: is neither/);
		world.act.catalogue(SHIPPED);
	});

	test('a program that others can write is told of when the catalogue is checked, and never becomes a line for root', async () => {
		const call = (...args) => execFileSync(SCRIPT, ['--sandbox', world.act.dir, ...args], { encoding: 'utf8', stdio: 'pipe' });
		const own = join(world.act.dir, 'bin/own');
		writeFileSync(own, '#!/bin/sh\n');
		const text = (root) => `command c\n  run ${own}\n${root}command d\n  run ${own}-not-there\n`;
		await world.withCatalogue(text('  root\n'), () => {
			chmodSync(own, 0o755);
			assert.match(call('--check'), /^d: .*own-not-there is not there \(yet\)$/m);
			assert.match(call('--sudoers', 'jarvis'), /bin\/own$/m);
			chmodSync(own, 0o775);
			assert.throws(() => call('--check'), /c: .*bin\/own can be changed by others: chmod go-w/);
			assert.throws(() => call('--sudoers', 'jarvis'), /c: .*bin\/own can be changed by others/);
		});
		await world.withCatalogue(text(''), () => assert.doesNotMatch(call('--sudoers', 'jarvis'), /own/));
		rmSync(own);
	});

	test('the one that ships is right, and is what the example configuration says', () => {
		const check = execFileSync(SCRIPT, ['--sandbox', world.act.dir, '--check'], { encoding: 'utf8' });
		assert.match(check, /catalogue: 3 units, 5 commands\nno path reaches \/bin .*\n$/);
		const config = fromYaml(readFileSync(join(NODES, '../jarvis.example.yaml'), 'utf8'));
		const units = [...SHIPPED.matchAll(/^unit (\S+)/gm)].map((m) => m[1]);
		assert.deepEqual(config.services['home/Home'], units);
		const commands = SHIPPED.split(/^command /m).slice(1);
		assert.deepEqual(Object.keys(config.commands), commands.map((text) => text.split('\n')[0]));
		const rest = (p) => ({ int: () => `${p.min} ${p.max}`, path: () => `folder ${p.below.join(' ')}`,
			url: () => p.schemes.flatMap((scheme) => p.hosts.map((host) => `${scheme}://${host}`)).join(' ') }[p.type] ?? (() => (p.words ?? []).join(' ')))();
		for (const text of commands) {
			const { about, params = {} } = config.commands[text.split('\n')[0]];
			assert.equal(about, /^\s+about (.*)$/m.exec(text)[1]);
			const said = [...text.matchAll(/^\s+param (\S+) (\S+) ?(.*)$/gm)].map(([, name, type, more]) => [name, type, more]);
			assert.deepEqual(Object.entries(params).map(([name, p]) =>
				[name, p.type, rest(p)]), said);
		}
	});

	test('the script needs nothing but perl-base, and runs tainted', () => {
		const text = readFileSync(SCRIPT, 'utf8');
		assert.match(text, /^#!\/usr\/bin\/perl -T\n/);
		assert.deepEqual([...text.matchAll(/^use ([A-Z]\S*)/gm)].map((m) => m[1].replace(/;$/, '')), ['Fcntl', 'IO::Select', 'POSIX', 'Socket']);
		assert.ok(!/\b(eval|system|qx)\b\s*[({"'/$]|`/.test(text.replace(/^#.*$/gm, '')));
	});
});
