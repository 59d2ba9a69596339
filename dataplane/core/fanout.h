/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fan-out of one slot packet to the listeners of a shard. A fan-out walks the groups of the shard
 * in runs of at most one block; the caller gives each run its buffers, so this file knows nothing
 * of ports. It may be cut into as many slices as one likes: legs that join meanwhile are not part
 * of it, legs that are silenced meanwhile are left out, and none is taken out (shard.h) until it is
 * over.
 *
 * One plaintext serves every leg of a group (DESIGN section 3); only key, ROC and addresses differ.
 */
#ifndef STENTOR_DATAPLANE_CORE_FANOUT_H
#define STENTOR_DATAPLANE_CORE_FANOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/core/frame.h"
#include "dataplane/core/rtp.h"
#include "dataplane/core/shard.h"

#define FANOUT_PAYLOAD_MAX 1400
#define FANOUT_PROFILES_MAX 4
#define FANOUT_FRAME_MIN 128
/* Blocks of which nobody gets the packet: looking at so many costs about as much as 64 copies. */
#define FANOUT_PASS_MAX 8u

/* What a slot sends, the same for everybody. The payload is borrowed. */
struct slot_packet {
	uint64_t index; /* 48 bit: ROC and sequence number */
	uint32_t ssrc;
	uint32_t timestamp;
	uint32_t csrc; /* the real speaker; 0: none */
	uint64_t ntp;  /* when it was captured, our clock; not on the wire, but in sender reports */
	uint8_t slot;
	bool marker;
	bool has_level;
	uint8_t level; /* RFC 6464, voice flag in the top bit */
	const uint8_t *payload;
	uint16_t payload_size;
	/* RED (RFC 2198) as it came, the payload being its primary block; size 0: none. */
	uint16_t red_size;
	uint8_t red_payload_type; /* of the blocks in it */
	const uint8_t *red;
};

struct fanout_profile {
	uint8_t payload_type;
	uint8_t audio_level_id;   /* 0: not forwarded */
	uint8_t red_payload_type; /* 0: the primary block only */
};

/*
 * RTP headers of a slot packet and what stands behind them, one a profile; made once for all shards
 * of a worker. Payloads are borrowed from the slot packet.
 */
struct fanout_headers {
	uint8_t bytes[FANOUT_PROFILES_MAX][RTP_BUILD_MAX];
	uint8_t size[FANOUT_PROFILES_MAX];
	uint16_t payload_size[FANOUT_PROFILES_MAX];
	const uint8_t *payload[FANOUT_PROFILES_MAX];
};

/* A leg's place in the order in which a fan-out goes: group by group. */
struct fanout_place {
	uint32_t group;
	uint32_t position;
};

struct fanout {
	struct shard *shard;
	const struct slot_packet *packet;
	const struct fanout_headers *headers;
	/*
	 * The packet protected under the room's group key, set before begin. There is one: another
	 * profile's would be another text under the same nonce.
	 */
	const uint8_t *group_packet;
	uint16_t group_size;
	struct heading heading;         /* of the group it is in */
	uint32_t end[SHARD_GROUPS_MAX]; /* legs of each group when the fan-out began */
	unsigned int group_count;
	struct fanout_place start;
	struct fanout_place next; /* where it is */
	uint32_t stop;            /* position where this stretch of the group ends */
	unsigned int stretch;     /* how many are behind it; the last one leads back to the start */
};

/* A stretch of lanes of one block that all get the packet. */
struct fanout_run {
	const struct leg_group *group;
	struct leg_block *block;
	struct fanout_place first;
	uint32_t lane;
	uint32_t count;                  /* 0: the fan-out is over, or */
	bool passed;                     /* it went by FANOUT_PASS_MAX blocks without a run */
	uint32_t roc[ENGINE_BLOCK_LEGS]; /* each leg's own, by lane */
};

void fanout_headers_build(struct fanout_headers *headers, const struct slot_packet *packet,
	const struct fanout_profile profile[], unsigned int profile_count);
/*
 * start: the leg to begin with, if there is one at that place; it goes around all groups from
 * there. Rotated under back-pressure, so that neither a tail nor a whole group is always lost
 * (TRAPS 43).
 */
void fanout_begin(struct fanout *fanout, struct shard *shard, const struct slot_packet *packet,
	const struct fanout_headers *headers, const struct fanout_place *start);
/*
 * The next run of at most max (1 to ENGINE_BLOCK_LEGS) legs. When thousands have left since it
 * began, none for a while: then it returns now and again with count 0 and passed set.
 */
void fanout_next(struct fanout *fanout, uint32_t max, struct fanout_run *run);
/* Whether it has still to come by this place, or passes over it then; who joined later is no part.
 */
bool fanout_is_ahead(const struct fanout *fanout, const struct shard_place *place);
/*
 * Asks for the first keys of the block behind the run's: to be called while the run's copies are on
 * their way to the port, when nothing else wants memory. The engine asks for the rest as it goes.
 */
void fanout_look_ahead(const struct fanout_run *run);
/* Bytes of a frame of the run's group: template, RTP, tag. */
uint32_t fanout_frame_size(const struct fanout *fanout, const struct leg_group *group);
/*
 * Writes the run's frames. Each frame[i] has room for fanout_frame_size() bytes in whole cache
 * lines and at least FANOUT_FRAME_MIN: headers are written so.
 */
void fanout_write(const struct fanout *fanout, struct engine_core *core,
	const struct fanout_run *run, uint8_t *const frame[]);

#endif
