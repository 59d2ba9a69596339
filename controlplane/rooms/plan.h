/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What follows from one request: changes (applied to the registry at once, written to the store,
 * taken back if that fails), operations for the data plane, events for subscribers, the answer.
 *
 * A handler calls plan_*(); each either does its change and notes it down, or leaves everything as
 * it was and sets plan->verdict. plan_revert() takes all of it back, newest first; plans of one
 * transaction are reverted newest first too. plan_clear() frees the plan and whatever left the
 * registry by it.
 */
#ifndef STENTOR_CONTROLPLANE_ROOMS_PLAN_H
#define STENTOR_CONTROLPLANE_ROOMS_PLAN_H

#include "controlplane/rooms/record.h"
#include "controlplane/rooms/registry.h"
#include "controlplane/rooms/silence.h"
#include "controlplane/rooms/writer.h"

enum change_type {
	CHANGE_ROOM_ADD,
	CHANGE_ROOM_SET, /* all of struct room_settings */
	CHANGE_ROOM_REMOVE,
	CHANGE_MEMBER_ADD,
	CHANGE_MEMBER_SET, /* role, leg, token, hand */
	CHANGE_MEMBER_REMOVE,
	CHANGE_EXCLUDE_SET, /* user may not come back, or may again */
	CHANGE_SILENCE_SET, /* user is muted, or no longer */
	CHANGE_KEY_USED,    /* digest */
	CHANGE_AUDIT,       /* store only */
	CHANGE_EVENT,       /* logged and sent to subscribers */
	CHANGE_LIVE,        /* sent to subscribers only */
	CHANGE_RECORD,      /* one comes, goes, or takes the place of another */
	CHANGE_DRAIN,       /* the box drains, or no longer */
	CHANGE_REACTION,    /* counted in memory only */
	CHANGE_COUNT
};

struct room_settings {
	char title[ROOM_TITLE_MAX + 1];
	char topic[ROOM_TOPIC_MAX + 1];
	bool open_floor;
	uint32_t capacity;
	uint8_t profile_count;
	struct user_id host;
	int64_t opened_ms;
	int64_t end_ms; /* put.end_ns follows from it */
	struct room_rules rules;
	uint64_t host_left_ns;
};

struct audit {
	const char *actor;
	const char *action;
	const char *member; /* or NULL */
	const char *reason; /* or NULL */
};

/* The same, copied: the store may take it long after the request is gone. */
struct audit_entry {
	char *actor, *member, *reason;
	const char *action;
};

/* Of one table; `after` is what a store writes. */
struct record_change {
	enum record_type type;
	void *before, *after; /* NULL: there was none, there is none */
};

struct change {
	enum change_type type;
	bool forgotten; /* MEMBER_SET, MEMBER_REMOVE: whoever knew the leg has been told */
	struct room *room;
	struct member *member;
	uint8_t held; /* MEMBER_REMOVE: the slots they held, a bit each */
	union {
		struct room_settings *settings; /* ROOM_SET: as they were before */
		struct {
			/* Its peer, token and hand go when it is final. */
			struct member_state *before;
			const struct peer *peer; /* what took their place: only to compare */
			const struct token *token;
			const struct hand *hand;
			uint64_t leg_id;
		} state; /* MEMBER_SET */
		struct {
			struct silence *before; /* NULL: was not */
			struct silence *after;  /* NULL: is not any more */
			struct user_id user;
		} silence; /* SILENCE_SET */
		struct {
			struct exclusion *before, *after; /* NULL: was not, is not any more */
		} exclusion;                              /* EXCLUDE_SET */
		struct used_key *key;                     /* KEY_USED */
		struct audit_entry audit;                 /* AUDIT */
		struct {
			uint64_t sequence;
			uint64_t room_sequence;
			char *text; /* the whole JSON object, without newline */
			size_t size;
		} event; /* EVENT; LIVE: without sequence numbers, with newline */
		struct record_change record; /* RECORD */
		bool draining;               /* DRAIN: as it was before */
		struct {
			unsigned int emoji;
			uint32_t count;
		} reaction; /* REACTION */
	};
};

/* What has to be asked before the answer is complete. */
enum plan_query {
	PLAN_QUERY_NONE,
	PLAN_QUERY_STATUS,
	PLAN_QUERY_ROOM,
	PLAN_QUERY_EXPLAIN,
	PLAN_QUERY_SUBSCRIBE,
	PLAN_QUERY_AUDIT,
	PLAN_QUERY_COUNT
};

struct plan {
	struct moment now;
	struct verdict verdict;
	struct writer answer; /* members of the answer object behind "ok" */
	struct change *changes;
	size_t change_count, change_capacity;
	unsigned char *ops; /* struct stn_op_* back to back; contains keys */
	size_t ops_size, ops_capacity;
	uint32_t op_count;
	uint64_t *joined; /* member ids that these operations bring in, or give another leg */
	size_t joined_count, joined_capacity;
	uint8_t profiles; /* how many of the room's the operations say; a plan is of one room */
	uint64_t session; /* leg id of the session that these operations bring in; 0: none */
	bool promotes;    /* who is in `joined` was a member before: see role_take_back() */
	bool safety;
	enum plan_query query;
};

void plan_init(struct plan *plan, const struct moment *now);
void plan_clear(struct plan *plan);
void plan_revert(struct plan *plan, struct registry *registry);

/* Each: true, or false with the verdict set (unavailable: out of memory). */
bool plan_room_add(struct plan *plan, struct registry *registry, struct room *room);
/* The monotonic end follows the wall clock's as it is now, if that one changes. */
bool plan_room_set(struct plan *plan, struct room *room, const struct room_settings *settings);
bool plan_room_remove(struct plan *plan, struct registry *registry, struct room *room);
bool plan_member_add(struct plan *plan, struct registry *registry, struct member *member);
/* Owns peer, token and hand in state from then on, and not if it returns false. */
bool plan_member_set(struct plan *plan, struct registry *registry, struct member *member,
	const struct member_state *state);
/* terms: user and until_ns are filled in; NULL: not muted any more. */
bool plan_silence(
	struct plan *plan, struct room *room, const char *user, const struct silence *terms);
bool plan_member_remove(struct plan *plan, struct registry *registry, struct member *member);
/* banned: by a ban; what was there is replaced. */
bool plan_exclude(struct plan *plan, struct room *room, const char *user, bool banned);
/* The user is excluded; not any more. */
bool plan_include(struct plan *plan, struct room *room, const char *user);
bool plan_key_used(struct plan *plan, struct room *room, const char *digest);
/* room NULL: it is about none. */
bool plan_audit(struct plan *plan, struct room *room, const struct audit *audit);
/* Puts `after` in the place of `before`; either may be NULL. Owns `after` from then on, and not if
 * it returns false. */
bool plan_record(struct plan *plan, struct registry *registry, enum record_type type, void *before,
	void *after);
bool plan_drain(struct plan *plan, struct registry *registry, bool draining);
/* For requests that do not go through the store, too: a turn that fails decides them again. */
bool plan_reaction(struct plan *plan, struct room *room, unsigned int emoji, uint32_t count);
/* One table operation. */
bool plan_op(struct plan *plan, const void *op, size_t size);

/* Says that the operations bring this member in. */
bool plan_joined(struct plan *plan, uint64_t member_id);
/* Notes an event down, closes and takes the writer's text; see outgoing.h. room NULL: of none. */
bool plan_event_end(
	struct plan *plan, struct registry *registry, struct room *room, struct writer *writer);
/* The same of what is only live: no sequence number, not in the log. */
bool plan_live_end(struct plan *plan, struct room *room, struct writer *writer);
/* Whether nothing of the plan is for the database. */
bool plan_is_live(const struct plan *plan);
/* The settings as they are, to change some and hand them to plan_room_set(). */
void plan_room_settings(const struct room *room, struct room_settings *settings);

#endif
