// Every GET that the simulator can answer, redacted: no name, address, serial number or key of its cluster is left.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { handlers } from '../../sim/pve/api/handlers/index.mjs';
import { startSim } from '../../sim/pve/test/helper.mjs';
import { redactAll } from '../capture.mjs';
import { Redactor, keysOf } from '../redact.mjs';
import { NOT_TELLING, SAFE_WORDS } from '../redact_words.mjs';

/** What stands for the {words} of the simulator's own paths. */
const PLACE = { node: 'Home', vmid: '102', storage: 'nas', name: 'tank', service: 'corosync', poolid: 'smarthome', userid: 'jarvis@pve', tokenid: 'monitor',
	id: 'backup-4b1ad0c7-nightly', sid: 'ct:120', snapname: 'current', type: 'lxc' };

/** [what, text] of all that tells whose cluster it is. */
async function planted(sim) {
	const truth = await sim.fetch('/state');
	const texts = [...Object.keys(truth.nodes), ...Object.keys(truth.storages), ...Object.values(truth.guests).flatMap(({ name, tags }) => [name, ...String(tags).split(';')]),
		...Object.values(truth.nodes).map(({ mac }) => mac), '192.168.1.', 'smarthome', 'backup-4b1ad0c7', 'BEGIN CERTIFICATE'];
	for (const node of Object.keys(truth.nodes)) {
		for (const { serial, wwn } of await sim.data(`/nodes/${node}/disks/list`)) texts.push(serial, wwn);
		for (const { fingerprint } of await sim.data(`/nodes/${node}/certificates/info`)) texts.push(fingerprint);
	}
	return [...new Set(texts)].filter((text) => text && text.length > 2 && text !== 'undefined' && text !== 'null');
}

async function askEverything(sim) {
	const asked = [];
	for (const [method, template] of Object.keys(handlers).map((key) => key.split(' '))) {
		const words = [...template.matchAll(/\{(\w+)\}/g)].map(([, word]) => word);
		if (method !== 'GET' || words.some((word) => !PLACE[word])) continue;
		const path = template.replace(/\{(\w+)\}/g, (_, word) => encodeURIComponent(PLACE[word]));
		const { status, reason, headers, text, json } = await sim.get(path, { node: 'Home' });
		asked.push({ template, path, node: 'Home', answer: { status, reason, headers, text, answer: json, data: json?.data } });
	}
	return asked;
}

/** As a word of its own; the beginning of an address before any number. */
function standsIn(text, word) {
	const literal = word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
	return new RegExp(`(?<![A-Za-z0-9])${literal}${word.endsWith('.') ? '' : '(?![A-Za-z0-9])'}`, 'i').test(text);
}

test('nothing of the reference cluster is left in any answer', async (t) => {
	const sim = await startSim(t);
	const asked = await askEverything(sim);
	assert.ok(asked.filter(({ answer }) => answer.status === 200).length > 30, 'most of them answer');
	// As main.mjs does: keys of the simulator's answers are Proxmox's.
	const fields = keysOf(asked.map(({ answer }) => answer.answer)).filter((key) => !key.startsWith('/'));
	const captured = redactAll(new Redactor(fields), asked);
	// A word that is Proxmox's too: a key is called agent, a path ends in dns.
	const levels = asked.flatMap(({ template }) => template.split('/'));
	const telling = (text) => ![...NOT_TELLING, ...SAFE_WORDS, ...fields, ...levels].includes(text);
	const words = (await planted(sim)).filter(telling);
	assert.ok(words.length > 60);
	const left = [];
	for (const { template, body, path, reason } of captured) {
		const text = JSON.stringify([body, path, reason]);
		for (const word of words) if (standsIn(text, word)) left.push(`${template}: ${word}`);
	}
	assert.deepEqual(left, []);
});
