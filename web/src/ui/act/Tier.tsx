/* SPDX-License-Identifier: MIT */
/* A tier as word, shape and colour: the more corners, the more it costs. */
import type { ActionNeed, Tier as Word } from '../../generated/topics.ts';

const SHAPE: Record<Word, string> = {
	green: 'M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11Z',
	yellow: 'M8 2.2L14.2 13.2H1.8Z',
	orange: 'M8 1.5L14.5 8L8 14.5L1.5 8Z',
	red: 'M5.2 1.8h5.6l3.4 3.4v5.6l-3.4 3.4H5.2L1.8 10.8V5.2Z',
	black: 'M2 2h12v12H2ZM4.5 4.5l7 7M11.5 4.5l-7 7',
};

export const TIER_MEANS: Record<Word, string> = {
	green: 'it only reads', yellow: 'can be taken back', orange: 'interrupts a service, or is hard to take back',
	red: 'can lose data or the cluster', black: 'nobody may do this through Jarvis',
};

/** What a person must give for it. */
export const NEED_SAYS: Record<ActionNeed, string> = {
	nothing: 'done at once', keyword: 'asks for your keyword', code: 'asks for a one-time code',
};

export function Tier({ tier, bare }: { tier: Word | string | null; bare?: boolean }) {
	const word = (tier ?? '') as Word;
	if (!(word in SHAPE)) return null;
	return (
		<span class={`tier tier-${word}`} title={`${word.toUpperCase()}: ${TIER_MEANS[word]}`}>
			<svg viewBox="0 0 16 16" aria-hidden="true"><path d={SHAPE[word]} /></svg>
			<span class={bare ? 'sr' : ''}>{word.toUpperCase()}</span>
		</span>
	);
}
