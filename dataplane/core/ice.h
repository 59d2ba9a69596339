/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ICE-lite of one WEBRTC leg (RFC 8445, consent after RFC 7675): which checks are answered, which
 * paths are validated, which one is selected. Owned by the worker that owns the leg; no clock, no
 * sending: the caller gives the time and sends what is written.
 *
 * A path is a remote tuple. It is validated only when it has answered a challenge of ours, a
 * Binding request signed with the peer's password (TRAPS 4); until then at most as many bytes go
 * there as came from there (GOALS: mirror), and nothing but STUN is looked at. Nothing changes
 * before MESSAGE-INTEGRITY has been verified. The credentials are immutable and belong to the main
 * lcore.
 */
#ifndef STENTOR_DATAPLANE_CORE_ICE_H
#define STENTOR_DATAPLANE_CORE_ICE_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/api/drop.h"
#include "dataplane/api/table.h"
#include "dataplane/core/siphash.h"
#include "dataplane/core/stun.h"

#define ICE_PATHS_MAX 3
#define ICE_PATH_NONE -1
#define ICE_MAC_SIZE 6
/* The longest message ice_*() writes: a challenge with two ufrags of 256 characters. */
#define ICE_MESSAGE_MAX 640

struct ice_facts;
struct ice_leg;

/* Credentials as the table has them; NULL: out of memory. Zeroised by ice_facts_free(). */
struct ice_facts *ice_facts_make(const struct stn_op_leg_ice *op);
void ice_facts_free(struct ice_facts *facts); /* accepts NULL */
/* The same as a table operation, for dumps. op.type and op.size are filled in. */
void ice_facts_describe(const struct ice_facts *facts, struct stn_op_leg_ice *op);

/* Where a datagram came from: what is sent back goes there. */
struct ice_origin {
	struct stn_address remote;
	uint8_t port; /* of the data plane */
	uint8_t mac[ICE_MAC_SIZE];
};

enum ice_event {
	ICE_EVENT_NONE,
	ICE_EVENT_SELECTED, /* another path than before is selected now, or its MAC has changed */
	ICE_EVENT_LOST,     /* consent has expired: nothing is selected any more, for good */
};

/* What follows from a datagram: at most two messages, in this order, to `to`. */
struct ice_output {
	enum stn_drop drop; /* STN_DROP_COUNT: it was valid */
	enum ice_event event;
	struct ice_origin to;
	unsigned int count;
	uint16_t size[2];
	uint8_t message[2][ICE_MESSAGE_MAX];
};

/* NULL: out of memory. worker: this one; secret: of the process, for transaction ids. */
struct ice_leg *ice_open(uint32_t leg, uint8_t worker, const struct siphash_key *secret);
void ice_close(struct ice_leg *ice); /* accepts NULL */
/* Other credentials: paths stay, checks under the old ones are refused from now on. */
void ice_set_facts(struct ice_leg *ice, const struct ice_facts *facts);
/* A path that an earlier process had validated: selected at once. */
void ice_start_with(struct ice_leg *ice, const struct ice_origin *path, uint64_t now_ns);

/* Whose a message is, before anything else is known of it; see stun.h for what is parsed. */
enum ice_addressee {
	ICE_ADDRESSEE_UFRAG,       /* *leg_id: a check, by our half of USERNAME */
	ICE_ADDRESSEE_TRANSACTION, /* *worker and *leg (handle): answers a challenge */
	ICE_ADDRESSEE_NOBODY,      /* *drop */
};
enum ice_addressee ice_addressee(const struct stun *stun, uint64_t *leg_id, uint8_t *worker,
	uint32_t *leg, enum stn_drop *drop);

/*
 * A Binding request or success response for this leg, `size` bytes at `data` as received. Fills
 * *out; when out->drop is a reason nothing has changed.
 */
void ice_receive(struct ice_leg *ice, const struct stun *stun, const uint8_t *data,
	const struct ice_origin *from, uint64_t now_ns, struct ice_output *out);
/* SRTP, SRTCP or DTLS of the leg came from this path: true when it is a validated one. */
bool ice_path_validated(const struct ice_leg *ice, const struct stn_address *remote);
/* SRTP or SRTCP from there has authenticated: a sign of life (TRAPS 30). */
void ice_alive(struct ice_leg *ice, const struct stn_address *remote, uint64_t now_ns);
/* Another leg owns that tuple now. ICE_EVENT_LOST when it was the selected one. */
enum ice_event ice_forget_path(struct ice_leg *ice, const struct stn_address *remote);
/* Consent and the ends of challenges; about once a second. */
enum ice_event ice_tick(struct ice_leg *ice, uint64_t now_ns, uint64_t consent_timeout_ns);

/* NULL: none is selected. */
const struct ice_origin *ice_selected(const struct ice_leg *ice);
/*
 * The validated path in place i below ICE_PATHS_MAX, NULL: there is none. Which ones there are
 * changes only in the calls above; none is left after ICE_EVENT_LOST.
 */
const struct ice_origin *ice_path_at(const struct ice_leg *ice, unsigned int i);
/* The validated path with that address, NULL: there is none. */
const struct ice_origin *ice_path(const struct ice_leg *ice, const struct stn_address *remote);
/* Everything mutable but counters and times, for the state digest (TRAPS 2). */
uint64_t ice_digest(const struct ice_leg *ice, uint64_t digest);

#endif
