// The comparisons must be able to fail: numbers that are not what Proxmox says, and answers of another shape.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cureOf, judgeCluster, judgeLog, unsettled } from '../judge.mjs';
import { compareAll, level } from '../numbers.mjs';
import { LIMITS, callsOf, expand, placesFrom, unknownWord, addPlaces } from '../paths.mjs';
import { Budget } from '../pve.mjs';
import { Report } from '../report.mjs';
import { compareCaptures, compareShapes, shapeOf } from '../shapes.mjs';

const ROWS = [
	{ type: 'node', node: 'a', status: 'online', maxcpu: 4, maxmem: 8e9, maxdisk: 1e11, cpu: 0.1, mem: 4e9, disk: 1e10 },
	{ type: 'qemu', vmid: 100, name: 'web', node: 'a', status: 'running', maxcpu: 2, maxmem: 2e9, maxdisk: 0, cpu: 0.5, mem: 1e9, template: 0, tags: 'x;y' },
];
const DOCS = {
	'node/a/state': { status: 'online', maxcpu: 4, maxmem: 8e9, maxdisk: 1e11, cpu: 10.2, mem: 4e9, disk: 1e10 },
	'guest/100/state': { name: 'web', type: 'qemu', node: 'a', status: 'running', maxcpu: 2, maxmem: 2e9, maxdisk: null, cpu: 49, mem: 1e9, template: false, tags: ['y', 'x'] },
};
const view = (resources = ROWS) => ({ resources, details: {}, storages: {} });

function problems(change = {}, before = view(), after = view()) {
	const docs = structuredClone(DOCS);
	for (const [path, fields] of Object.entries(change)) Object.assign(docs[path], fields);
	const result = compareAll(before, after, (path) => docs[path] ?? null);
	return [...result.guests.problems, ...result.nodes.problems, ...result.storages.problems];
}

test('equal is equal, and every difference is told', () => {
	assert.deepEqual(problems(), []);
	for (const fields of [{ name: 'other' }, { maxmem: 1 }, { maxcpu: null }, { status: 'stopped' }, { cpu: null }, { mem: 9e9 }, { cpu: 99 }, { node: 'b' }, { tags: ['x'] }]) {
		assert.equal(problems({ 'guest/100/state': fields }).length, 1, JSON.stringify(fields));
	}
	assert.match(problems({ 'node/a/state': { maxmem: 7 } })[0], /^node a maxmem: published 7, Proxmox says 8000000000$/);
	assert.deepEqual(compareAll(view(), view(), () => null).guests.problems, ['guest 100: is not published']);
});

test('what changed meanwhile may be what it was at either time', () => {
	const stopped = view([ROWS[0], { ...ROWS[1], status: 'stopped', cpu: 0, mem: 0 }]);
	assert.deepEqual(problems({}, view(), stopped), []);
	assert.deepEqual(problems({ 'guest/100/state': { status: 'stopped', cpu: null, mem: null } }, view(), stopped), []);
	assert.equal(problems({ 'guest/100/state': { status: 'paused' } }, view(), stopped).length, 1);
});

test('a node\'s details and storages are compared too', () => {
	const storages = { a: [{ storage: 'big one', type: 'dir', shared: 0, content: 'iso,backup', active: 1, enabled: 1, used: 50, total: 100 }] };
	const details = { a: { 'current-kernel': { release: '6.8.12' }, pveversion: 'pve-manager/9.2.11/c5', cpuinfo: { cpus: 4, model: 'm' }, memory: { total: 8e9, used: 4e9 }, swap: { total: 0 } } };
	const full = { ...view(), details, storages };
	const docs = { ...DOCS, 'node/a/state': { ...DOCS['node/a/state'], kernel: '6.8.12', version: '9.2.11', cpu_model: 'm', maxswap: 0 },
		'storage/a/big=20one/state': { type: 'dir', shared: false, content: ['backup', 'iso'], status: 'available', used: 50, total: 100 } };
	const all = (changed) => Object.values(compareAll(full, full, (path) => ({ ...docs, ...changed })[path] ?? null)).flatMap((r) => r.problems);
	assert.deepEqual(all({}), []);
	assert.equal(all({ 'storage/a/big=20one/state': { ...docs['storage/a/big=20one/state'], total: 120 } }).length, 1);
	assert.equal(all({ 'node/a/state': { ...docs['node/a/state'], kernel: null } }).length, 1);
	assert.equal(level('big one/ü'), 'big=20one=2F=C3=BC');
});

test('shapes: fields that one side has alone, and other types', () => {
	const ours = shapeOf([{ data: [{ a: 1, b: 'x', c: { d: [] } }, { a: 2, c: { d: [] } }] }]);
	const same = compareShapes(shapeOf([{ data: [{ a: 1.5, c: { d: [] }, lock: 'backup' }] }]), ours);
	assert.deepEqual([same.extra, same.missing, same.types], [[], [], []]);
	const other = compareShapes(shapeOf([{ data: [{ a: '1', e: true, c: 'text' }] }]), ours);
	assert.deepEqual(other.extra, ['.data[].e']);
	assert.deepEqual(other.missing, []);
	assert.deepEqual(other.types, ['.data[].a is digits, ours number', '.data[].c is text, ours map']);
	assert.deepEqual(compareShapes(shapeOf([{ data: [{ c: { d: [] } }] }]), ours).missing, ['.data[].a']);
});

test('shapes: rows by their kind, permissions by their form, machines apart from containers', () => {
	const kinds = shapeOf([{ data: [{ type: 'qemu', x: 1 }, { type: 'lxc', y: 1 }] }], '/cluster/resources');
	assert.ok(kinds.has('.data[qemu].x') && !kinds.has('.data[qemu].y'));
	assert.deepEqual([...shapeOf([{ data: { '/vms/1': { 'VM.Audit': 1 }, '/': { 'Sys.Audit': 1 } } }]).keys()], ['', '.data', '.data.{path}', '.data.{path}.{privilege}']);
	const call = (path, data) => ({ template: '/nodes/{node}/{type}/{vmid}/config', path, status: 200, body: { data } });
	const rows = compareCaptures([call('/nodes/n/qemu/1/config', { net0: 'a' }), call('/nodes/n/lxc/2/config', { q: 1 })], [call('/nodes/m/qemu/5/config', { net0: 'b', net1: 'c' })]);
	assert.deepEqual(rows.map(({ template, compared }) => [template, compared]), [['/nodes/{node}/qemu/{vmid}/config', true], ['/nodes/{node}/lxc/{vmid}/config', false]]);
	assert.deepEqual([rows[0].extra, rows[0].missing], [[], []]);
});

test('paths: a few of each, a sleeping disk never, a word that is not known is said', () => {
	const guest = (vmid, type, status, node = 'a') => ({ vmid, type, status, node });
	const places = placesFrom([{ type: 'node', node: 'b', status: 'online' }, { type: 'node', node: 'a', status: 'online' }, { type: 'node', node: 'c', status: 'offline' },
		guest(1, 'qemu', 'running'), guest(2, 'qemu', 'running'), guest(3, 'lxc', 'stopped'), guest(4, 'qemu', 'stopped'), guest(5, 'lxc', 'running', 'c'), guest(6, 'lxc', 'running')], ['a']);
	assert.deepEqual(places.nodes, [{ node: 'a' }, { node: 'b' }]);
	assert.deepEqual(places.guests.map(({ vmid }) => vmid), [1, 3, 4, 6]);
	addPlaces(places, 'a', { disks: [{ devpath: '/dev/sda', type: 'hdd' }, { devpath: '/dev/sdb', type: 'ssd' }], zfs: [{ name: 'p q' }], storage: [{ storage: 's', active: 1, content: 'backup' }, { storage: 'off', active: 0 }] });
	assert.deepEqual(expand('/nodes/{node}/disks/smart?disk={disk}', places).map(({ path }) => path), ['/nodes/a/disks/smart?disk=%2Fdev%2Fsdb']);
	assert.deepEqual(expand('/nodes/{node}/disks/zfs/{name}', places).map(({ path }) => path), ['/nodes/a/disks/zfs/p%20q']);
	assert.deepEqual(expand('/nodes/{node}/storage/{storage}/content', places).length, 1);
	assert.equal(unknownWord('/nodes/{node}/{moon}'), 'moon');
	assert.deepEqual([callsOf('/version'), callsOf('/nodes/{node}/{type}/{vmid}/config'), callsOf('/nodes/{node}/storage')], [1, LIMITS.guests, LIMITS.nodes]);
});

test('not one call more than was announced', () => {
	const budget = new Budget(1);
	budget.spend();
	assert.throws(() => budget.spend(), /more than the 1 calls/);
});

test('judgement: each thing that is not well is a failure with a cure; nothing steers the terminal', () => {
	const source = (error = null, last_ok_ms = error ? null : 1) => ({ error, last_ok_ms });
	const good = { error: null, version: '9.2', endpoint: 'a', nodes: 2, quorate: true, votes: 2, votes_expected: 2, votes_needed: 2, standalone: false, sources: { resources: source(), 'node.b': source() } };
	const nodes = [{ node: 'a', status: 'online' }, { node: 'b', status: 'online' }];
	const run = (doc, list = nodes, config = { nodes: { a: {} } }) => {
		const lines = [];
		const report = new Report((text) => lines.push(text));
		judgeCluster(report, 'c', config, { cluster: doc, nodes: list }, 5);
		return { failed: report.failed, text: lines.join('\n') };
	};
	assert.equal(run(good).failed, 0);
	assert.equal(run(null).failed, 1);
	assert.match(run({ ...good, quorate: false }).text, /FAIL {2}c: has quorum/);
	assert.match(run({ ...good, error: "token x lacks VM.Audit: pveum acl modify / --tokens 'x'" }).text, /run the command that stands in the line above/);
	assert.match(run({ ...good, sources: { resources: source('\x1b[31mred') } }).text, /resources: \?\[31mred/);
	assert.match(run({ ...good, sources: { resources: source(null, null) } }).text, /resources: no answer within 5 s/);
	assert.equal(run({ ...good, sources: { resources: source(), 'node.b': source('offline') } }, [nodes[0], { node: 'b', status: 'offline' }]).failed, 1);
	assert.match(run(good, nodes, { nodes: { z: {} } }).text, /node z is a node of the cluster[^]*Proxmox knows a, b/);
	assert.match(run({ ...good, findings: [{ severity: 'warning', title: 'too many rights', detail: 'd', cure: 'less' }, { severity: 'info', title: 'fyi' }] }).text, /FAIL {2}c: too many rights\n {6}d\n {6}→ less/);
	assert.deepEqual(unsettled(good), []);
	assert.ok(cureOf('anything'));
	const report = new Report(() => {});
	judgeLog(report, [{ text: 'home: token a may do more than read: VM.PowerMgmt on /' }], new Set());
	assert.equal(report.failed, 1);
	assert.throws(() => report.fail('x', 'y'), /no cure/);
});
