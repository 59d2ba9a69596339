/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Builds Ethernet frames for the XDP tests from a short description in which 0 means "as usual": an
 * untagged IPv4 frame without options that carries 32 bytes of RTP to FRAME_PORT.
 */
#ifndef STENTOR_TESTS_BPF_FRAME_H
#define STENTOR_TESTS_BPF_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_PORT 40000
#define FRAME_SIZE_MAX 2048
#define FRAME_EXTENSIONS_MAX 6

struct frame_extension {
	uint8_t type;      /* IPv6 next header value of this header; 0 is hop-by-hop */
	uint8_t words;     /* claimed length in 8 bytes beyond the first 8 */
	uint16_t fragment; /* type 44: offset and flags */
};

struct frame_spec {
	bool ipv6;
	bool tagged;
	bool tagged_twice;
	uint16_t tag;        /* TCI: PCP, DEI, VID */
	uint16_t tag_type;   /* 0: 0x8100 */
	uint16_t ether_type; /* of the payload; 0: from ipv6 */
	uint8_t version;     /* 0: right for the family */
	uint8_t ihl;         /* words really there; 0: 5 */
	uint8_t ihl_claimed; /* 0: ihl */
	bool ihl_zero;       /* claims 0 */
	uint8_t protocol;    /* 0: UDP */
	uint16_t fragment;   /* IPv4 flags and offset */
	int extension_count; /* IPv6 */
	struct frame_extension extension[FRAME_EXTENSIONS_MAX];
	uint32_t source; /* 0: 192.0.2.1; IPv6 2001:db8:0:SUBNET:HIGH:SOURCE */
	uint16_t source_subnet;
	uint32_t source_high; /* IPv6: bytes 8 to 11 of the address */
	bool elsewhere;       /* to an address that is not the relay's */
	uint16_t source_port;
	uint16_t port; /* 0: FRAME_PORT */
	bool port_zero;
	uint8_t first_byte; /* of the payload; 0: 0x80, RTP */
	bool first_byte_zero;
	int payload_size; /* 0: 32 */
	bool payload_none;
	int ip_length_add;  /* claimed minus true */
	int udp_length_add; /* claimed minus true */
	int padding;        /* bytes behind the IP packet */
	int cut;            /* the frame ends after so many bytes; 0: it does not */
};

/* The relay's addresses, network order: 198.51.100.7 and 2001:db8:7::7. */
extern const uint8_t frame_relay4[4];
extern const uint8_t frame_relay6[16];

/* Returns the frame's size; it is in a heap block of exactly that size, freed by the caller. */
size_t frame_build(const struct frame_spec *spec, uint8_t **out);

#endif
