/* SPDX-License-Identifier: MIT */
/* Who is logged in, and the REST calls that change it. */
import { batch, computed, signal } from '@preact/signals';
import type { Problem, Session, Token, TokenList } from '../generated/topics.ts';

/** A gateway that takes longer than this is as good as none. */
const ANSWER_MS = 15_000;

/** unknown: not asked yet, or the gateway does not answer. */
export type LoginState = 'unknown' | 'out' | 'in';

export const loginState = signal<LoginState>('unknown');
export const session = signal<Session | null>(null);

/** Nobody is logged in, and nobody's data lies behind the login. */
export const nobody = computed(() => loginState.value === 'out' && session.value === null);

export class ApiError extends Error {
	readonly status: number;
	/** The body of the answer, when it was JSON. */
	readonly data: unknown;

	constructor(status: number, message: string, data: unknown = null) {
		super(message);
		this.status = status;
		this.data = data;
	}
}

function explain(status: number, problem: (Partial<Problem> & { reason?: string }) | null): string {
	if (problem?.reason) return problem.reason;
	if (problem?.detail) return problem.detail;
	if (problem?.title) return problem.title;
	if (status === 0) return 'Jarvis does not answer. Is the gateway running?';
	return `The gateway answered with status ${status}.`;
}

/** One call; throws ApiError, with status 0 when there was no answer. */
export async function api<T>(method: string, path: string, body?: unknown): Promise<T> {
	const headers: Record<string, string> = { Accept: 'application/json' };
	if (method !== 'GET') {
		headers['Content-Type'] = 'application/json';
		headers['X-Jarvis'] = '1';
	}
	const signal = AbortSignal.timeout(ANSWER_MS);
	const init: RequestInit = { method, headers, signal, credentials: 'same-origin', cache: 'no-store' };
	if (body !== undefined) init.body = JSON.stringify(body);
	const answer = await fetch(path, init).catch(() => null);
	if (!answer) throw new ApiError(0, explain(0, null));
	const data: unknown = await answer.json().catch(() => null);
	if (!answer.ok) throw new ApiError(answer.status, explain(answer.status, data as Partial<Problem> | null), data);
	return data as T;
}

export function loggedOut(): void {
	loginState.value = 'out';
}

function accept(s: Session): void {
	session.value = s;
	loginState.value = 'in';
}

/** Asks who we are. False: the gateway did not answer; else loginState says. */
export async function checkSession(): Promise<boolean> {
	try {
		accept(await api<Session>('GET', '/api/session'));
		return true;
	} catch (e) {
		if (!(e instanceof ApiError) || (e.status !== 401 && e.status !== 403)) return false;
		loggedOut();
		return true;
	}
}

export async function login(user: string, password: string): Promise<void> {
	accept(await api<Session>('POST', '/api/login', { user, password }));
}

const leaving = new Set<() => void>();

/** Called when the person leaves, so that nothing is left on the screen; not when a session expires. */
export const onLeave = (fn: () => void) => void leaving.add(fn);

export async function logout(): Promise<void> {
	await api('POST', '/api/logout').catch((e: unknown) => {
		if (!(e instanceof ApiError) || e.status !== 401) throw e;
	});
	batch(() => {
		loggedOut();
		session.value = null;
	});
	for (const fn of leaving) fn();
}

export async function changePassword(oldPassword: string, newPassword: string): Promise<void> {
	await api('POST', '/api/password', { old_password: oldPassword, new_password: newPassword });
	if (session.value) session.value = { ...session.value, must_change_password: false };
}

export const listTokens = () => api<TokenList>('GET', '/api/tokens');
export const revokeToken = (id: string) => api('DELETE', '/api/tokens', { id });
export const createToken = (name: string, scopes: string[], days: number) =>
	api<Token>('POST', '/api/tokens', { name, scopes, days });
