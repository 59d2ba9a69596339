// SPDX-License-Identifier: BSD-3-Clause
/*
 * What the worker says it sent to a leg, against what arrived there: at any moment, whatever the
 * leg, its neighbours in the shard and the fan-out under way have been through.
 */
#include "dataplane/io/apply.h"
#include "tests/io/harness.h"

#define CROWD 150u
#define ROUNDS 600u
#define ALL_MAX (CROWD + ROUNDS + 2)

struct crowd {
	struct harness *h;
	struct harness_room *room;
	struct peer *peer[ALL_MAX]; /* present; the first two speak */
	bool held[ALL_MAX];         /* next hop unknown */
	unsigned int count;
	unsigned int amid, released_amid, left_amid; /* fan-outs under way */
};

static bool under_way(const struct crowd *c, const struct peer *peer)
{
	return c->h->pool.worker[peer->facts.worker]->room[c->room->facts.room]->fan != NULL;
}

static void compare(const struct crowd *c, const struct peer *peer)
{
	const struct worker *worker = c->h->pool.worker[peer->facts.worker];
	const struct worker_leg *leg = &worker->leg[peer->facts.leg];
	struct copy_count copies = {0};
	uint64_t bytes = 0;
	unsigned int i;

	if (leg->facts != NULL) /* its command may still wait */
		copies = listener_copies(worker, leg);
	for (i = 0; i < peer->heard_count; i++)
		bytes += peer->heard[i].view.payload_size;
	ck_assert_uint_eq(peer->refused, 0);
	ck_assert_uint_eq(copies.packets, peer->heard_count);
	ck_assert_uint_eq(copies.payload_bytes, bytes);
}

static void compare_all(struct crowd *c)
{
	unsigned int i;

	for (i = 0; i < c->count; i++) {
		compare(c, c->peer[i]);
		c->amid += i == 2 && under_way(c, c->peer[i]);
	}
}

static void join(struct crowd *c)
{
	struct harness_leg leg = {.tx_suite = (uint8_t)(1 + random_below(&c->h->random, 3)),
		.profile = (uint8_t)random_below(&c->h->random, 2),
		.family = random_below(&c->h->random, 2) ? 6 : 4};

	leg.group = leg.profile == 0 && random_below(&c->h->random, 3) == 0;
	c->held[c->count] = c->h->options.no_gateway;
	c->peer[c->count++] = harness_join(c->h, c->room, &leg);
}

/* The others of its group close up. */
static void leave(struct crowd *c, unsigned int i)
{
	compare(c, c->peer[i]);
	c->left_amid += under_way(c, c->peer[i]);
	harness_leave(c->h, c->peer[i]);
	c->peer[i] = c->peer[--c->count];
	c->held[i] = c->held[c->count];
}

static void release(struct crowd *c, unsigned int i)
{
	const struct peer *peer = c->peer[i];
	struct command command = {.type = COMMAND_NEIGHBOUR,
		.handle = peer->facts.leg,
		.value = peer->facts.leg_id,
		.neighbour = {.mac = {2, 0, 0, 0, 0, 2}, .known = true}};

	c->released_amid += c->held[i] && under_way(c, peer);
	c->held[i] = false;
	harness_post(c->h, peer->facts.worker, &command);
}

static void meddle(struct crowd *c)
{
	unsigned int i = 2 + random_below(&c->h->random, c->count - 2);

	switch (random_below(&c->h->random, 4)) {
	case 0:
		join(c);
		break;
	case 1:
		if (c->count > CROWD / 2)
			leave(c, i);
		break;
	default:
		release(c, i); /* told again it changes nothing */
	}
}

static void crowd_open(struct crowd *c, const struct harness_options *options)
{
	struct harness_leg leg = {.role = STN_ROLE_SPEAKER, .rx_suite = 1, .audio_level_id = 1};

	memset(c, 0, sizeof(*c));
	c->h = harness_open(options);
	c->room = harness_room(c->h, 2, 1, 0, 0);
	for (; c->count < 2; c->count++) {
		leg.tx_suite = (uint8_t)c->count; /* the second listens as well */
		c->held[c->count] = options->no_gateway;
		c->peer[c->count] = harness_join(c->h, c->room, &leg);
	}
	while (c->count < CROWD)
		join(c);
	harness_fence(c->h);
}

static void speak(struct crowd *c)
{
	static const char text[] = "of many different lengths, some of them short and some long";

	harness_speak(c->h, c->peer[random_below(&c->h->random, 2)],
		text + random_below(&c->h->random, sizeof(text) - 1));
}

/* As the main lcore asks: of the leg itself, and of one that had its handle before. */
static void ask(struct crowd *c, const struct peer *peer)
{
	struct stn_room_stats stats = {0};
	struct leg_copies copies = {.leg_id = peer->facts.leg_id, .leg = peer->facts.leg},
			  other = {.leg_id = peer->facts.leg_id ^ 1, .leg = peer->facts.leg};
	struct command command = {
		.type = COMMAND_ROOM_STATS, .handle = c->room->facts.room, .stats = &stats};

	command.copies = &copies;
	harness_post_all(c->h, &command);
	command.copies = &other;
	harness_post_all(c->h, &command);
	harness_fence(c->h);
	ck_assert_uint_eq(copies.count.packets, peer->heard_count);
	ck_assert_uint_eq(other.count.packets + other.count.payload_bytes, 0);
}

static void crowd_close(struct crowd *c)
{
	unsigned int i;

	harness_settle(c->h);
	compare_all(c);
	for (i = 1; i < c->count; i += 10)
		ask(c, c->peer[i]);
	/* Else the comparison would have to allow for them. */
	ck_assert_uint_eq(harness_drops(c->h, STN_DROP_TX_NO_BUFFER), 0);
	ck_assert_uint_eq(harness_drops(c->h, STN_DROP_TX_REFUSED), 0);
	ck_assert_uint_eq(harness_drops(c->h, STN_DROP_TX_STALE), 0);
	harness_close(c->h);
}

/* Legs come, go, move within the shard and are let go, most of it in the middle of a fan-out. */
START_TEST(what_is_told_is_what_arrived)
{
	struct harness_options options = {.workers = 1 + (unsigned int)_i % 2,
		.no_gateway = _i / 2 != 0,
		.slice_copies = 32,
		.stale_ms = 5000};
	struct crowd c;
	unsigned int round;

	crowd_open(&c, &options);
	release(&c, 1);
	for (round = 0; round < ROUNDS; round++) {
		if (random_below(&c.h->random, 8) == 0)
			speak(&c);
		meddle(&c);
		harness_turn(c.h);
		compare_all(&c);
	}
	ck_assert_uint_gt(c.amid, 0);
	ck_assert_uint_gt(c.left_amid, 0);
	if (options.no_gateway)
		ck_assert_uint_gt(c.released_amid, 0);
	ck_assert_uint_gt(c.peer[1]->heard_count, 0);
	crowd_close(&c);
}
END_TEST

/* Out of one group and into another: what it had before is not forgotten. */
START_TEST(a_browser_that_moves_keeps_its_count)
{
	struct harness_options options = {.slice_copies = 32, .stale_ms = 5000};
	struct harness_leg leg = {.webrtc = true, .tx_suite = 1, .rx_suite = 1};
	struct crowd c;
	struct peer *browser;
	unsigned int i;

	crowd_open(&c, &options);
	browser = harness_join(c.h, c.room, &leg);
	c.peer[c.count++] = browser;
	harness_fence(c.h);
	harness_connect(c.h, browser);
	harness_key(c.h, browser);
	for (i = 0; i < 4; i++) {
		speak(&c);
		harness_settle(c.h);
		compare_all(&c);
	}
	ck_assert_uint_gt(browser->heard_count, 0);
	i = browser->heard_count;
	harness_move(c.h, browser, 6, 6002);
	speak(&c);
	harness_until(c.h, under_way(&c, browser));
	harness_connect(c.h, browser);
	harness_settle(c.h);
	compare_all(&c);
	speak(&c);
	harness_settle(c.h);
	ck_assert_uint_gt(browser->heard_count, i);
	crowd_close(&c);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("copies");
	TCase *cases = tcase_create("copies");

	tcase_set_timeout(cases, 120);
	tcase_add_loop_test(cases, what_is_told_is_what_arrived, 0, 4);
	tcase_add_test(cases, a_browser_that_moves_keeps_its_count);
	suite_add_tcase(suite, cases);
	return harness_main(suite);
}
