/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sessions as the registry sees them: a WebRTC member gets a leg, in place of the one they had, or
 * loses it and keeps the seat for a while. Typed requests of the program itself; no line names
 * them. The wish belongs to who asks and lives until the answer.
 */
#ifndef STENTOR_CONTROLPLANE_ROOMS_SESSION_EVENT_H
#define STENTOR_CONTROLPLANE_ROOMS_SESSION_EVENT_H

#include "controlplane/rooms/event.h"
#include "controlplane/rooms/room.h"

#define SESSION_RESOURCE_SIZE 33 /* 128 random bits in hex, with NUL */
#define SESSION_GUEST_PREFIX "guest-"

struct session_wish {
	/* Whose leg; 0: a guest of the event's room, who becomes a member of it as a listener. */
	uint64_t member_id;
	const char *share; /* what the guest shows; NULL: nothing */
	bool uninvited;    /* guests without a good share are not let in */
	bool speaks;       /* the leg sends: the member must be speaker or host */
	bool receives;     /* the leg is sent to, so its profile matters */
	struct stn_profile profile;
	uint8_t payload_type, audio_level_id, red_payload_type; /* of what it sends */
	uint32_t ssrc;                                          /* the same; 0: not declared */
	const char *mid;
	const char *remote_ufrag, *remote_pwd;
	uint16_t remote_ufrag_size, remote_pwd_size;

	/* Filled in, with member_id. */
	uint64_t leg_id;
	struct stn_profile agreed;            /* the profile there was place for */
	uint8_t position;                     /* of it in the room */
	struct stn_op_leg_ice ice;            /* our credentials, and the peer's */
	char resource[SESSION_RESOURCE_SIZE]; /* the session's resource id */
};

struct session_put {
	struct session_wish *wish;
};

struct session_end {
	uint64_t leg_id;
	enum seat seat;
};

/* Bodies: struct session_put, struct session_end. session_put takes a room for guests. */
extern const struct event_type session_put_type;
extern const struct event_type session_end_type;

/* Fresh credentials of ours for that leg: random part of the ufrag, and password. 0 or negative
 * errno. */
int session_mint_ice(const struct registry *registry, uint64_t leg_id, struct stn_op_leg_ice *ice);

#endif
