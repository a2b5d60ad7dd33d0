/** Who asks: API tokens, and tickets with their CSRF token. */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { percentDecode } from '../wire/params.mjs';

const TICKET_LIFE = 7200;
const GRACE = 300;

/** A refusal; every one of them is answered late and, mostly, without a body. */
export class AuthError extends Error {}

export class Accounts {
	/** @param {{now: () => number}} clock */
	constructor(clock) {
		this.clock = clock;
		this.users = new Map();
		this.tokens = new Map();
		this.key = randomBytes(32);
	}

	addUser(id, password, { root = false, acl = [] } = {}) {
		this.users.set(id, { id, user: id, password, root, acl, kind: 'ticket' });
	}

	addToken(id, secret, acl) {
		const [user, tokenid] = id.split('!');
		this.tokens.set(id, {
			id, user, tokenid, secret, acl, kind: 'token', revoked: false, expire: 0,
			privsep: 1,
		});
	}

	/**
	 * @param {{headers: Record<string, string>, method: string}} request
	 * @param {boolean} terse new versions say no more than "Authentication failed!"
	 */
	identify(request, terse) {
		const cookie = /(?:^|;\s*)PVEAuthCookie=([^;]*)/.exec(request.headers.cookie ?? '');
		if (cookie) {
			return this.byTicket(percentDecode(cookie[1]), request, terse);
		}
		const match = /^PVEAPIToken[= ](.*)$/.exec(request.headers.authorization ?? '');
		if (match) {
			return this.byToken(percentDecode(match[1]), terse);
		}
		throw new AuthError('No ticket');
	}

	byToken(text, terse) {
		const refuse = (reason) => new AuthError(terse ? 'Authentication failed!' : reason);
		const match = /^([^\s@]+@[^\s!]+)!([^\s=]+)=(\S+)$/.exec(text);
		if (!match) {
			throw refuse('no tokenid specified');
		}
		const [, user, tokenid, secret] = match;
		if (!this.users.has(user)) {
			throw refuse(`no such user ('${user}')`);
		}
		const token = this.tokens.get(`${user}!${tokenid}`);
		if (!token || token.revoked) {
			throw refuse(`no such token '${tokenid}' for user '${user}'`);
		}
		if (token.expire > 0 && token.expire < this.clock.now()) {
			throw refuse(`token '${tokenid}' access expired`);
		}
		if (!same(token.secret, secret)) {
			throw refuse('invalid token value!');
		}
		return token;
	}

	byTicket(text, request, terse) {
		const user = this.ticketUser(text);
		if (!user) {
			throw new AuthError(terse ? 'Authentication failed!'
				: 'permission denied - invalid PVE ticket');
		}
		if (request.method !== 'GET' &&
			!this.csrfValid(user, request.headers.csrfpreventiontoken ?? '')) {
			throw new AuthError('Permission denied - invalid csrf token');
		}
		return user;
	}

	/** The user a ticket belongs to, if it is ours and young enough. */
	ticketUser(text) {
		const match = /^PVE:([^:]+):([0-9A-F]{8})::(.+)$/.exec(text);
		if (!match || !same(this.sign(`PVE:${match[1]}:${match[2]}`), match[3])) {
			return null;
		}
		const age = this.clock.now() - parseInt(match[2], 16);
		const young = age > -GRACE && age < TICKET_LIFE;
		return young ? this.users.get(match[1]) ?? null : null;
	}

	csrfValid(user, text) {
		const [stamp, signature] = text.split(':');
		const age = this.clock.now() - parseInt(stamp, 16);
		return same(this.sign(`${stamp}:${user.id}`), signature ?? '') && age < TICKET_LIFE;
	}

	/** Answers POST /access/ticket, or null for a wrong password (an own ticket counts as one). */
	login(username, password) {
		const user = this.users.get(username);
		const renewed = user && this.ticketUser(password) === user;
		if (!user || !(renewed || (user.password && same(user.password, password)))) {
			return null;
		}
		const stamp = Math.floor(this.clock.now()).toString(16).toUpperCase().padStart(8, '0');
		const plain = `PVE:${user.id}:${stamp}`;
		return {
			user,
			ticket: `${plain}::${this.sign(plain)}`,
			csrf: `${stamp}:${this.sign(`${stamp}:${user.id}`)}`,
		};
	}

	sign(text) {
		return createHmac('sha256', this.key).update(text).digest('base64');
	}
}

function same(a, b) {
	const left = Buffer.from(a);
	const right = Buffer.from(b);
	return left.length === right.length && timingSafeEqual(left, right);
}
