// Broker, gate, executor and gateway are killed again and again while actions of all kinds are under way. In the end each
// action has an end, nothing was done twice, nothing without a record before it, and the chain is sound.
//
// JARVIS_KILLS and JARVIS_SEED: how often, and which sequence of victims and pauses; a failure prints its seed.
// JARVIS_KILLS_S: no more of them after so many seconds.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Browser } from './gateway_client.mjs';
import { OVER, eventually, newId, sleep, start } from './actions_world.mjs';

const KILLS = Number(process.env.JARVIS_KILLS ?? 15);
const SECONDS = Number(process.env.JARVIS_KILLS_S ?? 600);
const SEED = Number(process.env.JARVIS_SEED ?? Date.now() % 1_000_000);
const VICTIMS = ['broker', 'safety-gate', 'executor', 'gateway'];
const MOST_MS = 800;
const END_MS = 75_000; // what is not claimed expires in 60 s
const SNAPSHOTS = [101, 105, 106, 121, 122, 143];
const SWITCHED = [125, 146];

/** mulberry32 */
function random(seed) {
	let a = seed >>> 0;
	return () => {
		a = (a + 0x6d2b79f5) >>> 0;
		let t = Math.imul(a ^ (a >>> 15), a | 1);
		t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
		return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
	};
}

/** Asks until somebody answers, always with the same request_id; answers {status, body}. */
async function insist(w, as, run, request) {
	while (run.on) {
		const answer = await w.execute(request.tool, request.args, { as, ...request.more, request_id: request.request_id }).catch(() => null);
		// No answer, or none of the gate: the same again must not be another one.
		if (answer && answer.status !== 503) return answer;
		await sleep(50);
	}
	return null;
}

async function work(w, run, make) {
	const as = new Browser(w.stack.url);
	as.cookie = w.operator.cookie;
	while (run.on) {
		const request = { request_id: newId('k'), ...make() };
		const answer = await insist(w, as, run, request);
		if (!answer) return;
		run.answers.push({ request, ...answer });
		assert.ok([200, 202, 403, 409, 429].includes(answer.status), JSON.stringify(answer));
		if (answer.body.id) await w.over(answer.body.id, 2000).catch(() => {});
	}
}

async function kills(w, next, run) {
	const counts = { rounds: 0 };
	const end = performance.now() + SECONDS * 1000;
	for (let i = 0; i < KILLS && performance.now() < end; i++) {
		await sleep(next() * MOST_MS);
		counts.rounds++;
		const first = VICTIMS[Math.floor(next() * VICTIMS.length)];
		// Every fourth time another one dies while the first is coming back.
		const second = next() < 0.25 ? VICTIMS[Math.floor(next() * VICTIMS.length)] : null;
		const victims = second && second !== first ? [first, second] : [first];
		for (const name of victims) {
			await w.stack.kill(name);
			counts[name] = (counts[name] ?? 0) + 1;
			await sleep(next() * 100);
		}
		if (victims.includes('broker')) await w.stack.start('broker');
		// Not waited for: the next one may die before they are there again.
		for (const name of victims) if (name !== 'broker') w.stack.process(name).start();
	}
	await sleep(MOST_MS);
	return counts;
}

const isRead = (action) => action.tier === 'green';
const snapshotOf = (step) => step.args.snapshot;

/** Every action there was, as its last record says; the gate itself keeps the newest 500. */
function recorded(records) {
	const found = new Map();
	for (const { kind, body: { action } } of records) {
		if (!action?.id || isRead(action)) continue;
		const kinds = [...(found.get(action.id)?.kinds ?? []), kind];
		found.set(action.id, { ...action, kinds });
	}
	return [...found.values()];
}

function judge(w, effects) {
	const records = w.records();
	const actions = recorded(records);
	const granted = actions.filter((a) => a.kinds.includes('granted'));
	const made = effects.filter((r) => /\/snapshot$/.test(r.path)).map((r) => r.form.snapname);
	assert.equal(new Set(made).size, made.length, `twice: ${made.filter((name, i) => made.indexOf(name) !== i)}`);
	const allowed = new Set(granted.filter((a) => a.tool === 'guest_snapshot').map((a) => snapshotOf(a.steps[0])));
	for (const name of made) assert.ok(allowed.has(name), `no record of a grant for ${name}`);
	for (const guest of SWITCHED) {
		for (const word of ['start', 'shutdown']) {
			const did = effects.filter((r) => r.path.endsWith(`/lxc/${guest}/status/${word}`)).length;
			const may = granted.filter((a) => a.tool === `guest_${word}` && a.steps[0].args.guest === guest).length;
			assert.ok(did <= may, `${guest}: ${did} times ${word} by ${may} grants`);
		}
	}
	const known = effects.filter((r) => /\/(snapshot|status\/(start|shutdown))$/.test(r.path));
	assert.equal(known.length, effects.length, 'nothing else was done');
	for (const action of w.stored()) assert.ok(OVER.includes(action.status), `${action.id} ${action.tool} is ${action.status}`);
	for (const { id, tool, status, summary, steps, tier, kinds } of actions) {
		const said = `${id} ${tool} ${status}: ${kinds}`;
		assert.ok(OVER.includes(status) && OVER.includes(kinds.at(-1)), said);
		assert.ok(['allowed', 'asked'].includes(kinds[0]), said);
		assert.ok(kinds.filter((kind) => kind === 'granted').length <= 1, said);
		// What interrupts was approved with the keyword before it was granted.
		if (tier === 'orange' && kinds.includes('granted')) assert.ok(kinds.indexOf('approved') >= 0 && kinds.indexOf('approved') < kinds.indexOf('granted'), said);
		const name = tool === 'guest_snapshot' ? snapshotOf(steps[0]) : null;
		if (name && status === 'verified') assert.ok(made.includes(name), `${name} is called done`);
		if (name && /^Nothing was done/.test(summary)) assert.ok(!made.includes(name), `${name}: ${summary}`);
	}
	const others = actions.filter((a) => a.status !== 'verified').map((a) => a.summary.replace(/\d+/g, 'N'));
	return { actions: actions.length, effects: effects.length, why: [...new Set(others)],
		ends: Object.fromEntries(Object.entries(Object.groupBy(actions, (a) => a.status)).map(([status, list]) => [status, list.length])) };
}

test(`${KILLS} kills`, { timeout: 240_000 + KILLS * 3000 }, async (t) => {
	t.diagnostic(`seed ${SEED}`);
	const w = await start({ sim: { speed: 20 }, change: (c) => Object.assign(c.safety_gate, { yellow_rate: 1000, orange_rate: 1000 }) });
	try {
		const next = random(SEED);
		const run = { on: true, answers: [] };
		let n = 0;
		const snapshots = (guests) => () => ({ tool: 'guest_snapshot', args: { guest: guests[n % guests.length], snapshot: `k${++n}` }, more: { wait_s: 2 } });
		const workers = [
			...[0, 1, 2].map((i) => work(w, run, snapshots(SNAPSHOTS.filter((_, at) => at % 3 === i)))),
			// On and off: what stands in the wrong state is refused, and the next one is the other.
			...SWITCHED.map((guest) => work(w, run, () => ({ tool: ++n % 2 ? 'guest_start' : 'guest_shutdown', args: { guest },
				more: { keyword: w.keyword, wait_s: 2 } }))),
			work(w, run, () => ({ tool: 'guest_status', args: { guest: 101 }, more: { wait_s: 1 } })),
		];
		const working = Promise.all(workers);
		const counts = await Promise.race([kills(w, next, run), working]).finally(() => (run.on = false));
		await working;
		const began = performance.now();
		const waiting = () => w.stored().filter((a) => !OVER.includes(a.status));
		// What nobody came back to approve is nobody's fault.
		for (const action of waiting().filter((a) => a.status === 'waiting')) await w.decide(action.id, 'deny');
		await eventually(() => waiting().length === 0, END_MS, `an end of everything; seed ${SEED}: ${JSON.stringify(waiting().map((a) => [a.id, a.tool, a.status]))}`)
			.catch((error) => assert.fail(`${error.message}; still: ${JSON.stringify(waiting())}`));
		const endedMs = performance.now() - began;
		await sleep(300);

		const result = judge(w, await w.effects());
		assert.equal(w.verify().status, 0, w.verify().text);
		// What is told is what is stored.
		for (const action of w.stored().filter((a) => !isRead(a))) await w.until(action.id, action.status, 10_000);
		assert.ok((result.ends.verified ?? 0) >= counts.rounds / 3, JSON.stringify({ ...result, killed: counts }));
		assert.ok(run.answers.some((a) => a.request.tool === 'guest_status' && a.body.status === 'verified'));
		t.diagnostic(JSON.stringify({ ...result, killed: counts, answers: run.answers.length, all_over_after_ms: Math.round(endedMs) }));
	} catch (error) {
		error.message += `\nJARVIS_SEED=${SEED} JARVIS_KILLS=${KILLS}`;
		throw error;
	} finally {
		await w.stop();
	}
});
