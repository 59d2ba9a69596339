/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From the timeline into the room: bubbles of those one follows, filters, coming in under one's own name;
 * a scheduled room that opens on a page that waits; a room with tickets; a shared link; a host who leaves.
 */
import { inState } from './lib/browser.mjs';
import { look, shows, text } from './lib/look.mjs';
import { scenario, step } from './lib/scenario.mjs';
import { check, until } from './lib/until.mjs';
import { heard, spyOnConnections } from './lib/spy.mjs';

const HOSTILE = '<b onmouseover="globalThis.hacked=1">late</b>';

scenario(async ({ relay, browser, room, open }) => {
	const soonMs = Date.now() + 3600 * 1000;
	await relay.ask({ type: 'user.upsert', actor: 'app', user: 'ann', followers: 900 });
	await relay.ask({ type: 'user.upsert', actor: 'app', user: 'carla', follows: ['ann', 'bob'] });
	await relay.openRoom('agora', { language: 'el', topic: 'Iliad' });
	await relay.openRoom('symposium', { actor: 'ann', title: `Love ${HOSTILE}`, topic: 'Plato', language: 'en' });
	await relay.ask({ type: 'room.schedule', actor: 'ann', room: 'later', title: 'Ships, a catalogue', starts_ms: soonMs, language: 'en' });
	await relay.openRoom('odeon', { actor: 'ann', title: 'The lyre', access: 'ticketed' });
	const speaking = await browser('speaker');
	const listening = await browser('listeners');
	const seats = await Promise.all([['ann', 'host'], ['bob', 'speaker']].map(async ([name, role]) => {
		const answer = await relay.ask({ type: 'member.join', actor: 'ann', member: name, room: 'symposium', role, transport: 'webrtc' });
		return answer.members[0].token;
	}));
	for (const [i, name] of ['ann', 'bob'].entries())
		await (await speaking.speaker(name, 'symposium', seats[i], 500 + 400 * i)).connected();

	const nobody = await open(listening, '/');
	await shows(nobody, '#rooms', 'Love <b');
	await shows(nobody, '#scheduled', 'Ships, a catalogue');
	await shows(nobody, '#rooms .tag', 'With a ticket');
	check(await nobody.isHidden('#following'), 'somebody without a token has bubbles');
	const token = await relay.seat('agora', 'carla', 'listener');
	const carla = await open(listening, `/#token=${token}`);
	check(!(await carla.evaluate(() => location.href)).includes(token), 'the token is in the address bar');
	await shows(carla, '#bubbles .bubble-who', 'ann hosts, bob speaks');
	await look(carla, 'discovery');
	await carla.fill('#filter [name=words]', 'plato love');
	await until('one is left', 15000, async () => await carla.locator('#rooms .card').count() === 1);
	await carla.fill('#filter [name=words]', '');
	await carla.selectOption('#filter [name=language]', 'el');
	await shows(carla, '#rooms .card-title', 'Fifty men');
	check(await carla.locator('#rooms .card').count() === 1, 'the language does not count');
	step('bubbles, lists, filters');

	await carla.locator('.bubble', { hasText: 'Love' }).click();
	await carla.waitForURL('**/room/symposium');
	await spyOnConnections(carla);
	await carla.click('#listen');
	await inState(carla, 'listening', 20000);
	await until('carla hears ann', 15000, () => heard(carla, 500));
	check((await relay.member('symposium', 'carla'))?.role === 'listener', 'carla is somebody else here');
	step('in by a bubble, under her own name');

	await carla.click('#share');
	await look(carla, 'room-share');
	await carla.click('#share-copy');
	await until('there is a link', 15000, async () => (await carla.inputValue('#share-url')).includes('#share='));
	const link = new URL(await carla.inputValue('#share-url'));
	await carla.keyboard.press('Escape');
	const guest = await open(listening, link.pathname + link.hash);
	check(!(await guest.evaluate(() => location.href)).includes('share'), 'the code is in the address bar');
	await guest.click('#listen');
	await inState(guest, 'listening', 20000);
	const guests = (await relay.ask({ type: 'member.list', room: 'symposium', role: 'listener' })).members;
	check(guests.some(({ member }) => member.startsWith('guest-')), 'no guest has come');
	const uninvited = await room(listening, 'symposium', null);
	await inState(uninvited, 'denied', 20000);
	await guest.context().close();
	step('a link shared, and used');

	await relay.ask({ type: 'member.leave', actor: 'ann', room: 'symposium' });
	await shows(carla, '#hint', 'bob is the host now.', 10000);
	await shows(carla, '#host', 'bob');
	await relay.ask({ type: 'role.set', actor: 'bob', room: 'symposium', member: 'carla', role: 'cohost' });
	await shows(carla, '#hint', 'You are a cohost now.');
	await until('the desk is open to her', 15000, () => carla.isVisible('#desk'));
	await carla.click('#desk');
	await carla.waitForURL('**/console');
	await shows(carla, '#podium .row-name', 'bob');
	check(await carla.isHidden('#close'), 'a cohost may close the room');
	step('the room inherited, a cohost, her desk');

	const early = await open(listening, `/room/later#token=${await relay.seat('agora', 'dan', 'listener')}`);
	await inState(early, 'scheduled', 20000);
	await shows(early, '#gate-title', 'Starts in');
	await early.click('#remind');
	await shows(early, '#gate-note', 'You will be told');
	check((await relay.ask({ type: 'room.get', room: 'later' })).room.reminders === 1, 'nobody is reminded');
	await early.click('#remind');
	await shows(early, '#gate-note', 'You will not be told');
	await look(early, 'room-scheduled');
	/* What is near is asked for often: the page opens by itself, and so does the sound. */
	await relay.ask({ type: 'room.update', actor: 'ann', room: 'later', starts_ms: Date.now() + 5000 });
	await early.reload();
	await early.click('#wait');
	await shows(early, '#state', 'as soon as it opens');
	await early.evaluate(() => { globalThis.neverReloaded = true; });
	await relay.ask({ type: 'room.open', actor: 'ann', room: 'later' });
	await inState(early, 'listening', 20000);
	check(await early.evaluate(() => globalThis.neverReloaded), 'the page was loaded again');
	check((await relay.member('later', 'dan'))?.role === 'listener', 'dan has come under another name');
	step('scheduled, reminded, waited for, open by itself');

	const { members: [annThere] } = await relay.ask({ type: 'member.join', actor: 'ann', room: 'odeon', role: 'host', transport: 'webrtc' });
	const desk = await open(listening, `/console#room=odeon&token=${annThere.token}`);
	await shows(desk, '#tickets-text', 'not on sale yet');
	for (const [name, value] of [['price', '12,50'], ['currency', 'EUR'], ['quantity', '3']])
		await desk.fill(`#offer [name=${name}]`, value);
	await desk.click('#offer .button');
	await shows(desk, '#tickets-text', '3 are left');
	const buyer = await open(listening, '/room/odeon');
	await inState(buyer, 'denied', 20000);
	await shows(buyer, '#notice-text', '12.50');
	await look(buyer, 'room-ticketed');
	const issue = { type: 'ticket.issue', actor: 'app', room: 'odeon', user: 'carla', reference: 'pay-1', price: 1250, currency: 'EUR' };
	await carla.goto(buyer.url());
	await carla.click('#listen', { timeout: 4000 });
	await shows(carla, '#notice-title', 'You cannot come in');
	await shows(carla, '#notice-text', 'Buy one');
	await relay.ask(issue);
	await carla.reload();
	await carla.click('#listen');
	await inState(carla, 'listening', 20000);
	await relay.ask({ type: 'ticket.refund', actor: 'app', reference: 'pay-1' });
	await inState(carla, 'removed', 20000);
	await shows(carla, '#notice-title', 'refunded');
	check((await text(buyer, '#title')) === 'The lyre', 'another room');
	for (const page of [carla, nobody, early])
		check(await page.evaluate(() => globalThis.hacked === undefined), 'what somebody wrote has run');
	step('a ticket: needed, bought, refunded');
});
