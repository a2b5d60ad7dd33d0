// A relay between the executor and a node's sshd, with everything that a network can do to a connection. What is set
// holds for connections that are there and for those to come, until calm().
import { once } from 'node:events';
import net from 'node:net';

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const turn = () => new Promise((done) => setImmediate(done));

export class Relay {
	#server;
	#pairs = new Set();
	#released = () => {};
	/** Connections that were made, ever. */
	connections = 0;

	static async open() {
		const relay = new Relay();
		relay.#server = net.createServer((client) => relay.#take(client));
		relay.#server.listen(0, '127.0.0.1');
		await once(relay.#server, 'listening');
		relay.port = relay.#server.address().port;
		relay.calm();
		return relay;
	}

	/** Nothing is wrong any more. What was held goes on. */
	calm() {
		this.mode = 'pass';
		this.slice = Infinity;
		this.latency = 0;
		this.unlucky = () => false;
		this.#released();
		this.#held = null;
	}

	#held = null;

	/** Everything stays where it is, as behind a cable that was pulled. */
	hold() {
		this.#held = new Promise((done) => (this.#released = done));
	}

	/** Bytes go in pieces of `slice`, and each read `latency` ms later. */
	slow({ slice = Infinity, latency = 0 }) {
		Object.assign(this, { slice, latency });
	}

	/** Of what is read, this share resets its connection instead. By the seed, always the same ones. */
	resets(share, seed) {
		let dice = seed;
		this.unlucky = () => (dice = (Math.imul(dice, 1664525) + 1013904223) >>> 0) < share * 2 ** 32;
	}

	/** Who connects from now on: `pass`; `mute`: is accepted, and hears nothing; `banner`: hears nonsense without end. */
	greet(mode) {
		this.mode = mode;
	}

	/** Connections that are there are forgotten, as by a firewall: nobody is told. */
	forget() {
		for (const pair of this.#pairs) pair.isForgotten = true;
	}

	/** Connections that are there are reset. */
	reset() {
		for (const { client } of this.#pairs) client.resetAndDestroy();
	}

	async close() {
		this.calm();
		this.#server.close();
		for (const { client, sshd } of this.#pairs) for (const socket of [client, sshd]) socket?.destroy();
	}

	#take(client) {
		this.connections++;
		const pair = { client, sshd: null, isForgotten: false };
		this.#pairs.add(pair);
		client.setNoDelay().on('error', () => {}).on('close', () => this.#pairs.delete(pair));
		if (this.mode === 'banner') return this.#flood(client);
		if (this.mode === 'mute') return;
		pair.sshd = net.connect({ port: this.target, host: '127.0.0.1' }).setNoDelay().on('error', () => client.destroy());
		this.#pump(pair, client, pair.sshd);
		this.#pump(pair, pair.sshd, client);
	}

	#flood(client) {
		const lines = `${'x'.repeat(200)}\r\n`.repeat(100);
		const write = () => {
			while (!client.destroyed && client.write(lines));
		};
		client.on('drain', write);
		write();
	}

	async #pump(pair, from, to) {
		try {
			for await (const chunk of from) {
				if (this.unlucky()) pair.client.resetAndDestroy();
				if (this.latency) await sleep(this.latency);
				for (let at = 0; at < chunk.length; at += this.slice) {
					await this.#held;
					if (pair.isForgotten) return void (await once(from, 'close'));
					if (!to.write(chunk.subarray(at, at + this.slice))) await once(to, 'drain');
					if (this.slice < chunk.length) await turn();
				}
			}
			to.end();
		} catch {
			to.destroy();
		}
	}
}
