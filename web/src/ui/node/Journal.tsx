/* SPDX-License-Identifier: MIT */
/*
 * The end of a unit's journal, as a terminal shows it: the newest last. What stands in it others wrote: hidden
 * characters are shown, and a message of several lines is indented, so that it cannot play another one.
 */
import { useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { clockTime } from '../../lib/format.ts';
import { dayOf, filterLines, gravity, lineText, linesShown, saidOf, whoOf, type JournalLine } from '../../lib/nodes.ts';
import { Overlay } from '../Dialogs.tsx';
import { Copy } from '../act/Output.tsx';
import { Icon } from '../Icon.tsx';
import { Empty } from '../parts.tsx';
import { nothing, read, readInto, type Place, type Seen } from './reads.ts';
import { Again, Looked, Unread } from './Services.tsx';

const FIRST = 100;
const STEP = 200;
/** As many as the tool gives. */
const MOST = 500;

function Row({ l, day }: { l: JournalLine; day: string }) {
	const { tone, word } = gravity(l.priority);
	return (
		<>
			{day && <div class="j-day">{day}</div>}
			<div class={`j ${tone ? `j-${tone}` : ''}`}>
				<time>{l.ts === null ? '--:--:--' : clockTime(l.ts)}</time> <b>{whoOf(l)}</b>{': '}
				{word && <span class="j-word">{word}{': '}</span>}{saidOf(l)}
			</div>
		</>
	);
}

interface Page {
	lines: readonly JournalLine[];
	asked: number;
	/** Older ones were asked for, and too long to come along. */
	cut: boolean;
}

export function Journal({ place, unit, onClose }: { place: Place; unit: string; onClose: () => void }) {
	const [seen, filter] = [useSignal<Seen<Page>>(nothing), useSignal('')];
	const box = useRef<HTMLDivElement>(null);
	const get = (lines: number) => void readInto(seen, async () => {
		const { value: found, note } = await read<{ lines: JournalLine[]; left_off?: number }>('journal_tail', { ...place, unit, lines });
		return { value: { lines: [...found.lines].reverse(), asked: lines, cut: !!note || !!found.left_off }, note };
	});
	useEffect(() => get(FIRST), []);
	const { value, busy, error, at } = seen.value;
	const all = value?.lines ?? [];
	const shown = filterLines(all, filter.value);
	const asked = value?.asked ?? FIRST;
	/* Further lines come above: what was read stays where it is. */
	const bottom = useRef(0);
	useLayoutEffect(() => {
		if (box.current) box.current.scrollTop = box.current.scrollHeight - bottom.current;
		bottom.current = 0;
	}, [value]);
	const more = () => {
		bottom.current = box.current ? box.current.scrollHeight - box.current.scrollTop : 0;
		get(Math.min(MOST, asked + STEP));
	};
	return (
		<Overlay title={`Journal of ${unit} on ${place.node}`} onClose={onClose} class="journal">
			<div class="journal-tools">
				<label class="search"><Icon name="search" /><span class="sr">Filter the lines</span>
					<input type="search" value={filter.value} placeholder="filter" spellcheck={false} onInput={(e) => (filter.value = e.currentTarget.value)} />
				</label>
				<span class="dim" role="status">{value ? linesShown(shown.length, all.length) : ''}</span>
				<span class="dim"><Looked at={at} busy={busy} /></span>
				<span class="journal-end">
					<Copy text={() => shown.map(lineText).join('\n')} of={box} />
					<Again label="Look again at the journal" busy={busy} disabled={false} onClick={() => get(asked)} />
				</span>
			</div>
			<Unread error={error} />
			<div ref={box} data-autofocus="" class="journal-lines" role="log" aria-live="off" aria-label={`Journal of ${unit}`} tabIndex={0}>
				{value && all.length >= asked && asked < MOST && <button type="button" class="button small journal-more" disabled={busy} onClick={more}>More above</button>}
				{value?.cut && <p class="j-day">Older lines were left off: all together they are too long. On the node: journalctl -u {unit}</p>}
				{value && !value.cut && all.length >= MOST && <p class="j-day">Older lines: journalctl -u {unit}, on the node.</p>}
				{shown.map((l, i) => <Row key={i} l={l} day={dayOf(l.ts) !== dayOf(shown[i - 1]?.ts ?? null) ? dayOf(l.ts) : ''} />)}
				{!value && !error && <Empty>One moment…</Empty>}
				{value && shown.length === 0 && <Empty>{all.length ? 'No line fits.' : 'It has never written anything, or nothing that is kept.'}</Empty>}
			</div>
		</Overlay>
	);
}
