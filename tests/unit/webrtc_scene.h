/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A table server on three fake workers with legs of browsers in it, and one writer: what the tests
 * of such legs have in common.
 */
#ifndef STENTOR_TESTS_UNIT_WEBRTC_SCENE_H
#define STENTOR_TESTS_UNIT_WEBRTC_SCENE_H

#include "dataplane/core/ice.h"
#include "tests/unit/table_world.h"

#define WORKERS 3

extern struct world world;
extern int writer;

void scene_open(void);
void scene_close(void);
void op_room(uint64_t room_id);
void op_leg(const struct stn_op_leg_put *op);
void op_webrtc(uint64_t leg_id, enum stn_leg_role role);
void op_keys(uint64_t leg_id, enum stn_leg_role role);
void op_ice(uint64_t leg_id, unsigned int generation);
uint32_t commit(void);
void committed(void);
const struct stn_result *result(void);
void settle(void);
/* The worker that has this listener; asserts that there is exactly one. */
unsigned int owner(uint64_t leg_id);
/* What some worker has of a leg, NULL: none. */
const struct leg_facts *facts_of(uint64_t leg_id);
const struct ice_facts *ice_of(uint64_t leg_id);
/* A path of the leg was validated there. */
void moved(uint64_t leg_id, const struct stn_address *remote);
/* Workers that redirect this address to the leg, as bits. */
unsigned int redirects(uint64_t leg_id, const struct stn_address *address);
/* An address whose packets arrive at that worker. */
struct stn_address address_at(unsigned int worker, unsigned int number);
const struct stn_notice *next_notice(void);
void subscribe(void);
/* Room 1 with a listening browser 30 and a speaking browser 10, both before DTLS. */
void fill(void);

#endif
