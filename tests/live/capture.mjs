// Asks every path that the poller uses, and keeps the answers redacted: what the simulator is to be compared with, and what
// an owner may share after looking at it.
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LIMITS, addPlaces, expand, placesFrom, wordsOf } from './paths.mjs';

const HEADERS = { 'content-type': /^[a-z]+\/[a-z]+(;\s*charset=[\w-]+)?$/i, server: /^pve-api-daemon\/[\d.]+$/,
	'cache-control': /^[a-z0-9=, -]+$/, 'content-encoding': /^[a-z]+$/, connection: /^[a-z-]+$/i };
const REASONS = /^(OK|No ticket|permission denied - invalid PVE ticket|Parameter verification failed\.|Not Found|Internal Server Error)$/;

const rowsOf = (answer) => (answer?.status === 200 && Array.isArray(answer.data) ? answer.data : []);

/** Which nodes, guests, storages … stand for the {words} of `templates`; asks what is needed to know. */
export async function findPlaces(pve, templates, resources, limits = LIMITS) {
	const places = placesFrom(resources, pve.endpoints, limits);
	const needed = new Set(templates.flatMap(wordsOf));
	const lists = [['storage', '/storage', ['storage']], ['disks', '/disks/list?skipsmart=1', ['disk', 'devpath']], ['zfs', '/disks/zfs', ['pool', 'name']],
		['tasks', '/tasks?limit=1', ['upid']]];
	for (const { node } of places.nodes) {
		const found = {};
		for (const [kind, path, words] of lists) {
			if (words.some((word) => needed.has(word))) found[kind] = rowsOf(await ask(pve, node, `/nodes/${encodeURIComponent(node)}${path}`));
		}
		addPlaces(places, node, found, limits);
	}
	return places;
}

/** A node is asked itself where it has an address, else the first that has one, which passes it on. */
export function ask(pve, node, path, entry = pve.endpoints[0]) {
	return pve.get(node !== null && pve.endpoints.includes(node) ? node : entry, path);
}

/** [{template, path, node, answer}] of every path, one after the other. */
export async function askAll(pve, templates, places, entry) {
	const asked = [];
	for (const template of templates) {
		for (const call of expand(template, places)) asked.push({ ...call, answer: await ask(pve, call.node, call.path, entry) });
	}
	return asked;
}

function redactReason(redactor, reason) {
	const [, path, privilege] = /^Permission check failed \((\/[^,]*), ([\w.|]+)\)$/.exec(reason) ?? [];
	if (path) return `Permission check failed (${redactor.path(path)}, ${privilege})`;
	return reason === '' || REASONS.test(reason) ? reason : redactor.name(reason, 'reason');
}

function redactOne(redactor, { template, path, answer }) {
	const { status, reason, headers, text } = answer;
	const kept = Object.entries(HEADERS).filter(([name, form]) => form.test(headers[name] ?? ''));
	return {
		method: 'GET', template, path: redactor.path(path), status, reason: redactReason(redactor, reason),
		headers: Object.fromEntries(kept.map(([name]) => [name, headers[name]])),
		// What is no JSON is somebody's page.
		body: answer.answer === undefined ? { 'not-json': text.length } : redactor.value(answer.answer),
	};
}

/** The answers without all that tells of their owner; calls that got none are left out. */
export function redactAll(redactor, asked) {
	const answered = asked.filter(({ answer }) => !answer.error);
	for (const { answer } of answered) redactor.learnFrom(answer.answer);
	const first = answered.map((call) => redactOne(redactor, call));
	return first.map((call) => ({ ...call, reason: redactor.sweep(call.reason), body: redactor.sweep(call.body) }));
}

/** Into the folder of a capture; only its owner may read it. */
export function writePrivate(dir, name, value) {
	writeFileSync(join(dir, name), `${JSON.stringify(value, null, 1)}\n`, { mode: 0o600 });
}

/** One file an answer; only their owner may read them. */
export function writeCapture(dir, captured, about) {
	mkdirSync(dir, { recursive: true, mode: 0o700 });
	chmodSync(dir, 0o700);
	captured.forEach((call, i) => {
		const slug = call.template.replace(/\?.*$/, '').replace(/[{}]/g, '').replace(/^\//, '').replace(/[^\w-]+/g, '-');
		writePrivate(dir, `${String(i + 1).padStart(3, '0')}-${slug}.json`, call);
	});
	writePrivate(dir, 'about.json', about);
}
