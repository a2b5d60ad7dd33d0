// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HEARTBEAT_MS, judgeOwner, judgeSource, silence, sourceAge, verdictReason } from '../src/lib/freshness.ts';

const WHOLE = { socket: true, broker: true };
const entry = { last_ok_ms: 100_000, period_s: 10 };
/** A source document written 2 s after its source answered, which reached the gateway 1 s before us, at our 50 s. */
const view = { ts: 102_000, entry, evidence: { seenMs: 1000, at: 50_000 } };

describe('age', () => {
	test('is what the document had, what the gateway waited, and what we waited', () => {
		assert.equal(sourceAge(102_000, entry, view.evidence, 57_000), 2000 + 1000 + 7000);
	});
	test('is unknown without a live message, and for a source that never answered', () => {
		assert.equal(sourceAge(102_000, entry, { seenMs: null, at: 0 }, 1), null);
		assert.equal(sourceAge(102_000, entry, null, 1), null);
		assert.equal(sourceAge(102_000, { last_ok_ms: null, period_s: 10 }, view.evidence, 50_000), null);
	});
	test('never runs backwards: neither with our tick before the arrival nor with a clock that jumped', () => {
		assert.equal(silence({ seenMs: 5, at: 1000 }, 400), 5);
		assert.equal(sourceAge(99_000, entry, { seenMs: 0, at: 0 }, 0), 0);
	});
});

describe('a document with a source', () => {
	const judge = (over) => judgeSource(
		over.path ?? WHOLE, over.online ?? true, 'source' in over ? over.source : view, over.now ?? 51_000,
	);
	test('is live while its source is younger than three periods', () => {
		assert.equal(judge({}), 'live');
		assert.equal(judge({ now: 50_000 + 26_999 }), 'live');
		assert.equal(judge({ now: 50_000 + 27_001 }), 'source-old');
	});
	test('is not live over a broken path, whatever its age', () => {
		assert.equal(judge({ path: { socket: false, broker: true } }), 'no-socket');
		assert.equal(judge({ path: { socket: true, broker: false } }), 'no-broker');
	});
	test('is not live when its owner is offline', () => {
		assert.equal(judge({ online: false }), 'owner-offline');
	});
	test('is not live from a retained copy', () => {
		assert.equal(judge({ source: { ...view, evidence: { seenMs: null, at: 50_000 } } }), 'no-evidence');
		assert.equal(judge({ source: { ...view, evidence: null } }), 'no-evidence');
	});
	test('is not live when nothing says how its source answers', () => {
		assert.equal(judge({ source: null }), 'no-evidence');
		assert.equal(judge({ source: { ...view, entry: null } }), 'no-evidence');
	});
	test('is not old but unanswered when its source never answered', () => {
		assert.equal(judge({ source: { ...view, entry: { last_ok_ms: null, period_s: 10 } } }), 'not-answered');
	});
});

describe('a service', () => {
	test('is live when it is online and was heard', () => {
		assert.equal(judgeOwner(WHOLE, true, [{ seenMs: 500, at: 0 }], HEARTBEAT_MS), 'live');
		assert.equal(judgeOwner(WHOLE, true, [null, { seenMs: null, at: 0 }], 0), 'no-evidence');
		assert.equal(judgeOwner(WHOLE, false, [{ seenMs: 0, at: 0 }], 0), 'owner-offline');
		assert.equal(judgeOwner({ socket: false, broker: true }, true, [{ seenMs: 0, at: 0 }], 0), 'no-socket');
	});
});

test('every verdict has its sentence', () => {
	for (const v of [
		'not-answered', 'live', 'no-socket', 'no-broker', 'owner-offline', 'source-old', 'no-evidence',
	]) assert.ok(verdictReason(v).length > 3);
});
