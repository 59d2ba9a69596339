/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * WebRTC sessions: what WHIP and WHEP create (RFC 9725). A session is a member's leg together with
 * what HTTP and DTLS know of it: resource id, ETag, ICE credentials, the peer's fingerprint. The
 * membership (seat, role, token) is in rooms/ and outlives it: a page that is loaded again replaces
 * its session. Loop's thread only; memory of a session is at most 4 KiB once its DTLS is done.
 */
#ifndef STENTOR_CONTROLPLANE_SESSION_H
#define STENTOR_CONTROLPLANE_SESSION_H

#include "controlplane/conductor.h"
#include "controlplane/http/exchange.h"
#include "controlplane/webrtc/dtls.h"

struct session_config {
	unsigned int sessions_max;
	unsigned int joins_per_second; /* POSTs that open one; a second's worth at once */
	bool open_listening;           /* a listener needs no token */
	bool unsignalled_slots;        /* see sdp_answer.spread_unsignalled */
	/* Instead of the addresses that the data plane names; none: those. */
	struct stn_address announced[STN_MEDIA_MAX];
	unsigned int announced_count;
	const uint8_t *fingerprint; /* of our certificate */
};

struct session_stats {
	uint64_t opened, replaced, restarted, ended, lost;
	uint64_t refused;  /* POSTs with a 4xx */
	uint64_t deferred; /* POSTs with a 503 */
	uint64_t keyed;    /* DTLS done and programmed */
	uint32_t sessions; /* now */
	uint32_t seats;    /* kept without one */
};

struct sessions;

/* The callbacks for dtls_open(); context is the conductor. */
extern const struct dtls_callbacks session_dtls_callbacks;

/* Without a dtls every session is refused. 0 or -ENOMEM. */
int session_open(struct conductor *c, const struct session_config *config, struct dtls *dtls);
void session_close(struct conductor *c);
/* Of answers from now on. The bytes live as long as it is in use. */
void session_fingerprint(struct conductor *c, const uint8_t *fingerprint);
/* Ends what was found to be over since the last time; no request may be in the turn. */
void session_settle(struct conductor *c);
void session_read_stats(const struct conductor *c, struct session_stats *out);

/* POST /whip/{room} and /whep/{room}, PATCH and DELETE of the resource: answers the exchange. */
void session_exchange(struct conductor *c, struct http_exchange *exchange);

/* What the link reports: DTLS of a leg, paths, the end of consent. */
void session_datagram(
	struct conductor *c, const struct stn_datagram *datagram, const uint8_t *bytes);
void session_notice(struct conductor *c, const struct stn_notice *notice);
/* The member's leg has left the registry, for whatever reason: close_notify, forget. */
void session_gone(struct conductor *c, uint64_t leg_id);

#endif
