/** Disks, SMART, ZFS, packages, certificates, network, devices of a node. */
import { disksOf, noteSmart } from '../../model/hardware.mjs';
import { packagesOf, updatesOf } from '../../model/packages.mjs';
import { smartOf } from '../../model/smart.mjs';
import { zpoolDetail, zpoolsOf } from '../../model/zpools.mjs';
import { die } from '../errors.mjs';

/** Without skipsmart every disk is asked how it is, and wakes. */
function disks({ node, params }) {
	return disksOf(node).map(({ reallocated: _r, pending: _p, media_errors: _m, celsius: _c,
		smart_error: _e, ...disk }) => {
		if (params.skipsmart) {
			return { ...disk, health: 'UNKNOWN', wearout: 'N/A' };
		}
		noteSmart(node, disk.devpath);
		return disk;
	});
}

function smart({ node, params, now }) {
	const all = disksOf(node);
	const index = all.findIndex((disk) => disk.devpath === params.disk);
	if (index < 0) {
		die('not a valid block device');
	}
	noteSmart(node, params.disk);
	if (all[index].smart_error) {
		die(`Error getting S.M.A.R.T. data: Exit code: ${all[index].smart_error}`);
	}
	return params.healthonly ? { health: all[index].health } : smartOf(node, all[index], index, now);
}

const zfs = ({ node }) => zpoolsOf(node) ?? die('zfsutils-linux not installed');

function zfsPool(ctx) {
	const pool = zfs(ctx).find((p) => p.name === ctx.params.name);
	return pool ? zpoolDetail(ctx.node, ctx.now)
		: die(`command '/sbin/zpool status -P ${ctx.params.name}' failed: exit code 1`);
}

const seconds = (text) => Math.floor(Date.parse(text) / 1000);

function certificates({ sim, node }) {
	const rows = [certRow('pve-root-ca.pem', sim.caCert)];
	if (!node.pair) {
		return rows;
	}
	const own = certRow('pve-ssl.pem', node.pair.x509);
	const { file, notafter } = node.certificate ?? {};
	if (file === 'pveproxy-ssl.pem') {
		return [...rows, own, { ...own, filename: file, notafter }];
	}
	return [...rows, notafter === undefined ? own : { ...own, notafter }];
}

function certRow(filename, x509) {
	return {
		filename, fingerprint: x509.fingerprint256, pem: x509.toString(),
		subject: slashes(x509.subject), issuer: slashes(x509.issuer),
		notbefore: seconds(x509.validFrom), notafter: seconds(x509.validTo),
		san: (x509.subjectAltName ?? '').split(', ').filter(Boolean)
			.map((name) => name.replace(/^(DNS|IP Address):/, '')),
		'public-key-type': 'id-ecPublicKey', 'public-key-bits': 256,
	};
}

const slashes = (text) => `/${text.split('\n').join('/')}`;

function network({ node }) {
	return [
		{ iface: 'vmbr0', type: 'bridge', active: 1, autostart: 1, method: 'static', families: ['inet'],
			address: node.ip, cidr: `${node.ip}/24`, netmask: '24', gateway: '192.168.1.1',
			bridge_ports: 'enp1s0', bridge_stp: 'off', bridge_fd: '0', priority: 4, method6: 'manual' },
		{ iface: 'enp1s0', type: 'eth', active: 1, exists: 1, method: 'manual', method6: 'manual',
			families: ['inet'], priority: 3 },
	];
}

const pci = () => [{ id: '0000:00:02.0', class: '0x030000', vendor: '0x8086', device: '0xa780',
	iommugroup: -1, vendor_name: 'Intel Corporation', device_name: 'Raptor Lake-S GT1' }];

export default {
	'GET /nodes/{node}/disks/list': disks,
	'GET /nodes/{node}/disks/smart': smart,
	'GET /nodes/{node}/disks/zfs': zfs,
	'GET /nodes/{node}/disks/zfs/{name}': zfsPool,
	'GET /nodes/{node}/apt/update': ({ node }) => updatesOf(node),
	'GET /nodes/{node}/apt/versions': ({ node }) => packagesOf(node),
	'GET /nodes/{node}/certificates/info': certificates,
	'GET /nodes/{node}/network': network,
	'GET /nodes/{node}/hardware': () => [{ type: 'pci' }, { type: 'usb' }],
	'GET /nodes/{node}/hardware/pci': pci,
};
