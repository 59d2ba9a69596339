// SPDX-License-Identifier: BSD-3-Clause
/* Which paths a leg keeps, which one it selects, and when it gives up. */
#include "dataplane/core/frame.h"
#include "tests/support/ice_scene.h"
#include "tests/support/random.h"
#include "tests/support/unit.h"

static struct scene scene;

static void setup(void)
{
	scene_open(&scene);
}

static void teardown(void)
{
	scene_close(&scene);
}

static bool validated(unsigned int tuple)
{
	struct ice_origin origin = scene_origin(tuple);

	return ice_path_validated(scene.ice, &origin.remote);
}

static void wait_ms(uint64_t ms)
{
	scene.now_ns += ms * SCENE_MS;
}

START_TEST(first_validated_path_is_selected_without_nomination)
{
	scene_validate(&scene, 1, 0);
	ck_assert_int_eq(scene.out.event, ICE_EVENT_SELECTED);
	ck_assert_int_eq(scene_selected(&scene), 1);
	scene_validate(&scene, 2, 0);
	ck_assert_int_eq(scene.out.event, ICE_EVENT_NONE);
	ck_assert_int_eq(scene_selected(&scene), 1);
}
END_TEST

START_TEST(nomination_selects)
{
	scene_validate(&scene, 1, CRAFT_NOMINATES);
	scene_validate(&scene, 2, 0);
	ck_assert_int_eq(scene_check(&scene, 2, CRAFT_NOMINATES), STN_DROP_COUNT);
	ck_assert_int_eq(scene.out.event, ICE_EVENT_SELECTED);
	ck_assert_uint_eq(scene.out.count, 1);
	ck_assert_int_eq(scene_selected(&scene), 2);
	/* The old path stays valid. */
	ck_assert(validated(1));
}
END_TEST

/* GOALS, rebinding: the old tuple is sent to until the new one has answered, and no longer. */
START_TEST(rebinding)
{
	scene_validate(&scene, 1, CRAFT_NOMINATES);
	wait_ms(2500);
	ck_assert_int_eq(scene_check(&scene, 2, CRAFT_NOMINATES), STN_DROP_COUNT);
	ck_assert_int_eq(scene.out.event, ICE_EVENT_NONE);
	ck_assert_int_eq(scene_selected(&scene), 1);
	wait_ms(40);
	ck_assert_int_eq(scene_answer(&scene, &scene.out, 0, 2), STN_DROP_COUNT);
	ck_assert_int_eq(scene.out.event, ICE_EVENT_SELECTED);
	ck_assert_int_eq(scene_selected(&scene), 2);
}
END_TEST

/* RFC 5245 agents nominate with every check: the path that asked last stays. */
START_TEST(aggressive_nomination_does_not_flap)
{
	scene_validate(&scene, 1, CRAFT_NOMINATES);
	scene_validate(&scene, 2, CRAFT_NOMINATES);
	for (unsigned int i = 0; i < 50; i++) {
		wait_ms(50);
		ck_assert_int_eq(scene_check(&scene, 1 + i % 2, CRAFT_NOMINATES), STN_DROP_COUNT);
		ck_assert_int_eq(scene_selected(&scene), 2);
	}
	/* One without, and the next with it is a new nomination. */
	scene_check(&scene, 1, 0);
	ck_assert_int_eq(scene_selected(&scene), 2);
	scene_check(&scene, 1, CRAFT_NOMINATES);
	ck_assert_int_eq(scene_selected(&scene), 1);
}
END_TEST

START_TEST(path_that_was_silent_may_be_nominated_again)
{
	scene_validate(&scene, 1, CRAFT_NOMINATES);
	wait_ms(1000);
	scene_validate(&scene, 2, CRAFT_NOMINATES);
	wait_ms(5000);
	ck_assert_int_eq(scene_check(&scene, 1, CRAFT_NOMINATES), STN_DROP_COUNT);
	ck_assert_int_eq(scene_selected(&scene), 1);
}
END_TEST

/* TRAPS 31: some agents do not nominate again. */
START_TEST(silence_selects)
{
	struct ice_origin one = scene_origin(1);

	scene_validate(&scene, 1, CRAFT_NOMINATES);
	scene_validate(&scene, 2, 0);
	wait_ms(4999);
	scene_check(&scene, 2, 0);
	ck_assert_int_eq(scene_selected(&scene), 1);
	wait_ms(1);
	scene_check(&scene, 2, 0);
	ck_assert_int_eq(scene.out.event, ICE_EVENT_SELECTED);
	ck_assert_int_eq(scene_selected(&scene), 2);
	/* It is back and says so, media first. */
	ice_alive(scene.ice, &one.remote, scene.now_ns);
	scene_check(&scene, 1, CRAFT_NOMINATES);
	ck_assert_int_eq(scene_selected(&scene), 1);
}
END_TEST

START_TEST(media_is_a_sign_of_life_that_keeps_the_selection)
{
	struct ice_origin one = scene_origin(1);

	scene_validate(&scene, 1, CRAFT_NOMINATES);
	scene_validate(&scene, 2, 0);
	for (unsigned int i = 0; i < 20; i++) {
		wait_ms(1000);
		ice_alive(scene.ice, &one.remote, scene.now_ns);
		scene_check(&scene, 2, 0);
		ck_assert_int_eq(scene_selected(&scene), 1);
	}
}
END_TEST

START_TEST(three_moves_a_second)
{
	scene_validate(&scene, 1, 0);
	scene_validate(&scene, 2, 0);
	for (unsigned int i = 0; i < 3; i++) {
		wait_ms(100);
		scene_check(&scene, 1 + i % 2, 0);
		scene_check(&scene, 2 - i % 2, 0);
		ck_assert_int_eq(scene_check(&scene, 2 - i % 2, CRAFT_NOMINATES), STN_DROP_COUNT);
		ck_assert_int_eq(scene_selected(&scene), 2 - (int)(i % 2));
	}
	scene_check(&scene, 1, 0);
	/* The moves were at 100, 200 and 300 ms. */
	wait_ms(999 - 200);
	ck_assert_int_eq(scene_check(&scene, 1, CRAFT_NOMINATES), STN_DROP_STUN_LIMITED);
	ck_assert_int_eq(scene_selected(&scene), 2);
	wait_ms(1);
	ck_assert_int_eq(scene_check(&scene, 1, CRAFT_NOMINATES), STN_DROP_COUNT);
	ck_assert_int_eq(scene_selected(&scene), 1);
}
END_TEST

/* Behind another router now, or at another port of ours. */
START_TEST(changed_way_is_told)
{
	struct ice_origin from = scene_origin(1), two = scene_origin(2);

	scene_validate(&scene, 1, CRAFT_NOMINATES);
	scene_validate(&scene, 2, 0);
	for (unsigned int i = 0; i < 2; i++) {
		if (i == 0)
			from.mac[5] = 9;
		else
			from.port = 1;
		craft_check(&scene.craft, (const uint8_t *)(i ? "aaaaaaaaaaaa" : "bbbbbbbbbbbb"),
			scene.username, SCENE_LOCAL_PWD, CRAFT_NOMINATES);
		ck_assert_int_eq(scene_deliver(&scene, &from), STN_DROP_COUNT);
		ck_assert_int_eq(scene.out.event, ICE_EVENT_SELECTED);
		ck_assert_mem_eq(ice_selected(scene.ice), &from, sizeof(from));
	}
	/* Of a path that is not selected it is nobody's business yet. */
	two.mac[5] = 9;
	craft_check(
		&scene.craft, (const uint8_t *)"cccccccccccc", scene.username, SCENE_LOCAL_PWD, 0);
	ck_assert_int_eq(scene_deliver(&scene, &two), STN_DROP_COUNT);
	ck_assert_int_eq(scene.out.event, ICE_EVENT_NONE);
	ck_assert_mem_eq(ice_path(scene.ice, &two.remote), &two, sizeof(two));
}
END_TEST

START_TEST(young_unvalidated_paths_are_safe_for_a_second)
{
	struct ice_output challenge;

	for (unsigned int i = 1; i <= 3; i++)
		ck_assert_int_eq(scene_check(&scene, i, 0), STN_DROP_COUNT);
	ck_assert_int_eq(scene_check(&scene, 4, 0), STN_DROP_STUN_LIMITED);
	wait_ms(999);
	scene_check(&scene, 2, 0);
	ck_assert_int_eq(scene_check(&scene, 4, 0), STN_DROP_STUN_LIMITED);
	wait_ms(1);
	/* In place of the one that is silent for longest. */
	scene_check(&scene, 1, 0);
	scene_expect_challenge(&scene, 0);
	challenge = scene.out;
	ck_assert_int_eq(scene_check(&scene, 4, 0), STN_DROP_COUNT);
	scene_expect_challenge(&scene, 0);
	ck_assert_int_eq(scene_answer(&scene, &challenge, 0, 1), STN_DROP_COUNT);
	wait_ms(100);
	ck_assert_int_eq(scene_check(&scene, 2, 0), STN_DROP_COUNT);
	ck_assert(validated(1) && !validated(3));
}
END_TEST

START_TEST(validated_paths_give_way_when_silent_and_the_selected_one_never)
{
	struct ice_origin two = scene_origin(2), three = scene_origin(3);

	scene_validate(&scene, 1, CRAFT_NOMINATES);
	scene_validate(&scene, 2, 0);
	scene_validate(&scene, 3, 0);
	wait_ms(500);
	ice_alive(scene.ice, &three.remote, scene.now_ns);
	wait_ms(499);
	ck_assert_int_eq(scene_check(&scene, 4, 0), STN_DROP_STUN_LIMITED);
	wait_ms(1);
	ck_assert_int_eq(scene_check(&scene, 4, 0), STN_DROP_COUNT);
	ck_assert(validated(1) && !validated(2) && validated(3));
	ck_assert_ptr_null(ice_path(scene.ice, &two.remote));
	/* Everything but the selected one is evicted in turn. */
	for (unsigned int i = 5; i < 40; i++) {
		wait_ms(1000);
		if (i % 3 == 0)
			scene_check(&scene, 1, CRAFT_NOMINATES);
		scene_check(&scene, i, 0);
		ck_assert_int_eq(scene_selected(&scene), 1);
	}
	ck_assert(!validated(3));
}
END_TEST

/* TRAPS 31: an address a second, each with the one check that comes there. */
START_TEST(rebinding_again_and_again)
{
	scene_validate(&scene, 1, CRAFT_NOMINATES);
	for (unsigned int i = 2; i < 100; i++) {
		wait_ms(1000);
		scene_validate(&scene, i, CRAFT_NOMINATES);
		ck_assert_int_eq(scene_selected(&scene), (int)i);
	}
}
END_TEST

START_TEST(consent)
{
	struct ice_origin one = scene_origin(1), other = scene_origin(9);
	uint64_t since;

	/* Nothing is lost that was not there. */
	ck_assert_int_eq(ice_tick(scene.ice, scene.now_ns, SCENE_CONSENT_NS), ICE_EVENT_NONE);
	scene_validate(&scene, 1, CRAFT_NOMINATES);
	wait_ms(29999);
	ck_assert_int_eq(ice_tick(scene.ice, scene.now_ns, SCENE_CONSENT_NS), ICE_EVENT_NONE);
	ice_alive(scene.ice, &one.remote, scene.now_ns);
	since = scene.now_ns;
	wait_ms(29999);
	/* TRAPS 30: not from anywhere else, and not by what does not authenticate. */
	ice_alive(scene.ice, &other.remote, scene.now_ns);
	craft_check(&scene.craft, (const uint8_t *)"abcdefghijkl", scene.username, "wrong", 0);
	ck_assert_int_eq(scene_deliver(&scene, &one), STN_DROP_STUN_INTEGRITY);
	ck_assert_int_eq(ice_tick(scene.ice, scene.now_ns, SCENE_CONSENT_NS), ICE_EVENT_NONE);
	scene.now_ns = since + SCENE_CONSENT_NS;
	ck_assert_int_eq(ice_tick(scene.ice, scene.now_ns, SCENE_CONSENT_NS), ICE_EVENT_LOST);
	/* For good. */
	ck_assert_int_eq(scene_selected(&scene), -1);
	ck_assert(!validated(1));
	ck_assert_int_eq(ice_tick(scene.ice, scene.now_ns, SCENE_CONSENT_NS), ICE_EVENT_NONE);
	ck_assert_int_eq(scene_check(&scene, 1, CRAFT_NOMINATES), STN_DROP_STUN_UFRAG);
}
END_TEST

START_TEST(other_paths_lose_consent_as_well)
{
	scene_validate(&scene, 1, CRAFT_NOMINATES);
	scene_validate(&scene, 2, 0);
	wait_ms(29000);
	scene_check(&scene, 1, CRAFT_NOMINATES);
	wait_ms(1000);
	ck_assert_int_eq(ice_tick(scene.ice, scene.now_ns, SCENE_CONSENT_NS), ICE_EVENT_NONE);
	ck_assert(validated(1) && !validated(2));
}
END_TEST

START_TEST(unanswered_challenge_is_forgotten)
{
	struct ice_output challenge;

	scene_check(&scene, 1, 0);
	challenge = scene.out;
	wait_ms(9999);
	ice_tick(scene.ice, scene.now_ns, SCENE_CONSENT_NS);
	wait_ms(1);
	ice_tick(scene.ice, scene.now_ns, SCENE_CONSENT_NS);
	ck_assert_int_eq(scene_answer(&scene, &challenge, 0, 1), STN_DROP_STUN_STRAY);
	/* The same tuple later is another path, with another challenge. */
	scene_check(&scene, 1, 0);
	ck_assert_mem_ne(challenge.message[0] + 8, scene.out.message[0] + 8, 12);
	ck_assert_int_eq(scene_answer(&scene, &challenge, 0, 1), STN_DROP_STUN_STRAY);
}
END_TEST

START_TEST(forgets_a_path_that_is_another_legs)
{
	struct ice_origin one = scene_origin(1), two = scene_origin(2), three = scene_origin(3);

	scene_validate(&scene, 1, CRAFT_NOMINATES);
	scene_validate(&scene, 2, 0);
	ck_assert_int_eq(ice_forget_path(scene.ice, &three.remote), ICE_EVENT_NONE);
	ck_assert_int_eq(ice_forget_path(scene.ice, &two.remote), ICE_EVENT_NONE);
	ck_assert(!validated(2) && validated(1));
	ck_assert_int_eq(ice_forget_path(scene.ice, &one.remote), ICE_EVENT_LOST);
	ck_assert_int_eq(scene_selected(&scene), -1);
	ck_assert_int_eq(scene_check(&scene, 1, 0), STN_DROP_STUN_UFRAG);
}
END_TEST

START_TEST(starts_with_what_was_validated_before)
{
	struct ice_origin one = scene_origin(1), router = one;

	router.mac[5] = 77;
	ice_start_with(scene.ice, &one, scene.now_ns);
	ck_assert_int_eq(scene_selected(&scene), 1);
	ck_assert_mem_eq(ice_path_at(scene.ice, 0), &one, sizeof(one));
	ck_assert_int_eq(scene_check(&scene, 1, CRAFT_NOMINATES), STN_DROP_COUNT);
	ck_assert_int_eq(scene.out.event, ICE_EVENT_NONE);
	/* Its router changed, and then it moved, while nobody looked. */
	craft_check(
		&scene.craft, (const uint8_t *)"abcdefghijkl", scene.username, SCENE_LOCAL_PWD, 0);
	ck_assert_int_eq(scene_deliver(&scene, &router), STN_DROP_COUNT);
	ck_assert_int_eq(scene.out.event, ICE_EVENT_SELECTED);
	scene_validate(&scene, 2, CRAFT_NOMINATES);
	ck_assert_int_eq(scene_selected(&scene), 2);
	wait_ms(30000);
	ck_assert_int_eq(ice_tick(scene.ice, scene.now_ns, SCENE_CONSENT_NS), ICE_EVENT_LOST);
}
END_TEST

START_TEST(restart)
{
	struct ice_output challenge;
	struct craft before;
	struct ice_origin one = scene_origin(1), two = scene_origin(2);

	scene_validate(&scene, 1, CRAFT_NOMINATES);
	scene_check(&scene, 2, CRAFT_NOMINATES);
	challenge = scene.out;
	craft_check(&before, (const uint8_t *)"abcdefghijkl", scene.username, SCENE_LOCAL_PWD, 0);
	scene_restart(&scene, 1);
	/* The path stays and is sent to; checks of before are refused. */
	ck_assert_int_eq(scene_selected(&scene), 1);
	scene.craft = before;
	ck_assert_int_eq(scene_deliver(&scene, &one), STN_DROP_STUN_UFRAG);
	/* The answer to a challenge of before proves nothing any more. */
	craft_success(&scene.craft, challenge.message[0] + 8, &two.remote, SCENE_REMOTE_PWD);
	ck_assert_int_eq(scene_deliver(&scene, &two), STN_DROP_STUN_STRAY);
	ck_assert_int_eq(scene_check(&scene, 1, CRAFT_NOMINATES), STN_DROP_COUNT);
	ck_assert_uint_eq(scene.out.count, 1);
	scene_expect_response(&scene, 0, scene.craft.bytes + 8, &one);
	scene_validate(&scene, 2, CRAFT_NOMINATES);
	ck_assert_int_eq(scene_selected(&scene), 2);
}
END_TEST

START_TEST(same_credentials_again_change_nothing)
{
	uint64_t before;
	struct ice_output challenge;

	scene_check(&scene, 1, CRAFT_NOMINATES);
	challenge = scene.out;
	before = ice_digest(scene.ice, 0);
	scene_restart(&scene, 0);
	ck_assert_uint_eq(ice_digest(scene.ice, 0), before);
	ck_assert_int_eq(scene_answer(&scene, &challenge, 0, 1), STN_DROP_COUNT);
	ck_assert_uint_eq(scene.out.count, 1);
}
END_TEST

START_TEST(leg_without_credentials)
{
	struct ice_leg *with = scene.ice;

	scene.ice = ice_open(SCENE_LEG, SCENE_WORKER, &scene.secret);
	ck_assert_ptr_nonnull(scene.ice);
	ck_assert_int_eq(scene_check(&scene, 1, 0), STN_DROP_STUN_UFRAG);
	ice_close(scene.ice);
	scene.ice = with;
}
END_TEST

/* 100 at once and 50 a second; repetitions have half of that and leave the rest alone. */
START_TEST(rate)
{
	struct ice_origin from = scene_origin(1);
	unsigned int answered = 0;

	scene_validate(&scene, 1, 0);
	wait_ms(10000);
	scene_check(&scene, 1, 0);
	for (unsigned int i = 0; i < 200; i++)
		answered += scene_deliver(&scene, &from) == STN_DROP_COUNT;
	ck_assert_uint_eq(answered, 49);
	answered = 0;
	for (unsigned int i = 0; i < 200; i++) {
		enum stn_drop drop = scene_check(&scene, 1, 0);

		ck_assert(drop == STN_DROP_COUNT || drop == STN_DROP_STUN_LIMITED);
		answered += drop == STN_DROP_COUNT;
	}
	ck_assert_uint_eq(answered, 50);
	answered = 0;
	for (unsigned int i = 0; i < 1000; i++) {
		wait_ms(1);
		answered += scene_check(&scene, 1, 0) == STN_DROP_COUNT;
	}
	ck_assert_uint_eq(answered, 50);
	/* Strangers do not use it up. */
	wait_ms(10000);
	for (unsigned int i = 0; i < 1000; i++) {
		craft_check(&scene.craft, (const uint8_t *)"abcdefghijkl", scene.username, "no", 0);
		scene_deliver(&scene, &from);
	}
	ck_assert_int_eq(scene_check(&scene, 1, 0), STN_DROP_COUNT);
}
END_TEST

/* GOALS, mirror, over random lives: never more to an unvalidated tuple than came from it. */
#define TUPLES 6
#define HEADERS 28 /* of IPv4 and UDP: a victim's line carries them as well */

static void random_message(
	struct random_state *random, unsigned int tuple, uint64_t received[TUPLES])
{
	static const uint8_t software[160];
	struct ice_origin from = scene_origin(tuple);
	uint8_t transaction[12] = {0};

	/* A small space of ids makes repetitions. */
	transaction[0] = (uint8_t)random_below(random, 40);
	transaction[1] = (uint8_t)(scene.now_ns / (3 * SCENE_S));
	craft_begin(&scene.craft, CRAFT_REQUEST, transaction);
	craft_put(&scene.craft, CRAFT_USERNAME, scene.username, 21);
	if (random_below(random, 2))
		craft_put(&scene.craft, CRAFT_SOFTWARE, software,
			random_below(random, sizeof(software)));
	if (random_below(random, 3) == 0)
		craft_put(&scene.craft, CRAFT_USE_CANDIDATE, NULL, 0);
	craft_integrity(&scene.craft,
		random_below(random, 8) ? SCENE_LOCAL_PWD : "somebody who guesses ...");
	craft_fingerprint(&scene.craft);
	if (!validated(tuple))
		received[tuple] += HEADERS + scene.craft.size;
	scene_deliver(&scene, &from);
}

START_TEST(mirror_model)
{
	struct random_state random;
	uint64_t received[TUPLES] = {0}, sent[TUPLES] = {0};
	struct ice_output challenge[TUPLES] = {0};
	unsigned int challenged = 0, answered = 0;

	random_seed(&random);
	for (unsigned int step = 0; step < 40000; step++) {
		unsigned int tuple = random_below(&random, TUPLES);
		struct ice_origin from = scene_origin(tuple);
		bool proven = validated(tuple);

		scene.now_ns += random_below(&random, 200) * SCENE_MS;
		scene.out.count = 0;
		/* Half of the tuples never answer. */
		if (tuple < TUPLES / 2 && challenge[tuple].count && random_below(&random, 4) == 0) {
			if (scene_answer(&scene, &challenge[tuple], 0, tuple) == STN_DROP_COUNT)
				answered++;
			proven |= validated(tuple);
		} else {
			random_message(&random, tuple, received);
			if (scene.out.count && (scene.out.message[0][0] & 1) == 0) {
				challenge[tuple] = scene.out;
				challenged++;
			}
		}
		ck_assert(scene.out.count == 0 ||
			  frame_address_equal(&scene.out.to.remote, &from.remote));
		for (unsigned int i = 0; i < scene.out.count && !proven; i++)
			sent[tuple] += HEADERS + scene.out.size[i];
		ck_assert_msg(sent[tuple] <= received[tuple], "step %u, tuple %u", step, tuple);
		if (random_below(&random, 20) == 0)
			ice_tick(scene.ice, scene.now_ns, 20 * SCENE_S);
	}
	ck_assert_uint_gt(challenged, 200);
	ck_assert_uint_gt(answered, 20);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ice_path");
	TCase *tcase = tcase_create("ice_path");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, first_validated_path_is_selected_without_nomination);
	tcase_add_test(tcase, nomination_selects);
	tcase_add_test(tcase, rebinding);
	tcase_add_test(tcase, aggressive_nomination_does_not_flap);
	tcase_add_test(tcase, path_that_was_silent_may_be_nominated_again);
	tcase_add_test(tcase, silence_selects);
	tcase_add_test(tcase, media_is_a_sign_of_life_that_keeps_the_selection);
	tcase_add_test(tcase, three_moves_a_second);
	tcase_add_test(tcase, changed_way_is_told);
	tcase_add_test(tcase, young_unvalidated_paths_are_safe_for_a_second);
	tcase_add_test(tcase, validated_paths_give_way_when_silent_and_the_selected_one_never);
	tcase_add_test(tcase, rebinding_again_and_again);
	tcase_add_test(tcase, consent);
	tcase_add_test(tcase, other_paths_lose_consent_as_well);
	tcase_add_test(tcase, unanswered_challenge_is_forgotten);
	tcase_add_test(tcase, forgets_a_path_that_is_another_legs);
	tcase_add_test(tcase, starts_with_what_was_validated_before);
	tcase_add_test(tcase, restart);
	tcase_add_test(tcase, same_credentials_again_change_nothing);
	tcase_add_test(tcase, leg_without_credentials);
	tcase_add_test(tcase, rate);
	tcase_add_test(tcase, mirror_model);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
