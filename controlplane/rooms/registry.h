/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * All rooms and members, in memory. Made in main(), used by the loop's thread only. Reading is free
 * for everybody; changes go through plan.h. Ids are box id << 48 | counter and never given twice:
 * the counter starts at the Unix time in 1/65536 s or where the database left off, whichever is
 * more.
 */
#ifndef STENTOR_CONTROLPLANE_ROOMS_REGISTRY_H
#define STENTOR_CONTROLPLANE_ROOMS_REGISTRY_H

#include "controlplane/rooms/crowd.h"
#include "controlplane/rooms/rate.h"

#define FEE_TIERS_MAX 8
#define REACTIONS_MAX 32
#define REACTION_SIZE 33 /* bytes of UTF-8, with NUL */

/* The platform takes so much of what a host earns, up to a sum in minor units. */
struct fee_tier {
	uint64_t up_to;        /* UINT64_MAX: the last one */
	uint32_t basis_points; /* 0 to 10,000 */
};

/* What is not set here (0) is without a limit, except where 0 has a meaning of its own. */
struct registry_limits {
	uint32_t rooms_max;
	uint32_t members_max;
	uint32_t room_members_max;
	/* WebRTC: how long a seat is kept before the first session, and after one; 0: to its end */
	uint64_t join_timeout_ms, reconnect_grace_ms;
	const char *public_url; /* where pages are, without a slash at the end; NULL: not known */
	uint32_t users_max, follows_max;
	uint32_t host_min_followers; /* hosting needs more; 0: anybody may */
	uint32_t room_speakers_max;
	uint64_t schedule_max_ms, schedule_late_ms;
	uint32_t schedules_per_host_max;
	uint64_t floor_request_ms, floor_invite_ms; /* fallbacks; 0: no expiry */
	uint64_t host_grace_ms;                     /* 0: nobody inherits */
	uint32_t report_hold_count;                 /* 0: never held */
	uint32_t moderation_per_second, moderation_burst;
	uint32_t reactions_per_second, reactions_burst;
	uint32_t reminder_spread_min;
	uint32_t tickets_max, reports_max;
	struct fee_tier fee_tiers[FEE_TIERS_MAX];
	uint32_t fee_tier_count;
	char reactions[REACTIONS_MAX][REACTION_SIZE]; /* the emoji that may be sent */
	uint32_t reaction_count;
};

struct registry {
	struct registry_limits limits;
	struct hash rooms; /* struct room by name */
	struct roster room_roster;
	struct roster telling;      /* struct room by id: followers are still to be told of */
	struct roster members;      /* struct member of all rooms by member_id */
	struct roster legs;         /* struct member by leg_id */
	uint32_t sessions;          /* WebRTC members with a leg */
	uint32_t roles[ROLE_COUNT]; /* how many members have each */
	struct member *seats;       /* first of the WebRTC members without a leg */
	struct hash tokens;         /* struct token of all members by digest */
	/* Records; those of a room are in struct room. */
	struct crowd crowd;         /* users, followees and members by name */
	struct roster user_roster;  /* struct user by id */
	struct hash bans;           /* struct ban by "host/user" */
	struct roster ban_roster;   /* the same by id */
	struct hash shares;         /* struct share of all rooms by digest */
	struct roster share_roster; /* the same by id */
	int64_t shares_due_ms;      /* none of them ends before; Unix ms */
	struct roster tickets;      /* struct ticket by id, ended rooms' too */
	struct hash references;     /* the same by reference */
	struct hash issued;         /* those that let somebody in, by "room_id/user" */
	struct roster entries;      /* struct entry: the ledger */
	struct hash books;          /* struct book: its entries by room, host, currency */
	struct roster reports;      /* struct report by id */
	/* No reminder is due before reminders_ms (INT64_MAX: there is none). The round that finds
	 * it out has come as far as that room, and seen that as the earliest. */
	int64_t reminders_ms, reminders_least_ms;
	uint64_t reminders_room;
	struct reactions *reacting, **reacting_last; /* of rooms with any that were not told yet */
	struct hash open_reports; /* the open ones by room, member and reporter */
	struct hash cases;        /* the first open one by room and member */
	/* How often somebody asks; not part of the state. */
	struct rate moderation_rate, reactions_rate;
	bool draining;         /* nobody new comes in */
	uint64_t wake_ns;      /* due_run() has something to do then; 0: at the next tick */
	uint64_t floor_due_ns; /* no hand expires before */
	uint64_t host_due_ns;  /* nobody inherits a room before */
	uint64_t sequence;     /* of the last event of all rooms */
	uint64_t next_id;      /* the next to be minted, box id included */
	/* Fills with random bytes; 0 or negative errno. */
	int (*random)(void *bytes, size_t size);
};

void registry_init(struct registry *registry, const struct registry_limits *limits,
	int (*random)(void *bytes, size_t size));
/* Erases all keys and frees everything. */
void registry_clear(struct registry *registry);

struct room *registry_room(const struct registry *registry, const char *name);
struct room *registry_room_by_id(const struct registry *registry, uint64_t room_id);
struct member *registry_member(const struct room *room, const char *user);
struct member *registry_member_by_id(const struct registry *registry, uint64_t member_id);

/* Links and unlinks; plan.c and the loading of the database only. 0 or negative errno. */
int registry_room_link(struct registry *registry, struct room *room);
void registry_room_unlink(struct registry *registry, struct room *room);
/* What is found by them, when host and whether followers are to be told are going to change; before
 * they do. 0 or -ENOMEM with nothing changed; going back cannot fail. */
int registry_room_move(struct room *room, const char *host, bool telling);
int registry_member_link(struct registry *registry, struct member *member);
void registry_member_unlink(struct registry *registry, struct member *member);

/* What may change during a membership, as it is; and set to something else, counts and indices
 * included. 0 or -ENOMEM, with nothing changed; setting back what was cannot fail. */
void registry_member_state(const struct member *member, struct member_state *state);
int registry_member_set(
	struct registry *registry, struct member *member, const struct member_state *state);
/* The member with that leg, or NULL. */
struct member *registry_member_by_leg(const struct registry *registry, uint64_t leg_id);

/* The leg's mute flag as it must be: of a source whose user is silenced, or is no speaker. */
void member_apply_silence(const struct room *room, const char *user, enum member_role role,
	struct stn_op_leg_put *put);

/* calloc, or NULL; free erases what was secret and accepts NULL. A room's pins, shares, reminders
 * and offer go with it: no plan has to end them. */
struct room *room_make(struct registry *registry);
void room_free(struct room *room);
struct member *member_make(void);
void member_free(struct member *member);
void peer_free(struct peer *peer);

#endif
