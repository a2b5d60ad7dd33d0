/* SPDX-License-Identifier: MIT */
/* The audit chain, newest first, a page at a time. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { AuditCheckpoint } from '../../generated/topics.ts';
import { dayTime, plural } from '../../lib/format.ts';
import { titleWord } from '../../lib/power.ts';
import { mayAct } from '../../store/acting.ts';
import { doc } from '../../store/docs.ts';
import { api } from '../../store/session.ts';
import { show } from '../../store/view.ts';
import { Empty, Panel, When } from '../parts.tsx';
import { actionTitle, askerOf, messageOf } from './calls.ts';
import { Tier } from './Tier.tsx';

interface Rec {
	seq: number;
	ts: number;
	kind: string;
	hash: string;
	body: Body | null;
}
interface Body {
	by?: string | null;
	principal?: string | null;
	person?: string | null;
	rule?: string | null;
	reason?: string | null;
	text?: string | null;
	level?: string | null;
	action?: Parameters<typeof actionTitle>[0] & Parameters<typeof askerOf>[0] & { tier: string; verdict: string | null };
	request?: { tool?: string; targets?: string[]; args?: unknown; actor?: { name: string } | null };
}
interface Page {
	size: number;
	/** All that there are in the chain. */
	kinds: string[];
	next: number | null;
	records: Rec[];
}

const PAGE = 50;

/** What a request names, as it was written. */
function objectOf(args: unknown): string {
	const a = (args ?? {}) as Record<string, unknown>;
	return String(a.guest ?? a.storage ?? a.node ?? a.upid ?? '');
}

function what(b: Body): string {
	if (b.action) return actionTitle(b.action);
	if (b.request) return `${titleWord(b.request.tool ?? '')} ${b.request.targets?.join(', ') || objectOf(b.request.args)}`;
	return b.level ? `level ${b.level}` : '';
}

const whoOf = (b: Body) => b.by ?? b.request?.actor?.name ?? b.person ?? (b.action ? askerOf(b.action).name : b.principal) ?? '';

function Row({ r }: { r: Rec }) {
	const b = r.body ?? {};
	return (
		<details class="audit-row" data-kind={r.kind}>
			<summary>
				<span class="kind">{r.seq}</span>
				<time>{dayTime(r.ts)}</time>
				<b class="audit-kind">{r.kind.replaceAll('_', ' ')}</b>
				<span class="history-title">{what(b)} {b.action && <Tier tier={b.action.tier} bare />}</span>
				<span class="history-who">{whoOf(b)}</span>
				{(b.reason || b.text) && <span class="history-why">{b.rule && <code>{b.rule}</code>} {b.reason ?? b.text}</span>}
			</summary>
			<pre class="notes">{r.body ? JSON.stringify(r.body, null, 2) : 'The body cannot be read: jarvisctl audit verify says more.'}</pre>
			<p class="dim digest">hash <code>{r.hash}</code></p>
		</details>
	);
}

export function AuditView() {
	const records = useSignal<readonly Rec[]>([]);
	const size = useSignal<number | null>(null);
	const kinds = useSignal<readonly string[]>([]);
	const next = useSignal<number | null>(null);
	const error = useSignal('');
	const kind = useSignal('');
	const busy = useSignal(false);
	const load = async (before: number | null) => {
		const wanted = kind.value;
		busy.value = true;
		error.value = '';
		try {
			const page = await api<Page>('GET', `/api/audit?limit=${PAGE}${before ? `&before=${before}` : ''}${wanted && `&kind=${wanted}`}`);
			/* Another kind was chosen meanwhile: its page is on its way. */
			if (kind.value !== wanted) return;
			kinds.value = page.kinds;
			records.value = before ? [...records.value, ...page.records] : page.records;
			size.value = page.size;
			next.value = page.next;
		} catch (e) {
			error.value = messageOf(e);
		}
		busy.value = false;
	};
	useEffect(() => {
		if (mayAct.value) void load(null);
	}, [mayAct.value]);
	const point = doc<AuditCheckpoint>('audit/checkpoint').value;
	const list = records.value;
	const choose = (k: string) => {
		kind.value = k;
		void load(null);
	};
	if (!mayAct.value) return <Panel title="Audit" class="audit" on="audit"><Empty>Operators read the audit.</Empty></Panel>;
	return (
		<Panel title="Audit" class="audit" on="audit" scrolls meta={
			<><button type="button" class="as-link" onClick={() => show('actions')}>Actions</button>
				<span role="status">{size.value === null ? '' : plural(size.value, 'record')}</span></>
		}>
			<p class="note">
				{point ? <>Last signed checkpoint: {plural(point.size, 'record')}, <When ms={point.ts} />, head <code title={point.head}>{point.head.slice(0, 12)}</code>. </>
					: 'No checkpoint has been signed yet. '}
				<code>jarvisctl audit verify</code> on Jarvis’s host checks the whole chain.
			</p>
			<div class="chips" role="group" aria-label="Which kind">
				{['', ...kinds.value].map((k) => (
					<button key={k} type="button" class="chip" aria-pressed={kind.value === k} onClick={() => choose(k)}>
						{k.replaceAll('_', ' ') || 'all'}
					</button>
				))}
				<button type="button" class="button small" disabled={busy.value} onClick={() => void load(null)}>Read again</button>
			</div>
			<p class="form-error" role="alert">{error.value}</p>
			{list.map((r) => <Row key={r.seq} r={r} />)}
			{list.length === 0 && !error.value && <Empty>{busy.value ? 'One moment…' : 'None.'}</Empty>}
			{next.value !== null && <button type="button" class="button older" disabled={busy.value} onClick={() => void load(next.value)}>Older</button>}
		</Panel>
	);
}
