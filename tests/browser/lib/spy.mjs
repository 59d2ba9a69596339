/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Looking over the shoulder of an unmodified page: its connections, and what it plays. The spy only
 * remembers what the page makes; the page does not know.
 */

export async function spyOnConnections(page) {
	await page.addInitScript(() => {
		const made = [];
		globalThis.spied = made;
		const Original = RTCPeerConnection;
		globalThis.RTCPeerConnection = class extends Original {
			constructor(...options) {
				super(...options);
				made.push(this);
			}
		};
	});
	await page.reload();
}

/* Of the newest connection of the page. */
export function pageStats(page) {
	return page.evaluate(async () => {
		const pc = globalThis.spied.at(-1);
		const all = [...(await pc.getStats()).values()];
		const transport = all.find((one) => one.type === 'transport') ?? {};
		const inbound = all.filter((one) => one.type === 'inbound-rtp');
		const sum = (name) => inbound.reduce((total, one) => total + (one[name] ?? 0), 0);
		return {
			connections: globalThis.spied.length, connection: pc.connectionState,
			ice: pc.iceConnectionState, dtls: transport.dtlsState, cipher: transport.srtpCipher,
			received: sum('packetsReceived'), lost: sum('packetsLost'),
			energy: sum('totalAudioEnergy'),
			sent: all.filter((one) => one.type === 'outbound-rtp')
				.reduce((total, one) => total + one.packetsSent, 0),
		};
	});
}

/* Whether that frequency is in what the newest connection receives now. */
export function heard(page, hertz, leastDb = -50) {
	return page.evaluate(async ([frequency, least]) => {
		const pc = globalThis.spied.at(-1);
		globalThis.ear ??= new AudioContext({ sampleRate: 48000 });
		let loudest = -200;
		for (const receiver of pc.getReceivers()) {
			receiver.ear ??= (() => {
				const node = new AnalyserNode(globalThis.ear, { fftSize: 8192, smoothingTimeConstant: 0 });
				globalThis.ear.createMediaStreamSource(new MediaStream([receiver.track])).connect(node);
				return node;
			})();
			const bins = new Float32Array(receiver.ear.frequencyBinCount);
			receiver.ear.getFloatFrequencyData(bins);
			const at = Math.round(frequency / (48000 / 8192));
			loudest = Math.max(loudest, ...bins.slice(at - 2, at + 3));
		}
		return loudest > least ? loudest : Promise.reject(new Error(`${Math.round(loudest)} dB`));
	}, [hertz, leastDb]);
}
