// SPDX-License-Identifier: MIT
// Holds what a browser fetches to its budget, compressed: before the page is there, after, and for a node.
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const dist = join(dirname(fileURLToPath(import.meta.url)), 'dist');
const KB = 1000;
const gz = (bytes) => gzipSync(bytes, { level: 9 }).length;
const BUDGET = [
	{ what: 'first script', suffix: '.js', first: true, limit: 60 * KB, size: gz },
	{ what: 'first style', suffix: '.css', first: true, limit: 12 * KB, size: gz },
	{ what: 'later script', suffix: '.js', first: false, limit: 24 * KB, size: gz, fits: (name) => !name.startsWith('node-') },
	{ what: 'of a node', suffix: '.js', first: false, limit: 10 * KB, size: gz, fits: (name) => name.startsWith('node-') },
	{ what: 'later style', suffix: '.css', first: false, limit: 6 * KB, size: gz },
	{ what: 'fonts', suffix: '.woff2', first: true, limit: 80 * KB, size: (bytes) => bytes.length },
];

let files;
let html;
try {
	files = readdirSync(dist);
	html = readFileSync(join(dist, 'index.html'), 'utf8');
} catch {
	console.error('web/dist is not there; run: tools/node web/build.mjs');
	process.exit(1);
}
/** The page itself names what it needs at once; all else is fetched when it is there. */
const isFirst = (name) => html.includes(`href="/${name}"`) || html.includes(`src="/${name}"`);
let failed = 0;
for (const { what, suffix, first, limit, size, fits = () => true } of BUDGET) {
	const names = files.filter((f) => f.endsWith(suffix) && isFirst(f) === first && fits(f));
	const total = names.reduce((sum, f) => sum + size(readFileSync(join(dist, f))), 0);
	const good = names.length > 0 && total <= limit;
	failed += good ? 0 : 1;
	const figures = `${(total / KB).toFixed(1).padStart(6)} kB of ${limit / KB} kB`;
	console.log(`${good ? 'ok  ' : 'FAIL'}  ${what.padEnd(12)} ${figures}`);
}
process.exit(failed ? 1 : 0);
