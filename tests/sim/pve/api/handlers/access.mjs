/** Login, and who may do what. */
import { ApiError, die, forbidden } from '../errors.mjs';
import { Permissions, ROLES } from '../perms.mjs';

async function login({ sim, entry, params }) {
	const username = params.username.includes('@') ? params.username
		: `${params.username}@${params.realm ?? 'pam'}`;
	const startedAt = Date.now();
	const grant = sim.accounts.login(username, params.password);
	if (!grant) {
		await sim.authPause(startedAt);
		throw new ApiError(401, 'authentication failure\n');
	}
	return {
		username, ticket: grant.ticket, CSRFPreventionToken: grant.csrf,
		cap: capabilities(sim, entry, grant.user),
		clustername: sim.cluster.standalone ? undefined : sim.cluster.name,
	};
}

const CAP_PATHS = { vms: '/vms', storage: '/storage', nodes: '/nodes', access: '/access', dc: '/',
	sdn: '/sdn', mapping: '/mapping' };

function capabilities(sim, entry, user) {
	const perms = permissionsFor(sim, entry, user);
	return Object.fromEntries(Object.entries(CAP_PATHS).map(([name, path]) =>
		[name, Object.fromEntries([...perms.at(path)].map((priv) => [priv, 1]))]));
}

function permissionsFor(sim, entry, principal) {
	return new Permissions(principal, {
		major: entry.pve.major,
		poolOf: (vmid) => sim.cluster.guests.get(Number(vmid))?.pool,
	});
}

function permissions({ sim, entry, params, principal, perms }) {
	const wanted = params.userid ?? principal.id;
	if (wanted === principal.id) {
		return perms.dump(params.path);
	}
	const own = wanted.split('!')[0] === principal.id;
	if (!own && !perms.has('/access', 'Sys.Audit')) {
		throw forbidden('/access, Sys.Audit');
	}
	const other = sim.accounts.tokens.get(wanted) ?? sim.accounts.users.get(wanted);
	return other ? permissionsFor(sim, entry, other).dump(params.path) : {};
}

/** Everything to whom may audit /access; what one may change, to others. */
function accessList({ sim, perms }) {
	const audit = perms.has('/access', 'Sys.Audit');
	const rowsOf = (type, ugid, acl) => acl.flatMap(({ path, roles }) =>
		roles.map((roleid) => ({ path, type, ugid, roleid, propagate: 1 })));
	return [
		...[...sim.accounts.users.values()].flatMap((user) => rowsOf('user', user.id, user.acl)),
		...[...sim.accounts.tokens.values()].filter((t) => t.privsep && !t.revoked)
			.flatMap((t) => rowsOf('token', t.id, t.acl)),
	].filter((row) => audit || perms.has(row.path, 'Permissions.Modify'));
}

function tokens({ sim, params }) {
	return [...sim.accounts.tokens.values()]
		.filter((token) => token.user === params.userid && !token.revoked)
		.map((token) => ({ tokenid: token.tokenid, expire: token.expire, privsep: token.privsep }));
}

function token({ sim, params }) {
	const found = sim.accounts.tokens.get(`${params.userid}!${params.tokenid}`);
	return found && !found.revoked ? { expire: found.expire, privsep: found.privsep }
		: die(`no such token '${params.tokenid}' for user '${params.userid}'`);
}

function roles() {
	return Object.entries(ROLES).map(([roleid, privs]) =>
		({ roleid, privs: privs.join(','), special: roleid.startsWith('Jarvis') ? 0 : 1 }));
}

export default {
	'GET /access/ticket': () => null,
	'POST /access/ticket': login,
	'GET /access/permissions': permissions,
	'GET /access/acl': accessList,
	'GET /access/roles': roles,
	'GET /access/users/{userid}/token': tokens,
	'GET /access/users/{userid}/token/{tokenid}': token,
};
