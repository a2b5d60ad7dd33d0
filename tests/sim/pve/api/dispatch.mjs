/**
 * From a request to an answer, in the order of pve-http-server: who are you, is there such a
 * call, may you, which node, is its daemon alive, are the parameters right, do it. The order is
 * visible from outside: a 403 always comes before a 400, an unknown node before a bad parameter.
 */
import { gzipSync, deflateSync } from 'node:zlib';
import { encode } from '../wire/json.mjs';
import { BodyError, percentDecode, readParams } from '../wire/params.mjs';
import { AuthError } from './auth.mjs';
import { ApiError, Hang, PathError, badParams } from './errors.mjs';
import { handlers } from './handlers/index.mjs';
import { Permissions } from './perms.mjs';
import { reach } from './proxy.mjs';
import { schemaFor } from './schema.mjs';
import { validate } from './validate.mjs';

const JSON_TYPE = 'application/json;charset=UTF-8';
const NO_LOGIN = new Set(['GET /access/ticket', 'POST /access/ticket', 'GET /access/domains']);

/**
 * @param {object} sim
 * @param {object} entry the node whose endpoint was asked
 */
export async function serve(sim, entry, request, conn) {
	const seen = sim.journal.begin(entry, request);
	let answer;
	try {
		answer = await answerFor(sim, entry, request, seen);
	} catch (err) {
		if (err instanceof Hang) {
			sim.journal.end(seen, { status: 0, reason: 'never answered' });
			return;
		}
		answer = plain(500, `simulator bug: ${err.message}`);
		sim.report(err);
	}
	if (entry.endpoint.slowMs > 0) {
		await sleep(entry.endpoint.slowMs);
	}
	sim.journal.end(seen, answer);
	conn.respond(request, answer);
}

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const plain = (status, text) => ({ status, reason: text, body: text });
const bare = (status, reason) => ({ status, reason });

async function answerFor(sim, entry, request, seen) {
	const [rawPath, query = ''] = splitOnce(request.target, '?');
	const path = percentDecode(rawPath);
	const match = /^\/api2(?:\/([a-z]+)(\/.*)?)?$/.exec(path);
	if (!match) {
		return webInterface(path);
	}
	if (!match[1]) {
		return plain(501, 'no such uri');
	}
	const call = { sim, entry, request, path: match[2] ?? '/', query, format: match[1], seen };
	seen.path = call.path;
	try {
		return await authenticated(call);
	} catch (err) {
		return failure(call, err);
	}
}

function splitOnce(text, separator) {
	const at = text.indexOf(separator);
	return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function webInterface(path) {
	return path === '/'
		? { status: 200, reason: 'OK', type: 'text/html; charset=UTF-8',
			body: '<html><head><title>Proxmox Virtual Environment</title></head></html>' }
		: plain(404, `no such file '${path}'`);
}

async function authenticated(call) {
	const { sim, entry, request, seen } = call;
	const startedAt = Date.now();
	if (!NO_LOGIN.has(`${request.method} ${call.path}`)) {
		try {
			call.principal = sim.accounts.identify(request, entry.pve.terseAuth);
		} catch (err) {
			if (!(err instanceof AuthError)) {
				throw err;
			}
			await sim.authPause(startedAt);
			return bare(401, err.message);
		}
	} else {
		call.principal = identifyMaybe(sim, entry, request);
	}
	seen.principal = call.principal?.id ?? null;
	return refuseBody(request) ?? refuseFormat(call) ?? routed(call);
}

function identifyMaybe(sim, entry, request) {
	try {
		return sim.accounts.identify(request, entry.pve.terseAuth);
	} catch {
		return null;
	}
}

function refuseBody(request) {
	if (request.te) {
		return plain(501, 'chunked transfer encoding not supported');
	}
	if (request.body.length > 0 && (request.method === 'GET' || request.method === 'DELETE')) {
		return plain(501, `Unexpected content for method '${request.method}'`);
	}
	return null;
}

function refuseFormat({ format, path }) {
	return format === 'json' || format === 'extjs'
		? null : plain(501, `no formatter for uri ${path}, ${format}`);
}

async function routed(call) {
	const { sim, entry, request, path, principal, seen } = call;
	call.given = readParams(request, call.query);
	if (request.method !== 'GET') {
		seen.form = call.given;
	}
	const fault = sim.faults.take(entry, request.method, path);
	if (fault && !fault.after) {
		return fault(call);
	}
	const found = schemaFor(entry.pve.major).find(request.method, path);
	if (!found) {
		throw new ApiError(501, `Method '${request.method} ${path}' not implemented`);
	}
	const { row, uri } = found;
	seen.template = row.key;
	rejectConflicts(uri, call.given);
	if (row.notoken && principal?.kind === 'token') {
		throw new ApiError(403, `Permission check failed (URI '${path}' not available with API ` +
			'token, need proper ticket.)\n');
	}
	call.perms = principal && permissionsOf(sim, entry, principal);
	call.perms?.enforce(row.perm, { ...call.given, ...uri });
	const node = await reach(sim, entry, row, uri.node);
	const answer = ok(call, await run(call, row, uri, node));
	seen.done = true;
	return fault ? fault(call) : answer;
}

/** @returns {Permissions} */
export function permissionsOf(sim, entry, principal) {
	return new Permissions(principal, {
		major: entry.pve.major,
		poolOf: (vmid) => sim.cluster.guests.get(Number(vmid))?.pool,
	});
}

function rejectConflicts(uri, given) {
	for (const [name, value] of Object.entries(uri)) {
		if (given[name] !== undefined && String(given[name]) !== value) {
			throw badParams({
				[name]: 'duplicate parameter (already defined in URI) with conflicting values!',
			});
		}
	}
}

async function run(call, row, uri, node) {
	const handler = handlers[row.key];
	if (!handler) {
		// a real call of PVE that nothing here simulates; it got as far as its permission
		throw new ApiError(501, `Method '${call.request.method} ${call.path}' not implemented`);
	}
	// the node that runs the call knows its own version's parameters
	const own = schemaFor(node.pve.major).find(call.request.method, call.path)?.row ?? row;
	const params = validate({ node: { t: 's', o: 1 }, ...own.params }, { ...call.given, ...uri },
		own.open === 1);
	const context = { ...call, params, node, now: call.sim.clock.now(), total: undefined };
	const data = await handler(context);
	return { data, total: context.total };
}

function ok(call, { data, total }) {
	const body = { data: data ?? null };
	if (total !== undefined) {
		body.total = total;
	}
	if (call.format === 'extjs') {
		body.success = 1;
	}
	return { status: 200, reason: 'OK', ...pack(call.request, encode(body)) };
}

/** Compresses what is worth it, if the client wants it. */
export function pack(request, text) {
	const accept = request.headers['accept-encoding'] ?? '';
	const body = Buffer.from(text);
	if (body.length > 1024 && /\bgzip\b/.test(accept)) {
		return { type: JSON_TYPE, encoding: 'gzip', body: gzipSync(body, { level: 1 }) };
	}
	if (body.length > 1024 && /\bdeflate\b/.test(accept)) {
		return { type: JSON_TYPE, encoding: 'deflate', body: deflateSync(body, { level: 1 }) };
	}
	return { type: JSON_TYPE, body };
}

function failure(call, err) {
	if (err instanceof PathError) {
		return bare(err.status, err.message);
	}
	if (err instanceof BodyError) {
		return plain(err.status, err.message);
	}
	if (!(err instanceof ApiError)) {
		throw err;
	}
	const body = { data: null };
	if (call.entry.pve.messageInBody || call.format === 'extjs') {
		body.message = err.message;
	}
	if (err.errors) {
		body.errors = err.errors;
	}
	const text = { type: JSON_TYPE };
	if (call.format === 'extjs') {
		Object.assign(body, { success: 0, status: String(err.status) });
		return { ...text, status: 200, reason: 'OK', body: encode(body) };
	}
	return { ...text, status: err.status, reason: err.message, body: encode(body) };
}
