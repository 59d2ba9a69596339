/* SPDX-License-Identifier: BSD-3-Clause */
/* What a browser's own SDP is not enough for. */

/*
 * Browsers take retransmissions of audio but do not ask for them; the relay has the last packets of
 * each slot at hand, so a lost one comes again before it is to be played.
 */
export function withNack(sdp) {
	const opus = new Set([...sdp.matchAll(/^a=rtpmap:(\d+) (?:opus|red)\/48000\/2\r?$/gmi)].map((match) => match[1]));
	return sdp.replace(/^a=rtcp-fb:(\d+) transport-cc(\r?)$/gm, (line, type, end) =>
		(opus.has(type) ? `${line}\na=rtcp-fb:${type} nack${end}` : line));
}

/* application/trickle-ice-sdpfrag (RFC 8840) with the new credentials of an offer. */
export function restartFragment(sdp) {
	const line = (pattern) => sdp.match(pattern)?.[0] ?? '';
	const lines = [line(/^a=group:BUNDLE .*$/m), line(/^a=ice-ufrag:.*$/m),
		line(/^a=ice-pwd:.*$/m), line(/^m=.*$/m), line(/^a=mid:.*$/m)];
	return lines.map((text) => text.trim()).filter((text) => text !== '').join('\r\n') + '\r\n';
}

/* The answer that is in force with the credentials and candidates of a fragment. */
export function restartedAnswer(sdp, fragment) {
	const ufrag = fragment.match(/^a=ice-ufrag:.*$/m)?.[0].trim();
	const pwd = fragment.match(/^a=ice-pwd:.*$/m)?.[0].trim();
	if (!ufrag || !pwd)
		throw new Error('no credentials in the answer to an ICE restart');
	return sdp.replace(/^a=ice-ufrag:.*$/gm, ufrag).replace(/^a=ice-pwd:.*$/gm, pwd)
		.split(/\r?\n/).join('\r\n');
}
