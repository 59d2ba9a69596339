// SPDX-License-Identifier: BSD-3-Clause
/* Paths that come, move, are taken by others and go, in the middle of everything else. */
#include "tests/io/harness.h"

#include <arpa/inet.h>

#define BROWSERS 150u /* three blocks of a shard */
#define CONSENT_MS 300u

static struct peer *speaker_join(struct harness *h, struct harness_room *room)
{
	struct harness_leg leg = {.role = STN_ROLE_SPEAKER, .rx_suite = 1, .audio_level_id = 1};

	return harness_join(h, room, &leg);
}

static struct peer *browser_join(struct harness *h, struct harness_room *room)
{
	struct harness_leg leg = {.webrtc = true, .tx_suite = 1, .rx_suite = 1};

	return harness_join(h, room, &leg);
}

static struct browser_place *here(const struct peer *peer)
{
	return &peer->browser->place[peer->browser->at];
}

static void wait_ns(struct harness *h, uint64_t time_ns)
{
	uint64_t until_ns = harness_now_ns() + time_ns;

	harness_until(h, harness_now_ns() >= until_ns);
}

/* One stream without a packet twice. */
static void check_once(const struct peer *peer)
{
	unsigned int i;

	ck_assert_uint_eq(peer->refused, 0);
	for (i = 1; i < peer->heard_count; i++)
		ck_assert_uint_gt(peer->heard[i].view.sequence, peer->heard[i - 1].view.sequence);
}

/* Connected, keyed, and with three proven addresses, so that a nomination is enough to move it. */
static struct peer *browser_ready(struct harness *h, struct harness_room *room)
{
	struct peer *peer = browser_join(h, room);

	harness_fence(h);
	harness_connect(h, peer);
	harness_key(h, peer);
	harness_move(h, peer, 4, 5001);
	harness_check(h, peer, 0, false);
	harness_settle(h);
	harness_move(h, peer, 6, 7000);
	harness_check(h, peer, 0, false);
	harness_settle(h);
	harness_move(h, peer, 4, 5000);
	return peer;
}

/* To another of its addresses; true when that is of the other family. */
static bool move_somewhere(struct harness *h, struct peer *peer)
{
	static const unsigned int ports[] = {5000, 5001, 7000};
	uint8_t family = peer->browser->selected.family;
	unsigned int port = ports[random_below(&h->random, 3)];

	harness_move(h, peer, port == 7000 ? 6 : 4, port);
	harness_check(h, peer, 0, false);
	harness_check(h, peer, 0, true);
	return here(peer)->address.family != family;
}

/*
 * Between two slices of a fan-out somebody moves: nobody gets a packet twice, and a packet is lost
 * only to who moves to the other family just then.
 */
START_TEST(moves_in_the_middle_of_a_fan_out)
{
	struct harness_options options = {.slice_copies = 32};
	struct harness *h = harness_open(&options);
	struct harness_room *room = harness_room(h, 1, STN_SUITE_NONE, 0, 0);
	struct peer *speaker = speaker_join(h, room), *browser[BROWSERS];
	unsigned int i, k, round, missed = 0;

	for (i = 0; i < BROWSERS; i++)
		browser[i] = browser_ready(h, room);
	for (round = 0; round < 100; round++) {
		unsigned int turns = 1 + random_below(&h->random, 5), before[BROWSERS];
		bool away[BROWSERS] = {false};

		for (i = 0; i < BROWSERS; i++)
			before[i] = browser[i]->heard_count;
		harness_speak(h, speaker, "for everybody");
		for (i = 0; i < turns; i++)
			harness_turn(h);
		for (k = 0; k < 3; k++) {
			i = random_below(&h->random, BROWSERS);
			away[i] |= move_somewhere(h, browser[i]);
			harness_turn(h);
		}
		harness_settle(h);
		for (i = 0; i < BROWSERS; i++) {
			unsigned int heard = browser[i]->heard_count - before[i];

			ck_assert_uint_le(heard, 1);
			ck_assert(heard == 1 || away[i]);
			missed += heard == 0;
		}
	}
	for (i = 0; i < BROWSERS; i++)
		check_once(browser[i]);
	ck_assert_uint_gt(missed, 0); /* or nobody moved where it matters */
	harness_close(h);
}
END_TEST

/* They leave, or lose their path, while a fan-out to them is under way. */
START_TEST(removals_in_the_middle_of_a_fan_out)
{
	struct harness_options options = {.slice_copies = 32};
	struct harness *h = harness_open(&options);
	struct harness_room *room = harness_room(h, 1, STN_SUITE_NONE, 0, 0);
	struct peer *speaker = speaker_join(h, room), *browser[BROWSERS];
	unsigned int i, left = BROWSERS;

	for (i = 0; i < BROWSERS; i++)
		browser[i] = browser_ready(h, room);
	while (left > 10) {
		harness_speak(h, speaker, "for everybody");
		for (i = random_below(&h->random, 4); i > 0; i--)
			harness_turn(h);
		/* It moves first, so that it is in two places of the shard when it leaves. */
		i = random_below(&h->random, left);
		move_somewhere(h, browser[i]);
		harness_turn(h);
		harness_leave(h, browser[i]);
		harness_fence(h);
		browser[i]->gone = true;
		browser[i] = browser[--left];
	}
	harness_settle(h);
	for (i = 0; i < left; i++) {
		check_once(browser[i]);
		ck_assert_uint_eq(browser[i]->heard_count, BROWSERS - 10);
	}
	harness_close(h);
}
END_TEST

static unsigned int losses(const struct peer *peer)
{
	return peer->browser->losses;
}

/* Silent for the consent time: nothing is sent any more, whatever it does then. */
START_TEST(consent_ends)
{
	struct harness_options options = {.workers = 1 + (unsigned int)_i % 2};
	struct harness *h = harness_open(&options);
	struct harness_room *room = harness_room(h, 1, STN_SUITE_NONE, 0, 0);
	struct peer *speaker = speaker_join(h, room), *quiet, *alive, *reporting;
	struct harness_leg leg = {.webrtc = true,
		.tx_suite = 1,
		.rx_suite = 1,
		.role = _i / 2 ? STN_ROLE_SPEAKER : STN_ROLE_LISTENER};
	uint64_t until;
	unsigned int i, size;
	uint8_t packet[PACKET_MAX];

	quiet = harness_join(h, room, &leg);
	alive = harness_join(h, room, &leg);
	reporting = harness_join(h, room, &leg);
	harness_fence(h);
	harness_connect(h, quiet);
	harness_connect(h, alive);
	harness_connect(h, reporting);
	harness_key(h, quiet);
	harness_key(h, alive);
	harness_key(h, reporting);
	for (i = 0; i < options.workers; i++)
		h->pool.worker[i]->config.consent_timeout_ms = CONSENT_MS;
	/* Checks keep it alive, and SRTCP that authenticates does (TRAPS 30). */
	until = harness_now_ns() + 10000000000ull;
	while (losses(quiet) == 0) {
		ck_assert_uint_lt(harness_now_ns(), until);
		wait_ns(h, CONSENT_MS * 200000ull);
		harness_check(h, alive, 0, true);
		size = peer_report(reporting, packet);
		harness_datagram(h, reporting, 0, packet, size);
		harness_settle(h);
	}
	ck_assert_uint_eq(losses(alive) + losses(reporting), 0);
	peer_forget(quiet);
	peer_forget(alive);
	peer_forget(reporting);
	harness_speak(h, speaker, "who is there");
	harness_settle(h);
	ck_assert_uint_eq(quiet->heard_count, 0);
	ck_assert_uint_eq(alive->heard_count, 1);
	ck_assert_uint_eq(reporting->heard_count, 1);
	/* Its tuple is nobody's now, and its checks come too late. */
	quiet->gone = true;
	harness_check(h, quiet, 0, true);
	harness_datagram(h, quiet, 0, (const uint8_t *)"\x16\xfe\xfd", 3);
	size = peer_report(quiet, packet);
	harness_datagram(h, quiet, 0, packet, size);
	ck_assert_int_eq(harness_dtls(h, quiet, NULL, "\x16\xfe\xfd", 3), 0);
	harness_settle(h);
	ck_assert_uint_eq(harness_drops(h, STN_DROP_STUN_UFRAG), 1);
	ck_assert_uint_eq(harness_drops(h, STN_DROP_DTLS_UNVALIDATED), 1);
	ck_assert_uint_eq(harness_drops(h, STN_DROP_NO_LEG), 1);
	ck_assert_uint_eq(harness_stats(h).control_refused, 1);
	for (i = 0; i < options.workers; i++)
		h->pool.worker[i]->config.consent_timeout_ms = 30000;
	harness_close(h);
}
END_TEST

/* The credentials change: the path stays, checks with the old ones are refused. */
START_TEST(ice_restarts)
{
	struct harness_options options = {.workers = 2};
	struct harness *h = harness_open(&options);
	struct harness_room *room = harness_room(h, 1, STN_SUITE_NONE, 0, 0);
	struct peer *speaker = speaker_join(h, room), *peer = browser_join(h, room);
	uint8_t old[BROWSER_MESSAGE_MAX];
	unsigned int size;

	harness_fence(h);
	harness_connect(h, peer);
	harness_key(h, peer);
	size = browser_check(peer->browser, true, &h->random, old);
	browser_credentials(peer->browser, peer->facts.leg_id, &h->random);
	harness_ice(h, peer);
	harness_datagram(h, peer, 0, old, size);
	harness_settle(h);
	ck_assert_uint_eq(harness_drops(h, STN_DROP_STUN_UFRAG), 1);
	harness_speak(h, speaker, "not interrupted");
	harness_settle(h);
	ck_assert_uint_eq(peer->heard_count, 1);
	harness_move(h, peer, 6, 7000);
	harness_connect(h, peer);
	harness_speak(h, speaker, "nor here");
	harness_settle(h);
	ck_assert_uint_eq(peer->heard_count, 2);
	check_once(peer);
	harness_close(h);
}
END_TEST

/* As after a restart of the data plane: keys, credentials and the last path, all at once. */
START_TEST(a_path_of_before_is_used_at_once)
{
	struct harness_options options = {.workers = 2, .no_gateway = _i % 2};
	struct stn_address start = {
		.family = 4, .port_be = htons(5000), .address = {198, 51, 100, 7}};
	struct harness *h = harness_open(&options);
	struct harness_room *room = harness_room(h, 1, STN_SUITE_NONE, 0, 0);
	struct harness_leg leg = {.webrtc = true,
		.keyed = true,
		.start = &start,
		.tx_suite = 1,
		.rx_suite = 1,
		.role = _i / 2 ? STN_ROLE_SPEAKER : STN_ROLE_LISTENER};
	struct command told = {.type = COMMAND_NEIGHBOUR};
	struct peer *speaker = speaker_join(h, room), *peer = harness_join(h, room, &leg);
	uint8_t packet[PACKET_MAX];
	unsigned int i, size;

	harness_fence(h);
	harness_settle(h);
	ck_assert_mem_eq(&peer->browser->selected, &start, sizeof(start));
	/* What comes from there is taken, on any queue. */
	for (i = 0; i < 2; i++) {
		size = peer_report(peer, packet);
		harness_datagram(h, peer, i, packet, size);
		harness_settle(h);
	}
	ck_assert_uint_eq(harness_drops(h, STN_DROP_RTCP_ABSORBED), 2);
	harness_speak(h, speaker, "at once");
	harness_settle(h);
	if (options.no_gateway) {
		/* The next hop is not known: held back, and counted. */
		ck_assert_uint_eq(peer->heard_count, 0);
		ck_assert_uint_eq(harness_drops(h, STN_DROP_TX_NO_NEIGHBOUR), 1);
		told.handle = peer->facts.leg;
		told.value = peer->facts.leg_id;
		memcpy(told.neighbour.mac, peer->browser->place[0].mac, 6);
		told.neighbour.known = true;
		harness_post(h, peer->facts.worker, &told);
		harness_fence(h);
		harness_speak(h, speaker, "now");
		harness_settle(h);
		ck_assert_uint_eq(harness_drops(h, STN_DROP_TX_NO_NEIGHBOUR), 1);
	}
	ck_assert_uint_eq(peer->heard_count, 1);
	harness_move(h, peer, 6, 7000);
	harness_connect(h, peer);
	/* What the kernel says of the first path is of no interest any more. */
	harness_post(h, peer->facts.worker, &told);
	harness_fence(h);
	harness_speak(h, speaker, "elsewhere");
	harness_settle(h);
	ck_assert_uint_eq(peer->heard_count, 2);
	check_once(peer);
	harness_close(h);
}
END_TEST

/* A frame that authenticates tells the Ethernet address as well as the kernel does. */
START_TEST(a_check_resolves_the_next_hop)
{
	struct harness_options options = {.no_gateway = true};
	struct stn_address start = {.family = 6, .port_be = htons(5000), .address = {0x20, 1}};
	struct harness *h = harness_open(&options);
	struct harness_room *room = harness_room(h, 1, STN_SUITE_NONE, 0, 0);
	struct harness_leg leg = {.webrtc = true,
		.keyed = true,
		.start = &start,
		.tx_suite = 1,
		.role = _i ? STN_ROLE_SPEAKER : STN_ROLE_LISTENER};
	struct peer *speaker = speaker_join(h, room), *peer = harness_join(h, room, &leg);

	harness_fence(h);
	harness_check(h, peer, 0, true);
	harness_settle(h);
	harness_speak(h, speaker, "now it is known");
	harness_settle(h);
	ck_assert_uint_eq(peer->heard_count, 1);
	ck_assert_uint_eq(harness_drops(h, STN_DROP_TX_NO_NEIGHBOUR), 0);
	harness_close(h);
}
END_TEST

/* Two browsers behind one NAT: one gets the address that the other one had. */
START_TEST(an_address_changes_hands)
{
	struct harness_options options = {.workers = 2};
	struct harness *h = harness_open(&options);
	struct harness_room *room = harness_room(h, 1, STN_SUITE_NONE, 0, 0);
	struct harness_leg leg = {.webrtc = true, .tx_suite = 1, .rx_suite = 1, .worker = 1};
	struct peer *speaker = speaker_join(h, room), *before, *after;
	uint8_t packet[PACKET_MAX];
	unsigned int size, i;

	before = harness_join(h, room, &leg);
	leg.worker = 1 + (unsigned int)_i; /* the same owner, or another one */
	after = harness_join(h, room, &leg);
	harness_fence(h);
	harness_connect(h, before);
	harness_key(h, before);
	browser_move(after->browser, &here(before)->address, here(before)->mac);
	here(before)->left = true;
	harness_connect(h, after);
	harness_key(h, after);
	harness_settle(h);
	ck_assert_uint_eq(losses(before), 1);
	harness_speak(h, speaker, "for one of them");
	harness_settle(h);
	ck_assert_uint_eq(before->heard_count, 0);
	ck_assert_uint_eq(after->heard_count, 1);
	for (i = 0; i < 2; i++) {
		size = peer_report(after, packet);
		harness_datagram(h, after, i, packet, size);
		harness_settle(h);
	}
	ck_assert_uint_eq(harness_drops(h, STN_DROP_RTCP_ABSORBED), 2);
	harness_close(h);
}
END_TEST

/* A keyed leg keeps its address whatever a browser validates, and takes one when it is added. */
START_TEST(a_keyed_leg_is_not_touched)
{
	struct harness_options options = {.workers = 1 + (unsigned int)_i};
	struct harness *h = harness_open(&options);
	struct harness_room *room = harness_room(h, 1, STN_SUITE_NONE, 0, 0);
	struct harness_leg leg = {.webrtc = true, .tx_suite = 1, .rx_suite = 1, .worker = 1};
	struct peer *speaker = speaker_join(h, room), *browser, *other, *late;
	struct harness_leg listener = {.tx_suite = 1};
	struct command lost = {.type = COMMAND_PATH_LOST};
	uint64_t digest;
	unsigned int i;

	browser = harness_join(h, room, &leg);
	other = harness_join(h, room, &leg);
	harness_fence(h);
	/* The browser is where the speaker is. */
	browser_move(browser->browser, &speaker->facts.remote, (uint8_t[]){2, 0, 0, 0, 0, 9});
	harness_check(h, browser, 0, true);
	harness_settle(h);
	ck_assert_int_eq(here(browser)->proven, true);
	digest = worker_digest(h->pool.worker[0]);
	for (i = 0; i < 10; i++)
		harness_datagram(h, speaker, 0, (const uint8_t *)"\x16\xfe\xfd", 3);
	harness_settle(h);
	ck_assert_uint_eq(worker_digest(h->pool.worker[0]), digest);
	ck_assert_uint_eq(harness_drops(h, STN_DROP_DTLS_UNVALIDATED), 10);
	harness_speak(h, speaker, "still taken for the speaker's");
	harness_settle(h);
	ck_assert_uint_eq(harness_stats(h).forwarded, 1);

	/* A keyed leg is added where a browser is. */
	harness_connect(h, other);
	harness_key(h, other);
	listener.remote = &here(other)->address;
	here(other)->left = true;
	if (h->interface.worker_of(h->interface.impl, listener.remote) != 0) {
		/* Its worker does not know of the browser; the main lcore does. */
		lost.handle = other->facts.leg;
		lost.value = other->facts.leg_id;
		lost.path.address = *listener.remote;
		harness_post(h, 0, &lost);
		harness_path_remove(h, other);
	}
	other->browser->selected.family = 0;
	late = harness_join(h, room, &listener);
	harness_fence(h);
	ck_assert_uint_eq(harness_refusals(h), 0);
	harness_speak(h, speaker, "for the keyed one");
	harness_settle(h);
	ck_assert_uint_eq(late->heard_count, 1);
	ck_assert_uint_eq(late->refused + other->heard_count, 0);
	harness_close(h);
}
END_TEST

static bool is_lost(const struct harness *h, const struct peer *peer)
{
	return h->pool.worker[0]->leg[peer->facts.leg].ice->lost;
}

/* The main lcore is told when it has time: nothing of it may be lost. */
START_TEST(losses_are_told_late_rather_than_never)
{
	struct harness_options options = {0};
	struct harness *h = harness_open(&options);
	struct harness_room *room = harness_room(h, 1, STN_SUITE_NONE, 0, 0);
	struct peer *peer[2] = {browser_join(h, room), browser_join(h, room)};
	struct rte_ring *replies = h->pool.worker[0]->config.replies;
	struct reply stuffing = {.type = REPLY_SPEAKING};

	harness_fence(h);
	harness_connect(h, peer[1]);
	h->closed_replies = true;
	while (rte_ring_sp_enqueue_elem(replies, &stuffing, sizeof(stuffing)) == 0)
		;
	harness_check(h, peer[0], 0, true);
	harness_settle(h);
	ck_assert(here(peer[0])->proven);
	h->pool.worker[0]->config.consent_timeout_ms = 1;
	harness_until(h, is_lost(h, peer[0]) && is_lost(h, peer[1]));
	h->pool.worker[0]->config.consent_timeout_ms = 30000;
	ck_assert_uint_eq(losses(peer[0]) + losses(peer[1]), 0);
	while (rte_ring_sc_dequeue_elem(replies, &stuffing, sizeof(stuffing)) == 0)
		;
	h->closed_replies = false;
	harness_until(h, losses(peer[0]) == 1 && losses(peer[1]) == 1);
	harness_close(h);
}
END_TEST

START_TEST(a_move_is_told_late_rather_than_never)
{
	struct harness_options options = {0};
	struct harness *h = harness_open(&options);
	struct harness_room *room = harness_room(h, 1, STN_SUITE_NONE, 0, 0);
	struct peer *peer = browser_join(h, room);
	struct rte_ring *replies = h->pool.worker[0]->config.replies;
	struct reply stuffing = {.type = REPLY_SPEAKING};

	harness_fence(h);
	h->closed_replies = true;
	while (rte_ring_sp_enqueue_elem(replies, &stuffing, sizeof(stuffing)) == 0)
		;
	harness_check(h, peer, 0, true);
	harness_settle(h);
	ck_assert(here(peer)->proven);
	while (rte_ring_sc_dequeue_elem(replies, &stuffing, sizeof(stuffing)) == 0)
		;
	h->closed_replies = false;
	harness_settle(h);
	ck_assert_uint_eq(peer->browser->moves, 0);
	harness_until(h, peer->browser->moves == 1);
	harness_close(h);
}
END_TEST

/* Whoever sends too much of it, or when nobody takes it: bounded, counted, nothing kept. */
START_TEST(dtls_is_bounded)
{
	struct harness_options options = {0};
	struct harness *h = harness_open(&options);
	struct harness_room *room = harness_room(h, 1, STN_SUITE_NONE, 0, 0);
	struct peer *peer = browser_join(h, room), *many[12];
	unsigned int i, k;

	harness_fence(h);
	harness_connect(h, peer);
	for (i = 0; i < 200; i++) {
		harness_datagram(h, peer, 0, (const uint8_t *)"\x16\xfe\xfd", 3);
		harness_turn(h);
	}
	harness_settle(h);
	/* A burst of 48, and 24 in a second: this took less than one. */
	ck_assert_uint_ge(peer->browser->punted_count, 48);
	ck_assert_uint_le(peer->browser->punted_count, 72);
	ck_assert_uint_eq(
		harness_drops(h, STN_DROP_DTLS_LIMITED), 200 - peer->browser->punted_count);
	h->closed_punts = true;
	for (i = 0; i < 12; i++) {
		many[i] = browser_join(h, room);
		harness_fence(h);
		harness_connect(h, many[i]);
		for (k = 0; k < 40; k++)
			harness_datagram(h, many[i], 0, (const uint8_t *)"\x16\xfe\xfd", 3);
		harness_settle(h);
	}
	ck_assert_uint_eq(
		harness_stats(h).punted, WORKER_PUNTS_MAX - 1 + peer->browser->punted_count);
	/* Down: what does not fit is refused, what has nowhere to go is counted. */
	for (i = 0; harness_dtls(h, peer, NULL, "\x16\xfe\xfd", 3) == 0; i++)
		ck_assert_uint_le(i, WORKER_PUNTS_MAX);
	harness_settle(h);
	ck_assert_uint_eq(peer->browser->dtls_count, WORKER_PUNTS_MAX - 1);
	for (i = 0; i < 5; i++)
		ck_assert_int_eq(harness_dtls(h, peer, NULL, "\x16\xfe\xfd", 3), 0);
	/* What is left in the rings comes back at the end. */
	harness_close(h);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("path");
	TCase *cases = tcase_create("path");

	tcase_set_timeout(cases, 120);
	tcase_add_test(cases, moves_in_the_middle_of_a_fan_out);
	tcase_add_test(cases, removals_in_the_middle_of_a_fan_out);
	tcase_add_loop_test(cases, consent_ends, 0, 4);
	tcase_add_test(cases, ice_restarts);
	tcase_add_loop_test(cases, a_path_of_before_is_used_at_once, 0, 4);
	tcase_add_loop_test(cases, a_check_resolves_the_next_hop, 0, 2);
	tcase_add_loop_test(cases, an_address_changes_hands, 0, 2);
	tcase_add_loop_test(cases, a_keyed_leg_is_not_touched, 0, 2);
	tcase_add_test(cases, losses_are_told_late_rather_than_never);
	tcase_add_test(cases, a_move_is_told_late_rather_than_never);
	tcase_add_test(cases, dtls_is_bounded);
	suite_add_tcase(suite, cases);
	return harness_main(suite);
}
