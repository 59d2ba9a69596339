/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How many handshakes may be under way: all together and from one address (IPv6: one /64, which one
 * household has). Somebody who opens many and finishes none only takes places of their own address,
 * and loses the most idle one to the next. Pure; the loop's thread.
 */
#ifndef STENTOR_CONTROLPLANE_WEBRTC_GATE_H
#define STENTOR_CONTROLPLANE_WEBRTC_GATE_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/api/table.h"

/* A place of that address may be taken over when its holder has sent nothing for so long. */
#define GATE_IDLE_NS 3000000000ULL

struct gate_address; /* handshakes of one address, the one silent for longest first */

/* Part of whoever holds a place. */
struct gate_place {
	struct gate_address *address; /* NULL: has none */
	struct gate_place *newer, *older;
	uint64_t heard_ns;
};

struct gate {
	unsigned int max;
	unsigned int address_max;
	unsigned int count;
	uint64_t seed; /* random, so that nobody can choose addresses that collide */
	struct gate_address **bucket;
	unsigned int bucket_count; /* power of two, at least max */
};

/* 0 or -ENOMEM. */
int gate_open(struct gate *gate, unsigned int max, unsigned int address_max, uint64_t seed);
/* Every place must have been left. */
void gate_close(struct gate *gate);

/*
 * 0: the place is taken. -ENOBUFS: no place; *idle is the holder of that address who may be sent
 * away for it, or NULL. -ENOMEM.
 */
int gate_enter(struct gate *gate, struct gate_place *place, const struct stn_address *address,
	uint64_t now_ns, struct gate_place **idle);
/* The peer of that place has sent something. */
void gate_hear(struct gate_place *place, uint64_t now_ns);
/* Does nothing without a place. */
void gate_leave(struct gate *gate, struct gate_place *place);

#endif
