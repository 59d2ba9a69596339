/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a room and a member are. They belong to the registry; only plan_*() changes them, so that
 * everything can be taken back while its transaction is not yet on the disk.
 *
 * `put` in both is the operation that programs it: the facts are kept once, in the form in which
 * they are sent. Keys are in there and nowhere else. Wall-clock deadlines (Unix ms) are what was
 * promised and what the database keeps; the CLOCK_MONOTONIC ones in `put` are what is enforced.
 */
#ifndef STENTOR_CONTROLPLANE_ROOMS_ROOM_H
#define STENTOR_CONTROLPLANE_ROOMS_ROOM_H

#include <stdint.h>

#include "controlplane/rooms/event.h"
#include "controlplane/rooms/hash.h"
#include "controlplane/rooms/roster.h"
#include "dataplane/api/table.h"

#define ROOM_TITLE_MAX 256
#define ROOM_TOPIC_MAX 64
#define ROOM_SPEAKERS_MAX 256     /* of the list of users who may join as speaker */
#define PAYLOAD_TYPE_FALLBACK 111 /* of Opus in Chromium */

#define ROOM_LANGUAGE_SIZE 36
#define ROOM_COHOSTS_MAX 16

/* As numbers they are in the database; rank is policy.h's business. */
enum member_role { ROLE_LISTENER, ROLE_SPEAKER, ROLE_HOST, ROLE_COHOST, ROLE_COUNT };

/* The data plane knows of live rooms only. A room that has ended is not in the registry. */
enum room_state { ROOM_SCHEDULED, ROOM_LIVE, ROOM_STATE_COUNT };

enum room_access { ACCESS_OPEN, ACCESS_FOLLOWERS, ACCESS_INVITED, ACCESS_TICKETED, ACCESS_COUNT };

struct user_id {
	char text[EVENT_ID_MAX + 1];
};

struct moment {
	uint64_t mono_ns; /* CLOCK_MONOTONIC */
	int64_t wall_ms;  /* Unix time */
};

/* What of a room changes during its life, beyond title and topic; copied as a whole. */
struct room_rules {
	enum room_state state;
	enum room_access access;
	char language[ROOM_LANGUAGE_SIZE]; /* BCP 47, or empty */
	uint32_t speakers_max;             /* 0: the program's limit */
	int64_t starts_ms;                 /* scheduled: Unix ms */
	struct user_id cohosts[ROOM_COHOSTS_MAX];
	uint32_t cohost_count;
	/* Followers are told that the room is live in the order of their record ids: those up to
	 * `told` have been, those from `tell_until` on will not be. */
	uint64_t told, tell_until;
	uint32_t told_parts;
	/* Was a member and is not now: somebody inherits after the grace time. */
	bool host_left;
};

struct hand; /* hand.h */
struct offer;
struct reactions;
struct registry;

struct room {
	struct user_id name;
	struct user_id host;
	char title[ROOM_TITLE_MAX + 1];
	char topic[ROOM_TOPIC_MAX + 1];
	bool open_floor;
	uint32_t capacity; /* members */
	int64_t opened_ms;
	int64_t end_ms;    /* Unix ms; 0: no end */
	uint64_t sequence; /* of the last event of this room */
	struct room_rules rules;
	uint64_t host_left_ns;    /* with rules.host_left: since when (CLOCK_MONOTONIC) */
	struct user_id *speakers; /* who may join as speaker */
	size_t speaker_count;
	struct stn_op_room_put put;
	bool group_key_known;

	struct hash members;   /* struct member by user */
	struct roster roster;  /* the same by member_id */
	struct hash excluded;  /* struct exclusion: removed, may not come back */
	struct hash silenced;  /* struct silence: muted, also when they leave and come back */
	struct hash used_keys; /* struct used_key: digests of keys the application gave */
	struct roster hands; /* struct member by hand->id: who asks for the floor, in their order */
	struct roster invites;         /* the same of who is invited to have it */
	struct roster pins;            /* struct pin by id */
	struct roster shares;          /* struct share by id */
	struct roster reminders;       /* struct reminder by id */
	struct hash reminded;          /* the same by user */
	struct roster reminder_groups; /* struct reminder_group; see reminder.h */
	struct offer *offer;           /* of tickets; NULL: none */
	struct reactions *reactions;   /* NULL: none came yet */
	uint8_t profiles_known;        /* how many of the profiles a data plane has, or had */
	uint32_t listeners;
	uint32_t speaking_members; /* roles host and speaker */
	uint32_t muted;
	uint64_t holder[STN_SLOTS_MAX];      /* member_id of who holds a slot now */
	struct registry *registry;           /* whose it is */
	struct room *host_next, **host_link; /* of the same host's; link NULL: is not linked */
};

#define TOKEN_TEXT_SIZE 23 /* of 16 bytes in base64url, with NUL */

/* What a member who comes by WebRTC shows; see token.h. */
struct token {
	char digest[65]; /* first: the name in the registry. SHA-256 of the text, in hex */
	char text[TOKEN_TEXT_SIZE]; /* empty: from before this program started */
	struct member *member;
};

/* Why a member without a leg keeps their seat for a while. */
enum seat { SEAT_NEW, SEAT_LEFT, SEAT_LOST, SEAT_COUNT };

#define MID_SIZE 17 /* of SDP: what sdp.h takes, with NUL */

/* The leg of a WebRTC member, beyond what `put` says: while there is a session. */
struct peer {
	char resource[65]; /* SHA-256 of the session's resource id, in hex */
	char mid[MID_SIZE];
	struct stn_op_leg_ice ice; /* op.size 0: from before this program started, not yet found */
};

struct member {
	struct user_id user;
	enum member_role role;
	struct room *room;
	struct token *token; /* WebRTC; NULL: none */
	struct peer *peer;   /* WebRTC; NULL: no session, and put.leg_id is 0 */
	struct hand *hand;   /* NULL: neither asks for the floor nor is invited */
	int64_t floor_ms;    /* has the floor since then; 0: a listener */
	int64_t joined_ms;
	int64_t end_ms;  /* 0: none */
	bool keys_known; /* false: loaded from the database, not yet found in the data plane */
	bool tried;      /* was sent to a data plane; with unknown outcome while not programmed */
	bool programmed; /* a data plane has acknowledged it; put.origin is what that one reported
			  */
	bool connected;  /* has sent something that authenticated */
	uint32_t round;  /* the last resync that named it */
	uint32_t ssrc;   /* of what it sends; 0: not known */
	struct stn_op_leg_put put;
	/* Without a leg: until when the seat is kept (CLOCK_MONOTONIC; 0: to the end) and why. */
	uint64_t seat_ns;
	enum seat seat;
	uint64_t join_ns; /* the time up to which they have used up their sessions */
	struct member *seat_next, **seat_link;     /* in registry->seats; link NULL: is not in it */
	struct member *person_next, **person_link; /* of the same user's in other rooms */
};

/* What of a member changes during a membership; see registry_member_set(). */
struct member_state {
	enum member_role role;
	struct token *token;
	struct peer *peer;
	struct hand *hand;
	int64_t floor_ms;
	bool keys_known, tried, programmed, connected;
	uint32_t ssrc;
	uint64_t seat_ns;
	enum seat seat;
	struct stn_op_leg_put put;
};

/* SHA-256 of a key the application gave, in hex, so that it is never taken twice. */
struct used_key {
	char digest[65];
};

static inline uint64_t member_id(const struct member *member)
{
	return member->put.member_id;
}

static inline bool member_webrtc(const struct member *member)
{
	return member->put.transport == STN_TRANSPORT_WEBRTC;
}

/* Keys are in `put`, whoever else has them. */
static inline bool member_keyed(const struct member *member)
{
	return member->put.tx.suite != STN_SUITE_NONE ||
	       member->put.protection == STN_PROTECTION_GROUP;
}

/* Of who may speak. A listener's leg that can still send is muted as well, which is no news. */
static inline bool member_muted(const struct member *member)
{
	return member->role != ROLE_LISTENER && (member->put.flags & STN_LEG_MUTED);
}

/* CLOCK_MONOTONIC ns of a Unix time; 0 for 0 (never), at least 1 for what has passed. */
uint64_t moment_mono(const struct moment *now, int64_t wall_ms);

#endif
