// SPDX-License-Identifier: BSD-3-Clause
/*
 * The promise "stranger": a million packets that nobody authenticated, in every state a leg can be
 * in, change nothing but counters, and nobody is sent a byte because of them (TRAPS 1, 2, 6).
 */
#include "tests/io/harness.h"

#define HOSTILE 1000000u
#define CHUNK 4096u
#define CAPTURED 64u

enum state { LISTENER_ONLY, SPEAKER_FRESH, SPEAKER_TALKING, SPEAKER_MUTED, STATE_COUNT };

/* What a stranger who watches the wire has. */
struct capture {
	uint8_t bytes[PACKET_MAX];
	unsigned int size;
};

struct scene {
	struct harness *h;
	struct harness_room *room;
	struct peer *speaker; /* NULL: none */
	struct peer *listener[2];
	struct peer *impostor;                /* knows everything but the key */
	struct capture delivered[CAPTURED];   /* replays */
	struct capture undelivered[CAPTURED]; /* to be changed, or sent from elsewhere */
	struct capture reports[2 * CAPTURED]; /* delivered, of speaker and listener */
	unsigned int delivered_count, undelivered_count, report_count;
};

static void capture_speech(struct scene *s, struct capture *out)
{
	out->size = peer_packet(s->speaker, 20, "what a stranger may record", 26, out->bytes);
}

static void report(struct scene *s, struct peer *peer)
{
	struct capture *c = &s->reports[s->report_count++];

	c->size = peer_report(peer, c->bytes);
	harness_datagram(s->h, peer, 0, c->bytes, c->size);
}

static void scene_open(struct scene *s, enum state state, unsigned int workers)
{
	struct harness_options options = {.workers = workers};
	struct harness_leg leg = {.rx_suite = 1, .tx_suite = 1};
	unsigned int i;

	s->h = harness_open(&options);
	s->room = harness_room(s->h, 1, STN_SUITE_NONE, 0, 0);
	for (i = 0; i < 2; i++)
		s->listener[i] = harness_join(s->h, s->room, &leg);
	if (state != LISTENER_ONLY) {
		leg = (struct harness_leg){.role = STN_ROLE_SPEAKER,
			.rx_suite = 1,
			.tx_suite = 3,
			.audio_level_id = 1,
			/* The first that authenticates, or the one declared. */
			.source_ssrc = workers == 1 ? 0 : 0x12345678};
		s->speaker = harness_join(s->h, s->room, &leg);
	}
	harness_fence(s->h);
	if (state == SPEAKER_TALKING || state == SPEAKER_MUTED) {
		for (i = 0; i < CAPTURED; i++) {
			struct capture *c = &s->delivered[s->delivered_count++];

			capture_speech(s, c);
			harness_datagram(s->h, s->speaker, 0, c->bytes, c->size);
			report(s, s->speaker);
		}
	}
	report(s, s->listener[0]);
	harness_settle(s->h);
	for (i = 0; s->speaker != NULL && i < CAPTURED; i++)
		capture_speech(s, &s->undelivered[s->undelivered_count++]);
	if (state == SPEAKER_MUTED) {
		harness_mute(s->h, s->speaker, true);
		harness_fence(s->h);
		harness_until(s->h, s->listener[0]->heard_count == CAPTURED + 3);
	}
}

static void impostor_make(struct scene *s)
{
	static struct peer impostor;

	peer_keys(&impostor, STN_SUITE_NONE, 1, &s->h->random);
	impostor.facts.payload_type = HARNESS_PAYLOAD_TYPE;
	impostor.facts.remote =
		s->speaker != NULL ? s->speaker->facts.remote : s->listener[0]->facts.remote;
	impostor.ssrc = s->speaker != NULL ? s->speaker->ssrc : 0x12345678;
	impostor.sequence = s->speaker != NULL ? s->speaker->sequence : 1;
	impostor.level_id = 1;
	s->impostor = &impostor;
}

/* One of the room's addresses, or nobody's. */
static struct stn_address from(struct scene *s)
{
	struct stn_address address;

	switch (random_below(&s->h->random, 4)) {
	case 0:
		return s->listener[0]->facts.remote;
	case 1:
		return s->listener[1]->facts.remote;
	case 2:
		if (s->speaker != NULL)
			return s->speaker->facts.remote;
		/* fall through */
	default:
		address = s->listener[0]->facts.remote;
		random_fill(&s->h->random, address.address, 4);
		address.address[0] = 203; /* nobody in here has such a one */
		return address;
	}
}

static unsigned int of(struct scene *s, const struct capture *captures, unsigned int count,
	uint8_t out[PACKET_MAX])
{
	const struct capture *c = &captures[random_below(&s->h->random, count)];

	memcpy(out, c->bytes, c->size);
	return c->size;
}

static unsigned int noise(struct scene *s, uint8_t out[PACKET_MAX])
{
	unsigned int size = random_below(&s->h->random, 120);

	random_fill(&s->h->random, out, size);
	return size;
}

/* Looks like what its first bytes say, from there on it is noise. */
static unsigned int dressed(struct scene *s, const void *as, unsigned int as_size, uint8_t *out)
{
	unsigned int size = noise(s, out);

	memcpy(out, as, as_size);
	return size < as_size ? as_size : size;
}

/* Fills in a hostile datagram and where it pretends to come from. */
static unsigned int hostile(struct scene *s, uint8_t out[PACKET_MAX], struct stn_address *source)
{
	struct random_state *random = &s->h->random;
	uint8_t head[8] = {0x80, HARNESS_PAYLOAD_TYPE};
	unsigned int size;

	*source = from(s);
	switch (random_below(random, 9)) {
	case 0:
		return dressed(s, "\0\1\0\0\x21\x12\xa4\x42", 8, out); /* STUN */
	case 1:
		return dressed(s, "\x16\xfe\xfd\0\0\0\0", 7, out); /* DTLS */
	case 2:
		head[1] = (uint8_t)(192 + random_below(random, 32)); /* RTCP */
		return dressed(s, head, 2, out);
	case 3:
		return dressed(s, head, 2, out);
	case 4:
		if (s->delivered_count == 0)
			break;
		*source = s->speaker->facts.remote;
		return of(s, s->delivered, s->delivered_count, out);
	case 5:
		*source = s->report_count > 1 ? s->speaker->facts.remote
					      : s->listener[0]->facts.remote;
		size = of(s, s->reports, s->report_count, out);
		out[random_below(random, size)] ^= (uint8_t)(1u << random_below(random, 8));
		return size;
	case 6:
		if (s->undelivered_count == 0)
			break;
		*source = s->speaker->facts.remote;
		size = of(s, s->undelivered, s->undelivered_count, out);
		out[random_below(random, size)] ^= (uint8_t)(1u << random_below(random, 8));
		return size;
	case 7:
		/* Good packets from somewhere else. */
		if (s->undelivered_count == 0)
			break;
		if (s->speaker != NULL &&
			memcmp(source, &s->speaker->facts.remote, sizeof(*source)) == 0)
			source->port_be ^= 0x0100;
		return of(s, s->undelivered, s->undelivered_count, out);
	case 8:
		*source = s->impostor->facts.remote;
		return peer_packet(s->impostor, 0, "believe me, I am the speaker", 28, out);
	default:
		break;
	}
	return noise(s, out);
}

static void attack(struct scene *s, unsigned int count)
{
	uint8_t frame[WIRE_MAX], datagram[PACKET_MAX];
	struct stn_address source;
	unsigned int i, size;

	for (i = 0; i < count; i++) {
		unsigned int worker = random_below(&s->h->random, s->h->pool.count);

		if (random_below(&s->h->random, 16) == 0) {
			size = 1 + random_below(&s->h->random, 200);
			random_fill(&s->h->random, frame, size);
		} else {
			struct wire wire;

			size = hostile(s, datagram, &source);
			wire = harness_wire(s->h, &source, datagram, size);
			size = wire_build(&wire, frame);
			/* Now and then a broken frame around it. */
			if (random_below(&s->h->random, 64) == 0)
				size -= random_below(&s->h->random, size);
			if (size == 0)
				size = 1;
		}
		harness_frame(s->h, worker, frame, size);
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

/* It did get as far as it was meant to. */
static void reached_check(const struct scene *s)
{
	struct stn_worker_stats stats = harness_stats(s->h);
	const uint64_t *drop = stats.drop;

	ck_assert_uint_gt(drop[STN_DROP_STUN_MALFORMED], 1000);
	ck_assert_uint_gt(drop[STN_DROP_DTLS_UNVALIDATED], 1000);
	ck_assert_uint_gt(drop[STN_DROP_NO_LEG], 1000);
	ck_assert_uint_gt(drop[STN_DROP_SRTCP_AUTH], 1000);
	ck_assert_uint_gt(drop[STN_DROP_FRAME_TRUNCATED], 1000);
	if (s->speaker != NULL)
		ck_assert_uint_gt(drop[STN_DROP_SRTP_AUTH], 1000);
	if (s->delivered_count != 0)
		ck_assert_uint_gt(drop[STN_DROP_SRTP_REPLAY], 1000);
}

START_TEST(a_million_hostile_packets_change_nothing)
{
	enum state state = (enum state)(_i % STATE_COUNT);
	struct scene s = {0};
	uint64_t before, taken, forwarded;
	unsigned int done, heard, i;

	scene_open(&s, state, 1 + (unsigned int)_i / STATE_COUNT);
	impostor_make(&s);
	for (done = 0; done < HOSTILE / (2 * STATE_COUNT); done += CHUNK) {
		before = digest(s.h);
		taken = s.h->taken;
		forwarded = harness_stats(s.h).forwarded;
		attack(&s, CHUNK);
		ck_assert_uint_eq(digest(s.h), before);
		ck_assert_uint_eq(s.h->taken, taken);
		ck_assert_uint_eq(harness_stats(s.h).forwarded, forwarded);
		if (state != SPEAKER_TALKING)
			continue;
		/* The listeners' audio goes on as if nothing had happened. */
		heard = s.listener[0]->heard_count;
		harness_speak(s.h, s.speaker, "as I was saying");
		harness_settle(s.h);
		ck_assert_uint_ne(digest(s.h), before);
		for (i = 0; i < 2; i++) {
			const struct peer *peer = s.listener[i];

			ck_assert_uint_eq(peer->heard_count, heard + 1);
			ck_assert_uint_eq(peer->refused, 0);
			ck_assert_mem_eq(peer->heard[heard].payload, "as I was saying", 15);
		}
	}
	if (state == SPEAKER_FRESH) {
		/* It is still the first that counts: SSRC, index, slot. */
		harness_speak(s.h, s.speaker, "and now the real one");
		harness_settle(s.h);
		ck_assert_uint_eq(s.listener[0]->heard_count, 1);
		ck_assert_uint_eq(s.listener[0]->heard[0].view.csrc[0], s.speaker->ssrc);
	}
	reached_check(&s);
	srtp_dealloc(s.impostor->send);
	harness_close(s.h);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("stranger");
	TCase *cases = tcase_create("stranger");

	tcase_set_timeout(cases, 120);
	tcase_add_loop_test(cases, a_million_hostile_packets_change_nothing, 0, 2 * STATE_COUNT);
	suite_add_tcase(suite, cases);
	return harness_main(suite);
}
