/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What stands in front of the payloads of one run: Ethernet to UDP and the RTP header. All legs of
 * a group have nearly all of it in common; a leg's own part is its destination and the sum over its
 * headers, 16 bytes (32 over IPv6) in place of a template of its own. Both are put together as the
 * copies are made, whole cache lines at a time.
 *
 * Pure functions on the caller's memory; a heading is made once for each fan-out and group.
 */
#ifndef STENTOR_DATAPLANE_CORE_HEADING_H
#define STENTOR_DATAPLANE_CORE_HEADING_H

#include <stdint.h>

#include "dataplane/core/frame.h"

#define HEADING_LINE 64u
/* A template and an RTP header of ours fit in two lines. */
#define HEADING_LINES_MAX 2u
#define HEADING_MAC 0u
#define HEADING_SUM 6u
#define HEADING_ADDRESS 8u

static inline bool heading_is_ipv4(unsigned int template_size)
{
	return template_size < FRAME_ETHERNET_SIZE + FRAME_IPV6_SIZE + FRAME_UDP_SIZE;
}

/* Bytes of a leg's part: destination MAC, sum, address, port, and zeroes to a power of two. */
static inline unsigned int heading_leg_size(unsigned int template_size)
{
	return heading_is_ipv4(template_size) ? 16 : 32;
}

/* template = common, which has zeroes where the leg's part belongs, and that part. */
void heading_split(
	const struct frame_template *template, uint8_t common[FRAME_TEMPLATE_MAX], uint8_t leg[]);

struct heading {
	uint8_t bytes[HEADING_LINES_MAX * HEADING_LINE];
	uint8_t order[HEADING_LINE]; /* which byte of the leg's part, for those of the first line */
	uint64_t own;                /* bit n: byte n of the first line is the leg's */
	const uint8_t *packet;       /* what follows the template; borrowed */
	uint16_t packet_size;        /* of what is the same for all and stored here */
	uint16_t length_be;          /* IPv4: added to the sum */
	uint8_t template_size;
};

/*
 * packet: what of the UDP payload is the same for all, its RTP header or all of it. payload_size:
 * of the whole UDP payload.
 */
void heading_prepare(struct heading *heading, const uint8_t common[FRAME_TEMPLATE_MAX],
	unsigned int template_size, const uint8_t *packet, unsigned int packet_size,
	unsigned int payload_size);

/*
 * Writes template and packet of each of count frames, up to the end of a cache line counted from
 * the frame's beginning. legs: their parts, one behind the other. IPv4 headers are finished;
 * frame_finish_ipv6() has to follow when the payload is complete.
 */
typedef void (*heading_writer)(const struct heading *heading, const uint8_t *legs,
	unsigned int count, uint8_t *const frame[]);
/* The fastest that this CPU can run. */
heading_writer heading_writer_find(void);

/* Implementations: in plain C, and with AVX-512 BW and VBMI. */
void heading_write(const struct heading *heading, const uint8_t *legs, unsigned int count,
	uint8_t *const frame[]);
void heading_write_avx512(const struct heading *heading, const uint8_t *legs, unsigned int count,
	uint8_t *const frame[]);
bool heading_avx512_available(void);

/* Bytes from a frame's beginning that are written. */
static inline unsigned int heading_written(const struct heading *heading)
{
	unsigned int size = heading->template_size + heading->packet_size;

	return (size + HEADING_LINE - 1) / HEADING_LINE * HEADING_LINE;
}

#endif
