/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A writer of table.sock, as little of one as programs a data plane that nobody else programs:
 * operations are gathered, sent as one transaction, and its result is waited for. One thread;
 * blocks for at most ten seconds. Notices are read over.
 */
#ifndef STENTOR_PERF_PROGRAMMER_H
#define STENTOR_PERF_PROGRAMMER_H

#include <stddef.h>
#include <stdint.h>

#include "dataplane/api/table.h"

struct programmer {
	int fd;
	uint64_t epoch;
	uint32_t sequence;
	size_t used; /* of message */
	struct stn_hello_reply hello;
	_Alignas(8) uint8_t message[STN_TABLE_MESSAGE_MAX];
};

/* Connects, again and again until the data plane is there. 0 or a negative errno. */
int programmer_open(struct programmer *programmer, const char *socket_path);
/* Any number of times. */
void programmer_close(struct programmer *programmer);

/* Each: 0 or a negative errno; what the data plane refuses is said on stderr: -EPROTO. */
int programmer_begin(struct programmer *programmer);
int programmer_add(struct programmer *programmer, const void *operation, size_t size);
int programmer_commit(struct programmer *programmer);

#endif
