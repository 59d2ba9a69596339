/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ICE side of a peer that is a browser: a full agent, controlling, written from RFC 8445 and
 * RFC 8489 over OpenSSL's HMAC and apart from dataplane/core on purpose. It checks everything that
 * the relay sends to it, and keeps count, by address, of what went each way.
 */
#ifndef STENTOR_TESTS_IO_BROWSER_H
#define STENTOR_TESTS_IO_BROWSER_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/api/table.h"
#include "tests/support/random.h"

#define BROWSER_PLACES_MAX 16
#define BROWSER_CHECKS_KEPT 32
#define BROWSER_MESSAGE_MAX 900
#define BROWSER_PADDING_MAX 400

/* An address it has, or had. */
struct browser_place {
	struct stn_address address;
	uint8_t mac[6];   /* of its next hop, as the relay sees it */
	bool left;        /* somebody else has it now */
	bool proven;      /* it has answered a challenge from here */
	uint64_t sent;    /* bytes of frames, until it was proven */
	uint64_t arrived; /* the same the other way */
	unsigned int challenges, responses;
};

struct browser {
	struct stn_op_leg_ice ice;
	char relay_ufrag[16];
	struct browser_place place[BROWSER_PLACES_MAX];
	unsigned int place_count;
	unsigned int at;       /* where it is now */
	unsigned int padding;  /* bytes of an attribute that nobody knows, in its checks */
	bool unanswering;      /* it ignores challenges */
	uint8_t challenge[12]; /* transaction of the last one */
	uint8_t transaction[BROWSER_CHECKS_KEPT][12];
	unsigned int check_count;
	/* The last DTLS datagram, and how many there were. */
	uint8_t dtls[STN_DATAGRAM_MAX];
	unsigned int dtls_size, dtls_count;
	/* The same of those that its own came to the main lcore as. */
	uint8_t punted[STN_DATAGRAM_MAX];
	unsigned int punted_size, punted_count;
	struct stn_address punted_from;
	/* What the main lcore was told. */
	struct stn_address selected; /* family 0: nothing */
	unsigned int moves, losses;
};

/* Fresh credentials of both sides. */
void browser_credentials(struct browser *browser, uint64_t leg_id, struct random_state *random);
/* Goes to another address. */
struct browser_place *browser_move(
	struct browser *browser, const struct stn_address *address, const uint8_t mac[6]);
/* The place with that address, NULL: none. */
struct browser_place *browser_place(struct browser *browser, const struct stn_address *address);
/* A connectivity check; returns its size. */
unsigned int browser_check(struct browser *browser, bool nominate, struct random_state *random,
	uint8_t out[BROWSER_MESSAGE_MAX]);
/* STUN arrived at this place: fails the test unless it is what it should be. The answer's size. */
unsigned int browser_take(struct browser *browser, struct browser_place *place,
	const uint8_t *message, unsigned int size, uint8_t out[BROWSER_MESSAGE_MAX]);

/* The answer to a challenge with this transaction id. */
unsigned int browser_answer(const struct browser *browser, const uint8_t transaction[12],
	uint8_t out[BROWSER_MESSAGE_MAX]);
/* Makes the FINGERPRINT at the end of a message correct again; returns the size. */
unsigned int browser_fingerprint(uint8_t *message, unsigned int size);

#endif
