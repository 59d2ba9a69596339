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

enum member_role { ROLE_LISTENER, ROLE_SPEAKER, ROLE_HOST, ROLE_COUNT };

struct user_id {
	char text[EVENT_ID_MAX + 1];
};

struct moment {
	uint64_t mono_ns; /* CLOCK_MONOTONIC */
	int64_t wall_ms;  /* Unix time */
};

struct room {
	struct user_id name;
	struct user_id host;
	char title[ROOM_TITLE_MAX + 1];
	char topic[ROOM_TOPIC_MAX + 1];
	bool open_floor;
	uint32_t capacity; /* members */
	int64_t opened_ms;
	int64_t end_ms;           /* Unix ms; 0: no end */
	uint64_t sequence;        /* of the last event of this room */
	struct user_id *speakers; /* who may join as speaker */
	size_t speaker_count;
	struct stn_op_room_put put;
	bool group_key_known;

	struct hash members;   /* struct member by user */
	struct roster roster;  /* the same by member_id */
	struct hash excluded;  /* struct user_id: removed, may not come back */
	struct hash silenced;  /* struct silence: muted, also when they leave and come back */
	struct hash used_keys; /* struct used_key: digests of keys the application gave */
	uint32_t listeners;
	uint32_t speaking_members; /* roles host and speaker */
	uint32_t muted;
	uint64_t holder[STN_SLOTS_MAX]; /* member_id of who holds a slot now */
};

#define TOKEN_TEXT_SIZE 23 /* of 16 bytes in base64url, with NUL */

/* What a member who comes by WebRTC shows; see token.h. */
struct token {
	char digest[65]; /* first: the name in the registry. SHA-256 of the text, in hex */
	char text[TOKEN_TEXT_SIZE]; /* empty: from before this program started */
	struct member *member;
};

struct member {
	struct user_id user;
	enum member_role role;
	struct room *room;
	struct token *token; /* WebRTC; NULL: none */
	int64_t joined_ms;
	int64_t end_ms;  /* 0: none */
	bool keys_known; /* false: loaded from the database, not yet found in the data plane */
	bool tried;      /* was sent to a data plane; with unknown outcome while not programmed */
	bool programmed; /* a data plane has acknowledged it; put.origin is what that one reported
			  */
	uint32_t round;  /* the last resync that named it */
	bool connected;  /* has sent something that authenticated */
	struct stn_op_leg_put put;
};

/* A mute. It belongs to the user, not to the membership: leaving and joining does not shed it. */
struct silence {
	struct user_id user;
	int64_t until_ms;  /* 0: until unmuted */
	uint64_t until_ns; /* the same, as enforced */
};

/* SHA-256 of a key the application gave, in hex, so that it is never taken twice. */
struct used_key {
	char digest[65];
};

static inline uint64_t member_id(const struct member *member)
{
	return member->put.member_id;
}

static inline bool member_muted(const struct member *member)
{
	return member->put.flags & STN_LEG_MUTED;
}

/* CLOCK_MONOTONIC ns of a Unix time; 0 for 0 (never), at least 1 for what has passed. */
uint64_t moment_mono(const struct moment *now, int64_t wall_ms);

#endif
