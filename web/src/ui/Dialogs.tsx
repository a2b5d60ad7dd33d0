/* SPDX-License-Identifier: MIT */
/* What lies over the page: login and account, and the frame for them. The page behind is inert. */
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { changePassword, login, loginState, logout, session } from '../store/session.ts';
import { toast } from '../store/toasts.ts';
import { accountOpen } from '../store/view.ts';
import { Act } from './Acting.tsx';
import { Mark, ModeButton } from './Header.tsx';
import { Icon } from './Icon.tsx';
import { Tokens } from './Tokens.tsx';

const FOCUSABLE = 'a[href],button:not(:disabled),input:not(:disabled),select,[tabindex="0"]';

/** Keeps Tab inside, Esc closes where there is something to close. */
export function Overlay({
	title, onClose, class: cls = '', children,
}: { title: string; onClose?: () => void; class?: string; children: ComponentChildren }) {
	const ref = useRef<HTMLDivElement>(null);
	useLayoutEffect(() => {
		const before = document.activeElement as HTMLElement | null;
		const find = (selector: string) => ref.current?.querySelector<HTMLElement>(selector);
		const first = find('[data-autofocus]:not(:disabled)') ?? find(FOCUSABLE);
		first?.focus();
		return () => before?.focus?.();
	}, []);
	/* What had the focus may be gone; the keyboard stays here all the same. */
	useLayoutEffect(() => {
		if (!ref.current?.contains(document.activeElement)) ref.current?.focus();
	});
	/* What is pressed while nothing has the focus, because what had it was disabled, is meant for this. */
	const latest = useRef(onClose);
	latest.current = onClose;
	useLayoutEffect(() => {
		const lost = (e: KeyboardEvent) => {
			if (document.activeElement !== document.body) return;
			ref.current?.focus();
			if (e.key === 'Escape') latest.current?.();
		};
		addEventListener('keydown', lost, true);
		return () => removeEventListener('keydown', lost, true);
	}, []);
	const onKey = (e: KeyboardEvent) => {
		e.stopPropagation();
		/* The key that opened it, still held, presses nothing in it. */
		if (e.key === 'Enter' && e.repeat) return e.preventDefault();
		if (e.key === 'Escape') return onClose?.();
		if (e.key !== 'Tab') return;
		const all = [...ref.current!.querySelectorAll<HTMLElement>(FOCUSABLE)];
		const edge = e.shiftKey ? all[0] : all.at(-1);
		if (document.activeElement !== edge) return;
		e.preventDefault();
		(e.shiftKey ? all.at(-1) : all[0])?.focus();
	};
	return (
		<div class="veil" onClick={(e) => e.target === e.currentTarget && onClose?.()}>
			<div
				ref={ref}
				class={`dialog ${cls}`}
				role="dialog"
				aria-modal="true"
				aria-labelledby="dialog-title"
				tabIndex={-1}
				onKeyDown={onKey}
			>
				<div class="dialog-in">
					<div class="dialog-head">
						<h2 id="dialog-title" class={cls === 'login' || cls === 'palette' ? 'sr' : ''}>{title}</h2>
						{onClose && <button type="button" class="icon-button" aria-label="Close" onClick={onClose}>
							<Icon name="close" />
						</button>}
					</div>
					{children}
				</div>
			</div>
		</div>
	);
}

interface FieldProps {
	label: string;
	name: string;
	type?: 'text' | 'password';
	autocomplete: string;
	autofocus?: boolean;
	minLength?: number;
	value?: string;
}

export function Field({ label, name, type = 'text', autocomplete, autofocus, minLength, value }: FieldProps) {
	return (
		<label class="field">
			<span>{label}</span>
			<input
				name={name}
				{...{ type: type as 'text' }}
				autocomplete={autocomplete}
				data-autofocus={autofocus ? '' : undefined}
				required
				minLength={minLength}
				spellcheck={false}
				autocapitalize="off"
				defaultValue={value}
			/>
		</label>
	);
}

function useForm(run: (form: FormData) => Promise<void>) {
	const busy = useSignal(false);
	const error = useSignal('');
	const submit = async (e: SubmitEvent) => {
		e.preventDefault();
		if (busy.value) return;
		const form = e.currentTarget as HTMLFormElement;
		busy.value = true;
		error.value = '';
		try {
			await run(new FormData(form));
			form.reset();
		} catch (failure) {
			error.value = failure instanceof Error ? failure.message : String(failure);
		}
		busy.value = false;
	};
	return { busy, error, submit };
}

const text = (form: FormData, name: string) => String(form.get(name) ?? '');

export function Login() {
	const form = useForm(async (data) => {
		await login(text(data, 'user').trim(), text(data, 'password'));
	});
	if (loginState.value !== 'out') return null;
	return (
		<Overlay title="Log in to Jarvis" class="login">
			<div class="login-mark" aria-hidden="true"><Mark /><b>Jarvis</b></div>
			<form onSubmit={form.submit}>
				<Field
					label="User"
					name="user"
					autocomplete="username"
					autofocus={!session.value}
					value={session.value?.user ?? ''}
				/>
				<Field
					label="Password"
					name="password"
					type="password"
					autocomplete="current-password"
					autofocus={!!session.value}
				/>
				<p class="form-error" role="alert">{form.error.value}</p>
				<button type="submit" class="button primary" disabled={form.busy.value}>
					{form.busy.value ? 'One moment…' : 'Log in'}
				</button>
			</form>
		</Overlay>
	);
}

function Password() {
	const form = useForm(async (data) => {
		if (text(data, 'new') !== text(data, 'again')) throw new Error('The two new passwords differ.');
		await changePassword(text(data, 'old'), text(data, 'new'));
		toast('ok', 'Password changed', 'All your other sessions have ended.');
	});
	return (
		<form onSubmit={form.submit} class="stack">
			<h3>Password</h3>
			{session.value?.must_change_password && <p class="hint">
				The password is still the initial one. Please choose your own.
			</p>}
			<input
				class="sr"
				name="user"
				autocomplete="username"
				value={session.value?.user ?? ''}
				readOnly
				tabIndex={-1}
				aria-hidden="true"
			/>
			<Field label="Present password" name="old" type="password" autocomplete="current-password" />
			<Field
				label="New password, at least 10 characters"
				name="new"
				type="password"
				autocomplete="new-password"
				minLength={10}
			/>
			<Field label="The same again" name="again" type="password" autocomplete="new-password" minLength={10} />
			<p class="form-error" role="alert">{form.error.value}</p>
			<button type="submit" class="button" disabled={form.busy.value}>Change password</button>
		</form>
	);
}

async function leave(): Promise<void> {
	try {
		await logout();
		accountOpen.value = false;
	} catch (e) {
		toast('crit', 'Not logged out', e instanceof Error ? e.message : '');
	}
}

export function Account() {
	const s = session.value;
	if (!accountOpen.value || !s) return null;
	return (
		<Overlay title={s.user} onClose={() => (accountOpen.value = false)} class="account">
			<div class="account-head">
				<span class="dim">{s.role} · Jarvis {s.version}</span>
				<ModeButton words />
				<button type="button" class="button" onClick={() => void leave()}>Log out</button>
			</div>
			<Act draw={(a) => <a.Enrolled />} />
			<Password />
			{s.role === 'operator' && <Tokens />}
		</Overlay>
	);
}
