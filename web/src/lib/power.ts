/* SPDX-License-Identifier: MIT */
/*
 * What fits the present state of a guest or node, and what it will at least ask for. The gate decides; this only keeps
 * what cannot work off the screen, and says beforehand what it will cost.
 */
import type { ActionNeed, ActionShown, ActionVerdict, GuestState, NodeState, Tier } from '../generated/topics.ts';

export const TIERS: readonly Tier[] = ['green', 'yellow', 'orange', 'red', 'black'];
/** One tier higher for more targets than this. */
export const BATCH_FREE = 3;
export const BATCH_MAX = 20;

export interface ToolWords {
	/** On the button, before the name in a title: "Shut down". */
	verb: string;
	/** Before the name, where that is another word. */
	title?: string;
	/** While it runs: "Shutting down". */
	doing: string;
}

export const WORDS: Readonly<Record<string, ToolWords>> = {
	guest_start: { verb: 'Start', doing: 'Starting' },
	guest_resume: { verb: 'Resume', doing: 'Resuming' },
	guest_snapshot: { verb: 'Snapshot', doing: 'Making a snapshot of' },
	backup_now: { verb: 'Back up', doing: 'Backing up' },
	node_wake: { verb: 'Wake', doing: 'Waking' },
	service_restart: { verb: 'Restart', doing: 'Restarting' },
	guest_shutdown: { verb: 'Shut down', doing: 'Shutting down' },
	guest_reboot: { verb: 'Restart', doing: 'Restarting' },
	guest_suspend: { verb: 'Pause', doing: 'Pausing' },
	guest_migrate: { verb: 'Move', doing: 'Moving' },
	task_stop: { verb: 'Stop task', doing: 'Stopping a task' },
	download_url: { verb: 'Download', title: 'Download to', doing: 'Downloading to' },
	service_stop: { verb: 'Stop', doing: 'Stopping' },
	run_command: { verb: 'Run', doing: 'Running' },
	guest_stop: { verb: 'Stop hard', doing: 'Stopping hard' },
	guest_reset: { verb: 'Reset', doing: 'Resetting' },
	snapshot_rollback: { verb: 'Roll back', doing: 'Rolling back' },
	snapshot_delete: { verb: 'Delete snapshot', doing: 'Deleting a snapshot of' },
	node_reboot: { verb: 'Restart node', doing: 'Restarting node' },
	node_shutdown: { verb: 'Shut node down', doing: 'Shutting down node' },
};

export const titleWord = (tool: string): string => wordsOf(tool).title ?? wordsOf(tool).verb;

/** A tool that is not in the table is told by its own name. */
export const wordsOf = (tool: string): ToolWords => WORDS[tool] ?? { verb: tool, doing: tool };

const ALWAYS = ['guest_snapshot', 'backup_now', 'guest_migrate'];
const RUNNING = ['guest_shutdown', 'guest_reboot', 'guest_suspend', 'guest_reset', 'guest_stop'];

const BY_STATUS: Partial<Record<GuestState['status'], readonly string[]>> = {
	stopped: ['guest_start', ...ALWAYS],
	suspended: ['guest_start', ...ALWAYS],
	running: [...RUNNING, ...ALWAYS],
	paused: ['guest_resume', 'guest_reset', 'guest_stop', ...ALWAYS],
	'io-error': ['guest_reset', 'guest_stop', ...ALWAYS],
	'internal-error': ['guest_reset', 'guest_stop', ...ALWAYS],
	prelaunch: ['guest_resume', 'guest_stop'],
};

const ONLY_VM = new Set(['guest_suspend', 'guest_reset']);

/** The tools that fit a guest now, the gentlest first. */
export function guestTools(g: GuestState): string[] {
	if (g.template) return [];
	const fit = BY_STATUS[g.status] ?? [];
	return fit.filter((t) => g.type === 'qemu' || !ONLY_VM.has(t));
}

export function nodeTools(n: NodeState): string[] {
	if (n.status === 'offline') return ['node_wake'];
	return n.status === 'online' ? ['node_reboot', 'node_shutdown'] : [];
}

/** What becomes of the service of its target meanwhile, as GET /api/tools says it. */
export type Impact = 'keeps' | 'moves' | 'interrupts' | 'takes_node';

export function higher(tier: Tier): Tier {
	return TIERS[Math.min(TIERS.indexOf(tier) + 1, TIERS.length - 1)]!;
}

/** What the gate will at least judge: the tool's floor, raised by what the page knows as well. */
export function expectedTier(tool: { name: string; tier: Tier; impact: Impact }, guests: readonly GuestState[]): Tier {
	let { tier } = tool;
	const some = (test: (g: GuestState) => boolean) => guests.some(test);
	if (some((g) => !!g.lock && !(g.lock === 'suspended' && tool.name === 'guest_start'))) tier = higher(tier);
	if (tool.impact !== 'keeps' && some((g) => !!g.ha_state)) tier = higher(tier);
	if (guests.length > BATCH_FREE) tier = higher(tier);
	return tier;
}

/** Whether what is to be approved is what a dry run said a moment ago: the same targets, facts, price and proof. */
export function sameJudgement(v: ActionVerdict, shown: ActionShown, need: ActionNeed): boolean {
	const told = (x: Pick<ActionVerdict, 'tier' | 'steps' | 'facts' | 'verify'>) =>
		JSON.stringify([x.tier, x.verify, x.facts, x.steps.map((s) => [s.object, s.name, s.args, s.seen])]);
	return v.need === need && told(v) === told(shown);
}

/** The name of the file at an address, as the gate takes it; "": none. */
export function fileOf(url: string): string {
	const last = /^https:\/\/[^/]+\/(?:[^?#]*\/)?([^/?#]+)(?:[?#]|$)/.exec(url)?.[1] ?? '';
	return /^[A-Za-z0-9][A-Za-z0-9._+-]*$/.test(last) ? last : '';
}

/** How far the last line of a task's log says that it is; null: it does not say. */
export function percentOf(line: string | null): number | null {
	const found = /(\d{1,3}(?:\.\d+)?)\s?%/.exec(line ?? '');
	const value = found ? Number(found[1]) : NaN;
	return value >= 0 && value <= 100 ? value : null;
}

const HELP: readonly [RegExp, string][] = [
	[/^frozen$/, 'Unfreeze Jarvis in the header: that needs a one-time code.'],
	[/^gate\.unfit$/, 'What the safety gate misses is in its own words above; it goes on by itself when that is there.'],
	[/^(code|keyword)\.none$/, 'On Jarvis’s host: jarvisctl person enrol NAME'],
	[/^level$/, 'A person may do it, or raise the level in the header.'],
	[/^self$/, 'Do it in Proxmox itself, or let self in jarvis.yaml say where Jarvis runs.'],
	[/^protected$/, 'protected in jarvis.yaml names what deserves more care.'],
	[/^dependents$/, 'Select what needs it as well, or stop that first; depends_on in jarvis.yaml says what needs what.'],
	[/^quorum$/, 'Bring another node back first, so that enough votes remain.'],
	[/^(rate\.|waiting)/, 'Decide what waits, or try again in some minutes.'],
	[/^tool\.unknown$/, 'Jarvis has no code for it, on purpose: do it in Proxmox itself.'],
	[/^download$/, 'Take it from a host that is allowed, or add this one to safety_gate.download_hosts in jarvis.yaml.'],
	[/^service$/, 'Name it below services of jarvis.yaml, and in the node’s own catalogue.'],
	[/^command$/, 'Name it below commands of jarvis.yaml, and in the node’s own catalogue.'],
	[/^ha$/, 'Ask Proxmox’s HA manager, or take the guest out of it first.'],
	[/^principal/, 'principals in jarvis.yaml says what each client may do.'],
	[/^state\.node$/, 'Bring the node back first, or choose another one.'],
	[/^state\./, 'It is in another state than this needs; this dialog follows as soon as that changes.'],
	[/^arguments$/, 'Change what is named in the sentence above.'],
	[/^view\./, 'It goes on as soon as Proxmox answers again.'],
];

/** What would help after a refusal by this rule. */
export const helpFor = (rule: string | null): string | null => HELP.find(([test]) => test.test(rule ?? ''))?.[1] ?? null;
