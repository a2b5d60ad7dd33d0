// SPDX-License-Identifier: MIT
// Builds the dashboard into web/dist: what is loaded first (a script, what it shares with others, a style sheet, three
// fonts), what is fetched later (the parts that act and their style), each named by its hash, and an index.html that
// names them; a .gz copy beside everything that shrinks. `--watch` builds again on every change.
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build, context } from 'esbuild';

const web = dirname(fileURLToPath(import.meta.url));
const watch = process.argv.includes('--watch');
const dist = join(web, 'dist');
const work = join(web, 'dist.tmp');
const modules = join(web, '..', 'node_modules');

const FONTS = {
	'chakra-petch-500': '@fontsource/chakra-petch/files/chakra-petch-latin-500-normal.woff2',
	'chakra-petch-600': '@fontsource/chakra-petch/files/chakra-petch-latin-600-normal.woff2',
	'jetbrains-mono': '@fontsource-variable/jetbrains-mono/files/jetbrains-mono-latin-wght-normal.woff2',
};

const hashOf = (bytes) => createHash('sha256').update(bytes).digest('hex').slice(0, 10);

/** Fonts are named in the style sheet as fonts/NAME.woff2; the hashed name replaces it. */
function copyFonts() {
	const names = {};
	for (const [name, path] of Object.entries(FONTS)) {
		const bytes = readFileSync(join(modules, path));
		names[name] = `${name}-${hashOf(bytes)}.woff2`;
		writeFileSync(join(work, names[name]), bytes);
	}
	return names;
}

/** FIRST: the scripts of the first load, the one that starts first of them; STYLES: name → hashed name. */
function writeIndex(first, styles, fonts) {
	const preload = [
		...Object.values(fonts).map((f) => `<link rel="preload" href="/${f}" as="font" type="font/woff2" crossorigin>`),
		...first.slice(1).map((f) => `<link rel="modulepreload" href="/${f}">`),
		`<meta name="jarvis-act" content="/${styles.act}">`,
	].join('\n');
	const html = readFileSync(join(web, 'index.html'), 'utf8')
		.replace('<!-- fonts -->', preload)
		.replace('app.css', styles.jarvis)
		.replace('app.js', first[0]);
	writeFileSync(join(work, 'index.html'), html);
}

function compress() {
	for (const name of readdirSync(work)) {
		if (name.endsWith('.woff2')) continue;
		writeFileSync(join(work, `${name}.gz`), gzipSync(readFileSync(join(work, name)), { level: 9 }));
	}
}

/** The whole folder is exchanged at once, so that nobody is served half a build. */
function publish() {
	rmSync(`${dist}.old`, { recursive: true, force: true });
	try {
		renameSync(dist, `${dist}.old`);
	} catch (e) {
		if (e.code !== 'ENOENT') throw e;
	}
	renameSync(work, dist);
	rmSync(`${dist}.old`, { recursive: true, force: true });
}

/** The script that starts, and all that it imports at once. */
function firstScripts({ outputs }) {
	const start = Object.keys(outputs).find((o) => outputs[o].entryPoint === 'src/main.tsx');
	const found = [start];
	for (const o of found)
		for (const i of outputs[o].imports)
			if (i.kind === 'import-statement' && !found.includes(i.path)) found.push(i.path);
	return found.map((o) => basename(o));
}

function emit(result) {
	rmSync(work, { recursive: true, force: true });
	mkdirSync(work, { recursive: true });
	const fonts = copyFonts();
	const styles = {};
	for (const file of result.outputFiles) {
		const name = basename(file.path);
		let text = file.text;
		if (!name.endsWith('.css')) {
			writeFileSync(join(work, name), text);
			continue;
		}
		for (const [font, hashed] of Object.entries(fonts)) text = text.replaceAll(`/fonts/${font}.woff2`, `/${hashed}`);
		const part = name.replace(/-[^-]*$/, '');
		writeFileSync(join(work, (styles[part] = `${part}-${hashOf(text)}.css`)), text);
	}
	copyFileSync(join(web, 'icon.svg'), join(work, 'icon.svg'));
	writeIndex(firstScripts(result.metafile), styles, fonts);
	compress();
	publish();
	console.log(`web/dist: ${readdirSync(dist).length} files`);
}

const options = {
	absWorkingDir: web,
	entryPoints: { jarvis: 'src/main.tsx', act: 'src/style/act.css' },
	entryNames: '[name]-[hash]',
	chunkNames: '[name]-[hash]',
	splitting: true,
	metafile: true,
	bundle: true,
	minify: true,
	format: 'esm',
	target: ['es2022', 'chrome110', 'firefox115', 'safari16.4'],
	jsx: 'automatic',
	jsxImportSource: 'preact',
	external: ['/fonts/*'],
	outdir: 'dist',
	write: false,
	legalComments: 'none',
	logLevel: 'warning',
	plugins: [{
		name: 'publish',
		setup(b) {
			b.onEnd((result) => {
				if (result.errors.length === 0) emit(result);
			});
		},
	}],
};

if (watch) await (await context(options)).watch();
else await build(options);
