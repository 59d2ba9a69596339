/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pinned posts: a list, which whoever may moderate can add to and take from. Used by the room's page
 * and by the desk; the elements are #pinned, #pins and #pin-form with its fields text and url.
 */
import { byId, linkTarget, make, makeButton } from './words.js';

function hostOf(address) {
	return new URL(address).host;
}

function makePin(pin, remove) {
	const item = make('li', 'pin');
	const target = pin.url ? linkTarget(pin.url) : null;
	if (pin.text) {
		const text = make('p', 'pin-text', pin.text);
		text.dir = 'auto';
		item.append(text);
	}
	if (target !== null) {
		const link = make('a', 'pin-link', `${hostOf(target)} ↗`);
		link.href = target;
		link.target = '_blank';
		link.rel = 'noopener noreferrer nofollow ugc';
		link.title = target;
		item.append(link);
	} else if (pin.url) {
		item.append(make('p', 'pin-text quiet', pin.url));
	}
	if (remove !== null) {
		const button = makeButton('Unpin', 'small', () => remove(pin.pin));
		button.setAttribute('aria-label', `Unpin ${pin.text || pin.url}`);
		item.append(button);
	}
	return item;
}

export class Pins {
	#shown = null;
	#on;

	/* on: {add(fields), remove(pin)}, promises; what is refused is said by who made them. */
	constructor(on) {
		this.#on = on;
		byId('pin-form').addEventListener('submit', (event) => {
			event.preventDefault();
			this.#add(event.target);
		});
	}

	async #add(form) {
		const text = form.elements.text.value.trim(), url = form.elements.url.value.trim();
		const fields = { ...(text === '' ? {} : { text }), ...(url === '' ? {} : { url }) };
		if (text === '' && url === '')
			form.elements.text.focus();
		else if (await this.#on.add(fields))
			form.reset();
	}

	render(pins, mayEdit) {
		const key = JSON.stringify([pins, mayEdit]);
		byId('pinned').hidden = pins.length === 0 && !mayEdit;
		byId('pin-form').hidden = !mayEdit;
		if (key === this.#shown)
			return;
		this.#shown = key;
		byId('pins').replaceChildren(...pins.map((pin) =>
			makePin(pin, mayEdit ? (id) => this.#on.remove(id) : null)));
	}
}
