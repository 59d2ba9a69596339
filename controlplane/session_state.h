/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of sessions share: session.c (opening one), resource.c (what is done with its
 * resource: PATCH, DELETE), keying.c (DTLS, keys, paths, the end). Nobody else includes it.
 */
#ifndef STENTOR_CONTROLPLANE_SESSION_STATE_H
#define STENTOR_CONTROLPLANE_SESSION_STATE_H

#include "controlplane/rooms/session_event.h"
#include "controlplane/session.h"

/* A session that is over, to be ended at the end of the turn. */
struct session_over {
	uint64_t leg_id;
	enum seat seat;
};

/* What waits for the link, which forgets it when it is closed: then it is freed here. First member.
 */
struct session_pending {
	struct session_pending *next, **link;
};

struct sessions {
	struct session_pending *pending;
	struct session_config config;
	struct dtls *dtls;
	uint64_t join_ns; /* the time up to which joins have been given out */
	struct session_over *over;
	size_t over_count, over_capacity;
	struct session_stats stats;
};

void session_pending_add(struct sessions *sessions, struct session_pending *pending);
void session_pending_remove(struct session_pending *pending);
/* Remembers to end it; from callbacks, where no request may be made. */
void session_over(struct conductor *c, uint64_t leg_id, enum seat seat);
/* Ends it as a request: done() as conductor_event(). */
void session_end_leg(struct conductor *c, uint64_t leg_id, enum seat seat,
	void (*done)(void *context, const struct call_result *result), void *context);

/* Whether the data plane can take a session now; if not, the exchange is answered with a 503. */
bool session_can_program(struct conductor *c, struct http_exchange *exchange);
/* The member whose token the exchange shows, or NULL with the exchange answered (401). */
struct member *session_member(struct conductor *c, struct http_exchange *exchange);
/* 503 with Retry-After, or the status that goes with the code. */
void session_refuse(
	struct conductor *c, struct http_exchange *exchange, const struct call_result *result);
/* Our candidates. The count. */
unsigned int session_candidates(const struct conductor *c, struct stn_address *out);
/* ETag of the ICE generation. */
void session_tag(const struct stn_op_leg_ice *ice, char tag[16]);
/* Our credentials as SDP has them, NUL-terminated. */
#define SESSION_UFRAG_SIZE 17
#define SESSION_PWD_SIZE (STN_ICE_LOCAL_PWD_SIZE + 1)
void session_credentials(const struct stn_op_leg_ice *ice, char ufrag[SESSION_UFRAG_SIZE],
	char pwd[SESSION_PWD_SIZE]);

/* resource.c */
void resource_exchange(struct conductor *c, struct http_exchange *exchange);

#endif
