// One cluster, asked directly: is each node who it should be, do the numbers agree, what do the answers look like.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { makeSimulator } from '../stack/simulator.mjs';
import { ask, askAll, findPlaces, redactAll, writeCapture, writePrivate } from './capture.mjs';
import { readSecret } from './installation.mjs';
import { ALL, LIMITS, callsOf, unknownWord } from './paths.mjs';
import { compareAll } from './numbers.mjs';
import { Budget, Proxmox } from './pve.mjs';
import { Redactor } from './redact.mjs';
import { compareCaptures } from './shapes.mjs';

const ROUNDS = 3;
/** Lists of a node that tell what there is on it. */
const LISTS = 4;
const JARVIS_FAULT = 'not a fault of your cluster: open an issue with these lines and, when you have looked at it, the file';

/** The most calls that the tool itself makes to a cluster. */
export function callsAtMost(config, templates) {
	const endpoints = Object.values(config.nodes ?? {}).filter((node) => node.address).length;
	const capture = templates.filter((template) => !unknownWord(template)).reduce((sum, template) => sum + callsOf(template), 0);
	return endpoints + capture + LISTS * LIMITS.nodes + (ROUNDS + 1) * (1 + 2 * LIMITS.nodes);
}

function identityTrouble({ error, trust, status, reason }, { address, port }) {
	const where = `${address}:${port}`;
	if (trust) return [`${where} ${error}; nothing was sent`, 'compare with pvenode cert info on that node; if it is right, set the node\'s fingerprint in jarvis.yaml, or its cluster\'s ca'];
	if (error) return [`${where}: ${error}`, 'is the node up, is its address right, does a firewall stand between?'];
	if (status === 401) return [`${where} does not accept the token: ${reason}`, 'compare id and secret with pveum user token list on that node'];
	if (status !== 200) return [`${where} answers /version with ${status} ${reason}`, 'is it Proxmox VE?'];
	return null;
}

/** Each configured node itself, so that a wrong pin shows before it is needed. Answers the entry for what follows, or null. */
export async function judgeEndpoints(report, what, pve) {
	let entry = null;
	for (const node of pve.endpoints) {
		const answer = await pve.get(node, '/version');
		const trouble = identityTrouble(answer, pve.config.nodes[node]);
		if (trouble) {
			report.fail(`${what}: node ${node} answers and is who it should be`, ...trouble);
			pve.giveUp(node);
			continue;
		}
		const how = pve.config.nodes[node].fingerprint ? 'pin' : 'authority';
		report.pass(`${what}: node ${node} answers at its address, its certificate is the right one (${how}), it takes the token`);
		entry ??= { node, version: answer.data?.version ?? '' };
	}
	return entry;
}

async function readNow(pve, places, entry) {
	const view = { resources: [], details: {}, storages: {} };
	view.resources = (await ask(pve, null, '/cluster/resources', entry)).data ?? [];
	for (const { node } of places.nodes) {
		const at = `/nodes/${encodeURIComponent(node)}`;
		const [detail, storages] = [await ask(pve, node, `${at}/status`, entry), await ask(pve, node, `${at}/storage`, entry)];
		if (detail.data) view.details[node] = detail.data;
		if (Array.isArray(storages.data)) view.storages[node] = storages.data;
	}
	return view;
}

const problemsOf = (result) => Object.values(result).flatMap(({ problems }) => problems);

/** `fresh()` resolves when all that is published is from after its call. */
export async function judgeNumbers(report, what, { pve, places, entry, published, fresh }) {
	let before = await readNow(pve, places, entry);
	let result;
	for (let round = 0; round < ROUNDS; round++) {
		await fresh();
		const after = await readNow(pve, places, entry);
		result = compareAll(before, after, published);
		if (problemsOf(result).length === 0) break;
		before = after;
	}
	for (const [kind, { count, problems }] of Object.entries(result)) {
		if (count > 0 || problems.length > 0) report.judge(`${what}: what is published of ${kind} is what Proxmox says (${count} compared)`, problems, JARVIS_FAULT);
	}
	if (result.guests.count === 0) report.note(`${what}: Proxmox tells of no guest whose node is online`);
	if (result.nodes.count === 0) report.fail(`${what}: there is something to compare`, '/cluster/resources tells of no node', 'give the token role PVEAuditor on /');
}

/** What jarvis.yaml knows of the owner. */
function learnConfig(redactor, name, config, secret) {
	redactor.learn([secret], 'secret');
	redactor.learn([name], 'cluster');
	redactor.learn(Object.keys(config.nodes ?? {}), 'node');
	redactor.learnForms([config.token]);
	for (const node of Object.values(config.nodes ?? {})) redactor.learnForms([node.address, node.mac, node.fingerprint, node.server_name]);
}

/** Asks every path, writes what came redacted into `dir`, and answers it. */
export async function capture(report, what, { pve, places, entry, templates, dir, secret, version, fields }) {
	for (const template of templates) {
		const word = unknownWord(template);
		if (word) report.fail(`${what}: ${template} is asked`, `nobody here knows what {${word}} stands for`, 'add the word to WORDS in tests/live/paths.mjs');
	}
	const asked = await askAll(pve, templates.filter((template) => !unknownWord(template)), places, entry);
	const silent = asked.filter(({ answer }) => answer.error).map(({ path, answer }) => `${path}: ${answer.error}`);
	report.judge(`${what}: ${asked.length} calls of the poller's paths are answered`, silent, 'look at the network and at that node; run it again');
	const redactor = new Redactor(fields);
	learnConfig(redactor, what, pve.config, secret);
	const captured = redactAll(redactor, asked);
	// It should have found everything; what it has not is not written.
	const leaks = captured.filter(({ body, path, reason }) => redactor.finds([body, path, reason]));
	if (leaks.length > 0) {
		report.fail(`${what}: nothing in the saved answers names its owner`, leaks.map(({ template }) => template), 'they were not saved; open an issue with these paths');
		return captured;
	}
	writeCapture(dir, captured, { made: 'make check-live', version: /^[\d.]+$/.test(version) ? version : '', calls: captured.length });
	return captured;
}

/** The same paths, asked of a simulator of the same version. */
export async function simulate({ version, standalone, templates, scratch }) {
	const options = { life: 'off', pve: version };
	if (standalone) options.standalone = 'true';
	const dir = scratch.folder('sim', standalone ? 'node' : 'cluster');
	const simulator = makeSimulator({ dir, log: scratch.path('log', 'simulator.log'), options, onExit: () => {} });
	simulator.prepare();
	simulator.start();
	try {
		const { nodes, tokens } = await simulator.ready();
		const at = ([name, { host, port, fingerprint }]) => [name, { address: host, port, fingerprint }];
		const config = { token: tokens.monitor.id, nodes: Object.fromEntries(Object.entries(nodes).filter(([, node]) => node.host).map(at)),
			connect_ms: 5000, request_ms: 15_000 };
		// Not to be redacted: nobody owns it.
		return await askSimulator(new Proxmox(config, readSecret(dir, '', 'monitor.secret'), new Budget(10_000)), templates);
	} finally {
		await simulator.stop();
	}
}

async function askSimulator(pve, templates) {
	try {
		const resources = (await ask(pve, null, '/cluster/resources')).data;
		const known = templates.filter((template) => !unknownWord(template));
		const asked = await askAll(pve, known, await findPlaces(pve, known, resources, ALL));
		return asked.map(({ template, path, answer }) => ({ template, path, status: answer.status, body: answer.answer ?? { 'not-json': 1 } }));
	} finally {
		pve.close();
	}
}

/** 9.3 and what else the simulator does not know is played by the newest that it does. */
export function simulated(version) {
	const [, major, minor] = /^(\d+)\.(\d+)/.exec(version) ?? [];
	if (major === '8' || major === '9') return `${major}.${minor}`;
	return Number(major) < 8 ? '8' : '9';
}

export function judgeShapes(report, what, real, ours, dir) {
	const lines = { extra: 'ours has not', missing: 'ours has, this cluster has not' };
	const rows = compareCaptures(real, ours);
	let compared = 0;
	if (existsSync(dir)) writePrivate(dir, 'differences.json', rows);
	for (const row of rows) {
		if (!row.compared) {
			if (row.ours > 0 || row.real > 0) report.note(`${what}: ${row.template} not compared: ${row.real > 0 ? 'the simulator' : 'the cluster'} gave no such answer`);
			continue;
		}
		compared++;
		const found = [...row.types.map((text) => `another type: ${text}`),
			...['extra', 'missing'].flatMap((kind) => row[kind].map((path) => `${lines[kind]}: ${path}`))];
		report.judge(`${what}: ${row.template} has the shape that the simulator gives it`, found, `${JARVIS_FAULT} of that path in ${dir} (HACKING.md, "Mend the simulator")`, 40);
	}
	if (compared === 0) report.fail(`${what}: shapes are compared`, 'no path was answered by both', 'mend what failed above, then run this again');
}

export const captureDir = (out, i) => join(out, `cluster-${i + 1}`);
