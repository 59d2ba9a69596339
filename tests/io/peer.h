/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A remote end: a speaker or a listener, whose SRTP is libsrtp2's. It knows its address and keys
 * and keeps what it heard, decrypted; how bytes travel is the harness's business.
 */
#ifndef STENTOR_TESTS_IO_PEER_H
#define STENTOR_TESTS_IO_PEER_H

#include <srtp2/srtp.h>

#include "dataplane/io/command.h"
#include "perf/mediakey.h"
#include "perf/packet.h"
#include "tests/io/browser.h"
#include "tests/support/random.h"

#define PEER_PAYLOAD_KEPT 64

/* A packet as it was heard. */
struct heard {
	struct packet_view view; /* payload and extension are copies, below */
	uint8_t payload[PEER_PAYLOAD_KEPT];
	uint8_t level; /* RFC 6464 byte when there is a one-byte extension */
	bool has_level;
};

struct peer {
	struct leg_facts facts;
	struct leg_facts first;  /* WEBRTC: without its keys, as the leg was added */
	struct browser *browser; /* NULL: a keyed leg */
	struct ice_facts *ice;   /* what the relay has of its credentials */
	struct index_cell cells[LEG_CELLS];
	struct media_key send_key, hear_key;
	srtp_t send, hear; /* NULL: it does not */
	/* Of the stream it sends. */
	uint32_t ssrc;
	uint16_t sequence; /* of the next packet */
	uint32_t timestamp;
	bool marker;
	uint8_t level_id;
	struct heard *heard;
	unsigned int heard_count;
	unsigned int heard_capacity;
	unsigned int refused; /* datagrams that libsrtp did not take */
	/* RTCP that came: how often, and the last one. */
	unsigned int report_count, report_size;
	uint8_t report[PACKET_MAX];
	/* The last RTP datagram that came, and that was lost because it is deaf; as on the wire. */
	unsigned int last_size, missed_size, missed_count;
	uint8_t last[PACKET_MAX], missed[PACKET_MAX];
	bool deaf; /* what comes is lost on the way */
	bool gone; /* removed: whatever comes is an error */
};

/* Fresh keys for both directions; suites as in table.h, NONE: no such direction. */
void peer_keys(struct peer *peer, uint8_t tx_suite, uint8_t rx_suite, struct random_state *random);
/* Hears with this key: the room's. */
void peer_hear_with(struct peer *peer, const struct stn_master_key *key);
/* From now on only this stream, from this ROC on: for who was told it. */
void peer_expect(struct peer *peer, uint32_t ssrc, uint32_t roc);
void peer_close(struct peer *peer);
/* The next packet of its stream, protected; returns the size. level 0 to 127, 128 on: voice. */
unsigned int peer_packet(struct peer *peer, uint8_t level, const void *payload,
	unsigned int payload_size, uint8_t out[PACKET_MAX]);
/* A receiver report, protected. */
unsigned int peer_report(struct peer *peer, uint8_t out[PACKET_MAX]);
/* RTCP of the test's making, protected; size at most 256. */
unsigned int peer_rtcp(
	struct peer *peer, const uint8_t *packet, unsigned int size, uint8_t out[PACKET_MAX]);
/* A datagram arrived. */
void peer_take(struct peer *peer, const uint8_t *datagram, unsigned int size);
/* How many of those heard have this SSRC; the i-th of them. */
unsigned int peer_count(const struct peer *peer, uint32_t ssrc);
const struct heard *peer_at(const struct peer *peer, uint32_t ssrc, unsigned int i);
void peer_forget(struct peer *peer);

#endif
