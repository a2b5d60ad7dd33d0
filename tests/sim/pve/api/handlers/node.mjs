/** A node's own state: measured when asked, not from the last broadcast. */
import { measureNodeNow } from '../../model/sample.mjs';

const FLAGS = ('fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush ' +
	'mmx fxsr sse sse2 ht syscall nx mmxext pdpe1gb rdtscp lm constant_tsc rep_good nopl xtopology ' +
	'cpuid extd_apicid aperfmperf rapl pni pclmulqdq monitor ssse3 fma cx16 sse4_1 sse4_2 movbe ' +
	'popcnt aes xsave avx f16c rdrand lahf_lm svm extapic abm sse4a misalignsse 3dnowprefetch ' +
	'topoext perfctr_core ssbd ibrs ibpb stibp vmmcall fsgsbase bmi1 avx2 smep bmi2 erms invpcid ' +
	'rdt_a rdseed adx smap clflushopt clwb sha_ni xsaveopt xsavec xgetbv1 xsaves clzero').trim();

function status({ sim, node }) {
	const now = measureNodeNow(sim.cluster, node);
	const { pve } = node;
	const memory = {
		total: node.maxmem, used: now.mem, free: Math.round((node.maxmem - now.mem) * 0.42),
	};
	if (pve.major >= 9) {
		memory.available = node.maxmem - now.mem;
	}
	const used = now.disk;
	const free = node.maxdisk - used;
	return {
		uptime: now.uptime, idle: 0, cpu: now.cpu, wait: now.wait,
		loadavg: [1, 0.93, 0.88].map((f) => (now.load * f).toFixed(2)),
		cpuinfo: cpuInfo(node), memory,
		swap: { total: node.maxswap, used: now.swap, free: node.maxswap - now.swap },
		ksm: { shared: 0 },
		rootfs: { total: node.maxdisk, used, free, avail: Math.floor(free * 0.95) },
		kversion: `Linux ${pve.kernel} ${pve.kbuild}`,
		'current-kernel': { sysname: 'Linux', release: pve.kernel, version: pve.kbuild,
			machine: 'x86_64' },
		'boot-info': { mode: 'efi', secureboot: node.nodeid === 1 ? 1 : 0 },
		pveversion: `pve-manager/${pve.version}/${pve.repoid}`,
	};
}

function cpuInfo(node) {
	const amd = node.cpuModel.startsWith('AMD');
	return {
		cpus: node.cores, sockets: node.sockets,
		cores: node.cores > 2 ? Math.ceil(node.cores / 2) : node.cores,
		model: node.cpuModel, vendor: amd ? 'AuthenticAMD' : 'GenuineIntel',
		mhz: (2400 + (node.seed % 1900) + 0.137).toFixed(3), family: amd ? '23' : '6', hvm: '1',
		user_hz: 100, flags: FLAGS,
	};
}

function index() {
	return ['apt', 'certificates', 'disks', 'lxc', 'qemu', 'replication', 'rrddata', 'services',
		'status', 'storage', 'subscription', 'tasks', 'time', 'version'].map((name) => ({ name }));
}

function version({ node }) {
	const { version: v, release, repoid } = node.pve;
	return { version: v, release, repoid };
}

function time({ now }) {
	const seconds = Math.floor(now);
	const offset = -new Date(seconds * 1000).getTimezoneOffset() * 60;
	return { time: seconds, localtime: seconds + offset,
		timezone: Intl.DateTimeFormat().resolvedOptions().timeZone ?? 'UTC' };
}

const SERVICES = ['chrony', 'corosync', 'cron', 'ksmtuned', 'postfix', 'pve-cluster',
	'pve-firewall', 'pve-ha-crm', 'pve-ha-lrm', 'pvedaemon', 'pvefw-logger', 'pveproxy',
	'pvescheduler', 'pvestatd', 'spiceproxy', 'sshd', 'syslog', 'systemd-journald'];

function services({ sim }) {
	return SERVICES.map((name) => serviceRow(sim, name));
}

function serviceRow(sim, name) {
	const off = (sim.cluster.standalone && name === 'corosync') || name === 'syslog';
	return {
		service: name, name, desc: `${name} daemon`, state: off ? 'dead' : 'running',
		'active-state': off ? 'inactive' : 'active', 'unit-state': off ? 'not-found' : 'enabled',
	};
}

export default {
	'GET /nodes/{node}': index,
	'GET /nodes/{node}/status': status,
	'GET /nodes/{node}/version': version,
	'GET /nodes/{node}/time': time,
	'GET /nodes/{node}/services': services,
	'GET /nodes/{node}/services/{service}/state': ({ sim, params }) =>
		serviceRow(sim, params.service),
	'GET /nodes/{node}/subscription': ({ node }) => ({
		status: 'notfound', message: 'There is no subscription key', serverid: node.seed
			.toString(16).toUpperCase().padStart(8, '0').repeat(4),
		url: 'https://www.proxmox.com/en/proxmox-virtual-environment/pricing',
	}),
	'GET /nodes/{node}/config': ({ node }) => ({ wakeonlan: node.mac }),
	'GET /nodes/{node}/dns': () => ({ search: 'home.arpa', dns1: '192.168.1.1' }),
};
