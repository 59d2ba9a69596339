// SPDX-License-Identifier: BSD-3-Clause
/* Legs whose next hop is not known yet: held back, counted, and let go by a message. */
#include "tests/io/harness.h"

static const uint8_t mac[6] = {2, 0, 0, 0, 0, 2};

static void tell(struct harness *h, const struct peer *peer, uint64_t leg_id)
{
	struct command command = {
		.type = COMMAND_NEIGHBOUR, .handle = peer->facts.leg, .value = leg_id};

	command.neighbour.known = true;
	memcpy(command.neighbour.mac, mac, sizeof(mac));
	harness_post(h, peer->facts.worker, &command);
	harness_fence(h);
}

START_TEST(a_leg_is_held_back_until_its_next_hop_is_known)
{
	struct harness_options options = {.no_gateway = true, .workers = (unsigned int)(_i + 1)};
	struct harness *h = harness_open(&options);
	struct harness_room *room = harness_room(h, 1, 1, 0, 0);
	struct harness_leg leg = {.role = STN_ROLE_SPEAKER, .rx_suite = 1, .audio_level_id = 1};
	struct peer *speaker = harness_join(h, room, &leg), *other, *listener[4];
	unsigned int i;

	leg.tx_suite = 2;
	other = harness_join(h, room, &leg);
	for (i = 0; i < 4; i++) {
		leg = (struct harness_leg){.tx_suite = 1, .family = i % 2 ? 6 : 4, .group = i == 3};
		listener[i] = harness_join(h, room, &leg);
	}
	harness_fence(h);
	ck_assert_uint_eq(harness_refusals(h), 0);
	for (i = 0; i < 3; i++)
		harness_speak(h, speaker, "nobody can be reached");
	harness_settle(h);
	ck_assert_uint_eq(h->taken, 0);
	ck_assert_uint_eq(harness_drops(h, STN_DROP_TX_NO_NEIGHBOUR), 3 * 5);
	/* Their own indices are not used up meanwhile. */
	ck_assert_uint_eq(other->cells[LEG_CELL_OWN].value, 2000);
	/* A message about somebody who had this handle before changes nothing. */
	tell(h, listener[0], listener[0]->facts.leg_id ^ 1);
	harness_speak(h, speaker, "still nobody");
	harness_settle(h);
	ck_assert_uint_eq(h->taken, 0);
	for (i = 0; i < 4; i++)
		tell(h, listener[i], listener[i]->facts.leg_id);
	tell(h, other, other->facts.leg_id);
	harness_speak(h, speaker, "now everybody");
	harness_settle(h);
	ck_assert_uint_eq(harness_drops(h, STN_DROP_TX_NO_NEIGHBOUR), 4 * 5);
	for (i = 0; i < 4; i++) {
		ck_assert_uint_eq(listener[i]->heard_count, 1);
		ck_assert_uint_eq(listener[i]->heard[0].view.sequence, 1005);
	}
	ck_assert_uint_eq(other->heard_count, 1);
	ck_assert_uint_eq(other->heard[0].view.sequence, 2001);
	/* Told again, with the same or another address: nothing is sent twice. */
	tell(h, listener[1], listener[1]->facts.leg_id);
	harness_speak(h, speaker, "now everybody again");
	harness_settle(h);
	ck_assert_uint_eq(listener[1]->heard_count, 2);
	ck_assert_uint_eq(harness_drops(h, STN_DROP_TX_NO_NEIGHBOUR), 4 * 5);
	harness_close(h);
}
END_TEST

START_TEST(one_who_leaves_unreached_is_not_counted_any_more)
{
	struct harness_options options = {.no_gateway = true};
	struct harness *h = harness_open(&options);
	struct harness_room *room = harness_room(h, 1, STN_SUITE_NONE, 0, 0);
	struct harness_leg leg = {.role = STN_ROLE_SPEAKER, .rx_suite = 1, .audio_level_id = 1};
	struct peer *speaker = harness_join(h, room, &leg), *a, *b;

	leg = (struct harness_leg){.tx_suite = 3};
	a = harness_join(h, room, &leg);
	b = harness_join(h, room, &leg);
	harness_fence(h);
	harness_leave(h, a);
	harness_fence(h);
	harness_speak(h, speaker, "to one of two");
	harness_settle(h);
	ck_assert_uint_eq(harness_drops(h, STN_DROP_TX_NO_NEIGHBOUR), 1);
	tell(h, a, a->facts.leg_id); /* too late */
	tell(h, b, b->facts.leg_id);
	harness_speak(h, speaker, "to the one");
	harness_settle(h);
	ck_assert_uint_eq(harness_drops(h, STN_DROP_TX_NO_NEIGHBOUR), 1);
	ck_assert_uint_eq(a->heard_count, 0);
	ck_assert_uint_eq(b->heard_count, 1);
	harness_close(h);
}
END_TEST

/* Released right before a wrap, or silenced while held: the rules of joining still hold. */
START_TEST(a_late_release_keeps_the_origin)
{
	struct harness_options options = {.no_gateway = true};
	struct harness *h = harness_open(&options);
	struct harness_room *room = harness_room(h, 1, STN_SUITE_NONE, 0, 0x1fff0);
	struct harness_leg leg = {.role = STN_ROLE_SPEAKER, .rx_suite = 1, .audio_level_id = 1};
	struct peer *speaker = harness_join(h, room, &leg), *peer;
	unsigned int i;

	leg = (struct harness_leg){.tx_suite = 1};
	peer = harness_join(h, room, &leg);
	harness_fence(h);
	ck_assert_uint_eq(peer->facts.origin[0], 2);
	tell(h, peer, peer->facts.leg_id);
	for (i = 0; i < 20; i++) {
		harness_speak(h, speaker, "through the wrap");
		harness_settle(h);
	}
	/* 0x1fff1 to 0x1ffff are before its origin: 15 of the 20. */
	ck_assert_uint_eq(peer->heard_count, 5);
	ck_assert_uint_eq(peer->refused, 0);
	ck_assert_uint_eq(peer->heard[0].view.sequence, 0);
	harness_close(h);
}
END_TEST

/* No route, and the first port has no address of the leg's family: held back, not fatal. */
START_TEST(a_route_that_went_away_is_not_fatal)
{
	struct harness_options options = {.no_gateway = true};
	struct harness *h = harness_open(&options);
	struct port ports[2] = {h->port, h->port};
	struct bus_config config = {.worker = h->pool.worker,
		.worker_count = 1,
		.port = ports,
		.port_count = 2,
		.pool = h->pool.buffers,
		.legs_max = h->config.legs_max};
	struct harness_room *room = harness_room(h, 1, STN_SUITE_NONE, 0, 0);
	struct harness_leg leg = {.tx_suite = 1, .family = 6};
	struct worker *worker = h->pool.worker[0];

	/* Two ports: the first for IPv4 only. */
	ports[0].local[1].family = 0;
	worker->config.port[1] = worker->config.port[0];
	worker->config.port[0].local[1].family = 0;
	worker->config.port_count = 2;
	bus_close(h->bus);
	ck_assert_int_eq(bus_open(&h->bus, &config), 0);
	h->interface = bus_interface(h->bus);
	harness_join(h, room, &leg);
	harness_fence(h);
	ck_assert_uint_eq(harness_refusals(h), 0);
	ck_assert_uint_eq(harness_stats(h).legs, 1);
	worker->config.port_count = 1;
	harness_close(h);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("neighbour");
	TCase *cases = tcase_create("neighbour");

	tcase_set_timeout(cases, 60);
	tcase_add_loop_test(cases, a_leg_is_held_back_until_its_next_hop_is_known, 0, 2);
	tcase_add_test(cases, one_who_leaves_unreached_is_not_counted_any_more);
	tcase_add_test(cases, a_late_release_keeps_the_origin);
	tcase_add_test(cases, a_route_that_went_away_is_not_fatal);
	suite_add_tcase(suite, cases);
	return harness_main(suite);
}
