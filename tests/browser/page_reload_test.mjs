/* SPDX-License-Identifier: BSD-3-Clause */
/* A page that is loaded again takes its own seat: same link, new session, the old one is gone. */
import { inState } from './lib/browser.mjs';
import { scenario, step } from './lib/scenario.mjs';
import { check, until } from './lib/until.mjs';
import { heard, spyOnConnections } from './lib/spy.mjs';

scenario(async ({ relay, browser, room }) => {
	await relay.openRoom('agora');
	const speaking = await browser('speaker');
	const listening = await browser('listeners');
	const ann = await speaking.speaker('ann', 'agora', await relay.seat('agora', 'ann', 'speaker'), 600);
	await ann.connected();
	const page = await room(listening, 'agora', await relay.seat('agora', 'eve', 'listener'));
	await spyOnConnections(page);
	for (let round = 0; round < 4; round++) {
		await page.click('#listen');
		await inState(page, 'listening');
		await until('the page hears the tone', 8000, () => heard(page, 600));
		const { room: now } = await relay.ask({ type: 'room.get', room: 'agora' });
		check(now.listeners === 1, `${now.listeners} listeners are counted`);
		check(!page.url().includes('token'), 'the token is in the address bar');
		if (round < 3)
			await page.reload();
	}
	const { dataplane } = await relay.ask({ type: 'status' });
	check(dataplane.legs === 2, `${dataplane.legs} legs for two people`);
	step('four visits, one seat');

	/* Leaving ends the leg, not the seat: one may come back. */
	await page.click('#leave');
	await inState(page, 'idle');
	await until('the leg is gone', 5000, async () => (await relay.ask({ type: 'status' })).dataplane.legs === 1);
	await page.click('#listen');
	await inState(page, 'listening');
	await until('the page hears the tone', 8000, () => heard(page, 600));
});
