/**
 * One HTTP/1.x connection as pveproxy keeps it. Not node:http, which would add its own headers,
 * refuse what pveproxy accepts and accept what pveproxy refuses. One request at a time; what
 * arrives meanwhile waits.
 */
import { parseHead } from './head.mjs';

const MAX_HEAD = 8192;
const MAX_BODY = 512 * 1024;
const MAX_REQUESTS = 100;
const METHODS = new Set(['GET', 'POST', 'PUT', 'DELETE']);
const EMPTY = Buffer.alloc(0);

export class Connection {
	/**
	 * @param {import('node:stream').Duplex} socket
	 * @param {{onRequest: (request: object, conn: Connection) => void, onBytes?: (n: number) => void,
	 *   onRefused?: (request: object, answer: object) => void, idleMs: number, date: () => Date}} host
	 */
	constructor(socket, host) {
		this.socket = socket;
		this.host = host;
		this.pending = EMPTY;
		this.busy = false;
		this.served = 0;
		this.idle = null;
		this.closed = false;
		socket.on('data', (chunk) => this.onData(chunk));
		socket.on('close', () => this.onClose());
		socket.on('error', () => socket.destroy());
		this.armIdle();
	}

	onClose() {
		this.closed = true;
		clearTimeout(this.idle);
	}

	/** An idle connection is closed after five seconds, also one that never asked anything. */
	armIdle() {
		clearTimeout(this.idle);
		this.idle = setTimeout(() => this.socket.end(() => this.socket.destroy()), this.host.idleMs);
	}

	onData(chunk) {
		this.host.onBytes?.(chunk.length);
		this.pending = this.pending.length ? Buffer.concat([this.pending, chunk]) : chunk;
		if (!this.busy) {
			this.armIdle();
			this.readRequest();
		}
	}

	readRequest() {
		const end = this.pending.indexOf('\r\n\r\n');
		if (end < 0 || end > MAX_HEAD) {
			return; // too large a head is never answered: the idle timer ends it
		}
		const head = parseHead(this.pending.toString('latin1', 0, end));
		if (head === null) {
			return;
		}
		const refusal = refuseHead(head);
		const length = refusal || head.te ? 0 : Number(head.headers['content-length'] ?? 0) || 0;
		if (!refusal && this.pending.length < end + 4 + length) {
			return;
		}
		const body = this.pending.subarray(end + 4, end + 4 + length);
		this.pending = this.pending.subarray(end + 4 + length);
		this.busy = true;
		this.served++;
		clearTimeout(this.idle);
		const request = { ...head, body, close: this.wantsClose(head) };
		if (refusal) {
			this.host.onRefused?.(request, refusal);
			this.respond(request, refusal);
		} else {
			this.host.onRequest(request, this);
		}
	}

	wantsClose(head) {
		const wish = (head.headers.connection ?? '').toLowerCase();
		if (this.served >= MAX_REQUESTS || wish.includes('close')) {
			return true;
		}
		return head.minor === 0 && !wish.includes('keep-alive');
	}

	/**
	 * Sends an answer. A status of 400 or more ends the connection, as does the hundredth answer.
	 * @param {object} request
	 * @param {{status: number, reason: string, type?: string, body?: Buffer | string,
	 *   encoding?: string, version?: string, cut?: number}} answer cut: send so many bytes of the
	 *   body and drop the connection
	 */
	respond(request, answer) {
		if (this.closed) {
			return;
		}
		const close = request.close || answer.status >= 400 || answer.cut !== undefined;
		const body = Buffer.from(answer.body ?? '');
		const head = this.headText(answer, body.length, close);
		const sent = answer.cut === undefined ? body : body.subarray(0, answer.cut);
		this.socket.write(Buffer.concat([Buffer.from(head, 'utf8'), sent]));
		if (answer.cut !== undefined) {
			setTimeout(() => this.socket.destroy(), 20); // let the bytes leave first
		} else if (close) {
			this.socket.end();
			setTimeout(() => this.socket.destroy(), 1000).unref();
		} else {
			this.next();
		}
	}

	headText(answer, length, close) {
		const date = this.host.date().toUTCString();
		const reason = String(answer.reason).split(/[\r\n]/, 1)[0];
		const lines = [
			`HTTP/${answer.version ?? '1.1'} ${answer.status} ${reason}`,
			'Cache-Control: max-age=0',
			`Connection: ${close ? 'close' : 'Keep-Alive'}`,
			`Date: ${date}`,
			'Pragma: no-cache',
			'Server: pve-api-daemon/3.0',
		];
		if (answer.encoding) {
			lines.push(`Content-Encoding: ${answer.encoding}`);
		}
		if (length > 0) {
			lines.push(`Content-Length: ${length}`);
		}
		if (answer.type) {
			lines.push(`Content-Type: ${answer.type}`);
		}
		lines.push(`Expires: ${date}`);
		return lines.join('\r\n') + '\r\n\r\n';
	}

	next() {
		this.busy = false;
		this.armIdle();
		if (this.pending.length > 0) {
			setImmediate(() => !this.busy && !this.closed && this.readRequest());
		}
	}
}

/** What the daemon refuses before it looks at anybody's rights. */
function refuseHead(head) {
	if (!METHODS.has(head.method) && head.major === 1) {
		return { status: 501, reason: `method '${head.method}' not available` };
	}
	if (head.major !== 1) {
		const text = `http protocol version ${head.major}.${head.minor} not supported`;
		return { status: 506, reason: text, body: text, version: '1.0' };
	}
	if (Number(head.headers['content-length']) > MAX_BODY) {
		return { status: 501, reason: 'for data too large', body: 'for data too large' };
	}
	return null;
}
