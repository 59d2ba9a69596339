// SPDX-License-Identifier: BSD-3-Clause
/* A browser's whole life at the data plane: checks, DTLS, keys, media, moves, silence, the end. */
#include "tests/io/harness.h"

#include <arpa/inet.h>

static const char hello[] = "\x16\xfe\xfd\0\0\0\0\0\0\0\0\0\x04hello";
static const char answer[] = "\x16\xfe\xfd\0\0\0\0\0\0\0\0\0\x05there";

struct scene {
	struct harness *h;
	struct harness_room *room;
	struct peer *speaker; /* keyed */
	struct peer *browser;
};

static void scene_open(
	struct scene *s, const struct harness_options *options, const struct harness_leg *browser)
{
	struct harness_leg leg = {.role = STN_ROLE_SPEAKER, .rx_suite = 1, .audio_level_id = 1};

	s->h = harness_open(options);
	s->room = harness_room(s->h, 1, STN_SUITE_NONE, 0, 0);
	s->speaker = harness_join(s->h, s->room, &leg);
	s->browser = harness_join(s->h, s->room, browser);
	harness_fence(s->h);
}

static struct browser_place *here(const struct peer *peer)
{
	return &peer->browser->place[peer->browser->at];
}

static void say(struct scene *s, const char *payload)
{
	harness_speak(s->h, s->speaker, payload);
	harness_settle(s->h);
}

/* Its last words go out before its removal, nothing afterwards. */
static void leave(struct scene *s)
{
	unsigned int words = s->browser->browser->dtls_count;

	ck_assert_int_eq(harness_dtls(s->h, s->browser, NULL, answer, sizeof(answer)), 0);
	harness_leave(s->h, s->browser);
	/* Both were posted after the worker had looked for datagrams. */
	apply_commands(s->h->pool.worker[s->browser->facts.worker]);
	harness_fence(s->h);
	ck_assert_uint_eq(s->browser->browser->dtls_count, words + 1);
	s->browser->gone = true;
	say(s, "it has left");
	harness_check(s->h, s->browser, 0, true);
	ck_assert_int_eq(harness_dtls(s->h, s->browser, NULL, answer, sizeof(answer)), 0);
	harness_settle(s->h);
	ck_assert_uint_eq(harness_drops(s->h, STN_DROP_STUN_UFRAG), 1);
	ck_assert_uint_eq(harness_stats(s->h).control_refused, 1);
}

/* A browser that listens (or speaks, too), of either family, owned by this or the other worker. */
START_TEST(from_the_first_check_to_the_last_word)
{
	struct harness_options options = {.workers = 1 + (unsigned int)_i % 2};
	struct harness_leg leg = {.webrtc = true,
		.tx_suite = (uint8_t)(_i / 8 % 2 ? 3 : 1),
		.rx_suite = (uint8_t)(_i / 8 % 2 ? 3 : 1),
		.family = _i / 2 % 2 ? 6 : 4,
		.role = _i / 4 % 2 ? STN_ROLE_SPEAKER : STN_ROLE_LISTENER,
		.audio_level_id = _i / 4 % 2 ? 1 : 0,
		.worker = options.workers};
	struct scene s;
	struct browser *b;
	uint8_t packet[PACKET_MAX];
	unsigned int i, w, size;

	scene_open(&s, &options, &leg);
	b = s.browser->browser;
	say(&s, "nobody hears this");
	ck_assert_uint_eq(s.h->taken, 0);
	for (w = 0; w < options.workers; w++) {
		/* Nothing but checks before a path is validated. */
		harness_datagram(s.h, s.browser, w, (const uint8_t *)hello, sizeof(hello));
		size = peer_report(s.browser, packet);
		harness_datagram(s.h, s.browser, w, packet, size);
	}
	harness_settle(s.h);
	ck_assert_uint_eq(s.h->taken, 0);
	ck_assert_uint_eq(harness_drops(s.h, STN_DROP_DTLS_UNVALIDATED), options.workers);
	ck_assert_uint_eq(harness_drops(s.h, STN_DROP_NO_LEG), options.workers);

	harness_connect(s.h, s.browser);
	ck_assert_uint_eq(here(s.browser)->challenges, 1);
	ck_assert_uint_eq(here(s.browser)->responses, 1);
	ck_assert_uint_eq(b->moves, 1);
	for (w = 0; w < options.workers; w++) {
		harness_datagram(s.h, s.browser, w, (const uint8_t *)hello, sizeof(hello));
		harness_settle(s.h);
		ck_assert_uint_eq(b->punted_count, w + 1);
		ck_assert_uint_eq(b->punted_size, sizeof(hello));
		ck_assert_mem_eq(b->punted, hello, sizeof(hello));
		ck_assert_mem_eq(&b->punted_from, &here(s.browser)->address, 20);
		ck_assert_int_eq(harness_dtls(s.h, s.browser, w ? &here(s.browser)->address : NULL,
					 answer, sizeof(answer)),
			0);
		harness_settle(s.h);
		ck_assert_uint_eq(b->dtls_count, w + 1);
		ck_assert_mem_eq(b->dtls, answer, sizeof(answer));
		/* Media is not looked at before the keys are there. */
		size = peer_report(s.browser, packet);
		harness_datagram(s.h, s.browser, w, packet, size);
		harness_settle(s.h);
		ck_assert_uint_eq(harness_drops(s.h, STN_DROP_LEG_NOT_KEYED), w + 1);
	}
	say(&s, "nobody hears this either");
	ck_assert_uint_eq(s.browser->heard_count, 0);
	ck_assert_uint_eq(s.browser->refused, 0);

	harness_key(s.h, s.browser);
	ck_assert_uint_eq(harness_refusals(s.h), 0);
	for (i = 0; i < 10; i++) {
		say(&s, "now it is heard");
		ck_assert_uint_eq(s.browser->heard_count, i + 1);
	}
	ck_assert_mem_eq(s.browser->heard[9].payload, "now it is heard", 15);
	/* What it sends: reports, and a speaker's voice, to any queue. */
	for (w = 0; w < options.workers; w++) {
		size = peer_report(s.browser, packet);
		harness_datagram(s.h, s.browser, w, packet, size);
		harness_settle(s.h);
		ck_assert_uint_eq(harness_drops(s.h, STN_DROP_RTCP_ABSORBED), w + 1);
	}
	ck_assert_uint_eq(s.browser->refused, 0);

	leave(&s);
	harness_close(s.h);
}
END_TEST

START_TEST(a_browser_speaks)
{
	struct harness_options options = {.workers = 1 + (unsigned int)_i % 2};
	struct harness_leg leg = {.webrtc = true,
		.role = STN_ROLE_SPEAKER,
		.tx_suite = 1,
		.rx_suite = 1,
		.audio_level_id = 1,
		.family = _i / 2 ? 6 : 4};
	struct harness_leg other = {.tx_suite = 1};
	struct peer *listener;
	struct scene s;
	unsigned int i;

	scene_open(&s, &options, &leg);
	listener = harness_join(s.h, s.room, &other);
	harness_connect(s.h, s.browser);
	harness_key(s.h, s.browser);
	for (i = 0; i < 20; i++) {
		char text[] = "a browser's voice";
		uint8_t packet[PACKET_MAX];
		unsigned int size = peer_packet(s.browser, 0x80 | 20, text, sizeof(text), packet);

		harness_datagram(s.h, s.browser, i % options.workers, packet, size);
		harness_settle(s.h);
	}
	ck_assert_uint_eq(listener->heard_count, 20);
	ck_assert_uint_eq(listener->refused, 0);
	ck_assert_uint_eq(listener->heard[19].view.csrc[0], s.browser->ssrc);
	/* It does not hear itself, and a mute holds for it as for any speaker. */
	ck_assert_uint_eq(s.browser->heard_count, 0);
	/* The first silence frame may come in the turn before the fence is answered. */
	peer_forget(listener);
	harness_mute(s.h, s.browser, true);
	harness_fence(s.h);
	harness_until(s.h, listener->heard_count == 3); /* silence frames */
	harness_speak(s.h, s.browser, "muted");
	harness_settle(s.h);
	ck_assert_uint_eq(harness_drops(s.h, STN_DROP_SOURCE_MUTED), 1);
	ck_assert_uint_eq(listener->heard_count, 3);
	harness_close(s.h);
}
END_TEST

/* From one NAT binding to the next, in any of the families, as a listener and as a speaker. */
START_TEST(a_browser_moves_and_goes_on_hearing)
{
	struct harness_options options = {.workers = 1 + (unsigned int)_i % 2};
	struct harness_leg leg = {.webrtc = true,
		.tx_suite = 1,
		.rx_suite = 1,
		.role = _i / 2 ? STN_ROLE_SPEAKER : STN_ROLE_LISTENER,
		.worker = options.workers};
	static const struct {
		uint8_t family;
		unsigned int port;
	} moves[] = {{4, 6001}, {6, 6002}, {4, 6001}, {4, 5000}, {6, 6002}};
	struct browser_place *before;
	struct scene s;
	uint8_t packet[PACKET_MAX];
	unsigned int i, size, heard = 0;

	scene_open(&s, &options, &leg);
	harness_connect(s.h, s.browser);
	harness_key(s.h, s.browser);
	for (i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
		uint64_t calm = harness_now_ns() + 400000000ull;

		say(&s, "here");
		ck_assert_uint_eq(s.browser->heard_count, ++heard);
		before = here(s.browser);
		/* A few moves a second are allowed. */
		harness_until(s.h, harness_now_ns() >= calm);
		harness_move(s.h, s.browser, moves[i].family, moves[i].port);
		/* Not followed before it is proven, whatever comes from there. */
		size = peer_report(s.browser, packet);
		harness_datagram(s.h, s.browser, 0, packet, size);
		s.browser->browser->unanswering = true;
		/* A pair that is not the selected one is checked without USE-CANDIDATE. */
		harness_check(s.h, s.browser, 0, false);
		harness_settle(s.h);
		say(&s, "still there");
		ck_assert_uint_eq(s.browser->heard_count, ++heard);
		ck_assert_mem_eq(&s.browser->browser->selected, &before->address, 20);
		s.browser->browser->unanswering = false;
		calm = harness_now_ns() + 110000000ull; /* before it is asked again */
		harness_until(s.h, harness_now_ns() >= calm);
		harness_connect(s.h, s.browser);
		say(&s, "and here");
		ck_assert_uint_eq(s.browser->heard_count, ++heard);
		ck_assert_uint_eq(s.browser->refused, 0);
	}
	ck_assert_uint_eq(s.h->lost, 0);
	harness_close(s.h);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("browser");
	TCase *cases = tcase_create("browser");

	tcase_set_timeout(cases, 120);
	tcase_add_loop_test(cases, from_the_first_check_to_the_last_word, 0, 16);
	tcase_add_loop_test(cases, a_browser_speaks, 0, 4);
	tcase_add_loop_test(cases, a_browser_moves_and_goes_on_hearing, 0, 4);
	suite_add_tcase(suite, cases);
	return harness_main(suite);
}
