/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Five speakers compete for three slots, taking turns; the listener hears whoever is on, and loses
 * and conceals nothing beyond what a single speaker with the same turns costs (the baseline, measured
 * in the same run). --seconds 600 for the long one.
 */
import { argument, scenario, step } from './lib/scenario.mjs';
import { check, throughout } from './lib/until.mjs';

const SECONDS = argument('seconds', 30);
const TURN_MS = 1200;
const TONES = { ann: 400, bob: 700, cid: 1000, dan: 1300, eve: 1700 };
const NAMES = Object.keys(TONES);
const LOUD = 0.3;

/* Who talks in turn n: two to four at a time, everybody as often as everybody else. */
function talkers(turn) {
	const count = 2 + (turn % 3);
	return NAMES.filter((_, i) => (i + turn) % NAMES.length < count);
}

async function listenTo(listener, speakers, seconds, turnOf) {
	const before = await listener.stats();
	const sounds = new Set();
	await throughout(seconds * 1000, TURN_MS, async (turn) => {
		for (const [i, levels] of Object.entries(await listener.hear(Object.values(TONES))))
			levels.forEach((level, tone) => level > -45 && sounds.add(`${i}:${NAMES[tone]}`));
		const on = turnOf(turn);
		for (const [name, speaker] of Object.entries(speakers))
			await speaker.call('speak', on.includes(name) ? LOUD : 0);
	});
	const after = await listener.stats();
	const cost = {};
	for (const key of ['received', 'lost', 'discarded', 'concealed', 'silent', 'events', 'samples'])
		cost[key] = after[key] - before[key];
	return { cost, sounds };
}

scenario(async ({ relay, browser }) => {
	await relay.openRoom('agora', { slots: 3 });
	const speaking = await browser('speaker');
	const listening = await browser('listeners');
	const zoe = await listening.listener('zoe', 'agora', await relay.seat('agora', 'zoe', 'listener'));
	await zoe.connected();
	const speakers = {};
	for (const name of NAMES) {
		const token = await relay.seat('agora', name, 'speaker');
		const first = name === NAMES[0];
		speakers[name] = await speaking.speaker(name, 'agora', token, TONES[name], { gain: first ? LOUD : 0 });
		await speakers[name].connected();
		if (!first)
			continue;
		await zoe.hears([TONES[name]]);
		const { cost } = await listenTo(zoe, speakers, Math.min(SECONDS, 60), (turn) => (turn % 2 ? [name] : []));
		speakers.baseline = cost;
		step(`baseline of one speaker: ${JSON.stringify(cost)}`);
	}
	const { baseline, ...five } = speakers;
	const { cost, sounds } = await listenTo(zoe, five, SECONDS, talkers);
	step(`five for three: ${JSON.stringify(cost)}`);
	step(`heard (section:who): ${[...sounds].sort().join(' ')}`);

	for (const name of NAMES)
		check([...sounds].some((sound) => sound.endsWith(`:${name}`)), `${name} was never heard`);
	check(cost.lost === 0, `${cost.lost} packets were lost`);
	/* Concealment of sound a second of one section; the five keep three sections busy. */
	const rate = (of) => of.concealed / of.samples;
	check(rate(cost) <= rate(baseline) + 0.001,
		`${cost.concealed} of ${cost.samples} samples concealed, ${baseline.concealed} of ${baseline.samples} with one speaker`);
	check(await relay.authenticationFailures() === 0, 'something did not authenticate');
});
