/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RTP packets of the tools: build one, look into one (RFC 3550, RFC 8285 one-byte form, RFC 6464).
 * Written apart from dataplane/core on purpose, so that an error there is not repeated here.
 */
#ifndef STENTOR_PERF_PACKET_H
#define STENTOR_PERF_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#define PACKET_MAX 1500
#define PACKET_CSRCS_MAX 15

struct packet_view {
	bool marker;
	uint8_t payload_type;
	uint16_t sequence;
	uint32_t timestamp;
	uint32_t ssrc;
	unsigned int csrc_count;
	uint32_t csrc[PACKET_CSRCS_MAX];
	unsigned int extension_size; /* bytes behind the extension's own four; 0: none */
	const uint8_t *payload;
	unsigned int payload_size;
};

struct packet_plan {
	bool marker;
	uint8_t payload_type;
	uint16_t sequence;
	uint32_t timestamp;
	uint32_t ssrc;
	uint8_t level_id; /* RFC 6464 extension id, 0: no extension */
	uint8_t level;    /* 0 loudest to 127; bit 7: voice activity */
};

/* View into bytes, which must outlive it. -EBADMSG when the header does not fit. */
int packet_parse(struct packet_view *view, const uint8_t *bytes, unsigned int size);
/* Writes header and payload to out (PACKET_MAX bytes); returns the size, or -EMSGSIZE. */
int packet_build(const struct packet_plan *plan, const uint8_t *payload, unsigned int payload_size,
	uint8_t *out);
/* RTCP by payload type, RFC 5761 section 4. */
bool packet_is_rtcp(const uint8_t *bytes, unsigned int size);

#endif
