// SPDX-License-Identifier: BSD-3-Clause
/*
 * TRAPS 2: a million messages of people who know ufrags, see everything that passes, and do not
 * know a password, in every state of a leg. Its digest stays what it was and nobody is answered.
 * Every thousandth time the peer itself says something right, which must be taken: so nothing
 * passes because the leg is deaf.
 */
#include "tests/support/ice_scene.h"
#include "tests/support/random.h"
#include "tests/support/unit.h"

#define MESSAGES 200000u
#define REPLAYS 10000u
#define TUPLES 6

enum state {
	STATE_FRESH,
	STATE_CHALLENGED,
	STATE_CONNECTED,
	STATE_MOVING,
	STATE_LOST,
	STATE_COUNT
};

static struct scene scene;
static struct craft seen[2]; /* the last check and the last answer of the peer */

static void reach(enum state state)
{
	scene_open(&scene);
	craft_check(&seen[0], (const uint8_t *)"abcdefghijkl", scene.username, "never sent", 0);
	seen[1] = seen[0];
	if (state == STATE_FRESH)
		return;
	ck_assert_int_eq(scene_check(&scene, 1, CRAFT_NOMINATES), STN_DROP_COUNT);
	seen[0] = scene.craft;
	if (state == STATE_CHALLENGED)
		return;
	ck_assert_int_eq(scene_answer(&scene, &scene.out, 0, 1), STN_DROP_COUNT);
	seen[1] = scene.craft;
	if (state == STATE_MOVING) {
		ck_assert_int_eq(scene_check(&scene, 2, CRAFT_NOMINATES), STN_DROP_COUNT);
		seen[0] = scene.craft;
	}
	if (state != STATE_LOST)
		return;
	scene.now_ns += SCENE_CONSENT_NS;
	ck_assert_int_eq(ice_tick(scene.ice, scene.now_ns, SCENE_CONSENT_NS), ICE_EVENT_LOST);
}

/* Something that was on the wire, changed in one to four places, with the fingerprint it then has.
 */
static void change(struct random_state *random)
{
	const struct craft *was = &seen[random_below(random, 2)];
	unsigned int changes = 1 + random_below(random, 4);

	scene.craft.size = was->size;
	memcpy(scene.craft.bytes, was->bytes, was->size);
	/* Changes may undo each other, and what is then there again would be right. */
	for (; changes > 0 || memcmp(scene.craft.bytes, was->bytes, was->size - 8) == 0;
		changes -= changes > 0)
		scene.craft.bytes[random_below(random, was->size - 8)] ^=
			(uint8_t)(1 + random_below(random, 255));
	craft_seal(&scene.craft);
}

/* Attributes of every kind, size and order, signed with what is no password of this leg. */
static void make(struct random_state *random)
{
	static const uint16_t kinds[] = {CRAFT_USERNAME, CRAFT_PRIORITY, CRAFT_USE_CANDIDATE,
		CRAFT_CONTROLLED, CRAFT_CONTROLLING, CRAFT_MAPPED, CRAFT_ERROR_CODE, CRAFT_SOFTWARE,
		CRAFT_NETWORK_INFO, 0x7abc};
	static const uint16_t sizes[] = {4, 4, 0, 8, 8, 8, 4, 16, 4, 4};
	static const uint16_t types[] = {CRAFT_REQUEST, CRAFT_REQUEST, CRAFT_SUCCESS, CRAFT_SUCCESS,
		CRAFT_INDICATION, CRAFT_ERROR};
	uint8_t value[64];

	random_fill(random, value, sizeof(value));
	value[1] = 1;
	/* The transaction id of a challenge passed by in the clear. */
	craft_begin(&scene.craft, types[random_below(random, 6)],
		random_below(random, 2) ? seen[1].bytes + 8 : value + 16);
	if (random_below(random, 4))
		craft_put(&scene.craft, CRAFT_USERNAME, scene.username, 21);
	for (unsigned int i = random_below(random, 5); i > 0; i--) {
		unsigned int kind = random_below(random, 10);

		craft_put(&scene.craft, kinds[kind], value,
			random_below(random, 8) ? sizes[kind] : random_below(random, 40));
	}
	if (random_below(random, 8))
		craft_integrity(&scene.craft, "a password of somebody else");
	craft_fingerprint(&scene.craft);
}

static bool hostile(struct random_state *random)
{
	struct ice_origin from = scene_origin(random_below(random, TUPLES));
	uint64_t before = ice_digest(scene.ice, 0);
	struct ice_output out;
	struct stun stun;

	if (random_below(random, 2))
		change(random);
	else
		make(random);
	if (random_below(random, 4) == 0)
		from.mac[5] ^= 0x55;
	if (stun_parse(scene.craft.bytes, scene.craft.size, &stun) != 0)
		return false;
	ice_receive(scene.ice, &stun, scene.craft.bytes, &from, scene.now_ns, &out);
	/* One assertion: each writes to the pipe of Check, and there are a million. */
	if (out.drop == STN_DROP_COUNT || out.count != 0 || out.event != ICE_EVENT_NONE ||
		ice_digest(scene.ice, 0) != before)
		ck_abort_msg("drop %d, %u messages, event %d", out.drop, out.count, out.event);
	return true;
}

START_TEST(a_million_messages_change_nothing)
{
	struct random_state random;
	unsigned int judged = 0;

	random_seed(&random);
	reach((enum state)_i);
	for (unsigned int i = 0; i < MESSAGES; i++) {
		judged += hostile(&random);
		scene.now_ns += 30000;
		if (i % 1000 == 999 && _i >= STATE_CONNECTED && _i != STATE_LOST)
			ck_assert_int_eq(scene_check(&scene, 1, CRAFT_NOMINATES), STN_DROP_COUNT);
	}
	ck_assert_uint_gt(judged, MESSAGES / 4);
	scene_close(&scene);
}
END_TEST

/* The same wire, from elsewhere: a check that was answered is known whatever address it comes from.
 */
START_TEST(what_was_answered_is_of_no_use_elsewhere)
{
	struct random_state random;

	random_seed(&random);
	reach(STATE_MOVING);
	for (unsigned int i = 0; i < REPLAYS; i++) {
		struct ice_origin from = scene_origin(3 + random_below(&random, 200));

		scene.craft = seen[0];
		ck_assert_int_eq(scene_deliver(&scene, &from), STN_DROP_STUN_REPLAY);
	}
	scene_close(&scene);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ice_hostile");
	TCase *tcase = tcase_create("ice_hostile");

	tcase_set_timeout(tcase, 100);
	tcase_add_loop_test(tcase, a_million_messages_change_nothing, 0, STATE_COUNT);
	tcase_add_test(tcase, what_was_answered_is_of_no_use_elsewhere);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
