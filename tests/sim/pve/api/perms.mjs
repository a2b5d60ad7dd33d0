/** Roles, access control lists and the permission rules of the schema. */
import { ApiError, forbidden } from './errors.mjs';

const AUDIT = ['VM.Audit', 'Sys.Audit', 'Datastore.Audit', 'SDN.Audit', 'Pool.Audit',
	'Mapping.Audit'];
const GUEST_AGENT = ['Audit', 'FileRead', 'FileWrite', 'FileSystemMgmt', 'Unrestricted']
	.map((what) => `VM.GuestAgent.${what}`);
const ALL = [...AUDIT, 'VM.Allocate', 'VM.Backup', 'VM.Clone', 'VM.Config.CDROM', 'VM.Config.CPU',
	'VM.Config.Cloudinit', 'VM.Config.Disk', 'VM.Config.HWType', 'VM.Config.Memory',
	'VM.Config.Network', 'VM.Config.Options', 'VM.Console', 'VM.Migrate', 'VM.PowerMgmt',
	'VM.Snapshot', 'VM.Snapshot.Rollback', 'Sys.AccessNetwork', 'Sys.Console', 'Sys.Incoming',
	'Sys.Modify', 'Sys.PowerMgmt', 'Sys.Syslog', 'Datastore.Allocate', 'Datastore.AllocateSpace',
	'Datastore.AllocateTemplate', 'Group.Allocate', 'Mapping.Modify', 'Mapping.Use',
	'Permissions.Modify', 'Pool.Allocate', 'Realm.Allocate', 'Realm.AllocateUser', 'SDN.Allocate',
	'SDN.Use', 'User.Modify'];
const ONLY_9 = [...GUEST_AGENT, 'VM.Replicate'];

/** Roles by name; what a version does not know is left out when asked. */
export const ROLES = {
	PVEAuditor: [...AUDIT, 'VM.GuestAgent.Audit'],
	JarvisPower: ['VM.Audit', 'VM.PowerMgmt', 'VM.Snapshot', 'VM.Snapshot.Rollback', 'VM.Migrate',
		'VM.Backup', 'Sys.PowerMgmt', 'Datastore.Audit', 'Datastore.AllocateSpace'],
	JarvisUpdates: ['Sys.Modify'],
	Administrator: [...ALL, ...ONLY_9, 'VM.Monitor'],
	NoAccess: [],
};

const TOP_PATHS = ['/', '/access', '/access/groups', '/nodes', '/pool', '/sdn', '/storage', '/vms'];

export class Permissions {
	/**
	 * @param {{acl: {path: string, roles: string[]}[], root?: boolean, user: string}} principal
	 * @param {{major: number, poolOf: (vmid: string) => string | undefined}} context
	 */
	constructor(principal, context) {
		this.principal = principal;
		this.context = context;
		this.known = new Map();
	}

	/** Privileges at a path. @returns {Set<string>} */
	at(path) {
		const roles = this.rolesAt(path);
		const key = roles.join(); // thousands of guests share a handful of role lists
		let set = this.known.get(key);
		if (!set) {
			set = new Set(roles.flatMap((role) => this.privileges(role)));
			this.known.set(key, set);
		}
		return set;
	}

	privileges(role) {
		const missing = this.context.major >= 9 ? ['VM.Monitor'] : ONLY_9;
		return (ROLES[role] ?? [role]).filter((priv) => !missing.includes(priv));
	}

	/** The deepest entry wins; a guest also gets what its pool grants. */
	rolesAt(path) {
		if (this.principal.root) {
			return ['Administrator'];
		}
		const own = this.deepest(path);
		const pool = path.startsWith('/vms/') && this.context.poolOf(path.slice(5));
		return pool ? [...own, ...this.deepest(`/pool/${pool}`)] : own;
	}

	deepest(path) {
		let best = null;
		for (const entry of this.principal.acl) {
			const under = path === entry.path || path.startsWith(entry.path.replace(/\/?$/, '/'));
			if (under && (!best || entry.path.length > best.path.length)) {
				best = entry;
			}
		}
		return best?.roles ?? [];
	}

	has(path, ...privs) {
		const set = this.at(path);
		return privs.some((priv) => set.has(priv));
	}

	/** What GET /access/permissions tells: path → {privilege: propagate}. */
	dump(only) {
		const extra = this.principal.acl.map((entry) => entry.path);
		const out = {};
		for (const path of only ? [only] : new Set([...TOP_PATHS, ...extra])) {
			const set = this.at(path);
			if (set.size > 0 || only) {
				out[path] = Object.fromEntries([...set].map((priv) => [priv, 1]));
			}
		}
		return out;
	}

	/**
	 * Enforces a rule of the schema table: `all`, `world`, null (root only) or a check.
	 * @param {unknown} rule @param {Record<string, string>} params values for `{name}`
	 */
	enforce(rule, params) {
		if (rule === 'all' || rule === 'world' || this.principal.root) {
			return;
		}
		if (!rule) {
			throw forbidden('user != root@pam');
		}
		CHECKS[rule[0]](this, rule.slice(1), params);
	}

	allows(rule, params) {
		try {
			this.enforce(rule, params);
			return true;
		} catch (err) {
			if (err instanceof ApiError) {
				return false;
			}
			throw err;
		}
	}
}

const CHECKS = {
	perm: (perms, [template, privs, ...rest], params) => {
		const path = fill(template, params);
		const any = rest[rest.indexOf('any') + 1] && rest.includes('any');
		if (any && !perms.has(path, ...privs)) {
			throw forbidden(`${path}, ${privs.join('|')}`);
		}
		const missing = any ? undefined : privs.find((priv) => !perms.has(path, priv));
		if (missing) {
			throw forbidden(`${path}, ${missing}`);
		}
	},
	or: (perms, rules, params) => {
		if (!rules.some((rule) => perms.allows(rule, params))) {
			throw forbidden();
		}
	},
	and: (perms, rules, params) => rules.forEach((rule) => perms.enforce(rule, params)),
	'userid-param': (perms, _rest, params) => {
		if (perms.principal.id !== params.userid) { // a token is not its user here
			throw forbidden();
		}
	},
	'userid-group': (perms, [privs]) => CHECKS.perm(perms, ['/access/groups', privs], {}),
	'perm-modify': (perms, [template], params) =>
		CHECKS.perm(perms, [template, ['Permissions.Modify']], params),
};

function fill(template, params) {
	return template.replace(/\{([a-z-]+)\}/g, (_, name) => params[name] ?? '');
}
