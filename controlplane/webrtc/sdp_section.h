/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One m= section of an offer while its lines are being read: codecs by payload type, transport,
 * and what else decides whether the relay can use it. Views into the text; any thread.
 */
#ifndef STENTOR_CONTROLPLANE_WEBRTC_SDP_SECTION_H
#define STENTOR_CONTROLPLANE_WEBRTC_SDP_SECTION_H

#include "controlplane/webrtc/sdp_transport.h"

#define SDP_PAYLOAD_TYPES 128

enum sdp_codec { SDP_CODEC_OTHER, SDP_CODEC_OPUS, SDP_CODEC_RED };

/* What may stand in the session for all sections. */
struct sdp_shared {
	bool direction_known;
	enum sdp_direction direction;
	uint8_t audio_level_id;
	uint8_t mid_id;
};

struct sdp_draft {
	struct sdp_section *section; /* of the offer: where the result goes */
	struct sdp_line head;        /* the m= line */
	struct sdp_transport transport;
	struct sdp_shared own;
	uint32_t port;
	bool bundle_only;
	bool rtcp_mux;
	bool ssrc_known;
	bool nack_any;         /* a=rtcp-fb:* nack */
	struct sdp_text order; /* payload types as m= lists them */
	uint8_t codec[SDP_PAYLOAD_TYPES];
	bool nack[SDP_PAYLOAD_TYPES];
	struct sdp_text fmtp[SDP_PAYLOAD_TYPES];
};

/* a=sendrecv and so on, a=extmap: 1, 0 or -EINVAL as sdp_transport_take(). */
int sdp_shared_take(
	struct sdp_shared *shared, struct sdp_reader *reader, const struct sdp_line *line);
/* The m= line. 0 or -EINVAL. */
int sdp_draft_begin(struct sdp_draft *draft, struct sdp_section *section, struct sdp_reader *reader,
	const struct sdp_line *line);
/* Any other line of the section; what is unknown is skipped. 0 or -EINVAL. */
int sdp_draft_take(struct sdp_draft *draft, struct sdp_reader *reader, const struct sdp_line *line);
/*
 * At its end: fills in the section, all but usable. Returns NULL when the relay could use it, or
 * why not, for people.
 */
const char *sdp_draft_finish(struct sdp_draft *draft, const struct sdp_shared *session);

#endif
