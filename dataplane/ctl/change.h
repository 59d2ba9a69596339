/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A journal of what a transaction does to the registry. Operations are carried out one by one on
 * the main lcore's own tables, so that later ones see earlier ones; when one of them is refused,
 * undo restores the registry as it was, and no worker has heard of anything. Undo cannot fail.
 */
#ifndef STENTOR_DATAPLANE_CTL_CHANGE_H
#define STENTOR_DATAPLANE_CTL_CHANGE_H

#include "dataplane/ctl/registry.h"

enum change_kind {
	CHANGE_ROOM_ADD,
	CHANGE_ROOM_UPDATE,
	CHANGE_ROOM_REMOVE,
	CHANGE_LEG_ADD,
	CHANGE_LEG_UPDATE,
	CHANGE_LEG_REMOVE,
	CHANGE_LEG_KEYS, /* a WEBRTC leg has its keys now */
	CHANGE_LEG_ICE,
	CHANGE_LEG_PATH, /* a KEYED leg is programmed where a WEBRTC leg was seen last */
	CHANGE_COUNT
};

struct change {
	enum change_kind kind;
	uint32_t op; /* position of the operation that caused it, UINT32_MAX: end of a resync */
	union {
		struct room *room;
		struct leg *leg;
	};
	uint64_t end_ns; /* as it was before an update */
	union {
		struct room_version *version; /* before an update that replaced it */
		struct leg_version *leg_version;
		struct ice_version *ice; /* NULL: it had none */
		struct stn_address remote;
		uint64_t mute_until_ns;
	};
	bool replaced; /* a room's version */
	bool muted;
	bool due; /* before it: of a room's version, a leg's keys or its credentials */
};

struct journal {
	struct change *changes;
	uint32_t count;
	uint32_t capacity;
	uint32_t op;      /* noted with the changes that follow */
	uint32_t leg_ops; /* how many legs were put, whether they changed or not */
	bool barrier;     /* what is added may be added only after what is removed is gone */
};

/* Each: 0 or -ENOMEM, then nothing was changed and what was to be added is still the caller's. */
int change_add_room(struct registry *registry, struct journal *journal, struct room *room);
/* version: NULL when only end_ns changes. */
int change_update_room(
	struct journal *journal, struct room *room, struct room_version *version, uint64_t end_ns);
/* With its legs. On failure some of the legs may be gone already: undo. */
int change_remove_room(struct registry *registry, struct journal *journal, struct room *room);
int change_add_leg(struct registry *registry, struct journal *journal, struct leg *leg);
int change_remove_leg(struct registry *registry, struct journal *journal, struct leg *leg);

struct leg_change {
	uint64_t end_ns;
	uint64_t mute_until_ns;
	bool muted;
};
/* Notes nothing when nothing changes. */
int change_update_leg(struct journal *journal, struct leg *leg, const struct leg_change *to);

/* The same leg with keys, and perhaps with a record of the index store, which undo gives back. */
int change_key_leg(struct journal *journal, struct leg *leg, struct leg_version *version);
int change_set_ice(struct journal *journal, struct leg *leg, struct ice_version *ice);
/* Takes its address from a leg. */
int change_clear_path(struct registry *registry, struct journal *journal, struct leg *leg);

static inline bool change_is_of_leg(const struct change *change)
{
	return change->kind >= CHANGE_LEG_ADD;
}

/* Restores what was before, newest change first; the journal is empty then. */
void change_undo(struct registry *registry, struct journal *journal);
/* Frees the journal's own memory. */
void journal_close(struct journal *journal);

#endif
