/* SPDX-License-Identifier: MIT */
/* What a node says of itself over SSH, as people read it: units and journals. */
import { bytes, clockTime, duration, plural, visible } from './format.ts';

/* ── units ── */

/** As systemctl shows it: all values are text, or missing. */
export type UnitFields = Readonly<Record<string, string | null | undefined>>;

export interface UnitLook {
	icon: 'check' | 'offline' | 'running' | 'stopped' | 'unknown';
	tone: 'ok' | 'crit' | 'info' | 'warn' | 'none';
	text: string;
}

const ACTIVE: Readonly<Record<string, [UnitLook['icon'], UnitLook['tone']]>> = {
	active: ['check', 'ok'], reloading: ['running', 'info'], activating: ['running', 'info'], deactivating: ['running', 'info'],
	failed: ['offline', 'crit'], inactive: ['stopped', 'none'],
};

/** What is loaded has a state; what is not says why. */
export function unitLook(u: UnitFields): UnitLook {
	const load = u.LoadState ?? '';
	if (load === 'not-found') return { icon: 'unknown', tone: 'warn', text: 'not on this node' };
	if (load && load !== 'loaded') return { icon: 'stopped', tone: 'warn', text: visible(load) };
	const state = u.ActiveState ?? '';
	const [icon, tone] = ACTIVE[state] ?? ['unknown', 'warn'];
	const why = state === 'failed' ? u.Result : u.SubState;
	return { icon, tone, text: visible(`${state || 'unknown'}${why && why !== state ? ` (${why})` : ''}`) };
}

/** "@1763665200" → ms; null: never, or not understood. */
export function unitTime(text: string | null | undefined): number | null {
	const found = /^@(\d{1,12})$/.exec(text ?? '');
	return found && Number(found[1]) > 0 ? Number(found[1]) * 1000 : null;
}

const count = (text: string | null | undefined) => (/^\d{1,15}$/.test(text ?? '') ? Number(text) : null);

/** What else there is to say of it, shortest first. */
export function unitFacts(u: UnitFields, wall: number): string[] {
	const at = unitTime(u.StateChangeTimestamp);
	const [memory, pid, restarts, status] = [count(u.MemoryCurrent), count(u.MainPID), count(u.NRestarts), count(u.ExecMainStatus)];
	const failed = u.ActiveState === 'failed';
	return [
		at === null ? '' : `for ${duration(wall - at)}`,
		memory ? bytes(memory) : '',
		pid ? `process ${pid}` : '',
		restarts ? `restarted ${restarts === 1 ? 'once' : `${restarts} times`} by systemd` : '',
		failed && status ? `ended with status ${status}` : '',
		u.UnitFileState === 'disabled' ? 'not started at boot' : '',
	].filter(Boolean);
}

const UNIT = /^[A-Za-z0-9_][A-Za-z0-9:_.@\\-]*\.(service|socket|target|mount|automount|swap|timer|path|slice|scope)$/;
const UNIT_BYTES = 210;

/** The full name that was meant: a service, where no suffix says otherwise. null: that is no unit. */
export function unitName(typed: string): string | null {
	const text = typed.trim();
	const full = UNIT.test(text) ? text : `${text}.service`;
	return text && full.length <= UNIT_BYTES && UNIT.test(full) ? full : null;
}

/* ── the journal ── */

export interface JournalLine {
	ts: number | null;
	priority: number | null;
	identifier: string | null;
	pid: number | null;
	/** null: too long to be kept. */
	message: string | null;
}

/** How grave a line is, in syslog's order; '' is nothing special. */
export function gravity(priority: number | null): { tone: 'crit' | 'warn' | 'faint' | ''; word: string } {
	if (priority === null || priority < 0) return { tone: '', word: '' };
	if (priority < 4) return { tone: 'crit', word: ['emergency', 'alert', 'critical', 'error'][priority] ?? '' };
	if (priority === 4) return { tone: 'warn', word: 'warning' };
	return { tone: priority > 6 ? 'faint' : '', word: '' };
}

export const TOO_LONG = '(a message too long to be shown)';

export const whoOf = (l: JournalLine) => visible(`${l.identifier ?? ''}${l.pid === null ? '' : `[${l.pid}]`}`);
export const saidOf = (l: JournalLine) => (l.message === null ? TOO_LONG : visible(l.message));

/** The day of a line, where it is another than that of the line before. */
export function dayOf(ts: number | null): string {
	return ts === null ? '' : new Date(ts).toDateString();
}

/** What is copied: a line each, what belongs to one message below it indented, so that no message can play another. */
export function lineText(l: JournalLine): string {
	const when = l.ts === null ? '' : `${dayOf(l.ts)} ${clockTime(l.ts)} `;
	const { word } = gravity(l.priority);
	return `${when}${whoOf(l)}: ${word ? `${word}: ` : ''}${saidOf(l).replaceAll('\n', '\n    ')}`;
}

/** Every word must be in it, whatever its case. */
export function filterLines(lines: readonly JournalLine[], text: string): readonly JournalLine[] {
	const words = text.toLowerCase().split(/\s+/).filter(Boolean);
	if (words.length === 0) return lines;
	return lines.filter((l) => {
		const all = `${whoOf(l)} ${gravity(l.priority).word} ${saidOf(l)}`.toLowerCase();
		return words.every((w) => all.includes(w));
	});
}

/* ── what went wrong ── */

const HELP: readonly [RegExp, string][] = [
	[/executor\.ssh is not set/, 'deploy/nodes/README.md says how Jarvis gets onto a node.'],
	[/refuses the key/, 'Put the public half of secrets/executor/ssh-key into the node’s authorized_keys: deploy/nodes/README.md.'],
	[/shows the host key/, 'clusters.NAME.executor.ssh.known_hosts in jarvis.yaml names the file of host keys.'],
	[/cannot be reached|did not (answer|finish the SSH|finish the login|open a session)|is no host/, 'Is the node on, is its sshd running, and is its address in jarvis.yaml right?'],
	[/did not (end in time|finish the command)|was silent/, 'The node is very busy, or a disk of it hangs. Look at it in Proxmox.'],
	[/systemd-journal|insufficient permissions/, 'On the node: add the user jarvis-act to the group systemd-journal.'],
	[/cut off|no beginning|closed the (channel|connection)|broke the connection|its length/, 'The connection broke in the middle: look again.'],
	[/refused it.*catalogue|does not list/, 'The node’s own catalogue has the last word: /etc/jarvis-act/catalogue there.'],
	[/ssh-key/, 'jarvisctl keys says which secrets there are; deploy/nodes/README.md makes this one.'],
];

/** What would help where a node could not be asked; null: its own words are all there is. */
export const readHelp = (text: string): string | null => HELP.find(([test]) => test.test(text))?.[1] ?? null;

/** "12 lines", with how many of how many when some are filtered out. */
export const linesShown = (shown: number, all: number) => (shown === all ? plural(all, 'line') : `${shown} of ${plural(all, 'line')}`);
