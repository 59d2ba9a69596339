/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RTCP both ways with Chromium: the speaker is told how it arrives, listeners get sender reports on
 * the capture clock, their own reports are absorbed into the room's histograms.
 */
import { scenario, step } from './lib/scenario.mjs';
import { check, until } from './lib/until.mjs';

const REPORTS = 3;

function reports(peer) {
	return peer.page.evaluate(async (name) => {
		const all = [...(await globalThis.peers.get(name).pc.getStats()).values()];
		return {
			told: all.find((one) => one.type === 'remote-inbound-rtp') ?? null,
			heard: all.filter((one) => one.type === 'remote-outbound-rtp'),
			now: performance.timeOrigin + performance.now(),
		};
	}, peer.name);
}

scenario(async ({ relay, browser }) => {
	await relay.openRoom('agora');
	const speaking = await browser('speaker');
	const listening = await browser('listeners');
	const ann = await speaking.speaker('ann', 'agora', await relay.seat('agora', 'ann', 'speaker'), 700);
	const bob = await listening.listener('bob', 'agora', await relay.seat('agora', 'bob', 'listener'));
	await ann.connected();
	await bob.connected();
	await bob.hears([700]);
	const told = await until('the speaker is told how it arrives', 15000, async () => {
		const one = (await reports(ann)).told;
		return one !== null && one.roundTripTimeMeasurements >= REPORTS ? one : false;
	});
	check(told.packetsLost === 0 && told.fractionLost === 0, `loss ${told.packetsLost}, ${told.fractionLost}`);
	check(told.roundTripTime >= 0 && told.roundTripTime < 0.5, `round trip ${told.roundTripTime} s`);
	check(told.jitter < 0.1, `jitter ${told.jitter} s`);
	step(`receiver reports: round trip ${(told.roundTripTime * 1000).toFixed(1)} ms, jitter ${
		(told.jitter * 1000).toFixed(1)} ms`);
	const { heard, now } = await until('the listener has sender reports', 30000, async () => {
		const one = await reports(bob);
		return one.heard.some((report) => report.reportsSent >= REPORTS) && one;
	});
	const report = heard.find((one) => one.reportsSent >= REPORTS);
	/* All on one machine, so all have one clock. */
	const behind = now - report.remoteTimestamp;
	check(behind > -1000 && behind < 7000, `the report is from ${behind} ms ago`);
	check(report.packetsSent > 100 && report.bytesSent > 0, `it tells of ${report.packetsSent} packets`);
	step(`sender reports: ${report.reportsSent}, the last one ${behind.toFixed(0)} ms old`);
	const text = await until('the reports are in the histograms', 20000, async () => {
		const response = await bob.page.evaluate(async () => (await fetch('/metrics')).text());
		const count = /^stentor_room_[a-z_]*rtt[a-z_]*_count\{[^}]*\} ([0-9]+)/m.exec(response);
		return count !== null && Number(count[1]) >= REPORTS && response;
	});
	/* Over a veth: what else is in it is Chromium's and the machine's. */
	const mean = Number(/rtt[a-z_]*_sum\{[^}]*\} ([0-9.e-]+)/.exec(text)[1]) /
		Number(/rtt[a-z_]*_count\{[^}]*\} ([0-9]+)/.exec(text)[1]);
	check(mean < 0.2, `the mean round trip of listeners is ${mean} s`);
	step(text.split('\n').filter((line) => /rtt.*_(count|sum)/.test(line)).join('; '));
	const counters = await relay.counters();
	check(counters.rtcp_sent >= 2 * REPORTS, `rtcp_sent ${counters.rtcp_sent}`);
	check((counters.drops.rtp_unknown_ssrc ?? 0) === 0, 'reports under an unknown SSRC were dropped');
	check((counters.drops.srtcp_replay ?? 0) === 0, 'reports were taken for repeated ones');
	check(await relay.authenticationFailures() === 0, 'something did not authenticate');
	step(JSON.stringify(counters));
});
