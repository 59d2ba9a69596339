/* SPDX-License-Identifier: BSD-3-Clause */
/* Reactions: a bar of emoji to send, and what everybody sent floating up, a window at a time. */
import { byId, make } from './words.js';

const GATHER_MS = 250; /* taps of that long become one request */
const COUNT_MAX = 10; /* in one request */
const FLOATS_MAX = 16; /* on the screen at once */
const USUAL = ['👏', '❤️', '😂', '🔥', '💯', '✋'];

export class Reactions {
	#buttons = new Map(); /* emoji -> {button, number} */
	#pending = new Map(); /* emoji -> count */
	#timer = null;
	#send;
	#total = {};

	/* send(emoji, count): a promise */
	constructor(send) {
		this.#send = send;
	}

	/* choices: the emoji that the relay takes. */
	offer(choices) {
		const wanted = choices?.length > 0 ? choices : USUAL;
		if (wanted.length === this.#buttons.size && wanted.every((emoji) => this.#buttons.has(emoji)))
			return;
		this.#buttons.clear();
		byId('reactions').replaceChildren(...wanted.map((emoji) => this.#make(emoji)));
		this.total(this.#total);
	}

	#make(emoji) {
		const number = make('span', 'reaction-total');
		const button = make('button', 'reaction', make('span', 'emoji', emoji), number);
		button.type = 'button';
		button.addEventListener('click', () => this.#tap(emoji));
		this.#buttons.set(emoji, { button, number });
		return button;
	}

	#tap(emoji) {
		this.#pending.set(emoji, Math.min(COUNT_MAX, (this.#pending.get(emoji) ?? 0) + 1));
		this.#timer ??= setTimeout(() => this.#flush(), GATHER_MS);
	}

	#flush() {
		this.#timer = null;
		for (const [emoji, number] of this.#pending)
			this.#send(emoji, number);
		this.#pending.clear();
	}

	/* Totals since the room is live. */
	total(total) {
		this.#total = total ?? {};
		for (const [emoji, { button, number }] of this.#buttons) {
			const sum = this.#total[emoji] ?? 0;
			number.textContent = sum === 0 ? '' : sum.toLocaleString('en', { notation: 'compact' });
			button.setAttribute('aria-label', `React with ${emoji}${sum === 0 ? '' : `, ${sum} so far`}`);
		}
	}

	/* Counts of the last window: {emoji: count}. */
	show(counts) {
		const floats = byId('floats');
		for (const [emoji, number] of Object.entries(counts ?? {})) {
			const float = make('span', 'float', make('span', 'emoji', emoji),
				number > 1 ? make('span', 'float-count', `×${number.toLocaleString('en')}`) : '');
			float.style.setProperty('--x', String(Math.random()));
			float.addEventListener('animationend', () => float.remove());
			floats.append(float);
			while (floats.children.length > FLOATS_MAX)
				floats.firstChild.remove();
		}
	}
}
