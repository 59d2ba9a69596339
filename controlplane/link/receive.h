/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What comes from the data plane: answers to requests, notices, datagrams; and the link itself,
 * which nobody outside of this folder looks into. The link's thread only.
 */
#ifndef STENTOR_CONTROLPLANE_LINK_RECEIVE_H
#define STENTOR_CONTROLPLANE_LINK_RECEIVE_H

#include <sys/un.h>

#include "controlplane/link/link.h"
#include "controlplane/link/request.h"

struct link {
	struct link_config config;
	struct link_callbacks callbacks;
	void *context;
	struct sockaddr_un address;
	int epoll_fd;
	int fd; /* -1: not connected */
	enum link_state state;
	uint64_t now_ns; /* of the last link_process() */
	uint64_t backoff_ns;
	uint64_t attempt_ns; /* not before */
	uint32_t sequence;
	int broken;   /* what a send outside link_process() found out */
	bool blocked; /* the socket is full: epoll is asked for EPOLLOUT */
	bool dumped;  /* once in the life of a link */
	bool resync_wanted;
	struct request_queue queue;
	uint8_t input[STN_TABLE_MESSAGE_MAX + 8] __attribute__((aligned(8)));
};

/* Of link.c. A message of the link's own; -ENOMEM ends the connection. */
void link_push_internal(struct link *link, uint16_t type, const void *message, size_t size);
void link_begin_resync(struct link *link);
/* Tells whoever has asked, and frees the request. */
void link_finish(struct link *link, struct request *request, const struct link_result *result);
/* state: LINK_DOWN, or LINK_FENCED for good. */
void link_disconnect(struct link *link, int error, enum link_state state);

/* Reads a bounded number of messages. Returns 0, or why the connection has to end. */
int receive_messages(struct link *link);

#endif
