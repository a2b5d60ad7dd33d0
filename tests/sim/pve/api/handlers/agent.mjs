/** The guest agent of a VM: the few questions that are asked of it. */
import { die } from '../errors.mjs';
import { guestHere } from '../guest.mjs';

const QUESTIONS = {
	'get-osinfo': (guest) => ({ id: 'debian', name: 'Debian GNU/Linux', 'version-id': '12',
		'pretty-name': 'Debian GNU/Linux 12 (bookworm)', 'kernel-release': '6.1.0-35-amd64',
		machine: 'x86_64', 'kernel-version': `#1 SMP on ${guest.name}` }),
	'get-host-name': (guest) => ({ 'host-name': guest.name }),
	'get-time': (_guest, now) => Math.floor(now * 1e9),
	'get-timezone': () => ({ offset: 3600, zone: 'CET' }),
	'get-users': () => [],
	'get-vcpus': (guest) => Array.from({ length: guest.cpus },
		(_, i) => ({ 'logical-id': i, online: true, 'can-offline': i > 0 })),
	'get-fsinfo': (guest) => [{ name: 'sda1', mountpoint: '/', type: 'ext4', disk: [],
		'total-bytes': guest.maxdisk, 'used-bytes': Math.round(guest.maxdisk * 0.4) }],
	'network-get-interfaces': (guest) => [
		{ name: 'lo', 'hardware-address': '00:00:00:00:00:00', 'ip-addresses': [
			{ 'ip-address': '127.0.0.1', 'ip-address-type': 'ipv4', prefix: 8 }] },
		{ name: 'ens18', 'hardware-address': guest.mac.toLowerCase(), 'ip-addresses': [
			{ 'ip-address': `192.168.1.${guest.name === 'mgmt' ? 65 : (guest.vmid % 150) + 100}`,
				'ip-address-type': 'ipv4', prefix: 24 }] },
	],
	info: () => ({ version: '7.2.17', supported_commands: [{ name: 'guest-ping', enabled: true,
		'success-response': true }] }),
};

function ready(ctx) {
	const guest = guestHere(ctx, 'qemu');
	if (!guest.agent) {
		die('No QEMU guest agent configured');
	}
	if (guest.state !== 'running') {
		die(`VM ${guest.vmid} is not running`);
	}
	return guest;
}

export default {
	'POST /nodes/{node}/qemu/{vmid}/agent/ping': (ctx) => {
		ready(ctx);
		return { result: {} };
	},
	...Object.fromEntries(Object.entries(QUESTIONS).map(([name, answer]) =>
		[`GET /nodes/{node}/qemu/{vmid}/agent/${name}`,
			(ctx) => ({ result: answer(ready(ctx), ctx.now) })])),
};
