/* SPDX-License-Identifier: MIT */
/* How much Jarvis may do by itself, and going on after a freeze. */
import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { autonomy, dialog, mayAct } from '../../store/acting.ts';
import { api, session } from '../../store/session.ts';
import { toast } from '../../store/toasts.ts';
import { Overlay } from '../Dialogs.tsx';
import { Icon } from '../Icon.tsx';
import { messageOf } from './calls.ts';
import { Enrol, Proof, proofOf } from './Proposal.tsx';

const LEVELS: readonly [name: string, means: string][] = [
	['observe', 'Agents only look.'],
	['advise', 'Agents say what they would do, and do nothing.'],
	['ask', 'Agents ask, and a person approves every action.'],
	['act and report', 'Agents do by themselves what can be taken back (YELLOW), and report it. For the rest they ask.'],
	['guarded autopilot', 'Also what interrupts a service (ORANGE), after a minute in which anybody can object. What can lose data (RED) always asks a person.'],
];

const close = () => (dialog.value = null);
const hasCode = () => autonomy.value?.codes.includes(session.value?.user ?? '') === true;

export function Enrolled() {
	const user = session.value?.user ?? '';
	const keyword = autonomy.value?.keywords.includes(user) === true;
	return (
		<>
			<h3>Your proofs</h3>
			<ul class="plain enrolled">
				<li><Icon name={keyword ? 'check' : 'none'} /> keyword {keyword ? 'enrolled' : 'not enrolled'}</li>
				<li><Icon name={hasCode() ? 'check' : 'none'} /> one-time code {hasCode() ? 'enrolled' : 'not enrolled'}</li>
			</ul>
			{(!keyword || !hasCode()) && <p class="note">On Jarvis’s host: <code>jarvisctl person enrol {user}</code></p>}
		</>
	);
}

function useSending(done: string) {
	const busy = useSignal(false);
	const error = useSignal('');
	const send = async (path: string, body: object) => {
		if (busy.value) return;
		busy.value = true;
		error.value = '';
		try {
			await api('POST', path, body);
			toast('ok', done);
			close();
		} catch (e) {
			error.value = messageOf(e);
		}
		busy.value = false;
	};
	return { busy, error, send };
}

export function LevelDialog() {
	const now = autonomy.value?.level ?? null;
	const chosen = useSignal(now ?? 0);
	const { busy, error, send } = useSending('The autonomy level is changed');
	const go = useRef<HTMLButtonElement>(null);
	const raises = now !== null && chosen.value > now;
	const submit = (e: SubmitEvent) => {
		e.preventDefault();
		const form = e.currentTarget as HTMLFormElement;
		void send('/api/autonomy', { level: chosen.value, ...(raises ? proofOf(form, 'code') : {}) });
	};
	const own = Object.entries(autonomy.value?.runbooks ?? {});
	return (
		<Overlay title="Autonomy" onClose={close} class="wish levels">
			<p class="dim">What agents (the monitor, the model, tokens) may do without a person. It does not bind people.</p>
			<form onSubmit={submit} autocomplete="off">
				<fieldset class="choices" disabled={!mayAct.value || now === null}>
					<legend class="sr">Level</legend>
					{LEVELS.map(([name, means], i) => (
						<label key={name} class={i === chosen.value ? 'on' : ''}>
							<input type="radio" name="level" value={i} checked={i === chosen.value} data-autofocus={i === now ? '' : undefined} onChange={() => (chosen.value = i)} />
							<span><b>{i} {name}</b>{i === now && <em> now</em>}<small>{means}</small></span>
						</label>
					))}
				</fieldset>
				{own.length > 0 && <p class="note">Runbooks of their own level: {own.map(([k, v]) => `${k} ${v}`).join(', ')}.</p>}
				{raises && (hasCode() ? <Proof need="code" onEnter={() => go.current?.focus()} /> : <Enrol what="one-time code" />)}
				<p class="form-error" role="alert">{error.value}</p>
				<div class="decide-row">
					<button type="button" class="button" onClick={close}>Close</button>
					{mayAct.value && <button ref={go} type="submit" class="button" disabled={busy.value || now === null || chosen.value === now || (raises && !hasCode())}>
						{chosen.value === now ? 'Change' : `${raises ? 'Raise' : 'Lower'} to ${chosen.value}`}
					</button>}
				</div>
			</form>
			{!mayAct.value && <p class="power-why"><Icon name="lock" /> Your role is viewer: an operator changes the level.</p>}
			<Enrolled />
		</Overlay>
	);
}

export function UnfreezeDialog() {
	const { busy, error, send } = useSending('Jarvis goes on');
	const go = useRef<HTMLButtonElement>(null);
	const by = autonomy.value?.by;
	const submit = (e: SubmitEvent) => {
		e.preventDefault();
		void send('/api/unfreeze', proofOf(e.currentTarget as HTMLFormElement, 'code'));
	};
	return (
		<Overlay title="Unfreeze Jarvis" onClose={close} class="wish">
			<p>{by ? `Frozen by ${by}. ` : ''}Afterwards people act again, and agents up to level {autonomy.value?.level ?? '?'}.</p>
			<form onSubmit={submit} autocomplete="off">
				{hasCode() ? <Proof need="code" autofocus onEnter={() => go.current?.focus()} /> : <Enrol what="one-time code" />}
				<p class="form-error" role="alert">{error.value}</p>
				<div class="decide-row">
					<button type="button" class="button" onClick={close}>Stay frozen</button>
					<button ref={go} type="submit" class="button" disabled={busy.value || !hasCode()}>Unfreeze</button>
				</div>
			</form>
		</Overlay>
	);
}
