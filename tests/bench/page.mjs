// What the dashboard costs the browser: 500 guests whose values all move every second, on the real broker and gateway
// in a real Chromium; the page at rest; and its heap after an hour's worth of updates.
import { DESKTOP, launch, logIn, newPage } from '../e2e/browser.mjs';
import { startMock } from '../e2e/mock.mjs';
import { startStack } from '../stack/stack.mjs';
import { pause } from './measure.mjs';

const GUESTS = 500;
const NODES = 12;
const UPDATES = 30;
const REST_S = 20;
const HOUR = 3600;
const POLLER = 'proxmox-poller';

const sorted = (list) => [...list].sort((a, b) => a - b);
const quantile = (list, q) => sorted(list)[Math.min(list.length - 1, Math.floor(list.length * q))];
const spread = (list) => ({ median: quantile(list, 0.5), p95: quantile(list, 0.95) });

const wander = (v, low, high) => Math.min(high, Math.max(low, v + (Math.random() - 0.5) * (high - low) * 0.1));

/** A node or guest a second later: every value that can move has moved. */
function moved(d) {
	if (d.status !== 'running' && d.status !== 'online') return { ...d, ts: Date.now() };
	const rates = d.net_in === undefined ? {} : { net_in: wander(d.net_in ?? 0, 0, 2e7),
		net_out: wander(d.net_out ?? 0, 0, 2e7) };
	return { ...d, ...rates, ts: Date.now(), cpu: wander(d.cpu ?? 5, 0, 95), mem: Math.round(wander(d.mem ?? 0,
		d.maxmem * 0.1, d.maxmem * 0.9)) };
}

/** Takes the poller's place: its last documents, its rights, but a pace of its own. */
class Feed {
	constructor(client, docs) {
		this.client = client;
		this.docs = docs;
	}

	async publish(docs) {
		Object.assign(this.docs, docs);
		const send = ([t, d]) => this.client.publishAsync(`jarvis/${t}`, JSON.stringify(d), { qos: 1, retain: true });
		await Promise.all(Object.entries(docs).map(send));
	}

	/** The source document: when it came, everything had been asked. */
	source() {
		const [topic, d] = Object.entries(this.docs).find(([t]) => /^pve\/[^/]+\/state$/.test(t));
		const now = Date.now();
		const sources = Object.fromEntries(Object.entries(d.sources).map(([k, s]) => [k, { ...s, last_ok_ms: now,
			period_s: 10 }]));
		return { [topic]: { ...d, ts: now, sources } };
	}

	/** One poll in which every node and guest has moved. */
	tick() {
		const live = Object.entries(this.docs).filter(([t]) => /\/(node|guest)\/[^/]+\/state$/.test(t));
		return this.publish({ ...Object.fromEntries(live.map(([t, d]) => [t, moved(d)])), ...this.source() });
	}

	/** One in which nothing has. */
	beat() {
		return this.publish(this.source());
	}
}

/** All that the poller has said, once it has named every guest. */
async function collect(stack) {
	const client = await stack.mqtt();
	const docs = {};
	const guests = () => Object.keys(docs).filter((t) => /\/guest\/\d+\/state$/.test(t)).length;
	await new Promise((done) => {
		client.on('message', (topic, payload) => {
			const text = payload.toString();
			if (text.startsWith('{')) docs[topic.slice('jarvis/'.length)] = JSON.parse(text);
			if (guests() >= GUESTS * 0.95) setTimeout(done, 2000);
		});
		client.subscribe('jarvis/pve/#', { qos: 1 });
	});
	await client.endAsync();
	return docs;
}

async function openFeed(stack) {
	const docs = await collect(stack);
	await stack.process(POLLER).stop();
	const feed = new Feed(await stack.mqtt({ user: POLLER }), docs);
	await feed.client.publishAsync(`jarvis/service/${POLLER}/main/state`, 'online', { qos: 1, retain: true });
	await feed.beat();
	return feed;
}

/** Seconds that the page's main thread has spent, by kind. */
async function meter(page) {
	const client = await page.context().newCDPSession(page);
	await client.send('Performance.enable');
	return async () => {
		const { metrics } = await client.send('Performance.getMetrics');
		return Object.fromEntries(metrics.map((m) => [m.name, m.value]));
	};
}

/** CPU seconds of all of the browser's processes. */
async function browserCpu(session) {
	const { processInfo } = await session.send('SystemInfo.getProcessInfo');
	return processInfo.reduce((sum, p) => sum + p.cpuTime, 0);
}

async function measureUpdates(feed, read) {
	const script = [];
	const task = [];
	for (let i = 0; i < UPDATES + 3; i++) {
		const [a, begun] = [await read(), performance.now()];
		await feed.tick();
		await pause(1000 - (performance.now() - begun));
		const b = await read();
		if (i < 3) continue; // what is compiled with the first ones
		script.push((b.ScriptDuration - a.ScriptDuration) * 1000);
		task.push((b.TaskDuration - a.TaskDuration) * 1000);
	}
	return { script_ms: spread(script), task_ms: spread(task) };
}

async function measureRest(feed, read, session) {
	await feed.beat();
	await pause(2000);
	const [a, cpu] = [await read(), await browserCpu(session)];
	for (let s = 0; s < REST_S; s += 10) {
		await feed.beat();
		await pause(10_000);
	}
	const b = await read();
	return {
		main: ((b.TaskDuration - a.TaskDuration) / REST_S) * 100,
		browser: (((await browserCpu(session)) - cpu) / REST_S) * 100,
	};
}

async function live() {
	const stack = await startStack({ sim: { nodes: NODES, guests: GUESTS, 'one-endpoint': true } });
	const browser = await launch();
	let feed;
	try {
		feed = await openFeed(stack);
		const session = await browser.newBrowserCDPSession();
		const { page, problems } = await newPage(browser, DESKTOP);
		await page.goto(`${stack.url}/#view=guests`);
		const begun = performance.now();
		await logIn(page, 'operator', stack.password);
		await page.waitForSelector('.wide .rows .row');
		const firstRows = performance.now() - begun;
		const read = await meter(page);
		const table = await measureUpdates(feed, read);
		await page.keyboard.press('1');
		await page.waitForSelector('.cluster');
		const overview = await measureUpdates(feed, read);
		const rest = await measureRest(feed, read, session);
		if (problems.length) throw new Error(problems.join('; '));
		return { guests: GUESTS, first_rows_ms: firstRows, table, overview, idle_main_percent: rest.main,
			idle_browser_percent: rest.browser };
	} finally {
		await browser.close();
		await feed?.client.endAsync(true);
		await stack.stop();
	}
}

const MIB = 1024 * 1024;

/** An hour of polls as fast as the page takes them in, with what happens in an hour: nodes go, tasks fail. */
async function feedPage(m, page, updates) {
	for (let i = 0; i < updates; i++) {
		m.world.poll();
		if (i % 300 === 150) m.world.nodeDown('pve');
		if (i % 300 === 160) m.world.nodeUp('pve');
		if (i % 120 === 60) m.world.taskFails('home', 100 + (i % GUESTS));
		if (i % 5 === 4) await page.evaluate(() => new Promise((done) => setTimeout(done)));
	}
}

async function heap() {
	const m = await startMock({ guests: GUESTS, nodes: NODES, login: false, pollMs: 3_600_000, periodS: 10 });
	const browser = await launch();
	try {
		const { page } = await newPage(browser, DESKTOP);
		await page.goto(`${m.url}/#view=guests`);
		await page.waitForSelector('.wide .rows .row');
		const client = await page.context().newCDPSession(page);
		const used = async () => {
			await client.send('HeapProfiler.collectGarbage');
			return (await client.send('Runtime.getHeapUsage')).usedSize / MIB;
		};
		await feedPage(m, page, 200); // until the rings are full
		const before = await used();
		await feedPage(m, page, HOUR);
		return { updates: HOUR, heap_before_mb: before, heap_after_mb: await used() };
	} finally {
		await browser.close();
		await m.stop();
	}
}

/** Everything, as one object. */
export async function page() {
	return { ...(await live()), ...(await heap()) };
}

if (process.argv[1] === import.meta.filename) console.log(JSON.stringify(await page(), null, '\t'));
