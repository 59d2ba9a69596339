/* SPDX-License-Identifier: BSD-3-Clause */
/* /console: the moderator's desk. Every action is an event of the protocol; the model is in desk.js. */
import { apply, begin, levelsOf, outdated, sample, SAMPLE_MS } from './desk.js';
import { DeskView } from './desk_view.js';
import { follow, request } from './events.js';
import { Pins } from './pin.js';
import { confirmed, toast } from './toast.js';
import { forgetToken, keepToken, takeFragment, tokenOf } from './token.js';
import { byId, make, minorUnits, setText } from './words.js';

const LIST_PAUSE_MS = 300;
const LEVELS_MS = 400;
const CLOCK_MS = 1000;
const AUDIT_MS = 24 * 3600 * 1000;
const AUDIT_MAX = 200; /* rows that are shown */
const LISTED = 500;
const ROOM = 'stentor.desk';

function takeLink() {
	const given = takeFragment();
	if (given.room !== null)
		sessionStorage.setItem(ROOM, given.room);
	if (given.token !== null && given.room !== null)
		keepToken(given.room, given.token);
	return given.token !== null;
}

takeLink();
const room = sessionStorage.getItem(ROOM) ?? '';
const token = tokenOf(room);
const following = new AbortController();
let model = begin();
let over = false;
let auditAfter = null;

function ask(fields) {
	return request(token, { room, ...fields });
}

function render() {
	view.render(model, Date.now());
	pins.render(model.room?.pins ?? [], (model.you?.rank ?? 0) >= 1);
}

function say(state, words) {
	document.body.dataset.state = state;
	setText(byId('state'), words);
}

/* The desk is closed for good. */
function end(title, text) {
	over = true;
	following.abort();
	byId('notice').hidden = false;
	byId('board').hidden = true;
	setText(byId('notice-title'), title);
	setText(byId('notice-text'), text);
	say('denied', 'The desk is closed.');
	byId('notice-title').focus();
}

/* ---- lists ---- */

async function listAll(fields, key) {
	const answer = await ask({ ...fields, limit: LISTED });
	return { items: answer[key], answer };
}

const fetchers = {
	async room() {
		const answer = await ask({ type: 'room.get' });
		model = { ...model, room: answer.room, you: answer.room.you ?? answer.you ?? model.you };
	},
	async stage() {
		const lists = await Promise.all(['host', 'cohost', 'speaker'].map((role) => listAll({ type: 'member.list', role }, 'members')));
		model = { ...model, stage: lists.flatMap(({ items }) => items) };
	},
	async hands() {
		const { items, answer } = await listAll({ type: 'floor.list' }, 'hands');
		model = { ...model, hands: items, invites: answer.invites ?? [] };
	},
	async reports() {
		const { items } = await listAll({ type: 'moderation.reports' }, 'reports');
		model = { ...model, reports: items };
	},
	/* Ascending, and only what is new since the last time. */
	async audit() {
		for (;;) {
			const fields = auditAfter === null ? { from_ms: Date.now() - AUDIT_MS } : { after: auditAfter };
			const { items, answer } = await listAll({ type: 'audit.list', ...fields }, 'entries');
			const known = new Set(model.audit.map((entry) => entry.audit));
			const fresh = items.filter((entry) => !known.has(entry.audit));
			model = { ...model, audit: [...fresh.reverse(), ...model.audit].slice(0, AUDIT_MAX) };
			auditAfter = items.at(-1)?.audit ?? auditAfter;
			if (!answer.next)
				return;
		}
	},
};

const wanted = new Set();
let fetching = false;

/* Never two of a kind at a time, and not one for each of a burst of events. */
async function refresh(names) {
	names.forEach((name) => wanted.add(name));
	if (fetching)
		return;
	fetching = true;
	while (wanted.size > 0 && !over) {
		const now = [...wanted];
		wanted.clear();
		await Promise.all(now.map((name) => fetchers[name]().catch((error) => missing(name, error))));
		judge();
		render();
		await new Promise((resolve) => { setTimeout(resolve, LIST_PAUSE_MS); });
	}
	fetching = false;
}

/* A token ends with its room or alone: the stream may not have told yet which. */
async function endWithToken(message) {
	const response = await fetch(`/rooms/${encodeURIComponent(room)}`, { cache: 'no-store' }).catch(() => null);
	if (over)
		return;
	if (response?.status === 404)
		end('This room is closed', 'The conversation is over.');
	else
		end('This link does not work', message);
}

function missing(name, error) {
	if (error.status === 401)
		endWithToken('The membership it was made for has ended. Ask for a fresh one.');
	else if (name === 'room' && error.status === 404)
		end('This room is closed', 'The conversation is over.');
	else if (error.status === undefined || error.status >= 500)
		setTimeout(() => refresh([name]), 2000);
}

function judge() {
	if (model.room === null || over)
		return;
	if ((model.you?.rank ?? 0) < 1) {
		end('This desk is for hosts', 'Only the host, cohosts and moderators of the platform may sit here.');
		return;
	}
	if (byId('board').hidden)
		fillSettings();
	byId('board').hidden = false;
}

/* ---- events ---- */

const EVERYTHING = ['room', 'stage', 'hands', 'reports', 'audit'];

function told(event) {
	if (event.type === 'stream.gap') {
		byId('gap').hidden = false;
		setText(byId('gap'), `Some of what happened while the desk was away is no longer in the log (${new Date().toLocaleTimeString()}). The lists below are fresh.`);
		refresh(EVERYTHING);
	} else if (event.type === 'room.closed') {
		end('This room is closed', 'The conversation is over.');
	} else if (event.type === 'room.host_changed' || event.type === 'role.changed') {
		refresh(['room']);
	}
	model = apply(model, event);
	refresh(outdated(event));
	render();
}

/* Levels and what the data plane counts: asked only while somebody looks. */
async function watch() {
	while (!over) {
		if (!document.hidden && model.room !== null) {
			try {
				await fetchers.room();
				view.levels(levelsOf(model.room.slot));
				render();
			} catch (error) {
				missing('room', error);
			}
		}
		await new Promise((resolve) => { setTimeout(resolve, document.hidden ? SAMPLE_MS : LEVELS_MS); });
	}
}

/* ---- actions ---- */

/* Does it; what is refused is said in the relay's words. The answer, or null. */
async function act(fields, done = null, undo = null) {
	try {
		const answer = await ask(fields);
		if (done !== null)
			toast(answer.durable === false ? `${done} (not yet on disk)` : done, undo);
		refresh(['stage', 'hands', 'audit']);
		return answer;
	} catch (error) {
		toast(error.message, null, true);
		return null;
	}
}

function mute({ member, muted }) {
	if (muted)
		return act({ type: 'moderation.unmute', member }, `${member} may be heard again.`);
	return act({ type: 'moderation.mute', member }, `${member} is muted.`,
		() => act({ type: 'moderation.unmute', member }, `${member} may be heard again.`));
}

function remove({ member }, button) {
	if (confirmed(button, `Remove ${member} for good?`))
		act({ type: 'moderation.remove', member }, `${member} is removed and cannot come back.`);
}

function ban({ member }, button) {
	if (confirmed(button, `Ban ${member} from all rooms of the host?`))
		act({ type: 'moderation.ban', member }, `${member} is banned from all rooms of the host.`,
			() => act({ type: 'moderation.unban', member }, `${member} is no longer banned.`));
}

async function muteAll() {
	const answer = await act({ type: 'moderation.mute_all' });
	const members = answer?.members ?? [];
	if (answer === null)
		return;
	toast(members.length === 0 ? 'There was nobody to mute.' : `Muted: ${members.join(', ')}.`,
		members.length === 0 ? null : () => members.forEach((member) => act({ type: 'moderation.unmute', member })));
}

function role({ member }, wantedRole, button = null) {
	if (button === null || confirmed(button, `Give the room to ${member}?`))
		act({ type: 'role.set', member, role: wantedRole }, `${member} is ${wantedRole} now.`);
}

function demote({ member }) {
	act({ type: 'moderation.demote', member }, `${member} is in the audience now.`,
		() => act({ type: 'floor.invite', member }, `${member} is invited to speak again.`));
}

function resolve(report, resolution) {
	act({ type: 'moderation.resolve', report: report.report, resolution }, `The report on ${report.member} is ${resolution}.`)
		.then(() => refresh(['reports']));
}

const view = new DeskView({
	grant: ({ member }) => act({ type: 'floor.grant', member }, `${member} has the floor.`),
	deny: ({ member }) => act({ type: 'floor.deny', member }, `${member} waits no longer.`),
	mute, demote, remove, ban, role,
	uphold: (report) => resolve(report, 'upheld'),
	dismiss: (report) => resolve(report, 'dismissed'),
});
const pins = new Pins({
	add: (fields) => act({ type: 'pin.add', ...fields }, 'Pinned.').then((answer) => answer !== null),
	remove: (pin) => act({ type: 'pin.remove', pin }, 'No longer pinned.'),
});

byId('mute-all').addEventListener('click', muteAll);

byId('person').addEventListener('submit', (event) => {
	const button = event.submitter, type = button.value;
	const member = event.target.elements.member.value;
	event.preventDefault();
	if (type === 'moderation.remove')
		remove({ member }, button);
	else if (type === 'moderation.ban')
		ban({ member }, button);
	else if (type === 'moderation.mute')
		mute({ member, muted: false });
	else
		act({ type, member }, type === 'floor.invite' ? `${member} is invited to speak.` : `${member} is no longer banned.`);
});

/* Names to choose from, when somebody is about to type one. */
byId('person').elements.member.addEventListener('focus', async () => {
	const { items } = await listAll({ type: 'member.list', role: 'listener' }, 'members').catch(() => ({ items: [] }));
	byId('listeners').replaceChildren(...items.map(({ member }) => {
		const option = make('option');
		option.value = member;
		return option;
	}));
});

/* ---- settings ---- */

const SETTINGS = ['title', 'topic', 'language', 'speakers_max', 'capacity', 'access', 'open_floor'];

function valueOf(field) {
	if (field.type === 'checkbox')
		return field.checked;
	return field.type === 'number' ? Number(field.value) : field.value;
}

function fillSettings() {
	for (const name of SETTINGS) {
		const field = byId('settings').elements[name], value = model.room[name];
		if (field.type === 'checkbox')
			field.checked = value === true;
		else
			field.value = value ?? '';
	}
}

byId('settings').addEventListener('submit', async (event) => {
	const fields = {};
	event.preventDefault();
	for (const name of SETTINGS) {
		const value = valueOf(event.target.elements[name]);
		if (value !== (model.room[name] ?? (typeof value === 'string' ? '' : 0)))
			fields[name] = value;
	}
	if (Object.keys(fields).length > 0 && await act({ type: 'room.update', ...fields }, 'Saved.') !== null)
		refresh(['room']);
});

byId('offer').addEventListener('submit', async (event) => {
	const { price, currency, quantity, until } = event.target.elements;
	const amount = minorUnits(price.value, currency.value);
	event.preventDefault();
	if (amount === null) {
		toast('The price is not an amount of that currency.', null, true);
		return;
	}
	const fields = { price: amount, currency: currency.value, quantity: Number(quantity.value) };
	if (until.value !== '')
		fields.sale_until_ms = new Date(until.value).getTime();
	if (await act({ type: 'ticket.offer', ...fields }, 'Tickets are on offer.') !== null)
		refresh(['room']);
});

byId('close').addEventListener('click', (event) => {
	if (confirmed(event.currentTarget, 'Close it for everybody?'))
		act({ type: 'room.close' });
});

/* ---- the page ---- */

addEventListener('hashchange', () => takeLink() && location.reload());

if (room === '' || token === null) {
	end('This desk needs a link', 'Open it from your room, or by the link that stentorctl prints for you.');
} else {
	follow(room, token, {
		event: told,
		open() {
			say('listening', 'Live');
			refresh(EVERYTHING);
		},
		lost: () => !over && say('reconnecting', 'Reconnecting …'),
		refused(refusal) {
			forgetToken(room);
			endWithToken(refusal.message);
		},
	}, following.signal);
	setInterval(() => {
		model = sample(model);
		view.graphs(model.series);
	}, SAMPLE_MS);
	setInterval(() => !document.hidden && render(), CLOCK_MS);
	watch();
}
