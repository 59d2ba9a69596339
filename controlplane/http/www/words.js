/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Words, numbers, times and elements that the pages have in common. What others have written
 * (titles, names, messages, emoji) only ever becomes text, never markup; links go to http and https.
 */

export const byId = (id) => document.getElementById(id);

export function setText(element, text) {
	if (element.textContent !== text)
		element.textContent = text;
}

/* An element with a class and children: strings become text. */
export function make(name, className = '', ...children) {
	const made = document.createElement(name);
	if (className !== '')
		made.className = className;
	made.append(...children);
	return made;
}

export function makeButton(text, className, run) {
	const button = make('button', `button ${className}`.trim(), text);
	button.type = 'button';
	if (run !== null)
		button.addEventListener('click', run);
	return button;
}

export function initials(name) {
	const words = name.split(/[\s_.:-]+/).filter((word) => word !== '');
	const letters = words.length > 1 ? words[0][0] + words.at(-1)[0] : name.slice(0, 2);
	return letters.toUpperCase();
}

/* The same colour for the same name everywhere. */
export function hueOf(name) {
	let sum = 7;
	for (const letter of name)
		sum = (sum * 31 + letter.codePointAt(0)) >>> 0;
	return sum % 8;
}

export function makeFace(name) {
	const face = make('span', `face hue-${hueOf(name)}`, initials(name));
	face.setAttribute('aria-hidden', 'true');
	return face;
}

export function count(number, one, many) {
	return `${number.toLocaleString('en')} ${number === 1 ? one : many}`;
}

/* "3 days", "2 h 5 min", "40 s": how long, in at most two units. */
export function duration(ms) {
	const s = Math.max(0, Math.ceil(ms / 1000));
	if (s < 60)
		return `${s} s`;
	const min = Math.round(s / 60);
	if (min < 60)
		return `${min} min`;
	const h = Math.floor(min / 60);
	if (h < 48)
		return min % 60 === 0 ? `${h} h` : `${h} h ${min % 60} min`;
	return `${Math.round(h / 24)} days`;
}

export function moment(ms) {
	return new Date(ms).toLocaleString([], {
		weekday: 'short', day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit',
	});
}

/* Minor units as people write them: how many digits a currency has is what the browser knows. */
export function money(minor, currency) {
	if (minor === 0)
		return 'free';
	try {
		return new Intl.NumberFormat([], { style: 'currency', currency }).format(minor / 10 ** digitsOf(currency));
	} catch {
		return `${minor} ${currency}`;
	}
}

function digitsOf(currency) {
	return new Intl.NumberFormat([], { style: 'currency', currency }).resolvedOptions().maximumFractionDigits;
}

/* What somebody typed, in minor units; null if it is no amount of that currency. */
export function minorUnits(text, currency) {
	const found = text.trim().replace(',', '.').match(/^(\d{1,10})(?:\.(\d+))?$/);
	if (found === null || !/^[A-Z]{3}$/.test(currency))
		return null;
	const digits = digitsOf(currency), fraction = found[2] ?? '';
	return fraction.length > digits ? null : Number(found[1] + fraction.padEnd(digits, '0'));
}

/* The address if it is one that may be linked to, else null: never javascript: or data:. */
export function linkTarget(text) {
	try {
		const url = new URL(text);
		return ['http:', 'https:'].includes(url.protocol) ? url.href : null;
	} catch {
		return null;
	}
}

export const ACCESS = {
	open: 'Open to all', followers: 'Followers only', invited: 'By invitation', ticketed: 'With a ticket',
};

/* The name of a language as the visitor's browser says it; the tag itself if it does not know it. */
export function languageName(tag) {
	try {
		return new Intl.DisplayNames([], { type: 'language' }).of(tag) ?? tag;
	} catch {
		return tag;
	}
}
