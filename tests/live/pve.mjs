// Asks Proxmox directly, by Node's own TLS and HTTP: a second implementation, so as not to believe our own alone. It can
// only GET, sends nothing before the certificate is the right one, and makes no more calls than were announced.
import { readFileSync } from 'node:fs';
import https from 'node:https';
import net from 'node:net';
import tls from 'node:tls';

const MAX_BYTES = 8 << 20;
/** As pvenode prints it, however it was written. */
const normal = (fingerprint) => (fingerprint.replaceAll(':', '').toUpperCase().match(/../g) ?? []).join(':');

/** Calls that may still be made. */
export class Budget {
	made = 0;

	constructor(calls) {
		this.calls = calls;
	}

	spend() {
		if (this.made >= this.calls) throw new Error(`more than the ${this.calls} calls that were announced`);
		this.made++;
	}
}

class NotTrusted extends Error {}

/** One cluster of jarvis.yaml, with its token's secret. */
export class Proxmox {
	#authorization;
	#agents = new Map();
	#bad = new Set();
	#ca;

	constructor(config, secret, budget) {
		this.config = config;
		this.budget = budget;
		this.#authorization = `PVEAPIToken=${config.token}=${secret}`;
		this.#ca = config.ca ? readFileSync(config.ca) : undefined;
	}

	/** The nodes that have an address, without those that were given up. */
	get endpoints() {
		return Object.keys(this.config.nodes ?? {}).filter((name) => this.config.nodes[name].address && !this.#bad.has(name));
	}

	/** Not to be asked any more: others answer for it. */
	giveUp(node) {
		this.#bad.add(node);
	}

	#connect(node, done) {
		const { address, port, fingerprint, server_name: name = address } = this.config.nodes[node];
		const host = address.replace(/^\[(.*)\]$/, '$1');
		const options = {
			host, port, servername: net.isIP(name) ? undefined : name, timeout: this.config.connect_ms,
			// A pin decides alone, as in the services: neither name nor issuer are asked then.
			...(fingerprint ? { rejectUnauthorized: false } : { ca: this.#ca, allowPartialTrustChain: true,
				checkServerIdentity: (_, certificate) => tls.checkServerIdentity(name, certificate) }),
		};
		const socket = tls.connect(options);
		const fail = (error) => (socket.destroy(), done(error));
		socket.once('timeout', () => fail(new Error(`no connection within ${this.config.connect_ms} ms`)));
		socket.once('error', (error) => fail(error.code?.startsWith?.('E') && !error.code.startsWith('ERR_TLS')
			? error : new NotTrusted(error.message)));
		socket.once('secureConnect', () => {
			const shown = socket.getPeerCertificate().fingerprint256 ?? '';
			if (fingerprint && normal(shown) !== normal(fingerprint)) {
				return fail(new NotTrusted(`shows certificate ${shown}, pinned is ${normal(fingerprint)}`));
			}
			socket.removeAllListeners('timeout');
			socket.removeAllListeners('error');
			socket.setTimeout(0);
			done(null, socket);
		});
	}

	#agent(node) {
		if (!this.#agents.has(node)) {
			const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
			// By callback: the request gets its connection only when that is checked.
			agent.createConnection = (_, done) => void this.#connect(node, done);
			this.#agents.set(node, agent);
		}
		return this.#agents.get(node);
	}

	/**
	 * Asks one node's endpoint; `path` as in Proxmox's documentation: /nodes/pve/status. Never throws for what the
	 * network does: {error, trust} then, else {status, reason, headers, text, data}.
	 */
	async get(node, path) {
		this.budget.spend();
		try {
			return await this.#exchange(node, path);
		} catch (error) {
			return { error: error.message, trust: error instanceof NotTrusted };
		}
	}

	#exchange(node, path) {
		const { address, port } = this.config.nodes[node];
		const options = {
			method: 'GET', host: address, port, path: `/api2/json${path}`, agent: this.#agent(node),
			headers: { Authorization: this.#authorization, Accept: 'application/json' },
		};
		return new Promise((done, fail) => {
			const request = https.request(options, (response) => collect(response, done, fail));
			const late = () => request.destroy(new Error(`no answer within ${this.config.request_ms} ms`));
			const timer = setTimeout(late, this.config.request_ms);
			request.once('close', () => clearTimeout(timer));
			request.once('error', fail);
			request.end();
		});
	}

	close() {
		for (const agent of this.#agents.values()) agent.destroy();
	}
}

function collect(response, done, fail) {
	const chunks = [];
	let size = 0;
	response.on('data', (chunk) => {
		chunks.push(chunk);
		size += chunk.length;
		if (size > MAX_BYTES) response.destroy(new Error('the answer is larger than 8 MiB'));
	});
	response.once('error', fail);
	response.once('aborted', () => fail(new Error('the answer was cut')));
	response.once('end', () => {
		const text = Buffer.concat(chunks).toString('utf8');
		const { statusCode: status, statusMessage: reason, headers } = response;
		done({ status, reason, headers, text, ...parsed(text) });
	});
}

/** `answer` is the whole tree, `data` what Proxmox puts into it; both undefined when it is no JSON. */
function parsed(text) {
	try {
		const answer = JSON.parse(text);
		return { answer, data: answer?.data ?? undefined };
	} catch {
		return {};
	}
}
