/* SPDX-License-Identifier: BSD-3-Clause */
/* What a page says, and how it looks: small helpers of the scenarios that drive the relay's pages. */
import { screenshot } from './scenario.mjs';
import { check, until } from './until.mjs';

const SIZES = [['phone', 360, 780, 'dark'], ['desk', 1280, 900, 'light']];

/* Of all elements that the selector finds. */
export async function text(page, selector) {
	return (await page.locator(selector).allTextContents()).join(' | ').trim();
}

export function shows(page, selector, words, deadlineMs = 15000) {
	return until(`${selector} says "${words}"`, deadlineMs, async () => {
		const found = await text(page, selector);
		return found.includes(words) || Promise.reject(new Error(found));
	});
}

/* Runs in the page: text whose contrast with what is behind it is under 4.5:1, or 3:1 when it is large
 * (WCAG 2.2, 1.4.3). What has a picture behind it is not judged, nor what cannot be used now. */
function findFaint() {
	const parse = (text) => text.match(/[\d.]+/g).map(Number);
	const luminance = (rgb) => [0.2126, 0.7152, 0.0722].reduce((sum, weight, i) => {
		const part = rgb[i] / 255;
		return sum + weight * (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
	}, 0);
	const behind = (element) => {
		for (let at = element; at !== null; at = at.parentElement) {
			const style = getComputedStyle(at), [r, g, b, alpha = 1] = parse(style.backgroundColor);
			if (style.backgroundImage !== 'none')
				return null;
			if (alpha > 0.95)
				return [r, g, b];
		}
		return [255, 255, 255];
	};
	const faint = [];
	for (const element of document.querySelectorAll('body *')) {
		const says = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim() !== '');
		if (!says || !element.checkVisibility({ opacityProperty: true }) || element.matches(':disabled, option, .emoji'))
			continue;
		const style = getComputedStyle(element), ground = behind(element);
		const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
		if (ground === null)
			continue;
		const [high, low] = [luminance(parse(style.color)), luminance(ground)].sort((a, b) => b - a);
		const ratio = (high + 0.05) / (low + 0.05);
		if (ratio < (large ? 3 : 4.5))
			faint.push(`"${element.textContent.trim().slice(0, 30)}" ${ratio.toFixed(2)}`);
	}
	return faint;
}

/* On a phone in the dark and on a desk by daylight: a screenshot of each, and nothing may be wider than
 * its window, without a name or label, or hard to read. */
export async function look(page, label) {
	for (const [size, width, height, colorScheme] of SIZES) {
		await page.setViewportSize({ width, height });
		/* Without motion, so that no colour is on its way to another. */
		await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
		const found = await page.evaluate(() => ({
			wide: document.documentElement.scrollWidth - innerWidth,
			nameless: [...document.querySelectorAll('button, a, input, select, textarea')]
				.filter((one) => one.checkVisibility() && one.textContent.trim() === '' &&
					!one.getAttribute('aria-label') && !one.labels?.length)
				.map((one) => one.outerHTML.slice(0, 80)),
		}));
		check(found.wide <= 0, `${label} is ${found.wide} px wider than a ${size}`);
		check(found.nameless.length === 0, `${label}: without a name: ${found.nameless.join(', ')}`);
		const faint = await page.evaluate(findFaint);
		check(faint.length === 0, `${label} on a ${size}, ${colorScheme}: too faint: ${faint.join(', ')}`);
		await screenshot(page, `${label}-${size}-${colorScheme}`);
	}
	await page.emulateMedia({ colorScheme: null, reducedMotion: null });
}
