// SPDX-License-Identifier: BSD-3-Clause
#include "perf/trial.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "perf/endpoint.h"

/* Long enough for whatever is still queued anywhere: 15 frames of a speaker who talks on. */
#define LISTEN_AFTER_NS (15 * (uint64_t)PACER_PERIOD_NS)
#define HEARD_DEADLINE_NS 3000000000u
#define SETTLE_PACKETS 10
#define LOOK_NS 500000u

static void wait_until(uint64_t at_ns)
{
	struct timespec at = {(time_t)(at_ns / 1000000000u), (long)(at_ns % 1000000000u)};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

/* Until voice that arrived after since_ns has been counted. */
static int wait_heard(struct sink *sink, uint64_t since_ns)
{
	uint64_t deadline_ns = clock_monotonic_ns() + HEARD_DEADLINE_NS;
	struct sink_totals totals;

	for (;;) {
		uint64_t now_ns = clock_monotonic_ns();
		int error = sink_read_totals(sink, &totals);

		if (error)
			return error;
		if (totals.last_voice_ns > since_ns)
			return 0;
		if (now_ns > deadline_ns) {
			fprintf(stderr, "the speaker is not heard any more\n");
			return -ETIMEDOUT;
		}
		wait_until(now_ns + LOOK_NS);
	}
}

/* A few frames of steady talk, then a moment of the frame that the trial is about. */
static void wait_phase(const struct pacer *pacer, unsigned int trial)
{
	uint32_t begin = pacer->count, random = 0;
	uint64_t range_ns = trial % 2 ? PACER_PERIOD_NS : PACER_PERIOD_NS / 4;

	(void)!getrandom(&random, sizeof(random), 0);
	while (pacer->count < begin + SETTLE_PACKETS)
		wait_until(clock_monotonic_ns() + LOOK_NS);
	wait_until(pacer->send_ns[begin + SETTLE_PACKETS - 1] + random % range_ns);
}

static int run_one(
	struct trial_result *result, unsigned int i, struct director *director, struct sink *sink)
{
	uint64_t written_ns, answered_ns;
	struct sink_totals totals;
	int error = director_mute(director, true, &written_ns, &answered_ns);

	if (!error)
		error = sink_mark(sink, answered_ns);
	if (error)
		return error;
	wait_until(answered_ns + LISTEN_AFTER_NS);
	error = sink_read_totals(sink, &totals);
	if (error)
		return error;
	result->after_ack += totals.voice_after;
	/* One that came between the acknowledgement and the mark is seen by its time only. */
	if (totals.voice_after == 0 && totals.last_voice_ns > answered_ns)
		result->after_ack++;
	result->mute_us[i] = totals.last_voice_ns > written_ns
				     ? (double)(totals.last_voice_ns - written_ns) / 1e3
				     : 0;
	result->ack_us[i] = (double)(answered_ns - written_ns) / 1e3;
	sink_mark(sink, 0);
	error = director_mute(director, false, &written_ns, &answered_ns);
	if (!error)
		error = wait_heard(sink, totals.last_voice_ns);
	result->unmute_us[i] = (double)(clock_monotonic_ns() - written_ns) / 1e3;
	return error;
}

int trial_run(struct trial_result *result, unsigned int trials, struct director *director,
	struct pacer *pacer, struct sink *sink)
{
	int error = 0;

	memset(result, 0, sizeof(*result));
	result->mute_us = calloc(trials + 1, sizeof(double));
	result->ack_us = calloc(trials + 1, sizeof(double));
	result->unmute_us = calloc(trials + 1, sizeof(double));
	if (!result->mute_us || !result->ack_us || !result->unmute_us)
		error = -ENOMEM;
	for (unsigned int i = 0; !error && i < trials; i++) {
		error = wait_heard(sink, clock_monotonic_ns());
		if (error)
			break;
		wait_phase(pacer, i);
		error = run_one(result, i, director, sink);
		result->trials += !error;
	}
	if (error)
		trial_free(result);
	return error;
}

void trial_free(struct trial_result *result)
{
	free(result->mute_us);
	free(result->ack_us);
	free(result->unmute_us);
	memset(result, 0, sizeof(*result));
}
