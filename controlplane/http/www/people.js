/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who is in the room, from member.list and from what the event stream tells. Only those on stage
 * have names here: a room may have a hundred thousand listeners, who are a number.
 */

const RANKS = ['host', 'cohost', 'speaker', 'listener'];

/* What an event says of the room itself. */
function changed(event) {
	return Object.fromEntries(['title', 'topic', 'language', 'access', 'open_floor', 'capacity', 'speakers_max',
		'starts_ms', 'cohosts'].filter((name) => event[name] !== undefined).map((name) => [name, event[name]]));
}

export class People {
	me = null;
	you = null; /* what room.get says of the visitor */
	room = { title: '', topic: '', host: '', listeners: null, pins: [], reactions: {} };
	#stage = new Map(); /* name -> {name, role, muted, connected, ssrc} */
	#asked = new Set(); /* CSRCs that the last list did not explain */

	/* Hosts first, then cohosts, then in the order of their coming. */
	stage() {
		return [...this.#stage.values()].sort((a, b) => RANKS.indexOf(a.role) - RANKS.indexOf(b.role));
	}

	member(name) {
		return this.#stage.get(name) ?? null;
	}

	/* The name behind a CSRC, or null. */
	bySource(ssrc) {
		for (const member of this.#stage.values()) {
			if (member.ssrc === ssrc)
				return member.name;
		}
		return null;
	}

	/* True once for each CSRC that nobody on the list has: worth a new list. */
	isNews(ssrc) {
		if (this.bySource(ssrc) !== null || this.#asked.has(ssrc))
			return false;
		this.#asked.add(ssrc);
		return true;
	}

	describe(room) {
		this.room = { ...this.room, ...room };
	}

	/* What member.list says of hosts and speakers. */
	list(members) {
		const stage = members.filter((member) => member.role !== 'listener');
		this.#stage = new Map(stage.map((member) => [member.member, {
			name: member.member, role: member.role, muted: member.muted === true,
			connected: member.connected !== false, ssrc: member.ssrc ?? null,
		}]));
	}

	/* An event of the stream. Returns 'list' when a new member.list is needed, else null. */
	apply(event) {
		if (Number.isInteger(event.listeners))
			this.room = { ...this.room, listeners: event.listeners };
		switch (event.type) {
		case 'room.opened':
		case 'room.updated':
			this.describe(changed(event));
			return null;
		case 'room.host_changed':
			this.describe({ host: event.host });
			return 'list';
		case 'room.reactions':
			this.describe({ reactions: event.total ?? this.room.reactions });
			return null;
		case 'pin.added':
			this.describe({ pins: [...this.room.pins.filter((pin) => pin.pin !== event.pin),
				{ pin: event.pin, text: event.text, url: event.url }] });
			return null;
		case 'pin.removed':
			this.describe({ pins: this.room.pins.filter((pin) => pin.pin !== event.pin) });
			return null;
		case 'ticket.offered':
			this.describe({ tickets: { ...this.room.tickets, ...event } });
			return null;
		case 'member.muted':
		case 'member.unmuted':
			this.#change(event.member, { muted: event.type === 'member.muted' });
			return null;
		case 'member.left':
			for (const name of event.left ?? [])
				this.#stage.delete(name);
			return null;
		case 'member.joined':
			return event.role === 'listener' ? null : 'list';
		case 'member.connected':
			if (!this.#stage.has(event.member))
				return null;
			this.#asked.clear();
			return 'list';
		case 'role.changed':
		case 'floor.granted':
		case 'floor.released':
			return 'list';
		default:
			return null;
		}
	}

	#change(name, fields) {
		const member = this.#stage.get(name);
		if (member !== undefined)
			this.#stage.set(name, { ...member, ...fields });
	}
}
