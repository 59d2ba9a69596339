/* SPDX-License-Identifier: BSD-3-Clause */
/* /room/{id}: joins the state machine with the session, the events, the microphone and the view. */
import { follow, Refusal, request } from './events.js';
import { Meter } from './meter.js';
import { People } from './people.js';
import { begin, isOver, maySpeak, step } from './room.js';
import { Session } from './session.js';
import { View } from './view.js';

const LEVELS_MS = 60;
const LIST_PAUSE_MS = 500;
const SLOTS = 3; /* unless the room has told */

const room = decodeURIComponent(location.pathname.split('/').filter((part) => part !== '')[1] ?? '');
const tokenKey = `stentor.token.${room}`;

/* A token is a secret: it leaves the address bar and the history before anything else happens. */
function takeToken() {
	const given = new URLSearchParams(location.hash.slice(1)).get('token');
	if (given !== null) {
		sessionStorage.setItem(tokenKey, given);
		history.replaceState(null, '', location.pathname + location.search);
	}
	return sessionStorage.getItem(tokenKey);
}

/* A guest is a member from now on, and told as one. */
function keepToken(given) {
	token = given;
	sessionStorage.setItem(tokenKey, given);
	startFollowing();
}

let token = takeToken();
let model = begin(token !== null);
let session = null;
let microphone = null; /* MediaStreamTrack */
let timer = null;
let listing = false;
let listWanted = false;
let following = null; /* AbortController of the event stream */
const people = new People();
const meter = new Meter();
const players = [];
people.describe({ room });

function dispatch(event) {
	const [next, effects] = step(model, event);
	model = next;
	for (const effect of effects)
		effectors[effect.do](effect);
	view.render(model, people);
}

/* ---- audio ---- */

/* One section for each slot: then the room's speakers are heard and told apart, however many talk. */
function slots() {
	return people.room.slots ?? SLOTS;
}

function startAudio() {
	meter.start();
	for (let i = players.length; i < slots(); i++) {
		const player = new Audio();
		player.autoplay = true;
		players.push(player);
	}
}

/* The players stay and only what they play changes, so that one tap is enough for the whole visit. */
function play(receivers) {
	receivers.forEach((receiver, i) => {
		players[i].srcObject = new MediaStream([receiver.track]);
		players[i].play().catch(() => {});
	});
	meter.watch(receivers);
}

async function openMicrophone() {
	try {
		const stream = await navigator.mediaDevices.getUserMedia({
			audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
		});
		microphone = stream.getAudioTracks()[0];
		microphone.addEventListener('ended', () => dispatch({ is: 'release' }));
		meter.watchMicrophone(microphone);
		dispatch({ is: 'microphone', ok: true });
	} catch (error) {
		const message = error.name === 'NotAllowedError'
			? 'The browser does not allow the microphone. Allow it for this page and try again.'
			: 'No microphone can be used.';
		dispatch({ is: 'microphone', ok: false, message });
	}
}

function closeMicrophone() {
	meter.watchMicrophone(null);
	microphone?.stop();
	microphone = null;
}

/* ---- the session ---- */

async function connect(kind) {
	const before = session;
	const receivers = [];
	const fresh = new Session({ kind, room, token, track: microphone, slots: players.length }, {
		receiver: (receiver) => receivers.push(receiver),
		token: keepToken,
		open() {
			if (session !== fresh)
				return;
			play(receivers);
			dispatch({ is: 'open', kind });
		},
		lost: () => session === fresh && dispatch({ is: 'lost' }),
	});
	session = fresh;
	try {
		await fresh.open();
		/* The relay has one session a member: this one has taken the place of the last. */
		before?.abandon();
	} catch (error) {
		if (session !== fresh) {
			before?.close();
			return;
		}
		fresh.close();
		session = before;
		dispatch({
			is: 'refused', status: error.status ?? 0, retryAfterMs: error.retryAfterMs ?? null,
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

async function fetchLists() {
	if (token === null) {
		/* Before the first tap a guest is nobody, who sees what everybody sees. */
		const response = await fetch('/rooms', { cache: 'no-store' });
		const { rooms } = await response.json();
		people.describe(rooms.find((one) => one.room === room) ?? {});
		return;
	}
	const [{ room: found }, ...lists] = await Promise.all([
		request(token, { type: 'room.get', room }),
		request(token, { type: 'member.list', room, role: 'host' }),
		request(token, { type: 'member.list', room, role: 'speaker' }),
	]);
	people.describe(found);
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
		view.render(model, people);
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

function told(event) {
	const mine = people.me !== null && (event.member === people.me ||
		(event.left ?? []).includes(people.me));
	if (event.type === 'stream.begin' || event.type === 'stream.gap') {
		people.me = event.member ?? null;
		if (people.me !== null)
			dispatch({ is: 'role', role: event.role });
	} else if (event.type === 'room.closed') {
		dispatch({ is: 'closed' });
	} else if (mine && event.type === 'member.left') {
		if (event.reason === 'removed')
			dispatch({ is: 'removed' });
		else if (event.reason !== 'left')
			dispatch({ is: 'ended' });
	} else if (mine && (event.type === 'member.muted' || event.type === 'member.unmuted')) {
		dispatch({ is: 'silenced', silenced: event.type === 'member.muted' });
	} else if (mine && event.type === 'floor.granted') {
		dispatch({ is: 'granted' });
	} else if (mine && event.type === 'floor.denied') {
		dispatch({ is: 'denied' });
	} else if (mine && (event.type === 'floor.released' || event.type === 'floor.revoked')) {
		dispatch({ is: 'released' });
	}
	if (people.apply(event) === 'list')
		list();
	view.render(model, people);
}

/* Who may not follow may not listen either; what is wrong is said when they try, or now. */
function streamRefused(refusal) {
	if (refusal.status === 404 || refusal.status === 410)
		dispatch({ is: 'closed' });
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
	microphone: ({ on }) => (on ? openMicrophone() : closeMicrophone()),
	mute({ muted }) {
		if (microphone !== null)
			microphone.enabled = !muted;
	},
	request({ type }) {
		request(token, { type, room })
			.catch((error) => dispatch({ is: 'declined', type, message: error.message }));
	},
	forget() {
		following?.abort();
		sessionStorage.removeItem(tokenKey);
		token = null;
	},
};

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
	mute: () => dispatch({ is: 'mute' }),
	floor: pressFloor,
	leave: () => dispatch({ is: 'leave' }),
	again: () => location.reload(),
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
addEventListener('hashchange', () => {
	const known = token;
	token = takeToken();
	if (token !== known)
		location.reload();
});

view.render(model, people);
startFollowing();
requestAnimationFrame(showLevels);
