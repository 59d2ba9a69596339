/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The host mutes a speaker: the listener's analyser hears the tone end within the bound, and nothing
 * of it until the unmute. The bound is the receiver's: what is in its jitter buffer is still played.
 */
import { scenario, step } from './lib/scenario.mjs';
import { check, throughout, until } from './lib/until.mjs';

const BOUND_MS = 400;

scenario(async ({ relay, browser }) => {
	await relay.openRoom('agora');
	const speaking = await browser('speaker');
	const listening = await browser('listeners');
	const ann = await speaking.speaker('ann', 'agora', await relay.seat('agora', 'ann', 'speaker'), 800);
	const eve = await listening.listener('eve', 'agora', await relay.seat('agora', 'eve', 'listener'));
	await ann.connected();
	await eve.hears([800]);
	const times = [];
	for (let round = 0; round < 5; round++) {
		const begun = performance.now();
		const answer = await relay.ask({ type: 'moderation.mute', actor: 'host', room: 'agora', member: 'ann' });
		check(answer.programmed, 'the mute was not programmed');
		await until('the tone ends', 5000, async () => Math.max(...(await eve.hear([800])).flat()) < -70);
		times.push(Math.round(performance.now() - begun));
		const sent = (await ann.stats()).sent;
		await throughout(1000, 100, async () => check(
			Math.max(...(await eve.hear([800])).flat()) < -70, 'the muted speaker is heard'));
		check((await ann.stats()).sent > sent, 'the muted speaker has stopped sending: this proves nothing');
		await relay.ask({ type: 'moderation.unmute', actor: 'host', room: 'agora', member: 'ann' });
		await eve.hears([800]);
	}
	step(`from the event to silence at the ear: ${times.join(', ')} ms`);
	check(Math.max(...times) <= BOUND_MS, `a mute was heard after ${Math.max(...times)} ms only`);
});
