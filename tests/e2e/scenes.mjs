// SPDX-License-Identifier: MIT
// Scenes over a made-up gateway: each is brought up, looked at in every size and look, and taken down again.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertAccessible, fits, launch, smallTargets, withPage } from './browser.mjs';
import { contrast, cutTexts } from './contrast.mjs';
import { startMock } from './mock.mjs';

export const DESK = { width: 1440, height: 900 };
const PHONE = { width: 390, height: 844 };
const TINY = { width: 360, height: 640 };
const LEAST = { hud: 4.5, quiet: 4.5, light: 5.5 };
export const DIALOG = '.dialog.wish';
const SHOTS = process.env.SHOTS;

let browser;
before(async () => {
	browser = await launch();
});
after(() => browser?.close());

export async function scene(options, viewport, body) {
	const { hash = '', page: pageOptions, ...world } = options;
	const m = await startMock({ pollMs: 250, periodS: 1, login: false, acts: true, ...world });
	try {
		await withPage(browser, viewport, async (page) => {
			if (options.mode) await page.addInitScript((x) => localStorage.setItem('jarvis-mode', x), options.mode);
			await page.goto(`${m.url}/${hash}`);
			await page.waitForSelector('.overall:not(.waiting)');
			await page.waitForFunction(() => document.querySelector('link[href*="/act-"]'));
			await body(page, m);
		}, pageOptions);
	} finally {
		await m.stop();
	}
}

export const sel = (topic) => `#sel=pve/home/${topic}`;
const still = (page) => page.evaluate(() => Promise.allSettled(document.getAnimations().map((a) => a.finished)));
export const visit = (page, hash) => page.evaluate((h) => (location.hash = h), hash);
export const closed = async (page) => {
	await page.keyboard.press('Escape');
	await page.waitForSelector(`${DIALOG}, .menu`, { state: 'detached' });
};

/** What acts, and is lower than 44 px: a checkbox counts with its label. */
function tooSmall(page) {
	return page.$$eval('.power-button, .dialog .button, .dialog .check, .choices label, .card .button, .menu [role=menuitem], .pick, .c-act button, .batch .button, .freeze, .level, .banner .button',
		(all) => all.filter((e) => e.checkVisibility()).map((e) => [e.innerText || e.ariaLabel || e.className, e.getBoundingClientRect()])
			.filter(([, b]) => b.height < 44 || b.width < 43).map(([n, b]) => `${n} ${Math.round(b.width)}×${Math.round(b.height)}`));
}

/** Tests of SCENES, [name, how it is brought up, how it is taken down]; with SHOTS, pictures named after WORD. */
export function inEveryLook(word, scenes) {
	for (const [size, viewport] of [['desktop', DESK], ['phone', PHONE], ['tiny', TINY]])
		for (const mode of size === 'tiny' ? ['hud'] : ['hud', 'quiet', 'light'])
			test(`${size}, ${mode}: readable, fitting, nothing cut, reached by a finger`, () => scene({ mode }, viewport, async (page, m) => {
				for (const [name, bring, end] of scenes) {
					await bring(page, m);
					await still(page);
					if (SHOTS) await page.screenshot({ path: `${SHOTS}/${word}-${size}-${mode}-${name.replaceAll(' ', '-')}.png` });
					const seen = await contrast(page, LEAST[mode]);
					assert.deepEqual(seen.bad, [], `contrast, ${name}`);
					assert.ok(await fits(page), `${name} fits`);
					assert.deepEqual(await cutTexts(page), [], `${name}: cut`);
					if (size !== 'desktop') assert.deepEqual(await tooSmall(page), [], `${name}: too small for a finger`);
					await end?.(page, m);
				}
			}));

	test('axe finds nothing in any of them', () => scene({}, DESK, async (page, m) => {
		for (const [name, bring, end] of scenes) {
			await bring(page, m);
			await assertAccessible(page, name);
			assert.deepEqual(await smallTargets(page), [], name);
			await end?.(page, m);
		}
	}));
}
