/* SPDX-License-Identifier: BSD-3-Clause */
/* Fills console.html from the desk's model. Rows stay while what they show is there, so that neither
 * focus nor finger lose them. */
import { mayActOn, SAMPLES } from './desk.js';
import { ticketText } from './gate.js';
import { Graph } from './graph.js';
import { ACCESS, byId, duration, languageName, make, makeButton, makeFace, money, setText } from './words.js';

/* Rows of a list by key: made once, filled as often as wanted. */
class Rows {
	#list;
	#rows = new Map();
	#make;
	#fill;

	constructor(list, makeRow, fill) {
		this.#list = list;
		this.#make = makeRow;
		this.#fill = fill;
	}

	show(items, keyOf) {
		const keys = new Set(items.map(keyOf));
		for (const [key, row] of this.#rows) {
			if (!keys.has(key)) {
				row.remove();
				this.#rows.delete(key);
			}
		}
		items.forEach((item, position) => {
			const key = keyOf(item);
			const row = this.#rows.get(key) ?? this.#make(item);
			this.#rows.set(key, row);
			this.#fill(row, item);
			if (this.#list.children[position] !== row)
				this.#list.insertBefore(row, this.#list.children[position] ?? null);
		});
	}

	each(run) {
		for (const [key, row] of this.#rows)
			run(key, row);
	}
}

function makePerson(name) {
	return [makeFace(name), make('div', 'row-text', make('p', 'row-name', name), make('p', 'row-note'))];
}

const CATEGORIES = {
	spam: 'Spam', harassment: 'Harassment', hate: 'Hate', violence: 'Violence', sexual: 'Sexual content',
	self_harm: 'Self-harm', impersonation: 'Impersonation', copyright: 'Copyright', other: 'Something else',
};

export class DeskView {
	#on;
	#rank = 0;
	#graphs;
	#hands;
	#stage;
	#reports;
	#audit;

	/* on: {grant, deny, mute, demote, remove, ban, role, uphold, dismiss}: (item, button) */
	constructor(on) {
		this.#on = on;
		this.#hands = new Rows(byId('hands'), (hand) => this.#makeHand(hand), (row, hand) => this.#fillHand(row, hand));
		this.#stage = new Rows(byId('podium'), (member) => this.#makeMember(member), (row, member) => this.#fillMember(row, member));
		this.#reports = new Rows(byId('reports'), (report) => this.#makeReport(report), (row, report) => this.#fillReport(row, report));
		this.#audit = new Rows(byId('audit'), (entry) => makeEntry(entry), () => {});
		this.#graphs = {
			listeners: new Graph('Listeners', 'accent', SAMPLES, (value) => Math.round(value).toLocaleString('en')),
			reactions: new Graph('Reactions in 2 s', 'warm', SAMPLES, (value) => Math.round(value).toLocaleString('en')),
			loss: new Graph('Packets lost on the way', 'bad', SAMPLES, (value) => `${value.toFixed(value < 10 ? 1 : 0)} %`),
		};
		byId('graphs').replaceChildren(...Object.values(this.#graphs).map((graph) => graph.element));
		for (const series of Object.keys(this.#graphs))
			this.#graphs[series].show([]);
	}

	render(model, nowMs) {
		this.#rank = model.you?.rank ?? 0;
		if (model.room === null)
			return;
		this.#headline(model);
		this.#tickets(model.room, nowMs);
		this.#hands.show([...model.hands.map((hand) => ({ ...hand, nowMs })),
			...model.invites.map((hand) => ({ ...hand, nowMs, invite: true }))], (hand) => `${hand.member}${hand.invite ? '+' : ''}`);
		byId('no-hands').hidden = model.hands.length + model.invites.length > 0;
		this.#stage.show(model.stage, (member) => member.member);
		this.#reports.show(model.reports.map((report) => ({ ...report, nowMs })), (report) => report.report);
		byId('no-reports').hidden = model.reports.length > 0;
		this.#audit.show(model.audit, (entry) => entry.audit);
		for (const element of document.querySelectorAll('[data-rank]'))
			element.hidden = this.#rank < Number(element.dataset.rank);
	}

	#headline({ room, reports }) {
		setText(byId('topic'), room.topic ?? '');
		setText(byId('title'), room.title || room.room);
		document.title = `Desk: ${room.title || room.room} · Stentor`;
		const cohosts = room.cohosts?.length > 0 ? `, with ${room.cohosts.join(', ')}` : '';
		const rest = [ACCESS[room.access], room.language ? languageName(room.language) : '',
			room.tickets ? `${money(room.tickets.price, room.tickets.currency)} a ticket, ${room.tickets.left} left` : '']
			.filter((word) => word);
		setText(byId('who'), [`hosted by ${room.host}${cohosts}`, ...rest].join(' · '));
		const numbers = [['Listeners', room.listeners], ['On stage', room.speakers], ['Muted', room.muted],
			['Hands', room.hands], ['Reports', reports.length]];
		byId('counts').replaceChildren(...numbers.map(([name, value]) =>
			make('div', '', make('dt', '', name), make('dd', '', (value ?? 0).toLocaleString('en')))));
	}

	#tickets(room, nowMs) {
		byId('tickets').hidden = room.access !== 'ticketed';
		setText(byId('tickets-text'), room.access === 'ticketed' ? ticketText(room.tickets, nowMs).text : '');
	}

	graphs(series) {
		for (const [name, graph] of Object.entries(this.#graphs))
			graph.show(series[name]);
	}

	#makeHand(hand) {
		const row = make('li', 'row', ...makePerson(hand.member));
		const words = make('p', 'row-words');
		words.dir = 'auto';
		row.children[1].append(words);
		if (!hand.invite) {
			const grant = makeButton('Let speak', 'small primary', () => this.#on.grant(hand));
			const deny = makeButton('Not now', 'small', () => this.#on.deny(hand));
			grant.setAttribute('aria-label', `Let ${hand.member} speak`);
			deny.setAttribute('aria-label', `Not now, ${hand.member}`);
			row.append(make('div', 'row-buttons', grant, deny));
		}
		return row;
	}

	#fillHand(row, hand) {
		const left = hand.expires_ms ? duration(hand.expires_ms - hand.nowMs) : '';
		setText(row.querySelector('.row-note'), hand.invite ? `invited, ${left} left`
			: `asked ${duration(hand.nowMs - (hand.at_ms ?? hand.nowMs))} ago`);
		setText(row.querySelector('.row-words'), hand.message ?? '');
	}

	#makeMember(member) {
		const name = member.member;
		const row = make('li', 'row on-stage', ...makePerson(name));
		row.children[1].append(make('div', 'level'));
		const now = () => row.member;
		const buttons = {
			mute: makeButton('Mute', 'small', () => this.#on.mute(now())),
			demote: makeButton('To the audience', 'small', () => this.#on.demote(now())),
			remove: makeButton('Remove', 'small bad', (event) => this.#on.remove(now(), event.currentTarget)),
			cohost: makeButton('Make cohost', 'small', () => this.#on.role(now(), now().role === 'cohost' ? 'speaker' : 'cohost')),
			host: makeButton('Hand over the room', 'small', (event) => this.#on.role(now(), 'host', event.currentTarget)),
			ban: makeButton('Ban', 'small bad', (event) => this.#on.ban(now(), event.currentTarget)),
		};
		row.buttons = buttons;
		const more = make('details', 'more', make('summary', 'button small', 'More'),
			make('div', 'row-buttons', buttons.cohost, buttons.host, buttons.ban));
		more.firstChild.setAttribute('aria-label', `More about ${name}`);
		row.more = more;
		row.append(make('div', 'row-buttons', buttons.mute, buttons.demote, buttons.remove, more));
		return row;
	}

	#fillMember(row, member) {
		const notes = [member.role, member.muted ? 'muted' : '', member.connected === false ? 'away' : '', row.slot ?? '']
			.filter((word) => word !== '');
		const may = mayActOn(this.#rank, member.role);
		row.member = member;
		setText(row.querySelector('.row-note'), notes.join(' · '));
		row.classList.toggle('muted', member.muted === true);
		setText(row.buttons.mute, member.muted ? 'Unmute' : 'Mute');
		for (const [what, button] of Object.entries(row.buttons)) {
			if (!button.classList.contains('armed'))
				button.setAttribute('aria-label', `${button.textContent}: ${member.member}`);
			button.hidden = !may || (['cohost', 'host', 'ban'].includes(what) && this.#rank < 2);
		}
		setText(row.buttons.cohost, member.role === 'cohost' ? 'No longer cohost' : 'Make cohost');
		row.more.hidden = !may || this.#rank < 2;
	}

	/* A few times a second. */
	levels(levels) {
		this.#stage.each((name, row) => {
			const held = levels.get(name);
			row.slot = held === undefined ? '' : `slot ${held.slot + 1}`;
			row.classList.toggle('speaking', (held?.level ?? 0) > 0);
			row.style.setProperty('--level', (held?.level ?? 0).toFixed(2));
		});
	}

	#makeReport(report) {
		const row = make('li', 'row report', makeFace(report.member), make('div', 'row-text',
			make('p', 'row-name', report.member), make('p', 'row-note'), make('p', 'row-words', report.text ?? ''),
			make('p', 'row-note evidence', evidenceText(report.evidence))));
		row.querySelector('.row-words').dir = 'auto';
		const uphold = makeButton('Uphold', 'small primary', () => this.#on.uphold(report));
		const dismiss = makeButton('Dismiss', 'small', () => this.#on.dismiss(report));
		const remove = makeButton('Remove', 'small bad', (event) => this.#on.remove({ member: report.member }, event.currentTarget));
		uphold.setAttribute('aria-label', `Uphold the report on ${report.member}`);
		dismiss.setAttribute('aria-label', `Dismiss the report on ${report.member}`);
		row.append(make('div', 'row-buttons', uphold, dismiss, remove));
		return row;
	}

	#fillReport(row, report) {
		setText(row.querySelector('.row-note'), `${CATEGORIES[report.category] ?? report.category}, by ${report.reporter ?? 'somebody'}, ${duration(report.nowMs - report.at_ms)} ago`);
	}
}

/* Who held which slot when it was reported. */
function evidenceText(evidence) {
	if (!evidence)
		return '';
	const held = (evidence.slots ?? []).filter((slot) => slot.member)
		.map((slot) => `${slot.member} in slot ${slot.slot + 1}`);
	const was = [evidence.role, evidence.muted ? 'muted' : ''].filter((word) => word).join(', ');
	return `Then: ${was || 'not in the room'}; ${held.length === 0 ? 'no slot was held' : held.join(', ')}.`;
}

function makeEntry(entry) {
	const when = make('td', '', new Date(entry.at_ms).toLocaleString([], { dateStyle: 'short', timeStyle: 'medium' }));
	when.title = new Date(entry.at_ms).toISOString();
	return make('tr', '', when, make('td', '', entry.actor || 'the relay'),
		make('td', '', entry.action), make('td', '', entry.member ?? ''), make('td', '', entry.reason ?? ''));
}
