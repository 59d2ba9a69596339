/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Turns what a join says about one member into a member with a leg: address, protection, profile,
 * keys. Pure; the member is in the registry when it returns true.
 */
#ifndef STENTOR_CONTROLPLANE_ROOMS_ADMISSION_H
#define STENTOR_CONTROLPLANE_ROOMS_ADMISSION_H

#include "controlplane/rooms/plan.h"

struct admission {
	const char *member; /* NULL: the actor */
	const char *address;
	uint64_t port;
	int suite;      /* position in secret_suite_names */
	int protection; /* position in admission_protection_names */
	int transport;  /* position in admission_transport_names */
	const char *tx_key, *rx_key;
	uint64_t payload_type, audio_level_id, ssrc, duration_ms;
};

extern const char *const admission_protection_names[]; /* leg, group */
extern const char *const admission_transport_names[];  /* keyed, webrtc */
extern const char *const admission_role_names[];       /* in the order of enum member_role */

/* Who asks for it, and into which room as what. */
struct admission_request {
	const char *actor;
	struct room *room;
	enum member_role role;
	const char *share; /* the code of a link; NULL: none */
	bool uninvited;    /* a guest who needs one */
};

bool admission_admit(struct plan *plan, struct registry *registry,
	const struct admission_request *request, const struct admission *admission);

/* The room's profile like that one, a new one if there is space: its position, or -1 with the
 * verdict set. Adds the operation that tells a data plane, unless one knows it. */
int admission_profile(struct plan *plan, struct room *room, const struct stn_profile *wanted);

/* "10.0.0.7" or "2001:db8::1" and a port as the table wants it. 0 or -EINVAL. */
int admission_address(const char *text, uint64_t port, struct stn_address *address);
/* "10.0.0.7:5004", "[2001:db8::1]:5004"; size at least 56. */
void admission_address_text(const struct stn_address *address, char *text, size_t size);

#endif
