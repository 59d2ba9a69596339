/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tokens and codes of shares, as links bring them in their fragment, which no server sees. They are
 * secrets: they leave the address bar and the history before anything else happens, and stay in
 * this tab (sessionStorage) until they are worth nothing.
 */
const TOKEN = 'stentor.token.';
const SHARE = 'stentor.share.';
const PERSON = 'stentor.person';

/* What the fragment says: {token, share, room}, each null when it does not. */
export function takeFragment() {
	const given = new URLSearchParams(location.hash.slice(1));
	const found = { token: given.get('token'), share: given.get('share'), room: given.get('room') };
	if (found.token !== null || found.share !== null)
		history.replaceState(null, '', location.pathname + location.search);
	return found;
}

export function tokenOf(room) {
	return sessionStorage.getItem(TOKEN + room);
}

export function keepToken(room, token) {
	sessionStorage.setItem(TOKEN + room, token);
	sessionStorage.setItem(PERSON, token);
}

/* Of whatever room: enough to be known. */
export function keepPerson(token) {
	sessionStorage.setItem(PERSON, token);
}

export function forgetToken(room) {
	if (sessionStorage.getItem(PERSON) === tokenOf(room))
		sessionStorage.removeItem(PERSON);
	sessionStorage.removeItem(TOKEN + room);
}

export function shareOf(room) {
	return sessionStorage.getItem(SHARE + room);
}

export function keepShare(room, code) {
	sessionStorage.setItem(SHARE + room, code);
}

/* A token by which the relay knows who one is, whichever room it is of; the newest first. */
export function personTokens() {
	const found = [sessionStorage.getItem(PERSON)];
	for (let i = 0; i < sessionStorage.length; i++) {
		const key = sessionStorage.key(i);
		if (key.startsWith(TOKEN))
			found.push(sessionStorage.getItem(key));
	}
	return [...new Set(found.filter((token) => token !== null))];
}

/* Worth nothing any more, wherever it is kept. */
export function dropToken(token) {
	for (const key of Object.keys(sessionStorage)) {
		if ((key === PERSON || key.startsWith(TOKEN)) && sessionStorage.getItem(key) === token)
			sessionStorage.removeItem(key);
	}
}
