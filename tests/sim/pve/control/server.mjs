/** The control port: plain HTTP and JSON, for tests and the demo's presenter. */
import http from 'node:http';
import { OPS, OpError } from './ops.mjs';
import { describeState } from './state.mjs';

const MAX_BODY = 1 << 20;

const ROUTES = {
	'GET /': () => ({ ops: Object.keys(OPS) }),
	'GET /state': (sim) => describeState(sim),
	'GET /requests': (sim) => requests(sim),
	'DELETE /requests': (sim) => {
		sim.journal.clear();
		return { ok: true };
	},
	'POST /control': (sim, body) => control(sim, body),
};

/** @returns {Promise<http.Server>} listening on host:port */
export function startControl(sim, host, port) {
	const server = http.createServer((req, res) => answer(sim, req, res));
	return new Promise((done, fail) => {
		server.once('error', fail);
		server.listen(port, host, () => done(server));
	});
}

async function answer(sim, req, res) {
	const send = (status, value) => {
		res.writeHead(status, { 'Content-Type': 'application/json' });
		res.end(JSON.stringify(value) + '\n');
	};
	try {
		const route = ROUTES[`${req.method} ${req.url.split('?')[0]}`];
		if (!route) {
			throw new OpError(`no '${req.method} ${req.url}' here: ${Object.keys(ROUTES).join(', ')}`, 404);
		}
		send(200, await route(sim, req.method === 'POST' ? await readJson(req) : null));
	} catch (err) {
		if (!(err instanceof OpError)) {
			sim.report(err);
		}
		send(err.status ?? 500, { ok: false, error: err.message });
	}
}

async function readJson(req) {
	const chunks = [];
	let size = 0;
	for await (const chunk of req) {
		size += chunk.length;
		if (size > MAX_BODY) {
			throw new OpError('body too large');
		}
		chunks.push(chunk);
	}
	try {
		return JSON.parse(Buffer.concat(chunks).toString('utf8'));
	} catch (err) {
		throw new OpError(`the body is not JSON: ${err.message}`);
	}
}

/** One operation, or a list of them, done in order. */
async function control(sim, body) {
	if (Array.isArray(body)) {
		const results = [];
		for (const item of body) {
			results.push(await control(sim, item));
		}
		return { ok: true, results };
	}
	const op = OPS[body?.op];
	if (!op) {
		throw new OpError(`unknown op '${body?.op}', known: ${Object.keys(OPS).join(' ')}`);
	}
	const result = await op(sim, body);
	if (body.sample) {
		sim.cluster.sampleAll();
	}
	sim.writeState();
	return { ok: true, op: body.op, ...result };
}

function requests(sim) {
	const endpoints = {};
	for (const [name, endpoint] of sim.endpoints) {
		endpoints[name] = { ...endpoint.counts, listening: endpoint.listener !== null };
	}
	return { ...sim.journal.counters, unanswered: sim.journal.open, endpoints, log: sim.journal.log };
}
