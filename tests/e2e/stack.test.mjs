// SPDX-License-Identifier: MIT
// The page on the whole of Jarvis: simulated Proxmox, real poller, broker and gateway, and a real browser.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startStack } from '../stack/stack.mjs';
import { assertAccessible, busyShare, DESKTOP, fits, launch, logIn, newPage, PHONE, untilText } from './browser.mjs';

const PERIOD_S = 2;
const quick = (config) => {
	for (const cluster of Object.values(config.clusters)) cluster.poll = {
		nodes: `${PERIOD_S}s`, tasks: '2s', storage: '5s', node: '5s',
	};
};
const row = (vmid) => `.brief [data-topic="pve/home/guest/${vmid}/state"]`;
const node = (name) => `[aria-label="Node ${name}"]`;

describe('the reference cluster', () => {
	let stack;
	let browser;
	let page;
	let problems;
	let open;

	before(async () => {
		[browser, stack] = await Promise.all([launch(), startStack({ config: quick })]);
		open = await newPage(browser, DESKTOP);
		({ page, problems } = open);
	});
	after(async () => {
		await browser?.close();
		await stack?.stop();
	});

	test('login, and everything is there and live', async () => {
		await page.goto(stack.url);
		await logIn(page, 'operator', stack.password);
		await untilText(page, '.nodes', /4\/4 online/);
		for (const name of ['Home', 'pve', 'agent1', 'agent']) await untilText(page, node(name), /online/);
		await untilText(page, '.health', /quorum\s+4 of 4 votes/);
		await untilText(page, row(101), /^running/);
		await untilText(page, '.storages', /nas/);
		await untilText(page, '.activity', /aptupdate|vzdump/);
		await untilText(page, '.services', /proxmox-poller[\s\S]*online/);
		await untilText(page, '.connection', /live[\s\S]*seen \ds ago/);
		await assertAccessible(page, 'real data');
	});

	test('the gateway serves it under a strict policy', async () => {
		const answer = await page.request.get(stack.url);
		const policy = answer.headers()['content-security-policy'];
		assert.match(policy, /default-src 'none'/);
		assert.match(policy, /require-trusted-types-for 'script'/);
		assert.doesNotMatch(policy, /unsafe/);
	});

	test('heat, disks, backups, high availability, updates: the health in few lines', async () => {
		await untilText(page, `${node('Home')} .node-heat`, /^\d+°/, 30_000);
		await untilText(page, '.health', /availability\s+2 managed/, 30_000);
		await untilText(page, '.health', /backups\s+\d+ (failed|not covered)/, 30_000);
		await untilText(page, '.health', /disks\s+1 of \d+ worn/, 30_000);
		await untilText(page, '.health', /hottest\s+\d+° \w+\s+updates\s+\d+ (waiting|for security)\s+certificates\s+\d+d left/, 30_000);
		await page.keyboard.press('4');
		await untilText(page, '.posture .rows', /not covered[\s\S]*fine/);
		await untilText(page, '.jobs', /disabled[\s\S]*nightly[\s\S]*02:30/i);
		await page.keyboard.press('5');
		await untilText(page, '.disks .rows', /^worn[\s\S]*healthy/);
		await untilText(page, '.pools', /tank on \w+\s+online/);
		await page.keyboard.press('7');
		await untilText(page, '.health-view', /fencing[\s\S]*calls a minute/);
		await assertAccessible(page, 'health of real data');
	});

	test('a guest and a node in full', async () => {
		await page.click(row(101));
		await untilText(page, '.detail', /jellyfin[\s\S]*Cores\s+4[\s\S]*rootfs[\s\S]*net0/);
		await untilText(page, '.detail', /Held by\s+pbs/);
		await page.click('.detail-state .as-link');
		await untilText(page, '.detail', /coretemp package id 0\s+\d+°[\s\S]*nvme[\s\S]*healthy/);
		await untilText(page, '.detail', /Kernel\s+6\.[\s\S]*jellyfin/);
		await assertAccessible(page, 'a real node');
		await page.keyboard.press('Escape');
		await page.keyboard.press('1');
		await page.waitForSelector('.cluster');
	});

	test('a node that gets too hot is trouble, and cools', async () => {
		await stack.sim('heat', { node: 'Home', celsius: 103 });
		await untilText(page, '.attention', /Node Home is (critically )?hot: \d+°/, 40_000);
		await page.waitForSelector(`${node('Home')} :is(.heat-hot, .heat-critical)`);
		await stack.sim('heat', { node: 'Home', celsius: null });
		await page.waitForFunction(() => !/is (critically )?hot/.test(document.querySelector('.attention').innerText), null, { timeout: 60_000 });
	});

	test('a thermal collector that is killed: its temperatures are old, no others', async () => {
		await stack.kill('thermal-collector');
		await page.waitForSelector(`${node('Home')} .node-heat.is-stale`);
		await untilText(page, '.health', /hottest\s+stale/);
		await untilText(page, row(101), /^running/);
		await stack.start('thermal-collector');
		await untilText(page, '.health', /hottest\s+\d+°/, 30_000);
	});

	test('a change in Proxmox appears by itself', async () => {
		await stack.sim('guest_kill', { vmid: 101, sample: true });
		await untilText(page, row(101), /^stopped/);
		await untilText(page, '.activity', /is stopped/);
		await stack.sim('guest_start', { vmid: 101, sample: true });
		await untilText(page, row(101), /^running/);
	});

	test('a failed task raises a toast', async () => {
		await stack.sim('task', { node: 'Home', type: 'vzdump', id: '100', seconds: 1, exitstatus: 'job errors' });
		await untilText(page, '.toasts', /vzdump 100 on Home failed/, 30_000);
		await page.click('.toast button');
	});

	test('a full storage wants attention', async () => {
		await stack.sim('storage_full', { storage: 'nas', share: 0.97, sample: true });
		await untilText(page, '.attention', /nas[\s\S]*9\d% full/, 20_000);
		await stack.sim('storage_ok', { storage: 'nas', sample: true });
	});

	test('a dead node is offline, and its guests are unknown, not running', async () => {
		await stack.sim('node_down', { node: 'pve' });
		await untilText(page, node('pve'), /offline/, 90_000);
		await untilText(page, row(120), /unknown/, 30_000);
		await untilText(page, '.attention', /Node pve is offline/);
		await stack.sim('node_up', { node: 'pve' });
		await untilText(page, node('pve'), /online/, 90_000);
	});

	test('a poller that hangs: stale within three periods and not before two', async () => {
		await untilText(page, row(101), /^running/);
		stack.process('proxmox-poller').signal('SIGSTOP');
		try {
			const begun = performance.now();
			await untilText(page, row(101), /was running/, (3 * PERIOD_S + 3) * 1000);
			assert.ok(performance.now() - begun > 1.5 * PERIOD_S * 1000, 'and not at the first late answer');
			assert.equal(await page.locator('.overall.ok').count(), 0);
		} finally {
			stack.process('proxmox-poller').signal('SIGCONT');
		}
		await untilText(page, row(101), /^running/, 20_000);
	});

	test('a killed poller: stale at once, its service offline, and back', async () => {
		await stack.kill('proxmox-poller');
		await untilText(page, row(101), /was running/, 3000);
		await untilText(page, '.services', /offline/);
		await stack.start('proxmox-poller');
		await untilText(page, row(101), /^running/, 10_000);
	});

	test('a killed gateway: a banner, everything stale, and it resumes without a login', async () => {
		await stack.kill('gateway');
		await untilText(page, '.banner', /No connection to Jarvis/, 3000);
		assert.match(await page.innerText(row(101)), /was running/);
		await stack.start('gateway');
		await page.waitForSelector('.banner', { state: 'detached', timeout: 12_000 });
		await untilText(page, row(101), /^running/, 10_000);
		assert.equal(await page.locator('.login').count(), 0);
	});

	test('a killed broker: the page says so, and recovers', async () => {
		await stack.kill('broker');
		await untilText(page, '.banner', /message broker/, 5000);
		assert.match(await page.innerText(row(101)), /was running/);
		await stack.start('broker');
		await untilText(page, row(101), /^running/, 20_000);
		await page.waitForSelector('.banner', { state: 'detached' });
	});

	test('a session ended elsewhere: the login lies over the page, then all goes on', async () => {
		await page.evaluate(() => fetch(
			'/api/logout', { method: 'POST', headers: { 'Content-Type': 'application/json', 'X-Jarvis': '1' } },
		));
		await page.waitForSelector('.login', { timeout: 3000 });
		assert.ok(await page.$(row(101)));
		await page.fill('.login input[name=password]', 'not the password');
		await page.keyboard.press('Enter');
		await page.waitForFunction(() => document.querySelector('.form-error').innerText.length > 5);
		await page.fill('.login input[name=password]', stack.password);
		await page.keyboard.press('Enter');
		await page.waitForSelector('.login', { state: 'detached' });
		await untilText(page, row(101), /^running/);
	});

	test('search and keyboard on real data', async () => {
		await page.keyboard.press('2');
		await page.keyboard.press('f');
		await page.keyboard.type('node:pve -stopped');
		await page.waitForFunction(() => {
			const nodes = [...document.querySelectorAll('.wide .rows .c-node')].map((n) => n.innerText);
			return nodes.length > 0 && nodes.every((n) => n === 'pve');
		});
		await page.keyboard.press('Enter');
		await page.keyboard.press('Enter');
		await page.waitForSelector('.detail');
		await page.keyboard.press('Escape');
		await page.keyboard.press('Escape');
		await page.waitForFunction(() => document.querySelectorAll('.wide .rows .row').length > 25);
	});

	test('a password is changed, and a token read with', async () => {
		const before = stack.password;
		await page.click('.person');
		await page.fill('.account input[name=old]', before);
		await page.fill('.account input[name=new]', 'quite another one');
		await page.fill('.account input[name=again]', 'quite another one');
		await page.click('.account button:has-text("Change password")');
		await untilText(page, '.toasts', /Password changed/);
		await page.fill('.account input[name=name]', 'e2e');
		await page.check('.account input[name=read]');
		await page.click('.account button:has-text("Make token")');
		const secret = await page.innerText('.secret');
		const answer = await fetch(
			`${stack.url}/api/state/pve/home/state`, { headers: { Authorization: `Bearer ${secret}` } },
		);
		assert.equal((await answer.json()).cluster, 'home');
		await page.click('.account button:has-text("Revoke")');
		await page.waitForSelector('.token', { state: 'detached' });
		await page.keyboard.press('Escape');
	});

	test('a phone', async () => {
		await page.setViewportSize(PHONE);
		await page.click('.views button:has-text("Guests")');
		await page.waitForSelector('.wide.narrow');
		assert.ok(await fits(page));
		await assertAccessible(page, 'phone');
	});

	test('nothing went wrong in the page meanwhile', () => assert.deepEqual(problems, []));
});

test('500 guests on 12 nodes: there within seconds, few rows in the page, and calm', async (t) => {
	const stack = await startStack({ config: quick, sim: { nodes: 12, guests: 500 } });
	t.after(() => stack.stop());
	const browser = await launch();
	t.after(() => browser.close());
	const { page, problems } = await newPage(browser, DESKTOP);
	await page.goto(stack.url);
	await logIn(page, 'operator', stack.password);
	await untilText(page, '.guests-side .panel-meta', /(4[5-9]\d|500)/, 15_000);
	const drawn = await page.$$eval('.brief .rows .row', (rows) => rows.length);
	assert.ok(drawn > 5 && drawn < 60, `${drawn} rows`);
	const share = await busyShare(page, 4);
	assert.ok(share < 0.5, `the page is busy ${(share * 100).toFixed(1)} % of the time`);
	assert.deepEqual(problems, []);
});
