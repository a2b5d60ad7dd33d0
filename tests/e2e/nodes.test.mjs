// SPDX-License-Identifier: MIT
// The nodes themselves in the browser, on the whole of Jarvis: services, journals, commands and file systems, read and
// changed over SSH by real sshds with the command that ships.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, beforeEach, describe, test } from 'node:test';
import { startStack } from '../stack/stack.mjs';
import { fromYaml, toYaml } from '../stack/yaml.mjs';
import { assertAccessible, DESKTOP, fits, launch, logIn, newPage, PHONE, untilText } from './browser.mjs';
import { contrast, cutTexts } from './contrast.mjs';

const quick = (config) => {
	for (const cluster of Object.values(config.clusters)) cluster.poll = { nodes: '2s', tasks: '2s', storage: '5s', node: '5s' };
};
const SHOTS = process.env.SHOTS;
const DIALOG = '.dialog.wish';
const JOURNAL = '.dialog.journal';
const SMBD = '[data-unit="smbd.service"]';
const REACH = '[data-command="reach"]';
const HOSTILE = '<script>document.title = "gone"</script> \u202eevil\u202c\u001b[31m';
const SIZES = { wide: DESKTOP, laptop: { width: 1280, height: 800 }, phone: PHONE };
const LEAST = { hud: 4.5, quiet: 4.5, light: 5.5 };

describe('on the nodes', () => {
	let stack;
	let browser;
	let page;
	let problems;

	const still = () => page.evaluate(() => Promise.allSettled(document.getAnimations().map((a) => a.finished)));
	const count = (selector) => page.locator(selector).count();
	const gone = (selector, timeout = 8000) => page.waitForSelector(selector, { state: 'detached', timeout });
	const open = async (node) => {
		await page.evaluate((n) => (location.hash = `#sel=pve/home/node/${n}/state`), node);
		await untilText(page, '.detail h2', new RegExp(`^${node}$`));
	};
	const press = (where, verb) => page.click(`${where} .power-button:has-text("${verb}")`);
	const lookAgain = (what = 'services') => page.click(`[aria-label="Look again at the ${what}"]:enabled`);
	const actions = () => page.evaluate(async () => (await (await fetch('/api/actions?limit=200')).json()).items.filter((a) => a.tier !== 'green').length);
	const calls = (node, program) => readFileSync(`${stack.sshInfo.nodes[node].act}/calls`, 'utf8').split('\n')
		.filter((line) => line.startsWith(`${program} `)).length;
	const approve = async () => {
		await page.fill(`${DIALOG} [name=proof]`, stack.proof.keyword);
		await page.click(`${DIALOG} button[type=submit]:enabled`);
		await gone(DIALOG, 20_000);
	};
	/** Readable, fitting, nothing cut: each look in a size of its own, for acting_ui.test.mjs has all with all; with SHOTS here too. */
	const look = async (name) => {
		for (const [i, [size, viewport]] of Object.entries(SIZES).entries())
			for (const mode of SHOTS ? Object.keys(LEAST) : Object.keys(LEAST).slice(i, i + 1)) {
				await page.setViewportSize(viewport);
				await page.evaluate((m) => (document.documentElement.dataset.mode = m), mode);
				if (size === 'phone') await page.evaluate(() => document.querySelector('.dialog') ?? document.querySelector('.hands:has(.unit, .command)')?.scrollIntoView());
				await still();
				if (SHOTS) await page.screenshot({ path: `${SHOTS}/nodes-${name}-${size}-${mode}.png` });
				assert.deepEqual((await contrast(page, LEAST[mode])).bad, [], `contrast: ${name}, ${size}, ${mode}`);
				assert.ok(await fits(page), `${name} fits: ${size}`);
				assert.deepEqual(await cutTexts(page), [], `${name}: cut, ${size}`);
			}
		await page.setViewportSize(DESKTOP);
		await page.evaluate(() => (document.documentElement.dataset.mode = 'hud'));
		await assertAccessible(page, name);
	};

	before(async () => {
		[browser, stack] = await Promise.all([launch(), startStack({
			config: quick, enrol: 'operator', services: ['proxmox-poller', 'thermal-collector', 'safety-gate', 'executor', 'gateway'],
		})]);
		({ page, problems } = await newPage(browser, DESKTOP));
		await page.goto(stack.url);
		await logIn(page, 'operator', stack.password);
		await page.waitForSelector('.level[data-level="2"]');
	});
	beforeEach(async () => {
		await page.setViewportSize(DESKTOP);
		for (let i = 0; i < 5 && await count('.dialog') > 0; i++) await page.keyboard.press('Escape');
	});
	after(async () => {
		await browser?.close();
		await stack?.stop();
	});

	test('the units that are listed, as they stand, and what they cost', async () => {
		await open('Home');
		await untilText(page, SMBD, /active \(running\)[\s\S]*Samba SMB Daemon[\s\S]*process \d+/);
		await untilText(page, '[data-unit="nfs-server.service"]', /active/);
		await untilText(page, '.hands', /looked at just now/);
		/* The example protects this node: a tier more than the tool's own. */
		assert.equal(await count(`${SMBD} .power-button:has(.tier-orange):has-text("Restart…")`), 1);
		assert.equal(await count(`${SMBD} .power-button:has(.tier-red):has-text("Stop…")`), 1);
		await look('services');
	});

	test('any other unit is looked at, and only looked at', async () => {
		await page.fill('.another input', 'a b');
		await page.keyboard.press('Enter');
		await untilText(page, '.another', /full name of a systemd unit/);
		await page.fill('.another input', 'no-such');
		await page.keyboard.press('Enter');
		await untilText(page, '[data-unit="no-such.service"]', /not on this node/);
		assert.equal(await count('[data-unit="no-such.service"] .power-button'), 0);
	});

	test('failed is seen when one looks again; restarted with the keyword; active by itself', async () => {
		await stack.ssh('unit', { node: 'Home', unit: 'smbd.service', state: 'failed' });
		await lookAgain();
		await untilText(page, SMBD, /failed \(exit-code\)[\s\S]*status 1/);
		await look('failed');
		await press(SMBD, 'Restart');
		await untilText(page, DIALOG, /Restart smbd\.service on Home[\s\S]*ORANGE[\s\S]*unit smbd\.service[\s\S]*Protected[\s\S]*Checked afterwards: that the unit was started anew[\s\S]*keyword/);
		await look('restart');
		await approve();
		await untilText(page, '.toasts', /Restart smbd\.service on Home: verified/, 30_000);
		await untilText(page, SMBD, /active \(running\)/, 10_000);
	});

	test('its journal: the newest last, what is hidden shown, nothing of it run', async () => {
		await stack.ssh('log', { node: 'Home', unit: 'smbd.service', message: 'one\nline and another', count: 120, identifier: 'smbd', pid: 77 });
		await stack.ssh('log', { node: 'Home', unit: 'smbd.service', message: HOSTILE, identifier: 'sm\u200bbd', pid: 78, priority: 3 });
		await stack.ssh('log', { node: 'Home', unit: 'smbd.service', message: null, priority: 4 });
		await page.focus(`${SMBD} [aria-label="Journal of smbd.service"]`);
		await page.keyboard.press('Enter');
		await untilText(page, JOURNAL, /Journal of smbd\.service on Home[\s\S]*100 lines/);
		await untilText(page, `${JOURNAL} .j-crit`, /sm\\u\{200b\}bd\[78\]: error: <script>document\.title = "gone"<\/script> \\u\{202e\}evil\\u\{202c\}\\u\{1b\}\[31m/);
		await untilText(page, `${JOURNAL} .j-warn`, /warning: \(a message too long to be shown\)/);
		assert.ok(await page.$eval('.journal-lines', (e) => e === document.activeElement && e.scrollHeight > e.clientHeight && e.scrollHeight - e.scrollTop - e.clientHeight < 4), 'at its end, and scrolled by keys');
		assert.match(await page.title(), /Jarvis/i);
		const text = await page.evaluate(() => new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' }).format(new Date()).slice(0, 2));
		assert.match(await page.innerText(`${JOURNAL} .j-crit time`), new RegExp(`^(${text}|\\d\\d):\\d\\d:\\d\\d$`));
		await look('journal');
		await page.click(`${JOURNAL} .journal-more`);
		await untilText(page, JOURNAL, /12\d lines/);
		assert.equal(await count(`${JOURNAL} .journal-more`), 0, 'that is all there is');
		await page.fill(`${JOURNAL} input`, 'error SCRIPT');
		await untilText(page, JOURNAL, /1 of 12\d lines/);
		await stack.ssh('log', { node: 'Home', unit: 'smbd.service', message: 'x'.repeat(4000), count: 100 });
		await page.fill(`${JOURNAL} input`, '');
		await page.click('[aria-label="Look again at the journal"]:enabled');
		await untilText(page, JOURNAL, /Older lines were left off/);
		await page.keyboard.press('Escape');
		await gone(JOURNAL);
		assert.equal(await page.evaluate(() => document.activeElement.ariaLabel), 'Journal of smbd.service', 'the focus is where it was');
	});

	test('a wrong parameter is refused in the form, a right one runs and says what it wrote', async () => {
		await open('pve');
		await untilText(page, REACH, /Ask another machine for an echo\. Takes count, host/);
		const before = await actions();
		await press(REACH, 'Run');
		await untilText(page, DIALOG, /Run reach on pve[\s\S]*ORANGE[\s\S]*Ask another machine[\s\S]*1 to 10/);
		assert.ok(await page.$eval(`${DIALOG} [data-param=count]`, (e) => e === document.activeElement));
		await page.fill(`${DIALOG} [data-param=count]`, '11');
		await page.fill(`${DIALOG} [data-param=host]`, 'a host');
		await page.focus(`${DIALOG} [data-param=count]`);
		await untilText(page, DIALOG, /A whole number from 1 to 10[\s\S]*1 to 64 of/);
		assert.equal(await count(`${DIALOG} button[type=submit]:disabled`), 1);
		assert.equal(await count(`${DIALOG} [name=proof]`), 0, 'the gate was not even asked');
		await look('wrong');
		await page.fill(`${DIALOG} [data-param=count]`, '2');
		await page.fill(`${DIALOG} [data-param=host]`, 'agent1');
		await page.waitForSelector(`${DIALOG} [name=proof]`);
		assert.equal(await count(`${DIALOG} .fault`), 0);
		assert.equal(await actions(), before, 'nothing was asked for yet');
		await look('right');
		await approve();
		await untilText(page, REACH, /verified[\s\S]*2 packets transmitted/, 30_000);
		assert.equal(calls('pve', 'ping'), 1);
		await look('output');
		await page.click('.views button:has-text("Actions")');
		await untilText(page, '.history', /Run reach on pve/);
		await page.click('.history-row summary:has-text("Run reach")');
		await untilText(page, '.history', /2 packets transmitted/);
	});

	test('an answer that is cut is unknown: of a command, and of a unit', async () => {
		await open('pve');
		await stack.ssh('answers', { node: 'pve', mode: 'cut', tool: 'run_command' });
		await press(REACH, 'Run');
		await page.fill(`${DIALOG} [data-param=count]`, '1');
		await page.fill(`${DIALOG} [data-param=host]`, 'agent1');
		await page.waitForSelector(`${DIALOG} [name=proof]`);
		await approve();
		await untilText(page, REACH, /unknown[\s\S]*not known what became of it[\s\S]*not tried again[\s\S]*What it wrote is not known/, 60_000);
		assert.equal(calls('pve', 'ping'), 2, 'it ran once');
		await look('cut');
		await open('Home');
		await untilText(page, SMBD, /active/);
		await stack.ssh('answers', { node: 'Home', mode: 'cut', tool: 'service_status' });
		await lookAgain();
		await untilText(page, SMBD, /unknown[\s\S]*It was active \(running\)/, 20_000);
		await untilText(page, '.hands:has(.unit)', /could not be read[\s\S]*What would help/);
		await look('unknown');
		await stack.ssh('answers', { node: 'Home', mode: 'normal' });
		await lookAgain();
		await untilText(page, SMBD, /active \(running\)[\s\S]*process/, 20_000);
	});

	test('another host key, and a node that is gone, are said with how to mend it', async () => {
		await open('agent');
		await page.fill('.another input', 'ssh');
		await page.keyboard.press('Enter');
		await page.waitForSelector('[data-unit="ssh.service"][aria-busy=false]');
		await stack.ssh('rekey', { node: 'agent' });
		await lookAgain();
		await untilText(page, '[data-unit="ssh.service"]', /unknown[\s\S]*shows the host key[\s\S]*What would help[\s\S]*known_hosts/, 20_000);
		await stack.ssh('down', { node: 'agent' });
		await lookAgain();
		await untilText(page, '[data-unit="ssh.service"]', /unknown[\s\S]*cannot be reached[\s\S]*What would help[\s\S]*sshd/, 20_000);
	});

	test('how full its file systems are', async () => {
		await stack.ssh('disk', { node: 'pve', target: '/var/log', percent: 100 });
		await open('pve');
		await lookAgain('file systems');
		await untilText(page, '[data-mount="/var/log"]', /100%[\s\S]*of 8 GiB/);
		await untilText(page, '[data-mount="/mnt/my files"]', /zfs/);
	});

	test('where Jarvis does not get onto the nodes one sentence says how it would', async () => {
		const config = fromYaml(readFileSync(stack.configFile, 'utf8'));
		delete config.clusters.home.executor.ssh;
		writeFileSync(stack.configFile, toYaml(config));
		const reloaded = stack.observer.next('jarvis/service/gateway/main/info', Boolean, 8000);
		stack.process('gateway').signal('SIGHUP');
		await reloaded;
		await open('agent1');
		await untilText(page, '.detail', /Services\s+Jarvis does not reach the nodes themselves: set clusters\.home\.executor\.ssh in jarvis\.yaml/);
		assert.equal(await count('.unit, .command, .another'), 0);
	});

	test('nothing went wrong in the page meanwhile', () => assert.deepEqual(problems, []));
});
