/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A listener asks for the floor with the page's own button, the host grants it, the listener speaks and
 * is heard, mutes, gives the floor back, and listens on. The page is never left or loaded again.
 */
import { inState, writeVoice } from './lib/browser.mjs';
import { scenario, screenshot, step } from './lib/scenario.mjs';
import { check, until } from './lib/until.mjs';
import { heard, pageStats, spyOnConnections } from './lib/spy.mjs';

scenario(async ({ relay, browser, room }) => {
	await relay.openRoom('agora');
	const speaking = await browser('speaker');
	const listening = await browser('listeners', { voice: writeVoice('carla', 1200) });
	const ann = await speaking.speaker('ann', 'agora', await relay.seat('agora', 'ann', 'speaker'), 500);
	await ann.connected();
	const page = await room(listening, 'agora', await relay.seat('agora', 'carla', 'listener'));
	await spyOnConnections(page);
	await page.click('#listen');
	await inState(page, 'listening');
	await until('carla hears ann', 8000, () => heard(page, 500));
	await page.evaluate(() => { globalThis.neverReloaded = true; });

	await page.click('#floor');
	await until('the host sees the hand', 5000, async () => (await relay.member('agora', 'carla')).hand);
	await until('the page says so', 5000, async () => (await page.textContent('#state')).includes('asked'));
	step('asked');
	await relay.ask({ type: 'floor.grant', actor: 'host', room: 'agora', member: 'carla' });
	await inState(page, 'speaking');
	await ann.hears([1200], 10000, -55);
	await until('carla still hears ann', 8000, () => heard(page, 500));
	step('granted, heard, and hears');
	check((await pageStats(page)).sent > 0, 'the page sends nothing');

	await page.click('#mute');
	check(await page.textContent('#mute') .then((text) => text.trim()) === 'Unmute', 'the button does not say so');
	await until('carla is silent', 5000, async () => Math.max(...(await ann.hear([1200])).flat()) < -75);
	await screenshot(page, 'muted-after-promotion');
	await page.click('#mute');
	await ann.hears([1200], 10000, -55);
	step('muted and unmuted herself');

	await page.click('#floor');
	await inState(page, 'listening');
	await until('carla is a listener again', 5000, async () =>
		(await relay.member('agora', 'carla')).role === 'listener');
	await until('carla hears ann again', 8000, () => heard(page, 500));
	await until('nobody hears carla', 5000, async () => Math.max(...(await ann.hear([1200])).flat()) < -75);
	check(await page.evaluate(() => globalThis.neverReloaded), 'the page was loaded again');
	step('gave the floor back and listens on');
});
