/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sessions without a data plane, a network or a browser: the real conductor, registry and database,
 * and in place of link, DTLS and HTTP what the test says and asks (linker's --wrap). One world at a
 * time; what is submitted waits until the test answers it.
 */
#ifndef STENTOR_TESTS_UNIT_SESSION_WORLD_H
#define STENTOR_TESTS_UNIT_SESSION_WORLD_H

#include "controlplane/session.h"
#include "controlplane/session_state.h"
#include "tests/support/unit.h"

#define WORLD_SUBMITS_MAX 64
#define WORLD_ROOM "tea"

/* A transaction as the data plane would have got it. */
struct world_submit {
	uint8_t bytes[8192];
	size_t size;
	void (*done)(void *context, const struct link_result *result);
	void *context;
	bool answered;
};

/* What a client got. */
struct world_response {
	unsigned int status;
	char type[64], body[8192], location[80], tag[20], token[64], challenge[64], retry[8];
};

struct world {
	struct registry registry;
	struct conductor conductor;
	char folder[64], path[128];
	enum link_state link;
	struct world_submit submits[WORLD_SUBMITS_MAX];
	unsigned int submit_count;
	uint64_t expected[32], forgotten[32]; /* leg ids given to DTLS */
	uint8_t fingerprint[32];              /* of the last one expected */
	unsigned int expected_count, forgotten_count;
	struct world_response response; /* the last */
	unsigned int responses;
	struct stn_room_origin origin; /* of the next LINK_APPLIED */
	bool origin_given;
	bool store_fails;
};

extern struct world world;

/* Opens room `tea` of ann, with a data plane. */
void world_open(const struct session_config *config);
/* As if the program had been killed and started again, on the same database. */
void world_restart(void);
void world_close(void);

/* A request of events.sock, decided and committed. The JSON answer. */
const char *world_ask(const char *line);
/* A webrtc member; their token. */
const char *world_join(const char *member, const char *role);
struct member *world_member(const char *user);

/* One HTTP request, decided and committed; the response is in world.response when it is there. */
struct world_request {
	enum http_route route;
	enum http_method method;
	const char *segment, *token, *content_type, *if_match, *body;
};
void world_http(const struct world_request *request);
/* An offer of that name from tests/data/sdp. */
void world_post(enum http_route route, const char *token, const char *offer);

/* Answers the n-th submit (0 the first), and ends what was found to be over. */
void world_answer(unsigned int submit, enum link_outcome outcome);
/* The operation of that type in a submit, or NULL; what: which of them, from 0. */
const void *world_op(unsigned int submit, enum stn_op_type type, unsigned int what);
/* From now on nothing can be committed, or again. */
void world_fail_store(bool fails);
/* Ends the turn. */
void world_turn(void);
/* Joins, opens a session, answers it with LINK_APPLIED: a leg without keys. The token. */
const char *world_session(const char *user, const char *role, const char *offer);
/* DTLS is done: keys full of `byte`. */
void world_keys(uint64_t leg_id, uint8_t byte);

#endif
