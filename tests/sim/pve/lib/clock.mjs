/**
 * Simulated time. It runs `speed` times as fast as the machine's, can be moved forward with
 * `advance`, and runs timers in the order of their simulated due time: during a jump of an hour
 * each timer still sees its own moment, so nothing depends on how the hour went by.
 */
export class SimClock {
	/** @param {{speed?: number, epoch?: number}} [options] epoch: simulated start, Unix seconds */
	constructor({ speed = 1, epoch = Date.now() / 1000 } = {}) {
		this.speed = speed;
		this.base = epoch;
		this.origin = performance.now();
		this.moment = null; // set while a timer runs: time stands still for it
		this.queue = []; // sorted by due, earliest first
		this.serial = 0;
		this.wake = null;
		this.stopped = false;
	}

	/** Simulated Unix time in seconds, with fraction. */
	now() {
		return this.moment ?? this.flowing();
	}

	flowing() {
		return this.base + ((performance.now() - this.origin) / 1000) * this.speed;
	}

	/** How far a timer that runs now is behind: a jump over days is not worth every detail. */
	lag() {
		return this.flowing() - this.now();
	}

	/** Runs `fn` in `seconds` of simulated time. Returns a handle for `cancel`. */
	after(seconds, fn) {
		const entry = { due: this.now() + Math.max(0, seconds), serial: this.serial++, fn };
		const at = insertionPoint(this.queue, entry);
		this.queue.splice(at, 0, entry);
		if (at === 0 && this.moment === null) {
			this.arm();
		}
		return entry;
	}

	cancel(entry) {
		const at = this.queue.indexOf(entry);
		if (at >= 0) {
			this.queue.splice(at, 1);
		}
	}

	/** Moves time forward and runs what falls due on the way, in order. */
	advance(seconds) {
		this.base += seconds;
		this.runDue();
	}

	runDue() {
		const target = this.flowing();
		while (this.queue.length > 0 && this.queue[0].due <= target) {
			const entry = this.queue.shift();
			this.moment = entry.due;
			try {
				entry.fn();
			} finally {
				this.moment = null;
			}
		}
		this.arm();
	}

	arm() {
		clearTimeout(this.wake);
		this.wake = null;
		if (this.queue.length === 0 || this.stopped) {
			return;
		}
		const real = ((this.queue[0].due - this.flowing()) / this.speed) * 1000;
		this.wake = setTimeout(() => this.runDue(), Math.min(Math.max(0, real), 0x7fffffff));
	}

	stop() {
		clearTimeout(this.wake);
		this.stopped = true;
		this.queue = [];
	}
}

function insertionPoint(queue, entry) {
	let lo = 0;
	let hi = queue.length;
	while (lo < hi) {
		const mid = (lo + hi) >> 1;
		if (queue[mid].due <= entry.due) {
			lo = mid + 1;
		} else {
			hi = mid;
		}
	}
	return lo;
}
