// SPDX-License-Identifier: BSD-3-Clause
/* What is scarce: buffers, room in rings, memory for keys. Counted, shared fairly, and over when it
 * is over. */
#include <stdlib.h>

#include "tests/io/harness.h"

#define LISTENERS 200u

struct scene {
	struct harness *h;
	struct harness_room *room;
	struct peer *speaker;
	struct peer *listener[512];
	unsigned int count;
};

/* kinds: how many groups the listeners fall into. */
static void scene_open(struct scene *s, const struct harness_options *options, unsigned int count,
	unsigned int kinds)
{
	struct harness_leg leg = {.role = STN_ROLE_SPEAKER, .rx_suite = 1, .audio_level_id = 1};
	unsigned int i;

	s->h = harness_open(options);
	s->room = harness_room(s->h, 1, STN_SUITE_NONE, 0, 0);
	s->speaker = harness_join(s->h, s->room, &leg);
	for (i = 0; i < count; i++) {
		leg = (struct harness_leg){.tx_suite = (uint8_t)(1 + i * kinds / count % 3),
			.family = i * kinds / count >= 3 ? 6 : 4};
		s->listener[i] = harness_join(s->h, s->room, &leg);
	}
	s->count = count;
	harness_fence(s->h);
	ck_assert_uint_eq(harness_refusals(s->h), 0);
}

static void speak(struct scene *s)
{
	harness_speak(s->h, s->speaker, "into a narrow place");
	harness_settle(s->h);
}

static unsigned int deaf(const struct scene *s)
{
	unsigned int i, count = 0;

	for (i = 0; i < s->count; i++)
		count += s->listener[i]->heard_count == 0;
	return count;
}

static void forget(struct scene *s)
{
	unsigned int i;

	for (i = 0; i < s->count; i++)
		peer_forget(s->listener[i]);
}

/* The port takes 63 copies of each packet; nobody is always among the others. */
START_TEST(a_port_that_refuses_is_shared_fairly)
{
	static const unsigned int kinds[] = {1, 2, 3, 6};
	struct harness_options options = {.transmit_frames = 64};
	struct scene s;
	unsigned int i;

	scene_open(&s, &options, LISTENERS, kinds[_i]);
	speak(&s);
	ck_assert_uint_eq(harness_stats(s.h).tx_packets, 63);
	ck_assert_uint_eq(harness_drops(s.h, STN_DROP_TX_REFUSED), LISTENERS - 63);
	ck_assert_uint_eq(deaf(&s), LISTENERS - 63);
	/* 200 copies in portions of 63: the fourth packet reaches the last of them. */
	for (i = 0; i < 3; i++)
		speak(&s);
	ck_assert_uint_eq(deaf(&s), 0);
	for (i = 0; i < 40; i++)
		speak(&s);
	for (i = 0; i < LISTENERS; i++)
		ck_assert_uint_ge(s.listener[i]->heard_count, 44u * 63 / LISTENERS - 2);
	harness_close(s.h);
}
END_TEST

START_TEST(a_port_that_takes_nothing_costs_nothing_but_the_copies)
{
	struct harness_options options = {.transmit_frames = 64};
	struct scene s;
	unsigned int i;

	scene_open(&s, &options, 60, 2);
	s.h->closed_port = true;
	for (i = 0; i < 5; i++)
		speak(&s);
	ck_assert_uint_eq(harness_stats(s.h).tx_packets, 63);
	ck_assert_uint_eq(harness_drops(s.h, STN_DROP_TX_REFUSED), 5 * 60 - 63);
	s.h->closed_port = false;
	harness_settle(s.h);
	forget(&s);
	/* The first packet after it may begin anywhere, but it reaches everybody. */
	speak(&s);
	ck_assert_uint_eq(deaf(&s), 0);
	for (i = 0; i < 60; i++) {
		ck_assert_uint_eq(s.listener[i]->heard_count, 1);
		ck_assert_uint_eq(s.listener[i]->refused, 0);
	}
	harness_close(s.h);
}
END_TEST

/* Buffers that the test holds, all but so many. */
static unsigned int buffers_hold(struct harness *h, struct rte_mbuf *held[], unsigned int all_but)
{
	unsigned int count = 0;

	while (rte_mempool_avail_count(h->pool.buffers[0]) > all_but) {
		held[count] = rte_pktmbuf_alloc(h->pool.buffers[0]);
		ck_assert_ptr_nonnull(held[count++]);
	}
	return count;
}

START_TEST(few_buffers_are_shared_fairly)
{
	static struct rte_mbuf *held[8192];
	struct harness_options options = {0};
	struct scene s;
	unsigned int i, count;

	scene_open(&s, &options, LISTENERS, _i ? 3 : 1);
	/* One for the packet itself, and 40 copies. */
	count = buffers_hold(s.h, held, 41);
	speak(&s);
	ck_assert_uint_gt(harness_stats(s.h).tx_packets, 0);
	ck_assert_uint_eq(harness_drops(s.h, STN_DROP_TX_NO_BUFFER),
		LISTENERS - harness_stats(s.h).tx_packets);
	for (i = 0; i < 30; i++)
		speak(&s);
	ck_assert_uint_eq(deaf(&s), 0);
	rte_pktmbuf_free_bulk(held, count);
	forget(&s);
	speak(&s);
	ck_assert_uint_eq(deaf(&s), 0);
	harness_close(s.h);
}
END_TEST

START_TEST(no_buffer_for_silence_or_for_a_speaker_is_counted)
{
	static struct rte_mbuf *held[8192];
	struct harness_leg leg = {.role = STN_ROLE_SPEAKER, .rx_suite = 1, .tx_suite = 1};
	struct harness_options options = {0};
	struct peer *other;
	struct scene s;
	unsigned int count;

	scene_open(&s, &options, 10, 1);
	other = harness_join(s.h, s.room, &leg);
	harness_fence(s.h);
	speak(&s);
	ck_assert_uint_eq(other->heard_count, 1);
	count = buffers_hold(s.h, held, 1);
	speak(&s);
	ck_assert_uint_eq(harness_drops(s.h, STN_DROP_TX_NO_BUFFER), 11);
	held[count] = rte_pktmbuf_alloc(s.h->pool.buffers[0]);
	ck_assert_ptr_nonnull(held[count++]);
	harness_mute(s.h, s.speaker, true);
	harness_until(s.h, harness_drops(s.h, STN_DROP_PUBLISH_NO_BUFFER) == 3);
	rte_pktmbuf_free_bulk(held, count);
	harness_close(s.h);
}
END_TEST

static unsigned int protect_nothing(struct engine_core *core, struct engine_context *context,
	uint8_t *packet, unsigned int header_size, unsigned int size, uint32_t ssrc, uint64_t index)
{
	return 0; /* what libsrtp2 does when it gets no memory */
}

/* Neither text in the clear nor an empty datagram. */
START_TEST(what_the_engine_cannot_protect_is_not_sent)
{
	struct engine broken = engine_ipsec_mb;
	struct harness_options options = {.engine = &broken};
	struct harness_leg leg = {.role = STN_ROLE_SPEAKER, .rx_suite = 1, .tx_suite = 1};
	struct harness_leg group = {.group = true};
	struct scene s = {.h = NULL};

	broken.protect = protect_nothing;
	s.h = harness_open(&options);
	s.room = harness_room(s.h, 1, 1, 0, 0);
	s.speaker = harness_join(s.h, s.room, &leg);
	harness_join(s.h, s.room, &leg);
	harness_join(s.h, s.room, &group);
	harness_join(s.h, s.room, &group);
	harness_fence(s.h);
	speak(&s);
	ck_assert_uint_eq(harness_stats(s.h).copies, 3);
	ck_assert_uint_eq(harness_stats(s.h).tx_packets, 0);
	ck_assert_uint_eq(harness_drops(s.h, STN_DROP_TX_NO_BUFFER), 3);
	harness_close(s.h);
}
END_TEST

/* The fan-out worker does not come to its turns. */
START_TEST(a_full_ring_between_workers_is_counted)
{
	struct harness_options options = {.workers = 2, .buffers = 16384, .stale_ms = 5000};
	struct harness_leg leg = {.tx_suite = 1, .worker = 2};
	struct peer *there;
	struct scene s;
	unsigned int i;

	scene_open(&s, &options, 0, 1);
	there = harness_join(s.h, s.room, &leg);
	harness_fence(s.h);
	for (i = 0; i < WORKER_RING_SIZE + 100; i++) {
		harness_speak(s.h, s.speaker, "to a worker that sleeps");
		harness_turn_one(s.h, 0);
	}
	ck_assert_uint_eq(harness_drops(s.h, STN_DROP_PUBLISH_FULL), 101);
	harness_settle(s.h);
	ck_assert_uint_eq(there->heard_count, WORKER_RING_SIZE - 1);
	ck_assert_uint_eq(harness_drops(s.h, STN_DROP_PUBLISH_FULL), 101);
	harness_close(s.h);
}
END_TEST

START_TEST(a_full_ring_of_handed_over_packets_is_counted)
{
	struct harness_options options = {.workers = 2, .buffers = 16384};
	struct harness_leg leg = {.tx_suite = 1, .rx_suite = 1, .worker = 2};
	uint8_t packet[PACKET_MAX];
	struct peer *there;
	struct scene s;
	unsigned int i;

	scene_open(&s, &options, 0, 1);
	there = harness_join(s.h, s.room, &leg);
	harness_fence(s.h);
	for (i = 0; i < WORKER_RING_SIZE + 49; i++) {
		harness_datagram(s.h, there, 0, packet, peer_report(there, packet));
		harness_turn_one(s.h, 0);
	}
	ck_assert_uint_eq(harness_drops(s.h, STN_DROP_HANDOVER_FULL), 50);
	harness_settle(s.h);
	ck_assert_uint_eq(harness_drops(s.h, STN_DROP_RTCP_ABSORBED), WORKER_RING_SIZE - 1);
	harness_close(s.h);
}
END_TEST

/* More comes in than can be fanned out: first the queue is full, then what waits is stale. */
START_TEST(an_overloaded_worker_drops_by_name_and_recovers)
{
	struct harness_options options = {
		.slice_copies = 32, .stale_ms = _i ? 5 : 5000, .buffers = 16384};
	struct scene s;
	unsigned int i, round;

	scene_open(&s, &options, 256, 1);
	s.h->closed_port = true; /* nobody listens: this is about the queue */
	for (round = 0; round < 50; round++) {
		for (i = 0; i < WORKER_BURST; i++)
			harness_speak(s.h, s.speaker, "more than it can send");
		harness_turn(s.h);
	}
	if (_i == 0)
		ck_assert_uint_gt(harness_drops(s.h, STN_DROP_PUBLISH_FULL), 0);
	harness_pass(10000000);
	s.h->closed_port = false;
	harness_settle(s.h);
	if (_i == 1)
		ck_assert_uint_gt(harness_drops(s.h, STN_DROP_FANOUT_STALE), 0);
	forget(&s);
	speak(&s);
	ck_assert_uint_eq(deaf(&s), 0);
	harness_close(s.h);
}
END_TEST

START_TEST(keys_that_do_not_fit_are_refused_whole)
{
	struct harness_options options = {0};
	struct harness_leg leg = {.tx_suite = 1};
	uint64_t digest, legs;
	struct peer *peer;
	struct scene s;
	unsigned int i;

	scene_open(&s, &options, 60, 1);
	/* As much memory as there is in use: the next block does not fit. */
	s.h->pool.worker[0]->arena.size = s.h->pool.worker[0]->arena.used;
	for (i = 60; i < 64; i++) {
		s.listener[i] = harness_join(s.h, s.room, &leg);
		s.count++;
	}
	harness_fence(s.h);
	ck_assert_uint_eq(harness_refusals(s.h), 0);
	legs = harness_stats(s.h).legs;
	digest = worker_digest(s.h->pool.worker[0]);
	peer = harness_join(s.h, s.room, &leg);
	leg.tx_suite = 3;
	harness_join(s.h, s.room, &leg);
	harness_fence(s.h);
	ck_assert_uint_eq(harness_refusals(s.h), 2);
	ck_assert_uint_eq(s.h->reply[s.h->reply_count - 2].handle, peer->facts.leg);
	ck_assert_uint_eq(s.h->reply[s.h->reply_count - 2].slot, COMMAND_LEG_ADD);
	ck_assert_uint_eq(s.h->reply[s.h->reply_count - 2].value, STN_STATUS_NO_SPACE);
	ck_assert_uint_eq(harness_stats(s.h).legs, legs);
	ck_assert_uint_eq(worker_digest(s.h->pool.worker[0]), digest);
	speak(&s);
	ck_assert_uint_eq(deaf(&s), 0);
	ck_assert_uint_eq(peer->heard_count, 0);
	/* Removing what was refused is allowed, and makes no room; removing another does. */
	harness_leave(s.h, peer);
	harness_leave(s.h, s.listener[7]);
	leg.tx_suite = 1;
	peer = harness_join(s.h, s.room, &leg);
	harness_fence(s.h);
	ck_assert_uint_eq(harness_refusals(s.h), 2);
	speak(&s);
	ck_assert_uint_eq(peer->heard_count, 1);
	harness_close(s.h);
}
END_TEST

/* Sixteen legs are allowed, so sixteen fit, whatever they are. */
START_TEST(a_small_box_takes_legs_of_every_kind)
{
	struct harness_options options = {.legs_max = 16, .rooms_max = 1};
	struct harness *h = harness_open(&options);
	struct harness_room *room = harness_room(h, 1, 1, 0, 0);
	unsigned int i;

	for (i = 0; i < 16; i++) {
		struct harness_leg leg = {.tx_suite = (uint8_t)(1 + i % 3),
			.group = i >= 12,
			.profile = i / 6 % 2,
			.family = i / 3 % 2 ? 6 : 4};

		harness_join(h, room, &leg);
	}
	harness_fence(h);
	ck_assert_uint_eq(harness_refusals(h), 0);
	ck_assert_uint_eq(harness_stats(h).legs, 16);
	harness_close(h);
}
END_TEST

/* Nobody reads answers: commands wait, none is lost. */
START_TEST(a_full_ring_of_replies_holds_commands_back)
{
	struct command command = {.type = COMMAND_FENCE};
	struct harness_options options = {0};
	struct harness *h = harness_open(&options);
	uint64_t posted = 0, answered = 0;
	struct reply reply;
	unsigned int i;

	for (i = 0; i < 20000; i++) {
		command.value = posted + 1;
		if (h->interface.post(h->interface.impl, 0, &command) == 0)
			posted++;
		worker_turn(h->pool.worker[0]);
	}
	ck_assert_uint_lt(posted, 20000);
	for (i = 0; i < 20000 && answered < posted; i++) {
		while (h->interface.poll(h->interface.impl, &reply)) {
			ck_assert_uint_eq(reply.type, REPLY_FENCE);
			ck_assert_uint_eq(reply.value, ++answered);
		}
		worker_turn(h->pool.worker[0]);
	}
	ck_assert_uint_eq(answered, posted);
	harness_close(h);
}
END_TEST

/* What the port can carry as one frame bounds the payload, not only what the buffer holds. */
START_TEST(a_payload_larger_than_the_port_carries_is_dropped_by_name)
{
	static const uint8_t bytes[800];
	struct harness_options options = {.mtu = 576};
	struct harness_leg leg = {.tx_suite = 1, .family = 6, .profile = 1};
	uint8_t packet[PACKET_MAX];
	struct scene s;
	unsigned int size;

	scene_open(&s, &options, 1, 1);
	harness_join(s.h, s.room, &leg);
	harness_fence(s.h);
	size = peer_packet(s.speaker, 20, bytes, 480, packet);
	harness_datagram(s.h, s.speaker, 0, packet, size);
	size = peer_packet(s.speaker, 20, bytes, 577, packet);
	harness_datagram(s.h, s.speaker, 0, packet, size);
	size = peer_packet(s.speaker, 20, bytes, 800, packet);
	harness_datagram(s.h, s.speaker, 0, packet, size);
	harness_settle(s.h);
	ck_assert_uint_eq(harness_drops(s.h, STN_DROP_PAYLOAD_TOO_LARGE), 2);
	ck_assert_uint_eq(s.listener[0]->heard_count, 1);
	harness_close(s.h);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pressure");
	TCase *cases = tcase_create("pressure");

	tcase_set_timeout(cases, 60);
	tcase_add_loop_test(cases, a_port_that_refuses_is_shared_fairly, 0, 4);
	tcase_add_test(cases, a_port_that_takes_nothing_costs_nothing_but_the_copies);
	tcase_add_loop_test(cases, few_buffers_are_shared_fairly, 0, 2);
	tcase_add_test(cases, no_buffer_for_silence_or_for_a_speaker_is_counted);
	tcase_add_test(cases, what_the_engine_cannot_protect_is_not_sent);
	tcase_add_test(cases, a_full_ring_between_workers_is_counted);
	tcase_add_test(cases, a_full_ring_of_handed_over_packets_is_counted);
	tcase_add_loop_test(cases, an_overloaded_worker_drops_by_name_and_recovers, 0, 2);
	tcase_add_test(cases, keys_that_do_not_fit_are_refused_whole);
	tcase_add_test(cases, a_small_box_takes_legs_of_every_kind);
	tcase_add_test(cases, a_full_ring_of_replies_holds_commands_back);
	tcase_add_test(cases, a_payload_larger_than_the_port_carries_is_dropped_by_name);
	suite_add_tcase(suite, cases);
	return harness_main(suite);
}
