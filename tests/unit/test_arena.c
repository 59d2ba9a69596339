// SPDX-License-Identifier: BSD-3-Clause
/* The arena against a table, and against a list of pieces kept beside it. */
#include <stdbool.h>

#include "dataplane/core/arena.h"
#include "tests/support/random.h"
#include "tests/support/unit.h"

#define REGION (256u * 1024)

struct region {
	struct arena arena;
	uint8_t *memory;
};

static void region_open(struct region *region, size_t size)
{
	region->memory = aligned_alloc(ARENA_ALIGN, size);
	ck_assert_ptr_nonnull(region->memory);
	memset(region->memory, 0, size);
	arena_init(&region->arena, region->memory, size);
}

static bool is_filled(const uint8_t *piece, size_t size, uint8_t value)
{
	size_t i;

	for (i = 0; i < size; i++)
		if (piece[i] != value)
			return false;
	return true;
}

START_TEST(pieces_are_aligned_zeroed_and_reused_by_size)
{
	struct region region;
	uint8_t *a, *b, *c;

	region_open(&region, 4096);
	a = arena_get(&region.arena, 100);
	b = arena_get(&region.arena, 200);
	ck_assert_ptr_nonnull(a);
	ck_assert_ptr_nonnull(b);
	ck_assert_uint_eq((uintptr_t)a % ARENA_ALIGN, 0);
	ck_assert_uint_eq((uintptr_t)b % ARENA_ALIGN, 0);
	ck_assert(b >= a + 100 || a >= b + 200);
	ck_assert_uint_eq(arena_in_use(&region.arena), 128 + 256);
	memset(a, 0xa5, 100);
	arena_put(&region.arena, a, 100);
	ck_assert_uint_eq(arena_in_use(&region.arena), 256);
	/* Another size does not get it, the same size rounded up does. */
	c = arena_get(&region.arena, 192);
	ck_assert_ptr_ne(c, a);
	c = arena_get(&region.arena, 65);
	ck_assert_ptr_eq(c, a);
	ck_assert(is_filled(c, 128, 0));
	free(region.memory);
}
END_TEST

START_TEST(a_piece_given_back_holds_nothing_but_the_free_list)
{
	struct region region;
	uint8_t *a;

	region_open(&region, 4096);
	a = arena_get(&region.arena, 512);
	memset(a, 0xa5, 512);
	arena_put(&region.arena, a, 512);
	ck_assert(is_filled(a + sizeof(struct arena_free), 512 - sizeof(struct arena_free), 0));
	free(region.memory);
}
END_TEST

START_TEST(a_spent_region_and_too_many_sizes_are_refused)
{
	struct region region;
	size_t size;

	region_open(&region, 64 * 2200);
	arena_init(&region.arena, region.memory, 64 * 100);
	ck_assert_ptr_null(arena_get(&region.arena, 0));
	ck_assert_ptr_null(arena_get(&region.arena, 64 * 101));
	ck_assert_ptr_nonnull(arena_get(&region.arena, 64 * 99));
	ck_assert_ptr_nonnull(arena_get(&region.arena, 64));
	ck_assert_ptr_null(arena_get(&region.arena, 64));
	ck_assert_uint_eq(arena_in_use(&region.arena), 64 * 100);
	arena_init(&region.arena, region.memory, 64 * 2200);
	for (size = 1; size <= ARENA_SIZES_MAX; size++)
		ck_assert_ptr_nonnull(arena_get(&region.arena, size * 64));
	ck_assert_ptr_null(arena_get(&region.arena, size * 64));
	ck_assert_ptr_nonnull(arena_get(&region.arena, 64));
	free(region.memory);
}
END_TEST

#define PIECES 300
#define STEPS 200000

struct piece {
	uint8_t *memory;
	size_t size;
	uint8_t mark;
};

/* A piece that overlaps another, or comes back dirty, shows in its bytes. */
START_TEST(random_gets_and_puts_agree_with_the_model)
{
	static const size_t sizes[] = {64, 100, 640, 1000, 4096, 9000};
	struct piece piece[PIECES] = {0};
	struct random_state random;
	struct region region;
	size_t in_use = 0, step, refused = 0;

	random_seed(&random);
	region_open(&region, REGION);
	for (step = 0; step < STEPS; step++) {
		struct piece *p = &piece[random_below(&random, PIECES)];

		if (p->memory == NULL) {
			p->size = sizes[random_below(&random, 6)];
			p->mark = (uint8_t)(1 + random_below(&random, 255));
			p->memory = arena_get(&region.arena, p->size);
			if (p->memory == NULL) {
				refused++;
				continue;
			}
			ck_assert(p->memory >= region.memory);
			ck_assert(p->memory + p->size <= region.memory + REGION);
			ck_assert(is_filled(p->memory, p->size, 0));
			memset(p->memory, p->mark, p->size);
			in_use += (p->size + 63) & ~(size_t)63;
		} else {
			ck_assert(is_filled(p->memory, p->size, p->mark));
			arena_put(&region.arena, p->memory, p->size);
			p->memory = NULL;
			in_use -= (p->size + 63) & ~(size_t)63;
		}
		ck_assert_uint_eq(arena_in_use(&region.arena), in_use);
	}
	ck_assert_uint_gt(refused, 0);
	for (step = 0; step < PIECES; step++)
		if (piece[step].memory != NULL)
			arena_put(&region.arena, piece[step].memory, piece[step].size);
	ck_assert_uint_eq(arena_in_use(&region.arena), 0);
	free(region.memory);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("arena");
	TCase *cases = tcase_create("arena");

	tcase_set_timeout(cases, 60);
	tcase_add_test(cases, pieces_are_aligned_zeroed_and_reused_by_size);
	tcase_add_test(cases, a_piece_given_back_holds_nothing_but_the_free_list);
	tcase_add_test(cases, a_spent_region_and_too_many_sizes_are_refused);
	tcase_add_test(cases, random_gets_and_puts_agree_with_the_model);
	suite_add_tcase(suite, cases);
	return unit_run(suite);
}
