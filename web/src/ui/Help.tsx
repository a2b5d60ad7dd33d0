/* SPDX-License-Identifier: MIT */
/* The keys, and the language of the search. */
import { helpOpen, VIEWS } from '../store/view.ts';
import { Overlay } from './Dialogs.tsx';

const KEYS: [string, string][] = [
	['Ctrl K or /', 'search everything'],
	['f', 'filter the guests'],
	[`1 to ${VIEWS.length}`, 'overview, guests, storage, backups, hardware, activity, health, actions, audit'],
	['g then o g s b h a e w u', 'the same by their letters; e is health, w actions, u audit'],
	['j k ↓ ↑', 'move in the list'],
	['Enter', 'open'],
	['.', 'what can be done with it'],
	['Space', 'select, in the table of guests; with Shift and a click all between'],
	['Esc', 'close, back, clear'],
	['m', 'HUD, quiet, high contrast'],
	['?', 'this help'],
];
const GRAMMAR: [string, string][] = [
	['jelly', 'anywhere in name, id, node, type, status, tags'],
	['jelly,plex', 'one or the other'],
	['-stopped', 'not'],
	['"two words"', 'text with blanks'],
	['node:pve type:lxc', 'exactly that: node type status tag pool storage os; begins with: lock ha vmid'],
	['name:jelly job:nightly', 'a part of it'],
	['cpu>80 mem >= 50', 'percent: cpu mem disk life'],
	['mem>2G uptime<1d', 'sizes and times; also net netin netout read write cores'],
	['backup:none', 'without a good backup; also fine stale failed uncovered never unknown'],
	['backup>2d snapshot>30d', 'age of the last good backup, of the oldest snapshot'],
	['temp>70', 'processor of the guest’s node, of a node; of a disk in the search over everything'],
	['onboot:no', 'does not start with its node'],
	['kind:disk health:worn', 'in the search over everything: node guest storage disk pool job task view'],
];

const isKey = (word: string) => !['or', 'to', 'then'].includes(word);

function Pairs({ pairs, mono }: { pairs: [string, string][]; mono?: boolean }) {
	return (
		<dl class={`pairs ${mono ? 'mono' : ''}`}>
			{pairs.map(([k, v]) => (
				<div key={k}>
					<dt>{mono ? <code>{k}</code> : k.split(' ').map((x) => (isKey(x) ? <kbd key={x}>{x}</kbd> : <span key={x}>{x}</span>))}</dt>
					<dd>{v}</dd>
				</div>
			))}
		</dl>
	);
}

export function Help() {
	if (!helpOpen.value) return null;
	return (
		<Overlay title="Keys and search" onClose={() => (helpOpen.value = false)} class="help">
			<h3>Keys</h3>
			<Pairs pairs={KEYS} />
			<h3>Search</h3>
			<Pairs pairs={GRAMMAR} mono />
		</Overlay>
	);
}
