// SPDX-License-Identifier: BSD-3-Clause
/*
 * Fan-outs cut into slices, with legs silenced, added and released in between: who should get the
 * packet gets it once, under their own key, ROC and address, and nobody else does.
 */
#include <arpa/inet.h>

#include "dataplane/core/bytes.h"
#include "dataplane/core/fanout.h"
#include "dataplane/core/index.h"
#include "tests/support/random.h"
#include "tests/support/unit.h"
#include "tests/unit/fake_engine.h"

#define REGION (8u << 20)
#define LEGS_MAX 900
#define FRAME_SIZE 2048
#define SLOT 2u

static const struct fanout_profile profiles[2] = {{111, 0}, {96, 5}};
/* IPv4, the same tagged, IPv6, the same tagged. */
static const uint8_t template_sizes[] = {42, 46, 62, 66};

struct leg {
	bool present;
	bool silenced;
	bool held; /* origin out of reach until released */
	bool released;
	uint32_t origin;
	struct group_key group;
	struct shard_place place;
	/* Of the fan-out under way. */
	bool wanted;
	bool may; /* released meanwhile: once or not at all */
	unsigned int got;
};

struct bench {
	struct engine_core *core;
	uint8_t *memory;
	struct arena arena;
	struct shard shard;
	struct random_state random;
	struct leg leg[LEGS_MAX];
	uint32_t roc; /* the slot's */
	uint8_t *frame[ENGINE_BLOCK_LEGS];
};

static struct bench *bench_open(void)
{
	struct bench *b = calloc(1, sizeof(*b));
	unsigned int i;

	b->core = fake_engine.open();
	b->memory = aligned_alloc(ARENA_ALIGN, REGION);
	memset(b->memory, 0, REGION);
	arena_init(&b->arena, b->memory, REGION);
	shard_init(&b->shard, &fake_engine, &b->arena, SLOT + 1);
	random_seed(&b->random);
	for (i = 0; i < ENGINE_BLOCK_LEGS; i++)
		b->frame[i] = malloc(FRAME_SIZE);
	return b;
}

static void bench_close(struct bench *b)
{
	unsigned int i;

	shard_close(&b->shard);
	ck_assert_uint_eq(arena_in_use(&b->arena), 0);
	for (i = 0; i < ENGINE_BLOCK_LEGS; i++)
		free(b->frame[i]);
	fake_engine.close(b->core);
	free(b->memory);
	free(b);
}

static struct frame_path path_of(uint32_t handle, uint32_t kind)
{
	struct frame_path path = {.source_mac = {2, 0, 0, 0, 0, 1},
		.destination_mac = {2, 0, 0, 0, 0, (uint8_t)handle},
		.vlan = kind % 2 ? 77 : 0,
		.dscp = 46,
		.local = {.family = kind < 2 ? 4 : 6,
			.port_be = htons(4000),
			.address = {192, 0, 2, 1}},
		.remote = {
			.family = kind < 2 ? 4 : 6, .port_be = htons((uint16_t)(1000 + handle))}};

	bytes_store32(path.remote.address + (kind < 2 ? 0 : 12), handle);
	return path;
}

/* A leg's address and its key's first bytes are the handle. */
static void leg_add(struct bench *b, uint32_t handle)
{
	uint32_t origin[SHARD_SLOTS_MAX], i, kind = random_below(&b->random, 4);
	struct frame_path path = path_of(handle, kind);
	struct frame_template template;
	struct leg *leg = &b->leg[handle];
	struct master_key key = {0};
	struct shard_leg facts = {
		.leg = handle, .key = &key, .template = &template, .origin = origin};

	memset(leg, 0, sizeof(*leg));
	ck_assert_int_eq(frame_template_build(&path, &template), 0);
	leg->group = (struct group_key){.suite = (enum suite)random_below(&b->random, SUITE_COUNT),
		.profile = (uint8_t)random_below(&b->random, 2),
		.template_size = template_sizes[kind]};
	key.suite = leg->group.suite;
	memcpy(key.key, &handle, sizeof(handle));
	if (key.suite == SUITE_NONE)
		facts.key = NULL;
	facts.group = leg->group;
	/* Some joined long ago, some now, some right before a wrap. */
	leg->origin = b->roc - random_below(&b->random, 3) + (random_below(&b->random, 8) == 0);
	leg->held = random_below(&b->random, 10) == 0;
	for (i = 0; i < SHARD_SLOTS_MAX; i++)
		origin[i] = SHARD_ORIGIN_NEVER(b->roc);
	if (!leg->held)
		origin[SLOT] = leg->origin;
	ck_assert_int_eq(shard_add(&b->shard, b->core, &facts, &leg->place), 0);
	leg->present = true;
}

static void leg_release(struct bench *b, uint32_t handle)
{
	struct leg *leg = &b->leg[handle];
	uint32_t origin[SHARD_SLOTS_MAX] = {0};
	const uint8_t mac[6] = {4, 0, 0, 0, 0, (uint8_t)handle};

	origin[SLOT] = leg->origin;
	shard_release(&b->shard, &leg->place, mac, origin);
	if (leg->held && !leg->silenced)
		leg->may = true;
	leg->held = false;
	leg->released = true;
}

static void leg_silence(struct bench *b, uint32_t handle)
{
	struct leg *leg = &b->leg[handle];
	uint32_t roc[SHARD_SLOTS_MAX] = {0};

	roc[SLOT] = b->roc;
	shard_silence(&b->shard, &leg->place, roc);
	leg->silenced = true;
	/* What it has got, it has got; from here on nothing. */
	leg->wanted = leg->got != 0;
	leg->may = false;
}

static int compare(const void *a, const void *c)
{
	const struct leg *x = *(struct leg *const *)a, *y = *(struct leg *const *)c;

	if (x->place.group != y->place.group)
		return x->place.group < y->place.group ? 1 : -1;
	return x->place.position < y->place.position ? 1 : -1;
}

/* As the worker does it when the fan-out is over: highest position first. */
static void silenced_remove(struct bench *b)
{
	struct leg *list[LEGS_MAX];
	unsigned int count = 0, i;
	uint32_t moved;

	for (i = 0; i < LEGS_MAX; i++)
		if (b->leg[i].present && b->leg[i].silenced)
			list[count++] = &b->leg[i];
	qsort(list, count, sizeof(list[0]), compare);
	for (i = 0; i < count; i++) {
		moved = shard_remove(&b->shard, &list[i]->place);
		list[i]->present = false;
		if (moved == SHARD_NO_LEG)
			continue;
		ck_assert(b->leg[moved].present && !b->leg[moved].silenced);
		b->leg[moved].place = list[i]->place;
	}
	ck_assert_uint_eq(b->shard.silenced, 0);
}

/* RFC 8200 section 8.1: with the pseudo header the sum is all ones. */
static bool udp_sum_holds(const uint8_t *udp, const struct frame *parsed)
{
	unsigned int size = 8 + parsed->payload_size, i;
	uint32_t sum = 17 + size;

	for (i = 0; i < 16; i += 2)
		sum += bytes_load16(parsed->source.address + i) +
		       bytes_load16(parsed->destination.address + i);
	for (i = 0; i < size; i++)
		sum += i % 2 ? udp[i] : (uint32_t)udp[i] << 8;
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff;
}

static void copy_check(struct bench *b, const struct fanout *fanout, const uint8_t *frame,
	const struct leg_group *group)
{
	uint32_t size = group->key.template_size, handle, expected, header, tag;
	const struct slot_packet *packet = fanout->packet;
	struct frame_path path;
	struct frame parsed;
	enum stn_drop reason;
	struct leg *leg;

	/* The parser checks lengths, and over IPv4 the checksum. */
	ck_assert(frame_parse(frame, fanout_frame_size(fanout, group), &parsed, &reason));
	handle = bytes_load32(parsed.destination.address + (size < 50 ? 0 : 12));
	ck_assert_uint_lt(handle, LEGS_MAX);
	leg = &b->leg[handle];
	path = path_of(handle, (size > 50) * 2u + (size % 20 == 6));
	if (leg->released)
		path.destination_mac[0] = 4;
	ck_assert(frame_address_equal(&parsed.destination, &path.remote));
	ck_assert(frame_address_equal(&parsed.source, &path.local));
	ck_assert_mem_eq(parsed.source_mac, path.source_mac, 6);
	ck_assert_mem_eq(parsed.destination_mac, path.destination_mac, 6);
	ck_assert_uint_eq(parsed.vlan, path.vlan);
	ck_assert_uint_eq(parsed.payload_offset, size);
	ck_assert_uint_eq(parsed.payload_size, fanout_frame_size(fanout, group) - size);
	if (size > 50)
		ck_assert(udp_sum_holds(frame + size - 8, &parsed));
	leg->got++;
	ck_assert(leg->present && !leg->silenced && !leg->held);
	ck_assert_uint_eq(leg->group.suite, group->key.suite);
	ck_assert_uint_eq(leg->group.template_size, size);
	if (group->key.suite == SUITE_NONE) {
		ck_assert_mem_eq(frame + size, fanout->group_packet, fanout->group_size);
		return;
	}
	header = group->key.profile == 0 ? 16 : 24; /* with CSRC; with a level */
	ck_assert_uint_eq(frame[size + 1] & 0x7f, profiles[group->key.profile].payload_type);
	ck_assert_uint_eq(fanout_frame_size(fanout, group),
		size + header + packet->payload_size + suite_facts(group->key.suite)->tag_size);
	ck_assert_mem_eq(frame + size + header, packet->payload, packet->payload_size);
	expected = b->roc - leg->origin;
	memcpy(&tag, frame + size + header + packet->payload_size, 4);
	ck_assert_uint_eq(tag, expected);
	memcpy(&tag, frame + size + header + packet->payload_size + 4, 4);
	ck_assert_uint_eq(tag, handle);
}

static void meddle(struct bench *b)
{
	uint32_t handle = random_below(&b->random, LEGS_MAX);
	struct leg *leg = &b->leg[handle];

	if (!leg->present)
		leg_add(b, handle);
	else if (random_below(&b->random, 3) == 0)
		leg_release(b, handle);
	else
		leg_silence(b, handle);
}

/* Joined with an origin ahead: not yet. */
static bool is_due(const struct bench *b, const struct leg *leg)
{
	return leg->present && !leg->silenced && !leg->held && (int32_t)(b->roc - leg->origin) >= 0;
}

/* Of those it began with: it has come by them, or it has still to. */
static void ahead_check(const struct bench *b, const struct fanout *fanout)
{
	for (unsigned int i = 0; i < LEGS_MAX; i++) {
		const struct leg *leg = &b->leg[i];

		if (leg->wanted && leg->present && !leg->silenced && !leg->may)
			ck_assert_uint_eq(fanout_is_ahead(fanout, &leg->place), leg->got == 0);
	}
}

static void fan_out(struct bench *b, const struct fanout_place *start, bool meddling)
{
	/* Of any length: within the headers' lines, at their end, many lines behind. */
	uint32_t group_size = 12 + random_below(&b->random, 1400);
	uint8_t *group_packet = malloc(group_size);
	uint8_t payload[100];
	struct slot_packet packet = {.index = index_make(b->roc, 77),
		.ssrc = 0x01020304,
		.csrc = 5,
		.slot = SLOT,
		.has_level = true,
		.level = 30,
		.payload = payload,
		.payload_size = (uint16_t)(1 + random_below(&b->random, sizeof(payload)))};
	struct fanout_headers headers;
	struct fanout fanout = {.group_packet = group_packet, .group_size = (uint16_t)group_size};
	struct fanout_run run;
	unsigned int i;

	random_fill(&b->random, group_packet, group_size);

	random_fill(&b->random, payload, sizeof(payload));
	for (i = 0; i < LEGS_MAX; i++) {
		b->leg[i].got = 0;
		b->leg[i].may = false;
		b->leg[i].wanted = is_due(b, &b->leg[i]);
	}
	fanout_headers_build(&headers, &packet, profiles, 2);
	fanout_begin(&fanout, &b->shard, &packet, &headers, start);
	ahead_check(b, &fanout);
	for (;;) {
		fanout_next(&fanout, 1 + random_below(&b->random, ENGINE_BLOCK_LEGS), &run);
		if (run.count == 0 && !run.passed)
			break;
		fanout_write(&fanout, b->core, &run, b->frame);
		for (i = 0; i < run.count; i++)
			copy_check(b, &fanout, b->frame[i], run.group);
		while (meddling && random_below(&b->random, 3) != 0)
			meddle(b);
		if (random_below(&b->random, 16) == 0)
			ahead_check(b, &fanout);
	}
	for (i = 0; i < LEGS_MAX; i++)
		if (b->leg[i].present)
			ck_assert(!fanout_is_ahead(&fanout, &b->leg[i].place));
	fanout_next(&fanout, 1, &run);
	ck_assert_uint_eq(run.count, 0);
	for (i = 0; i < LEGS_MAX; i++) {
		const struct leg *leg = &b->leg[i];

		if (leg->may)
			ck_assert_uint_le(leg->got, 1);
		else
			ck_assert_uint_eq(leg->got, leg->wanted);
	}
	silenced_remove(b);
	free(group_packet);
}

/* Three profiles: RED agreed with the sender's Opus number, without RED, RED with another number.
 */
START_TEST(red_goes_to_who_agreed_to_it)
{
	static const uint8_t red[] = {0xef, 0x0f, 0x00, 0x01, 0x6f, 0xaa, 1, 2, 3};
	static const struct fanout_profile profile[] = {{111, 1, 63}, {111, 1, 0}, {109, 1, 62}};
	struct slot_packet packet = {.index = index_make(0, 7),
		.ssrc = 9,
		.payload = red + 6,
		.payload_size = 3,
		.red = red,
		.red_size = sizeof(red),
		.red_payload_type = 111};
	struct fanout_headers headers;

	fanout_headers_build(&headers, &packet, profile, 3);
	ck_assert_uint_eq(headers.bytes[0][1], 63);
	ck_assert_ptr_eq(headers.payload[0], red);
	ck_assert_uint_eq(headers.payload_size[0], sizeof(red));
	ck_assert_uint_eq(headers.bytes[1][1], 111);
	ck_assert_ptr_eq(headers.payload[1], red + 6);
	ck_assert_uint_eq(headers.payload_size[1], 3);
	ck_assert_uint_eq(headers.bytes[2][1], 109);
	ck_assert_ptr_eq(headers.payload[2], red + 6);
	/* A packet that came without RED goes to nobody as RED. */
	packet.red_size = 0;
	fanout_headers_build(&headers, &packet, profile, 1);
	ck_assert_uint_eq(headers.bytes[0][1], 111);
	ck_assert_uint_eq(headers.payload_size[0], 3);
}
END_TEST

START_TEST(everybody_once_in_any_slicing)
{
	struct bench *b = bench_open();
	struct fanout_place start;
	unsigned int round, i;

	b->roc = _i % 2 ? 0xffffffff : 3;
	if (_i >= 2)
		b->shard.write_headings = heading_write;
	fan_out(b, &(struct fanout_place){0}, false); /* nobody */
	for (i = 0; i < 400; i++)
		leg_add(b, i);
	for (round = 0; round < 300; round++) {
		start = (struct fanout_place){
			random_below(&b->random, SHARD_GROUPS_MAX), random_below(&b->random, 40)};
		fan_out(b, &start, round % 3 != 0);
		if (round % 50 == 49)
			b->roc++;
	}
	ck_assert_uint_gt(((struct fake_core *)b->core)->runs, 0);
	ck_assert_uint_le(((struct fake_core *)b->core)->longest_run, ENGINE_BLOCK_LEGS);
	bench_close(b);
}
END_TEST

/* Whoever the last one stopped at comes first, and the order goes around all groups from there. */
START_TEST(the_start_decides_who_is_first_and_who_is_last)
{
	struct bench *b = bench_open();
	uint8_t payload[20] = {0};
	struct slot_packet packet = {
		.index = index_make(9, 1), .slot = SLOT, .payload = payload, .payload_size = 20};
	struct fanout_place order[LEGS_MAX], start;
	struct fanout_headers headers;
	struct fanout fanout = {0};
	struct fanout_run run;
	unsigned int i, count, at, total = 0;

	b->roc = 9;
	for (i = 0; i < 500; i++) {
		leg_add(b, i);
		if (!is_due(b, &b->leg[i]) || b->leg[i].group.suite == SUITE_NONE) {
			leg_silence(b, i);
			silenced_remove(b);
		}
	}
	for (i = 0; i < b->shard.group_count; i++)
		for (at = 0; at < b->shard.group[i].count; at++)
			order[total++] = (struct fanout_place){i, at};
	fanout_headers_build(&headers, &packet, profiles, 2);
	for (i = 0; i < total; i += 1 + i % 7) {
		start = order[i];
		fanout_begin(&fanout, &b->shard, &packet, &headers, &start);
		for (count = 0; count < total; count += run.count) {
			const struct fanout_place *expected = &order[(i + count) % total];

			fanout_next(&fanout, 64, &run);
			ck_assert_uint_gt(run.count, 0);
			ck_assert_uint_eq(run.first.group, expected->group);
			ck_assert_uint_eq(run.first.position, expected->position);
		}
		fanout_next(&fanout, 64, &run);
		ck_assert_uint_eq(run.count, 0);
	}
	bench_close(b);
}
END_TEST

/* 30 blocks of one group, of which only the last leg is still there. */
START_TEST(a_crowd_that_has_left_is_passed_over_in_pieces)
{
	struct bench *b = bench_open();
	uint8_t payload[20] = {0};
	struct slot_packet packet = {
		.index = index_make(9, 1), .slot = SLOT, .payload = payload, .payload_size = 20};
	const uint32_t origin[SHARD_SLOTS_MAX] = {9, 9, 9, 9}, roc[SHARD_SLOTS_MAX] = {9, 9, 9, 9};
	const struct fanout_place start = {0};
	struct fanout_headers headers;
	struct fanout fanout = {0};
	struct fanout_run run;
	uint32_t i, legs = 30 * ENGINE_BLOCK_LEGS, calls = 0;

	for (i = 0; i < legs; i++) {
		struct frame_path path = path_of(i, 0);
		struct frame_template template;
		struct master_key key = {.suite = SUITE_AEAD_AES_128_GCM};
		struct shard_leg facts = {.leg = i,
			.key = &key,
			.group = {.suite = key.suite},
			.template = &template,
			.origin = origin};
		struct shard_place place;

		ck_assert_int_eq(frame_template_build(&path, &template), 0);
		ck_assert_int_eq(shard_add(&b->shard, b->core, &facts, &place), 0);
		ck_assert_uint_eq(place.group, 0);
		if (i < legs - 1)
			shard_silence(&b->shard, &place, roc);
	}
	fanout_headers_build(&headers, &packet, profiles, 2);
	fanout_begin(&fanout, &b->shard, &packet, &headers, &start);
	/* Three times eight blocks, then five and the last one's lanes. */
	do {
		fanout_next(&fanout, ENGINE_BLOCK_LEGS, &run);
		calls++;
		ck_assert(run.passed == (run.count == 0));
		if (run.passed)
			ck_assert_uint_eq(
				fanout.next.position, calls * FANOUT_PASS_MAX * ENGINE_BLOCK_LEGS);
	} while (run.passed);
	ck_assert_uint_eq(FANOUT_PASS_MAX, 8);
	ck_assert_uint_eq(calls, 4);
	ck_assert_uint_eq(run.count, 1);
	ck_assert_uint_eq(run.first.position, legs - 1);
	fanout_next(&fanout, ENGINE_BLOCK_LEGS, &run);
	ck_assert_uint_eq(run.count, 0);
	ck_assert(!run.passed);
	bench_close(b);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fanout");
	TCase *cases = tcase_create("fanout");

	tcase_set_timeout(cases, 60);
	tcase_add_loop_test(cases, everybody_once_in_any_slicing, 0, 4);
	tcase_add_test(cases, red_goes_to_who_agreed_to_it);
	tcase_add_test(cases, the_start_decides_who_is_first_and_who_is_last);
	tcase_add_test(cases, a_crowd_that_has_left_is_passed_over_in_pieces);
	suite_add_tcase(suite, cases);
	return unit_run(suite);
}
