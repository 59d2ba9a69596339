/* SPDX-License-Identifier: BSD-3-Clause */
/* The dialogs of a room's page: to share it, and to report somebody. */
import { byId, make } from './words.js';

async function copy(text) {
	try {
		await navigator.clipboard.writeText(text);
		return true;
	} catch {
		/* No clipboard without TLS: the text is selected, one key is left to press. */
		byId('share-url').select();
		return false;
	}
}

function say(id, text) {
	byId(id).textContent = text;
}

function plainLink(room) {
	return `${location.origin}/room/${encodeURIComponent(room)}`;
}

export class Dialogs {
	#room;
	#ask;
	#url = null; /* of the link that was made */

	/* ask(fields): a request of the event protocol about this room */
	constructor(room, ask) {
		this.#room = room;
		this.#ask = ask;
		byId('share').addEventListener('click', () => this.#openShare());
		byId('share-copy').addEventListener('click', () => this.#share());
		byId('share-person').addEventListener('submit', (event) => {
			event.preventDefault();
			this.#invite(event.target);
		});
		byId('report-close').addEventListener('click', () => byId('report-dialog').close());
		byId('report-form').addEventListener('submit', (event) => {
			event.preventDefault();
			this.#report(event.target);
		});
	}

	#openShare() {
		byId('share-url').value = this.#url ?? plainLink(this.#room);
		say('share-said', '');
		byId('share-dialog').showModal();
	}

	async #make(fields) {
		const answer = await this.#ask({ type: 'share.create', ...fields });
		return answer.url ?? (answer.code ? `${plainLink(this.#room)}#share=${answer.code}` : plainLink(this.#room));
	}

	async #share() {
		try {
			this.#url ??= await this.#make({});
			byId('share-url').value = this.#url;
			say('share-said', await copy(this.#url) ? 'Copied.' : 'Press Ctrl+C to copy it.');
		} catch (error) {
			say('share-said', error.message);
		}
	}

	async #invite(form) {
		const member = form.elements.member.value;
		try {
			byId('share-url').value = await this.#make({ member });
			const copied = await copy(byId('share-url').value);
			say('share-said', `${member} is invited. ${copied ? 'Their link is copied.' : 'The link above is theirs.'}`);
			form.reset();
		} catch (error) {
			say('share-said', error.message);
		}
	}

	/* names: who is on stage; others can be typed. */
	openReport(names) {
		byId('report-names').replaceChildren(...names.map((name) => {
			const option = make('option');
			option.value = name;
			return option;
		}));
		say('report-said', '');
		byId('report-dialog').showModal();
	}

	async #report(form) {
		const { member, category, text } = Object.fromEntries(new FormData(form));
		try {
			await this.#ask({ type: 'moderation.report', member, category, ...(text === '' ? {} : { text }) });
			say('report-said', 'Thank you. Those who moderate have your report.');
			form.reset();
		} catch (error) {
			say('report-said', error.message);
		}
	}
}
