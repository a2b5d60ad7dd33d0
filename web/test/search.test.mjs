// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { parseSearch, tokenize } from '../src/lib/search.ts';

const GIB = 1024 ** 3;

function guest(over = {}) {
	const g = {
		vmid: 105, name: 'jellyfin', node: 'pve', type: 'lxc', status: 'running', tags: ['media', 'prod'], cpu: 85,
		mem: 50, memBytes: 2 * GIB, uptime: 90_000, lock: null, ...over,
	};
	return {
		text: [String(g.vmid), g.name, g.node, g.type, g.status, ...g.tags],
		fields: {
			name: g.name, node: g.node, type: g.type, tag: g.tags, status: g.status, vmid: String(g.vmid), lock: g.lock,
		},
		numbers: { cpu: g.cpu, mem: g.mem, uptime: g.uptime, vmid: g.vmid },
		sizes: { mem: g.memBytes },
	};
}
const finds = (query, over) => parseSearch(query).test(guest(over));

describe('numbers', () => {
	test('all operators', () => {
		assert.ok(finds('cpu>80'));
		assert.ok(!finds('cpu>85'));
		assert.ok(finds('cpu>=85'));
		assert.ok(finds('cpu<86'));
		assert.ok(finds('cpu<=85'));
		assert.ok(finds('mem=50'));
		assert.ok(finds('mem!=51'));
		assert.ok(!finds('mem!=50'));
	});
	test('blanks round an operator', () => {
		assert.ok(finds('cpu > 80'));
		assert.ok(!finds('cpu > 90'));
		assert.ok(finds('cpu >=85 mem< 51 jelly'));
		assert.ok(finds('-cpu != 85'));
		assert.equal(parseSearch('mem > 1.5G cpu > 1').terms, 2);
		assert.deepEqual(tokenize('"a > 3" b > 3'), ['"a > 3"', 'b>3']);
	});
	test('a percent sign, a size, a time', () => {
		assert.ok(finds('memory>=50%'));
		assert.ok(finds('mem>1.5G'));
		assert.ok(finds('mem>=2GiB'));
		assert.ok(!finds('mem>2g'));
		assert.ok(finds('uptime>1d'));
		assert.ok(!finds('uptime>2d'));
	});
	test('an unknown value satisfies no comparison, and zero is not unknown', () => {
		for (const q of ['cpu>0', 'cpu<1', 'cpu=0', 'cpu!=3']) assert.ok(!finds(q, { cpu: null }), q);
		assert.ok(finds('cpu<1', { cpu: 0 }));
		assert.ok(finds('-cpu>80', { cpu: null }));
	});
});

describe('fields', () => {
	test('are the very word in any case; a name is found by a part of it', () => {
		assert.ok(finds('node:pve'));
		assert.ok(finds('node:PVE', { node: 'Pve' }));
		assert.ok(!finds('node:ve'));
		assert.ok(!finds('node:agent', { node: 'agent1' }));
		assert.ok(!finds('status:run'));
		assert.ok(!finds('type:lx'));
		assert.ok(!finds('tag:pro'));
		assert.ok(finds('name:fin'));
		assert.ok(finds('tag:prod'));
		assert.ok(!finds('tag:test'));
		assert.ok(finds('vmid:105'));
	});
	test('a comma is or; words people use are understood', () => {
		assert.ok(finds('type:vm,ct'));
		assert.ok(!finds('type:vm'));
		assert.ok(finds('status:up'));
		assert.ok(finds('node:agent,pve'));
	});
	test('an unknown field matches nothing', () => {
		assert.ok(!finds('lock:backup'));
		assert.ok(finds('lock:backup', { lock: 'backup' }));
	});
});

describe('text', () => {
	test('is found anywhere, in any case, with alternatives', () => {
		assert.ok(finds('JELLY'));
		assert.ok(finds('plex,jelly'));
		assert.ok(!finds('plex,kodi'));
		assert.ok(finds('105'));
		assert.ok(finds('"jelly"'));
	});
	test('a minus turns a term round; terms are joined by and', () => {
		assert.ok(finds('-stopped'));
		assert.ok(!finds('-running'));
		assert.ok(finds('jelly cpu>80 -tag:test'));
		assert.ok(!finds('jelly cpu>90'));
	});
	test('quotes keep blanks and operators together', () => {
		assert.deepEqual(tokenize('a "b c" name:"d e" f'), ['a', '"b c"', 'name:"d e"', 'f']);
		assert.ok(finds('name:"my vm"', { name: 'my vm' }));
		assert.ok(finds('"cpu>80"', { name: 'x cpu>80 y' }));
		assert.ok(!finds('"cpu>80"'));
	});
});

describe('what cannot be read', () => {
	test('is reported and leaves the rest working', () => {
		const q = parseSearch('cpu>x jelly bogus:1 speed>3 mem> cpu>2G');
		assert.deepEqual(q.errors.map((e) => e.term), ['cpu>x', 'bogus:1', 'speed>3', 'mem>', 'cpu>2G']);
		assert.equal(q.terms, 1);
		assert.ok(q.test(guest()));
	});
	test('half-typed searches never throw', () => {
		for (const q of ['', ' ', '-', '"', ':', '>', ',', 'cpu', 'cpu:', '-"', 'a,,b', '\u0000', '((', '\\', 'name:"'])
			assert.doesNotThrow(() => parseSearch(q).test(guest()), q);
		assert.equal(parseSearch('').terms, 0);
	});
});

describe('backups, snapshots, heat', () => {
	const DAY = 86_400;
	const item = (over = {}) => ({
		text: ['105', 'jellyfin'], sizes: {},
		fields: { backup: ['fine'], snapshot: ['some', 'works'], onboot: 'yes', kind: 'guest', ...over.fields },
		numbers: { backup: 3 * DAY, snapshot: 40 * DAY, temp: 71, life: null, ...over.numbers },
	});
	const hits = (query, over) => parseSearch(query).test(item(over));
	test('words for how well something is backed up', () => {
		assert.ok(hits('backup:fine'));
		assert.ok(hits('backup:ok'));
		assert.ok(hits('-backup:none'));
		assert.ok(hits('backup:none,stale', { fields: { backup: ['never', 'none'] } }));
		assert.ok(!hits('backup:failed'));
	});
	test('ages: a bare number is days, what never was satisfies nothing', () => {
		assert.ok(hits('backup>2d'));
		assert.ok(hits('backup>2'));
		assert.ok(hits('backup<1w'));
		assert.ok(!hits('backup>72h'));
		assert.ok(hits('snapshot>30d'));
		assert.ok(!hits('backup>2d', { numbers: { backup: null } }));
		assert.ok(!hits('backup<2d', { numbers: { backup: null } }));
	});
	test('degrees, with or without their unit', () => {
		assert.ok(hits('temp>70'));
		assert.ok(hits('temp>70c'));
		assert.ok(hits('temp >= 71°C'));
		assert.ok(!hits('temp>71'));
		assert.equal(parseSearch('temp>70G').errors.length, 1);
		assert.equal(parseSearch('backup>2G').errors.length, 1);
	});
	test('kinds and yes or no', () => {
		assert.ok(hits('kind:guests'));
		assert.ok(!hits('kind:disk'));
		assert.ok(hits('onboot:true'));
		assert.ok(hits('snapshot:some'));
	});
});

describe('what jarvisctl finds, too', () => {
	const data = JSON.parse(readFileSync(new URL('../../tests/data/search.json', import.meta.url), 'utf8'));

	for (const { search, finds: wanted } of data.finds)
		test(search || '(nothing)', () => {
			const q = parseSearch(search);
			assert.deepEqual(q.errors, []);
			const found = Object.entries(data.items).filter(([, item]) => q.test(item)).map(([name]) => name);
			assert.deepEqual(found.sort(), wanted.sort());
		});
	test('and what cannot be read', () => {
		for (const search of data.errors) assert.equal(parseSearch(search).errors.length, 1, search);
	});
});
