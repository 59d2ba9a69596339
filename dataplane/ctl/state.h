/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a table server consists of. Main lcore only; server.c opens and closes it, dispatch.c acts
 * on it.
 */
#ifndef STENTOR_DATAPLANE_CTL_STATE_H
#define STENTOR_DATAPLANE_CTL_STATE_H

#include "configs/log.h"
#include "dataplane/ctl/config.h"
#include "dataplane/ctl/query.h"

struct table_server {
	struct table_server_config config;
	struct index_store *store;
	struct registry registry;
	struct apply apply;
	struct query query;
	int epoll_fd;
	int listen_fd;
	struct client **clients; /* clients_max of them, NULL: free */
	uint8_t *input;          /* one message, and one byte more to see that it is too long */
	uint64_t instance_id;
	uint64_t client_last;
	uint64_t epoch_highest;
	struct query_dropped dropped;
	uint32_t batches_out;
	uint32_t pressure;    /* level last told: 0, 80, 90 or 95 percent */
	uint64_t posted;      /* commands taken by workers, when last looked at */
	uint64_t due_ns;      /* next deadline */
	uint64_t progress_ns; /* last time a worker answered or took something */
	uint64_t datagram_ns; /* last time a DTLS datagram came from a worker */
	bool more;            /* something could go on at once */
	bool query_pending;
	struct log_limit full_limit;
};

#endif
