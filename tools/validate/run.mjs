// Validates docs/api/asyncapi.yaml and docs/api/openapi.yaml with the official parsers.
// Called by `make check-full` as: tools/validate/run   (which installs the parsers on first use)
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(fileURLToPath(import.meta.url), '../../..');
const ASYNCAPI = 'docs/api/asyncapi.yaml';
const OPENAPI = 'docs/api/openapi.yaml';

/** Severity 0 is an error in AsyncAPI's diagnostics; advice (1 and up) is the author's business. */
async function asyncapiErrors(file) {
	const { Parser } = await import('@asyncapi/parser');
	const text = await readFile(resolve(root, file), 'utf8');
	const { diagnostics } = await new Parser().parse(text, { source: file });
	return diagnostics
		.filter((d) => d.severity === 0)
		.map((d) => `${file}:${d.range.start.line + 1}: ${d.message} (${d.path.join('.')})`);
}

/** Only the rules that say whether the document is valid OpenAPI 3.1, none of matters of taste. */
const OPENAPI_RULES = {
	struct: 'error',
	'no-unresolved-refs': 'error',
	'no-ambiguous-paths': 'error',
	'no-identical-paths': 'error',
	'path-declaration-must-exist': 'error',
	'path-parameters-defined': 'error',
	'operation-operationId-unique': 'error',
	'operation-parameters-unique': 'error',
	'security-defined': 'error',
	'no-schema-type-mismatch': 'error',
	'no-invalid-media-type-examples': 'error',
};

async function openapiErrors(file) {
	const { createConfig, lint } = await import('@redocly/openapi-core');
	const config = await createConfig({ rules: OPENAPI_RULES });
	const problems = await lint({ ref: resolve(root, file), config });
	return problems
		.filter((p) => p.severity === 'error')
		.map((p) => `${file}: ${p.location[0]?.pointer ?? '#/'}: ${p.message} [${p.ruleId}]`);
}

let failed = 0;
for (const [file, validate] of [[ASYNCAPI, asyncapiErrors], [OPENAPI, openapiErrors]]) {
	const errors = await validate(file).catch((e) => [`${file}: ${e.message}`]);
	for (const error of errors) console.error(error);
	console.log(`${errors.length === 0 ? 'valid  ' : 'INVALID'} ${file}`);
	failed += errors.length > 0;
}
process.exitCode = failed > 0 ? 1 : 0;
