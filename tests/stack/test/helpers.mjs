// What the tests of the stack share: stand-ins for services and the ACL, and a look at processes.
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const FAKE = resolve(import.meta.dirname, 'fake-service.mjs');

export const FAKE_ACL = `user gateway
topic readwrite jarvis/service/gateway/#
user monitor
topic readwrite jarvis/service/monitor/#
topic read jarvis/service/gateway/#
user demo
topic read jarvis/service/#
`;

/** A row for startStack({services}). */
export function fakeService(name, mood = '') {
	return { name, command: (stack) => [process.execPath, FAKE, name, stack.socket, stack.passwords[name], mood] };
}

export function fakeStack(more = {}) {
	return { sim: null, acl: FAKE_ACL, services: [fakeService('monitor')], note: () => {}, ...more };
}

export function isAlive(pid) {
	if (!existsSync(`/proc/${pid}/stat`)) return false;
	return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
}

export async function until(condition, ms = 5000) {
	const deadline = performance.now() + ms;
	while (!condition()) {
		if (performance.now() > deadline) return false;
		await sleep(10);
	}
	return true;
}
