/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * kill -9 of either plane while a browser listens. The control plane's death costs no packet; the
 * data plane's costs a gap, after which the same connection goes on: same keys, same path, no ICE
 * restart, no new session.
 */
import { checkSecure, inState } from './lib/browser.mjs';
import { scenario, step } from './lib/scenario.mjs';
import { check, throughout, until } from './lib/until.mjs';
import { heard, pageStats, spyOnConnections } from './lib/spy.mjs';

scenario(async ({ relay, browser, room }) => {
	await relay.openRoom('agora');
	const speaking = await browser('speaker');
	const listening = await browser('listeners');
	const ann = await speaking.speaker('ann', 'agora', await relay.seat('agora', 'ann', 'speaker'), 900);
	const eve = await listening.listener('eve', 'agora', await relay.seat('agora', 'eve', 'listener'));
	const page = await room(listening, 'agora', await relay.seat('agora', 'carla', 'listener'));
	await spyOnConnections(page);
	await ann.connected();
	await eve.connected();
	await eve.hears([900]);
	await page.click('#listen');
	await inState(page, 'listening');
	await until('the page hears the tone', 8000, () => heard(page, 900));

	step('kill -9 of the control plane');
	let before = await eve.stats();
	await relay.kill('controlplane');
	await throughout(2000, 200, async () => check(Math.max(...(await eve.hear([900])).flat()) > -45,
		'the tone is gone while there is no control plane'));
	relay.startControlplane();
	await relay.works();
	await until('another 100 packets', 8000, async () => (await eve.stats()).received > before.received + 200);
	let after = await eve.stats();
	check(after.lost === before.lost, `${after.lost - before.lost} packets were lost`);
	check(after.concealed === before.concealed, `${after.concealed - before.concealed} samples were concealed`);
	const joined = await listening.listener('dan', 'agora', await relay.seat('agora', 'dan', 'listener'));
	await joined.connected();
	await joined.hears([900]);
	step('no packet lost; a new listener comes in');

	step('kill -9 of the data plane');
	before = await eve.stats();
	const begun = performance.now();
	await relay.kill('dataplane');
	relay.startDataplane();
	await until('packets again', 15000, async () => (await eve.stats()).received > before.received + 10);
	step(`packets again after ${Math.round(performance.now() - begun)} ms`);
	await eve.hears([900]);
	await joined.hears([900]);
	after = await eve.stats();
	check(after.reconnects === 0 && after.connection === 'connected', 'the browser has noticed more than a gap');
	checkSecure(after, 'eve');
	await until('the page hears the tone', 15000, () => heard(page, 900));
	await inState(page, 'listening');
	check((await pageStats(page)).connections === 1, 'the page has made a new connection');
	await relay.works();
	check(await relay.authenticationFailures() === 0, 'something did not authenticate');

	step('kill -9 of both');
	await relay.kill('controlplane');
	await relay.kill('dataplane');
	relay.startDataplane();
	relay.startControlplane();
	await relay.works();
	/* Keys are nowhere left. The page comes back by itself, with the token it has. */
	await until('the page listens again', 60000, async () => (await page.evaluate(() => document.body.dataset.state)) === 'listening' &&
		(await pageStats(page)).connections > 1);
	step('the page has come back by itself');
});
