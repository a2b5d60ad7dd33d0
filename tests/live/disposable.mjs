// May `make check-live GUEST=…` act on this guest? What stands in the way, each with what would help. Pure.

export const TAG = 'disposable';
export const ACT = 'yes-I-may-lose-it';
/** Snapshots of ours are told by their names. */
export const SNAPSHOT = /^jarvis-live-[0-9a-f]{6}$/;

/** What the token needs on the guest, and what for; Proxmox takes either of two for going back. */
const NEEDED = [
	{ any: ['VM.Audit'], what: 'reading it' },
	{ any: ['VM.PowerMgmt'], what: 'start, shutdown, stop' },
	{ any: ['VM.Snapshot'], what: 'making and deleting a snapshot' },
	{ any: ['VM.Snapshot.Rollback', 'VM.Snapshot'], what: 'going back to it' },
];

/** "100" or "home/100": {cluster: null when it was left out, vmid}, or null. */
export function parseGuest(text) {
	const [, cluster, vmid] = /^(?:([\w.-]{1,64})\/)?([1-9]\d{2,8})$/.exec(text) ?? [];
	return vmid ? { cluster: cluster ?? null, vmid: Number(vmid) } : null;
}

const tagsOf = (row) => String(row.tags ?? '').split(/[;, ]+/).filter(Boolean);
const list = (value) => (Array.isArray(value) ? value : []);

function obstaclesOfConfig(config, cluster, vmid) {
	const found = [];
	const object = `${cluster}/guest/${vmid}`;
	const { self } = config;
	const needing = Object.entries(config.depends_on ?? {}).filter(([, needs]) => list(needs).includes(object)).map(([name]) => name);
	if (!self) found.push(['it is not known where Jarvis itself runs', 'set self in jarvis.yaml: the gate does nothing that interrupts without']);
	if (self?.cluster === cluster && self.vmid === vmid) found.push(['Jarvis itself runs in it', 'name another guest']);
	if (list(config.protected?.guests).includes(`${cluster}/${vmid}`)) found.push(['jarvis.yaml protects it', 'name another guest']);
	if (needing.length > 0) found.push([`by depends_on of jarvis.yaml it is needed by ${needing.join(', ')}`, 'name another guest']);
	return found;
}

function obstaclesOfGuest(row, settings, snapshots, act) {
	const found = [];
	const left = snapshots.map(({ name }) => name).filter((name) => SNAPSHOT.test(name));
	const tool = row.type === 'lxc' ? 'pct' : 'qm';
	if (row.template) found.push(['it is a template', 'name a guest that can run']);
	else if (!['running', 'stopped'].includes(row.status)) found.push([`it is ${row.status}`, 'start or stop it first']);
	if (Number(settings.protection)) found.push(['Proxmox protects it (Options, Protection)', 'name another guest']);
	if (row.lock || settings.lock) found.push([`it is locked (${row.lock || settings.lock})`, 'wait until what locked it is over']);
	if (row.hastate && row.hastate !== 'ignored') found.push(['high availability keeps its state', 'name another guest, or take it out of HA']);
	if (left.length > 0) found.push([`an earlier run left ${left.join(', ')}`, `on node ${row.node}: ${left.map((name) => `${tool} delsnapshot ${row.vmid} ${name}`).join('; ')}`]);
	if (!tagsOf(row).includes(TAG) && act !== ACT) {
		found.push([`nothing says that it may be lost: it has no tag ${TAG}`, `${tool} set ${row.vmid} --tags ${[...tagsOf(row), TAG].join('\\;')}; or add ACT=${ACT}`]);
	}
	return found;
}

/**
 * `row`: of /cluster/resources; `settings`: its configuration; `snapshots`: its list; `act`: what ACT= says.
 * Answers [[what, cure]], none when it may be done.
 */
export function obstacles({ config, cluster, vmid, row, settings, snapshots, act }) {
	return [...obstaclesOfConfig(config, cluster, vmid), ...obstaclesOfGuest(row, settings, snapshots, act)];
}

/** `permissions`: what Proxmox answers for /vms/VMID. Answers ["VM.Snapshot (making …)"]. */
export function missingOn(permissions, vmid) {
	const held = permissions?.[`/vms/${vmid}`] ?? {};
	return NEEDED.filter(({ any }) => !any.some((name) => held[name] !== undefined)).map(({ any, what }) => `${any[0]} (${what})`);
}
