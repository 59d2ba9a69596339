/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A listener that offers one audio section only, in a room where three talk at once, with
 * unsignalled_slots on: Chromium mixes what comes under SSRCs that no section names into what it plays.
 */
import { checkSecure } from './lib/browser.mjs';
import { loudspeaker } from './lib/loudspeaker.mjs';
import { scenario, step } from './lib/scenario.mjs';
import { check, until } from './lib/until.mjs';

const TONES = { ann: 500, bob: 900, cid: 1500 };
const NOBODY = 2100;

scenario(async ({ relay, browser }) => {
	await relay.openRoom('agora', { slots: 3 });
	const speaking = await browser('speaker');
	const speaker = loudspeaker('listeners');
	const listening = await browser('listeners', { unmuted: true });
	for (const [name, hertz] of Object.entries(TONES)) {
		const one = await speaking.speaker(name, 'agora', await relay.seat('agora', name, 'speaker'), hertz);
		await one.connected();
	}
	const eve = await listening.listener('eve', 'agora', await relay.seat('agora', 'eve', 'listener'), { sections: 1 });
	checkSecure(await eve.connected(), 'eve');
	const levels = await until('the loudspeaker plays all three', 10000, () => {
		const found = speaker.hear([...Object.values(TONES), NOBODY]);
		return found.slice(0, 3).every((level) => level > -35) && found[3] < -55 ? found
			: Promise.reject(new Error(found.map(Math.round).join(' ')));
	});
	step(`one section, three tones and one that nobody makes: ${levels.map(Math.round)} dB`);
	const [seen] = await eve.hear(Object.values(TONES));
	step(`its only track has, for an analyser: ${seen.map(Math.round)} dB`);
	check(seen.filter((level) => level > -45).length === 1, 'a track has more than one stream: the README is wrong');
});
