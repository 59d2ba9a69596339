// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/io/stage.h"

/*
 * What a packet costs besides its copies, in copies: a slice of small rooms, or of rooms that have
 * no listeners here, must end too.
 */
#define PACKET_COST 4u
/* Lanes that are counted only, to one copy. */
#define COUNT_COST_SHIFT 4
/* Copies in so many nanoseconds are a pace: a shift instead of a division. */
#define PACE_SHIFT 24
/* A room whose packets wait paces each of them faster, this many times at most. */
#define HURRY_MAX 16u

/*
 * A mute or a removal that this worker has applied also covers what was still in a ring from the
 * home worker, which may not have applied it yet, and what waits to be asked for again.
 */
bool fan_allowed(const struct worker *worker, const struct packet_meta *meta)
{
	const struct worker_room *room = worker->room[meta->room];
	const struct worker_leg *source;

	if (room == NULL || room->facts->room_id != meta->room_id)
		return false;
	if (meta->source == SELECTOR_NOBODY)
		return true;
	source = &worker->leg[meta->source];
	return source->facts != NULL && source->facts->leg_id == meta->source_id &&
	       !source->muted && meta->arrival_ns >= source->unmuted_ns;
}

/* When a slot packet is not worth sending any more. */
static uint64_t stale_ns(const struct worker *worker, const struct packet_meta *meta)
{
	return meta->arrival_ns + worker->config.stale_ms * 1000000ull;
}

/* Why a packet must not be fanned out, decided just before it is: STN_DROP_COUNT when it may. */
static enum stn_drop refusal(
	const struct worker *worker, const struct worker_room *room, const struct packet_meta *meta)
{
	if (worker->now_ns > stale_ns(worker, meta))
		return STN_DROP_FANOUT_STALE;
	if (room->guarded && meta->slot.index <= room->guard[meta->slot.slot])
		return STN_DROP_FANOUT_CANCELLED;
	return fan_allowed(worker, meta) ? STN_DROP_COUNT : STN_DROP_FANOUT_CANCELLED;
}

/*
 * A fan-out larger than a burst is spread: its burst at once, the others evenly over the pace. It
 * may be late for that when it begins, but no more than what waits behind it makes it hurry.
 */
static void pace_begin(const struct worker *worker, struct worker_fan *fan, uint32_t legs)
{
	const struct worker_config *config = &worker->config;

	fan->pace_rate = 0;
	if (config->pace_us == 0 || legs <= config->pace_burst_copies)
		return;
	fan->pace_rate = ((uint64_t)legs << PACE_SHIFT) / (config->pace_us * 1000ull);
	fan->allowance = config->pace_burst_copies;
	fan->paced_ns = worker->now_ns;
}

/* Whether a block's copies may leave now; if not, *not_before_ns. */
static bool pace_allows(
	const struct worker *worker, const struct worker_room *room, uint64_t *not_before_ns)
{
	struct worker_fan *fan = room->fan;
	uint64_t rate, earned;

	if (fan->pace_rate == 0 || fan->allowance >= ENGINE_BLOCK_LEGS)
		return true;
	/* Packets of two talkers at once share the frame's time. */
	rate = fan->pace_rate * RTE_MIN(room->queue.count, HURRY_MAX);
	earned = (worker->now_ns - fan->paced_ns) * rate >> PACE_SHIFT;
	if (fan->allowance + earned < ENGINE_BLOCK_LEGS) {
		*not_before_ns =
			fan->paced_ns +
			(((uint64_t)ENGINE_BLOCK_LEGS - fan->allowance) << PACE_SHIFT) / rate;
		return false;
	}
	/* After a pause it catches up by a burst, not by more. */
	fan->allowance = (uint32_t)RTE_MIN(
		fan->allowance + earned, (uint64_t)worker->config.pace_burst_copies);
	fan->paced_ns = worker->now_ns;
	return true;
}

static void start(struct worker *worker, struct worker_room *room, const struct packet_meta *meta)
{
	struct worker_fan *fan = queue_fan_get(&worker->queue);
	unsigned int i;

	room->fan = fan;
	fan->stale_ns = stale_ns(worker, meta);
	fan->stale = false;
	fan->runs = 0;
	pace_begin(worker, fan, room->shard.legs);
	worker->stats.slot_packets++;
	if (room->report != NULL)
		report_slot(worker, room, meta);
	fanout_headers_build(&fan->headers, &meta->slot, room->profile, room->facts->profile_count);
	/* All that statistics of listeners cost: see listener_copies(). */
	room->begun++;
	for (i = 0; i < room->facts->profile_count; i++)
		room->begun_bytes[i] += fan->headers.payload_size[i];
	copy_group(worker, room, &meta->slot);
	fanout_begin(&fan->fanout, &room->shard, &meta->slot, &fan->headers, &room->rotate);
	room->rotate = (struct fanout_place){0};
	room->rotated = false;
	worker->stats.copies += room->unresolved;
	worker_drop(worker, STN_DROP_TX_NO_NEIGHBOUR, room->unresolved);
	copy_speakers(worker, room, meta);
}

/* The fan-out is over, one way or another: legs may move again. */
static void stop(struct worker *worker, struct worker_room *room)
{
	queue_fan_put(&worker->queue, room->fan);
	room->fan = NULL;
}

/* A clock a moment older than arrival may belong to another worker. */
static uint64_t waited_ns(const struct packet_meta *meta, uint64_t at_ns)
{
	return at_ns > meta->arrival_ns ? at_ns - meta->arrival_ns : 0;
}

/* The packet's first copies have left. */
static void note_first(
	struct worker *worker, struct worker_fan *fan, const struct packet_meta *meta)
{
	fan->first_ns = worker_clock_ns(worker);
	histogram_add(&worker->first_copy, waited_ns(meta, fan->first_ns));
}

/* All of them have: not a moment ago, if there was one run. */
static void note_last(
	struct worker *worker, const struct worker_room *room, const struct packet_meta *meta)
{
	const struct worker_fan *fan = room->fan;
	uint64_t at_ns = fan->runs > 1 ? worker_clock_ns(worker) : fan->first_ns;
	unsigned int size = 0;

	while (size < STN_ROOM_SIZES - 1 && room->shard.legs > stn_room_size_bounds[size])
		size++;
	histogram_add(&worker->last_copy[size], waited_ns(meta, at_ns));
}

static void finish(struct worker *worker, struct worker_room *room)
{
	struct rte_mbuf *mbuf = queue_first(&worker->queue, room);

	if (room->fan->runs > 0 && !room->fan->stale)
		note_last(worker, room, packet_meta(mbuf));
	queue_take(&worker->queue, room);
	repeat_keep(worker, room, mbuf);
	stop(worker, room);
}

/* The room's next packet becomes a fan-out under way, or is dropped. */
static unsigned int begin(struct worker *worker, struct worker_room *room)
{
	struct rte_mbuf *mbuf = queue_first(&worker->queue, room);
	const struct packet_meta *meta = packet_meta(mbuf);
	enum stn_drop reason = refusal(worker, room, meta);

	if (reason == STN_DROP_COUNT) {
		start(worker, room, meta);
		return PACKET_COST;
	}
	queue_take(&worker->queue, room);
	worker_discard(worker, mbuf, reason);
	return PACKET_COST;
}

/*
 * A packet that has become stale under way is not sent to those who have not got it: they are
 * counted, a run at a time like copies, and the next packet begins with them.
 */
static unsigned int count_run(
	struct worker *worker, struct worker_room *room, const struct fanout_run *run)
{
	if (!room->rotated) {
		room->rotate = run->first;
		room->rotated = true;
	}
	worker->stats.copies += run->count;
	worker_drop(worker, STN_DROP_TX_STALE, run->count);
	return (run->count >> COUNT_COST_SHIFT) + 1;
}

/* The next run of a fan-out under way, or its end; returns what it cost. */
static unsigned int advance(struct worker *worker, struct worker_room *room)
{
	struct worker_fan *fan = room->fan;
	struct fanout_run run;
	unsigned int copies;

	fanout_next(&fan->fanout, ENGINE_BLOCK_LEGS, &run);
	if (run.passed)
		return ENGINE_BLOCK_LEGS;
	if (run.count == 0) {
		finish(worker, room);
		/* Before its next packet begins, those who have left are taken out. */
		return room->removed_count != 0 ? worker->config.slice_copies : 0;
	}
	if (fan->stale)
		return count_run(worker, room, &run);
	copies = copy_run(worker, room, &run);
	if (fan->runs++ == 0)
		note_first(worker, fan, packet_meta(queue_first(&worker->queue, room)));
	fan->allowance -= RTE_MIN(copies, fan->allowance);
	return copies;
}

/* Whether the room at the head, which has packets, has something to do now. */
static bool ready(const struct worker *worker, struct queue_entry *entry)
{
	struct worker_fan *fan = entry->room->fan;

	if (fan == NULL)
		return true;
	fan->stale |= worker->now_ns > fan->stale_ns;
	return fan->stale || (entry->not_before_ns <= worker->now_ns &&
				     pace_allows(worker, entry->room, &entry->not_before_ns));
}

unsigned int fan_slice(struct worker *worker)
{
	struct worker_queue *queue = &worker->queue;
	uint32_t slice = worker->config.slice_copies, resting = 0;
	unsigned int spent = 0, cost;

	while (spent < slice && resting < queue_length(queue)) {
		struct worker_room *room = queue_at(queue, 0)->room;

		if (room->queue.count == 0) {
			queue_leave(queue);
			ahead_fetch(worker);
			continue;
		}
		if (!ready(worker, queue_at(queue, 0))) {
			queue_rotate(queue);
			resting++;
			continue;
		}
		cost = room->fan == NULL ? begin(worker, room) : advance(worker, room);
		spent += cost;
		queue->spent += cost;
		if (queue->spent >= slice) {
			queue_rotate(queue);
			ahead_fetch(worker);
		}
	}
	return spent;
}

struct cancel {
	struct worker *worker;
	uint32_t source;
	bool under_way; /* the packet asked about */
	bool cut;
};

static bool keep(void *arg, struct rte_mbuf *mbuf)
{
	struct cancel *cancel = arg;
	bool under_way = cancel->under_way;

	cancel->under_way = false; /* the first one only */
	if (cancel->source != FAN_EVERYBODY && packet_meta(mbuf)->source != cancel->source)
		return true;
	cancel->cut |= under_way;
	worker_discard(
		cancel->worker, mbuf, under_way ? STN_DROP_FANOUT_CUT : STN_DROP_FANOUT_CANCELLED);
	return false;
}

void fan_cancel(struct worker *worker, struct worker_room *room, uint32_t source)
{
	struct cancel cancel = {.worker = worker, .source = source, .under_way = room->fan != NULL};

	queue_filter(&worker->queue, room, keep, &cancel);
	if (cancel.cut)
		stop(worker, room);
}
