// SPDX-License-Identifier: MIT
// Acting in the browser, on the whole of Jarvis: simulated Proxmox, real gate, executor, broker and gateway.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { startStack } from '../stack/stack.mjs';
import { assertAccessible, DESKTOP, fits, launch, logIn, newPage, PHONE, untilText } from './browser.mjs';
import { codesOf } from './codes.mjs';

const quick = (config) => {
	for (const cluster of Object.values(config.clusters)) cluster.poll = { nodes: '2s', tasks: '2s', storage: '5s', node: '5s' };
};
const SHOTS = process.env.SHOTS;
const POST = { 'Content-Type': 'application/json', 'X-Jarvis': '1' };
const DIALOG = '.dialog.wish';

describe('acting', () => {
	let stack;
	let browser;
	let page;
	let problems;
	let code;
	let monitor;
	let asked = 0;

	const still = () => page.evaluate(() => Promise.allSettled(document.getAnimations().map((a) => a.finished)));
	const shot = async (name) => SHOTS && await still() && page.screenshot({ path: `${SHOTS}/${name}.png` });
	const open = async (vmid) => {
		await page.evaluate((v) => (location.hash = `#sel=pve/home/guest/${v}/state`), vmid);
		await untilText(page, '.detail h2', new RegExp(`^${vmid} `));
	};
	const status = (vmid, word) => untilText(page, `.brief [data-topic="pve/home/guest/${vmid}/state"]`, new RegExp(`^${word}`), 20_000);
	const power = (verb) => page.click(`.power .power-button:has-text("${verb}")`);
	/** The page's own cookie asks, as any client of the person would. */
	const post = (path, body) => page.evaluate(async ([p, b, headers]) => {
		const answer = await fetch(p, { method: 'POST', headers, body: JSON.stringify(b) });
		return { status: answer.status, body: await answer.json() };
	}, [path, body, POST]);
	const get = (path) => page.evaluate(async (p) => (await fetch(p)).json(), path);
	/** An agent asks, over the bus. */
	const agentAsks = (tool, args, more = {}) => monitor.publishAsync('jarvis/action/request/monitor',
		JSON.stringify({ request_id: `e2e-${++asked}`, tool, args, ...more }), { qos: 1 });
	const gone = (selector, timeout = 8000) => page.waitForSelector(selector, { state: 'detached', timeout });

	before(async () => {
		[browser, stack] = await Promise.all([launch(), startStack({
			config: quick, enrol: 'operator',
			/* Without Sys.Modify: the tasks of others cannot be stopped. */
			sim: { 'control-privs': 'Sys.Audit,Sys.AccessNetwork,Datastore.AllocateTemplate' }, services: ['proxmox-poller', 'safety-gate', 'executor', 'gateway'],
		})]);
		code = codesOf(stack.proof.totp);
		monitor = await stack.mqtt({ user: 'monitor' });
		({ page, problems } = await newPage(browser, DESKTOP));
		await page.goto(stack.url);
		await logIn(page, 'operator', stack.password);
		await page.waitForSelector('.freeze:not(.on)');
		await page.waitForSelector('.level[data-level="2"]');
	});
	/* One that fails leaves nothing open for the next. */
	beforeEach(async () => {
		await page.setViewportSize(DESKTOP);
		while (await page.$(`${DIALOG}, .menu`)) await page.keyboard.press('Escape');
	});
	after(async () => {
		await monitor?.endAsync(true);
		await browser?.close();
		await stack?.stop();
	});

	test('start: one click, with its tier before, a toast, and verified', async () => {
		await status(149, 'stopped');
		await open(149);
		await untilText(page, '.power', /YELLOW\s+Start[\s\S]*YELLOW\s+Snapshot…[\s\S]*ORANGE\s+Move…/);
		assert.doesNotMatch(await page.innerText('.power'), /Shut down|Stop hard/, 'what does not fit is not there');
		await page.waitForSelector('.power .power-button:enabled');
		await shot('detail-stopped');
		await power('Start');
		await untilText(page, '.toasts', /Starting \w+[\s\S]*Cancel/);
		await untilText(page, '.toasts', /verified/, 20_000);
		await status(149, 'running');
		await untilText(page, '.power', /ORANGE\s+Shut down…[\s\S]*RED\s+Stop hard…/);
	});

	test('shut down: facts, the bytes checked, a wrong keyword, the keyword', async () => {
		await open(149);
		await shot('detail-running');
		await power('Shut down');
		await untilText(page, DIALOG, /ORANGE[\s\S]*on \w+\s+running[\s\S]*Checked afterwards: that it is stopped[\s\S]*checked/);
		await assertAccessible(page, 'the dialog of an interruption');
		assert.ok(await page.$eval(`${DIALOG} [name=proof]`, (e) => e === document.activeElement));
		await shot('dialog-orange');
		await page.keyboard.press('Enter');
		assert.ok(await page.$(DIALOG), 'Enter alone does nothing');
		await page.fill(`${DIALOG} [name=proof]`, 'not the keyword');
		await page.click(`${DIALOG} button[type=submit]`);
		await untilText(page, `${DIALOG} .form-error`, /not right/);
		await page.fill(`${DIALOG} [name=proof]`, stack.proof.keyword);
		await page.keyboard.press('Enter');
		await gone(DIALOG);
		await untilText(page, '.toasts', /Shut down \w+: verified/, 60_000);
		await status(149, 'stopped');
	});

	test('a dialog that is closed takes its wish back', async () => {
		await open(101);
		await power('Restart');
		await page.waitForSelector(`${DIALOG} [name=proof]`);
		await page.keyboard.press('Escape');
		await gone(DIALOG);
		await page.waitForFunction(() => !document.querySelector('.card'));
		const { items } = await get('/api/actions');
		assert.deepEqual([items[0].tool, items[0].status], ['guest_reboot', 'cancelled']);
	});

	test('stop hard: what is lost, confirmed, a code, ten seconds, stopped', async () => {
		await open(101);
		await power('Stop hard');
		await untilText(page, DIALOG, /RED[\s\S]*power is cut/);
		assert.ok(await page.$eval(`${DIALOG} button:has-text("Do nothing")`, (e) => e === document.activeElement));
		assert.ok(await page.$(`${DIALOG} button:has-text("Go on"):disabled`));
		await shot('dialog-red-confirm');
		await assertAccessible(page, 'the dialog of a loss');
		await page.check(`${DIALOG} [name=sure]`);
		await page.click(`${DIALOG} button:has-text("Go on")`);
		await untilText(page, DIALOG, /One-time code/);
		await shot('dialog-red-code');
		await page.fill(`${DIALOG} [name=proof]`, await code());
		await page.keyboard.press('Enter');
		assert.ok(await page.$eval(`${DIALOG} button[type=submit]`, (e) => e === document.activeElement), 'Enter goes on, and presses nothing');
		await page.keyboard.press('Enter');
		await untilText(page, `${DIALOG} .window`, /\d+\s+s until it begins[\s\S]*Cancel it/);
		await shot('dialog-window');
		await gone(DIALOG, 20_000);
		await untilText(page, '.toasts', /Stop hard jellyfin: verified/, 30_000);
		await status(101, 'stopped');
	});

	test('cancelled in the window: nothing happens', async () => {
		await stack.sim('guest_start', { vmid: 101, sample: true });
		await status(101, 'running');
		await open(101);
		await power('Stop hard');
		await page.check(`${DIALOG} [name=sure]`);
		await page.click(`${DIALOG} button:has-text("Go on")`);
		await page.waitForSelector(`${DIALOG} [name=proof]`);
		await page.fill(`${DIALOG} [name=proof]`, await code());
		await page.click(`${DIALOG} button[type=submit]`);
		await page.click(`${DIALOG} .window button`);
		await untilText(page, DIALOG, /cancelled it before it began/);
		await page.click(`${DIALOG} button:has-text("Close")`);
		await status(101, 'running');
	});

	test('refused: BLACK in the gate’s words, with what would help', async () => {
		const answer = await post('/api/tools/execute', { request_id: 'destroy-1', tool: 'guest_destroy', args: { guest: 101 } });
		assert.equal(answer.status, 403);
		assert.deepEqual({ ...answer.body, reason: '' }, { blocked: true, tier: 'black', rule: 'tool.unknown', reason: '' });
		await open(140);
		await power('Shut down');
		await untilText(page, `${DIALOG} .refused`, /BLACK\s+Refused\s+self[\s\S]*Jarvis itself runs in guest 140[\s\S]*Nobody may/);
		await untilText(page, DIALOG, /What would help/);
		await assertAccessible(page, 'a refusal');
		await shot('dialog-refused');
		await page.click(`${DIALOG} button:has-text("Close")`);
	});

	test('a batch: selected by keyboard and shift, one tier higher, one request', async () => {
		const off = [109, 127, 145, 149];
		for (const vmid of off) await status(vmid, 'stopped');
		await page.keyboard.press('Escape');
		await page.keyboard.press('2');
		await page.fill('.guests .search input', 'status:stopped');
		const row = (vmid) => `.wide [data-topic="pve/home/guest/${vmid}/state"]`;
		await page.click(`${row(109)} .pick`);
		await page.focus('.grid.wide');
		await page.keyboard.press('Home');
		await page.keyboard.press('ArrowDown');
		await page.keyboard.press('Space');
		await untilText(page, '.batch', /2 selected[\s\S]*YELLOW\s+Start\s/);
		await page.click(row(149), { modifiers: ['Shift'] });
		await untilText(page, '.batch', /4 selected[\s\S]*ORANGE\s+Start…[\s\S]*tier higher/);
		await shot('batch');
		await assertAccessible(page, 'a batch');
		await page.click('.batch button:has-text("Start")');
		await untilText(page, DIALOG, /ORANGE[\s\S]*4 targets at once: this is a tier higher/);
		await shot('dialog-batch');
		await page.fill(`${DIALOG} [name=proof]`, stack.proof.keyword);
		await page.keyboard.press('Enter');
		await gone(DIALOG);
		await untilText(page, '.toasts', /Start windows11, opnsense-lab and 2 more: verified/, 60_000);
		await page.fill('.guests .search input', '');
		for (const vmid of off) await status(vmid, 'running');
		await page.click('.batch button:has-text("Clear")');
		await gone('.batch');
	});

	test('the menu of a row, by keyboard: nothing is chosen until an arrow is pressed', async () => {
		await page.focus('.grid.wide');
		await page.keyboard.press('Home');
		await page.keyboard.press('.');
		await page.waitForSelector('.menu');
		await page.keyboard.press('Enter');
		assert.ok(await page.$('.menu'), 'Enter alone chooses nothing');
		await page.keyboard.press('ArrowDown');
		assert.equal(await page.evaluate(() => document.activeElement.role ?? document.activeElement.getAttribute('role')), 'menuitem');
		await shot('menu');
		await assertAccessible(page, 'the menu');
		await page.keyboard.press('Escape');
		await gone('.menu');
		assert.ok(await page.$eval('.grid.wide', (e) => e === document.activeElement));
		await page.keyboard.press('1');
	});

	test('an agent asks: the card says who, why, what; approved, done', async () => {
		await stack.sim('guest_kill', { vmid: 149, sample: true });
		await status(149, 'stopped');
		await agentAsks('guest_start', { guest: 149 }, { reason: 'It should run and does not.' });
		await untilText(page, '.waiting-panel', /YELLOW\s+Start \w+[\s\S]*left[\s\S]*monitor, an agent, asks[\s\S]*It should run and does not\.[\s\S]*stopped[\s\S]*checked/);
		await untilText(page, '.views', /Actions\s*1/i);
		await shot('card');
		await assertAccessible(page, 'a card');
		await page.click('.card button:has-text("Approve")');
		await untilText(page, '.toasts', /Start \w+: verified/, 30_000);
		await status(149, 'running');
	});

	test('an agent asks for more: denied', async () => {
		await agentAsks('guest_shutdown', { guest: 101 }, { reason: 'It is idle.' });
		await page.waitForSelector('.card [name=proof]');
		await page.click('.card button:has-text("Deny")');
		await gone('.card');
		await untilText(page, '.toasts', /Shut down jellyfin: denied[\s\S]*operator said no/);
		await status(101, 'running');
	});

	test('a card on a phone has a place of its own', async () => {
		await agentAsks('guest_shutdown', { guest: 101 }, { reason: 'Nobody watches anything at this time of the night, and the disks could sleep.' });
		await page.setViewportSize(PHONE);
		await page.waitForSelector('.views .badge.warn');
		await page.click('.views button:has-text("Actions")');
		await untilText(page, '.waiting-view', /Nobody watches/);
		assert.ok(await fits(page));
		await shot('phone-card');
		await assertAccessible(page, 'a card on a phone');
		const small = await page.$$eval('.card .button, .views button, .top button', (all) => all
			.filter((e) => e.checkVisibility()).map((e) => [e.innerText || e.ariaLabel, e.getBoundingClientRect()])
			.filter(([, b]) => b.height < 44 || b.width < 44).map(([n]) => n));
		assert.deepEqual(small, []);
		await page.fill('.card [name=proof]', stack.proof.keyword);
		await page.click('.card button:has-text("Approve")');
		await untilText(page, '.toasts', /Shut down jellyfin: verified/, 60_000);
		await shot('phone-actions');
		await page.setViewportSize(DESKTOP);
		await page.keyboard.press('1');
	});

	test('a form: a snapshot with a name, then back to it', async () => {
		await open(101);
		await power('Snapshot');
		await page.fill(`${DIALOG} [name=snapshot]`, 'before-e2e');
		await shot('dialog-snapshot');
		await page.click(`${DIALOG} button[type=submit]`);
		await untilText(page, '.toasts', /Snapshot jellyfin: verified/, 60_000);
		await power('Back up');
		await page.check(`${DIALOG} [value=pbs]`);
		await page.click(`${DIALOG} button[type=submit]`);
		await untilText(page, '.power .progress', /running[\s\S]*(INFO|%)/i, 20_000);
		await page.waitForSelector('.power .progress .button:has-text("Cancel")');
		await shot('progress');
		await untilText(page, '.toasts', /Back up jellyfin: verified/, 90_000);
		await untilText(page, '.detail', /before-e2e[\s\S]*Roll back…[\s\S]*Delete snapshot…/, 30_000);
	});

	test('what Proxmox refuses: failed, with the reason, in the toast and in the history', async () => {
		await stack.sim('task', { node: 'Home', type: 'vzdump', id: '105', seconds: 60 });
		await open(105);
		await page.click('.task .power-button:has-text("Stop task")', { timeout: 20_000 });
		await untilText(page, DIALOG, /Stop task vzdump 105[\s\S]*ORANGE[\s\S]*upid/);
		await page.fill(`${DIALOG} [name=proof]`, stack.proof.keyword);
		await page.keyboard.press('Enter');
		await gone(DIALOG);
		await untilText(page, '.toasts', /Stop task: failed[\s\S]*lacks Sys\.Modify on \/nodes\/Home: pveum acl modify/, 30_000);
		await page.keyboard.press('Escape');
		await page.keyboard.press('8');
		await page.click('.history .chip:has-text("went wrong")');
		await untilText(page, '.history', /Stop task[\s\S]*failed[\s\S]*lacks Sys\.Modify/);
		await page.click('.history .chip:has-text("all")');
	});

	test('history: filtered, and what it says of one', async () => {
		await page.keyboard.press('Escape');
		await page.keyboard.press('6');
		await untilText(page, '.history', /Stop hard jellyfin[\s\S]*verified/);
		await page.click('.history .chip:has-text("by agents")');
		await page.waitForFunction(() => document.querySelectorAll('.history-row').length === 3);
		await page.click('.history .chip:has-text("not done")');
		await untilText(page, '.history', /denied[\s\S]*operator said no/);
		await page.click('.history-row summary >> nth=0');
		await untilText(page, '.history-more', /monitor, an agent|operator, a person/);
		await shot('history');
		await page.click('.history .chip:has-text("all")');
	});

	test('freeze: one click stops all, a code goes on', async () => {
		await page.click('.freeze');
		await untilText(page, '.banner.frozen', /Frozen by operator/);
		assert.equal((await get('/api/autonomy')).frozen, true);
		await open(101);
		await untilText(page, '.power-why', /Jarvis is frozen/);
		assert.equal(await page.locator('.power-button:enabled').count(), 0);
		await shot('frozen');
		await assertAccessible(page, 'frozen');
		await page.click('.banner.frozen button');
		await page.fill(`${DIALOG} [name=proof]`, '000000');
		await page.click(`${DIALOG} button[type=submit]`);
		await untilText(page, `${DIALOG} .form-error`, /not right|code/);
		await page.fill(`${DIALOG} [name=proof]`, await code());
		await page.click(`${DIALOG} button[type=submit]`);
		await gone('.banner.frozen');
		await page.waitForSelector('.power-button:enabled');
	});

	test('the level: explained, lowered without, raised with a code', async () => {
		await page.click('.level');
		await untilText(page, DIALOG, /2 ask now[\s\S]*keyword enrolled[\s\S]*one-time code enrolled/);
		await shot('level');
		await assertAccessible(page, 'levels');
		await page.click(`${DIALOG} label:has-text("advise")`);
		await page.click(`${DIALOG} button[type=submit]`);
		await page.waitForSelector('.level[data-level="1"]');
		await agentAsks('guest_shutdown', { guest: 103 });
		await page.click('.level');
		await page.click(`${DIALOG} label:has-text("2 ask")`);
		await page.fill(`${DIALOG} [name=proof]`, await code());
		await page.click(`${DIALOG} button[type=submit]`);
		await page.waitForSelector('.level[data-level="2"]');
	});

	test('the audit: newest first, by kind, in full, with its checkpoint', async () => {
		await page.keyboard.press('Escape');
		await page.keyboard.press('9');
		await untilText(page, '.audit', /\d+ records[\s\S]*jarvisctl audit verify[\s\S]*level 2/);
		const seqs = await page.$$eval('.audit-row .kind', (all) => all.map((e) => Number(e.innerText)));
		assert.deepEqual(seqs, [...seqs].sort((a, b) => b - a));
		await page.click('.audit .chip:has-text("refused")');
		await untilText(page, '.audit', /guest_destroy[\s\S]*There is no such tool/);
		await page.click('.audit-row summary >> nth=0');
		await untilText(page, '.audit-row .notes', /"principal"/);
		await shot('audit');
		await assertAccessible(page, 'audit');
		await page.keyboard.press('1');
	});

	test('a lost executor and a lost gate: said calmly, and nothing can be pressed', async () => {
		await stack.kill('executor');
		await open(101);
		await untilText(page, '.power-why', /executor is offline/);
		assert.equal(await page.locator('.power-button:enabled').count(), 0);
		await shot('executor-offline');
		await stack.start('executor');
		await page.waitForSelector('.power-button:enabled');
		await stack.kill('safety-gate');
		await untilText(page, '.power-why', /safety gate is offline/);
		await stack.start('safety-gate');
		await page.waitForSelector('.power-button:enabled', { timeout: 30_000 });
	});

	test('nothing went wrong in the page meanwhile', () => assert.deepEqual(problems, []));
});
