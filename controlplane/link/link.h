/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The control plane's end of table.sock. One thread, no threads of its own, never blocks: the owner
 * registers link_fd() once for EPOLLIN (it is an epoll descriptor and stays the same over
 * reconnects), waits at most link_timeout_ms(), and calls link_process(). All callbacks come from
 * link_process(), none from link_submit() or link_query().
 *
 * After every connect: hello, the notices subscription, on wish one dump, then a resync with what
 * resync() enumerates, and from then on submits, in the order in which they were made. A submit
 * is refused with -ENOTCONN until resync() has been asked: what it would say is part of the resync.
 *
 * Memory passed in is copied; memory passed to callbacks is valid until they return.
 */
#ifndef STENTOR_CONTROLPLANE_LINK_LINK_H
#define STENTOR_CONTROLPLANE_LINK_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controlplane/link/ops.h"
#include "dataplane/api/table.h"

struct link;

enum link_outcome {
	LINK_APPLIED, /* in force on every worker */
	LINK_REFUSED, /* nothing was applied; status, failed_op and reason say why */
	LINK_UNKNOWN, /* connection lost or deadline passed behind the commit: resync settles it */
	LINK_NOT_APPLIED, /* connection lost or deadline passed before the commit was sent */
	LINK_OUTCOME_COUNT
};

struct link_result {
	enum link_outcome outcome;
	uint32_t status;     /* enum stn_status */
	uint32_t failed_op;  /* position in the ops, UINT32_MAX: not about one operation */
	uint64_t applied_ns; /* CLOCK_MONOTONIC, when the last worker answered */
	uint32_t rooms;      /* in the data plane now */
	uint32_t legs;
	const char *reason;                    /* for people, never NULL */
	const struct stn_room_origin *origins; /* of legs that were new, a room each */
	uint32_t origin_count;
};

enum link_state {
	LINK_DOWN,     /* waiting for the next attempt */
	LINK_GREETING, /* hello sent */
	LINK_DUMPING,  /* reading what the data plane knows */
	LINK_SYNCING,  /* resync sent; submits are taken and queued behind it */
	LINK_UP,       /* resync applied */
	LINK_UNSYNCED, /* resync refused: correct the wish, then link_resync() */
	LINK_FENCED,   /* another writer took over; for good */
	LINK_STATE_COUNT
};

struct link_callbacks {
	/* Connected; says instance, index store, limits, and whether the data plane was restarted.
	 */
	void (*connected)(void *context, const struct stn_hello_reply *hello);
	/* Only with config.dump: what the data plane has, keys included, then the end (status). */
	void (*dump_room)(void *context, const struct stn_op_room_put *room);
	void (*dump_leg)(void *context, const struct stn_op_leg_put *leg);
	/* Behind its leg, which is of transport WEBRTC. */
	void (*dump_leg_ice)(void *context, const struct stn_op_leg_ice *ice);
	void (*dump_end)(void *context, uint32_t status);
	/* Fill in everything that is wanted, rooms before their legs. */
	void (*resync)(void *context, struct link_ops *ops);
	void (*resync_done)(void *context, const struct link_result *result);
	void (*notice)(void *context, const struct stn_notice *notice);
	/* DTLS of a WEBRTC leg: datagram->size bytes, 1 to STN_DATAGRAM_MAX. */
	void (*datagram)(void *context, const struct stn_datagram *datagram, const uint8_t *bytes);
	void (*fenced)(void *context, uint64_t epoch);
	/* Connection lost, after every pending submit and query was told so. error: negative errno.
	 */
	void (*lost)(void *context, int error);
};

struct link_config {
	const char *path;         /* of table.sock */
	uint64_t epoch;           /* > 0, greater than that of every earlier writer */
	bool dump;                /* ask for a dump on the first connect of this link */
	unsigned int pending_max; /* submits and queries waiting; 0: 1,024 */
	size_t pending_bytes_max; /* of their operations; 0: 64 MiB */
	uint64_t
		deadline_ns; /* for a submit, a query, a hello; 0: 5 s. A resync gets 12 times it */
	uint64_t backoff_min_ns; /* 0: 20 ms; doubles up to backoff_max_ns */
	uint64_t backoff_max_ns; /* 0: 1 s */
};

/* Does not need the data plane to be there. The first attempt is made in link_process(). */
int link_open(struct link **link, const struct link_config *config,
	const struct link_callbacks *callbacks, void *context);
/* Callbacks of what is pending are not called. Accepts NULL. */
void link_close(struct link *link);

int link_fd(const struct link *link);
/* Milliseconds until link_process() has something to do by itself, -1: nothing is planned. */
int link_timeout_ms(const struct link *link, uint64_t now_ns);
void link_process(struct link *link, uint64_t now_ns);

enum link_state link_state(const struct link *link);
const char *link_state_name(enum link_state state);

/*
 * One transaction of any number of operations. 0: done() will be called exactly once, and ops was
 * emptied. -ENOTCONN before the resync was enumerated, -ENOBUFS when too much is pending, -ENOMEM,
 * -ESHUTDOWN when fenced: nothing happened, ops is as before.
 */
int link_submit(struct link *link, struct link_ops *ops,
	void (*done)(void *context, const struct link_result *result), void *context);

/*
 * Asks resync() again and sends it behind the submits already queued. Errors as link_submit(); a
 * resync that is already on its way to be asked is not asked twice.
 */
int link_resync(struct link *link);

/*
 * STATS, ROOM_STATS, DUMP or EXPLAIN: request is the whole message, its header is filled in here
 * except for type. answer() is called for each message of the answer; the last one has `last` set
 * and is NULL when the connection was lost or the deadline passed. Errors as link_submit(), but
 * it may be asked as soon as the link is connected.
 */
int link_query(struct link *link, const struct stn_header *request, size_t size,
	void (*answer)(void *context, const struct stn_header *message, bool last), void *context);

/*
 * DTLS to a WEBRTC leg, behind what was submitted before: at once when the socket takes it, or
 * copied and queued. remote: the path to use, NULL: the one that is selected. Nobody is told what
 * becomes of it. -EINVAL: size is not 1 to STN_DATAGRAM_MAX; -ENOTCONN before the resync was
 * enumerated, -ENOBUFS when too much is pending, -ENOMEM, -ESHUTDOWN: dropped, as UDP would.
 */
int link_datagram(struct link *link, uint64_t leg_id, const struct stn_address *remote,
	const uint8_t *bytes, size_t size);

#endif
