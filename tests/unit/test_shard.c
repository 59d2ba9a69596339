// SPDX-License-Identifier: BSD-3-Clause
/* Shards: where legs lie, what moves when one is taken out, and what is left of their keys. */
#include <errno.h>

#include "dataplane/core/frame.h"
#include "dataplane/core/shard.h"
#include "tests/support/random.h"
#include "tests/support/unit.h"
#include "tests/unit/fake_engine.h"

#define REGION (8u << 20)
#define LEGS_MAX 700
#define GROUPS 6
#define GET_NOTHING 0x7fffffffu

/* What the legs of a group have in common; the last one differs in its DSCP only. */
struct kind {
	enum suite suite;
	uint8_t profile, port;
	uint8_t family;
	uint16_t vlan;
	uint8_t dscp;
};
static const struct kind groups[GROUPS] = {
	{SUITE_AEAD_AES_128_GCM, 0, 0, 4, 0, 0},
	{SUITE_AEAD_AES_256_GCM, 1, 0, 6, 0, 0},
	{SUITE_AES128_CM_HMAC_SHA1_80, 0, 1, 6, 7, 46},
	{SUITE_NONE, 0, 0, 4, 9, 0},
	{SUITE_AEAD_AES_128_GCM, 1, 0, 4, 0, 0},
	{SUITE_AEAD_AES_128_GCM, 1, 0, 4, 0, 46},
};

/* What a leg should have; the model of the shard is an array of these. */
struct expected {
	bool present;
	bool silenced;
	unsigned int group;
	struct master_key key;
	struct frame_template template;
	uint32_t origin[SHARD_SLOTS_MAX];
	struct shard_place place;
};

struct bench {
	const struct engine *engine;
	struct engine_core *core;
	uint8_t *memory;
	struct arena arena;
	struct shard shard;
	unsigned int slots;
	struct random_state random;
	struct expected leg[LEGS_MAX];
};

static struct bench *bench_open(const struct engine *engine, size_t size)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	bench->engine = engine;
	bench->core = engine->open();
	ck_assert_ptr_nonnull(bench->core);
	bench->memory = aligned_alloc(ARENA_ALIGN, REGION);
	memset(bench->memory, 0, REGION);
	arena_init(&bench->arena, bench->memory, size);
	random_seed(&bench->random);
	bench->slots = 1 + random_below(&bench->random, SHARD_SLOTS_MAX);
	shard_init(&bench->shard, engine, &bench->arena, bench->slots);
	return bench;
}

static void bench_close(struct bench *bench)
{
	shard_close(&bench->shard);
	ck_assert_uint_eq(arena_in_use(&bench->arena), 0);
	bench->engine->close(bench->core);
	free(bench->memory);
	free(bench);
}

/* Legs of a group differ in where their copies go. */
static void template_make(
	struct bench *bench, const struct kind *kind, struct frame_template *template)
{
	struct frame_path path = {.source_mac = {2, 0, 0, 0, 0, kind->port},
		.vlan = kind->vlan,
		.dscp = kind->dscp,
		.local = {.family = kind->family, .port_be = 5, .address = {192, 0, 2, 1}},
		.remote = {.family = kind->family}};

	random_fill(&bench->random, path.destination_mac, sizeof(path.destination_mac));
	random_fill(&bench->random, path.remote.address, kind->family == 4 ? 4 : 16);
	random_fill(&bench->random, &path.remote.port_be, sizeof(path.remote.port_be));
	ck_assert_int_eq(frame_template_build(&path, template), 0);
}

static int add(struct bench *bench, uint32_t handle, unsigned int group)
{
	struct expected *leg = &bench->leg[handle];
	const struct kind *kind = &groups[group];
	struct shard_leg facts = {
		.group = {.suite = kind->suite, .profile = kind->profile, .port = kind->port},
		.leg = handle,
		.key = kind->suite == SUITE_NONE ? NULL : &leg->key,
		.template = &leg->template,
		.origin = leg->origin};
	int rc;

	leg->group = group;
	leg->silenced = false;
	leg->key.suite = groups[group].suite;
	random_fill(&bench->random, leg->key.key, sizeof(leg->key.key));
	template_make(bench, kind, &leg->template);
	random_fill(&bench->random, leg->origin, sizeof(leg->origin));
	rc = shard_add(&bench->shard, bench->core, &facts, &leg->place);
	leg->present = rc == 0;
	return rc;
}

static void take_out(struct bench *bench, uint32_t handle)
{
	struct expected *leg = &bench->leg[handle];
	uint32_t moved = shard_remove(&bench->shard, &leg->place);

	leg->present = false;
	if (moved == SHARD_NO_LEG)
		return;
	ck_assert_uint_ne(moved, handle);
	ck_assert(bench->leg[moved].present);
	bench->leg[moved].place = leg->place;
}

static struct leg_block *block_of(const struct bench *bench, const struct expected *leg)
{
	return shard_block(&bench->shard.group[leg->place.group], leg->place.position);
}

static void leg_check(const struct bench *bench, uint32_t handle)
{
	const struct expected *leg = &bench->leg[handle];
	const struct leg_group *group = &bench->shard.group[leg->place.group];
	struct leg_block *block = block_of(bench, leg);
	uint32_t lane = leg->place.position % ENGINE_BLOCK_LEGS, slot;
	const struct kind *key = &groups[leg->group];
	struct frame_lengths lengths = frame_lengths(200);
	uint8_t expected[HEADING_LINES_MAX * HEADING_LINE], frame[sizeof(expected)] = {0};
	uint8_t *const out[1] = {frame};
	struct heading heading;

	ck_assert_uint_lt(leg->place.position, group->count);
	ck_assert(group->key.suite == key->suite && group->key.profile == key->profile);
	ck_assert(group->key.port == key->port && group->key.template_size == leg->template.size);
	ck_assert_uint_eq(block->leg[lane], handle);
	ck_assert_uint_eq(block->silenced[lane], leg->silenced);
	/* What is kept makes the headers that the template makes. */
	memcpy(expected, leg->template.bytes, leg->template.size);
	if (key->family == 4)
		frame_finish_ipv4(expected, leg->template.size, &lengths);
	else
		frame_finish_ipv6(expected, leg->template.size, 0);
	heading_prepare(
		&heading, group->common, leg->template.size, NULL, 0, key->family == 4 ? 200 : 0);
	heading_write(&heading, shard_parts(group, block, lane), 1, out);
	if (key->family == 6)
		frame_finish_ipv6(frame, leg->template.size, 0);
	ck_assert_mem_eq(frame, expected, leg->template.size);
	for (slot = 0; slot < bench->slots; slot++)
		ck_assert_uint_eq(shard_origins(block, slot)[lane], leg->origin[slot]);
	if (key->suite != SUITE_NONE && bench->engine == &fake_engine) {
		const struct master_key *lanes =
			(const void *)((const uint8_t *)block + group->keys_offset);

		ck_assert_mem_eq(lanes[lane].key, leg->key.key, sizeof(leg->key.key));
	}
}

static void silence(struct bench *bench, uint32_t handle)
{
	struct expected *leg = &bench->leg[handle];
	uint32_t roc[SHARD_SLOTS_MAX], slot;

	random_fill(&bench->random, roc, sizeof(roc));
	shard_silence(&bench->shard, &leg->place, roc);
	if (leg->silenced)
		return;
	leg->silenced = true;
	for (slot = 0; slot < SHARD_SLOTS_MAX; slot++)
		leg->origin[slot] = roc[slot] + GET_NOTHING;
}

static void let_go(struct bench *bench, uint32_t handle)
{
	struct expected *leg = &bench->leg[handle];
	uint32_t origin[SHARD_SLOTS_MAX];
	uint8_t mac[6];

	random_fill(&bench->random, origin, sizeof(origin));
	random_fill(&bench->random, mac, sizeof(mac));
	shard_release(&bench->shard, &leg->place, mac, origin);
	memcpy(leg->template.bytes, mac, sizeof(mac));
	if (!leg->silenced)
		memcpy(leg->origin, origin, sizeof(origin));
}

/* Elsewhere, by headers of the same kind or of another's. */
static void redirect(struct bench *bench, uint32_t handle)
{
	struct expected *leg = &bench->leg[handle];
	unsigned int other = random_below(&bench->random, GROUPS);
	const struct kind *from = &groups[leg->group], *to = &groups[other];
	bool same = from->port == to->port && from->family == to->family &&
		    from->vlan == to->vlan && from->dscp == to->dscp;
	struct frame_template template;
	int rc;

	template_make(bench, to, &template);
	rc = shard_redirect(&bench->shard, &leg->place, to->port, &template);
	ck_assert_int_eq(rc, same ? 0 : -ENOENT);
	if (same)
		leg->template = template;
}

static void model_check(const struct bench *bench)
{
	uint32_t legs = 0, silenced = 0, count = 0, handle;
	unsigned int i;

	for (handle = 0; handle < LEGS_MAX; handle++) {
		const struct expected *leg = &bench->leg[handle];

		if (!leg->present)
			continue;
		leg_check(bench, handle);
		legs += !leg->silenced;
		silenced += leg->silenced;
	}
	ck_assert_uint_eq(bench->shard.legs, legs);
	ck_assert_uint_eq(bench->shard.silenced, silenced);
	for (i = 0; i < bench->shard.group_count; i++) {
		const struct leg_group *group = &bench->shard.group[i];

		count += group->count;
		ck_assert_uint_eq(group->block_count,
			(group->count + ENGINE_BLOCK_LEGS - 1) / ENGINE_BLOCK_LEGS);
	}
	ck_assert_uint_eq(count, legs + silenced);
}

#define STEPS 20000

START_TEST(random_life_agrees_with_the_model)
{
	struct bench *bench = bench_open(&fake_engine, REGION);
	uint32_t step, handle, refused = 0;
	/* The population swells and shrinks, so that blocks come and go. */
	bool growing = true;

	for (step = 0; step < STEPS; step++) {
		handle = random_below(&bench->random, LEGS_MAX);
		if (step % 2000 == 0)
			growing = !growing;
		if (!bench->leg[handle].present) {
			if (!growing && random_below(&bench->random, 4) != 0)
				continue;
			((struct fake_core *)bench->core)->refuse =
				random_below(&bench->random, 20) == 0 ? 0 : -1;
			refused += add(bench, handle, random_below(&bench->random, GROUPS)) < 0;
			continue;
		}
		switch (random_below(&bench->random, growing ? 8 : 4)) {
		case 3:
			redirect(bench, handle);
			break;
		case 0:
			silence(bench, handle);
			break;
		case 1:
			let_go(bench, handle);
			break;
		case 2:
			take_out(bench, handle);
			break;
		default:
			break;
		}
		if (step % 64 == 0)
			model_check(bench);
	}
	model_check(bench);
	ck_assert_uint_gt(refused, 0);
	for (handle = 0; handle < LEGS_MAX; handle++)
		if (bench->leg[handle].present)
			take_out(bench, handle);
	ck_assert_uint_eq(bench->shard.legs + bench->shard.silenced, 0);
	ck_assert_uint_eq(arena_in_use(&bench->arena), 0);
	bench_close(bench);
}
END_TEST

#define KEY_BYTES 32

/* Of the first bytes of a key in the arena. Keys lie at multiples of 4. */
static unsigned int occurrences(const struct bench *bench, const uint8_t key[KEY_BYTES])
{
	unsigned int count = 0;
	size_t i;

	for (i = 0; i + KEY_BYTES <= bench->arena.used; i += 4)
		count += memcmp(bench->memory + i, key, 4) == 0 &&
			 memcmp(bench->memory + i, key, KEY_BYTES) == 0;
	return count;
}

/* What the engine makes of the key: bytes to look for. */
static void expanded(const struct bench *bench, const struct expected *leg, uint8_t out[KEY_BYTES])
{
	size_t size = bench->engine->block_size(leg->key.suite);
	uint8_t *block = aligned_alloc(64, (size + 63) & ~(size_t)63);

	memset(block, 0, size);
	ck_assert_int_eq(bench->engine->key_set(bench->core, block, 0, &leg->key), 0);
	/* Its round keys come first; of the fake engine, the suite and the key. */
	memcpy(out, block, KEY_BYTES);
	bench->engine->key_clear(leg->key.suite, block, 0);
	free(block);
}

START_TEST(no_key_byte_is_left_behind)
{
	static const struct engine *const engines[] = {&fake_engine, &engine_ipsec_mb};
	struct bench *bench = bench_open(engines[_i / 3], REGION);
	static const unsigned int suites[] = {0, 1, 2};
	uint32_t count = 140, handle, i;
	uint8_t *key = calloc(count, KEY_BYTES);

	for (handle = 0; handle < count; handle++) {
		ck_assert_int_eq(add(bench, handle, suites[_i % 3]), 0);
		expanded(bench, &bench->leg[handle], key + KEY_BYTES * handle);
		ck_assert_uint_eq(occurrences(bench, key + KEY_BYTES * handle), 1);
	}
	for (i = 0; i < count; i++) {
		do
			handle = random_below(&bench->random, count);
		while (!bench->leg[handle].present);
		take_out(bench, handle);
		ck_assert_uint_eq(occurrences(bench, key + KEY_BYTES * handle), 0);
		if (i % 35 != 0)
			continue;
		for (handle = 0; handle < count; handle++)
			ck_assert_uint_eq(occurrences(bench, key + KEY_BYTES * handle),
				bench->leg[handle].present);
	}
	free(key);
	bench_close(bench);
}
END_TEST

START_TEST(closing_with_legs_in_it_gives_everything_back_zeroised)
{
	static const struct engine *const engines[] = {
		&fake_engine, &engine_ipsec_mb, &engine_libsrtp};
	struct bench *bench = bench_open(engines[_i], REGION);
	size_t i, nonzero = 0, pieces = 0;
	uint32_t handle;

	for (handle = 0; handle < 400; handle++)
		ck_assert_int_eq(add(bench, handle, handle % GROUPS), 0);
	silence(bench, 3);
	for (i = 0; i < bench->shard.group_count; i++)
		pieces += bench->shard.group[i].block_count;
	shard_close(&bench->shard);
	ck_assert_uint_eq(arena_in_use(&bench->arena), 0);
	for (i = 0; i < REGION; i += sizeof(uint64_t))
		nonzero += *(const uint64_t *)(bench->memory + i) != 0;
	/* The links of the free lists, each of which ends in NULL. */
	ck_assert_uint_lt(nonzero, pieces);
	memset(bench->leg, 0, sizeof(bench->leg));
	ck_assert_int_eq(add(bench, 1, 0), 0);
	leg_check(bench, 1);
	bench_close(bench);
}
END_TEST

START_TEST(a_refused_leg_leaves_nothing)
{
	struct bench *bench = bench_open(&fake_engine, 32 * 1024);
	struct fake_core *core = (struct fake_core *)bench->core;
	uint32_t handle;
	size_t in_use;
	int rc = 0;

	/* The key is refused: the first leg of a block, and another. */
	core->refuse = 0;
	ck_assert_int_eq(add(bench, 0, 0), -EINVAL);
	ck_assert_uint_eq(arena_in_use(&bench->arena), 0);
	core->refuse = 1;
	ck_assert_int_eq(add(bench, 0, 0), 0);
	ck_assert_int_eq(add(bench, 1, 0), -EINVAL);
	ck_assert_uint_eq(bench->shard.legs, 1);
	core->refuse = -1;
	/* Memory runs out. */
	for (handle = 1; handle < LEGS_MAX && rc == 0; handle++)
		rc = add(bench, handle, 0);
	ck_assert_int_eq(rc, -ENOMEM);
	model_check(bench);
	ck_assert_uint_eq(bench->shard.legs % ENGINE_BLOCK_LEGS, 0);
	in_use = arena_in_use(&bench->arena);
	ck_assert_int_eq(add(bench, 699, 1), -ENOMEM);
	ck_assert_uint_eq(arena_in_use(&bench->arena), in_use);
	/* And comes back. */
	take_out(bench, 5);
	ck_assert_int_eq(add(bench, 5, 0), 0);
	model_check(bench);
	bench_close(bench);
}
END_TEST

START_TEST(more_groups_than_there_are_places_for_are_refused)
{
	struct bench *bench = bench_open(&fake_engine, REGION);
	struct frame_template template;
	uint32_t origin[SHARD_SLOTS_MAX] = {0}, i;
	struct shard_leg facts = {.template = &template, .origin = origin};
	struct shard_place place;

	template_make(bench, &groups[0], &template);
	for (i = 0; i <= SHARD_GROUPS_MAX; i++) {
		facts.group.port = (uint8_t)(i % 16);
		facts.group.profile = (uint8_t)(i / 16);
		facts.leg = i;
		ck_assert_int_eq(shard_add(&bench->shard, bench->core, &facts, &place),
			i < SHARD_GROUPS_MAX ? 0 : -ENOSPC);
	}
	ck_assert_uint_eq(bench->shard.legs, SHARD_GROUPS_MAX);
	bench_close(bench);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("shard");
	TCase *cases = tcase_create("shard");

	tcase_set_timeout(cases, 120);
	tcase_add_test(cases, random_life_agrees_with_the_model);
	tcase_add_loop_test(cases, no_key_byte_is_left_behind, 0, 6);
	tcase_add_loop_test(cases, closing_with_legs_in_it_gives_everything_back_zeroised, 0, 3);
	tcase_add_test(cases, a_refused_leg_leaves_nothing);
	tcase_add_test(cases, more_groups_than_there_are_places_for_are_refused);
	suite_add_tcase(suite, cases);
	return unit_run(suite);
}
