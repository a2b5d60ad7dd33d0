/** What was asked, by whom, where: so that a test can prove what a client did and did not do. */
const LOG_SIZE = 1000;

export class Journal {
	constructor() {
		this.clear();
	}

	clear() {
		this.log = [];
		this.serial = 0;
		this.open = 0;
		this.counters = { total: 0, by_token: {}, by_method: {}, by_template: {}, by_node: {},
			by_status: {} };
	}

	/** @returns {object} the entry, completed by `end` */
	begin(entry, request) {
		const seen = {
			n: ++this.serial, at: Date.now(), node: entry.name, method: request.method,
			target: request.target, path: null, template: null, principal: null,
			authorization: credentialKind(request.headers), status: null, reason: null, ms: null,
			form: null, // parameters of a call that changes something
			done: false, // the call was carried out, whatever was answered
		};
		this.open++;
		this.log.push(seen);
		if (this.log.length > LOG_SIZE) {
			this.log.shift();
		}
		return seen;
	}

	end(seen, answer) {
		this.open--;
		seen.status = answer.status;
		seen.reason = String(answer.reason).split('\n', 1)[0];
		seen.bytes = answer.body ? Buffer.byteLength(answer.body) : 0;
		seen.ms = Date.now() - seen.at;
		const c = this.counters;
		c.total++;
		bump(c.by_token, seen.principal ?? `(${seen.authorization})`);
		bump(c.by_method, seen.method);
		bump(c.by_template, seen.template ?? `${seen.method} (unknown)`);
		bump(c.by_node, seen.node);
		bump(c.by_status, seen.status);
	}
}

function bump(table, key) {
	table[key] = (table[key] ?? 0) + 1;
}

function credentialKind(headers) {
	if (/PVEAuthCookie=/.test(headers.cookie ?? '')) {
		return 'ticket';
	}
	return headers.authorization === undefined ? 'none' : 'token';
}
