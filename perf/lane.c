// SPDX-License-Identifier: BSD-3-Clause
#include "perf/lane.h"

#include <sched.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "dataplane/io/stage.h"

#define PAYLOAD 100u
#define SAMPLE_COPIES 4096u /* between two looks at what a copy takes */

uint64_t lane_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint16_t lane_on_transmit(
	uint16_t port, uint16_t queue, struct rte_mbuf *mbufs[], uint16_t count, void *arg)
{
	struct lane *lane = arg;

	__atomic_store_n(&lane->last_copy_ns, lane_now_ns(), __ATOMIC_RELAXED);
	if (__atomic_load_n(&lane->watched, __ATOMIC_ACQUIRE))
		__atomic_store_n(
			&lane->watched_copies, lane->watched_copies + count, __ATOMIC_RELAXED);
	return count;
}

/* The speaker's next slot packet, as the room's home worker would publish it. */
static void inject(struct lane *lane)
{
	struct worker *worker = lane->worker;
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(worker->config.pool);
	struct packet_meta *meta;
	uint8_t *payload;

	if (mbuf == NULL) {
		lane->no_buffer++;
		return;
	}
	payload = (uint8_t *)rte_pktmbuf_append(mbuf, PAYLOAD);
	memset(payload, 0x5a, PAYLOAD);
	meta = packet_meta(mbuf);
	*meta = (struct packet_meta){.kind = PACKET_SLOT,
		.room_id = lane->room_id,
		.source = 0, /* the first leg's handle */
		.source_id = lane->source_id,
		.arrival_ns = lane_now_ns(),
		.slot = {.index = ++lane->index_last,
			.ssrc = LANE_SLOT_SSRC,
			.timestamp = (uint32_t)lane->index_last * 960,
			.csrc = 1,
			.payload = payload,
			.payload_size = PAYLOAD}};
	publish_local(worker, mbuf);
}

/* What a copy takes just now, commands aside, smoothed. */
static void learn(struct lane *lane)
{
	const struct stn_worker_stats *stats = &lane->worker->stats;
	uint64_t copies = stats->copies - lane->seen_copies, ns;

	if (copies < SAMPLE_COPIES)
		return;
	ns = (stats->fanout_wait.sum_ns - lane->seen_ns) * 256 / copies;
	lane->ns_per_copy_256 = lane->ns_per_copy_256 ? (7 * lane->ns_per_copy_256 + ns) / 8 : ns;
	lane->seen_copies = stats->copies;
	lane->seen_ns = stats->fanout_wait.sum_ns;
}

static void feed(struct lane *lane)
{
	uint32_t load = __atomic_load_n(&lane->load, __ATOMIC_RELAXED);
	uint64_t now_ns;

	if (load == 0) {
		lane->due_ns = 0;
	} else if (load >= 100) {
		if (lane->worker->queue.job_count < 2)
			inject(lane);
	} else {
		now_ns = lane_now_ns();
		learn(lane);
		if (lane->due_ns == 0)
			lane->due_ns = now_ns;
		if (now_ns < lane->due_ns)
			return;
		inject(lane);
		/* The first one tells what a copy takes. */
		lane->due_ns += lane->ns_per_copy_256 == 0
					? 10000000
					: lane->worker->stats.legs * lane->ns_per_copy_256 / 256 *
						  100 / load;
	}
}

/* The turn that has just ended, with what the worker says of its stages. */
static void note(struct lane *lane, uint64_t now_ns, uint64_t ns)
{
	const struct stn_worker_stats *stats = &lane->worker->stats;
	struct wait wait = {.at_ns = now_ns,
		.ns = ns,
		.commands = stats->commands - lane->commands,
		.copies = stats->copies - lane->copies,
		.stage_ns = {stats->command_wait.sum_ns - lane->command_ns,
			stats->fanout_wait.sum_ns - lane->copies_ns}};
	uint64_t known = wait.stage_ns[WAIT_COMMANDS] + wait.stage_ns[WAIT_COPIES];

	wait.stage_ns[WAIT_REST] = ns > known ? ns - known : 0;
	lane->commands = stats->commands;
	lane->copies = stats->copies;
	lane->command_ns = stats->command_wait.sum_ns;
	lane->copies_ns = stats->fanout_wait.sum_ns;
	wait_note(&lane->phase[__atomic_load_n(&lane->phase_now, __ATOMIC_ACQUIRE)], &wait);
	if (ns > __atomic_load_n(&lane->longest_ns, __ATOMIC_RELAXED))
		__atomic_store_n(&lane->longest_ns, ns, __ATOMIC_RELAXED);
}

int lane_run(void *arg)
{
	struct lane *lane = arg;
	uint64_t before = lane_now_ns(), now_ns;

	__atomic_store_n(&lane->thread, (int)gettid(), __ATOMIC_RELEASE);
	while (!__atomic_load_n(&lane->stop, __ATOMIC_RELAXED)) {
		if (!__atomic_load_n(&lane->rests, __ATOMIC_RELAXED)) {
			feed(lane);
			worker_turn(lane->worker);
		} else {
			/* Afterwards nothing is made up for. */
			lane->due_ns = 0;
		}
		now_ns = lane_now_ns();
		note(lane, now_ns, now_ns - before);
		before = now_ns;
		__atomic_store_n(&lane->turns, lane->turns + 1, __ATOMIC_RELEASE);
		if (lane->yields)
			sched_yield();
	}
	return 0;
}
