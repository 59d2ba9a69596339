/* SPDX-License-Identifier: BSD-3-Clause */
/* What a page says, and how it looks: small helpers of the scenarios that drive the relay's pages. */
import { screenshot } from './scenario.mjs';
import { check, until } from './until.mjs';

const SIZES = [['phone', 360, 780, 'dark'], ['desk', 1280, 900, 'light']];

/* Of all elements that the selector finds. */
export async function text(page, selector) {
	return (await page.locator(selector).allTextContents()).join(' | ').trim();
}

export function shows(page, selector, words, deadlineMs = 6000) {
	return until(`${selector} says "${words}"`, deadlineMs, async () => {
		const found = await text(page, selector);
		return found.includes(words) || Promise.reject(new Error(found));
	});
}

/* On a phone in the dark and on a desk by daylight: a screenshot of each, and nothing may be wider than
 * its window, without a name, or an input without a label. */
export async function look(page, label) {
	for (const [size, width, height, colorScheme] of SIZES) {
		await page.setViewportSize({ width, height });
		await page.emulateMedia({ colorScheme });
		const found = await page.evaluate(() => ({
			wide: document.documentElement.scrollWidth - innerWidth,
			nameless: [...document.querySelectorAll('button, a, input, select, textarea')]
				.filter((one) => one.checkVisibility() && one.textContent.trim() === '' &&
					!one.getAttribute('aria-label') && !one.labels?.length)
				.map((one) => one.outerHTML.slice(0, 80)),
		}));
		check(found.wide <= 0, `${label} is ${found.wide} px wider than a ${size}`);
		check(found.nameless.length === 0, `${label}: without a name: ${found.nameless.join(', ')}`);
		await screenshot(page, `${label}-${size}-${colorScheme}`);
	}
}
