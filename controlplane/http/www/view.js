/* SPDX-License-Identifier: BSD-3-Clause */
/* What a room looks like: fills room.html from the model and the people. Decides nothing. */
import { entryText, startText, ticketText } from './gate.js';
import { isOver, maySpeak, stateOf } from './room.js';
import { personTokens } from './token.js';
import { ACCESS, byId, count, duration, languageName, make, makeFace, setText } from './words.js';

const STATES = {
	scheduled: 'Not open yet.',
	idle: 'Ready when you are.',
	connecting: 'Connecting …',
	listening: 'You are listening.',
	speaking: 'You are on stage.',
	reconnecting: 'The connection was lost. Reconnecting …',
	full: 'The relay is full just now.',
	removed: 'You were removed from this room.',
	closed: 'This room is closed.',
	denied: 'You cannot come in.',
};

const NOTICES = {
	removed: ['You were removed', 'The host has removed you from this room. Your link does not work any more.'],
	banned: ['You were banned', 'The host does not want you in this room, nor in their other rooms.'],
	refunded: ['Your ticket was refunded', 'With it went your seat. You may buy another one.'],
	closed: ['This room is closed', 'The conversation is over, or there is no room at this address.'],
	cancelled: ['This room was cancelled', 'The host has taken it off the schedule.'],
	not_started: ['This room did not begin', 'The host did not come in time.'],
	uninvited: ['You need a link', ''],
	denied: ['This link does not work', 'It may have expired, or it was meant for another room. Ask whoever sent it for a fresh one.'],
};

function stateText(model) {
	const state = stateOf(model);
	if (state === 'speaking' && model.silenced)
		return 'The host has muted you.';
	if (state === 'speaking' && model.muted)
		return 'You are muted.';
	if (state === 'listening' && model.floor === 'asked')
		return model.position === null ? 'You have asked to speak.'
			: `You have asked to speak; ${model.position === 0 ? 'you are next' : `${model.position} before you`}.`;
	if (state === 'scheduled' && model.waiting)
		return 'You will hear it as soon as it opens.';
	if (state === 'full')
		return `${STATES.full} Trying again in ${count(Math.ceil(model.waitMs / 1000), 'second', 'seconds')}.`;
	return STATES[state];
}

function makeTile(name) {
	return make('li', 'tile', makeFace(name), make('span', 'name'), make('span', 'note'));
}

function noteOf(member, isMe) {
	if (member.muted)
		return 'muted';
	if (!member.connected && !isMe)
		return 'away';
	return ['host', 'cohost'].includes(member.role) ? member.role : '';
}

/* The words of what ended the visit, or undefined while it goes on. */
function noticeOf(model, state, people, nowMs) {
	if (model.reason === 'not_allowed')
		return ['You cannot come in', model.message, ...(people.room.access === 'ticketed' ? [entryText(people.room, nowMs)] : [])];
	if (state === 'denied' && !model.invited)
		return [people.room.access === 'ticketed' ? 'You need a ticket' : NOTICES.uninvited[0], model.message && people.room.access === undefined
			? model.message : entryText(people.room, nowMs)];
	return NOTICES[Object.hasOwn(NOTICES, model.reason) ? model.reason : state];
}

export class View {
	#tiles = new Map(); /* name -> li */
	#focused = false;

	/* on: what a click on the element of that id does. */
	constructor(on) {
		for (const [id, run] of Object.entries(on))
			byId(id).addEventListener('click', run);
	}

	render(model, people, nowMs) {
		const state = stateOf(model);
		document.body.dataset.state = state;
		document.body.dataset.muted = String(model.muted || model.silenced);
		setText(byId('state'), stateText(model));
		this.#room(people);
		this.#stage(people, state, model);
		this.#buttons(model, state);
		this.#tools(model, people);
		this.#notice(model, noticeOf(model, state, people, nowMs));
		this.#asking(model, state);
		this.clock(model, people, nowMs);
		setText(byId('hint'), isOver(model) || state === 'full' ? '' : model.message);
	}

	/* What changes with the time alone. */
	clock(model, people, nowMs) {
		const { room } = people;
		const scheduled = stateOf(model) === 'scheduled' && Number.isInteger(room.starts_ms);
		byId('gate').hidden = !scheduled;
		if (model.invitation !== null)
			setText(byId('invitation-left'), `(${duration(model.invitation.expiresMs - nowMs)} left)`);
		if (!scheduled)
			return;
		const left = room.starts_ms - nowMs;
		setText(byId('gate-title'), left > 0 ? `Starts in ${duration(left)}` : 'About to start');
		setText(byId('gate-text'), startText(room, nowMs));
		setText(byId('gate-ticket'), people.you?.ticket ? 'You have a ticket.' : ticketText(room.tickets, nowMs).text);
		byId('gate-ticket').hidden = room.access !== 'ticketed';
	}

	/* Whether a reminder is set, and what came of asking for it. */
	reminder(set, words) {
		byId('remind').hidden = personTokens().length === 0;
		setText(byId('remind'), set ? 'Do not remind me' : 'Remind me');
		setText(byId('gate-note'), words);
	}

	#room(people) {
		const { title, topic, host, listeners, language, access } = people.room;
		const cohosts = people.room.cohosts ?? [];
		const name = title || people.room.room || 'Room';
		setText(byId('title'), name);
		setText(byId('topic'), topic ?? '');
		setText(byId('host'), host ? `hosted by ${[host, ...cohosts].join(', ')}` : '');
		setText(byId('people'), Number.isInteger(listeners) && people.room.state !== 'scheduled' ? `${listeners.toLocaleString('en')} listening` : '');
		document.title = `${name} · Stentor`;
		const tags = [access && access !== 'open' ? ACCESS[access] ?? access : '', language ? languageName(language) : '']
			.filter((tag) => tag !== '');
		if (byId('tags').textContent !== tags.join(''))
			byId('tags').replaceChildren(...tags.map((tag) => make('li', 'tag', tag)));
	}

	#tools(model, people) {
		byId('tools').hidden = people.me === null || isOver(model);
		byId('desk').hidden = people.you?.may_moderate !== true;
	}

	#asking(model, state) {
		const inside = !isOver(model) && model.live !== null;
		byId('reactions').hidden = !inside || state === 'reconnecting';
		byId('words').hidden = model.floor !== 'asked' || !inside;
		byId('invitation').hidden = model.floor !== 'invited';
		setText(byId('invitation-text'), model.floor === 'invited'
			? `${model.invitation.by} invites you to speak.` : '');
	}

	#stage(people, state, model) {
		const members = people.stage();
		if (state === 'speaking' && people.me !== null && people.member(people.me) === null)
			members.push({ name: people.me, role: 'speaker', muted: false, connected: true });
		const list = byId('speakers');
		const names = members.map((member) => member.name);
		for (const [name, tile] of this.#tiles) {
			if (!names.includes(name)) {
				tile.remove();
				this.#tiles.delete(name);
			}
		}
		members.forEach((member, position) => {
			const isMe = member.name === people.me;
			const tile = this.#tiles.get(member.name) ?? makeTile(member.name);
			const muted = member.muted || (isMe && state === 'speaking' && model.muted);
			this.#tiles.set(member.name, tile);
			setText(tile.children[1], isMe ? `${member.name} (you)` : member.name);
			setText(tile.children[2], noteOf({ ...member, muted }, isMe));
			tile.classList.toggle('muted', muted);
			tile.classList.toggle('away', !member.connected && !isMe);
			if (list.children[position] !== tile)
				list.insertBefore(tile, list.children[position] ?? null);
		});
		byId('nobody').hidden = members.length > 0;
	}

	#buttons(model, state) {
		const inside = !isOver(model) && state !== 'idle' && state !== 'scheduled';
		const speaks = model.want === 'speak';
		const focused = document.activeElement;
		byId('controls').hidden = isOver(model) || state === 'scheduled';
		byId('listen').hidden = inside || isOver(model);
		byId('wait').setAttribute('aria-pressed', String(model.waiting));
		setText(byId('wait'), model.waiting ? 'Will play when it starts' : 'Listen when it starts');
		byId('leave').hidden = !inside;
		byId('mute').hidden = !inside || !speaks;
		byId('mute').classList.toggle('primary', speaks);
		setText(byId('mute').querySelector('span'), model.muted ? 'Unmute' : 'Mute');
		byId('mute').setAttribute('aria-pressed', String(model.muted));
		this.#floorButton(model, inside, speaks);
		/* A button that goes takes the focus with it: the next Tab is to meet what came in its place. */
		if (focused !== null && focused.closest('[hidden]') !== null && focused.closest('#controls'))
			(inside ? byId('controls') : byId('listen')).focus();
	}

	#floorButton(model, inside, speaks) {
		const button = byId('floor');
		const opening = model.microphone === 'opening';
		let label = maySpeak(model) ? 'Speak' : 'Ask to speak';
		if (speaks)
			label = 'Stop speaking';
		else if (opening)
			label = 'Microphone …';
		else if (model.floor === 'asked')
			label = 'Withdraw';
		button.hidden = !inside || model.role === null;
		button.disabled = opening || (!speaks && model.floor !== 'asked' && model.phase !== 'live');
		button.classList.toggle('primary', !speaks && maySpeak(model));
		setText(button.querySelector('span'), label);
	}

	#notice(model, words) {
		byId('notice').hidden = words === undefined;
		byId('stage').hidden = words !== undefined || model.phase === 'scheduled';
		byId('again').hidden = model.phase === 'removed' && model.reason !== 'refunded';
		if (words === undefined) {
			this.#focused = false;
			return;
		}
		setText(byId('notice-title'), words[0]);
		setText(byId('notice-text'), words.slice(1).join(' '));
		if (!this.#focused)
			byId('notice-title').focus();
		this.#focused = true;
	}

	/* Many times a second: speaking is a Map of name -> loudness. */
	levels(speaking) {
		for (const [name, tile] of this.#tiles) {
			const level = speaking.get(name) ?? 0;
			tile.classList.toggle('speaking', level > 0);
			tile.style.setProperty('--level', level.toFixed(2));
			const label = tile.children[1].textContent;
			const said = [label, tile.children[2].textContent, level > 0 ? 'speaking' : '']
				.filter((word) => word !== '').join(', ');
			if (tile.getAttribute('aria-label') !== said)
				tile.setAttribute('aria-label', said);
		}
	}
}
