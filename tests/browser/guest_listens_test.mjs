/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * With open_listening anybody listens to an open room by its address alone: one tap, no link. The guest
 * is a member from then on, stays the same one over a reload, and can be removed like one.
 */
import { inState } from './lib/browser.mjs';
import { scenario, screenshot, step } from './lib/scenario.mjs';
import { check, until } from './lib/until.mjs';
import { heard, spyOnConnections } from './lib/spy.mjs';

scenario(async ({ relay, browser, room }) => {
	await relay.openRoom('agora', { slots: 4 });
	const speaking = await browser('speaker');
	const listening = await browser('listeners');
	const ann = await speaking.speaker('ann', 'agora', await relay.seat('agora', 'ann', 'speaker'), 700);
	await ann.connected();
	const page = await room(listening, 'agora', null);
	await spyOnConnections(page);
	await until('the page knows the room', 5000, async () => (await page.textContent('#title')) === 'Fifty men');
	await page.click('#listen');
	await inState(page, 'listening');
	await until('the guest hears the tone', 8000, () => heard(page, 700));
	await until('the guest sees who speaks', 8000, () => page.evaluate(() =>
		document.querySelectorAll('.tile.speaking').length === 1));
	const guests = async () => (await relay.ask({ type: 'member.list', room: 'agora', role: 'listener' })).members;
	const [guest] = await guests();
	check(guest.member.startsWith('guest-'), `the guest is called ${guest.member}`);
	const sections = await page.evaluate(() => globalThis.spied.at(-1).getTransceivers().length);
	check(sections === 4, `${sections} sections for a room of 4 slots`);
	await screenshot(page, 'guest');
	step('a guest listens');

	await page.reload();
	await page.click('#listen');
	await inState(page, 'listening');
	await until('the guest hears the tone again', 8000, () => heard(page, 700));
	const after = await guests();
	check(after.length === 1 && after[0].member === guest.member, `guests: ${after.map((one) => one.member)}`);

	const nobody = await room(listening, 'agora', null);
	const status = await nobody.evaluate(() => fetch('/whip/agora', {
		method: 'POST', body: 'v=0\r\n', headers: { 'Content-Type': 'application/sdp' },
	}).then((response) => response.status));
	check(status === 401, `a guest who would speak got ${status}`);
	await relay.ask({ type: 'moderation.remove', actor: 'host', room: 'agora', member: guest.member });
	await inState(page, 'removed', 5000);
	step('the same guest after a reload, removed in the end');
});
