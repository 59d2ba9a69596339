/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stentor-bench fanout: the production path from a slot packet to transmitted copies, with a key,
 * an address and a port of its own for every listener, on the real worker with a port that takes
 * everything. Measured in turns with the crypto library alone on the same keys and sizes.
 */
#ifndef STENTOR_PERF_FANOUT_H
#define STENTOR_PERF_FANOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/api/table.h"
#include "dataplane/crypto/engine.h"
#include "perf/argument.h"

#define FANOUT_ROUNDS_MAX REPEATS_MAX
#define FANOUT_SAMPLES_MAX 4096
#define FANOUT_SAMPLE_SIZE 1536
/* One copy in so many is kept for libsrtp2; prime, so that it visits every lane. */
#define FANOUT_SAMPLE_EVERY 10007

struct fanout_options {
	enum suite suite; /* of the listeners' own keys; NONE: the room's key */
	const char *engine;
	uint32_t listeners;
	uint32_t payload; /* bytes */
	unsigned int workers;
	bool memif;
	bool no_reference; /* without turns of the library alone */
	unsigned int rounds;
	double seconds;
};

struct fanout_result {
	const char *engine;
	uint64_t sink_read; /* memif: by the other process, byte by byte */
	uint64_t sink_lost;
	uint64_t copies;
	uint64_t verified;
	uint64_t verify_failures;
	uint64_t hot_bytes;
	double round_mpps[FANOUT_ROUNDS_MAX]; /* of all workers */
	double round_ns[FANOUT_ROUNDS_MAX];   /* a copy, of one worker: their mean */
	double round_reference_ns[FANOUT_ROUNDS_MAX];
};

/* A copy as it was handed to the port. */
struct fanout_sample {
	uint64_t index; /* of the slot packet */
	uint16_t size;
	uint8_t bytes[FANOUT_SAMPLE_SIZE];
};

struct fanout_listener {
	struct stn_address remote;
	struct stn_master_key key;
};

extern const char fanout_usage[];
/* argv[0] is "fanout". Returns the exit code. */
int fanout_main(int argc, char *argv[]);

/* 0 or negative errno; reasons on stderr. */
int fanout_measure(const struct fanout_options *options, struct fanout_result *result);

/* Checks samples with libsrtp2: addresses, checksum, ROC, sequence, SSRC, tag, payload. */
struct fanout_verify {
	const struct fanout_listener *listener;
	uint32_t listeners;
	const struct stn_master_key *group_key; /* NULL: each listener's own */
	uint32_t ssrc;
	const uint8_t *payload;
	uint32_t payload_size;
};
/* Returns how many of the samples are wrong. */
uint64_t fanout_verify(
	const struct fanout_verify *facts, const struct fanout_sample samples[], uint64_t count);

/* Nanoseconds a packet of ipsec_mb alone, for about `seconds`; negative errno when it cannot. */
struct reference;
int reference_open(struct reference **out, enum suite suite,
	const struct fanout_listener listener[], uint32_t listeners);
double reference_run(struct reference *reference, uint32_t payload, double seconds);
void reference_close(struct reference *reference);

/* The other process of --sink memif: made before DPDK starts, reads and counts every packet. */
struct memif_sink;
int memif_sink_start(struct memif_sink **out, const char *socket);
/* Tells it to stop; how many packets it has read. */
int memif_sink_stop(struct memif_sink *sink, uint64_t *packets);

#endif
