// What the SSH tools answer: which members are known, what they must be, and the same without all that tells of their owner.
// A journal's text is never kept, only how long it was. Pure.

/** Members of an answer, as the simulator's have them too. */
export const MEMBERS = {
	ping_node: ['host', 'kernel', 'boot_id', 'uptime_s', 'load1', 'load5', 'load15'],
	disk_usage: ['total', 'used', 'available', 'inodes', 'inodes_used', 'type', 'mount'],
	service_status: ['Id', 'Description', 'LoadState', 'ActiveState', 'SubState', 'UnitFileState', 'Result', 'MainPID', 'ExecMainStatus', 'NRestarts',
		'MemoryCurrent', 'StateChangeTimestamp', 'ActiveEnterTimestamp', 'InactiveEnterTimestamp'],
	journal_tail: ['ts', 'priority', 'identifier', 'pid', 'message'],
};

/** Words that systemd and file systems are known by; any other text goes. */
const WORDS = new Set(`loaded not-found masked bad-setting error active inactive failed activating deactivating reloading maintenance
	running exited dead auto-restart start start-pre start-post stop mounted listening waiting elapsed
	enabled enabled-runtime disabled static indirect generated alias linked transient masked-runtime
	success exit-code signal core-dump timeout watchdog oom-kill start-limit-hit protocol resources
	ext2 ext3 ext4 xfs btrfs zfs vfat exfat ntfs f2fs fuseblk / /boot /boot/efi /home /tmp /var /var/log /var/lib/vz /mnt`.split(/\s+/));
const FORMS = [/^-?\d+(\.\d+)?$/, /^@\d+$/, /^$/, /^\[not set\]$/, /^\d+\.\d+\.\d+-\d+-pve$/];

const rowsOf = (tool, content) => ({ disk_usage: content?.items, journal_tail: content?.lines }[tool] ?? (content ? [content] : []));

/** Members that are not known, and of those that are, which an answer lacks; several rows are one. */
export function differences(tool, content) {
	const rows = rowsOf(tool, content);
	const seen = new Set(rows.flatMap((row) => Object.keys(row)));
	// What is no service has less, and an empty journal no row at all.
	const optional = ['Result', 'MainPID', 'ExecMainStatus', 'NRestarts', 'MemoryCurrent'];
	const missing = rows.length === 0 ? [] : MEMBERS[tool].filter((name) => !seen.has(name) && !optional.includes(name));
	return [...[...seen].filter((name) => !MEMBERS[tool].includes(name)).map((name) => `${name} is new`), ...missing.map((name) => `${name} is missing`)];
}

/** What is wrong with an answer that was well said. */
export function oddities(tool, content) {
	const rows = rowsOf(tool, content);
	if (tool === 'ping_node' && !(Number(content.uptime_s) > 0 && content.boot_id)) return ['it does not say since when it is up'];
	if (tool === 'disk_usage' && rows.length === 0) return ['it has no file system'];
	if (tool === 'disk_usage') return rows.filter(({ total, used, available }) => !(used <= total && available <= total)).map(({ mount }) => `${mount}: more is used or free than there is`);
	if (tool === 'service_status' && content.LoadState !== 'loaded') return [`the unit is ${content.LoadState}`];
	return [];
}

function redactMember(redactor, name, value) {
	if (name === 'message') return value === null ? null : `${String(value).length} characters`;
	if (typeof value !== 'string') return value;
	if (WORDS.has(value) || FORMS.some((form) => form.test(value))) return value;
	if (name === 'Id') return `${redactor.name(value.replace(/\.\w+$/, ''), 'unit')}${/\.\w+$/.exec(value) ?? ''}`;
	return name === 'boot_id' ? redactor.text(value, 'uuid') : redactor.name(value, name.toLowerCase());
}

const redactRow = (redactor, row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [redactor.key(name), redactMember(redactor, name, value)]));

/** One answer as it may be kept. `asked`: the node and unit of the request. */
export function redactAnswer(redactor, tool, { node, unit }, content) {
	const rows = rowsOf(tool, content).map((row) => redactRow(redactor, row));
	return { tool, node: redactor.name(node, 'node'), ...(unit && { unit: redactMember(redactor, 'Id', unit) }), rows };
}
