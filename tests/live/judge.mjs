// Judges what the services published: is every cluster, node and right as it should be? Pure: documents in, checks out.

/** A source is settled when it has answered or failed; the names of those that are not. */
export function unsettled(doc) {
	if (!doc) return ['the first document'];
	const open = Object.entries(doc.sources).filter(([, source]) => source.last_ok_ms === null && source.error === null);
	return open.map(([name]) => name);
}

const nodeOf = (source) => /^[\w-]+\.(.+)$/.exec(source)?.[1];

function judgeSources(report, what, doc, offline, timeoutS) {
	const entries = Object.entries(doc?.sources ?? {});
	const concerned = entries.filter(([name]) => !offline.has(nodeOf(name)));
	const bad = concerned.filter(([, source]) => source.error !== null).map(([name, source]) => `${name}: ${source.error}`);
	const silent = unsettled(doc).filter((name) => !offline.has(nodeOf(name))).map((name) => `${name}: no answer within ${timeoutS} s`);
	report.judge(`${what}: ${concerned.length} sources answer`, [...bad, ...silent],
		'each line names host or path, and what Proxmox said; mend that, or wait longer with TIMEOUT=');
}

function judgeQuorum(report, what, doc) {
	if (doc.standalone) return report.pass(`${what}: a node on its own`);
	if (doc.quorate) {
		const votes = doc.votes === null ? 'votes are not told' : `${doc.votes} of ${doc.votes_expected} votes, ${doc.votes_needed} needed`;
		return report.pass(`${what}: has quorum (${votes})`);
	}
	const why = doc.quorate === null ? 'Proxmox does not say whether there is quorum' : `only ${doc.votes ?? '?'} of ${doc.votes_expected ?? '?'} votes are present`;
	report.fail(`${what}: has quorum`, why, 'look at pvecm status on a node; start those that are down');
}

function judgeNodes(report, what, cluster, docs) {
	const published = new Map(docs.map((doc) => [doc.node, doc]));
	for (const name of Object.keys(cluster.nodes ?? {})) {
		if (published.has(name) || published.size === 0) continue;
		report.fail(`${what}: node ${name} is a node of the cluster`, `Proxmox knows ${[...published.keys()].join(', ')}`,
			`write the node's own name below clusters.${what}.nodes, as it stands in the web interface`);
	}
	for (const [name, doc] of published) {
		if (doc.status === 'online') report.pass(`${what}: node ${name} is online`);
		else report.fail(`${what}: node ${name} is online`, `it is ${doc.status}${doc.reason ? `: ${doc.reason}` : ''}`,
			'start it, or look at pvecm status on another node; what it alone knows cannot be checked meanwhile');
	}
}

const ERROR_CURES = [
	[/pveum acl modify/, 'run the command that stands in the line above on a node'],
	[/does not accept token/, 'compare with pveum user token list on a node; the secret is the token\'s, not a password'],
	[/certificate/, 'compare with pvenode cert info on that node; if it is right, set it in jarvis.yaml'],
];

export function cureOf(error) {
	return ERROR_CURES.find(([pattern]) => pattern.test(error))?.[1] ?? 'mend what the line says, then run this again';
}

function judgeFindings(report, what, doc) {
	for (const { severity, title, detail, cure } of doc.findings ?? []) {
		if (severity === 'info') report.note(`${what}: ${title}${cure ? ` (${cure})` : ''}`);
		else report.fail(`${what}: ${title}`, detail, cure ?? cureOf(`${title} ${detail}`));
	}
	if (!(doc.findings ?? []).some(({ severity }) => severity !== 'info')) report.pass(`${what}: no findings in how it is read`);
}

/** `docs`: {cluster, nodes, thermal}; `cluster` its section of jarvis.yaml. */
export function judgeCluster(report, what, cluster, docs, timeoutS) {
	const { cluster: doc } = docs;
	if (!doc) return report.fail(`${what}: proxmox-poller publishes it`, 'it has not said a word', 'look at the log lines above');
	const offline = new Set(docs.nodes.filter((node) => node.status === 'offline').map((node) => node.node));
	if (doc.error === null) report.pass(`${what}: is read, Proxmox VE ${doc.version ?? '?'}, by way of ${doc.endpoint ?? '?'}`);
	else report.fail(`${what}: is read`, doc.error, cureOf(doc.error));
	judgeSources(report, what, doc, offline, timeoutS);
	judgeNodes(report, what, cluster, docs.nodes);
	// Nothing more is known of a cluster that was never read.
	if (doc.nodes !== null) judgeQuorum(report, what, doc);
	judgeFindings(report, what, doc);
	if (docs.thermal !== undefined) judgeSources(report, `${what}: temperatures`, docs.thermal, offline, timeoutS);
}

/** Counters that stay 0 while all is well. */
const FAULTS = { bus_refused: 'messages that the broker refused or that could not be sent', bus_bad_payloads: 'messages that did not decode',
	bus_bad_topics: 'topics that are not ours', bus_dropped_events: 'events that were dropped', pve_bad_rows: 'rows of Proxmox that made no sense' };

/** `health`: the newest of a service, or null. */
export function judgeHealth(report, service, health) {
	if (!health) return report.fail(`${service}: says how it feels`, 'no health report came', 'look at its last words above');
	const bad = Object.entries(FAULTS).filter(([name]) => health.counters[name] > 0);
	report.judge(`${service}: nothing was refused, dropped or unreadable`, bad.map(([name, text]) => `${name}: ${health.counters[name]} ${text}`),
		'this is a fault of Jarvis: open an issue with this output and the redacted answers');
}

/** What services complain of; `told`: sentences that were reported already. */
export function judgeLog(report, lines, told) {
	const fresh = [...new Set(lines.map(({ text }) => text))].filter((text) => ![...told].some((known) => text.includes(known)));
	const excess = fresh.filter((text) => /may do more than read/.test(text));
	report.judge('the token may read, and nothing else', excess, 'pveum acl list on a node shows what it was given; role PVEAuditor on / is enough');
	for (const text of fresh) if (!excess.includes(text)) report.note(`log: ${text}`);
}
