/* SPDX-License-Identifier: MIT */
/*
 * The log of a task: read once from Proxmox when it is opened, then as it comes over the bus, and once more at the end.
 * A read is an action of its own with a record in the audit, so it is not repeated while it runs.
 */
import { useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import type { ActionAnswer, ActionState } from '../../generated/topics.ts';
import { visible } from '../../lib/format.ts';
import { api } from '../../store/session.ts';
import { isOver, messageOf, newId } from './calls.ts';

const LINES = 200;
const WAIT_S = 10;

async function readLog(cluster: string, upid: string): Promise<string[]> {
	const a = await api<ActionAnswer>('POST', '/api/tools/execute', {
		request_id: newId(), tool: 'task_log', args: { cluster, upid, lines: LINES }, wait_s: WAIT_S,
	});
	if (a.is_error || a.status !== 'verified') throw new Error(a.text ?? 'Proxmox does not give the log now.');
	return (a.content as { lines?: string[] } | null)?.lines ?? [];
}

/** The task that runs, or ran last. */
export const taskOf = (a: ActionState) => a.steps.filter((s) => s.upid).at(-1);

export function TaskLog({ a }: { a: ActionState }) {
	const open = useSignal(false);
	const lines = useSignal<readonly string[]>([]);
	const error = useSignal('');
	const box = useRef<HTMLPreElement>(null);
	const step = taskOf(a);
	const over = isOver(a.status);
	useEffect(() => {
		if (!open.value || !step?.upid) return;
		let stale = false;
		readLog(step.object?.split('/')[0] ?? '', step.upid).then(
			(l) => stale || (lines.value = l, error.value = ''),
			(e: unknown) => stale || (error.value = messageOf(e)),
		);
		return () => void (stale = true);
	}, [open.value, step?.upid, over]);
	useEffect(() => {
		if (open.value && a.line && !lines.peek().includes(a.line)) lines.value = [...lines.peek(), a.line];
	}, [a.line]);
	useLayoutEffect(() => {
		if (box.current) box.current.scrollTop = box.current.scrollHeight;
	}, [lines.value]);
	if (!step?.upid) return null;
	return (
		<details class="task-log" onToggle={(e) => (open.value = e.currentTarget.open)}>
			<summary>Task log</summary>
			<pre ref={box} class="notes" role="log" aria-label="Task log" tabIndex={0}>{visible(lines.value.join('\n')) || (error.value ? '' : 'One moment…')}</pre>
			{error.value && <p class="form-error">{error.value}</p>}
			<code class="dim">{step.upid}</code>
		</details>
	);
}
