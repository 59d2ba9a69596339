/* SPDX-License-Identifier: BSD-3-Clause */
/* Which rooms somebody sees on "/", in which order. Pure. */

const SIZES = {
	small: ({ members }) => members <= 20,
	middle: ({ members }) => members > 20 && members <= 500,
	large: ({ members }) => members > 500,
};

const ORDERS = {
	size: (a, b) => b.members - a.members,
	new: (a, b) => b.opened_ms - a.opened_ms,
	name: (a, b) => (a.title || a.room).localeCompare(b.title || b.room),
};

function matches(room, words) {
	const text = [room.title, room.topic, room.host, room.room].join(' ').toLocaleLowerCase();
	return words.every((word) => text.includes(word));
}

/* filter: {words, topic, language, size, sort}, each "" for whatever. What is scheduled has no size
 * yet, and the next one comes first. */
export function choose(rooms, filter, scheduled = false) {
	const words = filter.words.toLocaleLowerCase().split(/\s+/).filter((word) => word !== '');
	const found = rooms.filter((room) => (filter.topic === '' || room.topic === filter.topic) &&
		(filter.language === '' || room.language === filter.language) &&
		(scheduled || filter.size === '' || SIZES[filter.size](room)) && matches(room, words));
	return found.sort(scheduled ? (a, b) => a.starts_ms - b.starts_ms : ORDERS[filter.sort]);
}

/* The values of a field that occur, most frequent first. */
export function valuesOf(rooms, field) {
	const counts = new Map();
	for (const room of rooms) {
		if (room[field])
			counts.set(room[field], (counts.get(room[field]) ?? 0) + 1);
	}
	return [...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0])).map(([value]) => value);
}

const DOES = { host: 'hosts', cohost: 'cohosts', speaker: 'speaks', listener: 'listens' };

/* Who of those one follows is in a bubble's room: "ann hosts, bob listens and 3 more". */
export function whoText(bubble, shown = 2) {
	const named = bubble.who.slice(0, shown).map(({ user, role }) => `${user} ${DOES[role] ?? ''}`.trim());
	const rest = (bubble.followed ?? bubble.who.length) - named.length;
	return named.join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}
