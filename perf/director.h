/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The application's side of a measurement: opens a room, lets people join, mutes, and asks for
 * counters, all over events.sock as any application would. Single-threaded; says on standard error
 * what was refused.
 */
#ifndef STENTOR_PERF_DIRECTOR_H
#define STENTOR_PERF_DIRECTOR_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "controlplane/cli/client.h"
#include "perf/endpoint.h"
#include "perf/mediakey.h"

#define DIRECTOR_WORKERS_MAX 16

struct director {
	struct client client;
	const char *room;
	const char *host; /* opens the room and is its speaker */
	int timeout_ms;
	FILE *file; /* requests go here instead, a line each, and are taken for granted */
};

struct director_counters {
	uint64_t at_ns; /* CLOCK_MONOTONIC, when the answer had been read */
	unsigned int worker_count;
	uint64_t copies, tx_packets, slot_packets, rx_packets, drops;
	uint64_t legs; /* of all rooms */
	uint64_t busy_ns[DIRECTOR_WORKERS_MAX];
	uint64_t idle_ns[DIRECTOR_WORKERS_MAX];
	char engine[32];
};

/* The listeners: N addresses one after the other, or ports of one address after the other. */
struct director_crowd {
	uint32_t address; /* of the first, host order */
	uint16_t port;
	uint16_t ports_per_address;
	uint32_t count;
	enum media_suite suite;
};

int director_open(struct director *director, const char *socket);
void director_close(struct director *director);
int director_open_room(struct director *director, uint32_t capacity);
/* Everybody leaves. In force when it returns. */
int director_close_room(struct director *director);
/* Until the data plane has no more legs than that; -ETIMEDOUT when it still has. */
int director_wait_legs(struct director *director, uint64_t legs);
/* The host joins from that address; key is theirs, for sending. */
int director_join_speaker(struct director *director, const struct sockaddr_storage *address,
	const struct media_key *key, uint32_t ssrc);
/* Joins them in batches under fresh keys; seconds takes what it needed. */
int director_join_crowd(
	struct director *director, const struct director_crowd *crowd, double *seconds);
/*
 * Seats and tokens for that many browsers that will listen: token takes count strings, each to be
 * freed, on failure too (NULL where there is none).
 */
int director_join_browsers(struct director *director, uint32_t count, char **token);
int director_read(struct director *director, struct director_counters *counters);
/*
 * Mutes or unmutes the host. *written_ns is taken just before the line is written, *answered_ns
 * when the answer had been read.
 */
int director_mute(
	struct director *director, bool muted, uint64_t *written_ns, uint64_t *answered_ns);

#endif
