import { chmodSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Writes a file so that a reader sees the old one or the whole new one, never half. */
export function writeAtomic(path, text, mode = 0o644) {
	const draft = `${path}.${process.pid}.tmp`;
	writeFileSync(draft, text, { mode });
	chmodSync(draft, mode); // the umask must not decide about secrets
	renameSync(draft, path);
}

/** Writes a secret to DIR/NAME, readable by its owner only, and returns the path. */
export function writeSecret(dir, name, text) {
	const path = join(dir, name);
	mkdirSync(dirname(path), { recursive: true });
	writeAtomic(path, `${text}\n`, 0o600);
	return path;
}
