/* SPDX-License-Identifier: BSD-3-Clause */
/* One speaker, many listeners in one browser: everybody hears the tone, nobody loses a packet. */
import { checkSecure } from './lib/browser.mjs';
import { argument, scenario, step } from './lib/scenario.mjs';
import { check, until } from './lib/until.mjs';

const LISTENERS = argument('listeners', 8);

scenario(async ({ relay, browser }) => {
	await relay.openRoom('agora');
	const speaking = await browser('speaker');
	const listening = await browser('listeners');
	const ann = await speaking.speaker('ann', 'agora', await relay.seat('agora', 'ann', 'speaker'), 700);
	const listeners = [];
	for (let i = 0; i < LISTENERS; i++) {
		const token = await relay.seat('agora', `l${i}`, 'listener');
		listeners.push(await listening.listener(`l${i}`, 'agora', token));
	}
	checkSecure(await ann.connected(), 'ann');
	for (const listener of listeners) {
		checkSecure(await listener.connected(), listener.name);
		await listener.hears([700]);
	}
	step(`${LISTENERS} listeners hear the tone`);
	const before = await listening.allStats();
	await until('everybody gets another 100 packets', 15000, async () => {
		const now = await listening.allStats();
		return Object.keys(now).every((name) => now[name].received >= before[name].received + 100);
	});
	const after = await listening.allStats();
	for (const [name, stats] of Object.entries(after)) {
		check(stats.lost === 0, `${name} has lost ${stats.lost} packets`);
		check(stats.energy > before[name].energy, `${name} hears no energy`);
		check(stats.concealed === before[name].concealed,
			`${name} had ${stats.concealed - before[name].concealed} samples concealed`);
	}
	const silent = await listeners[0].hear([1900]);
	check(Math.max(...silent.flat()) < -60, 'there is a tone that nobody makes');
	check(await relay.authenticationFailures() === 0, 'something did not authenticate');
	step('no packet lost, nothing concealed');
});
