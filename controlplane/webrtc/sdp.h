/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SDP as WHIP and WHEP use it (RFC 8866, 8829, 8843, 9725; trickle fragments RFC 8840): an offer is
 * parsed into bounded structs, an answer is built from scratch (TRAPS 35), never by editing the
 * offer. Pure: no I/O, no clock. Everything that a client sent and that stands in here has been
 * checked for characters and length; candidates are checked for form and then forgotten, as they
 * are never destinations.
 */
#ifndef STENTOR_CONTROLPLANE_WEBRTC_SDP_H
#define STENTOR_CONTROLPLANE_WEBRTC_SDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controlplane/rooms/writer.h"
#include "dataplane/api/table.h"

#define SDP_SIZE_MAX 65536
#define SDP_LINES_MAX 512
#define SDP_SECTIONS_MAX 16
#define SDP_MID_MAX 16
#define SDP_FINGERPRINT_SIZE 32 /* SHA-256 */
#define SDP_REASON_SIZE 160

enum sdp_direction { SDP_SENDRECV, SDP_SENDONLY, SDP_RECVONLY, SDP_INACTIVE };

struct sdp_ice {
	uint16_t ufrag_size; /* 4 to 256 ice-chars */
	uint16_t pwd_size;   /* 22 to 256 */
	char ufrag[STN_ICE_UFRAG_MAX];
	char pwd[STN_ICE_PWD_MAX];
};

struct sdp_section {
	bool audio;  /* else it is refused in the answer with port 0 */
	bool usable; /* audio with Opus at 48000/2 and rtcp-mux, in the bundle, not refused */
	char mid[SDP_MID_MAX + 1];
	enum sdp_direction direction; /* of the offerer */
	uint8_t opus_payload_type;
	uint8_t red_payload_type; /* RFC 2198 of that Opus; 0: not offered */
	uint8_t audio_level_id;   /* RFC 6464, 0: not offered */
	uint8_t mid_id;           /* sdes:mid, 0: not offered */
	bool nack;                /* a=rtcp-fb of Opus: nack */
	uint32_t ssrc;            /* the only a=ssrc, or the first; 0: none declared */
	bool rtcp_rsize;          /* a=rtcp-rsize: RFC 5506 */
	char media[16];           /* media, protocol and first format as in m=, for the refusal */
	char protocol[32];
	char format[32];
};

struct sdp_offer {
	struct sdp_ice ice;
	uint8_t fingerprint[SDP_FINGERPRINT_SIZE];
	bool trickle;
	bool bundle; /* a=group:BUNDLE; there may be none when there is one section */
	unsigned int section_count;
	struct sdp_section section[SDP_SECTIONS_MAX];
};

/* Where in the text what is wrong, for people: "line 14: a=setup:passive: ...". */
struct sdp_error {
	char reason[SDP_REASON_SIZE];
};

/*
 * 0, or -EINVAL and error->reason. Refused: anything that would leave a session without
 * UDP/TLS/RTP/SAVPF, ice-ufrag and ice-pwd, a sha-256 fingerprint, setup actpass or active, BUNDLE
 * of all usable sections; a second different ufrag, pwd or fingerprint; no usable audio section.
 */
int sdp_parse_offer(
	const char *text, size_t size, struct sdp_offer *offer, struct sdp_error *error);

struct sdp_answer {
	uint64_t session_id;
	const char *ufrag; /* ours, NUL-terminated */
	const char *pwd;
	const uint8_t *fingerprint; /* of our certificate */
	const struct stn_address *candidates;
	unsigned int candidate_count;
	/* The leg's profile. A section whose Opus has another payload type gets no slot. */
	uint8_t payload_type;
	uint8_t audio_level_id;
	uint8_t red_payload_type; /* 0: RED is not accepted */
	bool receive;             /* the first section that can send is accepted as the source */
	/*
	 * Slot i goes to the i-th usable section that wants to receive, under the cname of
	 * stn_slot_cname(); the rest are inactive.
	 */
	const uint32_t *slot_ssrc;
	unsigned int slot_count;
	/*
	 * A client with fewer sections than slots gets the others in its last one: no a=ssrc stands
	 * there then, so that all of its streams are alike to it.
	 */
	bool spread_unsignalled;
};

/* The answer to exactly this offer, CRLF lines. False: out of memory (writer->failed). */
bool sdp_write_answer(
	struct writer *writer, const struct sdp_offer *offer, const struct sdp_answer *answer);

/*
 * application/trickle-ice-sdpfrag of a PATCH. The credentials are those of the generation it
 * belongs to: others than the session has restart ICE (RFC 9725 section 4.3.3).
 */
struct sdp_fragment {
	bool ice_known;
	struct sdp_ice ice;
	unsigned int candidate_count;
	bool end_of_candidates;
};

int sdp_parse_fragment(
	const char *text, size_t size, struct sdp_fragment *fragment, struct sdp_error *error);
/* Our side of an ICE restart: new credentials and the candidates. */
bool sdp_write_fragment(
	struct writer *writer, const struct sdp_offer *offer, const struct sdp_answer *answer);

#endif
