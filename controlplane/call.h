/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Requests that do not come over events.sock: from pages, by token, and from the program itself.
 * They go the way of every request (parse or not, decide, write, program, answer), and their
 * answer goes to a callback. Loop's thread.
 */
#ifndef STENTOR_CONTROLPLANE_CALL_H
#define STENTOR_CONTROLPLANE_CALL_H

#include "controlplane/rooms/registry.h"

struct conductor;

struct call_result {
	enum verdict_code code;  /* VERDICT_OK, or why it was refused */
	const char *message;     /* of a refusal, for people; never NULL */
	bool programmed;         /* the data plane has acknowledged it */
	uint64_t retry_after_ms; /* VERDICT_RATE_LIMITED */
	/* The answer as events.sock gives it, without newline, keys and tokens in it: erase copies.
	 * NULL: there is none, the program ends or has no memory (code is unavailable). */
	const char *text;
	size_t size;
};

/*
 * done() is called exactly once, perhaps before these return, and may not make another call.
 *
 * A JSON request of the member: the actor is theirs and so is the room, the line may leave both out
 * and may not name others. Only types that pages may use are taken. Request ids are the member's
 * own: they never meet those of others.
 */
void conductor_line_as(struct conductor *c, const struct member *member, const char *line,
	size_t size, void (*done)(void *context, const struct call_result *result), void *context);

/*
 * A typed request: type, body and what the type needs of actor and room are filled in; strings live
 * until done(). id NULL: it is not remembered. The type need not be one that a line can name.
 */
void conductor_event(struct conductor *c, const struct event *event,
	void (*done)(void *context, const struct call_result *result), void *context);

#endif
