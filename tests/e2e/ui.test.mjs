// SPDX-License-Identifier: MIT
// The page against a mock gateway: every state that it can be in, quickly and on purpose.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
	assertAccessible, busyShare, DESKTOP, fits, LAPTOP, launch, logIn, PHONE, smallTargets, untilText, withPage,
} from './browser.mjs';
import { PASSWORD, startMock, USER } from './mock.mjs';

let browser;
before(async () => {
	browser = await launch();
});
after(() => browser?.close());

/** A mock, a page on it that has its data, and both gone afterwards. */
async function scene(options, viewport, body) {
	const m = await startMock({ pollMs: 200, periodS: 1, login: false, ...options });
	try {
		await withPage(browser, viewport, async (page) => {
			await page.goto(m.url + (options.hash ?? ''));
			if (!options.login) await untilText(page, '.overall', /trouble|nominal|full|stale|watched/);
			await body(page, m);
		});
	} finally {
		await m.stop();
	}
}

const topicOf = (vmid, cluster = 'home') => `[data-topic="pve/${cluster}/guest/${vmid}/state"]`;
/** A guest in the list at the side, and in the table. */
const row = (vmid, cluster) => `.brief ${topicOf(vmid, cluster)}`;
const wide = (vmid) => `.wide ${topicOf(vmid)}`;
const vmids = (page, grid) => page.$$eval(`${grid} .rows .row`, (rows) => rows.map((r) => r.dataset.topic.split('/')[3]));
const TABLE = { hash: '#view=guests' };

describe('login', () => {
	test('is asked for, refuses a wrong password with a reason, and lets in', () =>
		scene({ login: true }, LAPTOP, async (page) => {
			await page.waitForSelector('.login');
			assert.equal(await page.$eval('.page', (e) => e.inert), true);
			await assertAccessible(page, 'login');
			await page.fill('.login input[name=user]', USER);
			await page.fill('.login input[name=password]', 'wrong');
			await page.keyboard.press('Enter');
			await untilText(page, '.form-error', /wrong/);
			await page.keyboard.press('Escape');
			assert.ok(await page.$('.login'), 'Esc must not open the page');
			await logIn(page, USER, PASSWORD);
			await page.waitForSelector(row(100));
			assert.equal(await page.$eval('.page', (e) => e.inert), false);
		}));

	test('an expired session lays the login over the page, which resumes', () =>
		scene({ login: true }, LAPTOP, async (page, m) => {
			await logIn(page, USER, PASSWORD);
			await page.waitForSelector(row(100));
			m.mock.expire();
			await page.waitForSelector('.login');
			assert.ok(await page.$(row(100)), 'the page stays behind it');
			await untilText(page, row(100), /was running/);
			assert.equal(await page.$eval('.login input[name=user]', (e) => e.value), USER);
			await page.fill('.login input[name=password]', PASSWORD);
			await page.keyboard.press('Enter');
			await page.waitForFunction((s) => /^\s*running/.test(document.querySelector(s).innerText), row(100));
		}));

	test('logging out leaves nothing on the screen, and a login brings it back', () =>
		scene({ login: true }, LAPTOP, async (page, m) => {
			await logIn(page, USER, PASSWORD);
			await page.waitForSelector(row(100));
			m.world.taskFails('home', 105);
			await untilText(page, '.toasts', /failed/);
			await page.click('.person');
			await page.click('.account button:has-text("Log out")');
			await page.waitForSelector('.login');
			await page.waitForSelector('.rows', { state: 'detached' });
			const left = await page.innerText('body');
			assert.doesNotMatch(left, /jellyfin|agent1|vzdump|was running|connection|broken/i);
			assert.equal(await page.$eval('.login input[name=user]', (e) => e.value), '');
			await assertAccessible(page, 'logged out');
			await logIn(page, USER, PASSWORD);
			await page.waitForSelector(row(100));
			await untilText(page, '.activity', /connected to jarvis/);
			assert.doesNotMatch(await page.innerText('.activity'), /lost|gone/i);
			assert.equal(await page.locator('.toast').count(), 0);
			await page.click('.person');
			await page.click('.account button:has-text("Log out")');
			await page.reload();
			await page.waitForSelector('.login');
		}));

	test('the password can be changed and a token made and revoked', () =>
		scene({ mustChange: true }, LAPTOP, async (page, m) => {
			await page.click('.person');
			await assertAccessible(page, 'account');
			await page.fill('.account input[name=old]', PASSWORD);
			await page.fill('.account input[name=new]', 'a longer password');
			await page.fill('.account input[name=again]', 'another password');
			await page.click('.account button:has-text("Change password")');
			await untilText(page, '.account .form-error', /differ/);
			await page.fill('.account input[name=again]', 'a longer password');
			await page.click('.account button:has-text("Change password")');
			await untilText(page, '.toasts', /Password changed/);
			assert.equal(m.mock.password, 'a longer password');
			await page.fill('.account input[name=name]', 'grafana');
			assert.equal(await page.locator('.scopes input:checked').count(), 0, 'nothing is chosen for the person');
			assert.equal((await page.$$('.scopes input')).length, 5);
			await page.click('.account button:has-text("Make token")');
			await untilText(page, '.account form:last-child .form-error', /Choose/);
			await page.check('.account input[name=metrics]');
			await page.click('.account button:has-text("Make token")');
			await untilText(page, '.secret', /jrv_t1_secret/);
			assert.deepEqual(m.mock.tokens[0].scopes, ['metrics']);
			await page.click('.account button:has-text("Revoke")');
			await page.waitForSelector('.token', { state: 'detached' });
			await page.keyboard.press('Escape');
			await page.waitForSelector('.account', { state: 'detached' });
		}));
});

describe('live', () => {
	test('a change of one guest patches its row and leaves the others alone', () =>
		scene({ pollMs: 60_000, periodS: 60 }, DESKTOP, async (page, m) => {
			await page.waitForSelector(row(105));
			await page.evaluate(() => {
				window.touched = [];
				for (const r of document.querySelectorAll('.rows .row'))
					new MutationObserver(() => window.touched.push(r.dataset.topic)).observe(
						r, { subtree: true, childList: true, characterData: true, attributes: true },
					);
			});
			const topic = 'pve/home/guest/105/state';
			const before = await page.$(row(105));
			m.world.change({ [topic]: { ...m.world.docs.get(topic), cpu: 93.4, ts: Date.now() } });
			await untilText(page, row(105), /93%/);
			assert.deepEqual([...new Set(await page.evaluate(() => window.touched))], [topic]);
			assert.ok(await before.evaluate((e) => e.isConnected), 'the row is the same element');
		}));

	test('a node that goes down is offline, its guests unknown, and both are trouble', () =>
		scene({}, DESKTOP, async (page, m) => {
			const count = async () => Number(/^\((\d+)\)/.exec(await page.title())?.[1] ?? 0);
			const calm = await count();
			m.world.nodeDown('pve');
			await untilText(page, '[aria-label="Node pve"]', /offline/);
			await untilText(page, row(100), /unknown/);
			assert.match(await page.innerText(row(100)), /—/);
			await untilText(page, '.attention', /Node pve is offline/);
			await untilText(page, '.activity', /Node pve is offline/);
			assert.ok((await count()) > calm);
			assert.match(await page.getAttribute('[aria-label="Node pve"] [role=meter]', 'aria-valuetext'), /unknown/);
			await assertAccessible(page, 'node down');
			m.world.nodeUp('pve');
			await untilText(page, '[aria-label="Node pve"]', /online/);
			await untilText(page, row(100), /^running/);
		}));

	test('lost quorum is told in the ring, the panel and the header', () =>
		scene({}, DESKTOP, async (page, m) => {
			m.world.nodeDown('pve');
			m.world.nodeDown('Home');
			await untilText(page, '.health', /quorum\s+lost/);
			await untilText(page, '.toasts', /lost its quorum/);
			await page.waitForFunction(() => /no quorum/i.test(document.querySelector('.core-word').textContent));
			await untilText(page, '.attention', /lost its quorum/);
		}));

	test('guests come and go', () =>
		scene({ pollMs: 60_000, periodS: 60 }, DESKTOP, async (page, m) => {
			await page.waitForSelector(row(100));
			const g = m.world.docs.get('pve/home/guest/100/state');
			m.world.change({
				'pve/home/guest/99/state': { ...g, vmid: 99, name: 'newcomer' }, 'pve/home/guest/101/state': null,
			});
			await page.waitForSelector(row(101), { state: 'detached' });
			assert.deepEqual((await vmids(page, '.brief')).slice(0, 3), ['99', '100', '102']);
		}));

	test('a task that fails raises a toast that can be dismissed', () =>
		scene({}, DESKTOP, async (page, m) => {
			m.world.taskFails('home', 105);
			await untilText(page, '.toasts', /vzdump 105 on .* failed/);
			await untilText(page, '.activity', /lvcreate/);
			await page.click('.toast button');
			await page.waitForSelector('.toast', { state: 'detached' });
		}));

	test('names are text, whatever they contain', () =>
		scene({ pollMs: 60_000, periodS: 60 }, DESKTOP, async (page, m) => {
			const topic = 'pve/home/guest/100/state';
			const evil = '<img src=x onerror="document.title=1">';
			m.world.change({ [topic]: { ...m.world.docs.get(topic), name: evil, tags: ['<b>bold</b>'] } });
			await page.waitForFunction(
				([s, text]) => document.querySelector(s)?.innerText.includes(text), [row(100), evil],
			);
			assert.equal(await page.locator(`${row(100)} img, ${row(100)} b`).count(), 0);
		}));
});

describe('stale', () => {
	test('sources that stop make everything stale within three periods, and never look healthy', () =>
		scene({ pollMs: 200, periodS: 0.5 }, DESKTOP, async (page, m) => {
			m.world.polling = false;
			await untilText(page, row(100), /was running/, 4000);
			await untilText(page, '.cluster', /stale \d+s/);
			await untilText(page, '.attention', /not watched/);
			assert.equal(await page.locator('.overall.ok').count(), 0);
			assert.equal(await page.locator('.rows .tone-ok').count(), 0);
			assert.equal(await page.locator('.nodes .tone-ok').count(), 0);
			await assertAccessible(page, 'stale');
			m.world.polling = true;
			await untilText(page, row(100), /^running/);
		}));

	test('an owner that goes offline makes its documents stale at once', () =>
		scene({}, DESKTOP, async (page, m) => {
			m.world.polling = false;
			m.world.presence('proxmox-poller', 'offline');
			await untilText(page, row(100), /was running/, 1500);
			await untilText(page, '.services', /offline/);
			await untilText(page, '.attention', /proxmox-poller is offline/);
		}));

	test('a retained copy is no evidence: without a live message nothing is live', () =>
		scene({ pollMs: 60_000, periodS: 60 }, DESKTOP, async (page, m) => {
			await untilText(page, row(100), /^running/);
			m.world.seen.clear();
			m.mock.dropSockets();
			await untilText(page, '.attention', /not watched[\s\S]*not confirmed/);
			assert.match(await page.innerText(row(100)), /was running/);
		}));

	test('a gateway without its broker says so', () =>
		scene({}, DESKTOP, async (page, m) => {
			m.world.setBroker(false);
			await untilText(page, '.banner', /lost its message broker/);
			await untilText(page, row(100), /was running/);
			m.world.setBroker(true);
			await page.waitForSelector('.banner', { state: 'detached' });
			await untilText(page, row(100), /^running/);
		}));

	test('a lost gateway: banner, everything stale at once, and back by itself', () =>
		scene({}, DESKTOP, async (page, m) => {
			await m.down();
			await untilText(page, '.banner', /No connection to Jarvis/, 1500);
			assert.match(await page.innerText(row(100)), /was running/);
			await assertAccessible(page, 'connection lost');
			m.world.docs.delete('pve/home/guest/101/state');
			await m.up();
			await page.waitForSelector('.banner', { state: 'detached', timeout: 6000 });
			await untilText(page, row(100), /^running/);
			await page.waitForSelector(row(101), { state: 'detached' });
		}));

	test('an updated Jarvis brings its own page', () =>
		scene({}, DESKTOP, async (page, m) => {
			await page.waitForSelector(row(101));
			await page.evaluate(() => (window.old = true));
			m.mock.dropSockets();
			await page.waitForSelector('.banner', { state: 'attached' });
			await page.waitForSelector('.banner', { state: 'detached' });
			assert.equal(await page.evaluate(() => window.old), true, 'the same version stays');
			m.mock.version = '0.2.0';
			m.mock.dropSockets();
			await page.waitForFunction(() => window.old === undefined && document.querySelector('.rows .row'));
		}));

	test('a reset is followed by a new snapshot', () =>
		scene({}, DESKTOP, async (page, m) => {
			await page.waitForSelector(row(101));
			m.world.docs.delete('pve/home/guest/101/state');
			m.mock.reset();
			await page.waitForSelector(row(101), { state: 'detached' });
			await untilText(page, row(100), /^running/);
		}));
});

describe('trouble', () => {
	test('an error of a cluster that answers is a warning with its text, not a cluster that cannot be read', () =>
		scene({}, LAPTOP, async (page, m) => {
			m.world.error = `Home (192.168.1.50) shows certificate ${'AB:'.repeat(31)}AB, pinned is another`;
			await untilText(page, '.attention', /Cluster home is read, with a warning[\s\S]*shows certificate/);
			assert.doesNotMatch(await page.innerText('body'), /cannot be read/i);
			assert.equal(await page.locator('.overall.crit').count(), 0);
			const cut = await page.$$eval('.trouble-detail', (all) => all.some((e) => e.scrollWidth > e.clientWidth + 1));
			assert.equal(cut, false, 'a fingerprint is broken, not cut');
			m.world.faults.resources = { last_ok_ms: Date.now() - 60_000, error: 'no answer within 10 s', failures: 6 };
			await untilText(page, '.attention', /Cluster home cannot be read/);
			await page.waitForSelector('.overall.crit');
		}));

	test('a hung storage is one line with what its source says, and totals are marked partial', () =>
		scene({}, LAPTOP, async (page, m) => {
			m.world.faults['storage.pve'] = {
				last_ok_ms: Date.now() - 60_000, error: 'no answer within 15 s from /nodes/pve/storage', failures: 4,
			};
			await untilText(page, '.attention', /2 storages of node pve are unknown[\s\S]*no answer within 15 s/);
			assert.equal((await page.innerText('.attention')).match(/no answer within/g).length, 1);
			await untilText(page, '.storage-sum', /in all[\s\S]*partial: 8 of 10/);
			await untilText(page, '.totals.right', /partial: 8 of 10/);
			await assertAccessible(page, 'hung storage');
		}));

	test('a dead node is one trouble, with what is unknown because of it', () =>
		scene({}, DESKTOP, async (page, m) => {
			m.world.nodeDown('agent');
			await untilText(page, '.attention', /Node agent is offline[\s\S]*3 guests, 1 storage unknown/);
			const list = await page.$$eval('.trouble', (all) => all.filter((t) => /agent\b/.test(t.innerText)).length);
			assert.equal(list, 1);
		}));

	test('sources that have not answered since the start are told once, as that', () =>
		scene({}, DESKTOP, async (page, m) => {
			for (const key of ['storage.-', 'storage.Home', 'storage.pve', 'storage.agent1', 'storage.agent'])
				m.world.faults[key] = { last_ok_ms: null };
			await untilText(page, '.attention', /Storages have not answered yet/);
			assert.doesNotMatch(await page.innerText('.attention'), /three periods/);
			m.world.faults.resources = { last_ok_ms: null };
			await untilText(page, '.attention', /Cluster home has not answered yet/);
			assert.equal(await page.locator('.overall.crit').count(), 0);
		}));

	test('a laptop with much trouble cuts no text', () =>
		scene({ nodes: 8 }, LAPTOP, async (page, m) => {
			for (const n of ['Home', 'pve', 'agent1']) m.world.nodeDown(n);
			m.world.error = 'the token may not see everything: VM.Audit is missing on /vms';
			await untilText(page, '.attention', /with a warning/);
			for (const panel of ['.services', '.activity'])
				assert.ok(await page.$eval(`${panel} .panel-body`, (e) => e.clientHeight) >= 60, panel);
			const cut = await page.$$eval('.service-line span', (all) => all.some((e) => e.scrollWidth > e.clientWidth + 1));
			assert.equal(cut, false);
			await assertAccessible(page, 'much trouble');
			assert.ok(await fits(page, { height: true }));
			await page.click(row(101));
			await page.waitForSelector('.facts.two');
			const tall = await page.$$eval('.facts.two dd', (all) => all.some((e) => e.clientHeight > 30));
			assert.equal(tall, false, 'a rate stays on its line');
		}));

	test('a service is not called old beside its own live documents, nor before it can have spoken', () =>
		scene({ pollMs: 60_000, periodS: 60 }, DESKTOP, async (page, m) => {
			await untilText(page, '.services', /proxmox-poller[\s\S]*online/);
			m.world.seen.delete('service/proxmox-poller/main/state');
			m.mock.dropSockets();
			await page.waitForSelector('.banner');
			await page.waitForSelector('.banner', { state: 'detached' });
			await page.waitForFunction(() => !/was online/.test(document.querySelector('.services').innerText));
			await untilText(page, '.services', /proxmox-poller[\s\S]*online[\s\S]*no figures/);
			m.world.seen.clear();
			m.mock.dropSockets();
			await untilText(page, '.services', /waiting/);
			await untilText(page, '.services', /was online/, 15_000);
		}));
});

describe('the guest table', () => {
	test('search finds, counts, explains what it cannot read, and lives in the address', () =>
		scene(TABLE, DESKTOP, async (page) => {
			await page.keyboard.press('f');
			await page.keyboard.type('node:agent1 type:lxc -stopped');
			await page.waitForFunction(() => document.querySelectorAll('.wide .rows .row').length < 15);
			const found = await page.$$eval('.wide .rows .row', (rows) => rows.map((r) => r.innerText));
			assert.ok(found.length > 2 && found.every((t) => /agent1/.test(t) && /ct/.test(t) && /running/.test(t)));
			await untilText(page, '.guests .panel-meta', new RegExp(`${found.length} of 32`));
			assert.match(await page.evaluate(() => location.hash), /node:agent1/);
			await page.keyboard.type(' cpu>lots');
			await untilText(page, '.search-note', /no value of cpu/);
			await page.keyboard.press('Escape');
			await page.waitForFunction(() => document.querySelectorAll('.wide .rows .row').length === 32);
		}));

	test('the keyboard moves, opens and closes', () =>
		scene(TABLE, DESKTOP, async (page) => {
			await page.waitForSelector(wide(100));
			await page.keyboard.press('j');
			await page.keyboard.press('j');
			await page.keyboard.press('ArrowDown');
			await page.keyboard.press('k');
			assert.equal(await page.$eval('.wide .row.is-cursor', (r) => r.dataset.topic), 'pve/home/guest/101/state');
			assert.equal(
				await page.getAttribute('.wide', 'aria-activedescendant'),
				await page.getAttribute('.wide .row.is-cursor', 'id'),
			);
			await page.keyboard.press('Enter');
			await untilText(page, '.detail', /101 pihole/);
			await page.waitForFunction(() =>
				document.activeElement.getAttribute('aria-label') === 'Close the details of 101 pihole');
			await assertAccessible(page, 'detail');
			await page.keyboard.press('Escape');
			await page.waitForSelector('.detail', { state: 'detached' });
			await page.keyboard.press('End');
			assert.equal(await page.$eval('.wide .row.is-cursor', (r) => r.dataset.topic), 'pve/home/guest/131/state');
			await page.keyboard.press('?');
			await page.waitForSelector('.help');
			await assertAccessible(page, 'help');
			await page.keyboard.press('Escape');
			await page.waitForSelector('.help', { state: 'detached' });
		}));

	test('sorting: natural order until asked, held still under the pointer', () =>
		scene({ ...TABLE, pollMs: 60_000, periodS: 60 }, DESKTOP, async (page, m) => {
			await page.waitForSelector(wide(100));
			const natural = await vmids(page, '.wide');
			assert.deepEqual(natural, [...natural].sort((a, b) => a - b));
			await page.click('.head .c-cpu button');
			await page.waitForSelector('[aria-sort=descending]');
			const sorted = await vmids(page, '.wide');
			const top = `pve/home/guest/${sorted[0]}/state`;
			await page.hover('.wide .rows .row');
			m.world.change({ [top]: { ...m.world.docs.get(top), cpu: 0.1 } });
			await untilText(page, wide(sorted[0]), /\b0%/);
			assert.deepEqual(await vmids(page, '.wide'), sorted, 'nothing moves under the pointer');
			await page.mouse.move(5, 5);
			await page.waitForFunction((first) => document.querySelector('.wide .rows .row').dataset.topic !== first, top);
			await page.click('.head .c-cpu button');
			await page.waitForSelector('[aria-sort=ascending]');
			await page.click('.head .c-cpu button');
			assert.deepEqual(await vmids(page, '.wide'), natural);
		}));

	test('the address brings search, order and selection back', () =>
		scene({ hash: '#view=guests&q=node:pve&sort=-mem&sel=pve/home/guest/103/state' }, DESKTOP, async (page) => {
			await untilText(page, '.detail', /103 nextcloud/);
			await page.reload();
			await untilText(page, '.detail', /103 nextcloud/);
			await page.keyboard.press('Escape');
			await page.waitForSelector('.c-mem[aria-sort=descending]');
			assert.equal(await page.inputValue('.search input'), 'node:pve');
			await untilText(page, '.brief', /k3s-1/);
			assert.doesNotMatch(await page.innerText('.brief'), /agent1|win11/, 'one filter for both lists');
		}));
});

describe('much and little', () => {
	test('500 guests: few rows in the page, scrolling, and updates that cost little', () =>
		scene({ ...TABLE, guests: 500, nodes: 12, pollMs: 1000, periodS: 1 }, DESKTOP, async (page) => {
			await page.waitForSelector(wide(100));
			assert.ok((await page.$$('.wide .rows .row')).length < 60);
			assert.ok((await page.$$('.brief .rows .row')).length < 60);
			assert.equal(await page.getAttribute('.wide', 'aria-rowcount'), '501');
			await page.focus('.wide');
			await page.keyboard.press('End');
			await page.waitForSelector(wide(599));
			await page.keyboard.press('Home');
			await page.waitForSelector(wide(100));
			const share = await busyShare(page, 3);
			assert.ok(share < 0.5, `the page is busy ${(share * 100).toFixed(1)} % of the time`);
		}));

	test('several clusters: a switch, each with its own', () =>
		scene({ clusters: 2 }, DESKTOP, async (page) => {
			await page.click('.clusters button:has-text("lab")');
			await untilText(page, '.cluster', /Cluster lab/);
			await page.waitForSelector(row(100, 'lab'));
			assert.equal(await page.locator(row(100, 'home')).count(), 0);
			assert.match(await page.evaluate(() => location.hash), /cluster=lab/);
		}));

	test('nothing reported yet is said, and is not called healthy', async () => {
		const m = await startMock({ login: false });
		m.world.docs = new Map([['link', { broker: true, since_ms: 0 }]]);
		m.world.polling = false;
		try {
			await withPage(browser, DESKTOP, async (page) => {
				await page.goto(m.url);
				await untilText(page, '.attention', /No cluster has been reported/);
				assert.equal(await page.locator('.overall.ok').count(), 0);
				await assertAccessible(page, 'empty');
			});
		} finally {
			await m.stop();
		}
	});
});

describe('small and different screens', () => {
	test('a phone: tabs, rows of two lines, details over the page, targets large enough', () =>
		scene({}, PHONE, async (page) => {
			await page.waitForSelector('.ring');
			await untilText(page, '.ring-legend', /1 Home|1 agent/);
			assert.ok(
				await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'nothing sticks out',
			);
			await assertAccessible(page, 'phone, cluster');
			for (const [name, what] of [['Overview', 'cluster'], ['Guests', 'guests'], ['Storage', 'storage-view'], ['Backups', 'backups'], ['Health', 'health']]) {
				await page.click(`.views button:has-text("${name}")`);
				await page.waitForSelector(`.panel.${what}`, { state: 'visible' });
				assert.ok(await fits(page), what);
			}
			await page.click('.views button:has-text("Guests")');
			await assertAccessible(page, 'phone, guests');
			assert.match(await page.innerText(wide(102)), /102[\s\S]*pve[\s\S]*cpu[\s\S]*mem/);
			await page.click(wide(102));
			await untilText(page, '.detail', /102 homeassistant/);
			await page.click('.detail .icon-button');
			await page.waitForSelector('.detail', { state: 'detached' });
			assert.deepEqual(await smallTargets(page), []);
		}));

	for (const [name, viewport] of [['desktop', DESKTOP], ['laptop', LAPTOP]])
		test(`${name}: accessible, nothing sticks out, targets large enough`, () =>
			scene({}, viewport, async (page) => {
				await page.waitForSelector(row(100));
				await assertAccessible(page, name);
				assert.ok(await fits(page, { height: true }));
				assert.deepEqual(await smallTargets(page), []);
			}));

	test('reduced motion and forced colours are honoured', async () => {
		const m = await startMock({ login: false, pollMs: 200, periodS: 1 });
		try {
			await withPage(browser, LAPTOP, async (page) => {
				await page.goto(m.url);
				await page.waitForSelector(row(100));
				assert.equal(await page.evaluate(() => document.getAnimations().length), 0);
				assert.equal(await page.$eval('.panel', (e) => getComputedStyle(e).clipPath), 'none');
			}, { reducedMotion: 'reduce', forcedColors: 'active' });
		} finally {
			await m.stop();
		}
	});
});
