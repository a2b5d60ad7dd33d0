/* SPDX-License-Identifier: MIT */
/* What a topic is, by the generated table: its kind, its words, and where its freshness is written. */
import { TOPICS } from '../generated/topics.ts';

export type TopicId = keyof typeof TOPICS;

export interface TopicMatch {
	id: TopicId;
	words: Readonly<Record<string, string>>;
}

interface Compiled {
	id: TopicId;
	levels: string[];
}

/** How the table marks a document that says how its owner's sources answer. */
const SOURCES = '*';

const byDepth = new Map<number, Compiled[]>();
for (const id of Object.keys(TOPICS) as TopicId[]) {
	const levels = TOPICS[id].pattern.split('/');
	const list = byDepth.get(levels.length) ?? [];
	list.push({ id, levels });
	byDepth.set(levels.length, list);
}

const isWord = (level: string) => level.startsWith('{');

function tryMatch(pattern: Compiled, levels: string[]): TopicMatch | null {
	const words: Record<string, string> = {};
	for (let i = 0; i < levels.length; i++) {
		const want = pattern.levels[i]!;
		if (isWord(want)) words[want.slice(1, -1)] = levels[i]!;
		else if (want !== levels[i]) return null;
	}
	return { id: pattern.id, words };
}

/** The kind of a topic below the base, or null for one that the vocabulary does not know. */
export function matchTopic(topic: string): TopicMatch | null {
	const levels = topic.split('/');
	for (const pattern of byDepth.get(levels.length) ?? []) {
		const found = tryMatch(pattern, levels);
		if (found) return found;
	}
	return null;
}

/** The pattern with its words put in; words that are not known stay as they are. */
export function fill(pattern: string, words: Readonly<Record<string, string>>): string {
	return pattern.replace(/\{(\w+)\}/g, (whole, name: string) => words[name] ?? whole);
}

export function isSourceDocument(id: TopicId): boolean {
	return TOPICS[id].source === SOURCES;
}

export interface FreshnessRef {
	owner: string;
	/** The document that says how the owner's sources answer; null when freshness is the owner's presence alone. */
	sourceTopic: string | null;
	/** The key in it; null for the source document itself. */
	sourceKey: string | null;
}

/** Where the freshness of a topic is written, or null for kinds that have none (commands, events). */
export function freshnessRef(topic: string): FreshnessRef | null {
	const match = matchTopic(topic);
	if (!match) return null;
	const row = TOPICS[match.id];
	const owner = row.owner || match.words.service || '';
	if (!owner) return null;
	if (row.source === SOURCES) return { owner, sourceTopic: topic, sourceKey: null };
	if (row.source === '') return { owner, sourceTopic: null, sourceKey: null };
	const sources = sourceDocumentOf(row.owner, match.words);
	return { owner, sourceTopic: sources, sourceKey: sources ? fill(row.source, match.words) : null };
}

function sourceDocumentOf(owner: string, words: Readonly<Record<string, string>>): string | null {
	for (const id of Object.keys(TOPICS) as TopicId[])
		if (TOPICS[id].owner === owner && isSourceDocument(id)) {
			const topic = fill(TOPICS[id].pattern, words);
			if (!topic.includes('{')) return topic;
		}
	return null;
}
