/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a page in a room is doing: a state machine without a clock, network or document. step()
 * takes the model and what happened and returns the next model with effects for page.js to perform:
 *
 *   {do: 'connect', kind}    a fresh session; 'listen' or 'speak'
 *   {do: 'restart'}          ICE restart of the session there is
 *   {do: 'close'}            end the session
 *   {do: 'wait', ms}         say {is: 'timer'} then; a new one replaces it
 *   {do: 'microphone', on}   open or close it: {is: 'microphone', ok, message} answers the opening
 *   {do: 'mute', muted}      what the microphone sends
 *   {do: 'request', type}    a request of the event protocol; what it takes is beside the type
 *   {do: 'forget'}           the token is worth nothing any more
 */

export const RESTART_MS = 5000; /* what an ICE restart may take before a fresh session is tried */
const BACKOFF_MS = [0, 500, 1000, 2000, 4000, 8000, 15000];
const FULL_MS = 5000;
const FULL_MAX_MS = 120000;

/* invited: with a link that has a token; else a guest. */
export function begin(invited) {
	return {
		invited,
		/* scheduled, idle, connecting, live, reconnecting, full, removed, closed, denied */
		phase: 'idle',
		waiting: false, /* scheduled: connects by itself when the room opens */
		want: 'listen', /* the kind of session wanted */
		live: null, /* the kind that is up, or was last */
		role: null, /* listener, speaker, cohost, host; null: not known */
		floor: 'none', /* none, asked, invited, accepting */
		position: null, /* asked: how many were there before, if known */
		invitation: null, /* invited: {by, expiresMs} */
		microphone: 'off', /* off, opening, on */
		muted: false, /* by oneself */
		silenced: false, /* by the host */
		attempt: 0,
		waitMs: 0,
		reason: '', /* of the end */
		message: '',
	};
}

/* The one word that the page shows. */
export function stateOf(model) {
	if (model.phase !== 'live')
		return model.phase;
	return model.live === 'speak' ? 'speaking' : 'listening';
}

export function maySpeak(model) {
	return ['speaker', 'cohost', 'host'].includes(model.role);
}

export function isOver(model) {
	return ['removed', 'closed', 'denied'].includes(model.phase);
}

function isActive(model) {
	return ['connecting', 'live', 'reconnecting', 'full'].includes(model.phase);
}

function over(model, phase, message, reason = '') {
	const effects = [{ do: 'close' }, { do: 'microphone', on: false }];
	/* The token is no longer good for anything; a removed member's must not be tried again. */
	if (phase !== 'closed')
		effects.push({ do: 'forget' });
	return [{
		...model, phase, message, reason, live: null, floor: 'none', invitation: null,
		microphone: 'off', want: 'listen', muted: false, waiting: false,
	}, effects];
}

function silence(model) {
	return { do: 'mute', muted: model.muted };
}

function backToListening(model, message) {
	const next = {
		...model, want: 'listen', floor: 'none', invitation: null, microphone: 'off', muted: false,
		message,
	};
	const effects = [{ do: 'microphone', on: false }];
	if (isActive(model) && (model.want === 'speak' || model.live === 'speak')) {
		next.phase = model.phase === 'live' ? 'connecting' : model.phase;
		effects.push({ do: 'connect', kind: 'listen' });
	}
	return [next, effects];
}

/* The next try: at once after something that worked, later and later after something that did not. */
function retry(model, leastMs, message) {
	const ms = Math.max(leastMs, BACKOFF_MS[Math.min(model.attempt, BACKOFF_MS.length - 1)]);
	return [{ ...model, phase: 'reconnecting', attempt: model.attempt + 1, waitMs: ms, message },
		[{ do: 'wait', ms }]];
}

function refused(model, event) {
	if (!isActive(model))
		return [model, []];
	switch (event.status) {
	case 401:
		return over(model, 'denied', event.message);
	case 403:
		/* Who may not speak may still listen. */
		if (model.want === 'speak')
			return backToListening({ ...model, role: 'listener' }, event.message);
		return over(model, 'denied', event.message, event.known ? 'not_allowed' : '');
	case 404:
	case 410:
		return over(model, 'closed', event.message);
	case 409:
	case 429:
	case 503: {
		const ms = Math.min(FULL_MAX_MS, event.retryAfterMs ?? FULL_MS);
		return [{ ...model, phase: 'full', waitMs: ms, message: event.message },
			[{ do: 'wait', ms }]];
	}
	default:
		return retry(model, 500, event.message);
	}
}

function openMicrophone(model, message) {
	return [{ ...model, microphone: 'opening', message }, [{ do: 'microphone', on: true }]];
}

const transitions = {
	/* The room has not begun: it opens by itself, and so may the sound of who asked for that. */
	'scheduled'(model) {
		return model.phase === 'idle' ? [{ ...model, phase: 'scheduled' }, []] : [model, []];
	},
	'wait'(model) {
		return model.phase === 'scheduled' ? [{ ...model, waiting: !model.waiting }, []] : [model, []];
	},
	'opened'(model) {
		if (model.phase !== 'scheduled')
			return [model, []];
		const next = { ...model, phase: 'idle', waiting: false, message: 'The room is open.' };
		return model.waiting ? step(next, { is: 'listen' }) : [next, []];
	},
	'listen'(model) {
		if (model.phase !== 'idle')
			return [model, []];
		return [{
			...begin(model.invited), role: model.role, silenced: model.silenced, phase: 'connecting',
		}, [{ do: 'connect', kind: 'listen' }]];
	},
	'leave'(model) {
		if (!isActive(model))
			return [model, []];
		const effects = [{ do: 'close' }, { do: 'microphone', on: false }];
		if (model.floor === 'asked' || model.floor === 'invited')
			effects.unshift({ do: 'request', type: 'floor.cancel' });
		return [{ ...begin(model.invited), role: model.role, silenced: model.silenced }, effects];
	},
	'open'(model, event) {
		if (!isActive(model))
			return [model, []];
		return [{
			...model, phase: 'live', live: event.kind, attempt: 0, waitMs: 0,
			message: event.kind === model.want ? '' : model.message,
		}, event.kind === 'speak' ? [silence(model)] : []];
	},
	/* ICE restart first: it keeps the keys, so that nothing but the path changes. */
	'lost'(model) {
		if (model.phase === 'live')
			return [{ ...model, phase: 'reconnecting', attempt: 0, message: '' },
				[{ do: 'restart' }, { do: 'wait', ms: RESTART_MS }]];
		if (model.phase === 'connecting' || model.phase === 'reconnecting')
			return retry(model, 0, '');
		return [model, []];
	},
	'timer'(model) {
		if (model.phase !== 'reconnecting' && model.phase !== 'full')
			return [model, []];
		const kind = model.want === 'speak' && model.microphone === 'on' ? 'speak' : 'listen';
		return [{ ...model, phase: model.live === null ? 'connecting' : 'reconnecting' },
			[{ do: 'connect', kind }]];
	},
	'refused': refused,
	/* Requests that were refused change nothing but what is said. */
	'declined'(model, event) {
		return [{
			...model, message: event.message,
			...(['floor.request', 'floor.accept'].includes(event.type)
				? { floor: 'none', invitation: null } : {}),
		}, []];
	},

	/* What the relay tells. */
	'role'(model, event) {
		const next = { ...model, role: event.role, message: event.message ?? model.message };
		if (event.role === 'listener' && (model.want === 'speak' || model.microphone === 'opening'))
			return backToListening(next, 'You are listening again.');
		return [next, []];
	},
	'granted'(model) {
		const next = {
			...model, role: maySpeak(model) ? model.role : 'speaker', floor: 'none', invitation: null,
		};
		const wanted = model.floor === 'asked' || model.floor === 'accepting';
		if (!wanted || !isActive(model) || model.microphone !== 'off')
			return [{ ...next, message: 'You may speak now.' }, []];
		return openMicrophone(next, 'You have the floor.');
	},
	'denied'(model, event) {
		const why = event.reason ? ` “${event.reason}”` : '';
		return [{ ...model, floor: 'none', message: `The host has not given you the floor.${why}` }, []];
	},
	'queued'(model, event) {
		return model.floor === 'asked' ? [{ ...model, position: event.position }, []] : [model, []];
	},
	'expired'(model, event) {
		if (model.floor !== (event.kind === 'invite' ? 'invited' : 'asked'))
			return [model, []];
		return [{
			...model, floor: 'none', invitation: null,
			message: event.kind === 'invite' ? 'The invitation is over.' : 'Your request is over. You may ask again.',
		}, []];
	},
	/* Who asked has the floor instead, so an invitation only comes to who did not. */
	'invited'(model, event) {
		if (!isActive(model) || maySpeak(model))
			return [model, []];
		return [{
			...model, floor: 'invited', message: '',
			invitation: { by: event.by, expiresMs: event.expiresMs },
		}, []];
	},
	'accept'(model) {
		if (model.floor !== 'invited')
			return [model, []];
		return [{ ...model, floor: 'accepting', invitation: null },
			[{ do: 'request', type: 'floor.accept' }]];
	},
	'decline'(model) {
		if (model.floor !== 'invited')
			return [model, []];
		return [{ ...model, floor: 'none', invitation: null }, [{ do: 'request', type: 'floor.cancel' }]];
	},
	/* Something worth a line, that changes nothing. */
	'noted'(model, event) {
		return [{ ...model, message: event.message }, []];
	},
	'released'(model) {
		const next = { ...model, role: 'listener' };
		return model.want === 'speak' ? backToListening(next, 'You are listening again.') : [next, []];
	},
	'silenced'(model, event) {
		return [{ ...model, silenced: event.silenced }, []];
	},
	'removed'(model, event) {
		return over(model, 'removed', event.message ?? '', event.reason);
	},
	'ended'(model, event) {
		return over(model, 'denied', event.message ?? '', event.reason);
	},
	'closed'(model, event) {
		return over(model, 'closed', '', event.reason);
	},

	/* The buttons of somebody who listens. */
	'ask'(model) {
		if (model.phase !== 'live' || model.floor !== 'none' || maySpeak(model))
			return [model, []];
		return [{ ...model, floor: 'asked', position: null, message: '' },
			[{ do: 'request', type: 'floor.request' }]];
	},
	/* Asking again keeps the place and says what it is about. */
	'explain'(model, event) {
		if (model.floor !== 'asked')
			return [model, []];
		return [{ ...model, message: 'The host sees your words.' },
			[{ do: 'request', type: 'floor.request', message: event.message }]];
	},
	'withdraw'(model) {
		if (model.floor !== 'asked')
			return [model, []];
		return [{ ...model, floor: 'none', message: '' }, [{ do: 'request', type: 'floor.cancel' }]];
	},
	'speak'(model) {
		if (model.phase !== 'live' || !maySpeak(model) || model.microphone !== 'off')
			return [model, []];
		return openMicrophone(model, '');
	},
	'microphone'(model, event) {
		if (model.microphone !== 'opening')
			return [model, event.ok ? [{ do: 'microphone', on: false }] : []];
		if (!event.ok)
			return [{ ...model, microphone: 'off', message: event.message }, []];
		const next = { ...model, microphone: 'on', want: 'speak', muted: false };
		/* While there is no connection, the next one will be a speaker's. */
		return model.phase === 'live' ? [next, [{ do: 'connect', kind: 'speak' }]] : [next, []];
	},
	/* Stops speaking, and gives the floor back; a host keeps it. */
	'release'(model) {
		if (model.want !== 'speak' && model.live !== 'speak')
			return [model, []];
		const [next, effects] = backToListening(model, '');
		return model.role === 'speaker'
			? [next, [...effects, { do: 'request', type: 'floor.release' }]] : [next, effects];
	},
	'mute'(model) {
		if (model.want !== 'speak')
			return [model, []];
		const next = { ...model, muted: !model.muted };
		return [next, [silence(next)]];
	},
};

/* [next model, effects]. What does not fit the state changes nothing. */
export function step(model, event) {
	return transitions[event.is](model, event);
}
