import assert from 'node:assert/strict';
import test from 'node:test';
import { handlers } from '../api/handlers/index.mjs';
import { schemaFor } from '../api/schema.mjs';
import { SimClock } from '../lib/clock.mjs';
import { createPrng, smoothNoise } from '../lib/prng.mjs';
import { encode } from '../wire/json.mjs';
import { parseQuery } from '../wire/params.mjs';

test('every simulated call exists in PVE and has a parameter table', () => {
	for (const key of Object.keys(handlers)) {
		const [method, template] = key.split(' ');
		const found = schemaFor(9).find(method, template.replace(/[{}]/g, ''));
		assert.ok(found, key);
		assert.equal(found.row.key, key);
		const inPath = [...template.matchAll(/\{(\w+)\}/g)].map((m) => m[1]);
		for (const name of inPath.filter((n) => n !== 'node')) {
			assert.ok(found.row.params?.[name], `${key}: ${name}`);
		}
	}
});

test('version 8 differs where it should', () => {
	assert.equal(schemaFor(8).find('GET', '/cluster/bulk-action'), null);
	assert.ok(schemaFor(9).find('GET', '/cluster/bulk-action'));
	const volume = schemaFor(9).find('GET', '/nodes/a/storage/b/content/b:iso/x.iso');
	assert.equal(volume.uri.volume, 'b:iso/x.iso');
});

test('timers run in order, each at its own time', () => {
	const clock = new SimClock({ epoch: 1000 });
	const seen = [];
	clock.after(20, () => seen.push(['b', Math.round(clock.now())]));
	clock.after(10, () => {
		seen.push(['a', Math.round(clock.now())]);
		clock.after(5, () => seen.push(['a2', Math.round(clock.now())]));
	});
	const never = clock.after(15, () => seen.push(['never']));
	clock.cancel(never);
	clock.advance(3600);
	clock.stop();
	assert.deepEqual(seen, [['a', 1010], ['a2', 1015], ['b', 1020]]);
});

test('chance is repeatable and smooth', () => {
	const run = (seed) => Array.from({ length: 5 }, createPrng(seed).next);
	assert.deepEqual(run(1), run(1));
	assert.notDeepEqual(run(1), run(2));
	for (let t = 0; t < 1000; t++) {
		assert.ok(Math.abs(smoothNoise(5, t, 100) - smoothNoise(5, t + 1, 100)) < 0.02);
	}
});

test('JSON is Perl\'s', () => {
	assert.equal(encode({ a: -5.75e-5 }), '{"a":-5.75e-05}');
	assert.equal(encode([0.1 + 0.2, 1e15, 0, null, true, 'ä"']),
		'[0.3,1000000000000000,0,null,true,"ä\\""]');
	assert.equal(encode({ gone: undefined }), '{}');
});

test('queries', () => {
	assert.deepEqual({ ...parseQuery('a=1&a=2&b=x+y%21&_dc=9&c') },
		{ a: ['1', '2'], b: 'x y!', c: '' });
});
