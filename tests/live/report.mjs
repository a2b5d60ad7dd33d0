// What was checked: a line each as it comes, and the sum. A failure without a cure is not accepted.

const BULLET = '      ';

/** One line, of what other machines said: nothing in it may steer a terminal. */
export function plain(text) {
	return String(text).replace(/[\x00-\x1f\x7f-\x9f]/g, '?');
}

export class Report {
	passed = 0;
	failed = 0;

	constructor(print = console.log) {
		this.print = (text) => print(text);
	}

	title(text) {
		this.print(`\n${plain(text)}`);
	}

	pass(what) {
		this.passed++;
		this.print(`ok    ${plain(what)}`);
	}

	/** `why` may be several lines; `cure` says what to do. */
	fail(what, why, cure) {
		if (!cure) throw new Error(`no cure is given for: ${what}`);
		this.failed++;
		this.print(`FAIL  ${plain(what)}`);
		for (const line of [why].flat().filter(Boolean)) this.print(`${BULLET}${plain(line)}`);
		this.print(`${BULLET}→ ${plain(cure)}`);
	}

	note(text) {
		this.print(`      ${plain(text)}`);
	}

	/** One check: `problems` are texts; none is a pass. */
	judge(what, problems, cure, max = 10) {
		if (problems.length === 0) return this.pass(what);
		const more = problems.length > max ? [`… and ${problems.length - max} more`] : [];
		this.fail(what, [...problems.slice(0, max), ...more], cure);
	}

	sum() {
		this.print(`\n${this.passed} passed, ${this.failed} failed`);
		return this.failed === 0 && this.passed > 0;
	}
}
