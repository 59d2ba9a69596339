/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Promise 10 % loss: every tenth packet is dropped in both directions, behind the relay's own devices,
 * and the rule counts that. DTLS is set up within 5 s at p95, nothing fails to authenticate, a plain
 * listener loses no more than the rule takes, one that asks again loses next to nothing, and the tone
 * is heard. --joins 40 for the long one.
 */
import { checkSecure } from './lib/browser.mjs';
import { makeNat } from './lib/nat.mjs';
import { runIn } from './lib/relay.mjs';
import { argument, result, scenario, step } from './lib/scenario.mjs';
import { check, until } from './lib/until.mjs';

const JOINS = argument('joins', 12);
const BOUND_MS = 5000;

/* On the forward hook of the namespace in the middle, each way with its own counter. */
const RULES = `table ip loss { chain lossy { type filter hook forward priority 0;
	oifname "eth0" meta l4proto udp counter;
	oifname "eth0" meta l4proto udp numgen random mod 10 == 0 counter drop;
	oifname "phone" meta l4proto udp counter;
	oifname "phone" meta l4proto udp numgen random mod 10 == 0 counter drop; }; }`;

async function ruleCounters() {
	const text = await runIn('stranger', 'nft', 'list', 'table', 'ip', 'loss');
	const counts = [...text.matchAll(/counter packets (\d+)/g)].map((match) => Number(match[1]));
	const [up, upDropped, down, downDropped] = counts;
	return { up, upDropped, down, downDropped };
}

scenario(async ({ relay, browser }) => {
	await makeNat();
	await runIn('stranger', 'nft', RULES);
	await relay.openRoom('agora');
	const outside = await browser('speaker');
	const inside = await browser('phone');
	const ann = await outside.speaker('ann', 'agora', await relay.seat('agora', 'ann', 'speaker'), 600);
	await ann.connected();
	const setups = [];
	let last;
	for (let i = 0; i < JOINS; i++) {
		const name = `l${i}`;
		last = await inside.listener(name, 'agora', await relay.seat('agora', name, 'listener'));
		const stats = await last.connected(30000);
		checkSecure(stats, name);
		setups.push(Math.round(stats.connectedMs));
		if (i < JOINS - 1)
			await last.call('leave');
	}
	setups.sort((a, b) => a - b);
	const p95 = setups[Math.ceil(setups.length * 0.95) - 1];
	step(`set up in ms: ${setups.join(' ')}`);
	check(p95 <= BOUND_MS, `p95 of the set-up is ${p95} ms`);
	await last.hears([600], 15000);
	const asking = await inside.listener('asking', 'agora', await relay.seat('agora', 'asking', 'listener'),
		{ nack: true });
	await asking.connected(30000);
	await asking.hears([600], 15000);

	const before = [await last.stats(), await asking.stats()];
	await until('another 500 packets', 60000, async () => (await last.stats()).received > before[0].received + 500);
	const after = [await last.stats(), await asking.stats()];
	const [plain, again] = after.map((stats, i) => ({
		received: stats.received - before[i].received, lost: stats.lost - before[i].lost,
	}));
	const rules = await ruleCounters();
	const { retransmitted } = await relay.counters();
	result({ joins: JOINS, setup_ms: setups, setup_p95_ms: p95, rule: rules, plain, asking: again,
		sent_again: retransmitted });
	for (const [all, dropped] of [[rules.up, rules.upDropped], [rules.down, rules.downDropped]])
		check(dropped > all * 0.06 && dropped < all * 0.14, `the rule dropped ${dropped} of ${all}`);
	check(plain.lost <= (plain.received + plain.lost) * 0.15,
		`${plain.lost} of ${plain.received + plain.lost} were lost: more than the rule takes`);
	check(again.lost <= (again.received + again.lost) * 0.03,
		`${again.lost} of ${again.received + again.lost} were lost in spite of ${retransmitted} sent again`);

	/* What a speaker loses on the way in is missing for everybody, so it is not part of the sum. */
	const bob = await inside.speaker('bob', 'agora', await relay.seat('agora', 'bob', 'speaker'), 1400);
	await bob.connected(30000);
	await asking.hears([600, 1400], 15000);
	await ann.hears([1400], 15000);
	check(await relay.authenticationFailures() === 0, 'something did not authenticate');
});
