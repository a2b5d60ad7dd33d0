// SPDX-License-Identifier: MIT
// A node itself in its details, in every size and look, over a made-up gateway: a unit in every state, a journal, forms.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { untilText } from './browser.mjs';
import { closed, DESK, DIALOG, inEveryLook, scene, sel, visit } from './scenes.mjs';

/** What is read on a node is asked for when it is on the screen. */
const reach = async (page, selector) => (await page.waitForSelector(selector)).evaluate((e) => e.scrollIntoView({ block: 'center' }));

const SCENES = [
	['services of a node', async (page) => {
		await visit(page, sel('node/Home/state'));
		await reach(page, '[aria-label="Look again at the file systems"]');
		await page.waitForSelector('[data-mount="/var/log"]');
		await reach(page, '[data-unit="smbd.service"]');
		await untilText(page, '.detail', /nfs-server\.service[\s\S]*active \(exited\)[\s\S]*failed \(exit-code\)[\s\S]*unknown[\s\S]*What would help[\s\S]*zpool_scrub/);
		await untilText(page, '[data-mount="/var/log"]', /97%[\s\S]*88% of its inodes/);
	}],
	['a journal', async (page) => {
		await page.click('[aria-label="Journal of smbd.service"]');
		await untilText(page, '.journal', /100 lines[\s\S]*error: /);
	}, (page) => page.keyboard.press('Escape')],
	['a form of a command', async (page) => {
		await page.click('[data-command="copy_to"] .power-button');
		await page.fill(`${DIALOG} [data-param=count]`, '99');
		await page.fill(`${DIALOG} [data-param=to]`, '/srv/some where');
		await untilText(page, DIALOG, /A whole number from 1 to 10/);
	}, async (page) => {
		await page.selectOption(`${DIALOG} [data-param=pool]`, 'tank');
		await page.fill(`${DIALOG} [data-param=count]`, '7');
		await page.waitForSelector(`${DIALOG} [name=proof]`);
		await closed(page);
	}],
	['what a command wrote', async (page, m) => {
		await page.click('[data-command="zpool_scrub"] .power-button');
		await page.selectOption(`${DIALOG} [data-param=pool]`, 'tank');
		await page.fill(`${DIALOG} [name=proof]`, '123456');
		await page.click(`${DIALOG} button[type=submit]:enabled`);
		await untilText(page, '[data-command="zpool_scrub"]', /running/);
		const [topic, a] = [...m.world.docs].find(([t, d]) => t.startsWith('action/') && d?.tool === 'run_command');
		m.world.change({ [topic]: { ...a, status: 'verified', ended_ms: Date.now(), summary: 'The command says that it is done.' } });
		await untilText(page, '[data-command="zpool_scrub"] .output', /scrub in progress/);
		await page.evaluate(() => document.querySelector('[data-command="zpool_scrub"]').scrollIntoView());
	}, (page, m) => {
		for (const [topic, d] of m.world.docs) if (topic.startsWith('action/') && d?.tool === 'run_command') m.world.change({ [topic]: null });
	}],
	['a node that is not reached', async (page) => {
		await visit(page, sel('node/agent/state'));
		await untilText(page, '.detail', /set clusters\.home\.executor\.ssh/);
	}],
];

describe('on a node', () => inEveryLook('nodes-ui', SCENES));

test('a viewer sees it, and is offered nothing', () => scene({ role: 'viewer', hash: sel('node/Home/state') }, DESK, async (page) => {
	await reach(page, '[data-unit="smbd.service"]');
	await untilText(page, '.detail', /smbd\.service[\s\S]*failed \(exit-code\)[\s\S]*Commands[\s\S]*zpool_scrub/);
	assert.equal(await page.locator('.detail .power-button').count(), 0);
	await page.click('[aria-label="Journal of smbd.service"]');
	await untilText(page, '.journal', /100 lines/);
	await page.keyboard.press('Escape');
}));
