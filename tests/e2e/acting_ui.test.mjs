// SPDX-License-Identifier: MIT
// What acts, in every size and look, over a made-up gateway: states that the real one reaches slowly or never.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { autonomy, action } from './acts.mjs';
import { assertAccessible, untilText } from './browser.mjs';
import { closed, DESK, DIALOG, inEveryLook, scene, sel, visit } from './scenes.mjs';

const verdict = (over) => ({ dry_run: true, decision: 'ask', tier: 'orange', rule: 'tier', reason: null, need: 'nothing', facts: [], steps: [], verify: null, ...over });

const power = (page, verb) => page.click(`.power .power-button:has-text("${verb}")`);

/** How each thing is brought up, and what shows that it is there. */
const SCENES = [
	['buttons of a virtual machine', async (page) => {
		await visit(page, sel('guest/103/state'));
		await page.waitForSelector('.power .power-button:enabled');
	}],
	['what runs, under its guest', (page) => untilText(page, '.power .progress', /42%/)],
	['an interruption', async (page) => {
		await power(page, 'Shut down');
		await page.waitForSelector(`${DIALOG} [name=proof]`);
	}, closed],
	['a loss', async (page) => {
		await power(page, 'Reset');
		await page.waitForSelector(`${DIALOG} .lost`);
		await page.waitForSelector(`${DIALOG} [name=proof]`);
	}],
	['its window', async (page) => {
		await page.check(`${DIALOG} [name=sure]`);
		await page.fill(`${DIALOG} [name=proof]`, '123456');
		await page.click(`${DIALOG} button[type=submit]`);
		await page.waitForSelector(`${DIALOG} .window`);
	}, closed],
	['a refusal', async (page, m) => {
		m.mock.answers = { 'POST /api/tools/execute': [200, verdict({ decision: 'refuse', tier: 'black', rule: 'dependents',
			reason: 'It is needed by what still runs: jellyfin (101), nextcloud (102), pihole (120), docker-host (128). Stop that first.' })] };
		await power(page, 'Restart');
		await page.waitForSelector(`${DIALOG} .refused`);
		m.mock.answers = {};
	}, closed],
	['where to', async (page) => {
		await power(page, 'Move');
		await page.waitForSelector(`${DIALOG} [type=radio]`);
		await page.waitForSelector(`${DIALOG} [name=proof]`);
	}, closed],
	['a name', async (page) => {
		await power(page, 'Snapshot');
		await page.waitForSelector(`${DIALOG} [name=snapshot]`);
		await page.waitForSelector(`${DIALOG} button[type=submit]:enabled`);
	}, closed],
	['its log', async (page) => {
		await page.click('.power .task-log summary');
		await untilText(page, '.power .task-log', /creating vzdump archive/);
	}, (page) => page.click('.power .task-log summary')],
	['a download', async (page) => {
		await visit(page, sel('storage/-/nas/state'));
		await power(page, 'Download');
		await page.fill(`${DIALOG} [name=url]`, 'https://cloud.debian.org/images/cloud/trixie/latest/debian-13-genericcloud-amd64.iso');
		await page.fill(`${DIALOG} [name=checksum]`, 'ab'.repeat(32));
		await page.waitForSelector(`${DIALOG} [name=proof]`);
	}, closed],
	['several', async (page) => {
		await visit(page, '#view=guests');
		for (const vmid of [100, 101, 103, 104]) await page.click(`.wide [data-topic="pve/home/guest/${vmid}/state"] .pick`);
		await page.click('.batch button:has-text("Shut down")');
		await page.waitForSelector(`${DIALOG} [name=proof]`);
	}, async (page) => {
		await closed(page);
		await page.click('.batch button:has-text("Clear")');
	}],
	['levels', async (page) => {
		await page.click('.level');
		await page.click(`${DIALOG} label:has-text("autopilot")`);
		await page.waitForSelector(`${DIALOG} [name=proof]`);
	}, closed],
	['a node', async (page) => {
		await visit(page, sel('node/pve/state'));
		await power(page, 'Restart node');
		await untilText(page, DIALOG, /run on pve/);
	}, closed],
	['the table, selected', async (page) => {
		await visit(page, '#view=guests');
		for (const vmid of [100, 101, 103, 104]) await page.click(`.wide [data-topic="pve/home/guest/${vmid}/state"] .pick`);
		await untilText(page, '.batch', /4 selected/);
	}],
	['the menu of a row', async (page) => {
		await page.click('.wide [data-topic="pve/home/guest/103/state"] .c-act button');
		await page.waitForSelector('.menu');
	}, closed],
	['cards and history', async (page) => {
		await visit(page, '#view=actions');
		await untilText(page, '.waiting-view', /Restart node pve/);
	}],
	['frozen', async (page) => {
		await page.click('.freeze');
		await page.waitForSelector('.banner.frozen');
		await page.waitForSelector('.freeze.on');
	}],
	['unfreezing', async (page) => {
		await page.click('.freeze');
		await page.waitForSelector(`${DIALOG} [name=proof]`);
	}, closed],
];

describe('every dialog and card', () => inEveryLook('ui', SCENES));

describe('what it says', () => {
	const card = (name) => `.waiting-panel .card[aria-label*="${name}"]`;

	test('cards: who asks and what kind of asker, why, where, facts, what is missing', () => scene({}, DESK, async (page) => {
		await untilText(page, card('Restart node pve'), /RED[\s\S]*left[\s\S]*llm-router, an agent, asks:\s+A kernel waits[\s\S]*pve[\s\S]*online[\s\S]*quorum needs 3[\s\S]*Checked afterwards[\s\S]*One-time code/);
		await untilText(page, card('Shut down plex'), /nodered, a remote client[\s\S]*plex\s+ct 124[\s\S]*on Home[\s\S]*Your keyword/);
		await untilText(page, card('Start old-mail'), /monitor, an agent, runbook restart-guest/);
		assert.ok(!await page.$(`${card('Start old-mail')} input`));
		await untilText(page, '.views', /Actions\s*3/i);
	}));

	test('a card whose bytes are not those of the digest cannot be approved', () => scene({ acts: false }, DESK, async (page, m) => {
		const a = action('home', { tool: 'guest_start', reason: 'It should run.' }, [['guest', 130, 'old-mail']]);
		m.world.change({ [`action/${a.id}/state`]: { ...a, shown: a.shown.replace('130', '103') } });
		await untilText(page, '.card', /digest does not fit[\s\S]*must not be approved/);
		assert.ok(await page.$('.card button:has-text("Approve"):disabled'));
		assert.ok(await page.$('.card button:has-text("Deny"):enabled'));
		await assertAccessible(page, 'a forged card');
	}));

	test('outcomes keep their reasons, and are found', () => scene({ hash: '#view=actions' }, DESK, async (page) => {
		await untilText(page, '.history', /Start 4 guests: k3s-1, k3s-2 and 2 more[\s\S]*expired\s+Nobody decided[\s\S]*unknown\s+The executor was restarted[\s\S]*failed\s+Proxmox: storage[\s\S]*still failing\s+The task ended well/);
		await page.click('.history .chip:has-text("went wrong")');
		await page.waitForFunction(() => document.querySelectorAll('.history-row').length === 3);
		await page.fill('.history-search input', 'executor unknown');
		await page.waitForFunction(() => document.querySelectorAll('.history-row').length === 1);
	}));

	test('a viewer sees all of it, and can press nothing but the switch', () => scene({ role: 'viewer', hash: sel('guest/103/state') }, DESK,
		async (page) => {
			await untilText(page, '.power', /role is viewer/);
			await untilText(page, '.waiting-panel', /An operator decides/);
			assert.ok(!await page.$('.power-button, .card button[type=submit], .progress button'));
			await visit(page, '#view=guests');
			assert.ok(!await page.$('.c-pick, .c-act'));
			await visit(page, '#view=audit');
			await untilText(page, '.audit', /Operators read the audit/);
			await page.click('.level');
			await untilText(page, DIALOG, /an operator changes the level/);
			await closed(page);
			await page.click('.freeze');
			await page.waitForSelector('.banner.frozen');
			assert.ok(!await page.$('.banner.frozen button'));
			await assertAccessible(page, 'a viewer');
		}));

	test('a gate that is unfit, silent or gone, and a gate that never was', () => scene({ hash: sel('guest/103/state') }, DESK, async (page, m) => {
		await page.waitForSelector('.power-button:enabled');
		m.world.change({ 'autonomy/state': autonomy({ unfit: 'the disk is full' }) });
		await untilText(page, '.power-why', /nothing but reads: the disk is full/);
		assert.equal(await page.locator('.power-button:enabled').count(), 0);
		m.world.change({ 'autonomy/state': autonomy({ unfit_agents: 'jarvis.yaml has an error' }) });
		await untilText(page, '.banner.warn', /Agents do nothing but read: jarvis\.yaml has an error/);
		await page.waitForSelector('.power-button:enabled');
		await assertAccessible(page, 'agents wait');
		m.world.change({ 'autonomy/state': autonomy() });
		await page.waitForSelector('.banner.warn', { state: 'detached' });
		await page.waitForSelector('.power-button:enabled');
		m.world.presence('executor', 'offline');
		await untilText(page, '.power-why', /executor is offline/);
		m.world.presence('executor', 'online');
		m.world.presence('safety-gate', 'offline');
		await untilText(page, '.power-why', /safety gate is offline/);
		await page.waitForSelector('.level .icon');
		await assertAccessible(page, 'without a gate');
	}));

	test('nobody is enrolled: the command is said, before anything is typed', () => scene({ hash: sel('guest/103/state') }, DESK, async (page, m) => {
		m.world.change({ 'autonomy/state': autonomy({ keywords: [], codes: [] }) });
		await untilText(page, '.waiting-panel', /jarvisctl person enrol admin/);
		await page.click('.level');
		await untilText(page, DIALOG, /keyword not enrolled[\s\S]*jarvisctl person enrol admin/);
	}));

	test('judged higher than expected: the confirmation comes, and what was asked is asked again', () => scene({ hash: sel('guest/103/state') }, DESK,
		async (page, m) => {
			m.mock.answers = { 'POST /api/tools/execute': (body) => (body.dry_run ? [200, verdict({ tier: 'red', need: 'code', facts: ['It is protected: a tier higher.'] })]
				: undefined) };
			await power(page, 'Shut down');
			await untilText(page, DIALOG, /RED[\s\S]*protected[\s\S]*I know what is lost[\s\S]*One-time code/);
			assert.ok(await page.$eval(`${DIALOG} button:has-text("Do nothing")`, (e) => e === document.activeElement));
		}));

	test('judged otherwise between verdict and request: shown anew, not approved, and taken back when it is closed', () => scene({ acts: false, hash: sel('guest/103/state') }, DESK,
		async (page, m) => {
			m.mock.answers = { 'POST /api/tools/execute': (body) => (body.dry_run ? [200, verdict({ need: 'keyword', facts: ['It was like this.'] })] : undefined) };
			await power(page, 'Shut down');
			await page.fill(`${DIALOG} [name=proof]`, 'a keyword');
			const asked = () => [...m.world.docs].filter(([t, d]) => t.startsWith('action/') && d).map(([, d]) => d.status);
			assert.deepEqual(asked(), []);
			await page.click(`${DIALOG} button[type=submit]`);
			await untilText(page, DIALOG, /these very bytes are approved[\s\S]*judged otherwise/);
			assert.deepEqual(asked(), ['waiting']);
			await closed(page);
			await page.waitForFunction(() => !document.querySelector('.card'));
			assert.deepEqual(asked(), ['cancelled']);
		}));

	test('no host to download from: said before the click', () => scene({ hash: sel('storage/-/nas/state') }, DESK, async (page, m) => {
		await page.waitForSelector('.power-button:has-text("Download"):enabled');
		m.mock.hosts = [];
		await page.reload();
		await untilText(page, '.power', /Download[\s\S]*download_hosts in jarvis\.yaml names no host/);
		assert.equal(await page.locator('.power-button:enabled').count(), 0);
	}));

	test('the gate does not answer: the page says so and nothing is lost', () => scene({ hash: sel('guest/130/state') }, DESK, async (page, m) => {
		m.mock.answers = { 'POST /api/tools/execute': [503, { type: 'about:blank', title: 'x', status: 503, detail: 'the safety gate does not answer' }] };
		await power(page, 'Start');
		await untilText(page, '.toasts', /Start old-mail: not done[\s\S]*does not answer/);
	}));

	test('shift selects all between, Space one; what left the table is not selected any more', () => scene({ hash: '#view=guests' }, DESK, async (page, m) => {
		await page.click('.wide [data-topic="pve/home/guest/101/state"] .pick');
		await page.click('.wide [data-topic="pve/home/guest/106/state"] .pick', { modifiers: ['Shift'] });
		await untilText(page, '.batch', /6 selected[\s\S]*RED\s+Shut down/);
		await page.focus('.grid.wide');
		await page.keyboard.press('Home');
		await page.keyboard.press('Space');
		await untilText(page, '.batch', /7 selected/);
		m.world.change({ 'pve/home/guest/101/state': null });
		await untilText(page, '.batch', /6 selected/);
		assert.equal(await page.$$eval('.wide .row[aria-selected=true]', (all) => all.length), 6);
	}));

	test('a held Enter opens a dialog once, and presses nothing in it', () => scene({ hash: sel('guest/103/state') }, DESK, async (page, m) => {
		const asked = () => [...m.world.docs.keys()].filter((t) => t.startsWith('action/')).length;
		const before = asked();
		await page.waitForSelector('.power .power-button:enabled');
		await page.focus('.power .power-button:has-text("Stop hard")');
		for (let i = 0; i < 8; i++) await page.keyboard.down('Enter');
		await page.keyboard.up('Enter');
		await page.waitForSelector(`${DIALOG} .lost`);
		assert.equal(asked(), before);
	}));
});
