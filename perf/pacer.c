// SPDX-License-Identifier: BSD-3-Clause
#include "perf/pacer.h"

#include <errno.h>
#include <sched.h>
#include <sys/socket.h>
#include <time.h>

#include "perf/endpoint.h"

#define LATE_NS 2000000u
#define PRIORITY 10

static void send_one(struct pacer *pacer, uint64_t due_ns)
{
	uint8_t bytes[PACKET_MAX];
	int size = talker_next(pacer->talker, false, bytes);
	uint32_t i = pacer->count;
	uint64_t now_ns = clock_monotonic_ns();

	if (size <= 0 || send(pacer->fd, bytes, (size_t)size, 0) != size) {
		pacer->failed++;
		return;
	}
	pacer->late += now_ns > due_ns + LATE_NS;
	pacer->send_ns[i] = now_ns;
	pacer->count = i + 1;
}

static void *run(void *argument)
{
	struct pacer *pacer = argument;
	uint64_t due_ns = clock_monotonic_ns();

	while (!pacer->stop && pacer->count < PACER_SENDS_MAX) {
		struct timespec due = {
			(time_t)(due_ns / 1000000000u), (long)(due_ns % 1000000000u)};

		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
		send_one(pacer, due_ns);
		due_ns += PACER_PERIOD_NS;
	}
	return NULL;
}

int pacer_start(struct pacer *pacer, struct talker *talker, int fd)
{
	const struct sched_param priority = {.sched_priority = PRIORITY};
	int error;

	pacer->talker = talker;
	pacer->fd = fd;
	pacer->stop = false;
	pacer->count = pacer->late = pacer->failed = 0;
	error = pthread_create(&pacer->thread, NULL, run, pacer);
	if (error)
		return -error;
	pacer->running = true;
	/* It runs for microseconds; without privileges it stays an ordinary thread. */
	(void)pthread_setschedparam(pacer->thread, SCHED_FIFO, &priority);
	return 0;
}

void pacer_stop(struct pacer *pacer)
{
	if (!pacer->running)
		return;
	pacer->stop = true;
	pthread_join(pacer->thread, NULL);
	pacer->running = false;
}
