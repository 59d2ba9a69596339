/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every state of a room's page is reached, and looks like it should: on a phone and on a desk, light
 * and dark. Screenshots go to build/tests/browser/screens. No state may be wider than its window, and
 * every button must have a name and be reached by Tab.
 */
import { inState, writeVoice } from './lib/browser.mjs';
import { lab, runIn } from './lib/relay.mjs';
import { scenario, screenshot, step } from './lib/scenario.mjs';
import { check, until } from './lib/until.mjs';
import { spyOnConnections } from './lib/spy.mjs';

const NO_MEDIA = 'table inet cut { chain in { type filter hook input priority 0; meta l4proto udp drop; }; }';
const SIZES = { phone: { width: 360, height: 740 }, desk: { width: 1200, height: 800 } };

async function look(page, label) {
	const found = await page.evaluate(() => ({
		wide: document.documentElement.scrollWidth > innerWidth,
		nameless: [...document.querySelectorAll('button, a')].filter((one) => one.checkVisibility() &&
			one.textContent.trim() === '' && !one.getAttribute('aria-label')).length,
		live: document.querySelectorAll('[aria-live], [role=status]').length,
	}));
	check(!found.wide, `${label} is wider than its window`);
	check(found.nameless === 0, `${label} has a button without a name`);
	check(found.live > 0, `${label} has nothing that a screen reader would read out`);
	await screenshot(page, label);
}

/* The visible controls as the Tab key meets them, once round, from the first of the page; of a row of
 * the same kind one stands for all. */
async function tabOrder(page) {
	const met = [];
	for (let i = 0; i < 24; i++) {
		await page.keyboard.press('Tab');
		const id = await page.evaluate(() => {
			const at = document.activeElement;
			return at === document.body ? null : at.id || at.className;
		});
		if (id !== null && id !== met.at(-1) && met.includes(id))
			break;
		if (id !== null && id !== met.at(-1))
			met.push(id);
	}
	const first = met.indexOf('skip');
	return [...met.slice(first), ...met.slice(0, first)].join(' ');
}

scenario(async ({ relay, browser, room }) => {
	const speaking = await browser('speaker');
	const listening = await browser('listeners', { voice: writeVoice('carla', 1200) });
	let number = 0;
	for (const [size, viewport] of Object.entries(SIZES)) {
		for (const colorScheme of ['light', 'dark']) {
			const options = { viewport, colorScheme, deviceScaleFactor: size === 'phone' ? 2 : 1 };
			const shot = (page, state) => look(page, `${state}-${size}-${colorScheme}`);
			const id = `agora${number++}`;
			await relay.openRoom(id, { topic: 'Iliad, book five', title: 'Fifty men: how loud is a herald?' });
			for (const [i, name] of ['agamemnon', 'nestor', 'odysseus-of-ithaca'].entries()) {
				const speaker = await speaking.speaker(`${id}${name}`, id, await relay.seat(id, name, 'speaker'), 500 + 400 * i, { sections: 0 });
				await speaker.connected();
			}
			const home = await listening.newContext(options);
			const list = await home.newPage();
			await list.goto(`${lab.base}/`);
			await until('the room is on the list', 8000, () => list.isVisible('.card'));
			await shot(list, 'home');
			await home.close();

			const page = await room(listening, id, await relay.seat(id, 'carla', 'listener'), options);
			await spyOnConnections(page);
			await until('the stage is filled', 8000, () => page.evaluate(() => document.querySelectorAll('.tile').length >= 3));
			await shot(page, 'idle');
			let order = await tabOrder(page);
			check(order === 'skip mark share report listen', `Tab meets ${order}`);

			await page.route('**/whep/**', () => {});
			await page.focus('#listen');
			await page.keyboard.press('Enter');
			await inState(page, 'connecting');
			await shot(page, 'connecting');
			await page.unroute('**/whep/**');
			await page.reload();
			await page.focus('#listen');
			await page.keyboard.press('Space');
			await inState(page, 'listening');
			await until('three are shown to speak', 10000, () => page.evaluate(() =>
				document.querySelectorAll('.tile.speaking').length === 3));
			await shot(page, 'listening');
			order = await tabOrder(page);
			check(order === 'skip mark share report reaction floor leave', `Tab meets ${order}`);

			await page.click('#floor');
			await until('it says so', 5000, async () => (await page.textContent('#state')).includes('asked'));
			await shot(page, 'asked');
			await relay.ask({ type: 'floor.grant', actor: 'host', room: id, member: 'carla' });
			await inState(page, 'speaking');
			await until('others are shown to speak', 10000, () => page.evaluate(() =>
				document.querySelectorAll('.tile.speaking').length >= 3));
			await shot(page, 'speaking');
			await page.click('#mute');
			await shot(page, 'muted');
			await relay.ask({ type: 'moderation.mute', actor: 'host', room: id, member: 'carla' });
			await until('it says so', 5000, async () => (await page.textContent('#state')).includes('host'));
			await shot(page, 'muted-by-host');

			/* No media gets through, and soon no new session either. */
			await runIn('listeners', 'nft', NO_MEDIA);
			await page.route('**/{whip,whep,session}/**', (route) => route.abort());
			await inState(page, 'reconnecting', 30000);
			await shot(page, 'reconnecting');
			await runIn('listeners', 'nft', 'delete table inet cut');
			await page.unroute('**/{whip,whep,session}/**');
			await inState(page, 'speaking', 40000);

			await relay.ask({ type: 'moderation.remove', actor: 'host', room: id, member: 'carla' });
			await inState(page, 'removed');
			await shot(page, 'removed');

			const full = await room(listening, id, await relay.seat(id, 'dan', 'listener'), options);
			await full.route('**/whep/**', (route) => route.fulfill({ status: 503, headers: { 'Retry-After': '12' } }));
			await full.click('#listen');
			await inState(full, 'full');
			await shot(full, 'full');
			await relay.ask({ type: 'room.close', actor: 'host', room: id });
			await inState(full, 'closed');
			await shot(full, 'closed');

			const bad = await room(listening, id, 'nonsense', options);
			/* The page may have found out by itself, and taken the button away. */
			await bad.click('#listen', { timeout: 2000 }).catch(() => {});
			await until('the link is refused', 8000, () => bad.evaluate(() => ['denied', 'closed'].includes(document.body.dataset.state)));
			await shot(bad, 'bad-link');
			step(`${size} ${colorScheme}`);
		}
	}
});
