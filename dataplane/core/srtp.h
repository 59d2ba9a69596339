/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The receive side of one leg: estimate the index, check the replay window, verify and decrypt, and
 * only then commit (RFC 3711 sections 3.3 and 3.4). A packet that fails changes nothing.
 *
 * A receiver belongs to the worker that owns the leg. One key, one SSRC for RTP and one for RTCP,
 * each with its own index space. The cells are the leg's places in the index store; they outlive
 * the receiver, and are written here only.
 */
#ifndef STENTOR_DATAPLANE_CORE_SRTP_H
#define STENTOR_DATAPLANE_CORE_SRTP_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/api/drop.h"
#include "dataplane/core/replay.h"
#include "dataplane/crypto/engine.h"

struct srtp_stream {
	struct replay replay;
	uint64_t *cell; /* highest received + 1, 0: none; may be NULL */
	uint32_t ssrc;
	bool ssrc_known; /* declared, or adopted from the first packet that authenticated */
};

struct srtp_receiver {
	const struct engine *engine;
	struct engine_core *core;
	struct engine_context *context;
	enum suite suite;
	struct srtp_stream rtp;
	struct srtp_stream rtcp;
};

struct srtp_receiver_facts {
	const struct engine *engine;
	struct engine_core *core;
	const struct master_key *key; /* not NONE; copied */
	uint32_t ssrc;                /* the only one accepted; 0: the first that authenticates */
	uint64_t *rtp_cell;           /* read now, written on every commit; may be NULL */
	uint64_t *rtcp_cell;
};

/* A datagram, decrypted in place. */
struct srtp_packet {
	uint8_t *data;
	unsigned int header_size; /* RTP: fixed header, CSRCs and extension; RTCP: not used */
	unsigned int size;        /* in: as received; out: without the trailer */
	uint64_t index;           /* out: 48 bit, or 31 bit for RTCP */
};

/* Returns 0, -EINVAL (key) or -ENOMEM; then there is nothing to close. */
int srtp_receiver_open(struct srtp_receiver *receiver, const struct srtp_receiver_facts *facts);
/* May be called any number of times. */
void srtp_receiver_close(struct srtp_receiver *receiver);

/*
 * Both return 0, or the enum stn_drop reason: then the packet's bytes are spoiled, packet->size and
 * index are as they were, and the receiver is as it was. The header has been parsed by the caller
 * (header_size is within size); sizes that cannot hold header and tag are refused here.
 */
int srtp_receive_rtp(struct srtp_receiver *receiver, struct srtp_packet *packet);
int srtp_receive_rtcp(struct srtp_receiver *receiver, struct srtp_packet *packet);

/* Folds everything mutable of the receiver into digest: unchanged unless something was committed.
 */
uint64_t srtp_receiver_digest(const struct srtp_receiver *receiver, uint64_t digest);

#endif
