// What an owner would not want to be read by others does not survive, wherever it stands; what is Proxmox's own does.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { redactAll, writeCapture } from '../capture.mjs';
import { Redactor } from '../redact.mjs';

const dir = mkdtempSync(join(tmpdir(), 'live-redact-'));
after(() => rmSync(dir, { recursive: true, force: true }));

/** Everything here must go. */
const PLANTED = {
	node: 'wotan', guest: 'mums-diary', storage: 'vault7', user: 'siegfried', token: 'ringpoller', realm: 'walhall', pool: 'familie', tag: 'klinik',
	ip: '10.47.11.5', ip6: 'fd00:4711::5', mac: 'BC:24:11:DE:AD:01', serial: 'S6Z1NX0R123456', uuid: '7b3f2c1a-90de-4e21-b1cc-0123456789ab',
	wwn: '0x5002538f31234567', fingerprint: 'AB:CD:'.repeat(15) + 'EF:01', secret: 'd1f6a1e2-aaaa-bbbb-cccc-1234567890ab', note: 'call Brünnhilde at 0171-5554711',
	host: 'rhein.example.org', snapshot: 'before-divorce', password: 'hunter2hunter2', key: 'AAAAC3NzaC1lZDI1NTE5AAAAIplanted', job: 'nightly-of-wotan',
	bridge: 'vmbrsecret', key_name: 'alberich', digits: '490171555',
};
const P = PLANTED;

const answer = (template, path, data, more = {}) => ({
	template, path, node: null,
	answer: { status: 200, reason: 'OK', headers: { 'content-type': 'application/json;charset=UTF-8', 'x-served-by': P.node }, text: '', answer: { data }, data, ...more },
});

const ASKED = [
	answer('/nodes/{node}/status', `/nodes/${P.node}/status`, {
		kversion: 'Linux 6.17.13-2-pve #1 SMP PREEMPT_DYNAMIC PMX 6.17.13-2 (2026-07-30T08:06Z)', pveversion: 'pve-manager/9.2.11/c5b0a9e27d4f8163',
		cpuinfo: { model: 'AMD Ryzen 5 3600 6-Core Processor', cpus: 6, mhz: '3600.137' }, loadavg: ['0.50', '0.40', '0.30'],
		memory: { total: 33285996544 }, strange_new_field: `made for ${P.host}`,
	}),
	answer('/cluster/resources', '/cluster/resources', [
		{ id: `node/${P.node}`, type: 'node', node: P.node, status: 'online', maxcpu: 6, maxmem: 33285996544, level: '' },
		{ id: 'qemu/101', type: 'qemu', vmid: 101, name: P.guest, node: P.node, status: 'running', tags: `${P.tag};web`, pool: P.pool, maxmem: 4294967296, cpu: 0.25 },
		{ id: 'lxc/102', type: 'lxc', vmid: 102, name: 'running', node: P.node, status: 'stopped', lock: 'backup' },
		{ id: `storage/${P.node}/${P.storage}`, type: 'storage', storage: P.storage, node: P.node, plugintype: 'nfs', content: 'images,backup', shared: 1 },
	]),
	answer('/cluster/tasks', '/cluster/tasks', [
		{ upid: `UPID:${P.node}:0005DB1A:21AAF338:6AFFCF05:vzdump:101:${P.user}@${P.realm}!${P.token}:`, node: P.node, type: 'vzdump', id: '101',
			user: `${P.user}@${P.realm}!${P.token}`, starttime: 1795149573, status: `unable to reach ${P.host} (${P.ip})` },
		{ upid: `UPID:${P.node}:0005DB1A:21AAF338:6AFFCF06:qmstart:101:root@pam:`, node: P.node, type: 'qmstart', id: '101', user: 'root@pam', status: 'OK' },
	]),
	answer('/cluster/status', '/cluster/status', [{ type: 'cluster', name: 'nibelungen', id: 'cluster', quorate: 1 }, { type: 'node', name: P.node, ip: P.ip, id: `node/${P.node}` }]),
	answer('/access/permissions', '/access/permissions', { '/': { 'Sys.Audit': 1 }, [`/storage/${P.storage}`]: { 'Datastore.Audit': 1 }, '/vms/101': { 'VM.Audit': 1 },
		[`/pool/${P.pool}`]: { 'Pool.Audit': 1 } }),
	answer('/nodes/{node}/{type}/{vmid}/config', `/nodes/${P.node}/qemu/101/config`, {
		name: P.guest, description: P.note, net0: `virtio=${P.mac},bridge=${P.bridge},tag=12`, smbios1: `uuid=${P.uuid}`, vmgenid: P.uuid, cipassword: P.password,
		ciuser: P.user, sshkeys: encodeURIComponent(`ssh-ed25519 ${P.key} ${P.user}@${P.host}`), ipconfig0: `ip=${P.ip}/24,gw=${P.ip6}`, searchdomain: P.host,
		nameserver: P.ip6, scsi0: `${P.storage}:vm-101-disk-0,serial=${P.serial},size=32G`, memory: '4096', cores: 2, ostype: 'l26', digest: 'ab'.repeat(20),
		parent: P.snapshot, args: `-smbios type=1,serial=${P.serial}`, onboot: 1, balloon: 0,
	}),
	answer('/nodes/{node}/disks/list', `/nodes/${P.node}/disks/list`, [{ devpath: '/dev/nvme0n1', serial: P.serial, model: 'Samsung SSD 990', wwn: P.wwn, type: 'nvme',
		size: 1000204886016, by_id_link: `/dev/disk/by-id/nvme-${P.serial}`, health: 'PASSED', wearout: 97 }, { devpath: '/dev/sda', serial: Number(P.digits), type: 'hdd' }]),
	answer('/nodes/{node}/storage/{storage}/content', `/nodes/${P.node}/storage/${P.storage}/content?content=backup`, [
		{ volid: `${P.storage}:backup/vzdump-qemu-101-2026_11_20-02_30_00.vma.zst`, notes: P.note, ctime: 1795149573, size: 1234567, vmid: 101, format: 'vma.zst' },
		{ volid: `${P.storage}:iso/${P.host}.iso`, content: 'iso' }]),
	answer('/nodes/{node}/certificates/info', `/nodes/${P.node}/certificates/info`, [{ filename: 'pve-ssl.pem', fingerprint: P.fingerprint, subject: `/CN=${P.host}`,
		san: [P.ip, P.host, P.node], notafter: 1895149573, pem: `-----BEGIN CERTIFICATE-----\n${P.key}\n` }]),
	answer('/cluster/ha/status/manager_status', '/cluster/ha/status/manager_status', { manager_status: { node_status: { [P.node]: 'online' }, master_node: P.node } }),
	answer('/cluster/backup', '/cluster/backup', [{ id: P.job, comment: P.note, schedule: 'sun 04:00', storage: P.storage, mailto: `${P.user}@${P.host}` }]),
	answer('/new/thing', '/new/thing', { deep: [{ deeper: { [P.key_name]: { owner: P.key_name, text: P.secret } } }], node: P.key_name }),
	{ ...answer('/nodes/{node}/storage', `/nodes/${P.node}/storage`, null), answer: { status: 500, reason: `hostname lookup '${P.node}' failed`, headers: {}, text: '<html>', data: undefined } },
];

function redacted() {
	const redactor = new Redactor(['balloon']);
	redactor.learn([P.secret], 'secret');
	redactor.learnForms([P.ip, `${P.user}@${P.realm}!${P.token}`]);
	return { redactor, captured: redactAll(redactor, structuredClone(ASKED)) };
}

test('nothing of what was planted survives, in no file, in no case and not percent-encoded', () => {
	const { captured, redactor } = redacted();
	writeCapture(dir, captured, { version: '9.2.11' });
	const files = readdirSync(dir);
	assert.equal(files.length, ASKED.length + 1);
	for (const file of files) {
		assert.equal(statSync(join(dir, file)).mode & 0o777, 0o600, file);
		const text = readFileSync(join(dir, file), 'utf8');
		for (const [what, planted] of Object.entries(PLANTED)) {
			for (const form of [planted, encodeURIComponent(planted), planted.replaceAll(':', '')]) {
				assert.ok(!text.toLowerCase().includes(form.toLowerCase()) && !file.includes(form), `${file}: ${what} ${form}`);
			}
		}
		for (const word of ['Brünnhilde', 'nibelungen', '5554711']) assert.ok(!text.includes(word), `${file}: ${word}`);
	}
	assert.equal(statSync(dir).mode & 0o777, 0o700);
	for (const { body, path, reason } of captured) assert.equal(redactor.finds([body, path, reason]), false, path);
});

test('what is Proxmox\'s own stays: numbers, states, versions, forms', () => {
	const { captured } = redacted();
	const body = (template) => captured.find((call) => call.template === template).body.data;
	const status = body('/nodes/{node}/status');
	assert.equal(status.kversion, 'Linux 6.17.13-2-pve #1 SMP PREEMPT_DYNAMIC PMX 6.17.13-2 (2026-07-30T08:06Z)');
	assert.equal(status.pveversion, 'pve-manager/9.2.11/c5b0a9e27d4f8163');
	assert.deepEqual([status.cpuinfo.model, status.loadavg[0], status.memory.total], ['AMD Ryzen 5 3600 6-Core Processor', '0.50', 33285996544]);
	const [node, vm, ct, storage] = body('/cluster/resources');
	assert.deepEqual([node.status, node.type, vm.status, vm.vmid, vm.id, vm.maxmem, vm.cpu], ['online', 'node', 'running', 101, 'qemu/101', 4294967296, 0.25]);
	// A guest that is called as a state is: its name goes, states stay.
	assert.match(ct.name, /^guest-\d$/);
	assert.deepEqual([ct.status, ct.lock, storage.plugintype, storage.content], ['stopped', 'backup', 'nfs', 'images,backup']);
	const [failed, good] = body('/cluster/tasks');
	assert.match(failed.upid, /^UPID:node-\d:0005DB1A:21AAF338:6AFFCF05:vzdump:101:user-\d@realm-\d!token-\d:$/);
	assert.deepEqual([good.status, good.type, good.id], ['OK', 'qmstart', '101']);
	assert.ok('balloon' in body('/nodes/{node}/{type}/{vmid}/config'));
	assert.match(body('/nodes/{node}/storage/{storage}/content')[0].volid, /^storage-\d:backup\/vzdump-qemu-101-2026_11_20-02_30_00\.vma\.zst$/);
	assert.equal(typeof body('/nodes/{node}/disks/list')[1].serial, 'number');
});

test('the same name is the same word everywhere, and another run says another for what is random', () => {
	const { captured } = redacted();
	const body = (list, template) => list.find((call) => call.template === template).body.data;
	const [node] = body(captured, '/cluster/resources');
	assert.match(node.node, /^node-\d$/);
	assert.equal(node.id, `node/${node.node}`);
	assert.equal(body(captured, '/cluster/status')[1].name, node.node);
	assert.equal(captured[0].path, `/nodes/${node.node}/status`);
	assert.deepEqual(Object.keys(body(captured, '/cluster/ha/status/manager_status').manager_status.node_status), [node.node]);
	const serial = (list) => body(list, '/nodes/{node}/certificates/info')[0].fingerprint;
	assert.notEqual(serial(captured), serial(redacted().captured));
});

test('a name that was let through before it was known is found by the second look', () => {
	const late = [answer('/version', '/version', { release: '9.2-geheim', version: '9.2' }),
		answer('/cluster/status', '/cluster/status', [{ type: 'node', name: 'geheim', id: 'node/geheim' }])];
	assert.ok(!JSON.stringify(redactAll(new Redactor(), late)).includes('geheim'));
});
