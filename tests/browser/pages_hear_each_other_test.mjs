/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two unmodified pages in two browsers hear each other through the data plane, over TLS: nothing
 * but links is given out, nothing but buttons is pressed.
 */
import { checkSecure, inState, writeVoice } from './lib/browser.mjs';
import { lab } from './lib/relay.mjs';
import { scenario, screenshot, step } from './lib/scenario.mjs';
import { check, until } from './lib/until.mjs';
import { heard, pageStats, spyOnConnections } from './lib/spy.mjs';

scenario(async ({ relay, browser, room }) => {
	await relay.openRoom('agora', { topic: 'Iliad, book five' });
	const links = {};
	for (const member of ['ann', 'bob'])
		links[member] = await relay.seat('agora', member, 'speaker');
	const sides = {
		ann: await browser('speaker', { voice: writeVoice('ann', 500) }),
		bob: await browser('listeners', { voice: writeVoice('bob', 1100) }),
	};
	const pages = {};
	for (const [name, side] of Object.entries(sides)) {
		pages[name] = await room(side, 'agora', links[name]);
		await spyOnConnections(pages[name]);
		check(!pages[name].url().includes('token'), 'the token stays in the address bar');
		await pages[name].click('#listen');
		await inState(pages[name], 'listening');
	}
	step('both listen');
	for (const page of Object.values(pages)) {
		await page.click('#floor');
		await inState(page, 'speaking');
	}
	step('both speak');
	for (const [name, other, hertz] of [['ann', 'bob', 1100], ['bob', 'ann', 500]]) {
		await until(`${name} hears ${other}`, 10000, () => heard(pages[name], hertz));
		checkSecure(await pageStats(pages[name]), name);
		await until(`${name}'s page shows that ${other} speaks`, 5000, () => pages[name].evaluate((who) =>
			[...document.querySelectorAll('.tile.speaking .name')].some((tile) => tile.textContent === who), other));
		await screenshot(pages[name], `two-pages-${name}`);
	}
	step('both are heard, and shown by their CSRC');
	check(await relay.authenticationFailures() === 0, 'something did not authenticate');
	check(lab.base.startsWith('https:'), 'this scenario is meant to run with --tls');
});
