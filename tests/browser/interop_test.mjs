/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Promise interop: current Chromium publishes and listens, 0 authentication failures and 0 reconnects.
 * Long run: --seconds 600 --peers 50.
 */
import { checkSecure } from './lib/browser.mjs';
import { machineDropped } from './lib/relay.mjs';
import { argument, result, scenario, step } from './lib/scenario.mjs';
import { check, throughout } from './lib/until.mjs';

const SECONDS = argument('seconds', 20);
const PEERS = argument('peers', 10);
const SPEAKERS = 3;

scenario(async ({ relay, browser }) => {
	await relay.openRoom('agora');
	const speaking = await browser('speaker');
	const listening = await browser('listeners');
	const speakers = [];
	for (let i = 0; i < SPEAKERS; i++) {
		const name = `s${i}`;
		speakers.push(await speaking.speaker(name, 'agora', await relay.seat('agora', name, 'speaker'), 500 + 400 * i));
		checkSecure(await speakers[i].connected(), name);
	}
	const listeners = [];
	for (let i = 0; i < PEERS - SPEAKERS; i++) {
		const name = `l${i}`;
		listeners.push(await listening.listener(name, 'agora', await relay.seat('agora', name, 'listener')));
	}
	for (const listener of listeners)
		checkSecure(await listener.connected(20000), listener.name);
	for (const listener of listeners)
		await listener.hears([500, 900, 1300], 15000);
	step(`${PEERS} peer connections, ${SECONDS} s`);
	const droppedBefore = await machineDropped();
	const before = { ...await listening.allStats(), ...await speaking.allStats() };
	await throughout(SECONDS * 1000, 5000, async () => {
		for (const [name, stats] of Object.entries(await listening.allStats()))
			check(stats.connection === 'connected', `${name} is ${stats.connection}`);
	});
	const after = { ...await listening.allStats(), ...await speaking.allStats() };
	const sum = { received: 0, lost: 0, concealed: 0, samples: 0, reconnects: 0 };
	for (const [name, stats] of Object.entries(after)) {
		checkSecure(stats, name);
		for (const key of Object.keys(sum))
			sum[key] += stats[key] - (key === 'reconnects' ? 0 : before[name][key]);
		check(stats.received - before[name].received > SECONDS * 50,
			`${name} got only ${stats.received - before[name].received} packets`);
	}
	const dropped = await machineDropped() - droppedBefore;
	const failures = await relay.authenticationFailures();
	const counters = await relay.counters();
	result({ peers: PEERS, seconds: SECONDS, ...sum, machine_dropped: dropped, authentication_failures: failures });
	step(`drops of the data plane: ${JSON.stringify(counters.drops)}`);
	check(failures === 0, `${failures} packets did not authenticate`);
	check(sum.reconnects === 0, `${sum.reconnects} reconnects`);
	check(sum.lost <= dropped, `${sum.lost} packets were lost, this machine has dropped ${dropped}`);
});
