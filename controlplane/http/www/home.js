/* SPDX-License-Identifier: BSD-3-Clause */
/* /: live and scheduled rooms, and where those are whom one follows; kept up to date. */
import { choose, valuesOf, whoText } from './discovery.js';
import { request } from './events.js';
import { dropToken, keepPerson, personTokens, takeFragment } from './token.js';
import { ACCESS, byId, duration, languageName, make, makeFace, moment, money, setText } from './words.js';

const REFRESH_MS = 5000;
const FACES = 3;
let lists = { rooms: [], scheduled: [] };

function linkTo(room) {
	return `/room/${encodeURIComponent(room)}`;
}

/* Cards stay where they are while their room is there, so that neither focus nor finger lose them. */
class Cards {
	#list;
	#cards = new Map(); /* room -> li */
	#make;
	#fill;

	constructor(list, makeCard, fill) {
		this.#list = list;
		this.#make = makeCard;
		this.#fill = fill;
	}

	show(rooms) {
		const names = new Set(rooms.map((room) => room.room));
		for (const [name, card] of this.#cards) {
			if (!names.has(name)) {
				card.remove();
				this.#cards.delete(name);
			}
		}
		rooms.forEach((room, position) => {
			const card = this.#cards.get(room.room) ?? this.#make(room);
			this.#cards.set(room.room, card);
			this.#fill(card, room);
			if (this.#list.children[position] !== card)
				this.#list.insertBefore(card, this.#list.children[position] ?? null);
		});
	}
}

function makeCard(room) {
	const link = make('a', 'card', make('span', 'topic'), make('span', 'card-title'), make('span', 'quiet'),
		make('span', 'tags'), make('span', 'card-people'));
	link.href = linkTo(room.room);
	link.children[0].dir = 'auto';
	link.children[1].dir = 'auto';
	return make('li', '', link);
}

function tagsOf(room) {
	const price = room.tickets ? money(room.tickets.price, room.tickets.currency) : '';
	return [room.access && room.access !== 'open' ? ACCESS[room.access] ?? room.access : '', price,
		room.language ? languageName(room.language) : ''].filter((tag) => tag !== '');
}

function people(room) {
	if (room.state === 'scheduled')
		return room.starts_ms > Date.now() ? `${moment(room.starts_ms)}, in ${duration(room.starts_ms - Date.now())}` : 'about to start';
	return `${(room.speakers ?? 0).toLocaleString('en')} on stage, ${(room.listeners ?? 0).toLocaleString('en')} listening`;
}

function fillCard(card, room) {
	const [topic, title, host, tags, counts] = card.firstChild.children;
	const words = tagsOf(room);
	setText(topic, room.topic ?? '');
	setText(title, room.title || room.room);
	setText(host, room.host ? `hosted by ${room.host}` : '');
	if (tags.textContent !== words.join(''))
		tags.replaceChildren(...words.map((word) => make('span', 'tag', word)));
	setText(counts, people(room));
	card.classList.toggle('scheduled', room.state === 'scheduled');
}

function makeBubble(bubble) {
	const link = make('a', 'bubble', make('span', 'faces'), make('span', 'bubble-title'), make('span', 'bubble-who'), make('span', 'bubble-counts'));
	link.href = linkTo(bubble.room);
	link.children[1].dir = 'auto';
	return make('li', '', link);
}

function fillBubble(card, bubble) {
	const [faces, title, who, counts] = card.firstChild.children;
	const names = bubble.who.slice(0, FACES).map(({ user }) => user);
	if (faces.dataset.names !== names.join(' ')) {
		faces.dataset.names = names.join(' ');
		faces.replaceChildren(...names.map(makeFace));
	}
	setText(title, bubble.title || bubble.room);
	setText(who, whoText(bubble));
	setText(counts, people(bubble));
	card.classList.toggle('scheduled', bubble.state === 'scheduled');
}

const live = new Cards(byId('rooms'), makeCard, fillCard);
const later = new Cards(byId('scheduled'), makeCard, fillCard);
const bubbles = new Cards(byId('bubbles'), makeBubble, fillBubble);

/* ---- what one wants to see ---- */

function filterNow() {
	const { words, topic, language, size, sort } = byId('filter').elements;
	return { words: words.value, topic: topic.value, language: language.value, size: size.value, sort: sort.value };
}

/* Choices that occur, besides the one that is chosen. */
function offer(select, values, textOf) {
	const wanted = [...new Set([select.value, ...values])].filter((value) => value !== '');
	if ([...select.options].slice(1).map((option) => option.value).join('\n') === wanted.join('\n'))
		return;
	const chosen = select.value;
	select.replaceChildren(select.options[0], ...wanted.map((value) => {
		const option = make('option', '', textOf(value));
		option.value = value;
		return option;
	}));
	select.value = chosen;
}

function show() {
	const all = [...lists.rooms, ...lists.scheduled];
	const { topic, language } = byId('filter').elements;
	offer(topic, valuesOf(all, 'topic'), (value) => value);
	offer(language, valuesOf(all, 'language'), languageName);
	const filter = filterNow();
	const now = choose(lists.rooms, filter), next = choose(lists.scheduled, filter, true);
	live.show(now);
	later.show(next);
	byId('later').hidden = next.length === 0;
	byId('nobody').hidden = now.length > 0;
	setText(byId('nobody-title'), lists.rooms.length > 0 ? 'No room is like that just now' : 'Nobody is talking just now');
	setText(byId('nobody-text'), lists.rooms.length > 0 ? 'Ask for less, and there may be one.' : 'A room shows up here as soon as somebody opens one.');
	byId('rooms').setAttribute('aria-busy', 'false');
}

/* ---- what the relay knows ---- */

/* Whoever has a token of whatever room is known, and sees where those are whom they follow. */
async function timeline() {
	for (const token of personTokens()) {
		try {
			const answer = await request(token, { type: 'timeline.get' });
			return answer.bubbles;
		} catch (error) {
			if (error.status !== 401)
				return [];
			dropToken(token);
		}
	}
	return [];
}

async function refresh() {
	try {
		const response = await fetch('/rooms', { cache: 'no-store' });
		if (!response.ok)
			throw new Error(response.statusText);
		const answer = await response.json();
		lists = { rooms: answer.rooms ?? [], scheduled: answer.scheduled ?? [] };
		show();
		const found = await timeline();
		bubbles.show(found);
		byId('following').hidden = found.length === 0;
		setText(byId('state'), '');
	} catch {
		setText(byId('state'), 'The relay does not answer. Trying again …');
	}
	setTimeout(refresh, document.hidden ? 4 * REFRESH_MS : REFRESH_MS);
}

const given = takeFragment();
if (given.token !== null)
	keepPerson(given.token);
byId('more').open = matchMedia('(min-width: 700px)').matches;
byId('filter').addEventListener('input', show);
byId('filter').addEventListener('submit', (event) => event.preventDefault());
refresh();
