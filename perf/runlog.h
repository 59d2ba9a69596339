/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a generator tells a sink when a repeat has ended: how many packets each of its speakers
 * sent, and when. A file, complete from the moment it is there, so that it can also be copied from
 * another machine. The sink removes it when it is ready for the next repeat; the last one stays.
 * Times are CLOCK_MONOTONIC and mean something on the machine that wrote them only.
 */
#ifndef STENTOR_PERF_RUNLOG_H
#define STENTOR_PERF_RUNLOG_H

#include <stdbool.h>
#include <stdint.h>

#define RUNLOG_SPEAKERS_MAX 64

struct runlog_speaker {
	uint32_t listeners;
	uint32_t count;
	uint64_t *send_ns;
};

struct runlog {
	bool same_machine;            /* read only: since the same boot */
	unsigned int repeat, repeats; /* this one, from 1 on, of how many */
	unsigned int speakers;
	struct runlog_speaker speaker[RUNLOG_SPEAKERS_MAX];
};

/* 0 or a negative errno. */
int runlog_write(const char *path, const struct runlog *log);
/* Strict; on failure nothing is left to free. */
int runlog_read(const char *path, struct runlog *log);
void runlog_free(struct runlog *log);
/* Copies that are due: packets times listeners, sent before that time. */
uint64_t runlog_due(const struct runlog *log, uint64_t before_ns);

#endif
