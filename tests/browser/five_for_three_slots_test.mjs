/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Five speakers compete for three slots, taking turns; the listener hears each of them, and loses and
 * conceals nothing beyond what a single speaker costs. That baseline is measured at the same moment, in
 * the same browsers and with the same turns, in a room next door: what a busy machine does to one it
 * does to the other. --seconds 600 for the long one.
 */
import { machineDropped } from './lib/relay.mjs';
import { argument, result, scenario, step } from './lib/scenario.mjs';
import { check, throughout } from './lib/until.mjs';

const SECONDS = argument('seconds', 30);
const TURN_MS = 1200;
const TONES = { ann: 400, bob: 700, cid: 1000, dan: 1300, eve: 1700 };
const NAMES = Object.keys(TONES);
const LOUD = 0.3;
const COUNTED = ['received', 'lost', 'concealed', 'silent', 'events', 'samples'];

/* Who talks in turn n: two to four at a time, everybody as often as everybody else. */
function talkers(turn) {
	const count = 2 + (turn % 3);
	return NAMES.filter((_, i) => (i + turn) % NAMES.length < count);
}

async function costs(listeners, run) {
	const before = await Promise.all(listeners.map((listener) => listener.stats()));
	await run();
	const after = await Promise.all(listeners.map((listener) => listener.stats()));
	return after.map((stats, i) => Object.fromEntries(COUNTED.map((key) =>
		[key, stats[key] - before[i][key]])));
}

scenario(async ({ relay, browser }) => {
	await relay.openRoom('agora', { slots: 3 });
	await relay.openRoom('next-door', { slots: 3 });
	const speaking = await browser('speaker');
	const listening = await browser('listeners');
	const zoe = await listening.listener('zoe', 'agora', await relay.seat('agora', 'zoe', 'listener'));
	const zed = await listening.listener('zed', 'next-door', await relay.seat('next-door', 'zed', 'listener'));
	for (const name of NAMES) {
		const token = await relay.seat('agora', name, 'speaker');
		const speaker = await speaking.speaker(name, 'agora', token, TONES[name], { gain: 0 });
		await speaker.connected();
	}
	const solo = await speaking.speaker('solo', 'next-door', await relay.seat('next-door', 'solo', 'speaker'), 600);
	for (const one of [zoe, zed, solo])
		await one.connected();
	await zed.hears([600]);

	const sounds = new Set();
	const dropped = await machineDropped();
	const [five, one] = await costs([zoe, zed], () => throughout(SECONDS * 1000, TURN_MS, async (turn) => {
		const on = talkers(turn);
		for (const [i, levels] of Object.entries(await zoe.hear(Object.values(TONES))))
			levels.forEach((level, tone) => level > -45 && sounds.add(`${i}:${NAMES[tone]}`));
		await speaking.gains([['solo', turn % 2 ? LOUD : 0], ...NAMES.map((name) => [name, on.includes(name) ? LOUD : 0])]);
	}));
	const machine = await machineDropped() - dropped;
	result({ seconds: SECONDS, five, one, machine_dropped: machine });
	step(`heard (section:who): ${[...sounds].sort().join(' ')}`);

	for (const name of NAMES)
		check([...sounds].some((sound) => sound.endsWith(`:${name}`)), `${name} was never heard`);
	const { drops } = await relay.counters();
	check(drops.not_selected > SECONDS, `the slots were not fought for: ${JSON.stringify(drops)}`);
	check(five.received > SECONDS * 75, `only ${five.received} packets of five speakers`);
	check(five.lost + one.lost <= machine, `${five.lost} packets were lost, this machine has dropped ${machine}`);
	const rate = (cost) => cost.concealed / 960 / cost.received;
	check(rate(five) <= 1.5 * rate(one) + 0.01, `${(100 * rate(five)).toFixed(2)} % was concealed, ${
		(100 * rate(one)).toFixed(2)} % of a single speaker's`);
	check(await relay.authenticationFailures() === 0, 'something did not authenticate');
});
