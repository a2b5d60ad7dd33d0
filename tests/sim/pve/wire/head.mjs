const MAX_LINES = 64;

/**
 * Splits a request head.
 * @param {string} text everything before the empty line
 * @returns {{method: string, target: string, major: number, minor: number,
 *   headers: Record<string, string>, te: boolean} | null} null: not HTTP, never answered
 */
export function parseHead(text) {
	const lines = text.replace(/^(\r\n)+/, '').split('\r\n');
	const first = /^(\S+) (\S+) HTTP\/(\d+)\.(\d+)$/.exec(lines[0]);
	if (!first || lines.length > MAX_LINES) {
		return null;
	}
	const headers = Object.create(null);
	for (const line of lines.slice(1)) {
		addHeader(headers, line);
	}
	const te = /chunked/i.test(headers['transfer-encoding'] ?? '');
	return {
		method: first[1], target: first[2], major: Number(first[3]), minor: Number(first[4]),
		headers, te,
	};
}

/** Repeated headers are joined, as HTTP::Headers does. */
function addHeader(headers, line) {
	const colon = line.indexOf(':');
	if (colon <= 0) {
		return;
	}
	const name = line.slice(0, colon).trim().toLowerCase();
	const value = line.slice(colon + 1).trim();
	headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
}
