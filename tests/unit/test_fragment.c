/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Clients that cut their handshake messages into pieces, in datagrams of any order (RFC 6347
 * section 4.2.3): every cut of a ClientHello, and whole handshakes in pieces of all sizes.
 */
#include <stdio.h>

#include "controlplane/webrtc/handshake.h"
#include "tests/support/dtls_scene.h"
#include "tests/support/random.h"
#include "tests/support/unit.h"

#define MINUTE 60000000000ULL
#define PIECES_MAX 256

struct piece {
	size_t size;
	uint8_t bytes[RECORD_DATAGRAM_MAX];
};

static struct scene scene;
static struct random_state chance;
static uint64_t next_number; /* of epoch 0: the client's own are replaced */

static void setup(void)
{
	scene_open(&scene);
	next_number = 0;
}

static void teardown(void)
{
	scene_close(&scene);
}

static void put24(uint8_t *at, size_t number)
{
	at[0] = (uint8_t)(number >> 16);
	at[1] = (uint8_t)(number >> 8);
	at[2] = (uint8_t)number;
}

static size_t get24(const uint8_t *at)
{
	return (size_t)at[0] << 16 | (size_t)at[1] << 8 | at[2];
}

/* Bytes [from, to) of the message fragment in `record`, as a record of its own. */
static void cut_out(const struct record *record, size_t from, size_t to, struct piece *piece)
{
	size_t size = to - from + RECORD_MESSAGE_HEADER_SIZE;
	uint8_t *out = piece->bytes;

	memcpy(out, record->start, RECORD_HEADER_SIZE);
	record_number(out, 0, next_number++);
	out[11] = (uint8_t)(size >> 8);
	out[12] = (uint8_t)size;
	out += RECORD_HEADER_SIZE;
	memcpy(out, record->payload, RECORD_MESSAGE_HEADER_SIZE);
	put24(out + 6, get24(record->payload + 6) + from);
	put24(out + 9, to - from);
	memcpy(out + RECORD_MESSAGE_HEADER_SIZE,
		record->payload + RECORD_MESSAGE_HEADER_SIZE + from, to - from);
	piece->size = RECORD_HEADER_SIZE + size;
}

static void hand_over(const struct piece *piece)
{
	scene_inject(&scene, piece->bytes, piece->size);
}

/* The client's only datagram and the one record in it. */
static struct record first_hello(struct scene_datagram *datagram)
{
	const uint8_t *at = datagram->bytes;
	struct record record;

	scene_start(&scene);
	ck_assert(scene_take_up(&scene, datagram));
	ck_assert(record_next(&at, datagram->bytes + datagram->size, &record));
	ck_assert_ptr_eq(at, datagram->bytes + datagram->size);
	return record;
}

static void restart(void)
{
	handshake_close(scene.handshake);
	dtls_peer_close(&scene.peer);
	scene.waiting = 0;
	scene.number[SCENE_DOWN] = 0;
	next_number = 0;
}

START_TEST(a_hello_cut_anywhere_in_either_order)
{
	struct scene_datagram datagram;
	struct record record = first_hello(&datagram);
	size_t length = record.size - RECORD_MESSAGE_HEADER_SIZE;

	ck_assert_uint_gt(length, 100);
	for (size_t at = 1; at < length; at++) {
		for (unsigned int order = 0; order < 2; order++) {
			struct piece piece[2];

			restart();
			record = first_hello(&datagram);
			cut_out(&record, 0, at, &piece[order]);
			cut_out(&record, at, length, &piece[1 - order]);
			hand_over(&piece[0]);
			hand_over(&piece[1]);
			ck_assert_int_eq(scene.state, HANDSHAKE_RUNNING);
			ck_assert_msg(
				scene.number[SCENE_DOWN] == 1, "cut at %zu, order %u", at, order);
		}
	}
}
END_TEST

static const uint8_t orders[6][3] = {
	{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

/* Three pieces in all orders, each reaching into the next one by `overlap`. */
START_TEST(a_hello_in_three_pieces_in_all_orders_with_and_without_overlap)
{
	struct scene_datagram datagram;
	size_t overlap = (size_t)_i * 5;

	for (unsigned int order = 0; order < 6; order++) {
		struct record record = first_hello(&datagram);
		size_t length = record.size - RECORD_MESSAGE_HEADER_SIZE;
		size_t border[4] = {0, length / 3, length * 2 / 3, length};
		struct piece piece[3];

		for (unsigned int i = 0; i < 3; i++)
			cut_out(&record, border[i], i < 2 ? border[i + 1] + overlap : border[i + 1],
				&piece[i]);
		for (unsigned int i = 0; i < 3; i++)
			hand_over(&piece[orders[order][i]]);
		ck_assert_int_eq(scene.state, HANDSHAKE_RUNNING);
		ck_assert_uint_eq(scene.number[SCENE_DOWN], 1);
		scene_run(&scene, MINUTE);
		ck_assert_int_eq(scene.state, HANDSHAKE_CONNECTED);
		ck_assert(scene.peer.connected);
		restart();
	}
	scene_start(&scene);
}
END_TEST

/* Cuts what the client sends into pieces of at most `size` payload bytes, a datagram each. */
static unsigned int cut_datagram(
	const struct scene_datagram *datagram, size_t size, struct piece *piece)
{
	const uint8_t *at = datagram->bytes;
	struct record record;
	unsigned int count = 0;

	while (record_next(&at, datagram->bytes + datagram->size, &record)) {
		size_t length = record.size - RECORD_MESSAGE_HEADER_SIZE;

		if (record.epoch != 0 || record.type != RECORD_HANDSHAKE) {
			piece[count].size = RECORD_HEADER_SIZE + (size_t)record.size;
			memcpy(piece[count].bytes, record.start, piece[count].size);
			if (record.epoch == 0)
				record_number(piece[count].bytes, 0, next_number++);
			count++;
			continue;
		}
		for (size_t from = 0; from < length; from += size) {
			ck_assert_uint_lt(count, PIECES_MAX);
			cut_out(&record, from, from + size < length ? from + size : length,
				&piece[count++]);
		}
	}
	return count;
}

static void shuffle(struct piece *piece, unsigned int count)
{
	for (unsigned int i = count; i > 1; i--) {
		unsigned int other = (unsigned int)(random_next(&chance) % i);
		struct piece kept = piece[i - 1];

		piece[i - 1] = piece[other];
		piece[other] = kept;
	}
}

/* Sends a flight of the client in pieces; returns how many. */
static unsigned int send_flight(size_t size, bool in_order)
{
	static struct piece piece[PIECES_MAX];
	struct scene_datagram datagram;
	unsigned int count = 0;

	while (scene_take_up(&scene, &datagram))
		count += cut_datagram(&datagram, size, piece + count);
	/* The window of a receiver is 64 records (RFC 6347 section 4.1.2.6): no wilder than that.
	 */
	for (unsigned int i = 0; !in_order && i < count; i += 32)
		shuffle(piece + i, count - i < 32 ? count - i : 32);
	for (unsigned int i = 0; i < count; i++)
		hand_over(&piece[i]);
	return count;
}

/*
 * The second flight ends with ChangeCipherSpec, which has no place in the order of messages: when
 * it overtakes them it is lost, and the client has to send its flight again. So only in order here;
 * test_handshake.c has the rest.
 */
START_TEST(a_handshake_in_pieces_of_every_size)
{
	for (size_t size = 1; size <= 400; size += size < 64 ? 1 : 37) {
		scene_start(&scene);
		send_flight(
			size < 3 ? 3 : size, size < 8); /* fits into the budget and the window */
		ck_assert_uint_eq(scene.number[SCENE_DOWN], 1);
		scene_deliver_down(&scene);
		send_flight(size < 3 ? 3 : size, true);
		ck_assert_msg(scene.state == HANDSHAKE_CONNECTED, "pieces of %zu: %s", size,
			scene.result.reason ? scene.result.reason : "under way");
		scene_deliver_down(&scene);
		ck_assert(scene.peer.connected);
		restart();
	}
	scene_start(&scene);
}
END_TEST

static void read_piece(const char *name, struct piece *piece)
{
	FILE *file = fopen(name, "rb");

	ck_assert_msg(file != NULL, "%s", name);
	piece->size = fread(piece->bytes, 1, sizeof(piece->bytes), file);
	fclose(file);
}

/* What Chromium 156 really sends; the parts of the answer that matter for it. */
START_TEST(chromium_gets_an_answer_whatever_the_order)
{
	static const uint8_t version[] = {0xfe, 0xfd}, suite[] = {0xc0, 0x2b, 0x00};
	static const uint8_t use_srtp[] = {0, 14, 0, 5, 0, 2, 0, 7, 0}; /* RFC 5764, RFC 7714 */
	const struct scene_datagram *answer = &scene.queue[0];
	struct piece piece[2];

	read_piece(DTLS_DATA "/chromium_156_hello_1.bin", &piece[0]);
	read_piece(DTLS_DATA "/chromium_156_hello_2.bin", &piece[1]);
	ck_assert_uint_eq(piece[0].size, 1200);
	ck_assert_uint_eq(piece[1].size, 263);
	scene_start(&scene);
	scene.waiting = 0; /* the scene's own client is not asked */
	hand_over(&piece[_i]);
	ck_assert_uint_eq(scene.waiting, 0);
	hand_over(&piece[1 - _i]);
	ck_assert_int_eq(scene.state, HANDSHAKE_RUNNING);
	ck_assert_uint_eq(scene.waiting, 1);
	ck_assert_uint_eq(answer->bytes[RECORD_HEADER_SIZE], 2); /* ServerHello */
	ck_assert_mem_eq(answer->bytes + 25, version, 2);
	ck_assert_ptr_nonnull(memmem(answer->bytes, answer->size, suite, sizeof(suite)));
	ck_assert_ptr_nonnull(memmem(answer->bytes, answer->size, use_srtp, sizeof(use_srtp)));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fragment");
	TCase *tests = tcase_create("fragment");

	random_seed(&chance);
	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, a_hello_cut_anywhere_in_either_order);
	tcase_add_loop_test(
		tests, a_hello_in_three_pieces_in_all_orders_with_and_without_overlap, 0, 3);
	tcase_add_test(tests, a_handshake_in_pieces_of_every_size);
	tcase_add_loop_test(tests, chromium_gets_an_answer_whatever_the_order, 0, 2);
	suite_add_tcase(suite, tests);
	return unit_run(suite);
}
