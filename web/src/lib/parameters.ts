/* SPDX-License-Identifier: MIT */
/* What a command of a node takes, before the gate is asked about it. */
import type { ParameterListed } from '../generated/topics.ts';

const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.\-]{0,63}$/;

/** What is wrong with it, as a sentence; '' for nothing. A type that is not known is text: the gate knows better. */
export function parameterFault(p: ParameterListed, text: string): string {
	if (text === '') return 'It must be given.';
	if (p.type === 'int') {
		const [min, max] = [p.min ?? 0, p.max ?? 999_999_999_999_999];
		const is = /^(0|[1-9]\d{0,14})$/.test(text) && Number(text) >= min && Number(text) <= max;
		return is ? '' : `A whole number from ${min} to ${max}.`;
	}
	if (p.type === 'word') return p.words.includes(text) ? '' : `One of ${p.words.join(', ')}.`;
	if (p.type === 'name') return NAME.test(text) ? '' : '1 to 64 of A–Z a–z 0–9 _ . -, the first no . or -.';
	return '';
}

/** As the gate wants it. */
export const parameterValue = (p: ParameterListed, text: string): string | number => (p.type === 'int' ? Number(text) : text);

/** What may be typed, before anything was. */
export function parameterHint(p: ParameterListed): string {
	const range = p.type === 'int' && p.min !== null && p.max !== null ? `${p.min} to ${p.max}` : '';
	const where = p.type === 'path' || p.type === 'url' ? `${p.type === 'path' ? 'In' : 'At'} ${p.words.join(', ')}` : '';
	return [p.about ?? '', range, where].filter(Boolean).join(' ');
}
