/** Answers that are wrong on purpose, for a path and a number of times. */
import { ApiError, Hang } from '../api/errors.mjs';
import { pack } from '../api/dispatch.mjs';

const HUGE = 16 * 2 ** 20;

export class Faults {
	constructor() {
		this.list = [];
	}

	/** @param {{path_prefix: string, count?: number, node?: string, method?: string,
	 *   kind: string, status?: number, reason?: string, size?: number, after?: boolean}} fault
	 *   `after`: the call is carried out first, and only its answer is lost */
	add(fault) {
		this.list.push({ ...fault, left: fault.count ?? 1 });
	}

	clear() {
		this.list = [];
	}

	/** The fault for a request, counted down; null for most. */
	take(entry, method, path) {
		const fault = this.list.find((f) => f.left > 0 && path.startsWith(f.path_prefix) &&
			(!f.node || f.node === entry.name) && (!f.method || f.method === method));
		if (!fault) {
			return null;
		}
		fault.left--;
		this.list = this.list.filter((f) => f.left > 0);
		return Object.assign((call) => KINDS[fault.kind](call, fault), { after: fault.after === true });
	}
}

export const KINDS = {
	error: (call, { status, reason }) => {
		if (status >= 595 || status === 401) {
			return { status, reason: reason ?? '' };
		}
		throw new ApiError(status, `${reason}\n`);
	},
	hang: () => {
		throw new Hang();
	},
	truncated: (call) => {
		const body = '{"data":[{"vmid":100,"name":"home-assistant","status":"running","cpu":0.01';
		return { ...json(call, body + ' '.repeat(2000)), cut: body.length };
	},
	notjson: (call) => json(call, '<html><body><h1>It works!</h1></body></html>'),
	empty: () => ({ status: 200, reason: 'OK' }),
	huge: (call, { size = HUGE }) => json(call, `{"data":[${'{"vmid":100},'.repeat(size / 13)}{}]}`),
	nothing: (call) => json(call, '{"data":[]}'),
	deep: (call, { size = 5000 }) => json(call, `{"data":${'['.repeat(size)}${']'.repeat(size)}}`),
	wrongtypes: (call) => json(call, JSON.stringify({ data: [
		{ vmid: 'one hundred', id: 7, type: ['qemu'], status: { a: 1 }, cpu: 'much', maxmem: null,
			mem: -1, name: 42, node: null, uptime: '1e400', upid: false, starttime: 'yesterday' },
		'a text', null, 3, [],
		{ vmid: 1e300, cpu: 1e308, mem: '0x10', id: '', type: '', node: '\u0000\u202e', name: {} },
	] })),
};

function json(call, body) {
	return { status: 200, reason: 'OK', ...pack(call.request, body) };
}

