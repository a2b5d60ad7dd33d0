/* SPDX-License-Identifier: MIT */
/*
 * The door to what acts. Its script and style are fetched right after the page is drawn, so that they do not weigh on
 * the first load; until they are there, nothing can be pressed. The switch itself is always there.
 */
import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { autonomy, dialog, freeze, frozen, gateLost, mayAct } from '../store/acting.ts';
import { nobody } from '../store/session.ts';
import { toast } from '../store/toasts.ts';
import { Icon } from './Icon.tsx';

type Acting = typeof import('./act/index.ts');

export const acting = signal<Acting | null>(null);

/** The name of the style sheet is written into index.html by the build. */
function style(): Promise<void> {
	const link = document.createElement('link');
	link.rel = 'stylesheet';
	link.href = document.querySelector<HTMLMetaElement>('meta[name=jarvis-act]')?.content ?? '';
	return new Promise((done) => {
		link.onload = link.onerror = () => done();
		document.head.append(link);
	});
}

export async function loadActing(): Promise<void> {
	try {
		const [found] = await Promise.all([import('./act/index.ts'), style()]);
		found.start();
		acting.value = found;
	} catch {
		toast('crit', 'Buttons are missing', 'A part of the page could not be loaded: reload it.');
	}
}

/** Draws with the parts that act, once they are there. */
export function Act({ draw }: { draw: (a: Acting) => ComponentChildren }) {
	const a = acting.value;
	return a ? <>{draw(a)}</> : null;
}

type OfNode = typeof import('./node/node.ts');

const ofNode = signal<OfNode | null>(null);
let fetching = false;

async function loadNode(): Promise<void> {
	if (fetching) return;
	fetching = true;
	try {
		const found = await import('./node/node.ts');
		found.start();
		ofNode.value = found;
	} catch {
		fetching = false;
		toast('crit', 'Services are missing', 'A part of the page could not be loaded: reload it.');
	}
}

/** Draws with what reads and acts on a node itself, fetched when the first one is opened. */
export function OnNode({ draw }: { draw: (a: OfNode) => ComponentChildren }) {
	const [ready, found] = [acting.value !== null, ofNode.value];
	useEffect(() => {
		if (ready) void loadNode();
	}, [ready]);
	return found ? <>{draw(found)}</> : null;
}

const LEVELS = ['observe', 'advise', 'ask', 'act and report', 'autopilot'];

/** The level and the switch, in the header. */
export function Autonomy() {
	const s = autonomy.value;
	if (nobody.value) return null;
	const old = gateLost.value;
	const word = s ? `Autonomy level ${s.level}: ${LEVELS[s.level] ?? ''}${old ? '; old, the safety gate says nothing' : ''}` : 'The autonomy level is not known';
	return (
		<>
			<button type="button" class="level" data-level={s?.level} title={word} disabled={!acting.value} onClick={() => (dialog.value = { kind: 'level' })}>
				<span class="sr">Autonomy level </span><span aria-hidden="true">L</span><b>{s?.level ?? '?'}</b>{s && old && <Icon name="stale" />}<span class="level-word">{s ? LEVELS[s.level] : 'unknown'}</span>
			</button>
			<button
				type="button"
				class={`freeze ${frozen.value ? 'on' : ''}`}
				role="switch"
				aria-checked={frozen.value}
				aria-label="Freeze Jarvis"
				title={frozen.value ? 'Frozen: nothing but reads is done' : 'Freeze: stops everything but reads, at once'}
				disabled={frozen.value && (!mayAct.value || !acting.value)}
				onClick={() => (frozen.value ? (dialog.value = { kind: 'unfreeze' }) : void freeze())}
			>
				<Icon name="freeze" /><span>{frozen.value ? 'Frozen' : 'Freeze'}</span>
			</button>
		</>
	);
}
