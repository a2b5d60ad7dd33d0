// Prints a line a program, and its output when it failed.
const LINE = '─'.repeat(72);

function counts({ passed, failed, skipped }) {
	const parts = [`${passed} passed`];
	if (failed > 0) parts.push(`${failed} failed`);
	if (skipped > 0) parts.push(`${skipped} skipped`);
	return parts.join(', ');
}

export function report(result, verbose) {
	const word = result.failed > 0 ? 'FAIL' : 'ok  ';
	const seconds = `${result.seconds.toFixed(2)} s`;
	console.log(`${word}  ${result.name.padEnd(44)} ${counts(result).padEnd(28)} ${seconds.padStart(9)}`);
	if (result.failed > 0 || verbose) {
		console.log(`${LINE}\n${result.output.trimEnd()}\n${LINE}`);
	}
	for (const line of result.trouble) console.log(`      ${result.name}: ${line}`);
}
