// SPDX-License-Identifier: MIT
// Acting, for the mock: how Jarvis may act, an action in every state that the page must tell apart, and the routes.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { nodeRoute } from './hands.mjs';

const DEF = readFileSync(new URL('../../common/tools.def', import.meta.url), 'utf8');
/** As GET /api/tools says it, without the schemas. */
export const TOOLS = [...DEF.matchAll(/^TOOL\((\w+), (\w+), (\w+), .*?"(.*)"\)/gm)]
	.map(([, name, tier, impact, description]) => ({ name, tier: tier.toLowerCase(), impact: impact.toLowerCase(), description }));

const VERIFY = {
	guest_start: 'that it runs', guest_reset: 'that it was restarted and runs', guest_reboot: 'that it was restarted and runs',
	guest_migrate: 'that it is on the other node', guest_snapshot: 'that the snapshot is there', backup_now: 'that a new backup is there',
	node_reboot: 'that the node was restarted and is online', download_url: 'that the file is there',
};
const MINUTE = 60_000;
let made = 0;
const ulid = () => `01ACT${String(++made).padStart(21, '0')}`;

export const autonomy = (over = {}) => ({
	ts: Date.now(), level: 2, runbooks: { 'restart-container': 3 }, frozen: false, by: null, until_ms: null, unfit: null, unfit_agents: null,
	keywords: ['admin'], codes: ['admin'], policy: 'ab'.repeat(32), ...over,
});

const step = (cluster, [kind, name, called, args = {}], over = {}) => ({
	object: `${cluster}/${kind}/${name}`, name: called, args: { ...(kind === 'guest' ? { guest: name } : { node: name }), ...args }, status: 'pending',
	upid: null, detail: null, ...over,
});
const UPID = 'UPID:pve:0012A3F4:0A1B2C3D:68A1B2C3:vzdump:103:root@pam:';

/** An action as the gate would publish it: what is shown is hashed as it would. */
export function action(cluster, { upid = null, ...over }, targets) {
	const now = Date.now();
	const tool = TOOLS.find((t) => t.name === over.tool);
	const a = {
		ts: now, id: ulid(), status: 'waiting', tier: tool.tier, principal: 'monitor', actor: null, runbook: null, reason: null,
		rule: 'level', verdict: `${tool.tier.toUpperCase()}: asks a person at autonomy level 2.`,
		need: { yellow: 'nothing', orange: 'keyword', red: 'code' }[over.tier ?? tool.tier], facts: [],
		steps: targets.map((t) => step(cluster, t, upid ? { upid, status: 'running' } : {})), approved_by: null, line: null, summary: null, created_ms: now - MINUTE,
		until_ms: null, ended_ms: null, ...over,
	};
	if (a.status === 'waiting') a.until_ms ??= now + 4 * MINUTE;
	const { id, principal, actor, reason, steps, facts, tier } = a;
	a.shown = JSON.stringify({ id, tool: tool.name, sentence: tool.description, tier, principal, actor, reason, steps, facts,
		verify: VERIFY[tool.name] ?? 'that it is stopped', policy: 'ab'.repeat(32), until_ms: a.until_ms ?? now });
	a.digest = createHash('sha256').update(a.shown).digest('hex');
	return a;
}

const PERSON = { principal: 'gateway', actor: { kind: 'user', name: 'admin' } };
const over = (status, more) => ({ status, ended_ms: Date.now(), ...more });

/** One of each. */
export function scenes(cluster) {
	const make = (o, ...targets) => action(cluster, o, targets);
	return {
		waitingYellow: make({ tool: 'guest_start', reason: 'The guest should run, and does not since 02:14.', runbook: 'restart-guest' },
			['guest', 130, 'old-mail']),
		waitingOrange: make({ tool: 'guest_shutdown', principal: 'nodered', rule: 'principal.asks', reason: 'Nobody is at home.' },
			['guest', 124, 'plex']),
		waitingRed: make({
			tool: 'node_reboot', principal: 'llm-router', reason: 'A kernel waits on pve, and the node is asked to be restarted at a quiet hour.',
			facts: ['Of 4 votes 3 remain; quorum needs 3.', '9 guests run on pve.', 'Protected, so this is a tier higher: the node home/pve.'],
		}, ['node', 'pve', 'pve']),
		window: make({ tool: 'guest_stop', ...PERSON, status: 'window', approved_by: 'admin', until_ms: Date.now() + 9000 }, ['guest', 111, 'win11']),
		running: make({ tool: 'backup_now', ...PERSON, status: 'running', upid: UPID, line: 'INFO:  42% (13.4 GiB of 32.0 GiB) in 38s, read: 361.2 MiB/s' },
			['guest', 103, 'nextcloud']),
		verified: make({ tool: 'guest_reboot', ...PERSON, ...over('verified', { approved_by: 'admin', summary: 'Done, and verified.' }) },
			['guest', 101, 'pihole']),
		failing: make({ tool: 'guest_shutdown', ...PERSON,
			...over('still_failing', { approved_by: 'admin', summary: 'The task ended well, but the guest still runs after 60 s.' }) },
		['guest', 128, 'debian-test']),
		failed: make({ tool: 'guest_migrate', ...PERSON,
			...over('failed', { summary: 'Proxmox: storage \'local-lvm\' is not available on node \'agent1\'.' }) }, ['guest', 102, 'homeassistant']),
		unknown: make({ tool: 'guest_start', ...over('unknown', { summary: 'The executor was restarted while it ran, and Proxmox has no such task.' }) },
			['guest', 129, 'arch-test']),
		denied: make({ tool: 'guest_stop', ...over('denied', { summary: 'admin said no.' }) }, ['guest', 112, 'llama']),
		expired: make({ tool: 'guest_suspend', principal: 'homeassistant', ...over('expired', { summary: 'Nobody decided in time.' }) },
			['guest', 114, 'runner']),
		batch: make({ tool: 'guest_start', tier: 'orange', ...PERSON,
			...over('verified', { summary: 'Done, and verified.', facts: ['4 targets at once: this is a tier higher.'] }) },
		['guest', 115, 'k3s-1'], ['guest', 116, 'k3s-2'], ['guest', 117, 'k3s-3'], ['guest', 118, 'postgres']),
	};
}

const AUDIT = ['asked', 'approved', 'granted', 'verified', 'refused', 'wrong_proof', 'freeze', 'unfreeze', 'level', 'checkpoint'];

function auditPage(world, query) {
	const size = 120;
	const kind = query.get('kind');
	const before = Number(query.get('before') ?? size + 1);
	const limit = Number(query.get('limit') ?? 50);
	const some = [...world.docs.entries()].filter(([t]) => t.startsWith('action/')).map(([, a]) => a);
	const record = (seq) => ({
		seq, ts: Date.now() - (size - seq) * MINUTE, kind: AUDIT[seq % AUDIT.length], hash: 'c0ffee'.repeat(10) + 'beef',
		body: seq % 3 ? { by: 'admin', text: seq % 2 ? 'said no.' : null, action: some[seq % some.length] } : { by: 'admin', principal: 'gateway', level: '2' },
	});
	const all = Array.from({ length: Math.min(before - 1, size) }, (_, i) => Math.min(before - 1, size) - i);
	const fit = all.map(record).filter((r) => !kind || r.kind === kind);
	return { size, kinds: AUDIT.toSorted(), next: fit.length > limit ? fit[limit - 1].seq : null, records: fit.slice(0, limit) };
}

const LOG = ["INFO: starting new backup job: vzdump 103 --storage nas --mode snapshot", 'INFO: Starting Backup of VM 103 (qemu)',
	'INFO: status = running', 'INFO: VM Name: nextcloud', 'INFO: creating vzdump archive', ...Array.from({ length: 40 }, (_, i) =>
		`INFO: ${String(i).padStart(3)}% (${(i * 0.32).toFixed(1)} GiB of 32.0 GiB) in ${i}s, read: 361.2 MiB/s, write: 355.0 MiB/s`)];

/** A little of how the gate judges: several are a tier higher, a node has facts. */
function judged(world, body) {
	const floor = TOOLS.find((t) => t.name === body.tool).tier;
	const n = body.targets?.length ?? 1;
	const tier = n > 3 ? { yellow: 'orange', orange: 'red' }[floor] ?? 'black' : floor;
	const facts = n > 3 ? [`${n} targets at once: this is a tier higher.`] : [];
	if (body.tool.startsWith('node_')) facts.push('9 guests run on pve.', 'Of 4 votes 3 remain; quorum needs 3.');
	return { tier, facts };
}

const verdictOf = (a) => ({
	dry_run: true, decision: a.need === 'nothing' ? 'allow' : 'ask', tier: a.tier, rule: 'tier', reason: a.verdict, need: a.need,
	facts: a.facts, steps: a.steps, verify: JSON.parse(a.shown).verify,
});

/** Answers what acting asks; undefined for all other routes. `answers` are what a test wants said instead. */
export function actRoute(mock, route, url, body) {
	const { world } = mock;
	const said = mock.answers?.[route];
	const own = typeof said === 'function' ? said(body) : said;
	if (own) return own;
	const onNode = nodeRoute(mock, route, body);
	if (onNode) return onNode;
	if (route === 'GET /api/tools') return [200, { items: TOOLS, next: null, download_hosts: mock.hosts ?? ['cloud.debian.org'] }];
	if (route === 'GET /api/audit') return [200, auditPage(world, url.searchParams)];
	if (route === 'POST /api/freeze' || route === 'POST /api/unfreeze') {
		world.change({ 'autonomy/state': autonomy({ frozen: route.endsWith('/freeze'), by: 'admin' }) });
		return [200, { ok: true }];
	}
	if (route === 'POST /api/tools/execute') {
		if (body.tool === 'task_log') return [200, { id: ulid(), status: 'verified', is_error: false, text: null, content: { lines: LOG } }];
		const target = (t) => (/^\d+$/.test(t) ? ['guest', Number(t), world.docs.get(`pve/${body.args.cluster}/guest/${t}/state`)?.name]
			: body.args.storage === t ? ['storage', t, t] : ['node', t, t, more]);
		const { guest, storage, node, cluster: _, ...more } = body.args;
		const a = action(body.args.cluster, { tool: body.tool, ...PERSON, ...judged(world, body) }, (body.targets ?? [guest ?? storage ?? node]).map(target));
		if (body.dry_run) return [200, verdictOf(a)];
		world.change({ [`action/${a.id}/state`]: a });
		mock.asked = { ...mock.asked, [body.request_id]: a.id };
		return [202, { id: a.id, status: a.status, tier: a.tier, need: a.need, digest: a.digest, until_ms: a.until_ms }];
	}
	const decision = /^POST \/api\/actions\/(\w+)\/(approve|deny|cancel)$/.exec(route);
	if (!decision) return undefined;
	const topic = `action/${decision[1]}/state`;
	const red = world.docs.get(topic)?.tier === 'red';
	const status = { approve: red ? 'window' : 'running', deny: 'denied', cancel: 'cancelled' }[decision[2]];
	world.change({ [topic]: { ...world.docs.get(topic), status, until_ms: status === 'window' ? Date.now() + 9000 : null, summary: status === 'running' ? null : `admin: ${status}` } });
	return [200, { ok: true }];
}
