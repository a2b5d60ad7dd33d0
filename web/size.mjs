// SPDX-License-Identifier: MIT
// Holds the first load to its budget: what a browser fetches before the page is there, compressed.
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const dist = join(dirname(fileURLToPath(import.meta.url)), 'dist');
const KB = 1000;
const BUDGET = [
	{ what: 'JavaScript', suffix: '.js', limit: 60 * KB, size: (bytes) => gzipSync(bytes, { level: 9 }).length },
	{ what: 'style', suffix: '.css', limit: 12 * KB, size: (bytes) => gzipSync(bytes, { level: 9 }).length },
	{ what: 'fonts', suffix: '.woff2', limit: 80 * KB, size: (bytes) => bytes.length },
];

let files;
try {
	files = readdirSync(dist);
} catch {
	console.error('web/dist is not there; run: tools/node web/build.mjs');
	process.exit(1);
}
let failed = 0;
for (const { what, suffix, limit, size } of BUDGET) {
	const names = files.filter((f) => f.endsWith(suffix));
	const total = names.reduce((sum, f) => sum + size(readFileSync(join(dist, f))), 0);
	const good = names.length > 0 && total <= limit;
	failed += good ? 0 : 1;
	const figures = `${(total / KB).toFixed(1).padStart(6)} kB of ${limit / KB} kB`;
	console.log(`${good ? 'ok  ' : 'FAIL'}  ${what.padEnd(10)} ${figures}`);
}
process.exit(failed ? 1 : 0);
