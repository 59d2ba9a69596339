/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the link has asked and not been answered: a queue in the order of sending. A transaction is
 * sent straight from its operations, message by message, as the socket takes them. Belongs to the
 * thread of the link; a request owns its operations and what came before its result.
 */
#ifndef STENTOR_CONTROLPLANE_LINK_REQUEST_H
#define STENTOR_CONTROLPLANE_LINK_REQUEST_H

#include "controlplane/link/ops.h"

struct link_result;

enum request_kind {
	REQUEST_SUBMIT,
	REQUEST_RESYNC,
	REQUEST_QUERY,
	REQUEST_INTERNAL,
	REQUEST_DATAGRAM /* nobody answers: it is gone when it is sent */
};

struct request {
	struct request *next;
	enum request_kind kind;
	uint16_t type; /* of the message; transactions: of the one that begins */
	uint32_t sequence;
	uint64_t patience_ns;
	uint64_t deadline_ns; /* 0: not yet counting */
	struct link_ops ops;  /* transactions, until they are sent */
	size_t offset;        /* of them: what was sent */
	uint8_t *message;     /* everything else: the whole message */
	size_t size;
	bool begun; /* something of it was sent */
	bool sent;  /* all of it, the commit included */
	void (*done)(void *context, const struct link_result *result);
	void (*answer)(void *context, const struct stn_header *message, bool last);
	void *context;
	struct stn_room_origin *origins;
	uint32_t origin_count;
};

struct request_queue {
	struct request *first;
	struct request *last;
	unsigned int count; /* submits and queries */
	size_t bytes;       /* of their operations */
	unsigned int datagrams;
};

/* Takes the operations out of ops (may be NULL) or copies message. NULL: out of memory. */
struct request *request_new(enum request_kind kind, uint16_t type, struct link_ops *ops,
	const void *message, size_t size);
void request_free(struct request *request);

void request_push(struct request_queue *queue, struct request *request);
struct request *request_find(const struct request_queue *queue, uint32_t sequence);
/* Takes it out; it is the caller's then. */
void request_remove(struct request_queue *queue, struct request *request);

/* Keeps origins for the result. 0 or -ENOMEM. */
int request_add_origins(
	struct request *request, const struct stn_room_origin *origins, uint32_t count);

/*
 * Sends as much as the socket takes: 0 all, -EAGAIN, or why the connection is gone. Datagrams that
 * are out are freed.
 */
int request_send(struct request_queue *queue, int fd, uint64_t epoch);

#endif
