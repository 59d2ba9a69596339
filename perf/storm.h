/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Many WebRTC clients that join a room, as fast as they can or at a rate: POST over a few kept
 * connections, ICE, DTLS, first packet; afterwards they stay and keep their consent. One thread
 * drives them all. Each has an address of its own, since the relay counts by address.
 */
#ifndef STENTOR_PERF_STORM_H
#define STENTOR_PERF_STORM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "perf/http_client.h"
#include "perf/webrtc_client.h"

#define STORM_CONNECTIONS_MAX 64

struct storm_plan {
	const char *path; /* "/whep/room" */
	char **token;     /* one a client */
	struct sockaddr_storage server;
	struct sockaddr_storage candidate; /* the relay's address that clients use */
	uint32_t address;                  /* of the first client, host order */
	unsigned int count;
	unsigned int rate;   /* joins begun a second, 0: as many as the window lets */
	unsigned int window; /* under way at a time */
	unsigned int connections;
	unsigned int sections;
	unsigned int verify_every; /* the first packet of every n-th is opened by libsrtp2 */
	uint64_t timeout_ns;       /* of one join */
	bool media;                /* a join ends with a packet of media; else with its keys */
};

struct storm_member {
	struct webrtc_client client;
	uint64_t begun_ns;
	uint64_t ended_ns; /* 0: under way */
	int connection;    /* that carries its request, -1: none */
};

struct storm {
	const struct storm_plan *plan;
	struct dtls_identity identity;
	struct storm_member *member;
	struct http_client connection[STORM_CONNECTIONS_MAX];
	unsigned int owner[STORM_CONNECTIONS_MAX]; /* the client whose request it carries */
	int epoll;
	unsigned int begun, joined, failed;
	unsigned int *active; /* clients under way */
	unsigned int active_count;
	unsigned int *held; /* joined, in a ring by the time of their next consent check */
	uint64_t *held_at_ns;
	unsigned int held_first, held_count;
	uint64_t begin_ns, end_ns;
	uint64_t ticked_ns;
	char failure[256]; /* the first */
};

void storm_init(struct storm *storm);
/* The caller is in the namespace of the server. 0 or a negative errno. */
int storm_connect(struct storm *storm, const struct storm_plan *plan);
/*
 * The caller is in the namespace of the clients. Returns when the first `until` clients, those of
 * earlier calls included, have joined or failed.
 */
int storm_run(struct storm *storm, unsigned int until);
/* Keeps them connected so long; with media also takes in what they hear. */
int storm_hold(struct storm *storm, uint64_t ns);
/* How many have heard something. */
unsigned int storm_count_hearing(const struct storm *storm);
unsigned int storm_count_opened(const struct storm *storm);
void storm_close(struct storm *storm);

#endif
