/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Promise rebinding: a listener and a speaker behind a NAT whose mapping changes (another port, then
 * another address). The audio is back within a second of the first valid check from the new tuple, as
 * tcpdump behind the NAT sees both; no ICE restart, no new session.
 */
import { readFileSync } from 'node:fs';
import { makeNat } from './lib/nat.mjs';
import { lab, runIn, startIn } from './lib/relay.mjs';
import { scenario, step } from './lib/scenario.mjs';
import { check, until } from './lib/until.mjs';

const BOUND_MS = 1000;
const RELAY = '172.16.3.1.40000';

scenario(async ({ relay, browser }) => {
	const nat = await makeNat();
	await relay.openRoom('agora');
	const outside = await browser('speaker');
	const inside = await browser('phone');
	const ann = await outside.speaker('ann', 'agora', await relay.seat('agora', 'ann', 'speaker'), 600);
	await ann.connected();
	const eve = await inside.listener('eve', 'agora', await relay.seat('agora', 'eve', 'listener'));
	const bob = await inside.speaker('bob', 'agora', await relay.seat('agora', 'bob', 'speaker'), 1400);
	await eve.connected();
	await bob.connected();
	await eve.hears([600, 1400]);
	await ann.hears([1400]);
	step('through the NAT');
	const capture = startIn('stranger', 'nat', 'tcpdump', '-i', 'eth0', '-n', '-U', '-tt', '--nano', '-s', '64',
		'--immediate-mode', '-w', `${lab.folder}/nat.pcap`, 'udp');
	await until('tcpdump captures', 5000, () => readFileSync(`${lab.folder}/nat.log`, 'utf8').includes('listening on'));

	for (const [what, change] of [['port', () => nat.move('172.16.3.2', 52000)],
		['port again', () => nat.move('172.16.3.2', 53000)],
		['address', () => nat.move('172.16.3.9', 54000)]]) {
		const before = await eve.stats();
		const sent = (await ann.stats()).received;
		const begun = performance.now();
		await change();
		await until('the listener behind the NAT gets packets again', 15000, async () =>
			(await eve.stats()).received > before.received + 100);
		await until('the speaker behind the NAT is heard again', 15000, async () =>
			(await ann.stats()).received > sent + 50);
		step(`another ${what}: packets on both sides again after ${Math.round(performance.now() - begun)} ms`);
		await eve.hears([600, 1400]);
		await ann.hears([1400]);
	}
	for (const peer of [eve, bob]) {
		const stats = await peer.stats();
		check(stats.connection === 'connected', `${peer.name} is ${stats.connection}`);
		check(stats.reconnects === 0, `${peer.name} has reconnected ${stats.reconnects} times`);
	}
	capture.kill('SIGINT');
	await capture.ended;
	for (const gap of await gaps())
		check(gap.ms <= BOUND_MS, `from ${gap.tuple}: audio ${Math.round(gap.ms)} ms after the first check`);
	check(await relay.authenticationFailures() === 0, 'something did not authenticate');
});

/*
 * For each tuple behind the NAT: from its first Binding request to the address that the relay has on
 * this link (the candidates of other links do not lead anywhere from here) to the first RTP that the
 * relay sends there. (First byte of UDP payload: 0x00 STUN, 0x80 to 0xbf RTP.)
 */
async function gaps() {
	const text = await runIn('stranger', 'tcpdump', '-r', `${lab.folder}/nat.pcap`, '-n', '-tt', '--nano', '-x', 'udp');
	const first = new Map();
	for (const block of text.split(/\n(?=\d)/)) {
		const head = block.match(/^(\d+)\.(\d+) IP (\S+) > (\S+):/);
		const hex = block.split('\n').slice(1).map((line) => line.replace(/^\s*0x[0-9a-f]+:\s*/, '')).join('').replace(/\s/g, '');
		if (head === null)
			continue;
		const atMs = Number(head[1]) * 1000 + Number(head[2].slice(0, 6)) / 1000;
		const payload = parseInt(hex.slice(56, 58), 16);
		const request = hex.slice(56, 60) === '0001';
		const [from, to] = [head[3], head[4]];
		if (to === RELAY && request && !first.has(from))
			first.set(from, { tuple: from, check: atMs, ms: null });
		const mine = first.get(to);
		if (mine !== undefined && mine.ms === null && payload >= 0x80 && payload < 0xc0)
			mine.ms = atMs - mine.check;
	}
	/* Candidate pairs that were never used get checks and no audio. */
	const served = [...first.values()].filter((one) => one.ms !== null);
	for (const one of served)
		step(`${one.tuple}: first audio ${one.ms.toFixed(1)} ms after the first check`);
	check(served.length >= 6, `only ${served.length} tuples got audio: three moves of two peers make six`);
	return served;
}
