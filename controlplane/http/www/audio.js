/* SPDX-License-Identifier: BSD-3-Clause */
/* The loudspeaker and the microphone of a page. */

/* One player for each slot: they stay and only what they play changes, so that one tap is enough. */
export class Players {
	#players = [];

	get count() {
		return this.#players.length;
	}

	/* Inside a tap, since browsers start audio only there. */
	prepare(slots) {
		for (let i = this.#players.length; i < slots; i++) {
			const player = new Audio();
			player.autoplay = true;
			this.#players.push(player);
		}
	}

	play(receivers) {
		receivers.forEach((receiver, i) => {
			this.#players[i].srcObject = new MediaStream([receiver.track]);
			this.#players[i].play().catch(() => {});
		});
	}
}

/* The track, or an error whose message can be shown. */
export async function openMicrophone() {
	try {
		const stream = await navigator.mediaDevices.getUserMedia({
			audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
		});
		return stream.getAudioTracks()[0];
	} catch (error) {
		throw new Error(error.name === 'NotAllowedError'
			? 'The browser does not allow the microphone. Allow it for this page and try again.'
			: 'No microphone can be used.');
	}
}
