/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A room and a leg as the main lcore keeps them, beside the facts that workers read. Plain memory
 * of that one thread; made, attached and freed by registry.h. There may be a million KEYED legs, so
 * what only browsers have lies elsewhere, and a leg in limbo has no times any more.
 */
#ifndef STENTOR_DATAPLANE_CTL_LEG_H
#define STENTOR_DATAPLANE_CTL_LEG_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/ctl/deadline.h"
#include "dataplane/io/command.h"

enum limbo_kind { LIMBO_ROOM, LIMBO_ROOM_FACTS, LIMBO_LEG, LIMBO_LEG_FACTS, LIMBO_ICE };
enum deadline_kind { DEADLINE_ROOM, DEADLINE_LEG };

/* Waits until every worker has answered the fence `token`. */
struct limbo {
	struct limbo *next;
	uint64_t token;
	enum limbo_kind kind;
};

struct room_version {
	struct limbo limbo;
	struct room_facts facts;
};

struct leg;

struct room {
	struct room_version *version; /* current facts */
	struct deadline deadline;
	struct limbo limbo;
	uint64_t end_ns;                /* 0: never */
	uint64_t mark;                  /* last resync that named it */
	uint64_t origin_batch;          /* transaction that origin[] was taken for */
	uint32_t origin[STN_SLOTS_MAX]; /* for the legs that are new in it */
	struct leg **legs;              /* in no order */
	uint32_t leg_count;
	uint32_t leg_capacity;
	uint32_t speakers;
	bool visible;  /* workers have been told */
	bool removed;  /* from the registry; in limbo, or about to be */
	bool due;      /* workers have not been told of this version */
	bool survived; /* its indices go on from an earlier process */
};

/* Of a KEYED leg it lies behind the leg. A WEBRTC leg's is its own, behind a limbo. */
struct leg_version {
	struct leg_facts facts;
};

struct ice_version {
	struct limbo limbo;
	struct ice_facts *facts; /* owned */
};

/* What a WEBRTC leg has besides; behind the leg. */
struct leg_browser {
	struct ice_version *ice;   /* current credentials, NULL: none yet */
	struct stn_address remote; /* the path that was selected last; family 0: none */
	bool ice_due;              /* workers have not been told of these credentials */
};

struct leg {
	struct leg_version *version; /* current facts */
	struct room *room;
	struct deadline deadline; /* of whichever comes first */
	union {
		struct {
			uint64_t end_ns;        /* 0: never */
			uint64_t mute_until_ns; /* 0: for ever */
			uint64_t mark;          /* last resync that named it */
		};
		struct limbo limbo; /* once it is buried */
	};
	uint32_t position; /* in room->legs */
	bool muted : 1;
	bool muted_posted : 1; /* what workers were told last */
	bool visible : 1;
	bool removed : 1;
	bool keys_due : 1;  /* workers have not been told of these keys */
	bool recorded : 1;  /* holds a record of the index store */
	bool switching : 1; /* replaces a leg of the other role; own indices are set behind a
			       barrier */
};
_Static_assert(sizeof(struct leg) == 56, "kept by the million");

static inline bool leg_is_webrtc(const struct leg *leg)
{
	return leg->version->facts.transport == STN_TRANSPORT_WEBRTC;
}

/* DTLS is done; KEYED legs and members of a group always are. */
static inline bool leg_is_keyed(const struct leg *leg)
{
	return !leg_is_webrtc(leg) || leg->version->facts.tx.suite != STN_SUITE_NONE;
}

static inline struct leg_browser *leg_browser(const struct leg *leg)
{
	return (struct leg_browser *)(uintptr_t)(leg + 1);
}

/* NULL: it has no credentials. */
static inline const struct ice_version *leg_ice(const struct leg *leg)
{
	return leg_is_webrtc(leg) ? leg_browser(leg)->ice : NULL;
}

/* KEYED: as in the facts. WEBRTC: the path that was selected last; family 0: none. */
static inline const struct stn_address *leg_remote(const struct leg *leg)
{
	return leg_is_webrtc(leg) ? &leg_browser(leg)->remote : &leg->version->facts.remote;
}

/* Before the leg is attached, or of one that is at none. */
static inline void leg_set_remote(struct leg *leg, const struct stn_address *remote)
{
	if (leg_is_webrtc(leg))
		leg_browser(leg)->remote = *remote;
	else
		leg->version->facts.remote = *remote;
}

static inline uint64_t leg_room_id(const struct leg *leg)
{
	return leg->room->version->facts.room_id;
}

#endif
