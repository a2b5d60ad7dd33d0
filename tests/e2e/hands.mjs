// SPDX-License-Identifier: MIT
// The nodes themselves, for the mock: one that is reached, with a unit in every state, one that is not, and the rest.

const verbs = (restart, stop) => [{ tool: 'service_restart', tier: restart }, { tool: 'service_stop', tier: stop }];
const param = (name, type, over = {}) => ({ name, type, words: [], min: null, max: null, about: null, ...over });
const COMMANDS = [
	{ id: 'exports_reload', about: 'Export what /etc/exports lists, anew.', tier: 'orange', timeout_s: 30, params: [] },
	{ id: 'zpool_scrub', about: 'Begin to scrub a pool.', tier: 'orange', timeout_s: 30,
		params: [param('pool', 'word', { words: ['rpool', 'tank'], about: 'The pool.' })] },
	{ id: 'copy_to', about: 'Copy the newest dumps of a pool to another place.', tier: 'red', timeout_s: 300,
		params: [param('count', 'int', { min: 1, max: 10, about: 'How many.' }), param('pool', 'word', { words: ['rpool', 'tank'] }),
			param('to', 'path', { about: 'Where to.', words: ['/srv/share', '/mnt'] })] },
];
const CATALOGUES = {
	Home: { units: ['nfs-server.service', 'smbd.service', 'filebrowser.service', 'prometheus-node-exporter-collectors@smartmon.service']
		.map((unit, i) => ({ unit, verbs: i === 2 ? verbs('yellow', 'orange') : verbs('orange', 'red') })), commands: COMMANDS, blocked: null },
	agent: { units: [], commands: [], blocked: 'Jarvis does not reach the nodes themselves: set clusters.home.executor.ssh in jarvis.yaml, '
		+ 'and install deploy/nodes on them (its README.md says how).' },
};
const EMPTY = { units: [], commands: [], blocked: null };

const since = (minutes) => `@${Math.floor(Date.now() / 1000) - minutes * 60}`;
const unit = (Id, Description, ActiveState, SubState, more = {}) => ({
	Id, Description, LoadState: 'loaded', ActiveState, SubState, UnitFileState: 'enabled', Result: 'success', MainPID: '0', ExecMainStatus: '0',
	NRestarts: '0', MemoryCurrent: '[not set]', StateChangeTimestamp: since(4321), ...more,
});
const UNITS = {
	'nfs-server.service': () => unit('nfs-server.service', 'NFS server and services', 'active', 'exited'),
	'smbd.service': () => unit('smbd.service', 'Samba SMB Daemon', 'failed', 'failed', { Result: 'exit-code', ExecMainStatus: '1', NRestarts: '5', StateChangeTimestamp: since(3) }),
	'filebrowser.service': () => unit('filebrowser.service', 'FileBrowser \u202egnihtyna', 'activating', 'auto-restart', { MainPID: '1219', MemoryCurrent: '34230272' }),
};

const line = (i, message, priority = 6) => ({ ts: Date.now() - (100 - i) * 977_000, priority, identifier: 'smbd', pid: 1212, message });
const JOURNAL = [...Array.from({ length: 96 }, (_, i) => line(i, i % 9 ? `connection ${i} from 192.168.1.${i} closed` : `panic handler armed\n  core ${i}`)),
	line(96, 'disk quota of media is at 94 percent, which is more than the warning level that was set for it in smb.conf', 4),
	line(97, '<script>alert(1)</script> \u202eevil\u202c \u001b[31m', 3), line(98, null, 5), line(99, 'idle', 7)].reverse();
const GIB = 1024 ** 3;
const disk = (mount, type, total, used, inodes = 0.1) => ({ mount, type, total: total * GIB, used: used * GIB, available: (total - used) * GIB, inodes: 1e6, inodes_used: inodes * 1e6 });
const DISKS = [disk('/', 'ext4', 94, 31), disk('/var/log', 'ext4', 8, 7.77, 0.88), disk('/mnt/my files \u202e', 'zfs', 1800, 1500)];

const done = (content) => [200, { id: '01READ', status: 'verified', tier: 'green', is_error: false, text: 'verified', content }];
const failed = (text) => [200, { id: '01READ', status: 'failed', tier: 'green', is_error: true, text, content: null }];
const READS = {
	service_status: ({ unit: name }) => (UNITS[name] ? done(UNITS[name]())
		: failed('It could not be read: 192.168.1.50:22 refuses the key of user jarvis-act: authentication failed; is its public half in that user’s authorized_keys?')),
	journal_tail: ({ lines = 50 }) => done({ lines: JOURNAL.slice(0, lines) }),
	disk_usage: () => done({ items: DISKS }),
};

/** Answers what the details of a node ask; undefined for all else. */
export function nodeRoute(mock, route, body) {
	const [, cluster, node] = /^GET \/api\/nodes\/([^/]+)\/([^/]+)\/catalogue$/.exec(route) ?? [];
	if (node) return [200, { cluster, node, ...(CATALOGUES[node] ?? EMPTY) }];
	if (route !== 'POST /api/tools/execute') return undefined;
	if (READS[body.tool]) return READS[body.tool](body.args);
	const id = mock.asked?.[body.request_id];
	if (!id) return undefined;
	const a = mock.world.docs.get(`action/${id}/state`);
	return [200, { id, status: a.status, tier: a.tier, is_error: false, text: a.summary, content: { lines: ['  scan: scrub in progress', '\tno known data errors', 'x\u202ey'] } }];
}
