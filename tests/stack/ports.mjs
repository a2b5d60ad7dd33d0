// TCP ports and Unix sockets: is one free, is somebody there.
import { randomInt } from 'node:crypto';
import net from 'node:net';

/** False when somebody listens on host:port. */
export function isFree(port, host = '127.0.0.1') {
	return new Promise((done) => {
		const server = net.createServer();
		server.once('error', () => done(false));
		server.listen({ port, host, exclusive: true }, () => server.close(() => done(true)));
	});
}

/** A port that nobody uses just now. */
export function freePort(host = '127.0.0.1') {
	return new Promise((done, fail) => {
		const server = net.createServer();
		server.once('error', fail);
		server.listen(0, host, () => {
			const { port } = server.address();
			server.close(() => done(port));
		});
	});
}

/** The first of `count` adjacent ports that are free, below the range that the kernel deals out (32768). */
export async function freePorts(count) {
	for (let attempt = 0; attempt < 50; attempt++) {
		const first = randomInt(20_000, 32_000 - count);
		const free = await Promise.all(Array.from({ length: count }, (_, i) => isFree(first + i)));
		if (free.every(Boolean)) return first;
	}
	throw new Error(`no ${count} adjacent free ports found`);
}

/** True when a connection to `target` ({path} or {host, port}) is accepted. */
export function answers(target) {
	return new Promise((done) => {
		const socket = net.connect(target);
		socket.once('connect', () => (socket.destroy(), done(true)));
		socket.once('error', () => done(false));
	});
}
