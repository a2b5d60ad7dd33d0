/* SPDX-License-Identifier: MIT */
/* The commands that a node's catalogue has, and what the last one of each said. */
import type { ActionState, CommandListed } from '../../generated/topics.ts';
import { visible } from '../../lib/format.ts';
import { actions, mayAct, unready } from '../../store/acting.ts';
import { Part } from '../parts.tsx';
import { actionTitle, isOver } from '../act/calls.ts';
import { Output } from '../act/Output.tsx';
import { ActionStatusText, Line } from '../act/Progress.tsx';
import { Ago, deaf, HandButton, placeOf } from './Services.tsx';

const commandOf = (a: ActionState) => (a.steps[0]?.args as { command_id?: string } | null)?.command_id;

/** With which parameters: "count 2, host agent1". */
function withOf(a: ActionState): string {
	const { params } = (a.steps[0]?.args ?? {}) as { params?: Record<string, unknown> | null };
	return visible(Object.entries(params ?? {}).map(([k, v]) => `${k} ${String(v)}`).join(', '));
}

function Last({ a }: { a: ActionState }) {
	return (
		<div class="last" data-command-status={a.status}>
			{isOver(a.status)
				? <p class="last-head"><ActionStatusText a={a} /> <span class="dim"><Ago ms={a.ended_ms ?? a.created_ms} /></span> <span class="dim">{withOf(a)}</span></p>
				: <Line a={a} title={actionTitle(a)} />}
			{isOver(a.status) && a.status !== 'verified' && a.summary && <p class="note">{visible(a.summary)}</p>}
			<Output a={a} />
		</div>
	);
}

function Command({ topic, c }: { topic: string; c: CommandListed }) {
	const { cluster, node } = placeOf(topic);
	const object = `${cluster}/node/${node}`;
	const last = actions.value.find((a) => a.tool === 'run_command' && a.steps[0]?.object === object && commandOf(a) === c.id
		&& !['denied', 'cancelled', 'expired', 'refused', 'waiting'].includes(a.status));
	return (
		<li class="line command" data-command={c.id}>
			<span class="line-name"><code>{c.id}</code></span>
			{mayAct.value && <HandButton
				why={unready.value ?? deaf(topic)} label={`Run ${c.id}`}
				w={{ tool: 'run_command', cluster, objects: [topic], tier: c.tier, says: c.about, params: c.params,
					args: c.params.length ? { command_id: c.id } : { command_id: c.id, params: {} } }}
			/>}
			<span class="line-more">{c.about}{c.params.length > 0 && ` Takes ${c.params.map((p) => p.name).join(', ')}.`}</span>
			{last && <Last a={last} />}
		</li>
	);
}

export function Commands({ topic, list }: { topic: string; list: readonly CommandListed[] }) {
	return (
		<Part title="Commands" class="hands" meta={list.length}>
			<ul class="plain">{list.map((c) => <Command key={c.id} topic={topic} c={c} />)}</ul>
		</Part>
	);
}
