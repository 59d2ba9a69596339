/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/table_world.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

uint64_t world_now_ns;

static uint64_t fake_now(void)
{
	return world_now_ns;
}

static uint64_t real_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void open_server(struct world *world)
{
	ck_assert_int_eq(table_server_open(&world->server, &world->config, &world->fake.bus), 0);
}

void world_open(struct world *world, unsigned int workers)
{
	memset(world, 0, sizeof(*world));
	strcpy(world->directory, "/tmp/stentor-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(world->directory));
	snprintf(world->socket_path, sizeof(world->socket_path), "%s/table.sock", world->directory);
	snprintf(world->index_path, sizeof(world->index_path), "%s/index", world->directory);
	world_now_ns = 1000000000;
	fake_bus_init(&world->fake, workers);
	world->config = (struct table_server_config){.path = world->socket_path,
		.allowed_uid = (uid_t)-1,
		.allowed_gid = (gid_t)-1,
		.index_path = world->index_path,
		.index_records = 256,
		.rooms_max = WORLD_ROOMS_MAX,
		.legs_max = WORLD_LEGS_MAX,
		.room_speakers_max = 8,
		.clients_max = 8,
		.engine = "fake",
		.now_ns = fake_now};
	open_server(world);
}

void world_restart(struct world *world)
{
	unsigned int workers = world->fake.bus.worker_count;

	table_server_close(world->server);
	fake_bus_init(&world->fake, workers);
	open_server(world);
}

void world_close(struct world *world)
{
	char path[128];

	table_server_close(world->server);
	unlink(world->index_path);
	snprintf(path, sizeof(path), "%s.damaged", world->index_path);
	unlink(path);
	ck_assert_int_eq(rmdir(world->directory), 0);
}

void world_turn(struct world *world)
{
	table_server_poll(world->server, 0);
	if (!world->hold)
		fake_bus_run_all(&world->fake);
}

int world_connect(struct world *world)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);

	strcpy(address.sun_path, world->socket_path);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

void world_send(int fd, const void *message, size_t size)
{
	ck_assert_int_eq(send(fd, message, size, MSG_NOSIGNAL), (ssize_t)size);
}

size_t world_receive(struct world *world, int fd)
{
	uint64_t deadline_ns = real_now_ns() + UINT64_C(2000000000);

	for (;;) {
		ssize_t size = recv(fd, world->message, sizeof(world->message), 0);

		if (size >= 0)
			return (size_t)size;
		if (errno == ECONNRESET)
			return 0;
		ck_assert_int_eq(errno, EAGAIN);
		ck_assert_msg(real_now_ns() < deadline_ns, "nothing arrived in two seconds");
		world_turn(world);
	}
}

const void *world_expect(struct world *world, int fd, uint16_t type)
{
	const struct stn_header *header = (const struct stn_header *)world->message;

	do {
		ck_assert_uint_ge(world_receive(world, fd), sizeof(*header));
		ck_assert_uint_eq(header->magic, STN_TABLE_MAGIC);
	} while (header->type == STN_MESSAGE_NOTICE && type != STN_MESSAGE_NOTICE);
	ck_assert_uint_eq(header->type, type);
	return world->message;
}

bool world_silent(struct world *world, int fd)
{
	for (int i = 0; i < 8; i++)
		world_turn(world);
	return recv(fd, world->message, sizeof(world->message), MSG_PEEK) < 0 && errno == EAGAIN;
}

void world_send_header(int fd, uint16_t type, uint32_t sequence, uint64_t epoch)
{
	struct stn_header header = {
		STN_TABLE_MAGIC, STN_TABLE_VERSION, type, sizeof(header), sequence, epoch};

	world_send(fd, &header, sizeof(header));
}

int world_client(struct world *world, uint64_t epoch)
{
	struct stn_hello hello = {.header = {STN_TABLE_MAGIC, STN_TABLE_VERSION, STN_MESSAGE_HELLO,
					  sizeof(hello), 1, epoch},
		.role = epoch ? STN_CLIENT_WRITER : STN_CLIENT_READER};
	const struct stn_hello_reply *reply;
	int fd = world_connect(world);

	world_send(fd, &hello, sizeof(hello));
	reply = world_expect(world, fd, STN_MESSAGE_HELLO_REPLY);
	ck_assert_uint_eq(reply->status, STN_STATUS_OK);
	world->store_id = reply->index_store_id;
	return fd;
}

void world_op(struct world *world, const void *op, size_t size)
{
	ck_assert_uint_le(world->ops_size + size, sizeof(world->ops) - sizeof(struct stn_header));
	memcpy(world->ops + world->ops_size, op, size);
	world->ops_size += size;
}

void world_op_remove_room(struct world *world, uint64_t room_id)
{
	struct stn_op_room_remove op = {{STN_OP_ROOM_REMOVE, sizeof(op), 0}, room_id};

	world_op(world, &op, sizeof(op));
}

void world_op_remove_leg(struct world *world, uint64_t leg_id)
{
	struct stn_op_leg_remove op = {{STN_OP_LEG_REMOVE, sizeof(op), 0}, leg_id};

	world_op(world, &op, sizeof(op));
}

void world_op_mute(struct world *world, uint64_t leg_id, bool muted, uint64_t until_ns)
{
	struct stn_op_leg_mute op = {{STN_OP_LEG_MUTE, sizeof(op), 0}, leg_id, until_ns, muted, 0};

	world_op(world, &op, sizeof(op));
}

void world_send_ops(struct world *world, int fd, uint64_t epoch)
{
	struct stn_header *header = (struct stn_header *)world->message;

	*header = (struct stn_header){STN_TABLE_MAGIC, STN_TABLE_VERSION, STN_MESSAGE_OPS,
		(uint32_t)(sizeof(*header) + world->ops_size), 7, epoch};
	memcpy(header + 1, world->ops, world->ops_size);
	world_send(fd, header, header->length);
	world->ops_size = 0;
}

static uint32_t transact(
	struct world *world, int fd, uint64_t epoch, uint16_t begin, uint16_t commit)
{
	const struct stn_result *result = (const struct stn_result *)world->message;

	world_send_header(fd, begin, 7, epoch);
	if (world->ops_size)
		world_send_ops(world, fd, epoch);
	world_send_header(fd, commit, 7, epoch);
	do
		ck_assert_uint_gt(world_receive(world, fd), 0);
	while (result->header.type == STN_MESSAGE_ORIGINS ||
		result->header.type == STN_MESSAGE_NOTICE);
	ck_assert_uint_eq(result->header.type, STN_MESSAGE_RESULT);
	ck_assert_uint_eq(result->header.sequence, 7);
	return result->status;
}

uint32_t world_transact(struct world *world, int fd, uint64_t epoch)
{
	return transact(world, fd, epoch, STN_MESSAGE_BEGIN, STN_MESSAGE_COMMIT);
}

uint32_t world_resync(struct world *world, int fd, uint64_t epoch)
{
	return transact(world, fd, epoch, STN_MESSAGE_RESYNC_BEGIN, STN_MESSAGE_RESYNC_END);
}

struct stn_op_room_put world_room(uint64_t room_id)
{
	struct stn_op_room_put op = {.op = {STN_OP_ROOM_PUT, sizeof(op), 0},
		.room_id = room_id,
		.slot_ssrc = {0x1000 + (uint32_t)room_id, 0x2000 + (uint32_t)room_id,
			0x3000 + (uint32_t)room_id},
		.slot_count = 3,
		.profile_count = 1,
		.profile = {{.payload_type = 111, .audio_level_id = 1}}};

	return op;
}

struct stn_op_leg_put world_webrtc(uint64_t leg_id, uint64_t room_id, enum stn_leg_role role)
{
	struct stn_op_leg_put op = world_leg(leg_id, room_id, role);

	op.transport = STN_TRANSPORT_WEBRTC;
	op.remote = (struct stn_address){0};
	op.tx = (struct stn_master_key){0};
	op.rx = (struct stn_master_key){0};
	return op;
}

struct stn_op_leg_put world_webrtc_keyed(uint64_t leg_id, uint64_t room_id, enum stn_leg_role role)
{
	struct stn_op_leg_put op = world_leg(leg_id, room_id, role);

	op.transport = STN_TRANSPORT_WEBRTC;
	op.remote = (struct stn_address){0};
	op.rx = op.tx;
	op.rx.key[15] = 0xee;
	return op;
}

struct stn_op_leg_ice world_ice(uint64_t leg_id, unsigned int generation)
{
	struct stn_op_leg_ice op = {.op = {STN_OP_LEG_ICE, sizeof(op), 0},
		.leg_id = leg_id,
		.local_random = {(uint8_t)generation, 2, 3, 4},
		.remote_ufrag_size = 4,
		.remote_pwd_size = 24};

	memcpy(op.local_pwd, "abcdefghijklmnopqrstuvwx", sizeof(op.local_pwd));
	memcpy(op.remote_ufrag, "uFr+", 4);
	memcpy(op.remote_pwd, "0123456789ABCDEFGHIJKLMN", 24);
	op.remote_pwd[0] = (char)('a' + generation % 26);
	return op;
}

struct stn_address world_address(unsigned int number)
{
	struct stn_address address = {.family = 4,
		.port_be = htons((uint16_t)(20000 + number)),
		.address = {10, 9, (uint8_t)(number >> 8), (uint8_t)number}};

	return address;
}

struct stn_op_leg_put world_leg(uint64_t leg_id, uint64_t room_id, enum stn_leg_role role)
{
	struct stn_op_leg_put op = {.op = {STN_OP_LEG_PUT, sizeof(op), 0},
		.leg_id = leg_id,
		.room_id = room_id,
		.member_id = leg_id + 1000000,
		.remote = {.family = 4,
			.port_be = htons((uint16_t)(1024 + leg_id % 60000)),
			.address = {10, 0, (uint8_t)(leg_id >> 8), (uint8_t)leg_id}},
		.role = (uint8_t)role,
		.protection = STN_PROTECTION_LEG,
		.transport = STN_TRANSPORT_KEYED,
		.tx = {.suite = STN_SUITE_AEAD_AES_128_GCM}};

	memcpy(op.tx.key, &leg_id, sizeof(leg_id));
	op.tx.salt[0] = 0x55;
	if (role == STN_ROLE_SPEAKER) {
		op.rx = op.tx;
		op.rx.key[15] = 0xee;
		op.payload_type = 111;
		op.audio_level_id = 1;
	}
	return op;
}
