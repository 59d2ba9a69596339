// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/io/stage.h"

static struct worker_job *head(struct worker *worker)
{
	if (worker->job_head == worker->job_tail)
		return NULL;
	return &worker->job[worker->job_head % WORKER_JOBS_MAX];
}

static struct worker_room *job_room(const struct worker *worker, const struct packet_meta *meta)
{
	struct worker_room *room = worker->room[meta->room];

	/* The handle may have been given to another room while the packet was in a ring. */
	return room != NULL && room->facts->room_id == meta->room_id ? room : NULL;
}

struct worker_room *fan_room(const struct worker *worker)
{
	const struct worker_job *job = &worker->job[worker->job_head % WORKER_JOBS_MAX];

	if (worker->job_head == worker->job_tail || !job->started)
		return NULL;
	return job_room(worker, packet_meta(job->mbuf));
}

static void finish(struct worker *worker)
{
	struct worker_job *job = head(worker);
	struct worker_room *room = fan_room(worker);

	if (job->started)
		repeat_keep(worker, room, job->mbuf);
	else
		rte_pktmbuf_free(job->mbuf);
	job->mbuf = NULL;
	job->started = false;
	worker->job_head++;
	if (room != NULL && room->removed_count != 0)
		listener_removals(worker, room);
}

/*
 * A mute or a removal that this worker has applied also covers what was still in a ring from the
 * home worker, which may not have applied it yet, and what waits to be asked for again.
 */
bool fan_allowed(const struct worker *worker, const struct packet_meta *meta)
{
	const struct worker_leg *source;

	if (job_room(worker, meta) == NULL)
		return false;
	if (meta->source == SELECTOR_NOBODY)
		return true;
	source = &worker->leg[meta->source];
	return source->facts != NULL && source->facts->leg_id == meta->source_id &&
	       !source->muted && meta->arrival_ns >= source->unmuted_ns;
}

/* Why a packet must not be fanned out, decided just before it is: STN_DROP_COUNT when it may. */
static enum stn_drop refusal(const struct worker *worker, const struct packet_meta *meta)
{
	if (job_room(worker, meta) == NULL)
		return STN_DROP_FANOUT_CANCELLED;
	if (worker->now_ns - meta->arrival_ns > worker->config.stale_ms * 1000000ull &&
		worker->now_ns > meta->arrival_ns)
		return STN_DROP_FANOUT_STALE;
	return fan_allowed(worker, meta) ? STN_DROP_COUNT : STN_DROP_FANOUT_CANCELLED;
}

static void start(struct worker *worker, struct worker_job *job, struct worker_room *room)
{
	const struct packet_meta *meta = packet_meta(job->mbuf);

	job->started = true;
	worker->stats.slot_packets++;
	if (room->report != NULL)
		report_slot(worker, room, meta);
	fanout_headers_build(
		&worker->headers, &meta->slot, room->profile, room->facts->profile_count);
	copy_group(worker, room, &meta->slot);
	fanout_begin(&worker->fanout, &room->shard, &meta->slot, &worker->headers, &room->rotate);
	room->rotate = (struct fanout_place){0};
	room->rotated = false;
	worker->stats.copies += room->unresolved;
	worker_drop(worker, STN_DROP_TX_NO_NEIGHBOUR, room->unresolved);
	copy_speakers(worker, room, meta);
}

/* Makes the head of the queue a fan-out that is under way. False: nothing to do. */
static bool prepare(struct worker *worker)
{
	struct worker_job *job;
	enum stn_drop reason;

	while ((job = head(worker)) != NULL && !job->started) {
		const struct packet_meta *meta = packet_meta(job->mbuf);

		reason = refusal(worker, meta);
		if (reason == STN_DROP_COUNT) {
			start(worker, job, job_room(worker, meta));
			return true;
		}
		worker_drop(worker, reason, 1);
		finish(worker);
	}
	return job != NULL;
}

unsigned int fan_slice(struct worker *worker)
{
	unsigned int copies = 0;
	struct fanout_run run;

	while (copies < worker->config.slice_copies && prepare(worker)) {
		struct worker_room *room = fan_room(worker);

		fanout_next(&worker->fanout, ENGINE_BLOCK_LEGS, &run);
		if (run.count == 0)
			finish(worker);
		else
			copies += copy_run(worker, room, &run);
	}
	return copies;
}

void fan_cancel(struct worker *worker, uint32_t source, uint32_t room)
{
	struct worker_room *under_way = fan_room(worker);
	uint32_t i, kept = worker->job_head;
	bool cut = false;

	for (i = worker->job_head; i != worker->job_tail; i++) {
		struct worker_job *job = &worker->job[i % WORKER_JOBS_MAX];
		const struct packet_meta *meta = packet_meta(job->mbuf);

		if ((source == UINT32_MAX || meta->source == source) &&
			(room == UINT32_MAX || meta->room == room)) {
			worker_drop(worker,
				job->started ? STN_DROP_FANOUT_CUT : STN_DROP_FANOUT_CANCELLED, 1);
			cut |= job->started;
			rte_pktmbuf_free(job->mbuf);
			continue;
		}
		worker->job[kept++ % WORKER_JOBS_MAX] = *job;
	}
	worker->job_tail = kept;
	if (cut && under_way != NULL && under_way->removed_count != 0)
		listener_removals(worker, under_way);
}
