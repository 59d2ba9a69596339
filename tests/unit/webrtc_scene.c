/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/webrtc_scene.h"

#include <check.h>
#include <string.h>
#include <unistd.h>

struct world world;
int writer;

void scene_open(void)
{
	world_open(&world, WORKERS);
	writer = world_client(&world, 5);
}

void scene_close(void)
{
	close(writer);
	world_close(&world);
}

void op_room(uint64_t room_id)
{
	struct stn_op_room_put op = world_room(room_id);

	world_op(&world, &op, sizeof(op));
}

void op_leg(const struct stn_op_leg_put *op)
{
	world_op(&world, op, sizeof(*op));
}

void op_webrtc(uint64_t leg_id, enum stn_leg_role role)
{
	struct stn_op_leg_put op = world_webrtc(leg_id, 1, role);

	op_leg(&op);
}

void op_keys(uint64_t leg_id, enum stn_leg_role role)
{
	struct stn_op_leg_put op = world_webrtc_keyed(leg_id, 1, role);

	op_leg(&op);
}

void op_ice(uint64_t leg_id, unsigned int generation)
{
	struct stn_op_leg_ice op = world_ice(leg_id, generation);

	world_op(&world, &op, sizeof(op));
}

uint32_t commit(void)
{
	return world_transact(&world, writer, 5);
}

void committed(void)
{
	ck_assert_uint_eq(commit(), STN_STATUS_OK);
}

const struct stn_result *result(void)
{
	return (const struct stn_result *)world.message;
}

void settle(void)
{
	for (int i = 0; i < 6; i++)
		world_turn(&world);
}

unsigned int owner(uint64_t leg_id)
{
	unsigned int worker = WORKERS;

	for (unsigned int i = 0; i < WORKERS; i++) {
		if (!fake_bus_leg(&world.fake, i, leg_id))
			continue;
		ck_assert_uint_eq(worker, WORKERS);
		worker = i;
	}
	ck_assert_uint_lt(worker, WORKERS);
	return worker;
}

const struct leg_facts *facts_of(uint64_t leg_id)
{
	for (unsigned int i = 0; i < WORKERS; i++)
		if (fake_bus_leg(&world.fake, i, leg_id))
			return fake_bus_leg(&world.fake, i, leg_id);
	return NULL;
}

const struct ice_facts *ice_of(uint64_t leg_id)
{
	const struct leg_facts *facts = facts_of(leg_id);

	return facts ? fake_bus_ice(&world.fake, facts->worker, leg_id) : NULL;
}

void moved(uint64_t leg_id, const struct stn_address *remote)
{
	fake_bus_moved(&world.fake, facts_of(leg_id), remote);
	settle();
}

unsigned int redirects(uint64_t leg_id, const struct stn_address *address)
{
	unsigned int workers = 0;

	for (unsigned int i = 0; i < WORKERS; i++)
		if (fake_bus_redirect(&world.fake, i, address) == leg_id)
			workers |= 1u << i;
	return workers;
}

struct stn_address address_at(unsigned int worker, unsigned int number)
{
	struct stn_address address;

	do
		address = world_address(number++);
	while (world.fake.bus.worker_of(&world.fake, &address) != worker);
	return address;
}

const struct stn_notice *next_notice(void)
{
	return world_expect(&world, writer, STN_MESSAGE_NOTICE);
}

void subscribe(void)
{
	world_send_header(writer, STN_MESSAGE_NOTICES_SUBSCRIBE, 9, 5);
	world_expect(&world, writer, STN_MESSAGE_RESULT);
}

void fill(void)
{
	op_room(1);
	op_webrtc(10, STN_ROLE_SPEAKER);
	op_ice(10, 1);
	op_webrtc(30, STN_ROLE_LISTENER);
	op_ice(30, 1);
	committed();
}
