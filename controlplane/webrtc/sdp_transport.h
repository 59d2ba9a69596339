/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What SDP says of the transport: ICE credentials and candidates (RFC 8839), the certificate's
 * fingerprint (RFC 8122), who begins DTLS (RFC 8842). It may stand in the session, in a section or
 * in both, and has to be the same everywhere, since one transport carries everything. Views into
 * the text; any thread.
 */
#ifndef STENTOR_CONTROLPLANE_WEBRTC_SDP_TRANSPORT_H
#define STENTOR_CONTROLPLANE_WEBRTC_SDP_TRANSPORT_H

#include "controlplane/webrtc/sdp_text.h"

struct sdp_transport {
	struct sdp_text ufrag; /* size 0: not given */
	struct sdp_text pwd;
	bool fingerprint_known;
	bool other_hash; /* a fingerprint that is not SHA-256 */
	uint8_t fingerprint[SDP_FINGERPRINT_SIZE];
	bool setup_known;
	bool lite;
	bool trickle;
	unsigned int candidate_count;
	bool end_of_candidates;
};

/* 1: the line was one of these and has been taken; 0: it is something else; -EINVAL. */
int sdp_transport_take(
	struct sdp_transport *transport, struct sdp_reader *reader, const struct sdp_line *line);
/* Adds a section's to what is known. Line is the section's, for the failure. 0 or -EINVAL. */
int sdp_transport_merge(struct sdp_transport *into, const struct sdp_transport *from,
	struct sdp_reader *reader, const struct sdp_line *line);
/* Both halves of the credentials must be there. */
void sdp_transport_read_ice(const struct sdp_transport *transport, struct sdp_ice *out);

#endif
