// One node as jarvis-act finds it, behind a real sshd, and the ways to ask it: what the tests of the far side share.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { Act } from '../sim/ssh/act.mjs';
import { Sshd, keepKey, prepareRoot } from '../sim/ssh/sshd.mjs';
import { freePort } from '../stack/ports.mjs';
import { makeBoundary, makeRequest, parseAnswer, runProgram, sshArgv } from './ssh_act_client.mjs';

export const NODES = resolve(import.meta.dirname, '../../deploy/nodes');
export const SCRIPT = join(NODES, 'jarvis-act');
export const SHIPPED = readFileSync(join(NODES, 'jarvis-act.catalogue'), 'utf8');
export const UNIT = 'smbd.service';
const PROGRAMS = ['systemctl', 'journalctl', 'df', 'sudo', 'zpool', 'ping'];

export class World {
	async open() {
		prepareRoot();
		this.dir = mkdtempSync(join(process.env.SCRATCH ?? '/tmp', 'act-'));
		this.act = new Act({ name: 'pve', dir: join(this.dir, 'act') });
		this.act.install({ cpu: 0.25 });
		keepKey(join(this.dir, 'key'));
		const keys = { act: { file: join(this.dir, 'key'), forced: this.act.answersAs('normal') } };
		this.sshd = new Sshd({ name: 'pve', dir: join(this.dir, 'sshd'), host: '127.0.0.1', port: await freePort(), keys });
		await this.sshd.up();
		writeFileSync(join(this.dir, 'known_hosts'), `${this.sshd.knownHost}\n`);
	}

	async close() {
		await this.sshd?.down();
		if (this.dir) rmSync(this.dir, { recursive: true, force: true });
	}

	/** Before each test: nobody asked anything yet, and all programs work. */
	clean() {
		for (const name of ['calls', 'log']) rmSync(join(this.act.dir, name), { force: true });
		for (const program of PROGRAMS) this.act.setProgram({ program });
	}

	ssh(command, more) {
		const { dir, sshd } = this;
		return sshArgv({ key: join(dir, 'key'), known: join(dir, 'known_hosts'), port: sshd.port, user: userInfo().username, more }, command);
	}

	/** One request over SSH, answered as the executor would see it. */
	async ask(tool, params, options = {}) {
		const boundary = options.boundary ?? makeBoundary();
		const ran = await runProgram('ssh', this.ssh(), makeRequest(tool, params, { ...options, boundary }), options);
		return { ...parseAnswer(ran.stdout, boundary), ...ran, boundary };
	}

	/** The same without sshd, where many are asked. `request`: other bytes. */
	async quick(tool, params, options = {}) {
		const boundary = options.boundary ?? makeBoundary();
		const env = { SSH_CONNECTION: '192.0.2.7 1 192.0.2.8 22' };
		const request = options.request ?? makeRequest(tool, params, { ...options, boundary });
		const ran = await runProgram(SCRIPT, ['--sandbox', this.act.dir], request, { env, ...options });
		return { ...parseAnswer(ran.stdout, boundary), ...ran, boundary };
	}

	/** What was started: a line each. */
	calls() {
		const file = join(this.act.dir, 'calls');
		return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
	}

	assertRefused(answer, value, sentence) {
		assert.deepEqual([answer.outcome, answer.value, answer.code], ['refused', value, value], JSON.stringify(answer));
		assert.match(answer.err, sentence);
		assert.equal(answer.out, '');
		assert.deepEqual(this.calls(), [], 'nothing was run');
	}

	/** Runs `work` with the catalogue as `text`. */
	async withCatalogue(text, work) {
		writeFileSync(join(this.act.dir, 'catalogue'), text);
		await work();
		this.act.catalogue(SHIPPED);
	}
}
