/* SPDX-License-Identifier: BSD-3-Clause */
/* /room/{id}: joins the state machine with the session, the events, the microphone and the view. */
import { openMicrophone, Players } from './audio.js';
import { Dialogs } from './dialog.js';
import { follow, Refusal, request } from './events.js';
import { askAgainMs } from './gate.js';
import { Meter } from './meter.js';
import { People } from './people.js';
import { Pins } from './pin.js';
import { Reactions } from './reaction.js';
import { begin, isOver, maySpeak, step } from './room.js';
import { Session } from './session.js';
import { dropToken, forgetToken, keepPerson, keepShare, keepToken, personTokens, shareOf, takeFragment, tokenOf } from './token.js';
import { View } from './view.js';
import { byId } from './words.js';

const LEVELS_MS = 60;
const LIST_PAUSE_MS = 500;
const CLOCK_MS = 1000;
const SLOTS = 3; /* unless the room has told */

const room = decodeURIComponent(location.pathname.split('/').filter((part) => part !== '')[1] ?? '');
const people = new People();
const meter = new Meter();
const players = new Players();
let session = null;
let microphone = null; /* MediaStreamTrack */
let timer = null;
let listing = false;
let listWanted = false;
let following = null; /* AbortController of the event stream */

/* What the link brings is kept. True when it brought something. */
function takeLink() {
	const { token: given, share } = takeFragment();
	if (given !== null)
		keepToken(room, given);
	if (share !== null)
		keepShare(room, share);
	return given !== null || share !== null;
}

takeLink();
let token = tokenOf(room);
let model = begin(token !== null);
people.describe({ room });

/* Came in without a token of this room; a member from now on, and told as one. */
function takeSeat(given) {
	token = given;
	keepToken(room, given);
	startFollowing();
}

function ask(fields) {
	return request(token, { room, ...fields });
}

function render() {
	view.render(model, people, Date.now());
	const mayEdit = people.you?.may_moderate === true && !isOver(model);
	pins.render(people.room.pins ?? [], mayEdit);
	reactions.offer(people.room.reaction_choices);
	reactions.total(people.room.reactions);
}

function dispatch(event) {
	const [next, effects] = step(model, event);
	model = next;
	for (const effect of effects)
		effectors[effect.do](effect);
	render();
}

/* Asks, and says in words what was refused. True when it was done. */
async function attempt(fields) {
	try {
		await ask(fields);
		return true;
	} catch (error) {
		dispatch({ is: 'noted', message: error.message });
		return false;
	}
}

/* ---- audio ---- */

function startAudio() {
	meter.start();
	players.prepare(people.room.slots ?? SLOTS);
}

async function startMicrophone() {
	try {
		microphone = await openMicrophone();
		microphone.addEventListener('ended', () => dispatch({ is: 'release' }));
		meter.watchMicrophone(microphone);
		dispatch({ is: 'microphone', ok: true });
	} catch (error) {
		dispatch({ is: 'microphone', ok: false, message: error.message });
	}
}

function closeMicrophone() {
	meter.watchMicrophone(null);
	microphone?.stop();
	microphone = null;
}

/* ---- the session ---- */

/*
 * Whom the relay knows from another room gets a seat under their own name; who is nobody yet comes as
 * a guest, when the session opens.
 */
async function enter() {
	const share = shareOf(room);
	for (const known of token === null ? personTokens() : []) {
		try {
			const answer = await request(known, {
				type: 'member.join', room, role: 'listener', transport: 'webrtc',
				...(share === null ? {} : { share }),
			});
			takeSeat(answer.members[0].token);
			return;
		} catch (error) {
			/* A guest of another room is nobody here. */
			if (error.code === 'no_such_user')
				continue;
			if (error.status !== 401)
				throw error;
			dropToken(known);
		}
	}
}

async function connect(kind) {
	const before = session;
	const receivers = [];
	const known = token !== null || personTokens().length > 0;
	let fresh = null;
	try {
		await enter();
		fresh = new Session({ kind, room, token, track: microphone, slots: players.count, share: shareOf(room) }, {
			receiver: (receiver) => receivers.push(receiver),
			token: takeSeat,
			open() {
				if (session !== fresh)
					return;
				players.play(receivers);
				meter.watch(receivers);
				dispatch({ is: 'open', kind });
			},
			lost: () => session === fresh && dispatch({ is: 'lost' }),
		});
		session = fresh;
		await fresh.open();
		/* The relay has one session a member: this one has taken the place of the last. */
		before?.abandon();
	} catch (error) {
		if (fresh !== null && session !== fresh) {
			before?.close();
			return;
		}
		fresh?.close();
		session = before;
		dispatch({
			is: 'refused', status: error.status ?? 0, known, retryAfterMs: error.retryAfterMs ?? null,
			/* What a browser says of a broken network helps nobody. */
			message: error instanceof Refusal ? error.message : '',
		});
	}
}

async function restart() {
	const current = session;
	try {
		await current?.restart();
	} catch {
		if (session === current)
			dispatch({ is: 'lost' });
	}
}

/* ---- what the relay tells ---- */

async function fetchPublic() {
	const response = await fetch(`/rooms/${encodeURIComponent(room)}`, { cache: 'no-store' });
	if (response.status === 404)
		dispatch({ is: 'closed' });
	if (response.ok)
		people.describe((await response.json()).room);
}

async function fetchLists() {
	if (token === null) {
		/* Before the first tap a guest is nobody, who sees what everybody sees. */
		await fetchPublic();
		return;
	}
	const roles = ['host', 'cohost', 'speaker'];
	const [{ room: found, you }, ...lists] = await Promise.all([ask({ type: 'room.get' }),
		...roles.map((role) => ask({ type: 'member.list', role }).catch(() => ({ members: [] })))]);
	people.describe(found);
	people.you = found.you ?? you ?? null;
	people.list(lists.flatMap(({ members }) => members));
}

/* Who is here: never two requests at a time, and not one for each of a burst of events. */
async function list() {
	listWanted = true;
	if (listing)
		return;
	listing = true;
	while (listWanted && !isOver(model)) {
		listWanted = false;
		await fetchLists().catch(() => {});
		noticeRole();
		render();
		await new Promise((resolve) => { setTimeout(resolve, LIST_PAUSE_MS); });
	}
	listing = false;
}

function noticeRole() {
	const me = people.me === null ? null : people.member(people.me);
	if (me === null)
		return;
	dispatch({ is: 'role', role: me.role });
	dispatch({ is: 'silenced', silenced: me.muted });
}

const ROLE_NOTES = {
	host: 'You are the host now.', cohost: 'You are a cohost now.', speaker: 'You may speak now.',
	listener: 'You are listening again.',
};

/* What an event means for the visitor themself. */
const mine = {
	'member.left'(event) {
		if (event.reason === 'removed' || event.reason === 'banned' || event.reason === 'refunded')
			dispatch({ is: 'removed', reason: event.reason });
		else if (event.reason !== 'left')
			dispatch({ is: 'ended' });
	},
	'member.muted': () => dispatch({ is: 'silenced', silenced: true }),
	'member.unmuted': () => dispatch({ is: 'silenced', silenced: false }),
	'floor.granted': () => dispatch({ is: 'granted' }),
	'floor.denied': (event) => dispatch({ is: 'denied', reason: event.reason }),
	'floor.released': () => dispatch({ is: 'released' }),
	'floor.invited': (event) => dispatch({ is: 'invited', by: event.actor, expiresMs: event.expires_ms }),
	'floor.expired': (event) => dispatch({ is: 'expired', kind: event.kind }),
	'role.changed': (event) => dispatch({ is: 'role', role: event.role, message: ROLE_NOTES[event.role] }),
};

function tellEverybody(event) {
	if (event.type === 'stream.begin' || event.type === 'stream.gap') {
		people.me = event.member ?? null;
		if (people.me !== null)
			dispatch({ is: 'role', role: event.role });
	} else if (event.type === 'room.closed') {
		dispatch({ is: 'closed', reason: event.reason });
	} else if (event.type === 'room.reactions') {
		reactions.show(event.counts);
	} else if (event.type === 'room.host_changed') {
		const isMe = event.host === people.me;
		if (isMe)
			dispatch({ is: 'role', role: 'host' });
		dispatch({ is: 'noted', message: isMe ? ROLE_NOTES.host : `${event.host} is the host now.` });
	}
}

function told(event) {
	tellEverybody(event);
	if (people.me !== null && (event.member === people.me || (event.left ?? []).includes(people.me)))
		mine[event.type]?.(event);
	if (people.apply(event) === 'list')
		list();
	render();
}

/* Who may not follow may not listen either; what is wrong is said when they try, or now. */
function streamRefused(refusal) {
	if (refusal.status === 404 || refusal.status === 410)
		dispatch({ is: 'closed' });
	else if (token === null && (shareOf(room) !== null || personTokens().length > 0))
		list(); /* has not come in yet, but may */
	else if (refusal.status === 401 || refusal.status === 403)
		dispatch({ is: 'ended', message: refusal.message });
}

function startFollowing() {
	following?.abort();
	following = new AbortController();
	follow(room, token, { event: told, open: list, refused: streamRefused }, following.signal);
}

/* ---- effects ---- */

const effectors = {
	connect: ({ kind }) => connect(kind),
	restart,
	close() {
		clearTimeout(timer);
		session?.close();
		session = null;
	},
	wait({ ms }) {
		clearTimeout(timer);
		timer = setTimeout(() => dispatch({ is: 'timer' }), ms);
	},
	microphone: ({ on }) => (on ? startMicrophone() : closeMicrophone()),
	mute({ muted }) {
		if (microphone !== null)
			microphone.enabled = !muted;
	},
	request({ do: _, type, ...fields }) {
		ask({ type, ...fields }).then((answer) => {
			if (type === 'floor.request' && !answer.granted)
				dispatch({ is: 'queued', position: answer.position ?? null });
		}).catch((error) => dispatch({ is: 'declined', type, message: error.message }));
	},
	forget() {
		following?.abort();
		forgetToken(room);
		token = null;
	},
};

/* ---- before it begins ---- */

/* What the relay knows of somebody who is not in the room: a ticket, a reminder. */
async function fetchKnown() {
	for (const known of personTokens()) {
		try {
			people.you = (await request(known, { type: 'room.get', room })).room.you;
			view.reminder(people.you.reminder === true, '');
			return;
		} catch (error) {
			if (error.status !== 401)
				return;
			dropToken(known);
		}
	}
}

/* Reminders need to know whom to remind: somebody with a token, of whatever room. */
async function setReminder(on) {
	for (const known of personTokens()) {
		try {
			await request(known, { type: on ? 'reminder.set' : 'reminder.cancel', room });
			people.you = { ...people.you, reminder: on };
			view.reminder(on, on ? 'You will be told when it starts.' : 'You will not be told.');
			return;
		} catch (error) {
			if (error.status !== 401) {
				view.reminder(!on, error.message);
				return;
			}
			dropToken(known);
		}
	}
	view.reminder(false, 'Your link is worth nothing any more: nobody knows whom to remind.');
}

/* Nobody is a member yet: a token that came with the link is of another room, and says who one is. */
function keepAsPerson() {
	if (token === null)
		return;
	const known = token;
	forgetToken(room);
	keepPerson(known);
	token = null;
}

/* A scheduled room has no event stream: the page asks, rarely while it is far. */
async function waitForOpening() {
	while (!isOver(model)) {
		try {
			await fetchPublic();
			if (people.room.state !== 'scheduled')
				break;
			keepAsPerson();
			dispatch({ is: 'scheduled' });
			if (people.you === null)
				await fetchKnown();
		} catch {
			/* The network: asked again like everything else. */
		}
		const pauseMs = askAgainMs(people.room, Date.now(), Math.random());
		await new Promise((resolve) => { setTimeout(resolve, pauseMs); });
	}
	if (isOver(model))
		return;
	dispatch({ is: 'opened' });
	startFollowing();
}

/* ---- the page ---- */

function pressFloor() {
	if (model.want === 'speak')
		dispatch({ is: 'release' });
	else if (maySpeak(model))
		dispatch({ is: 'speak' });
	else
		dispatch({ is: model.floor === 'asked' ? 'withdraw' : 'ask' });
}

const view = new View({
	listen() {
		startAudio();
		dispatch({ is: 'listen' });
	},
	wait() {
		startAudio();
		dispatch({ is: 'wait' });
	},
	remind: () => setReminder(people.you?.reminder !== true),
	mute: () => dispatch({ is: 'mute' }),
	floor: pressFloor,
	accept: () => dispatch({ is: 'accept' }),
	decline: () => dispatch({ is: 'decline' }),
	report: () => dialogs.openReport(people.stage().map(({ name }) => name).filter((name) => name !== people.me)),
	leave: () => dispatch({ is: 'leave' }),
	again: () => location.reload(),
});
const dialogs = new Dialogs(room, ask);
const pins = new Pins({
	add: (fields) => attempt({ type: 'pin.add', ...fields }),
	remove: (pin) => attempt({ type: 'pin.remove', pin }),
});
const reactions = new Reactions((emoji, count) => attempt({ type: 'reaction.send', emoji, count }));

byId('words').addEventListener('submit', (event) => {
	const { message } = event.target.elements;
	event.preventDefault();
	if (message.value.trim() !== '')
		dispatch({ is: 'explain', message: message.value.trim() });
	event.target.reset();
});

/* The desk takes its token the way this page does: in a fragment. */
byId('desk').addEventListener('click', () => {
	byId('desk').href = `/console#room=${encodeURIComponent(room)}&token=${encodeURIComponent(token)}`;
});

let shownMs = 0;
function showLevels(nowMs) {
	requestAnimationFrame(showLevels);
	if (nowMs - shownMs < LEVELS_MS)
		return;
	shownMs = nowMs;
	const speaking = new Map();
	if (model.phase === 'live') {
		for (const [csrc, level] of meter.read()) {
			const name = people.bySource(csrc);
			if (name !== null)
				speaking.set(name, level);
			else if (people.isNews(csrc))
				list();
		}
		const own = model.live === 'speak' && !model.muted && !model.silenced ? meter.own() : 0;
		if (own > 0.25 && people.me !== null)
			speaking.set(people.me, own);
	}
	view.levels(speaking);
}

addEventListener('pagehide', () => session?.close(true));
/* Back from the browser's cache of pages: the session is gone. */
addEventListener('pageshow', (event) => event.persisted && location.reload());
addEventListener('hashchange', () => takeLink() && location.reload());
setInterval(() => view.clock(model, people, Date.now()), CLOCK_MS);

view.reminder(false, '');
render();
requestAnimationFrame(showLevels);
waitForOpening();
