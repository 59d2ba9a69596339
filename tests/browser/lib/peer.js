/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Runs inside a page: peers with no page of their own, made of nothing but what browsers offer to
 * everybody. A speaker's voice is a tone of known frequency; what a listener hears is looked at by
 * its analyser.
 */
/* global peers */
globalThis.peers = new Map();

globalThis.Peer = class Peer {
	static #context = null;
	#gain = null;
	#ears = [];

	static get context() {
		Peer.#context ??= new AudioContext({ sampleRate: 48000 });
		return Peer.#context;
	}

	/* A tone that can be made loud and quiet, as a track. */
	#voice(hertz, gain) {
		const oscillator = new OscillatorNode(Peer.context, { frequency: hertz });
		const out = Peer.context.createMediaStreamDestination();
		this.#gain = new GainNode(Peer.context, { gain });
		oscillator.connect(this.#gain).connect(out);
		oscillator.start();
		return out.stream.getAudioTracks()[0];
	}

	#listen(track) {
		const stream = new MediaStream([track]);
		/* Chromium lets a remote track flow only while an element plays it; a muted one is silence in the
		 * statistics too. */
		const player = new Audio();
		player.srcObject = stream;
		player.play().catch(() => {});
		const analyser = new AnalyserNode(Peer.context, { fftSize: 8192, smoothingTimeConstant: 0 });
		Peer.context.createMediaStreamSource(stream).connect(analyser);
		this.#ears.push({ player, analyser, track });
	}

	/* kind: 'whip' or 'whep'; sections: that receive; hertz, gain: of the voice, 0: none */
	async join({ base, kind, room, token, sections = 3, hertz = 0, gain = 0.3, nack = false }) {
		const pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
		this.pc = pc;
		this.began = performance.now();
		this.connectedMs = null;
		this.reconnects = 0;
		this.token = token;
		if (hertz > 0)
			this.sender = pc.addTransceiver(this.#voice(hertz, gain), { direction: 'sendonly' }).sender;
		for (let i = 0; i < sections; i++)
			pc.addTransceiver('audio', { direction: 'recvonly' });
		pc.addEventListener('track', (event) => this.#listen(event.track));
		pc.addEventListener('connectionstatechange', () => {
			if (pc.connectionState === 'connected') {
				if (this.connectedMs === null)
					this.connectedMs = performance.now() - this.answered;
				else
					this.reconnects++;
			}
		});
		const offer = await pc.createOffer();
		if (nack)
			offer.sdp = offer.sdp.replace(/^a=rtcp-fb:(111|63) transport-cc\r$/gm, '$&\na=rtcp-fb:$1 nack\r');
		await pc.setLocalDescription(offer);
		const response = await fetch(`${base}/${kind}/${room}`, {
			method: 'POST',
			headers: { 'Content-Type': 'application/sdp', Authorization: `Bearer ${token}` },
			body: pc.localDescription.sdp,
		});
		const text = await response.text();
		if (response.status !== 201)
			throw new Error(`${kind}: ${response.status} ${text}`);
		this.resource = new URL(response.headers.get('Location'), base).href;
		this.etag = response.headers.get('ETag');
		this.answer = text;
		this.answered = performance.now();
		await pc.setRemoteDescription({ type: 'answer', sdp: text });
	}

	speak(gain) {
		this.#gain.gain.value = gain;
	}

	/* Level of each frequency, in dB, for each section: the loudest bin around it. */
	hear(frequencies) {
		return this.#ears.map(({ analyser }) => {
			const bins = new Float32Array(analyser.frequencyBinCount);
			analyser.getFloatFrequencyData(bins);
			const width = Peer.context.sampleRate / analyser.fftSize;
			return frequencies.map((hertz) => {
				const at = Math.round(hertz / width);
				return Math.max(...bins.slice(at - 2, at + 3), -200);
			});
		});
	}

	/* Who is in the media: CSRC of each section, of the last half second. */
	sources() {
		const now = performance.timeOrigin + performance.now();
		return this.pc.getReceivers().map((receiver) => receiver.getContributingSources()
			.filter((source) => now - source.timestamp < 500)
			.map(({ source, audioLevel }) => ({ source, audioLevel })));
	}

	async stats() {
		const all = [...(await this.pc.getStats()).values()];
		const transport = all.find((one) => one.type === 'transport') ?? {};
		const pair = all.find((one) => one.id === transport.selectedCandidatePairId) ?? {};
		const inbound = all.filter((one) => one.type === 'inbound-rtp')
			.sort((a, b) => Number(a.mid) - Number(b.mid));
		const sum = (name) => inbound.reduce((total, one) => total + (one[name] ?? 0), 0);
		return {
			connection: this.pc.connectionState, ice: this.pc.iceConnectionState,
			dtls: transport.dtlsState, cipher: transport.srtpCipher, tls: transport.tlsVersion,
			rttMs: (pair.currentRoundTripTime ?? 0) * 1000,
			received: sum('packetsReceived'), lost: sum('packetsLost'), discarded: sum('packetsDiscarded'),
			concealed: sum('concealedSamples') - sum('silentConcealedSamples'),
			silent: sum('silentConcealedSamples'), samples: sum('totalSamplesReceived'),
			events: sum('concealmentEvents'), energy: sum('totalAudioEnergy'), nacks: sum('nackCount'),
			retransmitted: sum('retransmittedPacketsReceived'),
			sections: inbound.map((one) => ({
				mid: one.mid, ssrc: one.ssrc, received: one.packetsReceived, lost: one.packetsLost,
				energy: one.totalAudioEnergy,
			})),
			sent: all.filter((one) => one.type === 'outbound-rtp')
				.reduce((total, one) => total + one.packetsSent, 0),
			remote: all.find((one) => one.type === 'remote-inbound-rtp') ?? null,
			connectedMs: this.connectedMs, reconnects: this.reconnects,
		};
	}

	leave() {
		this.pc.close();
		return fetch(this.resource, {
			method: 'DELETE', headers: { Authorization: `Bearer ${this.token}` },
		}).then((response) => response.status);
	}
};

/* What the tests call: by name, since objects do not leave the page. */
globalThis.peer = {
	async join(name, options) {
		const made = new Peer();
		await made.join(options);
		peers.set(name, made);
	},
	call: (name, what, ...args) => peers.get(name)[what](...args),
	callAll: (what, ...args) => Promise.all([...peers].map(async ([name, one]) =>
		[name, await one[what](...args)])),
};
