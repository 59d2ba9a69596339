// SPDX-License-Identifier: BSD-3-Clause
/*
 * The promise "stranger" where there are browsers: whatever somebody sends who watches the wire but
 * has neither passwords nor keys, in every state of a WEBRTC leg, changes nothing but counters and
 * gets no byte out of us (TRAPS 1 to 6). And the promise "mirror": who has the passwords and gives
 * a victim's address is sent no more than it sends.
 */
#include "tests/io/harness.h"

#include <arpa/inet.h>

#define HOSTILE 100000u /* in each state */
#define CHUNK 4096u
#define CAPTURED 48u

enum state { FRESH, ASKED, VALIDATED, LISTENING, SPEAKING, STATE_COUNT };

struct capture {
	uint8_t bytes[PACKET_MAX];
	unsigned int size;
};

struct scene {
	struct harness *h;
	struct harness_room *room;
	struct peer *speaker, *browser;
	enum state state;
	struct capture check[CAPTURED]; /* seen on the wire */
	unsigned int check_count;
	struct capture media[CAPTURED]; /* not delivered yet */
	unsigned int media_count;
};

static struct stn_address *home(const struct scene *s)
{
	return &s->browser->browser->place[0].address;
}

static void capture_check(struct scene *s)
{
	struct capture *c = &s->check[s->check_count++];

	c->size = browser_check(s->browser->browser, true, &s->h->random, c->bytes);
	harness_datagram(s->h, s->browser, 0, c->bytes, c->size);
	harness_settle(s->h);
}

static void capture_media(struct scene *s)
{
	struct capture *c = &s->media[s->media_count++];

	if (s->state == SPEAKING && s->media_count % 2 == 0)
		c->size = peer_packet(s->browser, 20, "the browser's voice", 19, c->bytes);
	else
		c->size = peer_report(s->browser, c->bytes);
}

static void scene_open(struct scene *s, enum state state, unsigned int workers)
{
	struct harness_options options = {.workers = workers};
	struct harness_leg leg = {.role = STN_ROLE_SPEAKER, .rx_suite = 1, .audio_level_id = 1};
	unsigned int i;

	s->state = state;
	s->h = harness_open(&options);
	s->room = harness_room(s->h, 1, STN_SUITE_NONE, 0, 0);
	s->speaker = harness_join(s->h, s->room, &leg);
	leg = (struct harness_leg){.webrtc = true,
		.tx_suite = 1,
		.rx_suite = 1,
		.role = state == SPEAKING ? STN_ROLE_SPEAKER : STN_ROLE_LISTENER,
		.audio_level_id = 1,
		.family = workers == 1 ? 4 : 6};
	s->browser = harness_join(s->h, s->room, &leg);
	harness_fence(s->h);
	/* One that it never sent, and those that it did. */
	s->check[0].size =
		browser_check(s->browser->browser, true, &s->h->random, s->check[0].bytes);
	s->check_count = 1;
	s->browser->browser->unanswering = state == ASKED;
	for (i = 0; state != FRESH && i < 8; i++)
		capture_check(s);
	if (state > VALIDATED)
		harness_key(s->h, s->browser);
	for (i = 0; i < CAPTURED; i++)
		capture_media(s);
}

/* Anybody but the browser. */
static struct stn_address elsewhere(struct scene *s)
{
	struct stn_address address = *home(s);

	if (random_below(&s->h->random, 2) == 0)
		address.port_be ^= (uint16_t)(1 + random_below(&s->h->random, 0xffff));
	else
		random_fill(&s->h->random, address.address + 1, 3);
	if (memcmp(&address, home(s), sizeof(address)) == 0)
		address.port_be ^= 1;
	return address;
}

static struct stn_address anywhere(struct scene *s)
{
	return random_below(&s->h->random, 2) ? *home(s) : elsewhere(s);
}

static void flip(struct scene *s, uint8_t *bytes, unsigned int size)
{
	bytes[random_below(&s->h->random, size)] ^= (uint8_t)(1u << random_below(&s->h->random, 8));
}

/* A message that is well formed but for what only the two ends can know. */
static unsigned int forged(struct scene *s, uint8_t *out)
{
	struct browser forger = *s->browser->browser;
	struct random_state *random = &s->h->random;
	unsigned int size;

	switch (random_below(random, 4)) {
	case 0: /* the right names, a wrong password */
		random_fill(random, forger.ice.local_pwd, sizeof(forger.ice.local_pwd));
		break;
	case 1: /* another leg, or none */
		browser_credentials(&forger,
			random_below(random, 2) ? random_next(random)
						: s->browser->facts.leg_id + 1,
			random);
		break;
	case 2: /* an old or a future generation */
		browser_credentials(&forger, s->browser->facts.leg_id, random);
		break;
	default: /* the peer's half is wrong, and so is the password */
		random_fill(random, forger.ice.remote_ufrag, 4);
		random_fill(random, forger.ice.local_pwd, 1);
		forger.ice.local_pwd[1] ^= 1;
		break;
	}
	size = browser_check(&forger, true, random, out);
	return size;
}

/* An answer to a challenge, as far as somebody can write one who has only seen it. */
static unsigned int forged_answer(struct scene *s, uint8_t *out)
{
	struct random_state *random = &s->h->random;
	struct browser forger = *s->browser->browser;
	uint32_t leg = s->browser->facts.leg;
	unsigned int size;

	random_fill(random, forger.ice.remote_pwd, sizeof(forger.ice.remote_pwd));
	size = browser_answer(&forger, s->browser->browser->challenge, out);
	if (random_below(random, 2) == 0) {
		/* Other numbers in the transaction id. */
		out[8] = (uint8_t)random_below(random, 4);
		leg = random_below(random, 2) ? leg : (uint32_t)random_next(random);
		out[9] = (uint8_t)(leg >> 24);
		out[10] = (uint8_t)(leg >> 16);
		out[11] = (uint8_t)(leg >> 8);
		out[12] = (uint8_t)leg;
		size = browser_fingerprint(out, size);
	}
	return size;
}

static unsigned int hostile(struct scene *s, uint8_t *out, struct stn_address *source)
{
	struct random_state *random = &s->h->random;
	const struct capture *c;
	unsigned int size;

	*source = anywhere(s);
	switch (random_below(random, 8)) {
	case 0: /* a check from elsewhere, once seen: TRAPS 4 */
		if (s->check_count == 1)
			break;
		c = &s->check[1 + random_below(random, s->check_count - 1)];
		*source = elsewhere(s);
		memcpy(out, c->bytes, c->size);
		return c->size;
	case 1: /* a check with something changed, fingerprint correct or not */
		c = &s->check[random_below(random, s->check_count)];
		memcpy(out, c->bytes, c->size);
		flip(s, out, c->size - 8);
		return random_below(random, 2) ? browser_fingerprint(out, c->size) : c->size;
	case 2:
		return forged(s, out);
	case 3:
		return forged_answer(s, out);
	case 4: /* DTLS: from the browser's own address it goes to the control plane, at most */
		size = 13 + random_below(random, 200);
		random_fill(random, out, size);
		out[0] = (uint8_t)(20 + random_below(random, 44));
		return size;
	case 5: /* media with something changed */
		c = &s->media[random_below(random, s->media_count)];
		memcpy(out, c->bytes, c->size);
		flip(s, out, c->size);
		return c->size;
	case 6: /* good media from elsewhere */
		c = &s->media[random_below(random, s->media_count)];
		*source = elsewhere(s);
		memcpy(out, c->bytes, c->size);
		return c->size;
	default:
		break;
	}
	size = 20 + random_below(random, 100);
	random_fill(random, out, size);
	memcpy(out, "\0\1\0\0\x21\x12\xa4\x42", 8);
	return size;
}

static void attack(struct scene *s, unsigned int count)
{
	uint8_t frame[WIRE_MAX], datagram[PACKET_MAX];
	struct stn_address source;
	unsigned int i, size;

	for (i = 0; i < count; i++) {
		struct wire wire;

		size = hostile(s, datagram, &source);
		wire = harness_wire(s->h, &source, datagram, size);
		size = wire_build(&wire, frame);
		harness_frame(s->h, random_below(&s->h->random, s->h->pool.count), frame, size);
		if (i % WORKER_BURST == WORKER_BURST - 1)
			harness_turn(s->h);
	}
	harness_settle(s->h);
}

static uint64_t digest(const struct harness *h)
{
	uint64_t value = 0;
	unsigned int i;

	for (i = 0; i < h->pool.count; i++)
		value = value * 31 + worker_digest(h->pool.worker[i]);
	return value;
}

static void check_audio(struct scene *s)
{
	struct peer *browser = s->browser;

	harness_speak(s->h, s->speaker, "as I was saying");
	harness_settle(s->h);
	ck_assert_uint_eq(browser->heard_count, s->state > VALIDATED ? 1 : 0);
	ck_assert_uint_eq(browser->refused, 0);
	peer_forget(browser);
}

/* It did get as far as it was meant to. */
static void reached_check(const struct scene *s)
{
	struct stn_worker_stats stats = harness_stats(s->h);
	const uint64_t *drop = stats.drop;

	ck_assert_uint_gt(drop[STN_DROP_STUN_MALFORMED], 1000);
	ck_assert_uint_gt(drop[STN_DROP_STUN_UFRAG], 1000);
	ck_assert_uint_gt(drop[STN_DROP_STUN_INTEGRITY], 1000);
	ck_assert_uint_gt(drop[STN_DROP_STUN_STRAY], 1000);
	ck_assert_uint_gt(drop[STN_DROP_DTLS_UNVALIDATED], 1000);
	ck_assert_uint_gt(drop[STN_DROP_NO_LEG], 1000);
	if (s->state != FRESH)
		ck_assert_uint_gt(drop[STN_DROP_STUN_REPLAY], 1000);
	if (s->state >= VALIDATED)
		ck_assert_uint_gt(drop[STN_DROP_DTLS_LIMITED], 1000);
	if (s->state == VALIDATED)
		ck_assert_uint_gt(drop[STN_DROP_LEG_NOT_KEYED], 1000);
	if (s->state >= LISTENING)
		ck_assert_uint_gt(drop[STN_DROP_SRTCP_AUTH], 1000);
	if (s->state == SPEAKING)
		ck_assert_uint_gt(drop[STN_DROP_SRTP_AUTH], 1000);
}

START_TEST(hostile_packets_change_nothing)
{
	struct scene s = {0};
	uint64_t before, taken, answered, punted;
	unsigned int done;

	scene_open(&s, (enum state)(_i % STATE_COUNT), 1 + (unsigned int)_i / STATE_COUNT);
	for (done = 0; done < HOSTILE; done += CHUNK) {
		before = digest(s.h);
		taken = s.h->taken;
		answered = harness_stats(s.h).answered;
		punted = harness_stats(s.h).punted;
		attack(&s, CHUNK);
		ck_assert_uint_eq(digest(s.h), before);
		ck_assert_uint_eq(s.h->taken, taken);
		ck_assert_uint_eq(harness_stats(s.h).answered, answered);
		if (s.state < VALIDATED)
			ck_assert_uint_eq(harness_stats(s.h).punted, punted);
		check_audio(&s);
	}
	reached_check(&s);
	/* The browser goes on from where it was. */
	s.browser->browser->unanswering = false;
	if (s.state < VALIDATED)
		harness_connect(s.h, s.browser);
	if (s.state <= VALIDATED)
		harness_key(s.h, s.browser);
	s.state = LISTENING;
	check_audio(&s);
	harness_close(s.h);
}
END_TEST

/*
 * With the passwords: checks that name a victim's address as their source, by the thousand, of many
 * sizes. check_mirror() of the harness holds every frame that goes there against what
 * came from there; nothing goes there but STUN.
 */
START_TEST(a_victim_is_sent_no_more_than_was_sent_in_its_name)
{
	struct harness_options options = {.workers = 1 + (unsigned int)_i % 2};
	struct harness *h = harness_open(&options);
	struct harness_room *room = harness_room(h, 1, STN_SUITE_NONE, 0, 0);
	struct harness_leg leg = {.webrtc = true, .tx_suite = 1, .rx_suite = 1};
	struct harness_leg talker = {.role = STN_ROLE_SPEAKER, .rx_suite = 1, .audio_level_id = 1};
	struct peer *speaker = harness_join(h, room, &talker);
	struct peer *peer = harness_join(h, room, &leg);
	struct browser_place *victim;
	uint8_t message[PACKET_MAX];
	unsigned int i, size;

	/* Half of them long names, so that our challenge is long. */
	if (_i / 2) {
		peer->browser->ice.remote_ufrag_size = STN_ICE_UFRAG_MAX;
		memset(peer->browser->ice.remote_ufrag, 'u', STN_ICE_UFRAG_MAX);
		harness_ice(h, peer);
	}
	harness_fence(h);
	harness_connect(h, peer);
	harness_key(h, peer);
	victim = harness_move(h, peer, 6, 9999);
	peer->browser->unanswering = true;
	for (i = 0; i < 3000; i++) {
		bool nominate = random_below(&h->random, 2);

		peer->browser->padding =
			random_below(&h->random, 2) * random_below(&h->random, 200);
		size = browser_check(peer->browser, nominate, &h->random, message);
		harness_datagram(h, peer, random_below(&h->random, h->pool.count), message, size);
		if (random_below(&h->random, 4) == 0)
			harness_datagram(h, peer, 0, message, size); /* again */
		harness_turn(h);
		if (i % 64 == 0)
			harness_speak(h, speaker, "on goes the talk");
	}
	harness_settle(h);
	ck_assert_uint_gt(victim->challenges, 0);
	ck_assert_uint_gt(victim->responses, 0);
	ck_assert_uint_gt(harness_drops(h, STN_DROP_STUN_LIMITED), 0);
	ck_assert_uint_eq(peer->heard_count, (3000 + 63) / 64);
	ck_assert_mem_eq(&peer->browser->selected, &peer->browser->place[0].address, 20);
	harness_close(h);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("stranger_ice");
	TCase *cases = tcase_create("stranger_ice");

	tcase_set_timeout(cases, 120);
	tcase_add_loop_test(cases, hostile_packets_change_nothing, 0, 2 * STATE_COUNT);
	tcase_add_loop_test(cases, a_victim_is_sent_no_more_than_was_sent_in_its_name, 0, 4);
	suite_add_tcase(suite, cases);
	return harness_main(suite);
}
