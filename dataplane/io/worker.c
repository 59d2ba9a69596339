// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/io/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>

#include <rte_cycles.h>
#include <rte_ring.h>

#include "configs/log.h"
#include "dataplane/io/stage.h"

/* Turns with nothing to do before the worker starts to sleep: a fan-out of a moment ago is followed
 * by replies and completions that should not wait. */
#define IDLE_TURNS 64u
#define TICK_NS 2000000ull

static uint64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t); /* vDSO: no system call */
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

/* Keys lie in here: kept out of core dumps; huge pages when the kernel has them. */
static int arena_open(struct worker *worker)
{
	size_t size = worker->config.arena_size;
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		return -errno;
	(void)madvise(memory, size, MADV_HUGEPAGE);
	(void)madvise(memory, size, MADV_DONTDUMP);
	worker->arena_memory = memory;
	arena_init(&worker->arena, memory, size);
	return 0;
}

/* IPv6 is the larger header, and a tag of 16 bytes the longer one. */
static uint32_t payload_max(const struct worker_config *config)
{
	const uint32_t headers = FRAME_IPV6_SIZE + FRAME_UDP_SIZE + RTP_BUILD_MAX + ENGINE_TAG_MAX;
	uint32_t max = FANOUT_PAYLOAD_MAX;
	unsigned int i;

	for (i = 0; i < config->port_count; i++)
		if (max > config->port[i].mtu - headers)
			max = config->port[i].mtu - headers;
	return max;
}

int worker_open(struct worker **out, const struct worker_config *config)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	int rc = -ENOMEM;

	if (worker == NULL)
		return rc;
	worker->config = *config;
	worker->payload_max = payload_max(config);
	worker->now_ns = clock_ns();
	worker->now_tsc = rte_rdtsc();
	worker->tsc_unit = (1000000000ull << 32) / rte_get_tsc_hz();
	worker->slice_cycles = rte_get_tsc_hz() / 1000000 * WORKER_SLICE_US;
	worker->room = calloc(config->rooms_max, sizeof(struct worker_room *));
	worker->leg = calloc(config->legs_max, sizeof(*worker->leg));
	worker->home = calloc(config->rooms_max, sizeof(*worker->home));
	worker->ice = calloc(config->legs_max, sizeof(*worker->ice));
	worker->core = config->engine->open();
	if (worker->room == NULL || worker->leg == NULL || worker->home == NULL ||
		worker->ice == NULL || worker->core == NULL)
		goto fail;
	RTE_VERIFY(config->legs_max <= WORKER_LEGS_MAX);
	rc = queue_open(&worker->queue, config->rooms_max, config->jobs_max);
	if (rc < 0)
		goto fail;
	/* A browser that moves has two paths for a while, and a stray queue knows the way. */
	rc = locator_open(&worker->locator, &config->hash_key, config->legs_max * 2);
	if (rc == 0)
		rc = directory_open(
			&worker->directory, &config->hash_key, worker->leg, config->legs_max);
	if (rc == 0)
		rc = arena_open(worker);
	if (rc < 0)
		goto fail;
	*out = worker;
	return 0;
fail:
	log_error("worker_open", "worker=%u error=%s", config->index, strerror(-rc));
	worker_close(worker);
	return rc;
}

static void ring_drain(struct rte_ring *ring)
{
	struct rte_mbuf *mbuf;

	while (ring != NULL && rte_ring_sc_dequeue(ring, (void **)&mbuf) == 0)
		rte_pktmbuf_free(mbuf);
}

/* What is still in the rings to this worker, or for DTLS; after every worker has stopped. */
static void rings_drain(struct worker *worker)
{
	unsigned int from;

	for (from = 0; from < worker->config.count; from++)
		ring_drain(worker->config.in[from]);
	ring_drain(worker->config.punts);
	ring_drain(worker->config.datagrams);
}

void worker_close(struct worker *worker)
{
	uint32_t i;

	if (worker == NULL)
		return;
	if (worker->room != NULL && worker->leg != NULL) {
		rings_drain(worker);
		for (i = 0; i < worker->config.legs_max; i++)
			apply_leg_close(worker, i);
		for (i = 0; i < worker->config.rooms_max; i++)
			apply_room_close(worker, i);
		worker->slice_cycles = UINT64_MAX / 4;
		listener_tidy(worker);
		rings_drain(worker);
	}
	if (worker->core != NULL)
		worker->config.engine->close(worker->core);
	queue_close(&worker->queue);
	locator_close(&worker->locator);
	directory_close(&worker->directory);
	if (worker->arena_memory != NULL) {
		explicit_bzero(worker->arena_memory, worker->arena.used);
		munmap(worker->arena_memory, worker->config.arena_size);
	}
	free(worker->room);
	free(worker->leg);
	free(worker->home);
	free(worker->ice);
	free(worker);
}

static uint64_t since_ns(const struct worker *worker, uint64_t begin)
{
	return ((__uint128_t)(rte_rdtsc() - begin) * worker->tsc_unit) >> 32;
}

/* Both keep reception waiting, so both are watched. */
static unsigned int commands(struct worker *worker)
{
	uint64_t begin = rte_rdtsc();
	unsigned int done = apply_commands(worker) + listener_tidy(worker);

	if (done != 0)
		stn_wait_add(&worker->stats.command_wait, since_ns(worker, begin));
	return done;
}

static unsigned int fan_out(struct worker *worker)
{
	uint64_t begin = rte_rdtsc();
	unsigned int done = fan_slice(worker);

	/* More could have been sent than a slice holds. */
	worker->packets_wait = done >= worker->config.slice_copies;
	if (done != 0)
		stn_wait_add(&worker->stats.fanout_wait, since_ns(worker, begin));
	return done;
}

unsigned int worker_turn(struct worker *worker)
{
	unsigned int done;

	worker->now_ns = clock_ns() + worker->skew_ns;
	worker->now_tsc = rte_rdtsc();
	done = punt_send(worker);
	done += commands(worker);
	done += receive_poll(worker);
	if (worker->config.count > 1)
		done += receive_rings(worker);
	if (worker->now_ns >= worker->tick_ns) {
		/* What has really passed: a busy worker comes here later. */
		uint64_t passed_ns = worker->now_ns - worker->tick_ns + TICK_NS;

		worker->tick_ns = worker->now_ns + TICK_NS;
		done += publish_ticks(worker);
		path_ticks(worker, passed_ns);
	}
	return done + fan_out(worker);
}

static void idle(const struct worker *worker, unsigned int turns)
{
	struct timespec t = {.tv_nsec = worker->config.idle_sleep_us * 1000l};

	if (worker->config.idle_sleep_us == 0 || turns < IDLE_TURNS)
		rte_pause();
	else
		nanosleep(&t, NULL);
}

int worker_loop(void *arg)
{
	struct worker *worker = arg;
	uint64_t before = clock_ns(), after;
	unsigned int turns = 0;

	/* Without it every sleep is 50 us longer than asked for. */
	(void)prctl(PR_SET_TIMERSLACK, 1ul, 0ul, 0ul, 0ul);
	while (!__atomic_load_n(&worker->stop, __ATOMIC_RELAXED)) {
		if (worker_turn(worker) != 0) {
			turns = 0;
		} else {
			idle(worker, turns);
			turns++;
		}
		after = clock_ns();
		if (turns == 0)
			worker->stats.busy_ns += after - before;
		else
			worker->stats.idle_ns += after - before;
		before = after;
	}
	return 0;
}

static uint64_t bytes_digest(uint64_t digest, const void *bytes, size_t size)
{
	const struct siphash_key key = {.k0 = digest};

	return siphash(&key, bytes, size);
}

/* Everything that decides where packets go and under which key and index. */
static uint64_t speaker_digest(const struct worker_speaker *speaker, uint64_t digest)
{
	digest = srtp_receiver_digest(&speaker->receiver, digest);
	digest = digest * 31 + selector_source_digest(&speaker->source);
	digest = bytes_digest(digest, &speaker->template, sizeof(speaker->template));
	digest = bytes_digest(digest, speaker->own_index, sizeof(speaker->own_index));
	return digest * 31 + ((uint64_t)speaker->port << 2 ^ (uint64_t)speaker->mac_known << 1 ^
				     speaker->connected);
}

uint64_t worker_digest(const struct worker *worker)
{
	uint64_t digest = 0x9e3779b97f4a7c15ull ^ worker->locator.count;
	uint32_t i, s;

	/* Who is where; keys, origins and addresses of all listeners. */
	digest = bytes_digest(digest, worker->locator.cell,
		worker->locator.cells * sizeof(*worker->locator.cell));
	digest = bytes_digest(digest, worker->arena.base, worker->arena.used);

	for (i = 0; i < worker->config.rooms_max; i++) {
		const struct worker_room *room = worker->room[i];

		if (room == NULL)
			continue;
		digest = digest * 31 + room->shard.legs;
		if (room->selector != NULL)
			digest = digest * 31 + selector_digest(room->selector);
		for (s = 0; s < room->facts->slot_count; s++)
			digest = digest * 31 + room->facts->slot_index[s]->value;
		for (s = 0; s < room->speaker_count; s++)
			digest = speaker_digest(room->speakers[s], digest);
	}
	for (i = 0; i < worker->config.legs_max; i++) {
		const struct worker_leg *leg = &worker->leg[i];

		if (leg->facts == NULL)
			continue;
		digest = digest * 31 + (leg->rtcp_next ^ (uint64_t)leg->muted << 40 ^
					       (uint64_t)leg->connected << 41 ^ i);
		if (leg->ice != NULL)
			digest = ice_digest(leg->ice->state, digest) * 31 +
				 ((uint64_t)leg->ice->lost << 1 ^ leg->ice->start_unresolved);
	}
	return digest;
}
