// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { arcPath, polar, segments } from '../src/lib/arc.ts';
import { backoffMs } from '../src/lib/backoff.ts';
import { bytes, decimal, duration, percent, plural, rate, share, timeOrDay, visible } from '../src/lib/format.ts';
import { formatHash, parseHash } from '../src/lib/hash.ts';
import { holdOrder, naturally, sameList, sortBy } from '../src/lib/order.ts';
import { areaPath, Samples, scaleOf, sparkPath } from '../src/lib/ring.ts';
import { freshnessRef, isSourceDocument, matchTopic } from '../src/lib/topics.ts';
import { rowWindow, scrollToRow } from '../src/lib/window.ts';

test('what is hidden in a text is shown', () => {
	assert.equal(visible('safe\u202e\u200b\u{e0041}\x07'), 'safe\\u{202e}\\u{200b}\\u{e0041}\\u{7}');
	assert.equal(visible('two\n\tlines, größer 😀 日本'), 'two\n\tlines, größer 😀 日本');
});

describe('topics', () => {
	test('are told apart by the table', () => {
		assert.deepEqual(
			matchTopic('pve/home/node/agent1/state'), { id: 'NODE_STATE', words: { cluster: 'home', node: 'agent1' } },
		);
		assert.equal(matchTopic('pve/home/state').id, 'CLUSTER_STATE');
		assert.equal(matchTopic('pve/home/storage/-/nas/state').words.node, '-');
		assert.equal(matchTopic('pve/home/node/agent1/nonsense'), null);
		assert.equal(matchTopic(''), null);
	});
	test('know where their freshness is written', () => {
		assert.deepEqual(
			freshnessRef('pve/home/guest/100/state'),
			{ owner: 'proxmox-poller', sourceTopic: 'pve/home/state', sourceKey: 'resources' },
		);
		assert.deepEqual(
			freshnessRef('pve/lab/storage/-/nas/state'),
			{ owner: 'proxmox-poller', sourceTopic: 'pve/lab/state', sourceKey: 'storage.-' },
		);
		assert.deepEqual(
			freshnessRef('pve/home/state'), { owner: 'proxmox-poller', sourceTopic: 'pve/home/state', sourceKey: null },
		);
		assert.deepEqual(
			freshnessRef('service/gateway/main/info'), { owner: 'gateway', sourceTopic: null, sourceKey: null },
		);
		assert.equal(freshnessRef('no/such/topic'), null);
		assert.ok(isSourceDocument('CLUSTER_STATE'));
	});
	test('thermal documents follow the thermal collector, not the poller', () => {
		assert.deepEqual(
			freshnessRef('pve/home/node/pve/thermal'),
			{ owner: 'thermal-collector', sourceTopic: 'pve/home/thermal', sourceKey: 'node.pve' },
		);
	});
});

describe('values for people', () => {
	test('unknown is a dash', () => {
		for (const f of [bytes, percent, duration, rate, decimal]) assert.equal(f(null), '—');
		assert.equal(share(null, 10), null);
		assert.equal(share(5, 0), null);
		assert.equal(share(0, 10), 0);
		assert.equal(bytes(NaN), '—');
	});
	test('bytes, rates, times', () => {
		assert.equal(bytes(0), '0 B');
		assert.equal(bytes(1536), '1.50 KiB');
		assert.equal(bytes(24 * 1024 ** 3), '24 GiB');
		assert.equal(bytes(12.34 * 1024 ** 4), '12.3 TiB');
		assert.equal(rate(340 * 1024), '340K');
		assert.equal(rate(1.25 * 1024 ** 2), '1.3M');
		assert.equal(duration(42_900), '42s');
		assert.equal(duration(3600e3 * 28), '1d 4h');
		assert.equal(duration(3600e3 * 3), '3h');
		assert.equal(duration(-5), '0s');
		const noon = new Date(2026, 10, 20, 12, 0, 5).getTime();
		assert.equal(timeOrDay(noon, noon + 3600e3), '12:00:05');
		assert.equal(timeOrDay(noon, noon + 864e5), '20 Nov');
		assert.equal(plural(1, 'vote'), '1 vote');
		assert.equal(plural(2, 'vote'), '2 votes');
	});
});

describe('reconnecting', () => {
	test('waits 0.5, 1, 2, 4, 8, 8 … s with a quarter of jitter', () => {
		assert.deepEqual(
			[0, 1, 2, 3, 4, 5, 50].map((n) => backoffMs(n, 0.5)), [500, 1000, 2000, 4000, 8000, 8000, 8000],
		);
		assert.equal(backoffMs(0, 0), 375);
		assert.ok(backoffMs(4, 0.999) <= 10_000);
	});
});

describe('samples', () => {
	test('keep the newest and nothing more', () => {
		const s = new Samples(3);
		for (const v of [1, 2, 3, 4]) s.push(v);
		assert.deepEqual([0, 1, 2].map((i) => s.at(i)), [2, 3, 4]);
		assert.equal(s.length, 3);
	});
	test('a gap lifts the pen, the newest is at the right edge', () => {
		const s = new Samples(5);
		for (const v of [0, 50, null, 100]) s.push(v);
		assert.equal(sparkPath(s, 100, 10, 100), 'M25.0 10.0L50.0 5.0M100.0 0.0');
		assert.equal(areaPath(s, 100, 10, 100).split('Z').length - 1, 2);
		assert.equal(sparkPath(new Samples(4), 100, 10, 100), '');
	});
	test('the scale fits what is there, gaps aside', () => {
		const s = new Samples(4);
		assert.equal(scaleOf(s), 10);
		for (const v of [3, null, 21]) s.push(v);
		assert.equal(scaleOf(s), 25);
		s.push(24);
		assert.equal(scaleOf(s), 50);
		s.push(100);
		assert.equal(scaleOf(s), 100);
	});
	test('values beyond the scale stay in the box', () => {
		const s = new Samples(2);
		s.push(-5);
		s.push(400);
		assert.equal(sparkPath(s, 10, 10, 100), 'M0.0 10.0L10.0 0.0');
	});
});

describe('order', () => {
	test('is natural', () => {
		assert.deepEqual(['g/1000', 'g/101', 'g/99'].sort(naturally), ['g/99', 'g/101', 'g/1000']);
	});
	test('unknown is last in both directions, ties keep their order', () => {
		const items = [{ n: 'a', v: 2 }, { n: 'b', v: null }, { n: 'c', v: 5 }, { n: 'd', v: 2 }];
		const names = (list) => list.map((x) => x.n).join('');
		assert.equal(names(sortBy(items, (x) => x.v, false)), 'adcb');
		assert.equal(names(sortBy(items, (x) => x.v, true)), 'cadb');
	});
	test('held still, what is there stays where it is', () => {
		assert.deepEqual(holdOrder(['a', 'b', 'c'], ['c', 'd', 'a']), ['a', 'c', 'd']);
		assert.ok(sameList([1, 2], [1, 2]));
		assert.ok(!sameList([1, 2], [2, 1]));
	});
});

describe('rows in view', () => {
	test('short lists are drawn whole', () => {
		assert.deepEqual(rowWindow(150, 32, 4000, 300), { from: 0, to: 150 });
	});
	test('long lists in a window that covers the view, also beyond the end', () => {
		for (const top of [0, 31, 32, 5000, 32 * 490, 1e6]) {
			const w = rowWindow(500, 32, top, 320);
			const first = Math.min(Math.floor(top / 32), 490);
			assert.ok(w.from <= first && w.to >= Math.min(first + 10, 500), `${top}: ${w.from}–${w.to}`);
			assert.ok(w.to - w.from <= 26);
		}
	});
	test('the cursor is brought into view, and not moved when it is', () => {
		assert.equal(scrollToRow(0, 32, 500, 320), 0);
		assert.equal(scrollToRow(20, 32, 500, 320), 500);
		assert.equal(scrollToRow(40, 32, 500, 320), 41 * 32 - 320);
	});
});

describe('the address', () => {
	test('holds the view and reads it back', () => {
		const view = {
			q: 'cpu>80 node:pve', sort: '-cpu', sel: 'pve/home/guest/100/state', view: 'guests', cluster: 'home',
		};
		const hash = formatHash(view);
		assert.deepEqual(parseHash(hash), view);
		assert.ok(hash.includes('sel=pve/home/guest/100/state'));
		assert.equal(formatHash(parseHash('')), '');
	});
	test('nonsense is harmless', () => {
		assert.deepEqual(parseHash('#%%%&q=%E0%A4%A&=&x=1').sort, '');
	});
});

describe('the ring', () => {
	test('is cut into equal segments without overlap', () => {
		for (const count of [1, 2, 4, 12, 100]) {
			const segs = segments(count, 5);
			assert.equal(segs.length, count);
			for (let i = 1; i < count; i++) assert.ok(segs[i].from > segs[i - 1].to);
			assert.ok(segs.at(-1).to - segs[0].from <= 360);
			assert.ok(count > 8 || segs.every((s) => Math.abs((s.mid % 360) - 180) > 10), `${count}: room for labels`);
			assert.ok(segs.every((s) => s.to > s.from));
		}
		assert.deepEqual(segments(0, 5), []);
	});
	test('begins at the top and turns with the clock', () => {
		const { x, y } = polar(10, 90);
		assert.ok(Math.abs(x - 10) < 1e-9 && Math.abs(y) < 1e-9);
		assert.equal(arcPath(10, 0, 90), 'M0.00 -10.00A10 10 0 0 1 10.00 0.00');
		assert.ok(arcPath(10, 0, 359).includes(' 1 1 '));
	});
});
