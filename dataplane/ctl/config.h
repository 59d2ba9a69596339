/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a table server is opened with. Immutable afterwards; the strings are the caller's and
 * outlive the server.
 */
#ifndef STENTOR_DATAPLANE_CTL_CONFIG_H
#define STENTOR_DATAPLANE_CTL_CONFIG_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "dataplane/api/table.h"

struct table_server_config {
	const char *path;  /* of the socket; mode 0660 */
	uid_t allowed_uid; /* besides root and our own user; (uid_t)-1: nobody else */
	gid_t allowed_gid; /* the socket's group, and primary group of peers; (gid_t)-1: none */
	const char *index_path;       /* of the index store */
	uint32_t index_records;       /* rooms + speakers it has space for; 0: rooms_max + 16,384 */
	uint32_t rooms_max;           /* 1 to 1,048,576 */
	uint32_t legs_max;            /* 1 to 16,777,216 */
	uint32_t room_speakers_max;   /* 0: 256 */
	uint32_t clients_max;         /* 0: 32 */
	uint32_t window;              /* additions under way to the workers; 0: APPLY_WINDOW */
	size_t transaction_bytes_max; /* 0: 64 MiB; a resync may hold a full table besides */
	const char *version;          /* for the hello; NULL: of the build */
	const char *engine;           /* name of the crypto engine, for the hello */
	/* Where media is received, for the hello: usable addresses, with the media port. */
	struct stn_address media[STN_MEDIA_MAX];
	uint32_t media_count;
	uint64_t (*now_ns)(void); /* NULL: CLOCK_MONOTONIC */
};

#endif
