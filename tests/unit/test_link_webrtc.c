/* SPDX-License-Identifier: BSD-3-Clause */
/* The link and browsers, against a live table server: credentials, DTLS both ways, notices. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controlplane/link/link.h"
#include "dataplane/core/ice.h"
#include "tests/unit/table_world.h"

#define TURNS_MAX 20000
#define LEG 30

static struct world world;
static struct link *link_;
static struct {
	unsigned int legs, ices, notices, datagrams;
	struct stn_op_leg_put leg;
	struct stn_op_leg_ice ice;
	struct stn_notice notice;
	struct stn_datagram datagram;
	uint8_t bytes[STN_DATAGRAM_MAX];
	bool keyed; /* what the resync wants */
	unsigned int done;
	enum link_outcome outcome;
} seen;

static void on_dump_leg(void *context, const struct stn_op_leg_put *leg)
{
	seen.legs++;
	seen.leg = *leg;
}

static void on_dump_leg_ice(void *context, const struct stn_op_leg_ice *ice)
{
	ck_assert_uint_eq(ice->leg_id, seen.leg.leg_id); /* behind its leg */
	seen.ices++;
	seen.ice = *ice;
}

static void on_resync(void *context, struct link_ops *ops)
{
	struct stn_op_room_put room = world_room(1);
	struct stn_op_leg_put leg = seen.keyed ? world_webrtc_keyed(LEG, 1, STN_ROLE_LISTENER)
					       : world_webrtc(LEG, 1, STN_ROLE_LISTENER);
	struct stn_op_leg_ice ice = world_ice(LEG, 1);

	link_ops_room_put(ops, &room);
	link_ops_leg_put(ops, &leg);
	link_ops_leg_ice(ops, &ice);
}

static void on_notice(void *context, const struct stn_notice *notice)
{
	seen.notices++;
	seen.notice = *notice;
}

static void on_datagram(void *context, const struct stn_datagram *datagram, const uint8_t *bytes)
{
	seen.datagrams++;
	seen.datagram = *datagram;
	memcpy(seen.bytes, bytes, datagram->size);
}

static void on_done(void *context, const struct link_result *result)
{
	seen.done++;
	seen.outcome = result->outcome;
}

static const struct link_callbacks callbacks = {
	.dump_leg = on_dump_leg,
	.dump_leg_ice = on_dump_leg_ice,
	.resync = on_resync,
	.notice = on_notice,
	.datagram = on_datagram,
};

static void open_link(bool dump)
{
	struct link_config config = {.path = world.socket_path, .epoch = 5, .dump = dump};

	ck_assert_int_eq(link_open(&link_, &config, &callbacks, NULL), 0);
}

static void turn(void)
{
	link_process(link_, world_now_ns);
	world_turn(&world);
	link_process(link_, world_now_ns);
}

static void until_up(void)
{
	for (int i = 0; i < TURNS_MAX && link_state(link_) != LINK_UP; i++)
		turn();
	ck_assert_str_eq(link_state_name(link_state(link_)), "up");
}

static void set_up(void)
{
	memset(&seen, 0, sizeof(seen));
	world_open(&world, 2);
}

static void tear_down(void)
{
	link_close(link_);
	link_ = NULL;
	world_close(&world);
}

static const struct leg_facts *leg(void)
{
	for (unsigned int i = 0; i < 2; i++)
		if (fake_bus_leg(&world.fake, i, LEG))
			return fake_bus_leg(&world.fake, i, LEG);
	return NULL;
}

static struct fake_worker *owner(void)
{
	return &world.fake.worker[leg()->worker];
}

static int say(const char *text)
{
	return link_datagram(link_, LEG, NULL, (const uint8_t *)text, strlen(text));
}

START_TEST(credentials_go_down_and_come_back)
{
	struct stn_op_leg_ice wanted = world_ice(LEG, 1);

	seen.keyed = true;
	open_link(false);
	until_up();
	ck_assert_ptr_nonnull(fake_bus_ice(&world.fake, leg()->worker, LEG));
	link_close(link_);
	open_link(true);
	until_up();
	ck_assert_uint_eq(seen.legs, 1);
	ck_assert_uint_eq(seen.ices, 1);
	ck_assert(!memcmp(&seen.ice, &wanted, sizeof(wanted)));
	ck_assert_uint_eq(seen.leg.tx.suite, STN_SUITE_AEAD_AES_128_GCM);
}
END_TEST

START_TEST(dtls_goes_both_ways)
{
	struct stn_address from = world_address(4);

	open_link(false);
	until_up();
	fake_bus_up(&world.fake, leg(), &from, "\x16hello");
	for (int i = 0; i < TURNS_MAX && !seen.datagrams; i++)
		turn();
	ck_assert_uint_eq(seen.datagrams, 1);
	ck_assert_uint_eq(seen.datagram.leg_id, LEG);
	ck_assert_uint_eq(seen.datagram.size, 6);
	ck_assert(!memcmp(&seen.datagram.remote, &from, sizeof(from)));
	ck_assert(!memcmp(seen.bytes, "\x16hello", 6));
	ck_assert_int_eq(
		link_datagram(link_, LEG, &seen.datagram.remote, (const uint8_t *)"\x16ok", 3), 0);
	ck_assert_int_eq(say("\x17"), 0);
	for (int i = 0; i < TURNS_MAX && owner()->downs < 2; i++)
		turn();
	ck_assert_uint_eq(owner()->down[0].size, 3);
	ck_assert(!memcmp(owner()->down[0].bytes, "\x16ok", 3));
	ck_assert(!memcmp(&owner()->down[0].remote, &from, sizeof(from)));
	ck_assert_uint_eq(owner()->down[1].remote.family, 0);
	/* Nothing of it waits for an answer. */
	world_now_ns += UINT64_C(60000000000);
	for (int i = 0; i < 4; i++)
		turn();
	ck_assert_int_eq(link_state(link_), LINK_UP);
}
END_TEST

START_TEST(the_largest_and_the_impossible)
{
	uint8_t bytes[STN_DATAGRAM_MAX + 1] = {0x16};

	open_link(false);
	ck_assert_int_eq(say("x"), -ENOTCONN);
	until_up();
	ck_assert_int_eq(link_datagram(link_, LEG, NULL, bytes, 0), -EINVAL);
	ck_assert_int_eq(link_datagram(link_, LEG, NULL, bytes, sizeof(bytes)), -EINVAL);
	ck_assert_int_eq(link_datagram(link_, LEG, NULL, bytes, STN_DATAGRAM_MAX), 0);
	for (int i = 0; i < TURNS_MAX && !owner()->downs; i++)
		turn();
	ck_assert_uint_eq(owner()->down[0].size, STN_DATAGRAM_MAX);
	ck_assert_int_eq(link_state(link_), LINK_UP);
}
END_TEST

/* close_notify goes out before the removal that follows it. */
START_TEST(last_words_come_before_the_removal)
{
	struct link_ops ops = {0};
	unsigned int worker;

	open_link(false);
	until_up();
	worker = leg()->worker;
	ck_assert_int_eq(say("\x15"
			     "bye"),
		0);
	link_ops_leg_remove(&ops, LEG);
	ck_assert_int_eq(link_submit(link_, &ops, on_done, NULL), 0);
	ck_assert_int_eq(say("too late"), 0);
	for (int i = 0; i < TURNS_MAX && !seen.done; i++)
		turn();
	ck_assert_int_eq(seen.outcome, LINK_APPLIED);
	for (int i = 0; i < 4; i++)
		turn();
	ck_assert_uint_eq(world.fake.worker[worker].downs, 1);
	ck_assert_uint_eq(world.fake.worker[worker].down[0].size, 4);
}
END_TEST

/* A data plane that does not read: what waits is bounded, then dropped; the link goes on. */
START_TEST(what_waits_is_bounded)
{
	uint8_t bytes[1200] = {0x16};
	unsigned int taken = 0;
	int error = 0;

	open_link(false);
	until_up();
	while (!error && taken < 100000) {
		error = link_datagram(link_, LEG, NULL, bytes, sizeof(bytes));
		taken += !error;
	}
	ck_assert_int_eq(error, -ENOBUFS);
	ck_assert_uint_ge(taken, 1024);
	world.fake.down_full = true;
	for (int i = 0; i < 2000; i++)
		turn();
	world.fake.down_full = false;
	ck_assert_int_eq(say("again"), 0);
	for (int i = 0; i < TURNS_MAX && !owner()->downs; i++)
		turn();
	ck_assert_uint_eq(owner()->down[0].size, 5);
	ck_assert_int_eq(link_state(link_), LINK_UP);
}
END_TEST

START_TEST(a_move_says_where_to)
{
	struct stn_address place = world_address(8);

	open_link(false);
	until_up();
	fake_bus_moved(&world.fake, leg(), &place);
	for (int i = 0; i < TURNS_MAX && !seen.notices; i++)
		turn();
	ck_assert_uint_eq(seen.notice.type, STN_NOTICE_LEG_MOVED);
	ck_assert_uint_eq(seen.notice.leg_id, LEG);
	ck_assert(!memcmp(&seen.notice.remote, &place, sizeof(place)));
}
END_TEST

START_TEST(a_fenced_link_sends_nothing)
{
	int other;

	open_link(false);
	until_up();
	other = world_client(&world, 9);
	for (int i = 0; i < TURNS_MAX && link_state(link_) != LINK_FENCED; i++)
		turn();
	ck_assert_int_eq(say("x"), -ESHUTDOWN);
	close(other);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("link webrtc");
	TCase *tests = tcase_create("link webrtc");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, credentials_go_down_and_come_back);
	tcase_add_test(tests, dtls_goes_both_ways);
	tcase_add_test(tests, the_largest_and_the_impossible);
	tcase_add_test(tests, last_words_come_before_the_removal);
	tcase_add_test(tests, what_waits_is_bounded);
	tcase_add_test(tests, a_move_says_where_to);
	tcase_add_test(tests, a_fenced_link_sends_nothing);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
