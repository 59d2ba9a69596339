/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A table server on fake workers, with a clock the test turns, and plain clients that speak
 * table.sock by hand. Everything lives in a fresh directory that is removed at the end.
 */
#ifndef STENTOR_TESTS_UNIT_TABLE_WORLD_H
#define STENTOR_TESTS_UNIT_TABLE_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/ctl/server.h"
#include "tests/unit/fake_bus.h"

#define WORLD_ROOMS_MAX 64
#define WORLD_LEGS_MAX 1024

struct world {
	char directory[64];
	char socket_path[96];
	char index_path[96];
	struct fake_bus fake;
	struct table_server *server;
	struct table_server_config config;
	bool hold; /* workers do not run by themselves while waiting */
	uint8_t message[STN_TABLE_MESSAGE_MAX] __attribute__((aligned(8)));
	uint8_t ops[STN_TABLE_MESSAGE_MAX] __attribute__((aligned(8)));
	size_t ops_size;
	uint64_t store_id; /* of the last hello */
};

/* The server's clock. */
extern uint64_t world_now_ns;

void world_open(struct world *world, unsigned int workers);
/* Opens the server again as after the death of its process: the fake workers know nothing. */
void world_restart(struct world *world);
void world_close(struct world *world);
/* One turn of the server and, unless held, of the workers. */
void world_turn(struct world *world);

int world_connect(struct world *world);
void world_send(int fd, const void *message, size_t size);
/* The next message into world->message within two seconds, and its size; 0: the server hung up. */
size_t world_receive(struct world *world, int fd);
/* The next message that is not a NOTICE; asserts its type. */
const void *world_expect(struct world *world, int fd, uint16_t type);
/* Whether nothing arrives in some turns. */
bool world_silent(struct world *world, int fd);

/* Connects and greets; epoch 0: as a reader. */
int world_client(struct world *world, uint64_t epoch);
void world_send_header(int fd, uint16_t type, uint32_t sequence, uint64_t epoch);

/* Operations for the next world_ops() or world_transact(). */
void world_op(struct world *world, const void *op, size_t size);
void world_op_remove_room(struct world *world, uint64_t room_id);
void world_op_remove_leg(struct world *world, uint64_t leg_id);
void world_op_mute(struct world *world, uint64_t leg_id, bool muted, uint64_t until_ns);
void world_send_ops(struct world *world, int fd, uint64_t epoch);
/* BEGIN, OPS, COMMIT; returns the status and leaves the RESULT in world->message. */
uint32_t world_transact(struct world *world, int fd, uint64_t epoch);
uint32_t world_resync(struct world *world, int fd, uint64_t epoch);

/* A room with three slots and one profile, a leg with its own address and keys derived from id. */
struct stn_op_room_put world_room(uint64_t room_id);
struct stn_op_leg_put world_leg(uint64_t leg_id, uint64_t room_id, enum stn_leg_role role);
/* A browser's leg, without address and keys; then the same with keys. */
struct stn_op_leg_put world_webrtc(uint64_t leg_id, uint64_t room_id, enum stn_leg_role role);
struct stn_op_leg_put world_webrtc_keyed(uint64_t leg_id, uint64_t room_id, enum stn_leg_role role);
/* Credentials of the nth generation. */
struct stn_op_leg_ice world_ice(uint64_t leg_id, unsigned int generation);
/* 10.9.x.y with a port: x.y and the port are from number. */
struct stn_address world_address(unsigned int number);

#endif
