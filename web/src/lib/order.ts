/* SPDX-License-Identifier: MIT */
/* Sorting that people can follow: stable, unknown values last in both directions, ties in natural order. */

export type Key = string | number | null;

const collator = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });

export function compareKeys(a: Key, b: Key): number {
	if (typeof a === 'number' && typeof b === 'number') return a - b;
	return collator.compare(String(a), String(b));
}

export const naturally = (a: string, b: string) => collator.compare(a, b) || (a < b ? -1 : a > b ? 1 : 0);

/** Sorts a copy of `items`, which are in natural order already. */
export function sortBy<T>(items: readonly T[], key: (item: T) => Key, descending: boolean): T[] {
	const keyed = items.map((item) => ({ item, k: key(item) }));
	keyed.sort((x, y) => {
		if (x.k === null || y.k === null) return (x.k === null ? 1 : 0) - (y.k === null ? 1 : 0);
		const c = compareKeys(x.k, y.k);
		return descending ? -c : c;
	});
	return keyed.map((x) => x.item);
}

/** Keeps the order of `before` for what is still there and appends the rest: for a list under the pointer. */
export function holdOrder<T>(before: readonly T[], after: readonly T[]): T[] {
	const still = new Set(after);
	const kept = before.filter((item) => still.delete(item));
	return [...kept, ...after.filter((item) => still.has(item))];
}

export function sameList<T>(a: readonly T[], b: readonly T[]): boolean {
	return a.length === b.length && a.every((item, i) => item === b[i]);
}
