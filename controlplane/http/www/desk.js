/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the moderator's desk knows: a model without network or document. Events change the counts
 * and say which lists have to be asked for again; samples of the room make the graphs.
 */

export const SAMPLE_MS = 2000;
export const SAMPLES = 150; /* five minutes */
const SPEAKING_MS = 600;

export const RANKS = { listener: 0, speaker: 0, cohost: 1, host: 2 };

export function begin() {
	return {
		room: null, you: null, stage: [], hands: [], invites: [], reports: [], audit: [],
		levels: new Map(), /* member -> {slot, level 0 to 1} */
		reactions: 0, /* since the last sample */
		reception: null, /* of the last sample */
		series: { listeners: [], reactions: [], loss: [] },
	};
}

const FLOOR = /^(floor\.|role\.|member\.left$|room\.host_changed$)/;
const STAGE = /^(role\.|floor\.(granted|released)$|member\.(muted|unmuted|left|connected|disconnected)$|room\.host_changed$)/;
const AUDITED = /^(moderation|role|floor|room|ticket|pin|report|member\.(muted|unmuted|left))/;

/* Which lists an event makes out of date: a Set of room, stage, hands, reports, audit. */
export function outdated(event) {
	const found = new Set();
	if (event.type === 'room.reactions' || event.type === 'room.speaking')
		return found;
	if (FLOOR.test(event.type))
		found.add('hands');
	if (STAGE.test(event.type) || (event.type === 'member.joined' && event.role !== 'listener'))
		found.add('stage');
	if (event.type.startsWith('report.'))
		found.add('reports');
	if (/^(room|pin|ticket)\./.test(event.type))
		found.add('room');
	if (AUDITED.test(event.type))
		found.add('audit');
	return found;
}

/* The model after an event: counts are absolute, reactions are gathered. */
export function apply(model, event) {
	const next = { ...model };
	if (model.room !== null) {
		const counts = ['members', 'listeners', 'speakers'].filter((name) => Number.isInteger(event[name]));
		next.room = { ...model.room, ...Object.fromEntries(counts.map((name) => [name, event[name]])) };
	}
	if (event.type === 'room.reactions')
		next.reactions += Object.values(event.counts ?? {}).reduce((sum, one) => sum + one, 0);
	return next;
}

/* Who holds which slot and how loud: RFC 6464 levels, 0 the loudest and 127 silence. */
export function levelsOf(slots) {
	const levels = new Map();
	for (const slot of slots ?? []) {
		if (slot.member === null || slot.member === undefined)
			continue;
		const speaks = slot.idle_ms !== null && slot.idle_ms < SPEAKING_MS;
		levels.set(slot.member, {
			slot: slot.slot, level: speaks ? Math.min(1, Math.max(0, 1 - slot.level / 70)) : 0,
		});
	}
	return levels;
}

/* Percent lost between two states of the listeners' reports; null: nobody has reported meanwhile. */
export function lossBetween(before, now) {
	if (!before || !now || now.reports <= before.reports)
		return null;
	return (now.lost_sum - before.lost_sum) / (now.reports - before.reports) / 256 * 100;
}

function push(series, value) {
	return [...series, value].slice(-SAMPLES);
}

/* One more point of each graph. */
export function sample(model) {
	if (model.room === null)
		return model;
	const reception = model.room.reception ?? null;
	return {
		...model,
		reactions: 0,
		reception,
		series: {
			listeners: push(model.series.listeners, model.room.listeners),
			reactions: push(model.series.reactions, model.reactions),
			loss: push(model.series.loss, lossBetween(model.reception, reception)),
		},
	};
}

/* Whether who has that rank may act on a member of that role. */
export function mayActOn(rank, role) {
	return rank >= 1 && rank > (RANKS[role] ?? 0);
}
