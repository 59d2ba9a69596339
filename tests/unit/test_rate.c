/* SPDX-License-Identifier: BSD-3-Clause */
/* How often somebody may ask. Expected times are arithmetic: 20 a second is one each 50 ms. */
#include "controlplane/rooms/person.h"
#include "tests/support/rooms.h"
#include "tests/support/unit.h"

#define MS UINT64_C(1000000)

static const struct rate_limit twenty = {20, 5};

static struct rate fresh(void)
{
	return (struct rate){.actors.seed = 7};
}

START_TEST(a_burst_then_one_each_interval)
{
	struct rate rate = fresh();
	uint64_t now = 1000 * MS;

	for (int i = 0; i < 5; i++)
		ck_assert_uint_eq(rate_take(&rate, &twenty, "ann", now), 0);
	ck_assert_uint_eq(rate_take(&rate, &twenty, "ann", now), 50 * MS);
	/* Refusals cost nothing: the time to wait only shrinks. */
	ck_assert_uint_eq(rate_take(&rate, &twenty, "ann", now + 30 * MS), 20 * MS);
	ck_assert_uint_eq(rate_take(&rate, &twenty, "ann", now + 50 * MS - 1), 1);
	ck_assert_uint_eq(rate_take(&rate, &twenty, "ann", now + 50 * MS), 0);
	ck_assert_uint_eq(rate_take(&rate, &twenty, "ann", now + 50 * MS), 50 * MS);
	/* After a rest the burst is there again, and no more than that. */
	now += 3600 * 1000 * MS;
	for (int i = 0; i < 5; i++)
		ck_assert_uint_eq(rate_take(&rate, &twenty, "ann", now), 0);
	ck_assert_uint_ne(rate_take(&rate, &twenty, "ann", now), 0);
	rate_clear(&rate);
}
END_TEST

START_TEST(each_has_their_own)
{
	struct rate rate = fresh();

	for (int i = 0; i < 5; i++)
		ck_assert_uint_eq(rate_take(&rate, &twenty, "ann", MS), 0);
	ck_assert_uint_ne(rate_take(&rate, &twenty, "ann", MS), 0);
	ck_assert_uint_eq(rate_take(&rate, &twenty, "bob", MS), 0);
	rate_clear(&rate);
}
END_TEST

START_TEST(without_a_limit)
{
	struct rate rate = fresh();
	const struct rate_limit none = {0, 1};

	for (int i = 0; i < 1000; i++)
		ck_assert_uint_eq(rate_take(&rate, &none, "ann", MS), 0);
	ck_assert_uint_eq(rate.count, 0);
	rate_clear(&rate);
}
END_TEST

START_TEST(who_rests_gives_their_place)
{
	struct rate rate = fresh();
	char actor[16];

	/* One asks each 250 ms, a bucket is full again after 50 ms: one place is enough. */
	for (unsigned int i = 0; i < 1000; i++) {
		snprintf(actor, sizeof(actor), "u%u", i);
		ck_assert_uint_eq(rate_take(&rate, &twenty, actor, (1 + i) * 250 * MS), 0);
	}
	ck_assert_uint_eq(rate.count, 1);
	ck_assert_uint_eq(rate.actors.count, 1);
	rate_clear(&rate);
}
END_TEST

START_TEST(the_table_is_bounded)
{
	struct rate rate = fresh();
	char actor[16];

	for (unsigned int i = 0; i < RATE_ACTORS_MAX + 1000; i++) {
		snprintf(actor, sizeof(actor), "u%u", i);
		ck_assert_uint_eq(rate_take(&rate, &twenty, actor, MS), 0);
	}
	ck_assert_uint_eq(rate.count, RATE_ACTORS_MAX);
	ck_assert_uint_eq(rate.actors.count, RATE_ACTORS_MAX);
	rate_clear(&rate);
}
END_TEST

#define OPEN "{\"id\":\"o\",\"type\":\"room.open\",\"actor\":\"ann\",\"room\":\"tea\"}"
#define MUTE(actor_) \
	"{\"id\":\"m\",\"type\":\"moderation.mute\",\"actor\":\"" actor_ \
	"\",\"room\":\"tea\",\"member\":\"bob\"}"

START_TEST(requests_are_counted)
{
	struct user *mod;
	struct desk desk;

	desk_open(&desk);
	desk.registry.limits.moderation_per_second = 20;
	desk.registry.limits.moderation_burst = 2;
	ck_assert_int_eq(desk_ask(&desk, OPEN), VERDICT_OK);
	/* What the rules refuse is counted as well; only then comes the limit. */
	ck_assert_int_eq(desk_ask(&desk, MUTE("eve")), VERDICT_NOT_ALLOWED);
	ck_assert_int_eq(desk_ask(&desk, MUTE("eve")), VERDICT_NOT_ALLOWED);
	ck_assert_int_eq(desk_ask(&desk, MUTE("eve")), VERDICT_RATE_LIMITED);
	ck_assert_uint_eq(desk.verdict.retry_after_ms, 50);
	ck_assert_ptr_nonnull(strstr(desk.verdict.message, "20 a second"));
	ck_assert_int_eq(desk_ask(&desk, MUTE("ann")), VERDICT_NO_SUCH_MEMBER);
	/* Other types are not. */
	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(desk_ask(&desk, OPEN), VERDICT_ALREADY_EXISTS);
	desk.now.mono_ns += 50 * MS;
	ck_assert_int_eq(desk_ask(&desk, MUTE("eve")), VERDICT_NOT_ALLOWED);
	ck_assert_int_eq(desk_ask(&desk, MUTE("eve")), VERDICT_RATE_LIMITED);
	/* Moderators of the platform are never told to wait. */
	mod = record_make(RECORD_USER, desk.registry.next_id++);
	strcpy(mod->name.text, "eve");
	mod->moderator = true;
	ck_assert_int_eq(user_kind.link(&desk.registry, mod), 0);
	for (int i = 0; i < 10; i++)
		ck_assert_int_ne(desk_ask(&desk, MUTE("eve")), VERDICT_RATE_LIMITED);
	desk_close(&desk);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rate");
	TCase *tests = tcase_create("rate");

	parse_setup();
	tcase_add_test(tests, a_burst_then_one_each_interval);
	tcase_add_test(tests, each_has_their_own);
	tcase_add_test(tests, without_a_limit);
	tcase_add_test(tests, who_rests_gives_their_place);
	tcase_add_test(tests, the_table_is_bounded);
	tcase_add_test(tests, requests_are_counted);
	suite_add_tcase(suite, tests);
	return unit_run(suite);
}
