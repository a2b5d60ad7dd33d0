// SPDX-License-Identifier: MIT
// Contrast of every text that is shown, computed from what the browser rendered: the colour of the text against all
// grounds behind it, laid over each other. Pseudo-elements that are grounds (panels, views) count.

/** Runs in the page. Texts whose contrast is below `least` (3 for large ones), with what was measured. */
function measure(least) {
	const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
	const parsed = new Map();
	const rgba = (css) => {
		if (!parsed.has(css)) {
			canvas.clearRect(0, 0, 1, 1);
			canvas.fillStyle = css;
			canvas.fillRect(0, 0, 1, 1);
			const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
			parsed.set(css, [r, g, b, a / 255]);
		}
		return parsed.get(css);
	};
	const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a), 1];
	const channel = (v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
	const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
	const ratio = (a, b) => {
		const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p);
		return (x + 0.05) / (y + 0.05);
	};
	const grounds = new Map();
	const ground = (el) => {
		if (!el) return rgba(getComputedStyle(document.documentElement).backgroundColor);
		if (!grounds.has(el)) {
			let below = ground(el.parentElement);
			if (el instanceof HTMLElement) {
				below = over(rgba(getComputedStyle(el).backgroundColor), below);
				const before = getComputedStyle(el, '::before');
				const covers = before.inset.split(' ').every((v) => parseFloat(v) <= 2);
				if (before.content !== 'none' && before.display !== 'none' && before.position === 'absolute' && covers)
					below = over(rgba(before.backgroundColor), below);
			}
			grounds.set(el, below);
		}
		return grounds.get(el);
	};
	const shown = (el) => el.checkVisibility({ visibilityProperty: true,
		opacityProperty: true }) && !el.closest('.sr, [inert]')
		&& getComputedStyle(el).clipPath !== 'inset(50%)';
	const bad = [];
	let texts = 0;
	const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	for (let node = walker.nextNode(); node; node = walker.nextNode()) {
		const el = node.parentElement;
		if (!node.data.trim() || !el || !shown(el) || el.closest('button:disabled, title, noscript')) continue;
		const style = getComputedStyle(el);
		const behind = ground(el.closest('svg')?.parentElement ?? el);
		const colour = over(rgba(el instanceof SVGElement ? style.fill : style.color), behind);
		const size = parseFloat(style.fontSize);
		const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
		const found = ratio(colour, behind);
		texts++;
		if (found < (large ? 3 : least)) bad.push(`${found.toFixed(2)} "${node.data.trim().slice(0, 30)}" ${el.className?.baseVal ?? el.className} ${style.color}`);
	}
	return { texts, bad: [...new Set(bad)].slice(0, 12) };
}

export const contrast = (page, least = 4.5) => page.evaluate(measure, least);

/** Texts that are cut off without saying the whole anywhere. */
export function cutTexts(page) {
	return page.evaluate(() => [...document.querySelectorAll('.page *')]
		.filter((e) => e.childElementCount === 0 && e.clientWidth > 0 && e.scrollWidth > e.clientWidth + 1)
		.filter((e) => getComputedStyle(e).overflowX !== 'visible' && e.checkVisibility() && getComputedStyle(e).clipPath !== 'inset(50%)' && !e.closest('.sr, [title], input, .brief .c-status, .narrow .c-status'))
		.map((e) => `${e.className}: ${e.textContent}`));
}
