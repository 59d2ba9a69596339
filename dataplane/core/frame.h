/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames: Ethernet, optional 802.1Q, IPv4 or IPv6, UDP. Parsing on the receive side; on the send
 * side templates that are built once per leg and finished once per copy. Any thread; owns nothing.
 *
 * Not verified on receive: the UDP checksum (veth hands over partial ones, TRAPS 38; the SRTP tag
 * covers what matters).
 */
#ifndef STENTOR_DATAPLANE_CORE_FRAME_H
#define STENTOR_DATAPLANE_CORE_FRAME_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "dataplane/api/drop.h"
#include "dataplane/api/table.h"
#include "dataplane/core/siphash.h"

#define FRAME_MAC_SIZE 6
#define FRAME_ETHERNET_SIZE 14
#define FRAME_VLAN_SIZE 4
#define FRAME_IPV4_SIZE 20
#define FRAME_IPV6_SIZE 40
#define FRAME_UDP_SIZE 8
/* Ethernet, 802.1Q, IPv6, UDP. */
#define FRAME_TEMPLATE_MAX 66

struct frame {
	struct stn_address source;
	struct stn_address destination;
	uint8_t source_mac[FRAME_MAC_SIZE];
	uint8_t destination_mac[FRAME_MAC_SIZE];
	uint16_t vlan;           /* 802.1Q id, 0: untagged or priority-tagged */
	uint16_t payload_offset; /* of the UDP payload in the frame */
	uint16_t payload_size;   /* after the UDP length; padding behind it is not counted */
};

/*
 * Returns true and fills *out, or false and sets *reason: FRAME_TRUNCATED, FRAME_NOT_IP (also an
 * IPv4 header whose version or checksum is wrong, and a second VLAN tag), FRAME_FRAGMENT,
 * FRAME_NOT_UDP (also any IPv6 extension header but a fragment's), FRAME_BAD_LENGTH.
 */
bool frame_parse(const uint8_t *data, unsigned int size, struct frame *out, enum stn_drop *reason);

/* Family, address and port; a reserved byte does not count. */
bool frame_address_equal(const struct stn_address *a, const struct stn_address *b);
/* Keyed: strangers choose the addresses, so they must not be able to choose the buckets. */
uint64_t frame_address_hash(const struct siphash_key *key, const struct stn_address *address);

/* From where to where the copies of one leg go. */
struct frame_path {
	uint8_t source_mac[FRAME_MAC_SIZE];
	uint8_t destination_mac[FRAME_MAC_SIZE];
	uint16_t vlan; /* 1 to 4094, 0: untagged */
	uint8_t dscp;  /* 0 to 63 */
	struct stn_address local;
	struct stn_address remote;
};

/*
 * The headers of a leg's frames, lengths and checksum still open: the IPv4 checksum field (IPv6:
 * the UDP checksum field) holds the folded sum of everything else, and every length is 0. The UDP
 * header is the last thing in it, so offsets count back from its end.
 */
struct frame_template {
	uint8_t bytes[FRAME_TEMPLATE_MAX];
	uint8_t size;   /* 42, 46, 62 or 66 */
	uint8_t family; /* 4 or 6 */
};
_Static_assert(sizeof(struct frame_template) == 68, "kept by the million");

/* 0, or -EINVAL when the families differ or vlan or dscp is out of range. */
int frame_template_build(const struct frame_path *path, struct frame_template *out);

/* What all copies of one fan-out have in common, computed once. */
struct frame_lengths {
	uint16_t ipv4_be;
	uint16_t udp_be;
};

static inline struct frame_lengths frame_lengths(unsigned int payload_size)
{
	unsigned int udp = FRAME_UDP_SIZE + payload_size;

	return (struct frame_lengths){
		.ipv4_be = __builtin_bswap16((uint16_t)(FRAME_IPV4_SIZE + udp)),
		.udp_be = __builtin_bswap16((uint16_t)udp),
	};
}

/*
 * Turns the sum that stands in a checksum field into the checksum, with a length added. One fold is
 * enough: both terms are below 2^16. The sum is the same in either byte order (RFC 1071 section 2).
 */
static inline void frame_checksum_ipv4(uint8_t *field, uint16_t length_be)
{
	uint16_t partial, checksum;
	uint32_t sum;

	memcpy(&partial, field, sizeof(partial));
	sum = (uint32_t)partial + length_be;
	checksum = (uint16_t) ~((sum & 0xffff) + (sum >> 16));
	memcpy(field, &checksum, sizeof(checksum));
}

/*
 * Finishes a copy over IPv4. frame: a template's bytes with the payload behind them (not read),
 * header_size: the template's size. The UDP checksum stays 0, which IPv4 allows.
 */
static inline void frame_finish_ipv4(
	uint8_t *frame, unsigned int header_size, const struct frame_lengths *lengths)
{
	uint8_t *ip = frame + header_size - FRAME_UDP_SIZE - FRAME_IPV4_SIZE;

	frame_checksum_ipv4(ip + 10, lengths->ipv4_be);
	memcpy(ip + 2, &lengths->ipv4_be, sizeof(lengths->ipv4_be));
	memcpy(ip + FRAME_IPV4_SIZE + 4, &lengths->udp_be, sizeof(lengths->udp_be));
}

/* The same over IPv6, where the payload must be complete: its sum is taken (RFC 8200, 8.1). */
void frame_finish_ipv6(uint8_t *frame, unsigned int header_size, unsigned int payload_size);

#endif
