/**
 * Worker tasks. A task is a list of steps on the simulated clock; its status is live, but the
 * lists only learn of its end when pvestatd looks, up to ten seconds late, as in PVE.
 */
const BROADCAST_FINISHED = 25;
const ARCHIVE_MAX = 1000;

const UPID = new RegExp(
	'^UPID:([a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?):([0-9A-Fa-f]{8}):([0-9A-Fa-f]{8,9}):' +
	'([0-9A-Fa-f]{8}):([^:\\s/]+):([^:\\s/]*):([^:\\s/]+):$');

/** @returns {{node: string} | null} null when the text is not a UPID */
export function parseUpid(text) {
	const match = UPID.exec(text);
	return match && { node: match[1], type: match[5], id: match[6], user: match[7] };
}

const hex = (n) => Math.floor(n).toString(16).toUpperCase().padStart(8, '0');

/** Ends a task with this exit status instead of an error: `throw new Warnings(1)`. */
export class Warnings extends Error {
	constructor(count) {
		super(`WARNINGS: ${count}`);
		this.count = count;
	}
}

export class Tasks {
	/** @param {import('./cluster.mjs').Cluster} cluster */
	constructor(cluster) {
		this.cluster = cluster;
		this.byUpid = new Map();
		this.nodes = new Map([...cluster.nodes.keys()].map((name) =>
			[name, { active: [], archive: [], broadcast: [] }]));
		cluster.on('sample', (node) => this.notice(node.name));
		cluster.on('nodeDown', (node) => this.killAll(node.name));
	}

	/**
	 * Starts a task.
	 * @param {string} nodeName
	 * @param {{type: string, id?: string | number, user: string,
	 *   steps?: {wait?: number, log?: string | string[], run?: () => void}[],
	 *   onEnd?: (ok: boolean) => void}} what onEnd also runs when the task is killed
	 * @returns {object} the task, with its `upid`
	 */
	start(nodeName, what) {
		const now = this.cluster.clock.now();
		const task = this.make(nodeName, { ...what, starttime: Math.floor(now) });
		task.steps = [...(what.steps ?? [])];
		this.nodes.get(nodeName).active.unshift(task);
		this.step(task);
		this.notice(nodeName); // a new worker tells everybody the list
		return task;
	}

	make(nodeName, what) {
		const node = this.cluster.nodes.get(nodeName);
		node.nextPid += 1 + (what.starttime % 7);
		const pid = node.nextPid;
		const pstart = Math.max(0, Math.floor((what.starttime - node.bootedAt) * 100));
		const id = String(what.id ?? '');
		const [user, tokenid] = what.user.split('!');
		const task = {
			upid: `UPID:${nodeName}:${hex(pid)}:${hex(pstart)}:${hex(what.starttime)}:` +
				`${what.type}:${id}:${what.user}:`,
			node: nodeName, pid, pstart, starttime: what.starttime, type: what.type, id, user, tokenid,
			running: true, exitstatus: undefined, endtime: null, log: [], timer: null, steps: [],
			onEnd: what.onEnd,
		};
		this.byUpid.set(task.upid, task);
		return task;
	}

	step(task) {
		if (!task.running) {
			return;
		}
		const step = task.steps.shift();
		if (!step) {
			this.finish(task, 'OK');
		} else if (step.wait) {
			task.timer = this.cluster.clock.after(step.wait, () => this.runStep(task, step));
		} else {
			this.runStep(task, step);
		}
	}

	runStep(task, step) {
		task.log.push(...[step.log ?? []].flat());
		try {
			const more = step.run?.(task);
			task.steps.unshift(...(Array.isArray(more) ? more : []));
		} catch (err) {
			this.finish(task, err instanceof Warnings ? err.message : oneLine(err.message));
			return;
		}
		this.step(task);
	}

	finish(task, exitstatus) {
		task.running = false;
		task.exitstatus = exitstatus;
		const good = exitstatus === 'OK' || exitstatus.startsWith('WARNINGS: ');
		task.log.push(good ? `TASK ${exitstatus}` : `TASK ERROR: ${exitstatus}`);
		task.onEnd?.(good);
	}

	/** Kills the process group; a task that already ended stays as it is. */
	stop(task, reason = 'interrupted by signal') {
		if (task.running) {
			this.cluster.clock.cancel(task.timer);
			this.finish(task, reason);
		}
	}

	/** The node died under its tasks: no last line was ever written. */
	killAll(nodeName) {
		for (const task of this.nodes.get(nodeName).active.filter((t) => t.running)) {
			this.cluster.clock.cancel(task.timer);
			task.running = false;
			task.exitstatus = 'unexpected status';
			task.onEnd?.(false);
		}
	}

	/** Moves ended tasks to the archive and tells the cluster. The end is now, not then. */
	notice(nodeName) {
		const lists = this.nodes.get(nodeName);
		const now = Math.floor(this.cluster.clock.now());
		for (const task of lists.active.filter((t) => !t.running)) {
			task.endtime = Math.max(now, task.starttime);
			lists.archive.unshift(task);
		}
		lists.active = lists.active.filter((t) => t.running);
		this.trim(lists);
		lists.broadcast = [
			...lists.active.map((t) => activeRow(t)),
			...lists.archive.slice(0, BROADCAST_FINISHED).map((t) => finishedRow(t)),
		];
	}

	trim(lists) {
		while (lists.archive.length > ARCHIVE_MAX) {
			this.byUpid.delete(lists.archive.pop().upid);
		}
	}

	/** Puts a task of the past into the archive. */
	addPast(nodeName, what) {
		const task = this.make(nodeName, what);
		task.running = false;
		task.exitstatus = what.exitstatus;
		task.endtime = what.endtime;
		task.log = [...what.log, /^(OK|WARNINGS)/.test(what.exitstatus)
			? `TASK ${what.exitstatus}` : `TASK ERROR: ${what.exitstatus}`];
		this.nodes.get(nodeName).archive.unshift(task);
		return task;
	}

	runningOn(nodeName) {
		return this.nodes.get(nodeName).active.filter((t) => t.running);
	}
}

const oneLine = (text) => text.trim().replace(/\s*\n\s*/g, ' ');

function commonRow(task) {
	return {
		upid: task.upid, node: task.node, starttime: task.starttime, type: task.type, id: task.id,
		user: task.user, tokenid: task.tokenid,
	};
}

/** A running task in the cluster-wide list. */
export function activeRow(task) {
	return { ...commonRow(task), pid: task.pid, pstart: task.pstart, saved: '0' };
}

/** A finished task in the cluster-wide list: no pid any more. */
export function finishedRow(task) {
	return { ...commonRow(task), endtime: task.endtime, status: task.exitstatus, saved: '1' };
}

/** A row of a node's own list. */
export function nodeRow(task) {
	const row = { ...commonRow(task), pid: task.pid, pstart: task.pstart };
	return task.endtime === null
		? { ...row, status: 'RUNNING', saved: '0' }
		: { ...row, endtime: task.endtime, status: task.exitstatus };
}
