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

/** Below the range that the kernel deals out by itself (32768), so that no outgoing connection takes one meanwhile. */
const FIRST = 20_000;
const LAST = 32_000;

/**
 * Takes `port` for this process: the abstract socket that says so goes with the process, however it ends, and lies where
 * ports do, in the network namespace. Answers a function that gives it back, or null when another process has it.
 */
export function claim(port) {
	return new Promise((done) => {
		const sign = net.createServer().unref();
		sign.once('error', () => done(null));
		sign.listen(`\0jarvis-test-port-${port}`, () => done(() => sign.close()));
	});
}

/** Given back at once when somebody uses it who claims nothing. */
async function take(port) {
	const release = await claim(port);
	if (!release || (await isFree(port))) return release;
	release();
	return null;
}

/** The first of `count` adjacent ports that nobody uses and that no other process is given before this one ends. */
export async function freePorts(count) {
	for (let attempt = 0; attempt < 50; attempt++) {
		const first = randomInt(FIRST, LAST - count);
		const taken = await Promise.all(Array.from({ length: count }, (_, i) => take(first + i)));
		if (taken.every(Boolean)) return first;
		for (const release of taken) release?.();
	}
	throw new Error(`no ${count} adjacent free ports found`);
}

export const freePort = () => freePorts(1);

/** True when a connection to `target` ({path} or {host, port}) is accepted. */
export function answers(target) {
	return new Promise((done) => {
		const socket = net.connect(target);
		socket.once('connect', () => (socket.destroy(), done(true)));
		socket.once('error', () => done(false));
	});
}
