// SPDX-License-Identifier: MIT
// A real browser for tests: started once a file, with every page watched for errors and for violations of the
// security policy, which make the test fail that provoked them.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const FLAGS = [
	'--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
	'--disable-background-networking',
	'--disable-component-update', '--disable-sync',
];

export const DESKTOP = { width: 1920, height: 1080 };
export const LAPTOP = { width: 1366, height: 768 };
export const PHONE = { width: 390, height: 844 };

export function launch() {
	return chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS });
}

/** What a page may complain about: the network, which tests break on purpose. */
const EXPECTED = /Failed to load resource|WebSocket connection to|net::ERR_/;

/** A page in a context of its own. `problems` collects what went wrong in it. */
export async function newPage(browser, viewport = LAPTOP, options = {}) {
	const context = await browser.newContext({ viewport, colorScheme: 'dark', ...options });
	const page = await context.newPage();
	page.setDefaultTimeout(8000);
	const problems = [];
	page.on('pageerror', (e) => problems.push(`error: ${e.message}`));
	page.on('console', (m) => {
		if (m.type() === 'error' && !EXPECTED.test(m.text())) problems.push(`console: ${m.text()}`);
	});
	await page.addInitScript(() => {
		addEventListener(
			'securitypolicyviolation',
			(e) => console.error(`policy: ${e.violatedDirective} ${e.blockedURI} ${e.sample}`),
		);
	});
	return { page, problems, close: () => context.close() };
}

/** Runs BODY with a page, and checks afterwards that nothing went wrong in it. */
export async function withPage(browser, viewport, body, options) {
	const { page, problems, close } = await newPage(browser, viewport, options);
	try {
		await body(page);
		assert.deepEqual(problems, []);
	} finally {
		await close();
	}
}

export async function logIn(page, user, password) {
	await page.fill('.login input[name=user]', user);
	await page.fill('.login input[name=password]', password);
	await page.click('.login button[type=submit]');
	await page.waitForSelector('.login', { state: 'detached' });
}

/** Waits until a function of the page's visible text is true. */
export function untilText(page, selector, pattern, timeout = 8000) {
	return page.waitForFunction(
		([sel, source]) => new RegExp(source, 'i').test(document.querySelector(sel)?.innerText ?? ''),
		[selector, pattern instanceof RegExp ? pattern.source : pattern],
		{ timeout, polling: 50 },
	);
}

/** No violation of WCAG 2.2 AA in what is shown now. */
export async function assertAccessible(page, what) {
	/* What is still fading in has another contrast. */
	await page.evaluate(() => Promise.allSettled(document.getAnimations().map((a) => a.finished)));
	await page.evaluate(AXE);
	const found = await page.evaluate(async () => {
		const result = await window.axe.run(document, {
			runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
			resultTypes: ['violations'],
		});
		const where = (node) => `${node.target.join(' ')} ${node.any[0]?.message ?? ''}`;
		return result.violations.map((v) => `${v.id}: ${v.nodes.slice(0, 4).map(where).join(' | ')}`);
	});
	assert.deepEqual(found, [], what);
}

/** The share of a stretch of time in which the page's main thread was busy. */
export async function busyShare(page, seconds) {
	const client = await page.context().newCDPSession(page);
	/* In the thread's own time: what others on the machine take is not the page's. */
	await client.send('Performance.enable', { timeDomain: 'threadTicks' });
	const busy = async () => {
		const { metrics } = await client.send('Performance.getMetrics');
		return metrics.find((m) => m.name === 'TaskDuration').value;
	};
	const begun = await busy();
	await page.waitForTimeout(seconds * 1000);
	return ((await busy()) - begun) / seconds;
}

/** True when nothing is wider, or (without scrolling: a desktop) higher, than the window. */
export function fits(page, { height = false } = {}) {
	return page.evaluate((both) => {
		const { scrollWidth, scrollHeight } = document.documentElement;
		return scrollWidth <= innerWidth && (!both || scrollHeight <= innerHeight);
	}, height);
}

/** Names of what is smaller than a finger or a shaking hand needs: 24 px. */
export function smallTargets(page) {
	return page.$$eval('button, input, a', (all) => all
		.filter((e) => e.offsetParent && !e.closest('.sr'))
		/* A box is pressed by its label as well. */
		.map((e) => ({ name: e.innerText || e.ariaLabel || e.name, box: (e.closest('label') ?? e).getBoundingClientRect() }))
		.filter(({ box }) => box.width < 24 || box.height < 24)
		.map(({ name }) => name));
}
