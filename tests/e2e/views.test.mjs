// SPDX-License-Identifier: MIT
// Every view and every kind of object, in two sizes and three looks: what it says, that it can be read, that it fits.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { assertAccessible, fits, launch, smallTargets, untilText, withPage } from './browser.mjs';
import { contrast, cutTexts } from './contrast.mjs';
import { CEPH } from './fixture.mjs';
import { startMock } from './mock.mjs';

const DESK = { width: 1440, height: 900 };
const PHONE = { width: 390, height: 844 };
const TINY = { width: 360, height: 640 };

let browser;
before(async () => {
	browser = await launch();
});
after(() => browser?.close());

async function scene(options, viewport, body) {
	const { hash = '', page: pageOptions, ...world } = options;
	const m = await startMock({ pollMs: 200, periodS: 1, login: false, ...world });
	try {
		await withPage(browser, viewport, async (page) => {
			if (options.mode) await page.addInitScript((x) => localStorage.setItem('jarvis-mode', x), options.mode);
			await page.goto(`${m.url}/${hash}`);
			await page.waitForSelector('.overall:not(.waiting)');
			await body(page, m);
		}, pageOptions);
	} finally {
		await m.stop();
	}
}

/** Goes to a place as a link would; the page stays. */
async function visit(page, hash, panel) {
	await page.evaluate((h) => (location.hash = h), hash);
	await page.waitForSelector(panel, { state: 'visible' });
}

const sel = (topic) => `#sel=pve/home/${topic}`;
const PLACES = [
	['overview', '#', '.cluster'], ['guests', '#view=guests', '.guests'], ['storage', '#view=storage', '.storage-view'],
	['backups', '#view=backups', '.backups'], ['hardware', '#view=hardware', '.disks'], ['activity',
		'#view=activity', '.tasks'],
	['health', '#view=health', '.health-view'], ['actions', '#view=actions', '.waiting-view'], ['audit', '#view=audit', '.audit'], ['a node', sel('node/Home/state'), '.detail'],
		['a node that says nothing of its heat', sel('node/agent/state'), '.detail'],
	['a virtual machine', sel('guest/102/state'), '.detail'], ['a container', sel('guest/101/state'), '.detail'],
	['a storage', sel('storage/-/nas/state'), '.detail'], ['what is not there', sel('guest/9999/state'), '.detail'],
];
const LEAST = { hud: 4.5, quiet: 4.5, light: 5.5 };

describe('every view and object', () => {
	for (const [size, viewport] of [['desktop', DESK], ['phone', PHONE]])
		for (const mode of ['hud', 'quiet', 'light'])
			test(`${size}, ${mode}: readable, fitting, nothing cut`, () => scene({ mode }, viewport, async (page) => {
				assert.equal(await page.evaluate(() => document.documentElement.dataset.mode), mode);
				for (const [name, hash, panel] of PLACES) {
					await visit(page, hash, panel);
					const seen = await contrast(page, LEAST[mode]);
					assert.ok(seen.texts >= 8, `${name}: ${seen.texts} texts`);
					assert.deepEqual(seen.bad, [], `contrast, ${name}`);
					assert.ok(await fits(page, { height: size === 'desktop' }), `${name} fits`);
					assert.deepEqual(await cutTexts(page), [], `${name}: cut`);
				}
			}));

	test('axe finds nothing in any of them', () => scene({}, DESK, async (page) => {
		for (const [name, hash, panel] of PLACES) {
			await visit(page, hash, panel);
			await assertAccessible(page, name);
			assert.deepEqual(await smallTargets(page), [], name);
		}
	}));

	for (const [width, height] of [[1440, 900], [1366, 768], [1920, 1080], [820, 1180]])
		test(`${width}×${height}: no label of the ring lies on a total`, () => scene({}, { width, height }, async (page) => {
			await page.waitForSelector('.ring-label');
			const meet = await page.evaluate(() => {
				const boxes = (s) => [...document.querySelectorAll(s)].map((e) => [e.textContent, e.getBoundingClientRect()]);
				const touch = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
				const totals = boxes('.total-name, .total-figure, .total-detail, .ticks');
				return boxes('.ring-label text').flatMap(([t, a]) => totals.filter(([, b]) => touch(a, b)).map(([u]) => `${t} on ${u}`));
			});
			assert.deepEqual(meet, []);
		}));

	test('360 px wide: no view scrolls sideways', () => scene({ mode: 'light' }, TINY, async (page) => {
		for (const [name, hash, panel] of PLACES) {
			await visit(page, hash, panel);
			assert.ok(await fits(page), name);
		}
	}));

	test('a finger finds what it needs: 44 px for the bar, the header and the lines of health', () => scene({},
		PHONE, async (page) => {
		await visit(page, '#view=health', '.health');
		const small = await page.$$eval('.views button, .top button, .health-line', (all) => all
			.filter((e) => e.checkVisibility())
			.map((e) => [e.innerText || e.ariaLabel, e.getBoundingClientRect()])
			.filter(([, b]) => b.height < 44 || b.width < 44).map(([n]) => n));
		assert.deepEqual(small, []);
	}));
});

describe('what the details say', () => {
	const part = (title) => `.part:has(h3:text-is("${title}"))`;
	const text = async (page, title) => page.innerText(part(title));

	test('a node: load, heat against the chip’s limits, disks, updates, certificate, guests, storage', () =>
		scene({ hash: sel('node/Home/state') }, DESK, async (page) => {
			await untilText(page, '.detail', /coretemp package id 0\s+\d\d°/);
			assert.match(await text(page, 'Temperatures'), /nct6798 AUXTIN1\s+—[\s\S]*fan1\s+912 rpm/);
			assert.match(await text(page, 'Disks'),
				/Samsung SSD 980 PRO[\s\S]*healthy[\s\S]*life 94%[\s\S]*ST8000VN004[\s\S]*not woken[\s\S]*in standby/);
			assert.match(await text(page, 'Updates'),
				/8, 2 for security[\s\S]*openssl\s+security[\s\S]*Certificate\s+21\dd left/);
			assert.match(await text(page, 'System'), /6\.8\.12-4-pve/);
			assert.match(await text(page, 'Guests'), /win11[\s\S]*llama/);
			assert.match(await text(page, 'Storage'), /nas[\s\S]*local-lvm/);
		}));

	test('a node without temperatures says why, and never 0', () =>
		scene({ hash: sel('node/agent/state') }, DESK, async (page) => {
			await untilText(page, '.detail', /connection refused/);
			const heat = '[aria-label="Node agent"] .node-heat .unknown';
			assert.equal(await page.innerText(heat), '—');
			assert.match(await page.getAttribute(heat, 'title'), /no answer over SSH/);
			assert.match(await text(page, 'Updates'), /Sys\.Modify is missing/);
		}));

	test('a guest: configuration, backups, snapshots, replication, high availability, its tasks', () =>
		scene({ hash: sel('guest/102/state') }, DESK, async (page) => {
			await untilText(page, '.detail', /102 homeassistant/);
			assert.match(await text(page, 'Configuration'),
				/Cores\s+4[\s\S]*Starts with its node\s+no[\s\S]*scsi0[\s\S]*32 GiB[\s\S]*vmbr0/);
			assert.match(await text(page, 'Backups'),
				/fine[\s\S]*Last good\s+9h ago[\s\S]*Held by\s+pbs[\s\S]*Jobs\s+Nightly to PBS/);
			assert.match(await text(page, 'Replication'), /102-0 to agent1[\s\S]*fine/);
			assert.match(await text(page, 'High availability'), /started[\s\S]*must not go dark/);
			assert.match(await text(page, 'Tasks'), /vzsnapshot 102/);
			await visit(page, sel('guest/100/state'), '.detail');
			await untilText(page, '.detail', /before-upgrade\s+12d ago[\s\S]*before the upgrade/);
			assert.match(await text(page, 'Configuration'), /not in backups[\s\S]*Owner: the household/);
			await visit(page, sel('guest/105/state'), '.detail');
			await untilText(page, '.detail', /failed[\s\S]*8h ago: job errors: timeout/);
			await visit(page, sel('guest/121/state'), '.detail');
			await untilText(page, '.detail', /unknown[\s\S]*nas could not be read/);
		}));

	test('a storage: space, nodes, volumes and backups that it holds', () =>
		scene({ hash: sel('storage/-/nas/state') }, DESK, async (page) => {
			await untilText(page, '.detail', /87%[\s\S]*6\.20 TiB of 7\.13 TiB/);
			assert.match(await text(page, 'Nodes that use it'), /agent1\s+available/);
			assert.match(await text(page, 'Backups'), /of 8 guests[\s\S]*nextcloud/);
			await visit(page, sel('storage/-/media/state'), '.detail');
			await untilText(page, '.detail', /22 TiB promised[\s\S]*jellyfin/);
		}));

	test('links lead on: from a guest to its node, from a node to a guest, and Esc back', () =>
		scene({ hash: sel('guest/102/state') }, DESK, async (page) => {
			await page.click('.detail-state .as-link:has-text("pve")');
			await untilText(page, '.detail h2', /^pve$/);
			await page.click(`${part('Guests')} .as-link >> nth=0`);
			await untilText(page, '.detail h2', /jellyfin/);
			await page.keyboard.press('Escape');
			await page.waitForSelector('.cluster');
			await page.click('[aria-label="Node Home"]');
			await untilText(page, '.detail h2', /^Home$/);
			await page.click('.storage:has-text("nas")');
			await untilText(page, '.detail h2', /^nas$/);
		}));

	test('documents that nobody publishes are missed calmly', () =>
		scene({ skip: ['thermal', 'backups', 'guests', 'disks', 'updates', 'ha', 'replication'] }, DESK,
			async (page, m) => {
			await untilText(page, '.health', /backups\s+not reported\s+disks\s+not reported\s+hottest\s+not reported/);
			m.world.change({ 'pve/home/storage/-/nas/state': null });
			await page.waitForSelector('.overall.ok');
			for (const [name, hash, panel] of PLACES) {
				await visit(page, hash, panel);
				assert.doesNotMatch(await page.innerText('.centre'), /undefined|null|NaN|\[object/, name);
			}
			await visit(page, '#view=backups', '.backups');
			await untilText(page, '.backups', /have not been reported yet/);
			assert.equal(await page.locator('.posture .tone-ok').count(), 0, 'nothing unknown is fine');
			await visit(page, sel('guest/102/state'), '.detail');
			assert.match(await text(page, 'Snapshots'), /Not reported yet/);
			await assertAccessible(page, 'missing documents');
		}));
});

describe('backups', () => {
	test('the worst first, in words; sorted, filtered, searched', () =>
		scene({ hash: '#view=backups' }, DESK, async (page) => {
			await page.waitForSelector('.posture .row.is-cursor, .posture .rows .row');
			const words = () => page.$$eval('.posture .rows .c-backup', (all) => all.map((e) => e.innerText));
			assert.deepEqual((await words()).slice(0, 6), ['failed', 'not covered', 'not covered', 'never',
				'too old', 'unknown']);
			const shapes = await page.$$eval('.posture .rows .c-backup path',
				(all) => new Set(all.map((p) => p.getAttribute('d'))).size);
			assert.equal(shapes, 6, 'each state has a shape of its own');
			await page.click('.chip:has-text("not covered")');
			await page.waitForFunction(() => document.querySelectorAll('.posture .rows .row').length === 2);
			assert.match(await page.evaluate(() => location.hash), /q=backup:uncovered/);
			await page.click('.chip:has-text("not covered")');
			await page.click('.posture .head .c-size button');
			await page.waitForSelector('.c-size[aria-sort=descending]');
			const sizes = await page.$$eval('.posture .rows .c-size', (all) => all.map((e) => parseFloat(e.innerText)));
			assert.ok(sizes[0] >= sizes[1] && sizes[1] >= sizes[2]);
			await page.keyboard.press('f');
			await page.keyboard.type('backup>2d -backup:uncovered');
			await page.waitForFunction(() => document.querySelectorAll('.posture .rows .row').length === 9);
			await untilText(page, '.attention', /Backup of immich failed[\s\S]*timeout waiting/);
			await page.fill('.backups .search input', 'snapshot>60d');
			await untilText(page, '.backups .panel-meta', /\d+ of 32/);
			await untilText(page, '.jobs',
				/Nightly to PBS\s+in 1\dh[\s\S]*disabled[\s\S]*guest 142[\s\S]*14 backups · 212 GiB · pbs/);
			await page.fill('.backups .search input', 'backup:none');
			await page.waitForFunction(() => document.querySelectorAll('.posture .rows .row').length === 2);
			await page.keyboard.press('Enter');
			await page.keyboard.press('Enter');
			await untilText(page, '.detail h2', /112 llama/);
		}));

	test('old knowledge is called old', () => scene({ hash: '#view=backups' }, DESK, async (page, m) => {
		m.world.faults.backups = { last_ok_ms: Date.now() - 3 * 3600e3, period_s: 300,
			error: 'no answer within 15 s', failures: 4 };
		await untilText(page, '.posture .rows', /was fine/);
		assert.equal(await page.locator('.posture .rows .tone-ok').count(), 0);
		await untilText(page, '.health', /backups\s+stale/);
		await visit(page, '#view=health', '.health-view');
		await untilText(page, '.health-view',
			/sources that do not answer[\s\S]*backups[\s\S]*silent for 3h[\s\S]*no answer within 15 s/);
	}));
});

describe('trouble that the new documents tell of', () => {
	test('heat: warm is coloured, hot and critical are trouble with the limit', () => scene({}, DESK, async (page,
		m) => {
		const topic = 'pve/home/node/Home/thermal';
		const heat = (celsius) => m.world.change({
			[topic]: { ...m.world.docs.get(topic), held: true, cpu: celsius,
				temperatures: [{ sensor: 'coretemp Package id 0', celsius, max: 80, critical: 100 }] },
		});
		heat(72);
		await page.waitForSelector('[aria-label="Node Home"] .heat-warm');
		heat(84);
		await untilText(page, '[aria-label="Node Home"]', /84° hot/);
		await untilText(page, '.attention', /Node Home is hot: 84°[\s\S]*its limit is 80°/);
		await untilText(page, '.health', /hottest\s+84° Home/);
		heat(101);
		await untilText(page, '.attention', /Node Home is critically hot: 101°/);
		await page.waitForSelector('.overall.crit');
		await assertAccessible(page, 'hot');
	}));

	test('a failing disk, a degraded pool, Ceph, high availability', () => scene({}, DESK, async (page, m) => {
		const disk = 'pve/home/node/pve/disk/WD-WX11';
		const pool = 'pve/home/node/pve/pool/tank';
		const ha = 'pve/home/ha';
		m.world.change({
			[disk]: { ...m.world.docs.get(disk), health: 'FAILED!' },
			[pool]: { ...m.world.docs.get(pool), health: 'DEGRADED', bad_devices: ['sdb UNAVAIL 3 0 0'] },
			[ha]: { ...m.world.docs.get(ha), services: [{ sid: 'vm:102', vmid: 102, node: 'pve', state: 'error',
				wanted: 'started', comment: null }] },
			'pve/home/ceph': { ts: Date.now(), cluster: 'home', ...CEPH },
		});
		await untilText(page, '.attention',
			/Disk \/dev\/sda of node pve is failing[\s\S]*Pool tank of node pve is DEGRADED[\s\S]*vm:102 is in error/);
		await untilText(page, '.attention', /Ceph says HEALTH_WARN[\s\S]*1 nearfull osd/);
		await untilText(page, '.health',
			/availability\s+vm:102 error\s+ceph\s+1 complaint[\s\S]*disks\s+1 disk failing/);
		await page.click('.trouble .as-link:has-text("Pool tank")');
		await untilText(page, '.detail', /tank\s+degraded[\s\S]*sdb UNAVAIL 3 0 0/);
		await visit(page, '#view=health', '.health-view');
		await untilText(page, '.health-view', /OSD_NEARFULL[\s\S]*6 up, 6 in of 6/);
	}));

	test('findings with their cure, and what watching costs', () => scene({ hash: '#view=health' }, DESK,
		async (page) => {
		await untilText(page, '.health-view', /The token may do more than read\s+warning[\s\S]*pveum acl delete/);
		await untilText(page, '.health-view', /54 calls a minute[\s\S]*\/cluster\/resources\s+6/);
		await untilText(page, '.health-view', /Home\s+8, 2 for security\s+21\dd left/);
	}));
});

describe('the search over everything', () => {
	const typed = async (page, what) => {
		await page.fill('.palette input', what);
		return page.$$eval('.hit', (all) => all.map((e) => e.innerText.replace(/\s+/g, ' ')));
	};

	test('finds every kind of thing, best first, and opens it', () => scene({}, DESK, async (page) => {
		await page.keyboard.press('Control+k');
		await page.waitForSelector('.palette');
		await assertAccessible(page, 'search');
		assert.match((await typed(page, '101'))[0], /^pihole ct 101/);
		assert.match((await typed(page, 'pve'))[0], /^pve online.* node$/);
		assert.match((await typed(page, 'nas'))[0], /^nas shared · nfs/);
		assert.match((await typed(page, 'kind:disk life<20')).join(), /^\/dev\/sda agent · KINGSTON[^,]*$/);
		assert.match((await typed(page, 'kind:job nightly')).join(), /Nightly to PBS backup-nightly/);
		assert.match((await typed(page, 'kind:task status:failed')).join(), /vzstart 104/);
		assert.match((await typed(page, 'kind:node temp>70')).join(), /^pve /);
		assert.equal((await typed(page, 'backup:none')).length, 2);
		assert.match((await typed(page, 'hardw'))[0], /^Hardware/);
		await typed(page, 'no such thing');
		await untilText(page, '.palette-note', /Nothing matches/);
		await typed(page, 'cpu>lots');
		await untilText(page, '.palette-note', /no value of cpu/);
		assert.ok((await typed(page, 'prod')).length > 3);
		await page.keyboard.press('ArrowDown');
		const wanted = await page.innerText('.hit.on .hit-name');
		await page.keyboard.press('Enter');
		await untilText(page, '.detail h2', wanted);
		assert.equal(await page.locator('.palette').count(), 0);
	}));

	test('goes on in the table, opens with / too, and Esc leaves all as it was', () => scene({}, DESK, async (page) => {
		await page.keyboard.press('/');
		await page.keyboard.type('tag:prod');
		await page.click('.palette-foot button');
		await untilText(page, '.guests .panel-meta', /\d+ of 32/);
		assert.equal(await page.inputValue('.guests .search input'), 'tag:prod');
		await page.keyboard.press('Control+k');
		await page.keyboard.press('Escape');
		await page.waitForSelector('.palette', { state: 'detached' });
		await page.waitForSelector('.guests');
	}));

	test('on a phone', () => scene({ mode: 'light' }, PHONE, async (page) => {
		await page.click('.finder');
		await typed(page, 'jelly');
		assert.ok(await fits(page));
		assert.deepEqual((await contrast(page)).bad, []);
		await page.click('.hit');
		await untilText(page, '.detail h2', /jellyfin/);
	}));
});

describe('keys, looks, toasts', () => {
	test('views by number and by chord; j and k move in the list that is there', () => scene({}, DESK, async (page) => {
		for (const [keys, panel] of [['2', '.guests'], ['4', '.backups'], ['g h', '.disks'], ['g e',
			'.health-view'], ['g s', '.storage-view'], ['6', '.tasks'], ['g o', '.cluster']]) {
			for (const key of keys.split(' ')) await page.keyboard.press(key);
			await page.waitForSelector(panel);
		}
		await page.keyboard.press('g');
		await page.keyboard.press('s');
		await page.keyboard.press('j');
		await page.keyboard.press('j');
		await page.keyboard.press('Enter');
		await untilText(page, '.detail h2', /^nas$/);
		await page.keyboard.press('Escape');
		await page.waitForSelector('.storage-view');
		await page.keyboard.press('Escape');
		await page.waitForSelector('.cluster');
		await page.keyboard.press('?');
		await untilText(page, '.help', /backup>2d snapshot>30d/);
		await page.keyboard.press('Escape');
		await page.waitForSelector('.help', { state: 'detached' });
	}));

	test('the look: by the system first, then as chosen, and remembered',
		() => scene({ page: { colorScheme: 'light' } }, DESK, async (page) => {
		const mode = () => page.evaluate(() => document.documentElement.dataset.mode);
		assert.equal(await mode(), 'light');
		await page.emulateMedia({ colorScheme: 'dark' });
		await page.waitForFunction(() => document.documentElement.dataset.mode === 'hud');
		await page.emulateMedia({ contrast: 'more' });
		await page.waitForFunction(() => document.documentElement.dataset.mode === 'light');
		await page.keyboard.press('m');
		await page.click('[aria-label^="Look:"]');
		assert.equal(await mode(), 'quiet');
		await page.reload();
		await page.waitForSelector('.cluster');
		assert.equal(await mode(), 'quiet');
		assert.equal(await page.getAttribute('meta[name=theme-color]', 'content'), '#0b0d10');
	}));

	test('toasts: what failed is an alert, what is well again a status', () => scene({}, DESK, async (page, m) => {
		m.world.nodeDown('pve');
		await untilText(page, '.toasts [role=alert]', /Node pve is offline[\s\S]*no answer/);
		await assertAccessible(page, 'toast');
		m.world.nodeUp('pve');
		await untilText(page, '.toasts [role=status]', /Node pve is online/);
		m.world.presence('thermal-collector', 'offline');
		await untilText(page, '.toasts [role=alert]', /thermal-collector is offline/);
		m.mock.dropSockets();
		await untilText(page, '.toasts [role=status]', /Connection is back/);
		for (let i = 0; i < 6; i++) m.world.taskFails('home', 100 + i);
		await untilText(page, '.toasts [role=alert]', /and \d more/);
		assert.equal(await page.$$eval('.toast button', (all) => all.length), 4);
	}));

	test('a page that nobody sees draws nothing, and has everything when it is looked at again', () => scene({},
		DESK, async (page, m) => {
		await page.waitForSelector('.brief .row');
		const hide = (hidden) => page.evaluate((h) => {
			Object.defineProperty(document, 'hidden', { value: h, configurable: true });
			document.dispatchEvent(new Event('visibilitychange'));
		}, hidden);
		await hide(true);
		/* What was begun before is drawn in the next frame. */
		await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
		await page.evaluate(() => {
			window.changes = 0;
			new MutationObserver((list) => (window.changes += list.length)).observe(document.body, { subtree: true,
				childList: true, characterData: true, attributes: true });
		});
		const begun = m.world.docs.get('pve/home/state').ts;
		while (m.world.docs.get('pve/home/state').ts < begun + 1500) await new Promise((done) => setImmediate(done));
		m.world.nodeDown('pve');
		await page.evaluate(() => fetch('/api/session'));
		assert.equal(await page.evaluate(() => window.changes), 0);
		await hide(false);
		await untilText(page, '[aria-label="Node pve"]', /offline/);
		await untilText(page, '.toasts', /Node pve is offline/);
		await untilText(page, '.brief', /running/);
	}));

	test('scroll, selection and focus survive updates', () => scene({ guests: 200, hash: '#view=guests' }, DESK,
		async (page, m) => {
		await page.focus('.wide');
		await page.keyboard.press('End');
		const at = () => page.$eval('.wide', (e) => e.scrollTop);
		const before = await at();
		assert.ok(before > 1000);
		const cursor = await page.getAttribute('.wide', 'aria-activedescendant');
		const ts = m.world.docs.get('pve/home/state').ts;
		await page.waitForFunction((t) => performance.timeOrigin + performance.now() > t + 1500, ts);
		assert.equal(await at(), before);
		assert.equal(await page.getAttribute('.wide', 'aria-activedescendant'), cursor);
		assert.ok(await page.$eval('.wide', (e) => e === document.activeElement));
	}));
});

test('the first load keeps to its budget: 60 kB of script, 12 kB of style; what acts, and nodes, come later', () => {
	const dist = new URL('../../web/dist/', import.meta.url);
	const html = readFileSync(new URL('index.html', dist), 'utf8');
	const named = (pattern) => [...html.matchAll(pattern)].map((m) => m[1]);
	const size = (names) => names.reduce((n, f) => n + gzipSync(readFileSync(new URL(`.${f}`, dist)),
		{ level: 9 }).length, 0);
	const scripts = named(/(?:src|href)="([^"]+\.js)"/g);
	assert.ok(scripts.length >= 1);
	assert.ok(size(scripts) <= 60_000, `${size(scripts)} bytes of script`);
	assert.ok(size(named(/href="([^"]+\.css)"/g)) <= 12_000, 'style');
	const later = readdirSync(dist).filter((f) => f.endsWith('.js') && !scripts.includes(`/${f}`));
	const ofNode = later.filter((f) => f.startsWith('node-'));
	assert.equal(ofNode.length, 1, 'one script for what is on a node');
	assert.ok(size(ofNode.map((f) => `/${f}`)) <= 10_000);
	const acts = later.filter((f) => !ofNode.includes(f));
	assert.ok(acts.length >= 1 && acts.length <= 2, 'one script for what acts, and what it shares with that');
	assert.ok(size(acts.map((f) => `/${f}`)) <= 24_000);
});
