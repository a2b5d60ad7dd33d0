// As much YAML as jarvis.yaml needs: maps, lists of scalars, comments. The C parser judges what comes out.

function writeScalar(value) {
	return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

/** Text is always quoted, and JSON's quotes are YAML's; what is undefined is left out. */
export function toYaml(value, indent = '') {
	const entry = (head, v) => {
		if (v === null || typeof v !== 'object') return `${head} ${writeScalar(v)}\n`;
		const empty = Object.keys(v).length === 0;
		return empty ? `${head} ${Array.isArray(v) ? '[]' : '{}'}\n` : `${head}\n${toYaml(v, `${indent}  `)}`;
	};
	if (Array.isArray(value)) return value.map((v) => entry(`${indent}-`, v)).join('');
	return Object.entries(value)
		.filter(([, v]) => v !== undefined)
		.map(([k, v]) => entry(`${indent}${/^[\w-]+$/.test(k) ? k : JSON.stringify(k)}:`, v))
		.join('');
}

function readScalar(text) {
	if (/^".*"$/.test(text)) return JSON.parse(text);
	if (/^'.*'$/.test(text)) return text.slice(1, -1);
	if (/^\d+$/.test(text)) return Number(text);
	if (text === 'true' || text === 'false') return text === 'true';
	if (/^[[{]/.test(text)) return readFlow(text);
	return text;
}

function readFlow(text) {
	const inside = text.slice(1, -1).trim();
	if (text.startsWith('[') && text.endsWith(']')) {
		return inside === '' ? [] : inside.split(',').map((part) => readScalar(part.trim()));
	}
	if (text === '{}') return {};
	throw new Error(`fromYaml: no flow but lists of scalars is understood: ${text}`);
}

function logicalLines(text) {
	return text.split('\n')
		.map((line) => line.replace(/(^|\s)#.*$/, '').trimEnd())
		.filter((line) => line.trim() !== '')
		.map((line) => ({ indent: line.search(/\S/), text: line.trim() }));
}

function readBlock(lines) {
	const { indent } = lines[0];
	const list = lines[0].text.startsWith('- ');
	const result = list ? [] : {};
	while (lines.length > 0 && lines[0].indent === indent) {
		const { text } = lines.shift();
		if (list) {
			result.push(readScalar(text.slice(2)));
			continue;
		}
		const [, key, value] = /^(\S+?):(?:\s+(.*))?$/.exec(text) ?? [];
		if (key === undefined) throw new Error(`fromYaml: not understood: ${text}`);
		const nested = value === undefined && lines[0]?.indent > indent;
		result[readScalar(key)] = nested ? readBlock(lines) : value === undefined ? null : readScalar(value);
	}
	return result;
}

export function fromYaml(text) {
	const lines = logicalLines(text);
	const result = readBlock(lines);
	if (lines.length > 0) throw new Error(`fromYaml: indentation not understood: ${lines[0].text}`);
	return result;
}
