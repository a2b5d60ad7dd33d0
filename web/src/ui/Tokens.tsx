/* SPDX-License-Identifier: MIT */
/* API tokens of the installation: made, shown once, revoked. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Token } from '../generated/topics.ts';
import { createToken, listTokens, revokeToken } from '../store/session.ts';
import { toast } from '../store/toasts.ts';

/** What a token can be used for. None approves, unfreezes or raises a level. */
const SCOPES: [name: string, does: string][] = [
	['read', 'see the state of clusters, guests and services'],
	['read_logs', 'with read: log messages as well'],
	['propose', 'ask for actions, which a person then decides'],
	['operate', 'do what can be taken back, within level and rates; ask for the rest'],
	['metrics', 'fetch figures for Prometheus, nothing else'],
];

const day = (ms: number) => new Date(ms).toLocaleDateString(
	'en-GB', { day: 'numeric', month: 'short', year: 'numeric' },
);

async function tell(what: string, run: () => Promise<unknown>): Promise<boolean> {
	try {
		await run();
		return true;
	} catch (e) {
		toast('crit', what, e instanceof Error ? e.message : '');
		return false;
	}
}

function TokenRow({ t, onRevoke }: { t: Token; onRevoke: () => void }) {
	return (
		<li class="token">
			<span class="token-name">{t.name}</span>
			<span class="dim">{t.scopes.join(' ')} · until {day(t.expires_ms)}</span>
			<button type="button" class="button small" onClick={onRevoke} aria-label={`Revoke ${t.name}`}>
				Revoke
			</button>
		</li>
	);
}

export function Tokens() {
	const items = useSignal<Token[]>([]);
	const secret = useSignal('');
	const problem = useSignal('');
	const load = () => tell('Tokens cannot be read', async () => (items.value = (await listTokens()).items));
	useEffect(() => void load(), []);
	const make = async (e: SubmitEvent) => {
		e.preventDefault();
		const form = e.currentTarget as HTMLFormElement;
		const data = new FormData(form);
		const scopes = SCOPES.map(([name]) => name).filter((s) => data.has(s));
		problem.value = scopes.length ? '' : 'Choose what it may do.';
		if (scopes.length === 0) return;
		const made = await tell('No token was made', async () => {
			secret.value = (await createToken(String(data.get('name')), scopes, 90)).secret ?? '';
		});
		if (!made) return;
		form.reset();
		await load();
	};
	const revoke = async (t: Token) => {
		if (await tell('Not revoked', () => revokeToken(t.id))) await load();
	};
	return (
		<section class="stack">
			<h3>API tokens</h3>
			<ul class="plain">
				{items.value.map((t) => <TokenRow key={t.id} t={t} onRevoke={() => void revoke(t)} />)}
			</ul>
			{secret.value && (
				<p class="hint" role="status">
					Copy it now, it is not shown again: <code class="secret">{secret.value}</code>
				</p>
			)}
			<form onSubmit={make} class="stack">
				<label class="field">
					<span>New token, valid for 90 days: what is it for?</span>
					<input name="name" required maxLength={64} autocomplete="off" />
				</label>
				<div class="scopes" role="group" aria-label="What it may do">
					{SCOPES.map(([name, does]) => (
						<label key={name}>
							<input type="checkbox" name={name} />
							<span><b>{name}</b> <span class="dim">{does}</span></span>
						</label>
					))}
				</div>
				<p class="form-error" role="alert">{problem.value}</p>
				<button type="submit" class="button">Make token</button>
			</form>
		</section>
	);
}
