/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who speaks now and how loud, read from the media itself: the CSRC of what arrives names the
 * speaker, its level comes with the packet (RFC 6464) or
 * from the sound. No signalling takes part.
 */

const RECENT_MS = 600; /* a source is speaking until it has been still for that long */
const QUIET = 0.008; /* about -42 dBFS */

/* 0 to 1 on a scale on which speech uses most of the range; level is linear, 0 to 1. */
export function loudness(level) {
	if (level <= 0.001)
		return 0;
	return Math.min(1, Math.max(0, 1 + 20 * Math.log10(level) / 60));
}

class Sound {
	#analyser;
	#samples;
	#node;

	constructor(context, track) {
		this.#node = context.createMediaStreamSource(new MediaStream([track]));
		this.#analyser = context.createAnalyser();
		this.#analyser.fftSize = 1024;
		this.#samples = new Float32Array(this.#analyser.fftSize);
		this.#node.connect(this.#analyser);
	}

	level() {
		this.#analyser.getFloatTimeDomainData(this.#samples);
		let sum = 0;
		for (const sample of this.#samples)
			sum += sample * sample;
		return Math.sqrt(sum / this.#samples.length);
	}

	close() {
		this.#node.disconnect();
	}
}

export class Meter {
	#context = null;
	#receivers = []; /* {receiver, sound} */
	#microphone = null;
	#heard = new Map(); /* CSRC -> {level, atMs} */

	/* Inside a tap, since browsers start audio only there. */
	start() {
		this.#context ??= new AudioContext();
		this.#context.resume().catch(() => {});
	}

	watch(receivers) {
		this.#receivers.forEach(({ sound }) => sound.close());
		this.#receivers = receivers.map((receiver) => ({
			receiver, sound: new Sound(this.#context, receiver.track),
		}));
	}

	watchMicrophone(track) {
		this.#microphone?.close();
		this.#microphone = track === null ? null : new Sound(this.#context, track);
	}

	/* Loudness of the own microphone. */
	own() {
		return this.#microphone === null ? 0 : loudness(this.#microphone.level());
	}

	/* Map of CSRC -> loudness of everybody who is speaking at this moment. */
	read() {
		const nowMs = performance.timeOrigin + performance.now();
		for (const { receiver, sound } of this.#receivers) {
			for (const source of receiver.getContributingSources()) {
				if (nowMs - source.timestamp > RECENT_MS)
					continue;
				const level = source.audioLevel ?? sound.level();
				if (level > QUIET)
					this.#heard.set(source.source, { level, atMs: nowMs });
			}
		}
		const speaking = new Map();
		for (const [csrc, { level, atMs }] of this.#heard) {
			if (nowMs - atMs > RECENT_MS)
				this.#heard.delete(csrc);
			else
				speaking.set(csrc, loudness(level));
		}
		return speaking;
	}
}
