/* SPDX-License-Identifier: BSD-3-Clause */
/* What was done, with a way back where there is one; what was refused; and asking by a second tap. */
import { byId, make, makeButton } from './words.js';

const SHOWN_MS = 3500;
const LONGER_MS = 9000; /* with something to do or to understand */
const ARMED_MS = 4000;
const TOASTS_MAX = 3;

/* undo: a function, or null. bad: something was refused. */
export function toast(text, undo = null, bad = false) {
	const box = make('div', bad ? 'toast bad' : 'toast', make('p', '', text));
	const close = () => box.remove();
	const shownMs = undo !== null || bad ? LONGER_MS : SHOWN_MS;
	let timer = setTimeout(close, shownMs);
	if (undo !== null) {
		box.append(makeButton('Undo', 'small', () => {
			close();
			undo();
		}));
	}
	const closer = makeButton('×', 'small', close);
	closer.setAttribute('aria-label', 'Dismiss');
	box.append(closer);
	/* It does not go while somebody is at it. */
	box.addEventListener('pointerenter', () => clearTimeout(timer));
	box.addEventListener('focusin', () => clearTimeout(timer));
	box.addEventListener('pointerleave', () => { timer = setTimeout(close, shownMs); });
	box.addEventListener('focusout', () => { timer = setTimeout(close, shownMs); });
	byId('toasts').append(box);
	while (byId('toasts').children.length > TOASTS_MAX)
		byId('toasts').firstChild.remove();
}

/* What cannot be undone wants a second tap, within a few seconds. True when this is the second. */
export function confirmed(button, question) {
	if (button.classList.contains('armed')) {
		disarm(button);
		return true;
	}
	button.dataset.label = button.textContent;
	button.dataset.name = button.getAttribute('aria-label') ?? '';
	button.removeAttribute('aria-label'); /* what is read out is the question, too */
	button.textContent = question;
	button.classList.add('armed');
	button.disarmTimer = setTimeout(() => disarm(button), ARMED_MS);
	return false;
}

function disarm(button) {
	clearTimeout(button.disarmTimer);
	if (!button.classList.contains('armed'))
		return;
	button.classList.remove('armed');
	button.textContent = button.dataset.label;
	if (button.dataset.name !== '')
		button.setAttribute('aria-label', button.dataset.name);
}
