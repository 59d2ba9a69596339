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

/* POST /whip/{room} and /whep/{room}, PATCH and DELETE of the resource: answers the exchange. */
void session_exchange(struct conductor *c, struct http_exchange *exchange);

/* What the link reports: DTLS of a leg, paths, the end of consent. */
void session_datagram(
	struct conductor *c, const struct stn_datagram *datagram, const uint8_t *bytes);
void session_notice(struct conductor *c, const struct stn_notice *notice);
/* The member's leg has left the registry, for whatever reason: close_notify, forget. */
void session_gone(struct conductor *c, uint64_t leg_id);

#endif
