/* SPDX-License-Identifier: BSD-3-Clause */
/* /: the open rooms, kept up to date. */

const REFRESH_MS = 5000;
const list = document.getElementById('rooms');
const state = document.getElementById('state');
const cards = new Map(); /* room -> li */

function element(name, className, text) {
	const made = document.createElement(name);
	made.className = className;
	made.textContent = text;
	return made;
}

function people(room) {
	const speakers = room.speakers ?? 0;
	return `${speakers.toLocaleString('en')} on stage, ${(room.listeners ?? 0).toLocaleString('en')} listening`;
}

function makeCard(room) {
	const card = document.createElement('li');
	const link = element('a', 'card', '');
	link.href = `/room/${encodeURIComponent(room.room)}`;
	link.append(element('span', 'topic', ''), element('span', 'card-title', ''),
		element('span', 'quiet', ''), element('span', 'card-people', ''));
	card.append(link);
	return card;
}

function fill(card, room) {
	const [topic, title, host, counts] = card.firstChild.children;
	topic.textContent = room.topic ?? '';
	title.textContent = room.title || room.room;
	host.textContent = room.host ? `hosted by ${room.host}` : '';
	counts.textContent = people(room);
}

/* Cards stay where they are, so that neither focus nor finger lose them. */
function show(rooms) {
	const names = new Set(rooms.map((room) => room.room));
	for (const [name, card] of cards) {
		if (!names.has(name)) {
			card.remove();
			cards.delete(name);
		}
	}
	for (const room of rooms) {
		const card = cards.get(room.room) ?? makeCard(room);
		cards.set(room.room, card);
		fill(card, room);
		if (card.parentNode === null)
			list.append(card);
	}
	document.getElementById('nobody').hidden = rooms.length > 0;
	list.setAttribute('aria-busy', 'false');
}

async function refresh() {
	try {
		const response = await fetch('/rooms', { cache: 'no-store' });
		if (!response.ok)
			throw new Error(response.statusText);
		const answer = await response.json();
		show(answer.rooms ?? []);
		state.textContent = '';
	} catch {
		state.textContent = 'The relay does not answer. Trying again …';
	}
	setTimeout(refresh, document.hidden ? 4 * REFRESH_MS : REFRESH_MS);
}

refresh();
