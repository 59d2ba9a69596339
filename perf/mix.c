// SPDX-License-Identifier: BSD-3-Clause
#include "perf/mix.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <rte_launch.h>
#include <rte_prefetch.h>

#include "dataplane/io/stage.h"
#include "dataplane/io/worker.h"
#include "perf/box.h"

#define INDEX_FIRST 1000u
/* As fast as they go: so many packets wait on each worker. */
#define DEPTH 64u
/* Moments of the frame that are looked at in one turn. */
#define CATCH_UP 64u
/* Rooms. */
#define AHEAD 4u

enum phase { PHASE_SETUP, PHASE_SATURATE, PHASE_LOAD, PHASE_DRAIN, PHASE_DONE };

struct mix_room {
	struct room_facts facts;
	uint64_t index; /* of its last packet */
	uint32_t listeners;
};

/* What one worker lcore runs: it is home to some of the rooms. */
struct lane {
	struct mix *mix;
	struct worker *worker;
	struct mix_room **room; /* in random order */
	uint32_t rooms;
	uint32_t next;    /* room */
	uint64_t next_ns; /* PHASE_LOAD: its moment */
	enum phase phase;
	uint64_t published[STN_ROOM_SIZES];
	struct histogram spread;
	uint64_t first_sum_ns, last_sum_ns; /* of the worker's, a turn ago */
	uint64_t first_ns;                  /* of the packet under way */
};

struct mix {
	const struct mix_options *options;
	struct box box;
	struct index_cell cell[2]; /* of all rooms: nobody reads them back */
	struct mix_room *room;
	uint32_t rooms, listeners;
	struct leg_facts *leg;
	struct lane lane[STN_WORKERS_MAX];
	uint64_t random;
	uint64_t frame_ns;
	enum phase phase; /* the main lcore writes */
	uint8_t payload[FANOUT_PAYLOAD_MAX];
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

/* splitmix64: keys only have to differ. */
static uint64_t random_next(struct mix *mix)
{
	uint64_t z = mix->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static void key_make(struct mix *mix, struct stn_master_key *key)
{
	enum suite suite = mix->options->suite;
	uint64_t words[6];
	unsigned int i;

	if (suite == SUITE_NONE)
		suite = SUITE_AEAD_AES_128_GCM;
	for (i = 0; i < 6; i++)
		words[i] = random_next(mix);
	key->suite = (uint8_t)suite;
	memcpy(key->key, words, suite_facts(suite)->key_size);
	memcpy(key->salt, words + 4, suite_facts(suite)->salt_size);
}

static void leg_make(struct mix *mix, uint32_t room, uint32_t leg)
{
	bool group = mix->options->suite == SUITE_NONE;
	struct leg_facts *facts = &mix->leg[leg];
	uint32_t host = 1 + leg / 32768;

	*facts = (struct leg_facts){.leg_id = leg + 1,
		.leg = leg,
		.room = room,
		.remote = {.family = 4,
			.port_be = rte_cpu_to_be_16((uint16_t)(1024 + leg % 32768)),
			.address = {10, (uint8_t)(host >> 16), (uint8_t)(host >> 8),
				(uint8_t)host}},
		.role = STN_ROLE_LISTENER,
		.protection = group ? STN_PROTECTION_GROUP : STN_PROTECTION_LEG,
		.transport = STN_TRANSPORT_KEYED};
	key_make(mix, &facts->tx);
	facts->worker = (uint8_t)worker_owner(
		&mix->box.pool.worker[0]->config.hash_key, &facts->remote, mix->box.pool.count);
}

static void room_make(struct mix *mix, uint32_t handle, uint32_t listeners)
{
	struct mix_room *room = &mix->room[handle];

	room->index = INDEX_FIRST;
	room->listeners = listeners;
	room->facts = (struct room_facts){.room_id = handle + 1,
		.room = handle,
		/* No selector is asked: what it would emit is published here. */
		.home_worker = handle % mix->box.pool.count,
		.slot_count = 1,
		.profile_count = 1,
		.slot_ssrc = {handle + 1},
		.profile = {{.payload_type = 111}},
		.slot_index = {&mix->cell[0]},
		.slot_clock = {&mix->cell[1]}};
	if (mix->options->suite == SUITE_NONE)
		key_make(mix, &room->facts.group_key);
}

static int rooms_make(struct mix *mix)
{
	uint32_t room = 0, leg = 0, i, n, k;

	mix->room = calloc(mix->rooms, sizeof(*mix->room));
	mix->leg = calloc(mix->listeners, sizeof(*mix->leg));
	if (mix->room == NULL || mix->leg == NULL)
		return -ENOMEM;
	mix->cell[0].value = INDEX_FIRST;
	for (k = 0; k < mix->options->kinds; k++)
		for (i = 0; i < mix->options->kind[k].rooms; i++, room++) {
			room_make(mix, room, mix->options->kind[k].listeners);
			for (n = 0; n < mix->options->kind[k].listeners; n++)
				leg_make(mix, room, leg++);
		}
	return 0;
}

/* Each lane's rooms, shuffled: large and small, and their memory, in no order. */
static int lanes_make(struct mix *mix)
{
	uint32_t i, j;

	for (i = 0; i < mix->box.pool.count; i++) {
		struct lane *lane = &mix->lane[i];

		*lane = (struct lane){.mix = mix, .worker = mix->box.pool.worker[i]};
		lane->room = calloc(mix->rooms, sizeof(struct mix_room *));
		if (lane->room == NULL)
			return -ENOMEM;
	}
	for (i = 0; i < mix->rooms; i++) {
		struct lane *lane = &mix->lane[mix->room[i].facts.home_worker];

		j = (uint32_t)(random_next(mix) % ++lane->rooms);
		lane->room[lane->rooms - 1] = lane->room[j];
		lane->room[j] = &mix->room[i];
	}
	return 0;
}

/* The room's next slot packet, as its selector would emit it. */
static void publish_next(struct lane *lane, struct mix_room *room)
{
	uint32_t size = lane->mix->options->payload;
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(lane->worker->config.pool);
	unsigned int kind = 0;
	uint8_t *payload;

	if (mbuf == NULL)
		return;
	payload = (uint8_t *)rte_pktmbuf_append(mbuf, (uint16_t)size);
	memcpy(payload, lane->mix->payload, size);
	room->index++;
	*packet_meta(mbuf) = (struct packet_meta){.kind = PACKET_SLOT,
		.room = room->facts.room,
		.room_id = room->facts.room_id,
		.source = SELECTOR_NOBODY,
		.arrival_ns = worker_clock_ns(lane->worker),
		.slot = {.index = room->index,
			.ssrc = room->facts.slot_ssrc[0],
			.timestamp = (uint32_t)room->index * 960,
			.csrc = 0x11223344u,
			.payload = payload,
			.payload_size = (uint16_t)size}};
	while (kind < STN_ROOM_SIZES - 1 &&
		room->listeners / lane->mix->box.pool.count > stn_room_size_bounds[kind])
		kind++;
	lane->published[kind] += lane->mix->box.pool.count;
	publish_packet(lane->worker, mbuf);
}

/* Whether every worker is close to having nothing to do. */
static bool wanted(const struct lane *lane)
{
	const struct worker *worker = lane->worker;
	unsigned int i;

	for (i = 0; i < worker->config.count; i++) {
		const struct worker *other = lane->mix->lane[i].worker;

		if (__atomic_load_n(&other->queue.job_count, __ATOMIC_RELAXED) >= DEPTH ||
			(worker->config.out[i] != NULL &&
				rte_ring_count(worker->config.out[i]) >= DEPTH))
			return false;
	}
	return true;
}

/*
 * What is read of rooms whose turn is near. Selection, which is not measured here, would have just
 * used them; waiting for them took a quarter of a small room's time.
 */
static void look_ahead(const struct lane *lane)
{
	const struct mix_room *far = lane->room[(lane->next + 2 * AHEAD) % lane->rooms];
	const struct mix_room *near = lane->room[(lane->next + AHEAD) % lane->rooms];
	const struct worker_room *room = lane->worker->room[near->facts.room];

	rte_prefetch0(&far->facts);
	rte_prefetch0(&far->index);
	rte_prefetch0(&far->facts.slot_ssrc);
	rte_prefetch0(&room->queue);
}

/* All rooms in turn; none before its last packet has left. */
static void saturate(struct lane *lane)
{
	while (lane->rooms != 0 && wanted(lane)) {
		struct mix_room *room = lane->room[lane->next];

		look_ahead(lane);
		if (lane->worker->room[room->facts.room]->queue.count != 0)
			return;
		publish_next(lane, room);
		lane->next = (lane->next + 1) % lane->rooms;
	}
}

/* Rooms whose moment has come. */
static void offer(struct lane *lane)
{
	uint64_t now = now_ns();
	unsigned int i;

	for (i = 0; i < CATCH_UP && lane->rooms != 0 && lane->next_ns <= now; i++) {
		publish_next(lane, lane->room[lane->next]);
		lane->next = (lane->next + 1) % lane->rooms;
		lane->next_ns += lane->mix->frame_ns / lane->rooms;
	}
}

static uint64_t last_sum_ns(const struct worker *worker)
{
	uint64_t sum_ns = 0;
	unsigned int i;

	for (i = 0; i < STN_ROOM_SIZES; i++)
		sum_ns += worker->last_copy[i].sum_ns;
	return sum_ns;
}

/*
 * From the first copies of a packet to the last one. With a room for itself, and more copies than a
 * turn makes, they leave in different turns, the last one of a packet before the first of the next.
 */
static void spread_note(struct lane *lane)
{
	uint64_t first_ns = lane->worker->first_copy.sum_ns, last_ns = last_sum_ns(lane->worker);

	if (last_ns != lane->last_sum_ns)
		histogram_add(&lane->spread, last_ns - lane->last_sum_ns - lane->first_ns);
	if (first_ns != lane->first_sum_ns)
		lane->first_ns = first_ns - lane->first_sum_ns;
	lane->first_sum_ns = first_ns;
	lane->last_sum_ns = last_ns;
}

static bool has_spread(const struct lane *lane)
{
	const struct mix *mix = lane->mix;

	return lane->phase == PHASE_LOAD && mix->rooms == 1 &&
	       mix->listeners / mix->box.pool.count > 2 * lane->worker->config.slice_copies;
}

static void phase_enter(struct lane *lane, enum phase phase)
{
	struct worker *worker = lane->worker;

	lane->phase = phase;
	if (phase != PHASE_LOAD)
		return;
	lane->next_ns = now_ns();
	memset(lane->published, 0, sizeof(lane->published));
	memset(&worker->first_copy, 0, sizeof(worker->first_copy));
	memset(worker->last_copy, 0, sizeof(worker->last_copy));
	lane->first_sum_ns = lane->last_sum_ns = 0;
	worker->stats.busy_ns = 0;
	worker->stats.idle_ns = 0;
}

static int lane_run(void *arg)
{
	struct lane *lane = arg;
	uint64_t before = now_ns(), after;
	enum phase phase;
	unsigned int done;

	while ((phase = __atomic_load_n(&lane->mix->phase, __ATOMIC_ACQUIRE)) != PHASE_DONE) {
		if (phase != lane->phase)
			phase_enter(lane, phase);
		if (phase == PHASE_SATURATE)
			saturate(lane);
		else if (phase == PHASE_LOAD)
			offer(lane);
		done = worker_turn(lane->worker);
		if (has_spread(lane))
			spread_note(lane);
		after = now_ns();
		if (done != 0)
			lane->worker->stats.busy_ns += after - before;
		else
			lane->worker->stats.idle_ns += after - before;
		before = after;
	}
	return 0;
}

static void phase_set(struct mix *mix, enum phase phase)
{
	__atomic_store_n(&mix->phase, phase, __ATOMIC_RELEASE);
}

static int program(struct mix *mix)
{
	struct command command;
	uint32_t i, worker;
	int rc = 0;

	for (i = 0; i < mix->rooms && rc == 0; i++) {
		command = (struct command){.type = COMMAND_ROOM_ADD, .room = &mix->room[i].facts};
		for (worker = 0; worker < mix->box.pool.count && rc == 0; worker++)
			rc = box_post(&mix->box, worker, &command);
		if (rc == 0 && i % 1024 == 1023)
			rc = box_fence(&mix->box);
	}
	for (i = 0; i < mix->listeners && rc == 0; i++) {
		command =
			(struct command){.type = COMMAND_LEG_ADD, .handle = i, .leg = &mix->leg[i]};
		rc = box_post(&mix->box, mix->leg[i].worker, &command);
		if (rc == 0 && i % 4096 == 4095)
			rc = box_fence(&mix->box);
	}
	return rc == 0 ? box_fence(&mix->box) : rc;
}

/* The main lcore looks on and takes no CPU meanwhile. */
static void wait_s(double seconds)
{
	struct timespec t = {.tv_sec = (time_t)seconds,
		.tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};

	while (nanosleep(&t, &t) < 0 && errno == EINTR)
		;
}

static uint64_t transmitted(const struct mix *mix)
{
	uint64_t total = 0;
	unsigned int i;

	for (i = 0; i < mix->box.pool.count; i++)
		total += __atomic_load_n(&mix->lane[i].worker->stats.tx_packets, __ATOMIC_RELAXED);
	return total;
}

/* Nothing is under way on any worker. */
static void drain(struct mix *mix)
{
	uint64_t before;

	phase_set(mix, PHASE_DRAIN);
	do {
		before = transmitted(mix);
		wait_s(0.1);
	} while (transmitted(mix) != before);
}

static void saturated(struct mix *mix, double seconds, struct mix_result *result)
{
	uint64_t begin, before, passed, copies;
	unsigned int i;

	phase_set(mix, PHASE_SATURATE);
	wait_s(seconds);
	for (i = 0; i < mix->options->repeats; i++) {
		begin = now_ns();
		before = transmitted(mix);
		wait_s(seconds);
		copies = transmitted(mix) - before;
		passed = now_ns() - begin;
		result->mpps[i] = (double)copies * 1e3 / (double)passed;
		result->ns_per_copy[i] =
			(double)passed * mix->box.pool.count / (double)(copies ? copies : 1);
	}
	drain(mix);
}

static void counters(const struct mix *mix, struct mix_result *r, int sign)
{
	static const enum stn_drop refused[] = {
		STN_DROP_TX_NO_BUFFER, STN_DROP_TX_REFUSED, STN_DROP_TX_NO_NEIGHBOUR};
	uint64_t sent = 0, lost = 0, stale = 0, copies = 0;
	unsigned int i, k;

	for (i = 0; i < mix->box.pool.count; i++) {
		const struct stn_worker_stats *s = &mix->lane[i].worker->stats;

		copies += s->copies;
		sent += s->tx_packets;
		stale += s->drop[STN_DROP_TX_STALE];
		for (k = 0; k < 3; k++)
			lost += s->drop[refused[k]];
	}
	r->copies += (uint64_t)sign * copies;
	r->stale += (uint64_t)sign * stale;
	r->refused += (uint64_t)sign * lost;
	r->unaccounted += (uint64_t)sign * (copies - sent - stale - lost);
}

static void loaded(struct mix *mix, double seconds, struct mix_result *result)
{
	double median, all = mix->listeners;
	unsigned int i, k;

	median = result->mpps[mix->options->repeats / 2];
	mix->frame_ns = (uint64_t)(all * 1e3 / median * 100 / mix->options->load_percent);
	result->frame_ms = (double)mix->frame_ns * 1e-6;
	counters(mix, result, -1);
	phase_set(mix, PHASE_LOAD);
	wait_s(seconds);
	drain(mix);
	counters(mix, result, 1);
	for (i = 0; i < mix->box.pool.count; i++) {
		const struct lane *lane = &mix->lane[i];

		histogram_merge(&result->first, &lane->worker->first_copy);
		histogram_merge(&result->spread, &lane->spread);
		for (k = 0; k < STN_ROOM_SIZES; k++) {
			histogram_merge(&result->last[k], &lane->worker->last_copy[k]);
			result->published[k] += lane->published[k];
		}
		result->busy_ns += lane->worker->stats.busy_ns;
		result->idle_ns += lane->worker->stats.idle_ns;
	}
}

static int run(struct mix *mix, struct mix_result *result)
{
	double turn = (double)mix->options->seconds / (mix->options->repeats + 4);
	unsigned int i;
	int rc;

	for (i = 0; i < mix->box.pool.count; i++)
		rte_eal_remote_launch(lane_run, &mix->lane[i], EAL_WORKER_LCORE(i));
	rc = program(mix);
	if (rc == 0) {
		saturated(mix, turn, result);
		loaded(mix, 3 * turn, result);
	}
	phase_set(mix, PHASE_DONE);
	for (i = 0; i < mix->box.pool.count; i++)
		rte_eal_wait_lcore(EAL_WORKER_LCORE(i));
	return rc;
}

static void settings_write(const struct mix *mix, char *out, size_t size)
{
	const struct mix_options *o = mix->options;

	snprintf(out, size,
		"dataplane = { workers = %u; legs_max = %u; rooms_max = %u; buffers = 32768;\n"
		"pace_us = %u; stale_ms = %u; ports = ( { driver = \"null\";\n"
		"addresses = [ \"192.0.2.1/24\" ]; gateway_mac = \"02:00:00:00:00:02\"; } ); };",
		o->workers, mix->listeners < 16 ? 16 : mix->listeners, mix->rooms, o->pace_us,
		o->stale_ms);
}

int mix_measure(const struct mix_options *options, struct mix_result *result)
{
	struct mix *mix = calloc(1, sizeof(*mix));
	char settings[512];
	unsigned int i;
	int rc;

	if (mix == NULL)
		return -ENOMEM;
	*result = (struct mix_result){0};
	mix->options = options;
	for (i = 0; i < options->kinds; i++) {
		mix->rooms += options->kind[i].rooms;
		mix->listeners += options->kind[i].rooms * options->kind[i].listeners;
	}
	settings_write(mix, settings, sizeof(settings));
	rc = box_open(&mix->box, settings, options->engine);
	if (rc == 0)
		rc = rooms_make(mix);
	if (rc == 0)
		rc = lanes_make(mix);
	if (rc == 0) {
		result->engine = mix->box.pool.worker[0]->config.engine->name;
		rc = run(mix, result);
	}
	box_close(&mix->box);
	for (i = 0; i < STN_WORKERS_MAX; i++)
		free(mix->lane[i].room);
	free(mix->room);
	free(mix->leg);
	free(mix);
	return rc;
}
