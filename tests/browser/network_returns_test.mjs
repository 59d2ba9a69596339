/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The network is away for a few seconds: the page says so, restarts ICE by PATCH when it can, and goes
 * on with the same connection and the same keys. Away for longer: it comes back with a fresh session.
 */
import { inState } from './lib/browser.mjs';
import { runIn } from './lib/relay.mjs';
import { scenario, step } from './lib/scenario.mjs';
import { check, until } from './lib/until.mjs';
import { heard, pageStats, spyOnConnections } from './lib/spy.mjs';

const CUT = `table inet cut { chain in { type filter hook input priority 0; meta l4proto udp drop; };
	chain out { type filter hook output priority 0; meta l4proto udp drop; }; }`;

scenario(async ({ relay, browser, room }) => {
	await relay.openRoom('agora');
	const speaking = await browser('speaker');
	const listening = await browser('listeners');
	const ann = await speaking.speaker('ann', 'agora', await relay.seat('agora', 'ann', 'speaker'), 700);
	await ann.connected();
	const page = await room(listening, 'agora', await relay.seat('agora', 'eve', 'listener'));
	await spyOnConnections(page);
	const patches = [];
	page.on('response', (response) => response.request().method() === 'PATCH' && patches.push(response.status()));
	await page.click('#listen');
	await inState(page, 'listening');
	await until('the page hears the tone', 8000, () => heard(page, 700));

	await runIn('listeners', 'nft', CUT);
	await inState(page, 'reconnecting', 30000);
	await runIn('listeners', 'nft', 'delete table inet cut');
	const back = performance.now();
	await inState(page, 'listening', 15000);
	await until('the page hears the tone again', 8000, () => heard(page, 700));
	step(`back after ${Math.round(performance.now() - back)} ms; PATCH: ${patches}`);
	check(patches.length === 1 && patches[0] === 200, `PATCH was answered ${patches}`);
	check((await pageStats(page)).connections === 1, 'it has made another connection');

	await runIn('listeners', 'nft', CUT);
	await inState(page, 'reconnecting', 30000);
	await until('an ICE restart was not enough', 30000, async () => (await pageStats(page)).connections > 1);
	await runIn('listeners', 'nft', 'delete table inet cut');
	await inState(page, 'listening', 30000);
	await until('the page hears the tone again', 8000, () => heard(page, 700));
	const stats = await pageStats(page);
	check(stats.connection === 'connected', `the newest connection is ${stats.connection}`);
	step(`back with connection number ${stats.connections}`);
	const { dataplane } = await relay.ask({ type: 'status' });
	check(dataplane.legs === 2, `${dataplane.legs} legs for two people`);
	check(await relay.authenticationFailures() === 0, 'something did not authenticate');
});
