// An SSH tool from the POST to its answer, on the connection that the executor keeps and on one that it makes first; in turns
// with the same request over OpenSSH's own ssh, warm and cold, and with the forced command started here, which is the
// target's own time.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { makeBoundary, makeRequest, parseAnswer, runProgram, sshArgv } from '../integration/ssh_act_client.mjs';
import { READS, WARM, read, spread, timed, withActing } from './acting.mjs';
import { cpuSeconds } from './measure.mjs';

const NODE = 'pve';
const UNIT = 'ssh.service';
const COMMAND = resolve(import.meta.dirname, '../../deploy/nodes/jarvis-act');
/** Who has to do with a call here; what the node does is the target's. */
const PARTS = ['broker', 'safety-gate', 'executor', 'gateway'];
/** A cold login is measured once in so many rounds. */
const COLD_EVERY = 10;

/** One request as the executor sends it, by PROGRAM; what is no good answer is no measurement. */
async function ask(program, argv) {
	const boundary = makeBoundary();
	const { stdout, stderr } = await runProgram(program, argv, makeRequest('service_status', { unit: UNIT }, { boundary }));
	const answer = parseAnswer(stdout, boundary);
	if (answer.outcome !== 'exit' || answer.value !== 0) throw new Error(`${program}: ${JSON.stringify(answer)} ${stderr}`);
}

/** argv of ssh to the node, as the executor logs in there. */
function sshTo(stack, more = []) {
	const { sshInfo } = stack;
	return sshArgv({ key: sshInfo.act_key_file, known: sshInfo.known_hosts, port: sshInfo.nodes[NODE].port, user: sshInfo.user, more });
}

/** How often the executor's key has logged in; the collector has another. */
function logins(stack) {
	const { sshInfo } = stack;
	const [, fingerprint] = execFileSync('ssh-keygen', ['-lf', `${sshInfo.act_key_file}.pub`], { encoding: 'utf8' }).split(' ');
	const log = readFileSync(join(sshInfo.nodes[NODE].dir, 'sshd.log'), 'utf8');
	return log.split('\n').filter((line) => line.startsWith('Accepted publickey') && line.includes(fingerprint)).length;
}

async function measure(stack, person) {
	const shared = ['-o', 'ControlMaster=auto', '-o', `ControlPath=${join(stack.runtime, 'ssh')}`, '-o', 'ControlPersist=60'];
	const status = () => read(person, 'service_status', { node: NODE, unit: UNIT });
	const ways = {
		ours: status,
		warm: () => ask('ssh', sshTo(stack, shared)),
		own: () => ask('perl', ['-T', COMMAND, '--sandbox', stack.sshInfo.nodes[NODE].act]),
	};
	const cpu = () => PARTS.map((name) => cpuSeconds(stack.process(name).pid) * 1000).reduce((sum, ms) => sum + ms, 0);
	const before = cpu();
	const times = { ours: [], warm: [], own: [], beyond: [], warmBeyond: [], first: [], cold: [] };
	for (let i = 0; i < READS + WARM; i++) {
		const took = {};
		for (const [name, way] of Object.entries(ways)) took[name] = await timed(way);
		// Of the same round, for what else the machine does passes.
		Object.assign(took, { beyond: took.ours - took.own, warmBeyond: took.warm - took.own });
		if (i >= WARM) for (const [name, ms] of Object.entries(took)) times[name].push(ms);
	}
	const cpu_ms = (cpu() - before) / (READS + WARM);
	for (let i = 0; i < READS / COLD_EVERY; i++) {
		times.cold.push(await timed(() => ask('ssh', sshTo(stack))));
		await stack.ssh('cut', { node: NODE });
		const earlier = logins(stack);
		times.first.push(await timed(status));
		if (logins(stack) !== earlier + 1) throw new Error('the executor did not log in once for a first call');
	}
	return { cpu_ms, ...Object.fromEntries(Object.entries(times).map(([name, list]) => [name, spread(list)])) };
}

/** The collector is what has the sshds of the nodes started; it reads once. */
const seldom = ({ clusters }) => {
	for (const { thermal } of Object.values(clusters)) thermal.interval = '10m';
};

export const sshCalls = () => withActing(measure, ['thermal-collector'], seldom);
