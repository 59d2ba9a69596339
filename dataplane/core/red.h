/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RED (RFC 2198) of Opus: blocks of earlier frames in front of the present one. It is passed on as
 * it is to who agreed to it; everybody else gets the primary block, which is the last one. Any
 * thread; owns nothing: offsets refer to the caller's payload.
 */
#ifndef STENTOR_DATAPLANE_CORE_RED_H
#define STENTOR_DATAPLANE_CORE_RED_H

#include <stdint.h>

/* Chromium sends one or two; a bound for strangers. */
#define RED_BLOCKS_MAX 8

struct red {
	unsigned int blocks;         /* the primary one included */
	unsigned int primary_offset; /* in the payload; it ends where the payload does */
};

/*
 * 0, or -EINVAL: block headers or lengths that do not fit into size, more than RED_BLOCKS_MAX
 * blocks, a block of another payload type than payload_type (we could not promise what it is), or
 * an empty primary block.
 */
int red_parse(const uint8_t *payload, unsigned int size, uint8_t payload_type, struct red *out);

#endif
