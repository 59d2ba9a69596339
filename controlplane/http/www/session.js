/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A WHEP or WHIP client (RFC 9725 and the WHEP draft): one RTCPeerConnection and the resource that
 * the relay made for it. A speaker hears the others over the same connection. Says what happens by
 * on.open(), on.lost(), on.receiver(receiver), on.token(token); decides nothing, room.js does.
 */
import { authorization, refusalOf } from './events.js';
import { restartedAnswer, restartFragment, withNack } from './sdp.js';

/* Some packets of a check may be lost; a path that is silent for longer is worth an ICE restart. */
const DISCONNECTED_MS = 1500;
const CONNECT_MS = 12000;

export class Session {
	#connection = null;
	#resource = null;
	#etag = null;
	#answer = '';
	#on;
	#timer = null;
	#closed = false;
	#options;

	/* options: kind 'listen' or 'speak', room, token (or null), track: the microphone's or null, slots,
	 * share: the code of a link, or null */
	constructor(options, on) {
		this.#options = options;
		this.#on = on;
	}

	get connection() {
		return this.#connection;
	}

	/* Resolves when the relay has answered; on.open() tells when audio can flow. */
	async open() {
		const pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
		this.#connection = pc;
		if (this.#options.kind === 'speak')
			pc.addTransceiver(this.#options.track ?? 'audio', { direction: 'sendonly' });
		for (let i = 0; i < this.#options.slots; i++)
			this.#on.receiver(pc.addTransceiver('audio', { direction: 'recvonly' }).receiver);
		pc.addEventListener('connectionstatechange', () => this.#changed());
		pc.addEventListener('iceconnectionstatechange', () => this.#changed());
		this.#deadline(CONNECT_MS);
		const offer = await pc.createOffer();
		const sdp = withNack(offer.sdp);
		await pc.setLocalDescription({ type: 'offer', sdp });
		await this.#post(sdp);
		if (!this.#closed)
			await pc.setRemoteDescription({ type: 'answer', sdp: this.#answer });
	}

	async #post(sdp) {
		const { kind, room, token, share } = this.#options;
		const path = kind === 'speak' ? '/whip/' : '/whep/';
		const response = await fetch(path + encodeURIComponent(room), {
			method: 'POST',
			headers: {
				'Content-Type': 'application/sdp',
				...authorization(token),
				...(token === null && share ? { 'Stentor-Share': share } : {}),
			},
			body: sdp,
			cache: 'no-store',
		});
		if (response.status !== 201)
			throw await refusalOf(response);
		this.#resource = new URL(response.headers.get('Location'), location.href).href;
		this.#etag = response.headers.get('ETag');
		this.#answer = await response.text();
		/* Who came without one was given a seat as a guest. */
		const given = response.headers.get('Stentor-Token');
		if (given !== null) {
			this.#options.token = given;
			this.#on.token(given);
		}
		if (this.#closed)
			this.#remove(false); /* closed while the answer was on its way */
	}

	/* Rejects when the relay does not know the session any more: then open another one. */
	async restart() {
		const pc = this.#connection;
		if (this.#resource === null || this.#closed)
			throw new Error('no session');
		this.#deadline(CONNECT_MS / 2);
		const offer = await pc.createOffer({ iceRestart: true });
		await pc.setLocalDescription({ type: 'offer', sdp: withNack(offer.sdp) });
		const response = await fetch(this.#resource, {
			method: 'PATCH',
			headers: {
				'Content-Type': 'application/trickle-ice-sdpfrag',
				...(this.#etag === null ? {} : { 'If-Match': this.#etag }),
				...authorization(this.#options.token),
			},
			body: restartFragment(offer.sdp),
			cache: 'no-store',
		});
		if (response.status !== 200)
			throw await refusalOf(response);
		this.#etag = response.headers.get('ETag') ?? this.#etag;
		this.#answer = restartedAnswer(this.#answer, await response.text());
		if (!this.#closed)
			await pc.setRemoteDescription({ type: 'answer', sdp: this.#answer });
	}

	/* keepalive: the page goes away, the request must outlive it. */
	close(keepalive = false) {
		if (this.#closed)
			return;
		this.#closed = true;
		clearTimeout(this.#timer);
		this.#remove(keepalive);
		this.#connection?.close();
	}

	/* Another session of this member has taken its place: there is no resource to delete. */
	abandon() {
		this.#resource = null;
		this.close();
	}

	#remove(keepalive) {
		if (this.#resource === null)
			return;
		fetch(this.#resource, {
			method: 'DELETE', headers: authorization(this.#options.token), keepalive,
		}).catch(() => {});
		this.#resource = null;
	}

	#changed() {
		const pc = this.#connection;
		if (this.#closed)
			return;
		if (pc.connectionState === 'failed' || pc.iceConnectionState === 'failed') {
			this.#lost();
		} else if (pc.connectionState === 'connected') {
			clearTimeout(this.#timer);
			this.#timer = null;
			this.#on.open();
		} else if (pc.connectionState === 'disconnected') {
			this.#deadline(DISCONNECTED_MS);
		}
	}

	#deadline(ms) {
		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => this.#lost(), ms);
	}

	#lost() {
		clearTimeout(this.#timer);
		this.#timer = null;
		if (!this.#closed)
			this.#on.lost();
	}
}
