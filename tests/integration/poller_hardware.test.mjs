// proxmox-poller and what lies below the guests: disks that must not be woken, pools, packages, certificates, Ceph, and
// the rights that it takes to see them.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { docs, reconfigure, refresh, start, world } from './poller_world.mjs';

const SOLID = ['ssd', 'nvme'];
const SMART = ['health', 'celsius', 'life_left', 'power_on_hours', 'reallocated', 'pending', 'media_errors'];
const AUDITOR = { path: '/', roles: ['PVEAuditor'] };
const UPDATES = { path: '/nodes', roles: ['PVEAuditor', 'JarvisUpdates'] };

const wordOf = (disk) => (disk.serial === 'unknown' ? disk.devpath.slice(5) : disk.serial);
const readAll = (d) => Object.keys(d.sources).filter((k) => /^(disks|updates)\./.test(k)).length >= 8 &&
	Object.entries(d.sources).every(([k, s]) => !/^(disks|updates)\./.test(k) || s.last_ok_ms);

describe('what lies below the guests', () => {
	let stack, home;
	const nodeTruth = async (node) => (await home.truth()).nodes[node];
	const diskTruth = async (node, devpath) => (await nodeTruth(node)).disks.find((d) => d.devpath === devpath);
	const pathOf = async (node, devpath) => `node/${node}/disk/${wordOf(await diskTruth(node, devpath))}`;

	before(async () => {
		stack = await start();
		home = world(stack);
		await home.until('state', (d) => d.guests > 0 && d.error === null && readAll(d));
	});
	after(() => stack?.stop());

	test('disks are as they are, and none was woken', async () => {
		const { nodes } = await home.truth();
		let rotating = 0;

		for (const [node, { disks }] of Object.entries(nodes)) {
			assert.equal(docs(stack, `${home.base}/node/${node}/disk/`).length, disks.length, node);
			for (const real of disks) {
				const disk = await home.until(`node/${node}/disk/${wordOf(real)}`, Boolean);
				const solid = SOLID.includes(real.type);

				assert.deepEqual([disk.node, disk.serial, disk.device, disk.model, disk.type, disk.size, disk.used_by],
					[node, wordOf(real), real.devpath, real.model, real.type, real.size, real.used]);
				assert.equal(real.smart_reads, solid ? 1 : 0, `${node} ${real.devpath}`);
				rotating += !solid;
				if (solid) {
					assert.deepEqual([disk.health, disk.life_left, disk.reason], ['PASSED', real.wearout, null]);
					assert.ok(disk.celsius > 20 && disk.celsius < 80 && disk.power_on_hours >= 9000);
					assert.equal(disk.reallocated, real.type === 'ssd' ? real.reallocated ?? 0 : null);
					assert.equal(disk.media_errors, real.type === 'nvme' ? 0 : null);
				} else {
					for (const key of SMART) assert.equal(disk[key], null, `${real.devpath} ${key}`);
					assert.match(disk.reason, /clusters\.home\.poll\.smart_rotating: true/);
				}
			}
		}
		assert.ok(rotating >= 3);
	});

	test('a disk that fails takes its pool with it, and both are mended', async () => {
		const path = await pathOf('pve', '/dev/sda');
		const { by_id_link: link } = await diskTruth('pve', '/dev/sda');

		await stack.sim('disk_fail', { node: 'pve', devpath: '/dev/sda' });
		assert.equal((await refresh(stack, `pve/home/${path}`)).status, 'ok');
		const disk = home.doc(path);
		assert.deepEqual([disk.health, disk.reallocated, disk.pending], ['FAILED!', 1288, 64]);
		const pool = home.doc('node/pve/pool/tank');
		assert.equal(pool.health, 'DEGRADED');
		assert.deepEqual(pool.bad_devices, [`${link}-part1: FAULTED, 3 read errors, many write errors (too many errors)`]);
		assert.match(pool.scan, /^scrub repaired 0B/);
		assert.ok(pool.size > pool.used && pool.used > 0);
		await stack.sim('disk_ok', { node: 'pve', devpath: '/dev/sda' });
		await refresh(stack, 'pve/home/node/pve/pool/tank');
		assert.deepEqual([home.doc(path).health, home.doc('node/pve/pool/tank').health], ['PASSED', 'ONLINE']);
		assert.deepEqual(home.doc('node/pve/pool/tank').bad_devices, []);
		// The other nodes were not bothered, and no platter anywhere.
		assert.equal((await diskTruth('agent1', '/dev/sda')).smart_reads, 1);
		for (const dev of ['/dev/sda', '/dev/sdb']) assert.equal((await diskTruth('Home', dev)).smart_reads, 0);
		assert.equal((await diskTruth('pve', '/dev/sdc')).smart_reads, 0);
	});

	test('SMART of one disk that cannot be read costs the others nothing', async () => {
		const [bad, good] = [await pathOf('agent1', '/dev/sda'), await pathOf('agent1', '/dev/sdb')];

		await stack.sim('disk', { node: 'agent1', devpath: '/dev/sda', values: { smart_error: 2 } });
		assert.equal((await refresh(stack, `pve/home/${bad}`)).status, 'ok');
		assert.match(home.doc(bad).reason, /Error getting S\.M\.A\.R\.T\. data/);
		for (const key of SMART) assert.equal(home.doc(bad)[key], null, key);
		assert.equal(home.doc(bad).model, 'CT2000MX500SSD1');
		assert.equal(home.doc(good).health, 'PASSED');
		await stack.sim('disk', { node: 'agent1', devpath: '/dev/sda', values: {} });
		await refresh(stack, `pve/home/${bad}`);
		assert.deepEqual([home.doc(bad).health, home.doc(bad).reason], ['PASSED', null]);
	});

	test('answers that make no sense: counted, and nothing is lost', async () => {
		const paths = docs(stack, `${home.base}/node/agent1/`).length;
		const disk = await pathOf('agent1', '/dev/sdb');

		for (const kind of ['notjson', 'wrongtypes', 'deep']) {
			await stack.sim('garbage', { path_prefix: '/nodes/agent1/disks', kind, count: 1 });
			const reply = await refresh(stack, `pve/home/${disk}`);
			assert.equal(reply.status, 'error', kind);
			assert.equal(home.doc(disk).health, 'PASSED');
			await stack.sim('garbage', { path_prefix: '/nodes/agent1/disks/smart', kind, count: 3 });
			assert.equal((await refresh(stack, `pve/home/${disk}`)).status, 'ok', kind);
			await stack.sim('garbage', { path_prefix: '/nodes/agent1/disks/zfs', kind, count: 1 });
			// Which pools there are is not known then: that is told, and those that were stay.
			assert.equal((await refresh(stack, `pve/home/${disk}`)).status, 'error', kind);
			await stack.sim('garbage', { path_prefix: '/nodes/agent1/disks/zfs/tank', kind, count: 1 });
			assert.equal((await refresh(stack, `pve/home/${disk}`)).status, 'ok', kind);
			assert.equal(docs(stack, `${home.base}/node/agent1/`).length, paths, kind);
			await stack.sim('garbage', { path_prefix: '/nodes/agent1/apt', kind, count: 1 });
			assert.equal((await refresh(stack, 'pve/home/node/agent1/updates')).status, 'ok', kind);
			const updates = home.doc('node/agent1/updates');
			assert.ok(updates.pending !== null || updates.reason, kind);
			assert.ok(updates.certificate_ends_ms > 0);
			await stack.sim('faults_clear', {});
		}
		await refresh(stack, `pve/home/${disk}`, 'pve/home/node/agent1/updates');
		assert.equal(home.doc('node/agent1/pool/tank').health, 'ONLINE');
		const { doc: health } = await stack.observer.next('jarvis/service/proxmox-poller/main/health', (d) => d.counters, 15_000);
		assert.ok(health.counters.pve_failed_bad_answer > 10, JSON.stringify(health.counters));
	});

	test('ZFS that hangs: the disks are told all the same', async () => {
		const path = await pathOf('agent1', '/dev/sda');

		await stack.sim('disk', { node: 'agent1', devpath: '/dev/sda', values: { reallocated: 5 } });
		await stack.sim('garbage', { path_prefix: '/nodes/agent1/disks/zfs', kind: 'hang', count: 1 });
		const reply = await refresh(stack, `pve/home/${path}`);
		assert.deepEqual([reply.status, reply.code], ['error', 'failed']);
		assert.match(reply.text, /did not answer \/nodes\/agent1\/disks\/zfs/);
		assert.equal(home.doc(path).reallocated, 5);
		assert.equal(home.doc('node/agent1/pool/tank').health, 'ONLINE');
		await stack.sim('faults_clear', {});
		await stack.sim('garbage', { path_prefix: '/nodes/agent1/disks/smart', kind: 'hang', count: 1 });
		assert.equal((await refresh(stack, `pve/home/${path}`)).status, 'ok');
		const silent = docs(stack, `${home.base}/node/agent1/disk/`).filter((d) => /did not answer/.test(d.reason));
		assert.equal(silent.length, 1);
		await stack.sim('faults_clear', {});
		await stack.sim('disk', { node: 'agent1', devpath: '/dev/sda', values: {} });
		assert.equal((await refresh(stack, `pve/home/${path}`)).status, 'ok');
		assert.equal(home.doc(path).reallocated, 0);
	});

	test('a disk goes and comes back', async () => {
		const path = await pathOf('agent1', '/dev/nvme0n1');

		await stack.sim('disk', { node: 'agent1', devpath: '/dev/nvme0n1', values: { gone: true } });
		await refresh(stack, `pve/home/${path}`);
		await home.until(path, (d) => d === null);
		await stack.sim('disk', { node: 'agent1', devpath: '/dev/nvme0n1', values: {} });
		await refresh(stack, `pve/home/${path}`);
		assert.equal((await home.until(path, Boolean)).type, 'nvme');
	});

	test('packages: Proxmox\'s own without the right, all with it, and back', async () => {
		await stack.sim('updates', { node: 'pve', packages: ['pve-manager', 'qemu-server', 'openssh-server'] });
		await home.forget();
		await refresh(stack, 'pve/home/node/pve/updates');
		let updates = home.doc('node/pve/updates');
		assert.deepEqual(updates.packages.map((p) => p.name), ['pve-manager', 'qemu-server']);
		assert.deepEqual([updates.pending, updates.partial, updates.security], [2, true, null]);
		assert.match(updates.reason, /pveum role add JarvisUpdates --privs Sys\.Modify; pveum acl modify \/nodes --users 'jarvis@pve' --tokens 'jarvis@pve!monitor' --roles PVEAuditor,JarvisUpdates$/);
		// It is known that the answer would be no.
		assert.equal((await home.asked()).by_template['GET /nodes/{node}/apt/update'], undefined);

		await stack.sim('token_acl', { token: 'monitor', acl: [AUDITOR, UPDATES] });
		const all = home.next('node/pve/updates', (d) => d.partial === false);
		await refresh(stack, 'pve/home/state');
		updates = await all;
		assert.deepEqual(updates.packages.map((p) => p.name), ['openssh-server', 'pve-manager', 'qemu-server']);
		assert.deepEqual([updates.pending, updates.reason], [3, null]);
		// Debian's archive for security calls itself Debian too.
		assert.equal(updates.security, null);
		assert.deepEqual(home.cluster().findings, []);
		await stack.sim('updates', { node: 'pve', packages: ['pve-manager'] });
		await refresh(stack, 'pve/home/node/pve/updates');
		assert.deepEqual([home.doc('node/pve/updates').pending, home.doc('node/pve/updates').security], [1, 0]);

		// Taken away without a word: 403, and what is left is told.
		await stack.sim('token_acl', { token: 'monitor', acl: [AUDITOR] });
		assert.equal((await refresh(stack, 'pve/home/node/pve/updates')).status, 'ok');
		assert.deepEqual([home.doc('node/pve/updates').partial, home.doc('node/pve/updates').pending], [true, 1]);
		assert.equal(home.cluster().error, null);
		await refresh(stack, 'pve/home/state');
	});

	test('certificates: the one that the API shows, also when it has ended', async () => {
		const { certificate, certificate_ends_ms: ends } = home.doc('node/agent/updates');

		assert.equal(certificate, 'pve-ssl.pem');
		assert.ok(ends > Date.now() + 700 * 86_400_000);
		await stack.sim('certificate', { node: 'agent', days: -2, file: 'pveproxy-ssl.pem' });
		await refresh(stack, 'pve/home/node/agent/updates');
		assert.equal(home.doc('node/agent/updates').certificate, 'pveproxy-ssl.pem');
		assert.ok(home.doc('node/agent/updates').certificate_ends_ms < Date.now() - 86_400_000);
	});

	test('Ceph: where there is none, no document and no failure; then what any node tells of it', async () => {
		const { ceph } = home.cluster().sources;

		assert.deepEqual([ceph.failures, ceph.error, ceph.period_s], [0, null, 3600]);
		assert.equal(stack.observer.docs.has(`${home.base}/ceph`), false);
		await stack.sim('ceph', { state: 'uninitialized' });
		assert.equal((await refresh(stack, 'pve/home/ceph')).status, 'ok');
		assert.equal(stack.observer.docs.has(`${home.base}/ceph`), false);
		// Installed on the last node alone.
		await stack.sim('ceph', { state: 'ok', release: 'reef', nodes: ['agent'] });
		assert.equal((await refresh(stack, 'pve/home/ceph')).status, 'ok');
		let doc = home.doc('ceph');
		assert.deepEqual([doc.health, doc.osds, doc.osds_up, doc.mons, doc.mons_in_quorum, doc.pgs, doc.pgs_clean, doc.degraded],
			['HEALTH_OK', 6, 6, 3, 3, 129, 129, 0]);
		await home.until('state', (d) => d.sources.ceph.period_s === 60);
		await stack.sim('ceph', { state: 'warn', release: 'squid', nodes: ['agent'] });
		await home.forget();
		await refresh(stack, 'pve/home/ceph');
		doc = home.doc('ceph');
		assert.deepEqual([doc.health, doc.osds_up, doc.pgs_clean, doc.mons], ['HEALTH_WARN', 5, 96, 3]);
		assert.deepEqual(doc.checks.map((c) => [c.name, c.severity]), [['OSD_DOWN', 'warning'], ['PG_DEGRADED', 'warning']]);
		assert.ok(Math.abs(doc.degraded - 3.333) < 0.01);
		// The one that knows is asked at once.
		assert.deepEqual((await home.asked()).log.filter((r) => /ceph/.test(r.target)).map((r) => r.node), ['agent']);
		// While it cannot be asked, that others have no Ceph means nothing.
		await stack.sim('endpoint_down', { node: 'agent' });
		assert.equal((await refresh(stack, 'pve/home/ceph')).status, 'error');
		assert.equal(home.doc('ceph').health, 'HEALTH_WARN');
		await stack.sim('endpoint_up', { node: 'agent' });
		await stack.sim('ceph', { state: 'absent' });
		// It rests for a while after it failed.
		await home.until('state', (d) => d.error === null);
		for (let tries = 0; home.doc('ceph') && tries < 20; tries++) {
			await home.next('state', Boolean);
			await refresh(stack, 'pve/home/ceph');
		}
		assert.equal(home.doc('ceph'), null);
		await home.until('state', (d) => d.sources.ceph.failures === 0 && d.sources.ceph.period_s === 3600);
	});

	test('a node that is offline is not asked, and read again when it is back', async () => {
		const path = await pathOf('pve', '/dev/sda');

		await stack.sim('node_down', { node: 'pve' });
		await home.until('state', (d) => /offline/.test(d.sources['disks.pve'].error ?? ''), 20_000);
		assert.match(home.cluster().sources['updates.pve'].error, /offline/);
		await home.forget();
		const before = home.doc(path);
		assert.equal((await refresh(stack, `pve/home/${path}`)).status, 'ok');
		assert.deepEqual(home.doc(path), before);
		assert.equal((await home.asked()).log.filter((r) => /\/nodes\/pve\/(disks|apt|cert)/.test(r.target)).length, 0);
		await stack.sim('node_up', { node: 'pve' });
		await home.until('state', (d) => d.sources['disks.pve'].error === null && d.sources['updates.pve'].error === null, 40_000);
		assert.ok((await home.until(path, (d) => d.ts > before.ts || d.health)).health);
		assert.ok((await diskTruth('pve', '/dev/sda')).smart_reads > 0);
	});

	test('refresh of what is not there', async () => {
		for (const what of ['node/nobody/updates', 'node/nobody/disk/x', 'node/nobody/pool/tank']) {
			const reply = await refresh(stack, `pve/home/${what}`);
			assert.deepEqual([reply.status, reply.code], ['error', 'unknown_object'], what);
		}
	});
});

describe('rights', () => {
	let stack, home;
	const acl = async (...list) => {
		await stack.sim('token_acl', { token: 'monitor', acl: list });
		await refresh(stack, 'pve/home/state');
	};
	const finding = (id) => home.cluster().findings.find((f) => f.id === id);
	const logged = async (what) => (await stack.logs('proxmox-poller')).split('\n').filter((l) => l.includes(what)).length;

	before(async () => {
		stack = await start();
		home = world(stack);
		await home.until('state', (d) => d.guests > 0 && d.error === null && readAll(d));
	});
	after(() => stack?.stop());

	test('just right: nothing is found', () => assert.deepEqual(home.cluster().findings, []));

	test('how much Proxmox is asked is told, by node and by kind', async () => {
		const sum = (counts) => Object.values(counts).reduce((n, x) => n + x, 0);
		const near = (a, b) => Math.abs(a - b) <= 8; // what is asked while we look
		// Not a minute has passed since the start.
		const { calls_by_path: kinds, calls_by_node: nodes } = await home.next('state', Boolean);
		const { by_template: asked, by_node: answered } = await home.asked();
		const count = (path) => sum(Object.fromEntries(Object.entries(asked).filter(([k]) => k.includes(path))));

		assert.ok(near(sum(kinds), sum(asked)), JSON.stringify([kinds, asked]));
		assert.equal(kinds.disks, count('/disks/'));
		assert.equal(kinds.updates, count('/apt/') + count('/certificates/'));
		assert.equal(kinds.permissions, count('/access/'));
		for (const [node, n] of Object.entries(answered)) assert.ok(near(nodes[node], n), `${node}: ${nodes[node]} ${n}`);
	});

	test('too few: what is missing, where, and what becomes of it', async () => {
		await acl(AUDITOR, { path: '/storage', roles: ['NoAccess'] });
		const cluster = await home.until('state', (d) => d.findings.length > 0);
		assert.deepEqual(cluster.findings.map((f) => f.id), ['token-lacks-datastore-audit']);
		const { title, detail, cure } = cluster.findings[0];
		assert.match(title, /Datastore\.Audit on \/storage/);
		assert.match(detail, /storages and the backups on them do not appear/);
		assert.match(cure, /pveum acl modify \/storage --users 'jarvis@pve' --tokens 'jarvis@pve!monitor' --roles PVEAuditor$/);
	});

	test('too many: a standing warning with the line that mends it', async () => {
		await acl({ path: '/', roles: ['PVEAuditor', 'JarvisPower'] });
		await home.until('state', (d) => d.findings.some((f) => f.id === 'token-excess'));
		assert.equal(finding('token-lacks-datastore-audit'), undefined);
		const { severity, detail, cure } = finding('token-excess');
		assert.equal(severity, 'warning');
		assert.match(detail, /on \/: .*VM\.PowerMgmt/);
		assert.equal(cure, 'pveum acl delete / --tokens \'jarvis@pve!monitor\' --roles JarvisPower && ' +
			'pveum acl modify / --tokens \'jarvis@pve!monitor\' --roles PVEAuditor');
		// It stands, and is not told again and again.
		await refresh(stack, 'pve/home/state');
		await refresh(stack, 'pve/home/state');
		assert.ok(finding('token-excess'));
		assert.equal(await logged('The token may do more than read: on /'), 1);
		assert.equal(home.cluster().error, null);
	});

	test('a token without separation', async () => {
		await stack.sim('token_privsep', { token: 'monitor', on: false });
		await refresh(stack, 'pve/home/state');
		const cluster = await home.until('state', (d) => d.findings.some((f) => f.id === 'token-not-separated'));
		assert.match(cluster.findings.find((f) => f.id === 'token-not-separated').cure,
			/pveum user token modify 'jarvis@pve' 'monitor' --privsep 1/);
	});

	test('mended: the findings go, and that is told once', async () => {
		await acl(AUDITOR);
		await home.until('state', (d) => d.findings.length === 0);
		assert.equal(await logged('mended: The token may do more than read'), 1);
		assert.equal(await logged('mended: The token has all rights of its user'), 1);
	});

	test('no right at all is told where it always was, and as no finding', async () => {
		await acl();
		const cluster = await home.until('state', (d) => d.error?.includes('may see nothing'));
		assert.deepEqual(cluster.findings, []);
		await acl(AUDITOR);
		await home.until('state', (d) => d.error === null);
	});

	test('Sys.Audit on nodes alone: the list, but neither SMART nor pools, and one question less than disks', async () => {
		await home.forget();
		await acl({ path: '/', roles: ['VM.Audit', 'Datastore.Audit'] }, { path: '/nodes', roles: ['PVEAuditor'] });
		const reply = await refresh(stack, 'pve/home/node/agent1/disk/x');
		assert.equal(reply.status, 'error');
		assert.match(reply.text, /lacks Sys\.Audit on \//);
		for (const disk of docs(stack, `${home.base}/node/agent1/disk/`)) {
			assert.match(disk.reason, /lacks Sys\.Audit on \/: pveum acl modify/);
			assert.equal(disk.celsius, null);
		}
		assert.equal((await home.asked()).by_template['GET /nodes/{node}/disks/smart'], 1);
		await acl(AUDITOR);
		assert.equal((await refresh(stack, 'pve/home/node/agent1/disk/x')).status, 'ok');
	});

	test('without Sys.Audit disks cannot be read: that is said, and nothing is invented', async () => {
		const before = docs(stack, `${home.base}/node/agent/disk/`);

		await acl({ path: '/', roles: ['VM.Audit', 'Datastore.Audit'] });
		await refresh(stack, 'pve/home/node/agent/disk/x');
		const cluster = await home.until('state', (d) => d.sources['disks.agent'].error);
		assert.match(cluster.sources['disks.agent'].error, /lacks|may not (read|ask)/);
		assert.deepEqual(docs(stack, `${home.base}/node/agent/disk/`), before);
		assert.ok(finding('token-lacks-sys-audit'));
		await acl(AUDITOR);
		await home.until('state', (d) => d.findings.length === 0);
	});
});

describe('the life of these documents', () => {
	test('what is left from before is cleared; rotating disks are read when that is wanted', async () => {
		const stack = await start();
		const home = world(stack);

		try {
			await home.until('state', (d) => d.guests > 0 && readAll(d));
			const kept = docs(stack, `${home.base}/node/Home/disk/`)[0];
			const left = [`${home.base}/node/Home/disk/OLD`, `${home.base}/node/gone/disk/OLD`, `${home.base}/node/gone/updates`,
				`${home.base}/node/gone/pool/tank`, `${home.base}/node/agent/pool/old`, `${home.base}/ceph`];

			await stack.kill('proxmox-poller');
			const client = await stack.mqtt();
			for (const topic of left) await client.publishAsync(topic, JSON.stringify(kept), { qos: 1, retain: true });
			await client.endAsync();
			await stack.start('proxmox-poller');
			for (const topic of left) await stack.waitFor(topic, (d) => d === null, 20_000);
			await home.until(`node/Home/disk/${kept.serial}`, Boolean);
			let { disks } = (await home.truth()).nodes.Home;
			assert.ok(disks.filter((d) => d.type === 'hdd').every((d) => d.smart_reads === 0));

			reconfigure(stack, ({ clusters }) => {
				clusters.home.poll.smart_rotating = true;
			});
			const hdd = disks.find((d) => d.type === 'hdd');
			const doc = await home.until(`node/Home/disk/${hdd.serial}`, (d) => d.health === 'PASSED', 20_000);
			assert.deepEqual([doc.reason, doc.life_left, doc.pending], [null, null, 0]);
			assert.ok(doc.celsius > 0 && doc.power_on_hours >= 9000);
			({ disks } = (await home.truth()).nodes.Home);
			assert.ok(disks.every((d) => d.smart_reads > 0));
		} finally {
			await stack.stop();
		}
	});

	test('Proxmox VE 8 on a node of its own', async () => {
		const stack = await start({ sim: { standalone: true, pve: '8.2', cluster: 'solo' } });
		const solo = world(stack, 'solo');

		try {
			const cluster = await solo.until('state', (d) => d.guests > 0 && Object.keys(d.sources).some((k) => /^disks/.test(k) && d.sources[k].last_ok_ms));
			const [node] = Object.keys((await solo.truth()).nodes);
			assert.deepEqual(cluster.findings, []);
			await solo.until(`node/${node}/updates`, (d) => d.certificate === 'pve-ssl.pem' && d.partial);
			await solo.until(`node/${node}/pool/tank`, (d) => d.health === 'ONLINE');
			assert.ok(docs(stack, `${solo.base}/node/${node}/disk/`).length >= 3);
		} finally {
			await stack.stop();
		}
	});
});
