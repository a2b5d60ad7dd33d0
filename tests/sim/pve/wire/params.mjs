/**
 * Request parameters: the query string, and a form or JSON body. A repeated key makes a list,
 * the query wins over the body, `_dc` (the web interface's cache breaker) is dropped.
 */

/** A body that pveproxy does not read. */
export class BodyError extends Error {
	constructor(status, message) {
		super(message);
		this.status = status;
	}
}

/** @returns {Record<string, string | string[]>} */
export function parseQuery(text) {
	const out = Object.create(null);
	for (const pair of text.split(/[&;]/)) {
		if (pair === '') {
			continue;
		}
		const at = pair.indexOf('=');
		const key = unescapeForm(at < 0 ? pair : pair.slice(0, at));
		addValue(out, key, at < 0 ? '' : unescapeForm(pair.slice(at + 1)));
	}
	delete out._dc;
	return out;
}

function addValue(out, key, value) {
	if (!(key in out)) {
		out[key] = value;
	} else if (Array.isArray(out[key])) {
		out[key].push(value);
	} else {
		out[key] = [out[key], value];
	}
}

function unescapeForm(text) {
	return percentDecode(text.replace(/\+/g, ' '));
}

/** Like URI::Escape: a broken escape stays as it is instead of being an error. */
export function percentDecode(text) {
	try {
		return decodeURIComponent(text);
	} catch {
		return text.replace(/%([0-9a-fA-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
	}
}

/** @returns {Record<string, unknown>} query over body */
export function readParams(request, queryText) {
	const query = parseQuery(queryText);
	if (request.method === 'GET' || request.method === 'DELETE') {
		return query;
	}
	return { ...readBody(request), ...query };
}

function readBody(request) {
	const type = (request.headers['content-type'] ?? '').split(';')[0].trim().toLowerCase();
	if (type === '' || request.body.length === 0) {
		return {};
	}
	const reader = READERS[type];
	if (!reader) {
		const given = request.headers['content-type'];
		throw new BodyError(506, `upload 'Content-Type '${given}' not implemented`);
	}
	return reader(request.body.toString('utf8'));
}

const READERS = {
	'application/x-www-form-urlencoded': parseQuery,
	'application/json': readJson,
};

function readJson(text) {
	try {
		const value = JSON.parse(text);
		return value !== null && typeof value === 'object' && !Array.isArray(value) ? value : {};
	} catch {
		throw new BodyError(500, 'malformed JSON string in request body');
	}
}
