/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Three talk at once, a listener with three sections hears all three, each in a section of its own, and
 * the CSRC of each section names who it is.
 */
import { checkSecure } from './lib/browser.mjs';
import { scenario, step } from './lib/scenario.mjs';
import { check, until } from './lib/until.mjs';

const TONES = { ann: 500, bob: 900, cid: 1500 };

scenario(async ({ relay, browser }) => {
	await relay.openRoom('agora', { slots: 3 });
	const speaking = await browser('speaker');
	const listening = await browser('listeners');
	const token = await relay.seat('agora', 'eve', 'listener');
	const eve = await listening.listener('eve', 'agora', token);
	for (const [name, hertz] of Object.entries(TONES)) {
		const speaker = await speaking.speaker(name, 'agora', await relay.seat('agora', name, 'speaker'), hertz);
		checkSecure(await speaker.connected(), name);
	}
	checkSecure(await eve.connected(), 'eve');
	const tones = Object.values(TONES);
	const sections = await eve.hears(tones);
	step(`heard, in dB: ${JSON.stringify(sections.map((levels) => levels.map(Math.round)))}`);

	await until('each section has one speaker', 5000, async () => (await eve.hear(tones))
		.every((levels) => levels.filter((level) => level > -45).length === 1));
	const owners = (await eve.hear(tones)).map((levels) =>
		Object.keys(TONES)[levels.indexOf(Math.max(...levels))]);
	check(new Set(owners).size === 3, `sections of ${owners}`);
	step(`sections: ${owners}`);

	const ssrcs = {};
	for (const name of owners)
		ssrcs[name] = (await relay.member('agora', name)).ssrc;
	const sources = await until('each section has its CSRC', 5000, async () => {
		const now = await eve.call('sources');
		return now.every((section) => section.length === 1) && now;
	});
	sources.forEach(([{ source }], i) => check(source === ssrcs[owners[i]],
		`section ${i} is ${owners[i]} (${ssrcs[owners[i]]}), its CSRC is ${source}`));
	const stats = await eve.stats();
	check(stats.lost === 0, `${stats.lost} packets were lost`);

	/* A speaker hears the two others and not themself. */
	const { hear } = { hear: await speaking.peer('ann-hears', {
		kind: 'whip', room: 'agora', token: await relay.seat('agora', 'dan', 'speaker'), hertz: 2300, gain: 0,
	}) };
	await hear.hears(tones);
	check(await relay.authenticationFailures() === 0, 'something did not authenticate');
});
