// An MQTT client that remembers the newest document of every topic it sees, and waits for what shall come.
import { setTimeout as sleep } from 'node:timers/promises';
import { connectMqtt } from './mqtt.mjs';

export function topicMatches(filter, topic) {
	const want = filter.split('/');
	const have = topic.split('/');
	for (let i = 0; i < want.length; i++) {
		if (want[i] === '#') return true;
		if (i >= have.length || (want[i] !== '+' && want[i] !== have[i])) return false;
	}
	return want.length === have.length;
}

/** JSON where it is JSON, else the text (`online`); null for a topic that was cleared. */
export function parsePayload(text) {
	if (text === '') return null;
	try {
		return JSON.parse(text);
	} catch {
		return text;
	}
}

export class Observer {
	#waiters = new Set();
	#client = null;
	#closing = new AbortController();
	/** topic → {topic, doc, retained, at} */
	docs = new Map();

	/** Subscribes to `filters` and follows the broker through restarts until closed. */
	static async open({ socket, user, password, filters }) {
		const observer = new Observer();
		const client = await connectMqtt({ socket, user, password });
		observer.#client = client;
		client.on('message', (topic, payload, packet) => observer.#take(topic, payload, packet));
		await client.subscribeAsync(filters, { qos: 1 });
		return observer;
	}

	#take(topic, payload, packet) {
		const message = { topic, doc: parsePayload(payload.toString()), retained: packet.retain, at: Date.now() };
		this.docs.set(topic, message);
		for (const waiter of [...this.#waiters]) waiter(message);
	}

	#matching(filter, predicate) {
		const fits = (m) => topicMatches(filter, m.topic) && predicate(m.doc, m);
		return [...this.docs.values()].find(fits);
	}

	/** The next message of `filter` for which predicate(doc, message) is true; nothing from before. */
	async next(filter, predicate, ms, what = filter) {
		let waiter;
		const timer = new AbortController();
		const signal = AbortSignal.any([timer.signal, this.#closing.signal]);
		const found = new Promise((done) => {
			waiter = (m) => topicMatches(filter, m.topic) && predicate(m.doc, m) && done(m);
			this.#waiters.add(waiter);
		});
		const late = sleep(ms, null, { signal }).catch(() => null);
		const message = await Promise.race([found, late]);
		timer.abort();
		this.#waiters.delete(waiter);
		if (message === null) throw new Error(`waited ${ms} ms in vain for ${what}; last: ${this.#last(filter)}`);
		return message;
	}

	/** The same, content with a document that is there already. */
	async waitFor(filter, predicate = () => true, ms = 5000) {
		return this.#matching(filter, predicate) ?? this.next(filter, predicate, ms);
	}

	#last(filter) {
		const message = this.#matching(filter, () => true);
		return message ? `${message.topic} ${JSON.stringify(message.doc)}`.slice(0, 4000) : 'nothing';
	}

	async close() {
		this.#closing.abort();
		await this.#client?.endAsync(true);
	}
}
