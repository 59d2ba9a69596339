/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What stands between a visitor and the room: that it has not begun, or that it takes a ticket, an
 * invitation, or to follow the host. Pure: from the room as the relay describes it and the time.
 */
import { count, duration, moment, money } from './words.js';

/* How long until a waiting page asks again: rarely while it is far, soon when it is near. */
export function askAgainMs(room, nowMs, random) {
	const leftMs = Math.max(0, (room.starts_ms ?? nowMs) - nowMs);
	return Math.min(60000, Math.max(3000, leftMs / 10)) * (0.75 + random / 2);
}

/* One line on when a scheduled room begins. */
export function startText(room, nowMs) {
	return room.starts_ms > nowMs ? `${moment(room.starts_ms)}. This page opens by itself.`
		: `It was to start ${moment(room.starts_ms)}, and opens as soon as the host is there.`;
}

/* One line on the tickets of a room, and whether they can be had now. */
export function ticketText(offer, nowMs) {
	if (!offer)
		return { text: 'Tickets are not on sale yet.', onSale: false };
	const price = offer.price === 0 ? 'Tickets are free' : `Tickets cost ${money(offer.price, offer.currency)}`;
	if (offer.sale_from_ms && nowMs < offer.sale_from_ms)
		return { text: `${price}. The sale begins ${moment(offer.sale_from_ms)}, in ${duration(offer.sale_from_ms - nowMs)}.`, onSale: false };
	if (offer.sale_until_ms && nowMs >= offer.sale_until_ms)
		return { text: `${price}. The sale has ended.`, onSale: false };
	if (offer.left === 0)
		return { text: `${price}. They are sold out.`, onSale: false };
	const left = Number.isInteger(offer.left) ? `, ${count(offer.left, 'is', 'are')} left` : '';
	const until = offer.sale_until_ms ? `, on sale until ${moment(offer.sale_until_ms)}` : '';
	return { text: `${price}${left}${until}.`, onSale: true };
}

const ENTRY = {
	followers: (room) => `This room is for followers of ${room.host}. Come by a link, or from the app where you follow them.`,
	invited: () => 'This room is for people who were invited. Ask the host for a link.',
	ticketed: (room, nowMs) => {
		const { text, onSale } = ticketText(room.tickets, nowMs);
		return onSale ? `${text} Buy one where you found this room; the link that comes with it brings you in.` : text;
	},
	open: () => 'This room is for people who have a link. Ask the host for one.',
};

/* What somebody without a token who may not listen is told. */
export function entryText(room, nowMs) {
	return ENTRY[Object.hasOwn(ENTRY, room.access) ? room.access : 'open'](room, nowMs);
}
