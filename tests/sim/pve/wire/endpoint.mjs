/**
 * A node's own HTTPS endpoint. Raw TCP is accepted first and handed to TLS only if the node is
 * in the mood: a hung node takes the connection and never says a word.
 */
import net from 'node:net';
import tls from 'node:tls';
import { Connection } from './connection.mjs';

export class Endpoint {
	/**
	 * @param {{host: string, port: number, pair: {key: Buffer, cert: Buffer}, idleMs: number,
	 *   date: () => Date, onRequest: Function, onRefused?: Function}} options
	 */
	constructor(options) {
		this.options = options;
		this.port = options.port;
		this.hung = false;
		this.sockets = new Set();
		this.counts = { connections: 0, handshakes: 0, tls_errors: 0, bytes: 0, requests: 0 };
		this.listener = null;
		this.tls = tls.createServer({ ...context(options.pair), ALPNProtocols: undefined });
		this.tls.on('secureConnection', (socket) => this.onSecure(socket));
		this.tls.on('tlsClientError', () => this.counts.tls_errors++);
	}

	/** Starts to listen. On the port it had before, if it had one. */
	async open() {
		if (this.listener) {
			return;
		}
		const listener = net.createServer({ noDelay: true }, (socket) => this.onTcp(socket));
		await listen(listener, this.options.host, this.port);
		this.listener = listener;
		this.port = listener.address().port;
	}

	/** Stops listening and drops every connection, as a dead machine would. */
	close() {
		this.listener?.close();
		this.listener = null;
		this.dropAll();
	}

	dropAll() {
		for (const socket of this.sockets) {
			socket.destroy();
		}
	}

	onTcp(socket) {
		this.counts.connections++;
		this.sockets.add(socket);
		socket.on('close', () => this.sockets.delete(socket));
		socket.on('error', () => socket.destroy());
		if (!this.hung) {
			this.tls.emit('connection', socket);
		}
	}

	onSecure(socket) {
		this.counts.handshakes++;
		new Connection(socket, {
			idleMs: this.options.idleMs,
			date: this.options.date,
			onRefused: this.options.onRefused,
			onBytes: (n) => {
				this.counts.bytes += n;
			},
			onRequest: (request, conn) => {
				this.counts.requests++;
				if (!this.hung) {
					this.options.onRequest(request, conn);
				}
			},
		});
	}

	/** New certificate; running connections end, as pveproxy restarts for it. */
	setCertificate(pair) {
		this.tls.setSecureContext(context(pair));
		this.dropAll();
	}
}

function context(pair) {
	return { key: pair.key, cert: pair.cert, minVersion: 'TLSv1.2' };
}

async function listen(server, host, port) {
	for (let attempt = 0; ; attempt++) {
		const wanted = port || randomPort();
		try {
			await listenOnce(server, host, wanted);
			return;
		} catch (err) {
			if (err.code !== 'EADDRINUSE' || attempt >= 50) {
				throw err;
			}
			await new Promise((done) => setTimeout(done, port ? 50 : 0));
		}
	}
}

/**
 * Below the kernel's range for outgoing connections: a node that is down gives its port back,
 * and must find it free when it comes up again.
 */
function randomPort() {
	return 20000 + Math.floor(Math.random() * 12000);
}

function listenOnce(server, host, port) {
	return new Promise((done, fail) => {
		server.once('error', fail);
		server.listen(port, host, () => {
			server.off('error', fail);
			done();
		});
	});
}
