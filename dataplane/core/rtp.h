/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RTP headers (RFC 3550 section 5.1), header extensions (RFC 8285, one bounds-checked iterator for
 * both forms) and the header of an outgoing slot packet. Any thread; owns nothing: offsets refer to
 * the caller's packet.
 */
#ifndef STENTOR_DATAPLANE_CORE_RTP_H
#define STENTOR_DATAPLANE_CORE_RTP_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/core/bytes.h"

#define RTP_HEADER_SIZE 12
#define RTP_CLOCK_HZ 48000u
/* Fixed header, one CSRC, an extension of one word. */
#define RTP_BUILD_MAX 24

struct rtp {
	uint8_t payload_type;
	uint8_t csrc_count;
	bool marker;
	bool padding; /* resolved by rtp_payload(), after decryption */
	bool extension;
	uint16_t sequence;
	uint32_t timestamp;
	uint32_t ssrc;
	uint16_t extension_profile;
	uint16_t extension_offset; /* of the first element */
	uint16_t extension_size;   /* in bytes, without its 4-byte header */
	uint16_t header_size;      /* fixed header, CSRCs and extension */
};

/* 0, or -EINVAL when the version is not 2 or the headers do not fit into size (at most 65,535). */
int rtp_parse(const uint8_t *data, unsigned int size, struct rtp *out);

/*
 * The payload of a decrypted packet of `size` bytes without its padding. 0, or -EINVAL when the
 * padding count is 0 or larger than the payload.
 */
int rtp_payload_size(
	const uint8_t *data, unsigned int size, const struct rtp *rtp, unsigned int *payload_size);

struct rtp_extension {
	uint8_t id;   /* 1 to 14, two-byte form 1 to 255 */
	uint8_t size; /* one-byte form 1 to 16, two-byte form 0 to 255 */
	const uint8_t *data;
};

struct rtp_extension_iterator {
	struct cursor cursor;
	bool two_byte;
};

/* Over no elements when there is no extension or its profile is neither form's. */
struct rtp_extension_iterator rtp_extension_begin(const uint8_t *data, const struct rtp *rtp);
/* False at the end, at id 15 of the one-byte form, and at an element that does not fit. */
bool rtp_extension_next(struct rtp_extension_iterator *iterator, struct rtp_extension *out);

/* What a slot packet's header says; the same for all listeners of a profile. */
struct rtp_outgoing {
	uint8_t payload_type;
	bool marker;
	uint16_t sequence;
	uint32_t timestamp;
	uint32_t ssrc;
	uint32_t csrc;          /* 0: none */
	uint8_t audio_level_id; /* RFC 6464 under this id, 1 to 14; 0: not sent */
	uint8_t audio_level;    /* V bit and level, as RFC 6464 has them in one byte */
};

/* Returns the header's size: 12, 16, 20 or 24. */
unsigned int rtp_build(const struct rtp_outgoing *facts, uint8_t out[RTP_BUILD_MAX]);

#endif
