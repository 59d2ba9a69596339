/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The moderator's desk against two pages in the room: hands with their words, grant, live levels,
 * mute with a way back, invitation, report and resolution, pins, reactions, removal by a second
 * tap, and what was done. Everything others write is hostile: it must show as text and do nothing.
 */
import { inState, writeVoice } from './lib/browser.mjs';
import { lab, runIn } from './lib/relay.mjs';
import { look, shows, text } from './lib/look.mjs';
import { scenario, step } from './lib/scenario.mjs';
import { check, until } from './lib/until.mjs';

const HOSTILE = '<img src=x onerror="globalThis.hacked=1"><script>hacked=1</script>';

function row(desk, list, name) {
	return desk.locator(`#${list} .row`, { has: desk.locator('.row-name', { hasText: new RegExp(`^${name}$`) }) });
}

scenario(async ({ relay, browser, room, open }) => {
	await relay.openRoom('agora', { title: `Fifty men ${HOSTILE}`, topic: 'Iliad' });
	const speaking = await browser('speaker');
	const listening = await browser('listeners', { voice: writeVoice('carla', 1200) });
	const bob = await speaking.speaker('bob', 'agora', await relay.seat('agora', 'bob', 'speaker'), 500);
	await bob.connected();
	const [carla, dan] = await Promise.all(['carla', 'dan'].map(async (name) =>
		room(listening, 'agora', await relay.seat('agora', name, 'listener'))));
	for (const page of [carla, dan]) {
		await page.click('#listen');
		await inState(page, 'listening', 20000);
	}
	const address = (await runIn('relay', `${lab.build}/controlplane/cli/stentorctl`, '--socket', `${lab.folder}/events.sock`, 'desk', 'agora', 'host')).trim();
	const token = address.split('token=')[1];
	const desk = await open(listening, address);
	await shows(desk, '#podium .row-name', 'bob');
	check(!(await desk.evaluate(() => location.href)).includes(token), 'the token is in the address bar');
	check((await text(desk, '#title')).includes('<img'), 'the title is not shown as it was given');
	step('the desk is open');

	await carla.click('#floor');
	await shows(carla, '#state', 'you are next');
	await carla.fill('#words-text', `About Ajax ${HOSTILE}`);
	await carla.keyboard.press('Enter');
	await shows(desk, '#hands .row-words', 'About Ajax <img');
	await row(desk, 'hands', 'carla').locator('.row-note').waitFor();
	await look(desk, 'desk-hand');
	await row(desk, 'hands', 'carla').getByText('Let speak').click();
	await inState(carla, 'speaking', 20000);
	await bob.hears([1200], 10000, -55);
	await until('the desk sees who is loud', 15000, () => desk.locator('#podium .row.speaking').count()
		.then((count) => count === 2));
	await shows(desk, '#podium .row-note', 'slot');
	step('asked in words, granted, heard, seen');

	await row(desk, 'podium', 'carla').getByText('Mute', { exact: true }).click();
	await shows(carla, '#state', 'The host has muted you.');
	await look(desk, 'desk-undo');
	await desk.locator('.toast', { hasText: 'carla is muted' }).getByText('Undo').click();
	await shows(carla, '#state', 'You are on stage.');
	await desk.click('#mute-all');
	await shows(carla, '#state', 'The host has muted you.');
	await shows(desk, '.toast', 'Muted:');
	await desk.locator('.toast', { hasText: 'Muted:' }).getByText('Undo').click();
	await shows(carla, '#state', 'You are on stage.');
	await row(desk, 'podium', 'carla').getByRole('button', { name: /To the audience/ }).click();
	await inState(carla, 'listening', 20000);
	step('muted and unmuted, all of them too, and back in the audience');

	await desk.fill('#person [name=member]', 'dan');
	await desk.click('#person [value="floor.invite"]');
	await shows(dan, '#invitation-text', 'host invites you');
	await look(dan, 'room-invited');
	await dan.click('#decline');
	await until('the invitation is gone', 15000, async () => !await dan.isVisible('#invitation'));
	await shows(desk, '#no-hands', 'Nobody');
	await desk.click('#person [value="floor.invite"]');
	await dan.click('#accept');
	await inState(dan, 'speaking', 20000);
	await dan.click('#floor');
	await inState(dan, 'listening', 20000);
	step('invited, declined, invited, accepted, given back');

	await dan.click('#report');
	await dan.fill('#report-form [name=member]', 'bob');
	await dan.selectOption('#report-form [name=category]', 'harassment');
	await dan.fill('#report-form [name=text]', `He shouts ${HOSTILE}`);
	await look(dan, 'room-report');
	await dan.click('#report-form .primary');
	await shows(dan, '#report-said', 'Thank you');
	await dan.click('#report-close');
	await shows(desk, '#reports .row-words', 'He shouts <img');
	await shows(desk, '#reports .evidence', 'bob in slot');
	await look(desk, 'desk-report');
	await row(desk, 'reports', 'bob').getByText('Dismiss').click();
	await until('the report is gone', 15000, () => desk.locator('#reports .row').count().then((count) => count === 0));
	check((await relay.ask({ type: 'moderation.reports', state: 'resolved' })).reports.length === 1, 'not resolved');
	step('reported and dismissed');

	await desk.fill('#pin-form [name=text]', `Read this ${HOSTILE}`);
	await desk.fill('#pin-form [name=url]', 'https://example.org/iliad');
	await desk.click('#pin-form .button');
	await shows(carla, '#pins', 'Read this <img');
	check(await carla.getAttribute('#pins a', 'href') === 'https://example.org/iliad', 'the link goes elsewhere');
	await desk.fill('#pin-form [name=url]', 'javascript:globalThis.hacked=1');
	await desk.click('#pin-form .button');
	await shows(desk, '.toast.bad', 'url');
	for (let i = 0; i < 3; i++)
		await carla.locator('.reaction').first().click();
	await shows(dan, '.reaction-total', '3');
	await shows(desk, '.graph.warm .graph-scale', '0 to');
	await look(carla, 'room-pinned');
	await desk.locator('#pins button').click();
	await until('unpinned on the page', 15000, () => carla.isHidden('#pinned'));
	step('pinned, refused, reacted to, unpinned');

	const remove = row(desk, 'podium', 'bob').getByRole('button', { name: /Remove/ });
	await remove.click();
	check((await relay.member('agora', 'bob')) !== null, 'one tap has removed somebody');
	await look(desk, 'desk-armed');
	await desk.setViewportSize({ width: 360, height: 780 });
	await row(desk, 'podium', 'bob').locator('.armed').click();
	await until('bob is out', 15000, async () => (await relay.member('agora', 'bob')) === null);
	await shows(desk, '#audit', 'moderation.remove');
	await look(desk, 'desk-audit');
	await relay.ask({ type: 'moderation.mute', actor: 'host', room: 'agora', member: 'carla', reason: HOSTILE });
	await shows(desk, '#audit', '<img');
	step('removed by a second tap, and all of it in the audit');

	const ban = desk.locator('#person [value="moderation.ban"]');
	await ban.click();
	await ban.click();
	await shows(dan, '#notice-title', 'You were banned');
	await desk.locator('.toast', { hasText: 'dan is banned' }).getByText('Undo').click();
	await shows(desk, '#audit', 'moderation.unban');
	await relay.kill('controlplane');
	await shows(desk, '#state', 'Reconnecting');
	relay.startControlplane();
	await relay.works();
	await shows(desk, '#state', 'Live', 20000);
	await relay.ask({ type: 'pin.add', actor: 'host', room: 'agora', text: 'after the restart' });
	await shows(desk, '#pins', 'after the restart');
	await inState(carla, 'listening', 20000);
	step('banned and forgiven; the desk goes on where it was when the control plane was killed');

	const other = await open(listening, `/console#room=agora&token=${await relay.seat('agora', 'eve', 'listener')}`);
	await shows(other, '#notice-title', 'for hosts');
	/* What the log no longer has cannot be told again, but said. */
	await desk.route('**/events/agora', (route) => route.fulfill({
		contentType: 'text/event-stream', body: 'id: 9\nevent: gap\ndata: {"type":"stream.gap","member":"host","role":"host"}\n\n',
	}), { times: 1 });
	await desk.reload();
	await shows(desk, '#gap', 'no longer in the log');
	await shows(desk, '#stage-title', 'On stage');
	await desk.locator('summary', { hasText: 'Settings' }).click();
	await desk.fill('#settings [name=topic]', 'Iliad, book five');
	await desk.click('#settings .primary');
	await shows(carla, '#topic', 'book five');
	await desk.click('#close');
	await desk.click('#close');
	await inState(carla, 'closed', 20000);
	await shows(desk, '#notice-title', 'closed');
	for (const page of [carla, dan, desk])
		check(await page.evaluate(() => globalThis.hacked === undefined), `what somebody wrote has run: ${page.url()}`);
	step('settings, and the end of the room');
});
