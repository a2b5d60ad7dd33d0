// The shape of answers: which fields there are, and of which types. Compares Proxmox's with the simulator's. Pure.

/** Told apart by their `type`: rows of different kinds share a list. */
const KINDS = new Set(['node', 'qemu', 'lxc', 'storage', 'cluster', 'pool', 'sdn', 'network']);
const KIND_LISTS = new Set(['/cluster/resources', '/cluster/status']);

/** Fields that Proxmox tells only of some things: that a cluster has them and the simulated one has not says nothing. */
const OPTIONAL = new Set(['lock', 'tags', 'pool', 'hastate', 'cgroup-mode', 'comment', 'description', 'tokenid', 'endtime', 'exitstatus', 'message',
	'qmpstatus', 'running-machine', 'running-qemu', 'clipboard', 'agent', 'spice', 'balloon_min', 'shares', 'memhost', 'nics', 'blockstat',
	'proxmox-support', 'ballooninfo', 'freemem', 'balloon', 'parent', 'snaptime', 'vmstate', 'used_fraction']);

function typeOf(value) {
	if (value === null) return 'null';
	if (Array.isArray(value)) return 'list';
	if (typeof value === 'string') return /^-?\d+(\.\d+)?$/.test(value) ? 'digits' : 'text';
	return typeof value === 'object' ? 'map' : typeof value;
}

/** Keys that are data become one; net0 and net1 are the same field. */
function keyOf(key) {
	if (key.startsWith('/')) return '{path}';
	if (/^[A-Z]\w*\.[\w.]+$/.test(key)) return '{privilege}';
	return key.replace(/\d+$/, '#');
}

function add(shape, path, value, template) {
	const entry = shape.get(path) ?? { types: new Set(), count: 0 };
	shape.set(path, entry);
	entry.types.add(typeOf(value));
	entry.count++;
	if (Array.isArray(value)) {
		for (const item of value) add(shape, `${path}[${KIND_LISTS.has(template) && KINDS.has(item?.type) ? item.type : ''}]`, item, template);
	} else if (value !== null && typeof value === 'object') {
		const seen = new Set();
		for (const [key, item] of Object.entries(value)) {
			const name = keyOf(key);
			add(shape, `${path}.${name}`, item, template);
			// Several keys of one kind count as one, so that counts compare with the parent's.
			if (seen.has(name)) shape.get(`${path}.${name}`).count--;
			seen.add(name);
		}
	}
}

/** path → {types, count} of all `bodies`; the path of the whole is "". */
export function shapeOf(bodies, template = '') {
	const shape = new Map();
	for (const body of bodies) add(shape, '', body, template);
	return shape;
}

const parentOf = (path) => (path.endsWith(']') ? path.slice(0, path.lastIndexOf('[')) : path.slice(0, path.lastIndexOf('.')));
const isOptional = (path) => OPTIONAL.has(path.slice(path.lastIndexOf('.') + 1)) || path.endsWith(']') || path.endsWith('}');
const typesOf = (entry) => new Set([...entry.types].filter((type) => type !== 'null'));
const shown = (entry) => [...entry.types].sort().join(' or ');

/** {extra, missing, types}: paths that only the real one has; that ours always has and the real one never; sentences. */
export function compareShapes(real, ours) {
	const extra = [...real.keys()].filter((path) => path !== '' && !ours.has(path) && ours.has(parentOf(path)) && !isOptional(path));
	const always = (path) => ours.get(path).count === ours.get(parentOf(path))?.count;
	const missing = [...ours.keys()].filter((path) => path !== '' && !real.has(path) && real.get(parentOf(path))?.types.has('map') && always(path) && !isOptional(path));
	const types = [];
	for (const [path, entry] of real) {
		const [have, want] = [typesOf(entry), ours.has(path) ? typesOf(ours.get(path)) : new Set()];
		if (have.size > 0 && want.size > 0 && have.isDisjointFrom(want)) {
			types.push(`${path || 'the answer'} is ${shown(entry)}, ours ${shown(ours.get(path))}`);
		}
	}
	return { extra, missing, types };
}

/** Answers by template: [{template, extra, missing, types, status}] of captured ones, real and ours. */
export function compareCaptures(real, ours) {
	// A virtual machine's answer is not a container's.
	const kindOf = ({ template, path }) => template.replace('{type}', () => /\/(qemu|lxc)\//.exec(path)?.[1] ?? '{type}');
	const templates = [...new Set(real.map(kindOf))];
	const good = (list, template) => list.filter((call) => kindOf(call) === template && call.status === 200 && !call.body?.['not-json']);
	return templates.map((template) => {
		const [theirs, mine] = [good(real, template), good(ours, template)].map((list) => list.map(({ body }) => body));
		const asked = { template, real: theirs.length, ours: mine.length };
		if (theirs.length === 0 || mine.length === 0) return { ...asked, extra: [], missing: [], types: [], compared: false };
		return { ...asked, ...compareShapes(shapeOf(theirs, template), shapeOf(mine, template)), compared: true };
	});
}
