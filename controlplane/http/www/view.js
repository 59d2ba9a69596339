/* SPDX-License-Identifier: BSD-3-Clause */
/* What a room looks like: fills room.html from the model and the people. Decides nothing. */
import { isOver, maySpeak, stateOf } from './room.js';

const STATES = {
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
	closed: ['This room is closed', 'The conversation is over, or there is no room at this address.'],
	uninvited: ['You need a link', 'This room is for people who were invited. Ask the host for a link.'],
	denied: ['This link does not work', 'It may have expired, or it was meant for another room. Ask whoever sent it for a fresh one.'],
};

const byId = (id) => document.getElementById(id);

function setText(element, text) {
	if (element.textContent !== text)
		element.textContent = text;
}

function initials(name) {
	const words = name.split(/[\s_.:-]+/).filter((word) => word !== '');
	const letters = words.length > 1 ? words[0][0] + words.at(-1)[0] : name.slice(0, 2);
	return letters.toUpperCase();
}

/* The same colour for the same name everywhere. */
function hueOf(name) {
	let sum = 7;
	for (const letter of name)
		sum = (sum * 31 + letter.codePointAt(0)) >>> 0;
	return sum % 8;
}

function count(number, one, many) {
	return `${number.toLocaleString('en')} ${number === 1 ? one : many}`;
}

function stateText(model) {
	const state = stateOf(model);
	if (state === 'speaking' && model.silenced)
		return 'The host has muted you.';
	if (state === 'speaking' && model.muted)
		return 'You are muted.';
	if (state === 'listening' && model.floor === 'asked')
		return 'You have asked to speak.';
	if (state === 'full')
		return `${STATES.full} Trying again in ${count(Math.ceil(model.waitMs / 1000), 'second', 'seconds')}.`;
	return STATES[state];
}

function makeTile(name) {
	const tile = document.createElement('li');
	const face = document.createElement('span');
	const label = document.createElement('span');
	const note = document.createElement('span');
	tile.className = 'tile';
	face.className = `face hue-${hueOf(name)}`;
	face.textContent = initials(name);
	face.setAttribute('aria-hidden', 'true');
	label.className = 'name';
	note.className = 'note';
	tile.append(face, label, note);
	return tile;
}

function noteOf(member, isMe) {
	if (member.muted)
		return 'muted';
	if (!member.connected && !isMe)
		return 'away';
	return member.role === 'host' ? 'host' : '';
}

export class View {
	#tiles = new Map(); /* name -> li */
	#focused = false;

	/* on: {listen, mute, floor, leave, again} */
	constructor(on) {
		for (const [id, run] of Object.entries(on))
			byId(id).addEventListener('click', run);
	}

	render(model, people) {
		const state = stateOf(model);
		document.body.dataset.state = state;
		document.body.dataset.muted = String(model.muted || model.silenced);
		setText(byId('state'), stateText(model));
		this.#room(people);
		this.#stage(people, state, model);
		this.#buttons(model, state);
		this.#notice(model, state);
		setText(byId('hint'), isOver(model) || state === 'full' ? '' : model.message);
	}

	#room(people) {
		const { title, topic, host, listeners } = people.room;
		const name = title || people.room.room || 'Room';
		setText(byId('title'), name);
		setText(byId('topic'), topic ?? '');
		setText(byId('host'), host ? `hosted by ${host}` : '');
		setText(byId('people'), Number.isInteger(listeners) ? `${listeners.toLocaleString('en')} listening` : '');
		document.title = `${name} · Stentor`;
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
		const inside = !isOver(model) && state !== 'idle';
		const speaks = model.want === 'speak';
		const focused = document.activeElement;
		byId('controls').hidden = isOver(model);
		byId('listen').hidden = inside || isOver(model);
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

	#notice(model, state) {
		const words = NOTICES[state === 'denied' && !model.invited ? 'uninvited' : state];
		byId('notice').hidden = words === undefined;
		byId('stage').hidden = words !== undefined;
		byId('again').hidden = state === 'removed';
		if (words === undefined) {
			this.#focused = false;
			return;
		}
		setText(byId('notice-title'), words[0]);
		setText(byId('notice-text'), words[1]);
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
