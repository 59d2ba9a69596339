/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The relay's events as a page sees them: the server-sent stream of a room, and requests. Streams
 * are read with fetch(), since EventSource cannot send the token in a header.
 */

/* text/event-stream (HTML, section 9.2.6), fed in pieces of any size. */
export class StreamParser {
	#rest = '';
	#data = [];
	#type = '';
	#begun = false;
	lastId = '';
	retryMs = null;

	/* Returns the events that this piece completes: {type, data, id}. */
	feed(text) {
		const events = [];
		if (!this.#begun && text !== '') {
			this.#begun = true;
			text = text.replace(/^\uFEFF/, '');
		}
		text = this.#rest + text;
		/* A CR at the very end may be the first half of CRLF. */
		const held = text.endsWith('\r') ? '\r' : '';
		const lines = text.slice(0, text.length - held.length).split(/\r\n|\n|\r/);
		this.#rest = lines.pop() + held;
		for (const line of lines) {
			const event = this.#line(line);
			if (event !== null)
				events.push(event);
		}
		return events;
	}

	#line(line) {
		if (line === '')
			return this.#dispatch();
		const colon = line.indexOf(':');
		if (colon === 0)
			return null; /* a comment keeps the connection open */
		const field = colon < 0 ? line : line.slice(0, colon);
		const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
		if (field === 'data')
			this.#data.push(value);
		else if (field === 'event')
			this.#type = value;
		else if (field === 'id' && !value.includes('\0'))
			this.lastId = value;
		else if (field === 'retry' && /^\d+$/.test(value))
			this.retryMs = Number(value);
		return null;
	}

	#dispatch() {
		const event = {
			type: this.#type || 'message', data: this.#data.join('\n'), id: this.lastId,
		};
		const empty = this.#data.length === 0;
		this.#data = [];
		this.#type = '';
		return empty ? null : event;
	}
}

/* What the relay refused: HTTP status, its words, and when to come again. */
export class Refusal extends Error {
	constructor(status, code, message, retryAfterMs) {
		super(message);
		this.status = status;
		this.code = code;
		this.retryAfterMs = retryAfterMs;
	}
}

/* Retry-After (RFC 9110, section 10.2.3): seconds or a date; null when there is none. */
export function retryAfterMs(value, nowMs) {
	if (value === null || value === '')
		return null;
	if (/^\d+$/.test(value))
		return Number(value) * 1000;
	const date = Date.parse(value);
	return Number.isNaN(date) ? null : Math.max(0, date - nowMs);
}

/* A response that is not a success, as a Refusal: problem bodies (RFC 9457) and answers to requests. */
export async function refusalOf(response) {
	const text = await response.text().catch(() => '');
	let body = {};
	try {
		body = JSON.parse(text) ?? {};
	} catch {
		/* Something in between has answered. */
	}
	return new Refusal(response.status, body.error?.code ?? '',
		body.error?.message ?? body.detail ?? body.title ?? response.statusText,
		retryAfterMs(response.headers.get('Retry-After'), Date.now()));
}

export function authorization(token) {
	return token === null ? {} : { Authorization: `Bearer ${token}` };
}

/* One request of the event protocol, the actor taken from the token. Returns the answer. */
export async function request(token, fields) {
	const id = [...crypto.getRandomValues(new Uint8Array(12))]
		.map((byte) => byte.toString(16).padStart(2, '0')).join('');
	const response = await fetch('/events', {
		method: 'POST',
		headers: { 'Content-Type': 'application/json', ...authorization(token) },
		body: JSON.stringify({ id, ...fields }),
		cache: 'no-store',
	});
	if (!response.ok)
		throw await refusalOf(response);
	const answer = await response.json();
	if (answer.ok !== true)
		throw new Refusal(response.status, answer.error?.code ?? '',
			answer.error?.message ?? '', null);
	return answer;
}

function wait(ms, signal) {
	return new Promise((resolve) => {
		const timer = setTimeout(resolve, ms);
		signal.addEventListener('abort', () => { clearTimeout(timer); resolve(); },
			{ once: true });
	});
}

async function readStream(response, parser, on) {
	const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
	for (;;) {
		const { value, done } = await reader.read();
		if (done)
			return;
		for (const event of parser.feed(value)) {
			let fields;
			try {
				fields = JSON.parse(event.data);
			} catch {
				continue;
			}
			on.event(fields, event.type);
		}
	}
}

const BACKOFF_MAX_MS = 15000;

/*
 * Follows the events of a room until the signal aborts: on.event(fields, type), on.open(), on.lost()
 * if there is one, on.refused(refusal) when the relay says that it is pointless to come again.
 */
export async function follow(room, token, on, signal) {
	const parser = { lastId: '' };
	let attempt = 0;
	while (!signal.aborted) {
		let pauseMs = Math.min(BACKOFF_MAX_MS, 500 * 2 ** attempt++) * (0.5 + Math.random() / 2);
		try {
			const response = await fetch(`/events/${encodeURIComponent(room)}`, {
				headers: {
					Accept: 'text/event-stream',
					...authorization(token),
					...(parser.lastId === '' ? {} : { 'Last-Event-ID': parser.lastId }),
				},
				cache: 'no-store',
				signal,
			});
			if (response.ok) {
				const fresh = new StreamParser();
				fresh.lastId = parser.lastId;
				attempt = 0;
				on.open();
				try {
					await readStream(response, fresh, on);
				} finally {
					parser.lastId = fresh.lastId;
				}
				pauseMs = fresh.retryMs ?? 500;
			} else {
				const refusal = await refusalOf(response);
				/* Somebody who has come in meanwhile follows under another token. */
				if (signal.aborted)
					return;
				if (response.status < 500 && response.status !== 429) {
					on.refused(refusal);
					return;
				}
				pauseMs = Math.max(pauseMs, refusal.retryAfterMs ?? 0);
			}
		} catch {
			/* The network, or the signal. */
		}
		if (!signal.aborted)
			on.lost?.();
		if (!signal.aborted)
			await wait(pauseMs, signal);
	}
}
