/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Requests over many connections to events.sock at once, some under way on each: what an
 * application with many workers does. Single-threaded; times of each answer are kept.
 */
#ifndef STENTOR_PERF_BURST_H
#define STENTOR_PERF_BURST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BURST_LINE_MAX 65536
#define BURST_CONNECTIONS_MAX 64

struct burst_plan {
	const char *socket;
	unsigned int connections;
	unsigned int window; /* requests under way on each */
	double seconds;      /* 0: until there are no more */
	bool programmed;     /* what the data plane has not acknowledged is a failure too */
	/*
	 * Writes what stands behind "id" in a request of that connection, `"type":"...",...}`, and
	 * returns its size; 0: there are no more.
	 */
	size_t (*make)(void *context, unsigned int connection, char *text, size_t size);
	void *context;
};

struct burst {
	double seconds;     /* from the first request to the last answer */
	uint64_t good;      /* answered with ok, durable, and programmed if asked for */
	uint64_t bad;       /* any other way */
	char failure[256];  /* the first of these */
	double *latency_us; /* of the good ones, count of them */
};

/* 0, or a negative errno: a connection failed. */
int burst_run(struct burst *burst, const struct burst_plan *plan);
void burst_free(struct burst *burst);

#endif
