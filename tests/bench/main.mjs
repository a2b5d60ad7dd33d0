// `make bench`: measures what docs/performance.md promises. One table, and build/bench.json beside it. Nothing here
// passes or fails: the machine decides too much.
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { claimToGrant, green, judgements, simulated, startVm } from './acting.mjs';
import { composeAtRest } from './compose.mjs';
import { fanout, single } from './fanout.mjs';
import { page } from './page.mjs';
import { pollCycle } from './poll.mjs';
import { atRest } from './rest.mjs';
import { sshCalls } from './ssh.mjs';
import { thermalCycle } from './thermal.mjs';

const rows = [];
const row = (what, value, peer, bar) => rows.push({ what, value, peer, bar });
const ms = (n) => (n < 0 ? 'nothing came' : `${n.toFixed(n < 10 ? 2 : 0)} ms`);
const ratio = (a, b) => `${(a / b).toFixed(2)} ×`;

function showSingle({ bare, ws }) {
	const spread = (s) => `${ms(s.p50)} (${s.min.toFixed(2)} – ${s.max.toFixed(2)})`;
	row('bus → browser, 1 client, p50, median of 7 runs', spread(ws), `bare subscriber ${spread(bare)}: ${ratio(ws.p50, bare.p50)}`,
		'≤ 1.5 ×');
}

function showFanout({ steady, flood, thousand }) {
	row('500 browsers, 200 messages/s, p99', ms(steady.ours.p99), `Socket.IO ${ms(steady.theirs.p99)}`, '≤ 50 ms');
	row('… gateway RSS', `${steady.ours.rss.toFixed(1)} MB`, `Socket.IO ${steady.theirs.rss.toFixed(1)} MB`, '≤ 64 MB');
	const [a, b] = [flood.ours.n / 8, flood.theirs.n / 8];
	row('500 browsers, 2,000 messages/s offered', `${Math.round(a / 1000)} k documents/s`,
		`Socket.IO ${Math.round(b / 1000)} k/s: ${ratio(a, b)}`, '≥ 3 ×');
	row('… p99', ms(flood.ours.p99), `Socket.IO ${ms(flood.theirs.p99)}`, '');
	row('1,000 WebSockets, 4 KiB at 10 Hz, 2 % stalled: p99', ms(thousand.p99), '', '≤ 25 ms');
	row('… stalled evicted after', thousand.evictedAfter === null ? 'never' : `${thousand.evictedAfter.toFixed(1)} s`, '', '≤ 3 s');
	row('… gateway RSS', `${thousand.rss.toFixed(1)} MB`, '', '≤ 128 MB');
}

function showRest({ ready_ms: ready, parts, pss_mb: memory, cpu }) {
	row('whole stack at rest, PSS with the broker', `${memory.toFixed(1)} MB`,
		parts.map((p) => `${p.name} ${p.pss_mb.toFixed(1)}`).join(', '), '≤ 60 MB');
	row('… CPU', `${cpu.toFixed(2)} % of a core`, parts.map((p) => `${p.name} ${p.cpu.toFixed(2)}`).join(', '), '≤ 0.5 %');
	row('start: all services ready', `${Math.round(ready)} ms`, '', '≤ 2 s');
}

function showCompose({ missing, containers, pss_mb: memory, cpu_percent: cpu }) {
	const what = 'compose stack at rest, PSS without simulators';
	if (missing) return row(what, 'not measured', missing, '≤ 60 MB');
	const each = (key) => containers.map((c) => `${c.name} ${c[key].toFixed(key === 'pss_mb' ? 1 : 2)}`).join(', ');
	row(what, `${memory.toFixed(1)} MB`, each('pss_mb'), '≤ 60 MB');
	row('… CPU', `${cpu.toFixed(2)} % of a core`, each('cpu_percent'), '');
}

function showPage(r) {
	const pair = ({ median, p95 }) => `median ${ms(median)}, p95 ${ms(p95)}`;
	row('page with 500 guests that all move at 1 Hz: script an update', pair(r.table), `overview ${pair(r.overview)}`, '≤ 4 ms');
	row('… page at rest', `${r.idle_main_percent.toFixed(1)} % of a core`, `all of the browser ${r.idle_browser_percent.toFixed(1)} %`,
		'≤ 3 %');
	row('… heap after an hour of updates', `${r.heap_after_mb.toFixed(1)} MB`, `before ${r.heap_before_mb.toFixed(1)} MB`, 'flat');
}

const disk = ({ sync }) => `a durable write takes ${ms(sync.p50)} here, p99 ${ms(sync.p99)}`;
const count = (n) => Math.round(n).toLocaleString('en');
const both = ({ p50, p99 }) => `p50 ${ms(p50)}, p99 ${ms(p99)}`;

function showJudgements(r) {
	const { batched, each } = r;
	row('judgements, judge() with context, in process', `${count(batched.judge)}/s`, '', '');
	row('… and a record in the audit chain', `${count(batched.audit)}/s`,
		`${r.batch} a commit, as they come at once; a commit each: ${count(each.audit)}/s; ${disk(r)}`, '≥ 5,000/s');
	row('… and the rest of the request: limits, action, answer, all stored', `${count(batched.whole)}/s`,
		`likewise; a commit each: ${count(each.whole)}/s`, '');
}

function showGreen(r) {
	row('action, GREEN, POST → answer, from what is on the bus', both(r.bus), disk(r), '≤ 10 ms p50');
	row('… that asks Proxmox, beyond the target\'s own time', `p50 ${ms(r.pve.p50 - r.direct.p50)}, p99 ${ms(r.pve.p99 - r.direct.p99)}`,
		`the same GET asked directly, in turns: ${both(r.direct)}: ${ratio(r.pve.p50, r.direct.p50)}`, '≤ 10 ms p50');
}

function showSsh(r) {
	row('SSH tool call on a warm connection, POST → answer', both(r.ours), `${r.ours.n} service_status; ${disk(r)}`, '');
	// Less than nothing where the machine had something else to do.
	const signed = ({ p50, p99 }) => `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`;
	row('… beyond the target\'s own time', signed(r.beyond), `the forced command alone, in turns: ${both(r.own)}`, '≤ 10 ms p50');
	row('… CPU a call', `${r.cpu_ms.toFixed(1)} ms`, 'broker, safety-gate, executor and gateway together', '');
	row('… the same by OpenSSH\'s ssh, warm (ControlMaster)', both(r.warm),
		`beyond the target's own time ${signed(r.warmBeyond)}; ours in all ${ratio(r.ours.p50, r.warm.p50)}`, '');
	row('first SSH tool call, which logs in', both(r.first), `${r.first.n} times; ssh without ControlMaster ${both(r.cold)}: ${ratio(r.first.p50, r.cold.p50)}`, '');
}

function showStart(r) {
	row('start a VM: POST → running in the browser, beyond its own time', `p50 ${ms(r.seen.p50 - r.own.p50)}`,
		`in all ${ms(r.seen.p50)}; Proxmox itself asked to, until it runs: ${ms(r.own.p50)}; ${r.seen.n} times`, '');
}

const BENCHES = {
	single: async () => { const r = await single(); showSingle(r); return r; },
	fanout: async () => { const r = await fanout(); showFanout(r); return r; },
	'poll-4-40': async () => {
		const r = await pollCycle({ nodes: 4, guests: 40, pace: 'cycle' });
		row('poll cycle, 4 nodes, 40 guests', `${r.cpu_ms.toFixed(1)} ms CPU`, '', '≤ 3 ms');
		return r;
	},
	'poll-home': async () => {
		const r = await pollCycle({ nodes: 4, guests: 40, pace: 'home' });
		const share = `${(r.cpu_ms / 100).toFixed(2)} % of a core`;
		row('… everything that is polled in 10 s, with handshakes', `${r.cpu_ms.toFixed(1)} ms CPU`, share, '');
		return r;
	},
	'poll-100-5000': async () => {
		const r = await pollCycle({ nodes: 100, guests: 5000, pace: 'cycle' });
		row('poll cycle, 100 nodes, 5,000 guests', `${r.cpu_ms.toFixed(0)} ms CPU`, '', '≤ 300 ms');
		return r;
	},
	judgements: async () => { const r = await judgements(); showJudgements(r); return r; },
	simulated: async () => {
		const r = await simulated();
		row('actions in the simulation of gate and executor, with all that breaks', `${count(r.rate)}/s of CPU`,
			`${count(r.seeds)} seeds, ${count(r.effects)} effects at Proxmox`, '');
		return r;
	},
	'claim-grant': async () => {
		const r = await claimToGrant();
		row('claim → grant, on the broker', both(r), disk(r), '');
		return r;
	},
	green: async () => { const r = await green(); showGreen(r); return r; },
	'ssh-tools': async () => { const r = await sshCalls(); showSsh(r); return r; },
	'start-vm': async () => { const r = await startVm(); showStart(r); return r; },
	thermal: async () => {
		const r = await thermalCycle();
		row('thermal cycle, 4 nodes over SSH', `${r.cpu_ms.toFixed(2)} ms CPU`, `thermal-collector ${r.pss_mb.toFixed(1)} MB PSS`, '');
		return r;
	},
	page: async () => { const r = await page(); showPage(r); return r; },
	rest: async () => { const r = await atRest(); showRest(r); return r; },
	compose: async () => { const r = await composeAtRest(); showCompose(r); return r; },
};

function printTable() {
	const head = { what: 'what', value: 'measured', peer: 'beside it, in the same run', bar: 'bar' };
	const width = (key) => Math.max(...[head, ...rows].map((r) => r[key].length));
	const widths = { what: width('what'), value: width('value'), peer: width('peer') };
	const line = (r) => `${r.what.padEnd(widths.what)}  ${r.value.padEnd(widths.value)}  ${r.peer.padEnd(widths.peer)}  ${r.bar}`;
	console.log(`\n${[head, ...rows].map(line).join('\n')}\n`);
}

const wanted = process.argv.slice(2);
const results = { at: new Date().toISOString(), cpus: cpus().length, model: cpus()[0]?.model };
for (const [name, bench] of Object.entries(BENCHES)) {
	if (wanted.length > 0 && !wanted.some((w) => name.includes(w))) continue;
	process.stderr.write(`measuring ${name} …\n`);
	results[name] = await bench();
}
printTable();
mkdirSync('build', { recursive: true });
writeFileSync('build/bench.json', `${JSON.stringify(results, null, '\t')}\n`);
console.log('build/bench.json has the details');
