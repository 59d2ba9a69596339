/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who is removed is out: nothing more arrives, the page says so, its token is refused, a reload with
 * the same link does not help, and neither does a client that keeps its old connection.
 */
import { inState } from './lib/browser.mjs';
import { lab } from './lib/relay.mjs';
import { scenario, screenshot, step } from './lib/scenario.mjs';
import { check, until } from './lib/until.mjs';
import { heard, pageStats, spyOnConnections } from './lib/spy.mjs';

scenario(async ({ relay, browser, room }) => {
	await relay.openRoom('agora');
	const speaking = await browser('speaker');
	const listening = await browser('listeners');
	const ann = await speaking.speaker('ann', 'agora', await relay.seat('agora', 'ann', 'speaker'), 800);
	await ann.connected();
	const token = await relay.seat('agora', 'mallory', 'listener');
	const page = await room(listening, 'agora', token);
	await spyOnConnections(page);
	await page.click('#listen');
	await inState(page, 'listening');
	await until('the page hears the tone', 8000, () => heard(page, 800));

	const stubborn = await listening.listener('stubborn', 'agora', await relay.seat('agora', 'trudy', 'listener'));
	await stubborn.connected();
	await stubborn.hears([800]);

	for (const member of ['mallory', 'trudy'])
		await relay.ask({ type: 'moderation.remove', actor: 'host', room: 'agora', member });
	await inState(page, 'removed', 5000);
	await screenshot(page, 'removed');
	step('the page says so');
	check(await page.isVisible('#notice-title') && !await page.isVisible('#controls'), 'buttons are left');
	const stored = await page.evaluate(() => JSON.stringify(sessionStorage));
	check(!stored.includes(token), 'the token is still in the page');

	const before = await stubborn.stats();
	await until('silence for the stubborn one', 5000, async () =>
		Math.max(...(await stubborn.hear([800])).flat()) < -70);
	check((await stubborn.stats()).received - before.received < 20, 'packets go on to the removed one');

	/* The link once more, and the token by hand. */
	await page.goto('about:blank');
	await page.goto(`${lab.base}/room/agora#token=${token}`);
	if (await page.isVisible('#listen'))
		await page.click('#listen').catch(() => {});
	await until('the link does not work any more', 10000, () => page.evaluate(() =>
		['denied', 'removed'].includes(document.body.dataset.state)));
	await page.reload();
	for (const path of ['whep', 'whip']) {
		const status = await page.evaluate(([kind, bearer]) => fetch(`/${kind}/agora`, {
			method: 'POST', body: 'v=0\r\n',
			headers: { 'Content-Type': 'application/sdp', Authorization: `Bearer ${bearer}` },
		}).then((response) => response.status), [path, token]);
		check(status === 401 || status === 403, `${path} with the old token: ${status}`);
	}
	const again = await relay.send({
		type: 'member.join', actor: 'host', member: 'mallory', room: 'agora', role: 'listener',
		transport: 'webrtc',
	});
	check(!again.ok && again.error.code === 'not_allowed', 'the removed one got a seat again');
	step('neither link, token nor connection lets the removed one back');
	await pageStats(page).catch(() => {});
});
